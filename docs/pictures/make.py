#!/usr/bin/env python3
"""Makes the pictures of the guide, from a set drawn here: make.py [FOLDER]

Needs the built library (INTERPOS_LIBRARY), the package in bindings/python, OpenCV and NumPy. Two takes of one set-up: in the second the
camera stands a little aside, the light is warmer and darker, the film grainier, and a cup has moved.
"""
import pathlib
import sys
import tempfile

import cv2
import numpy as np

import interpos

WIDTH, HEIGHT, FRAMES = 640, 360, 16


def wall(rng):
    """A brick wall with windows, wider than the picture."""
    picture = np.zeros((HEIGHT + 80, WIDTH + 120, 3), np.float32)
    for row, y in enumerate(range(0, picture.shape[0], 18)):
        for x in range(-20 * (row % 2), picture.shape[1], 40):
            tone = np.array([.42, .26, .2]) * rng.uniform(.75, 1.2) + rng.normal(0, .012, 3)
            cv2.rectangle(picture, (x + 1, y + 1), (x + 38, y + 16), tone.tolist(), -1)
    for x in (90, 300, 510):
        cv2.rectangle(picture, (x, 60), (x + 90, 190), (.75, .72, .66), -1)
        cv2.rectangle(picture, (x + 8, 68), (x + 82, 182), (.12, .15, .18), -1)
        cv2.line(picture, (x + 45, 60), (x + 45, 190), (.75, .72, .66), 4)
    return cv2.GaussianBlur(picture, (0, 0), .7)


def table(picture, cup):
    """The table in front, with a ball and a cup on it."""
    h, w = picture.shape[:2]
    cv2.rectangle(picture, (0, h - 150), (w, h), (.3, .2, .12), -1)
    for y in range(h - 150, h, 11):
        cv2.line(picture, (0, y), (w, y + 3), (.26, .17, .1), 2)
    yy, xx = np.mgrid[:h, :w]
    r = np.hypot(xx - 230, yy - (h - 130))
    light = np.clip(1.1 - np.hypot(xx - 215, yy - (h - 150)) / 60, .15, 1)[..., None]
    picture[r < 42] = (np.array([.1, .32, .5]) * light)[r < 42]
    x = cup
    cv2.ellipse(picture, (x, h - 90), (24, 8), 0, 0, 180, (.72, .7, .62), -1)
    cv2.rectangle(picture, (x - 24, h - 140), (x + 24, h - 90), (.8, .78, .7), -1)
    cv2.ellipse(picture, (x, h - 140), (24, 8), 0, 0, 360, (.45, .43, .4), -1)
    cv2.ellipse(picture, (x + 28, h - 116), (12, 14), 0, -90, 90, (.75, .73, .66), 5)


def take(folder, number, cup, gain, grain, shift):
    scene = wall(np.random.default_rng(3))
    table(scene, cup)
    scene = scene * np.array(gain, np.float32)
    rng = np.random.default_rng(number)
    for frame in range(FRAMES):
        x, y = 30 + shift + .7 * frame, 30 + .2 * frame
        part = cv2.getRectSubPix(scene, (WIDTH, HEIGHT), (x + WIDTH / 2, y + HEIGHT / 2))
        code = np.clip(part, 0, 1) ** (1 / 2.2)
        noise = cv2.GaussianBlur(rng.normal(size=code.shape), (0, 0), .6)
        code = code + grain * noise / noise.std() * (.4 + code)
        cv2.imwrite(str(folder / f"take{number}.{frame + 1:04d}.png"), np.clip(code[..., ::-1] * 255 + .5, 0, 255).astype(np.uint8))


def keep(project, result, path):
    cv2.imwrite(str(path), cv2.imread(project.option(result.option)["sheet"]), [cv2.IMWRITE_JPEG_QUALITY, 88])


def main(target):
    with tempfile.TemporaryDirectory() as room, interpos.Context(threads=2) as context:
        room = pathlib.Path(room)
        take(room, 1, 470, (1, 1, 1), .012, 0)
        take(room, 2, 420, (.78, .66, .5), .035, 9)
        with interpos.Project.create(context, room / "project", "guide") as project:
            for number in (1, 2):
                project.ingest(room / f"take{number}.%04d.png", f"take{number}", owner="guide", licence="drawn here", training="allowed", rate=24,
                               encoding="srgb")
            match = project.operation("continuity", clip="take2", frames="4,12", reference="take1").run()[0]
            keep(project, match, target / "continuity_match.jpg")
            report = project.operation("continuity", clip="take2", frames="4", mode="report", reference="take1", reference_frames="4").run()[0]
            keep(project, report, target / "continuity_report.jpg")
            look = project.measure_look("take2")
            for name in ("grain",):
                (target / f"look_{name}.svg").write_text(look.plot(name, "take2"))


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).parent))
