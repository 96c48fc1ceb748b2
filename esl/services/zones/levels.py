"""At which level a store's price was said, and how its own gives way to the zone's again."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from esl.domain.guards import Reason
from esl.domain.ids import LabelId, Sku, StoreId
from esl.domain.money import format_minor
from esl.domain.place import Store
from esl.domain.pricing import CurrentPrice, Decision
from esl.domain.source import PRICE_FIELD
from esl.domain.zone import Level, ZonePrice, is_zone, level_of, source_of, zone_named_by
from esl.services.pricing import apply_price_changes
from esl.services.turning import settle_overdue
from esl.services.zones.telling import change_of
from esl.store import audit, owners, places, products, schedule, zone_prices, zones
from esl.store.desk import owners_from, owners_with
from esl.store.schedule import Planned, ScheduleState

NOTHING_BENEATH = "nothing_beneath"
"""Neither the store's zone nor the chain says a price of the product: the store's stays."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cleared:
    """What became of a store's own price."""

    sku: Sku
    decision: str  # a `Decision`, or `NOTHING_BENEATH`
    reasons: tuple[Reason, ...] = ()
    zone_id: str | None = None  # whose price holds now
    rev: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Levels:
    """What is said of a product at each level; ``level`` of the price that holds, promotions apart.

    ``source`` is whose word it is.
    """

    sku: Sku
    zone_id: str | None  # of the store
    level: Level | None
    source: str | None
    holds: CurrentPrice | None
    said: tuple[ZonePrice, ...]  # the nearest first


def levels_of(tx: Connection, store_id: StoreId, sku: Sku) -> Levels:
    """Say at which level the price of a product was said, and what the others say.

    Raises:
        UnknownProduct: The store has no such product.
    """
    products.product_named(tx, store_id, sku)
    holds = products.current_prices(tx, store_id, [sku]).get(sku)
    owner = owners_from(owners.owners_of(tx, store_id, [sku]).get(sku)).get(PRICE_FIELD)
    zone_id = zones.zone_of_store(tx, store_id)
    return Levels(
        sku=sku,
        zone_id=zone_id,
        level=level_of(owner) if holds is not None else None,
        source=owner if holds is not None else None,
        holds=holds,
        said=tuple(zone_prices.said_of(tx, zone_id, [sku]).get(sku, ())),
    )


def clear_overrides(
    tx: Connection, store_id: StoreId, skus: Sequence[Sku], now: datetime, *, actor: str
) -> tuple[list[Cleared], tuple[LabelId, ...]]:
    """Let what the zone or the chain says hold again in place of the store's own prices.

    A price of the store that holds until a moment goes on until it. What the guards doubt waits
    for a person, and the store's own price stays until then.

    Raises:
        UnknownStore: There is no such store.
    """
    store = places.lock_store(tx, store_id)
    skus = sorted(set(skus))
    settle_overdue(tx, store_id, skus, now)
    said = zone_prices.said_of(tx, zones.zone_of_store(tx, store_id), skus)
    known = owners.owners_of(tx, store_id, skus)
    cleared: dict[Sku, Cleared] = {}
    giving: dict[Sku, ZonePrice] = {}
    for sku in skus:
        nearest = said[sku][0] if sku in said else None
        owner = owners_from(known.get(sku)).get(PRICE_FIELD)
        if sku not in known:
            reasons = (Reason.UNKNOWN_SKU,)
            cleared[sku] = Cleared(sku=sku, decision=Decision.REJECTED, reasons=reasons)
        elif nearest is None:
            cleared[sku] = Cleared(sku=sku, decision=NOTHING_BENEATH)
        elif owner == source_of(nearest.zone_id):
            cleared[sku] = Cleared(sku=sku, decision=Decision.UNCHANGED, zone_id=nearest.zone_id)
        elif nearest.currency != store.currency:
            reasons = (Reason.CURRENCY,)
            cleared[sku] = Cleared(sku=sku, decision=Decision.REJECTED, reasons=reasons)
        else:
            giving[sku] = nearest
    labels = _give(tx, store_id, giving, known, now, cleared)
    _note(tx, store_id, [one for one in cleared.values() if one.sku in giving], now, actor)
    return [cleared[sku] for sku in skus], labels


def _give(
    tx: Connection,
    store_id: StoreId,
    giving: Mapping[Sku, ZonePrice],
    known: Mapping[Sku, str | None],
    now: datetime,
    cleared: dict[Sku, Cleared],
) -> tuple[LabelId, ...]:
    """Let the zone own the prices, and say them; give back those that it may not say."""
    if not giving:
        return ()
    of_store = {
        row.schedule_id: row.sku for row in _bases(tx, store_id, giving) if not is_zone(row.source)
    }
    schedule.move_planned(tx, [(number, ScheduleState.REPLACED) for number in of_store])
    owners.note_owners(
        tx,
        store_id,
        {
            sku: owners_with(known[sku], source_of(one.zone_id), (PRICE_FIELD,))
            for sku, one in giving.items()
        },
    )
    touched: list[LabelId] = []
    back: set[Sku] = set()
    by_actor: dict[str, list[ZonePrice]] = {}
    for _, one in sorted(giving.items()):
        by_actor.setdefault(one.actor, []).append(one)
    for who, some in by_actor.items():
        changes = [change_of(one, store_id) for one in some]
        applied = apply_price_changes(tx, store_id, changes, now, actor=who, each_by_itself=True)
        touched += applied.labels
        for result in applied.results:
            cleared[result.sku] = Cleared(
                sku=result.sku,
                decision=result.decision,
                reasons=result.reasons,
                zone_id=giving[result.sku].zone_id,
                rev=result.rev,
            )
            if result.decision not in (Decision.ACCEPTED, Decision.UNCHANGED):
                back.add(result.sku)
    if back:
        owners.note_owners(tx, store_id, {sku: known[sku] or "{}" for sku in sorted(back)})
        # Beneath a price that ends the zone's lies by now, unless the guards doubted it.
        back -= {row.sku for row in _bases(tx, store_id, back) if is_zone(row.source)}
        again = [(n, ScheduleState.BASE) for n, sku in of_store.items() if sku in back]
        schedule.move_planned(tx, again)
    return tuple(touched)


def _bases(tx: Connection, store_id: StoreId, skus: Iterable[Sku]) -> list[Planned]:
    """Load what lies beneath prices that end."""
    live = schedule.live_prices(tx, store_id, sorted(skus))
    return [row for row in live if row.state is ScheduleState.BASE]


def _note(
    tx: Connection, store_id: StoreId, given: Sequence[Cleared], now: datetime, actor: str
) -> None:
    if given:
        audit.note(
            tx,
            now,
            actor=actor,
            action="own_prices_cleared",
            subject=f"store/{store_id}",
            store_id=store_id,
            detail={"skus": [[one.sku, one.decision] for one in given[:1000]]},
        )


def other_levels(tx: Connection, store: Store, sku: Sku, source: str | None) -> list[str]:
    """Say in words what zone and chain say of a product beside the price of ``source``."""
    here = zone_named_by(source) if source is not None else None
    zone_id = zones.zone_of_store(tx, store.store_id)
    goes_before = "the store's own price goes before it"
    words: list[str] = []
    for one in zone_prices.said_of(tx, zone_id, [sku]).get(sku, ()):
        if one.zone_id == here:
            goes_before = f"the price zone {here} goes before it"
            continue
        who = "The chain" if one.level is Level.CHAIN else f"The price zone {one.zone_id}"
        said_at = one.said_at.astimezone(ZoneInfo(store.timezone))
        words.append(
            f"{who} says {format_minor(one.price_minor, one.currency)} {one.currency}, set by"
            f" {one.actor} at {said_at:%Y-%m-%d %H:%M}; {goes_before}."
        )
    return words
