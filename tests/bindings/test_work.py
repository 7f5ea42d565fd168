"""Projects, operations, training: callbacks that raise, Ctrl-C, results."""
import os
import signal
import threading
import time

import pytest

import interpos
from footage import FRAMES, HEIGHT, WIDTH, picture, sample

needs_engine = pytest.mark.skipif(not interpos.feature("engine-process"), reason="built without the engine")


def interrupt_after(seconds):
    timer = threading.Timer(seconds, os.kill, (os.getpid(), signal.SIGINT))
    timer.start()
    return timer


def test_ingest(project, plates):
    seen = []
    clip = project.ingest(plates, "shot", owner="tests", licence="made here", training="allowed", rate="24000/1001", encoding="rec709",
                          tags=["camera=A", "night"], consents=[{"performer": "P", "reference": "doc-1", "scope": "all"}],
                          progress=lambda done, remaining, stage, report: seen.append((done, stage, report)))
    assert clip["frames"] == FRAMES and clip["rate"] == [24000, 1001] and clip["training"] == "allowed"
    assert seen and seen[-1][0] <= 1 and isinstance(seen[-1][2], dict)
    assert [entry["name"] for entry in project.clips()] == ["shot"]
    assert project.info()["title"] == "bindings"
    assert project.frame("shot", 1003).window[2:] == (WIDTH, HEIGHT)
    assert project.ledger() and project.verify(footage=True)["ok"] is True


def test_training_must_be_stated(project, plates):
    for training in ("unknown", "", None):
        with pytest.raises(interpos.Error):
            project.ingest(plates, "shot", owner="tests", licence="made here", training=training, rate=24, encoding="rec709")


def test_progress_may_raise(project, plates):
    def broken(*_):
        raise ZeroDivisionError("from the callback")
    settings = dict(owner="tests", licence="made here", training="denied", rate=24, encoding="rec709")
    with pytest.raises(ZeroDivisionError, match="from the callback"):
        project.ingest(plates, "shot", progress=broken, **settings)
    with pytest.raises(interpos.CancelledError):
        project.ingest(plates, "shot", progress=lambda *_: False, **settings)
    assert project.ingest(plates, "shot", **settings)["frames"] == FRAMES


def test_tampered(shot):
    folder = shot.info()["folder"]
    plates = os.path.dirname(shot.clip("shot")["path"])
    assert folder and plates
    target = os.path.join(plates, "shot.1010.png")
    kept = open(target, "rb").read()
    try:
        with open(target, "r+b") as file:
            file.seek(60)
            file.write(b"\xff\xff\xff")
        with pytest.raises(interpos.ChangedError):
            shot.frame("shot", 1010)
        with pytest.raises(interpos.TamperedError) as caught:
            shot.verify(footage=True)
        assert caught.value.report["problems"]
    finally:
        with open(target, "wb") as file:
            file.write(kept)


@needs_engine
def test_run_and_publish(shot, tmp_path):
    work = shot.operation("inbetween", clip="shot", frames="1010,1011.5")
    assert {setting["name"] for setting in work.settings()}
    with pytest.raises(interpos.ArgumentError):
        work.set("no_such_setting", 1)
    reports = []
    results = work.run(lambda done, remaining, stage, report: reports.append(done))
    assert reports == sorted(reports)
    best = results[0]
    assert len(best) == 2 and best.option.startswith("o") and 0 <= best.confidence(0) <= 1
    assert [float(best.time(i)) for i in range(2)] == [1010, 1011.5]
    assert [c.name for c in best.frame(0).channels] == ["R", "G", "B"]
    assert "evidence" in [c.name for c in best.evidence(0).channels]
    with pytest.raises(interpos.NotAcceptedError):
        shot.publish(best.option, tmp_path / "out")
    shot.accept(best.option, by="M. Ortiz", note="good")
    shot.reject(results[-1].option, by="M. Ortiz")
    files = shot.publish(best.option, tmp_path / "out")
    assert len(files) == 2 and all(os.path.exists(entry["path"]) for entry in files)
    assert {option["state"] for option in shot.options()} >= {"accepted"}
    assert shot.option(best.option)["decision"]["by"] == "M. Ortiz"
    assert shot.verify()["ok"] is True


@needs_engine
def test_host_clip(context, project):
    asked = []

    def fetch(clip, number, channels):
        asked.append(number)
        return picture(context, number)

    work = project.operation("inbetween", frames="5")
    work.set_host_clip(interpos.HostClip("comp", 0, 9, "rec709", "tests", "made here", rate=24), fetch)
    best = work.run()[0]
    assert 5 not in asked and {4, 6} <= set(asked)
    made = best.frame(0)
    plane = made.plane("G")
    import ctypes
    row = ctypes.string_at(plane.address + 40 * plane.strides[0], WIDTH)
    assert sum(abs(row[x] - sample(x, 40, 1, 5)) for x in range(WIDTH)) / WIDTH < 20
    work.close()
    assert ctypes.string_at(plane.address, 1)
    numpy = pytest.importorskip("numpy")
    view = made.channel("G")
    with pytest.raises(ValueError):
        view[0, 0] = 1  # results are the library's
    assert numpy.isfinite(view).all()


@needs_engine
def test_host_arrays(context, project):
    numpy = pytest.importorskip("numpy")
    y, x = numpy.mgrid[0:HEIGHT, 0:WIDTH]

    def draw(number):
        grey = ((x - 3 * number) * 5 % 97 + y).astype(numpy.float32) / 200
        return numpy.stack([grey, grey * 0.5, grey * 2], axis=-1)

    work = project.operation("inbetween", frames=4)
    work.set_host_clip(interpos.HostClip("array", 0, 8, "linear", "tests", "made here"),
                       lambda clip, number, channels: interpos.Frame.from_array(context, draw(number), encoding="linear"))
    made = work.run()[0].frame(0).to_array(["R", "G", "B"])
    assert made.dtype == numpy.float32 and numpy.abs(made - draw(4)).mean() < 0.1


@needs_engine
def test_fetch_may_raise(context, project):
    def fetch(clip, number, channels):
        raise KeyError("no plate for you")
    work = project.operation("inbetween", frames="5")
    work.set_host_clip(interpos.HostClip("comp", 0, 9, "rec709", "tests", "made here"), fetch)
    with pytest.raises(KeyError, match="no plate"):
        work.run()
    assert work.results() == []


@needs_engine
def test_cancel_from_a_thread(shot):
    work = shot.operation("inbetween", clip="shot", frames="1003-1021x2")
    timer = threading.Timer(0.05, work.cancel)
    timer.start()
    with pytest.raises(interpos.CancelledError):
        work.run()
    timer.join()
    assert shot.options() == []


@needs_engine
def test_ctrl_c(shot):
    work = shot.operation("inbetween", clip="shot", frames="1003-1021x2")
    timer = interrupt_after(0.2)
    begun = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        work.run()
    timer.join()
    assert time.monotonic() - begun < 20
    assert shot.options() == [] and signal.getsignal(signal.SIGINT) is signal.default_int_handler


@needs_engine
def test_train(shot, tmp_path):
    losses = []
    look = shot.measure_look()
    model = shot.train("inbetween", "day1", steps=4, seed=1, threads=2, device="cpu", by="tests", look=look, preview=tmp_path / "preview.png",
                       progress=lambda done, remaining, stage, report: losses.append(report.get("loss")))
    card = model.card()
    assert card["look"] == look.json and "look" not in card["settings"]
    assert card["name"] == "day1" and card["inputs"][0]["clip"] == "shot" and "held_out" in card["score"]
    assert "day1" in model.card_text() and (tmp_path / "preview.png").exists()
    assert any(isinstance(loss, float) for loss in losses)
    assert [entry["name"] for entry in shot.models()] == ["day1"]
    assert shot.operation("inbetween", clip="shot", frames="1010", model=shot.model("day1")).run()
    shot.set_training("shot", "denied", by="M. Ortiz", note="withdrawn")
    with pytest.raises(interpos.PermissionDeniedError):
        shot.train("inbetween", "day2", steps=4, clips=["shot"])


def test_log_and_close(plates, tmp_path):
    messages = []
    with interpos.Context(log=lambda level, text: messages.append((level, text)), log_level="debug") as context:
        frame = interpos.Frame.read(context, str(plates).replace("%04d", "1001"))
    assert frame.window.width == WIDTH  # outlives its context
    frame.close()
