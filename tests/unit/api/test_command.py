#!/usr/bin/env python3
"""The `interpos` command as people and scripts use it: test_command.py COMMAND [engine]"""
import json
import os
import signal
import struct
import subprocess
import sys
import tempfile
import time
import unittest
import zlib

COMMAND = sys.argv[1] if len(sys.argv) > 1 else "interpos"
ENGINE = "engine" in sys.argv[2:]
WIDTH, HEIGHT, FRAMES = 128, 96, 16
COMMANDS = ["init", "ingest", "permit", "clips", "look", "train", "models", "card", "render", "options", "strokes", "grade", "accept", "reject", "publish", "verify",
            "ledger", "operations", "info", "engine"]
OWNED = ["--owner", "tests", "--licence", "made here", "--training", "allowed", "--encoding", "rec709", "--fps", "24"]


def png(path, number):
    rows = b"".join(b"\0" + bytes(200 - (x & 31) if 0 <= x - 10 - 3 * number < 40 and 20 <= y < 60 else (x * 3 + y * 5 + c * 40) & 127
                                  for x in range(WIDTH) for c in range(3)) for y in range(HEIGHT))

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    with open(path, "wb") as file:
        file.write(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", WIDTH, HEIGHT, 8, 2, 0, 0, 0))
                   + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))


class Command(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.plates = os.path.join(cls.folder.name, "plates")
        os.mkdir(cls.plates)
        for number in range(FRAMES):
            png(os.path.join(cls.plates, f"shot.{1001 + number}.png"), number)
        cls.footage = os.path.join(cls.plates, "shot.%04d.png")

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def setUp(self):
        self.project = os.path.join(self.folder.name, self.id().rsplit(".", 1)[-1])

    def run_command(self, *words, code=0):
        done = subprocess.run([COMMAND, *words], capture_output=True, text=True, timeout=240)
        self.assertEqual(done.returncode, code, f"{words}: {done.stdout}{done.stderr}")
        if code:
            self.assertTrue(done.stderr.splitlines()[-1].startswith("interpos: "), done.stderr)
        return done.stdout

    def made(self):
        self.run_command("init", self.project)
        self.run_command("ingest", self.project, self.footage, "--clip", "shot", *OWNED)
        return self.project

    def test_help(self):
        text = self.run_command("--help")
        for name in COMMANDS:
            self.assertIn(f"  {name} ", text)
            self.assertTrue(self.run_command(name, "--help").startswith(f"interpos {name} "))
            self.assertIn("xample", self.run_command("help", name))
        self.assertIn("Exit codes", text)
        self.assertEqual(self.run_command("--version"), "interpos 0.1.0\n")

    def test_wrong_use(self):
        for words in ([], ["teleport"], ["init"], ["init", "a", "b"], ["clips", "--frobnicate", "p"], ["clips", "p", "--json=yes"],
                      ["render", "p", "--clip"], ["clips", "p", "--progress", "loud"], ["accept", "p", "o1"], ["train", "p"],
                      ["train", "p", "--for", "inbetween", "--model", "m", "--steps", "many"], ["permit", "p", "c", "maybe"],
                      ["ingest", "p", "f", "--clip", "c", "--owner", "o", "--licence", "l"],
                      ["ingest", "p", "f", "--clip", "c", *OWNED, "--fps", "-3"]):
            self.run_command(*words, code=2)
        self.run_command("clips", os.path.join(self.folder.name, "nowhere"), code=1)
        self.run_command("info", os.path.join(self.folder.name, "nowhere.png"), code=1)

    def test_listings(self):
        project = self.made()
        clips = json.loads(self.run_command("clips", project, "--json"))
        self.assertEqual((clips[0]["name"], clips[0]["frames"], clips[0]["first"], clips[0]["rate"]), ("shot", FRAMES, 1001, [24, 1]))
        self.assertIn("shot", self.run_command("clips", project))
        self.assertEqual(json.loads(self.run_command("options", project, "--json")), [])
        self.assertEqual(json.loads(self.run_command("models", project, "--json")), [])
        acts = [act["act"] for act in json.loads(self.run_command("ledger", project, "--json"))]
        self.assertIn("ingest", acts)
        self.assertTrue(json.loads(self.run_command("verify", project, "--footage", "--json"))["ok"])
        self.assertEqual(json.loads(self.run_command("info", self.footage, "--json"))["frames"]["count"], FRAMES)
        operations = json.loads(self.run_command("operations", "--json"))
        self.assertIn("inbetween", [operation["name"] for operation in operations])
        self.run_command("options", project, "--best", code=1)

    def test_several_clips_and_rates(self):
        self.run_command("init", self.project, "--title", "Rates")
        one = os.path.join(self.folder.name, "still.png")
        png(one, 3)
        self.run_command("ingest", self.project, one, self.footage, *OWNED[:-2], "--fps", "23.976", "--tags", "camera=A,night")
        again = json.loads(self.run_command("ingest", self.project, one, self.footage, *OWNED[:-2], "--fps", "23.976",
                                            "--tags", "camera=A,night", "--json"))
        clips = json.loads(self.run_command("clips", self.project, "--json"))
        self.assertEqual(again, sorted(clips, key=lambda clip: clip["name"], reverse=True))
        self.assertEqual(sorted(clip["name"] for clip in clips), ["shot", "still"])
        self.assertTrue(all(clip["rate"] == [24000, 1001] for clip in clips))

    def test_permission(self):
        project = self.made()
        self.run_command("permit", project, "shot", "denied", "--by", "M. Ortiz", "--note", "withdrawn")
        self.assertEqual(json.loads(self.run_command("clips", project, "--json"))[0]["training"], "denied")
        self.run_command("train", project, "--for", "inbetween", "--model", "m", "--steps", "2", code=3)

    def test_altered(self):
        project = self.made()
        target = os.path.join(self.plates, "shot.1005.png")
        with open(target, "rb") as file:
            kept = file.read()
        png(target, 99)
        try:
            self.run_command("verify", project)
            self.run_command("verify", project, "--footage", code=6)
        finally:
            with open(target, "wb") as file:
                file.write(kept)

    def lines(self, text):
        return [json.loads(line) for line in text.splitlines()]

    def test_jsonl(self):
        self.run_command("init", self.project)
        lines = self.lines(self.run_command("ingest", self.project, self.footage, "--clip", "shot", *OWNED, "--progress=jsonl"))
        self.assertEqual(lines[-1]["result"]["frames"], FRAMES)
        self.assertTrue(all("done" in line and "stage" in line for line in lines[:-1]))

    @unittest.skipUnless(ENGINE, "needs the engine")
    def test_main_job(self):
        project = self.made()
        lines = self.lines(self.run_command("train", project, "--for", "inbetween", "--model", "m", "--steps", "4", "--seed", "2",
                                            "--progress=jsonl", "--threads", "2"))
        self.assertEqual(lines[-1]["result"]["name"], "m")
        self.assertTrue(any("loss" in line for line in lines[:-1]))
        self.assertIn("m ", self.run_command("models", project))
        self.assertIn("shot", self.run_command("card", project, "m"))
        self.assertEqual(json.loads(self.run_command("card", project, "m", "--json"))["seed"], 2)
        self.run_command("train", project, "--for", "inbetween", "--model", "m", "--steps", "4", code=1)
        options = json.loads(self.run_command("render", project, "--operation", "inbetween", "--clip", "shot", "--frames", "1005,1007.5",
                                              "--model", "m", "--set", "trajectory=straight", "--json"))
        best = self.run_command("options", project, "--best").strip()
        self.assertEqual(best, options[0]["id"])
        self.assertTrue(os.path.exists(options[0]["sheet"]))
        output = os.path.join(self.folder.name, "published")
        self.run_command("publish", project, best, output, code=3)
        self.run_command("accept", project, best, "--by", "M. Ortiz")
        self.assertEqual(len(self.run_command("publish", project, best, output).splitlines()), 2)
        self.run_command("render", project, "--operation", "inbetween", "--clip", "shot", "--frames", "1005", "--set", "no_such=1", code=2)
        self.run_command("render", project, "--operation", "inbetween", "--clip", "shot", "--frames", "999", code=2)
        self.run_command("render", project, "--operation", "inbetween", "--clip", "shot", "--frames", "1005", "--engine", "/bin/false", code=5)
        self.run_command("verify", project, "--footage")

    @unittest.skipUnless(ENGINE, "needs the engine")
    def test_painted(self):
        """Strokes of relighting: from SVG, carried, and refused where they say nothing that it knows."""
        project = self.made()
        path = os.path.join(self.folder.name, "painted.svg")
        with open(path, "w", encoding="utf-8") as file:
            file.write('<svg xmlns="http://www.w3.org/2000/svg"><path id="tree" data-kind="add" d="M40 60L90 60 90 90 40 90Z"/></svg>')
        words = ["render", project, "--operation", "relight", "--clip", "shot", "--frames", "1004", "--set", "geometry=none", "--set", "variants=full",
                 "--json"]
        option, = json.loads(self.run_command(*words, "--stroke", path + "@1003"))
        self.assertEqual(option["details"]["shots"][0]["carried"], [{"kind": "add", "frame": 1003, "by": "motion"}])
        self.assertEqual(option["details"]["light"]["old"]["from"], "assumed")
        self.assertIn("set is not known", option["details"]["light"]["old"]["reason"])
        self.run_command(*words, "--stroke", path + "@1099", code=2)
        for text in ('"kind":"wire"', '"kind":"rope"'):
            with open(path, "w", encoding="utf-8") as file:
                file.write('{"strokes":[{%s,"frame":1003,"points":[[1,2],[30,40]]}]}' % text)
            self.run_command(*words, "--stroke", path, code=2 if "wire" in text else 1)

    @unittest.skipUnless(ENGINE, "needs the engine")
    def test_brought_along(self):
        """Relighting with a camera and a mesh; its layers and its track again; the second light remembers the set."""
        project = self.made()
        scene, track = os.path.join(self.folder.name, "set.obj"), os.path.join(self.folder.name, "track.json")
        with open(scene, "w") as file:
            file.write("v -40 0 10\nv 40 0 10\nv 40 0 -40\nv -40 0 -40\nf 1 2 3 4\nv -40 0 -20\nv 40 0 -20\nv 40 30 -20\nv -40 30 -20\nf 5 6 7 8\n")
        with open(track, "w") as file:
            json.dump({"interpos_camera": 1, "focal": .9, "frames": [{"number": 1001 + n, "matrix": [[1, 0, 0, .1 * n], [0, 1, 0, 1.6], [0, 0, 1, 0]]}
                                                                     for n in range(FRAMES)]}, file)
        ask = ["render", project, "--operation", "relight", "--clip", "shot", "--frames", "1004-1005", "--json", "--progress", "none", "--set", f"camera=@{track}"]
        relative = os.path.relpath(scene)
        made = json.loads(self.run_command(*ask, "--set", f"mesh={relative}", "--set", "variants=full,geometry"))
        self.assertEqual([o["variant"] for o in made], ["full", "geometry"])
        self.assertEqual(made[0]["parameters"]["mesh"], scene)  # kept as an absolute path
        shot = made[1]["details"]["shots"][0]
        self.assertIn("camera, mesh brought along", shot["reason"])
        self.assertEqual(shot["mesh"]["triangles"], 4)
        self.assertEqual([f["number"] for f in shot["camera"]["frames"]], list(range(1001, 1001 + FRAMES)))
        kept = set(os.listdir(os.path.join(project, "cache")))
        self.assertGreaterEqual(len(kept), 3)
        self.run_command(*ask, "--set", f"mesh={scene}", "--set", "variants=full", "--set", "azimuth=20")
        self.assertEqual(set(os.listdir(os.path.join(project, "cache"))), kept)  # another light, the same set
        with open(track, "w") as file:
            json.dump(made[1]["details"], file)
        layers = os.path.join(os.path.dirname(made[1]["frames"][0]["evidence"]), "evidence.%04d.exr")
        owned = [w if w != "rec709" else "data" for w in OWNED]
        self.run_command("ingest", project, layers, "--clip", "layers", *owned)
        done = subprocess.run([COMMAND, *ask, "--set", "depth=layers", "--set", "variants=geometry"], capture_output=True, text=True, timeout=240)
        self.assertIn("depth: clip layers has no frame 10", done.stderr)  # a shot needs all its frames
        self.run_command(*ask, "--set", "mesh=missing.ply", code=1)
        self.run_command("verify", project)

    @unittest.skipUnless(ENGINE, "needs the engine")
    def test_look(self):
        project = self.made()
        saved, plots, table = (os.path.join(self.folder.name, name) for name in ("look.json", "look.plots", "look.tbl"))
        lines = self.lines(self.run_command("look", project, "--clips", "shot", "-o", saved, "--plots", plots, "--progress=jsonl", "--threads", "2"))
        document = lines[-1]["result"]
        self.assertEqual(document["format"], "interpos.look.1")
        self.assertTrue(any("vignette" in line["stage"] for line in lines[:-1]))
        with open(saved, encoding="utf-8") as file:
            self.assertEqual(json.load(file), document)
        self.assertEqual(len(os.listdir(plots)), 16)
        with open(os.path.join(plots, "shot.tone.svg"), encoding="utf-8") as file:
            self.assertIn("<polyline", file.read())
        text = self.run_command("look", "--from", saved)
        row = next(line.split() for line in text.splitlines() if line.startswith("shot "))
        self.assertEqual(row[5], f"{document['clips'][0]['tone']['black'][1]:.3f}")
        grain = document["clips"][0]["grain"]
        self.assertEqual(row[1] == "-", not grain["measurable"])
        if not grain["measurable"]:
            self.assertIn("shot, grain: not measurable here: " + grain["reason"], text)
        self.run_command("look", "--from", saved, "--film-grain", table, "--of", "shot", code=0 if grain["measurable"] else 1)
        self.run_command("look", "--from", saved, "-o", saved, code=1)  # nothing is overwritten
        self.run_command("look", project, "--from", saved, code=2)
        self.run_command("look", project, "--clips", "nothing", code=1)
        self.run_command("look", project, "--shots", "many", code=2)
        with open(saved, "w", encoding="utf-8") as file:
            json.dump({**document, "format": "interpos.look.9"}, file)
        self.run_command("look", "--from", saved, code=1)
        self.run_command("look", "--from", self.footage, code=1)

    @unittest.skipUnless(ENGINE, "needs the engine")
    def test_interrupt(self):
        project = self.made()
        command = [COMMAND, "train", project, "--for", "inbetween", "--model", "m", "--minutes", "5", "--progress=jsonl"]
        running = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        line = running.stdout.readline()
        self.assertIn("stage", json.loads(line))
        begun = time.monotonic()
        running.send_signal(signal.SIGINT)
        _, errors = running.communicate(timeout=120)
        self.assertEqual(running.returncode, 4, errors)
        self.assertLess(time.monotonic() - begun, 60)
        self.run_command("verify", project)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=2)
