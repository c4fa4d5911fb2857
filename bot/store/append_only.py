"""What keeps the table `audit` append-only: triggers of the database itself, the same rule on both.

No row is ever changed. A row goes only when a later row of action `audit.trimmed` names it (its `subject` is the id of the last
row that goes) and is at least a year younger: so what was deleted stays on record, and nothing younger than a year can be.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlalchemy import Connection

TRIMMED = "audit.trimmed"
"""The action under which old rows may go."""
LEAST_DAYS = 365
"""Access records of personal data are kept for at least a year (the safety-measure standard's Art. 8)."""
LEAST_SECONDS = LEAST_DAYS * 86400

_MAY_GO = (
    f"EXISTS (SELECT 1 FROM audit AS later WHERE later.action = '{TRIMMED}' AND later.id > OLD.id "  # noqa: S608 - constants
    f"AND CAST(later.subject AS INTEGER) >= OLD.id AND later.at - OLD.at >= {LEAST_SECONDS})"
)
_SQLITE = (
    "CREATE TRIGGER IF NOT EXISTS audit_unchanged BEFORE UPDATE ON audit "
    "BEGIN SELECT RAISE(ABORT, 'audit is append-only'); END",
    f"CREATE TRIGGER IF NOT EXISTS audit_kept BEFORE DELETE ON audit WHEN NOT {_MAY_GO} "
    "BEGIN SELECT RAISE(ABORT, 'audit is append-only'); END",
)
_POSTGRESQL = (
    f"""CREATE OR REPLACE FUNCTION audit_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF TG_OP = 'DELETE' THEN
            IF {_MAY_GO} THEN
                RETURN OLD;
            END IF;
        END IF;
        RAISE EXCEPTION 'audit is append-only';
    END $$""",
    "DROP TRIGGER IF EXISTS audit_kept ON audit",
    "CREATE TRIGGER audit_kept BEFORE UPDATE OR DELETE ON audit FOR EACH ROW EXECUTE FUNCTION audit_append_only()",
    "DROP TRIGGER IF EXISTS audit_not_emptied ON audit",
    "CREATE TRIGGER audit_not_emptied BEFORE TRUNCATE ON audit FOR EACH STATEMENT EXECUTE FUNCTION audit_append_only()",
)


def guard(connection: Connection) -> None:
    """Create the triggers, as often as wanted. The table must be there."""
    for statement in _POSTGRESQL if connection.dialect.name == "postgresql" else _SQLITE:
        connection.exec_driver_sql(statement)
