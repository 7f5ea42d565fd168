"""Footage drawn here, and a project with it."""
import ctypes

import pytest

import interpos

WIDTH, HEIGHT, FRAMES = 160, 96, 24


def sample(x, y, channel, number):
    bx, by = x - 20 - 3 * number, y - 30 - number
    if 0 <= bx < 40 and 0 <= by < 30:
        return 200 - 30 * channel - ((bx * 7 + by * 5) & 63)
    return 40 + 20 * channel + ((x * 3 + y * 5 + x * y // 16) & 31)


def picture(context, number):
    frame = interpos.Frame.create(context, WIDTH, HEIGHT, ["R", "G", "B"], "u8")
    for channel, name in enumerate("RGB"):
        plane = frame.plane(name)
        for y in range(HEIGHT):
            row = bytes(sample(x, y, channel, number) for x in range(WIDTH))
            ctypes.memmove(plane.address + y * plane.strides[0], row, WIDTH)
    return frame


@pytest.fixture(scope="session")
def plates(tmp_path_factory):
    folder = tmp_path_factory.mktemp("plates")
    with interpos.Context() as context:
        for number in range(FRAMES):
            picture(context, number).write(folder / f"shot.{1001 + number}.png")
    return folder / "shot.%04d.png"


@pytest.fixture
def context():
    with interpos.Context(threads=2) as made:
        yield made


@pytest.fixture
def project(context, tmp_path):
    with interpos.Project.create(context, tmp_path / "project", "bindings") as made:
        yield made


@pytest.fixture
def shot(project, plates):
    project.ingest(plates, "shot", owner="tests", licence="made here", training="allowed", rate=24, encoding="rec709")
    return project
