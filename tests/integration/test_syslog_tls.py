"""Syslog over TLS: to the server that is believed and to no other; renewed without a restart."""

import contextlib
import shutil
import socket
import ssl
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from api.syslog.sender import Syslog, SyslogAddress, open_syslog
from api.syslog.tls import SyslogTls
from esl.domain.errors import SetupError
from esl.settings import Settings
from tests.secured_broker import Authority
from tests.served import wait_until
from tests.syslog_server import SyslogServer

LINE = {"event": "line", "level": "info", "timestamp": "2026-03-01T14:03:07.123456Z"}


@pytest.fixture
def ours(tmp_path: Path) -> Authority:
    return Authority(tmp_path / "ours", "ours")


@pytest.fixture
def other(tmp_path: Path) -> Authority:
    return Authority(tmp_path / "other", "other")


def server_side(authority: Authority, *, asks_for: Authority | None = None) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(authority.tls.certificate, authority.tls.key)
    if asks_for is not None:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(asks_for.ca)
    return context


@contextmanager
def sending(server: SyslogServer, tls: SyslogTls) -> Iterator[Syslog]:
    syslog = Syslog(SyslogAddress.from_url(server.url), tls=tls, waiting_most=100)
    syslog.start()
    with closing(syslog):
        yield syslog


def test_lines_arrive_in_their_order_and_an_idle_line_is_not_taken_for_a_dead_one(
    ours: Authority,
) -> None:
    with SyslogServer("tls", tls=server_side(ours)) as server:
        with sending(server, SyslogTls(ca=ours.ca)) as syslog:
            for n in range(50):
                syslog.say(LINE | {"event": f"line {n}"})
            server.until("line 49")
            wait_until(lambda: syslog.sent == 50, "that all are sent")
            for n in range(50, 55):  # TLS 1.3 has sent its tickets by now
                syslog.say(LINE | {"event": f"line {n}"})
                server.until(f"line {n}")
        assert [one.words for one in server.heard()] == [f"line {n}" for n in range(55)]
        assert (syslog.connections, syslog.dropped) == (1, 0)


def test_a_server_that_is_not_believed_hears_nothing(ours: Authority, other: Authority) -> None:
    with SyslogServer("tls", tls=server_side(other)) as server:
        with sending(server, SyslogTls(ca=ours.ca)) as syslog:
            syslog.say(LINE)
            wait_until(lambda: bool(server.refused), "that it is refused")
            assert not syslog.reached
        assert server.raw == []


def test_nothing_is_said_to_a_server_without_tls(ours: Authority) -> None:
    with socket.create_server(("127.0.0.1", 0)) as plain:
        address = SyslogAddress(kind="tls", host="127.0.0.1", port=plain.getsockname()[1])
        syslog = Syslog(address, tls=SyslogTls(ca=ours.ca))
        syslog.start()
        with closing(syslog):
            syslog.say(LINE)
            line, _ = plain.accept()
            with line:
                heard = line.recv(65_536)
                line.sendall(b"hello\n")
                with contextlib.suppress(ConnectionResetError):
                    heard += line.recv(65_536)
        assert heard.startswith(b"\x16\x03"), "a hello of TLS"
        assert b"esl@32473" not in heard


def test_a_server_may_ask_who_we_are(ours: Authority, other: Authority) -> None:
    asking = server_side(ours, asks_for=other)
    with SyslogServer("tls", tls=asking) as server:
        with sending(server, SyslogTls(ca=ours.ca)) as nobody:
            nobody.say(LINE)
            wait_until(lambda: bool(server.refused), "that nobody is refused")
        assert server.raw == []
        tls = SyslogTls(ca=ours.ca, certificate=other.tls.certificate, key=other.tls.key)
        with sending(server, tls) as syslog:
            syslog.say(LINE)
            server.until("line")


def test_a_renewed_authority_is_believed_from_the_next_connection_on(
    ours: Authority, other: Authority, tmp_path: Path
) -> None:
    held = tmp_path / "ca.pem"
    shutil.copyfile(ours.ca, held)
    with (
        SyslogServer("tls", tls=server_side(ours)) as server,
        sending(server, SyslogTls(ca=held)) as syslog,
    ):
        syslog.say(LINE | {"event": "before"})
        server.until("before")
        server.__exit__()
        wait_until(lambda: not syslog.reached, "that it notices")
        shutil.copyfile(other.ca, held)
        with SyslogServer("tls", port=server.port, tls=server_side(other)) as again:
            syslog.say(LINE | {"event": "after"})
            again.until("after")
            assert syslog.dropped == 0


def test_files_that_cannot_be_used_are_told_before_anything_starts(
    ours: Authority, tmp_path: Path
) -> None:
    def opened(**files: Path) -> None:
        url = "tls://127.0.0.1:6514"
        with open_syslog(Settings(data_dir=tmp_path, syslog_url=url, **files)):  # type: ignore[arg-type]
            pass

    with pytest.raises(SetupError, match="nothing-here"):
        opened(syslog_ca_file=tmp_path / "nothing-here.pem")
    with pytest.raises(SetupError, match="belong together"):
        opened(syslog_certificate_file=ours.tls.certificate)
    with pytest.raises(SetupError, match="cannot be used"):
        opened(syslog_certificate_file=ours.tls.key, syslog_key_file=ours.tls.key)
    opened(
        syslog_ca_file=ours.ca,
        syslog_certificate_file=ours.tls.certificate,
        syslog_key_file=ours.tls.key,
    )


def test_addresses_of_tls() -> None:
    assert SyslogAddress.from_url("tls://logs.shop.lan").port == 6514
    assert str(SyslogAddress.from_url("tls://logs.shop.lan:7000")) == "tls://logs.shop.lan:7000"
    with pytest.raises(SetupError, match="tls://host:6514"):
        SyslogAddress.from_url("ssl://logs.shop.lan")
