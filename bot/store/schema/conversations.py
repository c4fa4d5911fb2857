"""What was asked and answered, how people judged it, and whom they called."""

from __future__ import annotations

from sqlalchemy import JSON, Boolean, Column, Float, ForeignKey, Index, Integer, String, Table, Text

from bot.store.schema.base import STAMP, Words, metadata

questions = Table(
    "questions",
    metadata,
    Column("id", String(12), primary_key=True),
    Column("platform", String(32), nullable=False),
    Column("person", String(128), nullable=False),  # a pseudonym (bot/privacy/pseudonyms.py), as everywhere here
    Column("conversation", String(255), nullable=False),
    Column("asked", JSON, nullable=False),  # all of Asked but reply_to, while open; then {}, or why it is no question
    Column("text", Words, nullable=False),
    Column("private", Boolean, nullable=False),
    Column("reply_to", Words, nullable=False),
    Column("draft", Text, nullable=False, default=""),
    Column("state", String(8), nullable=False),  # open → done
    Column("owner", String(64), nullable=False),  # the process that holds the claim
    Column("attempt", Integer, nullable=False),
    Column("claimed_until", Float, nullable=False),
    Column("asked_at", Float, nullable=False),
    Column("done_at", Float),
    Column("outcome", String(16)),
    # What lists are filtered by: the channel (empty: a direct message, whose id would name its person), and what answered.
    Column("place", String(64), nullable=False, default="", server_default=""),
    Column("lora", Text, nullable=False, default="", server_default=""),  # none: the plain base; empty: no answer
    Index("questions_open", "state", "claimed_until"),
    Index("questions_by_time", "asked_at", "id"),
    Index("questions_by_outcome", "outcome", "asked_at", "id"),
    Index("questions_by_place", "platform", "place", "asked_at", "id"),
    Index("questions_by_lora", "lora", "asked_at", "id"),
    Index("questions_of_person", "person", "asked_at"),
    Index("questions_of_conversation", "conversation", "asked_at"),
)

claims = Table(
    "claims",
    metadata,
    Column("key", String(255), primary_key=True),
    Column("question", String(12), ForeignKey("questions.id", ondelete="CASCADE"), nullable=False),
    Index("claims_of_question", "question"),
)

answers = Table(
    "answers",
    metadata,
    Column("id", String(16), primary_key=True),
    Column("question", String(12), ForeignKey("questions.id", ondelete="CASCADE"), nullable=False, unique=True),
    Column("answer", JSON, nullable=False),  # the whole Answer (bot/store/answers.py)
    Column("outcome", String(16), nullable=False),
    Column("model", Text, nullable=False),  # may be the path of a file
    Column("lora", Text, nullable=False),
    Column("edition", String(64), nullable=False),
    Column("prompt", String(64), nullable=False),
    Column("passages", JSON, nullable=False),  # [[source, page, number], …] as shown to the writer
    Column("language", String(2), nullable=False),
    Column("private", Boolean, nullable=False),
    Column("place", JSON, nullable=False),
    Column("message", String(255), nullable=False, default=""),  # the platform's reference, once posted
    Column("answered_at", Float, nullable=False),
    # What is summed up, out of `answer`; NULL: kept before these columns were there, or no model wrote (first_token).
    Column("first_token", Float),
    Column("total_seconds", Float),
    Column("tokens_read", Integer),
    Column("tokens_written", Integer),
    Column("cost_krw", Float),
    Index("answers_by_message", "message"),
)

shown_at = Table(
    "shown_at",
    metadata,
    Column("platform", String(32), primary_key=True),
    Column("message", String(255), primary_key=True),  # where a shared answer stands beside its own message
    Column("answer", String(16), ForeignKey("answers.id", ondelete="CASCADE"), nullable=False),
    Index("shown_at_of_answer", "answer"),
)

traces = Table(
    "traces",
    metadata,
    Column("question", String(12), ForeignKey("questions.id", ondelete="CASCADE"), primary_key=True),
    Column("trace", JSON, nullable=False),  # bot/trace.py
    Column("kept_at", Float, nullable=False),
    Index("traces_by_time", "kept_at"),
)

votes = Table(
    "votes",
    metadata,
    Column("answer", String(16), ForeignKey("answers.id", ondelete="CASCADE"), primary_key=True),
    Column("person", String(128), primary_key=True),
    Column("direction", String(4)),  # up, down; NULL: withdrawn
    Column("via", String(8), nullable=False),
    Column("reason", Words, nullable=False, default=""),
    Column("correction", Words, nullable=False, default=""),
    *(Column(name, Text, nullable=False) for name in STAMP),
    Column("passages", JSON, nullable=False),
    Column("voted_at", Float, nullable=False),
    # Of the answer's question, for lists and numbers: they go with it, since the answer does.
    Column("question", String(12)),
    Column("asked_at", Float),
    Column("platform", String(32)),
    Column("place", String(64)),
    Index("votes_by_time", "voted_at", "direction", "platform", "place"),
    Index("votes_of_question", "question"),
    Index("votes_of_person", "person"),
    Index("votes_by_direction", "direction", "asked_at", "question"),
)

vote_changes = Table(
    "vote_changes",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("answer", String(16), ForeignKey("answers.id", ondelete="CASCADE"), nullable=False),
    Column("person", String(128), nullable=False),
    Column("direction", String(4)),
    Column("via", String(8), nullable=False),
    Column("at", Float, nullable=False),
    Index("vote_changes_of_answer", "answer"),
    Index("vote_changes_of_person", "person"),
)

escalations = Table(
    "escalations",
    metadata,
    Column("id", String(16), primary_key=True),
    Column("answer", String(16), ForeignKey("answers.id", ondelete="CASCADE"), nullable=False, unique=True),
    Column("contacts", JSON, nullable=False),
    Column("called_by", String(128), nullable=False),
    # The platform's id of who called, to be told of the answer: only while the call is open.
    Column("tell", String(128), nullable=False, default="", server_default=""),
    Column("called_at", Float, nullable=False),
    Column("resolved_by", String(128)),
    Column("resolved_at", Float),
    Column("resolution", Words, nullable=False, default=""),  # kept only with consent
    Column("consent", Boolean, nullable=False, default=False),
    *(Column(name, Text, nullable=False) for name in STAMP),
    Column("passages", JSON, nullable=False),
    Index("escalations_called_by", "called_by"),
    Index("escalations_resolved_by", "resolved_by"),
)
