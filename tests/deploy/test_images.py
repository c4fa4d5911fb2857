"""The Dockerfiles, what goes into them, and the compose file. Docker itself is not needed: what it would read is read."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import sysconfig
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
import yaml

from bot.settings import ServiceSettings
from bot.settings_file import known_keys, load_settings

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"
DOCKERFILES = ("Dockerfile", "Dockerfile.gpu")
SECRET = re.compile(r"TOKEN|PASSWORD|SECRET|API_KEY")


def tool(name: str) -> str:
    """A linter that came with the development packages, or from the system."""
    found = shutil.which(name, path=sysconfig.get_path("scripts")) or shutil.which(name)
    if not found:
        pytest.skip(f"{name} has no package for this machine")
    return found


def instructions(name: str) -> list[tuple[str, str]]:
    """(INSTRUCTION, the rest), continued lines joined."""
    text = re.sub(r"^#.*\n", "", (DEPLOY / name).read_text("utf-8"), flags=re.MULTILINE).replace("\\\n", " ")
    return [(line.split()[0], line.split(None, 1)[1].strip()) for line in text.splitlines() if line.strip()]


@pytest.mark.parametrize("name", DOCKERFILES)
def test_hadolint_has_nothing_to_say(name: str) -> None:
    done = subprocess.run([tool("hadolint"), DEPLOY / name], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "")


@pytest.mark.parametrize("script", ["install.sh", "prove_offline.sh"])
def test_shellcheck_has_nothing_to_say(script: str) -> None:
    done = subprocess.run([tool("shellcheck"), DEPLOY / script], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "")


@pytest.mark.parametrize("name", DOCKERFILES)
def test_what_runs_is_nobodys_root_and_has_a_process_one_that_hands_signals_on(name: str) -> None:
    told = instructions(name)
    last = len(told) - 1 - [word for word, _ in reversed(told)].index("FROM")
    final = dict(told[last:])
    assert re.fullmatch(r"\d+:\d+", final["USER"])
    assert not final["USER"].startswith("0")
    assert final["ENTRYPOINT"] == '["/usr/bin/tini", "--", "saseo"]'
    assert final["CMD"] == '["serve"]'
    assert {"/data", "/models"} == set(re.findall(r'"([^"]+)"', final["VOLUME"]))
    assert "healthcheck.py" in final["HEALTHCHECK"]
    assert "build-essential" not in " ".join(rest for _, rest in told[last:])


@pytest.mark.parametrize("name", DOCKERFILES)
def test_no_secret_can_become_part_of_a_layer(name: str) -> None:
    given = [rest for word, rest in instructions(name) if word in ("ARG", "ENV")]
    assert [rest for rest in given if SECRET.search(rest)] == []


@pytest.mark.parametrize("name", DOCKERFILES)
def test_everything_that_is_copied_is_there_and_not_left_out_of_the_context(name: str) -> None:
    ignored = (ROOT / ".dockerignore").read_text("utf-8").splitlines()
    let_in = {line[1:] for line in ignored if line.startswith("!")}
    copied = [
        part
        for word, rest in instructions(name)
        if word == "COPY" and not rest.startswith("--from")
        for part in rest.split()[:-1]
    ]
    assert copied
    for part in copied:
        assert (ROOT / part).exists(), part
    assert set(copied) == let_in
    assert ignored[1] == "*"  # nothing else gets in


@pytest.mark.parametrize("name", DOCKERFILES)
def test_variables_of_settings_name_real_settings(name: str) -> None:
    known = {"SASEO_" + key.replace(".", "__").upper() for key in known_keys()}
    given = re.findall(r"(SASEO_\w+)=", (DEPLOY / name).read_text("utf-8"))
    assert given
    assert set(given) <= known


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    loaded = yaml.safe_load((DEPLOY / "compose.yaml").read_text("utf-8"))
    assert isinstance(loaded, dict)
    return loaded


def test_saseo_has_longer_to_stop_than_it_drains(compose: dict[str, Any]) -> None:
    grace = compose["services"]["saseo"]["stop_grace_period"]
    assert int(grace.removesuffix("s")) > ServiceSettings().drain_seconds + 10


def test_saseo_runs_without_rights_on_a_read_only_root(compose: dict[str, Any]) -> None:
    saseo = compose["services"]["saseo"]
    assert saseo["read_only"] is True
    assert saseo["cap_drop"] == ["ALL"]
    assert saseo["security_opt"] == ["no-new-privileges:true"]
    assert saseo["mem_limit"]
    assert saseo["pids_limit"]
    writable = [one for one in saseo["volumes"] if not one.endswith(":ro")]
    assert writable == ["data:/data", "models:/models"]


def test_no_port_of_any_service_is_open_to_other_machines(compose: dict[str, Any]) -> None:
    ports = [port for service in compose["services"].values() for port in service.get("ports", [])]
    assert ports
    assert all(port.startswith("127.0.0.1:") for port in ports)


def test_no_secret_stands_in_the_compose_file_and_those_of_files_are_declared(compose: dict[str, Any]) -> None:
    for service in compose["services"].values():
        for name, value in service.get("environment", {}).items():
            assert not SECRET.search(name) or str(value).startswith("/run/secrets/"), name
        assert set(service.get("secrets", [])) <= set(compose["secrets"])
    assert compose["services"]["saseo"]["env_file"] == [{"path": ".env", "required": False}]


def test_saseo_alone_starts_without_a_profile(compose: dict[str, Any]) -> None:
    assert [name for name, one in compose["services"].items() if not one.get("profiles")] == ["saseo"]
    assert all(":" in one["image"] and not one["image"].endswith(":latest") for one in compose["services"].values())


def test_every_file_that_compose_mounts_is_here_or_made_by_the_guide(compose: dict[str, Any]) -> None:
    mounted = [
        volume.split(":")[0]
        for service in compose["services"].values()
        for volume in service["volumes"]
        if volume.startswith("./")
    ]
    guide = (ROOT / "docs" / "installing.md").read_text("utf-8")
    for path in mounted:
        assert (DEPLOY / path).exists() or f"deploy/{Path(path).name}" in guide, path


def test_saseo_reads_its_settings_in_the_environment_that_compose_makes(
    compose: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in list(os.environ):
        if name.upper().startswith("SASEO_"):
            monkeypatch.delenv(name)
    for name, value in compose["services"]["saseo"]["environment"].items():
        default = re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", str(value))
        monkeypatch.setenv(name, default)
    for _, rest in instructions("Dockerfile"):
        for name, value in re.findall(r"\b(SASEO_\w+)=(\S+)", rest):
            monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)
    settings = load_settings(None)
    assert (settings.web.host, settings.data_dir, settings.metrics.port) == ("0.0.0.0", Path("/data"), 9464)  # noqa: S104


def test_what_only_compose_reads_from_env_does_not_reach_saseo(
    compose: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """`.env` is compose's and Saseo's: a variable of compose alone would be refused as an unknown setting."""
    for name in list(os.environ):
        if name.upper().startswith("SASEO_"):
            monkeypatch.delenv(name)
    environment = compose["services"]["saseo"]["environment"]
    own = set(re.findall(r"\$\{(\w+)", str(compose["services"]["saseo"])))
    assert {"SASEO_PUBLIC_URL", "SASEO_VERSION", "WIKI"} <= own
    for name in own:
        monkeypatch.setenv(name, str(environment.get(name, "given")))
    assert load_settings(None).data_dir


def test_the_template_of_secrets_names_each_variable_once() -> None:
    lines = (DEPLOY / "env.example").read_text("utf-8").splitlines()
    names = [found[1] for line in lines if (found := re.match(r"(?:# )?([A-Z][A-Z_]+)=", line))]
    assert {"WIKI", "SASEO_PUBLIC_URL", "SASEO_METRICS_TOKEN"} <= set(names)
    assert len(names) == len(set(names))


def test_the_template_of_secrets_holds_none_of_them() -> None:
    lines = (DEPLOY / "env.example").read_text("utf-8").splitlines()
    given = [line for line in lines if line and not line.startswith("#")]
    assert {line.split("=")[0] for line in given} == {"SLACK_BOT_TOKEN", "SLACK_APP_TOKEN", "DISCORD_TOKEN"}
    assert all(line.endswith("=") for line in given)


@contextmanager
def answering(status: int) -> Iterator[str]:
    """A service that says this about its health."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status if self.path == "/healthz" else 404)
            self.end_headers()

        def log_message(self, format: str, *arguments: object) -> None:
            """Nothing."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/healthz"
        server.shutdown()
        thread.join()


def healthy(url: str) -> int:
    # A proxy of the environment must not come between: nobody listens there.
    variables = {"HEALTHCHECK_URL": url, "http_proxy": "http://127.0.0.1:9", "HTTP_PROXY": "http://127.0.0.1:9"}
    return subprocess.run([sys.executable, DEPLOY / "healthcheck.py"], env=variables, capture_output=True).returncode


@pytest.mark.parametrize(("status", "code"), [(200, 0), (503, 1)])
def test_the_health_check_says_what_the_service_says(status: int, code: int) -> None:
    with answering(status) as url:
        assert healthy(url) == code


def test_a_service_that_does_not_listen_is_not_healthy() -> None:
    with answering(200) as url:
        pass
    assert healthy(url) == 1
