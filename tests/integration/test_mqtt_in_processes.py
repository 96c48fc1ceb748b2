"""Several processes on one PostgreSQL: one listens for messages, and another when that one goes."""

import shutil
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from sqlalchemy import text

from api.listeners import mqtt_in as listening
from api.listeners.mqtt_in import MqttIn
from api.listeners.mqtt_in_session import InSession
from gateway.mqtt import BrokerAddress
from tests.mqtt_till import mqtt_till
from tests.running_house import STORE_BODY, RunningHouse, running_house
from tests.served import wait_until
from tests.services import Mosquitto


@pytest.fixture
def houses(
    tmp_path: Path, fresh_postgres_url: str, mosquitto: Mosquitto
) -> Iterator[tuple[RunningHouse, RunningHouse]]:
    """Two controllers on one database, with one signing key."""
    shared = {"database_url": fresh_postgres_url, "mqtt_url": mosquitto.url}
    with ExitStack() as stack:
        first = stack.enter_context(running_house(tmp_path / "a", with_worker=True, **shared))
        first.done("PUT", "/api/v1/stores/main", STORE_BODY)
        product = {"name": "Kruh", "price": "1.00"}
        first.done("PUT", "/api/v1/stores/main/products/1", product)
        shutil.copytree(tmp_path / "a", tmp_path / "b")
        second = stack.enter_context(running_house(tmp_path / "b", with_worker=True, **shared))
        source = {"name": "Till", "kind": "mqtt", "store": "main"}
        first.done("PUT", "/api/v1/sources/till", source)
        yield first, second


def listeners(houses: tuple[RunningHouse, ...]) -> list[MqttIn]:
    return [house.house.listeners.mqtt for house in houses]


def said(house: RunningHouse) -> list[int]:
    with house.house.database.read() as tx:
        query = "SELECT price_minor FROM price_event WHERE source = 'till' ORDER BY event_id"
        return [int(minor) for (minor,) in tx.execute(text(query))]


def test_one_of_two_processes_listens_and_the_other_goes_on_where_it_stopped(
    houses: tuple[RunningHouse, RunningHouse],
    mosquitto: Mosquitto,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    both = listeners(houses)
    wait_until(lambda: any(one.is_listening for one in both), "one that listens", 60)
    with mqtt_till(BrokerAddress.from_url(mosquitto.url)) as till:
        for n in range(50):
            till.publish("till", {"sku": "1", "price": f"2.{n:02d}"})
        wait_until(lambda: len(said(houses[0])) == 50, "fifty prices", 60)
        [here] = [one for one in both if one.is_listening]
        [there] = [one for one in both if one is not here]
        assert (here.taken, there.taken) == (50, 0)
        # It stalls before it acknowledges, and its hold runs out: the other takes over.
        monkeypatch.setattr(InSession, "acknowledge", lambda _self, _message: None)
        till.publish("till", {"sku": "1", "price": "3.00"})
        wait_until(lambda: here.taken == 51, "the next price", 60)
        monkeypatch.undo()
        monkeypatch.setattr(here, "_may_listen", lambda: False)
        here.drop_connection()
        with houses[0].house.database.writing.begin() as tx:
            tx.execute(text("UPDATE mqtt_session SET held_until = '2020-01-01'"))
        wait_until(lambda: there.is_listening, "the other listening", 60)
        till.publish("till", {"sku": "1", "price": "3.50"})
        wait_until(lambda: said(houses[0])[-1] == 350, "the last price", 60)
        assert said(houses[0]) == [*(200 + n for n in range(50)), 300, 350]
        assert (there.taken, there.repeated) == (2, 1)


def test_who_has_lost_the_session_stores_nothing_any_more(
    houses: tuple[RunningHouse, RunningHouse], mosquitto: Mosquitto, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listening, "_KEEP_EVERY_S", 3600.0)
    both = listeners(houses)
    wait_until(lambda: any(one.is_listening for one in both), "one that listens", 60)
    [here] = [one for one in both if one.is_listening]
    with houses[0].house.database.writing.begin() as tx:
        later = "UPDATE mqtt_session SET holder = 'another', held_until = '2100-01-01'"
        tx.execute(text(later))
    with mqtt_till(BrokerAddress.from_url(mosquitto.url)) as till:
        till.publish("till", {"sku": "1", "price": "9.00"})
        wait_until(lambda: not here.is_listening, "that it notices", 60)
        time.sleep(0.5)
        assert said(houses[0]) == []
        with houses[0].house.database.writing.begin() as tx:
            tx.execute(text("UPDATE mqtt_session SET held_until = '2020-01-01'"))
        wait_until(lambda: said(houses[0]) == [900], "that somebody takes it", 60)
