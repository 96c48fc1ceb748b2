"""Prices that begin to hold together at a moment.

::

    plan ──▶ staged ahead of time (`esl.services.staging`) ──▶ begin, once, at the moment
      └────▶ cancel, as long as it has not begun

At its moment a flip is an ordinary set of price changes, applied once by whoever looks first.
A label whose timed show is armed is given time to say that it showed it; every other label is
sent its price at once, in the lane of flips. What a till would not be allowed to send then (a
product that is gone) fails the flip, and a problem says so.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from sqlalchemy import Connection

from esl.domain.errors import Conflict, EslError, FieldProblem, InvalidInput
from esl.domain.guards import WORDS, Reason
from esl.domain.ids import LabelId, Sku, StoreId
from esl.domain.label import Lane, SlotState
from esl.domain.panel import Panels
from esl.domain.pricing import Decision, PriceChange
from esl.domain.staged import Flip, FlipKind, FlipState
from esl.intake.price_json import parse_price_changes
from esl.intake.strict_json import parse_strict_json
from esl.services import pricing, till_ahead
from esl.services.pricing import Applied
from esl.store import flip_pictures, flips, labels, places, quarantine, sources, telemetry
from esl.store.revisions import take_revision

SOONEST = timedelta(seconds=1)

TOLD_FOR = timedelta(days=7)
"""How long a failed flip is a problem, unless its products get their prices before."""

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """A flip that was planned: its labels, and how many of them have a slot to spare."""

    flip_id: int
    labels: int
    staged: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FlipStanding:
    """A flip and how far its pictures have come."""

    flip: Flip
    pictures: Mapping[SlotState, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Begun:
    """What became of a flip at its moment: the labels that want something new."""

    flip_id: int
    labels: tuple[LabelId, ...]
    failed: str | None = None
    frees_in: StoreId | None = None  # the store in which slots are free again for other moments


def plan_flip(
    tx: Connection,
    store_id: StoreId,
    show_at: datetime,
    changes: Sequence[PriceChange],
    said: str,
    now: datetime,
    *,
    actor: str,
    panels: Panels,
) -> Planned:
    """Plan prices for a moment; ``said`` is the changes as JSON, as they were sent.

    Raises:
        InvalidInput: The moment has passed, a SKU is unknown, or a price is doubted.
    """
    if show_at - now < SOONEST:
        raise InvalidInput.at("/at", "not in the future", fix="Send it as a price change.")
    _refuse_moments(changes)
    _refuse_doubted(changes, pricing.foresee(tx, store_id, changes, now))
    skus = sorted({change.sku for change in changes})
    paired = labels.lock_labels_of_products(tx, store_id, skus)
    touched = sorted({label_id for held in paired.values() for label_id in held})
    flip_id = flips.add_flip(tx, store_id, show_at, said, now, actor=actor)
    for source in sorted({change.source for change in changes}):
        sources.note_heard(tx, source, now, stores=[store_id])
    slots = slots_of(tx, touched, panels)
    return Planned(
        flip_id=flip_id,
        labels=len(touched),
        staged=flip_pictures.plan_pictures(tx, flip_id, show_at, slots, now),
    )


def slots_of(
    tx: Connection, label_ids: Sequence[LabelId], panels: Panels
) -> list[tuple[LabelId, int]]:
    """Say how many pictures each label can hold: by its own word, else by its model."""
    states = labels.labels_by_id(tx, label_ids)
    told = telemetry.count_slots(tx, label_ids)  # a label knows better than the table of models
    return [
        (
            label_id,
            told.get(label_id)
            or (panel.slots if (panel := panels.get(states[label_id].panel_id)) else 1),
        )
        for label_id in label_ids
        if label_id in states
    ]


def changes_of(tx: Connection, flip: Flip) -> dict[Sku, PriceChange]:
    """Read a flip's changes; of several of one product the last counts."""
    store = places.store_named(tx, flip.store_id)
    parsed = parse_price_changes(
        parse_strict_json(flip.changes.encode()), store_id=flip.store_id, currency=store.currency
    )
    return {change.sku: change for change in parsed}


def begin_flip(tx: Connection, flip_id: int, now: datetime, *, grace: timedelta) -> Begun | None:
    """Let a flip's prices hold; None if it has begun already, or was cancelled.

    ``grace`` is how long a label with an armed show may take to say that it shows it.
    """
    flip = flips.flip_named(tx, flip_id, lock=True)
    if flip.state is not FlipState.PLANNED:
        return None
    armed = flip_pictures.armed_labels(tx, flip_id)
    try:
        with tx.begin_nested():
            changes = list(changes_of(tx, flip).values())
            applied = pricing.apply_price_changes(
                tx, flip.store_id, changes, now, actor=flip.actor, is_planned=True
            )
    except EslError as exc:
        touched = release_pictures(tx, flip_id, now)
        flips.end_flip(tx, flip_id, FlipState.FAILED, now, detail=str(exc))
        log.warning("flip failed", flip=flip_id, store=flip.store_id, reason=str(exc))
        return Begun(flip_id=flip_id, labels=touched, failed=str(exc))
    # Whose price does not hold after all, and may show it all the same, shows what holds.
    kept_back = release_pictures(tx, flip_id, now, but=applied.labels)
    waiting = set(armed) & set(applied.labels)
    flip_pictures.hurry(tx, [x for x in applied.labels if x not in waiting], now, Lane.FLIP)
    flip_pictures.hurry(tx, sorted(waiting), now + grace, Lane.FLIP)
    failed = _why_kept_back(applied)
    rev = next((r.rev for r in applied.results if r.rev is not None), None)
    flips.end_flip(tx, flip_id, FlipState.BEGUN, now, rev=rev, detail=failed or "")
    log.info(
        "flip began",
        flip=flip_id,
        store=flip.store_id,
        change=rev,
        labels=len(applied.labels),
        kept_back=failed,
    )
    return Begun(flip_id=flip_id, labels=(*applied.labels, *kept_back), failed=failed)


def cancel_flip(
    tx: Connection, store_id: StoreId, flip_id: int, now: datetime
) -> tuple[LabelId, ...]:
    """Cancel a flip that has not begun; return the labels that show their picture anew.

    A gateway never says that a timed show is gone. So a label with an armed one is shown its
    present picture under a higher revision, which the old show cannot pass.

    Raises:
        UnknownFlip: The store has no such flip.
        Conflict: It has begun.
    """
    flip = flips.flip_named(tx, flip_id, store_id=store_id, lock=True)
    if flip.kind is FlipKind.EDGE:
        raise Conflict(f"flip {flip_id} is of promotions; cancel them, and it goes with them")
    if flip.state is FlipState.CANCELLED:
        return ()
    if flip.state is not FlipState.PLANNED:
        raise Conflict(f"flip {flip_id} has begun; send other prices")
    till_ahead.call_off(tx, store_id, flip.show_at, now)
    touched = release_pictures(tx, flip_id, now)
    flips.end_flip(tx, flip_id, FlipState.CANCELLED, now)
    return touched


def standing_of(tx: Connection, store_id: StoreId, flip_id: int) -> FlipStanding:
    """Say how far a flip has come.

    Raises:
        UnknownFlip: The store has no such flip.
    """
    flip = flips.flip_named(tx, flip_id, store_id=store_id)
    return FlipStanding(flip=flip, pictures=flip_pictures.count_states(tx, flip_id))


def failures_untended(tx: Connection, store_id: StoreId, now: datetime) -> list[Flip]:
    """List the flips that failed lately, wholly or in part, and whose prices nobody sent since.

    A product of it that has got another price since is looked after, and so is one whose price
    was held back at that moment and then rejected by a person.
    """
    return [
        flip
        for flip in flips.failed_flips(tx, store_id, now - TOLD_FOR)
        if flip.ended_at is not None and not _is_tended(tx, flip, flip.ended_at)
    ]


def _is_tended(tx: Connection, flip: Flip, failed_at: datetime) -> bool:
    try:
        skus = set(changes_of(tx, flip))
    except EslError:
        return False  # what it said means nothing any more, as in another currency
    if flip.state is FlipState.BEGUN:
        skus = flips.kept_back_at(tx, flip.store_id, skus, failed_at)
        skus -= quarantine.rejected_of(tx, flip.store_id, skus, failed_at)
    return skus <= flips.priced_since(tx, flip.store_id, skus, failed_at)


def _refuse_moments(changes: Sequence[PriceChange]) -> None:
    """Refuse changes with moments of their own: a flip has one for all.

    Raises:
        InvalidInput: With the path of each.
    """
    problems = [
        FieldProblem(path=f"{change.path}/{name}", detail="a flip has one moment, at", fix=None)
        for change in changes
        for name in ("valid_from", "valid_to")
        if getattr(change, name) is not None
    ]
    if problems:
        raise InvalidInput(problems[:50])


def _refuse_doubted(
    changes: Sequence[PriceChange], told: Sequence[tuple[Decision, tuple[Reason, ...]]]
) -> None:
    """Refuse prices that would not hold at their moment, as far as that is known now.

    Raises:
        InvalidInput: With the path of each.
    """
    problems = [
        FieldProblem(
            path=f"{change.path}/price",
            detail=" and ".join(WORDS[reason] for reason in reasons),
            fix="Send it as a price change and let a second person approve it,"
            " or change the limits: PUT /api/v1/stores/{store}/guards.",
        )
        for change, (decision, reasons) in zip(changes, told, strict=True)
        # How often a price may change is asked on its day.
        if decision is not Decision.ACCEPTED and set(reasons) - {Reason.TOO_OFTEN}
    ]
    if problems:
        raise InvalidInput(problems[:50])


def _why_kept_back(applied: Applied) -> str | None:
    """Say which changes were not taken at their moment; None if all were."""
    kept = [
        one
        for one in applied.results
        if one.decision not in (Decision.ACCEPTED, Decision.UNCHANGED)
    ]
    if not kept:
        return None
    first = kept[0]
    words = ", ".join(WORDS[reason] for reason in first.reasons) or "a newer price was there"
    return (
        f"{len(kept)} of {len(applied.results)} prices were not taken,"
        f" the first of them of {str(first.sku)[:60]} ({first.decision.value}: {words})"
    )


def release_pictures(
    tx: Connection, flip_id: int, now: datetime, *, but: Sequence[LabelId] = ()
) -> tuple[LabelId, ...]:
    """Free a flip's slots; labels that may show their picture anyway show what holds, anew.

    Those in ``but`` have got what holds already. Returns the others.
    """
    touched = flip_pictures.cancel_pictures(tx, flip_id, now, but=but)
    if touched:
        labels.labels_by_id(tx, touched, lock=True)
        labels.want(tx, touched, take_revision(tx), now, lane=Lane.FLIP)
    return tuple(touched)
