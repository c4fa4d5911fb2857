"""Swapping what answers while questions come: how long a swap takes, and whether every stamp is true.

    python benchmarks/hot_swap.py                                   # qwen2.5-coder-0.5b, 50 swaps
    python benchmarks/hot_swap.py --model PATH.gguf --swaps 50

Two random LoRAs on every linear layer of the base, as large as tuned ones and strong enough to change every text, are released in
turn with the plain base through a real store, and a service follows as `saseo serve` does. Meanwhile several people ask without a
pause. Each answer is stamped as the flow stamps it: with the LoRA of the live value that the question took at its start.

The proof is the text, not the stamp: before, fresh engines that never had another LoRA wrote the greedy text of every prompt with
each of the three, all different. An answer is true if it is the text of its stamp; where rounding (a reused beginning is computed in
another batch) led the text another way, if it follows that text further than either of the others. Anything else is wrong.
Prints one line of JSON, then a Markdown table.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import aclosing
from functools import partial
from itertools import takewhile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
os.environ.setdefault("GGML_NO_BACKTRACE", "1")

if TYPE_CHECKING:
    from bot.answering.flow import AnswerFlow
    from bot.releases.choosing import Choosing
    from bot.store.database import Store
    from bot.writers.engine import LoraFile
    from bot.writers.llamacpp import LlamaCppEngine

PROMPTS = (
    "연차는 며칠 전까지 신청해야 합니까?",
    "법인카드를 잃어버리면 어떻게 합니까?",
    "회의실 예약은 몇 분 뒤에 취소됩니까?",
    "VPN에 접속하지 못하면 어디에 전화합니까?",
)
LOOK_EVERY = 0.05
PLAIN = "none"


def main() -> None:
    """Make the LoRAs, write the expected texts, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="qwen2.5-coder-0.5b", help="name in the catalogue, or the path of a .gguf")
    parser.add_argument("--swaps", type=int, default=50)
    parser.add_argument("--people", type=int, default=3)
    parser.add_argument("--tokens", type=int, default=24)
    parser.add_argument("--threads", type=int, default=2)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        report = measure(
            model_path(chosen.model), Path(folder), chosen.swaps, chosen.people, chosen.tokens, chosen.threads
        )
    print(json.dumps(report, ensure_ascii=False))
    print(table(report))


def measure(base: Path, folder: Path, swaps: int, people: int, tokens: int, threads: int) -> dict[str, Any]:
    """Everything, with its own store and shelf in `folder`."""
    from bot import prompts
    from bot.loras.shelf import LoraShelf
    from bot.models.hashing import sha256_of
    from bot.releases.choosing import Choosing
    from bot.store.database import open_store

    digest = sha256_of(base)
    shelf = LoraShelf(folder / "loras", folder / "none")
    loras: dict[str, LoraFile | None] = {PLAIN: None}
    for seed in (1, 2):
        lora = shelf.take_in(random_result(folder / f"run-{seed}", base, digest, seed)).file
        loras[lora.name] = lora

    def engine() -> LlamaCppEngine:
        from bot.writers.llamacpp import LlamaCppEngine

        return LlamaCppEngine(base, context_tokens=2048, threads=threads)

    expected = {name: fresh_texts(engine, lora, tokens) for name, lora in loras.items()}
    for n, question in enumerate(PROMPTS):
        if len({texts[n] for texts in expected.values()}) != len(expected):
            raise SystemExit(f"the LoRAs do not show in the answer to: {question}")
    store = open_store("", folder)
    try:
        choosing = Choosing("auto", shelf, lambda: digest, prompts.version())
        live = asyncio.run(_live(store, choosing, engine, loras, expected, swaps, people, tokens))
    finally:
        store.close()
    size = max(lora.path.stat().st_size for lora in loras.values() if lora is not None)
    return {"model": base.stem, "lora_mb": round(size / 1e6, 1), **swap_times(engine, loras), **live}


def random_result(folder: Path, base: Path, digest: str, seed: int, rank: int = 8) -> Path:
    """A folder as a tuning run leaves it, around a random LoRA on every linear layer of the blocks."""
    from bot import prompts
    from bot.loras.architectures import ARCHITECTURES
    from bot.loras.base_weights import BaseWeights
    from bot.loras.gguf_writer import LoraPair, LoraSettings, write_lora
    from bot.models.hashing import sha256_of

    folder.mkdir()
    weights = BaseWeights.read(base)
    architecture = ARCHITECTURES[weights.architecture]
    random = np.random.default_rng(seed)
    pairs = {}
    for n in range(1000):
        for module in architecture.layers:
            name = f"{architecture.blocks}.{n}.{module}"
            shape = weights.shapes.get(architecture.tensor_of(name) or "")
            if shape is not None:
                into, out = shape[:2]
                a, b = random.normal(0, into**-0.5, (rank, into)), random.normal(0, 0.05, (out, rank))
                pairs[name] = LoraPair(a, b)
    gguf = folder / "lora.gguf"
    write_lora(gguf, weights, LoraSettings(rank, 2 * rank), pairs)
    card = {
        "base": {"name": base.stem, "sha256": digest},
        "prompt": prompts.version(),
        "files": {"lora.gguf": sha256_of(gguf)},
    }
    (folder / "lora.json").write_text(json.dumps(card), encoding="utf-8")
    return folder


def fresh_texts(engine: Any, lora: LoraFile | None, tokens: int) -> list[str]:
    """Of each prompt the greedy text, by an engine of its own that never had another LoRA and has read nothing before."""
    from bot.writers.engine import StopFlag, Turn, WritingRequest

    made = engine()
    texts = []
    try:
        for question in PROMPTS:
            made.forget()
            request = WritingRequest((Turn("user", question),), max_tokens=tokens, lora=lora)
            texts.append("".join(piece for piece in made.write(request, StopFlag()) if isinstance(piece, str)))
    finally:
        made.close()
    return texts


def swap_times(engine: Any, loras: Mapping[str, LoraFile | None], rounds: int = 60) -> dict[str, Any]:
    """On the engine's thread: reading a LoRA into memory (with its checks), and changing to one that is there."""
    made = engine()
    loads, changes = [], []
    try:
        for lora in filter(None, loras.values()):
            began = time.perf_counter()
            made.load_lora(lora)
            loads.append(time.perf_counter() - began)
        for _ in range(rounds):
            for lora in loras.values():
                began = time.perf_counter()
                made.attach(lora)
                changes.append(time.perf_counter() - began)
    finally:
        made.close()
    changes.sort()
    return {
        "load_ms": round(1000 * statistics.median(loads), 1),
        "swap_ms": [round(1000 * statistics.median(changes), 4), round(1000 * changes[int(0.95 * len(changes))], 4)],
    }


async def _live(
    store: Store,
    choosing: Choosing,
    engine: Any,
    loras: Mapping[str, LoraFile | None],
    expected: Mapping[str, Sequence[str]],
    swaps: int,
    people: int,
    tokens: int,
) -> dict[str, Any]:
    from bot.answering.flow import AnswerFlow
    from bot.live import Live, name_of
    from bot.releases.choosing import Released, released
    from bot.releases.following import follow
    from bot.store import releases
    from bot.worker import ModelWorker
    from bot.writers.llamacpp_writer import LlamaCppWriter

    worker = ModelWorker(engine, queue_size=4 * people, per_person=4)
    await worker.start()
    # Only what answers is looked at here, not the wiki: no index takes part.
    index: Any = None
    live = Live(index, index, LlamaCppWriter(worker=worker), "m", None, "p", 0.0)
    flow = AnswerFlow(lambda: live)
    read = partial(store.run, released, choosing.base())
    following = asyncio.create_task(follow(read, choosing, worker, flow, known=Released(), every=LOOK_EVERY))
    over, counts, taken = asyncio.Event(), Counter[str](), []
    askers = [asyncio.create_task(_asker(flow, expected, tokens, person, over, counts)) for person in range(people)]
    names = list(loras)
    try:
        for n in range(swaps):
            began, wanted, answered = time.perf_counter(), names[(n + 1) % len(names)], counts["answers"]
            await store.run(releases.add, choosing.base(), wanted, "promote", by="benchmark", now=time.time())
            while name_of(flow.live().lora) != wanted:
                await asyncio.sleep(0.005)
            taken.append(time.perf_counter() - began)
            while counts["answers"] < answered + people:  # every person has had an answer since
                await asyncio.sleep(0.005)
            print(f"{n + 1}/{swaps} swaps, {counts['answers']} answers", file=sys.stderr)
    finally:
        over.set()
        await asyncio.gather(*askers)
        following.cancel()
        await asyncio.gather(following, return_exceptions=True)
        flow.close()
        await worker.close(drain=False)
    names_seen = {name: counts[f"by {name}"] for name in names}
    return {
        "swaps": swaps,
        "seconds_to_answer_with_it": [round(statistics.median(taken), 2), round(max(taken), 2)],
        **{name: counts[name] for name in ("answers", "exact", "nearest", "wrong", "failed", "kept_their_lora")},
        "by": names_seen,
    }


async def _asker(
    flow: AnswerFlow,
    expected: Mapping[str, Sequence[str]],
    tokens: int,
    person: int,
    over: asyncio.Event,
    counts: Counter[str],
) -> None:
    """One question after the other; each answer is judged by its text."""
    from langchain_core.messages import HumanMessage

    from bot.live import name_of

    n = person
    while not over.is_set():
        n += 1
        place = n % len(PROMPTS)
        live = flow.live().of(f"{person}-{n}")  # once, at the question's start
        stamp, writer, text = name_of(live.lora), live.writer, ""
        counts["answers"] += 1
        try:
            assert writer is not None
            pieces: Any = writer.astream(
                [HumanMessage(PROMPTS[place])], asker=f"U{person}", max_tokens=tokens, temperature=0.0, lora=live.lora
            )
            async with aclosing(pieces):
                async for piece in pieces:
                    text += str(piece.content)
        except Exception as error:  # noqa: BLE001 - counted: a person would have been left without an answer
            counts["failed"] += 1
            print(f"{type(error).__name__}: {error}", file=sys.stderr)
            continue
        counts[f"by {stamp}"] += 1
        counts["kept_their_lora"] += stamp != name_of(flow.live().lora)  # a swap came while it was written
        counts[judged(text, stamp, {name: texts[place] for name, texts in expected.items()})] += 1


def judged(text: str, stamp: str, expected: Mapping[str, str]) -> str:
    """`exact`, `nearest` (see above) or `wrong`."""
    if text == expected[stamp]:
        return "exact"
    shared = {name: _shared(text, one) for name, one in expected.items()}
    others = max(length for name, length in shared.items() if name != stamp)
    return "nearest" if shared[stamp] > others else "wrong"


def _shared(one: str, other: str) -> int:
    """Characters that both begin with."""
    same = (a == b for a, b in zip(one, other, strict=False))
    return sum(takewhile(bool, same))


def table(report: Mapping[str, Any]) -> str:
    """For a person."""
    rows = [
        ("a swap (LoRA in memory), ms: p50, p95", "{}, {}".format(*report["swap_ms"])),
        (f"reading a LoRA of {report['lora_mb']} MB with its checks, ms", str(report["load_ms"])),
        ("released → answers, s: p50, most", "{}, {}".format(*report["seconds_to_answer_with_it"])),
        ("swaps under continuous questions", str(report["swaps"])),
        ("answers, of them failed", f"{report['answers']}, {report['failed']}"),
        ("text is that of its stamp: exactly, nearest, no", "{exact}, {nearest}, {wrong}".format(**report)),
        ("finished with the LoRA they began with after a swap", str(report["kept_their_lora"])),
    ]
    return "\n".join([f"| {report['model']} | |", "| --- | --- |", *(f"| {name} | {value} |" for name, value in rows)])


def model_path(name: str) -> Path:
    """Of a model in the cache, or the path itself."""
    from bot.models.catalogue import Catalogue
    from bot.models.store import ModelStore, default_root

    return ModelStore(default_root(), Catalogue.load(None)).path(name, role="writer")


if __name__ == "__main__":
    main()
