"""Gaps carry their numbers."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """From `down_revision` to `revision`. The way back is the backup that was made before."""
    with op.batch_alter_table("gaps", schema=None) as batch_op:
        batch_op.add_column(sa.Column("numbers", sa.JSON(), server_default="{}", nullable=False))
