"""A broker of its own for the tills, with the access rules that docs/mqtt-in.md recommends."""

import queue
import re
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from esl.domain.mqtt_in import ROOT
from gateway.mqtt import BrokerAddress, put_away
from tests.mqtt_till import mqtt_till
from tests.running_house import STORE_BODY, RunningHouse, check_problem, running_house
from tests.served import wait_until
from tests.services import Mosquitto

PAGE = Path(__file__).parents[2] / "docs/mqtt-in.md"


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    [rules] = re.findall(r"```acl\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    assert "user controller" in rules
    acl = rules.replace("user controller", "user tests")
    running = Mosquitto(tmp_path / "mosquitto", others=("till", "chain"), acl=acl)
    running.start()
    yield running
    running.stop()


@pytest.fixture
def house(tmp_path: Path, broker: Mosquitto) -> Iterator[RunningHouse]:
    with running_house(tmp_path / "data", with_worker=True, mqtt_in_url=broker.url) as running:
        running.done("PUT", "/api/v1/stores/main", STORE_BODY)
        product = {"name": "Kruh", "price": "1.00"}
        running.done("PUT", "/api/v1/stores/main/products/1", product)
        for name in ("till", "chain"):
            source = {"name": name, "kind": "mqtt", "store": "main"}
            results = {"settings": {"results": "true"}}
            running.done("PUT", f"/api/v1/sources/{name}", source | results)
        wait_until(lambda: running.house.listeners.mqtt.is_listening, "listening", 60)
        yield running


def test_a_login_may_speak_for_itself_alone_and_hear_its_own_results(
    house: RunningHouse, broker: Mosquitto
) -> None:
    address = BrokerAddress.from_url(broker.url)
    theirs = ("chain", "till/result", "chain/result", "tests")
    for topic in (*(f"esl/v1/in/{one}" for one in theirs), "esl/v1/gw-1/up"):
        # One connection each: mosquitto 2.0.11 ends it with the next message after a refusal.
        with mqtt_till(replace(address, username="till")) as till:
            till.publish("till", {"sku": "1", "price": "9.00"}, topic=topic)
            assert till.refusals == ["Not authorized"], topic
    with (
        mqtt_till(replace(address, username="till"), hears="till") as till,
        mqtt_till(replace(address, username="chain"), hears="till") as other,
    ):
        till.publish("till", {"sku": "1", "price": "1.50"})
        assert till.result()["results"][0]["decision"] == "accepted"
        with pytest.raises(queue.Empty):
            other.results.get(timeout=1.0)
    assert house.read("SELECT source, price_minor FROM price_event WHERE source <> 'api'") == [
        ("till", 150)
    ]
    assert house.done("GET", "/api/v1/refused-messages")["messages"] == []


def test_a_source_that_nobody_could_hear_is_refused_when_it_is_put(house: RunningHouse) -> None:
    body = {"name": "x", "kind": "mqtt", "store": "main"}
    for name in ("up", "down", "state"):
        check_problem(house.ask("PUT", f"/api/v1/sources/{name}", json=body), 422, "/source")
    wrong = body | {"settings": {"results": "yes", "topic": "x"}}
    answer = house.ask("PUT", "/api/v1/sources/x", json=wrong)
    assert answer.status_code == 422
    assert "/settings/results" in answer.text


def test_what_waits_for_a_controller_that_is_away_is_all_kept_by_the_config_of_the_page(
    tmp_path: Path,
) -> None:
    [config] = re.findall(r"```conf\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    broker = Mosquitto(tmp_path / "keeps", others=("till",))
    path = tmp_path / "keeps" / "mosquitto.conf"
    own = [
        line
        for line in path.read_text("utf-8").splitlines()
        if not line.startswith(("max_queued", "persistence true"))
    ]
    path.write_text("\n".join([*own, config]), "utf-8")
    broker.start()
    try:
        address = BrokerAddress.from_url(broker.url)
        away = _session(address)
        away.disconnect()
        put_away(away)
        assert "max_queued_bytes 0" in config.splitlines()  # any other value drops in silence
        many, size = 1100, 200  # more than the usual 1,000
        with mqtt_till(replace(address, username="till")) as till:
            sent = [
                till.publish("till", b"%06d" % number + b" " * size, waits=False)
                for number in range(many)
            ]
            for one in sent:
                one.wait_for_publish(60)
        got: queue.Queue[bytes] = queue.Queue()
        back = _session(address, got)
        found = [int(got.get(timeout=60)[:6]) for _ in range(many)]
        back.disconnect()
        put_away(back)
        assert found == list(range(many))
    finally:
        broker.stop()


def _session(address: BrokerAddress, got: "queue.Queue[bytes] | None" = None) -> paho.Client:
    """Connect as a controller that the broker remembers when it is away."""
    client = paho.Client(CallbackAPIVersion.VERSION2, "remembered", protocol=paho.MQTTv5)
    client.username_pw_set(address.username or "", address.password)
    ready = threading.Event()
    client.on_connect = lambda *_: client.subscribe(f"{ROOT}/+", qos=1)
    client.on_subscribe = lambda *_: ready.set()
    client.on_message = lambda _c, _u, message: got.put(message.payload) if got else None
    remembered = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
    remembered.SessionExpiryInterval = 3600
    client.connect(address.host, address.port, clean_start=False, properties=remembered)
    client.loop_start()
    assert ready.wait(60)
    return client
