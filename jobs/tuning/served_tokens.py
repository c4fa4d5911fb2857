"""Tokens by the very code and vocabulary that serve: llama.cpp, from the GGUF. What is learnt is then what will be read.

Only the vocabulary is loaded (half a second, no weights).
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bot.errors import BrokenModel, UntunableBase
from bot.writers.engine import Turn
from bot.writers.gguf_file import BadGguf, check_gguf
from bot.writers.templates import Fragment, Template, template_named
from bot.writers.vocabulary import Vocabulary


class ServedTokens:
    """A `jobs.tuning.dataset.Tokens`. Use as a context manager, on one thread.

    Raises `BrokenModel` (no usable GGUF or template) or `UntunableBase` (it never ends an answer).
    """

    def __init__(self, gguf: Path, *, template: str = "gguf") -> None:
        import llama_cpp  # heavy

        self._lib: Any = llama_cpp
        self._name = gguf.stem
        self._model: Any = None
        try:
            check_gguf(gguf)
        except BadGguf as error:
            raise BrokenModel(name=self._name, reason=str(error)) from error
        self._hush = self._lib.llama_log_callback(lambda level, text, data: None)  # C keeps the pointer
        self._lib.llama_log_set(self._hush, None)
        options = self._lib.llama_model_default_params()
        options.vocab_only = True
        self._model = self._lib.llama_model_load_from_file(os.fsencode(gguf), options)
        if not self._model:
            self.close()
            raise BrokenModel(name=self._name, reason="llama.cpp refused its vocabulary")
        try:
            self._vocabulary = Vocabulary(self._lib, self._model)
            self._template = self._choose(template)
            self._end = self._end_of_turn()
            self._gap = self._gap_before_answers()
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> ServedTokens:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Free the vocabulary."""
        if self._model:
            self._lib.llama_model_free(self._model)
            self._model = None
        self._lib.llama_log_set(self._lib.llama_log_callback(0), None)  # back to llama.cpp's own

    def prompt(self, turns: Sequence[Turn]) -> list[int]:
        """See `Tokens.prompt`: as `LlamaCppEngine.prompt_tokens`."""
        return self._vocabulary.prompt(self._template.render(turns), add_bos=self._template.adds_bos)

    def answer(self, text: str) -> list[int]:
        """See `Tokens.answer`. Control words inside the text stay plain characters."""
        words = self._vocabulary.prompt([Fragment(self._gap + text.strip(), ours=False)], add_bos=False)
        return [*words, self._end]

    def _choose(self, name: str) -> Template:
        source = self._lib.llama_model_chat_template(self._model, None) if name == "gguf" else None
        return template_named(
            name,
            chat_template=source.decode("utf-8", "replace") if source else None,
            bos=self._vocabulary.bos_text,
            eos=self._vocabulary.eos_text,
        )

    def _end_of_turn(self) -> int:
        """The token that the template itself puts after an answer if generation stops there, else the vocabulary's end."""
        said = "\ue0f5"
        fragments = self._template.render([Turn("user", "?"), Turn("assistant", said), Turn("user", "?")])
        places = [place for place, fragment in enumerate(fragments) if fragment.text == said]
        after = fragments[places[0] + 1 : places[0] + 2] if places else []
        for token in self._vocabulary.prompt(after, add_bos=False)[:1]:
            if self._vocabulary.piece(token) is None:
                return token
        end = int(self._lib.llama_vocab_eos(self._lib.llama_model_get_vocab(self._model)))
        if end < 0 or self._vocabulary.piece(end) is not None:
            raise UntunableBase(name=self._name, reason="no token ends an answer")
        return end

    def _gap_before_answers(self) -> str:
        """`### 답변:` is followed by a space and then the answer; a chat template's last word needs nothing."""
        return " " if self._template.render([Turn("user", "?")])[-1].text.endswith(":") else ""
