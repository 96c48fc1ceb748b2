"""What is paid and what is asked, as drivers send them, become a price and a promotion."""

from dataclasses import replace

import pytest

from esl.domain.entry import Entry, PromotionKind, StatedPromotion
from esl.domain.ids import Sku, StoreId
from esl.domain.pricing import KEEP, CurrentPrice, Keep
from esl.services.compat_items import settle_prices

ENTRY = Entry(store_id=StoreId("main"), sku=Sku("1"), currency="EUR")
NO_SALE = CurrentPrice(
    store_id=StoreId("main"),
    sku=Sku("1"),
    price_minor=150,
    currency="EUR",
    was_minor=None,
    unit_price_minor=None,
    badge=None,
    rev=1,
)
ON_SALE = replace(NO_SALE, price_minor=120, was_minor=150, regular_minor=150)

Said = tuple[int | Keep, int | Keep | None]


@pytest.mark.parametrize(
    ("asked", "paid", "held", "whole", "settled"),
    [
        (150, 120, None, False, (150, 120)),
        (150, 150, ON_SALE, False, (150, None)),
        (150, 170, NO_SALE, False, (150, 170)),  # for the guards to doubt
        (KEEP, 120, None, False, (120, None)),
        (KEEP, 120, NO_SALE, False, (120, None)),
        (KEEP, 110, ON_SALE, False, (KEEP, 110)),
        (KEEP, 150, ON_SALE, False, (150, None)),
        (KEEP, 170, ON_SALE, False, (170, None)),
        (KEEP, 110, ON_SALE, True, (110, None)),
        (150, KEEP, ON_SALE, False, (150, KEEP)),
        (150, None, ON_SALE, True, (150, None)),
        (KEEP, None, ON_SALE, False, (KEEP, None)),
    ],
)
def test_two_prices_become_what_they_mean_together(
    asked: int | Keep,
    paid: int | Keep | None,
    held: CurrentPrice | None,
    whole: bool,  # noqa: FBT001
    settled: Said,
) -> None:
    promotion = StatedPromotion(price_minor=paid) if isinstance(paid, int) else paid
    entry = replace(ENTRY, price_minor=asked, promotion=promotion)
    after = settle_prices(entry, held, whole=whole)
    then = after.promotion
    price = then.price_minor if isinstance(then, StatedPromotion) else then
    assert (after.price_minor, price) == settled


def test_other_promotions_are_left_alone() -> None:
    club = StatedPromotion(kind=PromotionKind.MEMBER, price_minor=120, club="a")
    entry = replace(ENTRY, promotion=club)
    assert settle_prices(entry, None, whole=True) is entry
