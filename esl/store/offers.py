"""The offers that hold beside tills' prices: rows in and out, in batches.

A till's price is in ``price`` whether a promotion runs or not. What a promotion makes of it is in
``offer``, and labels show that. The history tells both apart by `Layer`.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime
from enum import IntEnum
from typing import Any, Final, NamedTuple

import msgspec
from sqlalchemy import Connection

from esl.domain.ids import Sku, SourceId, StoreId
from esl.domain.pricing import Says
from esl.store.bulk import Bulk

PROMOTIONS: Final = SourceId("promotions")
"""Source of what promotions make of prices; no sender may have the name."""


class Layer(IntEnum):
    """Of what an event of the history speaks."""

    BOTH = 0  #: the till's price, and labels show it
    TILL = 1  #: the till's price; labels show what a promotion makes of it
    OFFER = 2  #: what labels show since a promotion began, changed or ended


class Offer(NamedTuple):
    """What a promotion makes of a product's price, as labels say it."""

    says: Says
    lowest_30d_minor: int | None = None
    valid_to: date | None = None  # the last day, in the zone of the store
    template: str | None = None
    promotions: tuple[str, ...] = ()  # ids of those that apply
    reason: str = "{}"  # JSON
    trouble: str | None = None  # why its price is shown plainly


_COLUMNS: Final = """
    o.price_minor, o.was_minor, o.unit_price_minor, o.badge, o.regular_minor, o.member_minor,
    o.multibuy_quantity, o.multibuy_minor, o.multibuy_pay_for, o.member_condition,
    o.lowest_30d_minor, CAST(o.valid_to AS text), o.template, o.promotions, o.reason, o.trouble
"""
_SAYS: Final = 10

_ANY: Final = Bulk("SELECT 1 FROM offer WHERE store_id = :store LIMIT 1")
_LOAD: Final = Bulk(
    f"SELECT o.sku, {_COLUMNS} FROM {{rows}} CROSS JOIN offer AS o"  # noqa: S608  # nosec B608
    " WHERE o.store_id = :store AND o.sku = {item}"
)
_OF: Final = Bulk(
    "SELECT sku FROM offer WHERE store_id = :store AND"
    " (' ' || promotions || ' ') LIKE '% ' || :promotion || ' %' ORDER BY sku"
)
_CLAIMING: Final = Bulk(
    """
    SELECT sku FROM price WHERE store_id = :store AND sku > :after AND was_minor > price_minor
    UNION SELECT sku FROM offer WHERE store_id = :store AND sku > :after ORDER BY 1 LIMIT :most
    """
)
_PUT: Final = Bulk(
    """
    INSERT INTO offer
        (store_id, sku, price_minor, was_minor, unit_price_minor, badge, regular_minor,
        member_minor, multibuy_quantity, multibuy_minor, multibuy_pay_for, member_condition,
        lowest_30d_minor, valid_to, template, promotions, reason, trouble, rev)
    SELECT :store, j.value->>0, CAST(j.value->>1 AS integer), CAST(j.value->>2 AS integer),
        CAST(j.value->>3 AS integer), j.value->>4, CAST(j.value->>5 AS integer),
        CAST(j.value->>6 AS integer), CAST(j.value->>7 AS integer), CAST(j.value->>8 AS integer),
        CAST(j.value->>9 AS integer), j.value->>10, CAST(j.value->>11 AS integer), {day[12]},
        j.value->>13, j.value->>14, j.value->>15, j.value->>16, CAST(:rev AS bigint)
    FROM {rows} WHERE true
    ON CONFLICT (store_id, sku) DO UPDATE SET price_minor = excluded.price_minor,
        was_minor = excluded.was_minor, unit_price_minor = excluded.unit_price_minor,
        badge = excluded.badge, regular_minor = excluded.regular_minor,
        member_minor = excluded.member_minor, multibuy_quantity = excluded.multibuy_quantity,
        multibuy_minor = excluded.multibuy_minor,
        multibuy_pay_for = excluded.multibuy_pay_for,
        member_condition = excluded.member_condition,
        lowest_30d_minor = excluded.lowest_30d_minor,
        valid_to = excluded.valid_to, template = excluded.template,
        promotions = excluded.promotions, reason = excluded.reason,
        trouble = excluded.trouble, rev = excluded.rev
    """
)
_TROUBLES: Final = Bulk(
    """
    SELECT promotions, trouble, count(*), min(sku) FROM offer
    WHERE store_id = :store AND trouble IS NOT NULL GROUP BY promotions, trouble ORDER BY 1, 2
    """
)
_FORGET: Final = Bulk(
    "DELETE FROM offer WHERE store_id = :store AND sku IN (SELECT {item} FROM {rows})"
)
_LOG: Final = Bulk(
    """
    INSERT INTO price_event (store_id, sku, source, price_minor, currency, was_minor,
        unit_price_minor, badge, regular_minor, member_minor, multibuy_quantity, multibuy_minor,
        multibuy_pay_for, member_condition, decision, rev, actor, received_at, layer, why)
    SELECT :store, j.value->>0, :source, CAST(j.value->>1 AS integer), :currency,
        CAST(j.value->>2 AS integer), CAST(j.value->>3 AS integer), j.value->>4,
        CAST(j.value->>5 AS integer), CAST(j.value->>6 AS integer), CAST(j.value->>7 AS integer),
        CAST(j.value->>8 AS integer), CAST(j.value->>9 AS integer), j.value->>10, 'accepted',
        CAST(:rev AS bigint), :actor, :now, 2, j.value->>11
    FROM {rows}
    """
)
_HIDE: Final = Bulk(
    """
    UPDATE price_event SET layer = 1
    FROM {rows} WHERE price_event.store_id = :store AND price_event.sku = {item}
        AND price_event.rev >= :first AND price_event.rev <= :last AND price_event.layer = 0
    """
)


def has_offers(tx: Connection, store_id: StoreId) -> bool:
    """Say whether a promotion changes anything in a store now."""
    return bool(_ANY.run(tx, store=store_id))


def offers_of(tx: Connection, store_id: StoreId, skus: Sequence[Sku]) -> dict[Sku, Offer]:
    """Load the offers of products; those without one are left out."""
    return {Sku(row[0]): _offer(row[1:]) for row in _LOAD.run(tx, skus, store=store_id)}


def troubles_of(tx: Connection, store_id: StoreId) -> list[tuple[str, str, int, Sku]]:
    """Count what is shown plainly: (the promotions, separated by blanks, why, products, one)."""
    return [
        (str(names), str(why), int(count), Sku(sku))
        for names, why, count, sku in _TROUBLES.run(tx, store=store_id)
    ]


def skus_that_claim(tx: Connection, store_id: StoreId, *, after: str, most: int) -> list[Sku]:
    """List the next products whose till states a former price, or that have an offer, by SKU."""
    return [Sku(row[0]) for row in _CLAIMING.run(tx, store=store_id, after=after, most=most)]


def put_offers(tx: Connection, store_id: StoreId, put: Mapping[Sku, Offer], *, rev: int) -> None:
    """Let offers hold from now on."""
    rows = [
        (
            sku,
            *one.says,
            one.lowest_30d_minor,
            one.valid_to.isoformat() if one.valid_to is not None else None,
            one.template,
            " ".join(one.promotions),
            one.reason,
            one.trouble,
        )
        for sku, one in sorted(put.items())
    ]
    _PUT.run(tx, rows, store=store_id, rev=rev)


def forget_offers(tx: Connection, store_id: StoreId, skus: Collection[Sku]) -> None:
    """Let tills' prices hold again."""
    _FORGET.run(tx, sorted(skus), store=store_id)


def log_offers(
    tx: Connection,
    store_id: StoreId,
    shown: Mapping[Sku, tuple[Says, str]],
    *,
    rev: int,
    currency: str,
    actor: str,
    now: datetime,
) -> None:
    """Write down what labels show from now on, and why (JSON)."""
    rows = [(sku, *says, why) for sku, (says, why) in sorted(shown.items())]
    _LOG.run(
        tx,
        rows,
        store=store_id,
        source=PROMOTIONS,
        currency=currency,
        rev=rev,
        actor=actor[:80],
        now=now,
    )


def hide_till_events(
    tx: Connection, store_id: StoreId, skus: Collection[Sku], revs: Sequence[int]
) -> None:
    """Note of events just written that labels do not show them, but an offer."""
    if revs:
        _HIDE.run(tx, sorted(skus), store=store_id, first=min(revs), last=max(revs))


def shown_of(offer: Offer) -> tuple[Any, ...]:
    """Return what labels show of an offer, in the order in which `esl.store.truth` reads it."""
    price, was, unit, badge, *rest = offer.says
    last = offer.valid_to.isoformat() if offer.valid_to is not None else None
    return (price, was, unit, badge, 0, *rest, offer.lowest_30d_minor, last, offer.template)


def text_of(offer: Offer) -> str:
    """Write what labels show of an offer as JSON."""
    return msgspec.json.encode(shown_of(offer)).decode()


def _offer(row: tuple[Any, ...]) -> Offer:
    lowest, valid_to, template, promotions, reason, trouble = row[_SAYS:]
    return Offer(
        says=Says._make(row[:_SAYS]),
        lowest_30d_minor=lowest,
        valid_to=date.fromisoformat(valid_to) if valid_to is not None else None,
        template=template,
        promotions=tuple(promotions.split()),
        reason=reason,
        trouble=trouble,
    )
