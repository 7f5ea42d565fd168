"""The look: the measured fingerprint of a production's footage."""
from __future__ import annotations

import json
from ctypes import byref, c_void_p
from typing import TYPE_CHECKING, Any, Mapping, Optional, Sequence, Union

from . import _structs as s
from ._handle import Handle, made
from ._library import check, document, encode, lib, take_text
from ._work import Progress, Work

if TYPE_CHECKING:
    from .project import Project

Mark = Mapping[str, Any]
"""``{"clip": "A001", "frame": 1012, "kind": "skin" or "light", "box": [x, y, width, height], "name": "Nora"}``"""


class Look(Handle):
    """What camera, lens and grade leave in the pictures. Immutable; outlives the project it was measured in.

    of: a clip's name, "tag:" and a tag, or None for the whole project.
    """

    _kind = "look"

    @classmethod
    def from_json(cls, value: Union[str, Mapping[str, Any]]) -> "Look":
        """A look as :attr:`json` or a file of ``interpos look -o`` holds it, as text or as a dict."""
        text = value if isinstance(value, str) else json.dumps(value, allow_nan=False)
        return cls(made(lib.ipos_look_from_json, encode(text)))

    @property
    def json(self) -> dict[str, Any]:
        """The document: "clips", "tags" and "all", each with the measurements "grain", "bloom", "vignette", "chroma", "sharp", "tone",
        "white" and "flicker", their confidence, the frames they rest on, or the reason why there is none."""
        return document(lib.ipos_look_json, self.pointer)

    @staticmethod
    def plots() -> list[str]:
        """Names of the plots."""
        return lib.ipos_look_plots().decode().split(",")

    def plot(self, name: str, of: Optional[str] = None) -> str:
        """One measurement as an SVG picture."""
        memory = c_void_p()
        check(lib.ipos_look_plot(self.pointer, encode(of), encode(name), byref(memory)))
        return take_text(memory)

    def film_grain_table(self, of: Optional[str] = None) -> str:
        """The grain as AV1 encoders read it (aomenc --film-grain-table). NotFoundError with the reason where there is no grain."""
        memory = c_void_p()
        check(lib.ipos_look_grain_table(self.pointer, encode(of), byref(memory)))
        return take_text(memory)


def measure(project: "Project", clips: Optional[bytes], marks: Optional[Sequence[Mark]], shots: int, threads: int,
            progress: Optional[Progress]) -> Look:
    """See Project.measure_look."""
    text = None if marks is None else json.dumps({"marks": [dict(mark) for mark in marks]}, allow_nan=False)
    config = s.LookConfig(threads=threads, clips=clips, marks=encode(text), shots=shots)
    out = c_void_p()
    with Work(progress) as work:
        status = lib.ipos_look_measure(project.pointer, byref(config), work.progress, None, byref(out))
    look = Look(out.value) if out.value else None
    work.finish(status)
    assert look is not None
    return look
