"""Handles: one reference each, released by close(), a with block, or the garbage collector."""
from __future__ import annotations

from ctypes import byref, c_void_p
from typing import Any, TypeVar

from ._errors import StateError
from ._library import check, lib

Self = TypeVar("Self", bound="Handle")


class Handle:
    """Base of Context, Project, Frame, Look, Model, Operation."""

    _kind = ""
    _pointer: Any = None

    def __init__(self, pointer: int) -> None:
        self._pointer = pointer

    @property
    def pointer(self) -> int:
        """The library's handle."""
        if not self._pointer:
            raise StateError(f"this {type(self).__name__} is closed")
        return self._pointer

    def close(self) -> None:
        """Gives the reference back; what hangs from it stays alive as long as it is used."""
        pointer, self._pointer = self._pointer, None
        if pointer:
            getattr(lib, f"ipos_{self._kind}_release")(pointer)

    def __enter__(self: Self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __del__(self) -> None:
        try:
            self.close()
        except Exception:  # the interpreter is going away and its modules are gone
            pass


def made(function: Any, *arguments: Any) -> int:
    """Calls a function whose last parameter receives a handle."""
    out = c_void_p()
    check(function(*arguments, byref(out)))
    return out.value or 0
