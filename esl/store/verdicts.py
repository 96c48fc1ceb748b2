"""What is written down about updates: the evidence that verdicts are made of. Reads only."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, and_, func, select

from esl.domain.ids import LabelId, Sku, StoreId
from esl.domain.neutral import NEUTRAL_TEMPLATE
from esl.domain.pricing import Decision
from esl.store.label_tables import neutral_orders
from esl.store.tables import (
    display_log,
    failure_log,
    issued,
    labels,
    pairings,
    price_events,
    prices,
    products,
)
from esl.store.upsert import in_batches


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangedPrice:
    """A price change that was accepted, and the next one of its product, if there is one.

    ``is_withdrawn`` says that there is none, and that the price was taken away since.
    """

    sku: Sku
    rev: int
    received_at: datetime
    next_rev: int | None
    is_withdrawn: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelStanding:
    """How a label stands, as far as verdicts ask."""

    label_id: LabelId
    sku: Sku | None
    paired_at: datetime | None
    wanted_rev: int
    settled_rev: int
    wanted_at: datetime | None
    problem: str | None
    problem_detail: str | None
    shows_neutral: bool = False  # by its own word, its glass has no price on it
    is_ordered: bool = False  # its store shows no prices, by a person's order


@dataclass(frozen=True, slots=True, kw_only=True)
class Displayed:
    """A revision that a label said it shows, when it first did, and what that was drawn with."""

    rev: int
    at: datetime
    template: str


def changes_of(
    tx: Connection, store_id: StoreId, rev: int, *, after: str = "", limit: int = 2000
) -> list[ChangedPrice]:
    """Load the price changes that were accepted as a revision, by SKU, those after ``after``."""
    return _changes(tx, store_id, price_events.c.rev == rev, after=after, limit=limit)


def changes_of_batch(
    tx: Connection, store_id: StoreId, batch_id: int, *, after: str = "", limit: int = 2000
) -> list[ChangedPrice]:
    """Load the price changes of a batch that were accepted, by SKU; of several, the last."""
    of_batch = (price_events.c.batch_id == batch_id) & price_events.c.rev.is_not(None)
    return _changes(tx, store_id, of_batch, after=after, limit=limit)


def _changes(
    tx: Connection, store_id: StoreId, which: ColumnElement[bool], *, after: str, limit: int
) -> list[ChangedPrice]:
    last = (
        select(
            price_events.c.sku,
            func.max(price_events.c.rev).label("rev"),
            func.max(price_events.c.received_at).label("received_at"),
        )
        .where(
            which,
            price_events.c.decision != Decision.WITHDRAWN.value,
            price_events.c.store_id == store_id,
            price_events.c.sku > after,
        )
        .group_by(price_events.c.sku)
        .order_by(price_events.c.sku)
        .limit(limit)
        .subquery()
    )
    later = price_events.alias("later")
    next_rev = (
        select(func.min(later.c.rev))
        .where(later.c.store_id == store_id, later.c.sku == last.c.sku, later.c.rev > last.c.rev)
        .correlate(last)
        .scalar_subquery()
    )
    held = and_(prices.c.store_id == store_id, prices.c.sku == last.c.sku)
    query = (
        select(last, next_rev.label("next_rev"), prices.c.sku.label("held"))
        .select_from(last.outerjoin(prices, held))
        .order_by(last.c.sku)
    )
    return [
        ChangedPrice(
            sku=Sku(row.sku),
            rev=int(row.rev),
            received_at=row.received_at,
            next_rev=row.next_rev,
            is_withdrawn=row.next_rev is None and row.held is None,
        )
        for row in tx.execute(query)
    ]


def labels_of_products(
    tx: Connection, store_id: StoreId, skus: Sequence[Sku]
) -> dict[Sku, list[LabelStanding]]:
    """Load how the labels stand that speak for these products now, by SKU and label."""
    found: dict[Sku, list[LabelStanding]] = {}
    for batch in in_batches(sorted(set(skus))):
        query = (
            select(*_STANDING, pairings.c.sku, pairings.c.paired_at)
            .join(pairings, pairings.c.label_id == labels.c.label_id)
            .where(pairings.c.store_id == store_id, pairings.c.sku.in_(batch))
            .order_by(labels.c.label_id)
        )
        for row in tx.execute(query):
            found.setdefault(Sku(row.sku), []).append(
                LabelStanding(
                    label_id=LabelId(row.label_id),
                    sku=Sku(row.sku),
                    paired_at=row.paired_at,
                    wanted_rev=row.wanted_rev,
                    settled_rev=row.settled_rev,
                    wanted_at=row.wanted_at,
                    problem=row.problem,
                    problem_detail=row.problem_detail,
                    shows_neutral=bool(row.shows_neutral),
                    is_ordered=bool(row.is_ordered),
                )
            )
    return found


def standing_of(tx: Connection, label_id: LabelId) -> LabelStanding:
    """Load how one label stands; it must exist."""
    query = (
        select(*_STANDING, pairings.c.sku, pairings.c.paired_at)
        .outerjoin(
            pairings, and_(pairings.c.label_id == labels.c.label_id, pairings.c.position == 0)
        )
        .where(labels.c.label_id == label_id)
    )
    row = tx.execute(query).one()
    return LabelStanding(
        label_id=LabelId(row.label_id),
        sku=Sku(row.sku) if row.sku is not None else None,
        paired_at=row.paired_at,
        wanted_rev=row.wanted_rev,
        settled_rev=row.settled_rev,
        wanted_at=row.wanted_at,
        problem=row.problem,
        problem_detail=row.problem_detail,
    )


def displays_of(
    tx: Connection, label_ids: Sequence[LabelId], *, since_rev: int
) -> dict[LabelId, list[Displayed]]:
    """Load what labels said that they show, from a revision on, the lowest revision first."""
    found: dict[LabelId, list[Displayed]] = {}
    of_picture = and_(
        issued.c.label_id == display_log.c.label_id, issued.c.rev == display_log.c.rev
    )
    for batch in in_batches(sorted(set(label_ids))):
        query = (
            select(
                display_log.c.label_id,
                display_log.c.rev,
                func.min(display_log.c.recorded_at).label("at"),
                func.min(issued.c.template).label("template"),
            )
            .outerjoin(issued, of_picture)
            .where(display_log.c.label_id.in_(batch), display_log.c.rev >= since_rev)
            .group_by(display_log.c.label_id, display_log.c.rev)
            .order_by(display_log.c.label_id, display_log.c.rev)
        )
        for row in tx.execute(query):
            found.setdefault(LabelId(row.label_id), []).append(
                Displayed(rev=int(row.rev), at=row.at, template=row.template or "")
            )
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Unfinished:
    """A label that does not show what it should, and has been given up or ran out of time.

    ``has_price`` says that its product has one, and its store shows prices: if not, its glass
    must not say any.
    """

    label_id: LabelId
    store_id: StoreId
    wanted_rev: int
    wanted_at: datetime | None
    problem: str | None
    problem_detail: str | None
    has_price: bool


def unfinished(
    tx: Connection, store_id: StoreId, *, wanted_before: datetime, limit: int = 1000
) -> list[Unfinished]:
    """List a store's labels that were given up, or have wanted something since before a moment.

    Only those whose failure is not written down for what they want now.
    """
    noted = _FAILED_ALREADY.exists()
    query = (
        select(
            labels.c.label_id,
            labels.c.wanted_rev,
            labels.c.wanted_at,
            labels.c.problem,
            labels.c.problem_detail,
            prices.c.price_minor,
            _IS_ORDERED.label("is_ordered"),
        )
        .select_from(
            labels.outerjoin(
                pairings, and_(pairings.c.label_id == labels.c.label_id, pairings.c.position == 0)
            )
            .outerjoin(
                products,
                and_(products.c.store_id == pairings.c.store_id, products.c.sku == pairings.c.sku),
            )
            .outerjoin(
                prices,
                and_(prices.c.store_id == products.c.store_id, prices.c.sku == products.c.sku),
            )
        )
        .where(
            labels.c.store_id == store_id,
            labels.c.settled_rev < labels.c.wanted_rev,
            (labels.c.problem.is_not(None)) | (labels.c.wanted_at <= wanted_before),
            ~noted,
        )
        .order_by(labels.c.label_id)
        .limit(limit)
    )
    return [
        Unfinished(
            label_id=LabelId(row.label_id),
            store_id=store_id,
            wanted_rev=row.wanted_rev,
            wanted_at=row.wanted_at,
            problem=row.problem,
            problem_detail=row.problem_detail,
            has_price=row.price_minor is not None and not row.is_ordered,
        )
        for row in tx.execute(query)
    ]


_FAILED_ALREADY = (
    select(failure_log.c.entry_id)
    .where(failure_log.c.label_id == labels.c.label_id, failure_log.c.rev == labels.c.wanted_rev)
    .correlate(labels)
)

_SHOWS_NEUTRAL = (
    select(issued.c.rev)
    .where(
        issued.c.label_id == labels.c.label_id,
        issued.c.rev == labels.c.shown_rev,
        issued.c.template == NEUTRAL_TEMPLATE,
        labels.c.shown_digest != "",
    )
    .correlate(labels)
    .exists()
)
_IS_ORDERED = (
    select(neutral_orders.c.store_id)
    .where(neutral_orders.c.store_id == labels.c.store_id)
    .correlate(labels)
    .exists()
)
_STANDING = (
    labels.c.label_id,
    labels.c.wanted_rev,
    labels.c.settled_rev,
    labels.c.wanted_at,
    labels.c.problem,
    labels.c.problem_detail,
    _SHOWS_NEUTRAL.label("shows_neutral"),
    _IS_ORDERED.label("is_ordered"),
)
