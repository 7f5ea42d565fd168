"""Memory shared with other libraries: NumPy's array interface and DLPack, in and out."""
from __future__ import annotations

import ctypes
import sys
from ctypes import POINTER, c_char_p, c_int, c_int32, c_int64, c_uint8, c_uint16, c_uint64, c_void_p
from typing import Any, Mapping, NamedTuple, Optional, Sequence

from ._library import lib

SAMPLE_TYPES = {"u8": 1, "u16": 2, "f16": 3, "f32": 4, "u32": 5}
_TYPESTR = {"u8": "|u1", "u16": "<u2", "f16": "<f2", "f32": "<f4", "u32": "<u4"}
_DLPACK = {"u8": (1, 8), "u16": (1, 16), "f16": (2, 16), "f32": (2, 32), "u32": (1, 32)}


def sample_type_of(typestr: str) -> str:
    """"<f4" to "f32"."""
    for name, known in _TYPESTR.items():
        if typestr[1:] == known[1:] and (typestr[0] in "|=<" or known[0] == "|") and sys.byteorder == "little":
            return name
    raise TypeError(f"samples of type '{typestr}': a frame holds u8, u16, half, float or u32 in the machine's byte order")


class Plane:
    """One channel's samples where they lie. ``numpy.asarray(plane)`` and ``torch.from_dlpack(plane)`` share them. Holds a
    reference of its own to the library's frame, so the samples stay where they are even after ``frame.close()``."""

    def __init__(self, frame: Any, name: str, sample_type: str, address: int, strides: tuple[int, int], height: int, width: int,
                 writable: bool) -> None:
        self.frame = frame
        self.name = name
        self.sample_type = sample_type
        self.address = address
        self.strides = strides
        self.shape = (height, width)
        self.writable = writable
        self._held = frame.pointer
        lib.ipos_frame_retain(self._held)

    def __del__(self) -> None:
        try:
            lib.ipos_frame_release(self._held)
        except (AttributeError, TypeError):  # never held, or the interpreter is going away
            pass

    @property
    def __array_interface__(self) -> dict[str, Any]:
        return {"version": 3, "shape": self.shape, "typestr": _TYPESTR[self.sample_type], "data": (self.address, not self.writable),
                "strides": self.strides}

    def __dlpack_device__(self) -> tuple[int, int]:
        return (1, 0)

    def __dlpack__(self, stream: Optional[int] = None, **_: Any) -> Any:
        if stream is not None:
            raise BufferError("frames lie in the processor's memory: there is no stream")
        return _export(self)


class _Tensor(ctypes.Structure):
    _fields_ = [("data", c_void_p), ("device_type", c_int32), ("device_id", c_int32), ("ndim", c_int32), ("code", c_uint8),
                ("bits", c_uint8), ("lanes", c_uint16), ("shape", POINTER(c_int64)), ("strides", POINTER(c_int64)),
                ("byte_offset", c_uint64)]


class _Managed(ctypes.Structure):
    pass


_Deleter = ctypes.CFUNCTYPE(None, c_void_p)
_Managed._fields_ = [("tensor", _Tensor), ("context", c_void_p), ("deleter", _Deleter)]
_exported: dict[int, Any] = {}
_api = ctypes.pythonapi
_new = ctypes.PYFUNCTYPE(ctypes.py_object, c_void_p, c_char_p, c_void_p)(("PyCapsule_New", _api))
_valid = ctypes.PYFUNCTYPE(c_int, c_void_p, c_char_p)(("PyCapsule_IsValid", _api))
_pointer = ctypes.PYFUNCTYPE(c_void_p, c_void_p, c_char_p)(("PyCapsule_GetPointer", _api))


def _forget(address: Optional[int]) -> None:
    _exported.pop(address or 0, None)


def _unused(capsule: Optional[int]) -> None:
    """A capsule that nobody consumed still has its first name."""
    if _valid(capsule, b"dltensor"):
        _forget(_pointer(capsule, b"dltensor"))


_forget_callback = _Deleter(_forget)
_unused_callback = ctypes.PYFUNCTYPE(None, c_void_p)(_unused)


def _export(plane: Plane) -> Any:
    code, bits = _DLPACK[plane.sample_type]
    if any(stride % (bits // 8) for stride in plane.strides) or min(plane.strides) < 0:
        raise BufferError("DLPack cannot express this channel's strides: use numpy.array(...) to copy it")
    shape = (c_int64 * 2)(*plane.shape)
    strides = (c_int64 * 2)(*[stride // (bits // 8) for stride in plane.strides])
    managed = _Managed(_Tensor(plane.address, 1, 0, 2, code, bits, 1, shape, strides, 0), None, _forget_callback)
    address = ctypes.addressof(managed)
    _exported[address] = (managed, shape, strides, plane)
    return _new(address, b"dltensor", ctypes.cast(_unused_callback, c_void_p))


class _View(NamedTuple):
    address: int
    typestr: str
    shape: tuple[int, ...]
    strides: tuple[int, ...]
    read_only: bool


def _view(array: Any) -> _View:
    interface = getattr(array, "__array_interface__", None)
    if interface is None:
        raise TypeError(f"{type(array).__name__} has no __array_interface__: give a NumPy array, or something like it")
    shape, typestr = tuple(interface["shape"]), interface["typestr"]
    strides = interface.get("strides")
    if strides is None:
        step, packed = int(typestr[2:]), []
        for size in reversed(shape):
            packed.append(step)
            step *= size
        strides = tuple(reversed(packed))
    if interface.get("data") is None:
        raise TypeError("the array interface gives no address")
    return _View(interface["data"][0], typestr, shape, tuple(strides), bool(interface["data"][1]))


def planes_of_array(array: Any, channels: Optional[Sequence[str]]) -> tuple[Any, list[tuple[str, _View]]]:
    """What to keep alive, and each channel's name with its plane."""
    if isinstance(array, Mapping):
        named = [(name, _view(plane)) for name, plane in array.items()]
    else:
        whole = _view(array)
        if len(whole.shape) == 2:
            named = [((channels or ["Y"])[0], whole)]
        elif len(whole.shape) == 3:
            names = channels or {1: ["Y"], 2: ["Y", "A"], 3: ["R", "G", "B"], 4: ["R", "G", "B", "A"]}.get(whole.shape[2])
            if not names or len(names) != whole.shape[2]:
                raise ValueError(f"{whole.shape[2]} channels in the array: name as many")
            named = [(name, _View(whole.address + i * whole.strides[2], whole.typestr, whole.shape[:2], whole.strides[:2],
                                  whole.read_only))
                     for i, name in enumerate(names)]
        else:
            raise ValueError(f"an array of {len(whole.shape)} dimensions: expected (height, width) or (height, width, channels)")
    if not named or any(len(view.shape) != 2 or view.shape != named[0][1].shape for _, view in named):
        raise ValueError("channels must be (height, width) arrays of one size, at least one")
    return array if not isinstance(array, Mapping) else dict(array), named
