"""Changes of the store's tables, one step after the other. What must be known at every start is known without loading alembic."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

FOLDER = Path(__file__).parent
VERSIONS = FOLDER / "versions"
TABLE = "alembic_version"
"""Where alembic keeps the revision of a store, in its one row's `version_num`."""
FIRST = "0001"
"""Stores made before there were revisions have its tables."""


@cache
def head() -> str:
    """The newest revision, of which `bot/store/schema/` are the tables."""
    return max(found[1] for path in VERSIONS.iterdir() if (found := re.fullmatch(r"r(\d{4})_\w+\.py", path.name)))
