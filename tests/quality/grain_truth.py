"""Grain with a known variance, spectrum and channel correlation, laid on plates; shares nothing with the library's own grain."""

import numpy as np

LUMA = np.array([.2126, .7152, .0722])

# name, deviation, spectrum, strength over luma, correlation of channels
GRAINS = [
    ("white", .02, ("gauss", 0), "flat", 0.),
    ("fine", .03, ("gauss", .6), "bell", .3),
    ("soft", .04, ("gauss", 1.0), "rising", .8),
    ("coarse", .03, ("gauss", 1.4), "bell", .5),
    ("ar-wide", .03, ("ar", {(0, -1): .35, (-1, 0): .25, (-1, -1): -.1, (0, -2): .1}), "flat", .6),
    ("ar-tall", .025, ("ar", {(-1, 0): .5, (0, -1): .1, (-2, 0): -.15, (-1, 1): .05}), "rising", .2),
]
SHAPES = {
    "flat": lambda l: np.ones_like(l),
    "bell": lambda l: .4 + 2.4 * np.clip(l, 0, 1) * (1 - np.clip(l, 0, 1)),
    "rising": lambda l: .5 + np.clip(l, 0, 1),
}


def transfer(kind, height, width):
    """Amplitude of the grain over the discrete frequencies, of unit mean square."""
    fy, fx = np.meshgrid(np.fft.fftfreq(height), np.fft.fftfreq(width), indexing="ij")
    if kind[0] == "gauss":
        made = np.exp(-2 * (np.pi * kind[1]) ** 2 * (fx ** 2 + fy ** 2))
    else:
        made = 1 / np.abs(1 - sum(a * np.exp(2j * np.pi * (fy * dy + fx * dx)) for (dy, dx), a in kind[1].items()))
    return made / np.sqrt((made ** 2).mean())


def autocorrelation(kind, reach=5):
    """The truth, (2 reach + 1) squared."""
    made = np.real(np.fft.ifft2(transfer(kind, 256, 256) ** 2))
    return np.roll(made, (reach, reach), (0, 1))[:2 * reach + 1, :2 * reach + 1]


def variance(grain, luma):
    """At a level of luma, of one channel."""
    return (grain[1] * SHAPES[grain[3]](np.asarray(luma, float))) ** 2


def unit(grain, height, width, rng):
    """One frame of unit variance, height x width x 3."""
    h = transfer(grain[2], height, width)
    planes = [np.real(np.fft.ifft2(np.fft.fft2(rng.standard_normal((height, width))) * h)) for _ in range(3)]
    mix = np.linalg.cholesky(grain[4] * np.ones((3, 3)) + (1 - grain[4]) * np.eye(3))
    return np.stack(planes, 2) @ mix.T


def lay(grain, plates, seed, bits=8):
    """Float frames 0..1 with new grain on each, limited to 0..1 and rounded to so many bits (0: neither)."""
    rng = np.random.default_rng(seed)
    out = []
    for plate in plates:
        plate = np.asarray(plate, np.float64)
        frame = plate + np.sqrt(variance(grain, plate @ LUMA))[..., None] * unit(grain, *plate.shape[:2], rng)
        if bits:
            top = 2 ** bits - 1
            frame = np.round(np.clip(frame, 0, 1) * top) / top
        out.append(frame.astype(np.float32))
    return out
