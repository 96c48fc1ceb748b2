"""The simulated gateway lives by the protocol: sessions, heartbeats, beacons, reboots (G5, G6)."""

from gateway.wire.messages import (
    Accepted,
    Config,
    Failed,
    Heartbeat,
    Hello,
    Report,
    Seen,
    Shown,
)
from tests.unit.simulator.rig import NOON_MS, Rig, codes, of, picture, put

# -- G5, G6: liveness --------------------------------------------------------------------------


def test_a_session_begins_with_hello_and_everything_seen() -> None:
    rig = Rig(labels=3, capacity=7)

    hello, *seen = rig.welcome

    assert isinstance(hello, Hello)
    assert (hello.seq, hello.level, hello.capacity) == (1, "full", 7)
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


# -- reboots -----------------------------------------------------------------------------------


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


def test_a_rebooted_gateway_asks_the_label_again() -> None:
    rig = Rig()
    rig.down(put(1))
    rig.gateway.reboot()
    rig.connect()
    rig.later(5)

    (shown,) = of(Shown, rig.down(put(1)))

    assert shown.at == NOON_MS + 5_000
    assert rig.label.paints == 1


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
