"""The suites of tests/quality/wires.py on real rigging and rendered sets, and what it costs: rope, backlot, pld, speed."""

import json

import cv2
import numpy as np

import wire_peers
import wire_project
import wire_scores
import wire_truth
from wire_suites import HERE, LOST, OURS, mattes_of, ours_of, rigging, track_peers

def grey(matte):
    return cv2.cvtColor(np.uint8(np.clip(np.rint(np.asarray(matte, np.float32) * 255), 0, 255)), cv2.COLOR_GRAY2RGB)


# Real ropes

def lost_frames(option, names, first=0, last=10 ** 9):
    """{wire: [frames declared lost, or of a confidence below LOST]}."""
    return {n: [f for f, (confidence, lost) in sorted(option.wire(n).items()) if first <= f <= last and (lost or confidence < LOST)] for n in names}


def laid_off(curves, masks, frame, count, rng):
    """`count` curves moved by 40..120 px and a little turned, onto pixels that no wire is near of within 5 frames of `frame`."""
    near = np.max([wire_scores.grow(m, 14) for m in masks[max(0, frame - 5):frame + 6]], axis=0)
    height, width = near.shape
    made = []
    for _ in range(20000):
        if len(made) == count:
            break
        curve = curves[rng.integers(len(curves))]
        angle, distance = rng.uniform(0, 2 * np.pi), rng.uniform(40, 120)
        turn, centre = rng.normal(0, .15), curve.mean(0)
        turned = (curve - centre) @ [[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]] + centre
        off = turned + distance * np.array([np.cos(angle), np.sin(angle)])
        dense = wire_truth._resample(off, 2)[0]
        inside = wire_truth._inside(dense, near.shape, 0)
        if inside.sum() < 25 or inside.mean() < .6 or near[dense[inside, 1].astype(int), dense[inside, 0].astype(int)].any():
            continue
        ends = dense[inside][np.linspace(0, inside.sum() - 1, 6).astype(int)] + rng.normal(0, 1, (6, 2))
        made.append([[round(float(np.clip(x, 0, width - .01)), 2), round(float(np.clip(y, 0, height - .01)), 2)] for x, y in ends])
    return made


def false_strokes(bench, clip, masks, strokes, total):
    """Strokes laid where no wire is: the share whose wire is not declared lost, on the stroke's frame and within 5 frames."""
    rng, runs = np.random.default_rng(bench.arguments.seed), -(-total // 12)
    curves, kept, confidences, all_of_them = [np.array(s["points"], float) for s in strokes], [0, 0], [], 0
    for run in range(runs):
        frame = int(np.linspace(2, len(masks) - 3, runs)[run])
        laid = laid_off(curves, masks, frame, 12, rng)
        if not laid:
            continue
        first, last = max(0, frame - 5), min(len(masks) - 1, frame + 5)
        made = bench.project.render(clip, (first, last), read=False,
                                    strokes=[{"wire": f"f{i}", "frame": frame, "points": p, "width": 3} for i, p in enumerate(laid)]).first
        for i in range(len(laid)):
            wire = made.wire(f"f{i}")  # stops the run where nothing is said of it
            alive = {f: c >= LOST and not lost for f, (c, lost) in wire.items() if first <= f <= last}
            kept[0] += alive[frame]
            kept[1] += sum(alive.values()) / (last - first + 1)
            confidences.append(wire[frame][0])
        all_of_them += len(laid)
    figures = {"strokes": all_of_them, "kept": kept[0] / max(1, all_of_them), "kept frames": kept[1] / max(1, all_of_them),
               "confidence": [round(c, 4) for c in confidences]}
    if confidences:
        print(f"false strokes: {all_of_them}, taken for a wire on their own frame {figures['kept']:.0%}, on their frame +-5 {figures['kept frames']:.0%}; "
              f"confidence median {np.median(confidences):.2f}, 95th percentile {np.percentile(confidences, 95):.2f}")
    return figures


def asked_for(lost, fixups, most=2):
    """The strokes on file nearest to the middles of the longest runs of frames on which the tool says that a wire is lost: what a person
    would draw who may draw `most` more."""
    runs = []
    for wire, frames in lost.items():
        for frame in frames:
            if runs and runs[-1][0] == wire and runs[-1][1][-1] == frame - 1:
                runs[-1][1].append(frame)
            else:
                runs.append((wire, [frame]))
    made = []
    for wire, frames in sorted(runs, key=lambda r: -len(r[1])):
        middle = frames[(len(frames) - 1) // 2]
        there = [s for s in fixups if s["wire"] == wire and s["frame"] in frames]
        if there and len(made) < most:
            made.append(min(there, key=lambda s: abs(s["frame"] - middle)))
    return made


def rope_sheet(bench, frames, made, mattes):
    for t, frame in enumerate(frames):
        bench.picture("rope", [[(f"before {t}", frame), ("after", made[t]), ("matte", grey(mattes[t]))]])
        for box in ((slice(0, 270), slice(400, 700)), (slice(180, 360), slice(100, 500))):
            bench.picture("rope_large", [[(f"{label} {t}", cv2.resize(p[box], None, fx=3, fy=3, interpolation=cv2.INTER_CUBIC))
                                          for label, p in (("before", frame), ("after", made[t]))]])


def rope(bench):
    frames, masks, raw = rigging(bench)
    strokes = json.loads((HERE / "wrv2_strokes.json").read_text())["strokes"]
    fixups = json.loads((HERE / "wrv2_fixups.json").read_text())["strokes"]
    names, count = list(dict.fromkeys(s["wire"] for s in strokes)), len(frames)
    print(f"centre lines: skeletons of the masks, smoothed first (raw: of the ragged masks themselves); strokes on frame {strokes[0]['frame']}")
    print(f"{'method':34s} {'recall':>7s} {'precis.':>7s} {'F':>6s} {'raw rec.':>8s} {'+-5 rec.':>8s} {'+-5 pre.':>8s} {'flicker':>8s}")
    rows, runs, beside = {}, {}, wire_scores.FlickerBeside(frames, masks)

    def show(label, mattes, filled=None, over=.3):
        flicker = beside.ratio(filled) if filled else float("nan")
        if mattes is None:
            rows[label] = {"flicker": flicker}
            print(f"{label:34s} {flicker:61.2f}", flush=True)
            return
        flags = [np.asarray(m, np.float32) > over for m in mattes]
        each = [wire_scores.line_match(f, m) for f, m in zip(flags, masks)]
        recall, precision, f = wire_scores.shares(sum(each))
        raw_recall = wire_scores.shares(sum(wire_scores.line_match(f, m) for f, m in zip(flags, raw)))[0]
        middle = strokes[0]["frame"]
        near = wire_scores.shares(sum(each[max(0, middle - 5):middle + 6]))
        rows[label] = {"recall": recall, "precision": precision, "f": f, "raw recall": raw_recall, "near": near[:2], "flicker": flicker,
                       "each": [wire_scores.shares(e) for e in each]}
        print(f"{label:34s} {recall:7.3f} {precision:7.3f} {f:6.3f} {raw_recall:8.3f} {near[0]:8.3f} {near[1]:8.3f} {flicker:8.2f}", flush=True)

    for label, mattes in track_peers(frames, strokes).items():
        show(label, mattes)
    grown = [wire_scores.grow(m, 2) for m in masks]
    for label, filled in bench.peers(frames, grown).items():
        show(f"{label}, the given masks grown by 2", None, filled)
    show("nothing done", None, frames)
    if bench.project:
        clip = bench.project.ingest("rope", frames)
        laid = list(strokes)
        for label in (OURS, "ours: with fix-ups"):
            if label != OURS:
                added = asked_for(rows[OURS]["lost"], fixups)
                laid += added
                print("    fix-ups laid where the first run is lost: " + "; ".join(f"{s['wire']} {s['frame']}" for s in added))
            runs[label] = bench.project.render(clip, (0, count - 1), strokes=laid)
            filled = ours_of(runs[label], frames)[OURS]
            mattes = mattes_of(runs[label].first, count)
            show(label, mattes, filled)
            lost = lost_frames(runs[label].first, names)
            rows[label]["lost"] = lost
            print(f"    detector {runs[label].first.detector}")
            print("    lost: " + ("; ".join(f"{n} {','.join(map(str, f))}" for n, f in lost.items() if f) or "none"))
            middle = strokes[0]["frame"]
            held = [f for n in names for f, (confidence, gone) in runs[label].first.wire(n).items()
                    if abs(f - middle) <= 5 and confidence >= LOST and not gone]
            rows[label]["true kept"] = len(held) / (len(names) * len(range(max(0, middle - 5), min(count, middle + 6))))
            print(f"    true strokes, frames within 5 of theirs kept: {rows[label]['true kept']:.0%}")
        rope_sheet(bench, frames, filled, mattes)
        rows["false strokes"] = false_strokes(bench, clip, masks, strokes + fixups, bench.arguments.false_strokes)
    bench.add("rope", "wire_wrv2", rows)


# Rendered set, linear light

def log_like(light):
    """Linear light to 8 bits for the eye and for OpenCV: log2 from -8 to +6 stops about .18, negative values at the bottom."""
    return np.uint8(np.clip(np.rint((np.log2(np.maximum(light, 0) / .18 + 2. ** -8) + 8) / 14 * 255), 0, 255))


def from_log(code):
    return (.18 * (2. ** (np.asarray(code, np.float32) / 255 * 14 - 8) - 2. ** -8)).astype(np.float32)


def backlot_truth(wired, clean):
    """Where the wires are (0/1): they differ from the clean plate, are long, and come from the top; shadows on the ground are not."""
    difference = cv2.GaussianBlur(np.abs(wired - clean).mean(2) / (clean.mean(2) + .02), (0, 0), .7)
    number, labels, stats, _ = cv2.connectedComponentsWithStats((difference > .06).astype(np.uint8), connectivity=8)
    keep = [i for i in range(1, number) if stats[i][cv2.CC_STAT_TOP] <= 4 and stats[i][cv2.CC_STAT_HEIGHT] >= 40]
    return np.isin(labels, keep).astype(np.uint8), [labels == i for i in keep]


def backlot(bench):
    folder = bench.footage("backlot")
    if not folder:
        raise SystemExit(f"{bench.arguments.footage} has no backlot")
    paths = sorted((folder / "a_midday_wires").glob("*.exr"))[:bench.arguments.frames]
    wired = [wire_project.read_picture(p) for p in paths]
    clean = [wire_project.read_picture(folder / "a_midday" / p.name) for p in paths]
    truths = [backlot_truth(w, c) for w, c in zip(wired, clean)]
    true = [wire_scores.grow(t, 1) for t, _ in truths]
    middle, rng = len(paths) // 2, np.random.default_rng(bench.arguments.seed)
    number = [int(p.stem) for p in paths]
    strokes = []
    for index, part in enumerate(truths[middle][1]):
        rows = np.nonzero(part.any(1))[0]
        ys = np.linspace(rows[0], rows[-1], 5).astype(int)
        points = [[float(np.nonzero(part[y])[0].mean() + .5 + rng.normal(0, 1.5)), float(max(0, y + .5 + rng.normal(0, 1.5)))] for y in ys]
        strokes.append({"wire": f"w{index}", "frame": number[middle], "points": points, "width": 2})
    peak = float(np.percentile(np.stack(clean), 99.9))
    print(f"{len(paths)} frames, {len(strokes)} wires, {np.mean([t.mean() for t in true]) * 100:.2f} % of the picture; linear PSNR against a peak of "
          f"{peak:.2f}, the plate's 99.9th percentile; log: {log_like.__doc__.split(':')[1].split(',')[0].strip()}, 8 bits")
    print("Telea and NS of the float channels (cv2 takes one float channel at a time), all others of the 8-bit log picture, put back into linear light in the mask")
    coded, coded_clean = [log_like(w) for w in wired], [log_like(c) for c in clean]
    masks, made = true, {}
    if bench.project:
        clip = bench.project.ingest_files(str(folder / "a_midday_wires" / "%04d.exr"), "backlot", "linear")
        request = bench.project.render(clip, (number[0], number[-1]), strokes=strokes)
        at = {t: n for t, n in enumerate(number)}
        for option in request.options:
            if option.variant == "matte":
                continue
            made[f"ours: {option.variant}"] = [option.pictures[at[t]][..., :3] for t in range(len(wired))]
        made[OURS] = [request.first.pictures[at[t]][..., :3] for t in range(len(wired))]
        masks = [(request.first.mattes[at[t]] > .02) | np.any(f != w, 2) for t, (f, w) in enumerate(zip(made[OURS], wired))]
        masks = [m.astype(np.uint8) for m in masks]
        print("masks: ours, for every method")
    else:
        print("masks: the true ones")
    for label, frames in bench.peers(coded, masks).items():
        made[f"{label}, log"] = [np.where(m[..., None] > 0, from_log(f), w) for f, m, w in zip(frames, masks, wired)]
    for label, method in (("Telea r3, float", cv2.INPAINT_TELEA), ("NS r3, float", cv2.INPAINT_NS)):
        made[label] = [wire_peers.float_inpaint(w, m, method) if m.any() else w for w, m in zip(wired, masks)]
    flicker, rows = wire_scores.Flicker(coded_clean, true), {}
    print(f"{'method':26s} {'linear':>7s} {'log':>7s} {'worst log':>9s} {'flicker':>8s} outside")
    for label, frames in sorted(made.items(), key=lambda item: not item[0].startswith("Telea")):
        linear = [wire_scores.psnr(f, c, m, peak) for f, c, m in zip(frames, clean, true)]
        logs = [wire_scores.psnr(log_like(f), c, m) for f, c, m in zip(frames, coded_clean, true)]
        margin = 3 if label == "ours: wide" else 0  # its matte is grown by 2 pixels more
        outside = sum(int((np.any(f != w, 2) & (wire_scores.grow(m, margin) == 0)).sum()) for f, w, m in zip(frames, wired, masks))
        rows[label] = {"psnr": float(np.mean(logs)), "linear": float(np.mean(linear)), "each": logs, "flicker": flicker.ratio([log_like(f) for f in frames])}
        print(f"{label:26s} {np.mean(linear):7.2f} {np.mean(logs):7.2f} {min(logs):9.2f} {rows[label]['flicker']:8.2f} {outside:7d}")
        if outside and label.startswith("ours"):
            bench.fail(f"backlot: {label} changed {outside} pixels outside the mask")
    bench.add("backlot", "a_midday_wires", rows)
    box = (slice(0, 180), slice(180, 340))
    double = lambda p: cv2.resize(p[box], None, fx=2, fy=2, interpolation=cv2.INTER_NEAREST)
    for t in (0, middle, len(paths) - 1):
        bench.picture("backlot", [[(f"wired {number[t]}", double(coded[t])), ("plate", double(coded_clean[t]))] +
                                  [(n, double(log_like(made[n][t]))) for n in (OURS, "temporal mean, log", "NS r3, float") if n in made] +
                                  [("matte", double(grey(masks[t])))]])


# Stills of power lines

def pld(bench):
    folder = bench.footage("wire_pld_u")
    if not folder:
        raise SystemExit(f"{bench.arguments.footage} has no wire_pld_u")
    files = sorted(folder.glob("*.jpg"), key=lambda p: int(p.stem))[:bench.arguments.stills]
    stills = [(p.stem, cv2.cvtColor(cv2.imread(str(p)), cv2.COLOR_BGR2RGB),
               (cv2.imread(str(folder / "masks_png" / f"{p.stem}.png"), cv2.IMREAD_GRAYSCALE) > 127).astype(np.uint8)) for p in files]
    widths = [m.sum() / max(1, wire_scores.skeleton(m).sum()) for _, _, m in stills]
    print(f"{len(stills)} stills, lines of {np.mean(widths):.1f} px in the masks")
    methods, proposals = {}, 0
    for name, picture, mask in stills:
        luma = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
        found = np.zeros_like(mask)  # the classical way: line segments of gradient, long ones
        for line in cv2.createLineSegmentDetector().detect(luma)[0][:, 0] if luma.std() > 1 else ():
            if np.hypot(line[0] - line[2], line[1] - line[3]) >= 40:
                cv2.line(found, tuple(int(v) for v in np.round(line[:2])), tuple(int(v) for v in np.round(line[2:])), 1, 1)
        methods.setdefault("LSD, 40 px and longer", []).append((found, mask))
        if bench.project:
            clip = bench.project.ingest(f"still_{name}", [picture])
            made = bench.project.render(clip, (0, 0), settings={"mode": "propose"})
            strokes = made.first.details["strokes"]
            matte = wire_peers.drawn_matte([s["points"] for s in strokes], [1] * len(strokes), mask.shape)
            methods.setdefault(OURS, []).append((matte, mask))
            proposals += len(strokes)
            bench.picture("pld", [[(name, picture), ("proposed", grey(matte)), ("masks", grey(mask))]])
    for label, pairs in methods.items():
        sums = [wire_scores.line_match(found, mask) for found, mask in pairs]
        recall, precision, f = wire_scores.shares(sum(sums))
        bench.add("pld", "all", {label: {"recall": recall, "precision": precision, "f": f}})
        print(f"{label:26s} recall {recall:.3f}, precision {precision:.3f}, F {f:.3f} at 3 px")
    if bench.project:
        print(f"{proposals} proposals, all of them taken, each a line of one pixel")
    print("thin lines are those of suite track, whose width is known: its groups `< 1 px` and `faint`")


# Cost

def across(bench, shot, enlarge):
    """What one more frame costs, from runs of 8 and of all frames: the fill of one wire across the frame, and the detector alone (proposals)."""
    wire = max(shot.wires, key=lambda w: sum(float((np.asarray(a) > .02).sum()) / max(w.width, 1) for a in w.alpha))
    frames = [enlarge(f, cv2.INTER_CUBIC) for f in shot.frames]
    masks = [enlarge(wire_scores.grow((np.asarray(a) > .02).astype(np.uint8), 1).astype(np.uint8), cv2.INTER_NEAREST) for a in wire.alpha]
    clip, rows = bench.project.ingest("speed_across", frames), {}
    mattes = bench.project.mattes("speed_across_matte", masks)
    for what, settings in (("fill, one wire across, one frame more", {"matte": mattes}), ("detection, one frame more", {"mode": "propose"})):
        few, all_of = (bench.project.render(clip, (0, n - 1), settings=settings, read=False) for n in (8, len(frames)))
        more = len(frames) - 8
        rows[f"ours: {what}"] = {"fps": more / max(all_of.wall - few.wall, 1e-9), "cpu": (all_of.cpu - few.cpu) / more, "mib": all_of.mib}
    return rows


def speed(bench):
    name = bench.names[0]
    shot, count = bench.drawn(name), min(8, bench.arguments.frames)
    print(f"{name}'s first {count} frames, enlarged; CPU and peak of `interpos` and its engine, start-up and files included")
    print(f"{'size':12s} {'what':36s} {'frames/s':>9s} {'CPU s/frame':>12s} {'MiB':>7s}")
    for label, width, height in (("960x540", 960, 540), ("2K", 2048, 1080), ("4K", 3840, 2160)):
        enlarge = lambda p, how: cv2.resize(p, (width, height), interpolation=how)
        frames = [enlarge(f, cv2.INTER_CUBIC) for f in shot.frames[:count]]
        masks = [enlarge(shot.mask(t), cv2.INTER_NEAREST) for t in range(count)]
        scale = np.array([width / shot.plate[0].shape[1], height / shot.plate[0].shape[0]])
        rows = {}
        begin = cv2.getTickCount()
        for frame, mask in zip(frames[:2], masks):
            wire_peers.telea(frame, mask)
        rows["Telea r3"] = {"fps": 2 * cv2.getTickFrequency() / (cv2.getTickCount() - begin)}
        if width == 960 and not bench.arguments.skip_temporal:
            begin = cv2.getTickCount()
            wire_peers.temporal_mean(frames, masks, [count // 2])
            rows["temporal mean"] = {"fps": cv2.getTickFrequency() / (cv2.getTickCount() - begin)}
        if bench.project:
            clip = bench.project.ingest(f"speed_{label}", frames)
            strokes = []
            for index, wire in enumerate(shot.wires):
                made = wire_truth.stroke(wire, count // 2, shot.plate[0].shape[:2], index)
                if made:
                    strokes.append({**made, "wire": f"w{index}", "points": (np.array(made["points"]) * scale).tolist(), "width": made["width"] * scale[0]})
            for what, extra in (("fill, matte given", {"settings": {"matte": bench.project.mattes(f"speed_{label}_matte", masks)}}),
                                (f"{len(strokes)} strokes and fill", {"strokes": strokes})):
                made = bench.project.render(clip, (0, count - 1), read=False, **extra)
                gone = [lost for s in extra.get("strokes", []) for _, lost in made.first.wire(s["wire"]).values()]
                what += f", {np.mean(gone):.0%} lost" if gone else ""  # what is lost is not filled, and so costs nothing
                rows[f"ours: {what}"] = {"fps": count / made.wall, "cpu": made.cpu / count, "mib": made.mib, "lost": float(np.mean(gone)) if gone else 0.}
            if width == 960:
                rows.update(across(bench, shot, enlarge))
        for what, row in rows.items():
            print(f"{label:12s} {what:36s} {row['fps']:9.2f} {row.get('cpu', float('nan')):12.2f} {row.get('mib', float('nan')):7.0f}", flush=True)
        bench.add("speed", label, rows)
