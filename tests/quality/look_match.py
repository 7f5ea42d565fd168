#!/usr/bin/python3
"""Shots with a known random grade matched back to their look, beside peers, on footage.

    look_match.py FOOTAGE TOOL [--set choose|report|all] [--only shared,matching,apart] [--seed N] [--graded] [--markdown FILE]

FOOTAGE holds clips (clips.py); TOOL is the built match_tool. Grades are made here, in numpy: exposure and white balance in linear light, then slope, offset,
power, contrast and saturation on code values, then 8 bits. The reference is another part of the same take, or that with the shot framed otherwise, or
(apart) other content: the other half of the picture, or another shot of the same film. With --graded
the tool learns from all other takes of the set and of the other, as they are, where shot and reference show nothing in common. Figures are the mean CIEDE2000 between the graded-back shot and the
shot as it was, over all of the picture (every third pixel both ways), clipped ones too. Peers get the same frames: the shot's gain of means, Reinhard's transfer in l-alpha-beta and in CIELAB, the
linear Monge-Kantorovich map (Pitie and Kokaram 2007), histograms by channel."""

import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import zlib

import cv2
import numpy as np

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import clips  # noqa: E402

# name: clip, first frame, frames. Constants of the library were chosen on the first set.
CHOOSE = {"bear": ("davis_bear", 0, 82), "parkour": ("davis_parkour", 0, 21), "person": ("intel_person", 0, 500), "coffee": ("sam2_coffee", 0, 287),
          "tos_5": ("tos_battle_a", 309, 406), "stunt": ("wire_wrv2", 0, 21)}
REPORT = {"market": ("aot_market", 0, 14), "lady": ("davis_lady_running", 0, 36), "glider": ("davis_paragliding_launch", 0, 80),
          "tennis": ("davis_tennis", 0, 30), "flower": ("mdn_flower", 0, 150), "seeking": ("netflix_seeking", 0, 150), "dog": ("sam2_dog", 0, 289)}
FILM = {"tos_1": ("tos_battle_a", 52, 70), "tos_3": ("tos_battle_a", 155, 66), "tos_4": ("tos_battle_a", 221, 88), "tos_5": CHOOSE["tos_5"],
        "tos_7": ("tos_battle_a", 788, 84), "tos_8": ("tos_battle_a", 872, 115)}
FILM_PAIRS = {"choose": [("tos_1", "tos_3"), ("tos_7", "tos_8")], "report": [("tos_4", "tos_5"), ("tos_3", "tos_8"), ("tos_5", "tos_1"), ("tos_8", "tos_4")]}
WIDEST = 640


# ---- frames

def pick(footage, clip, indices):
    """Frames at ascending indices, at most WIDEST wide, floats 0..1."""
    path, found = clips.find(footage, [clip])[clip], []
    if path.is_dir():
        files = clips.numbered(path)
        found = [cv2.imread(str(files[i]))[:, :, ::-1] for i in indices]
    else:
        video, at = cv2.VideoCapture(str(path)), 0
        for i in indices:
            while at < i:
                video.grab()
                at += 1
            found.append(video.read()[1][:, :, ::-1])
            at += 1
    w = found[0].shape[1]
    if w > WIDEST:
        size = (WIDEST, round(found[0].shape[0] * WIDEST / w))
        found = [cv2.resize(f, size, interpolation=cv2.INTER_AREA) for f in found]
    return [np.ascontiguousarray(f, np.float32) / 255 for f in found]


def parts(footage, take):
    """Three frames of the first 40 % of a take and three of the last 40 %."""
    clip, first, count = take
    early = [first + round(count * s) for s in (0.0, 0.2, 0.38)]
    late = [min(first + count - 1, first + round(count * s)) for s in (0.62, 0.8, 0.97)]
    frames = pick(footage, clip, early + late)
    return frames[:3], frames[3:]


def framed(frames, rng):
    """The shot nearer, off the middle, turned a little."""
    h, w = frames[0].shape[:2]
    part, turn = rng.uniform(0.6, 0.9), rng.uniform(-3, 3)
    cx, cy = w * (0.5 + rng.uniform(-0.5, 0.5) * (0.94 - part)), h * (0.5 + rng.uniform(-0.5, 0.5) * (0.94 - part))
    m = cv2.getRotationMatrix2D((cx, cy), turn, 1 / part)
    m[:, 2] += (w / 2 - cx, h / 2 - cy)
    return [np.clip(cv2.warpAffine(f, m, (w, h), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT), 0, 1) for f in frames]


# ---- grades

def to_linear(code):
    return np.where(code <= 0.04045, code / 12.92, ((np.maximum(code, 0) + 0.055) / 1.055) ** 2.4)


def from_linear(value):
    value = np.maximum(value, 0)
    return np.where(value <= 0.0031308, value * 12.92, 1.055 * value ** (1 / 2.4) - 0.055)


def random_grade(rng):
    exposure, balance = 2 ** rng.uniform(-0.6, 0.6), np.array([1 + rng.uniform(-0.12, 0.12), 1, 1 + rng.uniform(-0.12, 0.12)])
    slope, offset, power = 1 + rng.uniform(-0.1, 0.1, 3), rng.uniform(-0.03, 0.03, 3), 1 + rng.uniform(-0.12, 0.12, 3)
    contrast, saturation = 1 + rng.uniform(-0.15, 0.15), 1 + rng.uniform(-0.25, 0.25)

    def grade(frame):
        x = from_linear(to_linear(frame.astype(np.float64)) * exposure * balance)
        x = np.maximum(x * slope + offset, 0) ** power
        x = 0.4 + contrast * (x - 0.4)
        luma = x @ np.array([0.2126, 0.7152, 0.0722])
        return eight(luma[..., None] + saturation * (x - luma[..., None]))
    return grade


def eight(x):
    return (np.round(np.clip(x, 0, 1) * 255) / 255).astype(np.float32)


# ---- CIEDE2000 (Sharma, Wu, Dalal 2005), of code values

def lab(code):
    xyz = to_linear(np.clip(code, 0, 1).astype(np.float64)) @ np.array(
        [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]]).T / [0.95047, 1, 1.08883]
    f = np.where(xyz > 216 / 24389, np.cbrt(xyz), (24389 / 27 * xyz + 16) / 116)
    return np.stack([116 * f[..., 1] - 16, 500 * (f[..., 0] - f[..., 1]), 200 * (f[..., 1] - f[..., 2])], -1)


def ciede2000(a, b):
    l1, a1, b1, l2, a2, b2 = *np.moveaxis(a, -1, 0), *np.moveaxis(b, -1, 0)
    c7 = ((np.hypot(a1, b1) + np.hypot(a2, b2)) / 2) ** 7
    g = 1.5 - 0.5 * np.sqrt(c7 / (c7 + 25.0 ** 7))
    c1, c2, h1, h2 = np.hypot(g * a1, b1), np.hypot(g * a2, b2), np.arctan2(b1, g * a1) % (2 * np.pi), np.arctan2(b2, g * a2) % (2 * np.pi)
    dh = (h2 - h1 + np.pi) % (2 * np.pi) - np.pi
    dh = np.where(c1 * c2 == 0, 0, dh)
    hm = np.where(c1 * c2 == 0, h1 + h2, np.where(abs(h1 - h2) <= np.pi, (h1 + h2) / 2, ((h1 + h2) / 2 + np.pi) % (2 * np.pi)))
    cm, lm = (c1 + c2) / 2, ((l1 + l2) / 2 - 50) ** 2
    r = np.radians
    t = 1 - 0.17 * np.cos(hm - r(30)) + 0.24 * np.cos(2 * hm) + 0.32 * np.cos(3 * hm + r(6)) - 0.2 * np.cos(4 * hm - r(63))
    sl, sc, sh = 1 + 0.015 * lm / np.sqrt(20 + lm), 1 + 0.045 * cm, 1 + 0.015 * cm * t
    rt = -np.sin(2 * r(30) * np.exp(-((np.degrees(hm) - 275) / 25) ** 2)) * 2 * np.sqrt(cm ** 7 / (cm ** 7 + 25.0 ** 7))
    x, y, z = (l2 - l1) / sl, (c2 - c1) / sc, 2 * np.sqrt(c1 * c2) * np.sin(dh / 2) / sh
    return np.sqrt(np.maximum(0, x * x + y * y + z * z + rt * y * z))


def error(result, truth):
    return float(np.mean([ciede2000(lab(r), lab(t)).mean() for r, t in zip(result, truth)]))


# ---- peers: functions of the shot's and the reference's pixels (n x 3), which give a function of pixels

def mean_gain(s, r):
    gain = to_linear(r).mean(0) / np.maximum(1e-4, to_linear(s).mean(0))
    return lambda x: from_linear(to_linear(x) * gain)


LMS = np.array([[0.3811, 0.5783, 0.0402], [0.1967, 0.7244, 0.0782], [0.0241, 0.1288, 0.8444]])
DECORRELATE = np.diag([1 / np.sqrt(3), 1 / np.sqrt(6), 1 / np.sqrt(2)]) @ np.array([[1, 1, 1], [1, 1, -2], [1, -1, 0]])


def moments(forward, backward):
    def method(s, r):
        a, b = forward(s), forward(r)
        am, bm, k = a.mean(0), b.mean(0), b.std(0) / np.maximum(1e-6, a.std(0))
        return lambda x: backward((forward(x) - am) * k + bm)
    return method


def lab_inverse(v):
    fy = (v[..., 0] + 16) / 116
    f = np.stack([fy + v[..., 1] / 500, fy, fy - v[..., 2] / 200], -1)
    xyz = np.where(f > 6 / 29, f ** 3, (116 * f - 16) * 27 / 24389) * [0.95047, 1, 1.08883]
    return from_linear(xyz @ np.linalg.inv([[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]]).T)


def log_lms(x):
    return np.log10(np.maximum(1e-4, to_linear(x) @ LMS.T)) @ DECORRELATE.T


def log_lms_inverse(v):
    return from_linear(10 ** np.clip(v @ np.linalg.inv(DECORRELATE).T, -6, 2) @ np.linalg.inv(LMS).T)


def root(m, power=0.5):
    w, v = np.linalg.eigh(m)
    return (v * np.maximum(w, 1e-9) ** power) @ v.T


def monge_kantorovich(s, r):
    a, b = np.cov(s.T) + 1e-7 * np.eye(3), np.cov(r.T)
    half, back = root(a), root(a, -0.5)
    m = back @ root(half @ b @ half) @ back
    return lambda x: (x - s.mean(0)) @ m + r.mean(0)


def histogram(s, r):
    q = np.linspace(0, 1, 256)
    tables = [(np.quantile(s[:, c], q), np.quantile(r[:, c], q)) for c in range(3)]
    return lambda x: np.stack([np.interp(x[..., c], *tables[c]) for c in range(3)], -1)


PEERS = {"mean gain": mean_gain, "Reinhard Lab": moments(lab, lab_inverse), "Reinhard log": moments(log_lms, log_lms_inverse),
         "MK": monge_kantorovich, "histogram": histogram}


def thin(frames):
    """Every third pixel both ways: enough for means, moments and quantiles."""
    return [f[1::3, 1::3] for f in frames]


def peers(shot, reference, truth):
    s, r = (np.concatenate([f.reshape(-1, 3) for f in frames]).astype(np.float64) for frames in (shot, reference))
    out = {"none": error(shot, truth)}
    for name, method in PEERS.items():
        change = method(s, r)
        out[name] = error([np.clip(change(f.reshape(-1, 3).astype(np.float64)), 0, 1).reshape(f.shape) for f in shot], truth)
    return out


# ---- ours

class Tool:
    def __init__(self, path):
        self.path, self.folder, self.graded = path, tempfile.mkdtemp(), {}

    def teach(self, name, frames):
        """A take that looks as it should, for runs on others."""
        path = os.path.join(self.folder, f"graded_{name}.raw")
        np.stack([to_linear(f.astype(np.float64)).astype(np.float32) for f in frames]).tofile(path)
        self.graded[name] = [str(frames[0].shape[1]), str(frames[0].shape[0]), path]

    def __call__(self, shot, reference, own=()):
        """own: the takes of both, which are not learned from."""
        names, arguments = [os.path.join(self.folder, n) for n in ("shot.raw", "reference.raw", "out.raw")], []
        for frames, name in ((shot, names[0]), (reference, names[1])):
            np.stack([to_linear(f.astype(np.float64)).astype(np.float32) for f in frames]).tofile(name)
            arguments += [str(frames[0].shape[1]), str(frames[0].shape[0]), name]
        graded = [word for name, words in self.graded.items() if name not in own for word in words]
        run = subprocess.run([self.path, "srgb", "1", *arguments, names[2], *graded], capture_output=True, text=True)
        if run.returncode:
            raise RuntimeError(run.stderr)
        if run.stderr:
            print(run.stderr, end="")
        return json.loads(run.stdout), np.fromfile(names[2], np.float32).reshape(-1, *shot[0].shape)


def one(tool, shot, reference, rng, graded=True, own=()):
    truth = [eight(f) for f in shot]
    grade = random_grade(rng) if graded else eight
    shot, reference = [grade(f) for f in shot], [eight(f) for f in reference]
    match, result = tool(shot, reference, own)
    given = peers(thin(shot), thin(reference), thin(truth)) if graded else {c: 0.0 for c in ["none", *PEERS]}
    return {**given, "ours": error(thin(result), thin(truth)), "match": match}


def seeded(name, seed):
    return np.random.default_rng(zlib.crc32(f"{name} {seed}".encode()))


def shared_suite(tool, footage, takes, seed, graded):
    for name, take in takes.items():
        early, late = parts(footage, take)
        for kind in ("part", "framing"):
            rng = seeded(name + kind, seed)
            shot = framed(late, rng) if kind == "framing" else late
            yield {"name": name, "kind": kind, **one(tool, shot, early, rng, graded, [name])}


def apart_suite(tool, footage, takes, films, seed):
    for name, take in takes.items():
        frame = parts(footage, take)[0][1]
        w = frame.shape[1] // 2
        yield {"name": name, "kind": "halves", **one(tool, [frame[:, w:]], [frame[:, :w]], seeded(name + "halves", seed), own=[name])}
    for a, b in films:
        shot, reference = parts(footage, FILM[a])[1], parts(footage, FILM[b])[0]
        yield {"name": f"{a}-{b}", "kind": "film", **one(tool, shot, reference, seeded(a + b, seed), own=[a, b])}


# ---- figures

COLUMNS = ["none", *PEERS, "ours"]


def line(row):
    m = row["match"]
    found = "matching" if m["matching"] else "fit" if m["registered"] else "learned" if m.get("graded", {}).get("better") else "suggestion"
    return [row["name"], row["kind"], *(f"{row[c]:.2f}" for c in COLUMNS), found, f"{m['share']:.2f}", f"{m['before']:.2f}>{m['after']:.2f}", f"{m['cdl_error']:.2f}",
            f"{m['seconds']:.1f}"]


def table(rows):
    head = ["clip", "pair", *COLUMNS, "found", "share", "pairs before>after", "CDL", "s"]
    body = [line(r) for r in rows]
    return "\n".join("| " + " | ".join(l) + " |" for l in [head, ["---"] * len(head), *body])


def summary(what, rows):
    median = lambda c, part: float(np.median([r[c] for r in part])) if part else float("nan")
    found = [r for r in rows if r["match"]["registered"]]
    text = [f"{what}: {len(rows)} pairs, registered in {len(found)}"]
    if what == "matching":
        still = sum(r["match"]["matching"] for r in rows)
        text.append(f"registered and left bit-exact {still} of {len(found)}; moved by at most {max(r['ours'] for r in rows):.2f}, registered ones {max([r['ours'] for r in found], default=0):.2f}")
        return "; ".join(text)
    part = found if what == "shared" else rows
    text.append("medians " + ", ".join(f"{c} {median(c, part):.2f}" for c in COLUMNS) + (f", worst of ours {max(r['ours'] for r in part):.2f}" if part else ""))
    if what == "shared" and part:
        half = sum(2 * r["ours"] <= min(r["MK"], r["Reinhard Lab"], r["Reinhard log"]) for r in part)
        text.append(f"<= 1.0 in {sum(r['ours'] <= 1 for r in part)}, <= 2.7 in {sum(r['ours'] <= 2.7 for r in part)}, "
                    f"<= half of Monge-Kantorovich and both Reinhards in {half} of {len(part)}")
        text.append(f"median of all {median('ours', rows):.2f}")
    if what == "apart":
        text.append(f"ours over Monge-Kantorovich, of medians {median('ours', part) / median('MK', part):.2f}; better than none in {sum(r['ours'] < r['none'] for r in part)} of {len(part)}")
    return "; ".join(text)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("footage")
    parser.add_argument("tool")
    parser.add_argument("--set", default="all", choices=["choose", "report", "all"])
    parser.add_argument("--only", default="shared,matching,apart")
    parser.add_argument("--clips", help="comma-separated")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--graded", action="store_true")
    parser.add_argument("--markdown")
    options = parser.parse_args()
    tool = Tool(options.tool)
    takes = {**(CHOOSE if options.set != "report" else {}), **(REPORT if options.set != "choose" else {})}
    films = [p for s in FILM_PAIRS if options.set in (s, "all") for p in FILM_PAIRS[s]]
    if options.clips:
        takes, films = {n: takes[n] for n in options.clips.split(",")}, []
    if options.graded:
        for name, take in {**CHOOSE, **REPORT, **FILM}.items():
            tool.teach(name, sum(parts(options.footage, take), []))
    text = []
    for what in options.only.split(","):
        suite = apart_suite(tool, options.footage, takes, films, options.seed) if what == "apart" else \
            shared_suite(tool, options.footage, takes, options.seed, what == "shared")
        rows = []
        for row in suite:
            rows.append(row)
            print(" ".join(line(row)), flush=True)
        print(summary(what, rows), flush=True)
        text += [f"### {what}", "", table(rows), "", summary(what, rows), ""]
    if options.markdown:
        pathlib.Path(options.markdown).write_text("\n".join(text))


if __name__ == "__main__":
    main()
