"""A full index beside the bare embedder on the same texts: passages per second of CPU.

    python benchmarks/index_speed.py RND_MANUAL/wiki
    python benchmarks/index_speed.py                     # the demo wiki

`index` is `saseo index --full` as people run it: start of Python, parsing, Kiwi, vectors, self-tests, calibration, publishing. `raw` is a
process that loads the same model by sentence-transformers and calls `encode` once on the very texts that were embedded (in the same number
format, batch size and threads; it sorts them by length itself). All CPU of both processes counts, from start to end; they alternate.
One line of JSON, then a Markdown table. Goal: the index reaches 0.9 of the bare embedder.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))


def texts_of(data: Path) -> list[str]:
    """What was embedded for the serving edition: each text once, as the cache keeps it."""
    from knowledge.edition import EditionShelf

    return list(dict.fromkeys(passage.indexed_text for passage in EditionShelf(data / "editions").open().passages))


def encode_raw(texts: Path) -> None:
    """In a process of its own: the model and one call."""
    import torch
    from sentence_transformers import SentenceTransformer

    from bot.app import Root

    root = Root()
    settings = root.settings.embedder
    wanted = json.loads(texts.read_text(encoding="utf-8"))
    torch.set_num_threads(os.cpu_count() or 1)
    model = SentenceTransformer(
        str(root.store.path(settings.model)),
        device="cpu",
        local_files_only=True,
        model_kwargs={"dtype": getattr(torch, wanted["dtype"]), "use_safetensors": True},
    )
    model.encode(
        wanted["texts"], prompt_name="passage", batch_size=settings.batch_size, normalize_embeddings=True,
        show_progress_bar=False,
    )  # fmt: skip


def main() -> None:
    """Index and encode, in turns; print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("wiki", type=Path, nargs="?", default=ROOT / "examples" / "wiki")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--raw", type=Path, help=argparse.SUPPRESS)
    wanted = parser.parse_args()
    if wanted.raw is not None:
        encode_raw(wanted.raw)
        return
    with tempfile.TemporaryDirectory(prefix="saseo-index-speed-") as made:
        folder = Path(made)
        config = folder / "config.toml"
        config.write_text(
            f'data_dir = "data"\n[[sources]]\nname = "wiki"\npath = {json.dumps(str(wanted.wiki.resolve()))}\n',
            encoding="utf-8",
        )
        index = [str(ROOT / "saseo.py"), "--config", str(config), "index", "--full", "--json"]
        raw = [str(Path(__file__).resolve()), "--raw", str(folder / "texts.json")]
        rounds: list[dict[str, float]] = []
        texts: list[str] = []
        for number in range(wanted.rounds):
            spent = {"index": _cpu_of(index)}
            if not texts:
                texts = texts_of(folder / "data")
                told = {"texts": texts, "dtype": _dtype()}
                (folder / "texts.json").write_text(json.dumps(told, ensure_ascii=False), encoding="utf-8")
            spent["raw"] = _cpu_of(raw)
            rounds.append(spent)
            print(f"round {number + 1}: {spent}", file=sys.stderr)
    ratios = [one["raw"] / one["index"] for one in rounds]
    result: dict[str, Any] = {
        "benchmark": "index_speed",
        "machine": {"cores": os.cpu_count(), "python": platform.python_version()},
        "passages": len(texts),
        "characters": sum(map(len, texts)),
        "rounds": rounds,
        "ratios": [round(one, 4) for one in ratios],
        "median_ratio": round(statistics.median(ratios), 4),
    }
    print(json.dumps(result, ensure_ascii=False))
    print(
        "\n| round | index, CPU s | passages per CPU s | raw, CPU s | passages per CPU s | ratio |\n| --- | --- | --- | --- | --- | --- |"
    )
    for number, (one, ratio) in enumerate(zip(rounds, ratios, strict=True), start=1):
        speeds = {side: f"{len(texts) / seconds:.2f}" for side, seconds in one.items()}
        print(
            f"| {number} | {one['index']:.1f} | {speeds['index']} | {one['raw']:.1f} | {speeds['raw']} | {ratio:.3f} |"
        )


def _dtype() -> str:
    """The number format that indexing chose on this machine."""
    from bot.app import Root

    return str(getattr(Root().wiki.make_embedder(1), "dtype"))  # noqa: B009 - of sentence-transformers' alone


def _cpu_of(command: list[str]) -> float:
    """User and system seconds of the process and all it started."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    began = time.perf_counter()
    environment = os.environ | {"OMP_WAIT_POLICY": "PASSIVE"}
    subprocess.run([sys.executable, *command], stdout=subprocess.DEVNULL, env=environment, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    print(f"{command[0]}: {time.perf_counter() - began:.0f} s by the clock", file=sys.stderr)
    return round(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, 2)


if __name__ == "__main__":
    main()
