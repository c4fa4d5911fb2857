"""Every table. Times are seconds since the epoch (UTC); ids are ours unless the name says whose.

`texts` of people and answers stand in `questions` and `answers` only; `questions.reply_to` may hold a platform's short-lived
token and is emptied as soon as the answer is delivered.
"""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Dialect,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    event,
)

from bot.store.append_only import guard

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


questions = Table(
    "questions",
    metadata,
    Column("id", String(12), primary_key=True),
    Column("platform", String(32), nullable=False),
    Column("person", String(128), nullable=False),  # a pseudonym (bot/privacy/pseudonyms.py), as everywhere here
    Column("conversation", String(255), nullable=False),
    Column("asked", JSON, nullable=False),  # all of Asked but reply_to, while open
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

day_numbers = Table(
    "day_numbers",
    metadata,
    # How many questions came and how they ended, of days that are over (bot/store/days.py). Names nobody and outlives its questions.
    Column("day", String(10), primary_key=True),  # 2026-11-26, in the installation's time zone
    Column("platform", String(32), primary_key=True),  # empty: everywhere together
    Column("place", String(64), primary_key=True),  # as in questions
    Column("begins", Float, nullable=False),
    Column("ends", Float, nullable=False),
    *(Column(name, Integer, nullable=False) for name in ("questions", "answered", "abstained", "escalated", "failed")),
    *(Column(name, BigInteger, nullable=False) for name in ("tokens_read", "tokens_written")),
    Column("cost_krw", Float, nullable=False),
    *(
        Column(name, JSON, nullable=False) for name in ("first_token", "total_seconds")
    ),  # {bucket: how many}; of everywhere only
    Index("day_numbers_by_span", "begins", "ends"),
)

_stamp = ("model", "lora", "edition", "prompt")
votes = Table(
    "votes",
    metadata,
    Column("answer", String(16), ForeignKey("answers.id", ondelete="CASCADE"), primary_key=True),
    Column("person", String(128), primary_key=True),
    Column("direction", String(4)),  # up, down; NULL: withdrawn
    Column("via", String(8), nullable=False),
    Column("reason", Words, nullable=False, default=""),
    Column("correction", Words, nullable=False, default=""),
    *(Column(name, Text, nullable=False) for name in _stamp),
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
    *(Column(name, Text, nullable=False) for name in _stamp),
    Column("passages", JSON, nullable=False),
    Index("escalations_called_by", "called_by"),
    Index("escalations_resolved_by", "resolved_by"),
)

places = Table(
    "places",
    metadata,
    Column("platform", String(32), primary_key=True),
    Column("place", String(64), primary_key=True),
    Column("changes", JSON, nullable=False),  # what an admin changed from chat, over config.toml
    Column("changed_by", String(128), nullable=False),
    Column("changed_at", Float, nullable=False),
)

facts = Table(
    "facts",
    metadata,
    Column("key", String(255), primary_key=True),
    Column("value", Text, nullable=False),
)

leases = Table(
    "leases",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("owner", String(64), nullable=False),
    Column("until", Float, nullable=False),
)

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
    *(Column(name, Text, nullable=False) for name in _stamp),
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

job_runs = Table(
    "job_runs",
    metadata,
    Column("id", String(16), primary_key=True),
    Column("job", String(32), nullable=False),
    Column("state", String(8), nullable=False),  # due → running → done, failed, stopped, missed
    Column("asked_by", String(128), nullable=False),  # clock, or who asked
    Column("due_at", Float, nullable=False),
    Column("started_at", Float),
    Column("ended_at", Float),
    Column("owner", String(64), nullable=False, default=""),  # the process that runs it
    # Running: its lease, renewed by a heartbeat. Stopped: from when on any runner may go on with it; NULL: only once it is asked for.
    Column("until", Float),
    Column("attempt", Integer, nullable=False, default=0),  # counts the starts: with `owner` it fences
    Column("arguments", JSON, nullable=False),
    Column("progress", JSON, nullable=False),  # done, total, message; deaths: processes that died on it
    Column("result", JSON, nullable=False),
    Column("error", Text, nullable=False, default=""),
    Index("job_runs_of_job", "job", "due_at"),
    Index("job_runs_by_state", "state"),
)
"""What ran, runs and is due: the truth about jobs. The clock (APScheduler) only adds rows in state `due`."""

job_switches = Table(
    "job_switches",
    metadata,
    Column("job", String(32), primary_key=True),
    Column("paused", Boolean, nullable=False),
    Column("by", String(128), nullable=False),
    Column("at", Float, nullable=False),
)

gaps = Table(
    "gaps",
    metadata,
    Column("id", String(12), primary_key=True),
    Column("state", String(8), nullable=False),  # open → snoozed, closed (by a person), answered (by a page)
    Column("name", Words, nullable=False, default=""),  # made from its questions anew at each run
    Column("named", Words, nullable=False, default=""),  # by a person; goes before `name`
    Column("open_name", Words, nullable=False, default=""),  # of words that several people used in the open
    Column("assigned", String(128), nullable=False, default=""),
    Column("draft", Words, nullable=False, default=""),  # as a person left it; empty: made from its questions
    Column("shared", Boolean, nullable=False, default=False),  # an admin showed it to everyone
    Column("nearest", JSON, nullable=False),  # [{source, page, title, heading, url, closeness, audience}, …]
    Column("numbers", JSON, nullable=False, default=dict, server_default="{}"),  # of its questions, as of the last run
    Column("snoozed_until", Float),
    Column("answered_source", String(64), nullable=False, default=""),
    Column("answered_page", Text, nullable=False, default=""),
    Column("asked_edition", String(64), nullable=False, default=""),  # where they were last asked again
    Column("made_at", Float, nullable=False),
    Column("changed_at", Float, nullable=False),
    Index("gaps_by_state", "state"),
)
"""Topics that people ask about and the wiki does not answer."""

gap_questions = Table(
    "gap_questions",
    metadata,
    Column("question", String(12), ForeignKey("questions.id", ondelete="CASCADE"), primary_key=True),
    Column("gap", String(12), ForeignKey("gaps.id", ondelete="CASCADE"), nullable=False),
    Column("reason", String(9), nullable=False),  # abstained, down, escalated
    Column("asked_at", Float, nullable=False),
    Column("typical", Float, nullable=False, default=0.0),  # how near to the others of its gap, 0..1
    Column("vector", LargeBinary),  # little-endian float32, by `embedder`
    Column("embedder", Text, nullable=False, default=""),
    Index("gap_questions_of", "gap", "asked_at"),
)

gap_events = Table(
    "gap_events",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("gap", String(12), ForeignKey("gaps.id", ondelete="CASCADE"), nullable=False),
    Column("action", String(16), nullable=False),  # made, grew, named, closed, snoozed, reopened, answered, asked, …
    Column("by", String(128), nullable=False),  # auto: a job
    Column("detail", JSON, nullable=False),  # numbers, page, edition; nobody's words
    Column("at", Float, nullable=False),
    Index("gap_events_of", "gap", "id"),
)

digests = Table(
    "digests",
    metadata,
    Column("week", String(8), primary_key=True),  # ISO: 2026-W47
    Column("platform", String(32), primary_key=True),
    Column("place", String(64), primary_key=True),
    Column("state", String(8), nullable=False),  # claimed → posted
    Column("owner", String(64), nullable=False),
    Column("until", Float, nullable=False),  # of the claim
    Column("attempt", Integer, nullable=False),
    Column("message", String(255), nullable=False, default=""),  # the platform's reference
    Column("claimed_at", Float, nullable=False),  # first
    Column("posted_at", Float),
)
"""The weekly report: each once per place, also over restarts."""

web_accounts = Table(
    "web_accounts",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("password", Text, nullable=False),  # Argon2id
    Column("role", String(8), nullable=False),  # viewer, reviewer, admin
    Column("groups", JSON, nullable=False),  # names: whose pages they may read
    Column("made_at", Float, nullable=False),
)

web_sessions = Table(
    "web_sessions",
    metadata,
    Column("token", String(64), primary_key=True),  # SHA-256 of the cookie's
    Column("account", String(64), ForeignKey("web_accounts.name", ondelete="CASCADE"), nullable=False),
    Column("csrf", String(64), nullable=False),
    Column("began_at", Float, nullable=False),
    Column("seen_at", Float, nullable=False),
    Index("web_sessions_of_account", "account"),
)

audit = Table(
    "audit",
    metadata,
    # Who did what to what, chained by hashes (bot/store/audit.py). Holds no texts; append-only by triggers (append_only.py).
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("at", Float, nullable=False),
    Column("by", String(128), nullable=False),
    Column("action", String(64), nullable=False),
    Column("subject", String(255), nullable=False),
    Column("detail", Text, nullable=False),  # canonical JSON: the text itself is hashed
    Column("origin", String(255), nullable=False),
    Column("previous", String(64), nullable=False),
    Column("hash", String(64), nullable=False),
    Index("audit_by_action", "action", "id"),
    Index("audit_by_subject", "subject", "id"),
)
event.listen(audit, "after_create", lambda table, connection, **more: guard(connection))

tombstones = Table(
    "tombstones",
    metadata,
    # Who was erased up to when: what a restored backup brings back of them goes again.
    Column("person", String(128), primary_key=True),  # a pseudonym
    Column("at", Float, nullable=False),
)

privacy_people = Table(
    "privacy_people",
    metadata,
    Column("person", String(128), primary_key=True),  # a pseudonym
    Column("told_at", Float),  # they have read what is kept of them
    Column("suspended_at", Float),  # nothing of theirs is learnt from
)

privacy_requests = Table(
    "privacy_requests",
    metadata,
    Column("id", String(16), primary_key=True),
    Column("person", String(128), nullable=False),  # a pseudonym
    Column("kind", String(8), nullable=False),  # export, forget, suspend
    Column("received_at", Float, nullable=False),
    Column("due_at", Float, nullable=False),
    Column("done_at", Float),
    Column("report", JSON, nullable=False),  # counts and hashes of what went; no texts
    Index("privacy_requests_open", "done_at", "due_at"),
    Index("privacy_requests_of_person", "person"),
)

exports = Table(
    "exports",
    metadata,
    # Files with people's words that were written for somebody: found again when one of those people is erased.
    Column("id", String(16), primary_key=True),
    Column("kind", String(16), nullable=False),  # feedback, privacy
    Column("path", Text, nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("examples", JSON, nullable=False),  # ids of what it holds
    Column("person", String(128), nullable=False, default=""),  # whose copy it is; a pseudonym
    Column("made_at", Float, nullable=False),
)
