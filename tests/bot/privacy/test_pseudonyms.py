"""The installation's key: made once, private, and the only way from a person to their rows."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from bot.errors import PrivacyKeyUnusable, WrongPrivacyKey
from bot.privacy.opening import accept_key, pseudonyms_of
from bot.privacy.pseudonyms import FILE, Pseudonyms, is_pseudonym, open_pseudonyms
from bot.store.database import Store

KEY = "k" * 32


def test_a_person_has_one_pseudonym_that_does_not_tell_who_they_are() -> None:
    people = Pseudonyms(KEY.encode())
    name = people.of("slack:U1")
    assert is_pseudonym(name)
    assert "U1" not in name
    assert people.of("slack:U1") == name
    assert people.of(name) == name
    assert people.of("discord:U1") != name
    assert Pseudonyms(b"x" * 32).of("slack:U1") != name
    assert people.of("") == ""


def test_the_key_is_made_at_the_first_start_for_its_owner_alone(tmp_path: Path) -> None:
    folder = tmp_path / "new"
    made = open_pseudonyms(folder, {})
    file = folder / FILE
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert len(file.read_text().strip()) == 64
    assert open_pseudonyms(folder, {}).of("slack:U1") == made.of("slack:U1")
    assert [one.name for one in folder.iterdir()] == [FILE]


def test_the_environment_goes_before_the_file_which_is_then_not_made(tmp_path: Path) -> None:
    given = open_pseudonyms(tmp_path, {"SASEO_PRIVACY_KEY": KEY})
    assert given.of("slack:U1") == Pseudonyms(KEY.encode()).of("slack:U1")
    assert not (tmp_path / FILE).exists()


@pytest.mark.parametrize("short", ["k" * 31, "k"])
def test_a_short_key_is_refused(tmp_path: Path, short: str) -> None:
    with pytest.raises(PrivacyKeyUnusable):
        open_pseudonyms(tmp_path, {"SASEO_PRIVACY_KEY": short})
    (tmp_path / FILE).write_text(short)
    with pytest.raises(PrivacyKeyUnusable):
        open_pseudonyms(tmp_path, {})


def test_an_unreadable_key_is_told(tmp_path: Path) -> None:
    (tmp_path / FILE).mkdir()
    with pytest.raises(PrivacyKeyUnusable):
        open_pseudonyms(tmp_path, {})


def test_a_store_notices_another_key_until_somebody_accepts_it(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SASEO_PRIVACY_KEY", raising=False)
    first = pseudonyms_of(store, tmp_path)
    assert pseudonyms_of(store, tmp_path).of("slack:U1") == first.of("slack:U1")
    (tmp_path / FILE).unlink()
    with pytest.raises(WrongPrivacyKey):
        pseudonyms_of(store, tmp_path)
    second = accept_key(store, tmp_path, by="cli", now=1.0)
    assert pseudonyms_of(store, tmp_path).of("slack:U1") == second.of("slack:U1") != first.of("slack:U1")
