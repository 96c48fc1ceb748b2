"""What gateways say of staged pictures: stored, lost, or come to nothing."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection

from esl.domain.ids import Digest, LabelId
from esl.domain.label import SlotState
from esl.domain.staged import SlotRow
from esl.services.staging import GIVE_UP_AFTER, PAUSE_DOUBLES
from esl.store import staged


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldSlot:
    """A slot's content, in a label's own words."""

    label_id: LabelId
    slot: int
    rev: int
    digest: Digest


def hear_slots(tx: Connection, said: Iterable[HeldSlot], now: datetime) -> list[LabelId]:
    """Note what labels hold in their slots; return those that hold what they were to.

    A slot that holds something else than it should is filled again.
    """
    said = list(said)
    should = staged.held_slots(tx, {s.label_id for s in said})
    stored: list[tuple[LabelId, int]] = []
    lost: list[tuple[LabelId, int]] = []
    for s in said:
        key = s.label_id, s.slot
        if key not in should:
            continue
        row = should[key]
        if (s.rev, s.digest) == (row.rev, row.digest):
            if row.state is SlotState.PUT:
                stored.append(key)
        elif row.state in (SlotState.STORED, SlotState.ARMED):
            lost.append(key)
    staged.set_state(tx, set(stored), SlotState.STORED, now)
    staged.set_state(tx, set(lost) - set(stored), SlotState.PLANNED, now)
    return [label_id for label_id, _ in stored]


@dataclass(frozen=True, slots=True, kw_only=True)
class SlotFailure:
    """A put or a timed show came to nothing; ``again`` says whether it is worth another try."""

    label_id: LabelId
    rev: int
    again: bool
    anew: bool  # the picture must travel again


def hear_failures(
    tx: Connection, failed: Iterable[SlotFailure], now: datetime, *, wait: timedelta
) -> list[LabelId]:
    """Note failures of staged pictures; return the labels concerned.

    What is not worth another try, or came to nothing too often, is sent when its moment comes.
    """
    failed = list(dict.fromkeys(failed))
    should = staged.held_slots(tx, {f.label_id for f in failed})
    touched: list[LabelId] = []
    for (label_id, slot), row in should.items():
        for f in failed:
            if f.label_id != label_id or f.rev not in (row.rev, row.show_rev) or f.rev == 0:
                continue
            touched.append(label_id)
            if row.state is SlotState.CANCELLED:
                continue
            if not f.again:
                staged.set_state(tx, [(label_id, slot)], SlotState.PLANNED, None)
            elif f.anew or f.rev == row.rev:  # putting it again counts
                staged.set_state(tx, [(label_id, slot)], SlotState.PLANNED, now + wait)
            elif row.state is SlotState.ARMED:
                _arm_later(tx, label_id, slot, row, now, wait)
    return touched


def _arm_later(
    tx: Connection, label_id: LabelId, slot: int, row: SlotRow, now: datetime, wait: timedelta
) -> None:
    """Arm a show again that was refused, after longer and longer pauses; at last never.

    The same refusal told twice counts once: the picture is armed no more.
    """
    key = label_id, slot
    if row.attempts >= GIVE_UP_AFTER:
        staged.set_state(tx, [key], SlotState.PLANNED, None)
        return
    pause = wait * 2 ** min(row.attempts, PAUSE_DOUBLES)
    staged.set_state(tx, [key], SlotState.STORED, now + pause, tries=1)
