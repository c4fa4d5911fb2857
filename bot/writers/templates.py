"""Conversation → prompt. A template decides the words around the messages and where the answer must stop.

A prompt is a list of `Fragment`s, not a string: text of the template (`ours`), in which control tokens such as `<|im_end|>` are
meant, and text of people and pages, in which they are only characters. Pasting both into one string would let a wiki page end the
user's turn and speak as the system.

`gguf` uses the chat template inside the model file. It is rendered with a placeholder for each message; the messages themselves
never pass through Jinja. Contents are stripped first, so that a template's own `| trim` makes no difference.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from bot.errors import BrokenModel, InvalidSetting, WriterFailed
from bot.writers.engine import Turn

_PLACEHOLDER = re.compile("\ue0f0(\\d+)\ue0f1")  # private-use characters: no template contains them
_GGUF = "gguf"


@dataclass(frozen=True, slots=True)
class Fragment:
    """A piece of a prompt. `ours`: written by the template, so control tokens in it are meant."""

    text: str
    ours: bool


class Template(Protocol):
    """Renders a conversation, ready for the model to go on as the assistant."""

    @property
    def stop(self) -> tuple[str, ...]:
        """Texts that begin the next turn: the answer ends there."""

    @property
    def adds_bos(self) -> bool:
        """Whether the model's beginning-of-text token (if its vocabulary wants one) must be put in front."""

    def render(self, turns: Sequence[Turn]) -> list[Fragment]:
        """The prompt."""


class ChatTemplate:
    """A Jinja chat template as GGUF files carry it, run in llama-cpp-python's sandbox."""

    stop: tuple[str, ...] = ()
    adds_bos = False  # such templates write it themselves

    def __init__(self, source: str, *, bos: str = "", eos: str = "") -> None:
        from llama_cpp.llama_chat_format import Jinja2ChatFormatter  # heavy

        try:
            self._formatter: Any = Jinja2ChatFormatter(template=source, eos_token=eos, bos_token=bos)
        except Exception as error:  # not valid Jinja
            raise BrokenModel(name=_GGUF, reason=f"chat template: {error}") from error

    def render(self, turns: Sequence[Turn]) -> list[Fragment]:
        """See `Template.render`."""
        try:
            return self._fill(turns)
        except _Unfit:
            # Gemma and early Mistral know no system turn, and want user and assistant to alternate.
            try:
                return self._fill(_merged(turns))
            except _Unfit as error:
                raise WriterFailed(reason=f"chat template: {error}") from error

    def _fill(self, turns: Sequence[Turn]) -> list[Fragment]:
        texts = [turn.text.strip() for turn in turns]
        messages = [{"role": turn.role, "content": f"\ue0f0{n}\ue0f1"} for n, turn in enumerate(turns)]
        try:
            prompt = self._formatter(messages=messages).prompt
        except Exception as error:  # whatever a template raises
            raise _Unfit(str(error)) from error
        parts = _PLACEHOLDER.split(prompt)  # ours, index, ours, index, ours …
        if turns and str(len(turns) - 1) not in parts[1::2]:
            raise _Unfit("it drops the last message")
        fragments = [Fragment(texts[int(p)] if n % 2 else p, ours=n % 2 == 0) for n, p in enumerate(parts)]
        return [fragment for fragment in fragments if fragment.text]


class _Unfit(Exception):
    """The template cannot render this conversation as it is."""


@dataclass(frozen=True, slots=True)
class HeadedTemplate:
    """Prompts made of `### headings`: what the models of the Alpaca family were tuned on.

    Here the heading *is* the control token, so a run of three or more `#` in a message becomes `##`.
    """

    with_context: str
    without_context: str
    question_label: str
    answer_label: str
    stop: tuple[str, ...] = ("###",)
    adds_bos: bool = True

    def render(self, turns: Sequence[Turn]) -> list[Fragment]:
        """The last user turn is the question; system turns, then earlier turns, are the context."""
        last = max((n for n, turn in enumerate(turns) if turn.role == "user"), default=-1)
        question = _defused(turns[last].text) if last >= 0 else ""
        labels = {"user": self.question_label, "assistant": self.answer_label}
        system = [_defused(turn.text) for turn in turns if turn.role == "system"]
        earlier = [f"{labels[t.role]}: {_defused(t.text)}" for t in turns[: max(last, 0)] if t.role != "system"]
        context = "\n\n".join(system + (["\n".join(earlier)] if earlier else []))
        contents = {"question": question, "context": context}
        parts = re.split(r"\{(question|context)\}", self.with_context if context else self.without_context)
        fragments = [Fragment(contents[p] if n % 2 else p, ours=n % 2 == 0) for n, p in enumerate(parts)]
        return [fragment for fragment in fragments if fragment.text]


def _defused(text: str) -> str:
    return re.sub("#{3,}", "##", text.strip())


def _merged(turns: Sequence[Turn]) -> list[Turn]:
    merged: list[Turn] = []
    for turn in turns:
        role = "user" if turn.role == "system" else turn.role
        if merged and merged[-1].role == role:
            merged[-1] = Turn(role, f"{merged[-1].text}\n\n{turn.text}")
        else:
            merged.append(Turn(role, turn.text))
    return merged


def _koalpaca() -> Template:
    # As on the model card of beomi/KoAlpaca-Polyglot-5.8B and -12.8B and in the repository's own web UI, which also cuts at "###".
    return HeadedTemplate(
        with_context="### 질문: {question}\n\n### 맥락: {context}\n\n### 답변:",
        without_context="### 질문: {question}\n\n### 답변:",
        question_label="질문",
        answer_label="답변",
    )


def _alpaca() -> Template:
    # tatsu-lab/stanford_alpaca, README "Data Release".
    intro = "Below is an instruction that describes a task"
    ask = "Write a response that appropriately completes the request.\n\n### Instruction:\n{question}\n\n"
    return HeadedTemplate(
        with_context=f"{intro}, paired with an input that provides further context. {ask}### Input:\n{{context}}\n\n### Response:",
        without_context=f"{intro}. {ask}### Response:",
        question_label="Instruction",
        answer_label="Response",
    )


_NAMED: dict[str, Callable[[], Template]] = {"koalpaca": _koalpaca, "alpaca": _alpaca}
TEMPLATE_NAMES = (_GGUF, *_NAMED)
"""What a catalogue entry's `template` may say."""


def check_template_name(name: str) -> None:
    """Raise `InvalidSetting` for an unknown name, before any model is loaded."""
    if name not in TEMPLATE_NAMES:
        raise InvalidSetting(key="template", reason=f"'{name}'; {', '.join(TEMPLATE_NAMES)}")


def template_named(name: str, *, chat_template: str | None = None, bos: str = "", eos: str = "") -> Template:
    """The template called `name`; the other arguments come from the model file and matter for `gguf` only."""
    check_template_name(name)
    if name != _GGUF:
        return _NAMED[name]()
    if not chat_template:
        known = ", ".join(_NAMED)
        raise BrokenModel(
            name=_GGUF,
            reason=f"no chat template in the file; name it in a catalogue of your own with template = one of: {known}",
        )
    return ChatTemplate(chat_template, bos=bos, eos=eos)
