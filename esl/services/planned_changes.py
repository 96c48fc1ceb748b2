"""Price changes with a begin or an end, and those of products whose price ends: weighed.

A change means the same by its moments as an entry of a list does (`esl.services.taking`).
"""

from datetime import datetime

from esl.domain.errors import NumberUsed
from esl.domain.guards import FIXES, Reason
from esl.domain.layers import Word
from esl.domain.pricing import Decision, PriceChange, Says
from esl.domain.source import PRICE_FIELD
from esl.services.price_books import PriceBooks
from esl.services.till_plans import Draft, Spoken, TillPlans
from esl.store import words
from esl.store.desk import owners_from
from esl.store.quarantine import NewHeld

Told = tuple[Decision, tuple[Reason, ...]]


def is_over(change: PriceChange, now: datetime) -> bool:
    """Say whether the moment has passed until which a price holds."""
    return change.valid_to is not None and change.valid_to <= now


def is_for_later(change: PriceChange, now: datetime) -> bool:
    """Say whether a price is to hold from a moment to come."""
    return change.valid_from is not None and change.valid_from > now


def draft_change(books: PriceBooks, plans: TillPlans, change: PriceChange) -> Draft | None:
    """Say what a change makes of its product; None where no price of it ends."""
    if change.valid_to is None and not plans.is_layered(change.sku):
        return None
    held = books.scales.held.get(change.sku)
    spoken = Spoken(
        source=change.source,
        word=_word_of(change),
        said=_said(change),
        begins=change.valid_from,
        ends=change.valid_to,
    )
    owner: str | None = books.scales.spoken.get(change.sku)
    if owner is None:
        owner = owners_from(books.scales.known[change.sku].owners).get(PRICE_FIELD)
    says = held.says if held is not None else None
    return plans.draft(change.sku, spoken, held=says, owner=owner)


def yields_at(books: PriceBooks, plans: TillPlans, change: PriceChange) -> bool:
    """Say whether a source of higher priority says a price that ends, or what lies beneath it.

    What may hold once that has ended is kept, if the guards do not doubt it.
    """
    scales, sku, source = books.scales, change.sku, change.source
    if scales.yields is None:
        return False
    if not plans.is_layered(sku):
        return is_for_later(change, books.now) and scales.yields(source, sku)
    at = max(books.now, change.valid_from or books.now)
    above = plans.ranks_above(sku, source, at)
    if True in above or not above or is_for_later(change, books.now):
        return True in above
    draft = draft_change(books, plans, change)
    if draft is not None and draft.says is not None and not draft.is_too_many:
        doubted, _ = scales.ask_plain(sku, source, Says(change.price_minor, *draft.says[1:4]))
        if doubted is Decision.ACCEPTED:
            plans.keep(draft)
    return True


def plan_change(books: PriceBooks, plans: TillPlans, change: PriceChange, new: Says) -> Told:
    """Keep a price for the moment from which it holds; the guards look at it now.

    Raises:
        NumberUsed: The source has used its sequence number for another price.
    """
    scales, sku, source, begins = books.scales, change.sku, change.source, change.valid_from
    if begins is None:
        raise AssertionError("only a price for later is planned")
    said = _said(change)
    mine = plans.waiting(sku, source, begins)
    is_repeat = any(row.said == said for row in mine)
    before = scales.positions.get((source, sku))
    seq, time = change.source_seq, change.source_time
    if before is not None:
        if seq is not None and before.last_seq is not None:
            again = is_repeat or books.doubts.waits(sku, source, words.text_of_change(change))
            if seq == before.last_seq and not again:
                raise NumberUsed.at(
                    f"{change.path}/source_seq",
                    "used before with another price",
                    fix=FIXES[Reason.NUMBER_USED],
                )
            if seq < before.last_seq:
                return Decision.SUPERSEDED, (Reason.LATE,)
        elif time is not None and before.last_time is not None and time < before.last_time:
            return Decision.SUPERSEDED, (Reason.LATE,)
    if is_repeat:
        books.doubts.end(sku, begins)
        return Decision.UNCHANGED, ()
    if not plans.has_room(sku, instead_of=mine):
        return Decision.REJECTED, (Reason.TOO_MANY_PLANS,)
    decision, reasons = scales.ask_plain(sku, source, new)
    if decision is Decision.QUARANTINED:
        hold_back(books, change, reasons)
        books.note_doubt(sku, source, seq, time, reasons, new)
    elif decision is Decision.ACCEPTED:
        books.doubts.end(sku, begins)
        plans.plan(sku, source, said, begins=begins, ends=change.valid_to, instead_of=mine)
    if decision is not Decision.REJECTED and (seq is not None or time is not None):
        scales.note_position((source, sku), seq, time)
    return decision, reasons


def hold_back(books: PriceBooks, change: PriceChange, reasons: tuple[Reason, ...]) -> None:
    """Keep a change for a person."""
    held = books.scales.held.get(change.sku)
    books.doubts.hold(
        NewHeld(
            sku=change.sku,
            source=change.source,
            said=words.text_of_change(change),
            price_minor=change.price_minor,
            held_minor=held.says.price_minor if held is not None else None,
            reasons=" ".join(reasons),
        )
    )


def _word_of(change: PriceChange) -> Word:
    return Word(change.price_minor, change.was_minor, change.unit_price_minor, change.badge)


def _said(change: PriceChange) -> str:
    return words.text_of_plan(words.text_of_change(change), change.currency)
