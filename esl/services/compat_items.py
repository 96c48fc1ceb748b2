"""Take items that a driver of another maker sends, and say of each what became of it.

Its two prices, what is paid and what is asked without a sale, become one regular price and a
promotion of the till::

    both, paid below asked     promotion          both equal           no promotion (any more)
    paid alone, sale running   promotion's price  paid alone, no sale  regular price
    asked alone                regular price
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Connection

from esl.domain.entry import Entry, PromotionKind, RowProblem, StatedPromotion
from esl.domain.guards import WORDS
from esl.domain.ids import LabelId, Sku, StoreId
from esl.domain.pricing import CurrentPrice, Decision, Keep
from esl.domain.source import Source
from esl.intake.compat.items import ReadItems
from esl.services.listening import EntryResult, take_entries
from esl.services.silence import note_spoken
from esl.services.withdrawals import delist_products
from esl.store import batches, places, products

_NO_ID = "no id"


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemResult:
    """What became of an item. ``field`` is what was wrong with it, by our name; "" is all."""

    decision: Decision
    field: str = ""
    words: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TakenItems:
    """One result for each item sent, in their order."""

    results: tuple[ItemResult, ...]
    labels: tuple[LabelId, ...]

    @property
    def none_taken(self) -> bool:
        """Say whether each single item was refused."""
        return all(result.decision is Decision.REJECTED for result in self.results)


def take_items(
    tx: Connection,
    source: Source,
    store_id: StoreId,
    read: ReadItems,
    now: datetime,
    *,
    actor: str,
    title: str,
    whole: bool,
) -> TakenItems:
    """Take items of one source for one store, through its guards.

    Raises:
        UnknownStore: The store is not there.
        Conflict: The source is switched off.
    """
    places.lock_store(tx, store_id)
    skus = sorted({entry.sku for entry in read.entries})
    products.lock_products(tx, store_id, skus)
    held = products.current_prices(tx, store_id, skus)
    entries = [settle_prices(e, held.get(e.sku), whole=whole) for e in read.entries]
    batch_id: int | None = None
    if len(entries) > 1:
        batch_id = batches.begin_batch(
            tx, now, store_id=store_id, source=source.source_id, actor=actor, title=title
        )
    taken = take_entries(tx, source, entries, now, actor=actor, batch_id=batch_id)
    note_spoken(tx, source.source_id, taken.results, now)
    by_row = _problems_by_row(read.problems)
    for result in taken.results:
        told = _told(result)
        for row in result.rows:
            warned = by_row.get(row)
            by_row[row] = (
                told if warned is None or told.words else replace(told, words=warned.words)
            )
    missing = ItemResult(decision=Decision.REJECTED, words=_NO_ID)
    return TakenItems(
        results=tuple(by_row.get(place, missing) for place in read.places), labels=taken.labels
    )


def settle_prices(entry: Entry, held: CurrentPrice | None, *, whole: bool) -> Entry:
    """Make of the price that is paid and the one that is asked what they mean together."""
    promotion = entry.promotion
    if not isinstance(promotion, StatedPromotion) or promotion.kind is not PromotionKind.PRICE:
        return entry
    asked, paid = entry.price_minor, promotion.price_minor
    if not isinstance(asked, Keep):
        return replace(entry, promotion=None) if paid == asked else entry
    regular = held.regular_minor if held is not None else None
    if not whole and regular is not None and paid < regular:
        return entry
    return replace(entry, price_minor=paid, promotion=None)


def delete_items(
    tx: Connection, store_id: StoreId, skus: Sequence[Sku], now: datetime, *, actor: str
) -> tuple[LabelId, ...]:
    """Take products out of the assortment; those that are not there are no matter."""
    places.lock_store(tx, store_id)
    known = sorted(products.lock_products(tx, store_id, set(skus)))
    return delist_products(tx, store_id, known, now, actor=actor) if known else ()


def _problems_by_row(problems: Sequence[RowProblem]) -> dict[int, ItemResult]:
    found: dict[int, ItemResult] = {}
    for problem in problems:
        before = found.get(problem.row)
        if before is not None and before.decision is Decision.REJECTED:
            continue
        words = f"{problem.field}: {problem.reason}" if problem.field else problem.reason
        if before is None or problem.rejects:
            decision = Decision.REJECTED if problem.rejects else Decision.ACCEPTED
            found[problem.row] = ItemResult(decision=decision, field=problem.field, words=words)
    return found


def _told(result: EntryResult) -> ItemResult:
    words = result.detail or "; ".join(WORDS[reason] for reason in result.reasons)
    field = "price" if result.reasons else words.partition(":")[0] if ":" in words else ""
    if result.decision is Decision.QUARANTINED:
        words = f"held back until a person has looked at it: {words}"
    return ItemResult(decision=result.decision, field=field, words=words)
