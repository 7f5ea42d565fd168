"""What the binding tells ctypes agrees with the headers and the compiler."""
import os
import pathlib
import re
import subprocess

import pytest

import interpos
from interpos import _library, _structs

HEADERS = pathlib.Path(__file__).resolve().parents[2] / "include" / "interpos"


def declared():
    text = "".join(path.read_text() for path in sorted(HEADERS.glob("*.h")))
    text = re.sub(r"/\*.*?\*/", " ", text, flags=re.S)
    text = re.sub(r"^\s*#.*$", " ", text, flags=re.M)
    found = {}
    for match in re.finditer(r"IPOS_API\s+(?:IPOS_NODISCARD\s+)?(.*?)\b(ipos_\w+)\((.*?)\)\s*;", text, flags=re.S):
        result, name, arguments = (" ".join(part.split()) for part in match.groups())
        arguments = re.sub(r"\(\*\w+\)\([^)]*\)", "callback", arguments)  # a comma inside is not ours
        found[name] = (result, 0 if arguments == "void" else arguments.count(",") + 1)
    return found


def test_every_function_is_bound():
    headers = declared()
    assert len(headers) > 60
    assert set(headers) == set(_library.SIGNATURES)


def test_arguments_and_results():
    results = {"ipos_status": _library.STATUS, "void": None, "const char *": "c_char_p", "uint32_t": "c_uint", "int32_t": "c_int",
               "size_t": "c_ulong", "int64_t": "c_long"}
    for name, (result, count) in declared().items():
        bound, arguments = _library.SIGNATURES[name]
        assert len(arguments) == count, name
        expected = results[result]
        assert bound == expected if bound in (None, _library.STATUS) else bound.__name__ == expected, name


def test_layout():
    program = os.environ.get("INTERPOS_TEST_LAYOUT")
    if not program:
        pytest.skip("INTERPOS_TEST_LAYOUT names no program")
    lines = subprocess.run([program], check=True, capture_output=True, text=True).stdout.split("\n")
    import ctypes
    checked = 0
    for line in filter(None, lines):
        name, number = line.split()
        struct, _, member = name.partition(".")
        kind = _structs.STRUCTS[struct]
        assert int(number) == (getattr(kind, member).offset if member else ctypes.sizeof(kind)), name
        checked += 1
    assert checked > 40


def test_version_and_features():
    assert interpos.version() == interpos.__version__ == "0.1.0"
    assert interpos.feature("png") and not interpos.feature("teleport")
    names = {entry["name"] for entry in interpos.encodings()}
    assert {"srgb", "rec709", "linear", "acescg"} <= names
    assert "inbetween" in {entry["name"] for entry in interpos.operations()}


def test_errors_have_classes(context):
    with pytest.raises(interpos.NotFoundError) as caught:
        interpos.Frame.read(context, "/nonexistent/a.png")
    assert caught.value.status == -5 and "/nonexistent/a.png" in str(caught.value)
    with pytest.raises(interpos.ArgumentError):
        interpos.Context(engine_path="relative")
    with pytest.raises(ValueError):
        interpos.Context(threads=-1)


def test_closed_handles(context):
    frame = interpos.Frame.create(context, 4, 4)
    frame.close()
    frame.close()
    with pytest.raises(interpos.StateError):
        frame.window
