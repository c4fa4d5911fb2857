"""The cache folder: verification, stamps, consent, locks, full disks."""

from __future__ import annotations

import errno
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from bot.errors import BrokenModel, DownloadFailed, ModelMissing, NotEnoughDisk, UnknownModel, WrongChecksum
from bot.models import store as module
from bot.models.catalogue import Catalogue, Model
from bot.models.places import Job, PlaceFailed
from bot.models.places.path import PathFetcher
from bot.models.store import ModelStore, default_root, local_path

Gguf = Callable[[int], bytes]
Entry = Callable[..., Model]


class Gives:
    """A fetcher that writes `content`, counting its calls."""

    def __init__(self, content: bytes, pause: float = 0.0) -> None:
        self.content, self.pause, self.calls = content, pause, 0

    def fetch(self, job: Job) -> Path:
        self.calls += 1
        job.need(len(self.content))
        time.sleep(self.pause)
        (job.work / "x").write_bytes(self.content)
        return job.work / "x"


def make(root: Path, model: Model, fetcher: object, free: int = 10**12) -> ModelStore:
    return ModelStore(root, Catalogue((model,)), fetcher=lambda _: fetcher, free_bytes=lambda _: free)  # type: ignore[arg-type, return-value]


def hashed(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Everything the store hashes from now on."""
    seen: list[Path] = []
    real = module.sha256_of

    def counted(path: Path, *rest: object) -> str:
        seen.append(path)
        return real(path, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(module, "sha256_of", counted)
    return seen


def test_a_verified_model_is_not_hashed_again_until_it_changes(
    tmp_path: Path, entry: Entry, gguf: Gguf, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = entry(gguf(100))
    gives = Gives(gguf(100))
    store = make(tmp_path, model, gives)
    with pytest.raises(ModelMissing) as missing:
        store.path("tiny")
    assert "saseo models pull tiny" in missing.value.explain("ko")
    path = store.pull("tiny")
    seen = hashed(monkeypatch)
    assert store.path("tiny") == path == tmp_path / "tiny.gguf"
    assert store.sha256("tiny") == model.sha256
    assert store.pull("tiny") == path
    assert (seen, gives.calls) == ([], 1)
    os.utime(path)  # touched, not changed: hashed once more, then stamped anew
    store.path("tiny")
    store.path("tiny")
    assert seen == [path]
    path.write_bytes(gguf(99) + b"!")
    with pytest.raises(WrongChecksum):
        store.path("tiny")
    assert store.pull("tiny").read_bytes() == gguf(100)
    assert gives.calls == 2


def test_a_file_carried_in_by_hand_is_verified_once(
    tmp_path: Path, entry: Entry, gguf: Gguf, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "tiny.gguf").write_bytes(gguf(100))
    store = make(tmp_path, entry(gguf(100)), None)
    seen = hashed(monkeypatch)
    assert store.pull("tiny") == store.path("tiny")
    assert len(seen) == 1
    assert store.states()[0].source == "found"


def test_consent_and_trust_on_first_use(tmp_path: Path, entry: Entry, gguf: Gguf) -> None:
    model = entry(sha256="", unverified=True, bytes=100)
    store = make(tmp_path, model, Gives(gguf(100)))
    with pytest.raises(DownloadFailed, match="--allow-unverified"):
        store.pull("tiny")
    path = store.pull("tiny", allow_unverified=True)
    state = store.states()[0]
    assert state.present
    assert state.sha256 == store.sha256("tiny")
    os.utime(path)
    assert store.path("tiny") == path
    path.write_bytes(gguf(101))
    with pytest.raises(WrongChecksum):
        store.path("tiny")
    # Once somebody vouches for other bytes, what was seen first no longer counts.
    assert make(tmp_path, model, Gives(gguf(100))).pull("tiny", allow_unverified=True) == path
    vouched = make(tmp_path, entry(gguf(50)), None)
    with pytest.raises(WrongChecksum):
        vouched.path("tiny")


def test_unverified_files_carried_in_by_hand_need_the_consent(tmp_path: Path, entry: Entry, gguf: Gguf) -> None:
    (tmp_path / "tiny.gguf").write_bytes(gguf(100))
    gives = Gives(gguf(5))
    store = make(tmp_path, entry(sha256="", unverified=True, bytes=100), gives)
    with pytest.raises(WrongChecksum, match="not recorded"):
        store.path("tiny")
    store.pull("tiny", allow_unverified=True)
    assert store.path("tiny").read_bytes() == gguf(100)
    assert gives.calls == 0


def test_the_next_place_is_tried_and_every_reason_told(tmp_path: Path, entry: Entry, gguf: Gguf) -> None:
    good = tmp_path / "good.gguf"
    good.write_bytes(gguf(100))
    (tmp_path / "wrong.gguf").write_bytes(gguf(99))
    (tmp_path / "folder.gguf").mkdir()
    paths = [tmp_path / "absent.gguf", tmp_path / "folder.gguf", tmp_path / "wrong.gguf"]
    places = [{"kind": "path", "path": str(path)} for path in paths]
    bad = ModelStore(tmp_path / "m", Catalogue((entry(gguf(100), places=places),)))
    with pytest.raises(DownloadFailed) as caught:
        bad.pull("tiny")
    reasons = str(caught.value.details["reasons"]).splitlines()
    assert [word in line for word, line in zip(["not there", "folder", "SHA-256"], reasons, strict=True)] == [True] * 3
    model = entry(gguf(100), places=[*places, {"kind": "path", "path": str(good)}])
    assert ModelStore(tmp_path / "m", Catalogue((model,))).pull("tiny").read_bytes() == gguf(100)
    assert good.exists()
    assert not (tmp_path / "m" / ".work" / "tiny").exists()


def test_right_bytes_that_are_no_model_are_refused(tmp_path: Path, entry: Entry) -> None:
    store = make(tmp_path, entry(b"not a model"), Gives(b"not a model"))
    with pytest.raises(DownloadFailed, match="not a GGUF"):
        store.pull("tiny")


def test_a_full_disk_stops_before_and_during(tmp_path: Path, entry: Entry, gguf: Gguf) -> None:
    model = entry(gguf(100))
    with pytest.raises(NotEnoughDisk) as before:
        make(tmp_path, model, Gives(gguf(100)), free=1_000_000).pull("tiny")
    assert before.value.details["free_mb"] == 1

    class Fills:
        def fetch(self, job: Job) -> Path:
            (job.work / "kept").write_bytes(b"so far")
            raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(NotEnoughDisk):
        make(tmp_path, model, Fills()).pull("tiny")
    assert len(list((tmp_path / ".work" / "tiny").rglob("kept"))) == 1  # the next run continues from it


def test_two_pulls_at_once_fetch_once(tmp_path: Path, entry: Entry, gguf: Gguf) -> None:
    gives = Gives(gguf(100), pause=0.2)
    results: list[Path] = []
    stages: list[str] = []

    def pull() -> None:
        store = make(tmp_path, entry(gguf(100)), gives)
        results.append(store.pull("tiny", lambda stage, done, total: stages.append(stage)))

    threads = [threading.Thread(target=pull) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [tmp_path / "tiny.gguf"] * 3
    assert gives.calls == 1
    assert "wait" in stages


def test_places_of_the_path_kind_link_or_copy(
    tmp_path: Path, entry: Entry, gguf: Gguf, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = tmp_path / "share" / "x.gguf"
    source.parent.mkdir()
    source.write_bytes(gguf(100))
    monkeypatch.setenv("SHARE", str(source.parent))
    model = entry(gguf(100), places=[{"kind": "path", "path": "$SHARE/x.gguf"}])
    linked = ModelStore(tmp_path / "a", Catalogue((model,))).pull("tiny")
    assert linked.samefile(source)

    def refuse(*_: object) -> None:
        raise OSError(errno.EXDEV, "another file system")

    monkeypatch.setattr(os, "link", refuse)
    copied = ModelStore(tmp_path / "b", Catalogue((model,))).pull("tiny")
    assert copied.read_bytes() == gguf(100)
    assert not copied.samefile(source)
    with pytest.raises(NotEnoughDisk):
        ModelStore(tmp_path / "c", Catalogue((model,)), free_bytes=lambda _: 10).pull("tiny")


def test_a_folder_is_copied_and_replaced_whole(tmp_path: Path, embedder: Entry) -> None:
    share = tmp_path / "share"
    share.mkdir()
    for name in ("modules.json", "config.json", "tokenizer.json"):
        (share / name).write_text("{}", encoding="utf-8")
    place = [{"kind": "path", "path": str(share)}]
    store = ModelStore(tmp_path / "m", Catalogue((embedder(places=place),)))
    with pytest.raises(DownloadFailed, match=r"model\.safetensors is missing"):
        store.pull("tiny-e5", allow_unverified=True)
    (share / "model.safetensors").write_bytes(b"\x02" + bytes(7) + b"{}")
    path = store.pull("tiny-e5", allow_unverified=True)
    (path / "config.json").write_text("[]", encoding="utf-8")
    with pytest.raises(WrongChecksum):
        store.path("tiny-e5")
    assert (store.pull("tiny-e5", allow_unverified=True) / "config.json").read_text(encoding="utf-8") == "{}"
    (path / "extra.py").write_text("", encoding="utf-8")
    with pytest.raises(WrongChecksum):
        store.path("tiny-e5")


def test_a_path_is_a_model_too(tmp_path: Path, entry: Entry, gguf: Gguf) -> None:
    store = make(tmp_path, entry(gguf(9)), None)
    own = tmp_path / "우리 모델.gguf"
    own.write_bytes(gguf(9))
    assert store.path(str(own)) == store.pull(f"local:{own}") == own
    assert store.sha256(str(own)) == entry(gguf(9)).sha256
    own.write_bytes(b"GGUF\x09\0\0\0")
    with pytest.raises(BrokenModel, match="version 9"):
        store.path(str(own))
    own.write_bytes(b"PK")
    with pytest.raises(BrokenModel, match="not a GGUF"):
        store.path(str(own))
    with pytest.raises(ModelMissing):
        store.path(str(tmp_path / "absent.gguf"))
    with pytest.raises(UnknownModel):
        store.path("absent")
    assert local_path("qwen3-4b") is None
    assert local_path("~/x.gguf") == Path("~/x.gguf").expanduser()


def test_an_unusable_cache_folder_is_told(tmp_path: Path, entry: Entry) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(DownloadFailed, match="file"):
        make(tmp_path / "file" / "models", entry(b"x"), None).pull("tiny")


def test_the_default_root(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SASEO_MODELS_DIR", str(tmp_path))
    assert default_root() == tmp_path
    monkeypatch.setenv("SASEO_MODELS_DIR", "")
    assert default_root().parts[-2:] == ("saseo", "models")


def test_a_fetcher_that_fails_is_asked_again_next_time(tmp_path: Path, entry: Entry, gguf: Gguf) -> None:
    class Fails(PathFetcher):
        def __init__(self) -> None:
            pass

        def fetch(self, job: Job) -> Path:
            (job.work / "half").touch()
            raise PlaceFailed("gone")

    store = make(tmp_path, entry(gguf(9)), Fails())
    with pytest.raises(DownloadFailed, match="- gone"):
        store.pull("tiny")
    assert list((tmp_path / ".work").rglob("half"))
    assert make(tmp_path, entry(gguf(9)), Gives(gguf(9))).pull("tiny").exists()
