#!/usr/bin/python3
"""Optics and tone of the look against known degradations, and on footage as it is.

    look_optics.py FOOTAGE TOOL [--only bloom,vignette] [--markdown FILE]

FOOTAGE holds clips (clips.py) and scene-linear EXR sequences; TOOL is the built look_tool. What is put on the plates is made here, in
numpy with FFTs and OpenCV, and shares no code with what measures it."""

import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile

os.environ["OPENCV_IO_ENABLE_OPENEXR"] = "1"
import cv2  # noqa: E402
import numpy as np  # noqa: E402

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import clips  # noqa: E402

LUMA = np.array([0.2126, 0.7152, 0.0722], np.float32)


def srgb_to_linear(code):
    return np.where(code <= 0.04045, code / 12.92, ((np.maximum(code, 0) + 0.055) / 1.055) ** 2.4).astype(np.float32)


def srgb_from_linear(value):
    value = np.maximum(value, 0)
    return np.where(value <= 0.0031308, value * 12.92, 1.055 * value ** (1 / 2.4) - 0.055).astype(np.float32)


def to_8bit(frames):
    """Linear frames through 8-bit sRGB codes and back."""
    return [srgb_to_linear(np.round(np.clip(srgb_from_linear(f), 0, 1) * 255) / 255) for f in frames]


def exr(folder, first=0, count=None, step=1):
    files = sorted(pathlib.Path(folder).glob("*.exr"))[first:None if count is None else first + count * step:step]
    return [np.ascontiguousarray(cv2.imread(str(f), cv2.IMREAD_UNCHANGED)[:, :, 2::-1]).astype(np.float32) for f in files]


def video(path, first=0, count=None):
    return [srgb_to_linear(f.astype(np.float32) / 255) for f in clips.frames(path, first, count)]


class Tool:
    def __init__(self, path):
        self.path, self.folder = path, tempfile.mkdtemp()

    def __call__(self, what, frames, encoding="linear", clip=0.0, *more):
        file = os.path.join(self.folder, "frames.raw")
        with open(file, "wb") as out:
            for f in frames:
                out.write(np.ascontiguousarray(f, np.float32).tobytes())
        h, w = frames[0].shape[:2]
        run = subprocess.run([self.path, what, str(w), str(h), encoding, str(clip), file, *map(str, more)], capture_output=True, text=True)
        os.unlink(file)
        if run.returncode:
            raise RuntimeError(run.stderr)
        return json.loads(run.stdout)


# ---- bloom: point spreads by FFT

def psf(kind, size, width):
    """A unit-sum kernel on a size x size grid; width sets its scale in pixels."""
    y, x = np.mgrid[:size, :size] - size // 2
    r = np.hypot(x, y)
    if kind == "gauss":
        k = np.exp(-0.5 * (r / width) ** 2)
    elif kind == "exponential":
        k = np.exp(-r / width)
    elif kind == "moffat":
        k = (1 + (r / width) ** 2) ** -2.0
    elif kind == "two":
        k = 0.7 * np.exp(-0.5 * (r / width) ** 2) / width ** 2 + 0.3 * np.exp(-0.5 * (r / (3 * width)) ** 2) / (9 * width ** 2)
    else:
        raise ValueError(kind)
    k[r > size // 2] = 0
    return (k / k.sum()).astype(np.float32)


def half_radius(kernel):
    size = kernel.shape[0]
    y, x = np.mgrid[:size, :size] - size // 2
    r = np.hypot(x, y).ravel()
    order = np.argsort(r)
    within = np.cumsum(kernel.ravel()[order])
    i = np.searchsorted(within, 0.5)
    ring = r[order]
    # samples of one ring share a radius: interpolate between rings
    rings, first = np.unique(ring, return_index=True)
    upto = np.append(within[first[1:] - 1], within[-1])
    return float(np.interp(0.5, upto, rings)) if i else 0.0


def convolve(image, kernel):
    pad = kernel.shape[0] // 2
    big = cv2.copyMakeBorder(image, pad, pad, pad, pad, cv2.BORDER_REPLICATE)
    shape = (big.shape[0] + kernel.shape[0] - 1, big.shape[1] + kernel.shape[1] - 1)
    out = np.fft.irfft2(np.fft.rfft2(big, shape) * np.fft.rfft2(kernel, shape), shape)
    return out[2 * pad:2 * pad + image.shape[0], 2 * pad:2 * pad + image.shape[1]].astype(np.float32)


def bloomed(frame, kernel, strength):
    return np.stack([(1 - s) * frame[:, :, c] + s * convolve(frame[:, :, c], kernel) for c, s in enumerate(strength)], 2)


def lamps(frame, rng, count, bright):
    """Compact lamps with soft rims: discs and bars of a radiance with a colour, 2..9 pixels."""
    out, h, w = frame.copy(), *frame.shape[:2]
    for _ in range(count):
        x, y, radius = rng.uniform(30, w - 30), rng.uniform(30, h - 30), rng.uniform(1.5, 5)
        stretch = rng.uniform(0.6, 1.6)
        yy, xx = np.mgrid[:h, :w]
        d = np.hypot((xx - x) / stretch, (yy - y) * stretch)
        cover = np.clip(radius + 0.5 - d, 0, 1)[:, :, None]
        colour = np.array([1, rng.uniform(0.7, 1), rng.uniform(0.4, 0.9)]) * rng.uniform(*bright)
        out = out * (1 - cover) + cover * colour
    return out.astype(np.float32)


DARK = ["tos_battle_a", "mdn_friday", "davis_lady_running", "intel_person"]


def dark_plates(footage, names):
    found = clips.find(footage)
    return {n: [0.25 * f for f in video(found[n], 0, 1)] for n in names if n in found}


def bloom_suite(tool, footage, seeds=(1, 2)):
    rows = []
    for name, plate in dark_plates(footage, DARK).items():
        for kind, width in (("gauss", 8), ("exponential", 4), ("moffat", 4), ("two", 5)):
            kernel = psf(kind, 193, width)
            truth = half_radius(kernel)
            for seed in seeds:
                rng = np.random.default_rng(seed)
                strong = seed % 2
                clean = [lamps(f, rng, 14 if strong else 5, (4, 60) if strong else (2, 12)) for f in plate]
                strength = rng.uniform(0.05, 0.15) * (1 if strong else 0.5) * np.array([1.3, 1.0, 0.8])
                frames = [bloomed(f, kernel, strength) for f in clean]
                hdr, ldr = tool("bloom", frames), tool("bloom", to_8bit(frames), "srgb", 1.0)
                before = tool("bloom", clean)
                row = {"plate": name, "kind": kind, "seed": seed, "radius": truth, "strength": strength.tolist()}
                for tag, m in (("hdr", hdr), ("8bit", ldr)):
                    row[tag] = [{"reason": m[c]["reading"].get("reason", ""),
                                 "radius": m[c]["radius"] / truth - 1, "strength": m[c]["strength"] / s - 1, "explained": m[c]["explained"]}
                                for c, s in zip(("red", "green", "blue"), strength)]
                row["clean"] = [before[c]["explained"] for c in ("luma", "red", "green", "blue")]
                row["clean_refused"] = all("reason" in before[c]["reading"] for c in ("luma", "red", "green", "blue"))
                rows.append(row)
    return rows


# ---- vignette: other families than the one fitted, and one that is

CURVES = {
    "cos4": lambda r: np.cos(np.arctan(0.75 * r)) ** 4,
    "light": lambda r: 1 - 0.22 * r ** 2,
    "late": lambda r: 1 - 0.45 * r ** 4,
    "poly": lambda r: np.exp(-0.5 * r ** 2 - 0.15 * r ** 4),
}


def vignetted(frame, curve):
    h, w = frame.shape[:2]
    y, x = np.mgrid[:h, :w]
    r = np.hypot(x - (w - 1) / 2, y - (h - 1) / 2) / np.hypot((w - 1) / 2, (h - 1) / 2)
    return (frame * curve(r)[:, :, None]).astype(np.float32)


def curve_error(m, curve):
    """Radius-weighted and largest relative error, both curves scaled to the same level."""
    r = (np.arange(200) + 0.5) / 200
    ratio = np.exp(m["a"] * r ** 2 + m["b"] * r ** 4 + m.get("c", 0) * r ** 6) / curve(r)
    ratio /= np.sum(r * ratio) / np.sum(r)
    return float(np.sum(r * np.abs(ratio - 1)) / np.sum(r)), float(np.max(np.abs(ratio - 1)))


def vignette_suite(tool, footage, sets=("a_midday", "a_golden", "b_golden", "c_midday")):
    rows = []
    for name in sets:
        clean = exr(footage / "backlot" / name)
        for curve_name, curve in {"none": lambda r: np.ones_like(r), **CURVES}.items():
            frames = [vignetted(f, curve) for f in clean]
            for tag, m in (("linear", tool("vignette", frames)), ("8bit", tool("vignette", to_8bit(frames), "srgb", 1.0))):
                weighted, most = curve_error(m, curve)
                rows.append({"set": name, "curve": curve_name, "as": tag, "weighted": weighted, "most": most, "spread": m["spread"],
                             "reason": m["reading"].get("reason", ""), "confidence": m["reading"]["confidence"]})
    return rows


# ---- lateral chromatic aberration and sharpness on real plates and rendered ones

def aberrated(frame, red, blue):
    """Red and blue larger by so many pixels in the corner."""
    h, w = frame.shape[:2]
    half, centre = np.hypot((w - 1) / 2, (h - 1) / 2), np.array([(w - 1) / 2, (h - 1) / 2])
    out = frame.copy()
    for c, corner in ((0, red), (2, blue)):
        s = 1 / (1 + corner / half)
        matrix = np.array([[s, 0, centre[0] * (1 - s)], [0, s, centre[1] * (1 - s)]])
        out[:, :, c] = cv2.warpAffine(frame[:, :, c], matrix, (w, h), flags=cv2.INTER_LANCZOS4 | cv2.WARP_INVERSE_MAP, borderMode=cv2.BORDER_REFLECT)
    return out


def some_clips(footage, names, count=4):
    found = clips.find(footage)
    for n in names:
        if (footage / "backlot" / n).is_dir():
            yield n, exr(footage / "backlot" / n, 0, count, 4), "linear", 0.0
        elif n in found:
            yield n, video(found[n], 0, 3 * count)[::3], "srgb", 1.0


def chroma_suite(tool, footage, names=("a_midday", "b_golden", "davis_bear", "davis_parkour", "davis_lady_running", "aot_market", "sam2_dog")):
    rows = []
    for name, clean, encoding, clip in some_clips(footage, names):
        for red, blue in ((0, 0), (0.35, -0.5), (-0.8, 0.35), (1.5, 1.0)):
            frames = [aberrated(f, red, blue) for f in clean]
            m = tool("chroma", to_8bit(frames) if clip else frames, encoding, clip)
            rows.append({"clip": name, "true": (red, blue), "read": (m["red"]["corner"], m["blue"]["corner"]), "error": (m["red"]["error"], m["blue"]["error"]),
                         "reason": [m[c]["reading"].get("reason", "") for c in ("red", "blue")]})
    return rows


def sharp_suite(tool, footage, names=("a_midday", "c_midday", "aot_market", "davis_parkour", "sam2_dog", "intel_person")):
    """Gaussian blur of known width on plates of known own sharpness: 1 / read^2 must grow by 1 / own^2 (all but Gaussian systems)."""
    rows = []
    for name, clean, encoding, clip in some_clips(footage, names):
        for sigma in (0, 0.8, 1.2, 1.8):
            frames = [cv2.GaussianBlur(f, (0, 0), sigma) if sigma else f for f in clean]
            m = tool("sharp", frames, encoding, clip)
            rows.append({"clip": name, "sigma": sigma, "mtf50": m["mtf50"], "edges": m["edges"], "reason": m["reading"].get("reason", "")})
    return rows


def slanted_suite(tool):
    """Area-sampled slanted edges under a Gaussian: the truth is a product of two known curves."""
    rows = []
    for sigma in (0.5, 0.8, 1.2, 2.0):
        frames = []
        for seed in range(2):
            rng = np.random.default_rng(seed)
            h, w, over = 200, 300, 4
            y, x = np.mgrid[:h * over, :w * over].astype(np.float32) / over
            image = np.full((h * over, w * over), 0.1, np.float32)
            for i in range(5):
                a = np.deg2rad(rng.uniform(4, 14))
                image[(x - 40 - 55 * i) * np.cos(a) + (y - 100) * np.sin(a) > 0] = rng.uniform(0.2, 0.35) if i % 2 else 0.7
            small = cv2.resize(image, (w, h), interpolation=cv2.INTER_AREA)
            taps = 2 * int(5 * sigma + 2) + 1
            frames.append(np.repeat(cv2.GaussianBlur(small, (taps, taps), sigma)[:, :, None] + rng.normal(0, 0.002, (h, w, 1)).astype(np.float32), 3, 2))
        f, taps = np.arange(1, 1000) / 1000, 2 * int(5 * sigma + 2) + 1
        kernel = cv2.getGaussianKernel(taps, sigma).ravel()
        curve = np.abs(np.sinc(f)) * np.abs(np.cos(2 * np.pi * np.outer(f, np.arange(taps) - taps // 2)) @ kernel)
        truth = f[np.argmax(curve < 0.5)]
        m = tool("sharp", frames)
        rows.append({"sigma": sigma, "truth": float(truth), "read": m["mtf50"], "median": m["median"], "edges": m["edges"], "reason": m["reading"].get("reason", "")})
    return rows


# ---- white balance, drift and flicker: gains in linear light, through 8 bits where the plate is

def encoded(frames, clip):
    return to_8bit(frames) if clip else frames


GAIN_CLIPS = ("a_midday", "a_golden", "b_golden", "c_midday", "davis_tennis", "aot_market", "davis_parkour", "sam2_dog", "sam2_coffee", "intel_person")


def white_suite(tool, footage):
    """A frame against one 4 later under a known gain; truth of the rendered sets is exact, real ones carry their own change, read beside."""
    rows = []
    rng = np.random.default_rng(5)
    for name, clean, encoding, clip in some_clips(footage, GAIN_CLIPS, 3):
        own = tool("gain", clean[:2], encoding, clip)
        for _ in range(3):
            gain = np.exp(rng.uniform(-0.35, 0.1) + np.array([rng.uniform(-0.12, 0.12), 0, rng.uniform(-0.12, 0.12)]))
            pair = [clean[0], (clean[1] * gain).astype(np.float32)]
            m = tool("gain", encoded(pair, clip), encoding, clip)
            error, before = np.array(m["log"]) - np.log(gain), np.array(own["log"])
            rows.append({"clip": name, "share": m["share"], "exposure": abs(error[1]), "balance": max(abs(error[0] - error[1]), abs(error[2] - error[1])),
                         "own_exposure": abs(before[1]), "own_balance": max(abs(before[0] - before[1]), abs(before[2] - before[1])),
                         "apart": max(abs((error - before)[0] - (error - before)[1]), abs((error - before)[2] - (error - before)[1]))})
    return rows


def local_median(gains, reach=4):
    return np.array([np.median(gains[max(0, i - reach):i + reach + 1]) for i in range(len(gains))])


def flicker_suite(tool, footage):
    rows = []
    for name, _, encoding, clip in some_clips(footage, GAIN_CLIPS, 1):
        found = clips.find(footage)
        clean = exr(footage / "backlot" / name) if not clip else video(found[name], 0, 24)
        rng = np.random.default_rng(7)
        n = len(clean)
        gains = np.exp(rng.normal(0, 0.04, n))
        drift = np.outer(np.linspace(0, 1, n), [0.1, 0.0, -0.07])
        step = np.diff(np.log(gains))
        truth = float(np.sqrt(np.mean((step - local_median(step)) ** 2)))
        before = tool("flicker", clean, encoding, clip)
        m = tool("flicker", encoded([(f * 0.8 * g).astype(np.float32) for f, g in zip(clean, gains)], clip), encoding, clip)
        d = tool("white", encoded([(f * 0.8 * np.exp(v)).astype(np.float32) for f, v in zip(clean, drift)], clip), encoding, clip)
        path = np.stack([d["red_path"], d["blue_path"]], 1) - drift[np.array(d["time"], int), ::2]
        rows.append({"clip": name, "clean": before["rms"], "read": m["rms"], "truth": truth, "cuts": m["cuts"], "reason": m["reading"].get("reason", ""),
                     "drift_error": float(np.abs(path).max()), "drift_reason": d["drift"].get("reason", ""), "breaks": d["breaks"]})
    return rows


def footage_clips(footage, most=40):
    """(name, frames, encoding, clip) of every clip: the middle of its longest even run, at most `most` frames."""
    for name, path in clips.find(footage).items():
        if name in ("light_frankfurt", "light_stlouis", "light_multi_illum") or not clips_usable(path):
            continue
        count = clips.length(path)
        yield name, video(path, max(0, (count - most) // 2), most), "srgb", 1.0
    for folder in sorted((footage / "backlot").glob("*")):
        if folder.is_dir():
            yield "backlot/" + folder.name, exr(folder), "linear", 0.0


def clips_usable(path):
    """One picture size, at least 8 frames: folders of test images are no clips."""
    if not path.is_dir():
        return True
    files = clips.numbered(path)
    return len(files) >= 8 and len({cv2.imread(str(f)).shape if cv2.imread(str(f)) is not None else None for f in files}) == 1


# ---- tables

def spread_of(values):
    v = np.abs(np.array(values, float))
    return "-" if not len(v) else f"{np.median(v):.3g} / {np.percentile(v, 90):.3g} / {v.max():.3g}"


def bloom_table(rows):
    out = ["| lamps on dark plates | read | refused | radius error, % median / 90 % / worst | strength error, % | within 15 % (both; radius) |", "|---|---|---|---|---|---|"]
    for tag, label in (("hdr", "scene-linear"), ("8bit", "8-bit, clipped")):
        for kind in ("gauss", "exponential", "moffat", "two", None):
            cells = [c for r in rows if kind in (None, r["kind"]) for c in r[tag]]
            good = [c for c in cells if not c["reason"]]
            radius, strength = [100 * c["radius"] for c in good], [100 * c["strength"] for c in good]
            both = sum(abs(c["radius"]) <= 0.15 and abs(c["strength"]) <= 0.15 for c in good)
            alone = sum(abs(c["radius"]) <= 0.15 for c in good)
            out.append(f"| {label}, {kind or '**all**'} | {len(good)} | {len(cells) - len(good)} | {spread_of(radius)} | "
                       f"{spread_of(strength) if tag == 'hdr' else 'not known'} | {both if tag == 'hdr' else '-'}; {alone} of {len(good)} |")
    clean = [e for r in rows for e in r["clean"]]
    out.append(f"\nWithout bloom: explained at most {max(clean):.4f}, refused in {sum(r['clean_refused'] for r in rows)} of {len(rows)}.")
    return out


def vignette_table(rows):
    out = ["| rendered set, through | read | refused | radius-weighted error, % median / 90 % / worst | largest over the radius, % |", "|---|---|---|---|---|"]
    for tag in ("linear", "8bit"):
        for curve in (*CURVES, "none", None):
            some = [r for r in rows if r["as"] == tag and curve in (None, r["curve"])]
            good = [r for r in some if not r["reason"]]
            out.append(f"| {tag}, {curve or '**all**'} | {len(good)} | {len(some) - len(good)} | {spread_of([100 * r['weighted'] for r in good])} | "
                       f"{spread_of([100 * r['most'] for r in good])} |")
    return out


def chroma_table(rows):
    clean = [abs(v) for r in rows if r["true"] == (0, 0) for v in r["read"]]
    other = [r for r in rows if r["true"] != (0, 0)]
    error = [v - t for r in other for v, t in zip(r["read"], r["true"])]
    refused = sum(bool(x) for r in other for x in r["reason"])
    return [f"Aberration of .35 to 1.5 pixels in the corner on {len({r['clip'] for r in rows})} plates, both channels: absolute error in pixels, median / 90 % / "
            f"worst {spread_of(error)}; {refused} of {len(error)} refused. Clean plates read at most {max(clean):.3f} pixel; "
            f"{sum(bool(x) for r in rows if r['true'] == (0, 0) for x in r['reason'])} of {len(clean)} are \"not measurable\"."]


def sharp_table(slanted, plates):
    out = ["| area-sampled slanted edges, Gaussian of | true MTF50 | read | edges |", "|---|---|---|---|"]
    out += [f"| {r['sigma']} px | {r['truth']:.3f} | {r['read']:.3f} | {r['edges']} |" for r in slanted]
    out += ["", "Plates, MTF50 in cycles a pixel as they are and blurred by a Gaussian of .8, 1.2, 1.8 px (edges):", ""]
    for name in dict.fromkeys(r["clip"] for r in plates):
        out.append(f"- {name}: " + ", ".join(f"{r['mtf50']:.3f} ({r['edges']})" if not r["reason"] else "not measurable" for r in plates if r["clip"] == name))
    return out


def white_table(rows):
    out = ["| registered pair under a known gain, % | exposure | balance | balance less what the pair reads without the gain |", "|---|---|---|---|"]
    for name in dict.fromkeys(r["clip"] for r in rows):
        mine = [r for r in rows if r["clip"] == name]
        out.append(f"| {name} | " + " | ".join(f"{100 * max(r[k] for r in mine):.2f}" for k in ("exposure", "balance", "apart")) + " |")
    return out


def flicker_table(rows):
    out = ["| clip | flicker read clean | true | read | worst error of the drift path, % |", "|---|---|---|---|---|"]
    for r in rows:
        out.append(f"| {r['clip']} | {r['clean']:.4f} | {r['truth']:.4f} | {r['read']:.4f}{' (refused)' if r['reason'] else ''} | "
                   + (f"{100 * r['drift_error']:.2f}" if not r["drift_reason"] else "not measurable") + " |")
    return out


def cell(reading, text):
    return text if not reading.get("reason") else "-"


def footage_table(tool, footage):
    out = ["| clip | black, median, white (code) | R/G, B/G | drift, % | flicker rms, % | aberration R, B | MTF50 | halo radius | corners |", "|---|---|---|---|---|---|---|---|---|"]
    for name, frames, encoding, clip in footage_clips(footage):
        m = {w: tool(w, frames, encoding, clip) for w in ("tone", "white", "flicker", "chroma", "sharp", "bloom", "vignette")}
        t, w, c = m["tone"], m["white"], m["chroma"]
        out.append(f"| {name} | " + " | ".join((
            f"{t['code'][0]:.2f} {t['code'][5]:.2f} {t['code'][10]:.2f}", cell(w["level"], f"{w['red']:.2f} {w['blue']:.2f}"), cell(w["drift"], f"{100 * w['most']:.1f}"),
            cell(m["flicker"]["reading"], f"{100 * m['flicker']['rms']:.2f}"),
            cell(c["red"]["reading"], f"{c['red']['corner']:.2f}") + " " + cell(c["blue"]["reading"], f"{c['blue']['corner']:.2f}"),
            cell(m["sharp"]["reading"], f"{m['sharp']['mtf50']:.2f}"), cell(m["bloom"]["luma"]["reading"], f"{m['bloom']['luma']['radius']:.1f}"),
            cell(m["vignette"]["reading"], f"{m['vignette']['corner']:.2f}"))) + " |")
    return out


SUITES = {
    "bloom": ("Bloom and halation", lambda tool, f: bloom_table(bloom_suite(tool, f))),
    "vignette": ("Vignette", lambda tool, f: vignette_table(vignette_suite(tool, f))),
    "chroma": ("Lateral chromatic aberration", lambda tool, f: chroma_table(chroma_suite(tool, f))),
    "sharp": ("Sharpness", lambda tool, f: sharp_table(slanted_suite(tool), sharp_suite(tool, f))),
    "white": ("White balance", lambda tool, f: white_table(white_suite(tool, f))),
    "flicker": ("Flicker and drift", lambda tool, f: flicker_table(flicker_suite(tool, f))),
    "footage": ("Untouched footage (- is \"not measurable here\")", footage_table),
}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("footage", type=pathlib.Path)
    parser.add_argument("tool")
    parser.add_argument("--only", default=",".join(SUITES), help="suites, comma-separated: " + ", ".join(SUITES))
    parser.add_argument("--markdown", type=pathlib.Path, help="also write the tables here")
    options = parser.parse_args()
    unknown = set(options.only.split(",")) - set(SUITES)
    if unknown:
        parser.error(f"no suite called {', '.join(sorted(unknown))}")
    tool, parts = Tool(options.tool), []
    for name in options.only.split(","):
        title, table = SUITES[name]
        parts.append("\n".join([f"### {title}", "", *table(tool, options.footage), ""]))
        print(parts[-1], flush=True)
    if options.markdown:
        options.markdown.write_text("\n".join(parts))


if __name__ == "__main__":
    main()
