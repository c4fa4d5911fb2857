"""Whether the serving edition stays: because nothing changed, or nothing since a person went back to it."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping

from knowledge.building.options import BUILD_VERSION, BuildOptions
from knowledge.building.serving import Serving
from knowledge.cache import key_of
from knowledge.errors import BrokenEdition
from knowledge.formats import PARSER_VERSION


def fingerprint_of(digests: Mapping[str, str], options: BuildOptions) -> str:
    """Of all pages and of all that an edition is made with."""
    made_with = [PARSER_VERSION, options.passage_size, options.passage_overlap, searched_with(options)]
    return key_of(json.dumps(made_with), json.dumps(sorted(digests.items()), ensure_ascii=False))


def searched_with(options: BuildOptions) -> str:
    """Changes when the same question over the same passages gets other scores: the threshold was measured with it."""
    chosen = options.search
    search = [chosen.candidates, chosen.fusion, sorted(chosen.weights.items()), chosen.tolerant]
    return key_of(options.embedder_id, options.analyser_id, json.dumps([BUILD_VERSION, search]))[:16]


def same_since_rollback(
    serving: Serving, digests: Mapping[str, str], read: Collection[str], options: BuildOptions
) -> bool:
    """Whether a person went back to the serving edition and nothing has changed since then.

    `read`: names of the sources that were read. Their pages must be as in the edition that was left, everything else as it serves:
    a run that reads one source alone must not bring back what the others had.
    """
    name = options.shelf.gone_back_from()
    if name is None:
        return False
    try:
        manifest = options.shelf.manifest(name)
        left = Serving(options.shelf, manifest, serving.sources)
    except BrokenEdition:
        return False
    if fingerprint_of(left.digests, options) != manifest.fingerprint:
        return False  # made with other settings than today's
    expected = left.digests_of(read) | serving.digests_of(set(serving.sources) - set(read))
    return expected == dict(digests)
