"""Clips of a folder for benchmarks: movies, PNG/JPEG/TIFF/EXR sequences, frames as 8-bit RGB arrays."""

import json
import pathlib
import re
import subprocess

import cv2
import numpy as np

MOVIES = {".mp4", ".mov", ".mkv", ".webm", ".avi", ".mxf", ".m4v"}
IMAGES = {".png", ".jpg", ".jpeg", ".tif", ".tiff"}


def find(folder, names=None):
    """{name: path} of every clip below folder: movie files, and folders that hold one numbered sequence of images."""
    folder = pathlib.Path(folder)
    found = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.suffix.lower() in MOVIES:
            found.setdefault(path.parent.name if path.parent != folder else path.stem, path)
        elif path.is_dir() and len([p for p in path.iterdir() if p.suffix.lower() in IMAGES]) >= 5:
            if not any(p.suffix.lower() in MOVIES for p in path.iterdir()):
                found.setdefault(path.name, path)
    if names:
        missing = [n for n in names if n not in found]
        if missing:
            raise SystemExit(f"{folder}: no clip called {', '.join(missing)}; there are: {', '.join(found)}")
        found = {n: found[n] for n in names}
    return found


def numbered(folder):
    """The images of a folder's largest numbered sequence, in order."""
    groups = {}
    for path in folder.iterdir():
        match = re.fullmatch(r"(.*?)(\d+)(\.[^.]+)", path.name)
        if match and path.suffix.lower() in IMAGES:
            groups.setdefault((match[1], match[3].lower()), []).append((int(match[2]), path))
    best = max(groups.values(), key=len)
    return [path for _, path in sorted(best)]


def frames(path, first=0, count=None):
    """Frames first..first+count of a clip as a list of HxWx3 uint8 RGB arrays."""
    path = pathlib.Path(path)
    if path.is_dir():
        files = numbered(path)[first:None if count is None else first + count]
        return [cv2.cvtColor(cv2.imread(str(f), cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB) for f in files]
    probe = json.loads(subprocess.run(
        ["ffprobe", "-v", "error", "-select_streams", "v:0", "-show_entries", "stream=width,height", "-of", "json", str(path)],
        check=True, capture_output=True).stdout)["streams"][0]
    width, height = probe["width"], probe["height"]
    last = "" if count is None else f":end_frame={first + count}"
    raw = subprocess.run(
        ["ffmpeg", "-v", "error", "-i", str(path), "-vf", f"trim=start_frame={first}{last}", "-vsync", "passthrough", "-pix_fmt", "rgb24",
         "-f", "rawvideo", "-"], check=True, capture_output=True).stdout
    return list(np.frombuffer(raw, np.uint8).reshape(-1, height, width, 3))


def length(path):
    """How many frames a clip has."""
    path = pathlib.Path(path)
    if path.is_dir():
        return len(numbered(path))
    out = subprocess.run(["ffprobe", "-v", "error", "-select_streams", "v:0", "-count_packets", "-show_entries", "stream=nb_read_packets",
                          "-of", "csv=p=0", str(path)], check=True, capture_output=True, text=True).stdout
    return int(re.match(r"\d+", out)[0])
