"""Projects: clips, permissions, options, decisions, ledger."""
from __future__ import annotations

import json
from ctypes import byref, c_void_p
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Mapping, Optional, Sequence, Union

from . import _structs as s
from ._errors import TamperedError
from ._handle import Handle, made
from ._library import check, document, encode, lib, take_text
from ._work import Progress, Work
from .context import Context, Path
from .frame import Frame
from .look import Look, Mark, measure
from .model import Model

if TYPE_CHECKING:
    from .operation import Operation

TRAINING = {"allowed": 1, "denied": 2}
Rate = Union[int, float, str, Fraction]


def rational(rate: Optional[Rate]) -> s.Rational:
    """24, "24000/1001", Fraction(24000, 1001); broadcast rates such as 23.976 mean n/1001."""
    if rate is None:
        return s.Rational(0, 0)
    exact = Fraction(str(rate)) if isinstance(rate, float) else Fraction(rate)
    if exact.denominator not in (1, 1001):
        for base in (24, 30, 48, 60, 120):
            if abs(float(exact) - base * 1000 / 1001) < 0.006:
                exact = Fraction(base * 1000, 1001)
    return s.Rational(exact.numerator, exact.denominator)


def comma_list(value: Union[None, str, Sequence[str]]) -> Optional[bytes]:
    return encode(value if value is None or isinstance(value, str) else ",".join(value))


class Project(Handle):
    """A production's folder. One thread at a time; several processes may open one project."""

    _kind = "project"

    def __init__(self, pointer: int, context: Context) -> None:
        super().__init__(pointer)
        self.context = context

    @classmethod
    def create(cls, context: Context, folder: Path, title: Optional[str] = None) -> "Project":
        """A new project in a folder that does not exist or is empty."""
        return cls(made(lib.ipos_project_create, context.pointer, encode(folder), encode(title)), context)

    @classmethod
    def open(cls, context: Context, folder: Path) -> "Project":
        """An existing project; an older schema is migrated."""
        return cls(made(lib.ipos_project_open, context.pointer, encode(folder)), context)

    def info(self) -> dict[str, Any]:
        """id, title, folder, schema, and how many clips, frames, models, options."""
        return document(lib.ipos_project_info, self.pointer)

    def ingest(self, footage: Path, name: str, *, owner: str, licence: str, training: str, rate: Optional[Rate] = None,
               encoding: Optional[str] = None, operations: Union[None, str, Sequence[str]] = None,
               consents: Optional[Sequence[Mapping[str, str]]] = None, tags: Union[None, str, Sequence[str]] = None,
               permission_source: Optional[str] = None, first_frame: int = 0, copy: bool = False, duplicate_check: bool = True,
               progress: Optional[Progress] = None) -> dict[str, Any]:
        """Records a clip (image sequence, folder, image, movie) and returns its description. training: "allowed" or "denied"."""
        config = s.ClipConfig(training=TRAINING.get(training, 0), name=encode(name), owner=encode(owner), licence=encode(licence),
                              encoding=encode(encoding), rate=rational(rate), operations=comma_list(operations),
                              consents=encode(json.dumps(list(consents))) if consents is not None else None, tags=comma_list(tags),
                              permission_source=encode(permission_source), first_frame=first_frame, copy=int(copy),
                              duplicate_check=0 if duplicate_check else -1)
        with Work(progress) as work:
            status = lib.ipos_project_ingest(self.pointer, encode(footage), byref(config), work.progress, None)
        work.finish(status)
        return self.clip(name)

    def clips(self) -> list[dict[str, Any]]:
        """Every clip."""
        return document(lib.ipos_project_clips, self.pointer, None)

    def clip(self, name: str) -> dict[str, Any]:
        """One clip."""
        return document(lib.ipos_project_clips, self.pointer, encode(name))[0]

    def frame(self, clip: str, number: int) -> Frame:
        """One frame of a clip, its bytes checked against those that were ingested."""
        return Frame(made(lib.ipos_project_frame, self.pointer, encode(clip), number))

    def set_training(self, clip: str, training: str, *, by: str, note: Optional[str] = None) -> None:
        """Changes a clip's training permission ("allowed" or "denied"); recorded in the ledger."""
        check(lib.ipos_project_set_training(self.pointer, encode(clip), TRAINING.get(training, 0), encode(by), encode(note)))

    def options(self) -> list[dict[str, Any]]:
        """Every option that operations made, newest last."""
        return document(lib.ipos_project_options, self.pointer, None)

    def option(self, option: str) -> dict[str, Any]:
        """One option."""
        return document(lib.ipos_project_options, self.pointer, encode(option))[0]

    def grade(self, option: str, *, shot: int = 0, format: str = "cdl") -> str:
        """The grade that an option of "continuity" in mode match found, as text: format "cdl" (ASC) or "cube" (33^3)."""
        memory = c_void_p()
        check(lib.ipos_look_grade(encode(json.dumps(self.option(option)["details"])), shot, encode(format), byref(memory)))
        return take_text(memory)

    def option_frame(self, option: str, index: int = 0, *, evidence: bool = False) -> Frame:
        """A picture of an option, or its evidence map."""
        return Frame(made(lib.ipos_option_frame, self.pointer, encode(option), index, int(evidence)))

    def accept(self, option: str, *, by: str, note: Optional[str] = None) -> None:
        """A named person accepts an option."""
        check(lib.ipos_option_accept(self.pointer, encode(option), encode(by), encode(note)))

    def reject(self, option: str, *, by: str, note: Optional[str] = None) -> None:
        """A named person rejects an option."""
        check(lib.ipos_option_reject(self.pointer, encode(option), encode(by), encode(note)))

    def publish(self, option: str, output: Path, *, progress: Optional[Progress] = None) -> list[dict[str, str]]:
        """Writes an accepted option's frames; returns path and sha256 of each file."""
        memory = c_void_p()
        with Work(progress) as work:
            status = lib.ipos_option_publish(self.pointer, encode(option), encode(output), work.progress, None, byref(memory))
        work.finish(status)
        return json.loads(take_text(memory))["files"]

    def ledger(self) -> list[dict[str, Any]]:
        """Every act, oldest first."""
        return document(lib.ipos_project_ledger, self.pointer)

    def verify(self, *, footage: bool = False, progress: Optional[Progress] = None) -> dict[str, Any]:
        """Checks the ledger and every stored file; TamperedError (its ``report`` says what) when something does not match."""
        memory = c_void_p()
        with Work(progress) as work:
            status = lib.ipos_project_verify(self.pointer, int(footage), work.progress, None, byref(memory))
        try:
            work.finish(status)
        except TamperedError as error:
            error.report = json.loads(take_text(memory)) if memory else None
            raise
        return json.loads(take_text(memory))

    def models(self) -> list[dict[str, Any]]:
        """The trained models, and those with a checkpoint to go on from."""
        return document(lib.ipos_project_models, self.pointer)

    def model(self, name: str) -> Model:
        """Opens a trained model."""
        return Model(made(lib.ipos_model_open, self.pointer, encode(name)))

    def train(self, operation: str, name: str, *, clips: Union[None, str, Sequence[str]] = None, minutes: float = 0, steps: int = 0,
              seed: int = 0, threads: int = 0, device: Optional[str] = None, resume: bool = False, by: Optional[str] = None,
              preview: Optional[Path] = None, look: Optional[Look] = None, progress: Optional[Progress] = None) -> Model:
        """Trains a model on the project's own dailies and opens it. Budget: minutes (10 unless given) or steps. Stopped (Ctrl-C,
        a progress callback that returns False) it keeps the last checkpoint: call again with resume=True. look: kept on the card."""
        config = s.TrainConfig(resume=int(resume), name=encode(name), operation=encode(operation), clips=comma_list(clips),
                               minutes=minutes, steps=steps, seed=seed, threads=threads, device=encode(device),
                               operator_name=encode(by), preview=encode(preview), look=encode(json.dumps(look.json)) if look else None)
        out = c_void_p()
        with Work(progress) as work:
            status = lib.ipos_model_train(self.pointer, byref(config), work.progress, None, byref(out))
        model = Model(out.value) if out.value else None
        work.finish(status)
        assert model is not None
        return model

    def measure_look(self, clips: Union[None, str, Sequence[str]] = None, *, marks: Optional[Sequence[Mark]] = None, shots: int = 0,
                     threads: int = 0, progress: Optional[Progress] = None) -> Look:
        """Measures grain, bloom, vignette, chromatic aberration, sharpness, tone, white balance and flicker of clips (None: of all that
        may be used). marks: boxes on single frames, for skin and light. shots: so many of the longest ones of every clip (0: 3).

            look = project.measure_look(["A001", "A002"])
            look.json["all"]["grain"]["confidence"], look.plot("grain"), look.film_grain_table("A001")
        """
        return measure(self, comma_list(clips), marks, shots, threads, progress)

    def operation(self, kind: str, *, clip: Optional[str] = None, frames: Optional[str] = None, model: Optional[Model] = None,
                  **settings: Any) -> "Operation":
        """A job: an operation's kind, its input and settings (None: as they are). See :class:`Operation`.

            project.operation("wires", clip="A001", frames="1001-1024", strokes="left.svg", matte="A001_matte")
        """
        from .operation import Operation
        work = Operation(self, kind)
        if clip is not None:
            work.set_clip(clip)
        if frames is not None:
            work.set_frames(frames)
        if model is not None:
            work.set_model(model)
        for name, value in settings.items():
            if value is not None:
                work.set(name, value)
        return work
