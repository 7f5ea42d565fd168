#!/usr/bin/env python3
"""Kills host and engine at random moments of ingest, training, rendering and publishing; nothing may be lost, everything goes on.

    tests/fault/kills.py INTERPOS [--kills 20] [--seed 1]
"""

import argparse
import json
import os
import pathlib
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time


class Bench:
    def __init__(self, interpos, folder):
        self.interpos, self.folder = interpos, pathlib.Path(folder)
        self.project = str(self.folder / "project")
        self.footage = self.folder / "plates"
        self.footage.mkdir()
        self.clip, self.model = "p", "m"
        subprocess.run(["ffmpeg", "-v", "error", "-f", "lavfi", "-i", "testsrc2=size=160x96:rate=24", "-frames:v", "200",
                        str(self.footage / "p.%04d.png")], check=True)

    def words(self, phase):
        project = self.project
        return {
            "ingest": ["ingest", project, str(self.footage), "--clip", self.clip, "--fps", "24", "--encoding", "rec709", "--owner", "test",
                       "--licence", "test", "--training", "allowed"],
            "train": ["train", project, "--for", "inbetween", "--model", self.model, "--clips", "p0", "--steps", "12", "--seed", "7", "--resume"],
            "render": ["render", project, "--operation", "inbetween", "--clip", "p0", "--frames", "31-35x2"],
            "publish": ["publish", project, "o1", str(self.folder / "out")],
        }[phase]

    def start(self, phase):
        return subprocess.Popen([self.interpos, *self.words(phase), "--progress", "none"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def finish(self, phase):
        process = self.start(phase)
        out, err = process.communicate(timeout=600)
        return process.returncode, out + err

    def must(self, *words):
        done = subprocess.run([self.interpos, *words], capture_output=True, text=True, timeout=600)
        if done.returncode:
            raise SystemExit(f"interpos {' '.join(words)} gave {done.returncode}: {done.stderr.strip()}")
        return done.stdout


def children(pid):
    try:
        return [int(c) for task in os.listdir(f"/proc/{pid}/task") for c in open(f"/proc/{pid}/task/{task}/children").read().split()]
    except OSError:
        return []


def alive(pid):
    try:
        return open(f"/proc/{pid}/stat").read().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def strike(bench, phase, moment, target):
    """Starts the phase, kills host or engine after `moment` seconds. Returns what happened."""
    process = bench.start(phase)
    end = time.monotonic() + moment
    while time.monotonic() < end and process.poll() is None:
        time.sleep(.001)
    engines = children(process.pid)
    if process.poll() is not None:
        process.communicate()
        return "was done before"
    victim = engines[0] if target == "engine" and engines else process.pid
    os.kill(victim, signal.SIGKILL)
    out, err = process.communicate(timeout=120)
    deadline = time.monotonic() + 5
    while any(alive(e) for e in engines) and time.monotonic() < deadline:
        time.sleep(.05)
    if any(alive(e) for e in engines):
        raise SystemExit(f"{phase}: the engine outlived its host by 5 s")
    if victim != process.pid:
        if process.returncode < 0:
            raise SystemExit(f"{phase}: the host died with its engine (signal {-process.returncode})")
        if process.returncode == 0: # its work was done and handed over: check() tells whether that is true
            return "was done before"
        if "engine" not in err:
            raise SystemExit(f"{phase}: the text does not say what happened: {err!r}")
        return "engine killed"
    return "host killed"


def check(bench):
    """What is in the project is whole: the ledger, stored files and footage agree; options have all their pictures."""
    bench.must("verify", bench.project, "--footage")
    options = json.loads(bench.must("options", bench.project, "--json"))
    for option in options:
        if option["state"] == "draft":
            continue
        for frame in option["frames"]:
            if not pathlib.Path(frame["picture"]).is_file():
                raise SystemExit(f"option {option['id']} lacks {frame['picture']}")
    return options


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("interpos")
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    dice = random.Random(arguments.seed)
    count = 0
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(arguments.interpos, folder)
        bench.must("init", bench.project)
        phases = ["ingest", "train", "render", "publish"]
        for index, phase in enumerate(phases):
            kills = arguments.kills // 4 + (index < arguments.kills % 4)
            # How long it takes undisturbed, on a copy, so that the moments spread over the whole of it.
            aside = pathlib.Path(folder) / "aside"
            shutil.copytree(bench.project, aside)
            begin = time.monotonic()
            code, text = bench.finish(phase)
            span = time.monotonic() - begin
            if code:
                raise SystemExit(f"{phase} failed undisturbed: {text}")
            shutil.rmtree(bench.project)
            shutil.rmtree(pathlib.Path(folder) / "out", ignore_errors=True)
            shutil.move(str(aside), bench.project)
            for kill in range(kills):
                target = "host" if phase in ("ingest", "publish") or kill % 2 else "engine"
                for attempt in range(15): # a run that was over before the blow does not count: strike earlier
                    if phase == "ingest":
                        bench.clip = f"p{kill}{'abcdefghijklmno'[attempt] if attempt else ''}"
                    bench.model = f"m{kill}{'abcdefghijklmno'[attempt] if attempt else ''}"
                    if phase == "publish":
                        shutil.rmtree(pathlib.Path(folder) / "out", ignore_errors=True)
                    moment = span * dice.uniform(.02, .95) * .8 ** attempt
                    what = strike(bench, phase, moment, target)
                    if what != "was done before":
                        break
                else:
                    raise SystemExit(f"{phase}: no blow came in time")
                check(bench)
                count += 1
                print(f"{phase:8s} {moment:5.2f} of {span:5.2f} s: {what}; project whole", flush=True)
                if phase in ("ingest", "train", "publish"):
                    code, text = bench.finish(phase)
                    if code:
                        raise SystemExit(f"{phase} did not go on after the kill: {text}")
            code, text = bench.finish(phase)
            if code:
                raise SystemExit(f"{phase} did not go on after the kills: {text}")
            options = check(bench)
            if phase == "train" and '"state":"ready"' not in bench.must("models", bench.project, "--json").replace(" ", ""):
                raise SystemExit("the model is not ready after training resumed")
            if phase == "render":
                if not options:
                    raise SystemExit("no options after rendering resumed")
                bench.must("accept", bench.project, "o1", "--by", "test")
            if phase == "publish" and len(list((pathlib.Path(folder) / "out").iterdir())) != 3:
                raise SystemExit("publishing after the kills did not leave exactly three files")
    print(f"{count} kills survived")


if __name__ == "__main__":
    sys.exit(main())
