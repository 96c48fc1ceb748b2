"""A whole store's labels at a glance: counted by phase, and listed lightly for filters and search.

`esl.domain.label.phase_of`, said in SQL, so that ten thousand labels cost one query. The gateways
on the line are memory of the process, no rows, and are handed in. A test holds the two together.
"""

from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    CompoundSelect,
    Connection,
    Select,
    and_,
    case,
    func,
    or_,
    select,
    text,
    union_all,
)

from esl.domain.ids import GatewayId, LabelId, Sku, StoreId
from esl.domain.label import Phase
from esl.store.bulk import Bulk
from esl.store.labels import LABEL_IS_PAIRED, LABEL_IS_REFUSED, count_labels
from esl.store.tables import REFUSED, STUCK, gateways, labels, pairings, product_gtins, products

_COUNT_PAIRED: Final = Bulk("SELECT count(*) FROM pairing WHERE store_id = :store AND position = 0")
_COUNT_UNSETTLED: Final = Bulk(
    f"""
    SELECT (SELECT count(*) FROM label WHERE due_at IS NOT NULL
            AND gateway_id IN (SELECT gateway_id FROM gateway WHERE store_id = :store))
        + (SELECT count(*) FROM label WHERE due_at IS NOT NULL
            AND gateway_id IS NULL AND {{no_index}}store_id = :store)
        + (SELECT count(*) FROM label WHERE store_id = :store AND {STUCK}
            AND settled_rev < wanted_rev)
    """  # noqa: S608  our own words  # nosec B608
)


def count_paired(tx: Connection, store_id: StoreId) -> tuple[int, int]:
    """Count a store's paired labels, and its labels that are not settled.

    Counted from indexes: people's browsers ask every second while ten thousand labels change.
    A label that speaks for nothing any more is unsettled until it shows its neutral face.
    """
    [[paired]] = _COUNT_PAIRED.run(tx, store=store_id)
    [[unsettled]] = _COUNT_UNSETTLED.run(tx, store=store_id)
    return int(paired), int(unsettled)


_SIMPLE: Final = frozenset({Phase.SETTLED, Phase.UNPAIRED})
"""Phases of labels that no index of those that want something holds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WallEntry:
    """What a label can be found by."""

    label_id: LabelId
    sku: Sku | None
    name: str | None
    gtin: str | None = None  # the first of its product


def count_phases(
    tx: Connection, store_id: StoreId, online: AbstractSet[GatewayId]
) -> dict[Phase, int]:
    """Count a store's labels by phase; phases that no label is in are left out.

    Only labels that are not simply settled are looked at one by one; the others are the rest.
    """
    found = dict.fromkeys(Phase, 0)
    # A subquery: PostgreSQL takes two CASEs with bound values for two different expressions.
    chosen = select(phase_in_sql(online).label("phase"))
    phases = union_all(*_not_simply_settled(store_id, chosen)).subquery()
    query = select(phases.c.phase, func.count().label("many")).group_by(phases.c.phase)
    for row in tx.execute(query):
        found[Phase(row.phase)] = int(row.many)
    [[paired]] = _COUNT_PAIRED.run(tx, store=store_id)
    found[Phase.UNPAIRED] = 0
    found[Phase.SETTLED] = 0
    found[Phase.SETTLED] = paired - sum(found.values())
    found[Phase.UNPAIRED] = count_labels(tx, store_id) - paired
    return {phase: many for phase, many in found.items() if many}


def _not_simply_settled(store_id: StoreId, chosen: Select[Any]) -> Iterator[Select[Any]]:
    """Select from what three indexes hold: labels due, stuck, and refused. No label twice."""
    label = labels.c
    here = select(gateways.c.gateway_id).where(gateways.c.store_id == store_id)
    yield chosen.where(label.due_at.is_not(None), label.gateway_id.in_(here))
    # `coalesce` keeps SQLite from walking the whole store by its index.
    in_store = func.coalesce(label.store_id, "") == store_id
    yield chosen.where(label.due_at.is_not(None), label.gateway_id.is_(None), in_store)
    yield chosen.where(label.store_id == store_id, text(STUCK))
    elsewhere = or_(label.due_at.is_not(None), text(STUCK))
    yield chosen.where(label.store_id == store_id, text(REFUSED), ~elsewhere)


def entries_of(
    tx: Connection,
    store_id: StoreId,
    online: AbstractSet[GatewayId],
    *,
    phases: AbstractSet[Phase] | None = None,
) -> list[WallEntry]:
    """List a store's labels by id: all, or those in ``phases``."""
    query = (
        select(labels.c.label_id, products.c.sku, products.c.name, products.c.gtin)
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
        query = query.where(phase_in_sql(online).in_(sorted(phases)))
    return [
        WallEntry(
            label_id=LabelId(row.label_id),
            sku=Sku(row.sku) if row.sku is not None else None,
            name=row.name,
            gtin=row.gtin,
        )
        for row in tx.execute(query).all()
    ]


def ids_in(
    tx: Connection,
    store_id: StoreId,
    online: AbstractSet[GatewayId],
    phases: AbstractSet[Phase],
) -> list[LabelId]:
    """List the ids of a store's labels that are in one of these phases, in their order.

    Of phases that settled labels are not in, only what indexes hold of the others is looked at.
    """
    found = tx.execute(_in_phases(select(labels.c.label_id), store_id, online, phases))
    return sorted(map(LabelId, found.scalars().all()))


def places_in(
    tx: Connection,
    store_id: StoreId,
    online: AbstractSet[GatewayId],
    phases: AbstractSet[Phase],
) -> dict[LabelId, str | None]:
    """Say where each label hangs that is in one of these phases; those that left excepted."""
    hung = select(labels.c.label_id, labels.c.place).where(labels.c.retired_at.is_(None))
    rows = tx.execute(_in_phases(hung, store_id, online, phases)).all()
    return {LabelId(label_id): place for label_id, place in rows}


def _in_phases(
    query: Select[Any],
    store_id: StoreId,
    online: AbstractSet[GatewayId],
    phases: AbstractSet[Phase],
) -> Select[Any] | CompoundSelect[Any]:
    chosen = query.where(phase_in_sql(online).in_(sorted(phases)))
    if phases & _SIMPLE:
        return chosen.where(labels.c.store_id == store_id)
    return union_all(*_not_simply_settled(store_id, chosen))


def skus_of_code(tx: Connection, store_id: StoreId, digits: str) -> set[Sku]:
    """Return the products that have a GTIN with these digits in it behind their first one."""
    query = select(product_gtins.c.sku).where(
        product_gtins.c.store_id == store_id, product_gtins.c.gtin.contains(digits)
    )
    return {Sku(sku) for sku in tx.execute(query).scalars()}


def phase_in_sql(online: AbstractSet[GatewayId]) -> ColumnElement[str]:
    """Say a label's phase as an expression over the table of labels."""
    label = labels.c
    is_away = or_(label.gateway_id.is_(None), label.gateway_id.not_in(sorted(online)))
    return case(
        (~LABEL_IS_PAIRED, Phase.UNPAIRED.value),
        (or_(label.problem.is_not(None), LABEL_IS_REFUSED), Phase.FAILED.value),
        (
            and_(label.settled_rev >= label.wanted_rev, label.due_at.is_(None)),
            Phase.SETTLED.value,
        ),
        (is_away, Phase.UNREACHABLE.value),
        (label.sent_rev < label.wanted_rev, Phase.WAITING.value),
        (label.attempts <= 1, Phase.SENT.value),
        else_=Phase.STRUGGLING.value,
    )
