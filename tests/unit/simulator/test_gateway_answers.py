"""The simulated gateway answers in the label's own words, and again when asked again: G7, G8."""

import pytest
from msgspec import structs

from gateway.wire.messages import (
    Accepted,
    Cancel,
    Command,
    Failed,
    Firmware,
    Forget,
    Led,
    Show,
    Shown,
    Stored,
    Time,
)
from tests.unit.simulator.rig import NOON_MS, Rig, codes, digest, entry, of, picture, put

# -- G7: the label's own words -----------------------------------------------------------------


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


# -- G8: duplicates ----------------------------------------------------------------------------


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


# -- store and show ----------------------------------------------------------------------------


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
    (failed,) = Rig(level="basic").down(command)

    assert (failed.id, failed.code) == (5, "unsupported")


def test_a_clock_check_is_accepted() -> None:
    assert [event.id for event in of(Accepted, Rig().down(Time(id=3, now=NOON_MS)))] == [3]
