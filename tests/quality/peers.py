"""The methods libinterpos is measured against, on 8-bit RGB frames: average, OpenCV DIS projected, ffmpeg minterpolate."""

import subprocess

import cv2
import numpy as np


def average(left, right):
    """Mean of the two neighbours."""
    return ((left.astype(np.uint16) + right + 1) // 2).astype(np.uint8)


def _push_pull(flow, weight):
    """Fills flow where weight is zero from coarser levels."""
    if min(weight.shape) < 2:
        return flow
    height, width = weight.shape
    small_size = ((width + 1) // 2, (height + 1) // 2)
    total = cv2.resize(weight, small_size, interpolation=cv2.INTER_AREA)
    sums = cv2.resize(flow * weight[..., None], small_size, interpolation=cv2.INTER_AREA)
    small = np.where(total[..., None] > 1e-8, sums / np.maximum(total[..., None], 1e-8), 0)
    coarse = cv2.resize(_push_pull(small.astype(np.float32), np.minimum(total, 1)), (width, height), interpolation=cv2.INTER_LINEAR)
    keep = np.minimum(weight, 1)[..., None]
    return (flow * keep + coarse * (1 - keep)).astype(np.float32)


def _splat(flow, error, t):
    """Moves a flow to time t by bilinear forward projection; pixels that match well weigh more; holes are filled."""
    height, width = error.shape
    ys, xs = np.mgrid[0:height, 0:width].astype(np.float32)
    x, y = xs + t * flow[..., 0], ys + t * flow[..., 1]
    x0, y0 = np.floor(x).astype(int), np.floor(y).astype(int)
    importance = np.exp(-.15 * np.minimum(error, 60))
    sums, weight = np.zeros((height * width, 2)), np.zeros(height * width)
    for dy in (0, 1):
        for dx in (0, 1):
            xi, yi = x0 + dx, y0 + dy
            w = (1 - np.abs(x - xi)) * (1 - np.abs(y - yi)) * importance
            inside = (xi >= 0) & (xi < width) & (yi >= 0) & (yi < height) & (w > 0)
            at = (yi * width + xi)[inside]
            weight += np.bincount(at, w[inside], height * width)
            for c in (0, 1):
                sums[:, c] += np.bincount(at, (w * flow[..., c])[inside], height * width)
    weight = weight.reshape(height, width)
    moved = (sums.reshape(height, width, 2) / np.maximum(weight[..., None], 1e-8)).astype(np.float32)
    return _push_pull(moved, (weight > 1e-3).astype(np.float32))


def _warp(image, flow):
    height, width = flow.shape[:2]
    ys, xs = np.mgrid[0:height, 0:width].astype(np.float32)
    return cv2.remap(image, xs + flow[..., 0], ys + flow[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)


def dis_flow(a, b, preset=cv2.DISOPTICAL_FLOW_PRESET_MEDIUM):
    """OpenCV's dense inverse search between two RGB frames."""
    dis = cv2.DISOpticalFlow_create(preset)
    return dis.calc(cv2.cvtColor(a, cv2.COLOR_RGB2GRAY), cv2.cvtColor(b, cv2.COLOR_RGB2GRAY), None)


def dis_projected(left, right, preset=cv2.DISOPTICAL_FLOW_PRESET_MEDIUM):
    """Both half flows projected to the middle, both frames warped there, blended by how well they agree."""
    forward, backward = dis_flow(left, right, preset), dis_flow(right, left, preset)
    a, b = left.astype(np.float32), right.astype(np.float32)
    made, weights = [], []
    for flow, first, second, sign in ((forward, a, b, 1), (backward, b, a, -1)):
        error = np.abs(first - _warp(second, flow)).mean(2)
        half = _splat(flow, error, .5) * .5 * sign  # from left to right, for half the time
        one, two = _warp(a, -half), _warp(b, half)
        height, width = error.shape
        ys, xs = np.mgrid[0:height, 0:width].astype(np.float32)
        inside = [((xs + s * half[..., 0] >= 0) & (xs + s * half[..., 0] <= width - 1) & (ys + s * half[..., 1] >= 0) &
                   (ys + s * half[..., 1] <= height - 1)).astype(np.float32) + 1e-3 for s in (-1, 1)]
        total = inside[0] + inside[1]
        made.append((one * inside[0][..., None] + two * inside[1][..., None]) / total[..., None])
        difference = cv2.blur(np.abs(one - two).mean(2), (7, 7))
        weights.append(np.exp(-.25 * difference) + 1e-6)
    total = weights[0] + weights[1]
    picture = (made[0] * weights[0][..., None] + made[1] * weights[1][..., None]) / total[..., None]
    return np.clip(np.rint(picture), 0, 255).astype(np.uint8)


def minterpolate(known, motion="bidir"):
    """ffmpeg's motion interpolation over the known frames, twice the rate; the frames between them (it makes none after the last)."""
    height, width = known[0].shape[:2]
    raw = b"".join(np.ascontiguousarray(f).tobytes() for f in known)
    out = subprocess.run(
        ["ffmpeg", "-v", "error", "-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{width}x{height}", "-r", "10", "-i", "-", "-vf",
         f"minterpolate=fps=20:mi_mode=mci:mc_mode=aobmc:me_mode={motion}:vsbmc=1:scd=none", "-f", "rawvideo", "-pix_fmt", "rgb24", "-"],
        input=raw, check=True, capture_output=True).stdout
    frames = np.frombuffer(out, np.uint8).reshape(-1, height, width, 3)
    return list(frames[1::2])
