"""Pictures drawn here: a block that moves 3 pixels a frame over a pattern."""
import ctypes

import interpos

WIDTH, HEIGHT, FRAMES = 160, 96, 24


def sample(x, y, channel, number):
    bx, by = x - 20 - 3 * number, y - 30 - number
    if 0 <= bx < 40 and 0 <= by < 30:
        return 200 - 30 * channel - ((bx * 7 + by * 5) & 63)
    return 40 + 20 * channel + ((x * 3 + y * 5 + x * y // 16) & 31)


def picture(context, number):
    frame = interpos.Frame.create(context, WIDTH, HEIGHT, ["R", "G", "B"], "u8")
    for channel, name in enumerate("RGB"):
        plane = frame.plane(name)
        for y in range(HEIGHT):
            row = bytes(sample(x, y, channel, number) for x in range(WIDTH))
            ctypes.memmove(plane.address + y * plane.strides[0], row, WIDTH)
    return frame
