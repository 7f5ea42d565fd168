#!/usr/bin/python3
"""Compares our OpenEXR reader and writer with OpenEXR's C++ library (through OpenImageIO) and exrheader on folders of files.

    ninja -C BUILD tests/quality/exr_tool
    tests/quality/exr_compare.py BUILD/tests/quality/exr_tool FOOTAGE [--damaged FOLDER] [--speed] [--json FILE]

Needs Debian's python3-openimageio, openexr and openimageio-tools. FOOTAGE: a folder searched for *.exr. Exit code 1 if anything differs.
"""

import argparse
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

import numpy as np
import OpenImageIO as oiio

TYPES = {"f16": np.uint16, "f32": np.uint32, "u32": np.uint32}
FORMATS = {"f16": "half", "f32": "float", "u32": "uint"}
LOSSLESS = ("none", "rle", "zips", "zip", "piz")
COMPRESSIONS = LOSSLESS + ("pxr24", "b44", "b44a", "dwaa", "dwab")


def ours(tool, path, part=0):
    """(description, {channel: samples as integers}) of one part."""
    raw = subprocess.run([tool, "dump", str(path), str(part)], check=True, capture_output=True).stdout
    line, rest = raw.split(b"\n", 1)
    about, samples, at = json.loads(line), {}, 0
    for channel in about["channels"]:
        kind, size = TYPES[channel["type"]], channel["width"] * channel["height"]
        samples[channel["name"]] = np.frombuffer(rest, kind, size, at).reshape(channel["height"], channel["width"])
        at += size * kind().itemsize
    return about, samples


def theirs(path, part=0):
    """The same from OpenImageIO: ({channel: samples}, data window, display window), samples bit for bit."""
    source = oiio.ImageInput.open(str(path))
    if source is None:
        raise RuntimeError(oiio.geterror())
    source.seek_subimage(part, 0)
    spec, samples = source.spec(), {}
    for index, name in enumerate(spec.channelnames):
        form = spec.channelformat(index)
        pixels = source.read_image(part, 0, index, index + 1, form)
        if pixels is None:
            raise RuntimeError(source.geterror())
        pixels = np.ascontiguousarray(pixels.reshape(spec.height, spec.width))
        samples[name] = pixels.view(np.uint16 if pixels.dtype.itemsize == 2 else np.uint32)
    source.close()
    return samples, [spec.x, spec.y, spec.width, spec.height], [spec.full_x, spec.full_y, spec.full_width, spec.full_height]


def parts_of(path):
    source = oiio.ImageInput.open(str(path))
    count = 0
    while source and source.seek_subimage(count, 0):
        count += 1
    return count


def differences(tool, path, part=0):
    about, mine = ours(tool, path, part)
    reference, data, display = theirs(path, part)
    found = []
    if about["data_window"] != data or about["display_window"] != display:
        found.append(f"windows {about['data_window']} {about['display_window']}, expected {data} {display}")
    if set(mine) != set(reference):
        found.append(f"channels {sorted(mine)}, expected {sorted(reference)}")
    for name in set(mine) & set(reference):
        wrong = int(np.count_nonzero(mine[name] != reference[name]))
        if wrong:
            found.append(f"channel {name}: {wrong} of {mine[name].size} samples differ")
    return found


def header(path):
    """exrheader's attributes: {(part, name, type): text}."""
    text = subprocess.run(["exrheader", str(path)], check=True, capture_output=True).stdout.decode("latin-1")
    found, key, part = {}, None, 0
    for line in text.splitlines():
        match = re.fullmatch(r"(\S.*?) \(type (\S+)\)(:.*)?", line)
        if re.match(r" part \d+:", line) or re.match(r"part \d+", line.strip()):
            part = int(re.search(r"\d+", line)[0])
        elif match:
            key = (part, match[1], match[2])
            found[key] = match[3] or ""
        elif key and line.startswith("    "):
            found[key] += "\n" + line
    return found


def check_valid(tool, files, work):
    """Pixels, windows, and the header after reading and writing again."""
    wrong, samples = {}, 0
    for path in files:
        problems = []
        for part in range(max(1, parts_of(path))):
            problems += [f"part {part}: {p}" for p in differences(tool, path, part)]
            samples += sum(c["width"] * c["height"] for c in ours(tool, path, part)[0]["channels"])
        again = work / "again.exr"
        subprocess.run([tool, "copy", str(path), str(again)], check=True)
        before, after = header(path), header(again)
        for key in before.keys() | after.keys():
            if before.get(key) != after.get(key):
                problems.append(f"written again: {key} {before.get(key)!r} became {after.get(key)!r}")
        if b"dwa" not in subprocess.run(["exrinfo", "-a", str(path)], capture_output=True).stdout:
            source, back = theirs(path)[0], theirs(again)[0]
            compression = oiio.ImageInput.open(str(path)).spec().getattribute("compression")
            if compression in LOSSLESS and any((source[n] != back[n]).any() for n in source):
                problems.append("written again: pixels differ")
        if problems:
            wrong[str(path)] = problems
    return wrong, samples


def check_writing(tool, files, work):
    """Each compression, scan lines and tiles, from a few files: what we wrote reads the same by both, and B44 is as oiiotool makes it."""
    wrong = {}
    for path in files:
        for compression in COMPRESSIONS:
            for tile in (0, 64):
                out = work / "written.exr"
                subprocess.run([tool, "copy", str(path), str(out), compression, str(tile)], check=True)
                problems = differences(tool, out)
                if compression in ("b44", "b44a", "pxr24") and not tile:
                    peer = work / "peer.exr"
                    subprocess.run(["oiiotool", str(path), "--compression", compression, "-o", str(peer)], check=True, capture_output=True)
                    a, b = theirs(out)[0], theirs(peer)[0]
                    if any((a[n] != b[n]).any() for n in a):
                        problems.append("oiiotool's encoding decodes otherwise")
                if problems:
                    wrong[f"{path} as {compression}, tiles {tile}"] = problems
    return wrong


def check_damaged(tool, folder):
    files = sorted(str(p) for p in pathlib.Path(folder).iterdir() if p.is_file())
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        child = subprocess.Popen([tool, "try"] + files, stdout=out, stderr=err)
        _, status, used = os.wait4(child.pid, 0)
        out.seek(0)
        err.seek(0)
        lines, complaints = out.read().decode("utf-8", "replace").splitlines(), err.read().decode("utf-8", "replace")
    peak = int(lines.pop().split("\t")[1]) if lines and lines[-1].startswith("peak\t") else None
    counts = {}
    for line in lines:
        counts[line.split("\t")[0]] = counts.get(line.split("\t")[0], 0) + 1
    return {"files": len(files), "answered": len(lines), "exit": os.waitstatus_to_exitcode(status), "statuses": counts,
            "peak_kib": peak, "cpu_seconds": round(used.ru_utime + used.ru_stime, 3), "stderr": complaints[:2000]}


def read_by_openexr(path, times=5):
    """CPU ms of OpenImageIO reading all channels on one thread, the least of a few."""
    program = ("import sys, time, OpenImageIO as o\no.attribute('threads', 1); o.attribute('exr_threads', -1)\nbest = 1e30\n"
               f"for _ in range({times}):\n    t = time.process_time(); i = o.ImageInput.open(sys.argv[1]); p = i.read_image('half'); i.close()\n"
               "    best = min(best, time.process_time() - t)\nprint(best * 1000)\n")
    return float(subprocess.run([sys.executable, "-c", program, str(path)], check=True, capture_output=True).stdout)


def speed(tool, work, source):
    table = []
    for name, size in (("1080p", "1920x1080"), ("4K", "4096x2160")):
        base = work / "base.exr"
        subprocess.run(["oiiotool", str(source), "--resize", size, "--pattern", "noise:type=gaussian:mean=0:stddev=0.004:mono=0", size, "4",
                        "--add", "-d", "half", "-o", str(base)], check=True, capture_output=True)
        for compression in ("none", "zip", "piz", "dwaa"):
            path = work / f"{name}_{compression}.exr"
            subprocess.run([tool, "copy", str(base), str(path), compression], check=True)
            mine = float(subprocess.run([tool, "time", str(path), "5"], check=True, capture_output=True).stdout)
            peer = read_by_openexr(path)
            table.append({"size": name, "compression": compression, "ours_cpu_ms": round(mine, 1), "openimageio_cpu_ms": round(peer, 1),
                          "ratio": round(mine / peer, 2)})
            path.unlink()
    return table


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("tool")
    parser.add_argument("footage", type=pathlib.Path)
    parser.add_argument("--damaged", help="folder of broken files: each must get an answer")
    parser.add_argument("--speed", action="store_true", help="reading time beside OpenImageIO's")
    parser.add_argument("--json", help="write the report here")
    args = parser.parse_args()
    broken = pathlib.Path(args.damaged).resolve() if args.damaged else None
    files = [p for p in sorted(args.footage.rglob("*.exr")) if broken not in p.resolve().parents]
    report = {"files": len(files)}
    with tempfile.TemporaryDirectory() as folder:
        work = pathlib.Path(folder)
        report["reading"], report["samples"] = check_valid(args.tool, files, work)
        smallest = sorted(files, key=lambda p: p.stat().st_size)[:1] + sorted(files, key=lambda p: -p.stat().st_size)[:1]
        report["writing"] = check_writing(args.tool, smallest, work)
        if args.damaged:
            report["damaged"] = check_damaged(args.tool, args.damaged)
        if args.speed:
            report["speed"] = speed(args.tool, work, smallest[-1])
    text = json.dumps(report, indent=1)
    print(text)
    if args.json:
        pathlib.Path(args.json).write_text(text + "\n")
    damaged = report.get("damaged", {"files": 0, "answered": 0, "exit": 0})
    bad = report["reading"] or report["writing"] or damaged["files"] != damaged["answered"] or damaged["exit"]
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
