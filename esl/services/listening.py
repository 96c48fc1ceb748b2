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
from typing import NamedTuple

from sqlalchemy import Connection

from esl.domain.entry import Entry, RowProblem
from esl.domain.guards import Reason
from esl.domain.ids import LabelId, Sku, SourceId, StoreId
from esl.domain.pricing import Decision
from esl.domain.source import Source
from esl.services.past_prices import NOTHING_PAST, PastKept, keep_past
from esl.services.taking import TakenEntry, Taker
from esl.services.zones.places import tell_new_products
from esl.store import batches
from esl.store.batches import Tally
from esl.store.said_since import SaidSince

__all__ = ["EntryResult", "Taken", "take_entries"]

_DOUBTED = Decision.QUARANTINED


class EntryResult(NamedTuple):
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
    since: SaidSince | None = None,
) -> Taken:
    """Take entries of one source, for one store or several; their order is the order of words.

    ``full`` says that they are of a complete list: a promotion of this source that an entry
    does not speak of ends. Products that the list leaves out are retired by
    `esl.services.retiring`, once all of it was taken. ``since`` tells what was said after the
    entries were handed in: such prices stay.

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
        if since is not None:
            since.look(tx)
            taker.books.let_overtake(source.source_id, since.of_store(store_id))
        taken, closed = taker.take(actor=actor, batch_id=batch_id, full=full)
        held = taker.books.scales.held
        unpriced = {one.sku for one in taken if one.sku not in held}
        tell_new_products(tx, store_id, unpriced, now, actor=actor)
        past = _keep_past(
            tx,
            taker,
            [entries[place] for place in places],
            taken,
            now,
            source=source.source_id,
            batch_id=batch_id,
        )
        rev = closed.rev
        for at, (place, (sku, decision, reasons, detail, changed)) in enumerate(
            zip(places, taken, strict=True)
        ):
            told = past.get(at, NOTHING_PAST) if past else NOTHING_PAST
            entry = entries[place]
            results[place] = EntryResult(
                store_id,
                sku,
                Decision.ACCEPTED if told.is_new and decision is Decision.UNCHANGED else decision,
                rev if changed else None,
                len(closed.labels_of.get(sku, ())) if changed else 0,
                reasons,
                detail,
                closed.number_of(source.source_id, entry) if decision is _DOUBTED else None,
                entry.rows,
                entry.path,
                told.problems,
            )
        touched += closed.touched
        tripped = tripped or taker.books.tripped
    done = [result for result in results if result is not None]
    if batch_id is not None and not is_approved:  # else it was counted when it was held back
        tally.count([result.decision for result in done])
        batches.add_tally(tx, batch_id, tally, now, tripped=tripped)
    return Taken(results=tuple(done), labels=tuple(touched))


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
