"""The true geometry of a shot of footage/backlot, for tests/quality/relight.py's suite "truth".

    blender -b --python tests/quality/relight_truth.py -- FOOTAGE/backlot/backlot.py OUT [--shot a] [--frames 1:24] [--size 640x360]

Runs inside Blender (3.4 was used). backlot.py builds the set as it does for the footage; it is told to stop before it renders. Written into OUT:

    camera.json   the camera track by our schema (docs/camera.md), metres, z up
    colmap/       the same as cameras.txt and images.txt
    set.ply       everything that stands still, in the same axes, binary little-endian
    passes/0001.exr ...  one sample a pixel, its middle: the layers Depth.Z (metres along the view axis) and Normal.X,Y,Z (world)

The car and the performer are in the passes and not in the mesh, as a scan of a set would have it."""

import argparse
import json
import os
import struct
import sys

import bpy
import numpy as np

RENDER = "bpy.ops.render.render(animation=True)"


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("backlot")
    parser.add_argument("out")
    parser.add_argument("--shot", default="a")
    parser.add_argument("--frames", default="1:24")
    parser.add_argument("--size", default="640x360")
    return parser.parse_args(sys.argv[sys.argv.index("--") + 1:])


def build(a):
    """The set in bpy's scene, ready to render its passes."""
    source = open(a.backlot).read()
    if source.count(RENDER) != 1:
        raise SystemExit(f"{a.backlot}: {RENDER} is expected once: it is not the backlot.py this was written for")
    sys.argv = ["blender", "--", "--seed", "1", "--out", os.path.join(a.out, "passes"), "--shot", a.shot, "--light", "midday", "--frames", a.frames,
                "--size", a.size, "--samples", "1", "--passes"]
    exec(compile(source.replace(RENDER, "pass"), a.backlot, "exec"), {"__name__": "backlot"})
    scene = bpy.context.scene
    scene.render.image_settings.color_depth = "32"
    scene.cycles.filter_width = .01  # the middle of the pixel
    scene.cycles.max_bounces = 0
    return scene


def moves(thing):
    while thing:
        if thing.animation_data and thing.animation_data.action:
            return True
        thing = thing.parent
    return False


def write_mesh(path):
    points, faces, base = [], [], 0
    for thing in sorted((o for o in bpy.context.scene.objects if o.type == "MESH" and not moves(o)), key=lambda o: o.name):
        at = np.array([v.co for v in thing.data.vertices], float)
        m = np.array(thing.matrix_world)
        points.append(at @ m[:3, :3].T + m[:3, 3])
        faces += [[base + i for i in p.vertices] for p in thing.data.polygons]
        base += len(at)
    points = np.concatenate(points).astype("<f4")
    with open(path, "wb") as out:
        out.write(f"ply\nformat binary_little_endian 1.0\nelement vertex {len(points)}\nproperty float x\nproperty float y\nproperty float z\n"
                  f"element face {len(faces)}\nproperty list uchar int vertex_indices\nend_header\n".encode())
        out.write(points.tobytes())
        for face in faces:
            out.write(struct.pack(f"<B{len(face)}i", len(face), *face))
    print(f"{path}: {len(points)} points, {len(faces)} faces")


def quaternion(m):
    from mathutils import Matrix
    return Matrix(m.tolist()).to_quaternion()


def write_camera(scene, out):
    camera = scene.camera
    focal = camera.data.lens / camera.data.sensor_width
    width, height = scene.render.resolution_x, scene.render.resolution_y
    frames, images = [], []
    for number in range(scene.frame_start, scene.frame_end + 1):
        scene.frame_set(number)
        m = np.array(camera.matrix_world)
        frames.append({"number": number, "matrix": [[round(float(v), 9) for v in row] for row in m[:3]]})
        turn = np.diag([1, -1, -1]) @ m[:3, :3].T  # COLMAP's cameras look along +z, y down
        q, t = quaternion(turn), -turn @ m[:3, 3]
        images.append(f"{number} {q.w:.9f} {q.x:.9f} {q.y:.9f} {q.z:.9f} {t[0]:.9f} {t[1]:.9f} {t[2]:.9f} 1 {number:04d}.exr\n\n")
    with open(os.path.join(out, "camera.json"), "w") as to:
        json.dump({"interpos_camera": 1, "up": "z", "metres": 1, "looks": "-z", "focal": focal, "frames": frames}, to, indent=1)
    os.makedirs(os.path.join(out, "colmap"), exist_ok=True)
    with open(os.path.join(out, "colmap", "cameras.txt"), "w") as to:
        to.write(f"# Camera list\n1 PINHOLE {width} {height} {focal * width} {focal * width} {width / 2} {height / 2}\n")
    with open(os.path.join(out, "colmap", "images.txt"), "w") as to:
        to.write("# Image list with two lines of data per image\n" + "".join(images))


def main():
    a = arguments()
    os.makedirs(a.out, exist_ok=True)
    scene = build(a)
    write_camera(scene, a.out)
    scene.frame_set(scene.frame_start)
    write_mesh(os.path.join(a.out, "set.ply"))
    bpy.ops.render.render(animation=True)


main()
