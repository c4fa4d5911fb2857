"""Whatever happens to two sources, run after run: the edition holds exactly the pages that it should, open to nobody else."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from knowledge.errors import EmptyWiki, SourceError
from knowledge.korean import Analyser
from knowledge.page import Audience
from tests.fakes.listed_source import Listed, ListedSource
from tests.knowledge.building.conftest import Office

PATHS = ["가.md", "나.md", "폴더/가.md", "폴더/다.md"]
GROUPS = ["everyone", "hr", "it"]

page = st.tuples(
    st.sampled_from(PATHS),
    st.sampled_from(["택배", "회의실", None, "", "gone"]),
    st.sampled_from(GROUPS),
    st.booleans(),
)
"""(path, what it is about now, for whom, whether its version tells). None: it cannot be read; "gone": it is not listed."""


@dataclass
class Step:
    """What happens to one source before a run."""

    pages: list[tuple[str, str | None, str, bool]] = field(default_factory=list)
    breaks: bool = False
    audience: str = "everyone"
    read: bool = True
    """Whether the run reads it at all."""


steps = st.lists(
    st.tuples(
        *[st.builds(Step, st.lists(page, max_size=3), st.booleans(), st.sampled_from(GROUPS), st.booleans())] * 2
    ),
    min_size=1,
    max_size=2,
)


FIRST = Step([(path, "택배", "everyone", True) for path in PATHS[1:]])


@dataclass
class Expected:
    """Of one source, what serves: path → (text, clauses)."""

    serves: dict[str, tuple[str, frozenset[frozenset[str]]]] = field(default_factory=dict)

    def after(
        self, source: ListedSource, *, taken: bool, told: bool = False
    ) -> dict[str, tuple[str, frozenset[frozenset[str]]]]:
        """Of the next edition. `told`: it is not taken, but was listed."""
        now = {}
        for path, (text, clauses) in self.serves.items():
            listed = source.pages.get(path)
            if not taken:
                own = listed.audience.clauses if told and listed and listed.audience else frozenset()
                now[path] = (text, clauses | source.audience.clauses | own)
            elif listed is not None and listed.text is None:  # kept
                own = listed.audience.clauses if listed.audience else frozenset()
                now[path] = (text, clauses | source.audience.clauses | own)
        if taken:
            for path, listed in source.pages.items():
                if listed.text:
                    own = listed.audience.clauses if listed.audience else frozenset()
                    now[path] = (listed.text, source.audience.clauses | own)
        return now


@settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck))
@given(history=steps)
def test_the_edition_holds_what_it_should(history: list[tuple[Step, Step]], analyser: Analyser, office: Office) -> None:
    with tempfile.TemporaryDirectory() as folder:
        fresh = Office(Path(folder), analyser)  # the fixture is there for what it leaves out
        sources = [ListedSource("wiki"), ListedSource("board")]
        expected = [Expected(), Expected()]
        versions = 0
        for step in [(FIRST, FIRST), *history]:
            for source, what in zip(sources, step, strict=True):
                for path, about, group, told in what.pages:
                    versions += 1
                    if about == "gone":
                        source.pages.pop(path, None)
                        continue
                    text = f"# {about} 안내\n\n{about}에 대한 {versions % 3}번째 안내입니다." if about else about
                    version = f"{about} {versions % 3} {group}" if told else None
                    source.pages[path] = Listed(text, version, audience=Audience.of([group]))
                source.breaks_after = 0 if what.breaks else None
                source.audience = Audience.of([what.audience])
            serves = any(one.serves for one in expected)
            only = tuple(source.name for source, what in zip(sources, step, strict=True) if what.read)
            wanted = []
            for source, what, one in zip(sources, step, expected, strict=True):
                asked = what.read or not only or not serves
                now = one.after(source, taken=True)
                # A source that gives nothing any more is held back.
                taken = asked and not what.breaks and not (one.serves and not now)
                wanted.append(now if taken else one.after(source, taken=False, told=asked and not what.breaks))
            try:
                fresh.build(*sources, only=only)
            except (SourceError, EmptyWiki):
                # Nothing was read, and nothing closed either: what served goes on.
                assert wanted == [one.serves for one in expected] or not any(wanted)
                continue
            for one, now in zip(expected, wanted, strict=True):
                one.serves = now
            passages = fresh.shelf.open().passages
            for source, one in zip(sources, expected, strict=True):
                found = {p.page: (p.text, p.audience.clauses) for p in passages if p.source == source.name}
                assert found == {path: (text.split("\n\n")[1], clauses) for path, (text, clauses) in one.serves.items()}
