"""The next moment of each promotion: planned, staged ahead as a flip, turned once at its time.

::

    promotion_store.next_at ──▶ within two days: a flip of kind *edge*, its pictures in slots
            │                                          │
            └── has come ──▶ turned, once ◀────────────┘ what is not staged is sent then
                     └──▶ the next edge is noted; without one the promotion has ended

The rows of ``next_at`` alone decide what begins when; flips make it faster. After a time without a
controller the edges that came meanwhile are turned one after the other, in the order of their
moments.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

import msgspec
import structlog
from sqlalchemy import Connection

from esl.domain.ids import LabelId, Sku, StoreId
from esl.domain.label import Lane
from esl.domain.panel import Panels
from esl.domain.place import Store
from esl.domain.promotion.life import LIVE, Action, State, move
from esl.domain.promotion.window import next_edge, run_at
from esl.domain.staged import TOO_LATE, Flip, FlipKind, FlipState
from esl.services import flips, till_ahead
from esl.services.flips import Begun
from esl.services.promotions import turning
from esl.services.promotions.books import book_of, promotion_of, selected_skus
from esl.services.promotions.offering import kept_offer, offers_at
from esl.store import (
    audit,
    flip_pictures,
    labels,
    places,
    price_intake,
    promoted,
    promotion_rows,
)
from esl.store import flips as flip_rows
from esl.store.promotion_rows import DueEdge, StoredPromotion
from esl.store.revisions import take_revision
from esl.store.upsert import in_batches

AHEAD: Final = timedelta(hours=48)
"""How far ahead an edge is planned: slots are few, and others want them too."""

CLOCK: Final = "clock"
"""Who moves promotions where a moment does, and no person."""

_BEFORE: Final = timedelta(microseconds=1)

log = structlog.get_logger()


def is_due(tx: Connection, now: datetime) -> bool:
    """Say whether an edge has come."""
    return promotion_rows.first_edge(tx, now) is not None


def begin_due(tx: Connection, now: datetime, *, grace: timedelta) -> Begun | None:
    """Turn the earliest edge whose moment has come; None where none has.

    ``grace`` is how long a label with an armed show may take to say that it shows it.
    """
    edge = promotion_rows.first_edge(tx, now)
    if edge is None:
        return None
    store = places.lock_store(tx, edge.store_id)
    # A promotion's own row is locked before its moments, everywhere: nobody waits in a circle.
    locked = [promotion_rows.promotion_named(tx, one, lock=True) for one in edge.promotion_ids]
    ids = promotion_rows.lock_edge(tx, edge)  # another process may have been faster
    turning_now = [one for one in locked if one.promotion_id in ids]
    flip = next((f for f in _planned(tx, store) if f.show_at == edge.at), None)
    armed = flip_pictures.armed_labels(tx, flip.flip_id) if flip is not None else []
    zone = ZoneInfo(store.timezone)
    ended = [
        one.promotion_id
        for one in turning_now
        if State(one.state) not in LIVE or run_at(promotion_of(one).window, zone, edge.at) is None
    ]
    for one in turning_now:
        _move_on(tx, one, store, edge, now)
    skus = selected_skus(tx, store, [promotion_of(one) for one in turning_now])
    at = turning.not_before_turned(tx, store, edge.at)
    turned = turning.turn(tx, store, skus, at, now, actor=_actor(ids), ended=ended)
    touched = turned.labels
    if flip is not None:
        touched += flips.release_pictures(tx, flip.flip_id, now, but=turned.labels)
        waiting = sorted(set(armed) & set(turned.labels))
        flip_pictures.hurry(tx, waiting, now + grace, Lane.FLIP)
        flip_rows.end_flip(tx, flip.flip_id, FlipState.BEGUN, now, rev=turned.rev)
    log.info(
        "promotions turned",
        store=store.store_id,
        promotions=list(ids),
        ended=ended,
        labels=len(turned.labels),
        products=turned.products,
    )
    return Begun(
        flip_id=flip.flip_id if flip is not None else 0,
        labels=touched,
        frees_in=edge.store_id if flip is not None else None,
    )


def _move_on(
    tx: Connection, stored: StoredPromotion, store: Store, edge: DueEdge, now: datetime
) -> None:
    """Note a promotion's next edge after one has come, and its state by then."""
    state = State(stored.state)
    name, store_id = stored.promotion_id, store.store_id
    if state not in LIVE:
        promotion_rows.set_next(tx, name, store_id, None, turned_at=edge.at)
        return
    window, zone = promotion_of(stored).window, ZoneInfo(store.timezone)
    following = next_edge(window, zone, edge.at)
    after = following.at if following is not None else None
    promotion_rows.set_next(tx, name, store_id, after, turned_at=edge.at)
    if run_at(window, zone, edge.at) is not None:
        if state is not State.ACTIVE:
            set_state(tx, stored, Action.BEGIN, now, actor=CLOCK)
    elif after is None and _is_over_everywhere(tx, stored, edge.at):
        set_state(tx, stored, Action.END, now, actor=CLOCK)


def _is_over_everywhere(tx: Connection, stored: StoredPromotion, at: datetime) -> bool:
    if promotion_rows.has_next(tx, stored.promotion_id):
        return False
    window = promotion_of(stored).window
    zones = {
        places.store_named(tx, one).timezone
        for one in promotion_rows.stores_of(tx, stored.promotion_id)
    }
    return all(run_at(window, ZoneInfo(zone), at) is None for zone in sorted(zones))


def set_state(
    tx: Connection,
    stored: StoredPromotion,
    action: Action,
    now: datetime,
    *,
    actor: str,
    reason: str | None = None,
) -> State:
    """Move a promotion on, and write down who did.

    Raises:
        Conflict: This cannot be done in its state.
    """
    state = move(State(stored.state), action)
    promotion_rows.set_state(tx, stored.promotion_id, state.value, now)
    stores = promotion_rows.stores_of(tx, stored.promotion_id)
    audit.note(
        tx,
        now,
        actor=actor,
        action=f"promotion_{action.value}",
        subject=stored.promotion_id,
        store_id=stores[0] if len(stores) == 1 else None,
        reason=reason,
        detail={"from": stored.state, "to": state.value, "version": stored.version},
    )
    return state


# -- ahead of time -------------------------------------------------------------------------------


def needs_planning(tx: Connection, now: datetime) -> bool:
    """Say whether flips of edges are missing, or are there for nothing: a read."""
    stale, missing = _differences(tx, now)
    return bool(stale or missing)


def foresee(tx: Connection, now: datetime) -> dict[DueEdge, list[Sku]]:
    """Say for edges without a flip of which products something else will hold: a long read.

    It keeps nobody from writing; what changes meanwhile is sent at the moment.
    """
    return {
        edge: _changing(
            tx,
            places.store_named(tx, edge.store_id),
            [promotion_rows.promotion_named(tx, one) for one in edge.promotion_ids],
            edge.at,
        )
        for edge in _differences(tx, now)[1]
    }


def plan_edges(
    tx: Connection,
    now: datetime,
    *,
    panels: Panels,
    foreseen: Mapping[DueEdge, list[Sku]] | None = None,
) -> tuple[LabelId, ...]:
    """Plan the flips of the edges to come, and their pictures; return labels to show anew.

    ``foreseen`` is of `foresee`; what is not in it is found out here.
    """
    stale, missing = _differences(tx, now)
    touched = [label for flip in stale for label in cancel_edge(tx, flip, now)]
    for edge in missing:
        _plan(tx, edge, now, panels, (foreseen or {}).get(edge))
    return tuple(touched)


def fill_freed_slots(tx: Connection, store_id: StoreId, now: datetime, *, panels: Panels) -> None:
    """Plan pictures of edges to come in slots that others have left since they were planned."""
    store = places.lock_store(tx, store_id)
    for flip in _planned(tx, store):
        if flip.show_at - now <= TOO_LATE:
            continue
        stored = [promotion_rows.promotion_named(tx, one) for one in ids_of(flip)]
        changing = _changing(tx, store, stored, flip.show_at)
        labels_of = labels.lock_labels_of_products(tx, store_id, changing)
        wanted = {label for found in labels_of.values() for label in found}
        wanted -= set(flip_pictures.labels_of_flip(tx, flip.flip_id))
        slots = flips.slots_of(tx, sorted(wanted), panels)
        flip_pictures.plan_pictures(tx, flip.flip_id, flip.show_at, slots, now)


def _differences(tx: Connection, now: datetime) -> tuple[list[Flip], list[DueEdge]]:
    """Compare what is to turn with what is planned: flips for nothing, edges without a flip."""
    edges = {(edge.store_id, edge.at): edge for edge in promotion_rows.edges_until(tx, now + AHEAD)}
    stale: list[Flip] = []
    planned: set[tuple[StoreId, datetime]] = set()
    for flip in flip_rows.planned_edges(tx):
        edge = edges.get((flip.store_id, flip.show_at))
        if edge is not None and edge.promotion_ids == ids_of(flip):
            planned.add((flip.store_id, flip.show_at))
        else:
            stale.append(flip)
    missing = [
        edge for key, edge in edges.items() if key not in planned and edge.at - now > TOO_LATE
    ]
    return stale, missing


def cancel_edge(tx: Connection, flip: Flip, now: datetime) -> tuple[LabelId, ...]:
    """Free the slots of an edge's flip; return the labels that are shown anew what holds."""
    till_ahead.call_off(tx, flip.store_id, flip.show_at, now)
    touched = flips.release_pictures(tx, flip.flip_id, now)
    flip_rows.end_flip(tx, flip.flip_id, FlipState.CANCELLED, now)
    return touched


def restage(tx: Connection, store: Store, skus: Sequence[Sku], now: datetime) -> None:
    """Let pictures that wait in slots for these products be drawn anew: they may say another thing.

    A label that wants a newer revision of what it shows is sent nothing, and its slots are looked
    at again.
    """
    labels_of = labels.lock_labels_of_products(tx, store.store_id, skus)
    waiting = flip_pictures.labels_with_pictures(
        tx, [label for found in labels_of.values() for label in found]
    )
    if waiting:
        labels.want(tx, waiting, take_revision(tx), now, lane=Lane.NORMAL)


def ids_of(flip: Flip) -> tuple[str, ...]:
    """Name the promotions that an edge's flip is planned for."""
    return tuple(msgspec.json.decode(flip.changes, type=list[str]))


def _plan(
    tx: Connection, edge: DueEdge, now: datetime, panels: Panels, changing: list[Sku] | None
) -> None:
    store = places.lock_store(tx, edge.store_id)
    stored = [promotion_rows.promotion_named(tx, one, lock=True) for one in edge.promotion_ids]
    if changing is None:
        changing = _changing(tx, store, stored, edge.at)
    labels_of = labels.lock_labels_of_products(tx, store.store_id, changing)
    touched = sorted({label for found in labels_of.values() for label in found})
    flip_id = flip_rows.add_flip(
        tx,
        store.store_id,
        edge.at,
        msgspec.json.encode(list(edge.promotion_ids)).decode(),
        now,
        actor=_actor(edge.promotion_ids),
        kind=FlipKind.EDGE,
    )
    slots = flips.slots_of(tx, touched, panels)
    staged = flip_pictures.plan_pictures(tx, flip_id, edge.at, slots, now)
    for one in stored:
        if State(one.state) is State.SCHEDULED:
            set_state(tx, one, Action.STAGE, now, actor=CLOCK)
    log.info(
        "edge planned",
        store=store.store_id,
        promotions=list(edge.promotion_ids),
        at=edge.at.isoformat(),
        labels=len(touched),
        staged=staged,
    )


def _changing(
    tx: Connection, store: Store, stored: Iterable[StoredPromotion], at: datetime
) -> list[Sku]:
    """List the products of which something else holds at an edge than right before it."""
    skus = selected_skus(tx, store, [promotion_of(one) for one in stored])
    paired = sorted(promoted.labels_of(tx, store.store_id, skus))
    book = book_of(tx, store)
    found: list[Sku] = []
    for some in in_batches(paired, turning.AT_ONCE):
        held = price_intake.held_prices(tx, store.store_id, some)
        bases = {sku: one.says for sku, one in held.items()}
        before = offers_at(tx, store, bases, book, at - _BEFORE)
        after = offers_at(tx, store, bases, book, at)
        found += [
            sku
            for sku in sorted(before.keys() | after.keys())
            if (sku in before) != (sku in after)
            or kept_offer(before[sku])[:4] != kept_offer(after[sku])[:4]
        ]
    return found


def _planned(tx: Connection, store: Store) -> list[Flip]:
    return flip_rows.planned_edges(tx, store.store_id)


def _actor(ids: Sequence[str]) -> str:
    return f"promotion:{','.join(ids)}"[:80]
