"""From examples to LoRAs, what was measured of them, and which one answers."""

from __future__ import annotations

from sqlalchemy import JSON, Boolean, Column, Float, ForeignKey, Index, Integer, String, Table, Text

from bot.store.schema.base import STAMP, Words, metadata

examples = Table(
    "examples",
    metadata,
    Column("id", String(16), primary_key=True),
    Column("key", String(128), nullable=False, unique=True),
    Column("kind", String(12), nullable=False),
    Column("state", String(8), nullable=False),  # pending → approved, rejected
    Column("question", Words, nullable=False),
    Column("condensed", Words, nullable=False),
    Column("turns", JSON, nullable=False),
    Column("passages", JSON, nullable=False),  # [{source, page, number, context, text}, …] in the prompt's order
    Column("answer", Words, nullable=False),
    Column("rejected", Words, nullable=False),
    *(Column(name, Text, nullable=False) for name in STAMP),
    Column("asker", String(128), nullable=False),  # empty: nobody asked
    Column("problems", JSON, nullable=False),
    Column("made_at", Float, nullable=False),
    Column("decided_at", Float),
    Column("decided_by", String(128), nullable=False),  # empty: nobody; auto: the rule
    Index("examples_by_state", "state", "made_at"),
    Index("examples_by_kind", "state", "kind", "made_at"),
    Index("examples_by_lora", "state", "lora", "made_at"),
    Index("examples_of_person", "asker"),
)

example_people = Table(
    "example_people",
    metadata,
    Column("example", String(16), ForeignKey("examples.id", ondelete="CASCADE"), primary_key=True),
    Column("person", String(128), primary_key=True),
    Index("example_people_by_person", "person"),
)

example_origins = Table(
    "example_origins",
    metadata,
    Column("example", String(16), ForeignKey("examples.id", ondelete="CASCADE"), primary_key=True),
    # No foreign key: an answer may be forgotten by retention while the example, which is masked, stays.
    Column("answer", String(16), primary_key=True),
    Index("example_origins_by_answer", "answer"),
)

example_changes = Table(
    "example_changes",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("example", String(16), ForeignKey("examples.id", ondelete="CASCADE"), nullable=False),
    Column("by", String(128), nullable=False),
    Column("at", Float, nullable=False),
    Column("action", String(8), nullable=False),  # approve, reject, edit, reopen, undo
    Column("state_before", String(8), nullable=False),
    Column("by_before", String(128), nullable=False),
    Column("answer_before", Words, nullable=False),
    Column("undone", Boolean, nullable=False, default=False),
    Index("example_changes_by_example", "example", "id"),
    Index("example_changes_by_person", "by", "id"),
)

loras = Table(
    "loras",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("base", String(64), nullable=False),  # SHA-256 of the GGUF that it was tuned on
    Column("base_name", Text, nullable=False),
    Column("prompt", String(64), nullable=False),
    Column("sha256", String(64), nullable=False),  # of lora.gguf
    Column("card", JSON, nullable=False),  # lora.json
    Column("run", String(16), nullable=False, default=""),  # the job run that made it; empty: taken in from a folder
    Column("made_at", Float, nullable=False),
    Column("marked", Text, nullable=False, default=""),  # why it must not answer any more
    Column("marked_at", Float),
    Column("deleted_at", Float),  # the row stays: answers are stamped with the name
    Index("loras_by_base", "base"),
)

lora_examples = Table(
    "lora_examples",
    metadata,
    Column("lora", String(64), ForeignKey("loras.name", ondelete="CASCADE"), primary_key=True),
    # No foreign key: a forgotten example is gone, but which LoRA has seen it must stay known until that is gone, too.
    Column("example", Words, primary_key=True),  # of a company's own file: as it is named there
    Index("lora_examples_by_example", "example"),
)

evaluations = Table(
    "evaluations",
    metadata,
    Column("id", String(16), primary_key=True),
    Column("lora", String(64), ForeignKey("loras.name", ondelete="CASCADE"), nullable=False),
    Column("against", String(64), nullable=False),  # name of a LoRA, or none
    Column("passed", Boolean, nullable=False),
    Column("verdict", JSON, nullable=False),  # the whole table
    Column("made_at", Float, nullable=False),
    Index("evaluations_of_lora", "lora", "made_at"),
)

releases = Table(
    "releases",
    metadata,
    # The newest row says what answers now; nothing is ever changed here.
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("base", String(64), nullable=False),  # SHA-256: each base has its own releases
    Column("lora", String(64), nullable=False),  # name, or none: the plain base
    Column("canary", String(64), nullable=False, default=""),  # answers `share` of the conversations
    Column("share", Float, nullable=False, default=0.0),
    Column("action", String(16), nullable=False),  # promote, canary, rollback, watch (the automatic rollback), mark
    Column("evaluation", String(16), nullable=False, default=""),  # the verdict it rests on, or that was overruled
    Column("overruled", Boolean, nullable=False, default=False),
    Column("by", String(128), nullable=False),  # a reviewer's name; auto: the rule
    Column("reason", Words, nullable=False, default=""),
    Column("at", Float, nullable=False),
    Index("releases_of_base", "base", "id"),
)
