"""Apply price changes, whichever door they came through.

In one transaction: each change is weighed against what its source said before and what holds
now, every one is written down once with what became of it, the prices that hold are updated,
and the labels that show them want a new revision at once.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter

from sqlalchemy import Connection

from esl.domain.errors import Conflict, FieldProblem, InvalidInput
from esl.domain.ids import LabelId, Sku, StoreId
from esl.domain.label import Lane
from esl.domain.place import Store
from esl.domain.pricing import KEEP, ChangeResult, CurrentPrice, Decision, Keep, PriceChange
from esl.store import labels, places, price_intake, products
from esl.store.price_intake import PriceEvent, SaidBy, SaidPrice, SourcePosition
from esl.store.revisions import take_revision


@dataclass(frozen=True, slots=True, kw_only=True)
class Applied:
    """What came of a request: one result a change, and the labels that want something new."""

    results: tuple[ChangeResult, ...]
    labels: tuple[LabelId, ...]


def apply_price_changes(
    tx: Connection, store_id: StoreId, changes: Sequence[PriceChange], now: datetime, *, actor: str
) -> Applied:
    """Apply changes of one store, all or none; the order of the sequence is their order.

    Raises:
        InvalidInput: A SKU is unknown, or a source used one sequence number for two prices.
        Conflict: The store's currency is not the changes'.
    """
    skus = sorted({change.sku for change in changes})
    _refuse_other_currency(places.lock_store(tx, store_id), changes)
    refuse_unknown(products.lock_products(tx, store_id, skus), changes)
    paired = labels.lock_labels_of_products(tx, store_id, skus)
    rev = take_revision(tx)
    positions = _load_positions(tx, store_id, changes)
    scales = _Scales(
        holding=products.current_prices(tx, store_id, skus),
        positions=positions,
        said=_load_said(tx, store_id, changes, positions),
        rev=rev,
    )
    events = [scales.weigh(change) for change in changes]
    price_intake.log_price_events(tx, events, actor=actor, now=now)
    accepted = {event.change.sku for event in events if event.decision is Decision.ACCEPTED}
    products.put_prices(tx, [scales.holding[sku] for sku in sorted(accepted)])
    price_intake.put_source_positions(tx, store_id, scales.moved)
    touched = tuple(label for sku in sorted(accepted) for label in paired.get(sku, ()))
    labels.want(tx, touched, rev, now, lane=Lane.NORMAL)
    results = tuple(
        ChangeResult(
            sku=event.change.sku,
            decision=event.decision,
            rev=event.rev,
            labels=len(paired.get(event.change.sku, ())) if event.rev is not None else 0,
        )
        for event in events
    )
    return Applied(results=results, labels=touched)


class _Scales:
    """Weighs changes one after another against what holds by then."""

    def __init__(
        self,
        *,
        holding: dict[Sku, CurrentPrice],
        positions: dict[SaidBy, SourcePosition],
        said: dict[SaidBy, SaidPrice],
        rev: int,
    ) -> None:
        self.holding = holding
        self.moved: dict[SaidBy, SourcePosition] = {}
        self._positions = positions
        self._said = said  # under the number in `positions`, where a change has the same
        self._rev = rev

    def weigh(self, change: PriceChange) -> PriceEvent:
        """Decide on one change, and let it hold if it is accepted."""
        old = self.holding.get(change.sku)
        new = price_after(old, change, self._rev)
        same = old is not None and _says(new) == _says(old)
        if self._came_late(change, same=same):
            decision = Decision.SUPERSEDED
        elif same:
            decision = Decision.UNCHANGED
        else:
            decision = Decision.ACCEPTED
            self.holding[change.sku] = new
        if decision is not Decision.SUPERSEDED:
            self._note_position(change)
            if change.source_seq is not None:
                self._said[change.source, change.sku] = SaidPrice(
                    new.price_minor, new.was_minor, new.unit_price_minor, new.badge
                )
        return PriceEvent(
            change=change,
            was_minor=new.was_minor,
            unit_price_minor=new.unit_price_minor,
            badge=new.badge,
            decision=decision,
            rev=self._rev if decision is Decision.ACCEPTED else None,
        )

    def _came_late(self, change: PriceChange, *, same: bool) -> bool:
        """Say whether the source said something newer of this product before.

        A source with sequence numbers is ordered by them alone; one that sends only times, by
        times; one that sends neither, by the order in which its changes are committed.
        """
        before = self._positions.get((change.source, change.sku))
        if before is None:
            return False
        if change.source_seq is not None and before.last_seq is not None:
            if change.source_seq == before.last_seq:
                if same or self._repeats(change):
                    return not same  # sent again, and another source has spoken since
                raise InvalidInput.at(
                    f"{change.path}/source_seq",
                    "used before with another price",
                    fix="Give every change of a product a higher sequence number.",
                )
            return change.source_seq < before.last_seq
        if change.source_time is not None and before.last_time is not None:
            return change.source_time < before.last_time
        return False

    def _repeats(self, change: PriceChange) -> bool:
        """Say whether a change says what its source said before under the same number."""
        before = self._said.get((change.source, change.sku))
        if before is None:
            return False
        now = SaidPrice(
            change.price_minor,
            _kept(change.was_minor, before.was_minor),
            _kept(change.unit_price_minor, before.unit_price_minor),
            _kept_text(change.badge, before.badge),
        )
        return now == before

    def _note_position(self, change: PriceChange) -> None:
        if change.source_seq is None and change.source_time is None:
            return
        key = (change.source, change.sku)
        before = self._positions.get(key, SourcePosition(last_seq=None, last_time=None))
        self._positions[key] = self.moved[key] = SourcePosition(
            last_seq=before.last_seq if change.source_seq is None else change.source_seq,
            last_time=before.last_time if change.source_time is None else change.source_time,
        )


_says = attrgetter("price_minor", "currency", "was_minor", "unit_price_minor", "badge")
"""What a price is about, whenever it came to hold."""


def price_after(old: CurrentPrice | None, change: PriceChange, rev: int) -> CurrentPrice:
    """Compute the price that holds if a change is accepted.

    A unit price that came with an earlier price is never kept beside a new one: it would be
    wrong. It is computed from the net content then, or left out.
    """
    keeps_price = old is not None and old.price_minor == change.price_minor
    old_unit = old.unit_price_minor if old is not None and keeps_price else None
    return CurrentPrice(
        store_id=change.store_id,
        sku=change.sku,
        price_minor=change.price_minor,
        currency=change.currency,
        was_minor=_kept(change.was_minor, old.was_minor if old else None),
        unit_price_minor=_kept(change.unit_price_minor, old_unit),
        badge=_kept_text(change.badge, old.badge if old else None),
        rev=rev,
    )


def _kept(sent: int | Keep | None, held: int | None) -> int | None:
    return held if sent is KEEP or isinstance(sent, Keep) else sent


def _kept_text(sent: str | Keep | None, held: str | None) -> str | None:
    return held if sent is KEEP or isinstance(sent, Keep) else sent


def _refuse_other_currency(store: Store, changes: Sequence[PriceChange]) -> None:
    if any(change.currency != store.currency for change in changes):
        raise Conflict("the store's currency has just changed; send the prices again")


def refuse_unknown(known: set[Sku], changes: Sequence[PriceChange]) -> None:
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
    return price_intake.source_positions(
        tx,
        store_id,
        (
            (c.source, c.sku)
            for c in changes
            if c.source_seq is not None or c.source_time is not None
        ),
    )


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
    return price_intake.prices_numbered(tx, store_id, again)
