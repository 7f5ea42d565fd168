"""Footage drawn here, and a project with it."""
import pytest

import interpos
from footage import FRAMES, picture


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
