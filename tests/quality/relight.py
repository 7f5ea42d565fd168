#!/usr/bin/env python3
"""Relighting of libinterpos beside its peers, on rendered shots with exact truth and on webcams.

    /usr/bin/python3 tests/quality/relight.py SUITES FOOTAGE INTERPOS [--set NAME=VALUE] [--json F] [--sheet FOLDER]

Suites
  a         backlot, shot a, mid-day to golden hour: frames 4,8,12,16,20,23 of 24, flicker over all. Methods are chosen on this one
  c         backlot, shot c: frames 4,8,12, same settings, reported
  sun       shot a with the new sun's azimuth or elevation wrong
  estimated shots a and c, the old sun not told: its error in degrees, and what that costs
  grain     frame 7 of shot a with a sensor's noise, no geometry: noise of lifted shadows over that of what is not lifted, each by what lit
            surfaces there would have; grain=0 and 1
  none      shots a and c without geometry
  webcams   St Louis and Frankfurt: every mid-day picture towards every evening of another day, that evening held out of the references
  days      the same from the location's other days, beside what else can be made of them: a copy of other evenings, the pixel ratio of means
  example   shot a from one true frame (12) and from two (1, 24), by distance; c from one (8) and two (4, 12); beside the example warped, its
            warped ratio, one gain, Monge-Kantorovich. Methods are chosen on shot a: it alone has the truth of every frame
  reference shots a and c with a take of another place (b_golden) as reference, beside the formula's own colours; and both again for a film whose
            golden hour is colder or warmer: reference and truth times one tint. Without geometry (--set geometry=auto: with). Chosen on shot a
  truth     with the set's true geometry brought along, whole and in pieces: needs --truth FOLDER, where tests/quality/relight_truth.py (run in
            Blender) has written a/ and c/
  all       every one of them; truth only with --truth

PSNR (dB), SSIM and CIEDE2000 are of sRGB(clip(light, 0, 1)). Flicker: mean |next frame brought here along the mid-day flow - this frame|
over the truth's own; "fine flow": down to whole pixels, which leaves less in the
truth too (.0171 instead of .0180 on shot a) and so is nearer the motion. The reference of the transfers is footage/backlot/b_golden, another set of the same film, for shots a and c; "best"
is the best PSNR of the global transfers in the same run. Sun directions, focal length and a camera height of 1.7 m are given to us."""

import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile

os.environ.setdefault("OPENCV_IO_ENABLE_OPENEXR", "1")

import cv2
import numpy as np

import relight_peers as peers
import wire_project

ROOT = pathlib.Path(__file__).resolve().parents[2]
ORDER = ("a", "c", "sun", "estimated", "grain", "none", "webcams", "days", "example", "reference", "truth")
OLD, NEW = (58., 167.), (7., 245.)  # elevation, bearing in the set's axes
# shot: frames, those compared, heading of the camera on the middle frame, focal length over width
SHOTS = {"a": (24, (4, 8, 12, 16, 20, 23), 6.41, 32 / 36), "c": (16, (4, 8, 12), 33.75, 27 / 36)}
CAMERAS = {"stlouis": ("38.6247,-90.1929", 95), "frankfurt": ("50.1060,8.6900", 250)}


def read(path):
    picture = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    if picture is None:
        raise SystemExit(f"{path}: cannot be read")
    picture = np.ascontiguousarray(picture[..., 2::-1])
    return picture.astype(np.float32) if picture.dtype != np.uint8 else peers.decode(picture / 255.)


class Bench:
    def __init__(self, arguments, folder):
        self.arguments, self.footage = arguments, pathlib.Path(arguments.footage)
        self.project = wire_project.Project(folder, arguments.interpos, arguments.set, arguments.engine)
        self.results, self.cache = {}, {}

    def frames(self, name, numbers):
        """Frames of a folder of the backlot."""
        return [read(self.footage / "backlot" / name / f"{n:04d}.exr") for n in numbers]

    def relight(self, clip, frames, settings, variants="full"):
        """{variant: {frame: light}}, details."""
        words = ["render", self.project.place, "--operation", "relight", "--clip", clip, "--frames", frames, "--progress", "none", "--json"]
        for name, value in {"variants": variants, **settings}.items():
            words += ["--set", f"{name}={value}"]
        made = {}
        for option in json.loads(self.project.run(*words, *self.project.settings)):
            made[option["variant"]] = {int(f["time"][0]): read(f["picture"]) for f in option["frames"]}
            details = option.get("details") or {}
        print(f"   {clip} {frames}: {self.project.cost[2]:.1f} s, {self.project.cost[0]:.1f} s of processor, {self.project.cost[1]:.0f} MiB; "
              + "; ".join(f"{s.get('geometry')}: {s.get('reason')}; {s.get('change')} stops" for s in details.get("shots", [])), flush=True)
        return made, details

    def light(self, shot):
        _, _, heading, focal = SHOTS[shot]
        return {"old_elevation": OLD[0], "old_azimuth": round((OLD[1] - heading + 180) % 360 - 180, 2), "elevation": NEW[0],
                "azimuth": round((NEW[1] - heading + 180) % 360 - 180, 2), "focal": round(focal, 5), "camera_height": 1.7}

    def shot(self, shot):
        return self.project.ingest_files(str(self.footage / "backlot" / f"{shot}_midday" / "%04d.exr"), f"shot_{shot}", "linear")

    def add(self, suite, name, rows):
        self.results.setdefault(suite, {})[name] = rows
        print(f"   {name:34s} " + "  ".join(f"{k} {v:.3f}" if isinstance(v, float) else f"{k} {v}" for k, v in rows.items()), flush=True)

    def score(self, suite, name, made, truth):
        each = [peers.scores(m, t) for m, t in zip(made, truth)]
        rows = {k: float(np.mean([e[k] for e in each])) for k in each[0]}
        self.add(suite, name, rows)
        return rows

    def sheet(self, name, pictures):
        if not self.arguments.sheet:
            return
        folder = pathlib.Path(self.arguments.sheet)
        folder.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(folder / f"{name}.png"), np.rint(255 * peers.encode(np.hstack(pictures))).astype(np.uint8)[..., ::-1])

    def contact(self, name, pictures):
        """All frames of a shot in one picture, four across."""
        small = [cv2.resize(p, None, fx=2 / 3, fy=2 / 3, interpolation=cv2.INTER_AREA) for p in pictures]
        small += [np.zeros_like(small[0])] * (-len(small) % 4)
        self.sheet(name, [np.vstack(small[i::4]) for i in range(4)])

    def global_peers(self, suite, shot):
        """The transfers towards b_golden; the best PSNR of them."""
        _, numbers, _, _ = SHOTS[shot]
        plate, truth = self.frames(f"{shot}_midday", numbers), self.frames(f"{shot}_golden", numbers)
        reference = self.frames("b_golden", range(4, 25, 4))
        self.score(suite, "identity", plate, truth)
        best = {n: self.score(suite, n, f(plate, reference), truth)["psnr"] for n, f in peers.PEERS.items()}
        self.score(suite, "3D LUT fitted on truth (oracle)", peers.lut(plate, truth), truth)
        return best


def backlot(bench, suite, shot, settings=None, alone=False):
    """alone: without peers and flicker, and only the frames that are compared."""
    count, numbers, _, _ = SHOTS[shot]
    best = bench.global_peers(suite, shot) if not alone else {}
    truth = bench.frames(f"{shot}_golden", numbers)
    made, _ = bench.relight(bench.shot(shot), ",".join(map(str, numbers)) if alone else f"1-{count}", {**bench.light(shot), **(settings or {})}, bench.arguments.variants)
    for variant, pictures in made.items():
        rows = bench.score(suite, f"ours: {variant}", [pictures[n] for n in numbers], truth)
        if variant == "full" and best:
            top = max(best, key=best.get)
            bench.add(suite, "margins", {"over MK": rows["psnr"] - best["Monge-Kantorovich"], f"over {top}": rows["psnr"] - best[top]})
        for n in (numbers if bench.arguments.sheet else ()):
            bench.sheet(f"{suite}_{shot}_{variant}_{n:04d}", [read(bench.footage / "backlot" / f"{shot}_midday" / f"{n:04d}.exr"), pictures[n],
                                                              read(bench.footage / "backlot" / f"{shot}_golden" / f"{n:04d}.exr")])
        if not alone:
            bench.contact(f"{suite}_{shot}_{variant}_all", [pictures[n] for n in range(1, count + 1)])
    if shot == "a" and not alone:
        everything = range(1, count + 1)
        plate, golden = bench.frames("a_midday", everything), bench.frames("a_golden", everything)
        motion = peers.flows(plate)
        own, still = peers.unsteady(golden, motion), peers.unsteady(plate, motion)
        bench.add(suite, "flicker", {"identity": still / own, **{f"ours: {v}": peers.unsteady([p[n] for n in everything], motion) / own for v, p in
                                                               made.items()}})


def a(bench):
    backlot(bench, "a", "a")


def c(bench):
    backlot(bench, "c", "c")


def none(bench):
    for shot in SHOTS:
        backlot(bench, f"none_{shot}", shot, {"geometry": "none"})


def sun(bench):
    """The new sun's direction wrong."""
    _, numbers, _, _ = SHOTS["a"]
    truth, light = bench.frames("a_golden", numbers), bench.light("a")
    best = max(bench.global_peers("sun", "a").values())
    for name, azimuth, elevation in (("azimuth +10", 10, 0), ("azimuth -10", -10, 0), ("azimuth +25", 25, 0), ("azimuth -25", -25, 0),
                                     ("elevation +4", 0, 4), ("elevation -3", 0, -3)):
        settings = {**light, "azimuth": light["azimuth"] + azimuth, "elevation": light["elevation"] + elevation}
        made, _ = bench.relight(bench.shot("a"), ",".join(map(str, numbers)), settings)
        rows = bench.score("sun", name, [made["full"][n] for n in numbers], truth)
        bench.add("sun", f"{name}, over best", {"margin": rows["psnr"] - best})


def estimated(bench):
    for shot in SHOTS:
        _, numbers, _, _ = SHOTS[shot]
        light = bench.light(shot)
        made, details = bench.relight(bench.shot(shot), ",".join(map(str, numbers)), {k: v for k, v in light.items() if not k.startswith("old")})
        old = details["light"]["old"]
        at = [np.radians((a, e)) for a, e in ((old["azimuth"], old["elevation"]), (light["old_azimuth"], light["old_elevation"]))]
        toward = [np.array((np.cos(e) * np.sin(a), np.sin(e), np.cos(e) * np.cos(a))) for a, e in at]
        bench.score("estimated", f"{shot}: ours: full", [made["full"][n] for n in numbers], bench.frames(f"{shot}_golden", numbers))
        bench.add("estimated", f"{shot}: old sun, {old['from']}", {"azimuth off": float((old["azimuth"] - light["old_azimuth"] + 180) % 360 - 180),
                  "elevation off": old["elevation"] - light["old_elevation"], "degrees off": float(np.degrees(np.arccos(toward[0] @ toward[1]))),
                  "confidence": float(old["confidence"])})


def noisy_clip(bench, seed):
    """Frames 3 to 11 of shot a with noise of variance .0009 light + 3e-6, a little soft."""
    folder = bench.project.folder / "noisy" / str(seed)
    folder.mkdir(parents=True, exist_ok=True)
    draw = np.random.default_rng(seed)
    for n, plate in zip(range(3, 12), bench.frames("a_midday", range(3, 12))):
        noise = cv2.GaussianBlur(draw.standard_normal(plate.shape).astype(np.float32), (0, 0), .5)
        made = plate + noise / noise.std() * np.sqrt(.0009 * np.maximum(plate, 0) + 3e-6)
        cv2.imwrite(str(folder / f"{n:04d}.exr"), made[..., ::-1].astype(np.float32), [cv2.IMWRITE_EXR_TYPE, cv2.IMWRITE_EXR_TYPE_HALF])
    return bench.project.ingest_files(str(folder / "%04d.exr"), f"noisy_{seed}", "linear")


def grain(bench):
    clips, plate = [noisy_clip(bench, seed) for seed in (1, 2)], np.maximum(bench.frames("a_midday", (7,))[0], 1e-4)
    for amount in (0, 1):
        made = []
        for clip in clips:
            words = ["render", bench.project.place, "--operation", "relight", "--clip", clip, "--frames", "7", "--progress", "none", "--json"]
            for name, value in {**bench.light("a"), "geometry": "none", "variants": "full", "grain": amount}.items():
                words += ["--set", f"{name}={value}"]
            frame = json.loads(bench.project.run(*words, *bench.project.settings))[0]["frames"][0]
            made.append(read(frame["picture"]))
        stops = bench.project.folder / f"stops_{amount}.exr"
        subprocess.run(["oiiotool", frame["evidence"], "--ch", "relight.lifted,relight.cast,relight.sky", "--chnames", "R,G,B", "-d", "float", "-o", str(stops)],
                       check=True)
        lifted, _, sky = np.moveaxis(read(stops), 2, 0)
        soft = lambda p, s: cv2.GaussianBlur(p, (0, 0), s)
        noise = (made[0] - made[1]) / np.sqrt(2)
        noise -= soft(noise, 2)
        more, level = 2. ** lifted[..., None], soft(plate, 1)
        unit = noise / (soft((made[0] + made[1]) / 2, 2) / soft(plate, 2) / more * np.sqrt(.0009 * level * more + 3e-6))
        log = np.log(plate + .002).mean(-1)
        texture = np.sqrt(np.maximum(cv2.blur(log * log, (7, 7)) - cv2.blur(log, (7, 7)) ** 2, 0))
        spread = lambda where: float(1.4826 * np.median(np.abs(unit[where & (level.max(-1) < 1)])))
        around = spread((lifted < .02) & (sky < .01))
        bench.add("grain", f"grain={amount}", {"lifted .75 to 1.25 stops": spread((lifted > .75) & (lifted < 1.25)) / around,
                  "over 1.25": spread(lifted > 1.25) / around, "of these smooth": spread((lifted > 1.25) & (texture < .12)) / around,
                  "textured": spread((lifted > 1.25) & (texture > .4)) / around})


def camera_pictures(bench, camera):
    folder = bench.footage / f"light_{camera}"
    labels = dict(line.split("\t") for line in (folder / "LABELS.tsv").read_text().split("\n") if line)
    return folder, sorted(n for n, l in labels.items() if l == "midday"), sorted(n for n, l in labels.items() if l == "golden")


def moment(name):
    return f"{name[:4]}-{name[4:6]}-{name[6:8]}T{name[9:11]}:{name[11:13]}Z"


def webcam(bench, camera, suite, ours):
    """Every mid-day picture towards every evening of another day; ours(noon, evening, others) gives our pictures by label."""
    folder, noons, evenings = camera_pictures(bench, camera)
    rows, pictures = {}, {n: read(folder / n) for n in noons + evenings}
    pairs = [(noon, evening) for noon in noons for evening in evenings if noon[:8] != evening[:8]]
    for noon, evening in pairs[::max(1, len(pairs) // bench.arguments.pairs)] if bench.arguments.pairs else pairs:
        others = [e for e in evenings if e != evening]
        plate, truth, reference = [pictures[noon]], pictures[evening], [pictures[e] for e in others]
        made = {"identity": plate[0], **{n: f(plate, reference)[0] for n, f in peers.PEERS.items()}, **ours(noon, evening, others)}
        for name, picture in made.items():
            rows.setdefault(name, []).append(peers.scores(picture, truth))
        bench.sheet(f"{suite}_{camera}_{noon[:8]}_{evening[:8]}", [plate[0], *[p for n, p in made.items() if n.startswith("ours")], truth])
    for name, each in rows.items():
        bench.add(suite, f"{camera}: {name}", {k: float(np.mean([e[k] for e in each])) for k in each[0]})
    mean = {n: np.mean([e["psnr"] for e in each]) for n, each in rows.items()}
    for name in [n for n in mean if n.startswith("ours")]:
        bench.add(suite, f"{camera}: margin of {name}", {"over mean gain": float(mean[name] - mean["mean gain"]),
                                                         "over best": float(mean[name] - max(mean[p] for p in peers.PEERS))})
        over = [e["psnr"] - max(rows[p][i]["psnr"] for p in peers.PEERS) for i, e in enumerate(rows[name])]
        bench.add(suite, f"{camera}: pairs of {name}", {"pairs": len(over), "below their own best": sum(o < 0 for o in over), "worst": float(min(over))})


def still(bench, path, name):
    """A picture as a clip of one frame, number 1."""
    folder = bench.project.folder / "stills" / name
    if not folder.exists():
        folder.mkdir(parents=True)
        (folder / "0001.png").symlink_to(path.resolve())
    return bench.project.ingest_files(str(folder / "%04d.png"), name, "srgb")


def webcams(bench):
    for camera, (place, heading) in CAMERAS.items():
        folder = bench.footage / f"light_{camera}"

        def ours(noon, evening, others):
            made, _ = bench.relight(still(bench, folder / noon, f"{camera}_{noon[:-4]}"), "1",
                                    {"place": place, "heading": heading, "old_time": moment(noon), "time": moment(evening)})
            return {"ours: full": made["full"][1]}
        webcam(bench, camera, "webcams", ours)


def days(bench):
    """The webcams again, from the location's own days."""
    for camera in CAMERAS:
        folder, noons, evenings = camera_pictures(bench, camera)
        pictures = {n: read(folder / n) for n in noons + evenings}
        name = lambda n: still(bench, folder / n, f"{camera}_{n[:-4]}")

        def ours(noon, evening, others):
            by_day = [n for n in noons if n != noon]
            made, _ = bench.relight(name(noon), "1", {"day": ",".join(map(name, by_day)), "evening": ",".join(map(name, others))}, "days")
            lights = [pictures[e] for e in others]
            return {"sky/ground Reinhard": peers.sky_ground(pictures[noon], lights), "mean of other evenings, copied": np.mean(lights, 0),
                    "pixel ratio of day means": peers.day_ratio(pictures[noon], [pictures[n] for n in noons], lights), "ours: days": made["days"][1]}
        webcam(bench, camera, "days", ours)


def examples_of(bench, shot, numbers):
    """Frames of the truth as a clip of examples."""
    name = f"{shot}_golden_" + "_".join(map(str, numbers))
    folder = bench.project.folder / "examples" / name
    folder.mkdir(parents=True)
    for n in numbers:
        (folder / f"{n:04d}.exr").symlink_to((bench.footage / "backlot" / f"{shot}_golden" / f"{n:04d}.exr").resolve())
    return bench.project.ingest_files(str(folder / "%04d.exr"), name, "linear")


def example(bench):
    """By distance to the nearest example."""
    for shot, given in (("a", (12,)), ("a", (1, 24)), ("c", (8,)), ("c", (4, 12))):
        count, true = SHOTS[shot][0], range(1, 25) if shot == "a" else SHOTS[shot][1]
        wanted = [n for n in true if n not in given]
        plate, golden = bench.frames(f"{shot}_midday", range(1, count + 1)), dict(zip(true, bench.frames(f"{shot}_golden", true)))
        made, _ = bench.relight(bench.shot(shot), f"1-{count}", {**bench.light(shot), "example": examples_of(bench, shot, given)}, "taught")
        methods = {n: {i + 1: p for i, p in each.items()} for n, each in
                   peers.carried(plate, {k - 1: golden[k] for k in given}, [n - 1 for n in range(1, count + 1)]).items()}
        methods["ours: taught"] = made["taught"]
        away = lambda n: min(abs(n - k) for k in given)
        label = f"{shot}, from {' and '.join(map(str, given))}"
        for name, pictures in methods.items():
            for distance in sorted({away(n) for n in wanted} & ({2, 4, 8, 11, 12} if shot == "a" else set(range(99)))):
                at = [n for n in wanted if away(n) == distance]
                bench.score("example", f"{label}, distance {distance}: {name}", [pictures[n] for n in at], [golden[n] for n in at])
        if shot == "a":
            for finest, word in ((1, "flicker"), (0, "flicker, fine flow")):
                motion = peers.flows(plate, finest)
                own = peers.unsteady([golden[n] for n in true], motion)
                rows = {"identity": peers.unsteady(plate, motion) / own, **{n: peers.unsteady([p[i] for i in true], motion) / own for n, p in methods.items()}}
                bench.add("example", f"{label}, {word}", rows)
        for n in (wanted[::4] if bench.arguments.sheet else ()):
            bench.sheet(f"example_{shot}{len(given)}_{n:04d}", [plate[n - 1], made["taught"][n], methods["warped copy"][n], golden[n]])


TINTS = {"as rendered": (1, 1, 1), "colder": (.85, 1, 1.3), "warmer": (1.15, 1, .75)}


def tinted(bench, name, tint):
    """b_golden times a tint as a clip."""
    folder = bench.project.folder / "references" / name
    folder.mkdir(parents=True, exist_ok=True)
    for i, n in enumerate(range(4, 25, 4)):
        light = read(bench.footage / "backlot" / "b_golden" / f"{n:04d}.exr") * np.float32(tint)
        cv2.imwrite(str(folder / f"{i + 1:04d}.exr"), light[..., ::-1])
    return bench.project.ingest_files(str(folder / "%04d.exr"), name, "linear")


def reference(bench):
    for shot, (_, numbers, _, _) in SHOTS.items():
        golden, settings = bench.frames(f"{shot}_golden", numbers), {"geometry": "none", **bench.light(shot)}
        plain = bench.relight(bench.shot(shot), ",".join(map(str, numbers)), settings)[0]["full"]
        for name, tint in TINTS.items():
            clip = tinted(bench, f"{shot}_b_golden_{name.replace(' ', '_')}", tint)
            made, details = bench.relight(bench.shot(shot), ",".join(map(str, numbers)), {**settings, "reference": clip})
            print("  ", details["shots"][0].get("reference"))
            truth = [g * np.float32(tint) for g in golden]
            for what, pictures in (("formula", plain), ("reference", made["full"])):
                bench.score("reference", f"{shot}, {name}: {what}", [pictures[n] for n in numbers], truth)


def truth(bench):
    """Shots a and c with what relight_truth.py wrote, piece by piece."""
    for shot in SHOTS:
        folder = pathlib.Path(bench.arguments.truth or "-") / shot
        if not (folder / "set.ply").is_file():
            if shot == "a":
                raise SystemExit(f"{folder}/set.ply is not there: --truth FOLDER must hold what tests/quality/relight_truth.py writes, per shot")
            continue
        passes = bench.project.ingest_files(str(folder / "passes" / "%04d.exr"), f"passes_{shot}", "data")
        camera, mesh = {"camera": f"@{folder / 'camera.json'}"}, {"mesh": str(folder / "set.ply")}
        colmap = {"camera": f"@{folder / 'colmap' / 'images.txt'}", "camera_models": f"@{folder / 'colmap' / 'cameras.txt'}"}
        depth, normals = {"depth": passes}, {"normals": passes}
        for name, pieces in (("nothing", {}), ("depth", depth), ("camera, depth", {**camera, **depth}),
                             ("camera, depth, normals", {**camera, **depth, **normals}), ("camera, mesh", {**camera, **mesh}),
                             ("COLMAP, mesh", {**colmap, "up": "z", "metres": 1, **mesh}),
                             ("camera, mesh, depth, normals", {**camera, **mesh, **depth, **normals}), ("camera, normals", {**camera, **normals}), ("camera", camera)):
            if bench.arguments.pieces and name not in bench.arguments.pieces.split(";"):
                continue
            print(f"   -- {shot}: {name}", flush=True)
            backlot(bench, f"truth_{shot}: {name}", shot, pieces, alone=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("suites", help=f"comma-separated: {', '.join(ORDER)}; or all")
    parser.add_argument("footage", help="folder with backlot, light_stlouis, light_frankfurt")
    parser.add_argument("interpos", nargs="?", default=str(ROOT / "build/examples/interpos/interpos"))
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="a setting of the operation; may be repeated")
    parser.add_argument("--variants", default="full", help="of suites a, c, none: full,gentle,hard,sun (default full)")
    parser.add_argument("--pairs", type=int, default=0, help="about so many pairs of a webcam, evenly spread, instead of all")
    parser.add_argument("--truth", help="of suite truth: folder with a/ and c/ by tests/quality/relight_truth.py")
    parser.add_argument("--pieces", help="of suite truth: only these, e.g. 'camera, mesh;camera'")
    parser.add_argument("--engine", help="another interpos-engine")
    parser.add_argument("--json", help="write all figures here")
    parser.add_argument("--sheet", help="folder for pictures: plate, ours, truth; of shots a and c also every frame of ours")
    arguments = parser.parse_args()
    suites = [s for s in ORDER if s != "truth" or arguments.truth] if arguments.suites == "all" else arguments.suites.split(",")
    unknown = [s for s in suites if s not in ORDER]
    if unknown:
        parser.error(f"no suite called {', '.join(unknown)}; there are {', '.join(ORDER)}")
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(arguments, folder)
        for suite in suites:
            print(f"== {suite}", flush=True)
            globals()[suite](bench)
        if arguments.json:
            pathlib.Path(arguments.json).write_text(json.dumps(bench.results, indent=1))


if __name__ == "__main__":
    main()
