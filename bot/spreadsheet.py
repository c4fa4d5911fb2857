"""Text in a cell of a CSV file: shown by a spreadsheet, never computed (OWASP, "CSV Injection")."""

from __future__ import annotations

_BEGINS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
"""What a spreadsheet takes for a formula begins so; full-width ones too, in East Asian editions."""


def is_formula(text: str) -> bool:
    """Whether a spreadsheet may compute it. Spaces in front count for nothing: some programs drop them as they open the file."""
    return text.lstrip(" ").startswith(_BEGINS)


def cell(value: object) -> str:
    """The value as text, with an apostrophe in front of what would be a formula."""
    text = str(value)
    return f"'{text}" if is_formula(text) else text
