"""Logs never hold the values a fault had at hand."""

import io

import pytest
import structlog

from api.cli import logs

SECRET = "canary-Zq7"


class _Terminal(io.StringIO):
    def __init__(self, *, tty: bool) -> None:
        super().__init__()
        self._tty = tty

    def isatty(self) -> bool:
        return self._tty


@pytest.mark.parametrize("tty", [True, False], ids=["terminal", "json"])
def test_a_traceback_shows_no_local_variables(
    monkeypatch: pytest.MonkeyPatch, *, tty: bool
) -> None:
    before = structlog.get_config()
    screen = _Terminal(tty=tty)
    monkeypatch.setattr(logs.sys, "stderr", screen)
    try:
        logs.configure_logs()
        _fail(SECRET)
    finally:
        structlog.configure(**before)
    assert "went wrong" in screen.getvalue()
    assert "ValueError" in screen.getvalue()
    assert SECRET not in screen.getvalue()


def _fail(token: str) -> None:
    try:
        int(token[:0])
    except ValueError as exc:
        structlog.get_logger().error("went wrong", exc_info=exc)
