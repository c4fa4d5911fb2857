"""What goes with a deleted row, and what is one person's, is found without reading whole tables: 50,000 questions made that slow."""

from __future__ import annotations

from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """From `down_revision` to `revision`. The way back is the backup that was made before."""
    op.create_index("claims_of_question", "claims", ["question"])
    op.create_index("escalations_called_by", "escalations", ["called_by"])
    op.create_index("escalations_resolved_by", "escalations", ["resolved_by"])
    op.create_index("examples_of_person", "examples", ["asker"])
    op.create_index("privacy_requests_of_person", "privacy_requests", ["person"])
    op.create_index("questions_of_conversation", "questions", ["conversation", "asked_at"])
    op.create_index("shown_at_of_answer", "shown_at", ["answer"])
    op.create_index("vote_changes_of_answer", "vote_changes", ["answer"])
    op.create_index("vote_changes_of_person", "vote_changes", ["person"])
    op.create_index("votes_of_person", "votes", ["person"])
