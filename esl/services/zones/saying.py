"""Take what a zone says: written down and answered at once, told to its stores afterwards.

::

    [ZoneWord] ─▶ late, repeated? ─▶ `zone_price`, one row a product
                                  └▶ a change with a task a store ─▶ `esl.services.zones.telling`
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TypeVar

from sqlalchemy import Connection

from esl.domain.errors import Conflict, InvalidInput, NumberUsed
from esl.domain.guards import FIXES, WORDS, Reason
from esl.domain.ids import Sku, SourceId, StoreId
from esl.domain.pricing import Decision, Keep, PriceChange
from esl.domain.zone import CHAIN, Kind, PriceZone, ZonePrice
from esl.store import places, zone_prices, zone_tasks, zones
from esl.store.zone_prices import Position

Value = TypeVar("Value")


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """What became of a request: one decision an item; ``change_id`` tells how its stores follow.

    It is None where nothing is to be told.
    """

    change_id: int | None
    stores: int
    decisions: tuple[Decision, ...]


def currency_of(tx: Connection, zone: PriceZone, said: str | None) -> str:
    """Return the currency of what a zone says; of the chain, that of its stores.

    Raises:
        InvalidInput: Stores of the chain have several, and nobody said which is meant.
    """
    if zone.currency is not None:
        return zone.currency
    used = sorted({store.currency for store in places.all_stores(tx)})
    if said is not None:
        if said not in used:
            raise InvalidInput.at("/currency", "no store has this currency")
        return said
    if len(used) > 1:
        raise InvalidInput.at(
            "/currency",
            f"missing, and the stores have {', '.join(used[:5])}",
            fix='Send {"currency": "EUR", "changes": […]}; make a zone for stores of another one.',
        )
    if not used:
        raise Conflict("there is no store yet; add one first")
    return used[0]


def say_prices(
    tx: Connection,
    zone_id: str,
    changes: Sequence[PriceChange],
    now: datetime,
    *,
    actor: str,
) -> Accepted:
    """Let a zone say prices; its stores follow in the background.

    Of several of one product the last counts. One that is late, or says what the zone says
    already, changes nothing.

    Raises:
        NotFound: There is no such zone.
        NumberUsed: A source used one sequence number for two prices.
        Conflict: The chain says one of the products in another currency.
    """
    zones.lock_zones(tx, [zone_id])
    zone = zones.zone_named(tx, zone_id)
    skus = sorted({change.sku for change in changes})
    held = _held(tx, zone_id, skus)
    _refuse_other_currency(zone_id, held, changes)
    ordered = [(c.sku, c.source) for c in changes if c.source_seq is not None]
    positions = zone_prices.positions_of(tx, zone_id, ordered) if ordered else {}
    moved: dict[tuple[Sku, SourceId], Position] = {}
    new: dict[Sku, ZonePrice] = {}
    decisions: list[Decision] = []
    for change in changes:
        key = change.sku, change.source
        is_late = _is_late(change, positions.get(key))
        said = _said(zone_id, change, held.get(change.sku), now, actor)
        if said is None or is_late:
            decisions.append(Decision.UNCHANGED if said is None else Decision.SUPERSEDED)
            if is_late:
                continue
        if change.source_seq is not None:
            positions[key] = moved[key] = change.source_seq, change.price_minor
        if said is None:
            continue
        decisions.append(Decision.ACCEPTED)
        new[change.sku] = held[change.sku] = said
    if moved:
        zone_prices.put_positions(tx, zone_id, moved)
    if not new:
        return Accepted(change_id=None, stores=0, decisions=tuple(decisions))
    words = {
        "skus": sorted(new),
        "prices": [(one.sku, one.price_minor, one.currency) for _, one in sorted(new.items())],
    }
    change_id = _tell(tx, zone, Kind.PRICES, words, now, products=len(new), actor=actor)
    zone_prices.put_prices(tx, zone_id, (replace(one, change_id=change_id) for one in new.values()))
    return Accepted(change_id=change_id, stores=len(zone.stores), decisions=tuple(decisions))


def clear_prices(
    tx: Connection, zone_id: str, skus: Sequence[Sku], now: datetime, *, actor: str
) -> Accepted:
    """Let a zone say the prices of products no longer; the chain's hold again.

    Where the chain says none, the price stays as it was told, until anybody says another.

    Raises:
        NotFound: There is no such zone.
    """
    zones.lock_zones(tx, [zone_id])
    zone = zones.zone_named(tx, zone_id)
    held = _held(tx, zone_id, sorted(set(skus)))
    decisions = tuple(Decision.ACCEPTED if sku in held else Decision.UNCHANGED for sku in skus)
    if not held:
        return Accepted(change_id=None, stores=0, decisions=decisions)
    change_id, stores = unsay(tx, zone, sorted(held), now, actor=actor)
    return Accepted(change_id=change_id, stores=stores, decisions=decisions)


def unsay(
    tx: Connection, zone: PriceZone, skus: Sequence[Sku], now: datetime, *, actor: str
) -> tuple[int, int]:
    """Take back what a zone says of products; return the change, and how many stores it tells.

    They are those of the zone, and those that have left it and hear of that only now: what is
    gone from the zone by then they would never be told.
    """
    zone_prices.clear_prices(tx, zone.zone_id, skus)
    here = zone.stores | zone_tasks.stores_moving(tx, zone.zone_id)
    change_id = zone_tasks.add_change(
        tx,
        zone.zone_id,
        Kind.CLEAR,
        {"skus": list(skus)},
        sorted(here),
        now,
        products=len(skus),
        actor=actor,
    )
    return change_id, len(here)


def _tell(
    tx: Connection,
    zone: PriceZone,
    kind: Kind,
    words: zone_tasks.Words,
    now: datetime,
    *,
    products: int,
    actor: str,
) -> int:
    here: list[StoreId] = sorted(zone.stores)
    return zone_tasks.add_change(
        tx, zone.zone_id, kind, words, here, now, products=products, actor=actor
    )


def _held(tx: Connection, zone_id: str, skus: Sequence[Sku]) -> dict[Sku, ZonePrice]:
    """Load what the zone itself says of products."""
    of = None if zone_id == CHAIN else zone_id
    return {
        sku: one
        for sku, said in zone_prices.said_of(tx, of, skus).items()
        for one in said
        if one.zone_id == zone_id
    }


def _refuse_other_currency(
    zone_id: str, held: Mapping[Sku, ZonePrice], changes: Sequence[PriceChange]
) -> None:
    """Refuse to say a product in a second currency: the first price would be gone.

    Raises:
        Conflict: Only of the chain; a zone has one currency.
    """
    wrong = sorted({c.sku for c in changes if c.sku in held and held[c.sku].currency != c.currency})
    if wrong:
        raise Conflict(
            f"{zone_id} says these in {held[wrong[0]].currency} already: {', '.join(wrong[:5])};"
            " say them in a zone for the stores of the other currency, or clear them first"
        )


def _is_late(change: PriceChange, before: Position | None) -> bool:
    """Say whether the source said something newer of this product to the zone before.

    Raises:
        NumberUsed: It said another price under the same number.
    """
    if before is None or change.source_seq is None:
        return False
    last, price_minor = before
    if change.source_seq == last and change.price_minor != price_minor:
        raise NumberUsed.at(
            f"/changes{change.path}/source_seq",
            WORDS[Reason.NUMBER_USED],
            fix=FIXES[Reason.NUMBER_USED],
        )
    return change.source_seq <= last


def _said(
    zone_id: str, change: PriceChange, held: ZonePrice | None, now: datetime, actor: str
) -> ZonePrice | None:
    """Return what the zone says once a change holds; None where it is what it says already."""
    is_same_price = held is not None and held.price_minor == change.price_minor
    said = ZonePrice(
        zone_id=zone_id,
        sku=change.sku,
        price_minor=change.price_minor,
        currency=change.currency,
        was_minor=_kept(change.was_minor, held.was_minor if held else None),
        unit_price_minor=_kept(
            change.unit_price_minor, held.unit_price_minor if held and is_same_price else None
        ),
        badge=_kept(change.badge, held.badge if held else None),
        change_id=0,
        source=change.source,
        actor=actor,
        said_at=now,
    )
    return None if held is not None and _words(held) == _words(said) else said


def _words(said: ZonePrice) -> tuple[object, ...]:
    price = said.price_minor, said.currency, said.was_minor
    return (*price, said.unit_price_minor, said.badge)


def _kept(value: Value | Keep | None, held: Value | None) -> Value | None:
    return held if isinstance(value, Keep) else value
