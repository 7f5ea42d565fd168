"""Grain of patches on footage with grain of its own: what was carried over against the same place of the frame itself.

A place where nothing moved is covered and patched from a frame some way off, as shot, and from another take: the clip at half its size, the donor's pixels
half a pixel further right and down, which costs interpolation the most. Both takes then have the camera's own grain, each its own. Truth is the frame before it was covered: same place,
same detail; the donor's nearest pixels, unfiltered, show what a codec made of its frame. Power is summed over calm pixels (the lower half of the truth's blurred gradients) of the matte less three pixels, over all places of a clip."""

import cv2
import numpy as np

import clips
import look_match as lm

# name: clip, first frame, frames. What the patch does was chosen on the first set.
CHOOSE = {"friday": ("mdn_friday", 0, 185), "bear": ("davis_bear", 0, 82)}
REPORT = {"chaplin": ("chaplin", 0, 241), "person": ("intel_person", 0, 500), "lady": ("davis_lady_running", 0, 36), "glider": ("davis_paragliding_launch", 0, 80),
          "coffee": ("sam2_coffee", 0, 287), "dog": ("sam2_dog", 0, 289)}
SECOND = np.outer([1, -2, 1], [1, -2, 1]).astype(np.float32)  # Immerkaer's
LEVELS = ((0, .33), (.33, .66), (.66, 1.01))


def bands(frame):
    """Second differences; what is finer than 1.5 pixels; from there to 4 pixels."""
    near, far = (cv2.GaussianBlur(frame, (0, 0), s) for s in (1.5, 4))
    return cv2.filter2D(frame, -1, SECOND), frame - near, near - far


def luma(frame):
    return frame @ np.float32([.2126, .7152, .0722])


def calm(truth, mask):
    soft = cv2.GaussianBlur(luma(truth), (0, 0), 2)
    steep = np.hypot(cv2.Sobel(soft, cv2.CV_32F, 1, 0), cv2.Sobel(soft, cv2.CV_32F, 0, 1))
    inner = cv2.erode(mask.astype(np.uint8), np.ones((7, 7))) > 0
    return inner & (steep <= np.median(steep[inner])) if inner.any() else inner


class Sums:
    """Of power by band, and of the finest by brightness."""

    def __init__(self):
        self.bands, self.levels, self.count = np.zeros(3), np.zeros(len(LEVELS)), 0

    def add(self, frame, truth, where):
        level = luma(cv2.GaussianBlur(truth, (0, 0), 3))
        found = [(b ** 2).sum(-1) for b in bands(frame)]
        self.bands += [f[where].sum() for f in found]
        self.levels += [found[0][where & (level >= a) & (level < b)].sum() for a, b in LEVELS]
        self.count += where.sum()


def half(frames, by):
    """Means of 2x2 pixels from (by, by) on."""
    h, w = ((v - by) // 2 * 2 for v in frames[0].shape[:2])
    return [lm.eight(cv2.resize(f[by:by + h, by:by + w], (w // 2, h // 2), interpolation=cv2.INTER_AREA)) for f in frames]


def read(path, first, count):
    return [f.astype(np.float32) / 255 for f in clips.frames(path, first, count)]


def places(footage, take, pairs, rng):
    """Five frames of the target's and five of the donor's, so many times."""
    clip, first, count = take
    path = clips.find(footage, [clip])[clip]
    for _ in range(pairs):
        apart = min(int(rng.integers(5, 12)), count - 6)
        at = first + int(rng.integers(0, count - apart - 4))
        frames = read(path, at, apart + 5)
        yield frames[:5], frames[apart:apart + 5]


def one(tool, report, targets, donors, rng, sums):
    h, w = targets[2].shape[:2]
    targets, donors = ([f[:min(h, d.shape[0]), :min(w, d.shape[1])] for f in fs] for fs, d in ((targets, donors[2]), (donors, targets[2])))
    truth = targets[2]
    mask = report.still_place(truth, donors[2], rng)
    where = calm(truth, mask) if mask is not None else None
    if where is None or where.sum() < 100:
        return None
    m = report.sift(truth, donors[2])
    laid = cv2.warpPerspective(donors[2], m, truth.shape[1::-1], flags=cv2.INTER_NEAREST)
    targets = [*targets[:2], report.spoiled(truth, mask, truth[::-1, ::-1].copy()), *targets[3:]]
    made = {name: report.patch_once(tool, targets, donors, mask, words) for name, words in (("quiet", ["keep-grain"]), ("ours", []))}
    for name, frame in (("truth", truth), ("donor", laid), *((k, v[1]) for k, v in made.items())):
        sums[name].add(frame.astype(np.float32), truth, where)
    return made["ours"][0]


def ratios(a, b):
    return " / ".join("-" if q < 1e-9 else f"{p / q:.2f}" for p, q in zip(a, b))


def suite(report, tool, footage, takes, args):
    print("| clip | donor | places | deviation (8-bit code) | the donor's own pixels: finest / fine / coarse | without: finest / fine / coarse | with | with, finest, dark / middle / bright | measured in |\n" + "|---" * 9 + "|")
    for name, take in takes.items():
        for kind in ("as shot", "half a pixel off"):
            rng, sums, notes = lm.seeded(f"grain {name} {kind}", args.seed), {k: Sums() for k in ("truth", "donor", "quiet", "ours")}, []
            for targets, donors in places(footage, take, args.pairs, rng):
                if kind != "as shot":
                    targets, donors = half(targets, 0), half(donors, 1)
                note = one(tool, report, targets, donors, rng, sums)
                notes += [note] if note else []
            t, d, q, o = (sums[k] for k in ("truth", "donor", "quiet", "ours"))
            if args.verbose:
                print(*notes, sep="\n")
            measured = sum("reason" not in n["regrain"] for n in notes)
            print(f"| {name} | {kind} | {len(notes)} | {255 * np.sqrt(t.bands[0] / max(1, 3 * t.count) / 36):.2f} | {ratios(d.bands, t.bands)} | {ratios(q.bands, t.bands)} | {ratios(o.bands, t.bands)} | "
                  f"{ratios(o.levels, t.levels)} | {measured} |", flush=True)
