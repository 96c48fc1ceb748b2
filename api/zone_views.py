"""Groups, zones and what they say, as the API answers."""

from typing import Any

from esl.domain.access import ALL_STORES, Principal, Scope
from esl.domain.errors import NotFound, UnknownStore
from esl.domain.ids import StoreId
from esl.domain.instants import instant_text
from esl.domain.money import format_minor
from esl.domain.zone import CHAIN, PriceZone, StoreGroup, Told, ZonePrice
from esl.services.zones.levels import Cleared, Levels
from esl.services.zones.saying import Accepted
from esl.store.zone_tasks import Change


def group_view(group: StoreGroup, who: Principal) -> dict[str, Any]:
    """A group, with those of its stores that the asker may know of."""
    return {"group": group.group_id, "name": group.name, "stores": seen(group.stores, who)}


def zone_view(zone: PriceZone, who: Principal) -> dict[str, Any]:
    """A zone, likewise; the chain lists no stores: it is all of them."""
    return {
        "zone": zone.zone_id,
        "name": zone.name,
        "currency": zone.currency,
        "stores": [] if zone.zone_id == CHAIN else seen(zone.stores, who),
    }


def seen(stores: frozenset[StoreId], who: Principal) -> list[StoreId]:
    """Return the stores that somebody may know of, by id."""
    return sorted(one for one in stores if ALL_STORES in who.stores or one in who.stores)


def may_know(zone: PriceZone, who: Principal) -> bool:
    """Say whether somebody may know of a zone: who is in one of its stores; of the chain, all."""
    everywhere = ALL_STORES in who.stores or zone.zone_id == CHAIN
    return everywhere or bool(seen(zone.stores, who))


def require_zone(who: Principal, scope: Scope, zone: PriceZone) -> None:
    """Let somebody pass who has a right in every store of a zone; the chain's is that of all.

    Raises:
        NotFound: They may know of none of its stores.
        Forbidden: They lack the scope, or the right in one of its stores.
    """
    if not may_know(zone, who):
        raise NotFound(f"no zone {zone.zone_id!r}")
    if zone.zone_id == CHAIN or not zone.stores:
        who.require(scope)
    for store_id in sorted(zone.stores):
        try:
            who.require(scope, store_id)
        except UnknownStore:
            who.require(scope)  # it is told to need a token for all stores


def price_view(said: ZonePrice) -> dict[str, Any]:
    """What a zone says of a product."""
    return {
        "sku": said.sku,
        "level": said.level,
        "zone": said.zone_id,
        "price": format_minor(said.price_minor, said.currency),
        "currency": said.currency,
        "was": _money(said.was_minor, said.currency),
        "unit_price": _money(said.unit_price_minor, said.currency),
        "badge": said.badge,
        "change": said.change_id,
        "source": said.source,
        "set_by": said.actor,
        "set_at": instant_text(said.said_at),
    }


def accepted_view(zone_id: str, accepted: Accepted) -> dict[str, Any]:
    """The answer to what a zone was told to say."""
    return {
        "zone": zone_id,
        "change": accepted.change_id,
        "stores": accepted.stores,
        "results": [decision.value for decision in accepted.decisions],
    }


def change_view(
    change: Change, waiting: int, told: list[Told], after: str | None
) -> dict[str, Any]:
    """How far the stores of a zone follow a change."""
    counts: dict[str, int] = {}
    for one in told:
        for what, number in one.counts.items():
            counts[what] = counts.get(what, 0) + number
    return {
        "change": change.change_id,
        "zone": change.zone_id,
        "kind": change.kind,
        "said_by": change.actor,
        "said_at": instant_text(change.said_at),
        "products": change.products,
        "stores": change.stores,
        "done": change.stores - waiting,
        "counts": counts,
        "told": [
            {
                "store": one.store_id,
                "done": one.is_done,
                "counts": dict(one.counts),
                "labels": one.labels,
                "held": [{"sku": sku, "decision": what, "why": why} for sku, what, why in one.held],
            }
            for one in told
        ],
        "after": after,
    }


def cleared_view(cleared: Cleared) -> dict[str, Any]:
    """What became of a store's own price."""
    return {
        "sku": cleared.sku,
        "decision": cleared.decision,
        "zone": cleared.zone_id,
        "rev": cleared.rev,
        "reasons": list(cleared.reasons),
    }


def levels_view(found: Levels) -> dict[str, Any]:
    """At which level the price of a product was said, and what the others say."""
    holds = found.holds
    return {
        "sku": found.sku,
        "zone": found.zone_id,
        "level": found.level,
        "source": found.source,
        "price": format_minor(holds.price_minor, holds.currency) if holds is not None else None,
        "currency": holds.currency if holds is not None else None,
        "beneath": [price_view(one) for one in found.said],
    }


def _money(minor: int | None, currency: str) -> str | None:
    return None if minor is None else format_minor(minor, currency)
