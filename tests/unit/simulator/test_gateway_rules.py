"""The simulated gateway keeps the rules of the protocol, G1 to G8."""

from collections.abc import Sequence
from typing import Any

import pytest
from msgspec import structs

from gateway.wire.codec import encode_commands
from gateway.wire.messages import (
    Accepted,
    AnyEvent,
    Cancel,
    Command,
    Config,
    Failed,
    Firmware,
    Forget,
    Heartbeat,
    Hello,
    Led,
    Report,
    Seen,
    Show,
    Shown,
    Stored,
    Time,
)
from gateway.wire.signing import SigningKey
from tests.unit.simulator.rig import NOON_MS, Rig, digest, entry, of, picture, put

STRANGER = SigningKey.from_seed(bytes(32))


def codes(events: Sequence[AnyEvent]) -> list[str]:
    return [event.code for event in of(Failed, events)]


# -- G1, G3: whom it obeys --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("header", "reason"),
    [
        ({"gateway": "gw-2"}, "NotForUs"),
        ({"session": "other-1"}, "WrongSession"),
        ({"expires": NOON_MS}, "Expired"),
        ({"version": 2}, "BadPayload"),
    ],
)
def test_what_is_not_for_this_session_is_dropped(header: dict[str, Any], reason: str) -> None:
    rig = Rig()

    assert rig.deliver(rig.seal(put(1), **header)) == []

    assert rig.label.shown_rev == 0
    assert rig.gateway.dropped == {reason: 1}


def test_a_payload_signed_by_a_stranger_is_dropped() -> None:
    rig = Rig(key=STRANGER)

    assert rig.down(put(1)) == []

    assert rig.label.shown_rev == 0
    assert rig.gateway.dropped == {"BadSignature": 1}


def test_a_command_changed_on_its_way_is_dropped() -> None:
    rig = Rig()
    payload = rig.seal(put(1))

    assert rig.deliver(payload.replace(b"label-1", b"label-2")) == []

    assert rig.gateway.dropped == {"BadSignature": 1}


def test_the_same_payload_twice_is_obeyed_once() -> None:
    rig = Rig()
    payload = rig.seal(put(1))
    rig.deliver(payload)

    assert rig.deliver(payload) == []

    assert rig.label.paints == 1
    assert rig.gateway.dropped == {"Replayed": 1}


def test_a_payload_of_the_last_session_is_dropped() -> None:
    rig = Rig()
    late = rig.seal(put(1))
    rig.connect()

    assert rig.deliver(late) == []

    assert rig.gateway.dropped == {"WrongSession": 1}


def test_a_gateway_whose_clock_is_off_judges_by_its_own() -> None:
    rig = Rig(clock_skew_s=86_400)

    (hello,) = of(Hello, rig.welcome)
    assert hello.clock == NOON_MS + 86_400_000
    assert rig.down(put(1)) == []
    assert rig.gateway.dropped == {"Expired": 1}
    shown = rig.deliver(
        rig.seal(put(1, deadline=hello.clock + 1), expires=hello.clock + 60_000),
    )
    assert of(Shown, shown)[0].at == hello.clock


def test_rubbish_is_counted_and_ends_nothing() -> None:
    rig = Rig()

    assert rig.deliver(b"\xc1 rubbish") == []
    assert rig.deliver(b"") == []

    assert rig.gateway.dropped == {"BadPayload": 2}
    assert of(Shown, rig.down(put(1)))


def test_a_bad_command_is_answered_and_spoils_no_neighbour() -> None:
    rig = Rig()
    body = encode_commands([put(1)])
    unknown = b"\x82\xa4type\xa4moon\xa2id\x07"

    events = rig.deliver(rig.seal_body(b"\x93" + b"\xc0" + unknown + body[1:]))

    assert [(f.id, f.code) for f in of(Failed, events)] == [
        (0, "invalid_opcode"),
        (7, "unsupported"),
    ]
    assert of(Shown, events)


# -- G2, G4: order and windows ----------------------------------------------------------------


def test_a_revision_below_the_confirmed_one_is_never_sent_to_a_label() -> None:
    rig = Rig()
    rig.down(put(5))
    rig.label.dead = True  # were it sent, it would time out

    events = rig.down(put(4))

    assert codes(events) == ["superseded"]


def test_the_gateway_learns_from_beacons_what_a_label_confirmed() -> None:
    rig = Rig()
    rig.down(put(5))
    rig.gateway.reboot()
    rig.connect()
    rig.label.dead = True

    assert codes(rig.down(put(4))) == ["superseded"]


def test_a_superseded_command_brings_along_what_the_label_shows() -> None:
    rig = Rig()
    rig.down(put(5))

    events = rig.down(put(4))

    assert [(seen.label, seen.shown_rev) for seen in of(Seen, events)] == [("label-1", 5)]


def test_a_label_without_memory_takes_any_revision_again() -> None:
    rig = Rig()
    rig.down(put(5))
    rig.label.lose_memory()
    rig.down(Report(id=9))

    assert of(Shown, rig.down(put(4)))[0].incarnation == 2


def test_a_label_paints_one_picture_at_a_time() -> None:
    rig = Rig(paint_s=10, jitter=0)

    assert [e.id for e in of(Accepted, rig.down(put(1), put(2)))] == [1, 2]
    assert [e.rev for e in of(Shown, rig.later(10))] == [1]
    assert rig.label.shown_rev == 1
    assert [e.rev for e in of(Shown, rig.later(10))] == [2]


def test_a_newer_revision_replaces_the_waiting_one() -> None:
    rig = Rig(paint_s=10, jitter=0)
    rig.down(put(1), put(2))

    events = rig.down(put(3))

    assert [(f.id, f.rev, f.code) for f in of(Failed, events)] == [(2, 2, "superseded")]
    assert [e.rev for e in of(Shown, rig.later(20))] == [1, 3]
    assert rig.label.paints == 2


def test_an_older_revision_does_not_replace_the_waiting_one() -> None:
    rig = Rig(paint_s=10, jitter=0)
    rig.down(put(1), put(3))

    assert [(f.id, f.code) for f in of(Failed, rig.down(put(2)))] == [(2, "superseded")]
    assert [e.rev for e in of(Shown, rig.later(20))] == [1, 3]


def test_no_more_than_the_capacity_is_in_hand() -> None:
    rig = Rig(labels=3, paint_s=10, jitter=0, capacity=2)

    events = rig.down(*(put(n, label=f"label-{n}") for n in (1, 2, 3)))

    assert [(f.id, f.code) for f in of(Failed, events)] == [(3, "queue_full")]
    assert [e.id for e in of(Accepted, events)] == [1, 2]
    assert codes(rig.down(put(4))) == ["queue_full"]  # waiting counts as well


def test_a_full_queue_still_takes_a_newer_revision_for_a_waiting_one() -> None:
    rig = Rig(paint_s=10, jitter=0, capacity=2)
    rig.down(put(1), put(2))

    assert codes(rig.down(put(3))) == ["superseded"]

    assert [e.rev for e in of(Shown, rig.later(20))] == [1, 3]


def test_the_controller_may_narrow_the_window_but_not_widen_it() -> None:
    rig = Rig(labels=2, paint_s=10, capacity=1)
    two = put(1), put(2, label="label-2")

    assert codes(rig.down(Config(id=9, window=50), *two)) == ["queue_full"]


def test_work_that_comes_to_its_turn_after_its_deadline_is_not_done() -> None:
    rig = Rig(paint_s=10, jitter=0)
    rig.down(put(1), put(2, deadline=NOON_MS + 10_000))

    events = rig.later(10)

    assert [e.rev for e in of(Shown, events)] == [1]
    assert [(f.id, f.code) for f in of(Failed, events)] == [(2, "expired")]


def test_painting_times_differ_by_seed_and_repeat_with_it() -> None:
    def shown_at(seed: int) -> list[int]:
        rig = Rig(labels=2, seed=seed, paint_s=10, jitter=0.2)
        rig.down(put(1), put(2, label="label-2"))
        return [e.at for e in of(Shown, rig.later(20))]

    assert len(set(shown_at(1))) == 2
    assert shown_at(1) == shown_at(1) != shown_at(2)
    assert all(NOON_MS + 8_000 <= at <= NOON_MS + 12_000 for at in shown_at(1))


# -- G5, G6: liveness -------------------------------------------------------------------------


def test_a_session_begins_with_hello_and_everything_seen() -> None:
    rig = Rig(labels=3, capacity=7)

    hello, *seen = rig.welcome

    assert isinstance(hello, Hello)
    assert (hello.seq, hello.level, hello.capacity) == (1, "basic", 7)
    assert [event.label for event in of(Seen, seen)] == ["label-1", "label-2", "label-3"]
    assert [event.seq for event in seen] == [2, 3, 4]


def test_every_connection_has_a_session_of_its_own() -> None:
    rig = Rig()
    first = rig.gateway.session

    again = rig.connect()
    rig.gateway.reboot()
    rebooted = rig.connect()

    assert len({first, again[0].session, rebooted[0].session}) == 3
    assert again[0].seq == rebooted[0].seq == 1


def test_the_will_and_the_state_name_the_session() -> None:
    rig = Rig()

    will = rig.gateway.state(rig.now, online=False)

    assert (will.online, will.session, will.since) == (False, rig.gateway.session, NOON_MS)


def test_heartbeats_are_periodic_and_say_what_hello_said() -> None:
    rig = Rig(heartbeat_s=20, paint_s=50, jitter=0)
    rig.down(put(1))

    beats = of(Heartbeat, rig.later(65))

    assert [beat.clock for beat in beats] == [NOON_MS + s * 1000 for s in (20, 40, 60)]
    assert [beat.queued for beat in beats] == [1, 1, 0]
    (hello,) = of(Hello, rig.welcome)
    said = ("session", "protocol", "level", "firmware", "capacity", "features")
    assert all(getattr(beats[0], name) == getattr(hello, name) for name in said)


def test_every_label_beacons_once_an_interval() -> None:
    rig = Rig(labels=7, beacon_s=60)

    for _ in range(3):
        labels = [seen.label for seen in of(Seen, rig.later(60))]
        assert sorted(labels) == [f"label-{n}" for n in range(1, 8)]


def test_beacons_are_spread_over_the_interval() -> None:
    rig = Rig(labels=60, beacon_s=60)

    assert 9 <= len(of(Seen, rig.later(10))) <= 11


def test_the_controller_sets_the_pace_of_beacons_and_heartbeats() -> None:
    rig = Rig(beacon_s=600, heartbeat_s=600)

    assert of(Accepted, rig.down(Config(id=1, beacon_s=5, heartbeat_s=10)))
    events = rig.later(20)

    assert len(of(Seen, events)) == 4
    assert len(of(Heartbeat, events)) == 2


def test_a_label_that_does_not_answer_does_not_beacon() -> None:
    rig = Rig(labels=2)
    rig.label.asleep = True

    assert {seen.label for seen in of(Seen, rig.later(60))} == {"label-2"}


def test_a_report_answers_with_what_the_asked_labels_show() -> None:
    rig = Rig(labels=3)

    some = rig.down(Report(id=4, labels=["label-2", "label-9"]))
    every = rig.down(Report(id=5))

    assert [seen.label for seen in of(Seen, some)] == ["label-2"]
    assert [(f.label, f.code) for f in of(Failed, some)] == [("label-9", "unknown_label")]
    assert len(of(Seen, every)) == 3
    assert [e.id for e in of(Accepted, some + every)] == [4, 5]


def test_nobody_hears_a_gateway_without_a_connection() -> None:
    rig = Rig(paint_s=10)
    rig.down(put(1))
    rig.gateway.disconnected()

    assert rig.later(120) == []

    assert rig.label.shown_rev == 1
    assert [seen.shown_rev for seen in of(Seen, rig.connect())] == [1]


# -- G7: the label's own words ----------------------------------------------------------------


def test_shown_comes_after_the_label_painted_and_in_its_own_words() -> None:
    rig = Rig(paint_s=10, jitter=0)
    rig.label.temperature_c = -3
    assert not of(Shown, rig.down(put(1)))

    (shown,) = of(Shown, rig.later(10))

    assert (shown.id, shown.label, shown.rev, shown.digest) == (1, "label-1", 1, digest(picture(1)))
    assert (shown.incarnation, shown.at, shown.temperature_c) == (1, NOON_MS + 10_000, -3)
    assert shown.battery_mv == rig.label.battery_mv == 2_999


def test_a_label_that_does_not_answer_is_called_so_in_time() -> None:
    rig = Rig(label_timeout_s=5)
    rig.label.asleep = True

    assert [e.id for e in of(Accepted, rig.down(put(1)))] == [1]

    assert codes(rig.later(5)) == ["label_timeout"]


def test_a_label_that_wakes_in_time_is_served() -> None:
    rig = Rig(label_timeout_s=5)
    rig.label.asleep = True
    rig.down(put(1))
    rig.label.asleep = False

    assert [e.rev for e in of(Shown, rig.later(5))] == [1]


@pytest.mark.parametrize("what", ["dies", "loses its memory", "reboots"])
def test_a_painting_that_is_broken_off_is_never_called_shown(what: str) -> None:
    rig = Rig(paint_s=10, jitter=0)
    rig.down(put(1))
    match what:
        case "dies":
            rig.label.dead = True
        case "loses its memory":
            rig.label.lose_memory()
        case _:
            rig.label.reboot()

    events = rig.later(10)

    assert not of(Shown, events)
    assert codes(events) == ["label_timeout"]
    assert rig.label.shown_rev == 0


def test_work_for_an_unknown_label_fails() -> None:
    rig = Rig()

    (failed,) = rig.down(put(1, label="label-9"))

    assert (failed.id, failed.label, failed.rev) == (1, "label-9", 1)
    assert failed.code == "unknown_label"


# -- G8: duplicates ---------------------------------------------------------------------------


def test_the_same_id_again_answers_the_stored_result() -> None:
    rig = Rig()
    (shown,) = rig.down(put(1))
    rig.later(7)

    (again,) = rig.down(put(1))

    assert again.seq > shown.seq
    assert structs.replace(again, seq=shown.seq) == shown
    assert rig.label.paints == 1


def test_a_failure_is_a_result_as_well() -> None:
    rig = Rig()
    rig.down(put(1, id=77, digest=bytes(32)))

    assert codes(rig.down(put(1, id=77))) == ["bad_digest"]


def test_a_stored_result_speaks_in_the_new_session() -> None:
    rig = Rig()
    rig.down(put(1))
    rig.connect()

    (again,) = rig.down(put(1))

    assert isinstance(again, Shown)
    assert again.session == rig.gateway.session


def test_the_same_id_while_it_is_under_way_is_only_accepted() -> None:
    rig = Rig(paint_s=10, jitter=0)
    rig.down(put(1))

    assert [type(event) for event in rig.down(put(1))] == [Accepted]

    assert len(of(Shown, rig.later(20))) == 1


# -- store and show ---------------------------------------------------------------------------


def test_a_stored_picture_is_shown_when_told() -> None:
    rig = Rig(labels=2)
    one, two = picture(1), picture(2)

    stored = rig.down(
        put(1, one, slot=1, show=False), put(2, two, label="label-2", slot=1, show=False)
    )
    assert [(e.id, e.label, e.rev, e.slot) for e in of(Stored, stored)] == [
        (1, "label-1", 1, 1),
        (2, "label-2", 2, 1),
    ]
    assert rig.label.paints == 0

    entries = [entry(3, one, slot=1), entry(4, two, label="label-2", slot=1)]
    shown = of(Shown, rig.down(Show(id=9, entries=entries)))

    assert [(e.id, e.label, e.rev) for e in shown] == [(9, "label-1", 3), (9, "label-2", 4)]
    assert rig.label.shown_pixels == one


def test_a_repeated_show_repeats_the_answer_of_every_label() -> None:
    rig = Rig()
    rig.down(put(1, slot=1, show=False))
    show = Show(id=9, entries=[entry(3, picture(1), slot=1), entry(4, b"", label="label-9")])
    first = rig.down(show)

    again = rig.down(show)

    assert [type(event) for event in again] == [type(event) for event in first] == [Shown, Failed]


@pytest.mark.parametrize(
    "command",
    [
        Show(id=5, entries=[], at=NOON_MS + 1_000),
        Cancel(id=5, entries=[]),
        Led(id=5, labels=[], colour=1, pattern=bytes(5), on_ms=2, off_ms=2, repeats=1),
        Forget(id=5, label="label-1", epoch=1),
        Firmware(id=5, target="gw", version="2", digest=bytes(32), offset=0, total=0, data=b""),
    ],
    ids=lambda command: command.name,
)
def test_what_level_basic_does_not_know_is_answered_unsupported(command: Command) -> None:
    (failed,) = Rig().down(command)

    assert (failed.id, failed.code) == (5, "unsupported")


def test_a_clock_check_is_accepted() -> None:
    assert [event.id for event in of(Accepted, Rig().down(Time(id=3, now=NOON_MS)))] == [3]


# -- reboots ----------------------------------------------------------------------------------


def test_a_reboot_loses_the_work_and_keeps_the_glass() -> None:
    rig = Rig(labels=2, paint_s=10, jitter=0)
    rig.down(put(1))
    rig.later(10)
    rig.down(put(2), put(3))
    glass = rig.label.shown_pixels

    rig.gateway.reboot()
    assert rig.label.shown_pixels == glass == picture(1)
    rig.connect()
    events = rig.later(30)

    assert not of(Shown, events)
    assert rig.label.shown_rev == 2  # it had been given to the label, which paints by itself
    assert [seen.shown_rev for seen in of(Seen, rig.down(Report(id=9, labels=["label-1"])))] == [2]


def test_a_label_still_painting_for_a_rebooted_gateway_asks_to_be_asked_later() -> None:
    rig = Rig(paint_s=10, jitter=0)
    rig.down(put(1))
    rig.gateway.reboot()
    rig.connect()

    assert codes(rig.down(put(2))) == ["invalid_state"]


def test_a_rebooted_gateway_obeys_nothing_before_its_next_session() -> None:
    rig = Rig()
    payload = rig.seal(put(1))
    rig.gateway.reboot()

    assert rig.deliver(payload) == []

    assert rig.gateway.dropped == {"WrongSession": 1}
