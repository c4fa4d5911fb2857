"""What `saseo doctor` says about the machine and the installation: memory, disks, clock, ports, secrets, console, backups.

Everything here is quick and reads only: no model is loaded and nothing is written.
"""

from __future__ import annotations

import errno
import http.client
import ipaddress
import json
import os
import shutil
import socket
import stat
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from bot.commands.tools import Check
from bot.errors import ConsoleNeedsAccount
from bot.messages import Language
from knowledge.errors import ExplainedError

if TYPE_CHECKING:
    from bot.settings import Settings

LEAST_FREE_GB = 2.0
BESIDE_THE_MODEL_MB = 2300
"""Of a serving process: 3.42 GB at its peak with a writer of 1.12 GB (docs/figures.md)."""
_AHEAD_SECONDS = 300.0
"""Files so much newer than the clock were written before it was set back."""
_BACKUP_DAYS = 3.0


@dataclass(frozen=True, slots=True)
class Host:
    """Where to look. The defaults are this machine."""

    settings: Settings
    models: Path
    writer_bytes: Callable[[], int]
    """Size of the configured writer; 0: unknown."""
    config: Path = Path("config.toml")
    backups: Path | None = None
    """Their folder; None: not looked at, since somebody else makes them."""
    began: Callable[[], float | None] = field(default=lambda: None)
    """When the oldest thing in the store was written; None: there is none. Raises StoreError."""
    accounts: Callable[[], int] = field(default=lambda: 0)
    """How many the console has. Raises StoreError."""
    clock: Callable[[], float] = time.time
    meminfo: Path = Path("/proc/meminfo")
    cgroup: Path = Path("/sys/fs/cgroup/memory.max")
    free: Callable[[Path], int] = field(default=lambda folder: shutil.disk_usage(folder).free)


def host_checks(host: Host) -> Iterator[Check]:
    """Each as one line; a look that the system refuses says so and does not stop the others."""
    language = host.settings.language
    for names, look in (
        (("디스크", "Disks"), _disks),
        (("메모리", "Memory"), _memory),
        (("시계", "Clock"), _clock),
        (("비밀 값", "Secrets"), _secrets),
        (("포트", "Ports"), _ports),
        (("웹 콘솔", "Web console"), _console),
        (("백업", "Backups"), _backups),
    ):
        try:
            said = look(host)
        except (OSError, ExplainedError) as error:  # of the latter kind: an unknown model, which has a check of its own
            said = _Said(f"{type(error).__name__}: {error}", f"{type(error).__name__}: {error}")
        if said is not None:
            found, remedy = said.of(language)
            yield Check(names[language != "ko"], not remedy, found, remedy)


@dataclass(frozen=True, slots=True)
class _Said:
    """What was found and what to do, in both languages."""

    ko: str
    en: str
    ko_remedy: str = ""
    en_remedy: str = ""

    def of(self, language: Language) -> tuple[str, str]:
        return (self.ko, self.ko_remedy) if language == "ko" else (self.en, self.en_remedy)


def _disks(host: Host) -> _Said:
    found: dict[Path, float] = {}
    for folder in (host.settings.data_dir, host.models):
        there = folder
        while not there.exists():
            there = there.parent
        if folder == host.settings.data_dir and not os.access(there, os.W_OK):
            return _Said(
                f"{folder}",
                f"{folder}",
                f"{there}에 쓸 수 없습니다. 권한을 확인하거나 data_dir를 바꿔 주십시오.",
                f"{there} cannot be written. Check its permissions or change data_dir.",
            )
        found[folder] = host.free(there) / 1e9
    listed = ", ".join(f"{folder} {free:.1f} GB" for folder, free in found.items())
    full = [folder for folder, free in found.items() if free < LEAST_FREE_GB]
    if not full:
        return _Said(f"여유 {listed}", f"Free: {listed}")
    return _Said(
        f"여유 {listed}",
        f"Free: {listed}",
        f"{full[0]}의 여유 공간이 {LEAST_FREE_GB:.0f} GB보다 적습니다. 공간을 비워 주십시오.",
        f"Less than {LEAST_FREE_GB:.0f} GB are free for {full[0]}. Make room.",
    )


def _memory(host: Host) -> _Said | None:
    total = _memory_mb(host)
    if total is None:
        return None  # no Linux
    size = host.writer_bytes() // 1_000_000
    needed = size + BESIDE_THE_MODEL_MB
    ko, en = f"{total / 1000:.1f} GB", f"{total / 1000:.1f} GB"
    if not size:
        return _Said(ko, en)
    name = host.settings.writer.model
    ko += f", {name} 모델로 답하는 데 약 {needed / 1000:.1f} GB"
    en += f"; answering with {name} takes about {needed / 1000:.1f} GB"
    if needed <= total:
        return _Said(ko, en)
    return _Said(
        ko,
        en,
        "메모리가 모자랍니다. 더 작은 [writer] model을 고르거나(`saseo models list`) 메모리 한도를 늘려 주십시오.",
        "That is not enough. Choose a smaller [writer] model (`saseo models list`), or raise the limit.",
    )


def _memory_mb(host: Host) -> int | None:
    """Of the machine, or what its container or service may use, if that is less."""
    try:
        lines = host.meminfo.read_text(encoding="ascii").splitlines()
    except OSError:
        return None
    known = {name: int(rest.split()[0]) for name, _, rest in (line.partition(":") for line in lines) if rest.split()}
    total = known.get("MemTotal", 0) * 1024 // 1_000_000
    try:
        limit = host.cgroup.read_text(encoding="ascii").strip()
    except OSError:
        limit = "max"
    return min(total, int(limit) // 1_000_000) if limit.isdigit() else total


def _clock(host: Host) -> _Said:
    now, zone = host.clock(), ZoneInfo(host.settings.jobs.timezone)
    shown = f"{datetime.fromtimestamp(now, zone):%Y-%m-%d %H:%M:%S %Z}"
    newest = max((file.stat().st_mtime for file in _written(host.settings.data_dir)), default=0.0)
    if newest <= now + _AHEAD_SECONDS:
        return _Said(shown, shown)
    ahead = f"{datetime.fromtimestamp(newest, zone):%Y-%m-%d %H:%M:%S %Z}"
    return _Said(
        shown,
        shown,
        f"자료에 더 나중 시각({ahead})의 파일이 있습니다. 시계가 늦게 가는 것 같습니다. 시각 동기화(NTP)를 확인해 주십시오.",
        f"There are files of a later time ({ahead}): the clock seems to be slow. Check its synchronisation (NTP).",
    )


def _written(folder: Path) -> Iterator[Path]:
    """Files that Saseo itself writes, directly in the data folder."""
    if folder.is_dir():
        yield from (one for one in folder.iterdir() if one.is_file())


def _secrets(host: Host) -> _Said | None:
    """Files with tokens that others on this machine can read."""
    files = [path for path in (host.config.parent / ".env", host.settings.data_dir / "privacy.key") if path.is_file()]
    password = urlsplit(host.settings.store.url).password
    if password and host.config.is_file() and password in host.config.read_text(encoding="utf-8", errors="replace"):
        files.append(host.config)
    if not files:
        return None
    listed = ", ".join(f"{file} ({stat.S_IMODE(file.stat().st_mode):04o})" for file in files)
    open_ones = [str(file) for file in files if file.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO)]
    if not open_ones:
        return _Said(listed, listed)
    return _Said(
        listed,
        listed,
        f"다른 사용자가 비밀 값을 읽을 수 있습니다: chmod 600 {' '.join(open_ones)}",
        f"Others can read the secrets: chmod 600 {' '.join(open_ones)}",
    )


def _ports(host: Host) -> _Said | None:
    settings = host.settings
    wanted = []
    if settings.web.enabled:
        wanted.append(("[web]", settings.web.host, settings.web.port))
    if settings.slack.enabled and settings.slack.mode == "http":
        wanted.append(("[slack]", settings.slack.host, settings.slack.port))
    ko, en, busy = [], [], []
    for key, address, port in wanted:
        state = _state(address, port)
        ko.append(f"{key} {address}:{port} {_STATES[state][0]}")
        en.append(f"{key} {address}:{port} {_STATES[state][1]}")
        if state in ("busy", "closed"):
            busy.append(f"{key} port {port}")
    if not wanted:
        return None
    return _Said(
        ", ".join(ko),
        ", ".join(en),
        f"쓸 수 없는 포트입니다: {', '.join(busy)}. 다른 포트를 고르거나 그 포트를 쓰는 프로그램을 멈춰 주십시오."
        if busy
        else "",
        f"Not to be had: {', '.join(busy)}. Choose another port, or stop the program that uses it." if busy else "",
    )


_STATES = {
    "free": ("비어 있음", "free"),
    "ours": ("Saseo가 사용 중", "used by Saseo"),
    "busy": ("다른 프로그램이 사용 중", "used by another program"),
    "closed": ("열 수 없음", "cannot be opened"),
}


def _state(address: str, port: int) -> str:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(
            socket.SOL_SOCKET, socket.SO_REUSEADDR, 1
        )  # as servers do: not every ended connection is in the way
        try:
            probe.bind((address, port))
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                return "closed"
        else:
            return "free"
    return "ours" if _healthy(address, port) else "busy"


def _healthy(address: str, port: int) -> bool:
    """Something answers `/healthz` as Saseo does."""
    local = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(address, address)  # noqa: S104 - compared, not bound
    connection = http.client.HTTPConnection(local, port, timeout=2)
    try:
        connection.request("GET", "/healthz")
        answer = connection.getresponse()
        told = json.loads(answer.read(1000))
        return answer.status == 200 and isinstance(told, dict) and told.get("status") == "ok"
    except (OSError, http.client.HTTPException, ValueError):
        return False
    finally:
        connection.close()


def _console(host: Host) -> _Said | None:
    web = host.settings.web
    if not web.enabled:
        return None
    from bot.web.security import door

    shown = web.public_url or f"http://{web.host}:{web.port}"
    if door(web.host, web.public_url, web.proxies).login and not host.accounts():
        refused = ConsoleNeedsAccount(host=web.host)
        return _Said(shown, shown, refused.explain("ko"), refused.explain("en"))
    if (
        _loopback(web.host)
        or web.public_url.startswith("https://")
        or _loopback(urlsplit(web.public_url).hostname or "")
    ):
        return _Said(shown, shown)
    return _Said(
        shown,
        shown,
        "다른 컴퓨터에서 암호화되지 않은 채로 열립니다. TLS 프록시를 앞에 두고 [web] public_url에 https:// 주소를 적거나 "
        "host를 127.0.0.1로 두어 주십시오.",
        "It can be reached from other machines without encryption. Put a TLS proxy in front and write its https:// address into "
        "[web] public_url, or leave host at 127.0.0.1.",
    )


def _loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _backups(host: Host) -> _Said | None:
    """Their age, once the installation is old enough to have one."""
    from bot.backup.shelf import BackupShelf

    if host.backups is None:
        return None
    made = BackupShelf(host.backups).newest_at()
    since = made
    if since is None:
        # Written once, when the installation began; or given by the environment.
        key = host.settings.data_dir / "privacy.key"
        since = key.stat().st_mtime if key.is_file() else host.began()
    days = max(0.0, host.clock() - since) / 86400 if since is not None else 0.0
    if made is None:
        ko, en = f"{host.backups}: 없음", f"{host.backups}: none"
    else:
        ko, en = f"{host.backups}: 최근 것은 {days:.1f}일 전", f"{host.backups}: the newest is {days:.1f} days old"
    if days <= _BACKUP_DAYS:
        return _Said(ko, en)
    return _Said(
        ko,
        en,
        "최근 백업이 없습니다. `saseo backup`으로 만들고, 백업 작업이 실행되는지 `saseo jobs list`로 확인해 주십시오.",
        "There is no recent one. Make one with `saseo backup`, and see with `saseo jobs list` whether its job runs.",
    )
