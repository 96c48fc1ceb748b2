"""What the inbox does about labels in doubt: failures, waits, routes, ids used twice, adoption."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from esl.domain.ids import GatewayId, LabelId, StoreId
from esl.domain.place import StorePolicy, UnknownLabels
from esl.domain.touch import Touch, TouchKind
from esl.services.retention import ORDERS_KEPT, Forgetting
from esl.services.roaming import Hearing, heard_by
from esl.store import labels, places, touches
from esl.store.tables import labels as label_table
from gateway.mqtt import MqttMessage
from gateway.roster import RosterEntry
from gateway.wire.failures import FailureCode
from gateway.wire.messages import Failed, Pressed, Tapped
from tests.builders import (
    GATEWAY,
    NOON,
    PANEL,
    PATIENCE_S,
    STORE,
    Controller,
    FakeGateway,
    SimulatedClock,
    a_change,
    a_store,
    build_shelf,
    label_id,
)

OpenShop = Callable[..., Controller]
OTHER = GatewayId("gw-2")


def entry(shop: Controller) -> RosterEntry:
    found = shop.roster.entry(GATEWAY)
    assert found is not None
    return found


# ── Every failure code ──────────────────────────────────────────────────────────────────────

RETRIED, AT_ONCE, GIVEN_UP = "tried again after a wait", "sent in full at once", "given up"

WHAT_FOLLOWS = {
    FailureCode.UNSPECIFIED_ERROR: RETRIED,
    FailureCode.INVALID_OPCODE: GIVEN_UP,
    FailureCode.INVALID_STATE: RETRIED,
    FailureCode.INVALID_IMAGE_INDEX: GIVEN_UP,
    FailureCode.IMAGE_NOT_AVAILABLE: AT_ONCE,
    FailureCode.INVALID_PARAMETERS: GIVEN_UP,
    FailureCode.CAPACITY_LIMIT: GIVEN_UP,
    FailureCode.INSUFFICIENT_BATTERY: GIVEN_UP,
    FailureCode.INSUFFICIENT_RESOURCES: RETRIED,
    FailureCode.RETRY: RETRIED,
    FailureCode.QUEUE_FULL: RETRIED,
    FailureCode.IMPLAUSIBLE_ABSOLUTE_TIME: GIVEN_UP,
    FailureCode.UNKNOWN_LABEL: RETRIED,
    FailureCode.BASE_MISMATCH: AT_ONCE,
    FailureCode.BAD_DIGEST: AT_ONCE,
    FailureCode.UNSUPPORTED: GIVEN_UP,
    FailureCode.EXPIRED: RETRIED,
    FailureCode.SUPERSEDED: RETRIED,
    FailureCode.REFRESH_FAILED: RETRIED,
    FailureCode.LABEL_TIMEOUT: RETRIED,
    "a_code_of_the_future": RETRIED,
}

TAKEN_UP_BY_A_SESSION = {"invalid_opcode", "invalid_parameters", "capacity_limit", "unsupported"}


def test_every_code_has_its_row() -> None:
    assert set(FailureCode) < set(WHAT_FOLLOWS)


@pytest.mark.parametrize("code", sorted(WHAT_FOLLOWS))
def test_what_follows_a_failure(
    open_shop: OpenShop, gateway: FakeGateway, clock: SimulatedClock, code: str
) -> None:
    shop = open_shop(labels_count=20)
    shop.hear(gateway.hello(capacity=8))
    put, *_ = gateway.obey(shop.dispatcher.step().outgoing)
    shop.hear(gateway.fail(put, code))
    follows, label = WHAT_FOLLOWS[code], shop.label()
    assert label.send_full is (follows == AT_ONCE)
    assert label.refresh_failures == (1 if code == "refresh_failed" else 0)
    assert entry(shop).window == (4 if code == "queue_full" else 8)
    assert not entry(shop).circuit_open
    if follows == GIVEN_UP:
        assert (label.problem, label.due_at) == (code, None)
    else:
        assert label.problem is None
        assert label.due_at is not None
        wait = label.due_at - shop.time.now()
        if follows == AT_ONCE:
            assert wait == timedelta(0)
        else:
            assert timedelta(seconds=PATIENCE_S) <= wait <= timedelta(seconds=1.25 * PATIENCE_S)
    clock.pass_s(100)
    gateway.begin_session("boot-2")
    shop.hear(gateway.hello())
    taken_up = shop.label().problem is None
    assert taken_up is (follows != GIVEN_UP or code in TAKEN_UP_BY_A_SESSION)


def test_a_refresh_that_failed_counts_once_for_each_attempt_however_often_it_is_told(
    open_shop: OpenShop, gateway: FakeGateway, clock: SimulatedClock
) -> None:
    shop = open_shop()
    shop.hear(gateway.hello())
    for attempt in (1, 2):
        put, *_ = gateway.obey(shop.dispatcher.step().outgoing)
        shop.hear(gateway.fail(put, "refresh_failed"), gateway.fail(put, "refresh_failed"))
        due_at = shop.label().due_at
        for _ in range(5):
            clock.pass_s(1)
            shop.hear(gateway.fail(put, "refresh_failed"))
        assert (shop.label().refresh_failures, shop.label().due_at) == (attempt, due_at)
        shop.hear(gateway.fail(put, "refresh_failed", id=put.id + 4000))  # of no command of ours
        assert shop.label().refresh_failures == attempt
        for _ in range(5):
            clock.pass_s(30)
            shop.hear(gateway.heartbeat())
    assert shop.inbox.dropped["failure_told_before"] == 12


def test_a_label_sent_in_full_for_the_second_time_waits(
    shop: Controller, gateway: FakeGateway
) -> None:
    for waits in (False, True):
        [put] = gateway.obey(shop.dispatcher.step().outgoing)
        shop.hear(gateway.fail(put, "bad_digest"))
        due_at = shop.label().due_at
        assert due_at is not None
        assert (due_at > shop.time.now()) is waits


def test_a_failure_that_names_no_label_reaches_all_of_its_command(
    open_shop: OpenShop, gateway: FakeGateway
) -> None:
    shop = open_shop(labels_count=3)
    shop.hear(gateway.hello())
    puts = gateway.obey(shop.dispatcher.step().outgoing)
    unread = Failed(
        session=gateway.session, seq=gateway.next_seq(), id=puts[1].id, code="invalid_opcode"
    )
    shop.hear(gateway.up(unread))
    problems = {state.label_id: state.problem for state in shop.states()}
    assert problems == {
        puts[0].label: None,
        puts[1].label: "invalid_opcode",
        puts[2].label: None,
    }


def test_a_failure_of_a_command_nobody_sent_is_counted(
    shop: Controller, gateway: FakeGateway
) -> None:
    unknown = Failed(session=gateway.session, seq=gateway.next_seq(), id=77, code="unsupported")
    before = shop.label()
    shop.hear(gateway.up(unknown))
    assert shop.inbox.dropped == {"failure_of_nothing_known": 1}
    assert shop.label() == before


# ── Batteries ───────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(("now_mv", "taken_up"), [(2650, False), (3000, True)])
def test_a_fresh_battery_ends_what_an_empty_one_caused(
    shop: Controller, gateway: FakeGateway, now_mv: int, *, taken_up: bool
) -> None:
    shop.hear(gateway.beacon(label_id(0), battery_mv=2600))
    [put] = gateway.obey(shop.dispatcher.step().outgoing)
    shop.hear(gateway.fail(put, "insufficient_battery"))
    shop.hear(gateway.beacon(label_id(0), battery_mv=now_mv))
    assert (shop.label().problem is None) is taken_up
    assert shop.dispatcher.step().looked_at == int(taken_up)


# ── Waits ───────────────────────────────────────────────────────────────────────────────────


def test_a_beacon_of_a_label_that_is_behind_shortens_its_wait(
    shop: Controller, gateway: FakeGateway, clock: SimulatedClock
) -> None:
    shop.hear(gateway.beacon(label_id(0)))
    for _ in range(5):
        clock.pass_s(1000)
        shop.hear(gateway.heartbeat())
        assert shop.dispatcher.step().looked_at == 1
    before = shop.label()
    assert before.due_at is not None
    assert before.due_at - shop.time.now() > timedelta(seconds=4 * PATIENCE_S)
    shop.hear(gateway.beacon(label_id(0)))
    after = shop.label()
    assert after.due_at == shop.time.now() + timedelta(seconds=PATIENCE_S)
    assert after.attempts == 1


def test_a_beacon_does_not_cut_the_patience_with_a_first_attempt(
    shop: Controller, gateway: FakeGateway
) -> None:
    shop.hear(gateway.beacon(label_id(0)))
    shop.dispatcher.step()
    before = shop.label()
    shop.hear(gateway.beacon(label_id(0)))
    assert (shop.label().due_at, shop.label().attempts) == (before.due_at, 1)


def test_a_wall_clock_set_forward_makes_nothing_due(
    shop: Controller, gateway: FakeGateway, clock: SimulatedClock
) -> None:
    shop.dispatcher.step()
    clock.jump_s(7200)
    assert shop.dispatcher.step().looked_at == 0
    clock.pass_s(10)
    shop.hear(gateway.heartbeat())
    assert shop.dispatcher.step().looked_at == 0
    clock.pass_s(80)
    shop.hear(gateway.heartbeat())
    assert shop.dispatcher.step().looked_at == 1


# ── Sessions ────────────────────────────────────────────────────────────────────────────────


def test_a_gateway_that_falls_and_rises_for_an_hour_is_not_sent_more_than_its_backoff(
    shop: Controller, gateway: FakeGateway, clock: SimulatedClock
) -> None:
    sent = 0
    for n in range(720):
        clock.pass_s(5)
        gateway.begin_session(f"boot-{n + 2}")
        shop.hear(gateway.hello())
        sent += len(gateway.obey(shop.dispatcher.step().outgoing))
    assert 5 < sent < 60, "its pauses grow to ten minutes; two sessions were like any others"
    clock.pass_s(700)
    shop.hear(gateway.heartbeat())
    shop.settle(gateway)
    assert shop.label().due_at is None


def test_a_new_session_leaves_attempts_as_they_are(
    shop: Controller, gateway: FakeGateway, clock: SimulatedClock
) -> None:
    for _ in range(3):
        clock.pass_s(1000)
        shop.hear(gateway.heartbeat())
        shop.dispatcher.step()
    gateway.begin_session("boot-2")
    shop.hear(gateway.hello())
    assert shop.label().attempts == 3
    assert shop.label().due_at == shop.time.now()


@pytest.mark.parametrize(("ahead_s", "trusted"), [(0, True), (-290, True), (310, False)])
def test_a_gateway_whose_clock_is_far_off_is_not_trusted_with_instants(
    shop: Controller, gateway: FakeGateway, ahead_s: int, *, trusted: bool
) -> None:
    gateway.clock_ahead_ms = ahead_s * 1000
    shop.hear(gateway.heartbeat())
    with shop.database.read() as tx:
        rows = tx.exec_driver_sql("SELECT clock_trusted FROM gateway").all()
    assert [bool(row[0]) for row in rows] == [trusted]


# ── Routes ──────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def two(open_shop: OpenShop, gateway: FakeGateway, clock: SimulatedClock) -> "Two":
    shop = open_shop(gateways=(GATEWAY, OTHER))
    other = FakeGateway(OTHER, clock)
    shop.hear(gateway.hello(), other.hello())
    shop.settle(gateway)
    other.showing, other.incarnations = gateway.showing, gateway.incarnations
    return Two(shop, gateway, other, clock)


class Two:
    """A settled label that two gateways hear."""

    def __init__(
        self, shop: Controller, own: FakeGateway, other: FakeGateway, clock: SimulatedClock
    ) -> None:
        self.shop, self.own, self.other, self.clock = shop, own, other, clock

    def minute(self, own_dbm: int | None, other_dbm: int | None) -> GatewayId | None:
        """One beacon, heard by who hears it; say who reaches the label then."""
        self.clock.pass_s(60)
        self.shop.hear(self.own.heartbeat(), self.other.heartbeat())
        for gateway, rssi_dbm in ((self.own, own_dbm), (self.other, other_dbm)):
            if rssi_dbm is not None:
                self.shop.hear(gateway.beacon(label_id(0), rssi_dbm=rssi_dbm))
        return self.shop.label().gateway_id


def test_a_label_follows_the_louder_gateway_after_three_beacons(two: Two) -> None:
    assert [two.minute(-70, -60) for _ in range(3)] == [GATEWAY, GATEWAY, OTHER]
    two.shop.price(a_change(price_minor=777))
    [put] = two.other.obey(two.shop.dispatcher.step().outgoing)
    two.shop.hear(two.other.paint(put))
    assert two.shop.label().settled_rev == put.rev


def test_a_label_between_two_gateways_stays_where_it_is(two: Two) -> None:
    strengths = [(-70, -65), (-66, -71), (-70, -62), (-70, -62), (-69, -70)] * 20
    assert {two.minute(own, other) for own, other in strengths} == {GATEWAY}


def test_a_label_that_its_gateway_no_longer_hears_moves(two: Two) -> None:
    two.minute(-70, -90)
    assert [two.minute(None, -90) for _ in range(3)][-1] == OTHER


def test_after_a_move_it_stays_for_two_minutes(two: Two) -> None:
    for _ in range(3):
        two.minute(-70, -60)
    assert two.shop.label().gateway_id == OTHER
    changes = [two.minute(-40, -60) for _ in range(4)]
    assert changes[:2] == [OTHER, OTHER]
    assert changes[-1] == GATEWAY


def test_beacons_that_come_again_count_once(two: Two) -> None:
    two.clock.pass_s(60)
    own = two.own.beacon(label_id(0), rssi_dbm=-80)
    other = two.other.beacon(label_id(0), rssi_dbm=-50)
    for _ in range(5):
        two.shop.hear(own)
        two.shop.hear(other)
    assert two.shop.label().gateway_id == GATEWAY


def test_a_gateway_that_does_not_know_the_label_loses_it_to_one_that_hears_it(two: Two) -> None:
    two.minute(-50, -80)
    two.shop.price(a_change(price_minor=777))
    [put] = two.own.obey(two.shop.dispatcher.step().outgoing)
    two.shop.hear(two.own.fail(put, "unknown_label"))
    two.minute(None, -80)
    assert two.minute(None, -80) == OTHER


def test_how_well_each_gateway_hears_a_label_is_kept(two: Two) -> None:
    for _ in range(12):
        two.minute(-70, -75)
    with two.shop.database.read() as tx:
        kept = heard_by(tx, label_id(0))
    assert {g: row.rssi_dbm for g, row in kept.items()} == {GATEWAY: -70, OTHER: -75}
    assert two.shop.label().rssi_dbm in (None, -70), "the row is of its own gateway"


def test_a_label_of_another_workers_gateway_stays_while_that_gateway_lives(two: Two) -> None:
    shop, clock = two.shop, two.clock
    shop.roster.remove([GATEWAY])  # leased by another worker, whose inbox writes what it hears

    def heard_elsewhere() -> None:
        with shop.database.writing.begin() as tx:
            places.note_gateway_heard(tx, GATEWAY, shop.time.now(), session="boot-1")

    for _ in range(5):
        heard_elsewhere()
        shop.hear(two.other.beacon(label_id(0), rssi_dbm=None))
        assert shop.label().gateway_id == GATEWAY
        clock.pass_s(5)
    clock.pass_s(100)  # that worker hears nothing of it any more
    shop.hear(two.other.heartbeat(), two.other.beacon(label_id(0)))
    assert shop.label().gateway_id == OTHER


# ── Two labels with one id ──────────────────────────────────────────────────────────────────


def clone_minute(two: Two, *, through: FakeGateway, incarnation: int = 0) -> None:
    two.minute(-60, None)
    twin = through.beacon(label_id(0), incarnation=incarnation, shown_rev=0, shown_digest=b"")
    two.shop.hear(twin)


@pytest.mark.parametrize("through_own", [True, False])
def test_an_id_that_two_labels_use_is_quarantined_and_nothing_is_sent(
    two: Two, *, through_own: bool
) -> None:
    through = two.own if through_own else two.other
    for _ in range(5):
        clone_minute(two, through=through)
    label = two.shop.label()
    assert (label.quarantine, label.problem, label.due_at) == (1, "duplicate_id", None)
    assert label.problem_detail is not None
    assert "incarnations 1 and 0 alternate" in label.problem_detail
    two.shop.price(a_change(price_minor=777))
    assert two.shop.dispatcher.step().outgoing == ()
    two.shop.hear(two.own.beacon(label_id(0)))
    assert two.shop.inbox.dropped["quarantined"] >= 1


def test_a_label_of_another_model_under_the_same_id_is_found(two: Two) -> None:
    for _ in range(5):
        two.minute(-60, None)
        two.shop.hear(two.other.beacon(label_id(0), panel="bw-212x104"))
    assert two.shop.label().quarantine == 1


def test_quarantine_ends_half_an_hour_after_one_of_them_is_gone(two: Two) -> None:
    for _ in range(5):
        clone_minute(two, through=two.other)
    two.shop.price(a_change(price_minor=777))
    for _ in range(29):
        two.minute(-60, None)
    assert two.shop.label().quarantine > 0
    for _ in range(4):
        two.minute(-60, None)
    assert (two.shop.label().quarantine, two.shop.label().problem) == (0, None)
    two.shop.settle(two.own)
    assert two.shop.label().shown_digest == two.shop.wanted_digest()


def restart(two: Two) -> None:
    """What the inbox remembers of beacons is gone."""
    two.shop.inbox._hearing = Hearing()


def test_quarantine_ends_although_the_controller_is_restarted_every_ten_minutes(two: Two) -> None:
    for _ in range(5):
        clone_minute(two, through=two.other)
    for minute in range(40):
        if minute % 10 == 0:
            restart(two)
        two.minute(-60, None)
    assert (two.shop.label().quarantine, two.shop.label().problem) == (0, None)


def test_hours_in_which_nobody_listens_end_no_quarantine(two: Two) -> None:
    for _ in range(5):
        clone_minute(two, through=two.other)
    for _ in range(3):
        two.clock.pass_s(3 * 3600)
        restart(two)
        for _ in range(3):
            two.minute(-60, None)
    assert two.shop.label().quarantine > 0


def test_a_second_label_heard_again_after_a_restart_begins_the_half_hour_anew(two: Two) -> None:
    for _ in range(5):
        clone_minute(two, through=two.other)
    for _ in range(25):
        two.minute(-60, None)
    restart(two)
    clone_minute(two, through=two.other)
    for _ in range(20):
        two.minute(-60, None)
    assert two.shop.label().quarantine > 0
    for _ in range(15):
        two.minute(-60, None)
    assert two.shop.label().quarantine == 0


def test_a_label_out_of_quarantine_is_reached_by_the_gateway_that_hears_it(two: Two) -> None:
    for _ in range(5):
        clone_minute(two, through=two.other)
    two.shop.price(a_change(price_minor=777))
    for _ in range(40):  # the one below its own gateway was taken away, the other one stayed
        two.minute(None, -60)
        if two.shop.label().quarantine == 0:
            break
    label = two.shop.label()
    assert (label.quarantine, label.gateway_id) == (0, OTHER)
    two.other.showing[label_id(0)] = two.own.showing[label_id(0)]
    two.shop.settle(two.other)
    assert two.shop.label().shown_digest == two.shop.wanted_digest()


def test_a_label_that_loses_its_memory_again_and_again_is_one_label(two: Two) -> None:
    for n in range(2, 20):
        two.own.incarnations[label_id(0)] = n
        two.own.showing[label_id(0)] = (0, b"")
        two.minute(-60, -60)
        two.shop.settle(two.own)
    assert two.shop.label().quarantine == 0


def test_late_beacons_of_a_label_before_it_lost_its_memory_are_no_second_label(two: Two) -> None:
    old = [two.own.beacon(label_id(0)) for _ in range(20)]
    two.own.incarnations[label_id(0)] = 2
    for late in old:
        two.minute(-60, None)
        two.shop.hear(late)
    assert two.shop.label().quarantine == 0


def test_one_false_beacon_does_not_outbid_the_honest_ones_for_ever(two: Two) -> None:
    two.minute(-60, None)
    lie = two.other.beacon(label_id(0), incarnation=9, shown_rev=0, shown_digest=b"")
    two.shop.hear(lie)
    assert two.shop.label().incarnation == 9
    for _ in range(4):
        two.minute(-60, None)
    assert two.shop.label().incarnation == 1
    two.shop.settle(two.own)
    label = two.shop.label()
    assert (label.due_at, label.problem, label.quarantine) == (None, None, 0)
    assert label.shown_digest == two.shop.wanted_digest()


# ── Adoption ────────────────────────────────────────────────────────────────────────────────


def adopts(shop: Controller, *, until_s: int = 600, policy: str = "adopt") -> None:
    chosen = StorePolicy(
        unknown_labels=UnknownLabels(policy), adopt_until=NOON + timedelta(seconds=until_s)
    )
    with shop.database.writing.begin() as tx:
        places.put_store_policy(tx, STORE, chosen)


def test_an_unknown_label_is_adopted_while_the_window_is_open(
    shop: Controller, gateway: FakeGateway
) -> None:
    adopts(shop)
    step = shop.hear(gateway.beacon("stranger-1"), gateway.beacon("stranger-2"))
    assert set(step.changed) == {"stranger-1", "stranger-2"}
    with shop.database.read() as tx:
        label = labels.label_named(tx, label_id(0))
        adopted = labels.list_labels(tx, STORE, after="label-9999")
    assert [a.label_id for a in adopted] == ["stranger-1", "stranger-2"]
    assert {(a.gateway_id, a.panel_id, a.epoch, a.paired) for a in adopted} == {
        (GATEWAY, PANEL, label.epoch, False)
    }
    shop.hear(gateway.beacon("stranger-1"))
    assert shop.dispatcher.step().looked_at == 1, "only the label that was there"


@pytest.mark.parametrize(
    ("policy", "until_s", "panel"),
    [("ignore", 600, PANEL), ("adopt", -1, PANEL), ("adopt", 600, "nobody-knows-it")],
)
def test_an_unknown_label_is_ignored_and_counted(
    shop: Controller, gateway: FakeGateway, policy: str, until_s: int, panel: str
) -> None:
    adopts(shop, until_s=until_s, policy=policy)
    shop.hear(gateway.beacon("stranger-1", panel=panel))
    assert shop.inbox.dropped == {"unknown_label": 1}
    assert len(shop.states()) == 1


def test_a_label_heard_by_two_shops_is_adopted_by_the_first(
    shop: Controller, gateway: FakeGateway, clock: SimulatedClock
) -> None:
    next_door, theirs = StoreId("next-door"), FakeGateway(OTHER, clock, session="boot-9")
    opened = StorePolicy(
        unknown_labels=UnknownLabels.ADOPT, adopt_until=NOON + timedelta(seconds=600)
    )
    adopts(shop)
    with shop.database.writing.begin() as tx:
        places.put_store(tx, a_store(next_door))
        places.put_store_policy(tx, next_door, opened)
        places.put_gateway(tx, OTHER, next_door)
    shop.roster.add([(OTHER, next_door)])
    shop.hear(theirs.hello(), theirs.beacon("stranger-1"), gateway.beacon("stranger-1"))
    step = shop.hear(theirs.beacon("stranger-2"), gateway.beacon("stranger-2"))
    assert step.changed == ("stranger-2",)
    with shop.database.read() as tx:
        found = labels.labels_by_id(tx, [LabelId("stranger-1"), LabelId("stranger-2")])
    assert {label.store_id for label in found.values()} == {next_door}
    assert shop.inbox.dropped["failed"] == 0


def test_a_full_store_adopts_nobody(
    shop: Controller, gateway: FakeGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("esl.services.adoption.LABELS_MOST", 3)
    adopts(shop)
    shop.hear(*(gateway.beacon(f"stranger-{n}") for n in range(9)))
    assert len(shop.states()) == 3


# ── Touches ─────────────────────────────────────────────────────────────────────────────────


def test_touches_of_our_labels_are_told_once_and_those_of_others_are_not(
    shop: Controller, gateway: FakeGateway, clock: SimulatedClock
) -> None:
    with shop.database.writing.begin() as tx:
        build_shelf(tx, labels_count=0, store_id="split-1", gateways=())  # type: ignore[arg-type]
        tx.execute(
            label_table.insert(),
            {"label_id": "label-split", "store_id": "split-1", "panel_id": PANEL},
        )
    pressed = Pressed(
        session=gateway.session,
        seq=gateway.next_seq(),
        label=label_id(0),
        button=2,
        at=gateway.now_ms,
    )
    tapped = [
        Tapped(session=gateway.session, seq=gateway.next_seq(), label=label, at=2**53 - 1)
        for label in (label_id(0), "label-split", "label-9999")
    ]
    message = gateway.up(pressed, *tapped)
    button = Touch(
        label_id=label_id(0),
        store_id=STORE,
        gateway_id=GATEWAY,
        kind=TouchKind.PRESSED,
        button=2,
        at=clock.wall(),
    )
    tag = replace(button, kind=TouchKind.TAPPED, button=None, at=None)
    assert shop.hear(message, message).touched == (button, tag)
    assert kept_touches(shop) == [button, tag]


def press(gateway: FakeGateway, *, button: int = 0, at: int | None = None) -> MqttMessage:
    return gateway.up(
        Pressed(
            session=gateway.session,
            seq=gateway.next_seq(),
            label=label_id(0),
            button=button,
            at=gateway.now_ms if at is None else at,
        )
    )


def kept_touches(shop: Controller) -> list[Touch]:
    with shop.database.read() as tx:
        return [kept.touch for kept in touches.list_touches(tx, STORE)]


def test_a_contact_that_bounces_is_kept_once_and_a_second_press_again(
    shop: Controller, gateway: FakeGateway, clock: SimulatedClock
) -> None:
    first = press(gateway)
    shop.hear(first, press(gateway), press(gateway, button=1))
    shop.hear(press(gateway))
    assert [t.button for t in kept_touches(shop)] == [0, 1]
    clock.pass_s(2)
    shop.hear(first)  # the broker repeats itself: the same press
    assert [t.button for t in kept_touches(shop)] == [0, 1]
    shop.hear(press(gateway))
    assert [t.button for t in kept_touches(shop)] == [0, 1, 0]


def test_touches_are_listed_page_by_page_and_forgotten_after_a_month(
    shop: Controller, gateway: FakeGateway, clock: SimulatedClock
) -> None:
    for _ in range(3):
        shop.hear(press(gateway))
        clock.pass_s(5)
    with shop.database.read() as tx:
        one, two = touches.list_touches(tx, STORE, limit=2)
        [three] = touches.list_touches(tx, STORE, after=two.number)
    assert one.number < two.number < three.number
    forgetting = Forgetting(database=shop.database, writer=shop.writer)
    clock.pass_s(ORDERS_KEPT.total_seconds())
    late = two.heard_at + ORDERS_KEPT
    while forgetting.step(late, late):
        pass
    with shop.database.read() as tx:
        assert touches.list_touches(tx, STORE) == [two, three]
