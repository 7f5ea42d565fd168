"""Operations that change frames, with the one that tests/fault has: its library and engine are in the environment."""
import os

import pytest

import interpos
from footage import picture

pytestmark = pytest.mark.skipif("edit" not in {entry["name"] for entry in interpos.operations()}, reason="not the library of tests/fault")
STROKE = {"wire": "left", "frame": 1003, "points": [[1, 2], [30, 40]]}


@pytest.fixture
def context():
    with interpos.Context(threads=1, engine_path=os.environ["INTERPOS_TEST_ENGINE"]) as made:
        yield made


def test_project_clip(shot, plates):
    shot.ingest(plates.parent, "key", owner="tests", licence="made here", training="denied", rate=24, encoding="data")
    work = shot.operation("edit", clip="shot", frames="1003-1004", strokes=STROKE, takes=["key"], matte=None)
    assert {s["name"]: s["type"] for s in work.settings()}["matte"] == "clip"
    result = work.run()[0]
    assert [float(result.time(i)) for i in range(2)] == [1003, 1004]
    assert result.details["strokes"] == [{**STROKE, "kind": "wire"}]
    assert result.details["lost"][0]["wire"] == "left"
    assert [(clip["name"], clip["role"]) for clip in result.details["clips"]] == [("shot", ""), ("key", "takes")]
    assert {"matte", "matte.shadow", "evidence", "confidence"} == {c.name for c in result.evidence(0).channels}
    assert {"matte"} <= {c.name for c in shot.option_frame(result.option, 0, evidence=True).channels}
    assert shot.option(result.option)["details"] == result.details
    assert {source.get("clip") for source in shot.option(result.option)["sources"]} == {None, "key"}
    with pytest.raises(interpos.ArgumentError, match="stroke 1"):
        work.set("strokes", [{"frame": 1}])
    with pytest.raises(interpos.ArgumentError, match="whole numbers"):
        shot.operation("edit", clip="shot", frames="1003.5").run()


def test_host_clip(context, project):
    asked = set()

    def fetch(clip, number, channels):
        asked.add((clip, number))
        return picture(context, number) if clip == "comp" else None

    work = project.operation("edit", frames=5, matte="key")
    work.set_host_clip(interpos.HostClip("comp", 0, 9, "rec709", "tests", "made here", rate=24), fetch)
    result = work.run()[0]
    assert asked == {("comp", 5), ("key", 5)}
    assert result.details["clips"][1]["lacking"] == 1 and result.details["clips"][1]["encoding"] == "data"
    assert project.option(result.option)["details"]["results"]["variants"][0]["details"] == result.details
