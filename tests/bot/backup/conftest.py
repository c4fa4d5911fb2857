"""A small installation with something in every place that a backup keeps, on both databases."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bot.backup.archive import Manifest
from bot.backup.restoring import Restored, RestoreParts, restore
from bot.backup.writing import BackupParts, Written, write
from bot.conversation import Vote
from bot.messages import Outcome
from bot.store import answers, audit, dump, facts, questions, votes
from bot.store.database import Store, open_store
from tests.bot.store.conftest import postgres_url as postgres_url
from tests.bot.store.conftest import url as url
from tests.bot.store.rows import CHANNEL, KIM, answer, asked

CONFIG = """data_dir = "var"
groups_file = "people/groups.toml"
[store]
url = "postgresql://saseo:geheim@db/wiki"
[search]
glossary = "/elsewhere/glossary.toml"
"""


def ask(store: Store, key: str, text: str = "연차는 며칠입니까?") -> str:
    """A question that was answered; its id."""
    _, held = store.run_now(questions.claim, asked(key, text=text), owner="a", now=100.0, lease=30.0)
    assert held is not None
    store.run_now(
        answers.save,
        f"a{held.question_id}",
        held.question_id,
        answer(),
        language="ko",
        private=False,
        place=CHANNEL,
        now=1.0,
    )
    store.run_now(questions.finish, held, Outcome.ANSWERED, now=102.0)
    return held.question_id


class Installation:
    """One machine's."""

    def __init__(self, folder: Path, url: str = "") -> None:
        self.folder = folder
        self.url = url
        self.data = folder / "var"
        self.config: Path | None = None
        self.opened: list[Store] = []

    def store(self) -> Store:
        """Open it, as a service does."""
        self.folder.mkdir(parents=True, exist_ok=True)
        opened = open_store(self.url, self.data)
        self.opened.append(opened)
        return opened

    def close(self) -> None:
        """Every process ends."""
        while self.opened:
            self.opened.pop().close()

    def configure(self) -> None:
        """Settings, a file beside them and one that lies elsewhere; a LoRA; learnt weights."""
        (self.folder / "people").mkdir(parents=True)
        (self.folder / "people" / "groups.toml").write_text('[groups]\nhr = ["slack:U1"]\n', encoding="utf-8")
        (self.folder / "glossary.toml").write_text('연차 = ["휴가"]\n', encoding="utf-8")
        self.config = self.folder / "config.toml"
        self.config.write_text(CONFIG, encoding="utf-8")
        lora = self.data / "loras" / "small-20261101-abcd"
        lora.mkdir(parents=True)
        (lora / "lora.gguf").write_bytes(bytes(range(256)) * 4000)
        (lora / "lora.json").write_text('{"name": "글"}', encoding="utf-8")
        (self.data / "search-weights.json").write_text('{"weights": 1}', encoding="utf-8")

    def backup(self, to: Path, **more: Any) -> Written:
        """As `saseo backup` does."""
        store = self.store()
        elsewhere = self.folder.parent / "elsewhere.toml"
        elsewhere.write_text("글", encoding="utf-8")
        named = (self.folder / "people" / "groups.toml", self.folder / "glossary.toml", elsewhere, self.folder / "gone")
        parts = BackupParts(store, self.data, self.config, named if self.config else (), None, time.time)
        return write(replace(parts, **more), to, by="cli")

    def restore(self, path: Path, erase_again: Any = lambda store: 0) -> Restored:
        """As `saseo restore --yes` does."""
        parts = RestoreParts(self.url, self.data, self.config, self.folder, erase_again, time.time)
        self.folder.mkdir(parents=True, exist_ok=True)
        return restore(path, parts, by="cli", sure=sure, told=lambda step, done, total: None)

    def rows(self) -> dict[str, list[bytes]]:
        """Everything in the store that a backup keeps, but the audit, which both tell about."""

        def read(connection: Any) -> dict[str, list[bytes]]:
            found = {}
            for shape in dump.shapes(connection):
                lines = b"".join(lines for _, lines in dump.lines(connection, shape))
                found[shape.table] = sorted(line for line in lines.split(b"\n") if line)
            return found

        found = self.store().run_now(read)
        self.close()
        return {name: rows for name, rows in found.items() if name != "audit"}


def sure(manifest: Manifest, taken: bool) -> None:
    """The person said yes."""


@pytest.fixture
def here(tmp_path: Path, url: str) -> Iterator[Installation]:
    """With questions, answers, a fact, an audit, and files."""
    made = Installation(tmp_path / "here", url if url.startswith("postgres") else "")
    made.configure()
    store = made.store()
    first = f"a{ask(store, 'e')}"
    for number in range(4):
        ask(store, f"e{number}", f'질문 {number}: "따옴표", \\ 그리고\n줄바꿈 \U0001f600')
    for thumb in (Vote(first, KIM, "up", "button"), Vote(first, KIM, "down", "button")):
        store.run_now(votes.cast, thumb, person="p", now=3.0)
    store.run_now(facts.put, "kept", "글")
    store.run_now(audit.record, by="cli", action="test.done", now=5.0)
    made.close()
    yield made
    made.close()


@pytest.fixture
def there(tmp_path: Path) -> Iterator[Installation]:
    """Another machine, on SQLite, with nothing on it."""
    made = Installation(tmp_path / "there")
    yield made
    made.close()
