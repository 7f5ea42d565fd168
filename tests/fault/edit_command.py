#!/usr/bin/env python3
"""Strokes and changed frames on the command line: edit_command.py COMMAND ENGINE"""
import json
import os
import struct
import subprocess
import sys
import tempfile
import unittest
import zlib

COMMAND, ENGINE = os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2])
WIDTH, HEIGHT = 96, 64


def png(path, number):
    rows = b"".join(b"\0" + bytes((x * 3 + y * 5 + c * 40 + number * 7) & 255 for x in range(WIDTH) for c in range(3)) for y in range(HEIGHT))

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    with open(path, "wb") as file:
        file.write(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", WIDTH, HEIGHT, 8, 2, 0, 0, 0))
                   + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))


class Edit(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.project = os.path.join(self.folder.name, "film")
        self.run_command("init", self.project)
        for clip in ("shot", "key"):
            os.mkdir(os.path.join(self.folder.name, clip))
            for number in range(1001, 1007):
                png(os.path.join(self.folder.name, clip, f"{clip}.{number}.png"), number)
            self.run_command("ingest", self.project, os.path.join(self.folder.name, clip), "--clip", clip, "--owner", "tests", "--licence",
                             "made here", "--training", "denied", "--encoding", "rec709", "--fps", "24")

    def tearDown(self):
        self.folder.cleanup()

    def run_command(self, *words, code=0, says=""):
        done = subprocess.run([COMMAND, *words, "--engine", ENGINE], capture_output=True, text=True, timeout=120)
        self.assertEqual(done.returncode, code, f"{words}: {done.stdout}{done.stderr}")
        if code:
            self.assertTrue(done.stderr.splitlines()[-1].startswith("interpos: "), done.stderr)
        self.assertIn(says, done.stdout + done.stderr)
        return done.stdout

    def render(self, *words, **expected):
        return self.run_command("render", self.project, "--operation", "edit", "--clip", "shot", *words, **expected)

    def file(self, name, text):
        path = os.path.join(self.folder.name, name)
        with open(path, "w") as file:
            file.write(text)
        return path

    def test_strokes(self):
        left = self.file("left.svg", "<svg xmlns='http://www.w3.org/2000/svg'><path id='left' d='M1 2C3 4 5 6 70 8' stroke-width='3'/></svg>")
        more = self.file("more.json", '{"strokes":[{"wire":"right","frame":1003,"points":[[1,2],[3,4]],"kind":"shadow"}]}')
        text = self.render("--frames", "1002-1004", "--stroke", left, "--stroke", f"{left}@1004", "--stroke", more)
        self.assertIn("'left' is lost on frames 1002-1004", text)
        self.assertIn("'left' is lost on frames 1002-1004", self.run_command("options", self.project, "o1"))
        self.assertNotIn("lost", self.run_command("options", self.project))
        strokes = json.loads(self.run_command("strokes", self.project, "o1"))["strokes"]
        self.assertEqual([(s.get("wire"), s["frame"], s["kind"]) for s in strokes],
                         [("left", 1002, "wire"), ("left", 1004, "wire"), ("right", 1003, "shadow")])
        self.assertEqual(strokes[0]["width"], 3)
        copy = os.path.join(self.folder.name, "copy.json")
        self.run_command("strokes", self.project, "o1", "-o", copy)
        with open(copy) as file:
            self.assertEqual(json.load(file)["strokes"], strokes)
        self.run_command("strokes", self.project, "o1", "-o", copy, code=1, says="nothing is overwritten")
        self.render("--frames", "1002", "--stroke", copy)
        self.assertEqual(json.loads(self.run_command("strokes", self.project, "o2"))["strokes"], strokes)
        self.render("--frames", "1002", "--set", "matte=key")
        self.run_command("strokes", self.project, "o3", code=1, says="o3 holds no strokes")
        self.run_command("strokes", self.project, "o9", code=1, says="o9")
        self.run_command("strokes", self.project, code=2)
        lines = self.run_command("strokes", self.project, "o1", "--progress=jsonl").splitlines()
        self.assertEqual(json.loads(lines[-1])["result"]["strokes"], strokes)

    def test_wrong_strokes(self):
        broken = self.file("broken.json", '{"strokes":[{"frame":1003,"points":[[1,2]]}]}')
        turned = self.file("turned.svg", "<svg><path id='a' transform='rotate(3)' d='M0 0L9 9'/></svg>")
        once = self.file("once.svg", "<svg><path id='a' d='M0 0L9 9'/></svg>")
        self.render("--frames", "1002", "--stroke", broken, code=1, says="1 points, expected 2 to 1000")
        self.render("--frames", "1002", "--stroke", turned, code=1, says="rotate(3)")
        self.render("--frames", "1002", "--stroke", os.path.join(self.folder.name, "none.svg"), code=1, says="none.svg")
        self.render("--frames", "1002", "--stroke", once, "--stroke", once, code=2, says="second stroke")
        self.render("--frames", "1002", "--stroke", once, "--set", "strokes={}", code=2, says="one of them")
        self.render("--frames", "1002.5", "--stroke", once, code=2, says="whole numbers")
        self.render("--frames", "1002", "--set", "matte=nowhere", code=1, says="nowhere")
        self.render("--frames", "1002", "--set", "matte=shot", code=2, says="the one to work on")

    def test_publish(self):
        made = json.loads(self.render("--frames", "1002-1003", "--set", "matte=key", "--json"))
        self.assertEqual(made[0]["details"]["clips"][1]["role"], "matte")
        self.assertEqual(sorted({source.get("clip", "") for source in made[0]["sources"]}), ["", "key"])
        out = os.path.join(self.folder.name, "out")
        self.run_command("accept", self.project, "o1", "--by", "M. Ortiz")
        self.run_command("publish", self.project, "o1", out + "/")
        self.assertEqual(sorted(os.listdir(out)), ["shot.1002.png", "shot.1003.png"])
        self.run_command("verify", self.project, "--footage")
        self.assertIn("clip", self.run_command("operations"))


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=2)
