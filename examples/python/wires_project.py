"""A wire out of a shot, from one rough stroke: wires_project.py PROJECT FOOTAGE STROKES FRAMES (STROKES: JSON or SVG)"""
import sys

import interpos


def show(done, remaining, stage, report):
    print(f"\r{done:4.0%} {stage:60.60}", end="", file=sys.stderr)


project_folder, footage, strokes, frames = sys.argv[1:]
with interpos.Context() as context, interpos.Project.create(context, project_folder) as project:
    project.ingest(footage, "shot", owner="me", licence="production-owned", training="allowed", encoding="rec709", rate=24, progress=show)
    results = project.operation("wires", clip="shot", frames=frames, strokes=strokes).run(show)
    print(file=sys.stderr)
    for result in results:
        print(f"{result.option}: {result.title}, score {result.score}, confidence {result.confidence():.2f}")
    for lost in results[0].details["lost"]:
        print(f"{lost['wire']} was lost on frames {lost['first']}-{lost['last']}: a stroke there would help")
    results[0].frame().write("clean.png")
    print("the first picture of the best one: clean.png")
