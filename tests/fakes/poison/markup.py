"""Poisoned text: Markdown, HTML, front matter, notebooks, e-mails; endless pages; pages that give orders."""

from __future__ import annotations

from collections.abc import Iterator

from knowledge.errors import PageTooSlow, PageWithoutText, UnreadablePage
from knowledge.formats import KNOWN_SUFFIXES
from tests.fakes.poison.poison import ORDER, STOPPED, Poison

_READ = (None, *STOPPED)
_REFUSED = (UnreadablePage, *STOPPED)
_EMPTY = (UnreadablePage, PageWithoutText)
_LINE = "연차는 15일입니다. ".encode()


def poisons() -> Iterator[Poison]:
    """All of them, those of formats that are registered."""
    for kind, name, make, ends in (
        ("elements nested 200,000 deep", "깊은.html", lambda: b"<div>" * 200_000 + _LINE, _READ),
        ("tables nested 20,000 deep", "표.html", lambda: b"<table><tr><td>" * 20_000 + _LINE, _READ),
        ("lists nested 20,000 deep", "목록.html", lambda: b"<ul><li>" * 20_000 + _LINE, _READ),
        ("billion laughs", "웃음.html", _laughing, (None, *_EMPTY)),
        ("quotes nested 50,000 deep", "인용.md", lambda: b"> " * 50_000 + _LINE, (None, *_EMPTY)),
        ("brackets without end", "괄호.md", lambda: b"[" * 50_000 + _LINE, _READ),
        ("stars without end", "별표.md", lambda: b"*a **a " * 20_000, _READ),
        ("backticks without end", "따옴표.md", lambda: b" ".join(b"`" * n for n in range(1, 1500)), _READ),
        ("lists nested 2,000 deep", "목록.md", _deep_list, (*_READ, *_EMPTY)),
        ("front matter nested 30,000 deep", "머리말.md", lambda: _front("title: " + "[" * 30_000), _REFUSED),
        ("YAML aliases that multiply, in a value", "별명.md", lambda: _front(_aliases("title: *z")), (None,)),
        ("YAML aliases that multiply, in a key", "열쇠.md", lambda: _front(_aliases("? *z\n: 1")), (None,)),
        ("YAML that makes an object", "객체.md", lambda: _front("title: !!python/object/apply:os.abort []"), (None,)),
        ("JSON nested 200,000 deep", "깊은.ipynb", lambda: b'{"cells": ' + b"[" * 200_000, (UnreadablePage,)),
        ("parts nested 5,000 deep", "깊은.eml", _deep_mail, (None, *_EMPTY)),
        ("rows of a million columns", "넓은.csv", lambda: (b"a," * 1_000_000 + b"\n") * 10, (*_READ, *_EMPTY)),
        ("a page of 45 MB", "끝없는.txt", lambda: _LINE * 1_700_000, STOPPED),
        ("a page of 45 MB", "끝없는.md", lambda: b"# a\n\nb\n\n" * 5_000_000, STOPPED),
        ("a page of 45 MB", "끝없는.html", lambda: b"<p>" + _LINE * 1_700_000, STOPPED),
        ("headings that repeat in every path", "제목.md", _long_paths, STOPPED),
        ("a page that gives orders", "명령.md", f"# 안내\n\n{ORDER}\n\n<!-- {ORDER} -->\n".encode, (None,)),
    ):
        if name[name.index(".") :] in KNOWN_SUFFIXES:
            yield Poison(kind, name, make, ends, slow=PageTooSlow in ends)


def _laughing() -> bytes:
    entities = '<!ENTITY l0 "하하">' + "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
    return f"<!DOCTYPE html [{entities}]><p>&l9;</p>".encode()


def _deep_list() -> bytes:
    return "".join("  " * depth + "- 항목\n" for depth in range(2_000)).encode()


def _front(yaml: str) -> bytes:
    return f"---\n{yaml}\n---\n# 연차\n\n연차는 15일입니다.\n".encode()


def _aliases(last: str) -> str:
    """Thirty lists, each twice the one before; `*z` stands for the longest."""
    lines = ["a0: &a0 [하, 하]"] + [f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]" for n in range(1, 30)]
    return "\n".join([*lines, "z: &z [*a29, *a29]", last])


def _deep_mail() -> bytes:
    head = b"From: a@example.com\nSubject: a\nMIME-Version: 1.0\n"
    parts = b"".join(b'Content-Type: multipart/mixed; boundary="b%d"\n\n--b%d\n' % (n, n) for n in range(5_000))
    return head + parts + b"Content-Type: text/plain; charset=utf-8\n\n" + _LINE


def _long_paths() -> bytes:
    """Five long headings above a hundred thousand short ones: a small file, but each section carries all five."""
    above = "".join(f"{'#' * level} {'가' * 290}\n\n" for level in range(1, 6))
    return (above + "###### 나\n\n다\n\n" * 100_000).encode()
