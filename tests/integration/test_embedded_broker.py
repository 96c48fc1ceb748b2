"""The embedded broker as a child process: who may speak with it, and how it ends."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from stat import S_IMODE

import psutil
import pytest

from esl.domain.errors import SetupError
from gateway.broker import Waiter, embedded_broker
from tests.services import free_port

WAITER = Waiter(monotonic_s=time.monotonic, sleep_s=time.sleep)
PATIENCE_S = 20.0

PARENT = """
import sys, time
from pathlib import Path
from gateway.broker import Waiter, embedded_broker

waiter = Waiter(monotonic_s=time.monotonic, sleep_s=time.sleep)
with embedded_broker(Path(sys.argv[1]), waiter) as broker:
    print(broker.address.port, flush=True)
    sys.stdin.read()
"""


def answers(port: int, host: str = "127.0.0.1") -> bool:
    try:
        socket.create_connection((host, port), 0.5).close()
    except OSError:
        return False
    return True


def test_port_and_login_are_kept_over_restarts(tmp_path: Path) -> None:
    with embedded_broker(tmp_path, WAITER) as first:
        assert answers(first.address.port)
    assert not answers(first.address.port)
    with embedded_broker(tmp_path, WAITER) as second:
        assert second.address == first.address
        assert answers(second.address.port)


def test_two_houses_have_brokers_of_their_own(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    with (
        embedded_broker(tmp_path / "a", WAITER) as one,
        embedded_broker(tmp_path / "b", WAITER) as two,
    ):
        assert one.address.port != two.address.port
        assert one.address.password != two.address.password


def test_its_files_are_for_nobody_else(tmp_path: Path) -> None:
    old_mask = os.umask(0)
    try:
        with embedded_broker(tmp_path, WAITER) as broker:
            modes = {path.name: S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}
    finally:
        os.umask(old_mask)
    assert modes == {"broker.json": 0o600, "broker.toml": 0o600}
    assert str(broker.address.password) not in repr(broker.address)


def test_it_listens_on_loopback_only(tmp_path: Path) -> None:
    with embedded_broker(tmp_path, WAITER) as broker:
        child = broker._child
        assert child is not None
        listening = [
            found.laddr
            for found in psutil.Process(child.pid).net_connections("inet")
            if found.status == psutil.CONN_LISTEN
        ]
    assert [(address.ip, address.port) for address in listening] == [
        ("127.0.0.1", broker.address.port)
    ]


def test_it_dies_with_its_parent_whatever_kills_it(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", PARENT, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as parent:
        assert parent.stdout is not None
        port = int(parent.stdout.readline())
        [child] = psutil.Process(parent.pid).children()
        assert answers(port)
        parent.send_signal(signal.SIGKILL)
        parent.wait(PATIENCE_S)
        child.wait(PATIENCE_S)
        assert not answers(port)
    with embedded_broker(tmp_path, WAITER) as next_one:
        assert next_one.address.port == port


def test_a_port_that_somebody_else_took_is_said_in_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.broker._START_LONGEST_S", 0.2)
    with socket.socket() as other:
        port = free_port()
        other.bind(("127.0.0.1", port))
        other.listen(50)
        (tmp_path / "broker.json").write_text(json.dumps({"port": port, "password": "x"}))
        with (
            pytest.raises(SetupError, match=rf"port {port} .* taken"),
            embedded_broker(tmp_path, WAITER),
        ):
            pytest.fail("it must not start")


@pytest.mark.parametrize(
    "kept",
    [
        "",
        "{",
        "[]",
        "{}",
        '{"port": 1883}',
        '{"port": "x", "password": "y"}',
        '{"port": null, "password": "y"}',
        '{"port": 0, "password": "y"}',
        '{"port": 99999, "password": "y"}',
        '{"port": -1, "password": "y"}',
    ],
)
def test_a_kept_login_that_cannot_be_read_is_said_in_words(tmp_path: Path, kept: str) -> None:
    (tmp_path / "broker.json").write_text(kept)
    with pytest.raises(SetupError, match=r"broker\.json"), embedded_broker(tmp_path, WAITER):
        pytest.fail("it must not start")
