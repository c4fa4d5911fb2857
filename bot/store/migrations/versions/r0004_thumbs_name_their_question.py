"""Thumbs name their question."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """From `down_revision` to `revision`. The way back is the backup that was made before."""
    with op.batch_alter_table("votes", schema=None) as batch_op:
        batch_op.add_column(sa.Column("question", sa.String(length=12), nullable=True))
        batch_op.add_column(sa.Column("asked_at", sa.Float(), nullable=True))
        batch_op.add_column(sa.Column("platform", sa.String(length=32), nullable=True))
        batch_op.add_column(sa.Column("place", sa.String(length=64), nullable=True))
        batch_op.drop_index("votes_by_time")
        batch_op.create_index("votes_by_time", ["voted_at", "direction", "platform", "place"], unique=False)
        batch_op.create_index("votes_by_direction", ["direction", "asked_at", "question"], unique=False)
        batch_op.create_index("votes_of_question", ["question"], unique=False)
