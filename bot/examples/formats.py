"""Files of examples ⇄ rows: our own JSON Lines, OpenAI chat JSON Lines, Alpaca JSON Lines, CSV of question, answer, page.

    {"question", "passages": [{"title", "heading", "text", "source"?, "page"?, "number"?} | "…"], "answer", "turns"?, "rejected"?}
    {"messages": [{"role": "system" | "user" | "assistant", "content"}, …]}             the last one is the answer
    {"instruction", "input"?, "output"}

Every line is checked before anything is kept; broken ones are named together.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from bot import jsonl, prompts, spreadsheet
from bot.errors import BadExampleFile
from bot.examples import layout
from bot.examples.example import Evidence, Example
from bot.jsonl import Malformed

Format = Literal["saseo", "chat", "alpaca", "csv"]
COLUMNS = ("question", "answer", "page")


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a file."""

    question: str
    answer: str
    turns: tuple[str, ...] = ()
    passages: tuple[Evidence, ...] = ()
    page: str = ""
    """CSV only: the page to take the passages from; empty: none."""
    rejected: str = ""
    line: int = 0
    id: str = ""
    """Our own form only; empty: none."""
    kind: str = ""


def read(path: Path) -> list[Row]:
    """The rows in file order; what a line is shows in its keys, CSV by the file's ending. Raises BadExampleFile."""
    if path.suffix.lower() == ".csv":
        return _read_csv(path)
    return jsonl.read_lines(path, _row, BadExampleFile)


def fitting(examples: Iterable[Example], form: Format) -> list[Example]:
    """Those that a file of this form can hold: with an answer, and in a CSV only where its page gives the passages again.

    A refusal, or passages that are no page of the wiki, would come back from a CSV as an answer that rests on nothing.
    """
    wanted = [one for one in examples if one.answer]
    return [one for one in wanted if not one.passages or _cited_page(one)] if form == "csv" else wanted


def write(examples: Iterable[Example], form: Format) -> str:
    """The text of a file; what does not fit its form is left out."""
    wanted = fitting(examples, form)
    if form == "csv":
        return _as_csv(wanted)
    make = {"saseo": _as_saseo, "chat": _as_chat, "alpaca": _as_alpaca}[form]
    return "".join(json.dumps(make(one), ensure_ascii=False) + "\n" for one in wanted)


def _row(raw: dict[str, object], line: int) -> Row:
    if "messages" in raw:
        return _from_chat(raw, line)
    if "instruction" in raw:
        return _from_alpaca(raw, line)
    if "question" in raw:
        return _from_saseo(raw, line)
    raise Malformed("question, messages, instruction 가운데 하나가 있어야 합니다")


def _from_saseo(raw: dict[str, object], line: int) -> Row:
    passages = raw.get("passages")
    if passages is not None and not isinstance(passages, list):
        raise Malformed("passages는 목록이어야 합니다")
    return Row(
        _needed(raw, "question"),
        _needed(raw, "answer"),
        jsonl.texts(raw, "turns"),
        tuple(_evidence(one) for one in passages or ()),
        rejected=jsonl.text(raw, "rejected"),
        line=line,
        id=jsonl.text(raw, "id"),
        kind=jsonl.text(raw, "kind"),
    )


def _evidence(raw: object) -> Evidence:
    if isinstance(raw, str):
        return _shown(jsonl.text({"passages": raw}, "passages"))
    if not isinstance(raw, dict):
        raise Malformed("passages의 항목은 문자열이거나 {title, heading, text} 객체여야 합니다")
    number = raw.get("number", 0)
    if not isinstance(number, int) or isinstance(number, bool) or number < 0:
        raise Malformed("passages의 number는 0 이상의 정수여야 합니다")
    path = dict.fromkeys(filter(None, (jsonl.text(raw, "title"), *jsonl.texts(raw, "heading"))))
    return Evidence(jsonl.text(raw, "source"), jsonl.text(raw, "page"), number, " > ".join(path), _needed(raw, "text"))


def _shown(text: str) -> Evidence:
    """A passage as shown: its first line is the heading, unless it is the only one."""
    head, _, rest = text.partition("\n")
    if not text.strip():
        raise Malformed("passages에 빈 구절이 있습니다")
    return Evidence("", "", 0, head, rest) if rest.strip() else Evidence("", "", 0, "", text)


def _from_chat(raw: dict[str, object], line: int) -> Row:
    messages = raw["messages"]
    if not isinstance(messages, list) or not messages:
        raise Malformed("messages는 비어 있지 않은 목록이어야 합니다")
    said: list[tuple[str, str]] = []
    for number, one in enumerate(messages, start=1):
        if not isinstance(one, dict) or one.get("role") not in ("system", "developer", "user", "assistant"):
            raise Malformed(f"messages의 {number}번째에 role(system, user, assistant)이 있어야 합니다")
        content = jsonl.text(one, "content")
        if not content:
            raise Malformed(f"messages의 {number}번째 content가 비어 있습니다")
        said.append((one["role"], content))
    asked = [content for role, content in said if role == "user"]
    if said[-1][0] != "assistant" or not asked or said[-2][0] != "user":
        raise Malformed("messages는 user의 질문과 assistant의 답변으로 끝나야 합니다")
    found = layout.parts(asked[-1])
    if found is None:
        return Row(asked[-1], said[-1][1], tuple(asked[:-1]), line=line)
    return _of_parts(found, found.question, said[-1][1], line)


def _from_alpaca(raw: dict[str, object], line: int) -> Row:
    question, given, answer = _needed(raw, "instruction"), jsonl.text(raw, "input"), _needed(raw, "output")
    found = layout.parts_of_documents(given)
    if found is not None:
        return _of_parts(found, question, answer, line)
    # Elsewhere `input` is what the instruction is about, seldom a document that must support the answer.
    return Row(f"{question}\n\n{given}" if given else question, answer, line=line)


def _of_parts(found: layout.Parts, question: str, answer: str, line: int) -> Row:
    if not question.strip():
        raise Malformed("질문이 비어 있습니다")
    return Row(question, answer, found.turns, tuple(_shown(one) for one in found.passages), line=line)


def _needed(raw: dict[str, object], key: str) -> str:
    value = jsonl.text(raw, key)
    if not value:
        raise Malformed(f"{key}이(가) 없거나 비어 있습니다")
    return value


def _as_saseo(one: Example) -> dict[str, object]:
    passages = [
        {"title": each.context, "heading": [], "text": each.text}
        | ({"source": each.source, "page": each.page, "number": each.number} if each.source else {})
        for each in one.passages
    ]
    made: dict[str, object] = {
        "id": one.id, "kind": one.kind, "turns": list(one.turns), "question": one.question, "passages": passages,
        "answer": one.answer,
    }  # fmt: skip
    return made | ({"rejected": one.rejected} if one.rejected else {})


def _as_chat(one: Example) -> dict[str, object]:
    if one.passages:
        rules = str(prompts.prefix()[0].content)
        users = [layout.message(one.question, [each.shown for each in one.passages], one.turns)]
        messages = [{"role": "system", "content": rules}]
    else:
        users, messages = [*one.turns, one.question], []
    messages += [{"role": "user", "content": text} for text in users]
    return {"messages": [*messages, {"role": "assistant", "content": one.answer}]}


def _as_alpaca(one: Example) -> dict[str, object]:
    if not one.passages:  # the form knows no turns: one message, as it is learnt
        return {"instruction": "\n\n".join((*one.turns, one.question)), "input": "", "output": one.answer}
    given = layout.documents([each.shown for each in one.passages], one.turns)
    return {"instruction": one.question, "input": given, "output": one.answer}


def _cited_page(one: Example) -> str:
    """Of the first passage that the answer cites; empty: none, or no page of the wiki."""
    return next((each.page for place, each in enumerate(one.passages, start=1) if f"[{place}]" in one.answer), "")


def _as_csv(examples: Sequence[Example]) -> str:
    out = io.StringIO(newline="")
    rows = csv.writer(out)
    rows.writerow(COLUMNS)
    for one in examples:
        cells = (one.question, one.answer, _cited_page(one))
        rows.writerow(_cell(text) for text in cells)
    return "\ufeff" + out.getvalue()  # without the mark Excel takes Korean UTF-8 for CP949


def _read_csv(path: Path) -> list[Row]:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise BadExampleFile(path=path, line=0, reason=f"파일을 열 수 없습니다: {error.strerror}") from error
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        try:
            text = content.decode("cp949")  # what Korean Excel writes
        except UnicodeDecodeError as error:
            raise BadExampleFile(path=path, line=0, reason="UTF-8도 CP949도 아닙니다") from error
    lines = csv.reader(io.StringIO(text, newline=""), strict=True)
    rows: list[Row] = []
    broken: list[tuple[int, str]] = []
    header: list[str] | None = None
    line = 1
    try:
        for cells in lines:
            if any(cell.strip() for cell in cells):
                try:
                    if header is None:
                        header = _header(cells)
                    else:
                        rows.append(_from_csv(dict(zip(header, cells, strict=False)), len(cells), len(header), line))
                except Malformed as error:
                    broken.append((line, str(error)))
                    if header is None:  # without one nothing below means anything
                        break
            line = lines.line_num + 1
    except csv.Error as error:  # where the next row begins is not known any more
        broken.append((line, f"CSV 형식이 아닙니다: {error}"))
    jsonl.refuse_broken(broken, path, BadExampleFile)
    if not rows:
        raise BadExampleFile(path=path, line=0, reason="질문이 하나도 없습니다")
    return rows


def _header(cells: list[str]) -> list[str]:
    names = [cell.strip().lower() for cell in cells]
    missing = [name for name in COLUMNS if name not in names]
    if missing:
        raise Malformed(f"첫 행에 열 이름이 있어야 합니다: {', '.join(missing)}")
    return names


def _from_csv(cells: dict[str, str], found: int, wanted: int, line: int) -> Row:
    if found != wanted:
        raise Malformed(f"칸이 {found}개입니다({wanted}개여야 합니다)")
    raw: dict[str, object] = {name: _text(value) for name, value in cells.items()}
    return Row(_needed(raw, "question"), _needed(raw, "answer"), page=jsonl.text(raw, "page"), line=line)


def _cell(text: str) -> str:
    """A text that begins with an apostrophe gets one more, so that `_text` takes away only ours."""
    return f"'{text}" if text.startswith("'") else spreadsheet.cell(text)


def _text(cell: str) -> str:
    """What `_cell` made a cell of; an apostrophe in front of anything else is somebody's own."""
    rest = cell.removeprefix("'")
    return rest if rest.startswith("'") or spreadsheet.is_formula(rest) else cell
