"""A whole answer → Markdown for one platform.

markdown-it-py finds the blocks (paragraphs, lists, tables, code); what stands inside them is read by `Inline` and written by the
`Emitter`, exactly as in a stream, so both give the same guarantees.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import regex
from markdown_it import MarkdownIt
from markdown_it.tree import SyntaxTreeNode

from adapters.text.characters import clean
from adapters.text.emitter import BREAK, Emitter, Target
from adapters.text.inline import Inline

_DEEPEST_HEADING = {"slack": 6, "discord": 3, "plain": 0}
# markdown-it drops what is nested deeper than `maxNesting` (a list counts twice), so no line may open more than 20 blocks.
_MAX_NESTING = 100
_DEEP = regex.compile(r"^(?:[ \t]*+(?:>|[-*+]|\d{1,9}[.)])){20}+", flags=regex.MULTILINE)
# "2026. 3. 5.부터" begins with a date, "3. 1. 기준" too: no ordered list, nor lists within lists.
_DATE = regex.compile(
    r"^((?:[ \t]*+(?:>|[-*+](?=[ \t])|\d{1,3}[.)](?=[ \t]+\d{4}\.)))*+[ \t]*+)(\d{4,9}|\d{1,3}(?=\.[ \t]*\d{1,2}\.))\.(?=\s)",
    flags=regex.MULTILINE,
)
_LANGUAGE = regex.compile(r"[A-Za-z0-9+#-]{1,20}\Z")


class Markdown:
    """Renders for `platform`. Reusable, but not by two threads at once."""

    def __init__(self, platform: Literal["slack", "discord"]) -> None:
        self._target: Target = platform
        self._parser = block_parser()

    def render(self, text: str, links: Mapping[int, str]) -> str:
        """Untrusted answer text → Markdown that is safe there.

        No mention that pings, no image, no link but citation marks to `links` (number → address; unsafe addresses are left out),
        everything else a reader sees unchanged. Linear in the length of `text`.
        """
        return render(text, self._target, links, self._parser)


def block_parser() -> MarkdownIt:
    """CommonMark's blocks and tables. Without reference definitions, which would swallow "[1]: …" and turn marks into links,
    without raw HTML, without indented code and underlined headings, which in answers are accidents."""
    parser = MarkdownIt("commonmark", {"maxNesting": _MAX_NESTING})
    parser.enable("table").disable(["html_block", "reference", "code", "lheading"])
    parser.core.ruler.enableOnly(["normalize", "block"])
    return parser


def render(text: str, target: Target, links: Mapping[int, str], parser: MarkdownIt) -> str:
    """See `Markdown.render`."""
    source = _DEEP.sub(rf"\g<0>{BREAK}", _DATE.sub(r"\1\2\\.", clean(text)))
    tree = SyntaxTreeNode(parser.parse(source))
    return _Renderer(Emitter(target, links)).document(tree)


class _Renderer:
    """Walks the blocks once and writes them in order."""

    def __init__(self, emitter: Emitter) -> None:
        self._emit = emitter
        self._inline = Inline(emitter)
        self._out: list[str] = []
        self._plain = emitter.target == "plain"

    def document(self, tree: SyntaxTreeNode) -> str:
        """The whole."""
        self._blocks(tree.children, "", loose=True)
        return "".join(self._out).strip("\n")

    def _blocks(self, nodes: Sequence[SyntaxTreeNode], prefix: str, *, loose: bool) -> None:
        """Blocks one under the other; `prefix` begins each of their lines, the first excepted."""
        for number, node in enumerate(nodes):
            if number:
                self._line(prefix, blank=loose)
            self._block(node, prefix)

    def _block(self, node: SyntaxTreeNode, prefix: str) -> None:
        if node.type in ("bullet_list", "ordered_list"):
            self._list(node, prefix)
        elif node.type == "blockquote":
            marker = "" if self._plain else "> "
            self._raw(marker)
            self._blocks(node.children, prefix + marker, loose=True)
        elif node.type == "fence":
            self._fence(node, prefix)
        elif node.type == "table":
            self._table(node, prefix)
        elif node.type == "hr":
            self._raw("---")
        elif node.type == "heading":
            level = min(int(node.tag[1:]), _DEEPEST_HEADING[self._emit.target])
            self._raw("#" * level + " " if level else "")
            self._children_text(node, prefix)
        else:
            self._children_text(node, prefix)

    def _list(self, node: SyntaxTreeNode, prefix: str) -> None:
        for position, item in enumerate(node.children):
            if position:
                self._line(prefix)
            marker = f"{item.info}. " if node.type == "ordered_list" else "- "
            self._raw(marker)
            self._blocks(item.children, prefix + " " * len(marker), loose=False)

    def _fence(self, node: SyntaxTreeNode, prefix: str) -> None:
        language = node.info.strip().partition(" ")[0]
        if not self._plain:
            self._raw("```" + (language if _LANGUAGE.match(language) else ""))
            self._line(prefix)
        for number, line in enumerate(node.content.rstrip("\n").split("\n")):
            if number:
                self._line(prefix)
            self._out.append(self._emit.code_line(line))
        if not self._plain:
            self._line(prefix)
            self._raw("```", line_start=False)

    def _table(self, node: SyntaxTreeNode, prefix: str) -> None:
        rows = [row.children for part in node.children for row in part.children]
        if self._emit.target == "slack":
            self._grid(rows, prefix)
        else:
            self._listed(rows, prefix)

    def _grid(self, rows: list[list[SyntaxTreeNode]], prefix: str) -> None:
        """As a table in Markdown."""
        self._emit.in_cell = True
        for number, row in enumerate(rows):
            if number:
                self._line(prefix)
            self._raw("|", line_start=False)
            for cell in row:
                self._raw(" ", line_start=False)
                self._children_text(cell, prefix)
                self._raw(" |", line_start=False)
            if number == 0:
                self._line(prefix)
                self._raw("|" + " --- |" * len(row), line_start=False)
        self._emit.in_cell = False

    def _listed(self, rows: list[list[SyntaxTreeNode]], prefix: str) -> None:
        """For a platform without tables: a line per row, readable on a telephone, where no column of Hangul lines up.

        Two columns read as "항목: 값" under their headings; in more columns each value is named by its heading.
        """
        head, body = rows[0], rows[1:]
        if len(head) <= 2 or not body:
            self._row(head, prefix, bold=True)
        for number, row in enumerate(body):
            if number or len(head) <= 2:
                self._line(prefix)
            self._raw("- ")
            if len(head) <= 2:
                self._row(row, prefix)
            else:
                filled = [(column, cell) for column, cell in enumerate(row) if any(c.content for c in cell.children)]
                for place, (column, cell) in enumerate(filled):
                    self._raw(" · " if place else "", line_start=False)
                    self._children_text(head[column], prefix)
                    self._raw(": ", line_start=False)
                    self._children_text(cell, prefix)

    def _row(self, cells: list[SyntaxTreeNode], prefix: str, *, bold: bool = False) -> None:
        for column, cell in enumerate(cells):
            if column:
                self._raw(": " if len(cells) == 2 else " · ", line_start=False)
            filled = bold and any(child.content.strip("* ") for child in cell.children)
            if filled:
                self._emit.open("**")
            self._children_text(cell, prefix)
            if filled:
                self._out.append(self._emit.close("**"))

    def _children_text(self, node: SyntaxTreeNode, prefix: str) -> None:
        """The lines of text inside a block."""
        for child in node.children or [node]:
            position, text = 0, child.content
            while position < len(text):
                scanned = self._inline.scan(text, position, final=True)
                self._out.append(scanned.written)
                position = scanned.end
                if position < len(text):  # at a line break
                    self._line(prefix)
                    position += 1
            self._out.append(self._inline.end())

    def _line(self, prefix: str, *, blank: bool = False) -> None:
        """Begin a new line, below a blank one if `blank`."""
        self._raw("\n" + (prefix.rstrip() + "\n" if blank else "") + prefix)

    def _raw(self, markup: str, *, line_start: bool = True) -> None:
        if markup:
            self._out.append(self._emit.raw(markup, line_start=line_start))
