"""Prices from before our time: what of them is kept.

=============================  ================================================================
from a day that is to come     refused: a price for later is ``valid_from``
from a day since which we      refused: what was observed here is never overwritten. What began
know the price ourselves       before and lasted longer is kept, and counts until that day
another source said that day   refused, unless it says the same
the same source said it        the newer word counts
ranges that overlap            both are kept: the lower one counts, in the customer's favour
=============================  ================================================================
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from esl.domain.entry import DatedPrice, Entry, PastKind, RowProblem
from esl.domain.ids import Sku, SourceId
from esl.domain.place import Store
from esl.store import past_prices
from esl.store.past_prices import PastPrice


@dataclass(frozen=True, slots=True)
class PastKept:
    """What became of an entry's dated prices."""

    is_new: bool = False
    problems: tuple[RowProblem, ...] = ()


NOTHING_PAST = PastKept()


def keep_past(
    tx: Connection,
    store: Store,
    source: SourceId,
    entries: Sequence[Entry],
    now: datetime,
    *,
    batch_id: int | None,
) -> list[PastKept]:
    """Keep the dated prices of entries whose products are known; one result each."""
    skus = sorted({entry.sku for entry in entries})
    zone = ZoneInfo(store.timezone)
    today = now.astimezone(zone).date()
    heard = {
        sku: at.astimezone(zone).date()
        for sku, at in past_prices.first_heard(tx, store.store_id, skus).items()
    }
    known: dict[Sku, dict[tuple[PastKind, date], PastPrice]] = {
        sku: {(p.dated.kind, p.dated.day): p for p in found}
        for sku, found in past_prices.past_prices(tx, store.store_id, skus).items()
    }
    put: dict[tuple[Sku, PastKind, date], tuple[Sku, DatedPrice]] = {}
    results: list[PastKept] = []
    for entry in entries:
        own = known.setdefault(entry.sku, {})
        problems: list[RowProblem] = []
        is_new = False
        for dated in entry.history:
            before = own.get((dated.kind, dated.day))
            wrong = _refusal(dated, before, source, today, heard.get(entry.sku))
            if wrong is not None:
                problems.append(_problem(entry, dated, *wrong))
            elif before is None or before.dated != dated:
                own[dated.kind, dated.day] = PastPrice(dated, source, batch_id)
                put[entry.sku, dated.kind, dated.day] = entry.sku, dated
                is_new = True
        results.append(PastKept(is_new, tuple(problems)))
    past_prices.put_past_prices(tx, store.store_id, put.values(), source=source, batch_id=batch_id)
    return results


def _refusal(
    dated: DatedPrice,
    before: PastPrice | None,
    source: SourceId,
    today: date,
    heard: date | None,
) -> tuple[str, str] | None:
    """Say why a price of the past is not kept, and what to do."""
    if dated.until is not None and dated.until <= dated.day:
        return f"{dated.day}: ends before it begins", "Correct its days."
    if dated.day > today:
        return f"{dated.day}: is still to come", "Send it as a price with valid_from."
    if before is not None and before.dated == dated:
        return None
    if heard is not None and dated.day >= heard:
        return (
            f"{dated.day}: the price is known here since {heard}, and what was observed stays",
            "Leave out the days since then.",
        )
    if before is not None and before.source != source:
        return (
            f"{dated.day}: the source {before.source!r} has said another price of that day",
            "Send it as that source, or roll its batch back first.",
        )
    return None


def _problem(entry: Entry, dated: DatedPrice, reason: str, fix: str) -> RowProblem:
    row = dated.row or (entry.rows[0] if entry.rows else 0)
    return RowProblem(
        row=row, field="history", reason=reason, fix=fix, sku=entry.sku, store_id=entry.store_id
    )
