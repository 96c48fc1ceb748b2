"""Lines reach a syslog server over real sockets, and nobody ever waits for one that is away."""

import json
import os
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import timedelta
from pathlib import Path

import httpx2
import pytest
import structlog
from sqlalchemy import Connection, text

from api.audit import keeper as keeper_module
from api.audit.files import AuditFolder, checkpoint_line, read_kept_checkpoints
from api.syslog import sender as sender_module
from api.syslog.sender import Syslog, SyslogAddress, open_syslog
from api.syslog.tee import tee
from esl.domain.errors import SetupError
from esl.services import sealing as sealing_module
from esl.settings import Settings
from tests.running_house import STORE_BODY, Command, RunningHouse, running_house
from tests.served import Served, environment, wait_until
from tests.services import free_port, require
from tests.syslog_server import SyslogServer

pytest_plugins = ["tests.shop_over_http"]

AT = "2026-03-01T14:03:07.123456Z"


def line(n: int) -> dict[str, object]:
    return {"event": f"line {n}", "level": "info", "timestamp": AT, "request_id": f"till-{n:04d}"}


@contextmanager
def sending(url: str, waiting_most: int = 100) -> Iterator[Syslog]:
    syslog = Syslog(SyslogAddress.from_url(url), waiting_most=waiting_most)
    syslog.start()
    with closing(syslog):
        yield syslog


@pytest.fixture(params=["unix", "udp", "tcp"])
def server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[SyslogServer]:
    path = tmp_path / "log" if request.param == "unix" else None
    with SyslogServer(request.param, path=path) as server:
        yield server


def test_lines_arrive_whole_and_in_their_order(server: SyslogServer) -> None:
    with sending(server.url) as syslog:
        for n in range(50):
            syslog.say(line(n))
        server.until("line 49")
        assert [one.words for one in server.heard()] == [f"line {n}" for n in range(50)]
        [first, *_] = server.heard()
        assert (first.facility, first.severity) == (16, 6)
        assert (first.host, first.app, first.pid) == (socket.gethostname(), "esl", os.getpid())
        assert first.data == {"request_id": "till-0000"}
        assert (syslog.dropped, syslog.connections, syslog.reached) == (0, 1, True)


def test_a_server_that_is_away_holds_nobody_up_and_what_is_dropped_is_counted() -> None:
    port = free_port()
    with sending(f"tcp://127.0.0.1:{port}", waiting_most=50) as syslog:
        began_s = time.monotonic()
        for n in range(500):
            syslog.say(line(n))
        assert time.monotonic() - began_s < 5
        assert 449 <= syslog.dropped <= 450, "fifty wait, and one may be in the thread's hand"
        assert not syslog.reached
        dropped = syslog.dropped
        with SyslogServer("tcp", port=port) as server:
            server.until("line 49")
            assert [one.words for one in server.heard()][:50] == [f"line {n}" for n in range(50)]
            assert len(server.raw) == 500 - dropped
            assert syslog.dropped == dropped


def test_a_socket_that_is_not_there_yet_is_waited_for(tmp_path: Path) -> None:
    with sending(f"unix://{tmp_path / 'log'}") as syslog:
        syslog.say(line(1))
        with SyslogServer("unix", path=tmp_path / "log") as server:
            assert server.until("line 1").data == {"request_id": "till-0001"}


def test_a_server_that_comes_back_is_found_again() -> None:
    with SyslogServer("tcp") as server, sending(server.url) as syslog:
        syslog.say(line(1))
        server.until("line 1")
        server.__exit__()
        wait_until(lambda: not syslog.reached, "that it notices")
        syslog.say(line(2))
        with SyslogServer("tcp", port=server.port) as again:
            again.until("line 2")
            assert (syslog.connections, syslog.dropped) == (2, 0)


def test_the_end_does_not_wait_for_a_server_that_is_away() -> None:
    syslog = Syslog(SyslogAddress.from_url(f"tcp://127.0.0.1:{free_port()}"), waiting_most=50)
    syslog.start()
    for n in range(10):
        syslog.say(line(n))
    began_s = time.monotonic()
    syslog.close()
    assert time.monotonic() - began_s < 5
    assert syslog.dropped == 10


def test_a_server_that_takes_nothing_in_holds_nobody_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sender_module, "_PATIENCE_S", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        with sending(f"tcp://127.0.0.1:{deaf.getsockname()[1]}", waiting_most=10) as syslog:
            began_s = time.monotonic()
            long = line(0) | {"event": "x" * 8000}
            for _ in range(3000):
                syslog.say(long)
            assert time.monotonic() - began_s < 10
            wait_until(lambda: syslog.dropped > 0, "that lines are dropped")


def test_log_lines_go_there_as_well_while_it_is_open(tmp_path: Path) -> None:
    heard: list[str] = []

    def keep(_: object, __: str, event: structlog.typing.EventDict) -> str:
        heard.append(str(event["event"]))
        raise structlog.DropEvent

    before = structlog.get_config()
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            tee,
            keep,
        ]
    )
    try:
        with SyslogServer("unix", path=tmp_path / "log") as server:
            with (
                open_syslog(Settings(data_dir=tmp_path, syslog_url=server.url)),
                structlog.contextvars.bound_contextvars(request_id="till-0001"),
            ):
                structlog.get_logger().warning("it happened", store="main")
                found = server.until("it happened")
            structlog.get_logger().warning("after it was closed")
    finally:
        structlog.configure(**before)
    assert (found.severity, found.data) == (4, {"request_id": "till-0001", "store": "main"})
    assert heard == ["it happened", "after it was closed"]
    assert len(server.raw) == 1


def test_an_address_that_is_none_ends_the_start(command: Command) -> None:
    ran = command("serve", "--port", "0", ESL_SYSLOG_URL="http://logs.example")
    assert ran.status == 1
    assert "setting syslog_url" in ran.stderr


@pytest.mark.asvs("16.4.3")
def test_a_running_controller_tells_another_machine_what_happens_and_to_whom(
    tmp_path: Path,
) -> None:
    with SyslogServer("tcp") as server:
        (tmp_path / "esl.toml").write_text(f'syslog_url = "{server.url}"\n')
        with closing(Served(tmp_path / "data")) as served:
            runtime = served.start()
            with httpx2.Client(base_url=runtime.url, trust_env=False) as stranger:
                stranger.post(
                    "/oauth/token",
                    data={"grant_type": "client_credentials"},
                    auth=("nobody", "esl_live_nobody_x_y"),
                    headers={"X-Request-Id": "till-0001"},
                )
            said = server.until("a client was refused a token")
            metrics = httpx2.get(f"{runtime.url}/metrics", trust_env=False).text
            pid = served.pid
    assert (said.facility, said.severity, said.kind, said.pid) == (16, 4, "log", pid)
    assert said.data["request_id"] == "till-0001"
    assert "esl_syslog_connected 1.0" in metrics
    assert "esl_syslog_dropped_total 0.0" in metrics
    assert "a client was refused a token" in served.stderr.read_text()


def test_a_running_controller_sends_its_checkpoints(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(keeper_module, "LOOK_EVERY_S", 0.05)
    data = tmp_path / "data"
    with (
        SyslogServer("udp") as server,
        running_house(data, with_worker=True, syslog_url=server.url) as shop,
    ):
        shop.house.audit._sealing._waits_most_s = 0.0
        shop.done("PUT", "/api/v1/stores/main", STORE_BODY)
        kept = server.until('{"number": 1, ')
        wait_until(lambda: bool(AuditFolder(data).checkpoints()), "the file")
        assert kept.words == checkpoint_line(AuditFolder(data).checkpoints()[0])
    assert (kept.facility, kept.severity, kept.kind) == (13, 5, "checkpoint")
    assert kept.data == {"number": "1"}


# ── What syslog kept proves what the machine's owner rewrote ─────────────────────────────────


def _with_a_checkpoint(shop: RunningHouse, reason: str) -> None:
    body = STORE_BODY | {"guards": {"on": False, "reason": reason}}
    shop.done("PUT", f"/api/v1/stores/{reason}", body)
    shop.house.audit._sealing.seal_all()
    shop.house.audit._sealing._waits_most_s = 0.0
    shop.house.audit.checkpoint()


@pytest.mark.asvs("16.4.2")
def test_history_that_its_owner_cut_off_contradicts_what_syslog_kept(
    command: Command, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(sealing_module, "CHECKPOINT_AFTER", timedelta(0))
    data, kept = tmp_path / "data", tmp_path / "messages"
    with SyslogServer("udp") as server, running_house(data, syslog_url=server.url) as shop:
        for reason in ("one", "two"):
            _with_a_checkpoint(shop, reason)
            newest = AuditFolder(data).checkpoints()[-1]
            shop.house.audit._say(newest)
            shop.house.audit._say(newest)
            server.until(f'{{"number": {newest.number}, ')
        assert len(server.raw) == 2, "each is said once on a connection"
        lines = [f"Mar  1 14:03:07 shop-1 esl[1]: {one.words}" for one in server.heard()]
        lines.insert(1, "Mar  1 14:03:08 shop-1 sshd[2]: {something} else")
        kept.write_text("\n".join(lines) + "\n")
        verify = ("audit", "verify", "--data", data, "--json")
        held = command(*verify, "--checkpoints", kept)
        assert held.status == 0, held.stdout
        last = newest.number
        assert last == 2
        shop.write(lambda tx: _cut_off(tx, last))
    rest = [one for one in AuditFolder(data).checkpoints() if one.number < last]
    AuditFolder(data).checkpoints_file.unlink()
    AuditFolder(data).append(rest)
    alone, with_syslog = command(*verify), command(*verify, "--checkpoints", kept)
    assert alone.status == 0, "the machine alone cannot know"
    assert with_syslog.status == 1
    assert str(last) in json.loads(with_syslog.stdout)["wrong"]


def _cut_off(tx: Connection, number: int) -> None:
    """Take the end of the chain away, and what it sealed: who owns the database can."""
    names = tx.execute(text("SELECT name FROM sqlite_master WHERE type = 'trigger'")).scalars()
    for name in names.all():
        tx.execute(text(f'DROP TRIGGER "{name}"'))
    for table in ("audit_checkpoint", "audit_part", "audit_block"):
        tx.execute(text(f"DELETE FROM {table} WHERE number >= :n"), {"n": number})  # noqa: S608


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("nothing of ours\n", "holds no checkpoint"),
        ("", "holds no checkpoint"),
        ('{"else": 1}\n', "line 1: no checkpoint"),
        ('x esl: {"number": 1, "hash": "ab"}\n', "line 1: no checkpoint"),
    ],
)
def test_a_file_without_checkpoints_proves_nothing_and_says_so(
    tmp_path: Path, text: str, why: str
) -> None:
    (tmp_path / "kept").write_text(text)
    with pytest.raises(SetupError, match=why):
        read_kept_checkpoints(tmp_path / "kept")


# ── A real one ───────────────────────────────────────────────────────────────────────────────

RSYSLOG = """\
global(workDirectory="{folder}")
module(load="imtcp")
input(type="imtcp" port="{port}" address="127.0.0.1" supportOctetCountedFraming="on")
template(name="all" type="string" string="%app-name%|%procid%|%msgid%|%structured-data%|%msg%\\n")
action(type="omfile" file="{folder}/kept" template="all")
"""


@pytest.mark.asvs("16.2.4")
def test_rsyslog_takes_them_apart_as_they_were_meant(tmp_path: Path) -> None:
    program = require("rsyslog")
    port = free_port()
    config = tmp_path / "rsyslog.conf"
    config.write_text(RSYSLOG.format(folder=tmp_path, port=port))
    server = subprocess.Popen(
        [program, "-n", "-f", config, "-i", tmp_path / "pid"],
        env=environment(),
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        kept = tmp_path / "kept"
        with sending(f"tcp://127.0.0.1:{port}") as syslog:
            syslog.say(line(1) | {"sku": 'a"]b'})
            syslog.say(line(2) | {"event": "Öl ½ l"})
            wait_until(lambda: kept.exists() and kept.read_text().count("\n") == 2, "two", 60)
    finally:
        server.terminate()
        server.wait(30)
        assert server.stderr is not None
        server.stderr.close()
    pid = os.getpid()
    first, second = (one.replace("\ufeff", "") for one in kept.read_text("utf-8").splitlines())
    assert first == f'esl|{pid}|log|[esl@32473 request_id="till-0001" sku="a\\"\\]b"]|line 1'
    assert second == f'esl|{pid}|log|[esl@32473 request_id="till-0002"]|Öl ½ l'
