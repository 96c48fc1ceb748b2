"""Products as the shop sells them."""

from collections.abc import Collection
from dataclasses import dataclass

from esl.domain.face import Unit
from esl.domain.ids import Sku, StoreId

_WHOLE = 1000
"""Thousandths in one unit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NetContent:
    """How much is in a pack: ``milli`` thousandths of ``unit`` (400 g is 400 of kg)."""

    milli: int
    unit: Unit

    def as_text(self) -> str:
        """Write the content as a label prints it: "400 g", "1.5 l", "6 pcs"."""
        if self.unit in (Unit.KILOGRAM, Unit.LITRE) and self.milli < _WHOLE:
            return f"{self.milli} {'g' if self.unit is Unit.KILOGRAM else 'ml'}"
        whole, rest = divmod(self.milli, _WHOLE)
        number = f"{whole}.{rest:03d}".rstrip("0").rstrip(".")
        unit = {Unit.PIECE: "×", Unit.SQUARE_METRE: "m²"}.get(self.unit, self.unit.value)
        return f"{number} {unit}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Product:
    """One product of one store, without its price."""

    store_id: StoreId
    sku: Sku
    name: str
    brand: str | None = None
    category: str | None = None
    gtin: str | None = None
    net_content: NetContent | None = None
    priced_per: Unit | None = None  # goods by weight: the price is for one of this unit
    link: str | None = None  # address for the QR code; None takes the store's rule
    origin: str | None = None  # as printed: "Croatia"
    stock: int | None = None  # pieces; None is unknown, and a till may count below zero
    deposit_minor: int | None = None  # returnable, in the store's currency, not in the price
    tags: frozenset[str] = frozenset()  # the shop's own words for promotions to choose by


TAGS_MOST = 50
TAG_LONGEST = 120
"""Of one product, and characters of one tag."""


NO_TAGS: frozenset[str] = frozenset()


def tags_text(tags: Collection[str]) -> str | None:
    """Write tags as they are kept: a line each, in order; None where there are none."""
    return "\n".join(sorted(tags)) or None


def tags_from(text: str | None) -> frozenset[str]:
    """Read what `tags_text` has written."""
    return frozenset(text.split("\n")) if text else NO_TAGS
