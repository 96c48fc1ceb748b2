"""Put pairings right: replace a broken label, undo a step, and tell a label's history."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import Connection

from esl.domain.errors import Conflict, InvalidInput, NotFound
from esl.domain.ids import LabelId, Sku, StoreId
from esl.domain.label import Lane
from esl.domain.pairing import (
    UNDO_WITHIN,
    Action,
    Ended,
    Glass,
    Hanging,
    PairingEvent,
    ending_of,
    why_not_undone,
)
from esl.domain.place import Pairing
from esl.services.pairing import pair_labels, retire_labels
from esl.services.pairing_steps import Steps
from esl.services.promotions.reaching import reach
from esl.store import labels, migration, offers, pairing_events, places, products, retired
from esl.store.revisions import take_revision


def replace_label(
    tx: Connection,
    store_id: StoreId,
    broken: LabelId,
    new: LabelId,
    now: datetime,
    *,
    actor: str,
) -> tuple[LabelId, ...]:
    """Let a label take over the products and the place of a broken one, which leaves the shop.

    The same again does nothing: the new label has them by then.

    Raises:
        UnknownLabel: The store has no such label.
        InvalidInput: Both are one label.
        Conflict: The broken one speaks for nothing, or the new one for something.
    """
    if broken == new:
        raise InvalidInput.at("/new", "the same label", fix="Scan the label that takes its place.")
    places.lock_store(tx, store_id)
    labels.lock_labels(tx, store_id, [broken, new])
    held = pairing_events.hangings(tx, [broken, new])
    old, other = held[broken], held[new]
    if not old.skus:
        last = pairing_events.events_of_store(tx, store_id, label_id=new, limit=1)
        if last and last[0].action is Action.REPLACES and last[0].beside == broken:
            return ()
        raise Conflict(f"the label {broken!r} speaks for nothing; pair {new!r} instead")
    if other.skus:
        raise Conflict(f"the label {new!r} speaks for {other.skus[0]!r}; take one that is free")
    pair = Pairing(label_id=new, sku=old.skus[0], more=old.skus[1:], place=old.place)
    pair_labels(
        tx,
        store_id,
        [pair],
        now,
        single=True,
        actor=actor,
        as_step=Action.REPLACES,
        beside=broken,
    )
    retire_labels(tx, store_id, [broken], now, actor=actor, as_step=Action.REPLACED, beside=new)
    return (broken, new)


def undo_step(
    tx: Connection,
    store_id: StoreId,
    event_id: int,
    now: datetime,
    *,
    actor: str,
    within: timedelta = UNDO_WITHIN,
) -> tuple[LabelId, ...]:
    """Take a step back: each label speaks for what it spoke for before it, and hangs there.

    Both halves of a replacement go together. The same again does nothing.

    Raises:
        NotFound: The store has no such step.
        Conflict: Too late, or something else happened since; in words.
    """
    event = pairing_events.event_numbered(tx, store_id, event_id)
    if event is None:
        raise NotFound(f"the store has no step {event_id}")
    places.lock_store(tx, store_id)
    halves = [event]
    if event.beside is not None and (other := pairing_events.event_beside(tx, event)) is not None:
        halves.append(other)
    touched = sorted({one.label_id for one in halves})
    wanted = sorted({sku for one in halves for sku in one.before.skus})
    known = products.lock_products(tx, store_id, wanted)
    labels.lock_labels(tx, store_id, touched)
    event = pairing_events.event_numbered(tx, store_id, event_id) or event
    if event.undone_by is not None and _is_as_before(tx, halves):
        return ()
    steps = Steps(tx, store_id, touched, actor=actor)
    newest = pairing_events.newest_of(tx, touched)
    for one in halves:
        why = why_not_undone(
            one, steps.before[one.label_id], newest=newest[one.label_id], now=now, within=within
        )
        if why is not None:
            raise Conflict(f"step {event_id} cannot be undone: {why}")
    gone = [sku for sku in wanted if sku not in known]
    if gone:
        raise Conflict(
            f"step {event_id} cannot be undone: the store has no product {gone[0]!r} any more"
        )
    rev = _put_back(tx, store_id, {one.label_id: one.before for one in halves}, now)
    steps.write(now, rev=rev, action=Action.UNDONE)
    pairing_events.mark_undone(tx, {one.event_id: one.label_id for one in halves})
    return tuple(touched)


def _is_as_before(tx: Connection, halves: Sequence[PairingEvent]) -> bool:
    held = pairing_events.hangings(tx, [one.label_id for one in halves])
    return all(held[one.label_id] == one.before for one in halves)


def _put_back(
    tx: Connection, store_id: StoreId, before: dict[LabelId, Hanging], now: datetime
) -> int:
    """Let labels hang as they did; return the revision that they want by it."""
    store = places.lock_store(tx, store_id)
    spoke = {label_id: hanging for label_id, hanging in before.items() if hanging.skus}
    silent = sorted(before.keys() - spoke.keys())
    retired.take_back(tx, sorted(before))
    retired.forget_pairings(tx, silent)
    pairs = [
        Pairing(label_id=label_id, sku=hanging.skus[0], more=hanging.skus[1:])
        for label_id, hanging in sorted(spoke.items())
    ]
    if pairs:
        labels.pair(tx, store_id, pairs, now)
    migration.put_places(tx, {label_id: one.place for label_id, one in before.items()})
    skus: list[Sku] = sorted({sku for hanging in spoke.values() for sku in hanging.skus})
    reach(tx, store, skus, offers.offers_of(tx, store_id, skus), now)
    rev = take_revision(tx)
    labels.want(tx, sorted(spoke), rev, now, lane=Lane.NORMAL)
    labels.want(tx, silent, rev, now, lane=Lane.CORRECTION)
    leaving = [label_id for label_id, hanging in before.items() if hanging.is_retired]
    retired.mark_retired(tx, leaving, now)
    return rev


def history(
    tx: Connection,
    store_id: StoreId,
    *,
    label_id: LabelId | None = None,
    before: int | None = None,
    limit: int = 100,
) -> list[tuple[PairingEvent, Ended]]:
    """List what was done to a store's labels, or one, the newest first, and how each ended."""
    events = pairing_events.events_of_store(
        tx, store_id, label_id=label_id, before=before, limit=limit
    )
    return _with_endings(tx, events)


def step_named(tx: Connection, store_id: StoreId, event_id: int) -> tuple[PairingEvent, Ended]:
    """Load one step that was done to a label of a store, and how it ended.

    Raises:
        NotFound: The store has no such step.
    """
    event = pairing_events.event_of_store(tx, store_id, event_id)
    if event is None:
        raise NotFound(f"the store has no step {event_id}")
    return _with_endings(tx, [event])[0]


def _with_endings(
    tx: Connection, events: Sequence[PairingEvent]
) -> list[tuple[PairingEvent, Ended]]:
    glasses = pairing_events.glasses_of(tx, {one.label_id for one in events})
    told: list[tuple[PairingEvent, Ended]] = []
    for event in events:
        glass = glasses.get(event.label_id)
        if glass is None or event.rev == 0:
            told.append((event, ending_of(_unseen(event))))
            continue
        next_rev = pairing_events.next_rev_of(tx, event)
        known = Glass(
            rev=event.rev,
            settled_rev=glass.settled_rev,
            problem=glass.problem,
            shown_at=pairing_events.shown_between(tx, event, next_rev),
            has_next=next_rev is not None,
            is_heard=glass.is_heard,
        )
        told.append((event, ending_of(known)))
    return told


def _unseen(event: PairingEvent) -> Glass:
    return Glass(
        rev=event.rev, settled_rev=0, problem=None, shown_at=None, has_next=False, is_heard=False
    )
