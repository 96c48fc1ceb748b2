"""Apply price changes, whichever door they came through.

In one transaction: each change is weighed against what its source said before, what holds now
and the limits of its source, every one is written down once with what became of it, the prices
that hold are updated, and the labels that show them want a new revision at once. What the
guards doubt is kept for another person: `esl.services.quarantine`.
"""

import itertools
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from esl.domain.errors import Conflict, FieldProblem, InvalidInput, NumberUsed
from esl.domain.guards import FIXES, WORDS, Reason
from esl.domain.ids import LabelId, Sku, SourceId, StoreId
from esl.domain.place import Store
from esl.domain.pricing import (
    ChangeResult,
    Decision,
    PriceChange,
    Says,
    says_after,
)
from esl.domain.source import PRICE_FIELD
from esl.services.planned_changes import (
    draft_change,
    hold_back,
    is_for_later,
    is_over,
    plan_change,
    yields_at,
)
from esl.services.price_books import Closed, PriceBooks, open_books, positions_of
from esl.services.till_plans import Draft, TillPlans
from esl.services.turning import settle_overdue
from esl.store import owners, price_intake, promotions, sources, traces
from esl.store.desk import owners_from
from esl.store.price_intake import SaidBy, SaidPrice, SourcePosition

Told = tuple[Decision, tuple[Reason, ...]]
"""What became of a change, and why."""

_SAYS_NOTHING = frozenset({Decision.REJECTED, Decision.SUPERSEDED})
NOT_STORED = frozenset({Reason.UNKNOWN_SKU, Reason.NUMBER_USED, Reason.OVER, Reason.TOO_MANY_PLANS})
"""Why a change is refused for its form, so that nothing of it is written down."""

_FIELDS = {
    Reason.OVER: "valid_to",
    Reason.UNKNOWN_SKU: "sku",
    Reason.NUMBER_USED: "source_seq",
    Reason.TOO_HIGH: "price",
    Reason.TOO_LOW: "price",
    Reason.NOT_POSITIVE: "price",
}
"""What must be changed of a price change, by why it was refused."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Applied:
    """What came of a request: one result a change, and the labels that want something new."""

    results: tuple[ChangeResult, ...]
    labels: tuple[LabelId, ...]


def apply_price_changes(
    tx: Connection,
    store_id: StoreId,
    changes: Sequence[PriceChange],
    now: datetime,
    *,
    actor: str,
    batch_id: int | None = None,
    is_approved: bool = False,
    is_planned: bool = False,
    each_its_rev: bool = False,
    each_by_itself: bool = False,
) -> Applied:
    """Apply changes of one store, all or none; the order of the sequence is their order.

    Together they are one revision; ``each_its_rev`` for changes that only happen to be taken
    together. With ``each_by_itself`` one that is refused does not hold up the others: its result
    says so, with the field, in place of `InvalidInput` for all.

    What is approved is not weighed by the guards again. What was approved or planned is no new
    word of its source.

    Raises:
        InvalidInput: A SKU is unknown, or a source used one sequence number for two prices.
        Conflict: The store's currency is not the changes', or a source is switched off.
    """
    skus = sorted({change.sku for change in changes})
    settle_overdue(tx, store_id, skus, now)
    books = open_books(tx, store_id, skus, now)
    scales = books.scales
    _refuse_other_currency(books.store, changes)
    if not each_by_itself:
        refuse_unknown(scales.known, changes)
    if books.desk.seats:
        books.refuse_disabled({change.source for change in changes})
    scales.is_batch = not each_its_rev
    scales.positions = _load_positions(tx, store_id, changes)
    scales.said = _load_said(tx, store_id, changes, scales.positions)
    if is_approved:
        scales.is_guarded, scales.yields = False, None
    overridden: set[Sku] = set()
    plans = TillPlans(tx, store_id, skus, now, books.desk)
    scales.yields = plans.yields_by(scales.yields)
    weigh = _weigh_alone if each_by_itself else _weigh
    told = [weigh(books, plans, change, overridden) for change in changes]
    closed = books.close(
        actor=actor, batch_id=batch_id, always_takes_rev=True, each_its_rev=each_its_rev
    )
    promotions.forget_of_products(tx, store_id, overridden)
    plans.write(actor=actor, batch_id=batch_id)
    if books.desk.seats:
        owners.note_price_owners(tx, store_id, _owners_after(books, changes, told))
        if not (is_approved or is_planned):
            _note_spoken(books, changes, told)
    results = _results(changes, told, closed, now, each_its_rev=each_its_rev)
    if traces.is_gathering(tx):
        _trace(tx, store_id, changes, results, batch_id)
    return Applied(results=results, labels=closed.touched)


def _trace(
    tx: Connection,
    store_id: StoreId,
    changes: Sequence[PriceChange],
    results: Sequence[ChangeResult],
    batch_id: int | None,
) -> None:
    """Note for the log which prices were taken; neither what they are nor what was sent."""
    lines = [
        {
            "change": result.rev,
            "store": store_id,
            "sku": result.sku,
            "source": change.source,
            "batch": batch_id,
            "labels": result.labels,
        }
        for change, result in zip(changes, results, strict=True)
        if result.rev is not None
    ]
    traces.note(tx, "price taken", lines)


def _note_spoken(books: PriceBooks, changes: Sequence[PriceChange], told: Sequence[Told]) -> None:
    """Note which registered sources spoke: what is late is old, and says nothing of today."""
    spoke = {
        change.source
        for change, (decision, reasons) in zip(changes, told, strict=True)
        if change.source in books.desk.seats
        and (decision not in _SAYS_NOTHING or Reason.YIELDS in reasons)
    }
    for source in sorted(spoke):
        sources.note_heard(books.tx, source, books.now, stores=[books.store.store_id])


def foresee(
    tx: Connection, store_id: StoreId, changes: Sequence[PriceChange], now: datetime
) -> list[Told]:
    """Say what would become of changes of one store by what holds now; nothing is written.

    That a source's numbers or times may be old by then is not asked.

    Raises:
        InvalidInput: A SKU is unknown.
        Conflict: The store's currency is not the changes', or a source is switched off.
    """
    books = open_books(tx, store_id, sorted({change.sku for change in changes}), now)
    scales = books.scales
    _refuse_other_currency(books.store, changes)
    refuse_unknown(scales.known, changes)
    if books.desk.seats:
        books.refuse_disabled({change.source for change in changes})
    told: list[Told] = []
    for change in changes:
        held = scales.held.get(change.sku)
        told.append(
            scales.weigh(
                sku=change.sku,
                source=change.source,
                seq=None,
                time=None,
                new=says_after(held.says if held is not None else None, change),
                raw=(change.price_minor, change.was_minor, change.unit_price_minor, change.badge),
                path=change.path,
            )
        )
    return told


def _weigh_alone(
    books: PriceBooks, plans: TillPlans, change: PriceChange, overridden: set[Sku]
) -> Told:
    """Weigh a change whose refusal is its own; of what is refused for its form nothing is kept."""
    if change.sku not in books.scales.known:
        return Decision.REJECTED, (Reason.UNKNOWN_SKU,)
    try:
        return _weigh(books, plans, change, overridden)
    except NumberUsed:
        return Decision.REJECTED, (Reason.NUMBER_USED,)


def _weigh(books: PriceBooks, plans: TillPlans, change: PriceChange, overridden: set[Sku]) -> Told:
    scales = books.scales
    sku, source = change.sku, change.source
    old = held.says if (held := scales.held.get(sku)) is not None else None
    new = says_after(old, change)
    draft: Draft | None = None
    if change.valid_from is not None or change.valid_to is not None or plans.is_layered(sku):
        if is_over(change, books.now):
            return Decision.REJECTED, (Reason.OVER,)
        if yields_at(books, plans, change):
            return Decision.SUPERSEDED, (Reason.YIELDS,)
        if is_for_later(change, books.now):
            return plan_change(books, plans, change, new)
        draft = draft_change(books, plans, change)
        if draft is not None and draft.is_too_many:
            return Decision.REJECTED, (Reason.TOO_MANY_PLANS,)
        if draft is not None and draft.says is not None:
            new = _beside_promotion(old, draft.says)
    decision, reasons = scales.weigh(
        sku=sku,
        source=source,
        seq=change.source_seq,
        time=change.source_time,
        new=new,
        raw=(change.price_minor, change.was_minor, change.unit_price_minor, change.badge),
        path=change.path,
    )
    if decision is Decision.UNCHANGED and books.desk.has_ranks:
        _repeat(books, sku, source)
    if draft is not None and decision in (Decision.ACCEPTED, Decision.UNCHANGED):
        plans.keep(draft)
    if decision is Decision.QUARANTINED:
        hold_back(books, change, reasons)
    elif decision is Decision.ACCEPTED and (old is None or old.price_minor != new.price_minor):
        overridden.add(sku)
    books.note(
        sku=sku,
        source=source,
        seq=change.source_seq,
        time=change.source_time,
        decision=decision,
        reasons=reasons,
        says=new,
    )
    return decision, reasons


def _repeat(books: PriceBooks, sku: Sku, source: SourceId) -> None:
    """Let a source of higher priority own the price that it says as well."""
    owner: str | None = books.scales.spoken.get(sku)
    if owner is None:
        owner = owners_from(books.scales.known[sku].owners).get(PRICE_FIELD)
    if books.desk.goes_beyond(source, owner):
        books.scales.spoken[sku] = source


def _beside_promotion(old: Says | None, new: Says) -> Says:
    """Keep what a till's promotion says beside the same price, as `says_after` does."""
    if old is None or old.price_minor != new.price_minor:
        return new
    price, was, unit, badge, *_ = new
    return old._replace(price_minor=price, was_minor=was, unit_price_minor=unit, badge=badge)


def _results(
    changes: Sequence[PriceChange],
    told: Sequence[Told],
    closed: Closed,
    now: datetime,
    *,
    each_its_rev: bool,
) -> tuple[ChangeResult, ...]:
    """Answer each change; of several of one product, each."""
    revs = iter(closed.revs) if each_its_rev else itertools.repeat(closed.rev)
    results: list[ChangeResult] = []
    for change, (decision, reasons) in zip(changes, told, strict=True):
        holds = decision is Decision.ACCEPTED and not is_for_later(change, now)
        is_doubted = decision is Decision.QUARANTINED
        results.append(
            ChangeResult(
                sku=change.sku,
                decision=decision,
                rev=next(revs) if holds else None,
                labels=len(closed.labels_of.get(change.sku, ())) if holds else 0,
                reasons=reasons,
                quarantine_id=closed.number_of(change.source, change) if is_doubted else None,
                path=_field_of(change, reasons),
            )
        )
    return tuple(results)


def _field_of(change: PriceChange, reasons: tuple[Reason, ...]) -> str:
    """Point to the field for which a change was refused, if it is one alone."""
    field = _FIELDS.get(reasons[0]) if reasons else None
    return f"{change.path}/{field}" if field is not None else ""


def _owners_after(
    books: PriceBooks, changes: Sequence[PriceChange], told: Sequence[Told]
) -> dict[Sku, tuple[str | None, str]]:
    """Say who said the prices that hold now: the owners before, and the source."""
    return {
        change.sku: (books.scales.known[change.sku].owners, change.source)
        for change, (decision, _) in zip(changes, told, strict=True)
        if not is_for_later(change, books.now)
        and (decision is Decision.ACCEPTED or books.scales.spoken.get(change.sku) == change.source)
    }


def _refuse_other_currency(store: Store, changes: Sequence[PriceChange]) -> None:
    if any(change.currency != store.currency for change in changes):
        raise Conflict("the store's currency has just changed; send the prices again")


def refuse_unknown(known: Container[Sku], changes: Sequence[PriceChange]) -> None:
    """Refuse changes of products that the store does not have.

    Raises:
        InvalidInput: With the path of each.
    """
    problems = [
        FieldProblem(
            path=f"{change.path}/sku",
            detail=WORDS[Reason.UNKNOWN_SKU],
            fix=FIXES[Reason.UNKNOWN_SKU],
        )
        for change in changes
        if change.sku not in known
    ]
    if problems:
        raise InvalidInput(problems[:50])


def _load_positions(
    tx: Connection, store_id: StoreId, changes: Sequence[PriceChange]
) -> dict[SaidBy, SourcePosition]:
    ordered = {
        (c.source, c.sku) for c in changes if c.source_seq is not None or c.source_time is not None
    }
    return positions_of(tx, store_id, ordered)


def _load_said(
    tx: Connection,
    store_id: StoreId,
    changes: Sequence[PriceChange],
    positions: Mapping[SaidBy, SourcePosition],
) -> dict[SaidBy, SaidPrice]:
    """Load what sources said under the numbers that they use again."""
    again = {
        (c.source, c.sku): c.source_seq
        for c in changes
        if c.source_seq is not None
        and (before := positions.get((c.source, c.sku))) is not None
        and before.last_seq == c.source_seq
    }
    return price_intake.prices_numbered(tx, store_id, again) if again else {}
