"""What all tables share."""

from __future__ import annotations

from sqlalchemy import Dialect, MetaData, Text, TypeDecorator

VERSION = "2"
"""In `facts` under `schema`: programs from before there were revisions (bot/store/migrations) look at it and refuse what is not "1"."""

metadata = MetaData()


class Words(TypeDecorator[str]):
    """What a person typed. Half a surrogate pair (SQLite) and NUL (PostgreSQL) cannot be stored: neither may cost the answer."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        """Before it is written."""
        return None if value is None else value.encode("utf-8", "replace").decode().replace("\0", "")


STAMP = ("model", "lora", "edition", "prompt")
"""What an answer was made with: columns of votes and of examples."""
