"""How `main` ends a command that somebody broke off."""

from __future__ import annotations

import sys

import click
import pytest

from bot import app, texts


@pytest.mark.parametrize(
    ("cause", "told"),
    [
        (KeyboardInterrupt(), texts.interrupted("ko")),
        (EOFError(), texts.unconfirmed("ko")),
        (None, texts.unconfirmed("ko")),
    ],
)
def test_a_no_is_not_told_as_ctrl_c(
    cause: BaseException | None, told: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def aborted(*_: object, **__: object) -> None:
        raise click.Abort from cause

    monkeypatch.setattr(app.cli, "main", aborted)
    monkeypatch.setattr(sys, "argv", ["saseo", "restore", "some.zip"])
    with pytest.raises(SystemExit) as ended:
        app.main()
    assert ended.value.code == 130
    assert capsys.readouterr().err.strip() == told
