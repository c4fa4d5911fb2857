"""The dashboard, the rules and the documents name only metrics and labels that a scrape really has, and leave none out."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from bot.conversation import Vote
from bot.store import privacy
from bot.telemetry.http import alone
from bot.telemetry.standing import PlatformState
from bot.worker import WorkerStats
from bot.writers.engine import WritingReport
from knowledge.search import SearchIndex
from tests.bot.desk.conftest import KIM, asked
from tests.bot.telemetry.conftest import Watched, get
from tests.bot.telemetry.test_scrape import Scrape

ROOT = Path(__file__).resolve().parents[3]
DASHBOARD = ROOT / "deploy/grafana/saseo.json"
RULES = ROOT / "deploy/prometheus/saseo.rules.yml"
OPERATIONS = [ROOT / "docs/operations.md", ROOT / "docs/operations.ko.md"]
OF_EVERY_TARGET = {"instance", "job", "le"}
NAME = re.compile(r"\b(?:saseo|process)_[a-z0-9_]+\b")


def panels() -> list[dict[str, Any]]:
    board = json.loads(DASHBOARD.read_text(encoding="utf-8"))
    return [panel for panel in board["panels"] if panel["type"] != "row"]


def expressions() -> list[str]:
    board = json.loads(DASHBOARD.read_text(encoding="utf-8"))
    found = [target["expr"] for panel in panels() for target in panel["targets"]]
    found += [one["expr"] for one in board["annotations"]["list"] if "expr" in one]
    found += [one["definition"] for one in board["templating"]["list"] if "definition" in one]
    rules = yaml.safe_load(RULES.read_text(encoding="utf-8"))
    return found + [rule["expr"] for group in rules["groups"] for rule in group["rules"]]


@pytest.fixture
async def known(index: SearchIndex, tmp_path: Path) -> Any:
    """Sample name → its labels, of a scrape in which everything that can be told is told."""

    class Doors:
        stopping = False

        def platform_states(self) -> list[PlatformState]:
            return [PlatformState("slack", True, False, 1.0)]

    class Writer:
        loaded = True

        def stats(self) -> WorkerStats:
            return WorkerStats(0, 0, 0, 0)

    watched = Watched(index, tmp_path)
    desk = await watched.desk()
    standing, observer = watched.telemetry.standing, watched.telemetry.observer
    standing.doors, standing.writer = Doors(), Writer()
    standing._backup_at = lambda: 1000.0
    standing._failed_pages = lambda: {"wiki": 1}
    await desk.ask(asked(key="a"))
    await watched.adapter.wait_for(lambda: bool(watched.adapter.sent["a"].replies))
    await watched.adapter.wait_for(lambda: desk.line() == (0, 0))
    await desk.vote(Vote(watched.adapter.sent["a"].replies[0].answer_id, KIM, "up", via="button"))
    observer.wrote(WritingReport(1, 1, 0, 1.0, 1.0, "end"), 0.0)
    rows = {"job": "reindex", "state": "done", "asked_by": "clock", "due_at": 1.0, "started_at": 1.0, "ended_at": 2.0}

    def add(connection: Any) -> None:
        from bot.store.schema import job_runs

        connection.execute(job_runs.insert().values(id="1", arguments={}, progress={}, result={}, **rows))

    watched.store.run_now(add)
    watched.store.run_now(privacy.receive, "p:0", "forget", now=1000.0, days=10)
    seen = Scrape((await get(await watched.listen(alone(watched.telemetry._endpoints, "")), "/metrics")).text)
    yield {s.name: set(s.labels) for family in seen.families.values() for s in family.samples}
    await watched.close()


def test_every_metric_and_label_of_dashboard_and_rules_exists(known: dict[str, set[str]]) -> None:
    for expression in expressions():
        names = NAME.findall(re.sub(r'"[^"]*"', '""', expression))
        assert names or "up{" in expression, expression
        allowed = set(OF_EVERY_TARGET)
        for name in names:
            assert name in known, f"{name} in {expression}"
            allowed |= known[name]
        for name, selector in re.findall(r"((?:saseo|process)_[a-z0-9_]+)\{([^}]*)\}", expression):
            used = set(re.findall(r"(\w+)\s*(?:=~|!~|!=|=)", selector))
            assert used <= known[name] | OF_EVERY_TARGET, expression
        for listed in re.findall(r"\b(?:by|on|without|ignoring) \(([^)]*)\)", expression):
            assert {one.strip() for one in listed.split(",")} <= allowed, expression


def test_every_metric_of_ours_is_on_the_dashboard_or_in_a_rule(known: dict[str, set[str]]) -> None:
    told = " ".join(expressions())
    families = {re.sub(r"_(total|bucket|count|sum|info)$", "", name) for name in known if name.startswith("saseo_")}
    # Asked is the base of what ended; a platform's silence is told better by its connection; passed on to whoever wants them.
    left_out = {
        "saseo_questions_asked",
        "saseo_platform_last_event_seconds",
        "saseo_search_seconds",
        "saseo_writer_places",
    }
    assert {one for one in families - left_out if not re.search(rf"\b{one}(_\w+)?\b", told)} == set()


def test_legends_name_labels_that_the_query_keeps() -> None:
    for panel in panels():
        for target in panel["targets"]:
            wanted = set(re.findall(r"\{\{(\w+)\}\}", target["legendFormat"]))
            kept = {one.strip() for group in re.findall(r"by \(([^)]*)\)", target["expr"]) for one in group.split(",")}
            if kept:
                assert wanted <= kept, panel["title"]


def test_the_dashboard_can_be_read_by_grafana() -> None:
    board = json.loads(DASHBOARD.read_text(encoding="utf-8"))
    assert board["schemaVersion"] >= 39
    assert board["uid"] == "saseo"
    ids = [panel["id"] for panel in board["panels"]]
    assert len(set(ids)) == len(ids)
    covered: set[tuple[int, int]] = set()
    for panel in board["panels"]:
        at = panel["gridPos"]
        cells = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
        assert at["x"] + at["w"] <= 24
        assert not cells & covered, panel["title"]
        covered |= cells
    for panel in panels():
        assert panel["datasource"]["uid"] == "${datasource}"
        assert all(target["datasource"] == panel["datasource"] for target in panel["targets"])


def test_every_alert_says_in_both_languages_what_to_do() -> None:
    rules = yaml.safe_load(RULES.read_text(encoding="utf-8"))
    for rule in (rule for group in rules["groups"] for rule in group["rules"]):
        assert rule["labels"]["severity"] in ("critical", "warning")
        for text in rule["annotations"].values():
            korean, _, english = text.partition(" / ")
            assert re.search("[가-힣]", korean)
            assert english
            assert not re.search("[가-힣]", english), text


@pytest.mark.parametrize("path", OPERATIONS, ids=lambda path: path.name)
def test_the_documents_name_every_metric_and_no_other(known: dict[str, set[str]], path: Path) -> None:
    ours = {re.sub(r"_(bucket|count|sum)$", "", name) for name in known if name.startswith("saseo_")}
    named = set(re.findall(r"`(saseo_[a-z0-9_]+)`", path.read_text(encoding="utf-8")))
    assert named == ours
