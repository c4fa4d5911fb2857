"""How near exported models stay to base + LoRA, through llama.cpp; and why no 4-bit merge is offered.

    python benchmarks/export_fidelity.py LORA.gguf EXAMPLES.jsonl                                        # of the 0.5B
    python benchmarks/export_fidelity.py LORA.gguf EXAMPLES.jsonl --model qwen2.5-coder-1.5b --examples 8

EXAMPLES.jsonl: as `jobs.tuning.dataset` has them (examples/tuning/*.jsonl), best such as the LoRA did not learn. At every token of their
answers the distribution of the next token is compared: mean and largest Kullback-Leibler divergence from base + LoRA (what Saseo
serves), mean divergence from the plain base, and how often the likeliest token is the same. The 4-bit file is made from the merged F16
by llama.cpp's own quantiser. Files are written to a temporary folder (0.5B: 2.3 GB) and removed, or kept in `--folder`, where those of an
interrupted measurement of the same LoRA are taken as they are. One line of JSON, then a table.
"""

from __future__ import annotations

import argparse
import ctypes
import json
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

Logits = Any
"""float32, answer tokens × vocabulary, as log-probabilities."""


@contextmanager
def engine_on(model: Path) -> Iterator[Any]:
    """llama.cpp over one file, closed afterwards: two models at once may not fit into memory."""
    from bot.writers.llamacpp import LlamaCppEngine

    engine = LlamaCppEngine(model, context_tokens=4096, threads=os.cpu_count() or 1)
    try:
        yield engine
    finally:
        engine.close()


def log_probabilities(engine: Any, samples: list[Any]) -> Logits:
    """At every place that predicts a token of an answer."""
    import llama_cpp as lib

    rows = []
    words = lib.llama_vocab_n_tokens(lib.llama_model_get_vocab(lib.llama_get_model(engine.context_pointer)))
    for sample in samples:
        engine.forget()
        tokens = sample.tokens[:-1]
        for begin in range(0, len(tokens), 512):
            part = tokens[begin : begin + 512]
            batch = lib.llama_batch_init(len(part), 0, 1)
            batch.n_tokens = len(part)
            wanted = [at for at in range(len(part)) if begin + at >= sample.answer_begins - 1]
            for at, token in enumerate(part):
                batch.token[at], batch.pos[at], batch.n_seq_id[at], batch.seq_id[at][0] = token, begin + at, 1, 0
                batch.logits[at] = at in wanted
            if lib.llama_decode(engine.context_pointer, batch):
                raise SystemExit("llama_decode failed")
            for at in wanted:
                found = np.ctypeslib.as_array(lib.llama_get_logits_ith(engine.context_pointer, at), shape=(words,))
                rows.append(found - np.logaddexp.reduce(found.astype(np.float64)))
            lib.llama_batch_free(batch)
    engine.forget()
    return np.asarray(rows, np.float32)


def compared(reference: Logits, other: Logits, base: Logits) -> dict[str, float]:
    """`kl_mean`, `kl_most`: KL(reference ‖ other) in nats; `kl_to_base`: KL(base ‖ other); `same_first`: share of equal first choices."""

    def divergences(left: Logits, right: Logits) -> Any:
        return np.array([float(np.sum(np.exp(p.astype(float)) * (p - q))) for p, q in zip(left, right, strict=True)])

    apart = divergences(reference, other)
    return {
        "kl_mean": round(float(apart.mean()), 5),
        "kl_most": round(float(apart.max()), 5),
        "kl_to_base": round(float(divergences(base, other).mean()), 5),
        "same_first": round(float((reference.argmax(1) == other.argmax(1)).mean()), 4),
    }


def four_bits(merged: Path, out: Path) -> None:
    """By llama.cpp."""
    import llama_cpp as lib

    options = lib.llama_model_quantize_default_params()
    options.nthread, options.ftype = os.cpu_count() or 1, lib.LLAMA_FTYPE_MOSTLY_Q4_K_M
    if lib.llama_model_quantize(os.fsencode(merged), os.fsencode(out), ctypes.byref(options)):
        raise SystemExit("llama_model_quantize failed")


def main() -> None:
    """Measure base, base + LoRA and every exported form, print the figures."""
    from bot.models.catalogue import Catalogue
    from bot.models.store import ModelStore, default_root
    from bot.writers.engine import LoraFile
    from jobs.export.export import LoraSource, export
    from jobs.tuning.dataset import encode, load_examples
    from jobs.tuning.served_tokens import ServedTokens

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("lora", type=Path)
    parser.add_argument("set", type=Path, metavar="EXAMPLES.jsonl")
    parser.add_argument("--model", default="qwen2.5-coder-0.5b", help="name in the catalogue, or a path")
    parser.add_argument("--examples", type=int, default=4)
    parser.add_argument("--folder", type=Path)
    chosen = parser.parse_args()
    model = ModelStore(default_root(), Catalogue.load()).path(chosen.model, role="writer")
    with ServedTokens(model) as tokens:
        samples = list(encode(load_examples(chosen.set)[-chosen.examples :], tokens, 4000)[0])
    with engine_on(model) as engine:
        base = log_probabilities(engine, samples)
        engine.attach(LoraFile.of(chosen.lora))
        served = log_probabilities(engine, samples)
    sizes = {"base": model.stat().st_size, "base + LoRA": model.stat().st_size + chosen.lora.stat().st_size}
    rows: dict[str, dict[str, float]] = {
        "base": compared(served, base, base),
        "base + LoRA": compared(served, served, base),
    }
    seconds: dict[str, float] = {}
    with nullcontext(chosen.folder) if chosen.folder else tempfile.TemporaryDirectory() as folder:
        for name in ("gguf-f16", "gguf-q8_0", "4 bits (Q4_K_M)"):
            out, began = Path(folder, f"{name}.gguf"), time.perf_counter()
            if not out.exists():
                if name.startswith("gguf"):
                    export(LoraSource("measured", chosen.lora, model, chosen.model), name, out)
                else:
                    four_bits(Path(folder, "gguf-f16.gguf"), out)
                seconds[name] = round(time.perf_counter() - began, 1)
            sizes[name] = out.stat().st_size
            with engine_on(out) as engine:
                rows[name] = compared(served, log_probabilities(engine, samples), base)
    figures = {
        name: {"mib": sizes[name] >> 20, "seconds": seconds.get(name), **values} for name, values in rows.items()
    }
    print(json.dumps({"model": chosen.model, "answer_tokens": len(served), "files": figures}))
    print("\n| file | MiB | written in | KL from base + LoRA, mean | largest | KL from base | same first token |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for name, one in figures.items():
        took = "–" if one["seconds"] is None else f"{one['seconds']} s"
        shown = f"{one['kl_mean']} | {one['kl_most']} | {one['kl_to_base']} | {one['same_first']:.1%}"
        print(f"| {name} | {one['mib']} | {took} | {shown} |")


if __name__ == "__main__":
    main()
