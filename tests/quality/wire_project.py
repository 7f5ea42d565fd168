"""Drives `interpos` for tests/quality/wires.py: one temporary project, clips from arrays or files, renders with what they cost."""

import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field

os.environ.setdefault("OPENCV_IO_ENABLE_OPENEXR", "1")

import cv2
import numpy as np

# A small process between this one, which is large, and the command: else the command's peak would be ours.
MEASURE = """import json, os, sys
pid = os.posix_spawnp(sys.argv[2], sys.argv[2:], os.environ)
_, status, use = os.wait4(pid, 0)
json.dump([use.ru_utime + use.ru_stime, use.ru_maxrss / 1024], open(sys.argv[1], "w"))
sys.exit(os.waitstatus_to_exitcode(status) & 255)"""


@dataclass
class Option:
    """One option of a request: {frame: ...} of pictures (RGB; uint8, or float32 from EXR), evidence, mattes, confidences."""
    variant: str
    pictures: dict = field(default_factory=dict)
    evidence: dict = field(default_factory=dict)
    mattes: dict = field(default_factory=dict)
    confidence: dict = field(default_factory=dict)
    details: dict = field(default_factory=dict)

    def wire(self, name):
        """{frame: (confidence, lost)} of one stroked wire; that nothing is said of it is an error, not a wire that was kept or lost."""
        made = {}
        for part in (self.details, *self.details.get("shots", [])):
            for wire in part.get("wires", []):
                if wire["wire"] == name:
                    made.update({int(f["frame"]): (float(f["confidence"]), bool(f["lost"])) for f in wire["frames"]})
        if not made:
            raise SystemExit(f"option {self.variant}: its details say nothing of the stroked wire {name}")
        return made


    @property
    def detector(self):
        """What found the wires, for the tables: tuned on the shot or not."""
        shots = self.details.get("shots", [])
        return ", ".join(sorted({f"{s.get('detector')} ({s.get('tuned_steps')} steps)" for s in shots})) or "not said"


@dataclass
class Request:
    options: list
    cpu: float = 0.
    wall: float = 0.
    mib: float = 0.

    @property
    def first(self):
        """The option the operation offers first."""
        return self.options[0]


def read_picture(path):
    """RGB: uint8 of 8-bit files, float32 of EXR."""
    made = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    if made is None:
        raise SystemExit(f"{path}: cannot be read")
    return np.ascontiguousarray(made[..., 2::-1]) if made.ndim == 3 else made


def read_channels(path, names):
    """Named channels of an evidence map as float32; None for one it lacks. cv2 knows no names, so oiiotool picks them."""
    listed = subprocess.run(["oiiotool", "--info", "-v", str(path)], capture_output=True, text=True, check=True).stdout
    line = next(l for l in listed.splitlines() if "channel list" in l)
    there = [c.split("(")[0].strip() for c in line.split(":", 1)[1].split(",")]
    wanted, made = [n for n in names if n in there], {}
    with tempfile.TemporaryDirectory() as folder:
        words = ["oiiotool", str(path)]
        for name in wanted:
            words += ["--dup", "--ch", name, "-d", "float", "-o", f"{folder}/{name}.tif", "--pop"]
        if wanted:
            subprocess.run(words, check=True, capture_output=True)
        for name in names:
            made[name] = cv2.imread(f"{folder}/{name}.tif", cv2.IMREAD_UNCHANGED).astype(np.float32) if name in wanted else None
    return made


class Project:
    def __init__(self, folder, interpos, settings=(), engine=None, model_of=None):
        self.folder, self.interpos = pathlib.Path(folder), str(interpos)
        self.place = str(self.folder / "project")
        self.settings = [word for setting in settings for word in ("--set", setting)]
        self.clips, self.model, self.files = set(), None, 0
        self.words = ["--engine", str(pathlib.Path(engine).resolve())] if engine else []
        parents = pathlib.Path(interpos).resolve().parents
        beside = parents[2] / "lib/engine/server/interpos-engine" if len(parents) > 2 else None
        self.watched = [p for p in (pathlib.Path(interpos), pathlib.Path(engine) if engine else beside) if p and p.is_file()]
        self.builds = self.state()
        if model_of:
            shutil.copytree(model_of, self.place)
        else:
            self.run("init", self.place)

    def state(self):
        """Size and time of the programs that are measured: somebody may build while we do."""
        return [(str(p), p.stat().st_size, p.stat().st_mtime_ns) for p in self.watched if p.exists()]

    def run(self, *words):
        words = (*words, *(self.words if words[0] in ("train", "render") else ()))
        cost = self.folder / "cost.json"
        begin = time.monotonic()
        done = subprocess.run([sys.executable, "-S", "-c", MEASURE, str(cost), self.interpos, *map(str, words)], capture_output=True, text=True)
        wall = time.monotonic() - begin
        if self.state() != self.builds:
            raise SystemExit("interpos or its engine was built anew during the run: its figures would be of two builds (--engine takes a copy)")
        if done.returncode:
            raise SystemExit(f"interpos {' '.join(map(str, words))}: {done.stderr.strip()}")
        self.cost = (*json.loads(cost.read_text()), wall)
        return done.stdout

    def has_wires(self):
        return any(line.startswith("wires") for line in self.run("operations").splitlines())

    def ingest_files(self, pattern, name, encoding, training="allowed"):
        if name not in self.clips:
            self.run("ingest", self.place, pattern, "--clip", name, "--fps", "24", "--encoding", encoding, "--owner", "benchmark", "--licence",
                     "measurement", "--training", training, "--no-duplicate-check", "--progress", "none")
            self.clips.add(name)
        return name

    def ingest(self, name, frames, encoding="rec709", training="allowed", first=0):
        """Frames (RGB or grey uint8) as a clip of PNGs. Without training the operation may not tune itself on the shot; models made by
        --train learn from the clips named to them alone."""
        if name in self.clips:
            return name
        folder = self.folder / "footage" / name
        folder.mkdir(parents=True)
        for number, frame in enumerate(frames, first):
            frame = frame if frame.ndim == 2 else cv2.cvtColor(frame, cv2.COLOR_RGB2BGR)
            cv2.imwrite(str(folder / f"f.{number:04d}.png"), frame, [cv2.IMWRITE_PNG_COMPRESSION, 1])
        return self.ingest_files(str(folder / "f.%04d.png"), name, encoding, training)

    def mattes(self, name, masks, first=0):
        """0/1 masks as a clip of painted mattes."""
        return self.ingest(name, [np.asarray(m, np.uint8) * 255 for m in masks], "data", "denied", first)

    def train(self, minutes, clips, model="m"):
        self.run("train", self.place, "--for", "wires", "--model", model, "--minutes", minutes, "--clips", ",".join(clips), "--progress", "none")
        self.model = model
        return json.loads(self.run("card", self.place, model, "--json"))

    def render(self, clip, frames, strokes=None, settings=None, model=True, read=True):
        """A Request. `frames`: (first, last). `model`: use the project's, if there is one."""
        words = ["render", self.place, "--operation", "wires", "--clip", clip, "--frames", f"{frames[0]}-{frames[1]}", "--progress", "none",
                 "--json"]
        if strokes:
            self.files += 1
            path = self.folder / f"strokes{self.files}.json"
            path.write_text(json.dumps({"strokes": strokes}))
            words += ["--stroke", str(path)]
        if model and self.model:
            words += ["--model", self.model]
        asked = {word.split("=")[0] for word in self.settings[1::2]}
        for name, value in (settings or {}).items():
            words += ["--set", f"{name}={value}"] if name not in asked else []
        listed = json.loads(self.run(*words, *self.settings))
        cpu, mib, wall = self.cost
        listed = sorted(listed, key=lambda o: o.get("rank", 0))
        return Request([self._option(o, read) for o in listed], cpu, wall, mib)

    @staticmethod
    def _option(option, read):
        made = Option(option["variant"], details=option.get("details") or {})
        for frame in option["frames"]:
            number = int(frame["time"][0] / frame["time"][1])
            made.confidence[number] = frame.get("confidence")
            if read:
                made.pictures[number] = read_picture(frame["picture"])
                if frame.get("evidence"):
                    channels = read_channels(frame["evidence"], ("evidence", "matte"))
                    made.evidence[number], made.mattes[number] = channels["evidence"], channels["matte"]
        return made
