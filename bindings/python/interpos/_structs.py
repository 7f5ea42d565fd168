"""The library's structs, member by member as in the headers."""
from __future__ import annotations

import ctypes
from ctypes import c_char_p, c_double, c_float, c_int32, c_int64, c_size_t, c_ssize_t, c_uint32, c_uint64, c_void_p

LogFn = ctypes.CFUNCTYPE(None, c_void_p, c_int32, c_char_p)
ProgressFn = ctypes.CFUNCTYPE(c_int32, c_void_p, c_double, c_double, c_char_p, c_char_p)
FetchFn = ctypes.CFUNCTYPE(c_int32, c_void_p, c_char_p, c_int64, c_char_p, ctypes.POINTER(c_void_p))
DoneFn = ctypes.CFUNCTYPE(None, c_void_p)


class Sized(ctypes.Structure):
    """Structs that lead with their own size."""

    def __init__(self, **members: object) -> None:
        super().__init__(struct_size=ctypes.sizeof(self), **members)


class Rational(ctypes.Structure):
    _fields_ = [("num", c_int64), ("den", c_int64)]


class ContextConfig(Sized):
    _fields_ = [("struct_size", c_uint32), ("built_against", c_uint32), ("log", LogFn), ("log_user", c_void_p), ("log_level", c_int32),
                ("engine_mode", c_int32), ("engine_path", c_char_p), ("threads", c_int32), ("watchdog_seconds", c_int32),
                ("memory_limit", c_uint64), ("ffmpeg_path", c_char_p), ("checkpoint_seconds", c_int32)]


class Box(ctypes.Structure):
    _fields_ = [("x", c_int32), ("y", c_int32), ("width", c_int32), ("height", c_int32)]


class PlaneStruct(ctypes.Structure):
    _fields_ = [("data", c_void_p), ("row_stride", c_ssize_t), ("pixel_stride", c_ssize_t)]


class ChannelStruct(ctypes.Structure):
    _fields_ = [("name", c_char_p), ("sample_type", c_int32), ("x_sampling", c_int32), ("y_sampling", c_int32)]


class Timecode(ctypes.Structure):
    """SMPTE timecode."""

    _fields_ = [("hours", c_int32), ("minutes", c_int32), ("seconds", c_int32), ("frames", c_int32), ("drop_frame", c_int32),
                ("user_data", c_uint32)]


class Chromaticities(ctypes.Structure):
    """CIE xy of the primaries and white."""

    _fields_ = [(name, c_float) for name in ("red_x", "red_y", "green_x", "green_y", "blue_x", "blue_y", "white_x", "white_y")]


class ReadConfig(Sized):
    _fields_ = [("struct_size", c_uint32), ("part", c_int32), ("memory_limit", c_uint64)]


class WriteConfig(Sized):
    _fields_ = [("struct_size", c_uint32), ("format", c_char_p), ("compression", c_char_p), ("tile_width", c_int32),
                ("tile_height", c_int32), ("planar", c_int32), ("dwa_level", c_float)]


class ClipConfig(Sized):
    _fields_ = [("struct_size", c_uint32), ("training", c_int32), ("name", c_char_p), ("owner", c_char_p), ("licence", c_char_p),
                ("encoding", c_char_p), ("rate", Rational), ("operations", c_char_p), ("consents", c_char_p), ("tags", c_char_p),
                ("permission_source", c_char_p), ("first_frame", c_int64), ("copy", c_int32), ("duplicate_check", c_int32)]


class TrainConfig(Sized):
    _fields_ = [("struct_size", c_uint32), ("resume", c_int32), ("name", c_char_p), ("operation", c_char_p), ("clips", c_char_p),
                ("minutes", c_double), ("steps", c_int64), ("seed", c_uint64), ("threads", c_int32), ("device", c_char_p),
                ("operator_name", c_char_p), ("preview", c_char_p), ("look", c_char_p)]


class LookConfig(Sized):
    _fields_ = [("struct_size", c_uint32), ("threads", c_int32), ("clips", c_char_p), ("marks", c_char_p), ("shots", c_int32)]


class OptionInfo(Sized):
    _fields_ = [("struct_size", c_uint32), ("type", c_int32), ("name", c_char_p), ("help", c_char_p), ("unit", c_char_p),
                ("choices", c_char_p), ("preset", c_char_p), ("minimum", c_double), ("maximum", c_double)]


class HostClipStruct(Sized):
    _fields_ = [("struct_size", c_uint32), ("training", c_int32), ("name", c_char_p), ("first", c_int64), ("last", c_int64),
                ("rate", Rational), ("encoding", c_char_p), ("owner", c_char_p), ("licence", c_char_p)]


class ResultInfo(Sized):
    _fields_ = [("struct_size", c_uint32), ("frames", c_int32), ("option", c_char_p), ("variant", c_char_p), ("title", c_char_p),
                ("score", c_double), ("details", c_char_p)]


STRUCTS = {"ipos_context_config": ContextConfig, "ipos_box": Box, "ipos_plane": PlaneStruct, "ipos_channel": ChannelStruct,
           "ipos_timecode": Timecode, "ipos_chromaticities": Chromaticities, "ipos_read_config": ReadConfig,
           "ipos_write_config": WriteConfig, "ipos_clip_config": ClipConfig, "ipos_train_config": TrainConfig,
           "ipos_look_config": LookConfig, "ipos_option_info": OptionInfo, "ipos_host_clip": HostClipStruct, "ipos_result_info": ResultInfo,
           "ipos_rational": Rational}
__all__ = ["STRUCTS", "c_size_t"]
