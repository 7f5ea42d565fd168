"""Frames from a callback, results as frames: inbetween_host.py PROJECT

The clip is drawn here with NumPy: a disc that moves 3 pixels a frame; frame 5 is missing. Nothing is copied on the way in.
"""
import sys

import numpy

import interpos


def draw(number):
    y, x = numpy.mgrid[0:128, 0:192]
    picture = numpy.repeat((0.1 + 0.002 * ((x ^ y) & 31))[..., None], 3, axis=2).astype(numpy.float32)
    picture[(x - 60 - 3 * number) ** 2 + (y - 64) ** 2 < 900] = (0.8, 0.6, 0.4)
    return picture


with interpos.Context() as context, interpos.Project.create(context, sys.argv[1]) as project:
    clip = interpos.HostClip("comp-7", first=0, last=10, encoding="linear", owner="me", licence="production-owned", rate=24)
    work = project.operation("inbetween", frames="5")
    work.set_host_clip(clip, lambda name, number, channels: interpos.Frame.from_array(context, draw(number), encoding="linear"))
    best = work.run()[0]
    made = best.frame().to_array(["R", "G", "B"])
    error = float(numpy.mean((made - draw(5)) ** 2)) ** 0.5
    print(f"draft {best.option}: {best.title}, confidence {best.confidence():.2f}, rms error {error:.4f}")
