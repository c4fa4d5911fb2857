"""The LoRAs of one llama.cpp context: a few in memory, at most one attached. All on the engine's thread.

Reading a LoRA takes tenths of a second and attaching one that is in memory a tenth of a millisecond: so the last few stay. The C library
trusts the file and the pointer. Only a file that passed `check_lora` and has the bytes it should have is given to it, and nothing
that is attached is freed.
"""

from __future__ import annotations

import ctypes
import json
import logging
import os
import threading
import time
from pathlib import Path
from typing import Any

from bot.errors import BrokenLora, LoraRefused, WrongBase
from bot.loras.base_weights import BaseWeights
from bot.loras.check import check_lora
from bot.models.hashing import sha256_of
from bot.writers.engine import LoraFile

_log = logging.getLogger(__name__)
KEPT = 3
"""What answers, a canary, and the one before: a rollback is an attach, too."""


class LoadedLoras:
    """`base`: the GGUF behind the `llama_context *` that the methods get. `complaints.last`: llama.cpp's last error line here."""

    def __init__(self, lib: Any, base: Path, complaints: threading.local) -> None:
        self._lib = lib
        self._path = base
        self._complaints = complaints
        self._base: BaseWeights | None = None  # read when a LoRA is first asked for
        self._loaded: dict[LoraFile, Any] = {}  # → `llama_adapter_lora *`; the one used last is the last
        self._attached: LoraFile | None = None

    @property
    def attached(self) -> LoraFile | None:
        """What the context computes with; None: the plain base."""
        return self._attached

    def load(self, context: Any, lora: LoraFile) -> None:
        """Have it in memory. Raises a `LoraError`, or `BrokenModel` when the base's file has gone."""
        pointer = self._loaded.pop(lora, None) or self._read(context, lora)
        self._loaded[lora] = pointer
        idle = [one for one in self._loaded if one not in (lora, self._attached)]
        for one in idle[: max(len(self._loaded) - KEPT, 0)]:
            self._lib.llama_adapter_lora_free(self._loaded.pop(one))

    def attach(self, context: Any, lora: LoraFile | None) -> None:
        """Make this the only LoRA of the context. Raises as `load`; then what was attached still is.

        Keys and values in the context's memory were made by other weights: whoever calls this must clear it.
        """
        if lora is not None:
            self.load(context, lora)
            pointers, scales = (self._lib.llama_adapter_lora_p_ctypes * 1)(self._loaded[lora]), (ctypes.c_float * 1)(1)
            code: int = self._lib.llama_set_adapters_lora(context, pointers, 1, scales)
        else:
            code = self._lib.llama_set_adapters_lora(context, None, 0, None)
        if code:  # llama.cpp swaps the whole set or, returning an error, nothing
            name = lora.name if lora is not None else self._path.stem
            raise LoraRefused(name=name, reason=f"llama_set_adapters_lora {code}")
        self._attached = lora

    def free(self) -> None:
        """All of them. Only when the context is gone; harmless twice."""
        for pointer in self._loaded.values():
            self._lib.llama_adapter_lora_free(pointer)
        self._loaded = {}
        self._attached = None

    def _read(self, context: Any, lora: LoraFile) -> Any:
        began = time.perf_counter()
        if self._base is None:
            self._base = BaseWeights.read(self._path)
        try:
            check_lora(lora.path, self._base)
        except (BrokenLora, WrongBase) as error:
            # They know only the file's name, which is the same for every LoRA on the shelf.
            raise type(error)(**{**error.details, "name": lora.name}) from error
        if sha256_of(lora.path) != lora.sha256:
            raise BrokenLora(name=lora.name, reason="SHA-256")
        self._complaints.last = ""
        pointer = self._lib.llama_adapter_lora_init(self._lib.llama_get_model(context), os.fsencode(lora.path))
        if not pointer:  # a null pointer is falsy but never None
            raise LoraRefused(name=lora.name, reason=self._complaints.last or "llama.cpp refused it")
        seconds = round(time.perf_counter() - began, 4)
        _log.info(json.dumps({"event": "lora_loaded", "lora": lora.name, "base": self._path.stem, "seconds": seconds}))
        return pointer
