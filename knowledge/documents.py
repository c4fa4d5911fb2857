"""One file → its parsed document, from the cache when the same bytes were parsed before."""

from __future__ import annotations

import contextlib
from collections.abc import Callable

from knowledge import formats
from knowledge.cache import ContentCache, key_of
from knowledge.errors import PageTooLarge, UnreadablePage, WikiError
from knowledge.formats import PARSER_VERSION
from knowledge.page import Document
from knowledge.parsing import document_json
from knowledge.sources.base import SourceFile

Parse = Callable[[bytes, str], Document]
"""Bytes and a file name → the document, as `knowledge.formats.parse`. Raises PageError."""


def load_document(
    file: SourceFile, cache: ContentCache, max_file_mb: int, parse: Parse = formats.parse
) -> tuple[Document, str]:
    """The document and its cache key (which names the bytes and the parser). Raises PageError, and ParsingUnavailable if `parse` does.

    `parse`: `ParsingProcess.parse` where the bytes are not trusted.
    """
    _check_size(file.size, max_file_mb)
    data = file.read()
    _check_size(len(data), max_file_mb)  # the source may not have known it, or the file has grown
    name = f"page{file.suffix}" if file.suffix is not None else file.path
    key = key_of(str(PARSER_VERSION), name.rsplit(".", 1)[-1].lower(), data)
    cached = cache.get("document", [key]).get(key)
    if cached is not None:
        with contextlib.suppress(ValueError):  # damaged: parsed again
            return document_json.loads(cached), key
    try:
        document = parse(data, name)
    except WikiError:
        raise
    except Exception as error:  # a parser's own bug must cost one page, not the run
        raise UnreadablePage(reason=f"{type(error).__name__}") from error
    cache.put("document", {key: document_json.dumps(document).encode()})
    return document, key


def _check_size(size: int, max_file_mb: int) -> None:
    if size > max_file_mb * 1_000_000:
        raise PageTooLarge(megabytes=size / 1_000_000, limit=max_file_mb)
