"""What the jobs about gaps are put together from: who asks again, who may read where, who posts."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from adapters.discord.announcing import DiscordAnnouncer
from adapters.slack.announcing import SlackAnnouncer
from bot import gaps_app
from bot.app import Root
from bot.conversation import Place
from bot.messages import Answer, Question
from tests.bot.store.rows import answer
from tests.conftest import Indexer


class Flow:
    """Answers on the loop that it was opened on, as the real one must."""

    threshold = 4.5

    def __init__(self, index: Any) -> None:
        self.index = index
        self.loop = asyncio.get_running_loop()
        self.asked: list[str] = []
        self.closed = False

    def live(self) -> Flow:
        return self

    async def answer(self, question: Question) -> Answer:
        assert asyncio.get_running_loop() is self.loop
        await asyncio.sleep(0)
        self.asked.append(question.text)
        return answer()


def root_of(tmp_path: Path, text: str = "") -> Root:
    (tmp_path / "saseo.toml").write_text(f'data_dir = "data"\n{text}', encoding="utf-8")
    return Root(tmp_path / "saseo.toml")


def test_the_writer_is_opened_once_asked_on_one_loop_and_closed(
    tmp_path: Path, indexer: Indexer, monkeypatch: pytest.MonkeyPatch
) -> None:
    indexer.build()
    index, opened = indexer.open(), []

    @asynccontextmanager
    async def answering() -> AsyncIterator[Flow]:
        opened.append(Flow(index))
        yield opened[-1]
        opened[-1].closed = True

    root = root_of(tmp_path, '[gaps]\nreask = "answer"\n')
    monkeypatch.setattr(root.answers, "ready", answering)
    with gaps_app.asking(root) as parts:
        assert parts.answer is not None
        for text in ("하나", "둘"):
            assert parts.answer(Question(text, "q")) == answer()
        assert (parts.index, parts.threshold) == (index, 4.5)
        assert not opened[0].closed
    (flow,) = opened
    assert (flow.asked, flow.closed) == (["하나", "둘"], True)


def test_by_the_search_alone_no_writer_is_loaded_and_a_threshold_of_ones_own_counts(
    tmp_path: Path, indexer: Indexer, monkeypatch: pytest.MonkeyPatch
) -> None:
    indexer.build()
    index = indexer.open()
    for text, wanted in (
        ("", index.edition.manifest.calibration["threshold"]),
        ("[answer]\nabstain_threshold = 7.5\n", 7.5),
    ):
        root = root_of(tmp_path, text)
        monkeypatch.setattr(root.wiki, "open_index", lambda options: index)
        with gaps_app.asking(root) as parts:
            assert parts.answer is None
            assert parts.threshold == wanted


def test_a_place_reads_what_the_groups_file_says_and_people_from_outside_nothing(tmp_path: Path) -> None:
    (tmp_path / "groups.toml").write_text('[hr]\nslack_channels = ["C1"]\n', encoding="utf-8")
    readable = gaps_app.readable(root_of(tmp_path, 'groups_file = "groups.toml"\n').settings)
    assert readable(Place("slack", "C1", "channel")) == {"hr", "slack:channel:C1"}
    assert readable(Place("slack", "C2", "channel")) == {"slack:channel:C2"}
    assert readable(Place("slack", "C1", "channel", external=True)) == frozenset()


def test_the_report_goes_by_the_platform_of_its_place(tmp_path: Path) -> None:
    slack = root_of(tmp_path, '[gaps]\ndigest_platform = "slack"\ndigest_place = "C1"\n').settings
    assert isinstance(gaps_app.announcer(slack), SlackAnnouncer)
    parts = gaps_app.gap_parts(root_of(tmp_path, '[gaps]\ndigest_platform = "discord"\ndigest_place = "12"\n'))
    assert (parts.platform, parts.place) == ("discord", "12")
    assert isinstance(parts.announcer(), DiscordAnnouncer)


def test_the_link_needs_an_address_and_names_need_leave(tmp_path: Path) -> None:
    plain = gaps_app.digest_options(root_of(tmp_path).settings)
    assert (plain.url, plain.names, plain.language) == ("", True, "ko")
    told = gaps_app.digest_options(
        root_of(
            tmp_path,
            '[web]\npublic_url = "https://saseo.example"\ntexts = "none"\n[gaps]\ndigest_language = "en"\n',
        ).settings
    )
    assert (told.url, told.names, told.language) == ("https://saseo.example/gaps", False, "en")
