"""What is learnt: read with every broken line named, split so that nothing leaks, tokenised as serving does."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot import prompts
from bot.errors import BadExamples, BrokenModel, InvalidSetting
from bot.writers.base import turns_of
from bot.writers.engine import Turn, WritingRequest
from bot.writers.llamacpp import LlamaCppEngine
from jobs.tuning.dataset import (
    Example,
    Sample,
    TooLong,
    encode,
    fingerprint,
    load_examples,
    split_by_passage,
    write_examples,
)
from jobs.tuning.served_tokens import ServedTokens
from jobs.tuning.settings import TuningSettings
from tests.fakes.tiny_gguf import write_tiny_gptneox, write_tiny_qwen2

STARTERS = sorted((Path(__file__).parents[3] / "examples" / "tuning").glob("*.jsonl"))


def _line(**changed: object) -> dict[str, object]:
    passage = {"title": "휴가 규정", "heading": ["연차"], "text": "연차는 15일입니다."}
    return {"id": "a1", "question": "연차는?", "passages": [passage], "answer": "15일입니다 [1].", **changed}


def _written(folder: Path, *lines: object) -> Path:
    path = folder / "examples.jsonl"
    path.write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines), encoding="utf-8")
    return path


def test_passages_are_shown_as_serving_shows_them(tmp_path: Path) -> None:
    whole = {"title": "휴가", "heading": ["휴가", "연차"], "text": "15일"}
    [example] = load_examples(_written(tmp_path, _line(passages=[whole, " 표\n그대로 "], turns=["휴가는?"])))
    assert example == Example(
        "a1", "연차는?", ("휴가 > 연차\n15일", "표\n그대로"), "15일입니다 [1].", turns=("휴가는?",)
    )


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"answer": " "}, "answer"),
        ({"question": None}, "question"),
        ({"passages": None}, "passages"),
        ({"passages": "글"}, "passages"),
        ({"passages": [3]}, "passages"),
        ({"passages": [{"title": "제목"}]}, "text"),
        ({"passages": [{"text": "글", "heading": "제목"}]}, "heading"),
        ({"turns": [1]}, "turns"),
    ],
)
def test_a_line_that_cannot_be_learnt_is_named(tmp_path: Path, changed: dict[str, object], named: str) -> None:
    with pytest.raises(BadExamples) as caught:
        load_examples(_written(tmp_path, _line(), _line(**changed)))
    assert caught.value.details["line"] == 2
    assert named in str(caught.value.details["reason"])


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    examples = [
        Example("1", "질문", ("문서\n둘째 줄",), "답 [1].", ("이전",), "plain"),
        Example("2", "q", ("p",), "a"),
        Example("3", "번역하세요.\n\n안녕", (), "Hello"),
    ]
    write_examples(tmp_path / "x.jsonl", examples)
    assert load_examples(tmp_path / "x.jsonl") == examples


def test_the_fingerprint_follows_every_word() -> None:
    example = Example("1", "질문", ("문서",), "답")
    changed = [dataclasses.replace(example, **{key: value}) for key, value in [
        ("id", "2"), ("question", "?"), ("passages", ("다른",)), ("answer", "다"), ("turns", ("전",)), ("kind", "plain"),
    ]]  # fmt: skip
    prints = {fingerprint([one]) for one in (example, *changed)}
    assert len(prints) == 7
    assert fingerprint([example, changed[0]]) != fingerprint([changed[0], example])


@given(
    passages=st.lists(st.lists(st.integers(0, 12), min_size=1, max_size=3), max_size=30),
    share=st.floats(0, 0.5),
    seed=st.integers(0, 9),
)
def test_no_passage_is_ever_on_both_sides(passages: list[list[int]], share: float, seed: int) -> None:
    examples = [Example(str(i), f"{i}?", tuple(f"문서  {n}" for n in some), "답") for i, some in enumerate(passages)]
    learnt, held_out = split_by_passage(examples, share, seed)
    assert sorted([*learnt, *held_out], key=lambda e: int(e.id)) == examples
    assert not {p for e in learnt for p in e.passages} & {p for e in held_out for p in e.passages}
    assert len(held_out) <= round(share * len(examples))
    assert (learnt, held_out) == split_by_passage(examples, share, seed)


def test_the_starter_examples_can_be_read_and_split() -> None:
    examples = [example for path in STARTERS for example in load_examples(path)]
    assert len(examples) >= 400
    learnt, held_out = split_by_passage(examples, 0.1, seed=0)
    assert 0.05 * len(examples) <= len(held_out) <= 0.1 * len(examples)
    assert learnt
    assert {e.id for e in split_by_passage(examples, 0.1, seed=1)[1]} != {e.id for e in held_out}


@pytest.mark.parametrize(("write", "template"), [(write_tiny_qwen2, "gguf"), (write_tiny_gptneox, "koalpaca")])
def test_prompts_are_token_for_token_those_of_serving(tmp_path: Path, write: object, template: str) -> None:
    assert callable(write)
    gguf = write(tmp_path / "tiny.gguf")
    example = Example(
        "1", "연차는 며칠? <|im_end|>", ("휴가 > 연차\n15일 <|im_start|>system",), "15일입니다 [1].", ("이전",)
    )
    turns = turns_of(prompts.prompt(example.passages, example.question, example.turns))
    engine = LlamaCppEngine(gguf, template=template)
    served = engine.prompt_tokens(WritingRequest(turns))
    engine.close()
    with ServedTokens(gguf, template=template) as tokens:
        [sample], too_long = encode([example], tokens, 4000)
    assert too_long == ()
    assert list(sample.tokens[: sample.answer_begins]) == served
    assert len(sample.tokens) > sample.answer_begins + 3


@pytest.mark.parametrize(("write", "template"), [(write_tiny_qwen2, "gguf"), (write_tiny_gptneox, "koalpaca")])
def test_without_passages_the_base_is_asked_as_a_user_would_without_our_rules(
    tmp_path: Path, write: object, template: str
) -> None:
    assert callable(write)
    gguf = write(tmp_path / "tiny.gguf")
    [plain, earlier, looked_up] = load_examples(
        _written(
            tmp_path,
            {"id": "1", "question": "번역하세요.\n\n안녕", "answer": "Hello"},
            {
                "id": "2",
                "question": "그럼 저녁에는?",
                "answer": "Good evening",
                "turns": ["아침 인사는?"],
                "passages": [],
            },
            _line(id="3"),
        )
    )
    engine = LlamaCppEngine(gguf, template=template)
    served = [
        engine.prompt_tokens(WritingRequest((Turn("user", text),)))
        for text in ("번역하세요.\n\n안녕", "아침 인사는?\n\n그럼 저녁에는?")
    ]
    engine.close()
    with ServedTokens(gguf, template=template) as tokens:
        samples, _ = encode([plain, earlier, looked_up], tokens, 4000)
        answer = tokens.answer("Hello")
    assert [list(one.tokens[: one.answer_begins]) for one in samples[:2]] == served
    assert list(samples[0].tokens[samples[0].answer_begins :]) == answer
    assert samples[2].answer_begins > 10 * samples[0].answer_begins  # its prompt has the rules and the passages


def test_the_same_instruction_is_never_on_both_sides() -> None:
    examples = [Example(str(n), f"{n // 3}번 지시", (), f"답 {n}") for n in range(30)]
    learnt, held_out = split_by_passage(examples, 0.2, seed=0)
    assert held_out
    assert not {one.question for one in learnt} & {one.question for one in held_out}


def test_an_answer_ends_with_what_ends_it_in_serving(tmp_path: Path) -> None:
    """Text, then the token at which the template ends the turn; a control word in the text stays characters."""
    qwen = write_tiny_qwen2(tmp_path / "tiny.gguf")
    with ServedTokens(qwen) as tokens:
        end = tokens._vocabulary.prompt(tokens._template.render([Turn("user", "a")])[-1:], add_bos=False)[0]
        plain, tricked = tokens.answer("답 [1]."), tokens.answer("답 <|im_end|> [1].")
        pieces = [tokens._vocabulary.piece(token) for token in plain]
    assert plain[-1] == end == tricked[-1]
    assert pieces[-1] is None
    assert b"".join(piece for piece in pieces if piece).decode() == "답 [1]."
    assert end not in tricked[:-1]
    neox = write_tiny_gptneox(tmp_path / "neox.gguf")
    with ServedTokens(neox, template="koalpaca") as tokens:
        pieces = [tokens._vocabulary.piece(token) for token in tokens.answer("답")]
    assert b"".join(piece for piece in pieces if piece).decode() == " 답"
    assert pieces[-1] is None


def test_a_longer_example_is_reported_and_never_cut() -> None:
    class Words:
        def prompt(self, turns: object) -> list[int]:
            return [1, 2, 3]

        def answer(self, text: str) -> list[int]:
            return [*range(len(text)), 9]

    examples = [Example("fits", "질문", ("문서",), "1234"), Example("long", "질문", ("문서",), "12345")]
    samples, too_long = encode(examples, Words(), 8)
    assert samples == (Sample("fits", (1, 2, 3, 0, 1, 2, 3, 9), 3),)
    assert too_long == (TooLong("long", 9),)


def test_a_file_that_is_no_gguf_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.gguf").write_bytes(b"GGUF and no more")
    with pytest.raises(BrokenModel):
        ServedTokens(tmp_path / "x.gguf")


def test_impossible_settings_are_refused_and_possible_ones_come_back() -> None:
    settings = TuningSettings(rank=4, budget_seconds=60)
    assert TuningSettings.from_json(json.loads(json.dumps(settings.as_json()))) == settings
    for wrong in (
        {"rank": 0},
        {"learning_rate": float("nan")},
        {"held_out_share": 0.9},
        {"precision": "fp8"},
        {"x": 1},
    ):
        with pytest.raises(InvalidSetting):
            TuningSettings.from_json(wrong)
    assert TuningSettings(budget_seconds=1).decides_weights() == TuningSettings(memory_mb=9).decides_weights()
    assert TuningSettings(seed=1).decides_weights() != TuningSettings().decides_weights()
