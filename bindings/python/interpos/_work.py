"""Long calls: progress, callbacks that raise, Ctrl-C."""
from __future__ import annotations

import json
import signal
import threading
from types import TracebackType
from typing import Any, Callable, Optional

from ._library import check
from ._structs import ProgressFn

Progress = Callable[[float, float, str, "dict[str, Any]"], Any]
"""progress(done, remaining, stage, report): done 0..1, remaining in seconds (negative: unknown); return False to stop."""


class Work:
    """Catches what callbacks raise while the library is in charge, and raises it when the call is over.

    Ctrl-C: Python would raise inside whatever callback runs next, perhaps before that has entered its try block, and ctypes
    would lose it. So the handler runs under our own, which keeps the exception and has the next callback stop the work.
    """

    def __init__(self, progress: Optional[Progress] = None) -> None:
        self.error: Optional[BaseException] = None
        self._user = progress
        self._handler: Any = None
        self.progress = ProgressFn(self._progress)

    def _progress(self, _user: Any, done: float, remaining: float, stage: bytes, report: bytes) -> int:
        try:
            if self.error is None and self._user is not None:
                answer = self._user(done, remaining, stage.decode("utf-8", "replace"), json.loads(report))
                return 1 if answer is False or self.error is not None else 0
        except BaseException as error:
            self.keep(error)
        return 0 if self.error is None else 1

    def keep(self, error: BaseException) -> None:
        """The first exception stands."""
        if self.error is None:
            self.error = error

    def _interrupted(self, number: int, frame: Any) -> None:
        try:
            self._handler(number, frame)
        except BaseException as error:
            self.keep(error)

    def __enter__(self) -> "Work":
        if threading.current_thread() is threading.main_thread():
            handler = signal.getsignal(signal.SIGINT)
            if callable(handler):
                self._handler = handler
                signal.signal(signal.SIGINT, self._interrupted)
        return self

    def __exit__(self, kind: Optional[type], value: Optional[BaseException], trace: Optional[TracebackType]) -> None:
        if self._handler is not None:
            signal.signal(signal.SIGINT, self._handler)

    def finish(self, status: int) -> None:
        """After the call: what a callback raised comes first, then the library's own failure. Work that was already done when
        Ctrl-C came is done, and the interrupt is still raised."""
        error, self.error = self.error, None
        if error is not None:
            raise error
        check(status)
