"""Operations: the errands of post."""
from __future__ import annotations

import json
import re
from ctypes import byref, c_double
from fractions import Fraction
from typing import Any, Callable, NamedTuple, Optional

from . import _structs as s
from ._errors import Error, NotFoundError
from ._handle import Handle, made
from ._library import check, encode, lib
from ._work import Progress, Work
from .frame import Frame
from .model import Model
from .project import TRAINING, Project, Rate, rational
from .strokes import strokes_text

Fetch = Callable[[str, int, str], Optional[Frame]]
"""fetch(clip, number, channels): the frame, or None where the clip has none. Called on the thread in run() only, also with the names
of further clips that settings of type "clip" name; None then means only that this clip lacks the frame."""
_TYPES = {1: "int", 2: "real", 3: "bool", 4: "text", 5: "choice", 6: "clip", 7: "file"}


class HostClip(NamedTuple):
    """A clip whose frames come from a callback: numbers first..last, what the samples mean, whose they are."""

    name: str
    first: int
    last: int
    encoding: str
    owner: str
    licence: str
    training: str = "denied"
    rate: Optional[Rate] = None


class Result:
    """One way in which an operation did the work. Results come best first."""

    def __init__(self, operation: "Operation", index: int, info: s.ResultInfo) -> None:
        self._operation = operation
        self._index = index
        self.option: str = info.option.decode()
        """Id in the project; the draft's id for host clips."""
        self.variant: str = info.variant.decode()
        self.title: str = info.title.decode()
        self.score: Optional[float] = info.score if info.score >= 0 else None
        """The operation's own leave-one-out score in dB."""
        self.count: int = info.frames
        self.details: dict[str, Any] = json.loads(info.details) if info.details else {}
        """What the operation has to say, e.g. "strokes" (the curves it followed or proposes) and "lost" (frames where it lost one)."""

    def __len__(self) -> int:
        return self.count

    def __repr__(self) -> str:
        return f"<Result {self.option} {self.variant!r} {self.count} frames, score {self.score}>"

    def _frame(self, index: int, evidence: bool) -> tuple[Frame, Fraction, float]:
        time, confidence = s.Rational(), c_double()
        pointer = made(lib.ipos_operation_result_frame, self._operation.pointer, self._index, index, int(evidence), byref(time),
                       byref(confidence))
        return Frame(pointer), Fraction(time.num, time.den), confidence.value

    def frame(self, index: int = 0) -> Frame:
        """A picture, in time order."""
        return self._frame(index, False)[0]

    def evidence(self, index: int = 0) -> Frame:
        """Its evidence map: channels "evidence" (0 original, 1 another frame, 2 another take, 3 invented, 4 the
        frame's own in other light, 5 an old shadow lifted, 6 a new one cast, 7 sky) and "confidence"; perhaps
        "matte" (what was taken out, 0..1) and "matte.shadow"."""
        return self._frame(index, True)[0]

    def time(self, index: int = 0) -> Fraction:
        """Its time in frames."""
        return self._frame(index, False)[1]

    def confidence(self, index: int = 0) -> float:
        """How sure the operation is, 0..1."""
        return self._frame(index, False)[2]


class Operation(Handle):
    """One job: a kind, settings, input, results. One thread at a time, except :meth:`cancel`."""

    _kind = "operation"

    def __init__(self, project: Project, kind: str) -> None:
        super().__init__(made(lib.ipos_operation_create, project.pointer, encode(kind)))
        self.project = project
        self._work = Work()
        self._fetch: Any = None
        self._first: Optional[int] = None

    def settings(self) -> list[dict[str, Any]]:
        """Every setting: name, type, help, unit, choices, default, minimum, maximum."""
        listed = []
        for index in range(lib.ipos_operation_option_count(self.pointer)):
            info = s.OptionInfo()
            check(lib.ipos_operation_option_info(self.pointer, index, byref(info)))
            choices = info.choices.decode()
            listed.append({"name": info.name.decode(), "type": _TYPES.get(info.type, "text"), "help": info.help.decode(),
                           "unit": info.unit.decode(), "choices": choices.split(",") if choices else [],
                           "default": info.preset.decode(), "minimum": info.minimum, "maximum": info.maximum})
        return listed

    def set(self, name: str, value: Any) -> None:
        """Changes a setting; an unknown name or a value out of range is an ArgumentError that says what is allowed.

        A setting that names clips takes a name or a list of names. "strokes" takes a JSON or SVG file, ``{"strokes": [...]}``, one
        stroke, or a list of those; strokes that name no frame are on the first frame of :meth:`set_frames`.
        """
        if name == "strokes":
            value = strokes_text(value, self._first)
        elif isinstance(value, (list, tuple)):
            value = ",".join(value)
        elif isinstance(value, bool):
            value = int(value)
        check(lib.ipos_operation_set(self.pointer, encode(name), encode(value if isinstance(value, str) else repr(value))))

    def set_model(self, model: Optional[Model]) -> None:
        """The model to use; None: the classical method alone."""
        check(lib.ipos_operation_set_model(self.pointer, model.pointer if model is not None else None))

    def set_clip(self, clip: str) -> None:
        """Input: a clip of the project."""
        check(lib.ipos_operation_set_clip(self.pointer, encode(clip)))

    def set_frames(self, frames: Any) -> None:
        """Which frames: "10", "10-20", "1-99x2", "10.5", "21/2", comma-separated; or a number. Those to make, or, for an operation that
        edits, those to change: whole numbers that the clip has."""
        check(lib.ipos_operation_set_frames(self.pointer, encode(frames if isinstance(frames, str) else str(frames))))
        first = re.match(r"\s*(-?\d+)", str(frames))
        self._first = int(first[1]) if first else None

    def set_host_clip(self, clip: HostClip, fetch: Fetch) -> None:
        """Input: frames from a callback. What it raises comes out of :meth:`run`."""
        config = s.HostClipStruct(name=encode(clip.name), first=clip.first, last=clip.last, rate=rational(clip.rate),
                                  encoding=encode(clip.encoding), owner=encode(clip.owner), licence=encode(clip.licence),
                                  training=TRAINING.get(clip.training, 0))
        callback = s.FetchFn(self._fetcher(fetch))
        check(lib.ipos_operation_set_host_clip(self.pointer, byref(config), callback, None))
        self._fetch = callback

    def _fetcher(self, fetch: Fetch) -> Any:
        def call(_user: Any, clip: bytes, number: int, channels: bytes, out: Any) -> int:
            try:
                if self._work.error is not None:
                    return -10
                frame = fetch(clip.decode(), number, channels.decode())
                if frame is None:
                    return NotFoundError.status
                if not isinstance(frame, Frame):
                    raise TypeError(f"fetch gave {type(frame).__name__}: expected a Frame, or None where the clip has none")
                lib.ipos_frame_retain(frame.pointer)
                out[0] = frame.pointer
                return 0
            except NotFoundError as error:
                return error.status
            except BaseException as error:
                self._work.keep(error)
                return error.status if isinstance(error, Error) else -1
        return call

    def run(self, progress: Optional[Progress] = None) -> list[Result]:
        """Runs the job; blocks; returns the results, best first. With a clip of the project every result is stored as an option."""
        with Work(progress) as work:
            self._work = work
            status = lib.ipos_operation_run(self.pointer, work.progress, None)
        work.finish(status)
        return self.results()

    def results(self) -> list[Result]:
        """Results of the last run."""
        found = []
        for index in range(lib.ipos_operation_result_count(self.pointer)):
            info = s.ResultInfo()
            check(lib.ipos_operation_result(self.pointer, index, byref(info)))
            found.append(Result(self, index, info))
        return found

    def cancel(self) -> None:
        """Stops a running job from any thread: run() raises CancelledError."""
        lib.ipos_operation_cancel(self.pointer)
