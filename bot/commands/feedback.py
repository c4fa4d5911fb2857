"""`saseo feedback`: what people said about answers, as examples: list, review, export."""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, get_args

import click

from bot.commands import example_texts as texts
from bot.commands.output import as_json, at_terminal, write_private
from bot.commands.tools import Tools
from bot.errors import ExamplesNotWritable, NotApprovable, UnknownExample
from bot.examples.example import Example, State
from bot.messages import Language

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from bot.examples.formats import Format
    from bot.examples.review import Review


@click.group("feedback")
def feedback() -> None:
    """사람들의 평가에서 나온 학습 예시를 보고, 검토하고, 내보냅니다."""


@feedback.command("list")
@click.option("--state", type=click.Choice(get_args(State)), help="이 상태의 예시만 보여 줍니다.")
@click.option("--json", "json_wanted", is_flag=True, help="JSON 한 줄로 출력합니다.")
@click.pass_obj
def list_examples(tools: Tools, state: State | None, json_wanted: bool) -> None:
    """학습 예시를 최신 상태로 만들고, 각 예시를 배운 LoRA와 함께 보여 줍니다."""
    from bot.examples.review import words
    from bot.store import loras

    with tools.workbench() as bench:
        bench.build()
        every, usable = bench.every(), len(bench.training_set())
        learnt_by = bench.store.run_now(loras.learnt_by)
    shown = [one for one in every if state in (None, one.state)]
    if json_wanted:
        click.echo(as_json([described(one) | {"learnt_by": learnt_by.get(one.id, [])} for one in shown]))
        return
    language = tools.settings().language
    if not tools.settings().tuning.learn_from_feedback:
        click.echo(texts.learning_off(language), err=True)
    for one in shown:
        mark = " !" if one.problems else ""
        head = f"{one.id}  {texts.state(one.state, language)}{mark}  {texts.kind(one.kind, language)}"
        click.echo(f"{head}  ({texts.people(len(one.people), language)})" if one.people else head)
        click.echo(f"    {texts.plain(' '.join(one.question.split()))[:100]}")
        click.echo(f"    → {texts.plain(' '.join((one.answer or one.rejected).split()))[:100]}")
        if names := learnt_by.get(one.id):
            click.echo(f"    {texts.learnt_by(names, language)}")
        if one.problems:
            click.echo(f"    ! {texts.cannot(words(one.problems), language)}")
    click.echo(texts.counts(Counter(one.state for one in every), usable, language))


@feedback.command("review")
@click.option("--approve", "approved", multiple=True, metavar="ID", help="이 예시를 승인합니다(여러 번 가능).")
@click.option("--reject", "rejected", multiple=True, metavar="ID", help="이 예시를 거절합니다(여러 번 가능).")
@click.option(
    "--json", "json_wanted", is_flag=True, help="JSON 한 줄로 출력합니다. 혼자 쓰면 검토할 예시를 출력합니다."
)
@click.pass_obj
def review(tools: Tools, approved: tuple[str, ...], rejected: tuple[str, ...], json_wanted: bool) -> None:
    """학습 예시를 하나씩 검토합니다: 승인 a, 거절 r, 고치기 e, 건너뛰기 s, 되돌리기 u, 끝 q."""
    language = tools.settings().language
    with tools.workbench() as bench:
        bench.build()
        desk = bench.review(reviewer())
        if approved or rejected:
            _demand_decidable(desk, bench.every(), approved, rejected, language)
            done = [*(desk.approve(one) for one in approved), *(desk.reject(one) for one in rejected)]
            _say_decided(done, language, json_wanted=json_wanted)
            return
        waiting = desk.waiting()
        if json_wanted:
            click.echo(as_json([described(one) for one in waiting]))
        elif not waiting:
            click.echo(texts.nothing_waits(language))
        elif not (sys.stdin.isatty() and sys.stdout.isatty()):
            click.echo(texts.needs_terminal(len(waiting), language))
        else:
            _on_screen(desk, language)


@feedback.command("export")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option(
    "--format",
    "form",
    type=click.Choice(["saseo", "chat", "alpaca", "csv"]),
    default="saseo",
    show_default=True,
    help="파일 형식. chat: OpenAI 대화 JSONL, alpaca: instruction/input/output JSONL, csv: question, answer, page.",
)
@click.option(
    "--state",
    type=click.Choice(get_args(State)),
    default="approved",
    show_default=True,
    help="이 상태의 예시를 씁니다.",
)
@click.option("--json", "json_wanted", is_flag=True, help="JSON 한 줄로 출력합니다.")
@click.pass_obj
def export(tools: Tools, file: Path, form: Format, state: State, json_wanted: bool) -> None:
    """학습 예시를 파일로 내보냅니다."""
    from bot.examples.formats import fitting, write

    with tools.workbench() as bench:
        bench.build()
        every = [one for one in bench.every(state) if one.answer]
        allowed = bench.learnable(every)  # a file is learnt from on another machine, which knows nobody's wishes
    chosen = fitting(allowed, form)
    left_out, withheld = len(allowed) - len(chosen), len(every) - len(allowed)
    try:
        write_private(file, write(chosen, form))
    except OSError as error:
        raise ExamplesNotWritable(path=file, reason=error.strerror or type(error).__name__) from error
    with tools.open_store() as store:
        store.run_now(_note_export, file, [one.id for one in chosen], form)
    if json_wanted:
        counts = {"examples": len(chosen), "left_out": left_out, "withheld": withheld}
        click.echo(as_json({"path": str(file), "format": form, "state": state} | counts))
    else:
        click.echo(texts.exported(len(chosen), str(file), left_out, withheld, tools.settings().language))


@feedback.command("forget")
@click.argument("person")
@click.option("--yes", is_flag=True, help="묻지 않고 지웁니다.")
@click.option(
    "--json", "json_wanted", is_flag=True, help="JSON 한 줄로 출력합니다. --yes가 없으면 지워질 것만 출력합니다."
)
@click.pass_context
def forget(context: click.Context, person: str, yes: bool, json_wanted: bool) -> None:
    """한 사람(예: slack:U0123)의 질문, 평가, 학습 예시를 지웁니다. `saseo privacy forget`과 같습니다."""
    from bot.commands.privacy import erase

    erase(context, person, yes=yes, json_wanted=json_wanted)


def _note_export(connection: Connection, file: Path, ids: Sequence[str], form: str) -> None:
    """On record, and to be found again when somebody in it is erased."""
    from bot.privacy.files import sha256
    from bot.store import audit, privacy

    now, digest = time.time(), sha256(file)
    privacy.exported(connection, "feedback", str(file.resolve()), digest, holds=ids, now=now)
    audit.record(
        connection,
        by=at_terminal(),
        action="feedback.export",
        detail={"examples": len(ids), "format": form, "sha256": digest},
        now=now,
    )


def reviewer() -> str:
    """How this terminal's person stands in the record."""
    return at_terminal().replace("cli:", "terminal:", 1)


def described(one: Example) -> dict[str, object]:
    """One example for scripts. People are counted, not named."""
    data = asdict(one)
    for inside in ("key", "origins", "asker"):
        del data[inside]
    passages = [{"n": n, **asdict(each)} for n, each in enumerate(one.passages, start=1)]
    return data | {"people": len(one.people), "answers": list(one.origins), "passages": passages}


def _say_decided(done: Iterable[Example], language: Language, *, json_wanted: bool) -> None:
    decided = [{"id": one.id, "state": one.state, "by": one.decided_by} for one in done]
    if json_wanted:
        click.echo(as_json(decided))
        return
    for one in decided:
        click.echo(f"{one['id']}  {texts.state(one['state'], language)}")


def _demand_decidable(
    desk: Review, every: Iterable[Example], approved: Sequence[str], rejected: Sequence[str], language: Language
) -> None:
    """All or nothing: before the first is decided. Raises UnknownExample, NotApprovable."""
    from bot.examples.review import words

    known = {one.id: one for one in every}
    for name in (*approved, *rejected):
        if name not in known:
            raise UnknownExample(id=name)
    for name in approved:
        if found := desk.problems(known[name]):
            raise NotApprovable(id=name, reasons=words(found, language))


def _on_screen(desk: Review, language: Language) -> None:
    from prompt_toolkit import prompt
    from rich.console import Console

    from bot.commands.review_screen import ReviewScreen

    def edited(answer: str) -> str | None:
        try:
            return prompt(texts.new_answer(language), default=" ".join(answer.split()))
        except (EOFError, KeyboardInterrupt):
            return None

    tally = ReviewScreen(desk, Console(), click.getchar, edited, language).run()
    click.echo(texts.reviewed(tally.approved, tally.rejected, tally.left, language))
