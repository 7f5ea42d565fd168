#!/usr/bin/env python3
"""Grain of what `wires` fills and `inbetween` makes, on plates whose grain is known.

    tests/quality/fill_grain.py FOOTAGE [--clips choose|report|a,b] [--suites wires,inbetween] [--blurs 1,3] [--widths 9,3] [--interpos PATH] [--sheet F.png]

A plate is a clip blurred, so that it holds no grain of its own, with new grain of grain_truth.py in every frame, 8 bits. Wires: a drawn line on it, filled with
the true matte (variant grain, and standard, which adds none). Inbetween: every third frame left out and made, grain=1 and 0. Figures, over the frames: squares of
second differences (finest), and of what is finer than a blur of 2 pixels (fine), in the hole or the made frame, over those of the same pixels of the plate with its own
grain, by median and by mean: a wrong edge in a hundredth of the pixels has more power than all grain, which tells of the mean but not of the median. A hole less its
outermost pixels, whose differences reach beyond it. Calm: only where the clean plate's own fine power is under a tenth of the grain's, since elsewhere what is finer
than two pixels is mostly the scene's, which a fill may lack or have wrong whatever its grain. Scatter: the same of plates with the same grain drawn anew, four times: mean and deviation.
"""

import argparse
import json
import pathlib
import tempfile

import cv2
import numpy as np

import clips
import grain_truth
import look_grain
import wire_project

ROOT = pathlib.Path(__file__).resolve().parents[2]
SETS = {"choose": ["davis_bear", "sam2_dog"], "report": ["sam2_coffee", "mdn_flower", "davis_paragliding_launch"]}
SECOND = np.outer([1, -2, 1], [1, -2, 1]).astype(np.float32)  # Immerkaer's
FIRST, LAST, COUNT, DRAWS = 5, 12, 18, 4
grain_truth.SHAPES["ramp"] = lambda l: .5 + .5 * np.clip(l, 0, 1)
GRAIN = ("half", .03, ("gauss", .5), "ramp", .3)  # deviation .015 to .03 by brightness


def powers(frame, where):
    """Finest and fine, sample by sample."""
    frame = frame.astype(np.float32)
    return [part[where].ravel() ** 2 for part in (cv2.filter2D(frame, -1, SECOND), frame - cv2.GaussianBlur(frame, (0, 0), 2))]


def eight(frames):
    return [np.round(f * 255).astype(np.uint8) for f in frames]


def plate(path, blur):
    length = len(list(path.glob("*.jpg"))) or clips.length(path)
    frames = look_grain.read(path, max(0, min(length // 3, length - COUNT)), COUNT)
    height, width = frames[0].shape[:2]
    scale = min(1, 960 / width)
    frames = [cv2.resize(f, (int(width * scale), int(height * scale)), interpolation=cv2.INTER_AREA) for f in frames]
    return [cv2.GaussianBlur(f.astype(np.float32) / 255, (0, 0), blur) for f in frames]


def drawn(frame, number, width):
    """The frame with a dark line over it, and its matte."""
    height, across = frame.shape[:2]
    mask = np.zeros((height, across), np.uint8)
    at = int(.3 * across + 3 * number)
    cv2.line(mask, (at, -9), (at + across // 4, height + 9), 1, width)
    made = frame.copy()
    made[mask > 0] = .1
    return made, mask


def over(pictures, truth, where):
    """Ratios of the median and of the mean of finest, and of fine, over all frames."""
    out = []
    for band in (0, 1):
        made, true = (np.concatenate([powers(f, w)[band] for f, w in zip(frames, where)]) for frames in (pictures, truth))
        out += [np.median(made) / np.median(true), made.mean() / true.mean()]
    return np.array(out)


def calm(plates, truth, where):
    """The pixels of `where` about which the clean plate has a tenth of the grain's fine power at most."""
    out = []
    for p, t, w in zip(plates, truth, where):
        scene, noise = (cv2.GaussianBlur(((f - cv2.GaussianBlur(f, (0, 0), 2)) ** 2).sum(2), (0, 0), s)
                        for f, s in ((p.astype(np.float32) * 255, 3), (t.astype(np.float32) - p * 255, 8)))
        out.append(w & (scene < .1 * noise))
    return out


def scatter(plates, truth, where):
    found = [over(eight(grain_truth.lay(GRAIN, plates, 900 + i)), truth, where) for i in range(DRAWS)]
    return np.mean(found, 0), np.std(found, 0, ddof=1)


def fill(project, name, plates, blur, width):
    lined = [drawn(f, i, width) for i, f in enumerate(plates)]
    truth, shown = grain_truth.lay(GRAIN, plates, 1), grain_truth.lay(GRAIN, [f for f, _ in lined], 1)
    masks = [m for _, m in lined]
    for t, s, m in zip(truth, shown, masks):
        s[m == 0] = t[m == 0]
    clip = project.ingest(f"{name}_{blur}_{width}", eight(shown), training="denied")
    matte = project.mattes(f"{clip}_matte", masks)
    request = project.render(clip, (FIRST, LAST), settings={"matte": matte, "dilate": 0, "variants": "standard,grain"})
    chosen = range(FIRST, LAST + 1)
    made = {o.variant: [o.pictures[i] for i in chosen] for o in request.options if o.variant in ("standard", "grain")}
    return made, [plates[i] for i in chosen], eight([truth[i] for i in chosen]), [cv2.erode(masks[i], np.ones((3, 3))) > 0 for i in chosen]


def between(project, name, plates, blur):
    truth = eight(grain_truth.lay(GRAIN, plates, 1))
    left_out = [6, 9, 12]
    folder = project.folder / "footage" / f"{name}_{blur}_even"
    folder.mkdir(parents=True)
    for i, frame in enumerate(truth):
        if i not in left_out:
            cv2.imwrite(str(folder / f"f.{i:04d}.png"), frame[..., ::-1])
    clip, made = project.ingest_files(str(folder), f"{name}_{blur}_even", "rec709", "denied"), {}
    for grain in (0, 1):
        project.run("render", project.place, "--operation", "inbetween", "--clip", clip, "--frames", ",".join(map(str, left_out)), "--progress", "none",
                    "--set", f"grain={grain}", "--set", "variants=full")
        options = [o for o in json.loads(project.run("options", project.place, "--json")) if o["clip"] == clip and o["variant"] == "full"]
        made["grain" if grain else "standard"] = [wire_project.read_picture(f["picture"]) for f in options[-1]["frames"]]
    inside = np.zeros(truth[0].shape[:2], bool)
    inside[16:-16, 16:-16] = True
    return made, [plates[i] for i in left_out], [truth[i] for i in left_out], [inside] * len(left_out)


def row(label, made, plates, truth, where):
    quiet = calm(plates, truth, where)
    share = sum(w.sum() for w in quiet) / sum(w.sum() for w in where)
    for name, chosen in (("", where), (f", calm ({100 * share:.0f} %)", quiet)):
        mean, deviation = scatter(plates, truth, chosen)
        cells = [" / ".join(f"{x:.2f}" for x in over(made[v], truth, chosen)) if v in made else "" for v in ("standard", "grain")]
        print(f"| {label}{name} | {' | '.join(cells)} | " + " / ".join(f"{m:.2f} ± {d:.2f}" for m, d in zip(mean, deviation)) + " |", flush=True)


def sheet(path, rows):
    """The middle frame about the hole, three times as large: plate, without grain, with."""
    lines = []
    for made, truth, where in rows:
        y, x = (int(np.median(v)) for v in np.nonzero(where[len(where) // 2]))
        y, x = max(0, y - 40), max(0, x - 70)
        parts = [p[len(p) // 2][y:y + 80, x:x + 140] for p in (truth, *(made[v] for v in ("standard", "grain") if v in made))]
        lines.append(np.hstack([cv2.resize(p, None, fx=3, fy=3, interpolation=cv2.INTER_NEAREST) for p in parts]))
    cv2.imwrite(str(path), np.vstack(lines)[..., ::-1])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("footage", type=pathlib.Path)
    parser.add_argument("--clips", default="report")
    parser.add_argument("--suites", default="wires,inbetween")
    parser.add_argument("--blurs", default="1,3")
    parser.add_argument("--widths", default="9,3")
    parser.add_argument("--interpos", default=str(ROOT / "build/examples/interpos/interpos"))
    parser.add_argument("--sheet", type=pathlib.Path)
    arguments = parser.parse_args()
    found, rows = clips.find(arguments.footage), []
    names = [n for part in arguments.clips.split(",") for n in SETS.get(part, [part])]
    print("| case | without: finest median / mean, fine median / mean | with grain | scatter |\n|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        project = wire_project.Project(folder, arguments.interpos)
        for name in names:
            for blur in map(float, arguments.blurs.split(",")):
                plates = plate(found[name], blur)
                cases = [(f"{name}, {w} px, blur {blur:g}", fill, (w,)) for w in map(int, arguments.widths.split(","))] if "wires" in arguments.suites else []
                cases += [(f"{name}, in between, blur {blur:g}", between, ())] if "inbetween" in arguments.suites else []
                for label, work, more in cases:
                    made, clean, truth, where = work(project, name, plates, blur, *more)
                    row(label, made, clean, truth, where)
                    rows.append((made, truth, where))
    if arguments.sheet:
        sheet(arguments.sheet, rows)


if __name__ == "__main__":
    main()
