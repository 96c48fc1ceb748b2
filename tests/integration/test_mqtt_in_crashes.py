"""I1 over MQTT: what was acknowledged is stored exactly once, across any crash.

The crashes between two steps are made within the process, where they can be made at that very
step; those at any moment with ``kill -9`` of ``esl serve``.
"""

import json
import random
import signal
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from api.client import Client
from api.listeners.mqtt_in import MqttIn
from api.listeners.mqtt_in_session import InSession
from esl.domain.errors import Unavailable
from esl.services.intake_problems import find_intake_problems
from gateway.mqtt import BrokerAddress
from tests.mqtt_till import MqttTill, mqtt_till
from tests.running_house import STORE_BODY, RunningHouse, running_house
from tests.served import Served, wait_until
from tests.services import Mosquitto

PRODUCTS = 50
MESSAGES = 900
KILLS = 2
SOURCE = {"name": "Till", "kind": "mqtt", "store": "main"}


@pytest.fixture
def address(mosquitto: Mosquitto) -> BrokerAddress:
    return BrokerAddress.from_url(mosquitto.url)


def set_up(put: Any) -> None:
    put("/api/v1/stores/main", STORE_BODY)
    for n in range(PRODUCTS):
        put(f"/api/v1/stores/main/products/p{n}", {"name": f"Product {n}", "price": "1.00"})
    put("/api/v1/sources/till", SOURCE)


def listening(house: RunningHouse) -> None:
    wait_until(lambda: house.house.listeners.mqtt.is_listening, "listening", 60)


def events(house: RunningHouse) -> list[tuple[str, int, str]]:
    return house.read(  # type: ignore[return-value]
        "SELECT sku, price_minor, decision FROM price_event WHERE source = 'till' ORDER BY event_id"
    )


def put_on(house: RunningHouse) -> Any:
    return lambda path, body: house.done("PUT", path, body)


def tell(till: MqttTill, *prices: str) -> None:
    """Tell prices by messages that join, by one that has a key, and by an array."""
    for n, price in enumerate(prices):
        body: Any = {"sku": f"p{n % 2}", "price": price}
        if n % 4 == 3:
            body = [body, {"sku": "p9", "price": price}]
        key = {"idempotency_key": f"{n}-{price}"} if n % 4 == 2 else {}
        till.publish("till", body, **key)


def test_killed_between_commit_and_acknowledgement_nothing_is_taken_twice(
    tmp_path: Path,
    mosquitto: Mosquitto,
    address: BrokerAddress,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    data = tmp_path / "data"
    with monkeypatch.context() as crashing:
        crashing.setattr(InSession, "acknowledge", lambda _self, _message: None)
        with running_house(data, with_worker=True, mqtt_url=mosquitto.url) as house:
            set_up(put_on(house))
            listening(house)
            with mqtt_till(address) as till:
                # 1.50 holds again at the end: whoever takes it all again sees two changes more.
                tell(till, "1.50", "1.60", "1.70", "1.80", "1.50")
            wait_until(lambda: house.house.listeners.mqtt.taken == 5, "five messages", 60)
            stored = events(house)
    with running_house(data, with_worker=True, mqtt_url=mosquitto.url) as house:
        listening(house)
        mqtt = house.house.listeners.mqtt
        wait_until(lambda: mqtt.taken == 5, "the same five again", 60)
        assert mqtt.repeated == 5
        assert events(house) == stored
        with mqtt_till(address) as till:
            tell(till, "1.90")
        wait_until(lambda: mqtt.taken == 6, "the next", 60)
        assert mqtt.repeated == 5
        assert [minor for sku, minor, _ in events(house) if sku == "p0"][-1] == 190


def test_killed_before_the_commit_it_comes_again_and_is_taken(
    tmp_path: Path,
    mosquitto: Mosquitto,
    address: BrokerAddress,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    data = tmp_path / "data"
    asked: list[int] = []

    def crash(_self: MqttIn, group: Any) -> Any:
        asked.append(len(group))
        raise Unavailable("the power went off before the commit")

    with monkeypatch.context() as crashing:
        crashing.setattr(MqttIn, "_store", crash)
        with running_house(data, with_worker=True, mqtt_url=mosquitto.url) as house:
            set_up(put_on(house))
            listening(house)
            with mqtt_till(address) as till:
                tell(till, "1.50", "1.60", "1.70", "1.80")
            wait_until(lambda: bool(asked), "a message", 60)
            assert events(house) == []
    with running_house(data, with_worker=True, mqtt_url=mosquitto.url) as house:
        listening(house)
        wait_until(lambda: house.house.listeners.mqtt.taken == 4, "four messages", 60)
        assert house.house.listeners.mqtt.repeated == 0
        found = [(sku, minor) for sku, minor, _ in events(house)]
        assert found == [("p0", 150), ("p1", 160), ("p0", 170), ("p1", 180), ("p9", 180)]


def test_a_broker_that_begins_anew_with_its_packet_ids_hides_no_message(
    tmp_path: Path, mosquitto: Mosquitto, address: BrokerAddress, monkeypatch: pytest.MonkeyPatch
) -> None:
    data, asked = tmp_path / "data", []

    def crash(_self: MqttIn, group: Any) -> Any:
        asked.extend(group)
        raise Unavailable("the power went off before the commit")

    first, second = {"sku": "p1", "price": "1.50"}, {"sku": "p1", "price": "1.60"}
    with running_house(data, with_worker=True, mqtt_url=mosquitto.url) as house:
        set_up(put_on(house))
        listening(house)
        with mqtt_till(address) as till:
            till.publish("till", first)
            till.publish("till", second)
        wait_until(lambda: house.house.listeners.mqtt.taken == 2, "two messages", 60)
    mosquitto.stop()
    for kept in (tmp_path / "mosquitto").glob("*.db"):
        kept.unlink()
    mosquitto.start()
    with monkeypatch.context() as crashing:
        crashing.setattr(MqttIn, "_store", crash)
        with running_house(data, with_worker=True, mqtt_url=mosquitto.url) as house:
            listening(house)
            with mqtt_till(address) as till:
                till.publish("till", first)  # with the packet id that it had the first time
            wait_until(lambda: bool(asked), "a message", 60)
            assert (asked[0].packet_id, asked[0].again) == (1, False)
    with running_house(data, with_worker=True, mqtt_url=mosquitto.url) as house:
        listening(house)
        wait_until(lambda: house.house.listeners.mqtt.taken == 1, "it again", 60)
        assert [minor for _, minor, _ in events(house)] == [150, 160, 150]


def test_while_the_database_is_away_messages_wait_and_none_is_refused(
    tmp_path: Path, mosquitto: Mosquitto, address: BrokerAddress, monkeypatch: pytest.MonkeyPatch
) -> None:
    with running_house(tmp_path / "data", with_worker=True, mqtt_url=mosquitto.url) as house:
        set_up(put_on(house))
        listening(house)
        real, left = MqttIn._store, [3]

        def away(self: MqttIn, group: Any) -> Any:
            if left[0]:
                left[0] -= 1
                raise Unavailable("the database did not answer; nothing was stored")
            return real(self, group)

        monkeypatch.setattr(MqttIn, "_store", away)
        with mqtt_till(address) as till:
            for n in range(20):
                till.publish("till", {"sku": "p1", "price": f"2.{n:02d}"})
        wait_until(lambda: len(events(house)) == 20, "all of them", 60)
        assert [minor for _, minor, _ in events(house)] == [200 + n for n in range(20)]
        assert house.done("GET", "/api/v1/refused-messages")["messages"] == []


def test_a_broker_that_restarts_loses_nothing_that_it_had_taken(
    tmp_path: Path, mosquitto: Mosquitto, address: BrokerAddress, monkeypatch: pytest.MonkeyPatch
) -> None:
    with running_house(tmp_path / "data", with_worker=True, mqtt_url=mosquitto.url) as house:
        set_up(put_on(house))
        listening(house)
        with monkeypatch.context() as slow:
            slow.setattr(InSession, "acknowledge", lambda _self, _message: None)
            with mqtt_till(address) as till:
                for n in range(5):
                    till.publish("till", {"sku": "p2", "price": f"3.0{n}"})
                wait_until(lambda: len(events(house)) == 5, "the first five", 60)
                mosquitto.stop()
                for n in range(5, 10):
                    till.publish("till", {"sku": "p2", "price": f"3.0{n}"}, waits=False)
                wait_until(lambda: not house.house.listeners.mqtt.is_listening, "its end", 60)
                problem = "SELECT problem FROM mqtt_session"
                wait_until(lambda: house.read(problem)[0][0] != "", "a problem", 60)
                now = datetime.now(UTC)
                found = house.write(lambda tx: list(find_intake_problems(tx, "main", now)))
                assert [subject for _, subject, _ in found] == ["mqtt/main"]
                mosquitto.start()
                wait_until(lambda: len(events(house)) == 10, "all ten", 60)
        assert [minor for _, minor, _ in events(house)] == [300 + n for n in range(10)]
        assert house.house.listeners.mqtt.repeated == 5
        assert house.read(problem) == [("",)]


@pytest.fixture
def served(tmp_path: Path, mosquitto: Mosquitto) -> Iterator[Served]:
    running = Served(tmp_path / "data")
    (tmp_path / "esl.toml").write_text(f'mqtt_url = "{mosquitto.url}"\n')
    yield running
    running.close()


def test_i1_mqtt_durability_each_message_is_stored_exactly_once_across_kills(
    served: Served, tmp_path: Path, address: BrokerAddress
) -> None:
    with client_of(served) as client:
        set_up(client.put)
    chance = random.Random(11)
    sent: dict[str, list[int]] = {}
    with mqtt_till(address) as till:
        wait_until(lambda: _listens(tmp_path), "listening", 60)
        infos = []
        for n in range(MESSAGES):
            sku, minor = f"p{chance.randrange(PRODUCTS)}", 1000 + chance.randrange(2)
            if sent.setdefault(sku, [])[-1:] == [minor]:
                minor += 2  # a price that holds already leaves no event
            sent[sku].append(minor)
            body = json.dumps({"sku": sku, "price": f"{minor / 100:.2f}"}).encode()
            infos.append(till.publish("till", body, waits=False))
            if n % (MESSAGES // (KILLS + 1)) == MESSAGES // (KILLS + 1) - 1 and n < MESSAGES - 10:
                time.sleep(chance.random() * 0.3)
                served.end(signal.SIGKILL)
                served.start()
        for info in infos:
            info.wait_for_publish(60)
            assert info.is_published()
        stored: dict[str, list[int]] = {}

        def all_there() -> bool:
            stored.clear()
            for sku, minor in _events(tmp_path):
                stored.setdefault(sku, []).append(minor)
            return sum(map(len, stored.values())) >= MESSAGES

        wait_until(all_there, f"{MESSAGES} messages", 120)
        time.sleep(1.0)  # whatever would be taken twice has the time to be
        all_there()
    assert stored == sent


def client_of(served: Served) -> Client:
    runtime = served.start()
    return Client(runtime.url, runtime.token, patience_s=60)


def _events(folder: Path) -> list[tuple[str, int]]:
    with closing(sqlite3.connect(f"file:{folder / 'data/esl.db'}?mode=ro", uri=True)) as database:
        return database.execute(
            "SELECT sku, price_minor FROM price_event WHERE source = 'till' ORDER BY event_id"
        ).fetchall()


def _listens(folder: Path) -> bool:
    return (
        "listening for messages"
        in (folder / "stderr.txt").read_text() + (folder / "stdout.txt").read_text()
    )
