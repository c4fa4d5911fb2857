"""Examples are found by kind and LoRA, and what was decided by its example and by who decided, without reading all of them."""

from __future__ import annotations

from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """From `down_revision` to `revision`. The way back is the backup that was made before."""
    op.create_index("examples_by_kind", "examples", ["state", "kind", "made_at"])
    op.create_index("examples_by_lora", "examples", ["state", "lora", "made_at"])
    op.create_index("example_changes_by_example", "example_changes", ["example", "id"])
    op.create_index("example_changes_by_person", "example_changes", ["by", "id"])
