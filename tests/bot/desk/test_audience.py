"""Where an answer is read decides what it may use: the groups file, implicit groups, outsiders."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.conversation import Person, Place
from bot.desk.audience import Groups
from bot.errors import InvalidSetting
from tests.bot.desk.conftest import CHANNEL, DIRECT, KIM, LEE

FILE = """
[hr]
emails = ["KIM@example.com"]
slack_usergroups = ["S1"]
slack_channels = ["CHR"]

[it]
slack_users = ["U2"]
discord_roles = [77]
discord_channels = [5]
"""


@pytest.fixture
def groups(tmp_path: Path) -> Groups:
    path = tmp_path / "groups.toml"
    path.write_text(FILE, encoding="utf-8")
    return Groups(path)


def named(found: frozenset[str]) -> set[str]:
    return {name for name in found if ":" not in name}


def test_a_channel_gets_only_what_everyone_in_it_may_read(groups: Groups) -> None:
    assert named(groups.readable_by(CHANNEL, KIM, private=False)) == set()
    assert groups.readable_by(CHANNEL, KIM, private=False) == {"slack:channel:C1"}
    assert named(groups.readable_by(replace(CHANNEL, id="CHR"), LEE, private=False)) == {"hr"}


def test_a_direct_or_private_answer_gets_the_askers_groups(groups: Groups) -> None:
    assert named(groups.readable_by(DIRECT, KIM, private=False)) == {"hr"}
    assert named(groups.readable_by(CHANNEL, KIM, private=True)) == {"hr"}
    assert named(groups.readable_by(DIRECT, LEE, private=True)) == {"it"}
    by_role = Person("slack", "U3", roles=frozenset({"S1"}))
    assert groups.readable_by(DIRECT, by_role, private=True) == {"hr", "slack:user:U3", "slack:usergroup:S1"}
    discord = Person("discord", "1", roles=frozenset({"77"}))
    there = Place("discord", "9", "direct")
    assert groups.readable_by(there, discord, private=True) == {"it", "discord:user:1", "discord:role:77"}
    assert named(groups.readable_by(Place("discord", "5", "channel"), discord, private=False)) == {"it"}


def test_fixed_groups_are_granted_in_private_beside_those_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "groups.toml"
    path.write_text(FILE, encoding="utf-8")
    for groups, theirs in (
        (Groups(None, always=frozenset({"exec"})), set()),
        (Groups(path, always=frozenset({"exec"})), {"hr"}),
    ):
        assert named(groups.readable_by(DIRECT, KIM, private=True)) == {"exec"} | theirs
        assert named(groups.readable_by(CHANNEL, KIM, private=True)) == {"exec"} | theirs
        assert named(groups.readable_by(CHANNEL, KIM, private=False)) == set()


def test_an_id_of_another_platform_grants_nothing(groups: Groups) -> None:
    assert named(groups.readable_by(Place("discord", "9", "direct"), Person("discord", "U2"), private=True)) == set()


@given(private=st.booleans(), kind=st.sampled_from(["channel", "direct"]), place=st.sampled_from(["C1", "CHR"]))
def test_outsiders_get_nothing_restricted(private: bool, kind: str, place: str) -> None:
    groups = Groups(None, always=frozenset({"exec"}))
    groups._groups = {"hr": next(iter(_members().values()))}
    where = Place("slack", place, kind, external=True)  # type: ignore[arg-type]
    assert groups.readable_by(where, KIM, private=private) == frozenset()
    guest = replace(KIM, guest=True)
    for there in (Place("slack", "D9", "direct"), replace(where, external=False)):
        assert groups.readable_by(there, guest, private=private) == frozenset()


def _members() -> dict[str, object]:
    import tomllib

    from bot.desk.audience import Members

    return {name: Members.model_validate(value) for name, value in tomllib.loads(FILE).items()}


def test_a_changed_file_counts_from_the_next_question_on(groups: Groups, tmp_path: Path) -> None:
    path = tmp_path / "groups.toml"
    path.write_text('[hr]\nslack_users = ["U2"]\n', encoding="utf-8")
    assert named(groups.readable_by(DIRECT, KIM, private=True)) == set()
    assert named(groups.readable_by(DIRECT, LEE, private=True)) == {"hr"}


@pytest.mark.parametrize("broken", ["[hr\n", "[hr]\nslack_user = ['U1']\n", None])
def test_a_file_that_cannot_be_read_any_more_grants_nothing(groups: Groups, tmp_path: Path, broken: str | None) -> None:
    path = tmp_path / "groups.toml"
    if broken is None:
        os.remove(path)
    else:
        path.write_text(broken, encoding="utf-8")
    assert named(groups.readable_by(DIRECT, KIM, private=True)) == set()
    path.write_text(FILE + "\n", encoding="utf-8")
    assert named(groups.readable_by(DIRECT, KIM, private=True)) == {"hr"}


@pytest.mark.parametrize(
    ("text", "words"), [("[hr\n", "groups_file"), ("[hr]\nslack_user = []\n", "hr.slack_user"), ("hr = 3\n", "hr")]
)
def test_a_broken_file_is_refused_at_the_start_with_what_is_wrong(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "groups.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InvalidSetting, match=words):
        Groups(path)
    with pytest.raises(InvalidSetting):
        Groups(tmp_path / "missing.toml")
