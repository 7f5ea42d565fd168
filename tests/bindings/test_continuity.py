"""Continuity from Python, and its grade for a colourist."""
import ctypes
import json

import pytest

import interpos
from footage import FRAMES, HEIGHT, WIDTH, picture

pytestmark = pytest.mark.skipif(not interpos.feature("engine-process"), reason="no engine")


def values(frame):
    """Red, green and blue as flat lists."""
    planes = [frame.plane(name) for name in "RGB"]
    return [[ctypes.string_at(p.address + y * p.strides[0] + x * p.strides[1], 1)[0] for y in range(HEIGHT) for x in range(WIDTH)]
            for p in planes]


@pytest.fixture
def graded(shot, context, tmp_path):
    """The shot half a stop darker and warmer, as another clip."""
    for number in range(FRAMES):
        frame = picture(context, number)
        for name, gain in zip("RGB", (.8, .7, .6)):
            plane = frame.plane(name)
            for y in range(HEIGHT):
                row = ctypes.string_at(plane.address + y * plane.strides[0], WIDTH)
                ctypes.memmove(plane.address + y * plane.strides[0], bytes(round(v * gain) for v in row), WIDTH)
        frame.write(tmp_path / f"graded.{1 + number:04d}.png")
    shot.ingest(tmp_path / "graded.%04d.png", "graded", owner="tests", licence="made here", training="denied", rate=24, encoding="rec709")
    return shot


def test_match_and_grade(graded):
    result = graded.operation("continuity", clip="graded", frames="12", reference="shot", texture=False).run()[0]
    assert result.variant == "match" and result.details["shots"][0]["match"]["registered"]
    off = [abs(a - b) for made, wanted in zip(values(result.frame(0)), values(graded.frame("shot", 1012))) for a, b in zip(made, wanted)]
    assert sum(off) / len(off) < 2
    cdl, cube = graded.grade(result.option), graded.grade(result.option, format="cube")
    assert cdl.startswith("<?xml") and "<Slope>" in cdl and "matched" in cdl
    assert "LUT_3D_SIZE 33" in cube and len([line for line in cube.splitlines() if line[:1].isdigit() or line[:1] == "-"]) == 33 ** 3
    with pytest.raises(interpos.NotFoundError, match="shot 3, there are 1"):
        graded.grade(result.option, shot=3)
    with pytest.raises(interpos.ArgumentError, match="cdl or cube"):
        graded.grade(result.option, format="3dl")
    steady = graded.operation("continuity", clip="graded", frames="12", mode="deflicker").run()[0]
    assert values(steady.frame(0)) == values(graded.frame("graded", 12))
    with pytest.raises(interpos.NotFoundError, match="was not matched"):
        graded.grade(steady.option)


def test_towards_a_look(graded):
    look = graded.measure_look("shot")
    result = graded.operation("continuity", clip="graded", frames="12", look=json.dumps(look.json)).run()[0]
    assert result.variant == "suggestion" and not result.details["shots"][0]["match"]["registered"]
    before, after, wanted = (sum(values(frame)[1]) for frame in (graded.frame("graded", 12), result.frame(0), graded.frame("shot", 1012)))
    assert before < after < wanted
    with pytest.raises(interpos.ArgumentError, match="nothing to match to"):
        graded.operation("continuity", clip="graded", frames="12").run()
