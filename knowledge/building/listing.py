"""Asking a source for its files, to the end: a listing that breaks off in the middle is no listing."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

from knowledge.building.report import BuildProgress
from knowledge.errors import SourceError, SourceFailed, UnreadablePage
from knowledge.sources.base import Source, SourceFile

_TELL_EVERY = 100


def list_files(source: Source, progress: BuildProgress) -> list[SourceFile]:
    """All files of `source`; of two with one path the second one cannot be read.

    Raises SourceError, whatever went wrong in the source, and what `progress` raises.
    """
    files: list[SourceFile] = []
    paths: set[str] = set()
    listing: Iterator[SourceFile] | None = None
    while True:
        if len(files) % _TELL_EVERY == 0:
            progress("listing", len(files), len(files))
        try:
            if listing is None:
                listing = iter(source.files())
            file = next(listing)
            files.append(_twin(file) if file.path in paths else file)
            paths.add(file.path)
        except StopIteration:
            return files
        except SourceError:
            raise
        except Exception as error:  # a source's own bug must cost its news, not the others'
            reason = (error.strerror if isinstance(error, OSError) else None) or type(error).__name__
            raise SourceFailed(name=source.name, reason=reason) from error


def _twin(file: SourceFile) -> SourceFile:
    def read() -> bytes:
        file.read()  # the source may have a better reason
        raise UnreadablePage(reason="another page has the same path")

    return dataclasses.replace(file, read=read, version=None)
