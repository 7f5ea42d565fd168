"""A missing frame, from a folder of dailies: inbetween_project.py PROJECT FOOTAGE FRAME"""
import sys

import interpos


def show(done, remaining, stage, report):
    print(f"\r{done:4.0%} {stage:60.60}", end="", file=sys.stderr)


project_folder, footage, frame = sys.argv[1:]
with interpos.Context() as context, interpos.Project.create(context, project_folder) as project:
    project.ingest(footage, "shot", owner="me", licence="production-owned", training="allowed", encoding="rec709", rate=24, progress=show)
    results = project.operation("inbetween", clip="shot", frames=frame).run(show)
    print(file=sys.stderr)
    for result in results:
        print(f"{result.option}: {result.title}, score {result.score}, confidence {result.confidence():.2f}")
    results[0].frame().write("frame.png")
    print("the best one: frame.png")
