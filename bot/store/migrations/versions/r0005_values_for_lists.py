"""Values for lists: old rows get what lists filter by and what is summed up, out of what they hold."""

from __future__ import annotations

from alembic import op

revision = "0005"
down_revision = "0004"

_NUMBERS = {  # column: path in the answer's JSON
    "first_token": ("seconds", "first_token"),
    "total_seconds": ("seconds", "total"),
    "tokens_read": ("tokens", "read"),
    "tokens_written": ("tokens", "written"),
}


def upgrade() -> None:
    """Changes rows only. The channel of a question that failed is not known: no answer holds it."""
    on_postgresql = op.get_bind().dialect.name == "postgresql"

    def number(path: tuple[str, str]) -> str:
        if on_postgresql:
            return f"CAST(answer->'{path[0]}'->>'{path[1]}' AS double precision)"
        return f"json_extract(answer, '$.{path[0]}.{path[1]}')"

    def of_place(key: str) -> str:
        return f"answers.place->>'{key}'" if on_postgresql else f"json_extract(answers.place, '$.{key}')"

    numbers = ", ".join(f"{column} = {number(path)}" for column, path in _NUMBERS.items())
    channel = f"CASE WHEN {of_place('kind')} = 'channel' THEN {of_place('id')} ELSE '' END"
    for statement in (
        f"UPDATE answers SET {numbers}, cost_krw = 0 WHERE total_seconds IS NULL",  # noqa: S608 - nothing from outside
        f"UPDATE questions SET lora = answers.lora, place = {channel} FROM answers"  # noqa: S608 - as above
        " WHERE answers.question = questions.id AND questions.lora = ''",
        "UPDATE votes SET question = answers.question, asked_at = questions.asked_at, platform = questions.platform,"
        " place = questions.place FROM answers, questions"
        " WHERE answers.id = votes.answer AND questions.id = answers.question AND votes.question IS NULL",
    ):
        op.execute(statement)
