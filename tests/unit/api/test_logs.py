"""Logs never hold the values a fault had at hand."""

import io
import json
import logging
import os
import socket
from contextlib import closing
from pathlib import Path

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


@pytest.mark.parametrize(("asked", "is_json"), [("json", True), ("text", False), ("", False)])
def test_the_format_can_be_asked_for(
    monkeypatch: pytest.MonkeyPatch, asked: str, *, is_json: bool
) -> None:
    screen = _say_once(monkeypatch, tty=True, ESL_LOG_FORMAT=asked)
    assert screen.getvalue().startswith("{") == is_json


@pytest.mark.asvs("16.2.4")
def test_syslog_gets_json_lines_at_their_level(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    place = tmp_path / "log"
    with closing(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)) as machine:
        machine.bind(str(place))
        machine.settimeout(30)
        screen = _say_once(monkeypatch, tty=True, syslog=str(place), ESL_LOG_TO="syslog")
        heard = machine.recv(100_000).decode()
    assert screen.getvalue() == ""
    head, _, line = heard.partition(": ")
    assert head == f"<28>esl[{os.getpid()}]"  # daemon (3) * 8 + warning (4): RFC 5424, 6.2.1
    assert json.loads(line)["event"] == "it happened"
    assert json.loads(line)["request_id"] == "till-0001"


def _say_once(
    monkeypatch: pytest.MonkeyPatch, *, tty: bool, syslog: str = "", **variables: str
) -> _Terminal:
    for name, text in variables.items():
        monkeypatch.setenv(name, text)
    before = structlog.get_config()
    screen = _Terminal(tty=tty)
    monkeypatch.setattr(logs.sys, "stderr", screen)
    try:
        logs.configure_logs(**({"syslog": syslog} if syslog else {}))
        with structlog.contextvars.bound_contextvars(request_id="till-0001"):
            structlog.get_logger().warning("it happened")
    finally:
        structlog.configure(**before)
        for handler in logging.getLogger(logs.SYSLOG_LOGGER).handlers:
            handler.close()
    return screen
