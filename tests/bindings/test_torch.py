"""A Python with a torch of its own: the engine is a process, so both work; inside one process a second libtorch is refused."""
import importlib.util
import os
import subprocess
import sys

import pytest

import interpos

pytestmark = [pytest.mark.skipif(not interpos.feature("engine-process"), reason="built without the engine")]

SCRIPT = """
import sys
import torch
sys.path.insert(0, {here!r})
import interpos
from footage import picture
threads = torch.get_num_threads()
before = torch.nn.functional.conv2d(torch.ones(1, 3, 32, 32), torch.ones(4, 3, 3, 3)).sum().item()
with interpos.Context(engine={mode!r}) as context, interpos.Project.create(context, {folder!r}) as project:
    work = project.operation("inbetween", frames="5")
    work.set_host_clip(interpos.HostClip("comp", 0, 9, "rec709", "t", "t"), lambda clip, number, channels: picture(context, number))
    try:
        frame = work.run()[0].frame(0)
        print("made", torch.from_dlpack(frame.plane("G")).shape)
    except interpos.ConflictError as error:
        print("conflict", error)
assert torch.get_num_threads() == threads
assert torch.nn.functional.conv2d(torch.ones(1, 3, 32, 32), torch.ones(4, 3, 3, 3)).sum().item() == before
"""


def python_with_torch():
    beside = os.path.join(os.path.dirname(__file__), "../../build-torch/venv/bin/python")  # where tests/run.sh puts one
    for candidate in (os.environ.get("INTERPOS_TEST_TORCH_PYTHON"), sys.executable if importlib.util.find_spec("torch") else None,
                      beside if os.path.exists(beside) else None):
        if candidate:
            return candidate
    pytest.skip("no Python with torch: set INTERPOS_TEST_TORCH_PYTHON to one")


@pytest.mark.parametrize("mode", ["process", "in-process"])
def test_beside_torch(tmp_path, mode):
    script = SCRIPT.format(here=os.path.dirname(__file__), mode=mode, folder=str(tmp_path / "project"))
    done = subprocess.run([python_with_torch(), "-c", script], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    if mode == "process":
        assert "made torch.Size([96, 160])" in done.stdout
    else:  # the same library as the engine's is shared, another is refused
        assert "made" in done.stdout or ("conflict" in done.stdout and "libtorch" in done.stdout), done.stdout
