"""What the writer may not begin with in doubt: the next best beginning is written then, and nothing else changes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from bot.writers.engine import StopFlag, Turn, UnlessSure, WritingReport, WritingRequest
from bot.writers.llamacpp import LlamaCppEngine
from tests.fakes.tiny_gguf import write_tiny_qwen2

REQUEST = WritingRequest((Turn("system", "규칙입니다."), Turn("user", "연차는 며칠인가요?")), max_tokens=8)


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LlamaCppEngine]:
    one = LlamaCppEngine(write_tiny_qwen2(tmp_path_factory.mktemp("base") / "base.gguf"), context_tokens=256, threads=1)
    yield one
    one.close()


def written(engine: LlamaCppEngine, request: WritingRequest) -> tuple[str, WritingReport]:
    *pieces, report = engine.write(request, StopFlag())
    assert isinstance(report, WritingReport)
    return "".join(str(piece) for piece in pieces), report


def beginning(engine: LlamaCppEngine, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The tokens that it writes by itself."""
    seen: list[int] = []
    read = engine._read_one
    monkeypatch.setattr(engine, "_read_one", lambda token, stop: (seen.append(token), read(token, stop)))
    written(engine, REQUEST)
    monkeypatch.undo()
    return seen


@pytest.mark.parametrize("temperature", [0.0, 0.4])
def test_in_doubt_it_begins_otherwise_and_is_itself_again_afterwards(
    engine: LlamaCppEngine, monkeypatch: pytest.MonkeyPatch, temperature: float
) -> None:
    plain, report = written(engine, REQUEST)
    assert (report.refusal, report.held_back) == (None, False)
    own = beginning(engine, monkeypatch)
    monkeypatch.setattr(engine._vocabulary, "plain", lambda text: own[:5])  # what a random model writes is no text
    asked = replace(REQUEST, unless_sure=UnlessSure("…", 1.0), temperature=temperature)
    if not temperature:
        other, report = written(engine, asked)
        assert report.held_back
        assert report.refusal is not None
        assert 0 < report.refusal < 1
        assert other != plain
        probability = report.refusal
        sure, report = written(engine, replace(asked, unless_sure=UnlessSure("…", probability / 2)))
        assert (sure, report.refusal, report.held_back) == (plain, probability, False)
    else:
        first = {written(engine, replace(asked, seed=seed))[1].refusal for seed in range(30)}
        assert len(first) > 1  # drawn: sometimes it begins like that, sometimes not
    again, report = written(engine, REQUEST)
    assert again == plain
    assert report.reused_tokens == report.prompt_tokens - 1


def test_what_only_begins_alike_may_be_written(engine: LlamaCppEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    plain, _ = written(engine, REQUEST)
    own = beginning(engine, monkeypatch)
    monkeypatch.setattr(engine._vocabulary, "plain", lambda text: [own[0], own[1] + 1, own[2]])
    text, report = written(engine, replace(REQUEST, unless_sure=UnlessSure("…", 1.0)))
    assert (text, report.refusal, report.held_back) == (plain, None, False)
    text, report = written(
        engine, replace(REQUEST, unless_sure=UnlessSure("…", 1e-9))
    )  # sure enough of the first token
    assert (text, report.refusal, report.held_back) == (plain, None, False)
    monkeypatch.setattr(engine._vocabulary, "plain", lambda text: [own[0] + 1, own[1]])
    assert written(engine, replace(REQUEST, unless_sure=UnlessSure("…", 1.0)))[0] == plain


def test_the_tokens_of_a_text_are_those_of_a_text(engine: LlamaCppEngine) -> None:
    assert engine._vocabulary.plain("") == []
    tokens = engine._vocabulary.plain("제공된 문서에서 확인할 수 없습니다.")
    assert (
        b"".join(engine._vocabulary.piece(token) or b"" for token in tokens).decode()
        == "제공된 문서에서 확인할 수 없습니다."
    )


def test_at_the_end_of_the_context_there_is_no_looking_ahead(
    engine: LlamaCppEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = beginning(engine, monkeypatch)
    monkeypatch.setattr(engine._vocabulary, "plain", lambda text: own[:3])
    monkeypatch.setattr(engine, "_context_tokens", len(engine.prompt_tokens(REQUEST)) + 1)
    read: list[int] = []
    monkeypatch.setattr(engine, "_read_one", lambda token, stop: read.append(token))
    _, report = written(engine, replace(REQUEST, unless_sure=UnlessSure("…", 1.0)))
    assert (report.output_tokens, report.stop, read) == (1, "length", [])
