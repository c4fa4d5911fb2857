"""Columns of stores that are older than the first revision get today's types. SQLite enforces no lengths."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

_TEXT = (
    *((table, column) for table in ("answers", "votes", "escalations") for column in ("model", "lora")),
    *((table, column) for table in ("votes", "escalations") for column in ("edition", "prompt")),
    ("lora_examples", "example"),
)
"""Limited to 128 or 16 characters once."""


def upgrade() -> None:
    """From `down_revision` to `revision`. The way back is the backup that was made before."""
    connection = op.get_bind()
    if "arguments" not in {column["name"] for column in sa.inspect(connection).get_columns("job_runs")}:
        op.add_column("job_runs", sa.Column("arguments", sa.JSON(), nullable=False, server_default="{}"))
    if connection.dialect.name == "postgresql":
        for table, column in _TEXT:
            op.alter_column(table, column, type_=sa.Text())
