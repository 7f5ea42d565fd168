"""libinterpos from Python: learn from a production's own dailies, make the frames it lacks.

    with interpos.Context() as context, interpos.Project.open(context, "northwind") as project:
        results = project.operation("inbetween", clip="A001", frames="1047").run()
        print(results[0].variant, results[0].frame(0).channel("R").shape)

Every failure of the library raises a subclass of :class:`Error` with the library's text. Callbacks may raise: the work stops
and the exception comes out of the call. Ctrl-C stops long calls and raises KeyboardInterrupt.
"""
from ._errors import (ArgumentError, CancelledError, ChangedError, ConflictError, EngineError, Error, FormatError, NoMemoryError,
                      NotAcceptedError, NotFoundError, PermissionDeniedError, ReadWriteError, StateError, TamperedError,
                      UnknownError, UnsupportedError)
from ._library import encodings, feature, operations, version
from .context import Context
from .frame import Channel, Frame, Plane, Window
from .look import Look
from .model import Model
from .operation import HostClip, Operation, Result
from .project import Project
from .strokes import read_strokes

__version__ = "0.1.0"
__all__ = ["ArgumentError", "CancelledError", "ChangedError", "Channel", "ConflictError", "Context", "EngineError", "Error",
           "FormatError", "Frame", "HostClip", "Look", "Model", "NoMemoryError", "NotAcceptedError", "NotFoundError", "Operation",
           "PermissionDeniedError", "Plane", "Project", "ReadWriteError", "Result", "StateError", "TamperedError", "UnknownError",
           "UnsupportedError", "Window", "encodings", "feature", "operations", "read_strokes", "version"]
