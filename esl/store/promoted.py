"""What promotions must know of products: who is under them, and what they cost before.

Whole batches, in tuples and text SQL: an edge may turn every product of a store.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection

from esl.domain.face import Unit
from esl.domain.ids import LabelId, PanelId, Sku, StoreId
from esl.domain.pricing import Says
from esl.domain.product import NetContent, Product, tags_from
from esl.store.bulk import Bulk
from esl.store.columns import instant_from
from esl.store.waiting import Waits


class Past(NamedTuple):
    """A price that labels showed, as it came to hold or went."""

    at: datetime
    price_minor: int | None  # None: there was none any more
    is_reduced: bool
    kind: str | None  # of the reduction, where a promotion made it


class Words(NamedTuple):
    """What a product may be selected by, beside its SKU; tags are a line each."""

    category: str | None
    brand: str | None
    tags: str | None


class Hanging(NamedTuple):
    """Where a label hangs, and whether its gateway shows pictures at their moment."""

    store_id: StoreId
    panel_id: PanelId
    gateway_id: str | None
    keeps_time: bool
    place: str | None


class Standing(NamedTuple):
    """How a label stands with what it should show."""

    label_id: LabelId
    gateway_id: str | None
    wanted_rev: int
    settled_rev: int
    sent_rev: int
    is_due: bool  # somebody will look at it again
    problem: str | None
    problem_detail: str | None
    is_online: bool  # its gateway is
    is_held: bool  # its till has not acknowledged the price yet

    def state(self) -> str:
        """Say it in a word: shown, sent, waiting, or stuck."""
        if self.settled_rev >= self.wanted_rev:
            return "shown"
        if self.problem is not None or not self.is_due:
            return "stuck"
        return "sent" if self.sent_rev >= self.wanted_rev else "waiting"


class HeldEvent(NamedTuple):
    """The event of the history by which something held; ``says`` None: there was no price."""

    event_id: int
    at: datetime
    source: str
    actor: str
    says: Says | None
    why: str | None  # JSON, where a promotion made it


_FACTS: Final = """
    p.sku, p.name, p.category, p.brand, p.content_milli, p.content_unit, p.priced_per,
    p.deposit_minor, p.tags
"""
_OF: Final = Bulk(
    f"SELECT {_FACTS} FROM {{rows}} CROSS JOIN product AS p"  # noqa: S608  # nosec B608
    " WHERE p.store_id = :store AND p.sku = {item}"
)
_CHOSEN_BY: Final = Bulk(
    "SELECT sku, category, brand, tags FROM product WHERE store_id = :store ORDER BY sku"
)
_PAST: Final = Bulk(
    """
    SELECT e.sku, e.received_at, e.price_minor, e.was_minor, e.regular_minor, e.decision,
        e.layer, e.why
    FROM {rows} CROSS JOIN price_event AS e
    WHERE e.store_id = :store AND e.sku = {item} AND e.rev IS NOT NULL AND e.layer <> 1
        AND e.event_id >= coalesce((SELECT max(f.event_id) FROM price_event AS f
            WHERE f.store_id = :store AND f.sku = {item} AND f.rev IS NOT NULL
                AND f.layer <> 1 AND f.received_at <= :since), 0)
    ORDER BY e.event_id
    """
)
_FIRST: Final = Bulk(
    """
    SELECT {item}, (SELECT e.received_at FROM price_event AS e
        WHERE e.store_id = :store AND e.sku = {item} AND e.rev IS NOT NULL
        ORDER BY e.event_id LIMIT 1)
    FROM {rows}
    """
)
_PRICED: Final = Bulk(
    """
    SELECT price.sku FROM {rows} CROSS JOIN price
    WHERE price.store_id = :store AND price.sku = {item}
    """
)
_HANGING: Final = Bulk(
    """
    SELECT l.label_id, l.store_id, l.panel_id, l.gateway_id, g.level, l.place
    FROM {rows} CROSS JOIN label AS l LEFT JOIN gateway AS g ON g.gateway_id = l.gateway_id
    WHERE l.label_id = {item}
    """
)
_STANDING: Final = Bulk(
    """
    SELECT l.label_id, l.gateway_id, l.wanted_rev, l.settled_rev, l.sent_rev,
        CASE WHEN l.due_at IS NULL THEN 0 ELSE 1 END, l.problem, l.problem_detail,
        CASE WHEN g.online THEN 1 ELSE 0 END,
        CASE WHEN EXISTS (SELECT 1 FROM pairing AS p JOIN till_price AS t
            ON t.store_id = p.store_id AND t.sku = p.sku
            WHERE p.label_id = l.label_id AND t.held IS NOT NULL) THEN 1 ELSE 0 END
    FROM {rows} CROSS JOIN label AS l LEFT JOIN gateway AS g ON g.gateway_id = l.gateway_id
    WHERE l.label_id = {item}
    """
)
_HELD_EVENT: Final = Bulk(
    """
    SELECT event_id, received_at, source, actor, decision, why, price_minor, was_minor,
        unit_price_minor, badge, regular_minor, member_minor, multibuy_quantity, multibuy_minor,
        multibuy_pay_for, member_condition
    FROM price_event
    WHERE store_id = :store AND sku = :sku AND rev IS NOT NULL AND layer <> :hidden
        AND received_at <= :until
    ORDER BY event_id DESC LIMIT 1
    """
)
_WAITS: Final = Bulk(
    "SELECT sku, promotion_id, shows FROM waiting_label WHERE label_id = :label ORDER BY sku"
)
_OF_LABEL: Final = Bulk("SELECT sku FROM pairing WHERE label_id = :label ORDER BY position")
_LABELS: Final = Bulk(
    """
    SELECT g.sku, g.label_id FROM {rows} CROSS JOIN pairing AS g
    WHERE g.store_id = :store AND g.sku = {item}
    """
)


def hanging(tx: Connection, label_ids: Sequence[LabelId]) -> dict[LabelId, Hanging]:
    """Say where labels hang."""
    return {
        LabelId(label_id): Hanging(
            StoreId(store), PanelId(panel), gateway, level in ("staged", "full"), place
        )
        for label_id, store, panel, gateway, level, place in _HANGING.run(tx, label_ids)
    }


def standing(tx: Connection, label_ids: Sequence[LabelId]) -> list[Standing]:
    """Say how labels stand, by their ids."""
    return [
        Standing._make((*row[:5], bool(row[5]), *row[6:8], bool(row[8]), bool(row[9])))
        for row in _STANDING.run(tx, label_ids)
    ]


def held_event(
    tx: Connection, store_id: StoreId, sku: Sku, until: datetime, *, of_till: bool
) -> HeldEvent | None:
    """Return the event by which a product's price held at a moment; None before its first.

    ``of_till`` asks for what the till said, whatever promotions made of it.
    """
    hidden = 2 if of_till else 1
    for row in _HELD_EVENT.run(tx, store=store_id, sku=sku, until=until, hidden=hidden):
        event_id, at, source, actor, decision, why, *says = row
        instant = instant_from(at)
        if instant is None:
            raise AssertionError("an event without its moment")
        held = Says._make(says) if decision == "accepted" else None
        return HeldEvent(int(event_id), instant, source, actor, held, why)
    return None


def waits_for(tx: Connection, label_id: LabelId) -> dict[Sku, Waits]:
    """Say for which of its products a label waits for a promotion that they are under."""
    return {
        Sku(sku): Waits(str(name), shows) for sku, name, shows in _WAITS.run(tx, label=label_id)
    }


def skus_of_label(tx: Connection, label_id: LabelId) -> list[Sku]:
    """List the products of a label, in their order on it."""
    return [Sku(row[0]) for row in _OF_LABEL.run(tx, label=label_id)]


def products_of(tx: Connection, store_id: StoreId, skus: Sequence[Sku]) -> dict[Sku, Product]:
    """Load products, as far as offers depend on them; those that are not there are left out."""
    return {row[0]: _product(store_id, row) for row in _OF.run(tx, skus, store=store_id)}


def words_of_store(tx: Connection, store_id: StoreId) -> list[tuple[Sku, Words]]:
    """List what all products of a store may be selected by, by SKU."""
    return [(Sku(sku), Words._make(words)) for sku, *words in _CHOSEN_BY.run(tx, store=store_id)]


def priced(tx: Connection, store_id: StoreId, skus: Sequence[Sku]) -> list[Sku]:
    """List those of these products that have a price, by SKU."""
    return sorted(Sku(row[0]) for row in _PRICED.run(tx, skus, store=store_id))


def past_of(
    tx: Connection, store_id: StoreId, skus: Sequence[Sku], since: datetime
) -> dict[Sku, list[Past]]:
    """Load what labels of products showed since a moment, and what they showed at it."""
    found: dict[Sku, list[Past]] = {}
    for row in _PAST.run(tx, skus, store=store_id, since=since):
        found.setdefault(row[0], []).append(_past(row))
    return found


def sold_since(tx: Connection, store_id: StoreId, skus: Sequence[Sku]) -> dict[Sku, datetime]:
    """Say since when products have had a price here."""
    found: dict[Sku, datetime] = {}
    for sku, at in _FIRST.run(tx, skus, store=store_id):
        if (instant := instant_from(at)) is not None:
            found[Sku(sku)] = instant
    return found


def labels_of(tx: Connection, store_id: StoreId, skus: Sequence[Sku]) -> dict[Sku, list[LabelId]]:
    """List the labels that speak for products, whatever else they show."""
    found: dict[Sku, list[LabelId]] = {}
    for sku, label_id in _LABELS.run(tx, skus, store=store_id):
        found.setdefault(Sku(sku), []).append(LabelId(label_id))
    for some in found.values():
        some.sort()
    return found


def _product(store_id: StoreId, row: tuple[Any, ...]) -> Product:
    sku, name, category, brand, milli, unit, priced_per, deposit_minor, tags = row
    return Product(
        store_id=store_id,
        sku=sku,
        name=name,
        category=category,
        brand=brand,
        net_content=NetContent(milli=milli, unit=Unit(unit)) if milli is not None else None,
        priced_per=Unit(priced_per) if priced_per is not None else None,
        deposit_minor=deposit_minor,
        tags=tags_from(tags),
    )


_KIND: Final = '"kind":"'


def _past(row: tuple[Any, ...]) -> Past:
    _, at, minor, was, regular, decision, layer, why = row
    instant = instant_from(at)
    if instant is None:
        raise AssertionError("an event without its moment")
    if decision != "accepted":
        return Past(instant, None, is_reduced=False, kind=None)
    above = regular if regular is not None else was
    kind = None
    if layer and why is not None and _KIND in why:
        kind = why.split(_KIND, 1)[1].split('"', 1)[0]
    return Past(instant, minor, is_reduced=above is not None and above > minor, kind=kind)
