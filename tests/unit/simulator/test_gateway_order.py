"""The simulated gateway keeps order among its labels' work, and its window: G2 and G4."""

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
from tests.unit.simulator.rig import NOON_MS, Rig, codes, of, put


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


def test_a_narrowed_window_shows_in_the_heartbeat_until_a_reboot() -> None:
    rig = Rig(capacity=9)
    rig.down(Config(id=1, window=4))
    assert [beat.capacity for beat in of(Heartbeat, rig.later(20))] == [4]

    rig.gateway.reboot()

    assert [hello.capacity for hello in of(Hello, rig.connect())] == [9]


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
