"""Figures for wire removal (8-bit RGB frames, masks 0/1, mattes 0..1): inside the matte, over time, and of lines."""

import cv2
import numpy as np

import scores
import wire_peers

SQUARE = np.ones((3, 3), np.uint8)


def grow(mask, pixels):
    """The mask grown by a round brush of this radius."""
    if pixels <= 0:
        return np.asarray(mask, np.uint8)
    size = 2 * int(pixels) + 1
    return cv2.dilate(np.asarray(mask, np.uint8), cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size)))


def psnr(made, true, mask, peak=255.):
    """PSNR in dB over the masked pixels and all channels, at most 100; None without any."""
    where = mask > 0
    if not where.any():
        return None
    error = np.mean((made[where].astype(np.float64) - true[where]) ** 2)
    return float(min(100, 10 * np.log10(peak ** 2 / max(error, 1e-12))))


def ssim(made, true, mask):
    """Mean over the mask of the luma's structural similarity."""
    each = scores.ssim_map(made, true)
    return float(each[mask > 0].mean()) if (mask > 0).any() else None


def changed_outside(made, before, mask):
    """How many pixels outside the mask are not bit for bit what they were."""
    return int((np.any(made != before, axis=2) & (mask == 0)).sum())


def _next_onto(frame, flow):
    height, width = flow.shape[:2]
    ys, xs = np.mgrid[0:height, 0:width].astype(np.float32)
    inside = (xs + flow[..., 0] >= 0) & (ys + flow[..., 1] >= 0) & (xs + flow[..., 0] <= width - 1) & (ys + flow[..., 1] <= height - 1)
    return cv2.remap(frame, xs + flow[..., 0], ys + flow[..., 1], cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE).astype(np.float32), inside


class Flicker:
    """mean |R_t - warp(R_t+1)| in the mask of t along the clean plates' DIS flow, pixels where the plate itself fails by over 12 levels
    left out; `ratio` is that over the plates' own (1: nothing added). Flows are found once and serve all methods."""

    def __init__(self, plates, masks):
        dis, self.plates = wire_peers.fine_dis(), plates
        grey = [cv2.cvtColor(p, cv2.COLOR_RGB2GRAY) for p in plates]
        self.flows = [dis.calc(a, b, None).astype(np.float16) for a, b in zip(grey, grey[1:])]
        self.use = []
        for t, flow in enumerate(self.flows):
            after, inside = _next_onto(plates[t + 1], flow.astype(np.float32))
            self.use.append((np.abs(plates[t] - after).mean(2) <= 12) & inside & (masks[t] > 0))
        self.own = self.level(plates)

    def level(self, frames):
        sums, count = 0., 0
        for t, flow in enumerate(self.flows):
            where = self.use[t]
            if where.any():
                after, _ = _next_onto(frames[t + 1], flow.astype(np.float32))
                sums, count = sums + float(np.abs(frames[t] - after).mean(2)[where].sum()), count + int(where.sum())
        return sums / count if count else 0.

    def ratio(self, frames):
        return self.level(frames) / max(self.own, 1e-6)


class FlickerBeside:
    """For shots without a clean plate: the same difference in the mask over that in a ring 4..14 px beside it, both along the flow of
    the Telea-prefilled plates with the hole's flow taken from around it, the same for every method."""

    def __init__(self, before, masks):
        prefilled, dis = [wire_peers.telea(f, m) for f, m in zip(before, masks)], wire_peers.fine_dis()
        self.flows = [wire_peers.hole_flow(a, b, m, dis).astype(np.float32) for a, b, m in zip(prefilled, prefilled[1:], masks)]
        self.holes = [m > 0 for m in masks]
        self.rings = [(grow(m, 14) > 0) & (grow(m, 4) == 0) for m in masks]

    def ratio(self, frames):
        sums = np.zeros(4)
        for t, flow in enumerate(self.flows):
            after, there = _next_onto(frames[t + 1], flow)
            difference = np.abs(frames[t] - after).mean(2)
            there &= difference <= 60
            for at, where in ((0, self.holes[t] & there), (2, self.rings[t] & there)):
                sums[at:at + 2] += difference[where].sum(), where.sum()
        return float(sums[0] / max(1, sums[1]) / max(1e-6, sums[2] / max(1, sums[3])))


def counts(matte, alpha, difference, over=.3, tolerance=1):
    """Of one frame: flagged pixels right, flagged wrong, wire pixels found, missed. A wire pixel has alpha >= .25 and differs from the
    plate by 4 levels; alpha over .02 or not visible: does not matter."""
    flagged = matte > over
    wire = (alpha >= .25) & (difference >= 4)
    ignore = (alpha > .02) & ~wire
    near = grow(wire, tolerance) > 0
    return np.array([(flagged & near).sum(), (flagged & ~near & ~ignore).sum(), (wire & (grow(flagged, tolerance) > 0)).sum(),
                     (wire & (grow(flagged, tolerance) == 0)).sum()], float)


def f1(sums):
    """Precision, recall and F1 of summed counts."""
    right, wrong, found, missed = sums
    precision, recall = right / max(1, right + wrong), found / max(1, found + missed)
    return precision, recall, 2 * precision * recall / max(1e-9, precision + recall)


def line_counts(matte, curves, widths, shape, over=.3):
    """Per wire, whether or not it is visible: points of its true centre line within 1 px of our matte, and of flagged pixels nearest
    to that wire those within max(1, width / 2 + 1.5) px of it: [found, missed, right, wrong] each."""
    flagged = matte > over
    near = cv2.distanceTransform((~flagged).astype(np.uint8), cv2.DIST_L2, 5) if flagged.any() else np.full(shape, 1e3, np.float32)
    away = []
    for curve in curves:
        canvas = np.full(shape, 255, np.uint8)
        cv2.polylines(canvas, [np.round((curve - .5) * 16).astype(np.int32).reshape(-1, 1, 2)], False, 0, 1, cv2.LINE_8, 4)
        away.append(cv2.distanceTransform(canvas, cv2.DIST_L2, 5) if (canvas == 0).any() else np.full(shape, 1e3, np.float32))
    owner, made = np.argmin(away, axis=0), []
    for index, (curve, width) in enumerate(zip(curves, widths)):
        inside = (curve[:, 0] >= 0) & (curve[:, 1] >= 0) & (curve[:, 0] < shape[1]) & (curve[:, 1] < shape[0])
        at = curve[inside].astype(int)
        hit = near[at[:, 1], at[:, 0]] <= 1.01
        mine = flagged & (owner == index)
        right = (mine & (away[index] <= max(1, width / 2 + 1.5))).sum()
        made.append(np.array([hit.sum(), (~hit).sum(), right, mine.sum() - right], float))
    return made


def skeleton(mask):
    """One pixel wide centre lines of a mask (Zhang and Suen 1984)."""
    image = np.pad((np.asarray(mask) > 0).astype(np.uint8), 1)
    while True:
        before = image.sum()
        for turn in (0, 1):
            ring = [image[:-2, 1:-1], image[:-2, 2:], image[1:-1, 2:], image[2:, 2:], image[2:, 1:-1], image[2:, :-2], image[1:-1, :-2],
                    image[:-2, :-2]]
            total = sum(ring)
            rises = sum((a < b).astype(np.uint8) for a, b in zip(ring, ring[1:] + ring[:1]))
            north, east, south, west = ring[0], ring[2], ring[4], ring[6]
            first, second = (north * east * south, east * south * west) if turn == 0 else (north * east * west, north * south * west)
            gone = (image[1:-1, 1:-1] == 1) & (total >= 2) & (total <= 6) & (rises == 1) & (first == 0) & (second == 0)
            image[1:-1, 1:-1][gone] = 0
        if image.sum() == before:
            return image[1:-1, 1:-1]


def line_match(ours, truth, tolerance=3):
    """[centre-line pixels of the truth within `tolerance` of ours, their number, our pixels within the truth grown by it, our number]."""
    centre, ours = skeleton(truth) > 0, np.asarray(ours) > 0
    return np.array([(centre & (grow(ours, tolerance) > 0)).sum(), centre.sum(), (ours & (grow(truth, tolerance) > 0)).sum(), ours.sum()],
                    float)


def shares(sums):
    """Recall, precision, F of summed line_match figures."""
    recall, precision = sums[0] / max(1, sums[1]), sums[2] / max(1, sums[3])
    return recall, precision, 2 * recall * precision / max(1e-9, recall + precision)
