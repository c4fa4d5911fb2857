"""Somebody's copy of what is kept of them: what it holds, and the file."""

from __future__ import annotations

import json
import os
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bot.errors import CopyNotWritable
from bot.privacy import files
from bot.store.personal import Personal
from bot.store.web_accounts import Account


def content(
    theirs: Personal, account: Account | None, on_record: Sequence[Mapping[str, Any]], now: float
) -> dict[str, Any]:
    """Everything, to be read by them. `account`: theirs in the console; `on_record`: of the audit. Times are seconds since the epoch."""
    tables = theirs.tables
    given = {row["question"]: row for row in tables["answers"]}
    return {
        "person": theirs.person,
        "made_at": now,
        "account": None
        if account is None
        else {
            "name": account.name,
            "role": account.role,
            "groups": sorted(account.groups),
            "made_at": account.made_at,
        },
        "questions": [
            {
                **_some(row, "id", "platform", "asked_at", "text", "private", "outcome"),
                "answer": _answer(given.get(row["id"])),
            }
            for row in sorted(tables["questions"], key=lambda row: row["asked_at"])
        ],
        "ways_of_answers": [{"question": row["question"], "way": row["trace"]} for row in tables["traces"]],
        "votes": [
            _some(row, "answer", "direction", "via", "reason", "correction", "voted_at") for row in tables["votes"]
        ],
        "vote_changes": [_some(row, "answer", "direction", "via", "at") for row in tables["vote_changes"]],
        "calls": [
            {
                "answer": row["answer"],
                "called": row["called_by"] == theirs.person,
                "called_at": row["called_at"],
                "resolved": row["resolved_by"] == theirs.person,
                "resolution": row["resolution"] if row["resolved_by"] == theirs.person else "",
            }
            for row in tables["escalations"]
        ],
        "examples": [
            _some(row, "id", "kind", "state", "question", "answer", "rejected", "made_at") for row in tables["examples"]
        ],
        "learnt_from_by": sorted({row["lora"] for row in tables["lora_examples"]}),
        "told": [_some(row, "told_at", "suspended_at") for row in tables["privacy_people"]],
        "requests": [
            _some(row, "id", "kind", "received_at", "due_at", "done_at") for row in tables["privacy_requests"]
        ],
        "on_record": [_some(row, "at", "action", "origin") for row in on_record],
    }


def pack(path: Path, copy: Mapping[str, Any]) -> str:
    """Write it as a zip that is its owner's alone; its SHA-256. Raises CopyNotWritable."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as file, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as packed:
            packed.writestr("saseo.json", json.dumps(copy, ensure_ascii=False, indent=1))
        return files.sha256(path)
    except OSError as error:
        raise CopyNotWritable(path=path, reason=error.strerror or type(error).__name__) from error


def _some(row: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {name: row[name] for name in names}


def _answer(row: Mapping[str, Any] | None) -> dict[str, Any] | None:
    if row is None:
        return None
    answer = row["answer"]
    return {
        "id": row["id"],
        "answered_at": row["answered_at"],
        "text": answer.get("text", ""),
        "searched_as": answer.get("condensed", ""),
        "sources": [{"title": one.get("title"), "page": one.get("page")} for one in answer.get("citations", [])],
        "model": row["model"],
        "lora": row["lora"],
    }
