"""What is wrong with a file of questions."""

from __future__ import annotations

from bot.errors.base import SaseoError


class BadBatch(SaseoError):
    """`path`, `line` (0: the file as a whole, and no line is told), `reason`."""

    ko = "질문 파일을 읽을 수 없습니다: {path} {line}행 ({reason})."
    en = "The file of questions cannot be read: {path} line {line} ({reason})."
