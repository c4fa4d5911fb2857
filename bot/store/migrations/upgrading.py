"""Brings a store from one revision to another, with alembic and without its files of settings. Loads alembic; import it late."""

from __future__ import annotations

from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.runtime.migration import MigrationContext, RevisionStep
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from bot.store.migrations import FOLDER, TABLE


def scripts() -> ScriptDirectory:
    """Every revision."""
    return ScriptDirectory(FOLDER)


def known(revision: str) -> bool:
    """Whether this program knows the revision; a newer program's it does not."""
    return any(one.revision == revision for one in scripts().walk_revisions())


def upgrade(connection: Connection, to: str = "head") -> None:
    """Run every step up to `to` inside the connection's transaction: all of them happen, or none does.

    A store without alembic's table counts as empty. SQLite: foreign keys must not be enforced meanwhile, since a table that is made
    anew is dropped in between.
    """
    directory = scripts()

    def steps(revision: str, context: MigrationContext) -> list[RevisionStep]:
        return directory._upgrade_revs(to, revision)  # as alembic's own command does

    with EnvironmentContext(Config(), directory, fn=steps) as environment:
        environment.configure(connection=connection, version_table=TABLE, render_as_batch=True)
        with environment.begin_transaction():
            environment.run_migrations()
