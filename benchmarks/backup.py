"""How long a backup and a restore of many questions take, beside SQLite's own copy of the same file.

    python benchmarks/backup.py [--questions 100000] [--folder DIR]

The store is filled with answered questions of about the size of real ones: two claims and an answer with three quoted passages each,
the way of every third, a thumb for every fifth. Then in this order: SQLite's backup of the file (the bare reference), `saseo backup`,
`saseo backup verify` and `saseo restore` into an empty folder, as the commands do them, without a progress bar. Seconds are wall-clock.
Prints one line of JSON, then a Markdown table.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import random
import shutil
import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Connection, insert

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from bot.backup.archive import opened, verify
from bot.backup.restoring import RestoreParts, restore
from bot.backup.writing import BackupParts, write
from bot.messages import Answer, Citation, Outcome, Seconds, Shown, Tokens
from bot.store import schema
from bot.store.database import open_store

T = TypeVar("T")
WORDS = "연차 휴가 신청 승인 팀장 출장 일비 숙박 정산 법인카드 한도 보안 노트북 접속 헬프데스크 회의실 예약 취소 규정 부서".split()
_BATCH = 2000


def sentence(chance: random.Random, words: int) -> str:
    return " ".join(chance.choice(WORDS) for _ in range(words)) + "입니다."


def rows(count: int, seed: int = 0) -> Iterator[dict[str, list[dict[str, Any]]]]:
    """Some questions at a time, as rows per table."""
    chance = random.Random(seed)
    for begin in range(0, count, _BATCH):
        batch: dict[str, list[dict[str, Any]]] = {
            name: [] for name in ("questions", "claims", "answers", "traces", "votes", "vote_changes")
        }
        for number in range(begin, min(begin + _BATCH, count)):
            question, at, person = f"{number:012x}", 1.79e9 + number * 30.0, f"p:{chance.randrange(200):032x}"
            cited = tuple(
                Citation(n, f"hr/{chance.randrange(500)}.md", sentence(chance, 3), None, sentence(chance, 25), "부여")
                for n in (1, 2, 3)
            )
            shown = tuple(Shown("wiki", one.page, 3, one.quote) for one in cited)
            answer = Answer(
                outcome=Outcome.ANSWERED, text=f"{sentence(chance, 20)} [1]", citations=cited, model="qwen2.5-coder-1.5b",
                lora="none", edition="20261126-042956-abcdef", prompt="p" * 16, tokens=Tokens(900, 60),
                seconds=Seconds(1.0, 2.0, 6.0), condensed=sentence(chance, 6), nearest=cited[:1], notes=(), shown=shown,
            )  # fmt: skip
            stamp = {"model": answer.model, "lora": "none", "edition": answer.edition, "prompt": answer.prompt}
            passages = [[one.source, one.page, one.number] for one in shown]
            batch["questions"].append(
                {
                    "id": question, "platform": "slack", "person": person, "conversation": f"T1:C{number % 30}:{number}",
                    "asked": {"turns": []}, "text": sentence(chance, 7), "private": False, "reply_to": "", "draft": "",
                    "state": "done", "owner": "host:1:ab", "attempt": 1, "claimed_until": at, "asked_at": at,
                    "done_at": at + 7, "outcome": "answered", "place": f"C{number % 30}", "lora": "none",
                }
            )  # fmt: skip
            batch["claims"] += [
                {"key": f"slack:{kind}:{number}", "question": question} for kind in ("event", "message")
            ]
            batch["answers"].append(
                {
                    "id": f"a{number:015x}", "question": question, "answer": asdict(answer), "outcome": "answered",
                    "passages": passages, "language": "ko", "private": False, "place": {"platform": "slack", "id": "C1"},
                    "message": f"C1:{number}.0", "answered_at": at + 7, **stamp,
                }
            )  # fmt: skip
            if number % 3 == 0:
                trace = {
                    "searches": [[one.page, chance.random()] for one in shown] * 6,
                    "prompt": sentence(chance, 200),
                }
                batch["traces"].append({"question": question, "trace": trace, "kept_at": at})
            if number % 5 == 0:
                vote = {"answer": f"a{number:015x}", "person": person, "direction": "up", "via": "button"}
                batch["votes"].append(
                    vote | {"reason": "", "correction": "", "passages": passages, "voted_at": at, **stamp}
                )
                batch["vote_changes"].append(vote | {"at": at})
        yield batch


def timed(work: Callable[[], T]) -> tuple[T, float, float]:
    """What came of it, seconds on the clock, and seconds of CPU: of the two the one that other programs do not change."""
    began, spent = time.perf_counter(), time.process_time()
    done = work()
    return done, time.perf_counter() - began, time.process_time() - spent


def bare(file: Path, target: Path) -> str:
    """SQLite's own backup, in one go, and the checksum that a careful person would note."""
    source, copy = sqlite3.connect(file), sqlite3.connect(target)
    source.backup(copy)
    copy.close()
    source.close()
    with target.open("rb") as reading:
        return hashlib.file_digest(reading, "sha256").hexdigest()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--questions", type=int, default=100_000)
    parser.add_argument("--folder", type=Path, help="where the store is made; default: a temporary folder")
    given = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="saseo-backup-", dir=given.folder))
    try:
        found = measure(folder, given.questions)
    finally:
        shutil.rmtree(folder)
    print(json.dumps(found))
    print("\n| step | seconds | of CPU | beside the bare copy | bytes |\n| --- | --- | --- | --- | --- |")
    for name, step, size in (
        ("SQLite's own copy, with its SHA-256", "bare", "store_bytes"),
        ("`saseo backup`", "backup", "archive_bytes"),
        ("`saseo backup verify`", "verify", ""),
        ("`saseo restore`", "restore", ""),
    ):
        seconds = found[f"{step}_seconds"]
        told = f"{found[size]:,}" if size else "–"
        cpu, ratio = found[f"{step}_cpu"], seconds / found["bare_seconds"]
        print(f"| {name} | {seconds:.1f} | {cpu:.1f} | {ratio:.1f} | {told} |")


def measure(folder: Path, questions: int) -> dict[str, float | int]:
    data, file = folder / "var", folder / "var" / "saseo.sqlite"
    store = open_store("", data)

    def fill(connection: Connection, batch: dict[str, list[dict[str, Any]]]) -> None:
        for name, some in batch.items():
            if some:
                connection.execute(insert(schema.metadata.tables[name]), some)

    for batch in rows(questions):
        store.run_now(fill, batch)
    _, copying, copying_cpu = timed(lambda: bare(file, folder / "bare.sqlite"))
    parts = BackupParts(store, data, None, (), None, time.time)
    made, writing, writing_cpu = timed(lambda: write(parts, folder / "backup.zip", by="benchmark"))
    store.close()

    def check() -> None:
        with opened(made.path) as archive:
            verify(archive)

    _, checking, checking_cpu = timed(check)
    there = RestoreParts("", folder / "there", None, folder / "nothing", lambda store: 0, time.time)
    _, restoring, restoring_cpu = timed(
        lambda: restore(made.path, there, by="benchmark", sure=lambda manifest, taken: None, told=lambda *_: None)
    )
    with sqlite3.connect(folder / "there" / "saseo.sqlite") as raw:
        assert raw.execute("SELECT count(*) FROM answers").fetchone() == (questions,)
    raw.close()
    return {
        "questions": questions,
        "rows": made.manifest.rows,
        "store_bytes": file.stat().st_size,
        "archive_bytes": made.bytes,
        "bare_seconds": round(copying, 2),
        "bare_cpu": round(copying_cpu, 2),
        "backup_seconds": round(writing, 2),
        "backup_cpu": round(writing_cpu, 2),
        "verify_seconds": round(checking, 2),
        "verify_cpu": round(checking_cpu, 2),
        "restore_seconds": round(restoring, 2),
        "restore_cpu": round(restoring_cpu, 2),
    }


if __name__ == "__main__":
    main()
