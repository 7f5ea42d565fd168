"""The Python in both READMEs, word for word, on the footage it speaks of."""
import pathlib
import re

import pytest

import interpos
from footage import picture

ROOT = pathlib.Path(__file__).resolve().parents[2]


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Runs the one Python block of a page, in a folder with frames 1035 to 1050 in plates/; gives its names."""
    pytest.importorskip("numpy")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "plates").mkdir()
    with interpos.Context() as context:
        for number in range(16):
            picture(context, number).convert("f16").write(f"plates/A001.{1035 + number}.exr")

    def runner(page):
        blocks = re.findall(r"^```python\n(.*?)^```$", (ROOT / page).read_text(encoding="utf-8"), flags=re.S | re.M)
        assert len(blocks) == 1
        names = {}
        exec(compile(blocks[0], page, "exec"), names)
        return names
    return runner


def test_readme(run, capsys):
    with interpos.Context() as context, interpos.Project.create(context, "film") as project:
        project.ingest("plates/A001.%04d.exr", "A001", owner="tests", licence="made here", training="allowed", rate=24, encoding="linear")
    assert run("README.md")["red"].shape == (96, 160)
    assert capsys.readouterr().out.startswith("o1 ")


def test_readme_of_the_package(run):
    assert run("bindings/python/README.md")["red"].shape == (96, 160)
    assert pathlib.Path("deliveries/A001.1047.exr").exists()
