"""Let hold what holds at a moment, by all the words of tills that begin or end.

::

    rows of a product ─▶ begun, ended ─▶ layers ─▶ promotions ─▶ another price? ─▶ event

What holds is computed anew from all of them (`esl.domain.layers`), so nothing depends on the order
in which they came or were looked at, and whoever looks twice changes nothing.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import structlog
from sqlalchemy import Connection

from esl.domain.entry import Entry
from esl.domain.ids import LabelId, Sku, SourceId, StoreId
from esl.domain.label import Lane
from esl.domain.layers import Layer, layers_at, says_at, word_of
from esl.domain.pricing import Keep, Says
from esl.domain.product import NetContent
from esl.domain.source import PRICE_FIELD
from esl.domain.till_offer import is_promotion_alone, says_by_till
from esl.services.entry_checks import content_of
from esl.services.price_books import PriceBooks, open_books
from esl.services.till_plans import base_of, entry_over, layer_of
from esl.services.till_promotions import TillPromotions
from esl.services.withdrawals import withdraw_prices
from esl.store import listed, owners, promotions, schedule, words
from esl.store.desk import owners_from
from esl.store.promotions import HeldPromotion
from esl.store.schedule import EVER, NOBODY, Planned, ScheduleState

ACTOR = "schedule"
"""Who changes prices where a moment does, and no sender."""

log = structlog.get_logger()


@dataclass(slots=True, kw_only=True)
class _Turn:
    """What a moment makes of one product."""

    sku: Sku
    was_layered: bool
    begun: list[Planned] = field(default_factory=list)
    living: list[Planned] = field(default_factory=list)
    moved: dict[int, ScheduleState] = field(default_factory=dict)
    base: Planned | None = None  # that is kept from now on
    top: Planned | None = None
    says: Says | None = None

    @property
    def by(self) -> tuple[str, int | None]:
        """Return who changes the price, and in which batch it was said."""
        if self.top is not None and self.top in self.begun:
            return self.top.actor, self.top.batch_id
        return ACTOR, None


def settle_overdue(
    tx: Connection, store_id: StoreId, skus: Sequence[Sku], now: datetime
) -> tuple[LabelId, ...]:
    """Let the moments of products come that nobody has looked at, before more is said of them."""
    overdue = schedule.overdue_products(tx, store_id, skus, now)
    return settle(tx, store_id, overdue, now, now) if overdue else ()


def settle(
    tx: Connection,
    store_id: StoreId,
    skus: Sequence[Sku],
    at: datetime,
    now: datetime,
    *,
    actor: str = ACTOR,
) -> tuple[LabelId, ...]:
    """Let hold what holds of products at a moment that has come; return the labels it concerns.

    ``actor`` is who changes what no word changes that begins.

    Raises:
        UnknownStore: There is no such store.
    """
    skus = sorted(set(skus))
    books = open_books(tx, store_id, skus, now)
    rows: dict[Sku, list[Planned]] = {sku: [] for sku in skus}
    for row in schedule.live_prices(tx, store_id, skus):
        rows[row.sku].append(row)
    turns = [_turn(books, sku, rows[sku], at) for sku in skus if rows[sku]]
    _state_promotions(tx, store_id, turns, at, now)
    running = promotions.promotions_of(tx, store_id, [turn.sku for turn in turns])
    contents = listed.listed_products(tx, store_id, sorted(running)) if running else {}
    for turn in turns:
        product = contents.get(turn.sku)
        content = content_of(product) if product is not None else None
        _compose(books, turn, running.get(turn.sku, []), content, at)
    touched = _write_prices(tx, books, turns, actor)
    _write_rows(tx, store_id, turns, now)
    return touched


def _turn(books: PriceBooks, sku: Sku, rows: list[Planned], at: datetime) -> _Turn:
    """Say which prices of a product begin and end at a moment, and what lies beneath them."""
    turn = _Turn(sku=sku, was_layered=any(row.holds for row in rows))
    for row in rows:
        # One that began and ended while nobody looked never holds.
        over_at = at if row.holds else books.now
        if sku not in books.scales.known:
            turn.moved[row.schedule_id] = ScheduleState.CANCELLED
        elif row.valid_to is not None and row.valid_to <= over_at:
            turn.moved[row.schedule_id] = ScheduleState.DONE
        elif row.holds:
            turn.living.append(row)
        elif row.valid_from > at:
            continue
        elif why := _why_not(books, row):
            turn.moved[row.schedule_id] = ScheduleState.CANCELLED
            log.warning("planned price dropped", store=books.store.store_id, sku=sku, reason=why)
        else:
            turn.begun.append(row)
            ends = row.valid_to is not None
            turn.moved[row.schedule_id] = ScheduleState.HOLDING if ends else ScheduleState.BASE
    return turn


def _why_not(books: PriceBooks, row: Planned) -> str | None:
    """Say why a price may not begin to hold after all."""
    currency = words.currency_of(row.said)
    if currency is not None and currency != books.store.currency:
        return f"it was said in {currency}, and the store's currency is {books.store.currency}"
    seat = books.desk.seats.get(row.source)
    if seat is not None and seat.disabled:
        return f"the source {row.source!r} is switched off"
    return None


def _state_promotions(
    tx: Connection, store_id: StoreId, turns: Sequence[_Turn], at: datetime, now: datetime
) -> None:
    """Let the tills' promotions hold that begin with their prices; a price change ends them."""
    begun = [row for turn in turns for row in turn.begun]
    changes = [row.sku for row in begun if not words.is_entry(row.said)]
    if changes:
        promotions.forget_of_products(tx, store_id, changes)
    for row in begun:
        entry = words.entry_from(row.said, store_id=store_id, sku=row.sku, currency="")
        if isinstance(entry.promotion, Keep):
            continue
        stated = TillPromotions(tx, store_id, [row.sku], row.source)
        known = stated.of(row.sku)
        stated.keep(known, stated.after(entry, known, at, full=False))
        stated.write(now, batch_id=row.batch_id)


def _compose(
    books: PriceBooks,
    turn: _Turn,
    running: list[HeldPromotion],
    content: NetContent | None,
    at: datetime,
) -> None:
    """Compute what holds of a product at a moment."""
    product = books.scales.known.get(turn.sku)
    if product is None:
        return
    held = books.scales.held.get(turn.sku)
    if not turn.was_layered and not turn.begun:
        turn.says = held.says if held is not None else None
        return
    rows = [*turn.living, *turn.begun]
    if not turn.was_layered and held is not None and not is_promotion_alone(held.says, running):
        source = SourceId(owners_from(product.owners).get(PRICE_FIELD, NOBODY))
        turn.base = base_of(turn.sku, source, word_of(held.says), EVER, books.now)
        rows.append(turn.base)
    layers = [layer_of(row, books.desk) for row in rows]
    turn.top = _top(rows, layers, at)
    seen = says_at(layers, at)
    entry = Entry(store_id=books.store.store_id, sku=turn.sku, currency=books.store.currency)
    turn.says = says_by_till(entry_over(entry, seen), None, running, content, at)
    if not any(row.valid_to is not None for row in rows):
        for row in (*turn.living, *turn.begun):  # nothing ends any more
            turn.moved[row.schedule_id] = ScheduleState.DONE
        turn.base = None


def _top(rows: Sequence[Planned], layers: Sequence[Layer], at: datetime) -> Planned | None:
    """Return whose price is seen."""
    by_number = {row.schedule_id: row for row in rows}
    for layer in reversed(layers_at(layers, at)):
        if not isinstance(layer.word.price_minor, Keep):
            return by_number[layer.number]
    return None


def _write_prices(
    tx: Connection, look: PriceBooks, turns: Sequence[_Turn], actor: str
) -> tuple[LabelId, ...]:
    store_id, held = look.store.store_id, look.scales.held
    priced = [turn for turn in turns if turn.sku in look.scales.known]
    gone = [turn.sku for turn in priced if turn.says is None and turn.sku in held]
    touched: list[LabelId] = []
    if gone:
        touched += withdraw_prices(tx, store_id, gone, look.now, actor=actor)
    by: dict[tuple[str, int | None], list[_Turn]] = {}
    for turn in priced:
        before = held.get(turn.sku)
        if turn.says is not None and (before is None or before.says != turn.says):
            by.setdefault(turn.by, []).append(turn)
    for (who, batch_id), some in by.items():
        books = look
        if len(by) > 1:
            books = open_books(tx, store_id, sorted(turn.sku for turn in some), look.now)
        touched += _write_some(books, some, actor=actor if who == ACTOR else who, batch_id=batch_id)
    if look.desk.seats:
        known = look.scales.known
        said = {
            turn.sku: (known[turn.sku].owners, str(turn.top.source))
            for turn in priced
            if turn.top is not None
        }
        owners.note_price_owners(tx, store_id, said)
    return tuple(touched)


def _write_some(
    books: PriceBooks, turns: Iterable[_Turn], *, actor: str, batch_id: int | None
) -> tuple[LabelId, ...]:
    books.scales.is_guarded, books.scales.yields = False, None
    is_begin = False
    for turn in turns:
        if turn.says is None:
            continue
        is_begin = is_begin or (turn.top is not None and turn.top in turn.begun)
        source = turn.top.source if turn.top is not None else NOBODY
        source = source if source != NOBODY else SourceId(ACTOR)
        decision, reasons = books.scales.weigh(
            sku=turn.sku, source=source, seq=None, time=None, new=turn.says, raw=None, path=""
        )
        books.note(
            sku=turn.sku,
            source=source,
            seq=None,
            time=None,
            decision=decision,
            reasons=reasons,
            says=turn.says,
        )
    lane = Lane.NORMAL if is_begin else Lane.CORRECTION
    return books.close(actor=actor, batch_id=batch_id, lane=lane).touched


def _write_rows(tx: Connection, store_id: StoreId, turns: Sequence[_Turn], now: datetime) -> None:
    schedule.move_planned(tx, [move for turn in turns for move in turn.moved.items()])
    bases = [turn.base for turn in turns if turn.base is not None]
    if bases:
        schedule.plan_prices(tx, store_id, bases, now, actor=ACTOR, batch_id=None)
