"""What waits for a person of some products, while a batch of words is weighed.

::

    source, moment │ waits     sent again: the same number · another price: takes its place
    any source     │ in range: takes the place of all that waits for the same moment

What is meant for now and what is meant for a moment to come do not get in each other's way.
Written once, at the end of the batch.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Connection

from esl.domain.ids import Sku, SourceId, StoreId
from esl.store import quarantine, words
from esl.store.price_intake import SaidBy
from esl.store.quarantine import HeldAs, NewHeld, Waiting

Moment = tuple[Sku, datetime | None]
"""A product, and the moment from which its price is to hold; None: now."""


@dataclass(slots=True, kw_only=True)
class Doubts:
    """What waits of some products of one store.

    ``said_by`` are those whose last word for now waits.
    """

    now: datetime
    waiting: dict[Moment, list[Waiting]]
    said_by: set[SaidBy]
    fresh: dict[Moment, dict[SourceId, NewHeld]] = field(default_factory=dict)
    replaced: list[NewHeld] = field(default_factory=list)  # held back, and by newer words at once
    outdated: set[int] = field(default_factory=set)  # which newer words replace
    held_as: dict[HeldAs, int] = field(default_factory=dict)  # the number of each

    def __bool__(self) -> bool:
        """Say whether anything waits."""
        return bool(self.waiting or self.fresh)

    def waits(self, sku: Sku, source: SourceId, said: str) -> bool:
        """Say whether these words of a source wait already."""
        moment = sku, words.later(said, self.now)
        fresh = self.fresh.get(moment, {}).get(source)
        return (fresh is not None and fresh.said == said) or any(
            other.said == said and other.source == source and self._is_open(other)
            for other in self.waiting.get(moment, ())
        )

    def hold(self, held: NewHeld) -> None:
        """Keep a price for a person; the same one is kept once, another takes its place."""
        source = held.source
        moment = held.sku, words.later(held.said, self.now)
        if moment[1] is None:
            self.said_by.add((source, held.sku))
        fresh = self.fresh.setdefault(moment, {})
        before = fresh.get(source)
        if before is not None and before.said == held.said:
            return
        if before is not None:
            self.replaced.append(fresh.pop(source))
        for other in self.waiting.get(moment, ()):
            if other.source != source:
                continue
            if other.said == held.said:
                self.held_as[source, held.sku, held.said] = other.quarantine_id
                self.outdated.discard(other.quarantine_id)
                return
            self.outdated.add(other.quarantine_id)
        fresh[source] = held

    def end(self, sku: Sku, begins: datetime | None = None) -> None:
        """Let a price in range take the place of what waits for the moment from which it holds."""
        moment = sku, begins
        others = self.waiting.get(moment, ())
        fresh = self.fresh.pop(moment, {})
        self.outdated.update(other.quarantine_id for other in others)
        self.replaced += fresh.values()
        if begins is None:
            self.said_by.difference_update((other.source, sku) for other in others)
            self.said_by.difference_update((source, sku) for source in fresh)

    def write(
        self,
        tx: Connection,
        store_id: StoreId,
        *,
        currency: str,
        actor: str,
        batch_id: int | None,
    ) -> None:
        """Write what waits now, and what does not any more; fills ``held_as``."""

        def hold(held: list[NewHeld]) -> dict[HeldAs, int]:
            return quarantine.hold(
                tx, store_id, held, self.now, currency=currency, actor=actor, batch_id=batch_id
            )

        if self.replaced:
            over = hold(self.replaced)
            quarantine.supersede(tx, over.values(), self.now, by=actor)
            self.held_as |= over
        if self.outdated:
            quarantine.supersede(tx, self.outdated, self.now, by=actor)
        fresh = [held for some in self.fresh.values() for held in some.values()]
        if fresh:
            self.held_as |= hold(fresh)

    def _is_open(self, waiting: Waiting) -> bool:
        return waiting.quarantine_id not in self.outdated


def doubts_about(found: Iterable[Waiting], now: datetime) -> Doubts:
    """Begin with what waits already."""
    waiting: dict[Moment, list[Waiting]] = {}
    said_by: set[SaidBy] = set()
    for one in found:
        begins = words.later(one.said, now)
        waiting.setdefault((one.sku, begins), []).append(one)
        if begins is None:
            said_by.add((one.source, one.sku))
    return Doubts(now=now, waiting=waiting, said_by=said_by)
