"""Drawn stunt wires with exact mattes over real plates, for tests/quality/wires.py: deterministic by seed.

A wire is a ribbon between two moving points: a performer-like one that rides on the plate's own motion and a drifting anchor off
screen (two anchors where it crosses the frame). It is sampled densely along and across, at nine or more instants of the shutter, and
every sample is spread over four pixels, which is the camera's small blur; then the disk of the defocus, composition in linear light,
and the plate's own grain. Coordinates are continuous: pixel (0, 0) covers 0..1. Nothing here is shared with the generator that
libinterpos trains on.
"""

from dataclasses import dataclass, field

import cv2
import numpy as np

STEP = .4  # pixels between samples along; across, at least four
CLASSES = (("< 1 px", 0, 1), ("1-2 px", 1, 2), ("2-4 px", 2, 4), ("4-8 px", 4, 8), ("8-12 px", 8, 13))
FAINT = 8  # a wire whose clearest pixels differ by less than so many levels of 255 from the plate is called faint


def to_linear(code):
    """BT.709 transfer, inverted; code 0..1."""
    code = np.asarray(code, np.float32)
    return np.where(code < .081, code / 4.5, ((np.maximum(code, 0) + .099) / 1.099) ** (1 / .45)).astype(np.float32)


def to_code(light):
    light = np.maximum(light, 0)
    return np.where(light < .018, light * 4.5, 1.099 * light ** .45 - .099).astype(np.float32)


@dataclass
class Wire:
    """What is drawn, and per frame where it lies."""
    width: float
    crosses: bool
    slack: bool
    opacity: float
    colour: np.ndarray
    blur: float  # radius of the defocus disk
    shutter: float
    curves: list = field(default_factory=list)  # one Nx2 array a frame, at the middle of the shutter
    alpha: list = field(default_factory=list)  # one HxW float16 array a frame
    contrast: float = 0.  # levels of 255, where it is clearest, median of the frames
    look: dict = field(default_factory=dict)

    @property
    def size(self):
        return next(name for name, low, high in CLASSES if low <= self.width < high)


@dataclass
class Shot:
    plate: list
    frames: list
    wires: list
    alpha: list  # all wires together

    def mask(self, frame, over=.02, grow=1):
        """Where the wires are, grown by so many pixels (8-neighbourhood), as 0/1 uint8."""
        made = (np.asarray(self.alpha[frame], np.float32) > over).astype(np.uint8)
        return cv2.dilate(made, np.ones((3, 3), np.uint8), iterations=grow) if grow else made


def _smooth(rng, count, scale, slow=2.2):
    """A smooth random function of time as a callable: drift and a few slow waves, about `scale` large in a second."""
    waves = [(rng.normal(0, scale / (k + 1)), rng.uniform(.3, slow) * (k + 1) / 2, rng.uniform(0, 2 * np.pi)) for k in range(3)]
    drift = rng.normal(0, scale)

    def at(t):
        u = t / max(23, count - 1)
        return drift * (u - .5) + sum(a * np.sin(2 * np.pi * f * u + p) for a, f, p in waves)
    return at


def _performer(rng, plate):
    """A point that follows whatever moves most about a random place of the plate, smoothed over time; a callable of time."""
    height, width = plate[0].shape[:2]
    scale = 216 / height
    small = [cv2.cvtColor(cv2.resize(f, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), cv2.COLOR_RGB2GRAY) for f in plate]
    dis = cv2.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_FAST)
    flows = [cv2.blur(dis.calc(a, b, None), (9, 9)) for a, b in zip(small, small[1:])]
    h, w = small[0].shape
    if flows:
        first = flows[0] - np.median(flows[0].reshape(-1, 2), axis=0)
        amount = np.hypot(first[..., 0], first[..., 1]) + .3 * rng.uniform(0, 1, (h, w)) + 1e-3
        amount[: h // 4] = amount[-h // 5:] = 0
        amount[:, : w // 6] = amount[:, -w // 6:] = 0
        place = rng.choice(h * w, p=(amount / amount.sum()).ravel())
        point = np.array([place % w, place // w], float)
    else:
        point = np.array([w * rng.uniform(.25, .75), h * rng.uniform(.3, .75)])
    path = [point]
    for flow in flows:
        x, y = np.clip(path[-1], 0, [w - 1, h - 1]).astype(int)
        path.append(path[-1] + flow[y, x])
    path = np.array(path) / scale
    weights = np.exp(-.5 * (np.subtract.outer(np.arange(len(path)), np.arange(len(path))) / 2.) ** 2)
    path = weights @ path / weights.sum(1, keepdims=True)
    times = np.arange(len(path), dtype=float)
    return lambda t: np.array([np.interp(t, times, path[:, 0]) + (t - times[-1]) * (path[-1, 0] - path[-2, 0]) * (t > times[-1])
                               if len(path) > 1 else path[0, 0], np.interp(t, times, path[:, 1])])


def _path(rng, plate, count):
    """The wire's line as a function of time: a callable that gives Nx2 points, and whether it crosses the frame and hangs slack."""
    height, width = plate[0].shape[:2]
    crosses, slack = rng.random() < .4, rng.random() < .15
    move = height * rng.uniform(.01, .06)
    shake = [_smooth(rng, count, move) for _ in range(4)]
    if crosses:
        side = rng.random() < .55
        far = np.array([[-.08 * width, height * rng.uniform(.05, .9)], [1.08 * width, height * rng.uniform(.05, .9)]]) if side else \
            np.array([[width * rng.uniform(.1, .9), -.1 * height], [width * rng.uniform(.1, .9), 1.1 * height]])
        ends = lambda t: far + [[shake[0](t), shake[1](t)], [shake[2](t), shake[3](t)]]
    else:
        body = _performer(rng, plate)
        which = rng.choice(3, p=[.6, .2, .2])
        away = np.array([[width * rng.uniform(.05, .95), -height * rng.uniform(.05, .5)], [-width * rng.uniform(.04, .3), height * rng.uniform(-.1, .8)],
                         [width * rng.uniform(1.04, 1.3), height * rng.uniform(-.1, .8)]][which])
        # Half of them end at the performer's body, half short of it: at a raised hand, a shoulder, behind the back.
        short = (away - body(0.)) / np.linalg.norm(away - body(0.)) * height * (rng.uniform(.12, .3) if rng.random() < .5 else 0)
        ends = lambda t: np.array([body(t) + short + [.3 * shake[0](t), .3 * shake[1](t)], away + [shake[2](t), shake[3](t)]])
    span = np.linalg.norm(np.subtract(*ends(0.)))
    sag = span * (abs(rng.normal(0, .05)) if rng.random() < .6 else 0)
    pace, phase, depth = rng.uniform(.03, .12), rng.uniform(0, 2 * np.pi), rng.uniform(.05, .4)
    tight = rng.uniform(.5, 2.)  # of the catenary: how far from a parabola
    ripple = [(rng.normal(0, span * (.03 / (k + 1) if slack else .0015)), rng.uniform(.02, .1) * (k + 1), rng.uniform(0, 2 * np.pi))
              for k in range(3)]

    def line(t):
        a, b = ends(t)
        u = np.linspace(0, 1, 160)
        # Hanging rope between two points: cosh, its ends taken out.
        hang = (np.cosh(tight) - np.cosh(tight * (2 * u - 1))) / (np.cosh(tight) - 1)
        base = a + np.outer(u, b - a)
        normal = np.array([-(b - a)[1], (b - a)[0]]) / max(1e-6, np.linalg.norm(b - a))
        base[:, 1] += sag * (1 + depth * np.sin(2 * np.pi * pace * t + phase)) * hang
        for k, (size, rate, start) in enumerate(ripple):
            base += np.outer(size * np.sin((k + 1) * np.pi * u) * np.sin(2 * np.pi * rate * t + start), normal)
        return base
    return line, crosses, slack


def _resample(points, step):
    """Points every `step` along a polyline, with the arc length."""
    length = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(points, axis=0), axis=1))])
    at = np.arange(0, length[-1], step)
    return np.stack([np.interp(at, length, points[:, i]) for i in (0, 1)], 1), at, length[-1]


def _inside(points, shape, margin):
    return (points[:, 0] > -margin) & (points[:, 1] > -margin) & (points[:, 0] < shape[1] + margin) & (points[:, 1] < shape[0] + margin)


def _ribbon(wire, line, shape):
    """Coverage, lit body and highlight of one instant of one wire, each HxW."""
    height, width = shape
    look = wire.look
    centre, arc, total = _resample(line, STEP)
    tangent = np.gradient(centre, axis=0)
    tangent /= np.maximum(np.linalg.norm(tangent, axis=1, keepdims=True), 1e-9)
    keep = _inside(centre, shape, 2 + wire.width)
    centre, arc, tangent = centre[keep], arc[keep], tangent[keep]
    across = max(4, int(np.ceil(wire.width * 1.25 / STEP)))
    v = (np.arange(across) + .5) / across * 2 - 1  # -1..1 over the section
    half = wire.width / 2 * (1 + look["taper"] * (arc / max(total, 1) - .5))
    normal = np.stack([-tangent[:, 1], tangent[:, 0]], 1)
    x = centre[:, :1] + normal[:, :1] * half[:, None] * v
    y = centre[:, 1:] + normal[:, 1:] * half[:, None] * v
    area = np.broadcast_to((half * 2 / across * STEP)[:, None], x.shape)
    # A round section: normal out of the picture sqrt(1 - v^2); light and half-way vector in picture axes.
    out = np.sqrt(np.maximum(0, 1 - v * v))
    lamp, half_way = look["lamp"], look["lamp"] + [0, 0, 1]
    half_way = half_way / np.linalg.norm(half_way)
    facing = np.maximum(0, (normal @ lamp[:2])[:, None] * v + lamp[2] * out)
    glint = np.maximum(0, (normal @ half_way[:2])[:, None] * v + half_way[2] * out) ** look["shine"]
    strands = 1 + look["twist"] * np.sin(2 * np.pi * (arc[:, None] / look["lay"] + .5 * v))
    gain = 1 + look["uneven"] * np.sin(2 * np.pi * (arc / look["uneven_lay"]) + look["uneven_at"])
    body = (look["ambient"] + (1 - look["ambient"]) * facing) * strands * gain[:, None]
    glint = look["gloss"] * glint * strands * gain[:, None]
    x, y, area, body, glint = (np.ravel(p) for p in (x, y, area, body, glint))
    x0, y0 = np.floor(x - .5).astype(np.int64), np.floor(y - .5).astype(np.int64)
    fx, fy = x - .5 - x0, y - .5 - y0
    sums = np.zeros((3, height * width))
    for dy in (0, 1):
        for dx in (0, 1):
            xi, yi = x0 + dx, y0 + dy
            weight = area * (fx if dx else 1 - fx) * (fy if dy else 1 - fy)
            ok = (xi >= 0) & (yi >= 0) & (xi < width) & (yi < height)
            at = (yi * width + xi)[ok]
            for channel, value in enumerate((None, body, glint)):
                sums[channel] += np.bincount(at, weight[ok] if value is None else (weight * value)[ok], height * width)
    sums = sums.reshape(3, height, width).astype(np.float32)
    return sums / np.maximum(sums[:1], 1)  # where a curve doubles back on itself


def _disk(radius):
    """A disk of this radius, its edge anti-aliased."""
    size = int(np.ceil(radius)) + 1
    fine = (np.arange((2 * size + 1) * 8) + .5) / 8 - size - .5
    full = (fine[:, None] ** 2 + fine ** 2 <= radius ** 2).astype(float).reshape(2 * size + 1, 8, 2 * size + 1, 8).mean((1, 3))
    return (full / full.sum()).astype(np.float32)


def grain(frame):
    """Standard deviation of a frame's noise in levels (Immerkaer 1996, over the flatter half of the picture)."""
    grey = cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY).astype(np.float32)
    response = np.abs(cv2.filter2D(grey, -1, np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], np.float32)))
    busy = cv2.blur(np.abs(cv2.Laplacian(cv2.GaussianBlur(grey, (0, 0), 2), -1)), (15, 15))
    return float(np.sqrt(np.pi / 2) / 6 * response[busy <= np.median(busy)].mean())


def _design(rng, plate, width):
    """One wire's looks; its colour is chosen against the plate where it runs."""
    thin = width < 2.5
    kind = rng.choice(4, p=[.4, .25, .2, .15])  # steel, light rope, as bright as what lies behind it, coloured
    local = to_linear(np.percentile(plate[len(plate) // 2], rng.uniform(30, 70), axis=(0, 1)) / 255)
    colour = [np.full(3, rng.uniform(.01, .09)), np.array([1, .96, .88]) * rng.uniform(.45, .9),
              local * rng.uniform(.75, 1.3) + .004, np.array([.9, .9, .9]) * rng.uniform(.05, .3) + rng.uniform(0, .35, 3)][kind]
    lamp = np.array([rng.normal(0, .6), -abs(rng.normal(.5, .4)), rng.uniform(.3, 1)])
    wire = Wire(width=width, crosses=False, slack=False, opacity=rng.uniform(.45, .8) if thin and rng.random() < .3 else 1.,
                colour=np.asarray(colour, np.float32), blur=0. if rng.random() < .35 else rng.uniform(.4, 1.2) if rng.random() < .7 else
                rng.uniform(1.2, 2.6), shutter=rng.uniform(.25, .6))
    wire.look = {"taper": rng.uniform(-.5, .5), "lamp": lamp / np.linalg.norm(lamp), "shine": rng.uniform(8, 60),
                 "gloss": rng.uniform(0, 1.2) if kind in (0, 3) else rng.uniform(0, .2), "ambient": rng.uniform(.2, .6),
                 "twist": 0 if width < 1 else rng.uniform(0, .35) * (rng.random() < .6), "lay": max(2.5, width * rng.uniform(1.2, 3)),
                 "uneven": rng.uniform(0, .2), "uneven_lay": rng.uniform(80, 400), "uneven_at": rng.uniform(0, 2 * np.pi)}
    return wire


def draw(plate, seed, widths=None):
    """A Shot: two or three wires over the plate (a list of HxWx3 uint8 RGB frames). `widths` fixes how many and how wide."""
    rng = np.random.default_rng([seed, 20771])
    count, (height, width) = len(plate), plate[0].shape[:2]
    if widths is None:
        # Thin ones are the more common; widths are meant for 960 x 540 and shrink with the picture, but not below half a pixel.
        widths = [max(.5, float(np.exp(rng.uniform(np.log(.5), np.log(12)))) * (1 if height >= 430 else height / 430))
                  for _ in range(rng.integers(2, 4))]
    shot = Shot(plate, [f.copy() for f in plate], [], [np.zeros((height, width), np.float32) for _ in plate])
    noise = grain(plate[count // 2])
    lines = []
    for size in widths:
        wire = _design(rng, plate, size)
        for _ in range(40):  # a wire has to be seen: long enough inside the frame in the middle and at both ends of the window
            line, wire.crosses, wire.slack = _path(rng, plate, count)
            seen = [_inside(_resample(line(t), 1)[0], (height, width), 0).sum() for t in (0., (count - 1) / 2, count - 1.)]
            if min(seen) > .35 * height:
                break
        shot.wires.append(wire)
        lines.append(line)
    light = [to_linear(f / np.float32(255)) for f in plate]
    contrasts = [[] for _ in lines]
    for t in range(count):
        seen, made = np.zeros((height, width), np.float32), light[t].copy()
        for wire, line, contrast in zip(shot.wires, lines, contrasts):
            wire.curves.append(_resample(line(t), 1)[0])
            ahead, behind = line(t + wire.shutter / 2), line(t - wire.shutter / 2)
            shift = np.abs(ahead - behind)[_inside(ahead, (height, width), 4)]
            instants = int(np.clip(np.ceil(2 * (shift.max() if len(shift) else 0)), 9, 33))
            parts = np.mean([_ribbon(wire, line(t + wire.shutter * ((i + .5) / instants - .5)), (height, width)) for i in range(instants)], 0)
            if wire.blur:
                parts = np.stack([cv2.filter2D(p, -1, _disk(wire.blur), borderType=cv2.BORDER_REPLICATE) for p in parts])
            alpha, body, glint = parts * wire.opacity
            alpha[alpha < 2e-3] = 0
            body, glint = body * (alpha > 0), glint * (alpha > 0)
            alone = light[t] * (1 - alpha[..., None]) + body[..., None] * wire.colour + glint[..., None]
            differs = np.abs(to_code(alone) * 255 - plate[t]).mean(2)
            clear = alpha >= .6 * np.percentile(alpha[alpha > .02], 95) if (alpha > .02).any() else alpha > 1
            contrast.append(float(np.median(differs[clear])) if clear.any() else 0.)
            made = made * (1 - alpha[..., None]) + body[..., None] * wire.colour + glint[..., None]
            seen = 1 - (1 - seen) * (1 - alpha)
            wire.alpha.append(alpha.astype(np.float16))
        touched = seen > 0
        speckle = cv2.GaussianBlur(rng.normal(0, 1, (height, width, 3)).astype(np.float32), (0, 0), .5)
        code = to_code(made) * 255 + speckle / speckle.std() * noise * seen[..., None]
        shot.frames[t][touched] = np.clip(np.rint(code), 0, 255).astype(np.uint8)[touched]
        shot.alpha[t] = seen
    for wire, contrast in zip(shot.wires, contrasts):
        wire.contrast = float(np.median([c for c in contrast if c] or [0]))
    return shot


def stroke(wire, frame, shape, seed, jitter=1.5):
    """What a hurried user draws: 4 to 6 points on the part of the wire inside the frame, each off by about `jitter` pixels."""
    rng = np.random.default_rng([seed, 991])
    curve = wire.curves[frame]
    curve = curve[_inside(curve, shape, 0)]
    if len(curve) < 8:
        return None
    along = np.linspace(.01, .99, rng.integers(4, 7)) * (len(curve) - 1)
    points = curve[along.astype(int)] + rng.normal(0, jitter, (len(along), 2))
    points = np.clip(points, 0, [shape[1] - .01, shape[0] - .01])
    return {"frame": frame, "points": [[round(float(x), 2), round(float(y), 2)] for x, y in points], "width": round(max(1., wire.width), 1)}
