"""`python -m tests.conformance`: scenarios × platforms as a table."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.conformance.platforms import PLATFORMS


class _Results:
    def __init__(self) -> None:
        self.found: dict[str, dict[str, str]] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """One phase of one test: a failure anywhere counts."""
        scenario, _, inside = report.nodeid.split("::")[-1].partition("[")
        parts = inside.rstrip("]").split("-")
        platform = next(part for part in parts if part in PLATFORMS)
        rest = "-".join(part for part in parts if part != platform)
        row = self.found.setdefault(f"{scenario.removeprefix('test_').replace('_', ' ')} {rest}".strip(), {})
        if report.failed:
            row[platform] = "FAILED"
        elif report.skipped:
            row.setdefault(platform, "–")
        elif report.when == "call":
            row.setdefault(platform, "ok")


def main() -> int:
    """Run the suite and print the table; exit code 1 when anything failed."""
    results = _Results()
    suite = str(Path(__file__).with_name("test_platforms.py"))
    code = pytest.main(["-q", "--no-header", "-p", "no:cacheprovider", suite], plugins=[results])
    names = list(PLATFORMS)
    print("| scenario | " + " | ".join(names) + " |")
    print("| --- |" + " --- |" * len(names))
    for scenario, row in results.found.items():
        print(f"| {scenario} | " + " | ".join(row.get(name, "?") for name in names) + " |")
    cells = [cell for row in results.found.values() for cell in row.values()]
    print(f"\n{cells.count('ok')} passed, {cells.count('FAILED')} failed, {cells.count('–')} do not apply")
    return int(code)


if __name__ == "__main__":
    sys.exit(main())
