"""Files that harm whoever reads them carelessly: what each is, its bytes, and how reading it may end."""

from collections.abc import Iterator

from tests.fakes.poison import containers, markup, pdfs
from tests.fakes.poison.poison import ORDER, SECRET, Poison

__all__ = ["ORDER", "SECRET", "Poison", "poisons"]


def poisons() -> Iterator[Poison]:
    """All of them, for every format that is registered."""
    yield from containers.poisons()
    yield from pdfs.poisons()
    yield from markup.poisons()
