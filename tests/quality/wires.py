#!/usr/bin/env python3
"""Wire removal of libinterpos beside its peers, on drawn wires with exact mattes, on moved holes, and on real rigging.

    tests/quality/wires.py SUITE FOOTAGE [--clips choose|report|a,b] [--frames 24] [--train MINUTES] [--project P --model M] [--peers-only] [--json F] [--sheet F.png]

Suites
  fill      drawn wires, true mattes handed in: PSNR, SSIM, flicker in the matte; bit-exact outside, asserted on every frame
  moved     the hand-made masks of real rigging, moved to where no wire is: the plate is the truth; own width, and about 6 px
  track     drawn wires, one jittered stroke each on the middle frame: F1 of the matte at 1 px, per width; thin and faint wires apart
  rope      wire_wrv2, real ropes: strokes on one frame and at most two fix-ups; recall, precision at 3 px, lost frames, false strokes
  backlot   rendered wires in linear EXR with an exact clean plate: stroke to filled frame, in linear light and log
  end2end   drawn wires, stroke to filled frame, Telea and the others with our mattes
  pld       stills of power lines: automatic proposals, precision and recall at 3 px
  speed     frames per second, CPU seconds a frame and peak memory at 960x540, 2K and 4K
  all       every one of them

Clips `choose` are for choosing between methods while developing, `report` for figures that are published; nothing is chosen on the
latter. Peers are OpenCV's Telea and Navier-Stokes (radius 3), the temporal weighted mean of wire_peers.py, and for tracks the stroke
left where it is and carried by DIS flow. Peers are made in the same run on the same frames; --cache keeps those that do not depend on
us, by content. Wires are drawn by wire_truth.py, which shares nothing with the generator that models learn from.
"""

import argparse
import hashlib
import inspect
import json
import pathlib
import pickle
import sys
import tempfile
import zlib

import cv2
import numpy as np

import clips
import wire_peers
import wire_project
import wire_real
import wire_suites
import wire_truth

ROOT = pathlib.Path(__file__).resolve().parents[2]
SETS = {
    "choose": ["davis_tennis", "tos_battle_a", "davis_bear", "netflix_seeking"],
    "report": ["sam2_dog", "davis_lady_running", "mdn_friday", "intel_person", "sam2_coffee", "davis_parkour", "aot_market",
               "davis_paragliding_launch"],
}
ORDER = ("fill", "moved", "track", "rope", "backlot", "end2end", "pld", "speed")
MOST = 960  # frames wider than this are scaled down


def load(path, first=0, count=None):
    """Frames of a clip as RGB, at most 960 wide; photographs of a folder that holds masks as well."""
    path = pathlib.Path(path)
    if path.is_dir() and any(path.glob("*.jpg")):
        files = sorted(path.glob("*.jpg"))[first:None if count is None else first + count]
        made = [cv2.cvtColor(cv2.imread(str(f)), cv2.COLOR_BGR2RGB) for f in files]
    else:
        made = clips.frames(path, first, count)
    height, width = made[0].shape[:2]
    if width > MOST:
        made = [cv2.resize(f, (MOST, round(MOST * height / width)), interpolation=cv2.INTER_AREA) for f in made]
    return [np.ascontiguousarray(f) for f in made]


def cut_between(a, b):
    small = [cv2.resize(cv2.cvtColor(f, cv2.COLOR_RGB2GRAY), (48, 27), interpolation=cv2.INTER_AREA).astype(np.float32) for f in (a, b)]
    return np.abs(small[0] - small[1]).mean() > 22


class Bench:
    """What the suites share: clips, drawn shots, peers (kept by content), the project, and what they found."""

    def __init__(self, arguments, folder):
        self.arguments, self.folder, self.project = arguments, pathlib.Path(folder), None
        self.found = clips.find(arguments.footage)
        self.names = [n for part in arguments.clips.split(",") for n in SETS.get(part, [part])]
        missing = [n for n in self.names if n not in self.found]
        if missing:
            raise SystemExit(f"{arguments.footage}: no clip called {', '.join(missing)}; there are: {', '.join(self.found)}")
        self.results, self.problems, self.sheets, self.windows, self.shots, self.renders = {}, [], {}, {}, {}, {}
        self.seen, self.sources = set(), {
            "drawn": inspect.getsource(wire_truth), "peers": "".join(inspect.getsource(f) for f in (
                wire_peers.telea, wire_peers.navier_stokes, wire_peers.spread, wire_peers.hole_flow, wire_peers.fine_dis, wire_peers.temporal_mean,
                wire_peers.fills))}
        if not arguments.peers_only:
            self.project = wire_project.Project(folder, arguments.interpos, arguments.set, arguments.engine, arguments.project)
            self.project.model = arguments.model
            if not self.project.has_wires():
                raise SystemExit(f"{arguments.interpos} has no operation `wires`; --peers-only measures the peers alone")

    def footage(self, name):
        """The path of a folder below the footage that is not one of the clips, or None."""
        path = pathlib.Path(self.arguments.footage) / name
        return path if path.is_dir() else None

    def window(self, name):
        """(first frame, frames) of a clip: the first run without a cut from 0.5 of its length on."""
        if name not in self.windows:
            path, count = self.found[name], self.arguments.frames
            folder = pathlib.Path(path)
            total = len(list(folder.glob("*.jpg"))) if folder.is_dir() and any(folder.glob("*.jpg")) else clips.length(path)
            first = max(0, min(int(total * .5), total - count))
            frames, start = load(path, first, 6 * count), 0
            for i in range(1, len(frames)):
                if i - start >= count:
                    break
                if cut_between(frames[i - 1], frames[i]):
                    start = i
            if len(frames) - start < count:  # cut to pieces: what there is
                start = max(0, len(frames) - count)
            self.windows[name] = (first + start, frames[start:start + count])
        return self.windows[name]

    def cached(self, label, parts, work):
        """work(), kept below --cache under the hash of its inputs and source."""
        if not self.arguments.cache:
            return work()
        key = hashlib.sha1(self.sources[label].encode())
        for part in parts:
            key.update(np.ascontiguousarray(part).tobytes() if isinstance(part, np.ndarray) else repr(part).encode())
        path = pathlib.Path(self.arguments.cache) / f"{label}-{key.hexdigest()[:20]}"
        if path.exists():
            return pickle.loads(zlib.decompress(path.read_bytes()))
        made = work()
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(zlib.compress(pickle.dumps(made), 1))
        return made

    def drawn(self, name):
        """A clip's window with wires drawn over it."""
        if name not in self.shots:
            plate = self.window(name)[1]
            seed = self.arguments.seed * 1000003 + zlib.crc32(name.encode())
            self.shots[name] = self.cached("drawn", [seed, *plate], lambda: wire_truth.draw(plate, seed))
        return self.shots[name]

    def peers(self, frames, masks):
        wanted = ("Telea r3", "NS r3") if self.arguments.skip_temporal else ("Telea r3", "NS r3", "temporal mean")
        return self.cached("peers", [wanted, *frames, *masks], lambda: wire_peers.fills(frames, masks, wanted))

    def train(self):
        """With --train: one model on the first halves of those clips that are long enough; the others stay unseen."""
        if not (self.project and self.arguments.train):
            return
        asked = self.arguments.seen.split(",") if self.arguments.seen else self.names[::2]
        for name in asked:
            first = self.window(name)[0]
            if first >= 24:
                part = load(self.found[name], max(0, first - 8 - 48), min(48, first - 8))
                self.project.ingest(f"dailies_{name}", part, training="allowed")
                self.seen.add(name)
        if not self.seen:
            raise SystemExit("no clip is long enough to learn from beside its window; name some with --seen")
        card = self.project.train(self.arguments.train, [f"dailies_{n}" for n in sorted(self.seen)])
        print("model learned from", ", ".join(sorted(self.seen)), json.dumps(card.get("score")), flush=True)

    def add(self, suite, shot, rows):
        self.results.setdefault(suite, {}).setdefault(shot, {}).update(rows)

    def fail(self, text):
        self.problems.append(text)
        print("FAILED:", text, flush=True)

    def picture(self, suite, rows):
        """Rows of [(label, RGB picture)] for the suite's contact sheet."""
        self.sheets.setdefault(suite, []).extend(rows)

    def save_sheets(self):
        base = pathlib.Path(self.arguments.sheet)
        for suite, rows in self.sheets.items():
            lines = []
            for row in rows:
                line = []
                for label, picture in row:
                    picture = np.ascontiguousarray(picture)
                    cv2.putText(picture, label, (6, 16), cv2.FONT_HERSHEY_SIMPLEX, .45, (0, 0, 0), 3, cv2.LINE_AA)
                    cv2.putText(picture, label, (6, 16), cv2.FONT_HERSHEY_SIMPLEX, .45, (255, 255, 0), 1, cv2.LINE_AA)
                    line.append(picture)
                height = max(p.shape[0] for p in line)
                lines.append(np.hstack([cv2.copyMakeBorder(p, 0, height - p.shape[0], 0, 4, cv2.BORDER_CONSTANT) for p in line]))
            # At most about 2,400 lines a picture, else nobody can look at it.
            pages, page = [], []
            for line in lines:
                if page and sum(p.shape[0] for p in page) + line.shape[0] > 2400:
                    pages.append(page)
                    page = []
                page.append(line)
            for number, page in enumerate(pages + [page]):
                width = max(p.shape[1] for p in page)
                whole = np.vstack([cv2.copyMakeBorder(p, 0, 4, 0, width - p.shape[1], cv2.BORDER_CONSTANT) for p in page])
                suffix = f"-{suite}" + (f"-{number:02d}" if pages else "")
                path = base.with_name(base.stem + suffix + (base.suffix or ".png"))
                cv2.imwrite(str(path), cv2.cvtColor(whole, cv2.COLOR_RGB2BGR))
                print("sheet:", path, flush=True)


def required(bench, suite, mean, worst):
    """The quick slice: dB of the first option over the better of Telea and NS, or its F where lines are measured."""
    figures = {}
    for shot, rows in bench.results.get(suite, {}).items():
        ours = rows.get("ours: first")
        if not ours:
            continue
        if "psnr" in ours:
            base = max(rows[p]["psnr"] for p in ("Telea r3", "NS r3") if p in rows)
            figures[shot] = ours["psnr"] - base
        elif "f" in ours:
            figures[shot] = ours["f"]
    if not figures:
        bench.fail(f"{suite}: nothing of ours to require anything of")
    elif np.mean(list(figures.values())) < mean or min(figures.values()) < worst:
        bench.fail(f"{suite}: mean {np.mean(list(figures.values())):.2f}, least {min(figures.values()):.2f}; required {mean}, {worst}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("suite", help=f"comma-separated: {', '.join(ORDER)}; or all")
    parser.add_argument("footage", help="folder of clips; wire_wrv2, wire_pld_u and backlot are looked for in it")
    parser.add_argument("--clips", default="choose", help="choose, report, or names of clips, comma-separated (default choose)")
    parser.add_argument("--frames", type=int, default=24, help="frames of a window (default 24)")
    parser.add_argument("--seed", type=int, default=1, help="of the drawn wires and strokes (default 1)")
    parser.add_argument("--train", type=float, default=0, help="minutes to train first, on frames before the windows of --seen")
    parser.add_argument("--seen", help="clips to learn from (default: every other one of --clips that is long enough)")
    parser.add_argument("--project", help="work in a copy of this project, for its models")
    parser.add_argument("--model", help="a model of that project")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="a setting of the operation; may be repeated")
    parser.add_argument("--interpos", default=str(ROOT / "build/examples/interpos/interpos"))
    parser.add_argument("--engine", help="another interpos-engine, for instance a copy that nobody builds over")
    parser.add_argument("--peers-only", action="store_true", help="measure the peers alone")
    parser.add_argument("--skip-temporal", action="store_true", help="leave the temporal mean out, which takes seconds a frame")
    parser.add_argument("--false-strokes", type=int, default=60, help="strokes laid where no wire is, suite rope (default 60)")
    parser.add_argument("--stills", type=int, default=40, help="stills of suite pld (default 40)")
    parser.add_argument("--cache", help="folder that keeps drawn wires and peers' frames between runs")
    parser.add_argument("--json", help="write all figures here")
    parser.add_argument("--sheet", help="contact sheets: F.png becomes F-SUITE.png; suite rope shows every frame")
    parser.add_argument("--require", type=float, nargs=2, metavar=("MEAN", "WORST"),
                        help="fail unless our first option beats the better of Telea and NS by MEAN dB and in no shot by less than WORST; "
                             "for track and rope the F itself")
    arguments = parser.parse_args()
    suites = ORDER if arguments.suite == "all" else arguments.suite.split(",")
    unknown = [s for s in suites if s not in ORDER]
    if unknown:
        parser.error(f"no suite called {', '.join(unknown)}; there are {', '.join(ORDER)}")
    if bool(arguments.model) != bool(arguments.project):
        parser.error("--project and --model go together")
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(arguments, folder)
        bench.train()
        for suite in suites:
            print(f"== {suite}", flush=True)
            getattr(wire_suites if hasattr(wire_suites, suite) else wire_real, suite)(bench)
            if arguments.require and suite in ("fill", "moved", "end2end", "track", "rope"):
                required(bench, suite, *arguments.require)
            if arguments.json:
                pathlib.Path(arguments.json).write_text(json.dumps(
                    {"clips": bench.names, "seed": arguments.seed, "seen": sorted(bench.seen), "suites": bench.results}, indent=1))
        if arguments.sheet:
            bench.save_sheets()
    if bench.problems:
        raise SystemExit("\n".join(bench.problems))


if __name__ == "__main__":
    main()
