"""Stores whose labels show no prices, by a person's order: rows in and out.

There is a row for as long as it is so, and none afterwards; who ended it is in the audit.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, and_, delete, insert, or_, select

from esl.domain.ids import GatewayId, LabelId, PanelId, StoreId
from esl.domain.neutral import NEUTRAL_TEMPLATE
from esl.store.label_tables import neutral_orders
from esl.store.labels import LABEL_IS_PAIRED
from esl.store.tables import audit_entries, gateways, issued, labels

BEGAN = "neutral"
ENDED = "neutral_end"
"""What the audit calls the order and its end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NeutralOrder:
    """Since when a store shows no prices, by whose order, and why."""

    since: datetime
    actor: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NeutralLabel:
    """How a label stands that shows something, or is to.

    ``shows_neutral`` is its own word: the last picture it said it shows has no price on it.
    """

    label_id: LabelId
    gateway_id: GatewayId | None
    panel_id: PanelId
    shows_neutral: bool
    is_settled: bool
    is_doubled: bool  # two labels use its id, so nothing is sent to it
    problem: str | None
    attempts: int


def order_of(tx: Connection, store_id: StoreId) -> NeutralOrder | None:
    """Load a store's order; None: its labels show prices."""
    query = select(neutral_orders).where(neutral_orders.c.store_id == store_id)
    row = tx.execute(query).one_or_none()
    if row is None:
        return None
    return NeutralOrder(since=row.since, actor=row.actor, reason=row.reason)


def order_at(tx: Connection, store_id: StoreId, at: datetime) -> NeutralOrder | None:
    """Load the order that a store was under at a moment, by the audit where it is over."""
    held = order_of(tx, store_id)
    if held is not None and at >= held.since:
        return held
    query = (
        select(audit_entries.c.at, audit_entries.c.actor, audit_entries.c.action)
        .add_columns(audit_entries.c.reason)
        .where(
            audit_entries.c.store_id == store_id,
            audit_entries.c.action.in_((BEGAN, ENDED)),
            audit_entries.c.at <= at,
        )
        .order_by(audit_entries.c.entry_id.desc())
        .limit(1)
    )
    last = tx.execute(query).one_or_none()
    if last is None or last.action == ENDED:
        return None
    return NeutralOrder(since=last.at, actor=last.actor, reason=last.reason or "")


def stores_ordered(tx: Connection) -> list[StoreId]:
    """List the stores whose labels show no prices by order."""
    query = select(neutral_orders.c.store_id).order_by(neutral_orders.c.store_id)
    return [StoreId(store_id) for store_id in tx.execute(query).scalars()]


def put_order(tx: Connection, store_id: StoreId, order: NeutralOrder) -> None:
    """Write an order down; the store has none."""
    tx.execute(
        insert(neutral_orders).values(
            store_id=store_id, since=order.since, actor=order.actor[:80], reason=order.reason
        )
    )


def end_order(tx: Connection, store_id: StoreId) -> None:
    """Forget a store's order."""
    tx.execute(delete(neutral_orders).where(neutral_orders.c.store_id == store_id))


def gateways_ordered(tx: Connection) -> frozenset[GatewayId]:
    """Name the gateways below which no price is shown by order: nothing is staged there."""
    query = select(gateways.c.gateway_id).join(
        neutral_orders, neutral_orders.c.store_id == gateways.c.store_id
    )
    return frozenset(GatewayId(gateway_id) for gateway_id in tx.execute(query).scalars())


def labels_concerned(tx: Connection, store_id: StoreId) -> list[LabelId]:
    """List the store's labels that show something, or are to, by id."""
    query = select(labels.c.label_id).where(_is_concerned(store_id)).order_by(labels.c.label_id)
    return [LabelId(label_id) for label_id in tx.execute(query).scalars()]


def standing_of(tx: Connection, store_id: StoreId) -> list[NeutralLabel]:
    """Load how each label stands that is concerned, by id."""
    of_shown = and_(issued.c.label_id == labels.c.label_id, issued.c.rev == labels.c.shown_rev)
    query = (
        select(
            labels.c.label_id,
            labels.c.gateway_id,
            labels.c.panel_id,
            labels.c.quarantine,
            labels.c.problem,
            labels.c.attempts,
            labels.c.due_at,
            labels.c.wanted_rev,
            labels.c.settled_rev,
            labels.c.shown_digest,
            issued.c.template,
        )
        .select_from(labels.outerjoin(issued, of_shown))
        .where(_is_concerned(store_id))
        .order_by(labels.c.label_id)
    )
    return [
        NeutralLabel(
            label_id=LabelId(row.label_id),
            gateway_id=GatewayId(row.gateway_id) if row.gateway_id is not None else None,
            panel_id=PanelId(row.panel_id),
            shows_neutral=row.shown_digest != "" and row.template == NEUTRAL_TEMPLATE,
            is_settled=row.due_at is None and row.settled_rev >= row.wanted_rev,
            is_doubled=row.quarantine > 0,
            problem=row.problem,
            attempts=row.attempts,
        )
        for row in tx.execute(query)
    ]


def _is_concerned(store_id: StoreId) -> ColumnElement[bool]:
    return and_(
        labels.c.store_id == store_id,
        or_(labels.c.sent_rev > 0, labels.c.shown_digest != "", LABEL_IS_PAIRED),
    )
