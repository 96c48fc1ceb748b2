"""Prices that engines propose, rules and costs: rows in and out."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

import msgspec
from sqlalchemy import Connection, Select, delete, insert, select, update

from esl.domain.ids import Sku, SourceId, StoreId
from esl.domain.proposal import Known, ProposalState, Refusal, Rules
from esl.domain.quarantine import QuarantineState
from esl.intake.proposal_json import rules_from, rules_text
from esl.store.bulk import Bulk
from esl.store.columns import AnyRow
from esl.store.tables import product_costs, proposal_rules, proposals, quarantine
from esl.store.upsert import insert_or_update

_KNOWN: Final = Bulk(
    """
    SELECT p.sku, h.price_minor,
        (SELECT coalesce(e.regular_minor, e.price_minor) FROM price_event AS e
            WHERE e.store_id = :store AND e.sku = {item} AND e.decision = 'accepted'
                AND e.layer <> 2 AND :engines NOT LIKE '% ' || e.source || ' %'
            ORDER BY e.event_id DESC LIMIT 1),
        c.cost_minor,
        (SELECT count(*) FROM price_event AS m
            WHERE m.store_id = :store AND m.sku = {item} AND m.decision = 'accepted'
                AND m.layer <> 2 AND :engines LIKE '% ' || m.source || ' %'
                AND m.received_at >= :day),
        CASE WHEN h.was_minor IS NOT NULL OR h.badge IS NOT NULL OR h.regular_minor IS NOT NULL
            OR h.member_minor IS NOT NULL OR h.multibuy_minor IS NOT NULL OR o.sku IS NOT NULL
            THEN 1 ELSE 0 END
    FROM {rows} CROSS JOIN product AS p
        LEFT JOIN price AS h ON h.store_id = p.store_id AND h.sku = p.sku
        LEFT JOIN product_cost AS c ON c.store_id = p.store_id AND c.sku = p.sku
        LEFT JOIN offer AS o ON o.store_id = p.store_id AND o.sku = p.sku
    WHERE p.store_id = :store AND p.sku = {item}
    """
)
_PROPOSED_BY: Final = Bulk(
    """
    SELECT p.source, p.reason FROM price_event AS e
        JOIN proposal AS p ON p.store_id = e.store_id AND p.sku = e.sku
            AND (p.rev = e.rev OR p.quarantine_id = (SELECT q.quarantine_id FROM quarantine AS q
                WHERE q.quarantine_id = p.quarantine_id AND q.rev = e.rev))
    WHERE e.event_id = :event ORDER BY p.proposal_id LIMIT 1
    """
)
_END_WAITING: Final = Bulk(
    """
    UPDATE proposal SET state = 'superseded', decided_at = :now, decided_by = :by
    FROM {rows} WHERE proposal.store_id = :store AND proposal.state = 'waiting'
        AND proposal.sku = {item}
    """
)


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptProposal:
    """A proposal as it is kept."""

    proposal_id: int
    store_id: StoreId
    sku: Sku
    source: SourceId
    price_minor: int
    currency: str
    held_minor: int | None
    regular_minor: int | None
    reason: str
    state: ProposalState
    refusals: tuple[Refusal, ...]
    actor: str
    received_at: datetime
    decided_by: str | None
    decided_at: datetime | None
    note: str | None
    rev: int | None
    quarantine_id: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class NewProposal:
    """A proposal to keep, with what became of it."""

    sku: Sku
    price_minor: int
    reason: str
    known: Known
    state: ProposalState
    refusals: tuple[Refusal, ...] = ()
    rev: int | None = None
    quarantine_id: int | None = None


def rules_of(
    tx: Connection, store_id: StoreId, currency: str, *, to_change: bool = False
) -> Rules | None:
    """Load a store's rules; ``to_change`` lets nobody else propose there till the commit."""
    query = select(proposal_rules.c.rules).where(proposal_rules.c.store_id == store_id)
    if to_change:
        query = query.with_for_update()
    text: str | None = tx.execute(query).scalar_one_or_none()
    return rules_from(text, currency) if text is not None else None


def put_rules(tx: Connection, store_id: StoreId, rules: Rules, currency: str) -> None:
    """Replace a store's rules."""
    row = {"store_id": store_id, "rules": rules_text(rules, currency)}
    insert_or_update(tx, proposal_rules, [row])


def put_costs(
    tx: Connection,
    store_id: StoreId,
    costs: Mapping[Sku, int | None],
    now: datetime,
    *,
    actor: str,
) -> None:
    """Note what products cost; None forgets it."""
    gone = [sku for sku, minor in costs.items() if minor is None]
    for begin in range(0, len(gone), 500):
        some = gone[begin : begin + 500]
        tx.execute(
            delete(product_costs).where(
                product_costs.c.store_id == store_id, product_costs.c.sku.in_(some)
            )
        )
    rows = [
        {
            "store_id": store_id,
            "sku": sku,
            "cost_minor": minor,
            "said_by": actor[:80],
            "said_at": now,
        }
        for sku, minor in sorted(costs.items())
        if minor is not None
    ]
    if rows:
        insert_or_update(tx, product_costs, rows)


def known_of(
    tx: Connection,
    store_id: StoreId,
    skus: Sequence[Sku],
    engines: Collection[SourceId],
    day: datetime,
) -> dict[Sku, Known]:
    """Load what bounds are held against; ``day`` is when the store's day began.

    Unknown products are left out.
    """
    named = f" {' '.join(sorted(engines))} "
    return {
        Sku(sku): Known(held, regular, cost, int(moves), bool(promoted))
        for sku, held, regular, cost, moves, promoted in _KNOWN.run(
            tx, skus, store=store_id, engines=named, day=day
        )
    }


def end_waiting(
    tx: Connection, store_id: StoreId, skus: Iterable[Sku], now: datetime, *, by: str
) -> None:
    """Note that newer proposals took the place of those that wait."""
    rows = sorted(skus)
    if rows:
        _END_WAITING.run(tx, rows, store=store_id, now=now, by=by[:80])


def keep(
    tx: Connection,
    store_id: StoreId,
    source: SourceId,
    new: Sequence[NewProposal],
    now: datetime,
    *,
    currency: str,
    actor: str,
) -> list[int]:
    """Keep proposals; return their numbers, in their order."""
    rows = [
        {
            "store_id": store_id,
            "sku": one.sku,
            "source": source,
            "price_minor": one.price_minor,
            "currency": currency,
            "held_minor": one.known.held_minor,
            "regular_minor": one.known.regular_minor,
            "reason": one.reason,
            "state": one.state.value,
            "refusals": msgspec.json.encode(one.refusals).decode() if one.refusals else None,
            "actor": actor[:80],
            "received_at": now,
            "rev": one.rev,
            "quarantine_id": one.quarantine_id,
        }
        for one in new
    ]
    kept = insert(proposals).returning(proposals.c.proposal_id, sort_by_parameter_order=True)
    return [int(number) for number in tx.execute(kept, rows).scalars()]


def list_proposals(
    tx: Connection, store_id: StoreId, *, state: ProposalState | None, after: int, limit: int
) -> list[KeptProposal]:
    """List a store's by number."""
    query = _query().where(proposals.c.store_id == store_id, proposals.c.proposal_id > after)
    if state is not None:
        query = query.where(proposals.c.state == state.value)
    rows = tx.execute(query.order_by(proposals.c.proposal_id).limit(limit))
    return _as_ruled(tx, [_kept(row) for row in rows])


def _as_ruled(tx: Connection, found: list[KeptProposal]) -> list[KeptProposal]:
    """Say of what guards held back what a person has decided since."""
    held = [o.quarantine_id for o in found if o.state is ProposalState.HELD]
    if not held:
        return found
    query = select(quarantine).where(
        quarantine.c.quarantine_id.in_(held), quarantine.c.state.in_(sorted(_RULED))
    )
    ruled = {row.quarantine_id: row for row in tx.execute(query)}
    return [
        replace(
            one,
            state=_RULED[row.state],
            rev=row.rev,
            decided_by=row.decided_by,
            decided_at=row.decided_at,
            note=row.note,
        )
        if one.state is ProposalState.HELD and (row := ruled.get(one.quarantine_id)) is not None
        else one
        for one in found
    ]


_RULED: Final = {
    QuarantineState.APPROVED.value: ProposalState.ACCEPTED,
    QuarantineState.REJECTED.value: ProposalState.REJECTED,
}


def to_decide(tx: Connection, store_id: StoreId, numbers: Sequence[int]) -> dict[int, KeptProposal]:
    """Load those with these numbers, and lock them till the commit."""
    query = (
        _query()
        .where(proposals.c.store_id == store_id, proposals.c.proposal_id.in_(numbers))
        .order_by(proposals.c.proposal_id)
        .with_for_update()
    )
    return {row.proposal_id: _kept(row) for row in tx.execute(query)}


def decide(
    tx: Connection,
    proposal_id: int,
    state: ProposalState,
    now: datetime,
    *,
    by: str,
    note: str | None,
    rev: int | None = None,
) -> None:
    """Write down what a person decided."""
    tx.execute(
        update(proposals)
        .where(proposals.c.proposal_id == proposal_id)
        .values(state=state.value, decided_by=by[:80], decided_at=now, note=note, rev=rev)
    )


def proposed_by(tx: Connection, event_id: int) -> tuple[str, str] | None:
    """Return the engine whose proposal became an event of the history, and its reason."""
    return next(((str(s), str(r)) for s, r in _PROPOSED_BY.run(tx, event=event_id)), None)


def forget_proposals(tx: Connection, before: datetime, *, most: int) -> int:
    """Forget proposals that became no price."""
    old = (
        select(proposals.c.proposal_id)
        .where(
            proposals.c.received_at < before,
            proposals.c.rev.is_(None),
            proposals.c.quarantine_id.is_(None),
        )
        .order_by(proposals.c.proposal_id)
        .limit(most)
    )
    return int(tx.execute(delete(proposals).where(proposals.c.proposal_id.in_(old))).rowcount)


def _query() -> Select[Any]:
    return select(proposals)


def _kept(row: AnyRow) -> KeptProposal:
    refusals: tuple[Refusal, ...] = ()
    if row.refusals is not None:
        refusals = msgspec.json.decode(row.refusals, type=tuple[Refusal, ...])
    return KeptProposal(
        proposal_id=int(row.proposal_id),
        store_id=StoreId(row.store_id),
        sku=Sku(row.sku),
        source=SourceId(row.source),
        price_minor=row.price_minor,
        currency=row.currency,
        held_minor=row.held_minor,
        regular_minor=row.regular_minor,
        reason=row.reason,
        state=ProposalState(row.state),
        refusals=refusals,
        actor=row.actor,
        received_at=row.received_at,
        decided_by=row.decided_by,
        decided_at=row.decided_at,
        note=row.note,
        rev=row.rev,
        quarantine_id=row.quarantine_id,
    )
