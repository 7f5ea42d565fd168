"""The suites of tests/quality/wires.py; each takes the Bench, prints its table and adds its figures."""

import pathlib
import zlib

import cv2
import numpy as np

import wire_peers
import wire_scores
import wire_truth

HERE = pathlib.Path(__file__).resolve().parent
LOST = .35  # a wire whose confidence is below this on a frame counts as declared lost there, whether or not it says so
OURS = "ours: first"


# Fills

def rate_fills(made, plates, masks, before):
    """Figures of every method's filled frames, on all frames, inside the masks."""
    flicker = wire_scores.Flicker(plates, masks)
    rows = {}
    for name, frames in made.items():
        each = [wire_scores.psnr(f, p, m) for f, p, m in zip(frames, plates, masks)]
        rows[name] = {
            "each": each, "psnr": float(np.mean([e for e in each if e is not None])),
            "ssim": float(np.mean([s for s in (wire_scores.ssim(f, p, m) for f, p, m in zip(frames, plates, masks)) if s is not None])),
            "flicker": flicker.ratio(frames), "level": flicker.level(frames), "own_level": flicker.own, "frames": len(frames),
            "outside": sum(wire_scores.changed_outside(f, b, m) for f, b, m in zip(frames, before, masks)),
        }
    return rows


def over(rows, ours, base):
    """Per frame what `ours` has over `base` in dB: (mean, least); base may be a tuple: the better by the shot's mean."""
    if isinstance(base, tuple):
        base = max((b for b in base if b in rows), key=lambda b: rows[b]["psnr"])
    gain = [a - b for a, b in zip(rows[ours]["each"], rows[base]["each"]) if a is not None and b is not None]
    return float(np.mean(gain)), float(np.min(gain))


def print_fills(shot, rows):
    for name, row in rows.items():
        worst = f"{over(rows, name, 'temporal mean')[1]:+8.2f}" if "temporal mean" in rows and name != "temporal mean" else " " * 8
        print(f"{shot:24s} {name:24s} {row['psnr']:7.2f} {row['ssim']:7.4f} {row['flicker']:8.2f} {worst} {row['outside']:8d} {row['frames']:6d}",
              flush=True)


HEAD = f"{'shot':24s} {'method':24s} {'PSNR':>7s} {'SSIM':>7s} {'flicker':>8s} {'worst/tm':>8s} {'outside':>8s} frames"


def sum_up_fills(bench, suite):
    shots = bench.results.get(suite, {})
    names = list(dict.fromkeys(n for rows in shots.values() for n in rows))
    print(HEAD.replace("shot", "MEAN"))
    for name in names:
        there = [rows for rows in shots.values() if name in rows]
        mean = {k: float(np.mean([rows[name][k] for rows in there])) for k in ("psnr", "ssim", "level", "own_level")}
        mean["flicker"] = mean["level"] / max(mean["own_level"], 1e-6)  # of a locked shot's own there is next to none
        note = f" ({len(there)} of {len(shots)} shots)" if len(there) < len(shots) else ""
        print(f"{'MEAN':24s} {name:24s} {mean['psnr']:7.2f} {mean['ssim']:7.4f} {mean['flicker']:8.2f}{note}")
    for base in ("Telea r3", "NS r3", ("Telea r3", "NS r3"), "temporal mean"):
        for ours in [OURS] if any(OURS in rows for rows in shots.values()) else ["temporal mean"]:
            figures = {s: over(rows, ours, base) for s, rows in shots.items() if ours in rows and (isinstance(base, tuple) or base in rows)}
            if figures and ours != base:
                least, frame = min(figures, key=lambda s: figures[s][0]), min(figures, key=lambda s: figures[s][1])
                print(f"{ours} over {'the better of Telea and NS' if isinstance(base, tuple) else base}: mean "
                      f"{np.mean([f[0] for f in figures.values()]):+.2f} dB, least shot {figures[least][0]:+.2f} ({least}), worst frame "
                      f"{figures[frame][1]:+.2f} ({frame})")
    print("PSNR, SSIM in the mask, mean of the frames; flicker: 1 is as steady as the plate; worst/tm: worst frame beside the temporal mean; "
          "outside: pixels changed outside the mask")


def ours_of(request, before):
    """{name: frames} of a request's options."""
    made = {OURS: [request.first.pictures[t] for t in range(len(before))]}
    for option in request.options:
        if option.variant != "matte":  # the matte itself, not a picture
            made.setdefault(f"ours: {option.variant}", [option.pictures[t] for t in range(len(before))])
    return made


def unsaid_changes(bench, what, request, before):
    """Fails where an option changed a pixel that its own evidence map calls original."""
    for option in request.options:
        if option.variant == "matte":
            continue
        changed = sum(int((np.any(option.pictures[t] != f, 2) & (option.evidence[t] == 0)).sum()) for t, f in enumerate(before))
        if changed:
            bench.fail(f"{what}: {option.variant} changed {changed} pixels that its evidence calls original")


def crop_about(mask, shape, size=(240, 320)):
    """A window about the masked pixel that lies most in the middle of the others."""
    ys, xs = np.nonzero(mask)
    y, x = (np.median(ys), np.median(xs)) if len(ys) else (shape[0] / 2, shape[1] / 2)
    if len(ys):
        nearest = np.argmin((ys - y) ** 2 + (xs - x) ** 2)
        y, x = ys[nearest], xs[nearest]
    top, left = (int(np.clip(c - s / 2, 0, max(0, e - s))) for c, s, e in zip((y, x), size, shape))
    return slice(top, min(shape[0], top + size[0])), slice(left, min(shape[1], left + size[1]))


def fill_row(shot, frame, plate, before, made, mask, names):
    """A contact sheet's row at 200 %: before, the plate, and the methods."""
    box = crop_about(mask, mask.shape[:2])
    double = lambda p: cv2.resize(p[box], None, fx=2, fy=2, interpolation=cv2.INTER_NEAREST)
    return [(f"{shot} {frame}", double(before))] + ([("plate", double(plate))] if plate is not None else []) + \
        [(n, double(made[n][frame])) for n in names if n in made]


def _fill_shot(bench, suite, shot, frames, plates, masks, clip):
    made = bench.peers(frames, masks)
    if bench.project:
        name = bench.project.ingest(clip, frames)
        # The masks hold all of the wire: nothing beside them is to be filled, or the methods would not fill the same pixels.
        request = bench.project.render(name, (0, len(frames) - 1), settings={"matte": bench.project.mattes(f"{clip}_matte", masks), "dilate": 0})
        made.update(ours_of(request, frames))
        unsaid_changes(bench, f"{suite}, {shot}", request, frames)
    rows = rate_fills(made, plates, masks, frames)
    for method, row in rows.items():
        if row["outside"] and method != "ours: wide":  # which fills two pixels more
            bench.fail(f"{suite}, {shot}: {method} changed {row['outside']} pixels outside the mask")
    bench.add(suite, shot, rows)
    print_fills(shot, rows)
    worst = int(np.argmin([e or 100 for e in rows[OURS if OURS in rows else "NS r3"]["each"]]))
    for frame in dict.fromkeys((len(frames) // 2, worst)):
        bench.picture(suite, [fill_row(shot, frame, plates[frame], frames[frame], made, masks[frame], (OURS, "temporal mean", "NS r3"))])


def fill(bench):
    print(HEAD)
    for name in bench.names:
        shot = bench.drawn(name)
        print(f"{name}: wires " + ", ".join(f"{w.width:.1f} px {w.contrast:.0f}/255" for w in shot.wires), flush=True)
        _fill_shot(bench, "fill", name, shot.frames, shot.plate, [shot.mask(t) for t in range(len(shot.frames))], f"wired_{name}")
    sum_up_fills(bench, "fill")


# Moved holes

def rigging(bench):
    """Frames of wire_wrv2 and its masks, 0/1: raggedness and pinholes smoothed away."""
    folder = bench.footage("wire_wrv2")
    if not folder:
        raise SystemExit(f"{bench.arguments.footage} has no wire_wrv2")
    frames = [cv2.cvtColor(cv2.imread(str(f)), cv2.COLOR_BGR2RGB) for f in sorted(folder.glob("*.jpg"))]
    raw = [(cv2.imread(str(f), cv2.IMREAD_GRAYSCALE) > 127).astype(np.uint8) for f in sorted((folder / "masks").glob("*.png"))]
    return frames, [(cv2.GaussianBlur(m * np.float32(1), (0, 0), 2) > .4).astype(np.uint8) for m in raw], raw


def mean_width(mask):
    return mask.sum() / max(1, wire_scores.skeleton(mask).sum())


def shift(mask, dx, dy):
    return cv2.warpAffine(mask, np.float32([[1, 0, dx], [0, 1, dy]]), mask.shape[::-1], flags=cv2.INTER_NEAREST)


def free_shift(masks, real):
    """The shift by 50..140 px that keeps most of the masks in the picture and lies least on real wires."""
    keep_off, best = [wire_scores.grow(m, 6) for m in real], None
    for distance in (50, 70, 90, 110, 140):
        for angle in np.arange(0, 360, 15):
            dx, dy = int(distance * np.cos(np.radians(angle))), int(distance * np.sin(np.radians(angle)))
            moved = [shift(m, dx, dy) for m in masks[::4]]
            kept = sum(m.sum() for m in moved) / max(1, sum(m.sum() for m in masks[::4]))
            on = sum((m & k).sum() for m, k in zip(moved, keep_off[::4])) / max(1, sum(m.sum() for m in moved))
            if kept > .6 and (best is None or on - .05 * kept < best[0]):
                best = on - .05 * kept, dx, dy
    dx, dy = best[1:]
    return (dx, dy), [shift(m, dx, dy) & (1 - k) for m, k in zip(masks, keep_off)]


def moved(bench):
    frames, masks, _ = rigging(bench)
    rounds = max(range(1, 9), key=lambda r: -abs(np.mean([mean_width(cv2.erode(m, np.ones((3, 3), np.uint8), iterations=r)) for m in masks[::5]]) - 6))
    thin = [cv2.erode(m, np.ones((3, 3), np.uint8), iterations=rounds) for m in masks]
    print(f"masks: {np.mean([mean_width(m) for m in masks[::5]]):.1f} px wide on average, eroded {rounds} times "
          f"{np.mean([mean_width(m) for m in thin[::5]]):.1f} px")
    print(HEAD)
    for label, some in (("wide", masks), ("thin", thin)):
        offset, holes = free_shift(some, masks)
        print(f"wire_wrv2 {label}: moved by {offset}, {np.mean([h.mean() for h in holes]) * 100:.1f} % of the picture", flush=True)
        shots = [("wire_wrv2", frames, holes)]
        for name in bench.names:
            plate = bench.window(name)[1]
            size = plate[0].shape[1::-1]
            back_and_forth = (list(range(len(some))) + list(range(len(some) - 2, 0, -1))) * 4
            shots.append((name, plate, [cv2.resize(some[back_and_forth[t]], size, interpolation=cv2.INTER_NEAREST) for t in range(len(plate))]))
        for name, plate, holes in shots:
            painted = [f.copy() for f in plate]
            for f, h in zip(painted, holes):
                f[h > 0] = (206, 204, 196)  # what the rope looks like: nobody may look under it
            _fill_shot(bench, "moved", f"{name} {label}", painted, plate, holes, f"moved_{name}_{label}")
    sum_up_fills(bench, "moved")


# Tracks

def drawn_render(bench, name):
    """One render of a drawn shot from one jittered stroke a wire on the middle frame; suites track and end2end share it."""
    if name not in bench.renders:
        shot, middle = bench.drawn(name), len(bench.drawn(name).frames) // 2
        strokes = []
        for index, wire in enumerate(shot.wires):
            made = wire_truth.stroke(wire, middle, shot.plate[0].shape[:2], bench.arguments.seed * 101 + index + zlib.crc32(name.encode()))
            if made:
                strokes.append({"wire": f"w{index}", **made})
        request = None
        if bench.project:
            clip = bench.project.ingest(f"wired_{name}", shot.frames)
            request = bench.project.render(clip, (0, len(shot.frames) - 1), strokes=strokes)
        bench.renders[name] = shot, strokes, request
    return bench.renders[name]


def mattes_of(option, count):
    """The matte of every frame; one that is missing is an error, not an empty matte."""
    missing = [t for t in range(count) if option.mattes.get(t) is None]
    if missing:
        raise SystemExit(f"option {option.variant}: no matte in the evidence of frames {', '.join(map(str, missing))}")
    return [option.mattes[t] for t in range(count)]


def track_peers(frames, strokes):
    """{name: [0/1 matte a frame]} of the stroke held still and of the stroke carried by DIS flow."""
    made = {}
    for label, work in (("stroke held", wire_peers.held_strokes), ("stroke by DIS flow", wire_peers.carried_strokes)):
        curves = work(frames, strokes)
        made[label] = [wire_peers.drawn_matte([c[t] for c in curves], [s["width"] for s in strokes], frames[0].shape[:2]) for t in range(len(frames))]
    return made


def track(bench):
    print(f"{'shot':24s} {'method':20s} {'precision':>9s} {'recall':>7s} {'F1':>6s} lost/frames")
    classes, shape_of = {}, lambda s: s.plate[0].shape[:2]
    for name in bench.names:
        shot, strokes, request = drawn_render(bench, name)
        count, methods = len(shot.frames), track_peers(shot.frames, strokes)
        if request:
            methods[OURS] = mattes_of(request.first, count)
            print(f"{name}: detector {request.first.detector}", flush=True)
        difference = [np.abs(f.astype(int) - p).mean(2) for f, p in zip(shot.frames, shot.plate)]
        rows = {}
        for label, mattes in methods.items():
            precision, recall, f = wire_scores.f1(sum(wire_scores.counts(m, np.asarray(a, np.float32), d)
                                                      for m, a, d in zip(mattes, shot.alpha, difference)))
            lost = sum(lost for s in strokes for _, lost in request.first.wire(s["wire"]).values()) if label == OURS else 0
            rows[label] = {"precision": precision, "recall": recall, "f": f, "lost": lost, "seen": name in bench.seen}
            print(f"{name:24s} {label:20s} {precision:9.3f} {recall:7.3f} {f:6.3f} {lost}/{count * len(shot.wires)}", flush=True)
            lines = [wire_scores.line_counts(mattes[t], [w.curves[t] for w in shot.wires], [w.width for w in shot.wires], shape_of(shot))
                     for t in range(count)]
            for index, wire in enumerate(shot.wires):
                sums = sum(line[index] for line in lines)
                for group in [wire.size] + (["faint"] if wire.contrast < wire_truth.FAINT else []) + (["slack"] if wire.slack else []):
                    classes.setdefault((label, group), []).append(sums)
        bench.add("track", name, rows)
        if request:
            middle = count // 2
            bench.picture("track", [[(f"{name} {t}", shot.frames[t]), ("our matte", cv2.cvtColor(np.uint8(255 * np.clip(methods[OURS][t], 0, 1)),
                                                                                                 cv2.COLOR_GRAY2RGB))] for t in (0, middle, count - 1)])
    print("\ncentre lines, visible or not, by the wire's width (each: its share within 1 px of the matte; the matte nearest to it that is on it)")
    for label in dict.fromkeys(l for l, _ in classes):
        for group in [c[0] for c in wire_truth.CLASSES] + ["faint", "slack"]:
            if (label, group) in classes:
                each = [(s[0] / max(1, s[0] + s[1]), s[2] / max(1, s[2] + s[3])) for s in classes[label, group]]
                recall, precision = np.mean(each, axis=0)
                print(f"{group:24s} {label:20s} {precision:9.3f} {recall:7.3f} {2 * precision * recall / max(1e-9, precision + recall):6.3f} "
                      f"{len(each)} wires")
                bench.results.setdefault("track classes", {}).setdefault(group, {})[label] = {"precision": precision, "recall": recall, "wires": len(each)}
    for label in dict.fromkeys(l for rows in bench.results["track"].values() for l in rows):
        for group, wanted in (("seen", True), ("unseen", False)):
            figures = [rows[label]["f"] for rows in bench.results["track"].values() if label in rows and rows[label]["seen"] == wanted]
            if figures:
                print(f"MEAN {group}, {len(figures)} shots: {label}: F1 {np.mean(figures):.3f}, least {min(figures):.3f}")


def end2end(bench):
    print(HEAD)
    for name in bench.names:
        shot, strokes, request = drawn_render(bench, name)
        count, true = len(shot.frames), [shot.mask(t) for t in range(len(shot.frames))]
        if request:
            mattes = mattes_of(request.first, count)
            ours = ours_of(request, shot.frames)
            unsaid_changes(bench, f"end2end, {name}", request, shot.frames)
            touched = [np.any(f != b, 2).astype(np.uint8) for f, b in zip(ours[OURS], shot.frames)]
            masks = [((m > .02) | (t > 0)).astype(np.uint8) for m, t in zip(mattes, touched)]
        else:
            masks, ours = track_peers(shot.frames, strokes)["stroke by DIS flow"], {}
            masks = [wire_scores.grow(m, 1) for m in masks]
        made = {**bench.peers(shot.frames, masks), **ours}
        rows = rate_fills(made, shot.plate, true, shot.frames)
        for row in rows.values():
            row["outside"] = 0  # our masks are not the true ones
        bench.add("end2end", name, rows)
        print_fills(name, rows)
        bench.picture("end2end", [fill_row(name, count // 2, shot.plate[count // 2], shot.frames[count // 2], made, true[count // 2],
                                           (OURS, "temporal mean", "NS r3"))])
    sum_up_fills(bench, "end2end")
    print("masks: " + ("ours, for every method" if bench.project else "the stroke carried by DIS flow: the peers alone, not a figure to compare with"))
