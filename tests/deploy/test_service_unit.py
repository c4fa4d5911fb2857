"""deploy/saseo.service as systemd reads it."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections import defaultdict
from pathlib import Path

import pytest

from bot.settings import ServiceSettings
from bot.settings_file import known_keys

UNIT = Path(__file__).resolve().parents[2] / "deploy" / "saseo.service"


@pytest.fixture(scope="module")
def unit() -> dict[str, list[str]]:
    """Every key of [Service] with its values in order."""
    section = UNIT.read_text("utf-8").split("[Service]", 1)[1].split("[Install]", 1)[0]
    found = defaultdict(list)
    for key, value in re.findall(r"^(\w+)=(.*)$", section, re.MULTILINE):
        found[key].append(value)
    return found


def test_systemd_understands_it(tmp_path: Path) -> None:
    if not shutil.which("systemd-analyze"):
        pytest.skip("no systemd here")
    # Where it would be installed there need not be a Saseo.
    program = tmp_path / "saseo"
    program.write_text("#!/bin/sh\n", encoding="utf-8")
    program.chmod(0o755)
    copy = tmp_path / "saseo.service"
    copy.write_text(UNIT.read_text("utf-8").replace("/opt/saseo/bin/saseo", str(program)), encoding="utf-8")
    done = subprocess.run(["systemd-analyze", "verify", copy], capture_output=True, text=True)
    assert (done.returncode, [line for line in done.stderr.splitlines() if str(copy) in line or "saseo" in line]) == (
        0,
        [],
    )


def test_it_has_longer_to_stop_than_it_drains(unit: dict[str, list[str]]) -> None:
    assert int(unit["TimeoutStopSec"][0]) > ServiceSettings().drain_seconds + 10


def test_only_the_main_process_is_told_to_stop(unit: dict[str, list[str]]) -> None:
    """Its jobs are ended by it, after the answers in flight; the rest is killed at the end."""
    assert unit["KillMode"] == ["mixed"]
    assert unit["KillSignal"] == ["SIGTERM"]
    assert unit["Restart"] == ["on-failure"]


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("User", "saseo"),
        ("NoNewPrivileges", "yes"),
        ("ProtectSystem", "strict"),
        ("ProtectHome", "yes"),
        ("PrivateTmp", "yes"),
        ("PrivateDevices", "yes"),
        ("CapabilityBoundingSet", ""),
        ("StateDirectory", "saseo"),
        ("UMask", "0077"),
    ],
)
def test_it_may_do_no_more_than_it_needs(unit: dict[str, list[str]], key: str, value: str) -> None:
    assert unit[key] == [value]


def test_variables_of_settings_name_real_settings(unit: dict[str, list[str]]) -> None:
    known = {"SASEO_" + key.replace(".", "__").upper() for key in known_keys()} | {"SASEO_CONFIG"}
    given = re.findall(r"(SASEO_\w+)=", " ".join(unit["Environment"]))
    assert given
    assert set(given) <= known


def test_tokens_come_from_a_file_of_roots_and_stand_nowhere_in_it(unit: dict[str, list[str]]) -> None:
    assert unit["EnvironmentFile"] == ["-/etc/saseo/env"]
    assert not re.search(r"TOKEN|xox|PASSWORD", " ".join(unit["Environment"]))
