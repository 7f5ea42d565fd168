#!/usr/bin/python3
"""Changes put into takes found again, beside peers; real pairs for the eye; regions patched from another frame.

    look_report.py FOOTAGE TOOL [--suite simulated|real|patch|grain] [--set choose|report|all|any] [--clips NAMES] [--pairs N] [--seed N] [--sheets FOLDER]
                   [--require PRECISION RECALL]

FOOTAGE holds clips (clips.py); TOOL is the built report_tool.

simulated: a take is a frame of a clip framed otherwise (shift 2 %, turn .8 degrees, nearer or farther 2 %), re-exposed (.35 stops), white balance off by 8 %,
with noise and through JPEG 88; the reference is the same frame, with noise of its own and JPEG 88. In half of the pairs one to three changes are
put into the take before: a part of another clip, a part of the picture that moved, one that went (inpainted), light on a place. What cannot be seen
in the take as recorded, noise aside (CIEDE2000 under 2, or under 6 on average) need not be found. A region is right where three tenths of it lie on what was touched (or within 4 pixels), a change is
found where three tenths of it lie in regions. Peers get the same thresholds, morphology and sizes: mean gain alone; SIFT homography, mean gain, no mask
of clipped places.

grain: the grain of patches against that of the same place (patch_grain.py)."""

import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile

import cv2
import numpy as np

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import look_match as lm  # noqa: E402
import patch_grain  # noqa: E402
from report_pairs import KINDS, blob, mix, simulate  # noqa: E402

PART, NEAR = 0.3, 4


# ---- detectors: take, reference -> labels (0: none)

class Tool:
    def __init__(self, path):
        self.path, self.folder = path, tempfile.mkdtemp()

    def run(self, take, reference, *more):
        names, arguments = [os.path.join(self.folder, n) for n in ("take.raw", "reference.raw", "out.raw")], []
        for frames, name in ((take, names[0]), (reference, names[1])):
            np.stack([lm.to_linear(f.astype(np.float64)).astype(np.float32) for f in frames]).tofile(name)
            arguments += [str(frames[0].shape[1]), str(frames[0].shape[0]), name]
        if os.path.exists(names[2]):
            os.remove(names[2])
        done = subprocess.run([self.path, "report", "srgb", "1", "2", *arguments, names[2], *map(str, more)], capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(done.stderr)
        report = json.loads(done.stdout)
        w, h = report["map"]
        raw = np.fromfile(names[2], np.float32) if w and os.path.exists(names[2]) else np.zeros(0, np.float32)
        planes = raw[:3 * w * h].reshape(3, h, w) if raw.size else np.zeros((3, *take[0].shape[:2]), np.float32)
        return report, planes, raw[3 * w * h:].reshape(h, -1, 3) if raw.size else None

    def __call__(self, take, reference):
        self.report, planes, self.picture = self.run([take], [reference])
        return planes[2].astype(np.int32)


def thresholded(take, expected, inside):
    """The recipe's distance, level and morphology, for the peers."""
    a, e = (lm.lab(cv2.GaussianBlur(f.astype(np.float32), (0, 0), 1)).astype(np.float32) for f in (take, expected))
    d = np.min([np.linalg.norm(a - np.roll(e, (j, i), (0, 1)), axis=-1) for j in (-1, 0, 1) for i in (-1, 0, 1)], axis=0)
    d = cv2.GaussianBlur(d, (0, 0), 1.5)
    steep = np.sqrt(sum(cv2.Sobel(e[..., c], cv2.CV_32F, 1, 0, scale=1 / 8) ** 2 + cv2.Sobel(e[..., c], cv2.CV_32F, 0, 1, scale=1 / 8) ** 2 for c in range(3)))
    seen = d[inside]
    median = np.median(seen)
    level = median + 4 * (np.median(abs(seen - median)) + 0.3) + 0.25 * cv2.GaussianBlur(steep, (0, 0), 2)
    mask = ((d > level) & (d > 3) & inside).astype(np.uint8)
    mask = cv2.morphologyEx(cv2.morphologyEx(mask, cv2.MORPH_CLOSE, np.ones((9, 9))), cv2.MORPH_OPEN, np.ones((5, 5)))
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask)
    for i in range(1, count):
        if stats[i, cv2.CC_STAT_AREA] < 0.00015 * mask.size:
            labels[labels == i] = 0
    return labels


def matched(take, reference, inside):
    a, r = lm.to_linear(take.astype(np.float64)), lm.to_linear(reference.astype(np.float64))
    return lm.from_linear(r * a[inside].mean(0) / np.maximum(1e-4, r[inside].mean(0)))


def plain(take, reference):
    inside = np.ones(take.shape[:2], bool)
    return thresholded(take, matched(take, reference, inside), inside)


def sift(take, reference):
    grey = [(f @ np.float32([0.2126, 0.7152, 0.0722]) * 255).astype(np.uint8) for f in (reference, take)]
    finder = cv2.SIFT_create(2000)
    (ka, da), (kb, db) = (finder.detectAndCompute(g, None) for g in grey)
    pairs = [m for m, n in cv2.BFMatcher().knnMatch(da, db, k=2) if m.distance < 0.75 * n.distance] if da is not None and db is not None else []
    if len(pairs) < 10:
        return None
    h, _ = cv2.findHomography(np.float32([ka[p.queryIdx].pt for p in pairs]), np.float32([kb[p.trainIdx].pt for p in pairs]), cv2.RANSAC, 3)
    return h


def registered(take, reference):
    h = sift(take, reference)
    if h is None:
        return np.zeros(take.shape[:2], np.int32)
    size = (take.shape[1], take.shape[0])
    laid = cv2.warpPerspective(reference, h, size, flags=cv2.INTER_CUBIC)
    inside = cv2.erode(cv2.warpPerspective(np.ones(reference.shape[:2], np.uint8), h, size), np.ones((9, 9))) > 0
    return thresholded(take, matched(take, laid, inside), inside)


# ---- figures

class Score:
    def __init__(self):
        self.regions = self.right = self.truths = self.found = self.unchanged = self.clean = 0
        self.pixels = np.zeros(3)
        self.missed, self.kinds = {}, {}

    def add(self, labels, truths, touched, changed, kinds=None):
        exact = np.zeros(labels.shape, bool)
        for _, t in truths:
            exact |= t
        near = cv2.dilate(touched.astype(np.uint8), np.ones((2 * NEAR + 1, 2 * NEAR + 1))) > 0
        numbers = [n for n in np.unique(labels) if n]
        good = [n for n in numbers if near[labels == n].mean() >= PART]
        self.regions += len(numbers)
        self.right += len(good)
        for kind, t in truths:
            hit = (labels[t] > 0).mean() >= PART
            self.truths += 1
            self.found += hit
            if not hit:
                self.missed[kind] = self.missed.get(kind, 0) + 1
            if hit and kinds:
                n = np.bincount(labels[t])[1:].argmax()
                self.kinds.setdefault(kind, []).append(kinds[n])
        if not changed:
            self.unchanged += 1
            self.clean += not numbers
        if truths:
            self.pixels += [(labels[near] > 0).sum(), (labels > 0).sum(), (labels[exact] > 0).sum() / max(1, exact.sum())]
        return [n for n in numbers if n not in good]

    def text(self, changed):
        share = lambda a, b: a / b if b else float("nan")
        return (f"region precision {share(self.right, self.regions):.2f} ({self.right} of {self.regions}), recall {share(self.found, self.truths):.2f} ({self.found} of "
                f"{self.truths}), pixels {share(self.pixels[0], self.pixels[1]):.2f} / {share(self.pixels[2], changed):.2f}, unchanged pairs without a region "
                f"{self.clean} of {self.unchanged}" + (f", missed {self.missed}" if self.missed else ""))


def sheet(folder, name, picture):
    if folder and picture is not None:
        pathlib.Path(folder).mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(pathlib.Path(folder) / f"{name}.png"), (np.clip(picture, 0, 1) * 255 + 0.5).astype(np.uint8)[:, :, ::-1])


def outlined(picture, truths):
    """The true masks drawn white into the panel of the take."""
    if picture is None or not truths:
        return picture
    picture, w = picture.copy(), truths[0][1].shape[1]
    panel = np.ascontiguousarray(picture[:, w + 4:2 * w + 4])
    for _, t in truths:
        cv2.drawContours(panel, cv2.findContours(t.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)[0], -1, (1, 1, 1), 1)
    picture[:, w + 4:2 * w + 4] = panel
    return picture


def simulated_suite(tool, footage, takes, args):
    names = sorted(takes)
    frames = {n: [f for part in lm.parts(footage, takes[n]) for f in part] for n in names}
    detectors = {"ours": tool, "mean gain": plain, "homography + mean gain": registered}
    scores, changed, seconds, errors = {d: Score() for d in detectors}, 0, [], []
    for i in range(args.pairs):
        name = names[i % len(names)]
        rng = lm.seeded(f"{name} {i}", args.seed)
        frame = frames[name][int(rng.integers(len(frames[name])))]
        other = frames[names[(i + 1 + int(rng.integers(len(names) - 1))) % len(names)]][0] if len(names) > 1 else frame[::-1]
        kinds = list(rng.choice(KINDS, int(rng.integers(1, 4)))) if i // len(names) % 2 == 0 else []
        take, reference, truths, touched = simulate(frame, other, kinds, rng)
        changed += bool(truths)
        for d, detector in detectors.items():
            labels = detector(take, reference)
            if labels.shape != take.shape[:2]:
                labels = cv2.resize(labels.astype(np.float32), take.shape[1::-1], interpolation=cv2.INTER_NEAREST).astype(np.int32)
            named = [r["kind"] for r in tool.report["regions"]] if d == "ours" else None
            wrong = scores[d].add(labels, truths, touched, bool(kinds), named)
            if d == "ours":
                seconds.append(tool.report["seconds"])
                found = [(labels[t] > 0).mean() >= PART for _, t in truths]
                note = f"{name} {i} {'+'.join(kinds) or 'unchanged'}: {len(truths)} to find, {sum(found)} found, {len(wrong)} wrong"
                if "reason" in tool.report["reading"]:
                    note += "; " + tool.report["reading"]["reason"]
                if args.verbose or wrong or sum(found) < len(truths):
                    print(note, flush=True)
                if args.sheets and (args.verbose or wrong or sum(found) < len(truths)):
                    sheet(args.sheets, f"{args.set}_{i:03d}_{name}", outlined(tool.picture, truths))
    print(f"\n{args.set}: {args.pairs} pairs, {changed} of them changed; {np.median(seconds):.1f} s of processor a pair (median)")
    for d in detectors:
        print(f"{d}: {scores[d].text(changed)}")
    kinds = scores["ours"].kinds
    for kind in kinds:
        print(f"{kind} called " + ", ".join(f"{k} {kinds[kind].count(k)}" for k in sorted(set(kinds[kind]))))
    return scores["ours"]


# ---- real pairs: clip, frame of the take, frame of the reference; what a person sees differ is beside them

REAL = [("intel_person", 150, 60, "people"), ("intel_person", 640, 1300, "people"), ("sam2_coffee", 250, 20, "pouring hand, coffee"), ("sam2_dog", 270, 10, "woman and dog"),
        ("mdn_flower", 60, 50, "petals a little"), ("mdn_flower", 149, 0, "flower opened"), ("mdn_friday", 150, 20, "three people"), ("davis_bear", 30, 0, "bear, camera"),
        ("wire_wrv2", 20, 0, "stuntman, camera"), ("aot_market", 12, 0, "crowd, camera"), ("davis_lady_running", 12, 8, "runner, camera"), ("chaplin", 100, 60, "people"),
        ("light_frankfurt", 1, 0, "time of day"), ("light_frankfurt", 4, 3, "time of day"), ("light_stlouis", 1, 0, "time of day"), ("light_stlouis", 6, 4, "time of day"),
        ("tos_battle_a", 330, 320, "actor"), ("tos_battle_a", 340, 60, "another shot: no report")]


def real_suite(tool, footage, args):
    known = lm.clips.find(footage)
    for i, (clip, a, b, differs) in enumerate(REAL):
        if clip.startswith("light"):  # named, not numbered
            folder = pathlib.Path(footage) / clip
            files = sorted(p for p in folder.iterdir() if p.suffix.lower() in lm.clips.IMAGES)
            take, reference = (cv2.imread(str(files[k]))[:, :, ::-1].astype(np.float32) / 255 for k in (a, b))
        else:
            early, late = lm.pick(footage, clip, sorted((a, b)))
            take, reference = (late, early) if a > b else (early, late)
        report, planes, picture = tool.run([take], [reference])
        sheet(args.sheets, f"real_{i:02d}_{clip}", picture)
        found = "; ".join(f"{r['kind']} {r['box']} dE {r['mean']:.1f} ({r['certainty']:.1f})" for r in report["regions"][:5])
        print(f"{clip} {a} against {b} ({differs}), structure {report['structure']:.2f}: " + report["reading"].get("reason", f"{report['found']} regions, share {report['share']:.2f}, compared "
              f"{report['compared']:.2f}, exposure {report['exposure']:+.2f} stops, R/G {report['red']:.3f}, B/G {report['blue']:.3f}, contrast {report['contrast']:.2f}, "
              f"saturation {report['saturation']:.2f}, shift {report['shift'][0]:.1f},{report['shift'][1]:.1f}, {report['seconds']:.1f} s; {found}"), flush=True)


# ---- patches

def psnr(a, b, mask):
    return float(10 * np.log10(1 / max(1e-9, ((a - b)[mask] ** 2).mean())))


def still_place(target, donor, rng):
    """A blob where both show the same standing thing, and the homography that brings the donor over the target; None: there is none."""
    h, w = target.shape[:2]
    m = sift(target, donor)
    if m is None:
        return None
    laid = cv2.warpPerspective(donor, m, (w, h), flags=cv2.INTER_CUBIC)
    seen = cv2.warpPerspective(np.ones((h, w), np.float32), m, (w, h)) > 0.99
    d = cv2.GaussianBlur(lm.ciede2000(lm.lab(cv2.GaussianBlur(target, (0, 0), 2)), lm.lab(cv2.GaussianBlur(laid.clip(0, 1), (0, 0), 2))).astype(np.float32), (0, 0), 4)
    for _ in range(60):
        mask = blob(rng, h, w, w * rng.uniform(0.03, 0.08)) > 0.5
        ring = cv2.dilate(mask.astype(np.uint8), np.ones((25, 25))) > 0
        if mask.sum() > 400 and seen[ring].all() and d[ring].mean() < 3 and np.percentile(d[ring], 95) < 5 and target[ring].max(-1).mean() < 0.93:
            return mask
    return None


def spoiled(frame, mask, other):
    """The frame with something in front of the place."""
    source = cv2.resize(other, frame.shape[1::-1], interpolation=cv2.INTER_AREA)
    return mix(frame, source[::-1], cv2.erode(mask.astype(np.float32), np.ones((7, 7))))


def peers_of(target, donor, mask, box):
    m = sift_without(target, donor, mask)
    if m is None:
        return {}
    size = (target.shape[1], target.shape[0])
    laid = cv2.warpPerspective(donor, m, size, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE).clip(0, 1)
    x, y, w, h = cv2.boundingRect(mask.astype(np.uint8))
    out = {"copy": np.where(mask[..., None], laid, target)}
    hole = cv2.dilate(mask.astype(np.uint8), np.ones((7, 7))) * 255
    hole[:2] = hole[-2:] = 0
    hole[:, :2] = hole[:, -2:] = 0
    x, y, w, h = cv2.boundingRect(hole)
    eight = [(f * 255 + 0.5).astype(np.uint8) for f in (laid, target)]
    out["seamlessClone"] = cv2.seamlessClone(eight[0], eight[1], hole, (x + w // 2, y + h // 2), cv2.NORMAL_CLONE).astype(np.float32) / 255
    return out


def sift_without(target, donor, mask):
    masked = target.copy()
    masked[cv2.dilate(mask.astype(np.uint8), np.ones((9, 9))) > 0] = 0.5
    return sift(masked, donor)


def patch_once(tool, targets, donors, mask, words):
    names = [os.path.join(tool.folder, n) for n in ("target.raw", "donor.raw", "patched.raw", "matte.raw")]
    arguments = []
    for frames, name in ((targets, names[0]), (donors, names[1])):
        np.stack([lm.to_linear(f.astype(np.float64)).astype(np.float32) for f in frames]).tofile(name)
        arguments += [str(frames[0].shape[1]), str(frames[0].shape[0]), name]
    mask.astype(np.float32).tofile(names[3])
    done = subprocess.run([tool.path, "patch", "srgb", "1", "2", *arguments, names[2], "2", "2", names[3], *words], capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(done.stderr)
    h, w = mask.shape
    raw = np.fromfile(names[2], np.float32)
    return json.loads(done.stdout), raw[:3 * w * h].reshape(h, w, 3), raw[3 * w * h:].reshape(2, h, w)


def variance(a, smooth=1.5):
    """Of what is finer than a blur."""
    return a - cv2.GaussianBlur(a, (0, 0), smooth)


def patch_suite(tool, footage, takes, args):
    rows, names = [], sorted(takes)
    for i in range(args.pairs):
        clip, first, count = takes[names[i % len(names)]]
        rng = lm.seeded(f"patch {clip} {i}", args.seed)
        apart = int(rng.integers(4, 12))
        if count < apart + 6:
            apart = count - 6
        at = first + 2 + int(rng.integers(0, max(1, count - apart - 5)))
        frames = lm.pick(footage, clip, list(range(at - 2, at + 3)) + list(range(at + apart - 2, at + apart + 3)) if apart > 4 else list(range(at - 2, at + apart + 3)))
        targets, donors = frames[:5], frames[-5:]
        truth, relit = targets[2], i // len(names) % 2 == 1
        mask = still_place(truth, donors[2], rng)
        if mask is None:
            continue
        gain = 2 ** rng.uniform(-0.35, 0.35) * np.array([1 + rng.uniform(-0.08, 0.08), 1, 1 + rng.uniform(-0.08, 0.08)]) if relit else 1
        donors = [lm.eight(lm.from_linear(lm.to_linear(f.astype(np.float64)) * gain)) for f in donors]
        other = lm.pick(footage, takes[names[(i + 1) % len(names)]][0], [takes[names[(i + 1) % len(names)]][1]])[0]
        targets[2] = spoiled(truth, mask, other)
        ours, quiet = patch_once(tool, targets, donors, mask, []), patch_once(tool, targets, donors, mask, ["keep-grain"])
        results = {"ours": quiet[1], "ours with grain": ours[1], **peers_of(targets[2], donors[2], mask, None)}
        row = {"clip": clip, "relit": relit, "exact": ours[0]["touched_outside"] == 0, "share": ours[0]["share"], "confidence": ours[0]["reading"]["confidence"],
               "seconds": ours[0]["seconds"], **{k: psnr(np.clip(v, 0, 1), truth, mask) for k, v in results.items()}}
        if args.verbose:
            print(ours[0])
        inner = cv2.erode(mask.astype(np.uint8), np.ones((5, 5))) > 0
        row["fine"] = float(np.var(variance(ours[1])[inner]) / max(1e-9, np.var(variance(truth)[inner])))
        row["fine quiet"] = float(np.var(variance(quiet[1])[inner]) / max(1e-9, np.var(variance(truth)[inner])))
        rows.append(row)
        print(f"{clip} {at} from {at + apart}{' relit' if relit else ''}: " + ", ".join(f"{k} {row[k]:.1f}" for k in results) +
              f" dB; fine variance {row['fine quiet']:.2f} > {row['fine']:.2f}, taken {row['share']:.2f}, confidence {row['confidence']:.2f}, {row['seconds']:.1f} s" +
              ("" if row["exact"] else "; NOT EXACT OUTSIDE") + ("; " + ours[0]["reading"]["reason"] if "reason" in ours[0]["reading"] else ""), flush=True)
        x, y, w, h = cv2.boundingRect(mask.astype(np.uint8))
        x0, y0, x1, y1 = max(0, x - 50), max(0, y - 50), x + w + 50, y + h + 50
        cut = [f[y0:y1, x0:x1] for f in (targets[2], truth, results["ours"], results["ours with grain"], *[results[k] for k in ("copy", "seamlessClone") if k in results])]
        sheet(args.sheets, f"patch_{args.set}_{i:02d}_{clip}", np.concatenate([cv2.resize(c, None, fx=2, fy=2, interpolation=cv2.INTER_NEAREST) for c in cut], 1))
    for relit in (False, True):
        part = [r for r in rows if r["relit"] == relit and "copy" in r]
        if part:
            print(f"{'relit' if relit else 'as it was'}, {len(part)}: " + ", ".join(f"{k} {np.median([r[k] for r in part]):.2f}" for k in
                  ("ours", "ours with grain", "copy", "seamlessClone")) + f" dB (medians); better than both peers in {sum(r['ours'] > max(r['copy'], r['seamlessClone']) for r in part)}; "
                  f"fine variance over truth {np.median([r['fine quiet'] for r in part]):.2f} > {np.median([r['fine'] for r in part]):.2f}")
    print(f"exact outside in {sum(r['exact'] for r in rows)} of {len(rows)}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("footage")
    parser.add_argument("tool")
    parser.add_argument("--suite", choices=("simulated", "real", "patch", "grain"), default="simulated")
    parser.add_argument("--set", choices=("choose", "report", "all", "any"), default="report", help="any: every clip of the folder")
    parser.add_argument("--clips", help="with --set any, and in the suite grain: only these, by comma")
    parser.add_argument("--pairs", type=int, default=42)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--sheets", help="folder for pictures of what went wrong (simulated, with --verbose all) or of all (real, patch)")
    parser.add_argument("--verbose", action="store_true")
    parser.add_argument("--require", type=float, nargs=2, metavar=("PRECISION", "RECALL"))
    args = parser.parse_args()
    tool = Tool(args.tool)
    takes = {"choose": lm.CHOOSE, "report": lm.REPORT, "all": {**lm.CHOOSE, **lm.REPORT}}.get(args.set)
    if takes is None:
        found = lm.clips.find(args.footage, args.clips.split(",") if args.clips else None)
        takes = {n: (n, 0, lm.clips.length(p)) for n, p in found.items()}
    if args.suite == "real":
        return real_suite(tool, args.footage, args)
    if args.suite == "grain":
        known = {"choose": patch_grain.CHOOSE, "report": patch_grain.REPORT, "all": {**patch_grain.CHOOSE, **patch_grain.REPORT}}.get(args.set, takes)
        known = {n: t for n, t in known.items() if not args.clips or n in args.clips.split(",")}
        return patch_grain.suite(sys.modules[__name__], tool, args.footage, known, args)
    if args.suite == "patch":
        return patch_suite(tool, args.footage, takes, args)
    score = simulated_suite(tool, args.footage, takes, args)
    if args.require and (score.right < args.require[0] * score.regions or score.found < args.require[1] * score.truths):
        raise SystemExit(f"below the required {args.require}")


if __name__ == "__main__":
    main()
