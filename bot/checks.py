"""What `saseo doctor` looks at: each check says what it found and, if something is wrong, what to do.

A check never stops the others. Knows the parts only through what the composition root hands in.
"""

from __future__ import annotations

import platform
import sqlite3
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot import prompts
from bot.commands import lora_texts
from bot.commands.tools import Check
from bot.host_checks import host_checks
from bot.messages import Language
from knowledge import korean
from knowledge.embed import self_test as embedder_self_test
from knowledge.errors import ExplainedError
from knowledge.sources import KINDS
from knowledge.sources.patterns import Patterns

if TYPE_CHECKING:
    from bot.host_checks import Host
    from bot.models.store import ModelStore
    from bot.releases.choosing import Choice
    from bot.settings import Settings
    from bot.writers.engine import Engine
    from knowledge.edition import EditionShelf
    from knowledge.embed import Embedder
    from knowledge.korean import Analyser
    from knowledge.sources.base import Source


@dataclass(frozen=True, slots=True)
class Parts:
    """What the checks try out. Functions, so that a part that cannot be made fails inside its own check."""

    settings: Settings
    host: Host
    store: ModelStore
    shelf: EditionShelf
    sources: Callable[[], Iterable[Source]]
    make_analyser: Callable[[], Analyser]
    make_embedder: Callable[[], Embedder]
    embedder_id: Callable[[], str]
    make_engine: Callable[[], Engine]
    choose_lora: Callable[[], tuple[Choice, str]]
    """What would answer, and the version of the prompt that it was tuned on."""
    analyser_id: Callable[[], str] = korean.analyser_name


def checks(parts: Parts) -> Iterator[Check]:
    """Every check in the order a person would want them: this machine, settings, pages, models, index, a word written."""
    language = parts.settings.language
    yield _python(language)
    yield from host_checks(parts.host)
    for names, look in (
        (("출처", "Sources"), _sources),
        (("임베딩 모델", "Embedder"), lambda p: _model(p, p.settings.embedder.model)),
        (("답변 모델", "Writer"), lambda p: _model(p, p.settings.writer.model)),
        (("LoRA", "LoRA"), _lora),
        (("색인", "Index"), _index),
        (("한국어 형태소", "Korean morphemes"), _morphemes),
        (("한국어 임베딩", "Korean embeddings"), _embedding),
        (("답변 쓰기", "Writing"), _writing),
    ):
        try:
            found, remedy = look(parts)
        except ExplainedError as error:
            found, remedy = type(error).__name__, error.explain(language)
        except Exception as error:  # noqa: BLE001 - a broken part must not hide the checks after it
            found = f"{type(error).__name__}: {error}"
            remedy = _either(
                language,
                "설치가 온전한지 확인해 주십시오: make demo 또는 pip check",
                "See whether the installation is whole: make demo, or pip check",
            )
        yield Check(names[language != "ko"], not remedy, found, remedy)


def _either(language: Language, ko: str, en: str) -> str:
    return ko if language == "ko" else en


def _python(language: Language) -> Check:
    fits = sys.version_info >= (3, 11)
    found = f"{platform.python_version()}, SQLite {sqlite3.sqlite_version}"
    remedy = _either(language, "Python 3.11 이상이 필요합니다.", "Python 3.11 or newer is needed.")
    return Check("Python", fits, found, "" if fits else remedy)


def _sources(parts: Parts) -> tuple[str, str]:
    language = parts.settings.language
    paths: dict[str, list[str]] = {}
    broken: dict[str, ExplainedError] = {}
    for source in parts.sources():
        try:
            paths[source.name] = [file.path for file in source.files()]
        except ExplainedError as error:  # the others are looked at all the same
            broken[source.name] = error
    glanced = {one.name for one in parts.settings.sources if KINDS[one.kind].glance is not None}
    seen = [
        f"{name}: {_either(language, '읽을 수 있음', 'can be read')}"
        if name in glanced
        else f"{name}: {_either(language, f'문서 {len(listed)}개', f'{len(listed)} pages')}"
        for name, listed in paths.items()
    ]
    found = ", ".join([*seen, *(f"{name}: {type(error).__name__}" for name, error in broken.items())])
    if broken:
        return found, "\n".join(error.explain(language) for error in broken.values())
    empty = ", ".join(name for name, listed in paths.items() if not listed)
    if empty:
        return found, _either(
            language,
            f"문서가 없는 출처입니다: {empty}. path와 include를 확인해 주십시오.",
            f"No pages in {empty}. Check path and include.",
        )
    # A slip in such a pattern would leave to everybody what was meant for some.
    idle = "; ".join(
        f"{one.name}: {', '.join(rule.pages)}"
        for one in parts.settings.sources
        if one.name not in glanced
        for rule in one.folders
        if not any(Patterns(rule.pages).match(path) for path in paths[one.name])
    )
    if not idle:
        return found, ""
    return found, _either(
        language,
        f"folders의 규칙에 맞는 문서가 없습니다({idle}). pages를 확인해 주십시오.",
        f"No page fits a rule of folders ({idle}). Check pages.",
    )


def _model(parts: Parts, name: str) -> tuple[str, str]:
    return f"{name} ({parts.store.path(name)})", ""


def _lora(parts: Parts) -> tuple[str, str]:
    language = parts.settings.language
    choice, prompt = parts.choose_lora()
    found = lora_texts.answers(choice, language)
    if prompt not in ("", prompts.version()):
        found += f" ({lora_texts.other_prompt(language)})"
    problem = choice.problem or choice.canary_problem
    return found, problem.explain(language) if problem is not None else ""


def _index(parts: Parts) -> tuple[str, str]:
    language = parts.settings.language
    manifest = parts.shelf.open().manifest
    found = f"{manifest.edition}: " + _either(
        language,
        f"문서 {manifest.pages}개, 구절 {manifest.passages}개, 체크섬 일치",
        f"{manifest.pages} pages, {manifest.passages} passages, checksums right",
    )
    if (manifest.analyser, manifest.embedder) == (parts.analyser_id(), parts.embedder_id()):
        return found, ""
    return found, _either(
        language,
        "다른 모델이나 분석기로 만든 색인입니다. `saseo index`를 실행해 주십시오.",
        "The index was made with another model or analyser. Run `saseo index`.",
    )


def _morphemes(parts: Parts) -> tuple[str, str]:
    korean.self_test(parts.make_analyser())
    return _either(parts.settings.language, "조사가 붙은 낱말을 찾습니다", "finds words behind their particles"), ""


def _embedding(parts: Parts) -> tuple[str, str]:
    embedder = parts.make_embedder()
    embedder_self_test(embedder)
    size = embedder.dimension
    return _either(
        parts.settings.language,
        f"{size}차원, 한국어 문장을 구별합니다",
        f"{size} dimensions, tells Korean sentences apart",
    ), ""


def _writing(parts: Parts) -> tuple[str, str]:
    from bot.writers.engine import StopFlag, Turn, WritingReport, WritingRequest

    language = parts.settings.language
    lora = parts.choose_lora()[0].lora
    engine = parts.make_engine()
    try:
        if lora is not None:
            engine.load_lora(lora)
        asked = WritingRequest((Turn("user", "안녕하세요?"),), max_tokens=8, lora=lora)
        pieces = list(engine.write(asked, StopFlag()))
    finally:
        engine.close()
    written = sum(piece.output_tokens for piece in pieces if isinstance(piece, WritingReport))
    found = f"{engine.name}: {_either(language, f'{written}토큰을 썼습니다', f'{written} tokens written')}"
    if written:
        return found, ""
    return found, _either(
        language,
        "모델이 아무것도 쓰지 않았습니다. 다른 모델을 골라 주십시오.",
        "The model wrote nothing. Choose another one.",
    )
