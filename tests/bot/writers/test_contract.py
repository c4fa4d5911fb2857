"""The writer contract (bot/writers/base.py), the same tests over every writer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessageChunk, HumanMessage, SystemMessage

from bot.errors import BrokenModel, WriterBusy, WriterFailed, WriterTimeout
from bot.worker import ModelWorker
from bot.writers.llamacpp import LlamaCppEngine
from bot.writers.llamacpp_writer import LlamaCppWriter
from tests.fakes.scripted_writer import ScriptedWriter
from tests.fakes.tiny_gguf import write_tiny_gptneox, write_tiny_qwen2

ASK = [SystemMessage("규칙입니다."), HumanMessage("연차는 며칠인가요?")]


@pytest.fixture(scope="session")
def tiny_models(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Path, str]]:
    """Random weights; what they write means nothing, how they write must be right."""
    folder = tmp_path_factory.mktemp("tiny")
    qwen, neox = folder / "qwen2.gguf", folder / "gptneox.gguf"
    write_tiny_qwen2(qwen)
    write_tiny_gptneox(neox)
    return {"qwen2": (qwen, "gguf"), "gptneox-koalpaca": (neox, "koalpaca")}


def worker_over(path: Path, template: str, **limits: int) -> ModelWorker:
    return ModelWorker(
        lambda: LlamaCppEngine(path, context_tokens=512, threads=1, template=template),
        queue_size=limits.get("queue_size", 4),
        per_person=limits.get("per_person", 4),
    )


@pytest.fixture(params=["qwen2", "gptneox-koalpaca", "scripted"])
async def writer(
    request: pytest.FixtureRequest, tiny_models: dict[str, tuple[Path, str]]
) -> AsyncIterator[BaseChatModel]:
    """Each kind of writer, ready."""
    if request.param == "scripted":
        yield ScriptedWriter(script=["가나다라마바사 아자차카타파하. " * 20], delay=0.002)
        return
    worker = worker_over(*tiny_models[request.param])
    await worker.start()
    yield LlamaCppWriter(worker=worker)
    await worker.close(drain=False)


async def written(writer: BaseChatModel, **kwargs: Any) -> list[AIMessageChunk]:
    return [chunk async for chunk in writer.astream(ASK, **{"asker": "a", "max_tokens": 12, **kwargs})]


async def test_pieces_are_text_and_the_last_chunk_has_the_figures(writer: BaseChatModel) -> None:
    *pieces, last = await written(writer)
    assert all(piece.content and "�" not in str(piece.content) for piece in pieces)
    assert last.content == ""
    assert last.usage_metadata is not None
    assert last.usage_metadata["input_tokens"] > 0
    assert last.usage_metadata["output_tokens"] <= 12
    assert {
        "prompt_seconds",
        "decode_seconds",
        "reused_tokens",
        "waited_seconds",
        "stop",
    } <= last.response_metadata.keys()


async def test_without_temperature_the_same_prompt_gives_the_same_text(writer: BaseChatModel) -> None:
    first, second = [("".join(str(c.content) for c in await written(writer, temperature=0.0))) for _ in range(2)]
    assert first == second


async def test_a_closed_stream_frees_the_writer_for_the_next_question(writer: BaseChatModel) -> None:
    for _ in range(3):
        stream = writer.astream(ASK, asker="a", max_tokens=200)
        async for _piece in stream:
            break
        await stream.aclose()  # type: ignore[attr-defined]
    assert await written(writer)


async def test_a_cancelled_task_frees_the_writer_for_the_next_question(writer: BaseChatModel) -> None:
    task = asyncio.create_task(written(writer, max_tokens=300))
    for _ in range(3):
        await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await written(writer)


async def test_too_little_time_is_a_timeout(writer: BaseChatModel) -> None:
    with pytest.raises(WriterTimeout):
        await written(writer, timeout=0.0005, max_tokens=400)
    assert await written(writer)


async def test_one_person_cannot_hold_more_than_their_share(tiny_models: dict[str, tuple[Path, str]]) -> None:
    worker = worker_over(*tiny_models["qwen2"], per_person=1)
    await worker.start()
    writer = LlamaCppWriter(worker=worker)
    first = writer.astream(ASK, asker="a", max_tokens=200)
    await anext(aiter(first))
    with pytest.raises(WriterBusy):
        await written(writer, asker="a")
    await first.aclose()  # type: ignore[attr-defined]
    await worker.close(drain=False)


async def test_a_shared_beginning_is_not_read_again(tiny_models: dict[str, tuple[Path, str]]) -> None:
    worker = worker_over(*tiny_models["qwen2"])
    await worker.start()
    writer = LlamaCppWriter(worker=worker)
    reused = []
    for question in ("연차는 며칠인가요?", "일비는 얼마인가요?"):
        chunks = [
            c async for c in writer.astream([SystemMessage("규칙입니다. " * 5), HumanMessage(question)], max_tokens=2)
        ]
        reused.append(chunks[-1].response_metadata["reused_tokens"])
    await worker.close()
    assert reused[0] == 0
    assert reused[1] > 20


async def test_a_prompt_longer_than_the_context_is_refused_and_the_next_one_works(
    tiny_models: dict[str, tuple[Path, str]],
) -> None:
    worker = worker_over(*tiny_models["qwen2"])
    await worker.start()
    writer = LlamaCppWriter(worker=worker)
    with pytest.raises(WriterFailed):
        await writer.ainvoke([HumanMessage("긴 글 " * 2000)], max_tokens=2)
    assert await written(writer)
    await worker.close()


def _cut(path: Path, source: Path) -> None:
    path.write_bytes(source.read_bytes()[:5000])


def _text(path: Path, source: Path) -> None:
    path.write_text("이것은 모델이 아닙니다", encoding="utf-8")


def _absent(path: Path, source: Path) -> None:
    return


@pytest.mark.parametrize("spoil", [_cut, _text, _absent])
async def test_a_broken_file_is_an_error_and_not_a_crash(
    spoil: Callable[[Path, Path], None], tiny_models: dict[str, tuple[Path, str]], tmp_path: Path
) -> None:
    path = tmp_path / "broken.gguf"
    spoil(path, tiny_models["qwen2"][0])
    worker = worker_over(path, "gguf")
    with pytest.raises(BrokenModel):
        await worker.start()
    await worker.close(drain=False)
