"""Stores on both databases, and somebody's rights over what one keeps."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from bot.loras.shelf import LoraShelf
from bot.privacy.pseudonyms import Pseudonyms
from bot.privacy.rights import Rights
from bot.releases.choosing import Choosing
from bot.releases.releases import Releases
from bot.store.database import Store
from tests.bot.store.conftest import postgres_url, store, url

__all__ = ["postgres_url", "store", "url"]
PEOPLE = Pseudonyms(b"a key for tests, long enough by far")


class Clock:
    """Moved by hand."""

    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


def releases_of(store: Store, data_dir: Path, clock: Callable[[], float]) -> Releases:
    """Over the shelf in the data directory; a base that nothing was tuned for."""
    return Releases(
        store, LoraShelf(data_dir / "loras"), Choosing("auto", LoraShelf(data_dir / "loras"), lambda: "b", "p"), clock
    )


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def rights(store: Store, tmp_path: Path, clock: Clock) -> Rights:
    @contextmanager
    def releases() -> Iterator[Releases]:
        yield releases_of(store, tmp_path, clock)

    return Rights(store, PEOPLE, tmp_path, releases, clock=clock)
