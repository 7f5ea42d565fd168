"""What `wires` is measured against, on 8-bit RGB frames and 0/1 masks: OpenCV's Telea and Navier-Stokes inpainting, radius 3, and
the temporal weighted mean of shared/design/wires.md, section 5.3, over OpenCV's DIS flow.

OpenCV inpaints 8-bit three-channel pictures; of float it takes single channels only, which float_inpaint does one at a time.
"""

import cv2
import numpy as np

REACH = (-7, -5, -3, -2, -1, 1, 2, 3, 5, 7)


def telea(frame, mask, radius=3):
    return cv2.inpaint(frame, mask, radius, cv2.INPAINT_TELEA)


def navier_stokes(frame, mask, radius=3):
    return cv2.inpaint(frame, mask, radius, cv2.INPAINT_NS)


def float_inpaint(frame, mask, method, radius=3):
    """The same on float32 values, channel by channel: what cv2.inpaint does with CV_32FC1. Its Telea adds the .5 that rounds integers
    to floats as well, so values are made large first."""
    made = np.dstack([cv2.inpaint(np.ascontiguousarray(frame[..., c] * np.float32(2 ** 16)), mask, radius, method) for c in range(frame.shape[2])])
    return np.where(mask[..., None] > 0, made / np.float32(2 ** 16), frame)


def spread(values, weight, sigma):
    """Normalised convolution: what lies in the hole from what lies around it, and how much of that there was."""
    size = (0, 0)
    total = cv2.GaussianBlur(weight, size, sigma)
    sums = cv2.GaussianBlur(values * (weight if values.ndim == 2 else weight[..., None]), size, sigma)
    return sums / np.maximum(total if values.ndim == 2 else total[..., None], 1e-6), total


def hole_flow(a, b, mask, dis=None):
    """DIS medium, finest scale 0, between two prefilled frames; inside the grown mask from the flow around it."""
    dis = dis or fine_dis()
    flow = dis.calc(cv2.cvtColor(a, cv2.COLOR_RGB2GRAY), cv2.cvtColor(b, cv2.COLOR_RGB2GRAY), None)
    hole = cv2.dilate(mask, np.ones((3, 3), np.uint8))
    known = 1 - hole.astype(np.float32)
    near, total = spread(flow, known, 2.5)
    far, _ = spread(flow, known, 8)
    return np.where(hole[..., None] > 0, np.where(total[..., None] > 1e-3, near, far), flow)


def fine_dis():
    dis = cv2.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    dis.setFinestScale(0)
    return dis


def _window(mask, margin):
    ys, xs = np.nonzero(mask)
    return slice(max(0, ys.min() - margin), ys.max() + margin + 1), slice(max(0, xs.min() - margin), xs.max() + margin + 1)


def temporal_mean(frames, masks, only=None):
    """Every frame's hole from its neighbours t+-{1,2,3,5,7}, moved onto it, corrected by a membrane, weighted by how well they fit
    around the hole; Telea where nothing is seen. `only`: the frame numbers to make; default all."""
    prefilled = [telea(f, m) if m.any() else f for f, m in zip(frames, masks)]
    dis, height, width = fine_dis(), frames[0].shape[0], frames[0].shape[1]
    ys, xs = np.mgrid[0:height, 0:width].astype(np.float32)
    made = []
    for t in range(len(frames)) if only is None else only:
        if not masks[t].any():
            made.append(frames[t].copy())
            continue
        box = _window(masks[t], 24)
        here, hole = frames[t][box].astype(np.float32), masks[t][box] > 0
        grown = cv2.dilate(masks[t][box], np.ones((3, 3), np.uint8)) > 0
        samples, errors, valid = [], [], []
        for step in REACH:
            if not 0 <= t + step < len(frames):
                continue
            flow = hole_flow(prefilled[t], prefilled[t + step], masks[t], dis)[box]
            x, y = xs[box] + flow[..., 0], ys[box] + flow[..., 1]
            moved = cv2.remap(frames[t + step], x, y, cv2.INTER_LANCZOS4, borderMode=cv2.BORDER_REPLICATE).astype(np.float32)
            blocked = cv2.remap(cv2.dilate(masks[t + step], np.ones((3, 3), np.uint8)) * np.float32(1), x, y, cv2.INTER_LINEAR,
                                borderMode=cv2.BORDER_CONSTANT, borderValue=1) > 1e-3
            ok = ~blocked & (x >= 0) & (y >= 0) & (x <= width - 1) & (y <= height - 1)
            ring = (ok & ~grown).astype(np.float32)
            difference = here - moved
            membrane, around = spread(difference, ring, 4)
            misfit, near = spread((((difference - membrane) ** 2).mean(2)).astype(np.float32), ring, 3)
            level, _ = spread((membrane ** 2).mean(2).astype(np.float32), ring, 3)
            error = np.sqrt(misfit + .25 * level) + 20 * (near < 1e-4)
            samples.append(moved + membrane * (around > 1e-4)[..., None])
            errors.append(error)
            valid.append(ok)
        out = frames[t].copy()
        if samples:
            errors, valid = np.stack(errors), np.stack(valid)
            best = np.where(valid, errors, 1e9).min(0)
            weights = valid * np.exp(-((errors - best) / np.maximum(.5 * best + 1, 1)) ** 2)
            total = weights.sum(0)
            mean = (np.stack(samples) * weights[..., None]).sum(0) / np.maximum(total, 1e-9)[..., None]
            fill = np.where((total > 0)[..., None], np.clip(np.rint(mean), 0, 255).astype(np.uint8), prefilled[t][box])
            view = out[box]
            view[hole] = fill[hole]
        else:
            out[masks[t] > 0] = prefilled[t][masks[t] > 0]
        made.append(out)
    return made


def fills(frames, masks, wanted=("Telea r3", "NS r3", "temporal mean"), only=None):
    """{name: filled frames} of the peers asked for."""
    numbers = list(range(len(frames)) if only is None else only)
    made = {}
    for name, method in (("Telea r3", telea), ("NS r3", navier_stokes)):
        if name in wanted:
            made[name] = [method(frames[t], masks[t]) if masks[t].any() else frames[t].copy() for t in numbers]
    if "temporal mean" in wanted:
        made["temporal mean"] = temporal_mean(frames, masks, numbers)
    return made


def held_strokes(frames, strokes):
    """Every stroke's curve left where it was drawn: a {frame: Nx2} each."""
    return [{t: np.array(s["points"], float) for t in range(len(frames))} for s in strokes]


def carried_strokes(frames, strokes):
    """Every stroke's points carried through the shot by DIS flow, frame by frame, both ways: a {frame: Nx2} each."""
    made, dis, flows = [], fine_dis(), {}
    grey = [cv2.cvtColor(f, cv2.COLOR_RGB2GRAY) for f in frames]
    height, width = grey[0].shape
    for stroke in strokes:
        points = np.array(stroke["points"], float)
        length = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(points, axis=0), axis=1))])
        at = np.linspace(0, length[-1], max(2, int(length[-1] / 6)))
        start = np.stack([np.interp(at, length, points[:, i]) for i in (0, 1)], 1)
        path = {stroke["frame"]: start}
        for way in (1, -1):
            t, points = stroke["frame"], start
            while 0 <= t + way < len(frames):
                if (t, way) not in flows:
                    flows[t, way] = dis.calc(grey[t], grey[t + way], None)
                x, y = np.clip(points, 0, [width - 1, height - 1]).astype(int).T
                points = points + flows[t, way][y, x]
                t += way
                path[t] = points
        made.append(path)
    return made


def drawn_matte(curves, widths, shape):
    """0/1 matte of curves of these widths on one frame."""
    made = np.zeros(shape, np.uint8)
    for curve, width in zip(curves, widths):
        cv2.polylines(made, [np.round((np.asarray(curve) - .5) * 16).astype(np.int32).reshape(-1, 1, 2)], False, 1, max(1, round(width)), cv2.LINE_8, 4)
    return made
