"""Groups of stores, price zones, what zones say, and how far their stores follow."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, Field
from sqlalchemy import Connection

from api import doors, openapi_zones
from api.auth import Asker, TheHouse
from api.edits import Edited, Read, Removed
from api.paging import PageOfStore, cut
from api.zone_views import (
    accepted_view,
    change_view,
    cleared_view,
    group_view,
    levels_view,
    may_know,
    price_view,
    require_zone,
    seen,
    zone_view,
)
from esl.domain.access import ALL_STORES, Principal, Scope
from esl.domain.errors import Forbidden, NotFound
from esl.domain.ids import StoreId
from esl.domain.zone import CHAIN, PriceZone
from esl.intake.zone_json import (
    check_zone_id,
    parse_group,
    parse_skus,
    parse_store_zone,
    parse_words,
    parse_zone,
    parse_zone_changes,
)
from esl.services.zones import levels, places, saying
from esl.store import zone_prices, zone_tasks, zones
from gateway.worker import Notice

router = APIRouter(prefix="/api/v1", tags=["zones"])


class PricePage(BaseModel, extra="forbid"):
    """Which prices of a zone."""

    after: str = Field(default="", max_length=64)
    limit: int = Field(default=100, ge=1, le=1000)


class StorePage(BaseModel, extra="forbid"):
    """Which stores of a change."""

    after: str = Field(default="", max_length=64, pattern=r"^[a-z0-9-]*$")
    limit: int = Field(default=1000, ge=1, le=1000)


# -- groups --------------------------------------------------------------------------------------


@router.get("/groups")
async def list_groups(
    house: TheHouse, who: Asker, page: Annotated[PageOfStore, Query()]
) -> dict[str, Any]:
    """List the groups of stores; of a token for some stores, those that have one of them."""
    _require_reading(who)
    known = await doors.read(house, zones.list_groups)
    everywhere = ALL_STORES in who.stores
    mine = [one for one in known if everywhere or seen(one.stores, who)]
    wanted = [one for one in mine if page.store is None or page.store in seen(one.stores, who)]
    found, after = cut(wanted, page, lambda one: one.group_id)
    return {"groups": [group_view(one, who) for one in found], "after": after}


@router.get("/groups/{group}")
async def get_group(group: str, house: TheHouse, who: Asker, reading: Read) -> dict[str, Any]:
    """Return a group of stores, with those of them that the asker may know of."""
    group_id = doors.slug(group, "group")
    found = await doors.read(house, lambda tx: zones.group_named(tx, group_id))
    if ALL_STORES not in who.stores and not seen(found.stores, who):
        raise NotFound(f"no group {group_id!r}")
    _require_reading(who)
    return reading.of(group_view(found, who))


@router.put("/groups/{group}", openapi_extra=openapi_zones.GROUP)
async def put_group(
    group: str, request: Request, house: TheHouse, who: Asker, edit: Edited
) -> Response:
    """Add a group of stores, or replace it. Promotions name it in ``where.groups``."""
    group_id = doors.slug(group, "group")
    who.require(Scope.STORE_ADMIN)
    value, body = await doors.read_json(request)
    new = parse_group(value, group_id=group_id)

    def work(tx: Connection) -> tuple[dict[str, Any], Notice]:
        edit.check(tx, lambda: group_view(zones.group_named(tx, group_id), who))
        places.put_group(tx, new, house.clock.now(), actor=who.name)
        return group_view(new, who), Notice()

    return await doors.change(house, request, who, body, work)


@router.delete("/groups/{group}")
async def delete_group(
    group: str, request: Request, house: TheHouse, who: Asker, edit: Removed
) -> Response:
    """Forget a group that no promotion names."""
    group_id = doors.slug(group, "group")
    who.require(Scope.STORE_ADMIN)
    body = await doors.read_nothing(request)

    def work(tx: Connection) -> tuple[dict[str, Any], Notice]:
        edit.check(tx, lambda: group_view(zones.group_named(tx, group_id), who))
        places.delete_group(tx, group_id, house.clock.now(), actor=who.name)
        return {"group": group_id, "deleted": True}, Notice()

    return await doors.change(house, request, who, body, work)


# -- zones ---------------------------------------------------------------------------------------


@router.get("/zones")
async def list_zones(
    house: TheHouse, who: Asker, page: Annotated[PageOfStore, Query()]
) -> dict[str, Any]:
    """List the price zones; of a token for some stores, those that have one of them."""
    _require_reading(who)
    known = [one for one in await doors.read(house, zones.list_zones) if may_know(one, who)]
    wanted = [one for one in known if page.store is None or page.store in seen(one.stores, who)]
    found, after = cut(wanted, page, lambda one: one.zone_id)
    return {"zones": [zone_view(one, who) for one in found], "after": after}


@router.get("/zones/{zone}")
async def get_zone(zone: str, house: TheHouse, who: Asker, reading: Read) -> dict[str, Any]:
    """Return a price zone, with those of its stores that the asker may know of."""
    zone_id = check_zone_id(zone)
    found = await _zone_to_read(house, who, zone_id)
    return reading.of(zone_view(found, who))


@router.put("/zones/{zone}", openapi_extra=openapi_zones.ZONE)
async def put_zone(
    zone: str, request: Request, house: TheHouse, who: Asker, edit: Edited
) -> Response:
    """Add a price zone, or replace its name and its stores; the stores follow."""
    zone_id = check_zone_id(zone)
    who.require(Scope.STORE_ADMIN)
    value, body = await doors.read_json(request)
    new = parse_zone(value, zone_id=zone_id)

    def work(tx: Connection) -> tuple[dict[str, Any], Notice]:
        edit.check(tx, lambda: zone_view(zones.zone_named(tx, zone_id), who))
        change_id = places.put_zone(tx, new, house.clock.now(), actor=who.name)
        return zone_view(new, who) | {"change": change_id}, Notice()

    return await doors.change(house, request, who, body, work)


@router.delete("/zones/{zone}")
async def delete_zone(
    zone: str, request: Request, house: TheHouse, who: Asker, edit: Removed
) -> Response:
    """Forget a zone without stores, and what it said."""
    zone_id = check_zone_id(zone)
    who.require(Scope.STORE_ADMIN)
    body = await doors.read_nothing(request)

    def work(tx: Connection) -> tuple[dict[str, Any], Notice]:
        edit.check(tx, lambda: zone_view(zones.zone_named(tx, zone_id), who))
        places.delete_zone(tx, zone_id, house.clock.now(), actor=who.name)
        return {"zone": zone_id, "deleted": True}, Notice()

    return await doors.change(house, request, who, body, work)


@router.get("/stores/{store}/zone")
async def get_store_zone(store: str, house: TheHouse, who: Asker, reading: Read) -> dict[str, Any]:
    """Say in which price zone a store is, if in any."""
    store_id = await doors.enter(house, who, Scope.PRICE_READ, store)
    return reading.of(await doors.read(house, lambda tx: _zone_of(tx, store_id)))


@router.put("/stores/{store}/zone", openapi_extra=openapi_zones.STORE_ZONE)
async def move_store(
    store: str, request: Request, house: TheHouse, who: Asker, edit: Edited
) -> Response:
    """Put a store into a zone, or with null into none, in one step; its prices follow."""
    store_id = doors.store_id(store)
    who.require(Scope.STORE_ADMIN)
    value, body = await doors.read_json(request)
    zone_id = parse_store_zone(value)

    def work(tx: Connection) -> tuple[dict[str, Any], Notice]:
        edit.check(tx, lambda: _zone_of(tx, store_id))
        change_id = places.move_store(tx, store_id, zone_id, house.clock.now(), actor=who.name)
        return {"store": store_id, "zone": zone_id, "change": change_id}, Notice()

    return await doors.change(house, request, who, body, work)


# -- what zones say ------------------------------------------------------------------------------


@router.post("/zones/{zone}/price-changes", openapi_extra=openapi_zones.CHANGES)
async def say_prices(zone: str, request: Request, house: TheHouse, who: Asker) -> Response:
    """Let a zone say prices: written down at once, told to its stores in the background.

    ``change`` of the answer names it: ask how far the stores follow. The zone ``chain`` is every
    store.
    """
    zone_id = check_zone_id(zone)
    await _zone_for(house, who, Scope.PRICE_WRITE, zone_id)
    value, body = await doors.read_json(request)
    words = parse_words(value)

    def work(tx: Connection) -> tuple[dict[str, Any], Notice]:
        zones.lock_zones(tx, [zone_id])
        held = zones.zone_named(tx, zone_id)
        require_zone(who, Scope.PRICE_WRITE, held)  # also of stores that came meanwhile
        changes = parse_zone_changes(words, currency=saying.currency_of(tx, held, words.currency))
        now = house.clock.now()
        accepted = saying.say_prices(tx, zone_id, changes, now, actor=who.name)
        return accepted_view(zone_id, accepted), Notice()

    return await doors.change(house, request, who, body, work)


@router.post("/zones/{zone}/cleared-prices", openapi_extra=openapi_zones.SKUS)
async def clear_prices(zone: str, request: Request, house: TheHouse, who: Asker) -> Response:
    """Let a zone say prices no longer: what the chain says holds again."""
    zone_id = check_zone_id(zone)
    await _zone_for(house, who, Scope.PRICE_WRITE, zone_id)
    value, body = await doors.read_json(request)
    skus = parse_skus(value)

    def work(tx: Connection) -> tuple[dict[str, Any], Notice]:
        zones.lock_zones(tx, [zone_id])
        require_zone(who, Scope.PRICE_WRITE, zones.zone_named(tx, zone_id))
        accepted = saying.clear_prices(tx, zone_id, skus, house.clock.now(), actor=who.name)
        return accepted_view(zone_id, accepted), Notice()

    return await doors.change(house, request, who, body, work)


@router.get("/zones/{zone}/prices")
async def list_prices(
    zone: str, house: TheHouse, who: Asker, page: Annotated[PricePage, Query()]
) -> dict[str, Any]:
    """List what a zone says, by SKU: since when, and by whom."""
    zone_id = check_zone_id(zone)
    await _zone_to_read(house, who, zone_id)
    found = await doors.read(
        house, lambda tx: zone_prices.list_prices(tx, zone_id, after=page.after, limit=page.limit)
    )
    more = found[-1].sku if len(found) == page.limit else None
    return {"prices": [price_view(one) for one in found], "after": more}


@router.get("/zones/{zone}/price-changes/{change}")
async def get_change(
    zone: str, change: int, house: TheHouse, who: Asker, page: Annotated[StorePage, Query()]
) -> dict[str, Any]:
    """Say how far the stores of a zone follow a change: counts, and store by store."""
    zone_id = check_zone_id(zone)
    await _zone_to_read(house, who, zone_id)

    def query(tx: Connection) -> dict[str, Any]:
        if not 0 < change < 2**63:
            raise NotFound(f"no change {change} of the zone {zone_id!r}")
        found = zone_tasks.change_numbered(tx, change)
        if found.zone_id != zone_id:
            raise NotFound(f"no change {change} of the zone {zone_id!r}")
        told = zone_tasks.told_of(tx, change, after=page.after, limit=page.limit)
        after = told[-1].store_id if len(told) == page.limit else None
        mine = set(seen(frozenset(one.store_id for one in told), who))
        waiting = zone_tasks.count_waiting(tx, change)
        return change_view(found, waiting, [o for o in told if o.store_id in mine], after)

    return await doors.read(house, query)


# -- stores --------------------------------------------------------------------------------------


@router.post("/stores/{store}/cleared-prices", openapi_extra=openapi_zones.SKUS)
async def clear_own_prices(store: str, request: Request, house: TheHouse, who: Asker) -> Response:
    """Let what zone or chain says hold again in place of a store's own prices."""
    store_id = await doors.enter(house, who, Scope.PRICE_WRITE, store)
    value, body = await doors.read_json(request)
    skus = parse_skus(value)

    def work(tx: Connection) -> tuple[dict[str, Any], Notice]:
        now = house.clock.now()
        cleared, labels = levels.clear_overrides(tx, store_id, skus, now, actor=who.name)
        return {"results": [cleared_view(one) for one in cleared]}, Notice(labels=labels)

    return await doors.change(house, request, who, body, work, items=len(skus))


@router.get("/stores/{store}/levels/{sku:path}")
async def get_levels(store: str, sku: str, house: TheHouse, who: Asker) -> dict[str, Any]:
    """Say at which level the price of a product was said: store, zone or chain."""
    store_id = await doors.enter(house, who, Scope.PRICE_READ, store)
    name = doors.sku(sku)
    return levels_view(await doors.read(house, lambda tx: levels.levels_of(tx, store_id, name)))


# -- parts -------------------------------------------------------------------------------------


def _zone_of(tx: Connection, store_id: StoreId) -> dict[str, Any]:
    return {"store": store_id, "zone": zones.zone_of_store(tx, store_id)}


def _require_reading(who: Principal) -> None:
    if Scope.PRICE_READ not in who.scopes:
        raise Forbidden(f"this needs the scope {Scope.PRICE_READ.value}")


async def _zone_for(house: TheHouse, who: Principal, scope: Scope, zone_id: str) -> PriceZone:
    """Load a zone for somebody who has a right in all of its stores."""
    if zone_id == CHAIN:
        who.require(scope)
    zone = await doors.read(house, lambda tx: zones.zone_named(tx, zone_id))
    require_zone(who, scope, zone)
    return zone


async def _zone_to_read(house: TheHouse, who: Principal, zone_id: str) -> PriceZone:
    """Load a zone for somebody who may know of it.

    Raises:
        NotFound: There is none, or it is closed to them: both in the same words.
        Forbidden: They lack the scope.
    """
    zone = await doors.read(house, lambda tx: zones.zone_named(tx, zone_id))
    if not may_know(zone, who):
        raise NotFound(f"no zone {zone_id!r}")
    _require_reading(who)
    return zone
