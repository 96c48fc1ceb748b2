"""``esl bench offers``: what it costs to say what every label of a shop may say.

::

    book      40 promotions of a store compiled: lists of SKUs, categories, brands, tags, hours
    moment    those that run at an instant
    offers    each label's: who wins, the lowest price of thirty days, claim, unit prices
    naive     the same shop by `api.bench.naive_offers`, and whether its prices agree

The products are invented, with eight prices in the past each; about half of them are under a
promotion, as in a week with a leaflet. One core; the time is the processor's.
"""

import gc
import time
from datetime import UTC, datetime, timedelta
from datetime import time as Hour  # noqa: N812  beside the module `time`
from random import Random
from typing import Any, Final
from zoneinfo import ZoneInfo

from api.bench.naive_offers import naive_prices
from esl.domain.face import Unit
from esl.domain.ids import Sku, StoreId
from esl.domain.law import Step, load_profile
from esl.domain.pricing import Says
from esl.domain.product import NetContent, Product
from esl.domain.promotion.book import Book
from esl.domain.promotion.offer import Base
from esl.domain.promotion.past import epoch_ms
from esl.domain.promotion.promotion import (
    AmountOff,
    Gives,
    PayFor,
    PercentOff,
    Promotion,
    Selection,
    TotalFor,
)
from esl.domain.promotion.reckoning import Reckoner
from esl.domain.promotion.window import Hours, Window

MOMENT: Final = datetime(2026, 6, 3, 15, 30, tzinfo=UTC)
ZONE: Final = ZoneInfo("Europe/Zagreb")
STORE: Final = StoreId("bench-offers")
PROMOTIONS: Final = 40
ROUNDS: Final = 5
NAIVE_MOST: Final = 2000
AT_ONCE: Final = 1000

_PAST_STEPS = 8
_EVENING = Hours(Hour(16), Hour(20))
_CATEGORIES = tuple(f"category {n}" for n in range(60))
_BRANDS = tuple(f"brand {n}" for n in range(300))
_TAGS = tuple(f"tag {n}" for n in range(20))


def measure_offers(labels: int, *, naive: bool) -> dict[str, Any]:
    """Compute the offers of so many labels, `ROUNDS` times, and report the fastest and median."""
    random = Random(1)  # noqa: S311  a shop by chance
    shop = [_priced(random, number) for number in range(labels)]
    promotions = _promotions(random, labels)
    profile = load_profile("eu")
    begun = time.process_time()
    book = Book(promotions, store_id=STORE, zone=ZONE)
    compiled = time.process_time()
    moment = book.at(MOMENT)
    taken = time.process_time()
    gc.freeze()  # the shop is the bench's own, and nobody needs to look for garbage in it
    rounds: list[float] = []
    shown: list[tuple[int, int | None]] = []
    reduced = 0
    for _ in range(ROUNDS):
        shown, reduced, spent = [], 0, 0.0
        for first in range(0, labels, AT_ONCE):  # as whoever writes them down takes them
            start = time.process_time()
            reckoner = Reckoner(profile, MOMENT, zone=ZONE)
            offers = [
                reckoner.offer(product, base, history, moment.running(product))
                for product, base, history in shop[first : first + AT_ONCE]
            ]
            spent += time.process_time() - start
            shown += [(one.price_minor, one.reference_minor) for one in offers]
            reduced += sum(1 for one in offers if one.reason.applied)
        rounds.append(spent * 1e6 / labels)
    gc.unfreeze()
    rounds.sort()
    figures: dict[str, Any] = {
        "labels": labels,
        "promotions": len(promotions),
        "running": len(moment.all),
        "labels_in_promotions": reduced,
        "book_ms": round((compiled - begun) * 1e3, 2),
        "moment_ms": round((taken - compiled) * 1e3, 2),
        "us_per_label": round(rounds[len(rounds) // 2], 2),
        "us_per_label_best": round(rounds[0], 2),
    }
    if naive:
        few = shop[:NAIVE_MOST]
        start = time.process_time()
        prices = naive_prices(few, promotions, MOMENT, ZONE)
        naive_us = (time.process_time() - start) * 1e6 / len(few)
        figures |= {
            "naive_us_per_label": round(naive_us, 2),
            "naive_ratio": round(naive_us / rounds[len(rounds) // 2], 1),
            "naive_agrees": prices == shown[: len(few)],
        }
    return figures


def _priced(random: Random, number: int) -> tuple[Product, Base, list[Step]]:
    """Invent a product, what its till says, and eight prices of the last half year."""
    usual = random.randrange(79, 2999)
    days = sorted(random.sample(range(16, 180), _PAST_STEPS - 1), reverse=True)
    past = [
        Step(
            epoch_ms(MOMENT - timedelta(days=day)),
            max(10, usual * random.randrange(80, 121) // 100),
        )
        for day in (200, *days)
    ]
    product = Product(
        store_id=STORE,
        sku=Sku(f"{number:06d}"),
        name=f"Product {number}",
        brand=random.choice(_BRANDS),
        category=random.choice(_CATEGORIES),
        net_content=NetContent(
            milli=random.choice((80, 250, 400, 500, 1000)),
            unit=random.choice((Unit.KILOGRAM, Unit.LITRE)),
        ),
        tags=frozenset(random.sample(_TAGS, random.randrange(3))),
    )
    price = past[-1].price_minor or usual
    said_at = MOMENT - timedelta(days=days[-1])
    return product, Base(Says(price, None, None, None), "EUR", said_at, number), past


def _promotions(random: Random, labels: int) -> list[Promotion]:
    """Invent the promotions: a quarter each by SKU, category, brand and tag."""
    made: list[Promotion] = []
    for number in range(PROMOTIONS):
        some = tuple(Sku(f"{random.randrange(labels):06d}") for _ in range(max(1, labels // 80)))
        selection = (
            Selection(skus=frozenset(some)),
            Selection(categories=frozenset(random.sample(_CATEGORIES, 2))),
            Selection(brands=frozenset(random.sample(_BRANDS, 4))),
            Selection(tags=frozenset({_TAGS[number % 3]}), brands=frozenset(_BRANDS[:150])),
        )[number % 4]
        gives: tuple[Gives, ...] = (
            PercentOff(permille=random.randrange(5, 50) * 10),
            AmountOff(amount_minor=random.randrange(5, 60)),
            TotalFor(quantity=2, total_minor=random.randrange(150, 900)),
            PayFor(quantity=3, pay_for=2),
        )
        kind = random.choice((0, 0, 0, 1, 1, 2, 3))
        starts = datetime(2026, 5, random.randrange(20, 31), 6)  # noqa: DTZ001  the store's clock
        window = Window(
            begins=starts,
            ends=starts + timedelta(days=random.randrange(6, 20)),
            hours=(_EVENING,) if number % 5 == 0 else (),
        )
        made.append(
            Promotion(
                promotion_id=f"promotion-{number}",
                name=f"Promotion {number}",
                gives=gives[kind],
                currency="EUR",
                club="Club" if kind == 0 and number % 7 == 0 else None,
                selection=selection,
                window=window,
                priority=random.randrange(3),
                badge="−{percent} %" if kind < 2 else None,  # noqa: PLR2004  one piece
            )
        )
    return made
