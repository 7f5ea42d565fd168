"""Finding libinterpos and telling ctypes what its functions take."""
from __future__ import annotations

import ctypes
import json
import os
from ctypes import POINTER, c_char_p, c_double, c_int32, c_int64, c_size_t, c_uint32, c_void_p
from pathlib import Path
from typing import Any, Optional

from . import _structs as s
from ._errors import error_for

_HANDLE, _OUT, _TEXT, _JSON = c_void_p, POINTER(c_void_p), c_char_p, POINTER(c_void_p)
_WORK = [s.ProgressFn, c_void_p]

# Every function of the headers: what it returns (None: a status) and takes.
STATUS = "status"
SIGNATURES: dict[str, tuple[Any, list[Any]]] = {
    "ipos_last_error": (c_char_p, []),
    "ipos_status_name": (c_char_p, [c_int32]),
    "ipos_free": (None, [c_void_p]),
    "ipos_version": (c_uint32, []),
    "ipos_version_text": (c_char_p, []),
    "ipos_feature": (c_int32, [_TEXT]),
    "ipos_context_create": (STATUS, [POINTER(s.ContextConfig), _OUT]),
    "ipos_context_retain": (None, [_HANDLE]),
    "ipos_context_release": (None, [_HANDLE]),
    "ipos_context_engine_info": (STATUS, [_HANDLE, c_int32, _JSON]),
    "ipos_frame_create": (STATUS, [_HANDLE, POINTER(s.Box), POINTER(s.Box), POINTER(s.ChannelStruct), c_size_t, _OUT]),
    "ipos_frame_wrap": (STATUS, [_HANDLE, POINTER(s.Box), POINTER(s.Box), POINTER(s.ChannelStruct), POINTER(s.PlaneStruct), c_size_t,
                                 s.DoneFn, c_void_p, _OUT]),
    "ipos_frame_retain": (None, [_HANDLE]),
    "ipos_frame_release": (None, [_HANDLE]),
    "ipos_frame_windows": (STATUS, [_HANDLE, POINTER(s.Box), POINTER(s.Box)]),
    "ipos_frame_channel_count": (c_size_t, [_HANDLE]),
    "ipos_frame_channel": (STATUS, [_HANDLE, c_size_t, POINTER(s.ChannelStruct), POINTER(s.PlaneStruct)]),
    "ipos_frame_find_channel": (c_int64, [_HANDLE, _TEXT]),
    "ipos_frame_set_encoding": (STATUS, [_HANDLE, _TEXT]),
    "ipos_frame_encoding": (c_char_p, [_HANDLE]),
    "ipos_encodings": (STATUS, [_JSON]),
    "ipos_frame_attribute_count": (c_size_t, [_HANDLE]),
    "ipos_frame_attribute": (STATUS, [_HANDLE, c_size_t, POINTER(c_char_p), POINTER(c_char_p), POINTER(c_void_p), POINTER(c_size_t)]),
    "ipos_frame_find_attribute": (c_int64, [_HANDLE, _TEXT]),
    "ipos_frame_set_attribute": (STATUS, [_HANDLE, _TEXT, _TEXT, c_char_p, c_size_t]),
    "ipos_frame_timecode": (STATUS, [_HANDLE, POINTER(s.Timecode)]),
    "ipos_frame_set_timecode": (STATUS, [_HANDLE, POINTER(s.Timecode)]),
    "ipos_frame_rate": (STATUS, [_HANDLE, POINTER(s.Rational)]),
    "ipos_frame_set_rate": (STATUS, [_HANDLE, POINTER(s.Rational)]),
    "ipos_frame_chromaticities": (STATUS, [_HANDLE, POINTER(s.Chromaticities)]),
    "ipos_frame_set_chromaticities": (STATUS, [_HANDLE, POINTER(s.Chromaticities)]),
    "ipos_frame_read": (STATUS, [_HANDLE, _TEXT, POINTER(s.ReadConfig), _OUT]),
    "ipos_frame_read_memory": (STATUS, [_HANDLE, c_char_p, c_size_t, POINTER(s.ReadConfig), _OUT]),
    "ipos_frame_write": (STATUS, [POINTER(_HANDLE), c_size_t, _TEXT, POINTER(s.WriteConfig)]),
    "ipos_frame_write_memory": (STATUS, [POINTER(_HANDLE), c_size_t, POINTER(s.WriteConfig), POINTER(c_void_p), POINTER(c_size_t)]),
    "ipos_media_info": (STATUS, [_HANDLE, _TEXT, _JSON]),
    "ipos_frame_convert": (STATUS, [_HANDLE, c_int32, _OUT]),
    "ipos_project_create": (STATUS, [_HANDLE, _TEXT, _TEXT, _OUT]),
    "ipos_project_open": (STATUS, [_HANDLE, _TEXT, _OUT]),
    "ipos_project_retain": (None, [_HANDLE]),
    "ipos_project_release": (None, [_HANDLE]),
    "ipos_project_info": (STATUS, [_HANDLE, _JSON]),
    "ipos_project_ingest": (STATUS, [_HANDLE, _TEXT, POINTER(s.ClipConfig), *_WORK]),
    "ipos_project_clips": (STATUS, [_HANDLE, _TEXT, _JSON]),
    "ipos_project_frame": (STATUS, [_HANDLE, _TEXT, c_int64, _OUT]),
    "ipos_project_set_training": (STATUS, [_HANDLE, _TEXT, c_int32, _TEXT, _TEXT]),
    "ipos_project_options": (STATUS, [_HANDLE, _TEXT, _JSON]),
    "ipos_option_frame": (STATUS, [_HANDLE, _TEXT, c_size_t, c_int32, _OUT]),
    "ipos_option_accept": (STATUS, [_HANDLE, _TEXT, _TEXT, _TEXT]),
    "ipos_option_reject": (STATUS, [_HANDLE, _TEXT, _TEXT, _TEXT]),
    "ipos_option_publish": (STATUS, [_HANDLE, _TEXT, _TEXT, *_WORK, _JSON]),
    "ipos_project_ledger": (STATUS, [_HANDLE, _JSON]),
    "ipos_project_verify": (STATUS, [_HANDLE, c_int32, *_WORK, _JSON]),
    "ipos_model_train": (STATUS, [_HANDLE, POINTER(s.TrainConfig), *_WORK, _OUT]),
    "ipos_model_open": (STATUS, [_HANDLE, _TEXT, _OUT]),
    "ipos_model_retain": (None, [_HANDLE]),
    "ipos_model_release": (None, [_HANDLE]),
    "ipos_model_card": (STATUS, [_HANDLE, _JSON]),
    "ipos_model_card_text": (STATUS, [_HANDLE, _JSON]),
    "ipos_project_models": (STATUS, [_HANDLE, _JSON]),
    "ipos_look_measure": (STATUS, [_HANDLE, POINTER(s.LookConfig), *_WORK, _OUT]),
    "ipos_look_retain": (None, [_HANDLE]),
    "ipos_look_release": (None, [_HANDLE]),
    "ipos_look_json": (STATUS, [_HANDLE, _JSON]),
    "ipos_look_from_json": (STATUS, [_TEXT, _OUT]),
    "ipos_look_plot": (STATUS, [_HANDLE, _TEXT, _TEXT, _JSON]),
    "ipos_look_plots": (c_char_p, []),
    "ipos_look_grade": (STATUS, [_TEXT, c_size_t, _TEXT, _JSON]),
    "ipos_look_grain_table": (STATUS, [_HANDLE, _TEXT, _JSON]),
    "ipos_operations": (STATUS, [_JSON]),
    "ipos_operation_create": (STATUS, [_HANDLE, _TEXT, _OUT]),
    "ipos_operation_retain": (None, [_HANDLE]),
    "ipos_operation_release": (None, [_HANDLE]),
    "ipos_operation_option_count": (c_size_t, [_HANDLE]),
    "ipos_operation_option_info": (STATUS, [_HANDLE, c_size_t, POINTER(s.OptionInfo)]),
    "ipos_operation_set": (STATUS, [_HANDLE, _TEXT, _TEXT]),
    "ipos_operation_set_int": (STATUS, [_HANDLE, _TEXT, c_int64]),
    "ipos_operation_set_real": (STATUS, [_HANDLE, _TEXT, c_double]),
    "ipos_operation_set_model": (STATUS, [_HANDLE, _HANDLE]),
    "ipos_strokes_read": (STATUS, [_TEXT, c_int64, _JSON]),
    "ipos_operation_set_clip": (STATUS, [_HANDLE, _TEXT]),
    "ipos_operation_set_frames": (STATUS, [_HANDLE, _TEXT]),
    "ipos_operation_set_host_clip": (STATUS, [_HANDLE, POINTER(s.HostClipStruct), s.FetchFn, c_void_p]),
    "ipos_operation_run": (STATUS, [_HANDLE, *_WORK]),
    "ipos_operation_cancel": (None, [_HANDLE]),
    "ipos_operation_result_count": (c_size_t, [_HANDLE]),
    "ipos_operation_result": (STATUS, [_HANDLE, c_size_t, POINTER(s.ResultInfo)]),
    "ipos_operation_result_frame": (STATUS, [_HANDLE, c_size_t, c_size_t, c_int32, POINTER(s.Rational), POINTER(c_double), _OUT]),
}


def _candidates() -> list[str]:
    given = os.environ.get("INTERPOS_LIBRARY")
    if given:
        return [given]
    beside = Path(__file__).resolve().parent / "libinterpos.so.0"
    return [str(beside)] * beside.exists() + ["libinterpos.so.0"]


def _load() -> ctypes.CDLL:
    problems = []
    for path in _candidates():
        try:
            library = ctypes.CDLL(path)
        except OSError as error:
            problems.append(str(error))
            continue
        for name, (result, arguments) in SIGNATURES.items():
            function = getattr(library, name)
            function.restype = c_int32 if result is STATUS else result
            function.argtypes = arguments
        if library.ipos_version() >> 16 != 0:
            raise ImportError(f"{path} is libinterpos {library.ipos_version_text().decode()}, this package is for 0.x")
        return library
    raise ImportError("libinterpos.so.0 cannot be loaded: " + "; ".join(problems)
                      + ". Install libinterpos, or set INTERPOS_LIBRARY to the path of libinterpos.so.0")


lib = _load()


def last_error() -> str:
    return lib.ipos_last_error().decode("utf-8", "replace")


def check(status: int) -> None:
    """Raises what the status stands for, with the library's text."""
    if status != 0:
        raise error_for(status, last_error() or lib.ipos_status_name(status).decode())


def encode(text: Optional[object]) -> Optional[bytes]:
    """UTF-8 for the library; None stays None; paths are accepted."""
    if text is None:
        return None
    if isinstance(text, (str, os.PathLike)):
        return os.fsencode(text)
    raise TypeError(f"expected text or a path, not {type(text).__name__}")


def take_text(memory: c_void_p) -> str:
    """Text the library allocated for us; freed here."""
    try:
        return ctypes.string_at(memory.value or 0).decode("utf-8")
    finally:
        lib.ipos_free(memory)


def document(function: Any, *arguments: Any) -> Any:
    """Calls a function whose last parameter receives JSON."""
    memory = c_void_p()
    check(function(*arguments, ctypes.byref(memory)))
    return json.loads(take_text(memory))


def version() -> str:
    """Version of the library in use."""
    return lib.ipos_version_text().decode()


def feature(name: str) -> bool:
    """Whether the library can do something: "png", "tiff", "exr", "exr-dwa", "movies", "engine-process" ..."""
    return bool(lib.ipos_feature(encode(name)))


def encodings() -> list[dict[str, Any]]:
    """Every encoding the library knows: name, kind, help."""
    return document(lib.ipos_encodings)


def operations() -> list[dict[str, Any]]:
    """Every operation with its settings."""
    return document(lib.ipos_operations)
