"""The dense leg: an exact FAISS index, searched under an audience mask. The only file that imports faiss."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from knowledge.embed import Vectors
from knowledge.readers import View


class VectorIndex:
    """Inner product over normalised vectors = cosine. Exact up to about 100,000 passages costs some milliseconds."""

    def __init__(self, index: Any) -> None:
        import faiss

        # One thread: with two, idle OpenMP threads spin and a query costs a hundred times more on busy cores.
        faiss.omp_set_num_threads(1)
        self._faiss = faiss
        self._index = index
        self.size = int(index.ntotal)
        self.dimension = int(index.d)

    @classmethod
    def build(cls, vectors: Vectors) -> VectorIndex:
        """`vectors`: (n, d) float32, normalised."""
        import faiss

        index = faiss.IndexFlatIP(vectors.shape[1])
        index.add(np.ascontiguousarray(vectors, dtype=np.float32))
        return cls(index)

    def save(self, path: Path) -> None:
        """FAISS' own format. It has no checksum: the edition's manifest has."""
        self._faiss.write_index(self._index, str(path))

    @classmethod
    def load(cls, path: Path) -> VectorIndex:
        """The inverse of `save`."""
        import faiss

        return cls(faiss.read_index(str(path)))

    def search(self, query: Vectors, count: int, view: View | None) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """(numbers, cosines) of the nearest, best first; only what `view` shows (None: everything)."""
        count = min(count, self.size if view is None else view.count)
        if count <= 0:
            return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.float32)
        parameters = None
        if view is not None:
            selector = self._faiss.IDSelectorBitmap(view.bits)  # type: ignore[call-arg,arg-type]
            parameters = self._faiss.SearchParameters(sel=selector)  # type: ignore[call-arg]
        cosines, numbers = self._index.search(query[None, :], count, params=parameters)
        found = numbers[0] >= 0
        return numbers[0][found], cosines[0][found]

    def matrix(self) -> Vectors:
        """All stored vectors, (size, dimension)."""
        vectors: Vectors = self._index.reconstruct_n(0, self.size)
        return vectors

    def vector(self, number: int) -> Vectors:
        """The stored vector of one passage."""
        vector: Vectors = self._index.reconstruct(int(number))
        return vector
