"""Contexts: what everything else hangs from."""
from __future__ import annotations

import os
from typing import Any, Callable, Optional, Union

from . import _structs as s
from ._handle import Handle, made
from ._library import document, encode, lib

Path = Union[str, "os.PathLike[str]"]
ENGINE_MODES = {"process": 0, "in-process": 1}
LOG_LEVELS = {"error": 1, "warning": 2, "info": 3, "debug": 4}
Log = Callable[[str, str], None]
"""log(level, message); may be called from any thread; what it raises is dropped."""


class Context(Handle):
    """Allocator, log and engine of one user of the library. Thread-safe; contexts share nothing. Cheap: the engine starts
    when it is first needed.

    log: called with a level ("error", "warning", "info", "debug") and a message. engine: "process" (default) or "in-process".
    engine_path, ffmpeg_path: absolute paths. threads: of the engine, 0 for all this process may use. memory_limit: bytes one
    operation may hold, 0 for 4 GiB. watchdog_seconds: an engine without a sign of work for so long is killed, 0 for 120.
    checkpoint_seconds: training keeps a checkpoint at least so often, 0 for 20.
    """

    _kind = "context"

    def __init__(self, *, log: Optional[Log] = None, log_level: str = "warning", engine: str = "process",
                 engine_path: Optional[Path] = None, ffmpeg_path: Optional[Path] = None, threads: int = 0,
                 watchdog_seconds: int = 0, memory_limit: int = 0, checkpoint_seconds: int = 0) -> None:
        config = s.ContextConfig(log_level=LOG_LEVELS[log_level], engine_mode=ENGINE_MODES[engine], engine_path=encode(engine_path),
                                 ffmpeg_path=encode(ffmpeg_path), threads=threads, watchdog_seconds=watchdog_seconds,
                                 memory_limit=memory_limit, checkpoint_seconds=checkpoint_seconds)
        if log is not None:
            # Kept for the life of the process: frames and projects may keep the library's context alive after this object is gone.
            config.log = _log_callback(log)
            _log_callbacks.append(config.log)
        super().__init__(made(lib.ipos_context_create, config))

    def engine_info(self, measure: bool = False) -> dict[str, Any]:
        """Starts the engine and says what it is; with measure its convolution speed too (about 2 s)."""
        return document(lib.ipos_context_engine_info, self.pointer, int(measure))

    def media_info(self, path: Path) -> dict[str, Any]:
        """What an image, sequence, folder or movie holds, without decoding pixels."""
        return document(lib.ipos_media_info, self.pointer, encode(path))


_log_callbacks: list[Any] = []
_LEVEL_NAMES = {number: name for name, number in LOG_LEVELS.items()}


def _log_callback(log: Log) -> Any:
    def deliver(_user: Any, level: int, message: bytes) -> None:
        try:
            log(_LEVEL_NAMES.get(level, str(level)), message.decode("utf-8", "replace"))
        except Exception:  # there is no caller to give it to
            pass
    return s.LogFn(deliver)
