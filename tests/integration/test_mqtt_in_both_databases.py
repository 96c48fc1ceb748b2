"""Taking messages on SQLite and PostgreSQL: what senders make of them, in any order, twice."""

import json
import random
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import event, select

from api.listeners.mqtt_in_take import Outcome, SessionLost, take_again, take_group
from esl.domain.ids import SourceId
from esl.domain.mqtt_in import InMessage, Refusal
from esl.domain.source import Source, SourceKind
from esl.services import sources as source_services
from esl.store import mqtt_in, places, products
from esl.store.database import Database
from esl.store.tables import price_events, prices
from esl.store.writer import Writer
from tests.builders import (
    NOON,
    STORE,
    a_product,
    a_store,
    believe_every_price,
    count_rows,
    running_writer,
)

CLIENT, HOLDER = "esl-in-tests", "tests"
MARKS = 20
MAPPED = """
name: mapped
format: json
items: "items"
fields: {sku: "item.sku", name: "item.name", price: "item.price", brand: "item.brand"}
"""
HOSTILE = 600


@pytest.fixture
def writer(database: Database) -> Iterator[Writer]:
    def set_up(tx: Any) -> None:
        places.put_store(tx, a_store())
        products.put_products(tx, [a_product(sku=f"p{n}") for n in range(10)], rev=1)
        source_services.save_mapping(tx, "mapped", MAPPED, NOON, actor="tests")
        for name, mapping in (("till", None), ("shop", "mapped")):
            source = Source(
                source_id=SourceId(name),
                name=name,
                store_id=STORE,
                kind=SourceKind.MQTT,
                mapping=mapping,
                settings={"results": "true"},
            )
            source_services.put_source(tx, source, NOON, actor="tests")
        until = NOON + timedelta(days=1)
        assert mqtt_in.hold_session(tx, CLIENT, HOLDER, NOON, until=until, force=False)

    with running_writer(database) as running:
        running.write(set_up)
        yield running


def message(body: Any, packet_id: int = 0, source: str = "till", **more: Any) -> InMessage:
    payload = body if isinstance(body, bytes) else json.dumps(body).encode()
    return InMessage(topic=f"esl/v1/in/{source}", payload=payload, packet_id=packet_id, **more)


def change(sku: str, price: str, **more: Any) -> dict[str, Any]:
    return {"sku": sku, "price": price} | more


def take(writer: Writer, messages: Sequence[InMessage], holder: str = HOLDER) -> list[Outcome]:
    return writer.write(lambda tx: take_group(tx, CLIENT, holder, messages, NOON, marks_most=MARKS))


def price_of(database: Database, sku: str) -> int | None:
    with database.read() as tx:
        query = select(prices.c.price_minor).where(prices.c.sku == sku)
        return tx.execute(query).scalar_one_or_none()


def test_one_that_cannot_be_taken_takes_none_of_its_neighbours_with_it(
    database: Database, writer: Writer
) -> None:
    group = [
        message(change("p1", "1.10"), 1),
        message(change("nobodys", "1.00"), 2),  # is known only to the database
        message(change("p2", "1.20"), 3),
        message([change("p3", "1.30"), change("p4", "1.40")], 4),
        message([change("p5", "1.50"), change("nobodys", "1.40")], 5),
        message(
            {"items": [{"sku": "p6", "price": "1.60"}, {"sku": "p7", "price": "x"}]}, 6, "shop"
        ),
        message(change("p8", "1.80"), 7, key="k"),
        message(change("p8", "1.90"), 8, key="k"),
        message(change("p1", "1.11"), 9),
    ]
    outcomes = take(writer, group)
    assert [one.message for one in outcomes] == group
    assert [one.refusal for one in outcomes] == [
        *(None, Refusal.UNREADABLE, None, None, Refusal.PARTLY, Refusal.PARTLY, None),
        *(Refusal.UNREADABLE, None),
    ]
    found = {sku: price_of(database, sku) for sku in ("p1", "p2", "p3", "p4", "p5", "p6", "p8")}
    assert found == {
        "p1": 111, "p2": 120, "p3": 130, "p4": 140, "p5": 150, "p6": 160, "p8": 180,
    }  # fmt: skip
    decisions = [json.loads(one.answer).get("results", [{}])[0].get("decision") for one in outcomes]
    assert decisions == ["accepted", None, "accepted", "accepted", *["accepted"] * 3, None,
                         "accepted"]  # fmt: skip


def test_single_changes_of_several_sources_with_keys_and_a_bad_one_are_taken_together(
    database: Database, writer: Writer
) -> None:
    other = Source(
        source_id=SourceId("other"), name="other", store_id=STORE, kind=SourceKind.MQTT, settings={}
    )
    writer.write(lambda tx: source_services.put_source(tx, other, NOON, actor="tests"))
    writer.write(believe_every_price)

    def group(count: int, euros: int) -> list[InMessage]:
        return [
            message(
                change("nobodys" if n == 5 else f"p{n % 10}", f"{euros}.{n:02d}"),
                n + 1,
                ("till", "other")[n % 2],
                key=f"{euros}-{n}" if n % 3 else None,
            )
            for n in range(count)
        ]

    def statements(messages: list[InMessage]) -> int:
        seen: list[str] = []

        def note(_c: Any, _cursor: Any, statement: str, *_: Any) -> None:
            seen.append(statement)

        event.listen(database.writing, "before_cursor_execute", note)
        try:
            outcomes = take(writer, messages)
        finally:
            event.remove(database.writing, "before_cursor_execute", note)
        assert [one.message for one in outcomes] == messages
        bad = [one.message for one in outcomes if one.refusal is not None]
        assert bad == [messages[5]]
        return len(seen)

    few, many = statements(group(10, 2)), statements(group(80, 3))
    assert many < 2 * few, "not one by one"
    last = {f"p{n % 10}": 300 + n for n in range(80) if n != 5}
    assert {sku: price_of(database, sku) for sku in last} == last
    again = [one for one in group(80, 3) if one.key is not None]
    take(writer, [replace(one, packet_id=0) for one in again])
    assert {sku: price_of(database, sku) for sku in last} == last, "their keys were answered"


def test_of_two_sources_words_on_one_product_the_later_counts(
    database: Database, writer: Writer
) -> None:
    other = Source(
        source_id=SourceId("other"), name="other", store_id=STORE, kind=SourceKind.MQTT, settings={}
    )
    writer.write(lambda tx: source_services.put_source(tx, other, NOON, actor="tests"))
    writer.write(believe_every_price)
    words = [("other", "1.10"), ("till", "1.11"), ("other", "1.12"), ("till", "1.13")]
    for count in (2, 3, 4):
        said = [message(change("p1", price), 0, name) for name, price in words[:count]]
        take(writer, said)
        assert price_of(database, "p1") == 109 + count


def test_what_was_refused_is_taken_again_for_its_store_and_under_its_key(
    database: Database, writer: Writer
) -> None:
    two = Source(
        source_id=SourceId("both"),
        name="both",
        store_id=None,
        kind=SourceKind.MQTT,
        settings={"store.0007": STORE},
    )
    writer.write(lambda tx: source_services.put_source(tx, two, NOON, actor="tests"))
    said = message(change("new", "1.10"), 1, "both", key="k", store="0007")
    assert [one.refusal for one in take(writer, [said])] == [Refusal.UNREADABLE]
    with database.read() as tx:
        [kept] = mqtt_in.list_refused(tx, limit=9)
    assert (kept.key, kept.store) == ("k", "0007")
    assert kept.as_sent().sha256 == said.sha256
    writer.write(lambda tx: products.put_products(tx, [a_product(sku="new")], rev=1))
    outcome = writer.write(lambda tx: take_again(tx, kept.as_sent(), NOON))
    assert (outcome.refusal, price_of(database, "new")) == (None, 110)
    take(writer, [message(change("new", "1.20"), 2, "both", store="0007")])
    assert take(writer, [replace(said, packet_id=3)])[0].refusal is None
    assert price_of(database, "new") == 120, "it was answered under its key before"


def test_of_an_array_taken_in_part_the_rest_is_taken_later_though_it_has_a_key(
    database: Database, writer: Writer
) -> None:
    said = message([change("p1", "1.10"), change("new", "1.20")], 1, key="k")
    [outcome] = take(writer, [said])
    assert (outcome.refusal, outcome.detail) == (
        Refusal.PARTLY,
        "/1/sku: the store has no product with this SKU",
    )
    first, last = json.loads(outcome.answer)["results"]
    assert (first["decision"], last["decision"]) == ("accepted", "rejected")
    assert [reason["field"] for reason in last["reasons"]] == ["/1/sku"]
    with database.read() as tx:
        [kept] = mqtt_in.list_refused(tx, limit=9)
    writer.write(lambda tx: products.put_products(tx, [a_product(sku="new")], rev=1))
    again = writer.write(lambda tx: take_again(tx, kept.as_sent(), NOON))
    assert (again.refusal, price_of(database, "new")) == (None, 120)


def test_an_array_of_which_nothing_can_be_taken_is_refused_and_its_key_stays_free(
    database: Database, writer: Writer
) -> None:
    bad = message([change("new", "1.10"), change("other", "1.20")], 1, key="k")
    [outcome] = take(writer, [bad])
    assert outcome.refusal is Refusal.UNREADABLE
    assert outcome.detail.startswith("/0/sku: the store has no product with this SKU")
    [mended] = take(writer, [message([change("p1", "1.10"), change("p2", "1.20")], 2, key="k")])
    assert (mended.refusal, price_of(database, "p2")) == (None, 120)


def test_what_comes_again_is_known_and_what_says_the_same_anew_is_taken(
    database: Database, writer: Writer
) -> None:
    first = [message(change("p1", "1.10"), 1), message(change("p1", "1.20"), 2)]
    take(writer, first)
    again = [replace(one, again=True) for one in first]
    assert [one.was_taken_before for one in take(writer, again)] == [True, True]
    with database.read() as tx:
        assert count_rows(tx, price_events) == 2
    anew = [message(change("p1", "1.10"), 3), message(change("p1", "1.10"), 4, again=True)]
    assert not any(one.was_taken_before for one in take(writer, anew))
    assert price_of(database, "p1") == 110


def test_no_more_marks_are_kept_than_may_come_again(writer: Writer) -> None:
    for n in range(5):
        take(writer, [message(change("p1", f"2.{n}{k}"), 10 * n + k + 1) for k in range(7)])
    marks = writer.write(lambda tx: mqtt_in.marks_taken(tx, CLIENT, HOLDER))
    assert marks is not None
    assert [mark.split(":")[0] for mark in marks] == [
        *("15", "16", "17", *map(str, range(21, 28))),
        *map(str, [*range(31, 38), *range(41, 48)]),
    ][-MARKS:]


def test_who_does_not_hold_the_session_takes_nothing(database: Database, writer: Writer) -> None:
    with pytest.raises(SessionLost):
        take(writer, [message(change("p1", "1.10"), 1)], holder="another")
    assert price_of(database, "p1") is None
    now, until = NOON, NOON + timedelta(days=2)

    def hold(who: str, at: Any) -> bool:
        return bool(
            writer.write(
                lambda tx: mqtt_in.hold_session(tx, CLIENT, who, at, until=until, force=False)
            )
        )

    assert hold("another", now) is False
    assert hold(HOLDER, now) is True
    assert hold("another", until) is True
    with pytest.raises(SessionLost):
        take(writer, [message(change("p1", "1.10"), 1)])


def spoil(body: bytes, chance: random.Random) -> bytes:
    """Change a body as bad lines, bad programs and bad people do."""
    match chance.randrange(6):
        case 0:
            at = chance.randrange(len(body))
            return body[:at] + bytes([chance.randrange(256)]) + body[at + 1 :]
        case 1:
            return body[: chance.randrange(len(body))]
        case 2:
            return body + body[chance.randrange(len(body)) :]
        case 3:
            escapes = (b"\\u0000", b"\\ud800", b"\\u202e", b"\xe2\x80\xae", b"\x00", b"\\n")
            at = chance.randrange(len(body))
            return body[:at] + chance.choice(escapes) + body[at:]
        case 4:
            values = (b"null", b"-1", b"1e999", b"NaN", b"[]", b"{}", b'""', b'"1,29"', b"true")
            return body.replace(b'"1.10"', chance.choice(values))
        case _:
            return body.replace(b"p1", chance.choice((b"", b"x" * 70, b" ", b"p1\\u0000")))


def test_whatever_is_sent_no_price_changes_by_a_fault_and_nothing_fails(
    database: Database, writer: Writer
) -> None:
    chance = random.Random(2_026)
    right = {
        "till": json.dumps(change("p1", "1.10", badge="AKCIJA", source_seq=1)).encode(),
        "shop": json.dumps(
            {"items": [{"sku": "p1", "name": "Kruh", "price": "1.10", "brand": "B"}]}
        ).encode(),
    }
    refused = 0
    for _ in range(HOSTILE // 50):
        group: list[InMessage] = []
        for n in range(50):
            source = chance.choice(("till", "shop"))
            body = spoil(right[source], chance)
            key = chance.choice((None, None, "k\x01"[:1]))
            group.append(message(body, n + 1, source, key=key))
        outcomes = take(writer, group)
        assert len(outcomes) == len(group)
        assert Refusal.FAULT not in {one.refusal for one in outcomes}
        refused += sum(one.refusal is not None for one in outcomes)
    assert refused > HOSTILE // 4
    with database.read() as tx:
        found = set(tx.execute(select(prices.c.sku, prices.c.price_minor)))
        kept = mqtt_in.list_refused(tx, limit=10_000)
    assert {minor for sku, minor in found if sku == "p1"} <= {110}
    assert all(one.detail and one.detail.isprintable() for one in kept)
