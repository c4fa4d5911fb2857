"""What `saseo doctor` says about the machine, each over a machine as it would have to be."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from bot.backup.archive import Manifest, Writing
from bot.backup.shelf import BackupShelf
from bot.commands.tools import Check
from bot.errors import ConsoleNeedsAccount, UnknownModel
from bot.host_checks import BESIDE_THE_MODEL_MB, Host, host_checks
from bot.settings import Settings, SlackSettings, StoreSettings, WebSettings

NOW = 1_800_000_000.0


@pytest.fixture
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Host:
    """A machine of 8 GB where all is well."""
    for name in list(os.environ):
        if name.upper().startswith("SASEO_"):
            monkeypatch.delenv(name)
    (tmp_path / "data").mkdir()
    (tmp_path / "meminfo").write_text("MemTotal:        8000000 kB\nMemFree: 1 kB\n", encoding="ascii")
    return Host(
        settings=Settings(data_dir=tmp_path / "data", language="en", web=WebSettings(enabled=False)),
        models=tmp_path / "models",
        writer_bytes=lambda: 1_000_000_000,
        config=tmp_path / "config.toml",
        accounts=lambda: 1,
        clock=lambda: NOW,
        meminfo=tmp_path / "meminfo",
        cgroup=tmp_path / "memory.max",
        free=lambda folder: 10**11,
    )


def said(host: Host) -> dict[str, Check]:
    return {check.name: check for check in host_checks(host)}


def with_settings(host: Host, **changed: object) -> Host:
    return replace(host, settings=host.settings.model_copy(update=changed))


def test_a_machine_in_order_has_nothing_to_do(host: Host) -> None:
    assert {name: check.remedy for name, check in said(host).items()} == {"Disks": "", "Memory": "", "Clock": ""}


def test_both_languages_say_the_same_checks(host: Host) -> None:
    full = replace(host, free=lambda folder: 1)
    (english, *_), (korean, *_) = host_checks(full), host_checks(with_settings(full, language="ko"))
    assert (english.name, korean.name) == ("Disks", "디스크")
    assert (english.ok, korean.ok) == (False, False)
    assert "GB보다 적습니다" in korean.remedy
    assert "Make room" in english.remedy


def test_the_disk_of_the_models_counts_too(host: Host) -> None:
    host.models.mkdir()
    full = replace(host, free=lambda folder: 10 if folder == host.models else 10**11)
    assert str(host.models) in said(full)["Disks"].remedy


@pytest.mark.skipif(os.geteuid() == 0, reason="root writes everywhere")
def test_a_data_folder_that_cannot_be_written_is_told(host: Host) -> None:
    host.settings.data_dir.chmod(0o500)
    assert "cannot be written" in said(host)["Disks"].remedy


def test_a_model_that_does_not_fit_the_memory_is_told_with_the_figure(host: Host) -> None:
    assert said(replace(host, writer_bytes=lambda: 5_000_000_000))["Memory"].ok
    check = said(replace(host, writer_bytes=lambda: 7_000_000_000))["Memory"]
    assert not check.ok
    assert f"{(7000 + BESIDE_THE_MODEL_MB) / 1000:.1f} GB" in check.found


def test_what_a_container_may_use_counts_and_not_what_the_machine_has(host: Host) -> None:
    host.cgroup.write_text("max\n", encoding="ascii")
    assert said(host)["Memory"].ok
    host.cgroup.write_text(f"{2 * 10**9}\n", encoding="ascii")
    check = said(host)["Memory"]
    assert not check.ok
    assert check.found.startswith("2.0 GB")


def test_an_unknown_model_hides_no_other_check(host: Host) -> None:
    def unknown() -> int:
        raise UnknownModel(name="qwen9", hint="")

    checks = said(replace(host, writer_bytes=unknown))
    assert "UnknownModel" in checks["Memory"].found
    assert "Clock" in checks


def test_a_clock_behind_what_was_written_is_told(host: Host) -> None:
    file = host.settings.data_dir / "saseo.sqlite"
    file.write_bytes(b"")
    os.utime(file, (NOW + 60, NOW + 60))
    assert said(host)["Clock"].ok
    assert said(host)["Clock"].found == "2027-01-15 17:00:00 KST"
    os.utime(file, (NOW + 86400, NOW + 86400))
    assert "(2027-01-16 17:00:00 KST)" in said(host)["Clock"].remedy
    assert "NTP" in said(host)["Clock"].remedy


@pytest.mark.parametrize("name", [".env", "data/privacy.key"])
@pytest.mark.parametrize(("mode", "fine"), [(0o600, True), (0o400, True), (0o640, False), (0o604, False)])
def test_secrets_that_others_can_read_are_told(host: Host, mode: int, fine: bool, name: str) -> None:
    secrets = host.config.parent / name
    secrets.write_text("SLACK_BOT_TOKEN=xoxb-1", encoding="utf-8")
    secrets.chmod(mode)
    check = said(host)["Secrets"]
    assert check.ok == fine
    assert "xoxb" not in check.found + check.remedy
    assert (f"chmod 600 {secrets}" in check.remedy) != fine


def test_a_password_in_the_settings_file_is_told_without_saying_it(host: Host) -> None:
    url = "postgresql://saseo:hunter2@db/saseo"
    with_store = with_settings(host, store=StoreSettings(url=url))
    assert "Secrets" not in said(with_store)  # from the environment
    host.config.write_text(f'[store]\nurl = "{url}"\n', encoding="utf-8")
    host.config.chmod(0o644)
    check = said(with_store)["Secrets"]
    assert str(host.config) in check.remedy
    assert "hunter2" not in check.found + check.remedy


@pytest.fixture
def listener() -> Iterator[int]:
    """A program that is not Saseo."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@pytest.fixture
def healthy() -> Iterator[int]:
    """Something that answers `/healthz` as Saseo does."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b'{"status": "ok"}')

        def log_message(self, format: str, *arguments: object) -> None:
            """Nothing."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def test_a_free_port_is_fine_and_one_that_another_program_holds_is_not(host: Host, listener: int) -> None:
    check = said(with_settings(host, web=WebSettings(port=free_port())))["Ports"]
    assert (check.ok, check.found.endswith(" free")) == (True, True)
    check = said(with_settings(host, web=WebSettings(port=listener)))["Ports"]
    assert not check.ok
    assert f"[web] port {listener}" in check.remedy


def test_a_port_that_the_running_service_holds_is_fine(host: Host, healthy: int) -> None:
    check = said(with_settings(host, web=WebSettings(port=healthy)))["Ports"]
    assert check.ok
    assert "used by Saseo" in check.found


def test_slacks_own_port_is_looked_at_only_where_it_is_opened(host: Host, listener: int) -> None:
    socketed = with_settings(host, slack=SlackSettings(enabled=True, port=listener))
    assert "Ports" not in said(socketed)
    posted = with_settings(host, slack=SlackSettings(enabled=True, mode="http", port=listener))
    assert f"[slack] port {listener}" in said(posted)["Ports"].remedy


def test_an_address_that_this_machine_does_not_have_is_told(host: Host) -> None:
    check = said(with_settings(host, web=WebSettings(host="192.0.2.1", port=free_port())))["Ports"]
    assert "cannot be opened" in check.found
    assert not check.ok


@pytest.mark.parametrize(
    ("address", "public", "fine"),
    [
        ("127.0.0.1", "", True),
        ("::1", "", True),
        ("0.0.0.0", "", False),  # noqa: S104
        ("0.0.0.0", "http://wiki.example.com", False),  # noqa: S104
        ("0.0.0.0", "https://wiki.example.com", True),  # noqa: S104
        ("0.0.0.0", "http://127.0.0.1:8787", True),  # noqa: S104 - a container whose port is published on loopback
    ],
)
def test_a_console_that_others_reach_without_encryption_is_told(
    host: Host, address: str, public: str, fine: bool
) -> None:
    web = WebSettings(host=address, port=free_port(), public_url=public)
    check = said(with_settings(host, web=web))["Web console"]
    assert check.ok == fine
    assert ("TLS" in check.remedy) != fine


@pytest.mark.parametrize(
    ("address", "public", "refused"),
    [
        ("127.0.0.1", "", False),
        ("127.0.0.1", "https://wiki.example.com", True),
        ("0.0.0.0", "", True),  # noqa: S104
    ],
)
def test_a_console_that_would_not_start_for_want_of_an_account_is_told(
    host: Host, address: str, public: str, refused: bool
) -> None:
    web = WebSettings(host=address, port=free_port(), public_url=public)
    check = said(replace(with_settings(host, web=web), accounts=lambda: 0))["Web console"]
    assert check.ok != refused
    assert check.remedy == (ConsoleNeedsAccount(host=address).explain("en") if refused else "")


def backup(folder: Path, at: float) -> None:
    """A complete backup of an empty store, made then."""
    folder.mkdir(exist_ok=True)
    with BackupShelf(folder).new(at).open("w+b") as file:
        made = Manifest(at, program="0.1.0", revision="0001", database="sqlite", tables={}, members={})
        Writing(file, at).finish(made, lambda done, total: None)


def test_the_age_of_the_newest_backup_is_told_once_there_could_be_one(host: Host, tmp_path: Path) -> None:
    folder = tmp_path / "backups"
    key = host.settings.data_dir / "privacy.key"
    key.write_text("k" * 40, encoding="ascii")
    key.chmod(0o600)
    os.utime(key, (NOW - 86400, NOW - 86400))
    assert "Backups" not in said(host)
    kept = replace(host, backups=folder)
    check = said(kept)["Backups"]
    assert (check.ok, check.found) == (True, f"{folder}: none")  # installed yesterday
    os.utime(key, (NOW - 30 * 86400, NOW - 30 * 86400))
    assert "saseo backup" in said(kept)["Backups"].remedy
    backup(folder, NOW - 10 * 86400)
    check = said(kept)["Backups"]
    assert (check.ok, "10.0 days" in check.found) == (False, True)
    backup(folder, NOW - 86400)
    assert said(kept)["Backups"].ok


def test_without_the_keys_file_the_oldest_of_the_store_says_since_when_there_could_be_a_backup(
    host: Host, tmp_path: Path
) -> None:
    kept = replace(host, backups=tmp_path / "backups")
    assert said(kept)["Backups"].ok  # nothing is in the store yet
    assert said(replace(kept, began=lambda: NOW - 86400))["Backups"].ok
    assert "saseo backup" in said(replace(kept, began=lambda: NOW - 30 * 86400))["Backups"].remedy


def test_a_broken_backup_counts_as_none(host: Host, tmp_path: Path) -> None:
    folder = tmp_path / "backups"
    backup(folder, NOW - 10 * 86400)
    BackupShelf(folder).new(NOW).write_bytes(b"PK half written")
    assert "10.0 days" in said(replace(host, backups=folder))["Backups"].found
