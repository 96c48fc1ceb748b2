"""The desk at which prices come in: which sources a store has, and the limits of each.

Where any zone says a price, ``zone:`` stands among the sources: then it matters who said what.

Read for every price change, so two short statements and no objects where nobody registered a
source.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import msgspec
from sqlalchemy import Connection

from esl.domain.guards import Guards
from esl.domain.ids import SourceId, StoreId
from esl.domain.source import PRICE_FIELD, USUAL_PRIORITY
from esl.domain.zone import ZONE_RANK, is_zone
from esl.intake.guard_json import guards_from
from esl.store.bulk import Bulk

_STORE: Final = Bulk("SELECT guards FROM store WHERE store_id = :store")
_SOURCES: Final = Bulk(
    """
    SELECT source_id, guards, priority, priorities, CASE WHEN disabled THEN 1 ELSE 0 END
    FROM source WHERE store_id = :store OR store_id IS NULL
    UNION ALL SELECT 'zone:', NULL, 0, '{{}}', 0 WHERE EXISTS (SELECT 1 FROM zone_price)
    """
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Seat:
    """A registered source, as far as every change must know it."""

    guards: Guards | None
    priority: int
    priorities: Mapping[str, int]
    disabled: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """What holds for the sources of one store."""

    guards: Guards
    seats: Mapping[SourceId, Seat]

    def guards_of(self, source: SourceId) -> Guards:
        """Return the limits of a source: its own, else its store's."""
        seat = self.seats.get(source)
        return self.guards if seat is None or seat.guards is None else seat.guards

    def priority_of(self, source: SourceId, field: str = PRICE_FIELD) -> int:
        """Return how far a source's word on a field goes."""
        if is_zone(source):
            return ZONE_RANK
        seat = self.seats.get(source)
        return USUAL_PRIORITY if seat is None else seat.priorities.get(field, seat.priority)

    @property
    def has_ranks(self) -> bool:
        """Say whether sources differ in priority, so that it matters who said a field."""
        return any(
            seat.priority != USUAL_PRIORITY or seat.priorities for seat in self.seats.values()
        )

    def owner_above(self, owner: str | None, source: SourceId, field: str) -> bool:
        """Say whether a field's owner has a higher priority; who is not registered owns nothing.

        Before a zone goes whoever says the store's price, registered or not.
        """
        if is_zone(source):
            return owner is not None and not is_zone(owner)
        if owner is None or owner == source or SourceId(owner) not in self.seats:
            return False
        return self.priority_of(SourceId(owner), field) > self.priority_of(source, field)

    def goes_beyond(self, source: SourceId, owner: str | None) -> bool:
        """Say whether a source's word on a price goes further than its owner's.

        A till that repeats what its zone says is an echo: the price stays the zone's.
        """
        if not self.has_ranks or owner == source:
            return False
        if is_zone(source) or (owner and is_zone(owner)):
            return is_zone(source) and bool(owner) and is_zone(owner or "")
        return not owner or self.priority_of(source) > self.priority_of(SourceId(owner))


def desk_of(tx: Connection, store_id: StoreId) -> Desk:
    """Load a store's desk."""
    held = _STORE.run(tx, store=store_id)
    seats = {
        SourceId(source): Seat(
            guards=None if guards is None else guards_from(guards),
            priority=int(priority),
            priorities=_priorities(priorities),
            disabled=bool(disabled),
        )
        for source, guards, priority, priorities, disabled in _SOURCES.run(tx, store=store_id)
    }
    return Desk(guards=guards_from(held[0][0] if held else None), seats=seats)


@lru_cache(maxsize=256)
def _priorities(text: str) -> Mapping[str, int]:
    found: dict[str, int] = msgspec.json.decode(text, type=dict[str, int])
    return found


@lru_cache(maxsize=4096)
def owners_from(text: str | None) -> Mapping[str, str]:
    """Read who said the fields of a product."""
    return {} if text is None else msgspec.json.decode(text, type=dict[str, str])


@lru_cache(maxsize=4096)
def owners_with(text: str | None, source: str, fields: tuple[str, ...]) -> str:
    """Write who says the fields of a product, once a source has said some."""
    owners = dict(owners_from(text)) | dict.fromkeys(fields, source)
    return msgspec.json.encode(owners, order="sorted").decode()
