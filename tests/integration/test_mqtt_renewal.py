"""A broker's authority is renewed: the next connection believes the new one, and not the old."""

import asyncio
import contextlib
import shutil
import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from gateway.mqtt import BrokerAddress, MqttConnection, connect
from tests.secured_broker import Authority
from tests.services import Mosquitto, free_port

PATIENCE_S = 30


@contextlib.asynccontextmanager
async def tls_before(broker: Mosquitto, port: int, authority: Authority) -> AsyncIterator[None]:
    """Speak TLS with an authority's certificate on a port, and hand all on to a broker."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(authority.tls.certificate, authority.tls.key)
    lines: set[asyncio.StreamWriter] = set()

    async def hand_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            while more := await reader.read(65_536):
                writer.write(more)
                await writer.drain()
        writer.close()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection(broker.host, broker.port)
        lines.update((writer, back))
        await asyncio.gather(hand_on(reader, back), hand_on(there, writer))

    server = await asyncio.start_server(serve, "127.0.0.1", port, ssl=context)
    try:
        yield
    finally:
        server.close()
        for line in lines:
            line.close()
        await server.wait_closed()


@pytest.fixture
def address(mosquitto: Mosquitto, tmp_path: Path) -> BrokerAddress:
    ours = Authority(tmp_path / "ours", "ours")
    held = tmp_path / "ca.pem"
    shutil.copyfile(ours.ca, held)
    return BrokerAddress(
        host="127.0.0.1",
        port=free_port(),
        username=mosquitto.username,
        password=mosquitto.password,
        tls=True,
        ca_pem=held.read_text("ascii"),
        ca_file=held,
    )


async def connected(line: MqttConnection, times: int) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while line.connections < times or not line.connected.is_set():  # noqa: ASYNC110
            await asyncio.sleep(0.05)


async def test_the_next_connection_goes_by_the_file_as_it_is_then(
    mosquitto: Mosquitto, address: BrokerAddress, tmp_path: Path
) -> None:
    ours = Authority(tmp_path / "again", "again")  # not the one that the file holds
    first = Authority(tmp_path / "first", "first")
    assert address.ca_file is not None
    shutil.copyfile(first.ca, address.ca_file)
    async with connect(address, "renewed", reconnect_longest_s=1) as line:
        async with tls_before(mosquitto, address.port, first):
            await connected(line, 1)
        async with tls_before(mosquitto, address.port, ours):
            await asyncio.sleep(3)
            assert line.connections == 1, "it is not believed yet"
            shutil.copyfile(ours.ca, address.ca_file)
            await connected(line, 2)
        async with tls_before(mosquitto, address.port, first):
            await asyncio.sleep(3)
            assert line.connections == 2, "the old one is believed no more"


async def test_a_file_that_cannot_be_used_changes_nothing(
    mosquitto: Mosquitto, address: BrokerAddress, tmp_path: Path
) -> None:
    ours = Authority(tmp_path / "kept", "kept")
    assert address.ca_file is not None
    shutil.copyfile(ours.ca, address.ca_file)
    with capture_logs() as lines:
        async with connect(address, "kept", reconnect_longest_s=1) as line:
            async with tls_before(mosquitto, address.port, ours):
                await connected(line, 1)
            address.ca_file.write_text("no certificate")
            async with tls_before(mosquitto, address.port, ours):
                await connected(line, 2)
            address.ca_file.unlink()
            async with tls_before(mosquitto, address.port, ours):
                await connected(line, 3)
    told = [one for one in lines if "stays as it was" in one["event"]]
    assert told
    assert told[0]["file"] == str(address.ca_file)
