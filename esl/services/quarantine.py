"""Let a second person decide about prices that were held back.

Nobody decides about what they sent themselves. What is approved is applied as a new change, with
a new revision; what is rejected stays in the books as such. Both are audited.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from esl.domain.errors import Conflict, InvalidInput
from esl.domain.ids import LabelId, StoreId
from esl.domain.pricing import Decision
from esl.domain.quarantine import HeldBack, QuarantineState
from esl.domain.source import unregistered
from esl.services.listening import take_entries
from esl.services.pricing import apply_price_changes
from esl.store import audit, quarantine, words

DECIDED_MOST = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """A price that was decided about; ``decision`` is what became of it when it was applied."""

    quarantine_id: int
    state: QuarantineState
    decision: Decision | None
    rev: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ruling:
    """What a person decided, price by price, and the labels that want something new."""

    decided: tuple[Decided, ...]
    labels: tuple[LabelId, ...]


def approve(
    tx: Connection,
    store_id: StoreId,
    quarantine_ids: Sequence[int],
    now: datetime,
    *,
    by: str,
    note: str | None = None,
) -> Ruling:
    """Let prices hold that were held back, all or none.

    Raises:
        UnknownQuarantine: The store has none with one of these numbers.
        Conflict: One was decided about already, or its sender is the one who approves.
    """
    decided: list[Decided] = []
    labels: list[LabelId] = []
    for held in _to_decide(tx, store_id, quarantine_ids, by):
        # First: what is applied would else take the place of what waits.
        quarantine.decide(tx, [held.quarantine_id], QuarantineState.APPROVED, now, by=by, note=note)
        decision, rev, touched = _apply(tx, held, now, by)
        if decision is Decision.REJECTED:
            raise Conflict(
                f"the price {held.quarantine_id} cannot be applied any more; reject it instead"
            )
        quarantine.decide(
            tx, [held.quarantine_id], QuarantineState.APPROVED, now, by=by, note=note, rev=rev
        )
        _audit(tx, held, now, by, "approve", note)
        labels += touched
        decided.append(
            Decided(
                quarantine_id=held.quarantine_id,
                state=QuarantineState.APPROVED,
                decision=decision,
                rev=rev,
            )
        )
    return Ruling(decided=tuple(decided), labels=tuple(labels))


def reject(
    tx: Connection,
    store_id: StoreId,
    quarantine_ids: Sequence[int],
    now: datetime,
    *,
    by: str,
    note: str | None = None,
) -> Ruling:
    """Say no to prices that were held back, all or none.

    Raises:
        UnknownQuarantine: The store has none with one of these numbers.
        Conflict: One was decided about already, or its sender is the one who rejects.
    """
    found = _to_decide(tx, store_id, quarantine_ids, by)
    quarantine.decide(
        tx, [held.quarantine_id for held in found], QuarantineState.REJECTED, now, by=by, note=note
    )
    for held in found:
        _audit(tx, held, now, by, "reject", note)
    return Ruling(
        decided=tuple(
            Decided(
                quarantine_id=held.quarantine_id,
                state=QuarantineState.REJECTED,
                decision=None,
                rev=None,
            )
            for held in found
        ),
        labels=(),
    )


def _to_decide(
    tx: Connection, store_id: StoreId, quarantine_ids: Sequence[int], by: str
) -> list[HeldBack]:
    numbers = sorted(set(quarantine_ids))
    if not 1 <= len(numbers) <= DECIDED_MOST:
        raise InvalidInput.at("/prices", f"{len(numbers)} of them", fix="Name 1 to 1000.")
    found: list[HeldBack] = []
    for number in numbers:
        held = quarantine.held_back(tx, store_id, number)
        if held.state is not QuarantineState.OPEN:
            raise Conflict(f"the price {number} was decided about before: it is {held.state}")
        if held.actor == by:
            raise Conflict(
                f"you sent the price {number} yourself; another person with the scope"
                f" price:approve must decide about it"
            )
        found.append(held)
    return found


def _apply(
    tx: Connection, held: HeldBack, now: datetime, by: str
) -> tuple[Decision, int | None, tuple[LabelId, ...]]:
    if words.is_entry(held.said):
        entry = words.entry_from(
            held.said, store_id=held.store_id, sku=held.sku, currency=held.currency
        )
        taken = take_entries(
            tx,
            unregistered(held.source, held.store_id),
            [entry],
            now,
            actor=by,
            batch_id=None,
            is_approved=True,
        )
        return taken.results[0].decision, taken.results[0].rev, taken.labels
    change = words.change_from(
        held.said,
        store_id=held.store_id,
        sku=held.sku,
        source=held.source,
        currency=held.currency,
    )
    applied = apply_price_changes(tx, held.store_id, [change], now, actor=by, is_approved=True)
    return applied.results[0].decision, applied.results[0].rev, applied.labels


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
