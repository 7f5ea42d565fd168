"""The look from Python."""
import copy

import pytest

import interpos

pytestmark = pytest.mark.skipif(not interpos.feature("engine-process"), reason="no engine")


def test_look(shot):
    stages = []
    marks = [{"clip": "shot", "frame": 1003, "kind": "skin", "box": [30, 36, 28, 24], "name": "Nora"}]
    look = shot.measure_look("shot", marks=marks, threads=2, progress=lambda done, left, stage, report: stages.append((done, stage)))
    assert stages and [done for done, _ in stages] == sorted(done for done, _ in stages)
    document = look.json
    assert document["format"] == "interpos.look.1" and [clip["clip"] for clip in document["clips"]] == ["shot"]
    tone = document["clips"][0]["tone"]
    assert tone["reading"]["confidence"] > 0 and tone["reading"]["frames"] > 0 and 0 <= tone["black"][0] < tone["white"][0] <= 1
    assert document["clips"][0]["skin"][0]["name"] == "Nora"
    for name in look.plots():
        assert look.plot(name, "shot").startswith("<?xml") and look.plot(name).rstrip().endswith("</svg>")
    with pytest.raises(interpos.NotFoundError, match="there are: grain"):
        look.plot("smell")
    grain = document["all"]["grain"]
    if grain["measurable"]:
        assert look.film_grain_table().startswith("filmgrn1")
    else:
        with pytest.raises(interpos.NotFoundError, match="not measurable"):
            look.film_grain_table()
    shot.close()
    assert interpos.Look.from_json(document).json == document


def test_wrong(shot):
    with pytest.raises(interpos.NotFoundError, match="nothing"):
        shot.measure_look(["shot", "nothing"])
    with pytest.raises(interpos.CancelledError):
        shot.measure_look(progress=lambda *_: False)
    with pytest.raises(interpos.FormatError):
        interpos.Look.from_json("{")
    document = shot.measure_look().json
    other = {**document, "format": "interpos.look.2"}
    with pytest.raises(interpos.UnsupportedError, match="interpos.look.2"):
        interpos.Look.from_json(other)
    broken = copy.deepcopy(document)
    del broken["clips"][0]["sharp"]["mtf50"]
    with pytest.raises(interpos.FormatError, match="clip shot: sharp.*mtf50"):
        interpos.Look.from_json(broken)
