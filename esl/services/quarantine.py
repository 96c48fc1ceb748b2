"""Let a second person decide about prices that were held back.

Nobody decides about what they sent themselves. What is approved is applied as a new change, with
a new revision; what is rejected stays in the books as such. Both are audited. A price that cannot
hold any more, such as one in a currency that the store has left, is rejected by itself when it is
approved: those that were approved with it hold.
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from esl.domain.errors import Conflict, InvalidInput
from esl.domain.guards import Reason
from esl.domain.ids import LabelId, SourceId, StoreId
from esl.domain.pricing import ChangeResult, Decision
from esl.domain.quarantine import HeldBack, QuarantineState
from esl.domain.source import unregistered
from esl.services.listening import EntryResult, take_entries
from esl.services.pricing import apply_price_changes
from esl.store import audit, batches, places, quarantine, words

DECIDED_MOST = 1000
BATCH_MOST = 10_000
"""Of a batch, so many are decided about at once; asked again, the next."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """A price that was decided about; ``decision`` is what became of it when it was applied.

    ``reasons`` say why a price that was approved could not hold.
    """

    quarantine_id: int
    state: QuarantineState
    decision: Decision | None
    rev: int | None
    reasons: tuple[Reason, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Ruling:
    """What a person decided, price by price, and the labels that want something new.

    ``left`` prices of the batch wait still: a ruling is about `BATCH_MOST` at most.
    """

    decided: tuple[Decided, ...]
    labels: tuple[LabelId, ...]
    left: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class OfBatch:
    """All prices of a batch that wait."""

    batch_id: int


Which = Sequence[int] | OfBatch
"""About which prices a person decides: those with these numbers, or those of a batch."""


def approve(
    tx: Connection,
    store_id: StoreId,
    which: Which,
    now: datetime,
    *,
    by: str,
    note: str | None = None,
) -> Ruling:
    """Let prices hold that were held back; each that cannot hold any more is rejected instead.

    Raises:
        UnknownQuarantine: The store has none with one of these numbers.
        UnknownBatch: The store has no such batch.
        Conflict: One was decided about already, or its sender is the one who approves.
    """
    found = _to_decide(tx, store_id, which, by)
    # First: what is applied would else take the place of what waits.
    quarantine.decide(tx, _numbers(found), QuarantineState.APPROVED, now, by=by, note=note)
    decided: list[Decided] = []
    labels: list[LabelId] = []
    currency = places.lock_store(tx, store_id).currency
    foreign = [held for held in found if held.currency != currency]
    decided += [_fallen(held, (Reason.CURRENCY,)) for held in foreign]
    own = [held for held in found if held.currency == currency]
    for _, alike in itertools.groupby(own, key=_said_together):
        group = list(alike)
        results, touched = _apply(tx, group, now, by)
        labels += touched
        numbers_of: dict[int, list[int]] = {}
        for held, result in zip(group, results, strict=True):
            if result.decision is Decision.REJECTED:
                decided.append(_fallen(held, result.reasons))
                continue
            if result.rev is not None:
                numbers_of.setdefault(result.rev, []).append(held.quarantine_id)
            decided.append(
                Decided(
                    quarantine_id=held.quarantine_id,
                    state=QuarantineState.APPROVED,
                    decision=result.decision,
                    rev=result.rev,
                )
            )
        for rev, numbers in numbers_of.items():
            quarantine.note_rev(tx, numbers, rev)
    decided.sort(key=lambda d: d.quarantine_id)
    fallen = {d.quarantine_id for d in decided if d.state is QuarantineState.REJECTED}
    quarantine.decide(tx, sorted(fallen), QuarantineState.REJECTED, now, by=by, note=note)
    for held in found:
        could = held.quarantine_id not in fallen
        _audit(tx, held, now, by, "approve" if could else "approve_in_vain", note)
    left = _count_left(tx, store_id, which)
    return Ruling(decided=tuple(decided), labels=tuple(labels), left=left)


def reject(
    tx: Connection,
    store_id: StoreId,
    which: Which,
    now: datetime,
    *,
    by: str,
    note: str | None = None,
) -> Ruling:
    """Say no to prices that were held back, all or none.

    Raises:
        UnknownQuarantine: The store has none with one of these numbers.
        UnknownBatch: The store has no such batch.
        Conflict: One was decided about already, or its sender is the one who rejects.
    """
    found = _to_decide(tx, store_id, which, by)
    quarantine.decide(tx, _numbers(found), QuarantineState.REJECTED, now, by=by, note=note)
    for held in found:
        _audit(tx, held, now, by, "reject", note)
    decided = tuple(
        Decided(
            quarantine_id=held.quarantine_id,
            state=QuarantineState.REJECTED,
            decision=None,
            rev=None,
        )
        for held in found
    )
    return Ruling(decided=decided, labels=(), left=_count_left(tx, store_id, which))


def _to_decide(tx: Connection, store_id: StoreId, which: Which, by: str) -> list[HeldBack]:
    """Load what is to be decided about, by number; lock it till the commit."""
    if isinstance(which, OfBatch):
        batches.batch_named(tx, store_id, which.batch_id)
        found = quarantine.open_of_batch(tx, store_id, which.batch_id, limit=BATCH_MOST)
        if not found:
            raise Conflict(f"no price of the batch {which.batch_id} waits for anybody")
    else:
        numbers = sorted(set(which))
        if not 1 <= len(numbers) <= DECIDED_MOST:
            raise InvalidInput.at("/prices", f"{len(numbers)} of them", fix="Name 1 to 1000.")
        found = [quarantine.held_back(tx, store_id, number) for number in numbers]
    also_sent = quarantine.also_sent(tx, store_id, found, by=by)
    for held in found:
        number = held.quarantine_id
        if held.state is not QuarantineState.OPEN:
            raise Conflict(f"the price {number} was decided about before: it is {held.state}")
        if held.actor == by or number in also_sent:
            raise Conflict(
                f"you sent the price {number} yourself; another person with the scope"
                f" price:approve must decide about it"
            )
    return found


def _said_together(held: HeldBack) -> tuple[bool, SourceId, int | None]:
    return words.is_entry(held.said), held.source, held.batch_id


def _fallen(held: HeldBack, reasons: tuple[Reason, ...]) -> Decided:
    """A price that was approved and cannot hold any more."""
    return Decided(
        quarantine_id=held.quarantine_id,
        state=QuarantineState.REJECTED,
        decision=Decision.REJECTED,
        rev=None,
        reasons=reasons,
    )


def _numbers(found: Sequence[HeldBack]) -> list[int]:
    return [held.quarantine_id for held in found]


def _count_left(tx: Connection, store_id: StoreId, which: Which) -> int:
    if not isinstance(which, OfBatch):
        return 0
    return quarantine.count_open_of_batch(tx, store_id, which.batch_id)


def _apply(
    tx: Connection, group: Sequence[HeldBack], now: datetime, by: str
) -> tuple[Sequence[ChangeResult | EntryResult], tuple[LabelId, ...]]:
    """Apply prices of one source and batch, all of them changes or all of them entries.

    They are of their batch still: whoever rolls it back takes them back with it.
    """
    first = group[0]
    if words.is_entry(first.said):
        entries = [
            words.entry_from(h.said, store_id=h.store_id, sku=h.sku, currency=h.currency)
            for h in group
        ]
        taken = take_entries(
            tx,
            unregistered(first.source, first.store_id),
            entries,
            now,
            actor=by,
            batch_id=first.batch_id,
            is_approved=True,
        )
        return taken.results, taken.labels
    changes = [
        words.change_from(
            h.said, store_id=h.store_id, sku=h.sku, source=h.source, currency=h.currency
        )
        for h in group
    ]
    applied = apply_price_changes(
        tx,
        first.store_id,
        changes,
        now,
        actor=by,
        batch_id=first.batch_id,
        is_approved=True,
        each_by_itself=True,
    )
    return applied.results, applied.labels


def _audit(
    tx: Connection, held: HeldBack, now: datetime, by: str, action: str, note: str | None
) -> None:
    audit.note(
        tx,
        now,
        actor=by,
        action=action,
        subject=f"price/{held.quarantine_id}",
        store_id=held.store_id,
        reason=note,
        detail={
            "sku": held.sku,
            "price_minor": held.price_minor,
            "held_minor": held.held_minor,
            "reasons": list(held.reasons),
            "sent_by": held.actor,
        },
    )
