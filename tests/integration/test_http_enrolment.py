"""A gateway enrols with a one-time token, and loses its login while it is connected."""

import asyncio
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from api.broker_access.rights import Role
from api.guesses import FAILURES_OF_ONE, Guesses
from gateway.mqtt import connect
from gateway.wire.enrolment import Enrolment, from_json
from simulator.ceiling import broker_of
from tests.running_house import STORE_BODY, RunningHouse, check_problem, running_house
from tests.secured_broker import Client, SecuredBroker, known_as, password_of
from tests.served import wait_until
from tests.services import HOST

CONTROLLER = "esl"
GATEWAYS = "/api/v1/stores/main/gateways"


@dataclass(frozen=True, slots=True)
class Shop:
    """A house on a mosquitto whose rules it keeps."""

    house: RunningHouse
    broker: SecuredBroker

    def enrol(self, gateway: str) -> Enrolment:
        """Register a gateway, and have it enrol by its token."""
        token = self.house.done("POST", f"{GATEWAYS}/{gateway}/tokens", {})["token"]
        answer = self.house.ask("POST", "/api/v1/enrolments", json={"token": token}, token=None)
        assert answer.status_code == 200, answer.text
        return from_json(answer.content)

    def client(self, enrolment: Enrolment) -> Client:
        """The gateway, as its file says; not connected."""
        context = ssl.create_default_context(cadata=enrolment.ca_pem)
        return Client(
            enrolment.port,
            enrolment.username,
            enrolment.password,
            client_id=enrolment.gateway,
            context=context,
        )

    def gets_in(self, enrolment: Enrolment) -> bool:
        """Say whether the broker lets it in at this moment."""
        client = self.client(enrolment)
        try:
            return client.connect()
        finally:
            client.close()


@pytest.fixture(params=["files", "dynamic"])
def shop(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Shop]:
    dynamic = request.param == "dynamic"
    roles = known_as({CONTROLLER: Role.CONTROLLER})
    broker = SecuredBroker(tmp_path / "broker", roles, dynamic=dynamic)
    broker.start()
    how: dict[str, Any] = {
        "mqtt_url": f"mqtt://{CONTROLLER}:{password_of(CONTROLLER)}@{HOST}:{broker.port}",
        "gateway_mqtt_url": f"mqtts://{HOST}:{broker.tls_port}",
        "mqtt_ca_file": broker.authority.ca,
    }
    if dynamic:
        how["broker_control_url"] = broker.control_url
    else:
        how["broker_files"] = broker.folder
        how["broker_pid_file"] = broker.folder / "mosquitto.pid"
    try:
        with running_house(tmp_path / "data", with_worker=True, **how) as house:
            house.done("PUT", "/api/v1/stores/main", STORE_BODY)
            yield Shop(house, broker)
    finally:
        broker.stop()


def test_a_token_gives_a_login_and_revoking_it_ends_the_session(shop: Shop) -> None:
    first, second = shop.enrol("gw-1"), shop.enrol("gw-2")
    assert (first.host, first.port, first.tls) == (HOST, shop.broker.tls_port, True)
    assert first.username == first.gateway == "gw-1"
    assert len(first.password) >= 43, "256 bits in base64"
    assert first.ca_pem == shop.broker.authority.ca.read_text()
    wait_until(lambda: shop.gets_in(first) and shop.gets_in(second), "both are let in", 60)
    one, other = shop.client(first), shop.client(second)
    delivery = shop.house.house.delivery
    assert delivery is not None
    try:
        assert one.connect()
        assert other.connect()
        assert one.publish("esl/v1/gw-1/up", b"\x90")
        assert delivery.roster.entry("gw-1") is not None
        answer = shop.house.done("DELETE", f"{GATEWAYS}/gw-1/login")
        assert "ends the session" in answer["broker"]
        assert one.ended.wait(60), "its session goes on"
        assert delivery.roster.entry("gw-1") is None, "nobody listens to it"
        assert not shop.gets_in(first)
        assert other.publish("esl/v1/gw-2/up", b"\x90")
        assert not other.ended.is_set()
    finally:
        one.close()
        other.close()
    again = shop.enrol("gw-1")
    assert again.password != first.password
    wait_until(lambda: shop.gets_in(again), "it is let in again", 60)
    assert not shop.gets_in(first)
    assert delivery.roster.entry("gw-1") is not None


def test_another_password_ends_the_one_before(shop: Shop) -> None:
    old = from_json(shop.house.ask("PUT", f"{GATEWAYS}/gw-1").content)
    same = from_json(shop.house.ask("PUT", f"{GATEWAYS}/gw-1", json={}).content)
    assert same == old
    wait_until(lambda: shop.gets_in(old), "it is let in", 60)
    client = shop.client(old)
    try:
        assert client.connect()
        answer = shop.house.ask("PUT", f"{GATEWAYS}/gw-1", json={"password": "new"})
        new = from_json(answer.content)
        assert client.ended.wait(60)
    finally:
        client.close()
    wait_until(lambda: shop.gets_in(new), "it is let in with the new one", 60)
    assert not shop.gets_in(old)

    async def be_there() -> None:
        async with connect(broker_of(new), new.gateway) as gateway:
            async with asyncio.timeout(60):
                await gateway.connected.wait()

    asyncio.run(be_there())  # the product's own client trusts the authority of the file


def test_a_till_gets_a_login_of_its_own(shop: Shop) -> None:
    source = {"name": "Till", "kind": "mqtt", "store": "main"}
    shop.house.done("PUT", "/api/v1/sources/till", source)
    shop.enrol("gw-1")
    login = shop.house.done("POST", "/api/v1/sources/till/login")
    context = ssl.create_default_context(cafile=str(shop.broker.authority.ca))

    def gets_in() -> bool:
        till = Client(
            shop.broker.tls_port, "till", login["password"], context=context, client_id="till"
        )
        try:
            if not till.connect():
                return False
            assert not till.publish("esl/v1/gw-1/down", b"x")
            return True
        finally:
            till.close()

    wait_until(gets_in, "the till is let in", 60)
    clash = {"name": "Clash", "kind": "mqtt", "store": "main"}
    shop.house.done("PUT", "/api/v1/sources/gw-1", clash)
    check_problem(shop.house.ask("POST", "/api/v1/sources/gw-1/login"), 409)


# ── The token, on a house with its own small broker ────────────────────────────────────────


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHouse]:
    with running_house(tmp_path_factory.mktemp("house") / "data") as running:
        running.done("PUT", "/api/v1/stores/main", STORE_BODY)
        yield running


@pytest.mark.asvs("6.5.1", "6.5.2")
def test_a_token_serves_once_and_the_next_one_ends_it(house: RunningHouse) -> None:
    made = house.done("POST", f"{GATEWAYS}/gw-1/tokens", {"lasts_s": 600})
    answer = house.ask("POST", "/api/v1/enrolments", json={"token": made["token"]}, token=None)
    enrolment = from_json(answer.content)
    assert enrolment.public_keys().keys() == {house.house.key.key_id}
    assert enrolment.ca_pem is None
    again = house.ask("POST", "/api/v1/enrolments", json={"token": made["token"]}, token=None)
    assert "was used" in check_problem(again, 403)["detail"]
    older = house.done("POST", f"{GATEWAYS}/gw-1/tokens")["token"]
    newer = house.done("POST", f"{GATEWAYS}/gw-1/tokens")["token"]
    for text, status in ((older, 403), (newer, 200)):
        answer = house.ask("POST", "/api/v1/enrolments", json={"token": text}, token=None)
        assert answer.status_code == status
    kept = str(house.everything_stored())
    assert not any(text.rpartition("-")[2] in kept for text in (made["token"], older, newer))


def test_a_token_that_is_out_of_date_or_revoked_is_refused_in_words(house: RunningHouse) -> None:
    token = house.done("POST", f"{GATEWAYS}/gw-1/tokens", {"lasts_s": 60})["token"]
    house.house.writer.write(
        lambda tx: tx.exec_driver_sql("UPDATE gateway_token SET expires_at = made_at")
    )
    answer = house.ask("POST", "/api/v1/enrolments", json={"token": token}, token=None)
    assert "time was over" in check_problem(answer, 403)["detail"]
    token = house.done("POST", f"{GATEWAYS}/gw-1/tokens")["token"]
    assert "a login for all" in house.done("DELETE", f"{GATEWAYS}/gw-1/login")["broker"]
    answer = house.ask("POST", "/api/v1/enrolments", json={"token": token}, token=None)
    assert "no gateway" in check_problem(answer, 403)["detail"]


@pytest.mark.asvs("6.3.1")
def test_who_guesses_is_slowed_down_and_shuts_nobody_else_out(house: RunningHouse) -> None:
    token = house.done("POST", f"{GATEWAYS}/gw-1/tokens")["token"]
    house.app.state.guesses = Guesses()
    altered = token[:-1] + ("0" if token[-1] != "0" else "1")
    guesses = [altered, token.replace("gw-1", "gw-2"), token.upper(), "esl-enrol-gw-1-", "x"]
    for number in range(FAILURES_OF_ONE):
        guess = guesses[number % len(guesses)]
        check_problem(
            house.ask("POST", "/api/v1/enrolments", json={"token": guess}, token=None), 403
        )
    slowed = house.ask("POST", "/api/v1/enrolments", json={"token": token}, token=None)
    check_problem(slowed, 429)
    assert 1 <= int(slowed.headers["retry-after"]) <= 61
    house.app.state.guesses = Guesses()  # a minute later
    answer = house.ask("POST", "/api/v1/enrolments", json={"token": token}, token=None)
    assert answer.status_code == 200, "the token was not used up by those who guessed"


@pytest.mark.parametrize(
    ("body", "pointer"),
    [({"lasts_s": 59}, "/lasts_s"), ({"lasts_s": 604_801}, "/lasts_s"), ({"x": 1}, "/x")],
)
def test_a_bad_wish_for_a_token_is_pointed_at(
    house: RunningHouse, body: dict[str, Any], pointer: str
) -> None:
    check_problem(house.ask("POST", f"{GATEWAYS}/gw-1/tokens", json=body), 422, pointer)


def test_no_gateway_takes_the_place_of_the_tills(house: RunningHouse) -> None:
    check_problem(house.ask("POST", f"{GATEWAYS}/in/tokens", json={}), 422, "/gateway")
    bad = house.ask("PUT", f"{GATEWAYS}/gw-1", json={"password": "hunter2"})
    check_problem(bad, 422, "/password")
    assert "hunter2" not in bad.text
