"""The methods relighting is measured against, and its scores, on scene-linear RGB (float32, Rec.709 primaries).

Peers are transfers of colour from reference frames of the wanted light to a shot: one gain, Reinhard (2001), Monge-Kantorovich (Pitie,
Kokaram 2007), iterative distribution transfer (Pitie, Kokaram, Dahyot 2005), histograms, all but the gain on log light; and a 3D LUT fitted on
the truth itself, which no method can have: it says what colour alone could do."""

import cv2
import numpy as np

FLOOR = 2e-3
LUMA = np.array([.2126, .7152, .0722])


def encode(light):
    """sRGB of clip(light, 0, 1)."""
    x = np.clip(light.astype(np.float64), 0, 1)
    return np.where(x <= .0031308, 12.92 * x, 1.055 * x ** (1 / 2.4) - .055)


def decode(code):
    x = code.astype(np.float64)
    return np.where(x <= .04045, x / 12.92, ((x + .055) / 1.055) ** 2.4).astype(np.float32)


def psnr(a, b):
    return float(-10 * np.log10(max(np.mean((a - b) ** 2), 1e-10)))


def ssim(a, b):
    a, b = a @ LUMA, b @ LUMA
    blur = lambda x: cv2.GaussianBlur(x, (11, 11), 1.5)
    ma, mb = blur(a), blur(b)
    va, vb, cov = blur(a * a) - ma * ma, blur(b * b) - mb * mb, blur(a * b) - ma * mb
    return float(np.mean((2 * ma * mb + 1e-4) * (2 * cov + 9e-4) / ((ma ** 2 + mb ** 2 + 1e-4) * (va + vb + 9e-4))))


def lab(code):
    linear = decode(code).astype(np.float64)
    xyz = linear @ np.array([[.4124564, .2126729, .0193339], [.3575761, .7151522, .1191920], [.1804375, .0721750, .9503041]]) / [.95047, 1, 1.08883]
    f = np.where(xyz > 216 / 24389, np.cbrt(xyz), (24389 / 27 * xyz + 16) / 116)
    return np.stack([116 * f[..., 1] - 16, 500 * (f[..., 0] - f[..., 1]), 200 * (f[..., 1] - f[..., 2])], -1)


def delta_e(a, b):
    """Mean CIEDE2000 of two sRGB pictures (Sharma, Wu, Dalal 2005)."""
    (l1, a1, b1), (l2, a2, b2) = (np.moveaxis(lab(x), -1, 0) for x in (a, b))
    c = (np.hypot(a1, b1) + np.hypot(a2, b2)) / 2
    g = 1.5 - .5 * np.sqrt(c ** 7 / (c ** 7 + 25. ** 7))
    a1, a2 = a1 * g, a2 * g
    c1, c2 = np.hypot(a1, b1), np.hypot(a2, b2)
    h1, h2 = np.arctan2(b1, a1), np.arctan2(b2, a2)
    dh = np.where(c1 * c2 == 0, 0, (h2 - h1 + np.pi) % (2 * np.pi) - np.pi)
    dl, dc, dhh = l2 - l1, c2 - c1, 2 * np.sqrt(c1 * c2) * np.sin(dh / 2)
    lm, cm = (l1 + l2) / 2, (c1 + c2) / 2
    hm = np.where(c1 * c2 == 0, h1 + h2, h1 + dh / 2)
    t = 1 - .17 * np.cos(hm - np.pi / 6) + .24 * np.cos(2 * hm) + .32 * np.cos(3 * hm + np.radians(6)) - .2 * np.cos(4 * hm - np.radians(63))
    sl, sc, sh = 1 + .015 * (lm - 50) ** 2 / np.sqrt(20 + (lm - 50) ** 2), 1 + .045 * cm, 1 + .015 * cm * t
    turn = np.radians(30) * np.exp(-(((np.degrees(hm) % 360) - 275) / 25) ** 2)
    rt = -np.sin(2 * turn) * 2 * np.sqrt(cm ** 7 / (cm ** 7 + 25. ** 7))
    return float(np.mean(np.sqrt((dl / sl) ** 2 + (dc / sc) ** 2 + (dhh / sh) ** 2 + rt * dc / sc * dhh / sh)))


def scores(made, true):
    a, b = encode(made), encode(true)
    return {"psnr": psnr(a, b), "ssim": ssim(a, b), "de": delta_e(a, b)}


def flows(shot, finest=1):
    """Motion from each frame to the next, found down to a level of the pyramid (0: whole pixels)."""
    grey = [np.rint(255 * (encode(f) @ LUMA)).astype(np.uint8) for f in shot]
    dis = cv2.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    dis.setFinestScale(finest)
    return [dis.calc(grey[i], grey[i + 1], None) for i in range(len(grey) - 1)]


def unsteady(frames, motion):
    """Mean |next brought here - this| over all pairs."""
    codes, total = [encode(f).astype(np.float32) for f in frames], []
    height, width = codes[0].shape[:2]
    ys, xs = np.mgrid[0:height, 0:width].astype(np.float32)
    for i, flow in enumerate(motion):
        moved = cv2.remap(codes[i + 1], xs + flow[..., 0], ys + flow[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        total.append(np.abs(moved - codes[i]).mean())
    return float(np.mean(total))


def _log(frames):
    return [np.log(np.maximum(f, 0) + FLOOR).reshape(-1, 3).astype(np.float64) for f in frames]


def _back(logs, shape):
    return [np.maximum(np.exp(x) - FLOOR, 0).reshape(shape).astype(np.float32) for x in logs]


def gain(shot, reference):
    means = [np.mean([f.reshape(-1, 3).mean(0) for f in part], 0) for part in (shot, reference)]
    return [(f * (means[1] / means[0])).astype(np.float32) for f in shot]


def reinhard(shot, reference):
    a, b = np.vstack(_log(shot)), np.vstack(_log(reference))
    return _back([(x - a.mean(0)) / a.std(0) * b.std(0) + b.mean(0) for x in _log(shot)], shot[0].shape)


def _root(matrix, power):
    values, vectors = np.linalg.eigh(matrix)
    return vectors @ np.diag(np.maximum(values, 1e-9) ** power) @ vectors.T


def monge_kantorovich(shot, reference):
    a, b = np.vstack(_log(shot)), np.vstack(_log(reference))
    ca, cb = np.cov(a.T), np.cov(b.T)
    half, inverse = _root(ca, .5), _root(ca, -.5)
    matrix = inverse @ _root(half @ cb @ half, .5) @ inverse
    return _back([(x - a.mean(0)) @ matrix.T + b.mean(0) for x in _log(shot)], shot[0].shape)


def _match(values, reference):
    places = np.linspace(0, 1, 512)
    return np.interp(values, np.quantile(values, places), np.quantile(reference, places))


def histogram(shot, reference):
    logs, b = _log(shot), np.vstack(_log(reference))
    a, count = np.vstack(logs), len(logs[0])
    made = np.stack([_match(a[:, c], b[:, c]) for c in range(3)], 1)
    return _back([made[i * count:(i + 1) * count] for i in range(len(shot))], shot[0].shape)


def idt(shot, reference, rounds=12):
    logs, b = _log(shot), np.vstack(_log(reference))
    a, count, random = np.vstack(logs), len(logs[0]), np.random.default_rng(1)
    for _ in range(rounds):
        turn = np.linalg.qr(random.normal(size=(3, 3)))[0]
        pa, pb = a @ turn, b @ turn
        a = np.stack([_match(pa[:, c], pb[:, c]) for c in range(3)], 1) @ turn.T
    return _back([a[i * count:(i + 1) * count] for i in range(len(shot))], shot[0].shape)


def lut(shot, truth, size=17):
    """Oracle: the mean true colour of every cell of a lattice over log light, trilinear."""
    low, high = np.log(FLOOR), np.log(4.)
    sums, weights = np.zeros((size ** 3, 3)), np.zeros(size ** 3)
    def corners(x):
        place = np.clip((x - low) / (high - low) * (size - 1), 0, size - 1.001)
        base, part = place.astype(int), place - place.astype(int)
        for k in range(8):
            bits = np.array([k & 1, k >> 1 & 1, k >> 2 & 1])
            yield ((base + bits) @ [size * size, size, 1]), np.prod(np.where(bits, part, 1 - part), 1)
    target = [encode(f).reshape(-1, 3) for f in truth]
    for x, t in zip(_log(shot), target):
        for at, w in corners(x):
            weights += np.bincount(at, w, size ** 3)
            for c in range(3):
                sums[:, c] += np.bincount(at, w * t[:, c], size ** 3)
    table = sums / np.maximum(weights, 1e-9)[:, None]
    made = [sum(w[:, None] * table[at] for at, w in corners(x)) for x in _log(shot)]
    return [decode(x.reshape(shot[0].shape)) for x in made]


def sky_ground(plate, references):
    """Reinhard apart for what is sky (blue, bright, joined to the top) and what is not."""
    def sky(picture):
        code = encode(picture)
        mask = ((code[..., 2] > 1.02 * code[..., 0]) & (code @ LUMA > .3)).astype(np.uint8)
        labels = cv2.connectedComponents(cv2.morphologyEx(mask, cv2.MORPH_OPEN, np.ones((5, 5))))[1]
        return np.isin(labels, [n for n in np.unique(labels[:3]) if n])
    made, masks, here = plate.copy(), [sky(r) for r in references], sky(plate)
    for part in (False, True):
        there = [r[m == part] for r, m in zip(references, masks)]
        if (here == part).sum() > 500 and sum(map(len, there)) > 500:
            made[here == part] = reinhard([plate[here == part]], there)[0]
    return made


def guided(guide, plane, radius, epsilon):
    blur = lambda x: cv2.blur(x, (2 * radius + 1,) * 2, borderType=cv2.BORDER_REPLICATE)
    mean_guide, mean_plane = blur(guide), blur(plane)
    slope = (blur(guide * plane) - mean_guide * mean_plane) / (blur(guide * guide) - mean_guide ** 2 + epsilon)
    return blur(slope) * guide + blur(mean_plane - slope * mean_guide)


def day_ratio(plate, days, evenings):
    """Ratio of the mean evening over the mean day, pixel by pixel, guided by the plate."""
    ratio = np.log(np.mean(evenings, 0) + .01) - np.log(np.mean(days, 0) + .01)
    luma = (encode(plate) @ LUMA).astype(np.float32)
    radius = round(24 * plate.shape[1] / 640)
    smooth = np.stack([guided(luma, np.ascontiguousarray(ratio[..., c], np.float32), radius, 1e-2) for c in range(3)], -1)
    return (plate * np.exp(smooth)).astype(np.float32)


def motion_to(plate, to):
    """Flow from every frame to frame `to` (an index): chained, then one direct solve from there."""
    grey = [np.rint(255 * (encode(f) @ LUMA)).astype(np.uint8) for f in plate]
    dis = cv2.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    height, width = grey[0].shape
    ys, xs = np.mgrid[0:height, 0:width].astype(np.float32)
    chained = {to: np.zeros((height, width, 2), np.float32)}
    for step in (-1, 1):
        for i in range(to + step, -1 if step < 0 else len(plate), step):
            near = dis.calc(grey[i], grey[i - step], None)
            chained[i] = near + cv2.remap(chained[i - step], xs + near[..., 0], ys + near[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return {i: f if i == to else dis.calc(grey[i], grey[to], f.copy()) for i, f in chained.items()}


def warped(picture, flow):
    ys, xs = np.mgrid[0:flow.shape[0], 0:flow.shape[1]].astype(np.float32)
    return cv2.remap(picture, xs + flow[..., 0], ys + flow[..., 1], cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)


def carried(plate, examples, wanted):
    """{method: {index: picture}} of frames from examples {index: picture}: the nearest one warped, and its warped ratio."""
    motion = {k: motion_to(plate, k) for k in examples}
    made = {"warped copy": {}, "pixel ratio, warped": {}, "mean gain of the example": {}, "Monge-Kantorovich of the example": {}}
    for i in wanted:
        k = min(examples, key=lambda k: abs(k - i))
        copy = warped(examples[k], motion[k][i])
        made["warped copy"][i] = copy
        made["pixel ratio, warped"][i] = (plate[i] + .01) * (copy + .01) / (np.maximum(warped(plate[k], motion[k][i]), 0) + .01) - .01
        made["mean gain of the example"][i] = plate[i] * (examples[k].reshape(-1, 3).mean(0) / plate[k].reshape(-1, 3).mean(0)).astype(np.float32)
        logs = monge_kantorovich([plate[k], plate[i]], [examples[k]])
        made["Monge-Kantorovich of the example"][i] = logs[1]
    return made


PEERS = {"mean gain": gain, "Reinhard": reinhard, "Monge-Kantorovich": monge_kantorovich, "IDT": idt, "histogram": histogram}
