"""Whether work that can wait should: people come first."""

from __future__ import annotations

import time

from bot.errors import StoreError
from bot.store import questions
from bot.store.database import Store


def people_wait(store: Store) -> bool:
    """Whether a question is open anywhere. A store that is away for a moment is no reason to end a run of hours: then nobody waits."""
    try:
        return store.run_now(questions.waiting, now=time.time()) > 0
    except StoreError:
        return False
