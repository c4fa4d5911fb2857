"""One gap as a person may see it: its questions masked, private ones without words, only pages that they may read."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import Connection

from bot.errors import UnknownGap
from bot.gaps.gap import BESIDE, PAGE, RESTS, Beside, Change, Gap, Helper, Missed, NearPage, Reason
from bot.readable_texts import Texts, readable
from bot.store import gaps
from knowledge.page import reader_of

MOST_SHOWN = 30
Pages = frozenset[tuple[str, str]]
"""(source, page) of each; the source is "" where an older answer does not tell."""


@dataclass(frozen=True, slots=True)
class Sight:
    """What one person may see. `texts`: as `[web] texts`; `groups`: whose pages they may read."""

    texts: Texts = "shared"
    groups: frozenset[str] = frozenset()

    def words(self, *, private: bool) -> bool:
        """Whether the words of a question are shown."""
        return readable(self.texts, private=private)

    def page(self, page: NearPage | Beside) -> bool:
        """Whether they may know of a page."""
        return page.open_to(reader_of(self.groups))


@dataclass(frozen=True, slots=True)
class Material:
    """Everything of one gap, straight from the store: not to be shown as it is."""

    gap: Gap
    questions: Sequence[Missed]
    helpers: Sequence[Helper]
    history: Sequence[Change]

    @property
    def pages(self) -> Pages:
        """Of all answers, and those that its draft rests on: of which `shown` must know whether they may be read."""
        return rests(self).union(*(one.pages for one in self.questions), *(one.pages for one in self.helpers))


@dataclass(frozen=True, slots=True)
class ShownQuestion:
    """`text` is masked; as it was asked where a page of its answer may not be read. `times`: how often it was asked in these words."""

    text: str
    private: bool
    reason: Reason
    asked_at: float
    times: int = 1


@dataclass(frozen=True, slots=True)
class Detail:
    """What is shown."""

    gap: Gap
    """`nearest` only with what may be read; `name` and `draft` empty where they would tell what is hidden."""
    questions: tuple[ShownQuestion, ...]
    """The most typical first, at most `MOST_SHOWN`; the hidden ones are counted in `hidden` and not listed."""
    hidden: int
    more: int
    """Not listed because there are too many."""
    helpers: tuple[Helper, ...]
    """Resolutions masked; empty where the words of the question are not shown, or where a page of its answer may not be read."""
    history: tuple[Change, ...]
    beside: tuple[Beside, ...] = ()
    """What its draft was written beside; not to be shown."""
    rests: Pages = frozenset()
    """Pages of the answers whose words are in what is shown; not to be shown."""
    draft_hidden: bool = False
    """There is a draft of a person, but not for these eyes."""

    def without_draft(self) -> Detail:
        """For whom may not know of a page of `beside`."""
        return replace(self, gap=replace(self.gap, draft=""), draft_hidden=True)


def read(connection: Connection, gap: str) -> Material:
    """Raises UnknownGap."""
    found = gaps.get(connection, gap)
    if found is None:
        raise UnknownGap(id=gap)
    return Material(found, gaps.of(connection, gap), gaps.helpers(connection, gap), gaps.history(connection, gap))


def seen(gap: Gap, sight: Sight) -> Gap:
    """A gap in a list: no page that may not be known of, no name out of words that may not be read, no draft (see `shown`)."""
    pages = tuple(page for page in gap.nearest if sight.page(page))
    all_hidden = not sight.words(private=False)
    # A name is made of the questions that were not private, if there are any (finding.py).
    only_private = gap.count == gap.private and not sight.words(private=True)
    if all_hidden:
        # Not even a name that a person wrote: it may say what was asked.
        return replace(gap, nearest=pages, name="", named="", draft="")
    return replace(gap, nearest=pages, name=gap.open_name if only_private else gap.name, draft="")


def beside(material: Material) -> tuple[Beside, ...]:
    """The pages that whoever saved the draft saw. Where that was not noted: all that are near the gap. None without a draft."""
    if not material.gap.draft:
        return ()
    drafted = [one.detail.get(BESIDE) for one in material.history if one.action == "drafted"]
    if drafted and drafted[-1] is not None:
        return tuple(Beside.of(one) for one in drafted[-1])
    return tuple(Beside(one.source, one.page, one.audience) for one in material.gap.nearest)


def rests(material: Material) -> Pages:
    """The pages of answers that its draft rests on and that not everyone could read. None without a draft."""
    drafted = [one.detail.get(RESTS, ()) for one in material.history if one.action == "drafted"]
    if not material.gap.draft or not drafted:
        return frozenset()
    return frozenset((str(source), str(page)) for source, page in drafted[-1])


def shown(material: Material, sight: Sight, mask: Callable[[str], str], allowed: Collection[tuple[str, str]]) -> Detail:
    """`allowed`: those of `material.pages` that they may read. Masking costs some milliseconds: call it off the event loop.

    What was put right in a question, and what a called person said of an answer, may come from any page of that answer.
    """
    may = frozenset(allowed)
    rested: set[tuple[str, str]] = set(rests(material))
    visible: dict[str, ShownQuestion] = {}
    hidden = 0
    for one in material.questions:
        if not sight.words(private=one.private):
            hidden += 1
            continue
        key = " ".join((one.text if one.pages <= may else one.own).split())
        if key in visible:
            before = visible[key]
            visible[key] = replace(before, times=before.times + 1)
        elif len(visible) < MOST_SHOWN:
            visible[key] = ShownQuestion(mask(key), one.private, one.reason, one.asked_at)
            if key != " ".join(one.own.split()):
                rested |= one.pages
    listed = tuple(visible.values())
    public = sight.words(private=False)
    helpers = []
    for helper in material.helpers:
        told = helper.resolution if sight.words(private=helper.private) and helper.pages <= may else ""
        helpers.append(replace(helper, resolution=mask(told) if told else ""))
        if told:
            rested |= helper.pages
    more = len(material.questions) - hidden - sum(one.times for one in listed)
    # All of the draft's text is as closed as the most closed page that its writer saw: nobody can tell which words are of which.
    history = tuple(
        replace(one, detail={key: value for key, value in one.detail.items() if key not in (BESIDE, RESTS, *PAGE)})
        for one in material.history
    )
    pages = beside(material)
    gap = replace(seen(material.gap, sight), draft=material.gap.draft if public else "")
    detail = Detail(gap, listed, hidden, more, tuple(helpers), history, pages, rests=frozenset(rested))
    open_to_them = all(sight.page(page) for page in pages) and rests(material) <= may
    return detail if open_to_them or not gap.draft else detail.without_draft()
