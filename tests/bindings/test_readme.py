"""README's Python, word for word, on a project such as it speaks of."""
import pathlib
import re

import pytest

import interpos
from footage import picture

README = pathlib.Path(__file__).resolve().parents[2] / "README.md"


def test_example(tmp_path, monkeypatch, capsys):
    pytest.importorskip("numpy")
    blocks = re.findall(r"^```python\n(.*?)^```$", README.read_text(encoding="utf-8"), flags=re.S | re.M)
    assert len(blocks) == 1
    monkeypatch.chdir(tmp_path)
    with interpos.Context() as context, interpos.Project.create(context, "film") as project:
        for number in range(12):
            picture(context, number).write(tmp_path / f"A001.{1035 + number}.png")
        project.ingest("A001.%04d.png", "A001", owner="tests", licence="made here", training="allowed", rate=24, encoding="rec709")
    names = {}
    exec(compile(blocks[0], str(README), "exec"), names)
    assert names["red"].shape == (96, 160)
    assert capsys.readouterr().out.startswith("o1 ")
