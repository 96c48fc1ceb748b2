"""Prices and promotions of tills that begin or end at a moment: applied at it, in order, once.

::

    waiting ──▶ at ``valid_from`` it holds ──▶ done
                        └─ has a ``valid_to`` ──▶ holding ──▶ at it what lies beneath holds again

Whoever looks first after the moment applies it, in one transaction with what it changes: after a
night without power as well, one moment after the other. What holds at it is computed from all that
tills have said (`esl.services.turning`). Time is the effective clock's, which never goes back.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

import structlog
from sqlalchemy import Connection

from esl.domain.entry import Entry
from esl.domain.errors import EslError
from esl.domain.ids import LabelId, Sku, SourceId, StoreId
from esl.domain.label import Lane
from esl.domain.pricing import Says
from esl.domain.source import unregistered
from esl.services.listening import take_entries
from esl.services.price_books import open_books
from esl.services.turning import ACTOR, settle
from esl.services.withdrawals import withdraw_prices
from esl.store import places, promotions, schedule
from esl.store.schedule import Due, ScheduleState

EDGES_AT_ONCE = 500

TILL = SourceId("schedule")

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Edges:
    """What became of the moments that have come."""

    applied: int
    labels: tuple[LabelId, ...]
    more: bool  # there are others that are due


def next_due(tx: Connection) -> datetime | None:
    """Return the next moment at which anything begins or ends."""
    return schedule.next_due(tx)


def apply_due(tx: Connection, now: datetime) -> Edges:
    """Apply the edges whose moment has come, the earliest first."""
    due = schedule.due_prices(tx, now, most=EDGES_AT_ONCE)
    touched: list[LabelId] = []
    for at, of_moment in groupby(due, key=lambda one: one.at):
        by_store: dict[StoreId, list[Due]] = {}
        for one in of_moment:
            by_store.setdefault(one.store_id, []).append(one)
        for store_id, some in sorted(by_store.items()):
            touched += _turn_prices(tx, store_id, some, at, now)
    edges = promotions.due_promotions(tx, now, most=EDGES_AT_ONCE)
    touched += _turn_promotions(tx, edges, now)
    more = len(due) == EDGES_AT_ONCE or len(edges) == EDGES_AT_ONCE
    return Edges(applied=len(due) + len(edges), labels=tuple(touched), more=more)


def _turn_prices(
    tx: Connection, store_id: StoreId, due: Sequence[Due], at: datetime, now: datetime
) -> tuple[LabelId, ...]:
    try:
        with tx.begin_nested():
            return settle(tx, store_id, [one.sku for one in due], at, now)
    except EslError as exc:
        # The store is gone: nothing of it can hold.
        cancelled = [(one.schedule_id, ScheduleState.CANCELLED) for one in due]
        schedule.move_planned(tx, cancelled)
        log.warning("scheduled prices failed", store=store_id, reason=str(exc))
        return ()


def let_hold_again(
    tx: Connection,
    store_id: StoreId,
    before: dict[Sku, Says | None],
    now: datetime,
    *,
    actor: str,
    source: SourceId,
) -> tuple[LabelId, ...]:
    """Let earlier prices hold again, as new revisions; where there was none, there is none."""
    gone = sorted(sku for sku, says in before.items() if says is None)
    touched: tuple[LabelId, ...] = ()
    if gone:
        touched = withdraw_prices(tx, store_id, gone, now, actor=actor)
    back = {sku: says for sku, says in before.items() if says is not None}
    if not back:
        return touched
    books = open_books(tx, store_id, sorted(back), now)
    books.scales.is_guarded = False
    books.scales.yields = None
    for sku, says in back.items():
        if sku not in books.scales.known:
            continue
        decision, reasons = books.scales.weigh(
            sku=sku, source=source, seq=None, time=None, new=says, raw=None, path=""
        )
        books.note(
            sku=sku,
            source=source,
            seq=None,
            time=None,
            decision=decision,
            reasons=reasons,
            says=says,
        )
    return touched + books.close(actor=actor, batch_id=None, lane=Lane.CORRECTION).touched


def _turn_promotions(
    tx: Connection, edges: Sequence[tuple[StoreId, Sku, datetime]], now: datetime
) -> list[LabelId]:
    """Let what tills' promotions say now hold; those that are over are forgotten."""
    by_store: dict[StoreId, dict[Sku, None]] = {}
    for store_id, sku, _ in edges:
        by_store.setdefault(store_id, {})[sku] = None
    touched: list[LabelId] = []
    for store_id, skus in sorted(by_store.items()):
        currency = places.store_named(tx, store_id).currency
        entries = [Entry(store_id=store_id, sku=sku, currency=currency) for sku in skus]
        taken = take_entries(
            tx,
            unregistered(TILL, store_id),
            entries,
            now,
            actor=ACTOR,
            batch_id=None,
            is_approved=True,
            full=True,
        )
        touched += taken.labels
        promotions.move_edges(tx, store_id, sorted(skus), now)
    return touched
