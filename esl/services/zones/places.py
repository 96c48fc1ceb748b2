"""Set up groups and zones, and put stores into them; each is audited.

A store that comes into a zone is told what the zone says, and one that leaves it what the chain
says, as every other change of a zone: accepted at once, told in the background.
"""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import Connection

from esl.domain.errors import Conflict, FieldProblem, InvalidInput
from esl.domain.ids import Sku, StoreId
from esl.domain.promotion.life import LIVE, State
from esl.domain.zone import CHAIN, Kind, PriceZone, StoreGroup
from esl.services.promotions.books import promotion_of
from esl.services.zones.saying import unsay
from esl.store import audit, places, promotion_rows, zone_prices, zone_tasks, zones

_PAGE = 500
_NAMED_MOST = 20


def put_group(tx: Connection, group: StoreGroup, now: datetime, *, actor: str) -> None:
    """Add a group of stores, or replace it.

    Raises:
        InvalidInput: A store is not there.
    """
    _refuse_unknown(tx, group.stores)
    zones.put_group(tx, group)
    audit.note(
        tx,
        now,
        actor=actor,
        action="store_group",
        subject=f"group/{group.group_id}",
        detail={"name": group.name, "stores": sorted(group.stores)},
    )


def delete_group(tx: Connection, group_id: str, now: datetime, *, actor: str) -> None:
    """Forget a group.

    Raises:
        NotFound: There is none.
        Conflict: A promotion that is not over names it.
    """
    zones.group_named(tx, group_id)
    named_by = _promotions_of(tx, group_id)
    if named_by:
        raise Conflict(
            f"the promotion {named_by!r} names this group; end it, or take the group out of it"
        )
    zones.delete_group(tx, group_id)
    audit.note(tx, now, actor=actor, action="store_group_deleted", subject=f"group/{group_id}")


def put_zone(tx: Connection, zone: PriceZone, now: datetime, *, actor: str) -> int | None:
    """Add a zone, or replace its name and its stores; return the change that tells the stores.

    Raises:
        InvalidInput: A store is not there, has another currency, or is in another zone.
        Conflict: The zone says prices in another currency.
    """
    zones.lock_zones(tx, [CHAIN])  # first, as whoever moves a store does
    zones.lock_zones(tx, [zone.zone_id])
    before = next((one for one in zones.list_zones(tx) if one.zone_id == zone.zone_id), None)
    currency = str(zone.currency)
    has_prices = zone_prices.any_said(tx, zone.zone_id)
    if before is not None and before.currency != currency and has_prices:
        raise Conflict(f"the zone says prices in {before.currency}; its currency stays")
    _refuse_unknown(tx, zone.stores)
    _refuse_unfit(tx, zone, zone.stores)
    zones.put_zone(tx, zone.zone_id, zone.name, currency)
    held = before.stores if before is not None else frozenset()
    for store_id in sorted(held - zone.stores):
        zones.move_store(tx, store_id, None)
    for store_id in sorted(zone.stores - held):
        zones.move_store(tx, store_id, zone.zone_id)
    audit.note(
        tx,
        now,
        actor=actor,
        action="price_zone",
        subject=f"zone/{zone.zone_id}",
        detail={"name": zone.name, "currency": currency, "stores": sorted(zone.stores)},
    )
    moved = sorted(held ^ zone.stores)
    return _tell_moved(tx, zone.zone_id, [zone.zone_id], moved, now, actor=actor)


def delete_zone(tx: Connection, zone_id: str, now: datetime, *, actor: str) -> None:
    """Forget a zone without stores, with what it said.

    Raises:
        NotFound: There is none.
        Conflict: Stores are in it; or it is the chain.
    """
    if zone_id == CHAIN:
        raise Conflict("the chain is all stores; it stays")
    zones.lock_zones(tx, [zone_id])
    zone = zones.zone_named(tx, zone_id)
    if zone.stores:
        raise Conflict(
            f"{len(zone.stores)} store(s) are in this zone; take them out of it first:"
            f' PUT /api/v1/zones/{zone_id} with "stores": []'
        )
    if zone_tasks.stores_moving(tx, zone_id):
        unsay(tx, zone, zone_prices.all_skus(tx, zone_id), now, actor=actor)
    zone_prices.forget_zone(tx, zone_id)
    zones.delete_zone(tx, zone_id)
    audit.note(tx, now, actor=actor, action="price_zone_deleted", subject=f"zone/{zone_id}")


def move_store(
    tx: Connection, store_id: StoreId, zone_id: str | None, now: datetime, *, actor: str
) -> int | None:
    """Put a store into a zone, or into none; return the change that tells it, if any.

    Raises:
        UnknownStore: There is no such store.
        InvalidInput: There is no such zone, or it has another currency.
    """
    places.store_named(tx, store_id)
    zones.lock_zones(tx, [CHAIN])  # nobody else moves a store meanwhile
    before = zones.zone_of_store(tx, store_id)
    concerned = [one for one in (before, zone_id) if one is not None]
    zones.lock_zones(tx, concerned)
    if zone_id is not None:
        zone = next((one for one in zones.list_zones(tx) if one.zone_id == zone_id), None)
        if zone is None or zone_id == CHAIN:
            raise InvalidInput.at(
                "/zone", "no such zone", fix="Add it first: PUT /api/v1/zones/ZONE."
            )
        _refuse_other_currency(tx, zone, [store_id], path="/zone")
    if before == zone_id:
        return None
    zones.move_store(tx, store_id, zone_id)
    audit.note(
        tx,
        now,
        actor=actor,
        action="store_zone",
        subject=f"store/{store_id}",
        store_id=store_id,
        detail={"before": before, "after": zone_id},
    )
    return _tell_moved(tx, zone_id or CHAIN, concerned, [store_id], now, actor=actor)


def tell_new_products(
    tx: Connection, store_id: StoreId, skus: Collection[Sku], now: datetime, *, actor: str
) -> int | None:
    """Let products that are new in a store have what its zone says; return the change, if any."""
    if not skus or not zone_prices.any_said(tx):
        return None
    zone = zones.zone_of_store(tx, store_id)
    said = sorted(zone_prices.said_of(tx, zone, sorted(skus)))
    if not said:
        return None
    return zone_tasks.add_change(
        tx,
        zone or CHAIN,
        Kind.FILL,
        {"skus": said},
        [store_id],
        now,
        products=len(said),
        actor=actor,
    )


def _tell_moved(
    tx: Connection,
    zone_id: str,
    of: list[str],
    moved: list[StoreId],
    now: datetime,
    *,
    actor: str,
) -> int | None:
    """Let stores be told anew of what the zones ``of`` say: of the rest nothing has changed."""
    if not moved or not any(zone_prices.any_said(tx, one) for one in of):
        return None
    words = {"zones": sorted(of)}
    return zone_tasks.add_change(tx, zone_id, Kind.MOVE, words, moved, now, products=0, actor=actor)


def _promotions_of(tx: Connection, group_id: str) -> str | None:
    """Return a promotion that is not over and names a group."""
    after = ""
    while True:
        found = promotion_rows.list_promotions(
            tx, stores=None, here=None, states=(State.DRAFT, *LIVE), after=after, limit=_PAGE
        )
        for stored in found:
            if group_id in promotion_of(stored).where.groups:
                return stored.promotion_id
        if len(found) < _PAGE:
            return None
        after = found[-1].promotion_id


def _refuse_unknown(tx: Connection, named: Collection[StoreId]) -> None:
    missing = sorted(set(named) - {store.store_id for store in places.all_stores(tx)})
    if missing:
        raise InvalidInput(
            [
                FieldProblem(path="/stores", detail=f"no store {one!r}", fix=None)
                for one in missing[:_NAMED_MOST]
            ]
        )


def _refuse_unfit(tx: Connection, zone: PriceZone, named: Collection[StoreId]) -> None:
    _refuse_other_currency(tx, zone, named, path="/stores")
    taken = {
        store: other
        for store, other in zones.zones_of_stores(tx, named).items()
        if other != zone.zone_id
    }
    if taken:
        raise InvalidInput(
            [
                FieldProblem(
                    path="/stores",
                    detail=f"{store!r} is in the zone {other!r}",
                    fix=f"Move it in one step: PUT /api/v1/stores/{store}/zone.",
                )
                for store, other in sorted(taken.items())[:_NAMED_MOST]
            ]
        )


def _refuse_other_currency(
    tx: Connection, zone: PriceZone, named: Collection[StoreId], *, path: str
) -> None:
    wrong = [
        store.store_id
        for store in places.all_stores(tx)
        if store.store_id in named and store.currency != zone.currency
    ]
    if wrong:
        raise InvalidInput.at(
            path,
            f"the zone's currency {zone.currency} is not that of {', '.join(wrong[:5])}",
            fix="Make a zone for the stores of each currency.",
        )
