"""A whole store's labels at a glance: counted by phase, and listed lightly for filters and search.

`esl.domain.label.phase_of`, said in SQL, so that ten thousand labels cost one query. The gateways
on the line are memory of the process, no rows, and are handed in. A test holds the two together.
"""

from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, and_, case, func, or_, select

from esl.domain.ids import GatewayId, LabelId, Sku, StoreId
from esl.domain.label import Phase
from esl.store.labels import LABEL_IS_PAIRED
from esl.store.tables import labels, pairings, products


@dataclass(frozen=True, slots=True, kw_only=True)
class WallEntry:
    """What a label can be found by."""

    label_id: LabelId
    sku: Sku | None
    name: str | None


def count_phases(
    tx: Connection, store_id: StoreId, online: AbstractSet[GatewayId]
) -> dict[Phase, int]:
    """Count a store's labels by phase; phases that no label is in are left out."""
    # A subquery: PostgreSQL takes two CASEs with bound values for two different expressions.
    phases = select(_phase(online).label("phase")).where(labels.c.store_id == store_id).subquery()
    query = select(phases.c.phase, func.count().label("many")).group_by(phases.c.phase)
    return {Phase(row.phase): int(row.many) for row in tx.execute(query)}


def entries_of(
    tx: Connection,
    store_id: StoreId,
    online: AbstractSet[GatewayId],
    *,
    phases: AbstractSet[Phase] | None = None,
) -> list[WallEntry]:
    """List a store's labels by id: all, or those in ``phases``."""
    query = (
        select(labels.c.label_id, products.c.sku, products.c.name)
        .outerjoin(
            pairings, and_(pairings.c.label_id == labels.c.label_id, pairings.c.position == 0)
        )
        .outerjoin(
            products,
            and_(products.c.store_id == pairings.c.store_id, products.c.sku == pairings.c.sku),
        )
        .where(labels.c.store_id == store_id)
        .order_by(labels.c.label_id)
    )
    if phases is not None:
        query = query.where(_phase(online).in_(sorted(phases)))
    return [
        WallEntry(
            label_id=LabelId(row.label_id),
            sku=Sku(row.sku) if row.sku is not None else None,
            name=row.name,
        )
        for row in tx.execute(query)
    ]


def _phase(online: AbstractSet[GatewayId]) -> ColumnElement[str]:
    label = labels.c
    is_away = or_(label.gateway_id.is_(None), label.gateway_id.not_in(sorted(online)))
    return case(
        (~LABEL_IS_PAIRED, Phase.UNPAIRED.value),
        (label.problem.is_not(None), Phase.FAILED.value),
        (
            and_(label.settled_rev >= label.wanted_rev, label.due_at.is_(None)),
            Phase.SETTLED.value,
        ),
        (is_away, Phase.UNREACHABLE.value),
        (label.sent_rev < label.wanted_rev, Phase.WAITING.value),
        (label.attempts <= 1, Phase.SENT.value),
        else_=Phase.STRUGGLING.value,
    )
