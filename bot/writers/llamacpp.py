"""A GGUF model in this process, through llama.cpp's C interface.

Only llama-cpp-python's public ctypes bindings (`llama_cpp.llama_*`) are used, not its `Llama` class, because that class
* sends the whole process's stdout and stderr to /dev/null while it loads,
* samples the greedy token by copying all logits into an array of structs (0.5 ms per token for a vocabulary of 150 000),
* with a bad `lora_path` constructs without an error and then crashes at the first token.
The bindings follow llama.cpp's header, which changes: the package is pinned, and only this file,
`loaded_loras.py` and `vocabulary.py` use it.
"""

from __future__ import annotations

import ctypes
import json
import logging
import os
import sys
import threading
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import llama_cpp
import numpy

from bot.errors import BrokenModel, LoraError, WriterFailed, WritingCancelled
from bot.writers.engine import LoraFile, StopFlag, StopReason, UnlessSure, WritingReport, WritingRequest
from bot.writers.gguf_file import BadGguf, check_gguf
from bot.writers.loaded_loras import LoadedLoras
from bot.writers.templates import Template, check_template_name, template_named
from bot.writers.text_stream import LoopGuard, TextStream
from bot.writers.vocabulary import Vocabulary

_lib: Any = llama_cpp  # ctypes: the signatures say nothing a type checker could use
_log = logging.getLogger(__name__)
_BATCH = 512
_ABORTED = 2
_BEGINNING = 3
"""Tokens by which one text is told from others that begin alike."""
_ERROR_LEVEL = 4  # GGML_LOG_LEVEL_ERROR; 3 is a warning

_complaints = threading.local()  # llama.cpp reports why a load failed only through its process-wide log


def _hear(level: int, text: bytes, _: object) -> None:
    line = text.decode("utf-8", "replace").strip()
    if line:
        _log.debug(
            "%s", line
        )  # not louder: a cancelled computation is three "errors" to llama.cpp, and real ones are raised
        if level == _ERROR_LEVEL:
            _complaints.last = line


_hearer = _lib.llama_log_callback(_hear)  # C keeps the pointer: must live as long as the process


def _stop_poller() -> Any:
    """The native function that llama.cpp asks, hundreds of times per token and batch, whether to abort.

    A Python callback would need the interpreter's lock each time and stall the computation whenever another thread is busy.
    `strlen` of a `StopFlag`'s buffer is 0 or 1, which in every C calling convention is also a correct `bool`.
    """
    try:
        libc = ctypes.CDLL("msvcrt" if sys.platform == "win32" else None)
        return ctypes.cast(libc.strlen, _lib.ggml_abort_callback)
    except (OSError, AttributeError):
        return _lib.ggml_abort_callback(lambda address: ctypes.string_at(address, 1) != b"\0")


class LlamaCppEngine:
    """One model and its context; an `Engine`. Build it, call it and close it on one thread (`count_tokens`: any)."""

    def __init__(
        self,
        path: Path | str,
        *,
        context_tokens: int = 4096,
        threads: int = 2,
        template: str = "gguf",
        gpu_layers: int = 0,
    ) -> None:
        """`gpu_layers`: how many layers a GPU takes, where llama.cpp was compiled for one; below 0: all."""
        check_template_name(template)
        self._path = Path(path)
        self._model: Any = None
        self._context: Any = None
        self._loras = LoadedLoras(_lib, self._path, _complaints)
        os.environ.setdefault("GGML_NO_BACKTRACE", "1")  # else a failed assertion starts a debugger
        try:
            check_gguf(self._path)
        except BadGguf as error:
            raise self._broken(str(error)) from error
        _lib.llama_log_set(_hearer, None)
        _complaints.last = ""
        try:
            self._load(context_tokens, threads, gpu_layers)
            self._vocabulary = Vocabulary(_lib, self._model)
            self._template = self._choose_template(template)
        except BaseException:
            self.close()
            raise
        self._poll_stop = _stop_poller()
        self._cached: list[int] = []  # the tokens whose keys and values are in the context's memory, exactly
        self._next = (ctypes.c_int32 * 1)()

    def _load(self, context_tokens: int, threads: int, gpu_layers: int) -> None:
        _lib.llama_backend_init()
        model_options = _lib.llama_model_default_params()
        model_options.n_gpu_layers = gpu_layers
        self._model = _lib.llama_model_load_from_file(os.fsencode(self._path), model_options)
        if not self._model:
            raise self._broken(_complaints.last or "llama.cpp refused it")
        trained: int = _lib.llama_model_n_ctx_train(self._model)
        if trained and trained < context_tokens:
            # Beyond it, models without long-range positions (Polyglot-Ko: 2048) write nonsense.
            _log.warning("%s was trained on %d tokens of context; using that", self.name, trained)
            context_tokens = trained
        options = _lib.llama_context_default_params()
        options.n_ctx = context_tokens
        options.n_batch = options.n_ubatch = min(_BATCH, context_tokens)
        options.n_threads = options.n_threads_batch = threads
        options.flash_attn_type = _lib.LLAMA_FLASH_ATTN_TYPE_ENABLED
        options.no_perf = False
        self._context = _lib.llama_init_from_model(self._model, options)
        if not self._context:
            raise self._broken(_complaints.last or "no context could be made")
        self._context_tokens = min(context_tokens, int(_lib.llama_n_ctx(self._context)))

    def _choose_template(self, name: str) -> Template:
        source = _lib.llama_model_chat_template(self._model, None) if name == "gguf" else None
        try:
            return template_named(
                name,
                chat_template=source.decode("utf-8", "replace") if source else None,
                bos=self._vocabulary.bos_text,
                eos=self._vocabulary.eos_text,
            )
        except BrokenModel as error:
            raise self._broken(str(error.details["reason"])) from error

    def _broken(self, reason: str) -> BrokenModel:
        return BrokenModel(name=self._path.stem, reason=reason)

    @property
    def name(self) -> str:
        """The file's name without `.gguf`."""
        return self._path.stem

    @property
    def context_tokens(self) -> int:
        """Tokens of prompt and answer together."""
        return self._context_tokens

    @property
    def lora(self) -> LoraFile | None:
        """The LoRA that is attached now; None for the plain base."""
        return self._loras.attached

    @property
    def context_pointer(self) -> Any:
        """The `llama_context *`, for reading logits on this thread. Call `forget` after computing with it."""
        return self._context

    def count_tokens(self, text: str) -> int:
        """Tokens of `text` as message content. Any thread."""
        return self._vocabulary.count(text)

    def prompt_tokens(self, request: WritingRequest) -> list[int]:
        """The exact tokens that `write` gives to the model."""
        fragments = self._template.render(request.turns)
        return self._vocabulary.prompt(fragments, add_bos=self._template.adds_bos)

    def forget(self) -> None:
        """Clear the key/value cache."""
        self._cached = []
        _lib.llama_memory_clear(_lib.llama_get_memory(self._context), True)

    def load_lora(self, lora: LoraFile) -> None:
        """See `Engine.load_lora`."""
        self._loras.load(self._context, lora)

    def attach(self, lora: LoraFile | None) -> None:
        """Compute with this LoRA, or with the plain base, until the next request, which says what it wants itself.

        Raises a `LoraError` (or `BrokenModel` when the base's file has gone); what was attached before then stays attached.
        """
        if lora == self._loras.attached:
            return
        try:
            self._loras.attach(self._context, lora)
        finally:
            # Keys and values in the memory were made by other weights: the next answer would be wrong, and look right.
            self.forget()

    def close(self) -> None:
        """Free context, LoRAs and model; harmless twice."""
        if self._context:
            _lib.llama_free(self._context)
        self._loras.free()
        if self._model:
            _lib.llama_model_free(self._model)
        self._context = self._model = None

    def write(self, request: WritingRequest, stop: StopFlag) -> Iterator[str | WritingReport]:
        """See `Engine.write`."""
        began = time.perf_counter()
        self._take(request.lora)
        prompt = self.prompt_tokens(request)
        room = self._context_tokens - len(prompt)
        if not prompt or room < 1:
            raise WriterFailed(reason=f"prompt {len(prompt)} tokens, context {self._context_tokens} tokens")
        limit = min(max(request.max_tokens, 1), room)
        text = TextStream((*self._template.stop, *request.stop))
        guard = LoopGuard()
        sampler = self._make_sampler(request)
        # C reads the flag's memory until the callback is taken away again below; `stop` is referenced here all the while.
        _lib.llama_set_abort_callback(self._context, self._poll_stop, stop.address)
        try:
            reused = self._keep_common_prefix(prompt)
            self._read(prompt[reused:], stop)
            token = self._pick(sampler)
            refusal, held_back, tokens = None, False, list[int]()
            if request.unless_sure is not None:
                token, refusal, held_back = self._unless_sure(request.unless_sure, token, prompt, room, stop)
            first = time.perf_counter()
            written = 0
            while True:
                if stop.is_set():
                    raise WritingCancelled()
                piece = self._vocabulary.piece(token)
                if piece is None:
                    reason: StopReason = "end"
                    break
                written += 1
                if written <= _BEGINNING:
                    tokens.append(token)
                if shown := text.feed(piece):
                    yield shown
                if text.stopped:
                    reason = "stop"
                    break
                if guard.looping(token):
                    reason = "loop"
                    break
                if written >= limit:
                    reason = "length"
                    break
                self._read_one(token, stop)
                token = self._pick(sampler)
            if shown := text.finish():
                yield shown
            ended = time.perf_counter()
            if refusal is not None and not held_back and not self._begins_with(request.unless_sure, tokens):
                refusal = None  # it only began with the same token
            yield WritingReport(len(prompt), written, reused, first - began, ended - first, reason, refusal, held_back)
        finally:
            _lib.llama_set_abort_callback(self._context, _lib.ggml_abort_callback(), None)
            if sampler is not None:
                _lib.llama_sampler_free(sampler)

    def _unless_sure(
        self, doubt: UnlessSure, token: int, prompt: list[int], room: int, stop: StopFlag
    ) -> tuple[int, float | None, bool]:
        """The first token, or the next best one where it begins `doubt.text` without being sure of it; how sure it was (None: it did
        not begin so); whether it was held back.

        Other answers may begin with the same token: it goes on writing for a few, and takes them back.
        """
        begins = self._vocabulary.plain(doubt.text)[: min(_BEGINNING, room)]
        if not begins or token != begins[0]:
            return token, None, False
        logits = self._logits().astype(numpy.float64)  # a copy: what is computed next overwrites them
        weights = numpy.exp(logits - logits.max())
        sure = float(weights[token] / weights.sum())
        if sure >= doubt.least:
            return token, sure, False
        goes_on = True
        for expected, following in pairwise(begins):
            self._read_one(expected, stop)
            goes_on = int(self._logits().argmax()) == following
            if not goes_on:
                break
        self._back_to(prompt, stop)
        if not goes_on:
            return token, None, False
        logits[token] = -numpy.inf
        return int(logits.argmax()), sure, True

    def _begins_with(self, doubt: UnlessSure | None, tokens: list[int]) -> bool:
        begins = self._vocabulary.plain(doubt.text)[: len(tokens)] if doubt is not None else []
        return tokens == begins

    def _back_to(self, prompt: list[int], stop: StopFlag) -> None:
        """Take back what was read after the prompt."""
        if _lib.llama_memory_seq_rm(_lib.llama_get_memory(self._context), 0, len(prompt), -1):
            del self._cached[len(prompt) :]
        else:  # recurrent models cannot be cut back
            self.forget()
            self._read(prompt, stop)

    def _take(self, lora: LoraFile | None) -> None:
        try:
            self.attach(lora)
        except (LoraError, BrokenModel) as error:
            name = lora.name if lora is not None else None
            _log.error(json.dumps({"event": "lora_refused", "lora": name, "error": type(error).__name__}))
            raise WriterFailed(reason=f"LoRA {name}") from error

    def _keep_common_prefix(self, prompt: list[int]) -> int:
        """Cut the cache back to what it shares with the prompt; how many tokens that is.

        At least the last token is computed anew: its logits are needed.
        """
        shared = 0
        for ours, theirs in zip(self._cached, prompt[:-1], strict=False):
            if ours != theirs:
                break
            shared += 1
        if shared and _lib.llama_memory_seq_rm(_lib.llama_get_memory(self._context), 0, shared, -1):
            del self._cached[shared:]
            return shared
        self.forget()  # also for recurrent models, which cannot be cut back
        return 0

    def _read(self, tokens: list[int], stop: StopFlag) -> None:
        for at in range(0, len(tokens), _BATCH):
            part = tokens[at : at + _BATCH]
            self._decode((ctypes.c_int32 * len(part))(*part), len(part), stop)
            self._cached += part

    def _read_one(self, token: int, stop: StopFlag) -> None:
        self._next[0] = token
        self._decode(self._next, 1, stop)
        self._cached.append(token)

    def _decode(self, tokens: Any, count: int, stop: StopFlag) -> None:
        code: int = _lib.llama_decode(self._context, _lib.llama_batch_get_one(tokens, count))
        if code == 0:
            return
        self.forget()  # part of the batch may be in the memory, and nobody knows which part
        if code == _ABORTED and stop.is_set():
            raise WritingCancelled()
        raise WriterFailed(reason=f"llama_decode {code}")

    def _make_sampler(self, request: WritingRequest) -> Any:
        """llama.cpp's default chain, or None for greedy (see `_pick`)."""
        if request.temperature <= 0:
            return None
        chain = _lib.llama_sampler_chain_init(_lib.llama_sampler_chain_default_params())
        for sampler in (
            _lib.llama_sampler_init_top_k(40),
            _lib.llama_sampler_init_top_p(0.95, 1),
            _lib.llama_sampler_init_min_p(0.05, 1),
            _lib.llama_sampler_init_temp(request.temperature),
            _lib.llama_sampler_init_dist(request.seed & 0xFFFFFFFF),
        ):
            _lib.llama_sampler_chain_add(chain, sampler)  # the chain owns them from here
        return chain

    def _pick(self, sampler: Any) -> int:
        if sampler is not None:
            return int(_lib.llama_sampler_sample(sampler, self._context, -1))
        return int(self._logits().argmax())

    def _logits(self) -> Any:
        """(vocabulary,) of the last token read: a view on llama.cpp's own buffer, nothing copied."""
        logits = _lib.llama_get_logits_ith(self._context, -1)
        return numpy.ctypeslib.as_array(logits, shape=(self._vocabulary.size,))
