"""pip installs the package from the tree; it finds the library by itself where it lies beside it."""
import os
import pathlib
import shutil
import subprocess
import sys

import pytest

SOURCE = pathlib.Path(__file__).resolve().parents[2] / "bindings" / "python"


def test_pip_install(tmp_path):
    source = tmp_path / "source"
    shutil.copytree(SOURCE, source, ignore=shutil.ignore_patterns("__pycache__", "build", "*.egg-info"))
    target = tmp_path / "site"
    clean = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "INTERPOS_LIBRARY")}
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation", "--no-index", "--target", str(target),
           str(source)]
    if subprocess.run([sys.executable, "-c", "import setuptools.build_meta, pip"], capture_output=True).returncode:
        pytest.skip("this Python has no pip or no setuptools")
    if subprocess.run([sys.executable, "-c", "import wheel"], capture_output=True).returncode \
            and subprocess.run([sys.executable, "-c", "import setuptools.command.bdist_wheel"], capture_output=True).returncode:
        pytest.skip("this Python cannot make wheels")
    done = subprocess.run(pip, env=clean, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert (target / "interpos" / "py.typed").exists()
    code = "import interpos; print(interpos.version(), interpos.__file__)"
    alone = subprocess.run([sys.executable, "-c", code], env=dict(clean, PYTHONPATH=str(target), INTERPOS_LIBRARY="/nonexistent.so"),
                           capture_output=True, text=True)
    assert alone.returncode != 0 and "INTERPOS_LIBRARY" in alone.stderr
    (target / "interpos" / "libinterpos.so.0").symlink_to(os.path.realpath(os.environ["INTERPOS_LIBRARY"]))
    found = subprocess.run([sys.executable, "-c", code], env=dict(clean, PYTHONPATH=str(target)), capture_output=True, text=True)
    assert found.returncode == 0 and str(target) in found.stdout, found.stderr
