"""Real repositories: what a branch holds, what git may do for us, and what is said when it cannot be read."""

from __future__ import annotations

import datetime as dt
import os
import subprocess
import unicodedata
from pathlib import Path

import pytest

from knowledge.errors import (
    BranchNotFound,
    GitMissing,
    NotARepository,
    SourceDenied,
    SourceError,
    SourceNotFound,
    SourceUnreachable,
    SubfolderNotFound,
    TokenMissing,
    UnreadablePage,
)
from knowledge.page import Audience
from knowledge.sources import SourceConfig, open_source
from knowledge.sources.base import SourceFile
from knowledge.sources.git import GitOptions
from knowledge.sources.git.program import Git, GitFailed
from tests.fakes.git_server import serving


class Repository:
    """A repository as somebody works on it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True)
        self.git("init", "--quiet", "--initial-branch=main")

    def git(self, *arguments: str, day: str = "2026-01-05") -> str:
        """What the command says."""
        moment = f"{day}T12:00:00+0900"
        names = {
            f"GIT_{who}_{what}": value
            for who in ("AUTHOR", "COMMITTER")
            for what, value in (("NAME", "a"), ("EMAIL", "a@b.example"))
        }
        dates = {"GIT_AUTHOR_DATE": moment, "GIT_COMMITTER_DATE": moment}
        environment = {"PATH": os.environ["PATH"], "HOME": str(self.folder.parent), **names, **dates}
        command = ["git", "-c", "protocol.file.allow=always", "-C", str(self.folder), *arguments]
        return subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout

    def commit(self, files: dict[str, str | bytes], day: str = "2026-01-05") -> str:
        """Writes `files` and commits everything; the commit's hash."""
        for name, content in files.items():
            (self.folder / name).parent.mkdir(parents=True, exist_ok=True)
            (self.folder / name).write_bytes(content.encode() if isinstance(content, str) else content)
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "-m", "바꿈", day=day)
        return self.git("rev-parse", "HEAD").strip()


@pytest.fixture(autouse=True)
def a_home_without_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The developer's own .gitconfig must not decide these tests."""
    monkeypatch.setenv("HOME", str(tmp_path / "person"))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)


@pytest.fixture
def wiki(tmp_path: Path) -> Repository:
    return Repository(tmp_path / "wiki")


def files(
    tmp_path: Path, options: GitOptions, include: tuple[str, ...] = (), exclude: tuple[str, ...] = ()
) -> list[SourceFile]:
    config = SourceConfig("핸드북", Audience.of(["직원"]), tmp_path / "home", include, exclude)
    source = open_source("git", config, options)
    assert (source.name, source.audience) == ("핸드북", Audience.of(["직원"]))
    return list(source.files())


def by_path(found: list[SourceFile]) -> dict[str, SourceFile]:
    return {file.path: file for file in found}


def reasons(error: SourceError) -> str:
    assert error.explain("ko") != error.explain("en")
    return error.explain("en")


def test_a_clone_is_read_as_committed(tmp_path: Path, wiki: Repository) -> None:
    wiki.commit(
        {"규정/휴가.md": "연차는 15일", "안내.txt": "x", "사진.png": "x", ".github/a.md": "x", "규정/~$초안.docx": "x"}
    )
    (wiki.folder / "규정/휴가.md").write_text("아직 저장하지 않음")
    (wiki.folder / "새글.md").write_text("아직 넣지 않음")
    found = files(tmp_path, GitOptions(path=wiki.folder))
    assert [file.path for file in found] == ["규정/휴가.md", "안내.txt"]
    assert found[0].read().decode() == "연차는 15일"
    assert found[0].size == len("연차는 15일".encode())
    assert found[0].url is None


def test_a_bare_repository_is_read_alike(tmp_path: Path, wiki: Repository) -> None:
    wiki.commit({"가.md": "본문"})
    wiki.git("clone", "--quiet", "--bare", ".", str(tmp_path / "bare.git"))
    (file,) = files(tmp_path, GitOptions(path=tmp_path / "bare.git"))
    assert file.read().decode() == "본문"


def test_the_version_moves_with_the_bytes_only(tmp_path: Path, wiki: Repository) -> None:
    wiki.commit({"가.md": "하나", "나.md": "둘"})
    before = by_path(files(tmp_path, GitOptions(path=wiki.folder)))
    wiki.commit({"가.md": "셋"})
    after = by_path(files(tmp_path, GitOptions(path=wiki.folder)))
    assert after["나.md"].version == before["나.md"].version
    assert after["가.md"].version != before["가.md"].version
    assert after["가.md"].read().decode() == "셋"


def test_each_page_has_the_day_of_its_own_last_change(tmp_path: Path, wiki: Repository) -> None:
    wiki.commit({"가.md": "1", "나.md": "1", "줄\n바꿈.md": "1"}, day="2025-03-01")
    wiki.commit({"나.md": "2"}, day="2025-06-10")
    wiki.commit({}, day="2025-07-01")
    wiki.commit({"다.md": "1"}, day="2025-12-31")
    days = {file.path: file.modified for file in files(tmp_path, GitOptions(path=wiki.folder))}
    first, second = dt.date(2025, 3, 1), dt.date(2025, 6, 10)
    assert days == {"가.md": first, "나.md": second, "다.md": dt.date(2025, 12, 31), "줄\n바꿈.md": first}


def test_kept_days_follow_a_page_that_goes_back_to_what_it_was(tmp_path: Path, wiki: Repository) -> None:
    for day, text in (("2025-01-01", "처음"), ("2025-02-02", "다른"), ("2025-03-03", "처음")):
        wiki.commit({"가.md": text}, day=day)
        (file,) = files(tmp_path, GitOptions(path=wiki.folder))
        assert file.modified == dt.date.fromisoformat(day)


def test_damaged_days_are_found_again(tmp_path: Path, wiki: Repository) -> None:
    wiki.commit({"가.md": "1"}, day="2025-03-01")
    for damage in ("{", '{"가.md": 3}', "[]"):
        (tmp_path / "home").mkdir(exist_ok=True)
        (tmp_path / "home" / "dates.json").write_text(damage)
        assert files(tmp_path, GitOptions(path=wiki.folder))[0].modified == dt.date(2025, 3, 1)


def test_branch_and_subfolder_are_chosen(tmp_path: Path, wiki: Repository) -> None:
    wiki.commit({"docs/가.md": "1", "가.md": "1"})
    wiki.git("switch", "--quiet", "-c", "초안/새")
    commit = wiki.commit({"docs/나 다.md": "1"})
    wiki.git("switch", "--quiet", "main")
    link = "https://git.example.com/wiki/blob/{branch}/{path}?at={commit}"
    options = GitOptions(path=wiki.folder, branch="초안/새", subfolder="/docs/", web_url=link)
    found = files(tmp_path, options)
    assert [file.path for file in found] == ["가.md", "나 다.md"]
    quoted = "%EC%B4%88%EC%95%88/%EC%83%88/docs/%EB%82%98%20%EB%8B%A4.md"
    assert found[1].url == f"https://git.example.com/wiki/blob/{quoted}?at={commit}"


def test_include_and_exclude_count_from_the_subfolder(tmp_path: Path, wiki: Repository) -> None:
    wiki.commit({"docs/a/1.md": "", "docs/a/2.md": "", "docs/b/3.md": "", "docs/a/4.xyz": ""})
    options = GitOptions(path=wiki.folder, subfolder="docs")
    assert [file.path for file in files(tmp_path, options, ("a/**",), ("2.md",))] == ["a/1.md"]
    assert [file.path for file in files(tmp_path, options, ("*.xyz",))] == ["a/4.xyz"]


def test_links_and_submodules_are_no_pages(tmp_path: Path, wiki: Repository) -> None:
    other = Repository(tmp_path / "other")
    other.commit({"x.md": "x"})
    (wiki.folder / "밖.md").symlink_to("/etc/passwd")
    wiki.git("submodule", "--quiet", "add", str(other.folder), "하위.md")
    wiki.commit({"가.md": "1"})
    assert [file.path for file in files(tmp_path, GitOptions(path=wiki.folder))] == ["가.md"]


def test_names_are_readable_and_of_two_that_become_one_the_second_is_reported(tmp_path: Path, wiki: Repository) -> None:
    wiki.git("config", "core.precomposeUnicode", "false")
    wiki.commit(
        {
            "휴가.md": "nfc",
            unicodedata.normalize("NFD", "휴가.md"): "nfd",
            os.fsdecode("출장.md".encode("cp949")): "cp949",
        }
    )
    found = files(tmp_path, GitOptions(path=wiki.folder))
    assert [file.path for file in found] == ["출장.md", "휴가.md", "휴가.md"]
    assert found[0].read() == b"cp949"
    with pytest.raises(UnreadablePage, match="same name"):
        found[2].read()


def test_a_pointer_to_large_file_storage_is_reported(tmp_path: Path, wiki: Repository) -> None:
    wiki.commit({"큰.pdf": "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 99\n"})
    (file,) = files(tmp_path, GitOptions(path=wiki.folder))
    with pytest.raises(UnreadablePage, match="Git LFS"):
        file.read()


def test_many_pages_are_read_in_any_order_by_one_process(tmp_path: Path, wiki: Repository) -> None:
    wiki.commit({f"{number}.md": f"{number}\n\0" * 4000 for number in range(30)} | {"빈.md": ""})
    found = by_path(files(tmp_path, GitOptions(path=wiki.folder)))
    assert found["빈.md"].read() == b""
    for number in reversed(range(30)):
        assert found[f"{number}.md"].read() == f"{number}\n\0".encode() * 4000


def test_a_repository_that_is_damaged_costs_the_page(tmp_path: Path, wiki: Repository) -> None:
    wiki.commit({"가.md": "하나", "나.md": "둘"})
    found = by_path(files(tmp_path, GitOptions(path=wiki.folder)))
    sha = found["가.md"].version or ""
    (wiki.folder / ".git/objects" / sha[:2] / sha[2:]).unlink()
    with pytest.raises(UnreadablePage, match="missing"):
        found["가.md"].read()
    assert found["나.md"].read().decode() == "둘"


def test_nothing_that_a_repository_asks_for_is_run(tmp_path: Path, wiki: Repository) -> None:
    """Its configuration names programs wherever git knows a place for one."""
    wiki.commit({"가.md": "본문", ".gitattributes": "*.md filter=evil diff=evil"})
    trap = tmp_path / "trap.sh"
    trap.write_text(f"#!/bin/sh\ntouch {tmp_path / 'sprung'}\n")
    trap.chmod(0o755)
    for key in (
        "core.fsmonitor core.sshCommand core.pager pager.log core.alternateRefsCommand gpg.program diff.external "
        "diff.evil.command diff.evil.textconv filter.evil.smudge filter.evil.clean credential.helper core.askPass"
    ).split():
        wiki.git("config", key, str(trap))
    wiki.git("config", "log.showSignature", "true")
    wiki.git("config", "remote.origin.url", f"ext::{trap}")
    wiki.git("config", "extensions.partialClone", "origin")
    for hook in ("post-checkout", "reference-transaction", "pre-auto-gc", "post-index-change"):
        (wiki.folder / ".git/hooks" / hook).write_text(trap.read_text())
        (wiki.folder / ".git/hooks" / hook).chmod(0o755)
    (file,) = files(tmp_path, GitOptions(path=wiki.folder))
    assert file.read().decode() == "본문"
    (wiki.folder / ".git/objects" / (file.version or "")[:2] / (file.version or "")[2:]).unlink()
    with pytest.raises(UnreadablePage):
        files(tmp_path, GitOptions(path=wiki.folder))[0].read()  # a missing object would be fetched from the remote
    assert not (tmp_path / "sprung").exists()


def test_a_folder_inside_another_repository_is_none(tmp_path: Path, wiki: Repository) -> None:
    wiki.commit({"docs/가.md": "1"})
    with pytest.raises(NotARepository):
        files(tmp_path, GitOptions(path=wiki.folder / "docs"))


def test_git_variables_of_the_caller_do_not_lead_it_elsewhere(
    tmp_path: Path, wiki: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    wiki.commit({"가.md": "1"})
    other = Repository(tmp_path / "other")
    other.commit({"비밀.md": "1"})
    monkeypatch.setenv("GIT_DIR", str(other.folder / ".git"))
    assert [file.path for file in files(tmp_path, GitOptions(path=wiki.folder))] == ["가.md"]


def test_what_is_wrong_is_told(tmp_path: Path, wiki: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(BranchNotFound) as empty:
        files(tmp_path, GitOptions(path=wiki.folder))
    assert "no commit" in reasons(empty.value)
    wiki.commit({"가.md": "1"})
    with pytest.raises(SourceNotFound):
        files(tmp_path, GitOptions(path=tmp_path / "없음"))
    (tmp_path / "plain").mkdir()
    with pytest.raises(NotARepository, match="plain"):
        files(tmp_path, GitOptions(path=tmp_path / "plain"))
    with pytest.raises(BranchNotFound, match="nope"):
        files(tmp_path, GitOptions(path=wiki.folder, branch="nope"))
    with pytest.raises(SubfolderNotFound, match="none"):
        files(tmp_path, GitOptions(path=wiki.folder, subfolder="none"))
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(GitMissing):
        files(tmp_path, GitOptions(path=wiki.folder))


def test_a_url_is_fetched_without_history_and_only_when_it_moved(tmp_path: Path, wiki: Repository) -> None:
    wiki.commit({"가.md": "처음"}, day="2025-01-01")
    wiki.commit({"나.md": "1"}, day="2025-02-02")
    options = GitOptions(url=f"file://{wiki.folder}")
    first = by_path(files(tmp_path, options))
    # Of a shallow clone the newest commit is all there is: its day is the best that can be said.
    assert {path: file.modified for path, file in first.items()} == dict.fromkeys(
        ("가.md", "나.md"), dt.date(2025, 2, 2)
    )
    kept = tmp_path / "home" / "repository.git"
    assert (
        subprocess.run(["git", "-C", str(kept), "rev-list", "--all", "--count"], capture_output=True).stdout == b"1\n"
    )
    wiki.commit({"나.md": "2"}, day="2025-03-03")
    second = by_path(files(tmp_path, options))
    assert second["나.md"].read() == b"2"
    assert second["나.md"].modified == dt.date(2025, 3, 3)
    # An unchanged page keeps its day, so that it does not count as changed.
    assert (second["가.md"].modified, second["가.md"].version) == (dt.date(2025, 2, 2), first["가.md"].version)


def test_a_branch_that_was_rewritten_is_followed(tmp_path: Path, wiki: Repository) -> None:
    wiki.commit({"가.md": "1"})
    wiki.commit({"나.md": "1"})
    options = GitOptions(url=f"file://{wiki.folder}", branch="main")
    assert len(files(tmp_path, options)) == 2
    wiki.git("reset", "--quiet", "--hard", "HEAD~1")
    assert [file.path for file in files(tmp_path, options)] == ["가.md"]


def test_a_fetch_that_was_killed_does_not_block_the_next(tmp_path: Path, wiki: Repository) -> None:
    wiki.commit({"가.md": "1"})
    options = GitOptions(url=f"file://{wiki.folder}")
    files(tmp_path, options)
    wiki.commit({"나.md": "1"})
    kept = tmp_path / "home" / "repository.git"
    (kept / "shallow.lock").touch()
    (kept / "refs/saseo/tip.lock").touch()
    assert len(files(tmp_path, options)) == 2
    (kept / "HEAD").unlink()
    assert len(files(tmp_path, options)) == 2


def test_a_token_goes_from_the_environment_to_its_server_and_nowhere_else(
    tmp_path: Path, wiki: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    wiki.commit({"가.md": "본문"})
    monkeypatch.setenv("WIKI_TOKEN", "s3cret-토큰")
    monkeypatch.setenv("SLACK_BOT_TOKEN", "xoxb-other")
    with serving(tmp_path, token="s3cret-토큰") as server:
        url = f"{server.url}/wiki/.git"
        (file,) = files(tmp_path, GitOptions(url=url, token_env="WIKI_TOKEN"))
        assert file.read().decode() == "본문"
        assert set(server.shown) == {"x-access-token:s3cret-토큰"}
        files(tmp_path, GitOptions(url=url.replace("http://", "http://bot@"), token_env="WIKI_TOKEN"))
        assert server.shown[-1] == "bot:s3cret-토큰"
    for kept in (tmp_path / "home").rglob("*"):
        assert not kept.is_file() or b"s3cret" not in kept.read_bytes()
    environment = Git(tmp_path, url=url, token="s3cret")
    with environment.start("-c", "alias.shown=!env", "shown") as process:
        told, _ = process.communicate()
    assert b"xoxb-other" not in told


def test_a_wrong_token_and_a_missing_one_are_told_apart(
    tmp_path: Path, wiki: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    wiki.commit({"가.md": "본문"})
    with serving(tmp_path, token="right") as server:
        options = GitOptions(url=f"{server.url}/wiki/.git", token_env="WIKI_TOKEN")
        with pytest.raises(TokenMissing, match="WIKI_TOKEN"):
            files(tmp_path, options)
        monkeypatch.setenv("WIKI_TOKEN", "wrong-one")
        with pytest.raises(SourceDenied) as denied:
            files(tmp_path, options)
        assert "Authentication failed" in reasons(denied.value)
        assert "wrong-one" not in reasons(denied.value)
        with pytest.raises(SourceDenied):
            files(tmp_path, GitOptions(url=f"{server.url}/wiki/.git"))


def test_a_server_that_is_away_or_lacks_the_branch_is_told(tmp_path: Path, wiki: Repository) -> None:
    wiki.commit({"가.md": "본문"})
    with serving(tmp_path) as server, pytest.raises(BranchNotFound, match="nope"):
        files(tmp_path, GitOptions(url=f"{server.url}/wiki/.git", branch="nope"))
    with pytest.raises(SourceUnreachable, match="connect"):
        files(tmp_path, GitOptions(url=f"{server.url}/wiki/.git"))
    with pytest.raises(SourceUnreachable):
        files(tmp_path, GitOptions(url=f"file://{tmp_path}/none"))


def test_a_command_that_does_not_end_is_stopped_with_its_children(tmp_path: Path) -> None:
    git = Git(tmp_path)
    with pytest.raises(GitFailed, match="no end"):
        git.run("-c", "alias.wait=!sleep 600 & sleep 600", "wait", seconds=0.2)
    assert list(git.records("-c", "alias.wait=!printf 'a\\0b\\0'; sleep 600", "wait", seconds=0.5)) == [b"a", b"b"]


@pytest.mark.parametrize(
    "keys",
    [
        {},
        {"path": Path("a"), "url": "https://git.example.com/a"},
        {"url": "ext::sh -c evil"},
        {"url": "--upload-pack=evil"},
        {"url": "-oProxyCommand=evil:a"},
        {"url": "ssh://-oProxyCommand=evil/a"},
        {"url": "https://user:token@git.example.com/a"},
        {"url": "http://git.example.com/a", "token_env": "T"},
        {"url": "git@git.example.com:a.git", "token_env": "T"},
        {"path": Path("a"), "token_env": "T"},
        {"path": Path("a"), "branch": "--all"},
        {"path": Path("a"), "branch": "a..b"},
        {"path": Path("a"), "subfolder": "../b"},
        {"path": Path("a"), "web_url": "https://git.example.com/{path.__class__}"},
        {"path": Path("a"), "web_url": "javascript:{path}"},
    ],
)
def test_options_that_cannot_be_meant_are_refused(keys: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        GitOptions(**keys)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "url", ["https://git.example.com/a.git", "git@git.example.com:team/a.git", "ssh://git@h:22/a", "file:///srv/a"]
)
def test_addresses_as_people_copy_them_are_taken(url: str) -> None:
    assert GitOptions(url=url).url == url
