"""One exception class for each status of the library."""
from __future__ import annotations

from typing import Any


class Error(Exception):
    """A failure of the library: its text, and the number in ``status``."""

    status = -1


class UnknownError(Error):
    """A failure without a better class."""


class NoMemoryError(Error, MemoryError):
    """An allocation failed or the memory budget is too small."""

    status = -2


class ArgumentError(Error, ValueError):
    """A value that is not allowed."""

    status = -3


class StateError(Error):
    """The call does not fit the object's state."""

    status = -4


class NotFoundError(Error, LookupError):
    """No such clip, frame, model, option or file."""

    status = -5


class UnsupportedError(Error):
    """Valid input that this build or version cannot handle."""

    status = -6


class FormatError(Error):
    """A file is damaged or not what it claims."""

    status = -7


class ReadWriteError(Error, OSError):
    """Reading or writing failed."""

    status = -8


class EngineError(Error):
    """The engine could not be started, died, hung or answered nonsense."""

    status = -9


class CancelledError(Error):
    """Stopped by cancel or by a progress callback."""

    status = -10


class PermissionDeniedError(Error):
    """The footage's permissions forbid it."""

    status = -11


class ChangedError(Error):
    """A file's bytes are not those that were ingested."""

    status = -12


class ConflictError(Error):
    """Another libtorch, another writer, or a name already taken."""

    status = -13


class NotAcceptedError(Error):
    """Publishing an option that nobody accepted."""

    status = -14


class TamperedError(Error):
    """The ledger or a stored file was altered. After :meth:`Project.verify`, ``report`` says what."""

    status = -15
    report: Any = None


_classes = {kind.status: kind for kind in (
    NoMemoryError, ArgumentError, StateError, NotFoundError, UnsupportedError, FormatError, ReadWriteError, EngineError,
    CancelledError, PermissionDeniedError, ChangedError, ConflictError, NotAcceptedError, TamperedError)}


def error_for(status: int, text: str) -> Error:
    """The exception for a status, not yet raised."""
    error = _classes.get(status, UnknownError)(text)
    if error.status != status:
        error.status = status
    return error
