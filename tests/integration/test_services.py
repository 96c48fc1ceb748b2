"""The services that other tests build on start, answer, keep their word, and stop."""

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from queue import Queue

import psycopg
import pytest
from paho.mqtt.client import Client, MQTTv5
from paho.mqtt.enums import CallbackAPIVersion

from gateway.mqtt import put_away
from tests import services
from tests.services import BrowserPage, Mosquitto, Postgres, ServiceFailed

PAGE = b"""<!doctype html><title>Shelf</title><img src="/local.png" alt="">
<img src="http://192.0.2.1/elsewhere.png" alt="">"""


def _connack(broker: Mosquitto, *, password: str) -> str:
    """Log in once and return the broker's answer in words."""
    answers: Queue[str] = Queue()
    client = Client(CallbackAPIVersion.VERSION2, protocol=MQTTv5)
    client.on_connect = lambda *arguments: answers.put(str(arguments[3]))
    client.username_pw_set(broker.username, password)
    client.connect(broker.host, broker.port)
    client.loop_start()
    try:
        return answers.get(timeout=10)
    finally:
        client.disconnect()
        put_away(client)


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_mosquitto_lets_in_its_login_and_nobody_else(mosquitto: Mosquitto) -> None:
    assert _connack(mosquitto, password=mosquitto.password) == "Success"
    assert _connack(mosquitto, password="guess") == "Not authorized"
    assert mosquitto.url == f"mqtt://tests:{mosquitto.password}@127.0.0.1:{mosquitto.port}"


@pytest.mark.parametrize("end", [Mosquitto.stop, Mosquitto.kill])
def test_mosquitto_comes_back_on_the_same_port(
    mosquitto: Mosquitto, end: Callable[[Mosquitto], None]
) -> None:
    port, pid = mosquitto.port, mosquitto.pid
    end(mosquitto)
    assert not _runs(pid)
    with pytest.raises(ConnectionRefusedError):
        _connack(mosquitto, password=mosquitto.password)
    mosquitto.start()
    assert mosquitto.port == port
    assert mosquitto.pid != pid
    assert _connack(mosquitto, password=mosquitto.password) == "Success"


def test_two_mosquittos_live_side_by_side(mosquitto: Mosquitto, tmp_path: Path) -> None:
    other = Mosquitto(tmp_path / "other")
    other.start()
    try:
        assert other.port != mosquitto.port
        assert _connack(other, password=mosquitto.password) == "Not authorized"
    finally:
        other.stop()


def test_a_service_that_cannot_start_says_why(tmp_path: Path) -> None:
    broker = Mosquitto(tmp_path)
    (tmp_path / "passwords").unlink()
    with pytest.raises(ServiceFailed, match="password"):
        broker.start()
    with pytest.raises(ServiceFailed, match="not running"):
        _ = broker.pid


def _libpq(url: str) -> str:
    return url.replace("postgresql+psycopg://", "postgresql://")


def test_a_fresh_database_is_empty_and_takes_unicode(fresh_postgres_url: str) -> None:
    with psycopg.connect(_libpq(fresh_postgres_url)) as connection:
        connection.execute("CREATE TABLE words (word text)")
        connection.execute("INSERT INTO words VALUES ('žganci ½')")
        assert connection.execute("SELECT word FROM words").fetchall() == [("žganci ½",)]
        row = connection.execute("SELECT current_database()").fetchone()
    assert row is not None
    assert fresh_postgres_url.endswith(f"/{row[0]}")


def test_a_database_of_one_test_is_gone_for_the_next(postgres: Postgres) -> None:
    name = postgres.create_database()
    with psycopg.connect(_libpq(postgres.url(name))):
        postgres.drop_database(name)  # although somebody is still connected
    with pytest.raises(psycopg.OperationalError, match=name):
        psycopg.connect(_libpq(postgres.url(name)))


def test_postgres_wants_the_password(postgres_url: str) -> None:
    address = _libpq(postgres_url)
    login, _, where = address.rpartition("@")
    user = login.rpartition(":")[0]
    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(f"{user}:guess@{where}")


def test_postgres_leaves_no_process_and_no_files() -> None:
    server = Postgres()
    server.start()
    pid = server.pid
    assert server.directory.exists()
    server.discard()
    assert not _runs(pid)
    assert not server.directory.exists()


@pytest.fixture
async def web_page() -> AsyncIterator[str]:
    """The address of a page that has one picture here and one elsewhere."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        head = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nConnection: close\r\n\r\n"
        writer.write(head + PAGE)
        await writer.drain()
        writer.close()
        await writer.wait_closed()

    server = await asyncio.start_server(answer, services.HOST, 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        yield f"http://{services.HOST}:{port}/"


async def test_the_browser_opens_a_page_and_lets_nothing_leave(
    browser_page: BrowserPage, web_page: str
) -> None:
    await browser_page.page.goto(web_page)
    assert await browser_page.page.title() == "Shelf"
    assert f"{web_page}local.png" in browser_page.requested
    assert browser_page.requested_elsewhere == ["http://192.0.2.1/elsewhere.png"]
    assert any("ERR_ADDRESS_UNREACHABLE" in error for error in browser_page.errors)


def test_a_missing_service_skips_unless_it_is_required(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(services, "find_program", lambda _: None)
    monkeypatch.setenv(services.REQUIRE_VARIABLE, "mosquitto")
    with pytest.raises(pytest.skip.Exception, match="apt install postgresql"):
        services.require("postgresql")
    with pytest.raises(pytest.fail.Exception, match="apt install mosquitto"):
        services.require("mosquitto")
    monkeypatch.setenv(services.REQUIRE_VARIABLE, "all")
    with pytest.raises(pytest.fail.Exception, match="apt install chromium"):
        services.require("chromium")


def test_a_misspelt_requirement_is_refused() -> None:
    with pytest.raises(ValueError, match=r"not postgres$"):
        services.required_services("mosquitto, postgres")


def test_a_price_list_that_is_not_here_skips(price_list: Callable[[str], Path]) -> None:
    with pytest.raises(pytest.skip.Exception, match=r"nowhere\.csv"):
        price_list("nowhere.csv")
