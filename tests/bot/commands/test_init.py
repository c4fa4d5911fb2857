"""`saseo init` as a person at a terminal and as a script meets it; what it writes is read by Saseo itself."""

from __future__ import annotations

import json
import os
import pty
import select
import stat
import subprocess
import sys
import time
import tomllib
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from bot.app import cli
from bot.errors import AnswerMissing, FileInTheWay, InvalidSetting, UnknownModel, WikiNotFound, WikiWithoutPages
from bot.settings_file import default_folder, load_settings
from bot.setup.answers import Answers
from bot.setup.files import config_text, env_text, write_env

ROOT = Path(__file__).resolve().parents[3]
GUILD = "123456789012345678"


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to stand in, beside a wiki of two pages and something that is none."""
    for name in list(os.environ):
        if name.upper().startswith("SASEO_"):
            monkeypatch.delenv(name)
    wiki = tmp_path / "우리 위키"
    (wiki / "인사").mkdir(parents=True)
    (wiki / "인사" / "휴가.md").write_text("# 휴가\n\n연차는 15일입니다.", encoding="utf-8")
    (wiki / "총무.html").write_text("<h1>총무</h1><p>비품</p>", encoding="utf-8")
    (wiki / "사진.png").write_bytes(b"\x89PNG")
    stand = tmp_path / "here"
    stand.mkdir()
    monkeypatch.chdir(stand)
    return stand


def init(*words: str | Path) -> Result:
    return CliRunner().invoke(cli, ["init", *map(str, words)])


def test_options_alone_give_a_file_that_saseo_reads_and_a_place_for_the_tokens(here: Path) -> None:
    wiki = here.parent / "우리 위키"
    done = init(wiki, "--slack", "--slack-admin", "U0123456789", "--guild", GUILD, "--web-port", "18787", "--yes")
    assert done.exit_code == 0, done.exception
    settings = load_settings(None)
    assert settings.sources[0].name == "우리 위키"
    assert settings.sources[0].options.path == wiki
    assert settings.data_dir == here / "var"
    assert settings.slack.enabled
    assert settings.slack.admins == ("U0123456789",)
    assert settings.discord.guild_ids == (int(GUILD),)
    assert (settings.web.enabled, settings.web.port) == (True, 18787)
    secrets = here / ".env"
    assert stat.S_IMODE(secrets.stat().st_mode) == 0o600
    assert {"SLACK_BOT_TOKEN=", "SLACK_APP_TOKEN=", "DISCORD_TOKEN="} <= set(secrets.read_text("utf-8").splitlines())
    assert "문서 2개" in done.stderr
    for command in ("saseo models pull", "saseo index", "saseo doctor", "saseo serve"):
        assert f"\n  {command}\n" in done.stdout + "\n"


def test_only_what_differs_from_the_defaults_is_written(here: Path) -> None:
    plain = config_text(Answers(wiki=here, source="wiki", data_dir=here / "var"))
    assert set(tomllib.loads(plain)) == {"data_dir", "sources"}
    other = Answers(wiki=here, source="wiki", data_dir=here, language="en", writer="qwen3-4b", web=False)
    assert tomllib.loads(config_text(other)) == {
        "data_dir": str(here),
        "language": "en",
        "sources": [{"name": "wiki", "path": str(here), "audience": ["everyone"]}],
        "writer": {"model": "qwen3-4b"},
        "web": {"enabled": False},
    }


@pytest.mark.parametrize("name", ['따옴표 " \\ 역슬래시', "줄\n바꿈", "\x7f"])
def test_a_folder_of_any_name_is_written_so_that_it_is_read_again(here: Path, name: str) -> None:
    wiki = here.parent / name
    wiki.mkdir()
    (wiki / "a.md").write_text("# a\n\nb", encoding="utf-8")
    assert init(wiki, "--yes").exit_code == 0
    assert load_settings(None).sources[0].options.path == wiki


def test_settings_can_go_to_standard_output_alone(here: Path) -> None:
    done = init(here.parent / "우리 위키", "--guild", GUILD, "--out", "-", "--yes")
    assert tomllib.loads(done.stdout)["discord"]["guild_ids"] == [int(GUILD)]
    assert list(here.iterdir()) == []


def test_a_script_gets_one_line_of_json(here: Path) -> None:
    done = init(here.parent / "우리 위키", "--json", "--no-web")
    told = json.loads(done.stdout)
    assert told["pages"] == 2
    assert told["fill"] == []
    assert told["next"][-1] == "saseo chat"
    assert tomllib.loads(Path(told["config"]).read_text("utf-8"))["web"] == {"enabled": False}


def test_a_console_that_others_can_reach_is_told_to_need_an_account(here: Path) -> None:
    told = json.loads(init(here.parent / "우리 위키", "--json", "--web-host", "0.0.0.0").stdout)  # noqa: S104
    assert told["next"] == [
        "saseo models pull",
        "saseo index",
        "saseo accounts add NAME --role admin",
        "saseo doctor",
        "saseo serve",
    ]


@pytest.mark.parametrize(
    ("installed", "typed"),
    [
        (".venv/bin/saseo", ".venv/bin/saseo"),
        ("opt/current/bin/saseo", "opt/bin/saseo"),
        ("in path/saseo", "saseo"),
        ("else where/saseo", "'else where/saseo'"),
    ],
)
def test_the_next_steps_call_the_program_as_it_is_installed(
    here: Path, monkeypatch: pytest.MonkeyPatch, installed: str, typed: str
) -> None:
    """A bundle's own wrapper knows where the models lie; a bare name is for who finds it by PATH."""
    for program in (here / installed, here / "opt" / "bin" / "saseo"):
        program.parent.mkdir(parents=True, exist_ok=True)
        program.write_text("#!/bin/sh\n", encoding="utf-8")
        program.chmod(0o755)
    monkeypatch.setenv("PATH", str(here / "in path"))
    monkeypatch.setattr(sys, "argv", [str(here / installed), "init"])
    told = json.loads(init(here.parent / "우리 위키", "--json").stdout)
    assert told["next"][-1] == f"{typed} serve"


def test_beside_the_shipped_settings_the_data_does_not_mix_with_the_demos(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.settings_file.default_folder", lambda: here)
    monkeypatch.setattr("bot.commands.init.write_config", lambda path, text, *, replace: path.write_text(text))
    assert init(here.parent / "우리 위키", "--name", "handbook", "--yes", "--out", here / "my.toml").exit_code == 0
    assert tomllib.loads((here / "my.toml").read_text("utf-8"))["data_dir"] == str(here / "var" / "handbook")


@pytest.mark.parametrize(
    ("words", "refusal"),
    [
        (["--yes"], AnswerMissing),
        (["nowhere", "--yes"], WikiNotFound),
        (["empty", "--yes"], WikiWithoutPages),
        (["wiki", "--slack-admin", "hana", "--yes"], InvalidSetting),
        (["wiki", "--discord", "--yes"], AnswerMissing),
        (["wiki", "--guild", "12", "--yes"], InvalidSetting),
        (["wiki", "--web-port", "70000", "--yes"], InvalidSetting),
        (["wiki", "--data-dir", "wiki/a.md/data", "--yes"], InvalidSetting),
        (["wiki", "--model", "qwen9", "--yes"], UnknownModel),
    ],
)
def test_what_cannot_be_used_is_refused_and_nothing_is_written(
    here: Path, words: list[str], refusal: type[Exception]
) -> None:
    (here / "empty").mkdir()
    (here / "wiki").mkdir()
    (here / "wiki" / "a.md").write_text("# a\n\nb", encoding="utf-8")
    done = init(*words)
    assert isinstance(done.exception, refusal)
    assert sorted(one.name for one in here.iterdir()) == ["empty", "wiki"]


def test_a_file_that_is_there_is_left_alone_unless_force_says_so(here: Path) -> None:
    wiki = here.parent / "우리 위키"
    kept = here / "mine.toml"
    kept.write_text('data_dir = "elsewhere"\n', encoding="utf-8")
    assert isinstance(init(wiki, "--out", kept, "--yes").exception, FileInTheWay)
    assert kept.read_text("utf-8") == 'data_dir = "elsewhere"\n'
    assert init(wiki, "--out", kept, "--yes", "--force").exit_code == 0
    assert load_settings(kept).data_dir == here / "var"


def test_the_file_that_lists_every_setting_is_never_overwritten(here: Path) -> None:
    shipped = default_folder() / "config.toml"
    before = shipped.read_bytes()
    done = init(here.parent / "우리 위키", "--out", shipped, "--yes", "--force")
    assert isinstance(done.exception, FileInTheWay)
    assert shipped.read_bytes() == before


def test_beside_a_config_toml_another_name_is_taken_by_itself(here: Path) -> None:
    (here / "config.toml").write_text("", encoding="utf-8")
    assert init(here.parent / "우리 위키", "--yes").exit_code == 0
    assert (here / "config.toml").read_text("utf-8") == ""
    assert load_settings(here / "my.toml").sources[0].name == "우리 위키"


def test_tokens_that_stand_in_an_env_file_stay_and_only_missing_names_are_added(tmp_path: Path) -> None:
    secrets = tmp_path / ".env"
    secrets.write_text("OTHER=1\nexport SLACK_BOT_TOKEN=kept", encoding="utf-8")
    secrets.chmod(0o644)
    text = env_text(Answers(wiki=tmp_path, source="w", data_dir=tmp_path, slack=True))
    assert write_env(secrets, text) == ("SLACK_APP_TOKEN",)
    assert secrets.read_text("utf-8") == "OTHER=1\nexport SLACK_BOT_TOKEN=kept\nSLACK_APP_TOKEN=\n"
    assert stat.S_IMODE(secrets.stat().st_mode) == 0o600
    assert write_env(secrets, text) == ()


def test_a_new_env_file_is_never_readable_by_others_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        write_env(tmp_path / ".env", "A=\n")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / ".env").stat().st_mode) == 0o600


class Terminal:
    """`saseo init` on a terminal of its own."""

    def __init__(self, cwd: Path) -> None:
        master, slave = pty.openpty()
        self._screen = master
        environment = {name: value for name, value in os.environ.items() if not name.startswith("SASEO_")}
        self._process = subprocess.Popen(
            [sys.executable, str(ROOT / "saseo.py"), "init"],
            cwd=cwd,
            env=environment | {"PYTHONUTF8": "1", "TERM": "dumb"},
            stdin=slave,
            stdout=slave,
            stderr=slave,
            start_new_session=True,
        )
        os.close(slave)
        self.seen = ""

    def answer(self, question: str, answer: str) -> None:
        """Wait for the question, then type."""
        self._until(question)
        os.write(self._screen, answer.encode() + b"\n")

    def _until(self, words: str) -> None:
        fresh = ""
        end = time.monotonic() + 60
        while words not in fresh:
            assert time.monotonic() < end, self.seen + fresh
            if select.select([self._screen], [], [], 1)[0]:
                fresh += os.read(self._screen, 65536).decode("utf-8", "replace")
        self.seen += fresh

    def end(self) -> int:
        """The exit code, when all was read."""
        end = time.monotonic() + 60
        while time.monotonic() < end:
            try:
                if select.select([self._screen], [], [], 1)[0]:
                    self.seen += os.read(self._screen, 65536).decode("utf-8", "replace")
            except OSError:  # the other end is closed
                break
        os.close(self._screen)
        return self._process.wait(10)


def test_a_person_is_asked_again_until_an_answer_holds(here: Path) -> None:
    terminal = Terminal(here)
    terminal.answer("Language", "")
    terminal.answer("위키 문서가 있는 폴더", "없는 폴더")
    terminal.answer("폴더를 열 수 없습니다", str(here.parent / "우리 위키"))
    terminal.answer("색인과 기록을 둘 폴더", "data")
    terminal.answer("Slack에 연결할까요", "y")
    terminal.answer("멤버 ID", "하나")
    terminal.answer("설정 값이 올바르지 않습니다", "U0123456789, U0123456780")
    terminal.answer("Discord에 연결할까요", "n")
    terminal.answer("웹 콘솔을 켤까요", "y")
    terminal.answer("포트", "18788")
    terminal.answer("이대로 쓸까요", "")
    assert terminal.end() == 0, terminal.seen
    settings = load_settings(here / "config.toml")
    assert settings.data_dir == here / "data"
    assert settings.slack.admins == ("U0123456789", "U0123456780")
    assert settings.web.port == 18788
    assert "saseo index" in terminal.seen


def test_whoever_says_no_at_the_end_has_no_file(here: Path) -> None:
    terminal = Terminal(here)
    for question, answer in (
        ("Language", "ko"),
        ("폴더", str(here.parent / "우리 위키")),
        ("기록을 둘 폴더", ""),
        ("Slack", "n"),
        ("Discord", "n"),
        ("웹 콘솔을", "n"),
        ("이대로", "n"),
    ):
        terminal.answer(question, answer)
    assert terminal.end() == 130
    assert list(here.iterdir()) == []
