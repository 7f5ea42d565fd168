#!/usr/bin/env python3
"""Grain of libinterpos on real plates with known grain, on compressed and on untouched footage.

    tests/quality/look_grain.py FOOTAGE [--clips choose|report|a,b] [--suites measure,regrain,...] [--grains white,...] [--frames 8] [--tool PATH]
        [--models FOLDER] [--json F] [--markdown F] [--require]

Suites
  measure     the curve, autocorrelation and channel correlation against the truth
  regrain     the measured model laid on the clean plate: spectrum and total variance against the true grain's
  match       half of the variance missing, from a quarter of the picture on: what matched regrain brings it to
  remove      PSNR to the clean plate, before and after, beside OpenCV's non-local means with the true deviation
  av1         the film-grain table through libaom: deviation of the decoded grain against the model
  compressed  the same through x264: estimate over injected, and the verdict (no bar)
  untouched   every clip of the folder as it is (no bar)

Clips `choose` are for choosing between methods, `report` for figures. Grain comes from grain_truth.py, which shares nothing with the library.
With --require the run fails where a bar is missed: variance median <= 8 %, each <= 15 % up to 1 px; autocorrelation mean-lag .03, max-lag
.07 (medians); regrain mean .5 dB, worst band 2.5 dB, total .3 dB (means over the cases).
"""

import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile

import cv2
import numpy as np

import clips
import grain_truth

ROOT = pathlib.Path(__file__).resolve().parents[2]
SETS = {
    "choose": ["davis_bear", "netflix_seeking", "sam2_dog", "tos_battle_a"],
    "report": ["sam2_coffee", "davis_lady_running", "davis_paragliding_launch", "mdn_flower", "intel_person", "aot_market"],
}
START = {"tos_battle_a": 400}
MOST = 960
SURE = .4  # confidence of a bin that counts as measured
SUITES = ["measure", "regrain", "match", "remove", "av1", "compressed", "untouched"]


def read(path, first=0, count=None):
    path = pathlib.Path(path)
    if path.is_dir() and any(path.glob("*.jpg")):
        files = sorted(path.glob("*.jpg"))[first:None if count is None else first + count]
        made = [cv2.cvtColor(cv2.imread(str(f)), cv2.COLOR_BGR2RGB) for f in files]
    else:
        made = clips.frames(path, first, count)
    return made


class Bench:
    def __init__(self, arguments, folder):
        self.arguments, self.folder = arguments, pathlib.Path(folder)
        self.found = clips.find(arguments.footage)
        self.names = [n for part in arguments.clips.split(",") for n in SETS.get(part, [part])]
        missing = [n for n in self.names if n not in self.found]
        if missing:
            raise SystemExit(f"{arguments.footage}: no clip called {', '.join(missing)}")
        self.plates, self.models = {}, {}

    def plate(self, name, native=False):
        """Float frames, at most 960 wide unless native."""
        if (name, native) not in self.plates:
            path = self.found[name]
            length = len(list(path.glob("*.jpg"))) or clips.length(path) if path.is_dir() else clips.length(path)
            count = min(self.arguments.frames, length)
            made = read(path, min(START.get(name, length // 3), length - count), count)
            height, width = made[0].shape[:2]
            if width > MOST and not native:
                made = [cv2.resize(f, (MOST, round(MOST * height / width)), interpolation=cv2.INTER_AREA) for f in made]
            self.plates[name, native] = [f.astype(np.float32) / 255 for f in made]
        return self.plates[name, native]

    def file(self, name):
        return str(self.folder / name)

    def put(self, name, frames):
        np.stack(frames).astype(np.float32).tofile(self.file(name))
        return self.file(name)

    def run(self, *words):
        done = subprocess.run([self.arguments.tool, *map(str, words)], capture_output=True, text=True)
        if done.returncode:
            raise SystemExit(f"grain_tool {words[0]}: {done.stderr}")
        return done.stdout

    def measure(self, frames, step=1 / 255):
        height, width = frames[0].shape[:2]
        return json.loads(self.run("measure", width, height, len(frames), self.put("clip.raw", frames), step))

    def case(self, name, grain, seed):
        """The model measured from the 8-bit frames of a case; None where it is refused."""
        key = name, grain[0]
        kept = self.arguments.models and self.arguments.models / f"{name}-{grain[0]}.json"
        if key not in self.models and kept and kept.exists():
            self.models[key] = json.loads(kept.read_text())
        if key not in self.models:
            self.models[key] = self.measure(grain_truth.lay(grain, self.plate(name), seed))
            if kept:
                kept.write_text(json.dumps(self.models[key]))
        return self.models[key]

    def cases(self):
        for i, name in enumerate(self.names):
            for j, grain in enumerate(grain_truth.GRAINS):
                if self.arguments.grains and grain[0] not in self.arguments.grains.split(","):
                    continue
                yield name, grain, 100 * i + j

    def use(self, model):
        pathlib.Path(self.file("model.json")).write_text(json.dumps(model))
        return self.file("model.json")

    def frames_of(self, path, count, shape):
        return np.fromfile(path, np.float32).reshape(count, *shape)


def errors(model, grain):
    """Of the total variance per channel (weighted by blocks), of every measured bin, of the lags, of the channels' correlation."""
    bins = [b for b in model["bins"] if b["confidence"] >= SURE]
    weight = np.array([b["blocks"] for b in bins], float)[:, None]
    found = np.array([b["variance"] for b in bins])
    true = grain_truth.variance(grain, np.array([b["level"] for b in bins]))[:, None]
    lags = np.abs(np.array(model["autocorrelation"]) - grain_truth.autocorrelation(grain[2])[None])
    off = ~np.identity(3).astype(bool)
    return {
        "variance": ((weight * found).sum(0) / (weight * true).sum(0) - 1).tolist(),
        "bins": (found / true - 1).mean(1).tolist(), "confidences": [b["confidence"] for b in bins],
        "lag_max": float(lags.max((1, 2)).mean()), "lag_mean": float(lags.mean((1, 2)).mean()),
        "channels": float(np.abs(np.array(model["channels"]) - grain[4])[off].max()),
    }


def measure(bench):
    out = []
    for name, grain, seed in bench.cases():
        model = bench.case(name, grain, seed)
        row = {"clip": name, "grain": grain[0], "measurable": model["measurable"], "reason": model["reason"], "confidence": model["confidence"],
               "temporal": model["temporal"], "dispersion": model["dispersion"], "unsteady": model["unsteady"]}
        if model["measurable"]:
            row.update(errors(model, grain))
        out.append(row)
    return out


def spectrum(frames):
    n, total, count = 64, np.zeros((64, 64)), 0
    for f in frames:
        for y in range(0, f.shape[0] - n + 1, n):
            for x in range(0, f.shape[1] - n + 1, n):
                part = f[y:y + n, x:x + n]
                total += np.abs(np.fft.fft2(part - part.mean())) ** 2
                count += 1
    return total / count


def bands(true, made):
    """dB of made over true in rings of .05 cycles a pixel that lie within 20 dB of the strongest, and of the total."""
    fy, fx = np.meshgrid(np.fft.fftfreq(64), np.fft.fftfreq(64), indexing="ij")
    radius = np.hypot(fy, fx)
    rings = [(radius >= low) & (radius < low + .05) for low in np.arange(.02, .66, .05)]
    a, b = (np.array([s[r].mean() for r in rings]) for s in (true, made))
    keep = a > a.max() / 100
    return 10 * np.log10(b[keep] / a[keep]), float(10 * np.log10(made.sum() / true.sum()))


def regrain(bench):
    out = []
    for name, grain, seed in bench.cases():
        model, plates = bench.case(name, grain, seed), bench.plate(name)
        if not model["measurable"]:
            continue
        count, (height, width) = len(plates), plates[0].shape[:2]
        bench.run("add", width, height, count, bench.put("plate.raw", plates), bench.use(model), 5, bench.file("out.raw"))
        made = bench.frames_of(bench.file("out.raw"), count, plates[0].shape)
        true = grain_truth.lay(grain, plates, seed + 5000, 0)
        row = {"clip": name, "grain": grain[0]}
        found = [bands(spectrum([f[..., c] - p[..., c] for f, p in zip(true, plates)]), spectrum([f[..., c] - p[..., c] for f, p in zip(made, plates)]))
                 for c in range(3)]
        row.update(mean=float(np.mean([np.abs(b).mean() for b, _ in found])), worst=float(max(np.abs(b).max() for b, _ in found)),
                   total=float(np.mean([t for _, t in found])))
        residual = (made - np.stack(plates))[..., 1]
        row["repeat"] = float(max(abs(np.corrcoef(residual[0].ravel(), residual[1].ravel())[0, 1]),
                                  abs(np.corrcoef(residual[0, :, :width // 2].ravel(), residual[0, :, -(width // 2):].ravel())[0, 1])))
        out.append(row)
    return out


def match(bench):
    """A quarter of the picture keeps half the variance; its neighbour in time is the reference."""
    out = []
    for name, grain, seed in bench.cases():
        model, plates = bench.case(name, grain, seed), bench.plate(name)
        if not model["measurable"]:
            continue
        count, (height, width) = len(plates), plates[0].shape[:2]
        whole, other = (grain_truth.lay(grain, plates, s, 0) for s in (seed, seed + 7000))
        poor = [p + np.sqrt(.5) * (f - p) for p, f in zip(plates, whole)]
        row = {"clip": name, "grain": grain[0]}
        for label, reference in (("reference", bench.put("reference.raw", other)), ("model", "-")):
            bench.run("match", width, height, count, bench.put("poor.raw", poor), reference, bench.use(model), 9, bench.file("out.raw"))
            made = bench.frames_of(bench.file("out.raw"), count, plates[0].shape)
            row[label] = float((made - np.stack(plates)).var() / (np.stack(whole) - np.stack(plates)).var())
        out.append(row)
    return out


def psnr(a, b):
    return float(-10 * np.log10(((np.asarray(a) - np.asarray(b)) ** 2).mean()))


def remove(bench):
    out = []
    for name, grain, seed in bench.cases():
        model, plates = bench.case(name, grain, seed), bench.plate(name)[:3]
        if not model["measurable"] or grain[0] not in ("white", "soft", "ar-wide"):
            continue
        noisy = grain_truth.lay(grain, plates, seed)
        height, width = plates[0].shape[:2]
        bench.run("remove", width, height, 3, bench.put("noisy.raw", noisy), bench.use(model), bench.file("out.raw"))
        made = np.fromfile(bench.file("out.raw"), np.float32).reshape(3, -1)[:, :height * width * 3].reshape(3, height, width, 3)
        eight = [(f * 255 + .5).astype(np.uint8) for f in noisy]
        peer = cv2.fastNlMeansDenoisingColoredMulti(eight, 1, 3, None, 255 * grain[1], 255 * grain[1], 7, 15)
        out.append({"clip": name, "grain": grain[0], "before": psnr(noisy[1], plates[1]), "ours": psnr(made[1], plates[1]),
                    "nlm": psnr(peer.astype(np.float32) / 255, plates[1])})
    return out


def decoded(table, level, size=(256, 512), count=8):
    """Luma of a flat clip coded with the table, as the decoder shows it."""
    height, width = size
    frame = np.full(height * width, round(16 + 219 * level), np.uint8).tobytes() + np.full(height * width // 2, 128, np.uint8).tobytes()
    coded = table + ".mkv"
    subprocess.run(["ffmpeg", "-v", "error", "-y", "-f", "rawvideo", "-pix_fmt", "yuv420p", "-s", f"{width}x{height}", "-r", "24", "-i", "-", "-c:v",
                    "libaom-av1", "-crf", "10", "-cpu-used", "8", "-aom-params", f"film-grain-table={table}", coded], input=frame * count, check=True,
                   capture_output=True)
    raw = subprocess.run(["ffmpeg", "-v", "error", "-i", coded, "-f", "rawvideo", "-pix_fmt", "yuv420p", "-"], check=True, capture_output=True).stdout
    return np.frombuffer(raw, np.uint8).reshape(count, -1)[:, :height * width].reshape(count, height, width).astype(float)


def av1(bench):
    out = []
    for name, grain, seed in list(bench.cases())[:len(grain_truth.GRAINS)]:
        model = bench.case(name, grain, seed)
        if not model["measurable"]:
            continue
        table = bench.file("table.tbl")
        pathlib.Path(table).write_text(bench.run("av1", bench.use(model)))
        best = max(model["bins"], key=lambda b: b["confidence"] * b["blocks"])
        frames = decoded(table, best["level"])
        residual = frames - frames.mean((1, 2), keepdims=True)
        mix = grain[4] * np.ones((3, 3)) + (1 - grain[4]) * np.identity(3)
        sigma = np.sqrt(grain_truth.variance(grain, best["level"]) * (grain_truth.LUMA @ mix @ grain_truth.LUMA)) * 219
        lags = [float((residual[:, :, :-k] * residual[:, :, k:]).mean() / residual.var()) for k in (1, 2)]
        true = grain_truth.autocorrelation(grain[2])[5, 6:8]
        out.append({"clip": name, "grain": grain[0], "deviation": float(residual.std()), "true": float(sigma), "lags": lags, "true_lags": true.tolist()})
    return out


def coded(frames, crf):
    height, width = (v // 2 * 2 for v in frames[0].shape[:2])
    raw = b"".join((f[:height, :width] * 255 + .5).astype(np.uint8).tobytes() for f in frames)
    with tempfile.NamedTemporaryFile(suffix=".mkv") as file:
        subprocess.run(["ffmpeg", "-v", "error", "-y", "-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{width}x{height}", "-r", "24", "-i", "-", "-c:v",
                        "libx264", "-crf", str(crf), "-pix_fmt", "yuv420p", file.name], input=raw, check=True, capture_output=True)
        back = subprocess.run(["ffmpeg", "-v", "error", "-i", file.name, "-f", "rawvideo", "-pix_fmt", "rgb24", "-"], check=True, capture_output=True).stdout
    return [f.astype(np.float32) / 255 for f in np.frombuffer(back, np.uint8).reshape(-1, height, width, 3)]


def compressed(bench):
    out, grain = [], grain_truth.GRAINS[1]
    for i, name in enumerate(bench.names):
        noisy = grain_truth.lay(grain, bench.plate(name), i)
        for crf in (10, 18, 23, 28):
            model = bench.measure(coded(noisy, crf))
            row = {"clip": name, "crf": crf, "measurable": model["measurable"], "reason": model["reason"], "confidence": model["confidence"],
                   "temporal": model["temporal"], "dispersion": model["dispersion"], "unsteady": model["unsteady"]}
            use = [b for b in model["bins"] if b["confidence"] >= SURE]
            if use:
                row["ratio"] = float(sum(b["blocks"] * b["variance"][1] for b in use) /
                                     sum(b["blocks"] * grain_truth.variance(grain, b["level"]) for b in use))
            out.append(row)
    return out


def untouched(bench):
    out = []
    for name in sorted(bench.found):
        try:
            frames = bench.plate(name, True)
        except (subprocess.CalledProcessError, cv2.error):
            continue
        if len(frames) < 3 or len({f.shape for f in frames}) > 1 or min(frames[0].shape[:2]) < 64:
            continue
        model = bench.measure(frames)
        out.append({"clip": name, "size": f"{frames[0].shape[1]}x{frames[0].shape[0]}", **{k: v for k, v in model.items() if k != "autocorrelation"},
                    "next": model["autocorrelation"][1][5][6]})
    return out


def median(rows, key):
    return float(np.median([r[key] for r in rows])) if rows else float("nan")


def summary(found):
    """(name, figure, bar or None) of every figure that has a name."""
    out = []
    rows = [r for r in found.get("measure", []) if r["measurable"]]
    if rows:
        each = [abs(v) for r in rows for v in r["variance"]]
        fine = [abs(v) for r in rows for v in r["variance"] if r["grain"] != "coarse"]
        sure = [abs(b) for r in rows if r["grain"] != "coarse" for b in r["bins"]]
        out += [("cases measured", f"{len(rows)} of {len(found['measure'])}", None), ("variance error, median of cases and channels", float(np.median(each)), .08),
                ("variance error, worst up to 1 px", max(fine), .15), ("variance error of one luma bin, median", float(np.median(sure)), None),
                ("variance error of one luma bin, worst up to 1 px", max(sure), None),
                ("variance error, worst of coarse", max([abs(v) for r in rows for v in r["variance"] if r["grain"] == "coarse"], default=float("nan")), None),
                ("autocorrelation, mean lag (median)", median(rows, "lag_mean"), .03), ("autocorrelation, max lag (median)", median(rows, "lag_max"), .07),
                ("channel correlation error (median)", median(rows, "channels"), None)]
    rows = found.get("regrain", [])
    if rows:
        out += [("regrain cases", len(rows), None), ("regrain, mean spectrum error (dB)", float(np.mean([r["mean"] for r in rows])), .5),
                ("regrain, worst band of all (dB)", max(r["worst"] for r in rows), 2.5),
                ("regrain, total variance (mean |dB|)", float(np.mean([abs(r["total"]) for r in rows])), .3),
                ("regrain, total variance, worst (|dB|)", max(abs(r["total"]) for r in rows), None),
                ("regrain, correlation between frames or halves, worst", max(r["repeat"] for r in rows), None)]
    rows = found.get("match", [])
    for label in ("reference", "model") if rows else ():
        values = [r[label] for r in rows]
        out.append((f"matched regrain against the {label}: variance ratio, median (range)",
                    f"{np.median(values):.3f} ({min(values):.3f} to {max(values):.3f})", None))
    rows = found.get("remove", [])
    if rows:
        out.append(("degrain, PSNR before / ours / non-local means over 3 frames", " / ".join(f"{np.mean([r[k] for r in rows]):.2f}" for k in ("before", "ours", "nlm")), None))
    return out


def table(head, rows):
    return ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)] + ["| " + " | ".join(str(c) for c in row) + " |" for row in rows] + [""]


def markdown(found, arguments):
    out = ["## Grain", "", "```sh", "tests/quality/look_grain.py FOOTAGE [--clips choose|report|a,b] [--suites measure,regrain,...] [--markdown F]", "```", "",
           f"Clips: {arguments.clips} ({', '.join(dict.fromkeys(r['clip'] for r in found.get('measure', [])))}), {arguments.frames} frames each, at most {MOST} wide; "
           "grain of `grain_truth.py` rounded to 8 bits.", ""]
    out += table(["figure", "measured", "bar"], [(n, f"{v:.3f}" if isinstance(v, float) else v, b or "") for n, v, b in summary(found)])
    if found.get("measure"):
        out += ["### Known grain", ""] + table(
            ["clip", "grain", "variance error R, G, B", "lag mean / max", "channels", "confidence"],
            [(r["clip"], r["grain"], ", ".join(f"{100 * v:+.1f} %" for v in r["variance"]), f"{r['lag_mean']:.3f} / {r['lag_max']:.3f}",
              f"{r['channels']:.3f}", f"{r['confidence']:.2f}") if r["measurable"] else (r["clip"], r["grain"], "not measurable: " + r["reason"], "", "", "0")
             for r in found["measure"]])
    if found.get("av1"):
        out += ["### AV1 table, decoded by libaom", ""] + table(
            ["grain", "deviation (8-bit code)", "true", "lags 1, 2", "true"],
            [(r["grain"], f"{r['deviation']:.2f}", f"{r['true']:.2f}", ", ".join(f"{v:.2f}" for v in r["lags"]), ", ".join(f"{v:.2f}" for v in r["true_lags"]))
             for r in found["av1"]])
    if found.get("compressed"):
        out += ["### Compressed (x264 of `fine`, no bar): estimate over injected variance", ""] + table(
            ["clip", "crf", "ratio", "temporal / uneven / unsteady", "verdict"],
            [(r["clip"], r["crf"], f"{r['ratio']:.2f}" if "ratio" in r else "", f"{r['temporal']:.2f} / {r['dispersion']:.2f} / {r['unsteady']:.2f}",
              f"measurable, {r['confidence']:.2f}" if r["measurable"] else r["reason"]) for r in found["compressed"]])
    if found.get("untouched"):
        out += ["### Untouched footage (no bar)", ""] + table(
            ["clip", "size", "verdict", "deviation of G by luma (8-bit code, measured bins)", "temporal / uneven / unsteady"],
            [(r["clip"], r["size"], f"measurable, {r['confidence']:.2f}" if r["measurable"] else r["reason"],
              ", ".join(f"{b['level']:.2f}: {255 * b['variance'][1] ** .5:.2f}" for b in r["bins"] if b["confidence"] >= SURE) if r["measurable"] else "",
              f"{r['temporal']:.2f} / {r['dispersion']:.2f} / {r['unsteady']:.2f}") for r in found["untouched"]])
    return "\n".join(out)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("footage", type=pathlib.Path)
    parser.add_argument("--clips", default="report")
    parser.add_argument("--suites", default=",".join(SUITES))
    parser.add_argument("--grains", help="of grain_truth.py, comma-separated; all unless given")
    parser.add_argument("--frames", type=int, default=8)
    parser.add_argument("--tool", default=str(ROOT / "build/tests/quality/grain_tool"))
    parser.add_argument("--models", type=pathlib.Path, help="folder to keep the measured models in, and to take those from that are there: of the same build")
    parser.add_argument("--json", type=pathlib.Path)
    parser.add_argument("--markdown", type=pathlib.Path)
    parser.add_argument("--require", action="store_true")
    arguments = parser.parse_args()
    if not os.access(arguments.tool, os.X_OK):
        raise SystemExit(f"{arguments.tool} is missing: ninja -C build tests/quality/grain_tool")
    unknown = [s for s in arguments.suites.split(",") if s not in SUITES]
    if unknown:
        raise SystemExit(f"no suite called {', '.join(unknown)}; there are: {', '.join(SUITES)}")
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(arguments, folder)
        found = {suite: globals()[suite](bench) for suite in arguments.suites.split(",")}
    figures = summary(found)
    for name, value, bar in figures:
        print(f"{name}: {value:.3f}" if isinstance(value, float) else f"{name}: {value}", f"(bar {bar})" if bar else "")
    if arguments.json:
        arguments.json.write_text(json.dumps(found, indent=1))
    if arguments.markdown:
        arguments.markdown.write_text(markdown(found, arguments))
    missed = [name for name, value, bar in figures if bar and not value <= bar]
    if arguments.require and missed:
        sys.exit("missed: " + "; ".join(missed))


if __name__ == "__main__":
    main()
