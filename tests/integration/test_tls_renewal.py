"""A certificate that is renewed on disk is shown without a restart, or refused with a reason."""

import asyncio
import os
import signal
import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509

from api.clock import MachineClock
from api.doctor import broker as broker_looks
from api.doctor.finding import Finding, Result
from api.private_files import RuntimeFile, read_runtime_file, runtime_file
from api.tls.authority import Certified, make_authority, sign_server
from api.tls.files import make_tls, renew_tls
from api.tls.keeper import CertificateKeeper
from api.tls.server_side import ServerTls, server_tls
from esl.domain.problem import ProblemKind
from esl.services.problems import find_changes, write_changes
from esl.settings import Settings
from gateway.mqtt import BrokerAddress, connect
from tests.running_house import STORE_BODY, Command, RunningHouse, running_house
from tests.secured_broker import PASSWORD, WITNESS, Authority, SecuredBroker, known_as
from tests.served import Served, wait_until

pytest_plugins = ["tests.shop_over_http"]

NAMES = ["esl.shop.example", "127.0.0.1"]


def serial(der: bytes | None) -> int:
    assert der is not None
    return x509.load_der_x509_certificate(der).serial_number


def shown_by(context: ssl.SSLContext) -> int:
    """Shake hands with a server's context in memory; return the serial of what it shows."""
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    trusting = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    trusting.check_hostname, trusting.verify_mode = False, ssl.CERT_NONE
    client = trusting.wrap_bio(to_client, to_server)
    server = context.wrap_bio(to_server, to_client, server_side=True)
    for end in (client, server, client, server):
        try:
            end.do_handshake()
        except ssl.SSLWantReadError:
            continue
    return serial(client.getpeercert(binary_form=True))


@dataclass(frozen=True, slots=True)
class Kept:
    """A keeper over a real database, and what it looks after."""

    shop: RunningHouse
    tls: ServerTls
    keeper: CertificateKeeper
    data_dir: Path
    now: datetime

    def reasons(self) -> list[str]:
        """Return the open problems with the certificate, after a look for problems."""
        now = self.now

        def look(tx: object) -> None:
            changes = find_changes(tx, now, silent_after=timedelta(minutes=3))  # type: ignore[arg-type]
            write_changes(tx, changes, now)  # type: ignore[arg-type]

        self.shop.write(look)
        rows = self.shop.read(
            "SELECT reason FROM problem WHERE kind = ? AND until IS NULL", ProblemKind.CERTIFICATE
        )
        return [str(row[0]) for row in rows]


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[Kept]:
    with running_house(tmp_path / "data") as shop:
        shop.done("PUT", "/api/v1/stores/main", STORE_BODY)
        now = MachineClock().wall()
        make_tls(tmp_path / "data", NAMES, NAMES, now - timedelta(days=1))
        tls = server_tls(Settings(data_dir=tmp_path / "data", tls=True))
        assert tls is not None
        keeper = CertificateKeeper(
            tls,
            database=shop.house.database,
            writer=shop.house.writer,
            data_dir=tmp_path / "data",
        )
        keeper.step(now)
        yield Kept(shop, tls, keeper, tmp_path / "data", now)


def test_a_renewed_pair_is_shown_and_commands_are_told(kept: Kept) -> None:
    before = shown_by(kept.tls.context)
    runtime = RuntimeFile(url="u", token="t", pid=1, certificate=kept.tls.certificate_text())
    with runtime_file(kept.data_dir, runtime):
        renew_tls(kept.data_dir, kept.now)
        kept.keeper.step(kept.now)
        told = read_runtime_file(kept.data_dir)
    assert shown_by(kept.tls.context) != before
    assert told is not None
    assert told.certificate == kept.tls.certificate_text() != runtime.certificate
    assert (told.url, told.token) == ("u", "t")
    assert kept.reasons() == []


def _pair(authority: Certified, begins: datetime) -> Certified:
    return sign_server(authority, NAMES, begins)


def _another_key(now: datetime) -> Certified:
    authority = make_authority("a", now)
    return Certified(certificate=_pair(authority, now).certificate, key=_pair(authority, now).key)


def _long_ago(now: datetime) -> Certified:
    begins = now - timedelta(days=500)
    return _pair(make_authority("a", begins), begins)


def _too_soon(now: datetime) -> Certified:
    return _pair(make_authority("a", now), now + timedelta(days=2))


def _nonsense(now: datetime) -> Certified:
    return Certified(certificate="nonsense\n", key=_long_ago(now).key)


@pytest.mark.parametrize(
    ("made", "why"),
    [
        (_another_key, "server.key is not the key of server.crt"),
        (_long_ago, "server.crt ended on "),
        (_too_soon, "server.crt begins on "),
        (_nonsense, "that is no certificate"),
    ],
    ids=["another key", "ended", "not begun", "nonsense"],
)
def test_a_pair_that_cannot_be_used_leaves_the_old_one_and_opens_a_problem(
    kept: Kept, made: Callable[[datetime], Certified], why: str
) -> None:
    before = shown_by(kept.tls.context)
    good = Certified(certificate=kept.tls.certificate.read_text(), key=kept.tls.key.read_text())
    bad = made(kept.now)
    kept.tls.key.write_text(bad.key)
    kept.tls.certificate.write_text(bad.certificate)
    kept.keeper.step(kept.now)
    assert kept.reasons() == [], "half a renewal looks the same: the second look counts"
    kept.keeper.step(kept.now)
    [reason] = kept.reasons()
    assert reason.startswith("The new certificate cannot be used: ")
    assert why in reason
    assert shown_by(kept.tls.context) == before
    kept.tls.key.write_text(good.key)
    kept.tls.certificate.write_text(good.certificate)
    kept.keeper.step(kept.now)
    assert kept.reasons() == []
    assert shown_by(kept.tls.context) == before


def test_files_that_were_removed_leave_the_old_pair(kept: Kept) -> None:
    before = shown_by(kept.tls.context)
    kept.tls.key.unlink()
    for _ in range(2):
        kept.keeper.step(kept.now)
    [reason] = kept.reasons()
    assert "server.key is missing" in reason
    assert shown_by(kept.tls.context) == before


@pytest.mark.parametrize(
    ("days_left", "said"), [(31, None), (29, "The certificate ends on"), (-1, "ended on")]
)
def test_the_end_is_told_a_month_before(kept: Kept, days_left: int, said: str | None) -> None:
    later = kept.now + timedelta(days=396 - days_left)  # it began yesterday, and has 397 days
    kept.keeper.step(later)
    reasons = kept.reasons()
    assert [said in one for one in reasons if said] == ([True] if said else [])
    renew_tls(kept.data_dir, later)
    kept.keeper.step(later)
    assert kept.reasons() == []


def test_a_running_controller_takes_up_a_renewal_and_its_commands_follow(
    command: Command, tmp_path: Path
) -> None:
    data = tmp_path / "data"
    assert command("tls", "init", "--data", data, "--name", "esl.shop.example").status == 0
    with closing(Served(data, "--tls")) as served:
        runtime = served.start()
        port = int(runtime.url.rpartition(":")[2])
        trusting = ssl.create_default_context(cafile=data / "tls" / "ca.crt")

        def shown() -> int:
            with (
                socket.create_connection(("127.0.0.1", port), timeout=30) as line,
                trusting.wrap_socket(line, server_hostname="127.0.0.1") as wrapped,
            ):
                return serial(wrapped.getpeercert(binary_form=True))

        before = shown()
        with (
            socket.create_connection(("127.0.0.1", port), timeout=30) as line,
            trusting.wrap_socket(line, server_hostname="127.0.0.1") as open_before,
        ):
            assert command("tls", "renew", "--data", data).status == 0
            wait_until(lambda: shown() != before, "the new certificate", 60)
            open_before.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            assert open_before.recv(100).startswith(b"HTTP/1.1 200")
        wait_until(lambda: read_runtime_file(data) != runtime, "the runtime file", 10)
        listed = command("token", "list", "--data", data)
        assert listed.status == 0, listed.stderr


def test_mosquitto_takes_a_renewed_certificate_at_a_reload(tmp_path: Path) -> None:
    folder = tmp_path / "broker"
    folder.mkdir()
    broker = SecuredBroker(folder, known_as({}))
    broker.start()
    try:
        trusted = broker.authority.ca.read_text()

        def look(ca_pem: str) -> Finding:
            address = BrokerAddress(host="127.0.0.1", port=broker.tls_port, tls=True, ca_pem=ca_pem)
            return broker_looks._certificate(address, MachineClock().wall())

        assert look(trusted).result is Result.WARN  # the tests' authority signs for 30 days
        renewed = Authority(folder, "own")
        assert look(trusted).result is Result.WARN, "the files alone change nothing"
        os.kill(broker.pid, signal.SIGHUP)
        fresh = renewed.ca.read_text()
        wait_until(lambda: look(fresh).result is Result.WARN, "the new certificate", 30)
        assert look(trusted).result is Result.FAIL
        asyncio.run(_comes_in(broker.tls_port, fresh))
    finally:
        broker.stop()


async def _comes_in(port: int, ca_pem: str) -> None:
    address = BrokerAddress(
        host="127.0.0.1", port=port, tls=True, ca_pem=ca_pem, username=WITNESS, password=PASSWORD
    )
    async with asyncio.timeout(30), connect(address, WITNESS) as line:
        await line.connected.wait()
