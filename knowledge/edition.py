"""Editions, as the rest of the program sees them; how they are kept on disk stands in `knowledge/editions/`."""

from knowledge.editions.held_back import HeldSource
from knowledge.editions.manifest import Manifest, Recall
from knowledge.editions.opened import Edition
from knowledge.editions.reopening import Reopening
from knowledge.editions.shelf import EditionShelf, Shelved

__all__ = ["Edition", "EditionShelf", "HeldSource", "Manifest", "Recall", "Reopening", "Shelved"]
