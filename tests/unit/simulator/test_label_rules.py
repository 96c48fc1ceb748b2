"""The simulated label keeps the rules of the protocol, L1 to L4."""

import tracemalloc
import zlib
from typing import Any

import pytest

from esl.domain.panel import Ink, Panel
from gateway.wire.failures import FailureCode
from gateway.wire.messages import RAW, Put
from renderer.packing import unpack
from simulator.label import Done, Painting, SimLabel, blank_glass
from simulator.picture import Refusal
from tests.panels import PANELS
from tests.unit.simulator.rig import PANEL, deflate, digest, entry, picture, put


@pytest.fixture
def label() -> SimLabel:
    return SimLabel("label-1", PANEL)


def paint(label: SimLabel, order: Put) -> Done | Painting | Refusal:
    """Let a label do what it is told, to the end."""
    result = label.receive(order)
    if isinstance(result, Painting):
        assert label.finish_paint(result)
        return Done.SHOWN
    return result


def code(result: object) -> FailureCode:
    assert isinstance(result, Refusal), result
    return result.code


# -- L1: revisions ----------------------------------------------------------------------------


def test_the_highest_shown_revision_survives_a_reboot(label: SimLabel) -> None:
    paint(label, put(5))

    label.reboot()

    assert code(paint(label, put(4))) is FailureCode.SUPERSEDED
    assert (label.shown_rev, label.shown_pixels) == (5, picture(5))


def test_the_same_revision_and_picture_is_answered_without_painting_again(label: SimLabel) -> None:
    paint(label, put(5))

    assert paint(label, put(5)) is Done.SHOWN
    assert label.paints == 1


def test_the_same_revision_with_another_picture_is_refused(label: SimLabel) -> None:
    paint(label, put(5))

    assert code(paint(label, put(5, picture(6)))) is FailureCode.SUPERSEDED
    assert label.shown_pixels == picture(5)


def test_an_equal_picture_under_a_higher_revision_is_not_painted_again(label: SimLabel) -> None:
    paint(label, put(5))

    assert paint(label, put(6, picture(5))) is Done.SHOWN
    assert (label.paints, label.shown_rev) == (1, 6)


def test_storing_does_not_raise_the_shown_revision(label: SimLabel) -> None:
    assert label.receive(put(9, slot=1, show=False)) is Done.STORED

    assert label.shown_rev == 0
    assert paint(label, put(5)) is Done.SHOWN


def test_a_slot_never_goes_back_to_an_older_revision(label: SimLabel) -> None:
    label.receive(put(9, slot=1, show=False))

    assert code(label.receive(put(8, slot=1, show=False))) is FailureCode.SUPERSEDED
    assert label.receive(put(9, slot=1, show=False)) is Done.STORED
    assert label.slots[1].rev == 9


def test_a_stored_picture_is_not_shown_under_a_revision_that_is_past(label: SimLabel) -> None:
    label.receive(put(1, slot=1, show=False))
    paint(label, put(5))

    assert code(label.show(entry(4, picture(1), slot=1))) is FailureCode.SUPERSEDED


# -- L2: complete, verified pictures ----------------------------------------------------------


@pytest.mark.parametrize("encoding", ["raw", "zlib"])
def test_a_whole_picture_is_painted(label: SimLabel, encoding: str) -> None:
    assert paint(label, put(1, encoding=encoding)) is Done.SHOWN

    assert label.shown_pixels == picture(1)
    assert label.shown_digest == digest(picture(1))


FRAME = picture(1)
WIDE = zlib.compressobj(wbits=15)
WIDE_STREAM = WIDE.compress(FRAME) + WIDE.flush()
BOMB = deflate(bytes(5_000_000))


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"digest": bytes(32)}, FailureCode.BAD_DIGEST),
        ({"data": deflate(picture(2))}, FailureCode.BAD_DIGEST),
        ({"data": deflate(FRAME)[:-1]}, FailureCode.BAD_DIGEST),
        ({"data": deflate(FRAME) + b"x"}, FailureCode.BAD_DIGEST),
        ({"data": deflate(FRAME[:-1])}, FailureCode.BAD_DIGEST),
        ({"data": b"no stream"}, FailureCode.BAD_DIGEST),
        ({"data": b""}, FailureCode.BAD_DIGEST),
        ({"data": BOMB}, FailureCode.BAD_DIGEST),
        ({"data": WIDE_STREAM}, FailureCode.CAPACITY_LIMIT),
        ({"data": FRAME[:-1], "encoding": RAW}, FailureCode.BAD_DIGEST),
        ({"size": len(FRAME) - 1}, FailureCode.INVALID_PARAMETERS),
        ({"encoding": "png"}, FailureCode.UNSUPPORTED),
        ({"encoding": "xor-zlib", "base": bytes(32)}, FailureCode.BASE_MISMATCH),
        ({"slot": 2}, FailureCode.INVALID_IMAGE_INDEX),
    ],
    ids=lambda value: ",".join(value) if isinstance(value, dict) else str(value),
)
def test_anything_else_never_reaches_slot_or_glass(
    label: SimLabel, changes: dict[str, Any], expected: FailureCode
) -> None:
    assert code(paint(label, put(1, FRAME, **changes))) is expected

    assert label.shown_pixels == blank_glass(PANEL)
    assert [slot.rev for slot in label.slots] == [0, 0]


def test_a_stream_that_would_burst_the_memory_is_stopped(label: SimLabel) -> None:
    order = put(1, FRAME, data=BOMB)
    tracemalloc.start()
    try:
        label.receive(order)
        _, peak_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert peak_bytes < 100_000


def test_a_show_paints_only_the_picture_that_was_meant(label: SimLabel) -> None:
    label.receive(put(1, slot=1, show=False))

    assert code(label.show(entry(2, picture(2), slot=1))) is FailureCode.IMAGE_NOT_AVAILABLE
    assert code(label.show(entry(2, picture(1), slot=0))) is FailureCode.IMAGE_NOT_AVAILABLE
    assert code(label.show(entry(2, picture(1), slot=9))) is FailureCode.INVALID_IMAGE_INDEX
    assert isinstance(label.show(entry(2, picture(1), slot=1)), Painting)


def test_a_label_shows_its_old_picture_until_the_new_one_is_painted(label: SimLabel) -> None:
    paint(label, put(1))

    painting = label.receive(put(2))

    assert isinstance(painting, Painting)
    assert (label.shown_rev, label.shown_pixels) == (1, picture(1))
    assert code(label.receive(put(3))) is FailureCode.INVALID_STATE
    assert label.finish_paint(painting)
    assert label.shown_pixels == picture(2)


def test_a_painting_that_was_given_up_does_not_end_the_next_one(label: SimLabel) -> None:
    given_up = label.receive(put(1))
    label.reboot()
    label.receive(put(2))

    assert isinstance(given_up, Painting)
    assert not label.finish_paint(given_up)
    assert label.shown_rev == 0


# -- L3, L4: memory and what it says ----------------------------------------------------------


def test_a_label_that_lost_its_memory_says_so_and_shows_nothing(label: SimLabel) -> None:
    paint(label, put(5))

    label.lose_memory()

    assert (label.incarnation, label.shown_rev, label.shown_digest) == (2, 0, b"")
    assert [slot.rev for slot in label.slots] == [0, 0]
    assert paint(label, put(1)) is Done.SHOWN


@pytest.mark.parametrize("panel", PANELS.values(), ids=PANELS)
def test_a_blank_glass_is_white(panel: Panel) -> None:
    assert (unpack(SimLabel("x", panel).shown_pixels, panel) == Ink.WHITE).all()


def test_an_older_epoch_is_not_obeyed(label: SimLabel) -> None:
    paint(label, put(1, epoch=3))

    assert code(label.receive(put(2, epoch=2))) is FailureCode.INVALID_STATE
    assert paint(label, put(3, epoch=4)) is Done.SHOWN


def test_each_painting_costs_battery(label: SimLabel) -> None:
    for rev in range(1, 21):
        paint(label, put(rev))

    assert label.battery_mv == 2_997


def test_a_flat_battery_refuses_to_paint(label: SimLabel) -> None:
    label.battery_uv = 2_199_999

    assert code(label.receive(put(1))) is FailureCode.INSUFFICIENT_BATTERY
