"""Take what sources say of products: files, events and bodies that a mapping has made entries of.

::

    [Entry] ──▶ late? ──▶ product, field by field ──▶ price now, and promotions of the till
                 │              │                        ├─▶ guards ──▶ quarantine
                 ▼              ▼                        ├─▶ later ───▶ `esl.services.schedule`
            superseded      rejected, in words           └─▶ holds, and labels want it

One transaction, all statements over whole batches. The same entries again change nothing. An
entry that cannot be taken is refused by itself, with a reason; the others are taken.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from esl.domain.entry import Entry, RowProblem
from esl.domain.guards import Reason
from esl.domain.ids import LabelId, Sku, SourceId, StoreId
from esl.domain.pricing import Decision
from esl.domain.source import Source
from esl.services.past_prices import NOTHING_PAST, PastKept, keep_past
from esl.services.taking import TakenEntry, Taker
from esl.store import batches
from esl.store.batches import Tally

__all__ = ["EntryResult", "Taken", "take_entries"]


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryResult:
    """What became of one entry. ``detail`` says in words why it was not taken."""

    store_id: StoreId
    sku: Sku
    decision: Decision
    rev: int | None = None
    labels: int = 0
    reasons: tuple[Reason, ...] = ()
    detail: str | None = None
    quarantine_id: int | None = None
    rows: tuple[int, ...] = ()
    path: str = ""
    problems: tuple[RowProblem, ...] = ()  # what of its history was not kept


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """What became of entries, one result each in their order, and the labels that want more."""

    results: tuple[EntryResult, ...]
    labels: tuple[LabelId, ...]

    def count(self, decision: Decision) -> int:
        """Count the entries of one decision."""
        return sum(1 for result in self.results if result.decision is decision)


def take_entries(
    tx: Connection,
    source: Source,
    entries: Sequence[Entry],
    now: datetime,
    *,
    actor: str,
    batch_id: int | None,
    full: bool = False,
    is_approved: bool = False,
) -> Taken:
    """Take entries of one source, for one store or several; their order is the order of words.

    ``full`` says that they are of a complete list: a promotion of this source that an entry
    does not speak of ends. Products that the list leaves out are retired by
    `esl.services.retiring`, once all of it was taken.

    Raises:
        UnknownStore: An entry names a store that is not there.
        Conflict: The source is switched off.
    """
    by_store: dict[StoreId, list[int]] = {}
    for place, entry in enumerate(entries):
        by_store.setdefault(entry.store_id, []).append(place)
    results: list[EntryResult | None] = [None] * len(entries)
    touched: list[LabelId] = []
    tripped = batch_id is not None and batches.is_tripped(tx, batch_id)
    tally = Tally()
    for store_id in sorted(by_store):
        places = by_store[store_id]
        taker = Taker(
            tx,
            store_id,
            source.source_id,
            [entries[place] for place in places],
            now,
            tripped=tripped,
            is_approved=is_approved,
        )
        taken, closed = taker.take(actor=actor, batch_id=batch_id, full=full)
        past = _keep_past(
            tx,
            taker,
            [entries[place] for place in places],
            taken,
            now,
            source=source.source_id,
            batch_id=batch_id,
        )
        for at, (place, one) in enumerate(zip(places, taken, strict=True)):
            told = past.get(at, NOTHING_PAST)
            decision = one.decision
            if told.is_new and decision is Decision.UNCHANGED:
                decision = Decision.ACCEPTED
            entry, found = entries[place], closed.labels_of.get(one.sku, ())
            held = closed.held.get((source.source_id, one.sku))
            results[place] = EntryResult(
                store_id=store_id,
                sku=one.sku,
                decision=decision,
                rev=closed.rev if one.changed else None,
                labels=len(found) if one.changed else 0,
                reasons=one.reasons,
                detail=one.detail,
                quarantine_id=held if one.decision is Decision.QUARANTINED else None,
                rows=entry.rows,
                path=entry.path,
                problems=told.problems,
            )
            tally.count(decision)
        touched += closed.touched
        tripped = tripped or taker.books.tripped
    if batch_id is not None:
        batches.add_tally(tx, batch_id, tally, now, tripped=tripped)
    return Taken(results=tuple(r for r in results if r is not None), labels=tuple(touched))


def _keep_past(
    tx: Connection,
    taker: Taker,
    entries: Sequence[Entry],
    taken: Sequence[TakenEntry],
    now: datetime,
    *,
    source: SourceId,
    batch_id: int | None,
) -> dict[int, PastKept]:
    """Keep the prices of the past that entries tell, by their places; most batches have none."""
    telling = [
        at
        for at, (entry, one) in enumerate(zip(entries, taken, strict=True))
        if entry.history and one.decision is not Decision.REJECTED
    ]
    if not telling:
        return {}
    said = [entries[at] for at in telling]
    kept = keep_past(tx, taker.books.store, source, said, now, batch_id=batch_id)
    return dict(zip(telling, kept, strict=True))
