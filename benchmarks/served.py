"""`saseo serve` as a process of its own on this machine: for measurements and tests that look at the service from outside."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx

ROOT = Path(__file__).resolve().parents[1]
_START_SECONDS, _STOP_SECONDS = 600.0, 90.0


class Service:
    """One installation in `folder`, with its config.toml and serve.log."""

    def __init__(self, folder: Path, settings: str, *, web: int = 0) -> None:
        """`settings`: TOML without `[web]` and `[metrics]`. `web`: the console's port; 0: a free one."""
        self.folder = folder
        self.config = folder / "config.toml"
        self.metrics = free_port()
        self.address = f"http://127.0.0.1:{web or free_port()}"
        """Of the console."""
        ports = f"[web]\nport = {self.address.rpartition(':')[2]}\n[metrics]\nport = {self.metrics}\n"
        self.config.write_text(f"{settings}\n{ports}", encoding="utf-8")
        self.pid = 0
        """Of the process that serves, or served last."""
        self.exit_code: int | None = None
        """Once it was stopped: 0 as it should be; negative: the signal that ended it."""

    def run(self, *verb: str, **more: str) -> None:
        """Another verb of Saseo, to its end; what it prints goes to standard error. `more`: of its environment."""
        there = environment() | more
        subprocess.run(command(self.config, *verb), check=True, cwd=self.folder, env=there, stdout=sys.stderr)

    @contextlib.contextmanager
    def serving(self) -> Iterator[str]:
        """Ready for questions; the console's address. Afterwards stopped with SIGTERM, see `exit_code`.

        Raises SystemExit if it ends by itself before that, or is not ready within ten minutes.
        """
        log = self.folder / "serve.log"
        with log.open("ab") as written:
            process = subprocess.Popen(
                command(self.config, "serve"), cwd=self.folder, env=environment(), stdout=written, stderr=written,
                stdin=subprocess.DEVNULL, start_new_session=True,
            )  # fmt: skip
        self.pid = process.pid
        try:
            self._until_ready(process, log)
            yield self.address
        finally:
            process.terminate()
            try:
                self.exit_code = process.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:  # what was measured is worth more than an exception here
                process.kill()
                self.exit_code = process.wait()

    def _until_ready(self, process: subprocess.Popen[bytes], log: Path) -> None:
        until = time.monotonic() + _START_SECONDS
        while time.monotonic() < until:
            if process.poll() is not None:
                raise SystemExit(f"saseo serve ended with code {process.returncode}:\n{_end_of(log)}")
            with contextlib.suppress(httpx.HTTPError):
                if httpx.get(f"http://127.0.0.1:{self.metrics}/readyz", trust_env=False).status_code == 200:
                    return
            time.sleep(0.3)
        raise SystemExit(f"saseo serve is not ready after {_START_SECONDS:.0f} s:\n{_end_of(log)}")


def command(config: Path, *verb: str) -> list[str]:
    """A verb of this checkout's Saseo with this configuration."""
    return [sys.executable, str(ROOT / "saseo.py"), "--config", str(config), *verb]


def environment() -> dict[str, str]:
    """Nothing of the shell's own Saseo but where models lie: a variable of it would silently win over the configuration."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith("SASEO_") or k == "SASEO_MODELS_DIR"}
    return kept | {"NO_PROXY": "127.0.0.1"}


def free_port() -> int:
    """Of this machine."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def _end_of(log: Path) -> str:
    return log.read_text(encoding="utf-8", errors="replace")[-2000:]
