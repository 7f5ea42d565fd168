"""Takes with changes of known place, made from one frame, for look_report.py."""

import pathlib
import sys

import cv2
import numpy as np

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import look_match as lm  # noqa: E402

VISIBLE = 6.0
KINDS = ("pasted", "moved", "gone", "light")


def blob(rng, h, w, radius):
    """A mask with a wavy outline, about radius pixels from its middle to its border."""
    cy, cx = rng.uniform(0.18, 0.82) * h, rng.uniform(0.18, 0.82) * w
    y, x = np.mgrid[0:h, 0:w]
    angle, stretch = np.arctan2(y - cy, x - cx), rng.uniform(0.7, 1.4)
    wave = 1 + sum(rng.uniform(-0.16, 0.16) * np.cos(k * angle + rng.uniform(0, 6.28)) for k in (2, 3, 5))
    return (np.hypot((y - cy) * stretch, (x - cx) / stretch) < radius * wave).astype(np.float32)


def moved(mask, image, dx, dy):
    m = np.float32([[1, 0, dx], [0, 1, dy]])
    size = (mask.shape[1], mask.shape[0])
    return cv2.warpAffine(mask, m, size), cv2.warpAffine(image, m, size, borderMode=cv2.BORDER_REFLECT)


def inpainted(frame, mask):
    hole = cv2.dilate((mask > 0.02).astype(np.uint8), np.ones((3, 3), np.uint8))
    return cv2.inpaint((frame * 255 + 0.5).astype(np.uint8), hole, 5, cv2.INPAINT_TELEA).astype(np.float32) / 255


def mix(a, b, mask):
    soft = cv2.GaussianBlur(mask, (0, 0), 0.8)[..., None]
    return a + soft * (b - a)


def put(kind, frame, other, rng):
    """The frame with a change, and the masks of the places that changed."""
    h, w = frame.shape[:2]
    mask = blob(rng, h, w, w * rng.uniform(0.025, 0.075))
    if kind == "pasted":
        source = cv2.resize(other, (w, h), interpolation=cv2.INTER_AREA)
        return mix(frame, np.roll(source, (int(rng.integers(0, h)), int(rng.integers(0, w))), (0, 1)), mask), [mask]
    if kind == "moved":
        length, angle = w * rng.uniform(0.02, 0.2), rng.uniform(0, 6.28)
        there, picture = moved(mask, frame, length * np.cos(angle), length * np.sin(angle))
        return mix(mix(frame, inpainted(frame, mask), mask), picture, there), [np.maximum(mask, there)] if (mask * there).any() else [mask, there]
    if kind == "gone":
        return mix(frame, inpainted(frame, mask), mask), [mask]
    wide = blob(rng, h, w, w * rng.uniform(0.06, 0.14))
    soft = cv2.GaussianBlur(wide, (0, 0), w * 0.02)[..., None]
    gain = rng.uniform(1.35, 1.8) if rng.random() < 0.5 else rng.uniform(0.55, 0.75)
    return lm.from_linear(np.minimum(1, lm.to_linear(frame) * (1 + soft * (gain - 1)))).astype(np.float32), [None]


def difference(before, after):
    return lm.ciede2000(*(lm.lab(cv2.GaussianBlur(np.clip(f, 0, 1).astype(np.float32), (0, 0), 1)) for f in (before, after)))


def visible(d, mask):
    """The part of a change that can be seen, or None."""
    seen = d > 2 if mask is None else (mask > 0.5) & (cv2.morphologyEx((d > 2).astype(np.uint8), cv2.MORPH_CLOSE, np.ones((9, 9))) > 0)
    return seen if seen.sum() > 200 and d[seen].mean() >= VISIBLE else None


def jpeg(frame):
    code = cv2.imencode(".jpg", (np.clip(frame, 0, 1) * 255 + 0.5).astype(np.uint8)[:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, 88])[1]
    return cv2.imdecode(code, 1)[:, :, ::-1].astype(np.float32) / 255


def camera(rng, w, h):
    m = cv2.getRotationMatrix2D((w / 2, h / 2), rng.uniform(-0.8, 0.8), 1.06 * rng.uniform(0.98, 1.02))
    m[:, 2] += rng.uniform(-0.02, 0.02, 2) * w
    return m


def simulate(frame, other, kinds, rng):
    """take, reference, [(kind, mask in the take)] of what can be seen, mask of all that was touched."""
    h, w = frame.shape[:2]
    changed, masks, touched = frame, [], np.zeros((h, w), np.float32)
    for kind in kinds:
        for _ in range(8):  # until it can be seen
            after, places = put(kind, changed, other, rng)
            after = np.clip(after, 0, 1)
            d = difference(changed, after)
            if any(visible(d, m) is not None for m in places):
                break
        masks += [(kind, m if m is not None else (d > 2).astype(np.float32)) for m in places]
        touched = np.maximum(touched, (abs(after - changed).max(-1) > 0.004).astype(np.float32))
        changed = after
    m = camera(rng, w, h)
    gain = 2 ** rng.uniform(-0.35, 0.35) * np.array([1 + rng.uniform(-0.08, 0.08), 1, 1 + rng.uniform(-0.08, 0.08)])
    recorded = lambda f: lm.from_linear(lm.to_linear(cv2.warpAffine(f, m, (w, h), flags=cv2.INTER_CUBIC).clip(0, 1).astype(np.float64)) * gain)
    take, d = recorded(changed), difference(recorded(frame), recorded(changed))
    reference = cv2.warpAffine(frame, cv2.getRotationMatrix2D((w / 2, h / 2), 0, 1.06), (w, h), flags=cv2.INTER_CUBIC)
    sigma = rng.uniform(0.004, 0.015)
    take, reference = (jpeg(f + rng.normal(0, sigma, f.shape)) for f in (take, reference))
    truths = [(k, visible(d, cv2.warpAffine(t, m, (w, h)))) for k, t in masks]
    return take, reference, [(k, t) for k, t in truths if t is not None], cv2.warpAffine(touched, m, (w, h)) > 0.5
