"""The versions of constraints.txt fit every Python that pyproject.toml promises: Debian 12 brings 3.11.2, not the newest 3.11."""

from __future__ import annotations

import re
import tomllib
from importlib.metadata import distributions
from pathlib import Path

from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]


def test_no_pinned_version_wants_a_newer_python() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    least = project["requires-python"].removeprefix(">=") + ".0"
    pinned = dict(re.findall(r"^([\w.-]+)==(\S+)$", (ROOT / "constraints.txt").read_text("utf-8"), re.MULTILINE))
    installed = {canonicalize_name(one.metadata["Name"]): one for one in distributions()}
    looked_at = [installed[name] for name in map(canonicalize_name, pinned) if name in installed]
    assert len(looked_at) > 50
    too_new = [
        (one.metadata["Name"], one.version, wanted)
        for one in looked_at
        if (wanted := one.metadata["Requires-Python"]) and least not in SpecifierSet(wanted)
    ]
    assert too_new == []
