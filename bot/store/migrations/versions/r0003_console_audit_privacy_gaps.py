"""Console, audit, privacy, gaps."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from bot.store.append_only import guard

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """From `down_revision` to `revision`. The way back is the backup that was made before."""
    op.create_table(
        "audit",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("at", sa.Float(), nullable=False),
        sa.Column("by", sa.String(length=128), nullable=False),
        sa.Column("action", sa.String(length=64), nullable=False),
        sa.Column("subject", sa.String(length=255), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("origin", sa.String(length=255), nullable=False),
        sa.Column("previous", sa.String(length=64), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("audit", schema=None) as batch_op:
        batch_op.create_index("audit_by_action", ["action", "id"], unique=False)
        batch_op.create_index("audit_by_subject", ["subject", "id"], unique=False)

    op.create_table(
        "day_numbers",
        sa.Column("day", sa.String(length=10), nullable=False),
        sa.Column("platform", sa.String(length=32), nullable=False),
        sa.Column("place", sa.String(length=64), nullable=False),
        sa.Column("begins", sa.Float(), nullable=False),
        sa.Column("ends", sa.Float(), nullable=False),
        sa.Column("questions", sa.Integer(), nullable=False),
        sa.Column("answered", sa.Integer(), nullable=False),
        sa.Column("abstained", sa.Integer(), nullable=False),
        sa.Column("escalated", sa.Integer(), nullable=False),
        sa.Column("failed", sa.Integer(), nullable=False),
        sa.Column("tokens_read", sa.BigInteger(), nullable=False),
        sa.Column("tokens_written", sa.BigInteger(), nullable=False),
        sa.Column("cost_krw", sa.Float(), nullable=False),
        sa.Column("first_token", sa.JSON(), nullable=False),
        sa.Column("total_seconds", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("day", "platform", "place"),
    )
    with op.batch_alter_table("day_numbers", schema=None) as batch_op:
        batch_op.create_index("day_numbers_by_span", ["begins", "ends"], unique=False)

    op.create_table(
        "digests",
        sa.Column("week", sa.String(length=8), nullable=False),
        sa.Column("platform", sa.String(length=32), nullable=False),
        sa.Column("place", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("owner", sa.String(length=64), nullable=False),
        sa.Column("until", sa.Float(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("message", sa.String(length=255), nullable=False),
        sa.Column("claimed_at", sa.Float(), nullable=False),
        sa.Column("posted_at", sa.Float(), nullable=True),
        sa.PrimaryKeyConstraint("week", "platform", "place"),
    )
    op.create_table(
        "exports",
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("examples", sa.JSON(), nullable=False),
        sa.Column("person", sa.String(length=128), nullable=False),
        sa.Column("made_at", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "gaps",
        sa.Column("id", sa.String(length=12), nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("named", sa.Text(), nullable=False),
        sa.Column("open_name", sa.Text(), nullable=False),
        sa.Column("assigned", sa.String(length=128), nullable=False),
        sa.Column("draft", sa.Text(), nullable=False),
        sa.Column("shared", sa.Boolean(), nullable=False),
        sa.Column("nearest", sa.JSON(), nullable=False),
        sa.Column("snoozed_until", sa.Float(), nullable=True),
        sa.Column("answered_source", sa.String(length=64), nullable=False),
        sa.Column("answered_page", sa.Text(), nullable=False),
        sa.Column("asked_edition", sa.String(length=64), nullable=False),
        sa.Column("made_at", sa.Float(), nullable=False),
        sa.Column("changed_at", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("gaps", schema=None) as batch_op:
        batch_op.create_index("gaps_by_state", ["state"], unique=False)

    op.create_table(
        "privacy_people",
        sa.Column("person", sa.String(length=128), nullable=False),
        sa.Column("told_at", sa.Float(), nullable=True),
        sa.Column("suspended_at", sa.Float(), nullable=True),
        sa.PrimaryKeyConstraint("person"),
    )
    op.create_table(
        "privacy_requests",
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column("person", sa.String(length=128), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("received_at", sa.Float(), nullable=False),
        sa.Column("due_at", sa.Float(), nullable=False),
        sa.Column("done_at", sa.Float(), nullable=True),
        sa.Column("report", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("privacy_requests", schema=None) as batch_op:
        batch_op.create_index("privacy_requests_open", ["done_at", "due_at"], unique=False)

    op.create_table(
        "tombstones",
        sa.Column("person", sa.String(length=128), nullable=False),
        sa.Column("at", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("person"),
    )
    op.create_table(
        "web_accounts",
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("password", sa.Text(), nullable=False),
        sa.Column("role", sa.String(length=8), nullable=False),
        sa.Column("groups", sa.JSON(), nullable=False),
        sa.Column("made_at", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
    op.create_table(
        "gap_events",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("gap", sa.String(length=12), nullable=False),
        sa.Column("action", sa.String(length=16), nullable=False),
        sa.Column("by", sa.String(length=128), nullable=False),
        sa.Column("detail", sa.JSON(), nullable=False),
        sa.Column("at", sa.Float(), nullable=False),
        sa.ForeignKeyConstraint(["gap"], ["gaps.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("gap_events", schema=None) as batch_op:
        batch_op.create_index("gap_events_of", ["gap", "id"], unique=False)

    op.create_table(
        "gap_questions",
        sa.Column("question", sa.String(length=12), nullable=False),
        sa.Column("gap", sa.String(length=12), nullable=False),
        sa.Column("reason", sa.String(length=9), nullable=False),
        sa.Column("asked_at", sa.Float(), nullable=False),
        sa.Column("typical", sa.Float(), nullable=False),
        sa.Column("vector", sa.LargeBinary(), nullable=True),
        sa.Column("embedder", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["gap"], ["gaps.id"], ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["question"], ["questions.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("question"),
    )
    with op.batch_alter_table("gap_questions", schema=None) as batch_op:
        batch_op.create_index("gap_questions_of", ["gap", "asked_at"], unique=False)

    op.create_table(
        "traces",
        sa.Column("question", sa.String(length=12), nullable=False),
        sa.Column("trace", sa.JSON(), nullable=False),
        sa.Column("kept_at", sa.Float(), nullable=False),
        sa.ForeignKeyConstraint(["question"], ["questions.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("question"),
    )
    with op.batch_alter_table("traces", schema=None) as batch_op:
        batch_op.create_index("traces_by_time", ["kept_at"], unique=False)

    op.create_table(
        "web_sessions",
        sa.Column("token", sa.String(length=64), nullable=False),
        sa.Column("account", sa.String(length=64), nullable=False),
        sa.Column("csrf", sa.String(length=64), nullable=False),
        sa.Column("began_at", sa.Float(), nullable=False),
        sa.Column("seen_at", sa.Float(), nullable=False),
        sa.ForeignKeyConstraint(["account"], ["web_accounts.name"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("token"),
    )
    with op.batch_alter_table("web_sessions", schema=None) as batch_op:
        batch_op.create_index("web_sessions_of_account", ["account"], unique=False)

    with op.batch_alter_table("answers", schema=None) as batch_op:
        batch_op.add_column(sa.Column("first_token", sa.Float(), nullable=True))
        batch_op.add_column(sa.Column("total_seconds", sa.Float(), nullable=True))
        batch_op.add_column(sa.Column("tokens_read", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("tokens_written", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("cost_krw", sa.Float(), nullable=True))

    with op.batch_alter_table("escalations", schema=None) as batch_op:
        batch_op.add_column(sa.Column("tell", sa.String(length=128), server_default="", nullable=False))

    with op.batch_alter_table("questions", schema=None) as batch_op:
        batch_op.add_column(sa.Column("place", sa.String(length=64), server_default="", nullable=False))
        batch_op.add_column(sa.Column("lora", sa.Text(), server_default="", nullable=False))
        batch_op.create_index("questions_by_lora", ["lora", "asked_at", "id"], unique=False)
        batch_op.create_index("questions_by_outcome", ["outcome", "asked_at", "id"], unique=False)
        batch_op.create_index("questions_by_place", ["platform", "place", "asked_at", "id"], unique=False)
        batch_op.create_index("questions_by_time", ["asked_at", "id"], unique=False)

    with op.batch_alter_table("votes", schema=None) as batch_op:
        batch_op.create_index("votes_by_time", ["voted_at"], unique=False)
    guard(op.get_bind())
