"""Writes a revision from the difference between the newest one and `bot/store/schema/`: for developers, see the README."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any, Literal

from alembic.autogenerate import produce_migrations, render_python_code
from alembic.operations import ops
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, create_engine
from sqlalchemy.pool import StaticPool

from bot.store import schema
from bot.store.migrations import FIRST, TABLE, VERSIONS
from bot.store.migrations.upgrading import scripts, upgrade

_HEAD = '''"""{title}."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
{imports}
revision = "{revision}"
down_revision = {before}


def upgrade() -> None:
    """From `down_revision` to `revision`. The way back is the backup that was made before."""
{body}
'''
_AFTER = {"audit": ("from bot.store.append_only import guard\n", "    guard(op.get_bind())\n")}
"""What a new table needs besides: it is an event in schema/, which a revision does not see."""


def context(connection: Connection) -> MigrationContext:
    """For comparing a database with schema/."""
    return MigrationContext.configure(
        connection,
        opts={"target_metadata": schema.metadata, "version_table": TABLE, "render_as_batch": True},
    )


def write(title: str, *, again: bool = False) -> Path | None:
    """The new file; None when schema/ is as the newest revision. `again`: the newest revision is written anew, with its own name.

    Raises ValueError for a new column that old rows cannot get, and with `again` for the first revision.
    """
    every = sorted((one.revision, one) for one in scripts().walk_revisions())
    if again:
        last = every.pop()[1]
        if last.revision == FIRST:
            raise ValueError("the first revision is never written again")
        title, revision = (last.doc or title).rstrip("."), last.revision
        path = Path(last.path)
    else:
        revision = f"{int(every[-1][0]) + 1:04}" if every else FIRST
        path = VERSIONS / f"r{revision}_{re.sub('[^a-z0-9]+', '_', title.lower()).strip('_')}.py"
    before = every[-1][0] if every else None
    engine = create_engine("sqlite://", poolclass=StaticPool)
    with engine.begin() as connection:
        if before is not None:
            upgrade(connection, before)
        script = produce_migrations(context(connection), schema.metadata)
        found = script.upgrade_ops
        if found is None or found.is_empty():
            return None
        body = render_python_code(
            _fillable(found), render_as_batch=True, migration_context=context(connection), render_item=_item
        )
        text = _HEAD.format(
            title=title,
            revision=revision,
            before=f'"{before}"' if before else "None",
            imports="".join(more for table, (more, _) in _AFTER.items() if f"op.create_table('{table}'" in body),
            body=_plain(body)
            + "\n"
            + "".join(call for table, (_, call) in _AFTER.items() if f"op.create_table('{table}'" in body),
        )
    path.write_text(text, encoding="utf-8")
    for command in (["check", "--fix"], ["format"]):
        subprocess.run([sys.executable, "-m", "ruff", *command, "--quiet", path], check=True)
    return path


def _plain(body: str) -> str:
    """Without alembic's own remarks."""
    return "\n".join(line for line in body.splitlines() if "###" not in line).rstrip()


def _item(kind: str, item: Any, context: Any) -> str | Literal[False]:
    """Our own column types as what they are in the database: a step must not change when they do."""
    if kind == "type" and isinstance(item, schema.Words):
        return "sa.Text()"
    return False


def _fillable(found: ops.UpgradeOps) -> ops.UpgradeOps:
    """A new column that must not be empty needs something for the rows that are there: what `server_default` says."""
    for group in found.ops:
        for one in getattr(group, "ops", []):
            if isinstance(one, ops.AddColumnOp) and not one.column.nullable and one.column.server_default is None:
                raise ValueError(
                    f"{one.table_name}.{one.column.name}: not nullable, so schema/ must give a server_default"
                )
    return found
