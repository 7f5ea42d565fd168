"""Stroke files from Python."""
import json

import pytest

import interpos
from interpos.strokes import strokes_text


@pytest.fixture
def drawn(tmp_path):
    path = tmp_path / "wires.svg"
    path.write_text("<svg xmlns='http://www.w3.org/2000/svg'><path id='left' stroke-width='4' d='M1 2 30 40'/>"
                    "<line id='right@1020' x2='9' class='shadow'/></svg>")
    return path


def test_svg(drawn):
    strokes = interpos.read_strokes(drawn, frame=1012)["strokes"]
    assert strokes == [{"wire": "left", "frame": 1012, "kind": "wire", "points": [[1, 2], [30, 40]], "width": 4},
                       {"wire": "right", "frame": 1020, "kind": "shadow", "points": [[0, 0], [9, 0]]}]
    with pytest.raises(interpos.FormatError, match="wires.svg: stroke 1 .wire 'left'.*frame"):
        interpos.read_strokes(drawn)
    drawn.write_text("<svg><g transform='rotate(3)'><line x2='4'/></g></svg>")
    with pytest.raises(interpos.UnsupportedError, match="rotate"):
        interpos.read_strokes(str(drawn), 1)
    with pytest.raises(interpos.NotFoundError):
        interpos.read_strokes(drawn.parent / "none.json")


def test_json(tmp_path):
    path = tmp_path / "s.json"
    path.write_text(json.dumps({"strokes": [{"frame": 3, "points": [[0, 0], [1, 1]]}]}))
    assert interpos.read_strokes(path)["strokes"][0]["kind"] == "wire"
    path.write_text(json.dumps({"strokes": [{"frame": 3, "points": [[0, 0]]}]}))
    with pytest.raises(interpos.FormatError, match="s.json: stroke 1: it has 1 points"):
        interpos.read_strokes(path)


def test_forms(drawn):
    stroke = {"frame": 3, "points": [[0, 0], [1, 1]]}
    assert json.loads(strokes_text(stroke, None)) == {"strokes": [stroke]}
    assert json.loads(strokes_text({"strokes": [stroke]}, None)) == {"strokes": [stroke]}
    assert [s["frame"] for s in json.loads(strokes_text([stroke, drawn, str(drawn)], 7))["strokes"]] == [3, 7, 1020, 7, 1020]
    assert strokes_text("", None) == "" and strokes_text(' {"strokes":[]}', None) == ' {"strokes":[]}'
    with pytest.raises(ValueError):
        strokes_text({"frame": 3, "points": [[0, float("nan")]]}, None)
