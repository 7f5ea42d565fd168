"""Strokes: curves that a person draws along what is meant, for operations with a setting "strokes"."""
from __future__ import annotations

import json
import os
from typing import Any, Mapping, Optional, Sequence, Union

from ._library import document, encode, lib

Path = Union[str, "os.PathLike[str]"]
Stroke = Mapping[str, Any]
Strokes = Union[Path, Stroke, Sequence[Union[Path, Stroke]]]
"""A JSON or SVG file; ``{"strokes": [...]}`` or one stroke; a list of files and strokes."""
NO_FRAME = -2 ** 63


def read_strokes(path: Path, frame: Optional[int] = None) -> dict[str, Any]:
    """Reads a JSON stroke file or the paths, polylines and lines of an SVG, checked, in one form:
    ``{"strokes": [{"wire": "left", "frame": 1012, "kind": "wire", "points": [[x, y], ...], "width": 4.0}]}``.

    frame: for strokes that name none; without it those are refused. Points are pixels of the data window: the first pixel covers
    0..1. In an SVG the element's id is the wire's name, ``left@1012`` or ``data-frame`` its frame, ``data-kind`` its kind, class "shadow"
    makes it a shadow.
    What is wrong with a file is a FormatError (a transform that cannot be applied: UnsupportedError) that names file, stroke, value
    and what was expected.
    """
    return document(lib.ipos_strokes_read, encode(path), NO_FRAME if frame is None else frame)


def _list(value: Strokes, frame: Optional[int]) -> list[Any]:
    if isinstance(value, Mapping):
        return list(value["strokes"]) if "strokes" in value else [dict(value)]
    if isinstance(value, (str, os.PathLike)):
        return read_strokes(value, frame)["strokes"]
    return [stroke for part in value for stroke in _list(part, frame)]


def strokes_text(value: Strokes, frame: Optional[int]) -> str:
    """The setting's text; text that is JSON already stays."""
    if isinstance(value, str) and (not value or value.lstrip().startswith("{")):
        return value
    return json.dumps({"strokes": _list(value, frame)}, allow_nan=False)
