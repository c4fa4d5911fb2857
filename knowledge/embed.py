"""Texts → vectors, through sentence-transformers. Knows no files of the wiki and no index.

E5 wants its two prefixes (`query: `, `passage: `); the model folder names them as prompts. Torch is imported when an
embedder is made, never before: the command line must answer `--help` at once.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from knowledge.errors import SelfTestFailed

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

Vectors = NDArray[np.float32]
Dtype = Literal["auto", "float32", "bfloat16"]


class Embedder(Protocol):
    """What indexing and search need of an embedder."""

    @property
    def id(self) -> str:
        """Changes whenever vectors change: name and content hash of the model."""

    @property
    def dimension(self) -> int:
        """Length of a vector."""

    def passages(self, texts: Sequence[str], progress: Callable[[int], None] | None = None) -> Vectors:
        """(n, dimension) float32, L2-normalised."""

    def query(self, text: str) -> Vectors:
        """(dimension,) float32, L2-normalised."""


class SentenceTransformerEmbedder:
    """multilingual-e5-small and its relatives, on the CPU."""

    def __init__(
        self, folder: Path, *, model_id: str, dtype: Dtype = "auto", batch_size: int = 16, threads: int = 1
    ) -> None:
        """`threads`: 1 where a writer shares the cores, all cores for bulk work in a process of its own."""
        import torch
        import transformers
        from sentence_transformers import SentenceTransformer

        transformers.utils.logging.disable_progress_bar()  # the command line draws its own
        torch.set_num_threads(threads)
        chosen = _faster_dtype() if dtype == "auto" else dtype
        self._model: SentenceTransformer = SentenceTransformer(
            str(folder),
            device="cpu",
            local_files_only=True,
            trust_remote_code=False,
            model_kwargs={"dtype": getattr(torch, chosen), "use_safetensors": True},
        )
        prompts = self._model.prompts
        self._query = "query" if "query" in prompts else None
        self._passage = next((name for name in ("passage", "document") if prompts.get(name)), None)
        self._batch_size = batch_size
        self.id = model_id
        self.dtype = chosen

    @property
    def dimension(self) -> int:
        """Length of a vector."""
        return int(self._model.get_embedding_dimension() or 0)

    def passages(self, texts: Sequence[str], progress: Callable[[int], None] | None = None) -> Vectors:
        """Longest first, so that one batch holds texts of about one length and little of it is padding."""
        out = np.zeros((len(texts), self.dimension), dtype=np.float32)
        order = sorted(range(len(texts)), key=lambda i: -len(texts[i]))
        for start in range(0, len(order), self._batch_size):
            chunk = order[start : start + self._batch_size]
            out[chunk] = self._encode([texts[i] for i in chunk], self._passage)
            if progress is not None:
                progress(start + len(chunk))
        return out

    def query(self, text: str) -> Vectors:
        """One question."""
        vector: Vectors = self._encode([text], self._query)[0]
        return vector

    def _encode(self, texts: list[str], prompt: str | None) -> Vectors:
        vectors: Any = self._model.encode(
            texts,
            prompt_name=prompt,
            batch_size=self._batch_size,
            normalize_embeddings=True,
            show_progress_bar=False,
            convert_to_tensor=True,
        )
        return np.ascontiguousarray(vectors.float().numpy(), dtype=np.float32)


def _faster_dtype() -> Literal["float32", "bfloat16"]:
    """bfloat16 is 2.5 times faster on CPUs with AVX512_BF16 or AMX and slower on others: time one layer's product."""
    import torch

    def seconds(dtype: Any) -> float:
        a, b = torch.ones(512, 384, dtype=dtype), torch.ones(384, 1536, dtype=dtype)
        best = float("inf")
        for _ in range(4):
            start = time.perf_counter()
            torch.matmul(a, b)
            best = min(best, time.perf_counter() - start)
        return best

    with torch.inference_mode(), contextlib.suppress(RuntimeError):
        if seconds(torch.bfloat16) < seconds(torch.float32):
            return "bfloat16"
    return "float32"


def self_test(embedder: Embedder) -> None:
    """An embedder that does not know Korean maps all of it to one point. Raises SelfTestFailed."""
    question = embedder.query("휴가는 며칠이나 쓸 수 있나요?")
    near, far = embedder.passages(
        ["연차 휴가는 1년에 15일이 주어집니다.", "서버 장애가 나면 온콜 담당자에게 먼저 전화합니다."]
    )
    gap = float(question @ near) - float(question @ far)
    if not np.isfinite(gap) or gap < 0.01:
        raise SelfTestFailed(check="embedder", reason=f"{embedder.id}: 휴가와 장애 문장의 유사도 차이 {gap:.3f}")
