#!/usr/bin/env python3
"""In-between frames of libinterpos and its peers on the same frames of any folder of clips.

The odd frames of the last part of every clip are made from the even ones alone (the odd ones are not in the footage that is
ingested). Peers: average, OpenCV DIS medium projected, ffmpeg minterpolate (mci, aobmc, vsbmc). Prints a table, writes JSON and a
contact sheet.

    tests/quality/inbetween.py FOOTAGE [--clips a,b] [--frames 8] [--part .3] [--single] [--set NAME=VALUE] [--train MINUTES] [--json F]
        [--sheet F.png]

With --single, frames far enough apart are missing one at a time and all others are known; minterpolate, which takes even spacing
only, is left out.
"""

import argparse
import json
import os
import pathlib
import pickle
import subprocess
import sys
import tempfile

import cv2
import numpy as np

import clips
import peers
import scores

ROOT = pathlib.Path(__file__).resolve().parents[2]


def in_child(work):
    """work() in a forked child: its result, CPU seconds and peak MiB, those of the programs it started included."""
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(reader)
        code = 1
        try:
            with os.fdopen(writer, "wb") as pipe:
                pickle.dump(work(), pipe)
            code = 0
        except BaseException as problem:  # the parent says it
            print(problem, file=sys.stderr)
        finally:
            os._exit(code)
    os.close(writer)
    with os.fdopen(reader, "rb") as pipe:
        data = pipe.read()
    _, status, usage = os.wait4(pid, 0)
    if status:
        raise SystemExit("a method failed, see above")
    return pickle.loads(data), usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


class Project:
    """One temporary project; every clip's even frames become a clip of it."""

    def __init__(self, folder, interpos, settings):
        self.folder, self.interpos = pathlib.Path(folder), interpos
        self.settings = [word for setting in settings for word in ("--set", setting)]
        self.run("init", str(self.folder / "project"))

    def run(self, *words):
        done = subprocess.run([self.interpos, *words], capture_output=True, text=True)
        if done.returncode:
            raise SystemExit(f"interpos {' '.join(words)}: {done.stderr.strip()}")
        return done.stdout

    def ingest(self, name, known, numbers):
        folder = self.folder / name
        folder.mkdir()
        for number, frame in zip(numbers, known):
            cv2.imwrite(str(folder / f"f.{number:05d}.png"), cv2.cvtColor(frame, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_PNG_COMPRESSION, 1])
        self.run("ingest", str(self.folder / "project"), str(folder), "--clip", name, "--fps", "24", "--encoding", "rec709", "--owner",
                 "benchmark", "--licence", "measurement", "--training", "allowed", "--progress", "none")

    def train(self, minutes):
        self.run("train", str(self.folder / "project"), "--for", "inbetween", "--model", "m", "--minutes", str(minutes), "--progress", "none")
        return json.loads(self.run("card", str(self.folder / "project"), "m", "--json"))

    def render(self, name, numbers, model):
        words = ["render", str(self.folder / "project"), "--operation", "inbetween", "--clip", name, "--frames",
                 ",".join(map(str, numbers)), "--progress", "none", "--set", "edges=hold", *self.settings]
        self.run(*words, *(["--model", "m"] if model else []))
        made = {}
        for option in json.loads(self.run("options", str(self.folder / "project"), "--json")):
            if option["clip"] == name:
                pictures = [cv2.cvtColor(cv2.imread(f["picture"], cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB) for f in option["frames"]]
                made[option["variant"]] = pictures
                made.setdefault("offered first", pictures)
        return made


def apart(total, part, count, distance=6):
    """Frame numbers of the last part, each with at least two known neighbours on both sides."""
    first = max(3, int(total * (1 - part)))
    count = max(1, min(count, (total - 3 - first) // distance + 1))
    return [round(first + i * (total - 4 - first) / max(1, count - 1)) for i in range(count)]


def chosen(total, part, count):
    """Odd frame numbers of the last part, spread evenly, each with known neighbours."""
    first = int(total * (1 - part))
    odd = [n for n in range(first | 1, total - 1, 2)]
    if len(odd) > count:
        odd = [odd[round(i * (len(odd) - 1) / (count - 1))] for i in range(count)]
    return sorted(set(odd))


def measure(made, true, before, after):
    each = [scores.psnr(m, t) for m, t in zip(made, true)]
    return {
        "psnr": float(np.mean(each)), "each": each,
        "ssim": float(np.mean([scores.ssim(m, t) for m, t in zip(made, true)])),
        "aligned": float(np.mean([scores.aligned_psnr(m, t) for m, t in zip(made, true)])),
        "flicker": float(np.mean([scores.pulse(b, m, a) for b, m, a in zip(before, made, after)]) /
                         max(1e-6, np.mean([scores.pulse(b, t, a) for b, t, a in zip(before, true, after)]))),
        "frames": len(made),
    }


def one_clip(name, path, arguments, project):
    total = clips.length(path)
    margin = int(total * (1 - arguments.part)) - 8 & ~1
    base = 0 if arguments.train else max(0, margin)
    frames = clips.frames(path, base)
    pick = apart if arguments.single else chosen
    targets = pick(min(total, base + len(frames)), arguments.part, arguments.frames)
    targets = [n for n in targets if not (np.array_equal(frames[n - base], frames[n - base - 1]) or
                                          np.array_equal(frames[n - base], frames[n - base + 1]))]
    if not targets:
        return None
    numbers = [base + i for i in range(len(frames))]
    numbers = [n for n in numbers if (n not in targets if arguments.single else n % 2 == 0)]
    even = [frames[n - base] for n in numbers]
    project.ingest(name, even, numbers)
    true = [frames[n - base] for n in targets]
    before, after = [frames[n - base - 1] for n in targets], [frames[n - base + 1] for n in targets]
    methods = {}

    def peer(label, work, pick=lambda made: made):
        made, cpu, peak = in_child(work)
        methods[label] = (pick(made), cpu / max(1, len(made)), peak)

    peer("average", lambda: [peers.average(b, a) for b, a in zip(before, after)])
    peer("DIS medium projected", lambda: [peers.dis_projected(b, a) for b, a in zip(before, after)])
    low = (min(targets) - 1 - base) // 2
    segment = even[low:(max(targets) + 1 - base) // 2 + 3]
    for motion in () if arguments.single else ("bidir", "bilat"):
        peer(f"minterpolate {motion}", lambda: peers.minterpolate(segment, motion),
             lambda made: [made[i] for i in ((n - 1 - base) // 2 - low for n in targets) if i < len(made)])
    return targets, true, before, after, methods


def sheet(rows, path):
    """Rows of labelled pictures: true, ours, the best peer, and ours' error, four times as strong."""
    lines = []
    for name, true, ours, peer in rows:
        pictures = [true, ours, peer, np.clip(np.abs(ours.astype(int) - true) * 4, 0, 255).astype(np.uint8)]
        pictures = [cv2.resize(p, (480, max(1, round(480 * p.shape[0] / p.shape[1]))), interpolation=cv2.INTER_AREA) for p in pictures]
        for picture, label in zip(pictures, (f"{name}: true", "ours", "DIS projected", "ours' error x4")):
            cv2.putText(picture, label, (8, 20), cv2.FONT_HERSHEY_SIMPLEX, .5, (255, 255, 0), 1, cv2.LINE_AA)
        lines.append(np.hstack(pictures))
    cv2.imwrite(str(path), cv2.cvtColor(np.vstack(lines), cv2.COLOR_RGB2BGR))


def table(results, order):
    lines = [f"{'clip':24s} {'method':24s} {'PSNR':>7s} {'SSIM':>7s} {'aligned':>8s} {'flicker':>8s} {'CPU s/frame':>12s} {'MiB':>6s} frames"]
    for clip, methods in results.items():
        for name in order:
            if name in methods:
                m = methods[name]
                lines.append(f"{clip:24s} {name:24s} {m['psnr']:7.2f} {m['ssim']:7.4f} {m['aligned']:8.2f} {m['flicker']:8.2f} "
                             f"{m['cpu']:12.2f} {m['mib']:6.0f} {m['frames']:6d}")
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("footage")
    parser.add_argument("--clips", help="comma-separated names of clips below the folder; default: all")
    parser.add_argument("--frames", type=int, default=8, help="frames made per clip (default 8)")
    parser.add_argument("--part", type=float, default=.3, help="the last part of each clip that is tested (default .3)")
    parser.add_argument("--single", action="store_true", help="one frame missing at a time, all others known")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="a setting of the operation; may be repeated")
    parser.add_argument("--train", type=float, default=0, help="minutes to train on the even frames before the tested part of all clips")
    parser.add_argument("--interpos", default=str(ROOT / "build/examples/interpos/interpos"))
    parser.add_argument("--json")
    parser.add_argument("--sheet")
    parser.add_argument("--require", type=float, nargs=2, metavar=("MEAN", "WORST"),
                        help="fail unless the first option beats DIS projected by MEAN dB and no clip by less than WORST dB")
    arguments = parser.parse_args()
    cv2.setNumThreads(0)  # children are forked
    found = clips.find(arguments.footage, arguments.clips.split(",") if arguments.clips else None)
    results, rows, order = {}, [], []
    with tempfile.TemporaryDirectory() as folder:
        project = Project(folder, arguments.interpos, arguments.set)
        info = json.loads(project.run("engine", "--measure", "--json"))
        speed = info["conv_gflops"]
        print(f"engine: libtorch {info['libtorch']}, {info['threads']} threads, {info['cpu_capability']}, convolutions "
              f"{speed['inference']:.0f} GFLOP/s inference, {speed['training']:.0f} training", flush=True)
        prepared = {name: one_clip(name, path, arguments, project) for name, path in found.items()}
        prepared = {name: p for name, p in prepared.items() if p}
        if arguments.train:
            card = project.train(arguments.train)
            print("model:", json.dumps(card["score"]), flush=True)
        for name, (targets, true, before, after, methods) in prepared.items():
            ours, cpu, peak = in_child(lambda: project.render(name, targets, bool(arguments.train)))
            methods.update({f"ours: {variant}": (made, cpu / len(targets), peak) for variant, made in ours.items()})
            results[name] = {}
            for method, (made, cpu, peak) in methods.items():
                if not made:  # minterpolate makes no frame after the last known pair
                    continue
                results[name][method] = measure(made, true, before, after) | {"cpu": cpu, "mib": peak}
                if method not in order:
                    order.append(method)
            rows.append((name, true[0], ours["offered first"][0], methods["DIS medium projected"][0][0]))
            print(table({name: results[name]}, order), flush=True)
    order = sorted(order, key=lambda m: m.startswith("ours"))
    mean = {m: {k: float(np.mean([r[m][k] for r in results.values() if m in r])) for k in ("psnr", "ssim", "aligned", "flicker", "cpu", "mib")} |
            {"frames": sum(r[m]["frames"] for r in results.values() if m in r)} for m in order}
    print("\n" + table({"MEAN": mean}, order))
    for peer in order:
        if peer.startswith("ours"):
            continue
        over = {n: float(np.mean(np.subtract(r["ours: offered first"]["each"][:r[peer]["frames"]], r[peer]["each"])))
                for n, r in results.items() if peer in r}
        worst = min(over, key=over.get)
        print(f"ours over {peer} on the same frames: mean {np.mean(list(over.values())):+.2f} dB, least {over[worst]:+.2f} ({worst})")
    print("CPU seconds and MiB of ours cover gate and all variants, made together; a peer's MiB includes the benchmark's own frames")
    if arguments.json:
        pathlib.Path(arguments.json).write_text(json.dumps({"engine": info, "clips": results, "mean": mean}, indent=1))
    if arguments.sheet:
        sheet(rows, arguments.sheet)
    if arguments.require:
        over = [r["ours: offered first"]["psnr"] - r["DIS medium projected"]["psnr"] for r in results.values()]
        if np.mean(over) < arguments.require[0] or min(over) < arguments.require[1]:
            raise SystemExit("below what is required over DIS projected")


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT / "tests/quality"))
    main()
