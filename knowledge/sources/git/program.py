"""The `git` program, closed to everything but what a source asks of it: no hooks, no prompts, no helpers, bounded in time."""

from __future__ import annotations

import contextlib
import io
import os
import re
import shutil
import signal
import subprocess
import threading
from collections.abc import Generator, Iterator, Mapping
from pathlib import Path
from typing import cast
from urllib.parse import urlsplit

_QUICK = 120.0
_PASSED_ON = frozenset(
    "PATH HOME USER LOGNAME XDG_CONFIG_HOME TMPDIR SSH_AUTH_SOCK GIT_SSH GIT_SSL_CAINFO GIT_SSL_CAPATH SSL_CERT_FILE "
    "SSL_CERT_DIR http_proxy https_proxy all_proxy no_proxy HTTP_PROXY HTTPS_PROXY ALL_PROXY NO_PROXY "
    "SYSTEMROOT USERPROFILE APPDATA LOCALAPPDATA TEMP TMP PATHEXT".split()
)
_SETTINGS = {
    # A repository's own configuration may name programs to run; none of them is.
    "core.hooksPath": os.devnull,
    "core.fsmonitor": "false",
    "core.alternateRefsCommand": "true",
    "log.showSignature": "false",
    "protocol.ext.allow": "never",
    "submodule.recurse": "false",
    "fetch.recurseSubmodules": "false",
    # The folder may belong to another user: nothing of it is run, so it need not be trusted.
    "safe.directory": "*",
    # What is read back must look the same on every machine.
    "color.ui": "false",
    "diff.relative": "false",
    "log.showRoot": "true",
    "gc.autoDetach": "false",
    "gc.pruneExpire": "now",
    "http.lowSpeedLimit": "1000",
    "http.lowSpeedTime": "60",
}
_TOKEN = "SASEO_GIT_TOKEN"  # noqa: S105 - the variable's name, set for git alone


class GitFailed(Exception):
    """git ended with an error. `words`: what it said, without secrets; empty if it was stopped by us."""

    def __init__(self, words: str) -> None:
        super().__init__(words)
        self.words = words

    @property
    def reason(self) -> str:
        """One line of it for a person."""
        lines = [line.strip() for line in self.words.splitlines() if line.strip()]
        chosen = next((line for line in lines if line.startswith(("fatal:", "ERROR:", "error:", "remote:"))), None)
        line = chosen or (lines[-1] if lines else "git failed")
        line = re.sub(r"(://)[^/@\s]*@", r"\1", line)
        return "".join(char for char in line if char.isprintable()).removeprefix("fatal: ")[:200]


class Git:
    """Commands in one repository (`directory`). `protocols`: which kinds of address it may talk to, joined by `:`."""

    def __init__(self, directory: Path, *, protocols: str = "none", url: str = "", token: str | None = None) -> None:
        self._directory = directory
        self._settings = dict(_SETTINGS)
        self._environment = _environment(directory, protocols)
        self._helper: tuple[str, ...] = ()
        if token is not None:
            self._environment[_TOKEN] = token
            self._helper = _credential_helper(url)

    @staticmethod
    def installed() -> bool:
        """Whether the program is on this machine."""
        return shutil.which("git") is not None

    def run(self, *arguments: str, seconds: float = _QUICK) -> bytes:
        """What the command prints. Raises GitFailed, also when it takes longer than `seconds`."""
        with self.start(*arguments, errors=subprocess.PIPE) as process:
            try:
                output, words = process.communicate(timeout=seconds)
            except subprocess.TimeoutExpired as error:
                raise GitFailed(f"no end after {seconds:.0f} seconds") from error
        if process.returncode != 0:
            raise GitFailed(words.decode("utf-8", "replace"))
        return output

    @contextlib.contextmanager
    def start(self, *arguments: str, errors: int = subprocess.DEVNULL) -> Iterator[subprocess.Popen[bytes]]:
        """The running command; it is ended with all its children when the block is left."""
        process = self.launch(*arguments, errors=errors)
        try:
            yield process
        finally:
            end(process)

    def records(self, *arguments: str, seconds: float = _QUICK) -> Generator[bytes]:
        """The command's output as it comes, cut at NUL. Ends early, without an error, after `seconds`."""
        with self.start(*arguments) as process:
            clock = threading.Timer(seconds, kill, [process])
            clock.daemon = True
            clock.start()
            try:
                output = cast(io.BufferedReader, process.stdout)
                rest = b""
                while chunk := output.read1(1 << 16):
                    *whole, rest = (rest + chunk).split(b"\0")
                    yield from whole
            finally:
                clock.cancel()

    def launch(self, *arguments: str, errors: int = subprocess.DEVNULL, reads: bool = False) -> subprocess.Popen[bytes]:
        """A process that the caller has to `end`; `reads`: it is told more through its standard input."""
        settings = [word for key, value in self._settings.items() for word in ("-c", f"{key}={value}")]
        return subprocess.Popen(
            ["git", "--no-pager", *settings, *self._helper, "-C", str(self._directory), *arguments],
            stdin=subprocess.PIPE if reads else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=errors,
            env=self._environment,
            start_new_session=True,  # so that its helpers (git-remote-https, ssh) can be ended with it
        )


def end(process: subprocess.Popen[bytes]) -> None:
    """Stop it and its children, and close its pipes. Harmless if it has ended."""
    kill(process)
    process.wait()
    for pipe in (process.stdin, process.stdout, process.stderr):
        if pipe is not None:
            with contextlib.suppress(OSError):
                pipe.close()


def kill(process: subprocess.Popen[bytes]) -> None:
    """Stop it and its children, which hold its pipes open."""
    if process.poll() is None:
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            process.kill()


def _environment(directory: Path, protocols: str) -> dict[str, str]:
    """Nothing of ours reaches git but what it needs: least of all other services' tokens, or a caller's GIT_DIR."""
    kept: Mapping[str, str] = {name: value for name, value in os.environ.items() if name in _PASSED_ON}
    ssh = os.environ.get("GIT_SSH_COMMAND") or "ssh -o BatchMode=yes -o ConnectTimeout=20"
    return {
        **kept,
        "LC_ALL": "C",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_ASKPASS": "true",
        "SSH_ASKPASS": "true",
        "GIT_SSH_COMMAND": ssh,
        "GIT_ALLOW_PROTOCOL": protocols,
        "GIT_LFS_SKIP_SMUDGE": "1",
        "GIT_NO_LAZY_FETCH": "1",
        "GIT_NO_REPLACE_OBJECTS": "1",
        "GIT_OPTIONAL_LOCKS": "0",
        # A folder inside another checkout is not that checkout.
        "GIT_CEILING_DIRECTORIES": str(directory.parent),
    }


def _credential_helper(url: str) -> tuple[str, ...]:
    """Answers for this one server only, from the environment: the token stands in no argument, file or log."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    user = "" if parts.username else "echo username=x-access-token; "
    script = f'!f() {{ test "$1" = get && {{ {user}echo "password=${_TOKEN}"; }}; }}; f'
    return ("-c", "credential.helper=", "-c", f"credential.{parts.scheme}://{host}.helper={script}")
