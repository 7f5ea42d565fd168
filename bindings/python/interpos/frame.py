"""Frames: pixels, attributes, image files; shared with NumPy and DLPack without a copy."""
from __future__ import annotations

import ctypes
import os
from ctypes import byref, c_char_p, c_size_t, c_void_p
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Mapping, NamedTuple, Optional, Sequence, Union

from . import _structs as s
from ._arrays import SAMPLE_TYPES, Plane, planes_of_array, sample_type_of
from ._handle import Handle, made
from ._library import check, encode, lib
from .context import Context, Path

if TYPE_CHECKING:
    import numpy

TYPE_NAMES = {number: name for name, number in SAMPLE_TYPES.items()}


class Channel(NamedTuple):
    """What a channel is: its name, sample type ("u8", "u16", "f16", "f32", "u32") and sampling."""

    name: str
    sample_type: str = "f32"
    x_sampling: int = 1
    y_sampling: int = 1


class Window(NamedTuple):
    """A pixel rectangle; y grows downwards."""

    x: int
    y: int
    width: int
    height: int


class Frame(Handle):
    """One picture: named channels over a data window, an encoding, attributes.

    Made by :meth:`create`, :meth:`from_array`, :meth:`read`, :meth:`read_memory`, or by the library. Safe to read from several
    threads; write pixels and attributes before sharing it.
    """

    _kind = "frame"

    def __init__(self, pointer: int, writable: bool = False) -> None:
        super().__init__(pointer)
        self._writable = writable

    @classmethod
    def create(cls, context: Context, width: int, height: int, channels: Sequence[Union[str, Channel]] = ("R", "G", "B"),
               sample_type: str = "f32", *, window: Optional[Window] = None, display: Optional[Window] = None,
               encoding: Optional[str] = None) -> "Frame":
        """A frame with zeroed pixels in memory the engine can read without a copy."""
        data = window or Window(0, 0, width, height)
        listed = [channel if isinstance(channel, Channel) else Channel(channel, sample_type) for channel in channels]
        frame = cls(made(lib.ipos_frame_create, context.pointer, byref(s.Box(*data)), byref(s.Box(*display)) if display else None,
                         _channel_array(listed), len(listed)), writable=True)
        if encoding is not None:
            frame.encoding = encoding
        return frame

    @classmethod
    def from_array(cls, context: Context, array: Any, channels: Optional[Sequence[str]] = None, *, encoding: Optional[str] = None,
                   window: Optional[Window] = None, display: Optional[Window] = None) -> "Frame":
        """A frame over the memory of ``array``, without a copy: anything with ``__array_interface__`` of shape (height, width) or
        (height, width, channels), or a mapping of channel names to (height, width) arrays. The arrays are kept alive, and must
        stay as they are, until the library lets go of the frame."""
        arrays, named = planes_of_array(array, channels)
        height, width = named[0][1].shape
        listed = [Channel(name, sample_type_of(plane.typestr)) for name, plane in named]
        planes = (s.PlaneStruct * len(named))(*[s.PlaneStruct(p.address, p.strides[0], p.strides[1]) for _, p in named])
        data = window or Window(0, 0, width, height)
        if (data.width, data.height) != (width, height):
            raise ValueError(f"window is {data.width}x{data.height}, the array {width}x{height}")
        key = _keep(arrays)
        try:
            pointer = made(lib.ipos_frame_wrap, context.pointer, byref(s.Box(*data)), byref(s.Box(*display)) if display else None,
                           _channel_array(listed), planes, len(named), _done, key)
        except BaseException:
            _kept.pop(key, None)
            raise
        frame = cls(pointer, writable=not any(plane.read_only for _, plane in named))
        if encoding is not None:
            frame.encoding = encoding
        return frame

    @classmethod
    def read(cls, context: Context, path: Path, *, part: int = 0, memory_limit: int = 0) -> "Frame":
        """Reads a PNG, TIFF or OpenEXR; its kind is found from its first bytes."""
        config = s.ReadConfig(part=part, memory_limit=memory_limit)
        return cls(made(lib.ipos_frame_read, context.pointer, encode(path), byref(config)), writable=True)

    @classmethod
    def read_memory(cls, context: Context, data: Any, *, part: int = 0, memory_limit: int = 0) -> "Frame":
        """The same from bytes."""
        config, held = s.ReadConfig(part=part, memory_limit=memory_limit), bytes(data)
        return cls(made(lib.ipos_frame_read_memory, context.pointer, held, len(held), byref(config)), writable=True)

    def write(self, path: Path, **options: Any) -> None:
        """Writes an image file, atomically. Options: format, compression, tile_width, tile_height, planar, dwa_level."""
        write([self], path, **options)

    def to_bytes(self, format: str, **options: Any) -> bytes:
        """The image file as bytes; format is "png", "tiff" or "exr"."""
        config, memory, size = _write_config(dict(options, format=format)), c_void_p(), c_size_t()
        check(lib.ipos_frame_write_memory(byref(c_void_p(self.pointer)), 1, byref(config), byref(memory), byref(size)))
        try:
            return ctypes.string_at(memory.value or 0, size.value)
        finally:
            lib.ipos_free(memory)

    @property
    def window(self) -> Window:
        """Where the pixels lie."""
        return self._windows()[0]

    @property
    def display_window(self) -> Window:
        return self._windows()[1]

    def _windows(self) -> tuple[Window, Window]:
        data, display = s.Box(), s.Box()
        check(lib.ipos_frame_windows(self.pointer, byref(data), byref(display)))
        return (Window(data.x, data.y, data.width, data.height), Window(display.x, display.y, display.width, display.height))

    @property
    def channels(self) -> list[Channel]:
        """Every channel, in the frame's order."""
        return [self._channel(index)[0] for index in range(lib.ipos_frame_channel_count(self.pointer))]

    def _channel(self, index: int) -> tuple[Channel, Any]:
        channel, plane = s.ChannelStruct(), s.PlaneStruct()
        check(lib.ipos_frame_channel(self.pointer, index, byref(channel), byref(plane)))
        return (Channel(channel.name.decode(), TYPE_NAMES[channel.sample_type], channel.x_sampling or 1, channel.y_sampling or 1), plane)

    def plane(self, name: str) -> Plane:
        """A channel's samples where they lie: ``__array_interface__`` and DLPack. Keeps the frame alive."""
        index = lib.ipos_frame_find_channel(self.pointer, encode(name))
        if index < 0:
            raise KeyError(f"no channel '{name}': there are {', '.join(c.name for c in self.channels)}")
        channel, plane = self._channel(index)
        window = self.window
        return Plane(self, channel.name, channel.sample_type, plane.data, (plane.row_stride, plane.pixel_stride),
                     _sampled(window.y, window.height, channel.y_sampling), _sampled(window.x, window.width, channel.x_sampling),
                     self._writable)

    def channel(self, name: str) -> "numpy.ndarray[Any, Any]":
        """A channel as a NumPy array (height, width) over the frame's own memory: no copy; the array keeps the frame alive."""
        import numpy
        return numpy.asarray(self.plane(name))

    def to_array(self, channels: Optional[Sequence[str]] = None) -> "numpy.ndarray[Any, Any]":
        """A copy of some channels (all unless named) as (height, width, channels)."""
        import numpy
        return numpy.stack([self.channel(name) for name in channels or [c.name for c in self.channels]], axis=-1)

    def convert(self, sample_type: str) -> "Frame":
        """A copy in another sample type; integers are scaled so that their maximum is 1.0."""
        return Frame(made(lib.ipos_frame_convert, self.pointer, SAMPLE_TYPES[sample_type]), writable=True)

    @property
    def encoding(self) -> str:
        """What the numbers mean: "srgb", "rec709", "linear", "logc3" ...; "" while unknown."""
        return lib.ipos_frame_encoding(self.pointer).decode()

    @encoding.setter
    def encoding(self, name: str) -> None:
        check(lib.ipos_frame_set_encoding(self.pointer, encode(name)))

    @property
    def attributes(self) -> dict[str, tuple[str, bytes]]:
        """Metadata: name to (type, bytes)."""
        found = {}
        for index in range(lib.ipos_frame_attribute_count(self.pointer)):
            name, kind, data, size = c_char_p(), c_char_p(), c_void_p(), c_size_t()
            check(lib.ipos_frame_attribute(self.pointer, index, byref(name), byref(kind), byref(data), byref(size)))
            value = ctypes.string_at(data.value or 0, size.value) if size.value else b""
            found[os.fsdecode(name.value or b"")] = (os.fsdecode(kind.value or b""), value)
        return found

    def set_attribute(self, name: str, kind: str, data: Optional[bytes]) -> None:
        """Adds or replaces an attribute; data None removes it."""
        check(lib.ipos_frame_set_attribute(self.pointer, encode(name), encode(kind), data, len(data) if data is not None else 0))

    @property
    def timecode(self) -> s.Timecode:
        """SMPTE timecode; NotFoundError where there is none."""
        return _typed(self, lib.ipos_frame_timecode, s.Timecode())

    @timecode.setter
    def timecode(self, value: s.Timecode) -> None:
        check(lib.ipos_frame_set_timecode(self.pointer, byref(value)))

    @property
    def rate(self) -> Fraction:
        """Frames a second; NotFoundError where the frame does not say."""
        value = _typed(self, lib.ipos_frame_rate, s.Rational())
        return Fraction(value.num, value.den)

    @rate.setter
    def rate(self, value: Union[Fraction, int]) -> None:
        exact = Fraction(value)
        check(lib.ipos_frame_set_rate(self.pointer, byref(s.Rational(exact.numerator, exact.denominator))))

    @property
    def chromaticities(self) -> s.Chromaticities:
        """CIE xy of primaries and white; NotFoundError where there are none."""
        return _typed(self, lib.ipos_frame_chromaticities, s.Chromaticities())

    @chromaticities.setter
    def chromaticities(self, value: s.Chromaticities) -> None:
        check(lib.ipos_frame_set_chromaticities(self.pointer, byref(value)))


def write(frames: Sequence[Frame], path: Path, **options: Any) -> None:
    """Writes frames as the parts (EXR) or pages (TIFF) of one file."""
    pointers = (c_void_p * len(frames))(*[frame.pointer for frame in frames])
    check(lib.ipos_frame_write(pointers, len(frames), encode(path), byref(_write_config(options))))


def _write_config(options: Mapping[str, Any]) -> s.WriteConfig:
    known = {name for name, _ in s.WriteConfig._fields_} - {"struct_size"}
    if set(options) - known:
        raise TypeError(f"no option {', '.join(sorted(set(options) - known))}: there are {', '.join(sorted(known))}")
    return s.WriteConfig(**{name: encode(value) if name in ("format", "compression") else value for name, value in options.items()})


def _typed(frame: Frame, function: Any, value: Any) -> Any:
    check(function(frame.pointer, byref(value)))
    return value


def _sampled(first: int, count: int, step: int) -> int:
    return -(-(first + count) // step) - -(-first // step)


def _channel_array(channels: Sequence[Channel]) -> Any:
    return (s.ChannelStruct * len(channels))(*[s.ChannelStruct(encode(c.name), SAMPLE_TYPES[c.sample_type], c.x_sampling, c.y_sampling)
                                               for c in channels])


_kept: dict[int, Any] = {}
_next_key = [0]


def _keep(thing: Any) -> int:
    _next_key[0] += 1
    _kept[_next_key[0]] = thing
    return _next_key[0]


def _let_go(key: Optional[int]) -> None:
    if _kept is not None:  # None while the interpreter goes away
        _kept.pop(key or 0, None)


_done = s.DoneFn(_let_go)
