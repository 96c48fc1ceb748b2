from collections.abc import Callable
from datetime import UTC, datetime
from random import Random
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import event, select

from esl.domain.errors import Unavailable
from esl.domain.ids import GatewayId
from esl.services import reports
from esl.store import places
from esl.store.tables import display_log
from gateway.inbox import Inbox, Step
from gateway.mqtt import MqttMessage
from gateway.wire.messages import Accepted, Failed, Pressed, Stored, Tapped
from gateway.wire.topics import up_topic
from tests.builders import (
    GATEWAY,
    NOON,
    Controller,
    FakeGateway,
    SimulatedClock,
    a_change,
    build_shelf,
    label_id,
)

OpenShop = Callable[..., Controller]
OTHER = GatewayId("gw-2")


def gateway_row(shop: Controller) -> Any:
    with shop.database.read() as tx:
        return places.gateway_named(tx, GATEWAY)


def shown_log(shop: Controller) -> list[Any]:
    with shop.database.read() as tx:
        return list(tx.execute(select(display_log).order_by(display_log.c.entry_id)))


# ── What gateways say of themselves ─────────────────────────────────────────────────────────


def test_a_gateway_that_says_hello_is_on_the_line(
    open_shop: OpenShop, gateway: FakeGateway
) -> None:
    shop = open_shop()
    step = shop.hear(gateway.hello(level="full", firmware="2.0", capacity=99))
    assert step == Step(gateways_changed=True, ask=(GATEWAY,), due=True)
    row = gateway_row(shop)
    assert (row.session, row.online, row.heard_at) == ("boot-1", True, NOON)
    assert (row.level, row.firmware, row.capacity) == ("full", "2.0", 99)


def test_a_heartbeat_keeps_it_there_and_changes_nothing(
    shop: Controller, gateway: FakeGateway, clock: SimulatedClock
) -> None:
    clock.pass_s(30)
    assert shop.hear(gateway.heartbeat()) == Step()
    assert gateway_row(shop).heard_at == clock.wall()


def test_a_retained_state_alone_brings_a_gateway_on_the_line(
    open_shop: OpenShop, gateway: FakeGateway
) -> None:
    shop = open_shop()
    assert shop.hear(gateway.state(online=True)).gateways_changed
    assert gateway_row(shop).online
    assert gateway_row(shop).level is None
    assert shop.hear(gateway.state(online=True)) == Step()


def test_the_will_takes_a_gateway_off_the_line_and_leaves_its_labels_rows_alone(
    shop: Controller, gateway: FakeGateway
) -> None:
    before = shop.label()
    assert shop.hear(gateway.state(online=False)) == Step(gateways_changed=True)
    assert not gateway_row(shop).online
    assert shop.label() == before
    assert shop.dispatcher.step().looked_at == 0


def test_the_will_of_an_old_session_is_an_echo(shop: Controller, gateway: FakeGateway) -> None:
    gateway.begin_session("boot-2")
    shop.hear(gateway.hello())
    assert shop.hear(gateway.state(online=False, session="boot-1")) == Step()
    assert shop.inbox.dropped == {"echo": 1}
    assert gateway_row(shop).online


def test_a_retained_state_that_was_removed_says_nothing(
    shop: Controller, gateway: FakeGateway
) -> None:
    topic = gateway.state(online=True).topic
    assert shop.hear(MqttMessage(topic, b"", retained=True)) == Step()
    assert shop.inbox.dropped == {}


def test_off_and_on_within_one_batch_ends_on_the_line(
    shop: Controller, gateway: FakeGateway
) -> None:
    will = gateway.state(online=False)
    gateway.begin_session("boot-2")
    step = shop.hear(will, gateway.state(online=True), gateway.hello())
    assert step.gateways_changed
    row = gateway_row(shop)
    assert (row.online, row.session) == (True, "boot-2")


def test_a_new_session_makes_what_was_under_way_due_again(
    shop: Controller, gateway: FakeGateway, clock: SimulatedClock
) -> None:
    [sent] = gateway.obey(shop.dispatcher.step().outgoing)
    assert shop.dispatcher.step().looked_at == 0
    clock.pass_s(1)
    gateway.begin_session("boot-2")
    assert shop.hear(gateway.hello()).due
    [again] = gateway.obey(shop.dispatcher.step().outgoing)
    assert again.rev == sent.rev


def test_giving_up_ends_with_a_new_session(shop: Controller, gateway: FakeGateway) -> None:
    [put] = gateway.obey(shop.dispatcher.step().outgoing)
    shop.hear(gateway.fail(put, "unsupported"))
    assert shop.label().problem == "unsupported"
    assert shop.dispatcher.step().looked_at == 0
    gateway.begin_session("boot-2")  # with a firmware that knows more
    shop.hear(gateway.hello())
    assert shop.label().problem is None
    assert len(gateway.obey(shop.dispatcher.step().outgoing)) == 1


@pytest.mark.parametrize("kind", ["accepted", "stored", "pressed", "tapped", "failed", "seen"])
def test_a_gap_asks_for_the_labels_word_whatever_event_shows_it(
    shop: Controller, gateway: FakeGateway, kind: str
) -> None:
    gateway.seq += 1  # one event never arrives
    session, seq = gateway.session, gateway.next_seq()
    after_the_gap = {
        "accepted": Accepted(session=session, seq=seq, id=1),
        "stored": Stored(
            session=session, seq=seq, id=1, label=label_id(0), rev=1, slot=0, digest=b"x" * 32
        ),
        "pressed": Pressed(session=session, seq=seq, label=label_id(0), button=0, at=1),
        "tapped": Tapped(session=session, seq=seq, label=label_id(0), at=1),
        "failed": Failed(session=session, seq=seq, id=0, code="unsupported"),
        "seen": gateway.seen_event(label_id(0), seq=seq),
    }[kind]
    assert shop.hear(gateway.up(after_the_gap)).ask == (GATEWAY,)
    assert shop.hear(gateway.heartbeat(seq=seq + 1)).ask == ()


# ── What they say of labels ─────────────────────────────────────────────────────────────────


def test_a_picture_that_was_shown_is_written_in_the_display_log(
    shop: Controller, gateway: FakeGateway
) -> None:
    [put] = gateway.obey(shop.dispatcher.step().outgoing)
    step = shop.hear(gateway.paint(put, battery_mv=2950, temperature_c=4))
    assert step == Step(changed=(label_id(0),))
    label = shop.label()
    assert (label.battery_mv, label.temperature_c) == (2950, 4)
    [entry] = shown_log(shop)
    assert (entry.label_id, entry.rev, entry.digest) == (label_id(0), put.rev, put.digest.hex())
    assert (entry.gateway_id, entry.session) == (GATEWAY, "boot-1")
    assert (entry.painted_at, entry.recorded_at) == (NOON, NOON)


def test_what_a_label_says_again_is_no_second_line_of_the_display_log(
    shop: Controller, gateway: FakeGateway
) -> None:
    [first] = gateway.obey(shop.dispatcher.step().outgoing)
    shop.hear(gateway.up(*(gateway.shown_event(first) for _ in range(5))))
    shop.hear(gateway.paint(first), gateway.beacon(label_id(0)))
    assert [entry.rev for entry in shown_log(shop)] == [first.rev]
    shop.price(a_change("sku-0", 555))
    [second] = gateway.obey(shop.dispatcher.step().outgoing)
    shop.price(a_change("sku-0", 666))
    [third] = gateway.obey(shop.dispatcher.step().outgoing)
    shop.hear(gateway.paint(third), gateway.paint(second), gateway.paint(second))
    shop.hear(gateway.paint(second), gateway.paint(first))
    assert [entry.rev for entry in shown_log(shop)] == [first.rev, third.rev, second.rev]


def test_a_beacon_settles_what_a_lost_report_left_open(
    shop: Controller, gateway: FakeGateway
) -> None:
    shop.hear(gateway.beacon(label_id(0)))
    [put] = gateway.obey(shop.dispatcher.step().outgoing)
    gateway.paint(put)  # and nobody hears of it
    shop.hear(gateway.beacon(label_id(0), rssi_dbm=-60, firmware="1.2"))
    label = shop.label()
    assert (label.settled_rev, label.due_at) == (put.rev, None)
    assert (label.rssi_dbm, label.firmware) == (-60, "1.2")
    assert [entry.rev for entry in shown_log(shop)] == [put.rev]
    shop.hear(gateway.beacon(label_id(0)))
    assert len(shown_log(shop)) == 1, "the same word again is no new picture"


@pytest.mark.parametrize(
    ("code", "problem", "waits"),
    [
        ("label_timeout", None, True),
        ("queue_full", None, True),
        ("superseded", None, True),
        ("a_code_of_the_future", None, True),
        ("bad_digest", None, False),
        ("base_mismatch", None, False),
        ("insufficient_battery", "insufficient_battery", True),
        ("unsupported", "unsupported", True),
    ],
)
def test_a_failure_is_answered_by_its_policy(
    shop: Controller, gateway: FakeGateway, code: str, problem: str | None, *, waits: bool
) -> None:
    [put] = gateway.obey(shop.dispatcher.step().outgoing)
    shop.hear(gateway.fail(put, code, detail="why"))
    label = shop.label()
    assert label.problem == problem
    assert label.problem_detail == ("why" if problem else None)
    assert (label.due_at is None) is (problem is not None)
    assert (len(gateway.obey(shop.dispatcher.step().outgoing)) == 0) is waits


def test_a_newer_price_is_sent_although_the_older_one_was_hopeless(
    shop: Controller, gateway: FakeGateway
) -> None:
    [old] = gateway.obey(shop.dispatcher.step().outgoing)
    shop.price(a_change(price_minor=200))
    shop.hear(gateway.fail(old, "insufficient_battery"))
    assert shop.label().problem is None
    [new] = gateway.obey(shop.dispatcher.step().outgoing)
    assert new.rev > old.rev


def test_a_label_is_reached_through_the_gateway_that_hears_it(
    open_shop: OpenShop, gateway: FakeGateway, clock: SimulatedClock
) -> None:
    shop = open_shop(gateways=(GATEWAY, OTHER))
    other = FakeGateway(OTHER, clock)
    shop.hear(gateway.hello(), other.hello())
    shop.hear(other.beacon(label_id(0)))
    assert shop.label().gateway_id == GATEWAY, "its own gateway is there"
    shop.hear(gateway.state(online=False))
    step = shop.hear(other.beacon(label_id(0)))
    assert shop.label().gateway_id == OTHER
    assert label_id(0) in step.changed
    assert step.due
    [put] = other.obey(shop.dispatcher.step().outgoing)
    shop.hear(other.paint(put))
    assert shop.label().settled_rev == put.rev


def test_a_label_that_shows_another_picture_under_our_revision_gets_a_newer_one(
    shop: Controller, gateway: FakeGateway
) -> None:
    [put] = gateway.obey(shop.dispatcher.step().outgoing)
    shop.hear(gateway.paint(put))
    gateway.showing[label_id(0)] = (put.rev, b"?" * 32)
    step = shop.hear(gateway.beacon(label_id(0)))
    assert step.due
    assert shop.inbox.dropped == {"contradicts": 1}
    [again] = gateway.obey(shop.dispatcher.step().outgoing)
    assert again.rev > put.rev
    assert again.digest == put.digest
    shop.hear(gateway.paint(again))
    assert (shop.label().settled_rev, shop.label().shown_rev) == (again.rev, again.rev)


def test_a_label_that_shows_a_revision_nobody_gave_out_is_a_problem_until_it_says_otherwise(
    shop: Controller, gateway: FakeGateway
) -> None:
    shop.settle(gateway)
    right = shop.label()
    gateway.showing[label_id(0)] = (right.shown_rev + 1, b"?" * 32)
    shop.hear(gateway.beacon(label_id(0)))
    assert shop.inbox.dropped == {"not_issued": 1}
    assert shop.label().problem == "foreign_revision"
    assert shop.dispatcher.step().outgoing == ()

    gateway.showing[label_id(0)] = (right.shown_rev, bytes.fromhex(right.shown_digest))
    shop.hear(gateway.beacon(label_id(0)))
    assert (shop.label().problem, shop.label().due_at) == (None, None)


def test_what_the_gateways_clock_cannot_mean_is_no_instant(
    shop: Controller, gateway: FakeGateway
) -> None:
    [put] = gateway.obey(shop.dispatcher.step().outgoing)
    shop.hear(gateway.paint(put, at=2**53 - 1))
    assert [entry.painted_at for entry in shown_log(shop)] == [None]


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        (0, None),
        (946_684_799_999, None),
        (946_684_800_000, datetime(2000, 1, 1, tzinfo=UTC)),
        (4_102_444_799_000, datetime(2099, 12, 31, 23, 59, 59, tzinfo=UTC)),
        (4_102_444_800_000, None),
        (253_402_300_799_999, None),
    ],
)
def test_an_instant_is_of_this_century_or_none(
    shop: Controller, gateway: FakeGateway, said: int, meant: datetime | None
) -> None:
    [put] = gateway.obey(shop.dispatcher.step().outgoing)
    shop.hear(gateway.paint(put, at=said))
    assert [entry.painted_at for entry in shown_log(shop)] == [meant]
    pressed = Pressed(
        session=gateway.session, seq=gateway.next_seq(), label=label_id(0), button=1, at=said
    )
    [touched] = shop.hear(gateway.up(pressed)).touched
    assert touched.at == meant


def test_a_batch_of_hundreds_of_reports_is_one_commit(
    open_shop: OpenShop, gateway: FakeGateway
) -> None:
    shop = open_shop(labels_count=200)
    shop.hear(gateway.hello())
    puts = gateway.obey(shop.dispatcher.step().outgoing)
    counted: list[object] = []

    def count(connection: object) -> None:
        counted.append(connection)

    event.listen(shop.database.writing, "commit", count)
    step = shop.hear(*(gateway.paint(put) for put in puts))
    assert len(counted) == 1
    assert len(step.changed) == 200
    assert all(state.due_at is None for state in shop.states())


# ── Poison ──────────────────────────────────────────────────────────────────────────────────


def poison(gateway: FakeGateway) -> dict[str, tuple[str, MqttMessage]]:
    """Messages that must be counted and dropped, by name, each with what it is counted as."""
    good = gateway.up(gateway.seen_event("label-0000")).payload
    broken_text = good.replace(b"label-0000", b"label-\xff\xff\xff0")
    state = {"online": "yes", "session": "boot-1", "since": 0}
    forged = gateway.seen_event("label-0000", shown_rev=2**53 - 1, shown_digest=b"f" * 32)

    def up(payload: bytes, topic: str = "esl/v1/gw-1/up") -> MqttMessage:
        return MqttMessage(topic, payload, retained=False)

    def raw(value: object) -> MqttMessage:
        return up(msgspec.msgpack.encode(value))

    def seen(**changes: object) -> MqttMessage:
        fields = {
            "type": "seen",
            "session": "boot-1",
            "seq": 2,
            "label": "label-0000",
            "panel": "p",
            "shown_rev": 0,
            "shown_digest": b"",
            "incarnation": 1,
        }
        return raw([fields | changes])

    return {
        "random bytes": ("BadPayload", up(Random(1).randbytes(200))),
        "empty": ("BadPayload", up(b"")),
        "no array": ("BadPayload", raw({"type": "hello"})),
        "too large": ("BadPayload", up(bytes(70_000))),
        "deep": ("BadPayload", up(b"\x91" * 60_000)),
        "cut": ("BadPayload", up(good[:-3])),
        "trailing": ("BadPayload", up(good + b"\xc0")),
        "scalars": ("unsupported_event", raw([1, "x", None, True, 1.5, [], b"\xff"])),
        "unknown type": ("unsupported_event", seen(type="explode")),
        "no type": ("unsupported_event", raw([{"session": "boot-1"}])),
        "wrong type of a field": ("bad_event", seen(shown_rev="1")),
        "negative": ("bad_event", seen(shown_rev=-1)),
        "huge": ("bad_event", seen(shown_rev=2**64 - 1)),
        "fraction": ("bad_event", seen(shown_rev=1.5)),
        "short digest": ("bad_event", seen(shown_digest=b"123")),
        "control characters": ("bad_event", seen(firmware="a\nb")),
        "slashes in a name": ("bad_event", seen(label="../../etc")),
        "long name": ("bad_event", seen(label="x" * 65)),
        "broken text": ("bad_event", up(broken_text)),
        "bad state": ("BadPayload", up(b"\xc1\xff", "esl/v1/gw-1/state")),
        "state of wrong type": (
            "BadPayload",
            up(msgspec.msgpack.encode(state), "esl/v1/gw-1/state"),
        ),
        "unknown gateway": ("unknown_gateway", up(good, "esl/v1/gw-99/up")),
        "foreign topic": ("BadTopic", up(good, "esl/v1/gw-1/up/more")),
        "another version": ("BadTopic", up(good, "esl/v2/gw-1/up")),
        "topic without gateway": ("BadTopic", up(good, "esl/v1//up")),
        "strange topic": ("BadTopic", up(good, "esl/v1/GW 1\0/up")),
        "empty topic": ("BadTopic", up(b"", "")),
        "unknown label": ("unknown_label", gateway.beacon("label-9999")),
        "label of another store": ("wrong_store", gateway.beacon("label-split")),
        "forged report": ("not_issued", gateway.up(forged)),
        "old session": ("echo", seen(session="boot-0", seq=1)),
    }


POISON = sorted(poison(FakeGateway(GATEWAY, SimulatedClock())))


@pytest.fixture
def busy(shop: Controller, gateway: FakeGateway) -> Controller:
    """A shop with a picture under way, an earlier session and a neighbour's label."""
    with shop.database.writing.begin() as tx:
        build_shelf(tx, labels_count=0, store_id="split-1", gateways=())  # type: ignore[arg-type]
        tx.exec_driver_sql(
            "INSERT INTO label (label_id, store_id, panel_id) "
            "VALUES ('label-split', 'split-1', 'p')"
        )
    shop.hear(gateway.up(gateway.seen_event("label-0000", session="boot-0", seq=1)))
    gateway.begin_session("boot-1")
    gateway.seq = 1
    shop.hear(gateway.heartbeat())
    return shop


@pytest.mark.parametrize("kind", POISON)
def test_poison_is_counted_and_its_neighbours_are_taken(
    busy: Controller, gateway: FakeGateway, kind: str
) -> None:
    [put] = gateway.obey(busy.dispatcher.step().outgoing)
    reason, bad = poison(gateway)[kind]
    busy.hear(bad, gateway.paint(put), bad)
    assert busy.inbox.dropped[reason] >= 1
    label = busy.label()
    assert label.shown_rev == put.rev
    # A label that says it shows something else is taken to show nothing we know, never that.
    assert label.shown_digest == ("" if kind == "forged report" else put.digest.hex())
    assert set(busy.inbox.dropped) == {reason}
    busy.hear(bad)
    busy.hear(gateway.heartbeat())
    assert gateway_row(busy).online


def test_a_bad_event_does_not_spoil_the_others_of_its_payload(
    busy: Controller, gateway: FakeGateway
) -> None:
    [put] = gateway.obey(busy.dispatcher.step().outgoing)
    good = msgspec.msgpack.decode(gateway.paint(put).payload)
    payload = msgspec.msgpack.encode([{"type": "shown"}, *good, 5])
    busy.hear(MqttMessage(up_topic(GATEWAY), payload, retained=False))
    assert busy.label().shown_rev == put.rev
    assert busy.inbox.dropped == {"bad_event": 1, "unsupported_event": 1}


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["esl/v1/gw-1/up", "esl/v1/gw-1/state", "esl/v1/gw-9/up", "x", ""]),
            st.one_of(
                st.binary(max_size=80),
                st.recursive(
                    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.text()
                    | st.binary() | st.floats() | st.sampled_from(
                        ["hello", "seen", "shown", "failed", "heartbeat", "boot-1", "label-0000"]
                    ),
                    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
                        st.sampled_from(["type", "session", "seq", "label", "rev", "digest"]),
                        inner, max_size=6,
                    ),
                    max_leaves=8,
                ).map(msgspec.msgpack.encode),
            ),
        ),
        max_size=5,
    )
)  # fmt: skip
def test_no_message_stops_the_inbox(shop: Controller, said: list[tuple[str, bytes]]) -> None:
    before = shop.label()
    shop.hear(*(MqttMessage(topic, payload, retained=False) for topic, payload in said))
    assert shop.label().shown_rev == before.shown_rev == 0


# ── When the database does not answer ───────────────────────────────────────────────────────


@pytest.fixture
def fails_once(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Let the next write of reports fail; put something in the list for each further one."""
    failures = ["disk full"]
    real = reports.take_in

    def full(*arguments: Any, **named: Any) -> object:
        if failures:
            raise Unavailable(failures.pop())
        return real(*arguments, **named)

    monkeypatch.setattr("gateway.inbox.take_in", full)
    return failures


def test_a_batch_that_could_not_be_written_is_taken_when_it_comes_again(
    open_shop: OpenShop, gateway: FakeGateway, clock: SimulatedClock, fails_once: list[str]
) -> None:
    failures = list(fails_once)
    fails_once.clear()
    shop = open_shop()
    shop.hear(gateway.hello())
    [put] = gateway.obey(shop.dispatcher.step().outgoing)
    clock.pass_s(1)
    gateway.begin_session("boot-2")
    batch = [gateway.state(online=True), gateway.hello()]
    fails_once += failures
    with pytest.raises(Unavailable):
        shop.inbox.step(batch)
    step = shop.inbox.step(batch)
    assert step == Step(gateways_changed=True, ask=(GATEWAY,), due=True)
    assert gateway_row(shop).session == "boot-2"
    [again] = gateway.obey(shop.dispatcher.step().outgoing)
    assert again.rev == put.rev, "what was under way in the old session is sent again"


def test_a_gap_is_still_asked_about_after_a_write_that_failed(
    shop: Controller, gateway: FakeGateway, fails_once: list[str]
) -> None:
    assert fails_once
    gateway.seq += 1
    batch = [gateway.beacon(label_id(0))]
    with pytest.raises(Unavailable):
        shop.inbox.step(batch)
    assert shop.inbox.step(batch).ask == (GATEWAY,)
    assert shop.hear(gateway.heartbeat()).ask == ()


def test_an_inbox_counts_for_itself(shop: Controller) -> None:
    other = Inbox(writer=shop.writer, roster=shop.roster, clock=shop.time, backoff=shop.backoff)
    other.step([MqttMessage("nonsense", b"", retained=False)])
    assert (other.dropped, shop.inbox.dropped) == ({"BadTopic": 1}, {})


# ── A payload that fails in a way nobody thought of ─────────────────────────────────────────


@pytest.fixture
def unforeseen(monkeypatch: pytest.MonkeyPatch) -> str:
    """An error for every batch that holds a beacon of this label."""
    real = reports.take_in

    def taken(tx: Any, heard: Any, *arguments: Any, **named: Any) -> object:
        if any(h.report.label_id == "unforeseen" for h in heard):
            raise LookupError("nobody thought of this")
        return real(tx, heard, *arguments, **named)

    monkeypatch.setattr("gateway.inbox.take_in", taken)
    return "unforeseen"


def test_a_payload_that_fails_is_dropped_and_its_neighbours_are_taken(
    open_shop: OpenShop, gateway: FakeGateway, unforeseen: str
) -> None:
    shop = open_shop()
    step = shop.hear(gateway.hello(), gateway.beacon(unforeseen), gateway.beacon(label_id(0)))
    assert step == Step(gateways_changed=True, ask=(GATEWAY,), due=True)
    assert shop.inbox.dropped == {"failed": 1}
    assert shop.label().seen_at == NOON
    [put] = gateway.obey(shop.dispatcher.step().outgoing)
    assert shop.hear(gateway.paint(put), gateway.beacon(unforeseen)).changed == (label_id(0),)
    assert shop.label().settled_rev == put.rev


def test_a_session_that_began_with_a_payload_that_fails_is_noted(
    open_shop: OpenShop, gateway: FakeGateway, unforeseen: str
) -> None:
    shop = open_shop()
    step = shop.hear(gateway.beacon(unforeseen))
    assert (step.gateways_changed, step.ask, step.due) == (True, (GATEWAY,), True)
    assert gateway_row(shop).session == "boot-1"
    assert shop.hear(gateway.heartbeat()).gateways_changed is False
