"""Hugging Face as a place, against a loopback server with its habits and its failures."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from bot.errors import DownloadFailed
from bot.models.catalogue import Catalogue, Model
from bot.models.hashing import Progress, silent
from bot.models.places.download import Download
from bot.models.places.huggingface import HuggingFaceFetcher
from bot.models.store import ModelStore

PLACE = {"kind": "huggingface", "repo": "maker/tiny-GGUF", "file": "tiny-q4.gguf"}
FILE = "/maker/tiny-GGUF/resolve/main/tiny-q4.gguf"


@pytest.fixture
def pull(entry: Callable[..., Model], tmp_path: Path) -> Callable[..., Path]:
    def pull(content: bytes, progress: Progress = silent, allow: bool = False, **changes: Any) -> Path:
        model = entry(content, **({"places": [PLACE]} | changes))
        store = ModelStore(
            tmp_path / "models",
            Catalogue((model,)),
            fetcher=lambda place: HuggingFaceFetcher(place, sleep=lambda _: None),  # type: ignore[arg-type]
            free_bytes=lambda _: 10**12,
        )
        return store.pull(model.name, progress, allow_unverified=allow)

    return pull


def test_a_file_arrives_with_progress(hub: Any, gguf: Callable[[int], bytes], pull: Callable[..., Path]) -> None:
    hub.files[FILE] = gguf(300_000)
    seen: list[tuple[str, int, int | None]] = []
    assert pull(gguf(300_000), lambda *step: seen.append(step)).read_bytes() == gguf(300_000)
    assert ("download", 300_000, 300_000) in seen
    assert hub.asked[0][1]["accept-encoding"] == "identity"
    assert "authorization" not in hub.asked[0][1]


def test_truncated_bodies_are_continued(hub: Any, gguf: Callable[[int], bytes], pull: Callable[..., Path]) -> None:
    hub.files[FILE] = gguf(300_000)
    hub.cuts = [100_000, 50_000]
    hub.codes = [503]
    assert pull(gguf(300_000)).read_bytes() == gguf(300_000)
    ranges = [headers.get("range") for _, headers in hub.asked]
    assert ranges == [None, None, "bytes=100000-", "bytes=150000-"]
    assert hub.asked[2][1]["if-range"] == '"v1"'


def test_an_interruption_is_continued_by_the_next_run(
    hub: Any, gguf: Callable[[int], bytes], pull: Callable[..., Path]
) -> None:
    hub.files[FILE] = gguf(300_000)
    hub.cuts = [100_000]

    def stop(stage: str, done: int, total: int | None) -> None:
        if done == 100_000:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        pull(gguf(300_000), stop)
    assert pull(gguf(300_000)).read_bytes() == gguf(300_000)
    assert hub.asked[-1][1]["range"] == "bytes=100000-"


@pytest.mark.parametrize("ignore_if_range", [False, True])
def test_a_file_that_changed_meanwhile_is_fetched_anew(
    hub: Any, gguf: Callable[[int], bytes], pull: Callable[..., Path], ignore_if_range: bool
) -> None:
    hub.files[FILE] = bytes(300_000)
    hub.cuts = [100_000]

    def change(stage: str, done: int, total: int | None) -> None:
        if done >= 100_000 and hub.etags.get(FILE) is None:
            hub.files[FILE], hub.etags[FILE] = gguf(300_000), '"v2"'

    hub.ignore_if_range = ignore_if_range
    assert pull(gguf(300_000), change).read_bytes() == gguf(300_000)


def test_a_weak_etag_is_not_continued(hub: Any, gguf: Callable[[int], bytes], pull: Callable[..., Path]) -> None:
    hub.files[FILE], hub.etags[FILE], hub.cuts = gguf(300_000), 'W/"v1"', [100_000]
    assert pull(gguf(300_000)).read_bytes() == gguf(300_000)
    assert [headers.get("range") for _, headers in hub.asked] == [None, None]


def test_a_part_that_was_already_whole(hub: Any, gguf: Callable[[int], bytes], pull: Callable[..., Path]) -> None:
    hub.files[FILE] = gguf(1000)

    def stop(stage: str, done: int, total: int | None) -> None:
        if done == 1000:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        pull(gguf(1000), stop)
    assert pull(gguf(1000)).read_bytes() == gguf(1000)


@pytest.mark.parametrize(
    ("prepare", "said"),
    [
        (lambda hub: None, "HTTP 404"),
        (lambda hub: hub.codes.append(401), "HF_TOKEN"),
        (lambda hub: hub.codes.extend([500] * 9), "HTTP 500"),
        (lambda hub: hub.files.update({FILE: bytes(1000)}), "SHA-256"),
        (lambda hub: hub.files.update({FILE: bytes(5000)}), "at most 1000"),
        (lambda hub: hub.redirects.update({FILE: "http://cdn.example/x"}), "refused a redirect to http://cdn.example"),
        (lambda hub: hub.redirects.update({FILE: "file:///etc/passwd"}), "refused a redirect"),
        (lambda hub: hub.redirects.update({FILE: FILE}), "too many redirects"),
        (lambda hub: (hub.files.update({FILE: bytes(1000)}), hub.cuts.extend([0] * 9)), "127.0.0.1"),
    ],
)
def test_failures_name_their_reason(
    hub: Any,
    gguf: Callable[[int], bytes],
    pull: Callable[..., Path],
    tmp_path: Path,
    prepare: Callable[[Any], None],
    said: str,
) -> None:
    prepare(hub)
    with pytest.raises(DownloadFailed) as caught:
        pull(gguf(1000))
    assert said in str(caught.value)
    assert "maker/tiny-GGUF" in str(caught.value)
    assert not (tmp_path / "models" / "tiny.gguf").exists()


def test_a_redirect_on_the_same_server_is_followed(
    hub: Any, gguf: Callable[[int], bytes], pull: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    hub.redirects[FILE] = "/cdn/blob"
    hub.files["/cdn/blob"] = gguf(1000)
    assert pull(gguf(1000)).read_bytes() == gguf(1000)
    assert hub.asked[0][1]["authorization"] == "Bearer hf_secret"


def test_the_endpoint_must_be_encrypted_or_loopback(pull: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(DownloadFailed, match="HF_HUB_OFFLINE"):
        pull(b"x")
    monkeypatch.delenv("HF_HUB_OFFLINE")
    monkeypatch.setenv("HF_ENDPOINT", "http://mirror.corp")
    with pytest.raises(DownloadFailed, match="https"):
        pull(b"x")
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(DownloadFailed, match=r"127\.0\.0\.1"):
        pull(b"x")


def test_unverified_bytes_are_checked_against_what_the_server_announced(
    hub: Any, gguf: Callable[[int], bytes], pull: Callable[..., Path]
) -> None:
    hub.files[FILE] = gguf(1000)
    unknown = {"sha256": "", "unverified": True, "allow": True}
    hub.headers["X-Linked-ETag"] = f'"{"0" * 64}"'
    with pytest.raises(DownloadFailed, match="announced"):
        pull(gguf(1000), **unknown)
    hub.headers["X-Linked-ETag"] = f'"{hashlib.sha256(gguf(1000)).hexdigest()}"'
    assert pull(gguf(1000), **unknown).read_bytes() == gguf(1000)


def test_a_folder_model_gets_its_saved_prompts(
    hub: Any, embedder: Callable[..., Model], pull: Callable[..., Path]
) -> None:
    files = {"config.json": b"{}", "tokenizer.json": b"{}", "model.safetensors": b"\x02" + bytes(7) + b"{}"}
    base = "/maker/e5/resolve/main/"
    hub.files = {base + name: content for name, content in files.items()}
    place = {"kind": "huggingface", "repo": "maker/e5", "files": list(files)}
    hub.codes = [200, 503]  # an empty config.json first, then a hiccup
    fields = embedder(places=[place]).model_dump(exclude={"places"})
    path = pull(b"", allow=True, places=[place], **{k: v for k, v in fields.items() if k != "sha256"}, sha256="")
    assert (path / "model.safetensors").read_bytes() == files["model.safetensors"]
    assert b'"query":"query: "' in (path / "config_sentence_transformers.json").read_bytes()
    assert (path / "1_Pooling" / "config.json").is_file()


def test_a_short_body_is_noticed_even_if_the_transport_says_nothing(tmp_path: Path) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        stream = httpx.ByteStream(b"GG" if "range" not in request.headers else b"UF")
        if "range" in request.headers:
            return httpx.Response(206, stream=stream, headers={"ETag": '"v1"', "Content-Range": "bytes 2-3/4"})
        return httpx.Response(200, stream=stream, headers={"ETag": '"v1"', "Content-Length": "4"})

    with httpx.Client(transport=httpx.MockTransport(answer)) as client:
        download("https://hub.example/file", tmp_path / "file", client)
    assert (tmp_path / "file").read_bytes() == b"GGUF"


def test_a_token_never_follows_a_redirect_to_another_host(tmp_path: Path) -> None:
    asked: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        if request.url.host == "hub.example":
            linked = {"X-Linked-ETag": f'"{"a" * 64}"', "Location": "https://cdn.example/blob?signature=1"}
            return httpx.Response(302, headers=linked)
        return httpx.Response(200, stream=httpx.ByteStream(b"GGUF"), headers={"ETag": '"cdn"'})

    with httpx.Client(transport=httpx.MockTransport(answer)) as client:
        announced = download("https://hub.example/file", tmp_path / "file", client)
    assert (tmp_path / "file").read_bytes() == b"GGUF"
    assert announced == "a" * 64
    assert [("authorization" in request.headers, request.url.host) for request in asked] == [
        (True, "hub.example"),
        (False, "cdn.example"),
    ]


def download(url: str, target: Path, client: httpx.Client) -> str:
    return Download(
        client=client,
        url=url,
        target=target,
        headers={"Authorization": "Bearer hf_secret"},
        limit=100,
        need=lambda _: None,
        advance=lambda done, total: None,
        sleep=lambda _: None,
    ).run()
