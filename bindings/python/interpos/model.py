"""Models trained on a project's own dailies."""
from __future__ import annotations

from ctypes import byref, c_void_p
from typing import Any

from ._handle import Handle
from ._library import check, document, lib, take_text


class Model(Handle):
    """Trained weights with their card. Immutable; may be shared between threads."""

    _kind = "model"

    def card(self) -> dict[str, Any]:
        """The model card: inputs with hashes and permissions, settings, versions, held-out score beside the baseline's."""
        return document(lib.ipos_model_card, self.pointer)

    def card_text(self) -> str:
        """The card for people."""
        memory = c_void_p()
        check(lib.ipos_model_card_text(self.pointer, byref(memory)))
        return take_text(memory)
