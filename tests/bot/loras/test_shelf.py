"""LoRAs on disk: whole or not there, verified before they are served, never changed."""

from __future__ import annotations

import errno
import json
import os
import re
import shutil
import signal
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from bot.errors import BrokenLora, LoraKept, ShelfNotWritable, UnknownLora, WrongBase
from bot.loras.shelf import SHIPPED, LoraShelf
from bot.writers.engine import LoraFile
from tests.fakes.lora_folders import sha256, write_result
from tests.fakes.tiny_gguf import write_tiny_qwen2

ROOT = Path(__file__).resolve().parents[3]
NOON = 1795651200.0  # 2026-11-26 in every time zone east of -12


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_qwen2(tmp_path_factory.mktemp("base") / "Qwen tiny_1.5B.gguf")


@pytest.fixture
def result(base: Path, tmp_path: Path) -> Path:
    return write_result(tmp_path / "run" / "result", base)


@pytest.fixture
def shelf(tmp_path: Path) -> LoraShelf:
    return LoraShelf(tmp_path / "data" / "loras", tmp_path / "shipped")


def test_a_result_is_copied_whole_under_a_name_of_base_day_and_hash(
    shelf: LoraShelf, result: Path, base: Path, tmp_path: Path
) -> None:
    lora = shelf.take_in(result, now=NOON)
    assert re.fullmatch(r"qwen-tiny-1\.5b-202611\d\d-[0-9a-f]{4}", lora.name)
    assert (lora.base_name, lora.base_sha256, lora.shipped) == (base.stem, sha256(base), False)
    shutil.rmtree(result)
    again = shelf.get(lora.name, sha256(base))
    assert again == lora
    assert {one.name for one in lora.folder.iterdir()} == {"lora.gguf", "lora.json", "lora.safetensors"}
    assert again.file == LoraFile(lora.name, tmp_path / "data" / "loras" / lora.name / "lora.gguf", lora.sha256)


def test_the_day_in_a_name_is_that_of_the_time_zone(result: Path, tmp_path: Path) -> None:
    evening = datetime(2026, 11, 26, 20, tzinfo=UTC).timestamp()
    for zone, day in ((UTC, "20261126"), (ZoneInfo("Asia/Seoul"), "20261127")):
        lora = LoraShelf(tmp_path / day, tmp_path / "shipped", zone).take_in(result, now=evening)
        assert f"-{day}-" in lora.name


@pytest.mark.parametrize(
    ("made", "told"), [("2026-11-26T05:46:02+00:00", 1795671962.0), ("gestern", None), (None, None)]
)
def test_a_lora_is_as_old_as_its_card_says_and_not_as_its_copy_here(
    shelf: LoraShelf, result: Path, made: str | None, told: float | None
) -> None:
    card = json.loads((result / "lora.json").read_text(encoding="utf-8"))
    (result / "lora.json").write_text(json.dumps({**card, "made": made} if made else card), encoding="utf-8")
    lora = shelf.take_in(result)
    os.utime(lora.folder / "lora.json", (NOON, NOON))
    assert lora.made_at == (told or NOON)


def test_what_lies_on_the_shelf_is_for_its_owner_alone(shelf: LoraShelf, result: Path) -> None:
    assert shelf.take_in(result).folder.stat().st_mode & 0o077 == 0


def test_the_same_result_again_is_the_same_lora_on_whatever_day(shelf: LoraShelf, result: Path) -> None:
    assert shelf.take_in(result, now=NOON) == shelf.take_in(result, now=NOON + 9 * 86_400)
    assert len(shelf.every()) == 1


def test_another_result_of_that_day_gets_another_name(
    shelf: LoraShelf, result: Path, base: Path, tmp_path: Path
) -> None:
    first = shelf.take_in(result, now=NOON)
    other = write_result(tmp_path / "other", base, seed=2)
    (tmp_path / "data" / "loras" / f"{first.name[:-4]}{sha256(other / 'lora.gguf')[:4]}").mkdir()
    second = shelf.take_in(other, now=NOON)
    assert len(second.name) == len(first.name) + 1
    assert {one.name for one in shelf.every()} == {first.name, second.name}


@pytest.mark.parametrize("spoil", ["no card", "no files", "half a card", "other bytes", "no gguf"])
def test_half_a_result_is_not_taken_in(shelf: LoraShelf, result: Path, spoil: str) -> None:
    card = result / "lora.json"
    if spoil == "no card":
        card.unlink()
    elif spoil == "no files":
        card.write_text(json.dumps({"base": {"name": "m", "sha256": "x"}, "prompt": "p", "files": {}}))
    elif spoil == "half a card":
        card.write_bytes(card.read_bytes()[:40])
    elif spoil == "other bytes":
        (result / "lora.gguf").write_bytes(b"other")
    else:
        (result / "lora.gguf").unlink()
    with pytest.raises(BrokenLora):
        shelf.take_in(result, now=NOON)
    assert shelf.every() == []


def test_a_full_disk_is_a_sentence_and_leaves_nothing(
    shelf: LoraShelf, result: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(source: Path, target: Path) -> None:
        target.write_bytes(b"half")
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("bot.loras.shelf._copy", full)
        with pytest.raises(ShelfNotWritable, match="No space left"):
            shelf.take_in(result, now=NOON)
    assert shelf.every() == []
    assert shelf.take_in(result, now=NOON).name


def test_what_is_served_has_the_bytes_of_its_card_and_fits_the_base(shelf: LoraShelf, result: Path, base: Path) -> None:
    lora = shelf.take_in(result, now=NOON)
    with pytest.raises(WrongBase, match=lora.name):
        shelf.get(lora.name, "0" * 64)
    gguf = lora.folder / "lora.gguf"
    whole = gguf.read_bytes()
    gguf.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    with pytest.raises(BrokenLora, match=lora.name):
        shelf.get(lora.name, sha256(base))
    gguf.unlink()
    with pytest.raises(BrokenLora, match=lora.name):
        shelf.get(lora.name, sha256(base))


def test_an_unknown_name_names_the_nearest(shelf: LoraShelf, result: Path) -> None:
    lora = shelf.take_in(result, now=NOON)
    with pytest.raises(UnknownLora) as unknown:
        shelf.card(lora.name[:-1])
    assert lora.name in unknown.value.explain("ko")


@pytest.mark.parametrize("name", ["", ".", "..", "../loras", "a/b", "/etc", ".new-x", "a" * 65, "가나다", "a\nb"])
def test_a_name_never_leads_out_of_the_shelf(shelf: LoraShelf, result: Path, name: str) -> None:
    lora = shelf.take_in(result, now=NOON)
    with pytest.raises(UnknownLora):
        shelf.card(name)
    shelf.delete(name)
    assert shelf.card(lora.name) == lora


def test_what_came_with_saseo_is_found_and_cannot_be_deleted(shelf: LoraShelf, base: Path, tmp_path: Path) -> None:
    write_result(tmp_path / "shipped" / "starter", base, prompt="ko-1")
    (tmp_path / "shipped" / "README.md").write_text("…")
    assert shelf.shipped_for(sha256(base), "ko-1") == "starter"
    assert shelf.shipped_for(sha256(base), "ko-2") is None
    assert shelf.shipped_for("0" * 64, "ko-1") is None
    assert shelf.get("starter", sha256(base)).shipped
    with pytest.raises(LoraKept):
        shelf.delete("starter")
    assert [one.name for one in shelf.every()] == ["starter"]


def test_a_deleted_lora_is_gone_and_may_be_deleted_again(shelf: LoraShelf, result: Path, tmp_path: Path) -> None:
    lora = shelf.take_in(result, now=NOON)
    shelf.delete(lora.name)
    shelf.delete(lora.name)
    assert shelf.every() == []
    assert [one.name for one in (tmp_path / "data" / "loras").iterdir() if one.is_dir()] == []


KILLED = """
import os, signal, sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from bot.loras.shelf import LoraShelf
import bot.loras.shelf as room
steps = int(sys.argv[4])
def counted(real):
    def step(*given, **more):
        global steps
        steps -= 1
        if steps == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return real(*given, **more)
    return step
room._copy, room._sync = counted(room._copy), counted(room._sync)
Path.rename, Path.mkdir = counted(Path.rename), counted(Path.mkdir)
room.shutil.rmtree = counted(room.shutil.rmtree)
shelf = LoraShelf(Path(sys.argv[2]), Path(sys.argv[2]) / "none")
lora = shelf.take_in(Path(sys.argv[3]), now=1795651200.0)
shelf.delete(lora.name)
"""


def test_killed_at_any_step_it_leaves_a_whole_lora_or_none(result: Path, base: Path, tmp_path: Path) -> None:
    seen, step, code = set(), 0, -signal.SIGKILL
    while code == -signal.SIGKILL:
        step += 1
        root = tmp_path / f"loras-{step}"
        code = subprocess.run([sys.executable, "-c", KILLED, ROOT, root, result, str(step)]).returncode
        shelf = LoraShelf(root, root / "none")
        found = shelf.every()
        seen.add(len(found))
        for lora in found:
            assert shelf.get(lora.name, sha256(base)) == lora
            assert len(os.listdir(lora.folder)) == 3
        taken = shelf.take_in(result, now=NOON)  # the next try is not hindered, and sweeps what was left
        assert [one for one in os.listdir(root) if one.startswith((".new", ".gone"))] == []
        assert shelf.every() == [taken]
    assert code == 0
    assert step > 8
    assert seen == {0, 1}


def test_the_shipped_folder_is_part_of_the_product() -> None:
    """With whatever lies in it: a shipped LoRA must be one that its card describes."""
    assert (SHIPPED / "README.md").is_file()
    for lora in LoraShelf(Path("/nonexistent"), SHIPPED).every():
        assert LoraShelf(Path("/nonexistent"), SHIPPED).get(lora.name, lora.base_sha256) == lora
    folders = [one.name for one in SHIPPED.iterdir() if one.is_dir() and not one.name.startswith(("_", "."))]
    assert folders == [lora.name for lora in LoraShelf(Path("/nonexistent"), SHIPPED).every()]
