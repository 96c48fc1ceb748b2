"""The books of a store, opened for some products, and closed with what became of their prices.

::

    open_books   store, products locked; their prices, the desk          3 to 5 statements
      weigh …    in memory: `esl.services.scales`
    close        labels locked, then the revision; events, prices,        5 to 9 statements
                 positions, quarantine; labels want what is new

Price changes and entries of files and events share it, so both mean the same by a price.
"""

import itertools
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from esl.domain.entry import Entry
from esl.domain.errors import Conflict
from esl.domain.guards import Reason
from esl.domain.ids import LabelId, Sku, SourceId, StoreId
from esl.domain.label import Lane
from esl.domain.place import Store
from esl.domain.pricing import Decision, PriceChange, Says
from esl.domain.source import PRICE_FIELD
from esl.domain.zone import is_zone
from esl.services.doubts import Doubts, doubts_about
from esl.services.promotions.turning import follow
from esl.services.scales import AHEAD_MOST, Breaker, KnownProduct, Scales
from esl.services.tilling import follow_till
from esl.store import big_changes, desk, labels, places, price_intake, quarantine, words
from esl.store.columns import instant_text
from esl.store.desk import Desk, owners_from
from esl.store.price_intake import PriceEvent, SaidBy, SourcePosition, price_event
from esl.store.quarantine import HeldAs
from esl.store.revisions import take_revision, take_revisions

UNREGISTERED: Final = SourceId("*")
"""As which the circuit breaker counts all sources that nobody registered: a sender who gives each
of its changes the name of another source is counted as one."""

LockProducts = Callable[[Connection, StoreId, list[Sku]], Mapping[Sku, KnownProduct]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Closed:
    """What closing the books made: revisions, labels, numbers in quarantine."""

    revs: tuple[int, ...]
    labels_of: Mapping[Sku, tuple[LabelId, ...]]
    touched: tuple[LabelId, ...]
    held_as: Mapping[HeldAs, int]  # what waits, also what newer words have replaced already

    @property
    def rev(self) -> int | None:
        """The revision, where all changes have one; the first, where each has its own."""
        return self.revs[0] if self.revs else None

    def number_of(self, source: SourceId, said: Entry | PriceChange) -> int | None:
        """Return the number under which a price waits, or waited."""
        if isinstance(said, Entry):
            return self.held_as.get((source, said.sku, words.text_of_entry(said)))
        return self.held_as.get((source, said.sku, words.text_of_change(said)))


@dataclass(slots=True, kw_only=True)
class PriceBooks:
    """What is known of some products of a store, and what is to be written of them."""

    tx: Connection
    store: Store
    now: datetime
    desk: Desk
    scales: Scales
    doubts: Doubts
    events: list[PriceEvent] = field(default_factory=list)
    changed_by: dict[Sku, int] = field(default_factory=dict)  # which accepted change, from 0
    accepted: int = 0

    def refuse_disabled(self, sources: Iterable[SourceId]) -> None:
        """Refuse what a source says that is switched off.

        Raises:
            Conflict: One of them is.
        """
        for source in sources:
            seat = self.desk.seats.get(source)
            if seat is not None and seat.disabled:
                raise Conflict(f"the source {source!r} is switched off")

    def let_overtake(self, source: SourceId, said: Mapping[Sku, Collection[SourceId]]) -> None:
        """Let what others said stay above words of a source that are older.

        Not what a source of lower priority said: its words do not reach that far.
        """
        own = self.desk.priority_of(source)
        self.scales.overtaken = {
            sku for sku, by in said.items() if any(self.desk.priority_of(s) >= own for s in by)
        }

    def note(
        self,
        *,
        sku: Sku,
        source: SourceId,
        seq: int | None,
        time: datetime | None,
        decision: Decision,
        reasons: tuple[Reason, ...],
        says: Says,
    ) -> None:
        """Write one change down, with what became of it."""
        self.events.append(
            price_event(
                sku,
                source,
                seq=seq,
                time=None if time is None else instant_text(time),
                currency=self.store.currency,
                decision=decision.value,
                is_accepted=decision is Decision.ACCEPTED,
                reasons=" ".join(reasons) if reasons else None,
                says=says,
            )
        )
        if decision is Decision.ACCEPTED:
            self.changed_by[sku] = self.accepted
            self.accepted += 1
        if self.doubts and (decision is Decision.ACCEPTED or decision is Decision.UNCHANGED):
            self.doubts.end(sku)

    def note_doubt(
        self,
        sku: Sku,
        source: SourceId,
        seq: int | None,
        time: datetime | None,
        reasons: tuple[Reason, ...],
        says: Says,
    ) -> None:
        """Write down that a price waits for a person which nobody shows yet in any case."""
        decision = Decision.QUARANTINED
        self.note(
            sku=sku,
            source=source,
            seq=seq,
            time=time,
            decision=decision,
            reasons=reasons,
            says=says,
        )

    def close(
        self,
        *,
        actor: str,
        batch_id: int | None,
        also_touched: Collection[Sku] = (),
        always_takes_rev: bool = False,
        lane: Lane = Lane.NORMAL,
        before_prices: Callable[[int], None] | None = None,
        each_its_rev: bool = False,
    ) -> Closed:
        """Write everything down; labels of changed prices and ``also_touched`` want what is new.

        ``before_prices`` writes what prices refer to, under the revision it is given. All that
        was accepted gets one revision, or ``each_its_rev`` in the order of the changes.
        """
        tx, store_id, now = self.tx, self.store.store_id, self.now
        changed = self.scales.changed
        skus = sorted({*changed, *also_touched})
        labels_of = labels.lock_labels_of_products(tx, store_id, skus) if skus else {}
        revs: list[int] = []
        if each_its_rev:
            revs = take_revisions(tx, self.accepted) if self.accepted else []
        elif skus or always_takes_rev:
            revs = [take_revision(tx)]
        if revs and before_prices is not None:
            before_prices(revs[0])
        price_intake.log_price_events(
            tx,
            store_id,
            self.events,
            revs=iter(revs) if each_its_rev else itertools.repeat(revs[0] if revs else 0),
            actor=actor,
            now=now,
            batch_id=batch_id,
        )
        if changed and revs:
            held, by = self.scales.held, self.changed_by
            price_intake.put_held(
                tx,
                store_id,
                [(sku, held[sku], revs[by[sku] if each_its_rev else 0]) for sku in sorted(changed)],
                currency=self.store.currency,
            )
        if revs:
            by = self.changed_by
            rev_of = {sku: revs[by[sku] if each_its_rev else 0] for sku in skus}
            bases = {sku: self.scales.held[sku].says for sku in changed}
            follow(tx, self.store, rev_of, bases, now, actor=actor)
            labels_of = _told(labels_of, follow_till(tx, store_id, rev_of, now), also_touched)
        price_intake.put_source_positions(tx, store_id, self.scales.moved)
        self.doubts.write(
            tx, store_id, currency=self.store.currency, actor=actor, batch_id=batch_id
        )
        counted = ((source, b.counted) for source, b in self.scales.breakers.items())
        big_changes.add_big(tx, store_id, counted, now)
        touched = tuple(label for sku in skus for label in labels_of.get(sku, ()))
        if each_its_rev:
            wanted: dict[LabelId, int] = {}
            for sku in skus:
                for label in labels_of.get(sku, ()):
                    wanted[label] = max(wanted.get(label, 0), revs[self.changed_by[sku]])
            labels.want_each(tx, wanted, now, lane=lane)
        elif revs:
            labels.want(tx, touched, revs[0], now, lane=lane)
        return Closed(
            revs=tuple(revs),
            labels_of={sku: tuple(found) for sku, found in labels_of.items()},
            touched=touched,
            held_as=self.doubts.held_as,
        )

    @property
    def tripped(self) -> bool:
        """Say whether the circuit breaker holds the rest back."""
        return any(breaker.tripped for breaker in self.scales.breakers.values())


def _told(
    labels_of: dict[Sku, list[LabelId]], held: Collection[Sku], also_touched: Collection[Sku]
) -> dict[Sku, list[LabelId]]:
    """Leave out products whose labels wait for the till, unless something else of them changed."""
    waiting = set(held).difference(also_touched) if held else held
    return {s: x for s, x in labels_of.items() if s not in waiting} if waiting else labels_of


def open_books(
    tx: Connection,
    store_id: StoreId,
    skus: list[Sku],
    now: datetime,
    *,
    tripped: bool = False,
    lock: LockProducts = price_intake.lock_priced,
) -> PriceBooks:
    """Open the books for some products; ``skus`` are sorted, and stand there once.

    ``tripped`` says that the circuit breaker holds this batch back already. ``lock`` locks the
    products' rows and returns what is known of them.

    Raises:
        UnknownStore: There is no such store.
    """
    store = places.lock_store(tx, store_id)
    known = lock(tx, store_id, skus)
    at = desk.desk_of(tx, store_id)
    doubts = doubts_about(quarantine.waiting_of(tx, store_id, skus), now)

    def counted_as(source: SourceId) -> SourceId:
        return source if source in at.seats else UNREGISTERED

    def breaker_of(source: SourceId) -> Breaker:
        before = big_changes.count_big(tx, store_id, source, now)
        return Breaker(before=before, tripped=tripped)

    def yields(source: SourceId, sku: Sku) -> bool:
        owner: str | None = scales.spoken.get(sku)
        if owner is None and (product := known.get(sku)) is not None:
            owner = owners_from(product.owners).get(PRICE_FIELD)
        if owner is None and is_zone(source):
            return sku in scales.held  # said before anybody was noted: by the store
        return at.owner_above(owner, source, PRICE_FIELD)

    scales = Scales(
        known=known,
        held=price_intake.held_prices(tx, store_id, skus),
        positions={},
        said={},
        guards_of=at.guards_of,
        counted_as=counted_as,
        breaker_of=breaker_of,
        products=lambda most: big_changes.count_products(tx, store_id, most),
        latest=now + AHEAD_MOST,
        today=now.astimezone(ZoneInfo(store.timezone)).date().isoformat(),
        yields=yields if at.has_ranks else None,
        held_back=doubts.said_by,
    )
    return PriceBooks(tx=tx, store=store, now=now, desk=at, scales=scales, doubts=doubts)


def positions_of(
    tx: Connection, store_id: StoreId, said_by: Collection[SaidBy]
) -> dict[SaidBy, SourcePosition]:
    """Load how far sources have come; without any, no statement is run."""
    return price_intake.source_positions(tx, store_id, said_by) if said_by else {}
