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

from esl.domain.errors import Conflict, FieldProblem, InvalidInput
from esl.domain.guards import Reason
from esl.domain.ids import LabelId, Sku, StoreId
from esl.domain.place import Store
from esl.domain.pricing import (
    ChangeResult,
    CurrentPrice,
    Decision,
    Keep,
    PriceChange,
    Says,
)
from esl.services.price_books import Closed, PriceBooks, open_books, positions_of
from esl.store import owners, price_intake, promotions, sources, words
from esl.store.price_intake import SaidBy, SaidPrice, SourcePosition
from esl.store.quarantine import NewHeld

Told = tuple[Decision, tuple[Reason, ...]]
"""What became of a change, and why."""

_SAYS_NOTHING = frozenset({Decision.REJECTED, Decision.SUPERSEDED})


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
) -> Applied:
    """Apply changes of one store, all or none; the order of the sequence is their order.

    Together they are one revision; ``each_its_rev`` for changes that only happen to be taken
    together.

    What is approved is not weighed by the guards again. What was approved or planned is no new
    word of its source.

    Raises:
        InvalidInput: A SKU is unknown, or a source used one sequence number for two prices.
        Conflict: The store's currency is not the changes', or a source is switched off.
    """
    books = open_books(tx, store_id, sorted({change.sku for change in changes}), now)
    scales = books.scales
    _refuse_other_currency(books.store, changes)
    refuse_unknown(scales.known, changes)
    if books.desk.seats:
        books.refuse_disabled({change.source for change in changes})
    scales.positions = _load_positions(tx, store_id, changes)
    scales.said = _load_said(tx, store_id, changes, scales.positions)
    if is_approved:
        scales.is_guarded, scales.yields = False, None
    overridden: set[Sku] = set()
    told = [_weigh(books, change, overridden) for change in changes]
    closed = books.close(
        actor=actor, batch_id=batch_id, always_takes_rev=True, each_its_rev=each_its_rev
    )
    promotions.forget_of_products(tx, store_id, overridden)
    if books.desk.seats:
        owners.note_price_owners(tx, store_id, _owners_after(books, changes, told))
        if not (is_approved or is_planned):
            _note_spoken(books, changes, told)
    results = _results(changes, told, closed, each_its_rev=each_its_rev)
    return Applied(results=results, labels=closed.touched)


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


def _weigh(books: PriceBooks, change: PriceChange, overridden: set[Sku]) -> Told:
    scales = books.scales
    sku, source = change.sku, change.source
    held = scales.held.get(sku)
    old = held.says if held is not None else None
    new = says_after(old, change)
    decision, reasons = scales.weigh(
        sku=sku,
        source=source,
        seq=change.source_seq,
        time=change.source_time,
        new=new,
        raw=(change.price_minor, change.was_minor, change.unit_price_minor, change.badge),
        path=change.path,
    )
    if decision is Decision.QUARANTINED:
        books.hold_back(
            NewHeld(
                sku=sku,
                source=source,
                said=words.text_of_change(change),
                price_minor=change.price_minor,
                held_minor=old.price_minor if old is not None else None,
                reasons=" ".join(reasons),
            )
        )
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


def _results(
    changes: Sequence[PriceChange], told: Sequence[Told], closed: Closed, *, each_its_rev: bool
) -> tuple[ChangeResult, ...]:
    """Answer each change; of several of one product, each."""
    revs = iter(closed.revs) if each_its_rev else itertools.repeat(closed.rev)
    results: list[ChangeResult] = []
    for change, (decision, reasons) in zip(changes, told, strict=True):
        is_accepted = decision is Decision.ACCEPTED
        held: int | None = None
        if decision is Decision.QUARANTINED:
            held = closed.held.get((change.source, change.sku))
        results.append(
            ChangeResult(
                sku=change.sku,
                decision=decision,
                rev=next(revs) if is_accepted else None,
                labels=len(closed.labels_of.get(change.sku, ())) if is_accepted else 0,
                reasons=reasons,
                quarantine_id=held,
            )
        )
    return tuple(results)


def says_after(old: Says | None, change: PriceChange) -> Says:
    """Compute what holds if a change is accepted.

    A unit price that came with an earlier price is never kept beside a new one: it would be
    wrong. It is computed from the net content then, or left out. Nor is a till's promotion
    kept beside another price than its own.
    """
    price, was, unit, badge = (
        change.price_minor,
        change.was_minor,
        change.unit_price_minor,
        change.badge,
    )
    if old is None:
        return Says(
            price,
            None if isinstance(was, Keep) else was,
            None if isinstance(unit, Keep) else unit,
            None if isinstance(badge, Keep) else badge,
        )
    if isinstance(was, Keep):
        was = old.was_minor
    if isinstance(badge, Keep):
        badge = old.badge
    if old.price_minor != price:
        return Says(price, was, None if isinstance(unit, Keep) else unit, badge)
    return Says(
        price, was, old.unit_price_minor if isinstance(unit, Keep) else unit, badge, *old[4:]
    )


def price_after(old: CurrentPrice | None, change: PriceChange, rev: int) -> CurrentPrice:
    """Compute the price that holds if a change is accepted, as `says_after` does."""
    before = None
    if old is not None:
        before = Says(
            old.price_minor,
            old.was_minor,
            old.unit_price_minor,
            old.badge,
            old.regular_minor,
            old.member_minor,
            old.multibuy_quantity,
            old.multibuy_minor,
        )
    says = says_after(before, change)
    return CurrentPrice(
        store_id=change.store_id,
        sku=change.sku,
        currency=change.currency,
        rev=rev,
        **says._asdict(),
    )


def _owners_after(
    books: PriceBooks, changes: Sequence[PriceChange], told: Sequence[Told]
) -> dict[Sku, tuple[str | None, str]]:
    """Say who said the prices that hold now: the owners before, and the source."""
    return {
        change.sku: (books.scales.known[change.sku].owners, change.source)
        for change, (decision, _) in zip(changes, told, strict=True)
        if decision is Decision.ACCEPTED
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
            detail="the store has no product with this SKU",
            fix="Add the product first: PUT /api/v1/stores/{store}/products/{sku}.",
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
