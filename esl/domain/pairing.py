"""What happened to a label's pairing: one line of its history, and what may be undone.

::

    paired ─▶ paired with another, replaced, unpaired, placed …      each an event, kept 400 days
                  └─▶ undone, within some minutes, by the exact inverse: an event as well

A pairing is *confirmed* when the glass reported a picture of it, or reported that very picture
before; never because it was sent.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

from esl.domain.ids import LabelId, Sku, StoreId

UNDO_WITHIN = timedelta(minutes=10)
"""How long a step may be undone: a person who scanned the wrong shelf notices soon."""

CONTROLLER = "controller"
"""Who pairs where no person and no machine of a shop asked for it."""


class Action(StrEnum):
    """What was done to a label."""

    PAIRED = "paired"  #: it spoke for nothing before
    CHANGED = "changed"  #: it spoke for something else
    UNPAIRED = "unpaired"
    RETIRED = "retired"  #: unpaired, and to leave the shop
    REPLACED = "replaced"  #: another label took its products and its place
    REPLACES = "replaces"  #: it took another label's
    PLACED = "placed"
    UNDONE = "undone"


class Hanging(NamedTuple):
    """What a label speaks for, where it hangs, and whether it is to leave the shop."""

    skus: tuple[Sku, ...] = ()
    place: str | None = None
    is_retired: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PairingEvent:
    """One step. ``rev`` is what its label wanted by it, 0 where nothing of it shows.

    ``beside`` is the other label of a replacement, ``undone_by`` the step that took it back.
    """

    event_id: int
    store_id: StoreId
    label_id: LabelId
    at: datetime
    actor: str
    action: Action
    before: Hanging
    after: Hanging
    rev: int
    beside: LabelId | None = None
    undone_by: int | None = None


class Ending(StrEnum):
    """How a step ended on the glass."""

    PENDING = "pending"  #: the label has not answered yet
    CONFIRMED = "confirmed"  #: the glass reported it
    SUPERSEDED = "superseded"  #: another step came before the glass reported this one
    FAILED = "failed"  #: given up, or refused
    NONE = "none"  #: nothing of it shows on the glass: a place alone


class Ended(NamedTuple):
    """How a step ended, since when, and of a failure why."""

    ending: Ending
    at: datetime | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Glass:
    """What is known of a label's glass and a step of revision ``rev``.

    ``shown_at`` is when it first reported a picture of this step, with prices as they were then.
    """

    rev: int
    settled_rev: int
    problem: str | None
    shown_at: datetime | None
    has_next: bool  # another step came after it
    is_heard: bool  # the label has ever reported what it shows


def ending_of(glass: Glass) -> Ended:
    """Say how a step ended."""
    if glass.rev == 0:
        return Ended(Ending.NONE)
    if glass.shown_at is not None:
        return Ended(Ending.CONFIRMED, glass.shown_at)
    if glass.has_next:
        return Ended(Ending.SUPERSEDED)
    if glass.problem is not None:
        return Ended(Ending.FAILED, None, glass.problem)
    if glass.is_heard and glass.settled_rev >= glass.rev:
        return Ended(Ending.CONFIRMED)  # nothing to send: it had reported this very picture
    return Ended(Ending.PENDING)


def why_not_undone(
    event: PairingEvent, now_hanging: Hanging, *, newest: int, now: datetime, within: timedelta
) -> str | None:
    """Return why a step cannot be undone, None where it can.

    ``newest`` is the last event of its label, ``now_hanging`` what holds of it.
    """
    if event.undone_by is not None:
        return f"it was undone already, by step {event.undone_by}"
    if now - event.at > within:
        minutes = int(within.total_seconds() // 60)
        return f"it is more than {minutes} minutes old; pair the label as it should be"
    if newest != event.event_id:
        return f"step {newest} of the label {event.label_id!r} came after it; undo that one first"
    if now_hanging != event.after:
        return f"the label {event.label_id!r} was changed since, by another way"
    return None
