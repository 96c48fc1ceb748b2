"""Groups of stores, price zones, and the level at which a price was said.

::

    store   a till, a list, a person of the store          goes before
    zone    one word for all stores of a zone               goes before
    chain   one word for every store: the zone `CHAIN`

A zone's word becomes a price change of each of its stores, from the zone's own source
(`source_of`). Such a source yields to whoever else says a price of the store, so the nearest level
holds. Its name holds a sign that no id may hold: nobody can send a price under it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from esl.domain.ids import SourceId, StoreId

CHAIN: Final = "chain"
"""The zone of all stores; nobody adds it, or takes a store out of it."""

ZONE_LONGEST: Final = 40
"""Characters of a zone's id: with the sign before it, it is a source of 64 at most."""

ZONE_RANK: Final = -2
"""The priority of zones: below all that a registered source may have, and below the unknown."""

_MARK: Final = "zone:"


class Level(StrEnum):
    """Where a price was said; the nearest goes first."""

    STORE = "store"
    ZONE = "zone"
    CHAIN = "chain"


class Kind(StrEnum):
    """What a change of zones is."""

    PRICES = "prices"  #: the zone says prices
    CLEAR = "clear"  #: it says some no longer
    MOVE = "move"  #: a store came into another zone
    FILL = "fill"  #: a store has products that it did not have


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreGroup:
    """Stores that promotions name together, such as a region; a store may be in several."""

    group_id: str
    name: str
    stores: frozenset[StoreId]


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceZone:
    """Stores with prices of their own; a store is in one zone at most."""

    zone_id: str
    name: str
    currency: str | None  # None: the chain's, whose stores may differ
    stores: frozenset[StoreId]


@dataclass(frozen=True, slots=True, kw_only=True)
class ZonePrice:
    """What a zone says of a product now, by whom and since when; money in minor units."""

    zone_id: str
    sku: str
    price_minor: int
    currency: str
    was_minor: int | None
    unit_price_minor: int | None
    badge: str | None
    change_id: int
    source: SourceId
    actor: str
    said_at: datetime

    @property
    def level(self) -> Level:
        """Return at which level it was said."""
        return level_of(source_of(self.zone_id))


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What became of a zone's change in one store; ``is_done`` once all of it was told.

    ``counts`` are of products by what became of them; ``held`` names some that do not hold there,
    each with why.
    """

    store_id: StoreId
    is_done: bool
    counts: Mapping[str, int]
    held: tuple[tuple[str, str, str], ...] = ()
    labels: int = 0


def source_of(zone_id: str) -> SourceId:
    """Return the source under which a zone's words stand in its stores."""
    return SourceId(_MARK + zone_id)


def is_zone(source: str) -> bool:
    """Say whether a source is a zone."""
    return source.startswith(_MARK)


def zone_named_by(source: str) -> str | None:
    """Return the zone behind a source; None where it is another source."""
    return source.removeprefix(_MARK) if is_zone(source) else None


def level_of(source: str | None) -> Level:
    """Return at which level a source speaks; who is not known speaks for the store."""
    zone = zone_named_by(source) if source is not None else None
    if zone is None:
        return Level.STORE
    return Level.CHAIN if zone == CHAIN else Level.ZONE
