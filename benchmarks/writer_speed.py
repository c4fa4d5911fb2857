"""Our writer beside bare llama.cpp on the same prompt: time to the first token and tokens per second.

    python benchmarks/writer_speed.py [--model qwen2.5-coder-1.5b] [--rounds 5]

One process, alternating, so that both meet the same noise. Bare = `llama_decode` over the whole prompt, then one greedy
sample and one `llama_decode` per token, through llama-cpp-python's C bindings, in a context with the same parameters. Ours =
`LlamaCppWriter.astream` with queue, thread, template, text decoding and stop checks. Also shown: reading a prompt cold and
with the constant beginning (`bot.prompts.prefix`) still in the cache. One JSON, then a table.
"""

from __future__ import annotations

import argparse
import asyncio
import ctypes
import json
import os
import statistics
import sys
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

WRITTEN = 48
CONTEXT = 4096
EVIDENCE = [
    "연차·반차 규정 > 부여 기준\n연차는 회계연도 기준으로 부여합니다. 1년 이상 3년 미만은 15일이며 출근율이 80% 이상이어야 합니다. "
    * 3,
    "국내 출장 규정 > 지급 기준\n일비는 하루 40,000원이며 4시간 미만이면 20,000원입니다. 숙박비는 실비로 지급합니다. "
    * 2,
]


class Bare:
    """A second context, driven by nothing but llama.cpp."""

    def __init__(self, path: Path, threads: int) -> None:
        import llama_cpp

        self._lib: Any = llama_cpp
        self._model = self._lib.llama_model_load_from_file(os.fsencode(path), self._lib.llama_model_default_params())
        options = self._lib.llama_context_default_params()
        options.n_ctx, options.n_batch, options.n_ubatch = CONTEXT, 512, 512
        options.n_threads = options.n_threads_batch = threads
        options.flash_attn_type = self._lib.LLAMA_FLASH_ATTN_TYPE_ENABLED
        self._context = self._lib.llama_init_from_model(self._model, options)
        self._sampler = self._lib.llama_sampler_init_greedy()

    def write(self, tokens: list[int], count: int) -> tuple[float, float]:
        """(seconds to the first token, tokens per second after it), with an empty cache."""
        lib = self._lib
        lib.llama_memory_clear(lib.llama_get_memory(self._context), True)
        began = time.perf_counter()
        for start in range(0, len(tokens), 512):
            chunk = tokens[start : start + 512]
            array = (ctypes.c_int32 * len(chunk))(*chunk)
            assert lib.llama_decode(self._context, lib.llama_batch_get_one(array, len(chunk))) == 0
        token = (ctypes.c_int32 * 1)(lib.llama_sampler_sample(self._sampler, self._context, -1))
        first = time.perf_counter()
        for _ in range(count - 1):
            assert lib.llama_decode(self._context, lib.llama_batch_get_one(token, 1)) == 0
            token[0] = lib.llama_sampler_sample(self._sampler, self._context, -1)
        return first - began, (count - 1) / (time.perf_counter() - first)


async def _measure(path: Path, rounds: int, threads: int) -> dict[str, Any]:
    from bot import prompts
    from bot.worker import ModelWorker
    from bot.writers.base import turns_of
    from bot.writers.engine import WritingRequest
    from bot.writers.llamacpp import LlamaCppEngine
    from bot.writers.llamacpp_writer import LlamaCppWriter

    worker = ModelWorker(
        lambda: LlamaCppEngine(path, context_tokens=CONTEXT, threads=threads), queue_size=2, per_person=2
    )
    await worker.start()
    writer, bare = LlamaCppWriter(worker=worker), Bare(path, threads)
    messages = prompts.prompt(EVIDENCE, "연차는 며칠이고 출장 일비는 얼마인지 문서를 모두 옮겨 길게 설명해 주세요.")
    tokens = await worker.run(lambda engine: list(engine.prompt_tokens(WritingRequest(turns_of(messages)))))  # type: ignore[attr-defined]

    async def ours(asked: Any, count: int) -> dict[str, Any]:
        began, first, last = time.perf_counter(), None, None
        async for piece in writer.astream(asked, asker="bench", max_tokens=count):
            first = first or (time.perf_counter() if piece.content else None)
            last = piece
        assert last is not None
        assert first is not None
        figures = last.response_metadata
        written = last.usage_metadata["output_tokens"]
        return {
            "first": first - began,
            "rate": (written - 1) / figures["decode_seconds"] if written > 1 else None,
            "reused": figures["reused_tokens"],
            "written": written,
        }

    rows = []
    for _ in range(rounds):
        await worker.run(lambda engine: engine.forget())
        mine = await ours(messages, WRITTEN)
        first, rate = await asyncio.to_thread(bare.write, tokens, mine["written"])
        await worker.run(lambda engine: engine.forget())
        await ours(prompts.prefix(), 1)
        warm = await ours(messages, 2)
        rows.append(
            {
                "first_token_ratio": mine["first"] / first,
                "decode_ratio": mine["rate"] / rate,
                "bare_first_seconds": first,
                "bare_tokens_per_second": rate,
                "warm_first_seconds": warm["first"],
                "warm_over_cold": warm["first"] / mine["first"],
                "reused_share": warm["reused"] / len(tokens),
            }
        )
    await worker.close()
    return {
        "model": path.stem,
        "rounds": rounds,
        "prompt_tokens": len(tokens),
        **{
            name: {
                "median": statistics.median(row[name] for row in rows),
                "low": min(row[name] for row in rows),
                "high": max(row[name] for row in rows),
            }
            for name in rows[0]
        },
    }


def main() -> None:
    """Parse, measure, print."""
    from bot.models.catalogue import Catalogue
    from bot.models.store import ModelStore, default_root

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="qwen2.5-coder-1.5b")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    chosen = parser.parse_args()
    path = ModelStore(default_root(), Catalogue.load()).path(chosen.model)
    report = asyncio.run(_measure(path, chosen.rounds, chosen.threads))
    print(json.dumps(report))
    print("| measure | median | lowest | highest |\n| --- | --- | --- | --- |")
    for name, value in report.items():
        if isinstance(value, dict):
            print(f"| {name} | {value['median']:.3f} | {value['low']:.3f} | {value['high']:.3f} |")


if __name__ == "__main__":
    main()
