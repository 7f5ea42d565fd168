#!/usr/bin/env python3
"""Reads every PNG and TIFF below a folder with libinterpos and with oiiotool (PNG: ffmpeg too) and compares the samples.

    formats.py FORMATS_DUMP FOLDER... [--damaged FOLDER...]

FORMATS_DUMP is tests/quality/formats_dump of the build folder. Damaged files are only read: they must give a status and a text.
Exit status 0 if nothing differs beyond its tolerance, nothing crashes and nothing takes over 10 seconds.
"""

import argparse
import json
import pathlib
import struct
import subprocess
import sys
import tempfile
import time

import numpy as np

TYPES = {"u8": np.uint8, "u16": np.uint16, "f16": np.float16, "f32": np.float32, "u32": np.uint32}
TOP = {"u8": 255.0, "u16": 65535.0, "u32": 4294967295.0, "f16": 1.0, "f32": 1.0}


def ours(dump, path):
    """(header, array of height x width x channels) or (header, error text)."""
    done = subprocess.run([dump, str(path)], capture_output=True, timeout=60)
    if done.returncode != 0:
        return {"status": f"died {done.returncode}"}, done.stderr.decode(errors="replace")
    line, _, rest = done.stdout.partition(b"\n")
    header = json.loads(line)
    if header["status"] != "IPOS_OK":
        return header, rest.decode(errors="replace").strip()
    shape = header["height"], header["width"]
    planes, at = [], 0
    for _, kind in header["channels"]:
        size = shape[0] * shape[1] * np.dtype(TYPES[kind]).itemsize
        planes.append(np.frombuffer(rest[at:at + size], TYPES[kind]).reshape(shape).astype(np.float64) / TOP[kind])
        at += size
    return header, np.stack(planes, axis=2)


def plain_tiff(data):
    """An uncompressed float TIFF as oiiotool writes it."""
    at = struct.unpack_from("<I", data, 4)[0]
    tags = {}
    for i in range(struct.unpack_from("<H", data, at)[0]):
        tag, kind, count, value = struct.unpack_from("<HHII", data, at + 2 + 12 * i)
        form = {3: "H", 4: "I"}.get(kind)
        if form:
            inline = struct.calcsize(form) * count <= 4
            tags[tag] = struct.unpack_from(f"<{count}{form}", data, at + 10 + 12 * i if inline else value)
    strips = b"".join(data[o:o + n] for o, n in zip(tags[273], tags[279]))
    if tags[258][0] != 32:
        return None
    return np.frombuffer(strips, np.float32).reshape(tags[257][0], tags[256][0], tags.get(277, (1,))[0]).astype(np.float64)


def by_oiio(path, folder):
    """What oiiotool reads, in 0..1; None where it cannot."""
    out = pathlib.Path(folder, "reference.tif")
    out.unlink(missing_ok=True)
    command = ["oiiotool", "--iconfig", "oiio:UnassociatedAlpha", "1", "-i", str(path)]
    done = subprocess.run(command + ["-d", "float", "--compression", "none", "--scanline", "--planarconfig", "contig", "--eraseattrib", ".*", "-o", str(out)], capture_output=True, timeout=60)
    if done.returncode != 0 or not out.exists():
        return None
    return plain_tiff(out.read_bytes())


def by_ffmpeg(path, header):
    names, kind = "".join(n for n, _ in header["channels"]), header["channels"][0][1]
    formats = {"Y": "gray", "YA": "ya", "RGB": "rgb", "RGBA": "rgba"}
    if names not in formats or kind not in ("u8", "u16"):
        return None
    name = {"gray": ("gray", "gray16le"), "ya": ("ya8", "ya16le"), "rgb": ("rgb24", "rgb48le"), "rgba": ("rgba", "rgba64le")}[formats[names]]
    done = subprocess.run(["ffmpeg", "-v", "error", "-i", str(path), "-frames:v", "1", "-f", "rawvideo", "-pix_fmt", name[kind == "u16"], "-"],
                          capture_output=True, stdin=subprocess.DEVNULL, timeout=60)
    pixels = np.frombuffer(done.stdout, TYPES[kind])
    shape = header["height"], header["width"], len(names)
    return pixels.reshape(shape) / TOP[kind] if pixels.size == np.prod(shape) else None


def expand(reference, count):
    """Grey given as RGB, or a missing opaque alpha, is no difference."""
    if reference.shape[2] == count:
        return reference
    if count in (1, 2) and reference.shape[2] in (3, 4):
        grey = reference[:, :, :1]
        return np.concatenate([grey, reference[:, :, 3:]], axis=2) if count == 2 and reference.shape[2] == 4 else grey if count == 1 else None
    if count == 3 and reference.shape[2] == 1:
        return np.repeat(reference, 3, axis=2)
    if count == 3 and reference.shape[2] == 4:
        return reference[:, :, :3]
    return None


def log_luv_code(pixels, reference):
    """libtiff, and so oiiotool, shows LogLuv as 8 bits of the square root of the linear values that we hand out."""
    return None if reference is None else np.floor(np.clip(256 * np.sqrt(np.clip(pixels, 0, None)), 0, 255)) / 255


def difference(pixels, reference):
    if reference is None:
        return None
    reference = expand(reference, pixels.shape[2])
    if reference is None or reference.shape != pixels.shape:
        return None
    both = np.isfinite(pixels) & np.isfinite(reference)
    if not np.array_equal(np.isfinite(pixels), np.isfinite(reference)):
        return float("inf")
    return float(np.max(np.abs(pixels - reference)[both] / np.maximum(1, np.abs(reference[both])))) if both.any() else 0.0


def compare(dump, path, folder):
    """One row: file, what we read, largest difference from each reference."""
    began = time.monotonic()
    header, pixels = ours(dump, path)
    seconds = time.monotonic() - began
    if isinstance(pixels, str):
        reference = by_oiio(path, folder)
        return path, header["status"], None, None, seconds, pixels if reference is not None else "oiiotool cannot either: " + pixels
    if header["encoding"] == "linear" and path.suffix != ".png":
        reference = by_oiio(path, folder)
        return path, "LogLuv u8", difference(log_luv_code(pixels, reference), reference), None, seconds, ""
    form = "".join(n for n, _ in header["channels"]) + " " + header["channels"][0][1]
    return path, form, difference(pixels, by_oiio(path, folder)), difference(pixels, by_ffmpeg(path, header)), seconds, ""


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("dump")
    parser.add_argument("folders", nargs="*")
    parser.add_argument("--damaged", nargs="*", default=[])
    parser.add_argument("--all", action="store_true", help="print files that agree, too")
    parser.add_argument("--tolerance", type=float, default=1.5 / 65535, help="largest difference taken as equal, of 1.0")
    options = parser.parse_args()
    counts, bad = {}, 0
    with tempfile.TemporaryDirectory() as folder:
        for top in options.folders:
            for path in sorted(p for p in pathlib.Path(top).rglob("*") if p.suffix.lower() in (".png", ".tif", ".tiff")):
                row = compare(options.dump, path, folder)
                differences = [d for d in row[2:4] if d is not None]
                if row[1].startswith("IPOS_ERR"):
                    verdict = "refused" if row[5].startswith("oiiotool") or "UNSUPPORTED" in row[1] else "refused, oiiotool reads it"
                elif not differences:
                    verdict = "no reference"
                else:
                    step = 1.01 / TOP[row[1].split()[1]] if row[1].split()[1] != "f32" else 0
                    verdict = "equal" if min(differences) <= options.tolerance else "one step off" if min(differences) <= step else "differs"
                counts[verdict] = counts.get(verdict, 0) + 1
                bad += row[1].startswith("died") or verdict == "differs"
                if options.all or verdict != "equal":
                    print(f"{verdict:12} {row[1]:22} oiio {row[2]!s:8.8} ffmpeg {row[3]!s:8.8} {row[4]:5.2f}s {path.relative_to(top)} {row[5]}")
        files = [str(p) for top in options.folders for p in pathlib.Path(top).rglob("*") if p.suffix.lower() in (".png", ".tif", ".tiff")]
        if files:
            done = subprocess.run([options.dump, "--again"] + files, capture_output=True, text=True)
            print("written and read again:", done.stdout.strip() or done.stderr[-2000:])
            bad += done.returncode != 0
    for top in options.damaged:
        for path in sorted(p for p in pathlib.Path(top).rglob("*") if p.is_file()):
            began = time.monotonic()
            try:
                done = subprocess.run([options.dump, "--try", str(path)], capture_output=True, timeout=60)
                died = done.returncode != 0
            except subprocess.TimeoutExpired:
                died, done = True, None
            seconds = time.monotonic() - began
            text = done.stdout.decode(errors="replace") if done else "no answer in 60 s"
            memory = max((int(line.split("\t")[3]) for line in text.splitlines() if line.count("\t") >= 5), default=0)
            verdict = "died" if died else "slow" if seconds > 10 else "status" if "IPOS_ERR" in text else "read"
            counts["damaged: " + verdict] = counts.get("damaged: " + verdict, 0) + 1
            bad += verdict in ("died", "slow")
            if options.all or verdict in ("died", "slow"):
                print(f"{verdict:8} {seconds:5.2f}s {memory:5} MiB {path.name} {text.splitlines()[0] if text else done.stderr.decode()[-2000:] if done else ''}")
    print(json.dumps(counts))
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
