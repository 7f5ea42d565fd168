"""Frames: memory shared both ways, files, attributes."""
import ctypes
import gc
from fractions import Fraction

import pytest

import interpos
from interpos import frame as frame_module


def raw(plane):
    return [ctypes.string_at(plane.address + y * plane.strides[0], plane.shape[1]) for y in range(plane.shape[0])]


def test_create_and_describe(context):
    frame = interpos.Frame.create(context, 8, 4, ["R", interpos.Channel("Z", "f32")], "f16", encoding="linear",
                                  window=interpos.Window(2, 3, 8, 4), display=interpos.Window(0, 0, 20, 10))
    assert [(c.name, c.sample_type) for c in frame.channels] == [("R", "f16"), ("Z", "f32")]
    assert frame.window == (2, 3, 8, 4) and frame.display_window == (0, 0, 20, 10) and frame.encoding == "linear"
    assert frame.plane("Z").shape == (4, 8)
    with pytest.raises(KeyError):
        frame.plane("Q")
    with pytest.raises(interpos.ArgumentError):
        frame.encoding = "no such encoding"


def test_file_and_memory(context, tmp_path):
    frame = interpos.Frame.create(context, 5, 3, ["Y"], "u8")
    ctypes.memset(frame.plane("Y").address, 77, 5)
    frame.write(tmp_path / "a.png")
    again = interpos.Frame.read(context, tmp_path / "a.png")
    assert raw(again.plane("Y")) == [b"\x4d" * 5, b"\0" * 5, b"\0" * 5]
    data = frame.to_bytes("tiff", compression="lzw")
    assert raw(interpos.Frame.read_memory(context, data).plane("Y")) == raw(frame.plane("Y"))
    with pytest.raises(interpos.FormatError):
        interpos.Frame.read_memory(context, b"this is not an image")
    with pytest.raises(TypeError):
        frame.write(tmp_path / "b.png", colour="yes")
    assert context.media_info(tmp_path / "a.png")["width"] == 5


def test_attributes(context):
    frame = interpos.Frame.create(context, 4, 4)
    frame.set_attribute("camera", "string", b"A \0cam")
    assert frame.attributes["camera"] == ("string", b"A \0cam")
    frame.set_attribute("camera", "string", None)
    assert "camera" not in frame.attributes
    with pytest.raises(interpos.NotFoundError):
        frame.timecode
    from interpos._structs import Chromaticities, Timecode
    frame.timecode = Timecode(1, 2, 3, 4, 0, 0)
    assert (frame.timecode.hours, frame.timecode.frames) == (1, 4)
    frame.rate = Fraction(24000, 1001)
    assert frame.rate == Fraction(24000, 1001)
    frame.chromaticities = Chromaticities(.64, .33, .3, .6, .15, .06, .3127, .329)
    assert frame.chromaticities.red_x == pytest.approx(.64)


def test_plane_keeps_the_frame(context):
    frame = interpos.Frame.create(context, 64, 64, ["Y"], "u8")
    plane = frame.plane("Y")
    ctypes.memset(plane.address, 9, 64)
    del frame
    gc.collect()
    assert raw(plane)[0] == b"\x09" * 64


def test_plane_outlives_close(context):
    gone = []
    memory = ctypes.create_string_buffer(b"\x07" * 64)

    class Array:
        __array_interface__ = {"version": 3, "shape": (8, 8), "typestr": "|u1", "data": (ctypes.addressof(memory), True), "strides": None}

        def __del__(self):
            gone.append(True)

    frame = interpos.Frame.from_array(context, Array())
    plane = frame.plane("Y")
    assert not plane.writable  # the memory was handed in as read-only
    frame.close()
    gc.collect()
    assert not gone and raw(plane)[0] == b"\x07" * 8
    del plane
    gc.collect()
    assert gone


class TestNumpy:
    numpy = pytest.importorskip("numpy")

    def test_view_out(self, context, tmp_path):
        numpy = self.numpy
        frame = interpos.Frame.create(context, 32, 16, ["R", "G", "B"], "f32")
        green = frame.channel("G")
        assert green.shape == (16, 32) and green.dtype == numpy.float32
        assert green.__array_interface__["data"][0] == frame.plane("G").address
        green[:] = numpy.linspace(-1, 100, 16 * 32).reshape(16, 32)
        half = frame.convert("f16")
        assert half.channel("G").dtype == numpy.float16
        frame.write(tmp_path / "a.exr")
        again = interpos.Frame.read(context, tmp_path / "a.exr").channel("G")
        numpy.testing.assert_array_equal(again, green)
        del frame
        gc.collect()
        assert green[0, 0] == -1

    @pytest.mark.parametrize("dtype", ["uint8", "uint16", "float16", "float32", "uint32"])
    def test_interleaved_in(self, context, dtype):
        numpy = self.numpy
        array = (numpy.arange(6 * 5 * 3) % 200).reshape(6, 5, 3).astype(dtype)
        frame = interpos.Frame.from_array(context, array)
        assert [c.name for c in frame.channels] == ["R", "G", "B"]
        assert frame.plane("B").address == array.ctypes.data + 2 * array.itemsize
        numpy.testing.assert_array_equal(frame.channel("B"), array[..., 2])
        frame.channel("R")[2, 2] = 7
        assert array[2, 2, 0] == 7

    def test_other_shapes(self, context):
        numpy = self.numpy
        upside_down = numpy.arange(12, dtype=numpy.uint16).reshape(3, 4)[::-1]
        frame = interpos.Frame.from_array(context, upside_down, encoding="rec709")
        assert frame.channels[0].name == "Y" and frame.encoding == "rec709"
        numpy.testing.assert_array_equal(frame.channel("Y"), upside_down)
        layers = {"R": numpy.ones((3, 4), numpy.float16), "depth.Z": numpy.full((3, 4), 5, numpy.float32)}
        frame = interpos.Frame.from_array(context, layers)
        assert {c.name: c.sample_type for c in frame.channels} == {"R": "f16", "depth.Z": "f32"}
        for wrong in (numpy.zeros(4), numpy.zeros((2, 2), numpy.float64), numpy.zeros((2, 2, 7), numpy.uint8), {}):
            with pytest.raises((TypeError, ValueError)):
                interpos.Frame.from_array(context, wrong)
        assert frame.to_array(["R"]).shape == (3, 4, 1)

    def test_memory_is_let_go(self, context):
        numpy = self.numpy
        before = len(frame_module._kept)
        frame = interpos.Frame.from_array(context, numpy.zeros((4, 4), numpy.uint8))
        assert len(frame_module._kept) == before + 1
        view = frame.channel("Y")
        frame.close()
        del frame, view
        gc.collect()
        assert len(frame_module._kept) == before

    def test_dlpack(self, context):
        numpy = self.numpy
        from interpos import _arrays
        frame = interpos.Frame.create(context, 20, 10, ["Y"], "f32")
        frame.channel("Y")[:] = 3
        shared = numpy.from_dlpack(frame.plane("Y"))
        assert shared.__array_interface__["data"][0] == frame.plane("Y").address
        frame.channel("Y")[5, 5] = 8
        del frame
        gc.collect()
        assert shared[5, 5] == 8 and shared[0, 0] == 3
        del shared
        gc.collect()
        assert not _arrays._exported

    def test_unused_capsule(self, context):
        from interpos import _arrays
        frame = interpos.Frame.create(context, 20, 10, ["Y"], "u8")
        capsule = frame.plane("Y").__dlpack__()
        assert len(_arrays._exported) == 1
        del capsule
        gc.collect()
        assert not _arrays._exported
