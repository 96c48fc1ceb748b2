"""Timed shows: at their instant, together, once; cancelled, refused or made up for."""

import pytest

from gateway.wire.messages import Accepted, Cancel, CancelEntry, Failed, Show, Shown
from tests.unit.simulator.rig import NOON_MS, Rig, codes, entry, of, picture, put

DAY_MS = 86_400_000


def staged(rig: Rig, *, labels: int = 1, rev: int = 10) -> list:
    """Fill slot 1 of every label, and name what a show has to say of it."""
    numbers = range(1, labels + 1)
    rig.down(*(put(n, label=f"label-{n}", slot=1, show=False) for n in numbers))
    return [entry(rev + n, picture(n), label=f"label-{n}", slot=1) for n in numbers]


def test_a_group_flips_together_at_its_instant_and_not_before() -> None:
    rig = Rig(labels=3)
    entries = staged(rig, labels=3)
    assert [e.id for e in of(Accepted, rig.down(Show(id=50, entries=entries, at=NOON_MS + 30_000)))]

    assert not of(Shown, rig.later(29.9))
    shown = of(Shown, rig.later(0.2))

    assert [(e.id, e.label, e.rev) for e in shown] == [
        (50, f"label-{n}", 10 + n) for n in (1, 2, 3)
    ]
    assert {e.at for e in shown} == {NOON_MS + 30_000}


def test_a_flip_takes_no_room_in_the_window() -> None:
    rig = Rig(labels=3, capacity=1, paint_s=10, jitter=0)
    entries = staged(rig, labels=3)
    rig.down(Show(id=50, entries=entries, at=NOON_MS + 5_000))

    assert not codes(rig.later(6))
    assert rig.gateway.queued == 0
    assert len(of(Shown, rig.later(10))) == 3


@pytest.mark.parametrize("at_ms", [NOON_MS, NOON_MS - 1, NOON_MS + 48 * DAY_MS + 1])
def test_an_instant_that_is_past_or_too_far_never_means_now(at_ms: int) -> None:
    rig = Rig()
    entries = staged(rig)

    (failed,) = rig.down(Show(id=50, entries=entries, at=at_ms))

    assert isinstance(failed, Failed)
    assert (failed.code, failed.label) == ("implausible_absolute_time", None)
    assert not of(Shown, rig.later(60))


def test_a_cancelled_show_does_not_come() -> None:
    rig = Rig()
    rig.down(Show(id=50, entries=staged(rig), at=NOON_MS + 30_000))

    rig.down(Cancel(id=51, entries=[CancelEntry("label-1", 11), CancelEntry("label-9", 3)]))

    assert not of(Shown, rig.later(60))


def test_a_cancel_that_cannot_reach_the_label_is_lost() -> None:
    rig = Rig()
    rig.down(Show(id=50, entries=staged(rig), at=NOON_MS + 30_000))
    rig.label.asleep = True

    rig.down(Cancel(id=51, entries=[CancelEntry("label-1", 11)]))

    rig.later(60)
    assert rig.label.shown_rev == 11


def test_a_flip_behind_a_correction_refuses_itself() -> None:
    rig = Rig()
    rig.down(Show(id=50, entries=staged(rig), at=NOON_MS + 30_000))
    rig.down(put(20))

    assert codes(rig.later(60)) == ["superseded"]
    assert rig.label.shown_rev == 20


def test_a_flip_whose_slot_was_filled_anew_shows_nothing_else() -> None:
    rig = Rig()
    rig.down(Show(id=50, entries=staged(rig), at=NOON_MS + 30_000))
    rig.down(put(5, slot=1, show=False))

    assert codes(rig.later(60)) == ["image_not_available"]


def test_start_and_end_of_a_promotion_are_both_kept_and_the_fifth_is_not() -> None:
    rig = Rig(timed_kept=2)
    rig.down(put(1), put(2, slot=1, show=False))
    shows = [
        Show(id=50, entries=[entry(11, picture(2), slot=1)], at=NOON_MS + 10_000),
        Show(id=51, entries=[entry(12, picture(1), slot=0)], at=NOON_MS + 20_000),
        Show(id=52, entries=[entry(13, picture(1), slot=0)], at=NOON_MS + 30_000),
    ]

    assert codes(rig.down(*shows)) == ["queue_full"]
    assert [e.rev for e in of(Shown, rig.later(60))] == [11, 12]


def test_a_show_of_the_same_revision_replaces_the_pending_one() -> None:
    rig = Rig()
    entries = staged(rig)
    rig.down(Show(id=50, entries=entries, at=NOON_MS + 10_000))
    rig.down(Show(id=51, entries=entries, at=NOON_MS + 40_000))

    assert not of(Shown, rig.later(30))
    assert [e.id for e in of(Shown, rig.later(30))] == [51]


def test_a_flip_waits_for_the_end_of_a_painting() -> None:
    rig = Rig(paint_s=20, jitter=0)
    entries = staged(rig, rev=20)
    rig.down(Show(id=50, entries=entries, at=NOON_MS + 5_000), put(2))

    assert [(e.rev, e.at - NOON_MS) for e in of(Shown, rig.later(60))] == [
        (2, 20_000),
        (21, 40_000),
    ]


def test_pending_shows_survive_a_reboot_and_need_no_gateway() -> None:
    rig = Rig()
    rig.down(Show(id=50, entries=staged(rig), at=NOON_MS + 30_000))
    rig.gateway.reboot()

    rig.later(31)

    assert rig.label.shown_rev == 11


def test_a_label_that_was_never_told_does_not_flip_by_itself() -> None:
    rig = Rig(label_timeout_s=5)
    entries = staged(rig)
    rig.label.asleep = True
    rig.down(Show(id=50, entries=entries, at=NOON_MS + 30_000))

    assert codes(rig.later(60)) == ["label_timeout"]
    assert rig.label.shown_rev == 0


def test_a_label_that_comes_back_before_the_instant_is_told_and_needs_nobody_then() -> None:
    rig = Rig(label_timeout_s=5)
    entries = staged(rig)
    rig.label.asleep = True
    rig.down(Show(id=50, entries=entries, at=NOON_MS + 60_000))
    rig.label.asleep = False
    rig.later(30)
    rig.label.asleep = True

    rig.later(40)

    assert rig.label.shown_rev == 11


def test_a_gateway_without_power_tells_nobody_and_makes_up_for_it() -> None:
    rig = Rig()
    entries = staged(rig)
    rig.label.wakes_every_s, rig.label.wakes_after_s = 100.0, 1_020.0
    rig.down(Show(id=50, entries=entries, at=NOON_MS + 30_000))
    rig.gateway.reboot()
    rig.later(40)
    assert rig.label.shown_rev == 0

    rig.connect()
    rig.label.wakes_every_s = 0.0

    assert [e.rev for e in of(Shown, rig.later(10))] == [11]


def test_a_label_that_checks_in_before_the_instant_flips_on_time() -> None:
    rig = Rig()
    entries = staged(rig)
    rig.label.wakes_every_s, rig.label.wakes_after_s = 100.0, 1_020.0
    rig.down(Show(id=50, entries=entries, at=NOON_MS + 30_000))

    assert [e.at - NOON_MS for e in of(Shown, rig.later(60))] == [30_000]


def test_a_gateway_whose_clock_is_off_does_not_time_anything() -> None:
    rig = Rig(clock_skew_s=5)
    entries = staged(rig)

    assert codes(rig.down(Show(id=50, entries=entries, at=NOON_MS + 30_000))) == ["unsupported"]


def test_labels_flip_by_their_own_clocks() -> None:
    rig = Rig(labels=2)
    rig.label.clock_off_ms = -700
    entries = staged(rig, labels=2)
    rig.down(Show(id=50, entries=entries, at=NOON_MS + 30_000))

    shown = of(Shown, rig.later(31))

    assert [(e.label, e.at - NOON_MS) for e in shown] == [("label-1", 29_300), ("label-2", 30_000)]


def test_a_thousand_labels_flip_within_a_step() -> None:
    rig = Rig(labels=1_000)
    for start in range(1, 1_001, 100):
        rig.down(
            *(put(n, label=f"label-{n}", slot=1, show=False) for n in range(start, start + 100))
        )
    entries = [entry(2_000 + n, picture(n), label=f"label-{n}", slot=1) for n in range(1, 1_001)]
    for start in range(0, 1_000, 500):
        rig.down(Show(id=5_000 + start, entries=entries[start : start + 500], at=NOON_MS + 10_000))

    assert len(of(Shown, rig.later(10))) == 1_000
