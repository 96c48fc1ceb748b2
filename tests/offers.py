"""Promotions, tills and moments for tests of the offer."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from esl.domain.face import Unit
from esl.domain.ids import Sku, StoreId
from esl.domain.law import Profile, Step, StepKind, load_profile
from esl.domain.pricing import Says
from esl.domain.product import NetContent, Product
from esl.domain.promotion.book import Book
from esl.domain.promotion.offer import Base, Offer
from esl.domain.promotion.past import epoch_ms
from esl.domain.promotion.promotion import Gives, Promotion, Selection
from esl.domain.promotion.reckoning import Reckoner

BERLIN = ZoneInfo("Europe/Berlin")
STORE = StoreId("main")
EU, DE, US = load_profile("eu"), load_profile("de"), load_profile("us")
ALL = Selection(everything=True)


def utc(text: str) -> datetime:
    """Read "2026-06-01 08:00" as UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def local(text: str) -> datetime:
    """Read a time of the store's clock."""
    return datetime.fromisoformat(text)


NOW = utc("2026-06-01 12:00")
LONG_AGO = utc("2025-01-01 00:00")


def promotion(promotion_id: str, gives: Gives, **more: Any) -> Promotion:
    """Make a promotion of everything, in euro."""
    settings: dict[str, Any] = {"name": promotion_id, "currency": "EUR", "selection": ALL} | more
    return Promotion(promotion_id=promotion_id, gives=gives, **settings)


def product(sku: str = "4711", **more: Any) -> Product:
    """Make a product of 500 g."""
    settings: dict[str, Any] = {
        "name": "Coffee",
        "net_content": NetContent(milli=500, unit=Unit.KILOGRAM),
    } | more
    return Product(store_id=STORE, sku=Sku(sku), **settings)


def base(price_minor: int, *, currency: str = "EUR", **more: Any) -> Base:
    """Make what a till says, since long ago."""
    says = Says(price_minor, None, None, None)._replace(**more)
    return Base(says, currency, LONG_AGO, 17, "till", "key:till-1")


def held(*steps: tuple[str, int | None] | tuple[str, int | None, StepKind]) -> list[Step]:
    """Make a history of (since, price, kind)."""
    return [Step(epoch_ms(utc(at)), *rest) for at, *rest in steps]  # type: ignore[arg-type]


def offer(
    promotions: Iterable[Promotion] = (),
    *,
    till: Base | None = None,
    of: Product | None = None,
    past: Sequence[Step] | None = None,
    at: datetime = NOW,
    law: Profile = EU,
    **more: Any,
) -> Offer:
    """Compute an offer in Berlin; without a past the till's price has held for long."""
    till = till or base(1000)
    of = of or product()
    if past is None:
        past = [Step(epoch_ms(LONG_AGO), till.says.price_minor)]
    running = Book(promotions, store_id=STORE, zone=BERLIN).at(at).running(of)
    return Reckoner(law, at, zone=BERLIN).offer(of, till, past, running, **more)
