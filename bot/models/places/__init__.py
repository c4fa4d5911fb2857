"""Where models come from. A new kind of place: one class in catalogue.py, one file here, one line in `_FETCHERS`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from bot.models.catalogue import HuggingFacePlace, PathPlace, WheelsPlace
from bot.models.places.huggingface import HuggingFaceFetcher
from bot.models.places.job import Fetcher, Job, PlaceFailed
from bot.models.places.path import PathFetcher
from bot.models.places.wheels import WheelsFetcher

__all__ = ["AnyPlace", "Fetcher", "Job", "PlaceFailed", "fetcher_for"]

AnyPlace = PathPlace | HuggingFacePlace | WheelsPlace

_FETCHERS: dict[type, Callable[[Any], Fetcher]] = {
    PathPlace: PathFetcher,
    HuggingFacePlace: HuggingFaceFetcher,
    WheelsPlace: WheelsFetcher,
}


def fetcher_for(place: AnyPlace) -> Fetcher:
    """The fetcher of this place's kind."""
    return _FETCHERS[type(place)](place)
