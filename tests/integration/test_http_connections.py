"""Connections that say nothing, too little or take nothing: none keeps others from being served."""

import contextlib
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import psutil
import pytest

from api import connections, edge, listening
from tests.running_house import STORE_BODY, RunningHouse, running_house
from tests.served import wait_until

HEAD = b"POST /api/v1/tokens HTTP/1.1\r\nHost: x\r\nContent-Length: 99\r\n\r\n"
SILENT = (b"", b"GET / HTTP/1.1\r\nHost: x\r\n", HEAD + b"{")
NAMES = ["nothing", "half a head", "half a body"]
MOST = 24


@pytest.fixture
def house(tmp_path: Path) -> Iterator[RunningHouse]:
    with running_house(tmp_path / "data") as running:
        running.done("PUT", "/api/v1/stores/main", STORE_BODY)
        yield running


def _connect(house: RunningHouse, says: bytes = b"") -> socket.socket:
    line = socket.create_connection(("127.0.0.1", house.port), timeout=10)
    if says:
        line.sendall(says)
    return line


def _is_open(line: socket.socket) -> bool:
    line.settimeout(0)
    with contextlib.suppress(ConnectionError):
        while True:
            try:
                if line.recv(65536) == b"":
                    return False
            except BlockingIOError:
                return True
    return False


@pytest.mark.asvs("15.2.2")
@pytest.mark.parametrize("says", SILENT, ids=NAMES)
def test_a_crowd_that_is_silent_takes_nobodys_place(
    house: RunningHouse, monkeypatch: pytest.MonkeyPatch, says: bytes
) -> None:
    monkeypatch.setattr(connections, "CONNECTIONS_MOST", MOST)
    with ExitStack() as held:
        crowd = [held.enter_context(_connect(house, says)) for _ in range(4 * MOST)]
        wait_until(lambda: sum(map(_is_open, crowd)) <= MOST, "the first of them let go")
        kept = [n for n, line in enumerate(crowd) if _is_open(line)]
        assert len(kept) >= MOST - 2, "no more are let go than room needs"
        assert min(kept) >= 4 * MOST - MOST - 1, "who has waited longest goes first"
        for n in range(5):
            fresh = held.enter_context(_connect(house))
            fresh.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
            assert fresh.recv(100).startswith(b"HTTP/1.1 200"), f"visitor {n}"


def test_whoever_is_being_served_is_not_let_go_for_room(
    house: RunningHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "CONNECTIONS_MOST", MOST)
    with ExitStack() as held:
        stream = held.enter_context(_connect(house))
        head = f"GET /api/v1/events HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {house.operator}"
        stream.sendall(head.encode() + b"\r\n\r\n")
        assert stream.recv(100).startswith(b"HTTP/1.1 200")
        for _ in range(4 * MOST):
            held.enter_context(_connect(house))
        time.sleep(0.5)
        assert _is_open(stream)


@pytest.mark.parametrize("says", SILENT[:2], ids=NAMES[:2])
def test_a_head_that_never_ends_is_waited_for_a_while(
    house: RunningHouse, monkeypatch: pytest.MonkeyPatch, says: bytes
) -> None:
    monkeypatch.setattr(connections, "HEAD_LONGEST_S", 0.5)
    with _connect(house, says) as line:
        assert _is_open(line)
        for _ in range(4):  # a byte now and then buys no time
            with contextlib.suppress(OSError):
                line.send(b"G" if not says else b"X")
            time.sleep(0.2)
        wait_until(lambda: not _is_open(line), "the end of the connection", 3.0)


def test_a_second_head_on_the_same_line_has_the_same_time(
    house: RunningHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "HEAD_LONGEST_S", 0.5)
    with _connect(house, b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n") as line:
        assert line.recv(4096).startswith(b"HTTP/1.1 200")
        line.sendall(b"G")
        wait_until(lambda: not _is_open(line), "the end of the connection", 3.0)


@pytest.mark.parametrize("limit", ["BODY_SILENT_S", "BODY_LONGEST_S"])
def test_a_body_that_does_not_come_is_answered_408(
    house: RunningHouse, monkeypatch: pytest.MonkeyPatch, limit: str
) -> None:
    monkeypatch.setattr(edge, limit, 0.5)
    with _connect(house, HEAD) as line:
        if limit == "BODY_LONGEST_S":
            for _ in range(3):
                line.sendall(b" ")
                time.sleep(0.2)
        answer = b""
        while some := line.recv(4096):  # until we are let go
            answer += some
        assert answer.startswith(b"HTTP/1.1 408"), answer
        assert b"nothing was stored" in answer or b"without a pause" in answer


def test_an_answer_that_nobody_takes_is_not_kept(
    house: RunningHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "STALLED_S", 0.5)
    names = [{"sku": f"{n}", "name": "K" * 100} for n in range(1000)]
    house.done("POST", "/api/v1/stores/main/products", names)
    asks = (
        "GET /api/v1/stores/main/products?limit=1000 HTTP/1.1\r\nHost: x\r\n"
        f"Authorization: Bearer {house.operator}\r\n\r\n"
    )
    with socket.socket() as line:
        line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        line.connect(("127.0.0.1", house.port))
        line.sendall(asks.encode() * 60)  # more than all buffers between us hold
        ours = line.getsockname()[1]
        wait_until(lambda: not _is_held(house, ours), "the end of the connection")


def _is_held(house: RunningHouse, port: int) -> bool:
    """Say whether the house, which runs in this process, has a file for a connection."""
    return any(
        one.laddr.port == house.port and one.raddr and one.raddr.port == port and one.fd >= 0
        for one in psutil.Process().net_connections("tcp")
    )


@pytest.mark.asvs("4.2.1")
def test_a_request_whose_length_is_said_in_two_ways_hides_no_other(house: RunningHouse) -> None:
    """A proxy that believes the length takes the second request for a part of the first."""
    own = f"Host: x\r\nAuthorization: Bearer {house.operator}\r\n"
    hidden = f"0\r\n\r\nGET /api/v1/stores HTTP/1.1\r\n{own}\r\n"
    for head in ("POST /api/v1/tokens", "POST /api/v1/stores/main/imports"):
        lengths = f"Content-Length: {len(hidden)}\r\nTransfer-Encoding: chunked\r\n"
        with _connect(house, f"{head} HTTP/1.1\r\n{own}{lengths}\r\n{hidden}".encode()) as line:
            answer = b""
            while piece := line.recv(65536):
                answer += piece
        assert answer.startswith(b"HTTP/1.1 400 ")
        assert answer.count(b"HTTP/1.1 ") == 1, "and nothing after it"


def test_what_anybody_can_make_the_server_say_is_logged_now_and_then(
    house: RunningHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[dict[str, object]] = []
    monkeypatch.setattr(listening, "log", _Log(told))
    with listening.server_log():
        for _ in range(50):
            with _connect(house, b"nonsense\r\n\r\n") as line:
                assert line.recv(100).startswith(b"HTTP/1.1 400 ")
        assert len(told) == 1
        monkeypatch.setattr(listening, "_TOLD_EVERY_S", 0.0)
        with _connect(house, b"nonsense\r\n\r\n") as line:
            assert line.recv(100)
    assert [one.get("times", 1) for one in told] == [1, 50]


class _Log:
    def __init__(self, told: list[dict[str, object]]) -> None:
        self._told = told

    def log(self, _level: int, _event: str, **said: object) -> None:
        self._told.append(said)
