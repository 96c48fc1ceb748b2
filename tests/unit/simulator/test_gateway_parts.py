"""Deltas and pictures in parts: put together, verified, and given up in time."""

from itertools import pairwise
from typing import Any

from gateway.wire.messages import XOR_ZLIB, Accepted, Failed, Put, Shown, Stored
from tests.unit.simulator.rig import NOON_MS, Rig, codes, deflate, digest, of, picture, put


def delta(rev: int, frame: bytes, base: bytes, **changes: Any) -> Put:
    data = deflate(bytes(a ^ b for a, b in zip(frame, base, strict=True)))
    return put(rev, frame, **({"encoding": XOR_ZLIB, "base": digest(base), "data": data} | changes))


def parts(rev: int, *cuts: int, **changes: Any) -> list[Put]:
    data = put(rev).data
    edges = [0, *cuts, len(data)]
    return [
        put(rev, data=data[start:end], offset=start, total=len(data), **changes)
        for start, end in pairwise(edges)
    ]


# -- deltas ------------------------------------------------------------------------------------


def test_a_delta_is_painted_over_the_picture_it_changes() -> None:
    rig = Rig()
    rig.down(put(1))

    (shown,) = of(Shown, rig.down(delta(2, picture(2), picture(1))))

    assert shown.digest == digest(picture(2))
    assert rig.label.shown_pixels == picture(2)


def test_many_deltas_on_each_other_still_show_the_right_pixels() -> None:
    rig = Rig()
    rig.down(put(1))

    for rev in range(2, 20):
        assert of(Shown, rig.down(delta(rev, picture(rev), picture(rev - 1))))
        assert rig.label.shown_pixels == picture(rev)

    assert rig.label.glass is not None
    assert rig.label.glass.deltas <= 3


def test_a_delta_may_change_what_a_slot_holds() -> None:
    rig = Rig()
    rig.down(put(1, slot=1, show=False))

    stored = rig.down(delta(2, picture(2), picture(1), slot=0, show=False))

    assert [(e.slot, e.digest) for e in of(Stored, stored)] == [(0, digest(picture(2)))]


def test_a_delta_against_what_the_label_does_not_hold_is_refused() -> None:
    rig = Rig()
    rig.down(put(1))

    assert codes(rig.down(delta(2, picture(2), picture(9)))) == ["base_mismatch"]
    assert rig.label.shown_pixels == picture(1)


def test_a_delta_that_makes_another_picture_is_refused() -> None:
    rig = Rig()
    rig.down(put(1))
    wrong = delta(2, picture(3), picture(1), digest=digest(picture(2)))

    assert codes(rig.down(wrong)) == ["bad_digest"]
    assert rig.label.shown_pixels == picture(1)


def test_deltas_and_parts_are_unknown_below_level_full() -> None:
    rig = Rig(level="staged")
    rig.down(put(1))

    assert codes(rig.down(delta(2, picture(2), picture(1)))) == ["unsupported"]
    assert codes(rig.down(*parts(3, 5))) == ["unsupported", "unsupported"]


# -- parts -------------------------------------------------------------------------------------


def test_parts_in_any_order_and_twice_make_one_picture() -> None:
    rig = Rig()
    first, second, third = parts(1, 4, 9)

    assert [type(e) for e in rig.down(third)] == [Accepted]
    assert rig.down(first, first, third) == []
    (shown,) = of(Shown, rig.down(second))

    assert (shown.id, shown.rev) == (1, 1)
    assert rig.label.shown_pixels == picture(1)


def test_a_part_of_a_whole_picture_again_is_answered_with_its_result() -> None:
    rig = Rig()
    rig.down(*parts(1, 5))

    assert [e.rev for e in of(Shown, rig.down(parts(1, 5)[1]))] == [1]
    assert rig.label.paints == 1


def test_a_part_that_is_unlike_the_others_spoils_the_picture() -> None:
    rig = Rig()
    first, second = parts(1, 5)
    rig.down(first)

    assert codes(rig.down(put(1, data=second.data, offset=5, total=second.total, slot=1))) == [
        "invalid_parameters"
    ]
    assert codes(rig.down(second)) == ["invalid_parameters"]  # a duplicate of what failed


def test_parts_that_never_come_expire_once() -> None:
    rig = Rig()
    rig.down(parts(1, 5, deadline=NOON_MS + 10_000)[0])

    assert codes(rig.later(60)) == ["expired"]
    assert rig.label.shown_rev == 0


def test_an_incomplete_picture_gives_way_to_a_newer_revision() -> None:
    rig = Rig()
    rig.down(parts(1, 5)[0])

    events = rig.down(put(2))

    assert [(f.id, f.code) for f in of(Failed, events)] == [(1, "superseded")]
    assert [e.rev for e in of(Shown, events)] == [2]


def test_a_reboot_forgets_the_parts_it_had() -> None:
    rig = Rig()
    first, second = parts(1, 5)
    rig.down(first)
    rig.gateway.reboot()
    rig.connect()

    assert [type(e) for e in rig.down(second)] == [Accepted]
    assert rig.label.shown_rev == 0


def test_what_no_gateway_can_hold_is_refused_and_so_are_too_many_at_once() -> None:
    rig = Rig(labels=70)

    assert codes(rig.down(put(1, data=b"x", offset=0, total=2**24))) == ["capacity_limit"]
    events = rig.down(*(parts(n, 5, label=f"label-{n}")[0] for n in range(2, 68)))
    assert codes(events) == ["insufficient_resources"] * 2
