"""The stacking rule, sentence by sentence (decision record 14)."""

from itertools import permutations

import pytest

from esl.domain.promotion.offer import Offer, Why
from esl.domain.promotion.promotion import (
    Absolute,
    AmountOff,
    PayFor,
    PercentOff,
    Promotion,
    Stacking,
    TotalFor,
)
from esl.domain.promotion.window import Window
from tests.offers import base, local, offer, promotion

TENTH = PercentOff(permille=100)
FIFTH = PercentOff(permille=200)


def lost(found: Offer) -> dict[str, Why]:
    return {one.promotion.promotion_id: one.why for one in found.reason.lost}


def test_the_higher_priority_wins_even_if_it_is_dearer() -> None:
    found = offer([promotion("cheap", FIFTH), promotion("first", TENTH, priority=1)])
    assert (found.price_minor, lost(found)) == (900, {"cheap": Why.PRIORITY})


def test_of_the_same_priority_the_cheaper_wins() -> None:
    found = offer([promotion("a", TENTH), promotion("b", FIFTH)])
    assert (found.price_minor, lost(found)) == (800, {"a": Why.DEARER})


def test_of_the_same_price_the_later_wins_and_then_the_first_by_name() -> None:
    may = Window(begins=local("2026-05-30 00:00"))
    june = Window(begins=local("2026-05-31 00:00"))
    found = offer(
        [
            promotion("a", TENTH, window=may),
            promotion("b", TENTH, window=june),
            promotion("c", TENTH, window=june),
        ]
    )
    assert found.promotion_ids == ("b",)
    assert lost(found) == {"a": Why.EARLIER, "c": Why.NAME}


def test_nothing_adds_up_unless_it_says_so() -> None:
    top = promotion("top", TENTH, stacking=Stacking.ON_TOP)
    cent = promotion("cent", AmountOff(amount_minor=1), stacking=Stacking.ON_TOP, priority=-1)
    found = offer([cent, top, promotion("first", FIFTH)])
    assert (found.price_minor, found.promotion_ids) == (719, ("first", "top", "cent"))
    assert offer([top]).price_minor == 900


def test_what_stands_on_top_leaves_something_to_pay() -> None:
    top = promotion("top", AmountOff(amount_minor=900), stacking=Stacking.ON_TOP)
    found = offer([promotion("first", FIFTH), top])
    assert (found.price_minor, lost(found)) == (800, {"top": Why.FREE})


@pytest.mark.parametrize(
    ("one", "why"),
    [
        (promotion("p", Absolute(price_minor=1000)), Why.NOT_LOWER),
        (promotion("p", AmountOff(amount_minor=1000)), Why.FREE),
        (promotion("p", PercentOff(permille=999), currency="USD"), Why.CURRENCY),
        (promotion("p", TotalFor(quantity=2, total_minor=2000)), Why.SAVES_NOTHING),
        (promotion("p", Absolute(price_minor=1000), club="Gold"), Why.NOT_BELOW_PUBLIC),
    ],
)
def test_what_would_change_nothing_is_lost_with_its_reason(one: Promotion, why: Why) -> None:
    found = offer([one])
    assert (found.price_minor, found.reason.applied, lost(found)) == (1000, (), {"p": why})


def test_the_tills_own_promotion_is_not_reduced_twice_and_never_made_dearer() -> None:
    till = base(850, regular_minor=1000, was_minor=1000)
    dearer = offer([promotion("p", TENTH)], till=till, past=[])
    assert (dearer.price_minor, lost(dearer)) == (850, {"p": Why.TILL_IS_CHEAPER})
    assert dearer.says().regular_minor == 1000
    assert offer([promotion("p", FIFTH)], till=till, past=[]).price_minor == 800


def test_three_for_two_counts_with_the_price_that_holds() -> None:
    found = offer([promotion("p", TENTH), promotion("three", PayFor(quantity=3, pay_for=2))])
    assert found.multibuy is not None
    assert (found.multibuy.total_minor, found.multibuy.percent) == (1800, 33)


def test_several_that_save_nothing_against_the_reduced_price_are_lost() -> None:
    two = promotion("two", TotalFor(quantity=2, total_minor=1800))
    assert offer([two]).multibuy is not None
    found = offer([two, promotion("p", FIFTH)])
    assert (found.multibuy, lost(found)) == (None, {"two": Why.SAVES_NOTHING})


def test_several_are_compared_by_the_piece_also_with_the_tills_own() -> None:
    two = promotion("two", TotalFor(quantity=2, total_minor=1700))
    three = promotion("three", TotalFor(quantity=3, total_minor=2500))
    found = offer([two, three])
    assert found.multibuy is not None
    assert (found.multibuy.quantity, lost(found)) == (3, {"two": Why.DEARER})
    found = offer([three], till=base(1000, multibuy_quantity=2, multibuy_minor=1600))
    assert found.multibuy is not None
    assert (found.multibuy.promotion, lost(found)) == (None, {"three": Why.TILL_IS_CHEAPER})


def test_the_tills_three_for_2100_is_better_than_two_for_1600() -> None:
    two = promotion("two", TotalFor(quantity=2, total_minor=1600))
    found = offer([two], till=base(1000, multibuy_quantity=3, multibuy_minor=2100))
    assert found.multibuy is not None
    assert (found.multibuy.quantity, lost(found)) == (3, {"two": Why.TILL_IS_CHEAPER})


def test_members_are_not_given_what_everybody_pays() -> None:
    club = promotion("club", TENTH, club="Gold")
    found = offer([club, promotion("week", FIFTH)])
    assert (found.member, lost(found)) == (None, {"club": Why.NOT_BELOW_PUBLIC})
    on_top = promotion("club", TENTH, club="Gold", stacking=Stacking.ON_TOP)
    found = offer([on_top, promotion("week", FIFTH)])
    assert found.member is not None
    assert (found.price_minor, found.member.price_minor) == (800, 720)


def test_the_tills_better_price_for_members_stays() -> None:
    found = offer([promotion("club", TENTH, club="Gold")], till=base(1000, member_minor=850))
    assert found.member is not None
    assert (found.member.price_minor, found.member.club) == (850, None)
    assert lost(found) == {"club": Why.TILL_IS_CHEAPER}


def test_an_exclusive_promotion_stands_alone_or_not_at_all() -> None:
    only = promotion("only", TENTH, stacking=Stacking.EXCLUSIVE)
    others = [
        promotion("two", TotalFor(quantity=2, total_minor=1500)),
        promotion("top", TENTH, stacking=Stacking.ON_TOP),
        promotion("club", FIFTH, club="Gold", priority=5),
    ]
    found = offer([only, *others])
    assert found.promotion_ids == ("only",)
    assert lost(found) == dict.fromkeys(("two", "top", "club"), Why.EXCLUSIVE)
    outranked = offer([only, *others, promotion("week", FIFTH, priority=1)])
    assert outranked.price_minor == 720
    assert lost(outranked)["only"] is Why.EXCLUSIVE


def test_the_order_of_saving_decides_nothing() -> None:
    four = [
        promotion("a", TENTH),
        promotion("b", TENTH),
        promotion("c", FIFTH, stacking=Stacking.ON_TOP),
        promotion("d", TotalFor(quantity=2, total_minor=1300)),
    ]
    first = offer(four)
    assert all(offer(order)[:-1] == first[:-1] for order in permutations(four))
    assert first.price_minor == 720
