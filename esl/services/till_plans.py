"""The prices that tills send ahead, while a batch of entries is weighed; written once at its end.

A price *waits* for the moment from which it holds, or *holds* until the moment at which the one
before comes back. What the same source says again of the same moment takes the place of it.
"""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection

from esl.domain.entry import Entry
from esl.domain.ids import Sku, SourceId, StoreId
from esl.domain.pricing import Says
from esl.store import schedule, words
from esl.store.schedule import Planned, ScheduleState


class TillPlans:
    """Those of some products of one store, as one source's entries change them."""

    def __init__(
        self,
        tx: Connection,
        store_id: StoreId,
        skus: Sequence[Sku],
        source: SourceId,
        now: datetime,
    ) -> None:
        self._tx = tx
        self._store_id = store_id
        self._source = source
        self._now = now
        self._known: dict[Sku, list[Planned]] = {}
        for planned in schedule.planned_prices(tx, store_id, skus):
            self._known.setdefault(planned.sku, []).append(planned)
        self._new: list[tuple[Sku, str, datetime, datetime | None, str | None, bool]] = []
        self._replaced: set[int] = set()
        self._held: set[Sku] = set()

    def waiting(self, sku: Sku, begins: datetime) -> list[Planned]:
        """Return what the source has said for a moment to come."""
        return [
            p
            for p in self._known.get(sku, ())
            if p.source == self._source and p.valid_from == begins and not p.holds
        ]

    def plan(self, entry: Entry, begins: datetime, instead_of: Sequence[Planned]) -> None:
        """Keep a price for later."""
        self._replaced.update(p.schedule_id for p in instead_of)
        said = words.text_of_entry(entry)
        self._new.append((entry.sku, said, begins, entry.valid_to, None, False))

    def hold_until(self, entry: Entry, old: Says | None, *, is_accepted: bool) -> bool:
        """Note until when a price holds; say whether that is new."""
        sku, ends = entry.sku, entry.valid_to
        if ends is None and not self._known:
            return False
        mine = [p for p in self._known.get(sku, ()) if p.holds and p.source == self._source]
        if ends is None:
            if is_accepted:
                self._replaced.update(p.schedule_id for p in mine)
            return False
        said = words.text_of_entry(entry)
        if any(p.said == said for p in mine):
            return False
        before = mine[0].before if mine else schedule.says_text(old)
        self._replaced.update(p.schedule_id for p in mine)
        begins = entry.valid_from if entry.valid_from is not None else self._now
        self._new.append((sku, said, begins, ends, before, True))
        self._held.add(sku)
        return True

    def write(self, *, actor: str, batch_id: int | None, rev: int | None) -> None:
        """Write what was noted; what began to hold did so with revision ``rev``."""
        schedule.end_planned(self._tx, self._replaced, ScheduleState.REPLACED)
        if self._new:
            schedule.plan_prices(
                self._tx,
                self._store_id,
                self._new,
                self._now,
                source=self._source,
                actor=actor,
                batch_id=batch_id,
            )
        if self._held:
            schedule.note_revs(self._tx, self._store_id, self._held, rev)
