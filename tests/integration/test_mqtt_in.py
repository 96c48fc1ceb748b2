"""Price changes over MQTT, on both brokers: what is taken, what is refused, what is told."""

import json
import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from api.listeners import mqtt_in_reading
from esl.domain.mqtt_in import KEPT_BYTES, InMessage, Refusal
from esl.services.intake_problems import find_intake_problems
from esl.store import mqtt_in
from tests.mqtt_till import MqttTill, mqtt_till
from tests.running_house import STORE_BODY, RunningHouse, check_problem, running_house
from tests.served import wait_until
from tests.services import Mosquitto

MAPPED = """
name: mapped
format: json
currency: EUR
items: "items"
fields: {store: "item.shop", sku: "item.sku", name: "item.name", price: "item.price"}
"""
MANY = {True: 10_000, False: 2_000}  # on mosquitto, on the embedded broker
PRODUCTS = 100


@dataclass(frozen=True, slots=True)
class Shop:
    """A house that listens, and its till."""

    house: RunningHouse
    till: MqttTill

    def prices(self, store: str = "main") -> dict[str, int]:
        found = self.house.read("SELECT sku, price_minor FROM price WHERE store_id = ?", store)
        return dict(found)  # type: ignore[arg-type]

    def refused(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.house.done("GET", "/api/v1/refused-messages")["messages"]
        return found

    def put_source(self, name: str, **fields: Any) -> None:
        body = {"name": name, "kind": "mqtt"} | fields
        self.house.done("PUT", f"/api/v1/sources/{name}", body)


def open_shop(house: RunningHouse) -> None:
    """Make the stores and the source that the tests speak of, and wait until it is heard."""
    for store in ("main", "pula"):
        house.done("PUT", f"/api/v1/stores/{store}", STORE_BODY)
    products = [{"sku": f"p{n}", "name": f"Product {n}", "price": "1.00"} for n in range(PRODUCTS)]
    house.done("POST", "/api/v1/stores/main/products", products)
    results = {"store": "main", "settings": {"results": "true"}}
    house.done("PUT", "/api/v1/sources/till", {"name": "Till", "kind": "mqtt"} | results)
    wait_until(lambda: house.house.listeners.mqtt.is_listening, "listening", 60)


@pytest.fixture(scope="module", params=["embedded", "mosquitto"])
def house(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningHouse]:
    folder = tmp_path_factory.mktemp("mqtt")
    settings: dict[str, Any] = {}
    broker: Mosquitto | None = None
    if request.param == "mosquitto":
        broker = Mosquitto(folder / "mosquitto")
        broker.start()
        settings["mqtt_url"] = broker.url
    try:
        with running_house(folder / "data", with_worker=True, **settings) as running:
            open_shop(running)
            yield running
    finally:
        if broker is not None:
            broker.stop()


@pytest.fixture
def shop(house: RunningHouse) -> Iterator[Shop]:
    with mqtt_till(house.house.broker, hears="till") as till:
        yield Shop(house, till)
    numbers = [one["message"] for one in Shop(house, till).refused()]
    if numbers:
        house.done("POST", "/api/v1/refused-messages/drop", {"messages": numbers})


def test_the_body_is_that_of_http_and_each_item_is_told_what_became_of_it(shop: Shop) -> None:
    shop.till.publish("till", {"sku": "p1", "price": "1.29"}, correlation=b"7")
    told = shop.till.result()
    assert told["source"] == "till"
    [one] = told["results"]
    assert (one["sku"], one["decision"], one["labels"]) == ("p1", "accepted", 0)
    shop.till.publish("till", [{"sku": "p1", "price": "1.29"}, {"sku": "p2", "price": "2.49"}])
    told = shop.till.result()
    assert [each["decision"] for each in told["results"]] == ["unchanged", "accepted"]
    assert (shop.prices()["p1"], shop.prices()["p2"]) == (129, 249)
    [(source, actor)] = shop.house.read(
        "SELECT source, actor FROM price_event WHERE sku = 'p2' AND price_minor = 249"
    )
    assert (source, actor) == ("till", "source till")
    heard = shop.house.done("GET", "/api/v1/sources/till")["heard_at"]
    assert heard is not None


def test_a_label_wants_what_a_message_says(shop: Shop) -> None:
    shop.house.done("PUT", "/api/v1/stores/main/gateways/gw-1", {})
    label = {"label": "gw-1-0001", "panel": "bwry-296x128", "gateway": "gw-1"}
    shop.house.done("POST", "/api/v1/stores/main/labels", [label])
    pairing = [{"label": "gw-1-0001", "sku": "p3"}]
    shop.house.done("POST", "/api/v1/stores/main/pairings", pairing)
    shop.till.publish("till", {"sku": "p3", "price": "3.33"})
    [one] = shop.till.result()["results"]
    assert one["labels"] == 1
    [(wanted,)] = shop.house.read("SELECT wanted_rev FROM label WHERE label_id = 'gw-1-0001'")
    assert wanted == one["rev"]


def test_a_source_with_a_mapping_sends_what_its_mapping_reads_for_many_stores(shop: Shop) -> None:
    shop.house.done("PUT", "/api/v1/mappings/mapped", content=MAPPED)
    names = {"store.0001": "main", "store.0002": "pula", "results": "true"}
    shop.put_source("chain", mapping="mapped", settings=names)
    items = [
        {"shop": "0001", "sku": "m1", "name": "Kruh", "price": "1.10"},
        {"shop": "0002", "sku": "m1", "name": "Kruh", "price": "1.20"},
        {"shop": "0003", "sku": "m1", "name": "Kruh", "price": "1.30"},
    ]
    with mqtt_till(shop.house.house.broker, hears="chain") as till:
        till.publish("chain", {"items": items})
        told = till.result()
    assert [(one["store"], one["decision"]) for one in told["results"]] == [
        ("main", "accepted"),
        ("pula", "accepted"),
    ]
    assert [one["rows"] for one in told["results"]] == [[1], [2]], "which of its items is meant"
    assert (shop.prices()["m1"], shop.prices("pula")["m1"]) == (110, 120)
    [kept] = shop.refused()
    assert (kept["reason"], "'0003' is no store" in kept["detail"]) == ("partly", True)


def test_a_source_of_many_stores_without_a_mapping_names_the_store_beside_the_body(
    shop: Shop,
) -> None:
    shop.put_source("office", settings={"store.0002": "pula", "results": "true"})
    shop.house.done("PUT", "/api/v1/stores/pula/products/o1", {"name": "Kruh", "price": "1.00"})
    with mqtt_till(shop.house.house.broker, hears="office") as till:
        till.publish("office", {"sku": "o1", "price": "1.50"}, store="0002")
        assert till.result()["results"][0]["decision"] == "accepted"
        for more in ({}, {"store": "0009"}):
            till.publish("office", {"sku": "o1", "price": "1.60"}, **more)
            assert "/store" in till.result()["detail"]
    assert shop.prices("pula")["o1"] == 150


POISON: list[tuple[str, bytes, str]] = [
    ("till", b"", "unreadable"),
    ("till", b"not json", "unreadable"),
    ("till", b'{"sku": "p1", "price": NaN}', "unreadable"),
    ("till", b'{"sku": "p1", "price": "1.00", "price": "2.00"}', "unreadable"),
    ("till", b'{"sku": "p1"}', "unreadable"),
    ("till", b'{"sku": "p1", "price": 1.29}', "unreadable"),
    ("till", b'{"sku": "p1", "price": "1.29", "prise": "1"}', "unreadable"),
    ("till", b'{"sku": "nobodys", "price": "1.29"}', "unreadable"),
    ("till", b'{"sku": "p1", "price": "1.29", "source": "chain"}', "unreadable"),
    ("till", b'{"sku": "p\\u0000", "price": "1.29"}', "unreadable"),
    ("till", b'{"sku": "p\\ud800", "price": "1.29"}', "unreadable"),
    ("till", b'[{"sku": "p1", "price": "9.99"}, {"sku": "p2"}]', "unreadable"),
    ("till", b"[" * 300 + b"]" * 300, "unreadable"),
    ("till", b"\xff\xfe\x00", "unreadable"),
    ("till", "{}".encode("utf-16"), "unreadable"),
    ("nobody", b'{"sku": "p1", "price": "9.99"}', "unknown_source"),
    ("posted", b'{"sku": "p1", "price": "9.99"}', "unknown_source"),
    ("off", b'{"sku": "p1", "price": "9.99"}', "disabled"),
]


def test_poisoned_messages_are_kept_with_a_reason_and_hold_up_none_behind_them(shop: Shop) -> None:
    shop.put_source("posted", kind="http", store="main")
    shop.put_source("off", store="main", disabled=True)
    before = shop.prices()
    for n, (source, payload, _) in enumerate(POISON):
        shop.till.publish(source, payload, waits=False)
        shop.till.publish("till", {"sku": f"p{10 + n}", "price": f"5.{n:02d}"}, waits=False)
    good = [f"p{10 + n}" for n in range(len(POISON))]
    wait_until(lambda: shop.prices()[good[-1]] == 500 + len(POISON) - 1, "the last price", 60)
    after = shop.prices()
    assert {sku: after[sku] for sku in good} == {sku: 500 + n for n, sku in enumerate(good)}
    assert {sku: after[sku] for sku in before if sku not in good} == {
        sku: before[sku] for sku in before if sku not in good
    }
    kept = shop.refused()
    assert sorted((one["source"], one["reason"]) for one in kept) == sorted(
        (source, reason) for source, _, reason in POISON
    )
    assert all(one["detail"] for one in kept)
    now = datetime.now(UTC)
    found = shop.house.write(lambda tx: list(find_intake_problems(tx, "main", now)))
    subjects = {subject for _, subject, _ in found}
    assert {"messages/till/main", "messages/nobody/main", "messages/off/main"} <= subjects


def test_a_message_that_is_too_long_is_refused_and_only_its_beginning_is_kept(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mqtt_in_reading, "LARGEST_BYTES", KEPT_BYTES + 1)  # brokers have less
    shop.till.publish("till", b" " * (KEPT_BYTES + 2))
    assert shop.till.result()["refused"] == "too_large"
    [kept] = shop.refused()
    assert (kept["size_bytes"], kept["is_whole"]) == (KEPT_BYTES + 2, False)
    whole = shop.house.done("GET", f"/api/v1/refused-messages/{kept['message']}")
    assert len(whole["body"]) == KEPT_BYTES
    again = shop.house.done(
        "POST", "/api/v1/refused-messages/take", {"messages": [kept["message"]]}
    )
    assert again["results"][0]["taken"] is False


def test_what_was_refused_is_taken_once_its_cause_is_mended(shop: Shop) -> None:
    body = json.dumps({"sku": "new", "price": "4.44"}).encode()
    for _ in range(3):
        shop.till.publish("till", body)
        assert shop.till.result()["refused"] == "unreadable"
    [kept] = shop.refused()
    assert kept["times"] == 3
    take = ("POST", "/api/v1/refused-messages/take", {"messages": [kept["message"]]})
    [told] = shop.house.done(*take)["results"]
    assert (told["taken"], told["reason"]) == (False, "unreadable")
    shop.house.done("PUT", "/api/v1/stores/main/products/new", {"name": "New"})
    [told] = shop.house.done(*take)["results"]
    assert told["taken"] is True
    assert shop.prices()["new"] == 444
    assert shop.refused() == []
    [told] = shop.house.done(*take)["results"]
    assert (told["taken"], told["detail"]) == (False, "no message with this number was refused")
    check_problem(shop.house.ask("GET", "/api/v1/refused-messages/x"), 404)
    check_problem(shop.house.ask("POST", take[1], json={"messages": []}), 422, "/messages")


def test_a_key_makes_a_message_count_once_whatever_came_between(shop: Shop) -> None:
    first, second = {"sku": "p5", "price": "5.10"}, {"sku": "p5", "price": "5.20"}
    shop.till.publish("till", first, idempotency_key="a")
    told = shop.till.result()
    shop.till.publish("till", second, idempotency_key="b")
    shop.till.result()
    shop.till.publish("till", first, idempotency_key="a")
    assert shop.till.result() == told
    assert shop.prices()["p5"] == 520
    shop.till.publish("till", second, idempotency_key="a")
    assert "another request" in shop.till.result()["detail"]


def test_a_late_number_of_the_source_changes_nothing(shop: Shop) -> None:
    for number, price in ((7, "7.00"), (6, "6.00"), (7, "7.00")):
        shop.till.publish("till", {"sku": "p6", "price": price, "source_seq": number})
    told = [shop.till.result()["results"][0]["decision"] for _ in range(3)]
    assert told == ["accepted", "superseded", "unchanged"]
    assert shop.prices()["p6"] == 700


def test_a_chaos_of_repeats_ends_with_what_was_said_last_and_each_word_counts_once(
    shop: Shop,
) -> None:
    chance = random.Random(8)
    skus = [f"p{n}" for n in range(40, 50)]
    numbered = [
        ({"sku": sku, "price": f"{10 + n}.00", "source_seq": n + 1}, {})
        for n in range(8)
        for sku in skus[:5]
    ]
    keyed = [
        ({"sku": sku, "price": f"{20 + n}.00"}, {"idempotency_key": f"{sku}-{n}"})
        for n in range(8)
        for sku in skus[5:]
    ]
    said = numbered + keyed
    for n in range(len(said)):  # anew, and beside it anything from before once more
        body, key = said[n]
        shop.till.publish("till", body, waits=False, **key)
        for _ in range(chance.randrange(3)):
            body, key = said[chance.randrange(n + 1)]
            shop.till.publish("till", body, waits=False, **key)
    shop.till.publish("till", {"sku": "p50", "price": "50.00"})
    wait_until(lambda: shop.prices()["p50"] == 5000, "the last of all", 60)
    after = shop.prices()
    assert {sku: after[sku] for sku in skus} == {
        sku: (1700 if sku in skus[:5] else 2700) for sku in skus
    }
    for sku in skus:
        accepted = shop.house.read(
            "SELECT price_minor FROM price_event WHERE sku = ? AND source = 'till' "
            "AND decision = 'accepted' ORDER BY event_id",
            sku,
        )
        first = 1000 if sku in skus[:5] else 2000
        assert accepted == [(first + 100 * n,) for n in range(8)]
    assert shop.refused() == []


def test_what_the_broker_retains_is_taken_once_and_not_again_at_each_start(shop: Shop) -> None:
    shop.till.publish("till", {"sku": "p7", "price": "7.70"}, retain=True)
    assert shop.till.result()["results"][0]["decision"] == "accepted"
    shop.till.publish("till", {"sku": "p7", "price": "7.80"})
    shop.till.result()
    mqtt = shop.house.house.listeners.mqtt
    taken = mqtt.taken
    mqtt.drop_connection()
    wait_until(lambda: not mqtt.is_listening, "the connection's end", 30)
    wait_until(lambda: mqtt.is_listening, "listening again", 30)
    shop.till.publish("till", {"sku": "p8", "price": "8.80"})
    shop.till.result()
    assert shop.prices()["p7"] == 780
    assert mqtt.taken == taken + 1
    shop.till.publish("till", b"", retain=True)  # the broker forgets it
    assert shop.till.result()["refused"] == "unreadable"


def test_thousands_of_messages_are_each_taken_once(shop: Shop) -> None:
    many = MANY[not shop.house.house.broker_is_embedded]
    [(before,)] = shop.house.read("SELECT count(*) FROM price_event WHERE source = 'till'")
    chance = random.Random(5)
    last: dict[str, int] = {}
    for n in range(many):
        sku, minor = f"p{chance.randrange(PRODUCTS)}", 100 + n
        last[sku] = minor
        body = {"sku": sku, "price": f"{minor / 100:.2f}", "source_seq": 1000 + n}
        shop.till.publish("till", body, waits=False)
    wait_until(lambda: shop.prices() | last == shop.prices(), "all prices", 120)
    [(after,)] = shop.house.read("SELECT count(*) FROM price_event WHERE source = 'till'")
    assert after - before == many
    assert shop.refused() == []
    [(marks,)] = shop.house.read("SELECT taken FROM mqtt_session")
    assert len(json.loads(marks)) <= 256


def test_kept_messages_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mqtt_in, "REFUSED_MOST", 30)
    with running_house(tmp_path / "data") as house:
        now = datetime.now(UTC)

        def fill(tx: Any) -> None:
            for n in range(50):
                message = InMessage(topic="esl/v1/in/x", payload=str(n).encode())
                mqtt_in.refuse(tx, message, Refusal.UNREADABLE, "x" * 5000, now)

        house.write(fill)
        kept = house.read("SELECT count(*), min(refused_id) FROM mqtt_refused")
        assert kept == [(30, 21)]
        assert house.write(lambda tx: mqtt_in.forget_refused(tx, now, most=10)) == 0
        later = datetime(2100, 1, 1, tzinfo=UTC)
        assert house.write(lambda tx: mqtt_in.forget_refused(tx, later, most=10)) == 10
