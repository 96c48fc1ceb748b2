"""Staged pictures on their way into slots: rows in and out, in batches."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    and_,
    bindparam,
    case,
    delete,
    func,
    or_,
    select,
    update,
)

from esl.domain.ids import Digest, GatewayId, LabelId, PanelId
from esl.domain.label import SlotState
from esl.domain.staged import FlipState, SlotRow, Staged
from esl.store.columns import AnyRow
from esl.store.tables import flips, gateways, issued, labels, staged
from esl.store.upsert import in_batches, insert_if_new

_LEVELS: Final = ("staged", "full")
"""Levels of gateways that fill slots and keep timed shows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PutNoted:
    """A picture about to be put into a slot as a revision, or put again as the same."""

    label_id: LabelId
    slot: int
    rev: int
    digest: Digest
    gateway_id: GatewayId
    due_at: datetime
    attempts: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ArmNoted:
    """A timed show about to be armed."""

    label_id: LabelId
    slot: int
    show_rev: int
    digest: Digest
    gateway_id: GatewayId
    session: str
    template: str


def any_staged(tx: Connection) -> bool:
    """Say whether anything is staged: the cheap question before all others."""
    return tx.execute(select(staged.c.label_id).limit(1)).first() is not None


def shows_due(
    tx: Connection,
    online: Collection[GatewayId],
    timely: Collection[GatewayId],
    now: datetime,
    *,
    limit: int,
) -> list[Staged]:
    """List timed shows to arm and to cancel, the earliest moment first.

    Shows are armed below ``timely`` gateways alone, and cancelled below all that are ``online``.
    """
    if not online:
        return []
    is_cancelled = and_(
        staged.c.state == int(SlotState.CANCELLED),
        staged.c.due_at <= now,
        labels.c.gateway_id.in_(sorted(online)),
    )
    is_to_arm = and_(_is_at_hand(timely, now), ~_IS_TO_PUT)
    query = (
        _staged()
        .where(gateways.c.level.in_(_LEVELS), or_(is_cancelled, is_to_arm))
        .order_by(staged.c.show_at, staged.c.label_id, staged.c.slot)
        .limit(limit)
    )
    return [_staged_from(row) for row in tx.execute(query)]


def puts_due(
    tx: Connection, room: Mapping[GatewayId, int], now: datetime, *, limit: int
) -> list[Staged]:
    """List pictures to put, the earliest moment first: of each gateway as many as it takes.

    Gateways without room are not asked for: what waits for them keeps nobody waiting.
    """
    free = {gateway_id: count for gateway_id, count in room.items() if count > 0}
    if not free:
        return []
    order = (staged.c.show_at, staged.c.label_id, staged.c.slot)
    place = func.row_number().over(partition_by=labels.c.gateway_id, order_by=order)
    ranked = (
        _staged()
        .add_columns(place.label("place"))
        .where(gateways.c.level.in_(_LEVELS), _is_at_hand(free, now), _IS_TO_PUT)
        .subquery()
    )
    query = (
        select(ranked)
        .where(ranked.c.place <= max(free.values()))
        .order_by(ranked.c.place, ranked.c.show_at, ranked.c.label_id, ranked.c.slot)
        .limit(limit)
    )
    rows = [row for row in tx.execute(query) if row.place <= free[row.gateway_id]]
    return [_staged_from(row) for row in rows]


def _is_at_hand(gateway_ids: Iterable[GatewayId], now: datetime) -> ColumnElement[bool]:
    """Say of a staged picture whether it is to be looked at now, below one of these gateways.

    It is due; or it is armed and its label wants something newer, hangs below another gateway,
    or its gateway began a session since. A label that has something to show now is left alone
    till it shows that. What is cancelled is another matter.
    """
    outdated = and_(
        staged.c.due_at.is_(None),
        staged.c.state == int(SlotState.ARMED),
        or_(
            labels.c.wanted_rev > staged.c.show_rev,
            staged.c.gateway_id != labels.c.gateway_id,
            staged.c.session != gateways.c.session,
        ),
    )
    return and_(
        labels.c.gateway_id.in_(sorted(gateway_ids)),
        gateways.c.clock_trusted.is_(True),
        staged.c.state != int(SlotState.CANCELLED),
        or_(staged.c.due_at <= now, outdated),
        _IS_QUIET,
    )


def armed_below(tx: Connection, gateway_ids: Collection[GatewayId]) -> frozenset[GatewayId]:
    """Say below which of these gateways timed shows are armed."""
    if not gateway_ids:
        return frozenset()
    query = select(staged.c.gateway_id).where(_is_armed_below(gateway_ids)).distinct()
    return frozenset(GatewayId(gateway_id) for gateway_id in tx.execute(query).scalars())


def cancel_armed(tx: Connection, gateway_ids: Collection[GatewayId], now: datetime) -> int:
    """Cancel what is armed below these gateways; it is sent when its moment comes."""
    cancelled = (
        update(staged)
        .where(_is_armed_below(gateway_ids))
        .values(state=int(SlotState.CANCELLED), due_at=now)
    )
    return int(tx.execute(cancelled).rowcount)


def _is_armed_below(gateway_ids: Iterable[GatewayId]) -> ColumnElement[bool]:
    return and_(
        staged.c.state == int(SlotState.ARMED), staged.c.gateway_id.in_(sorted(gateway_ids))
    )


def shown_early(
    tx: Connection, label_ids: Iterable[LabelId], until: datetime
) -> list[tuple[LabelId, int]]:
    """List pictures of these labels that are on the glass, though their moment comes later.

    Those of flips that are still to begin after ``until``, whose labels want nothing newer yet.
    """
    found: list[tuple[LabelId, int]] = []
    for batch in in_batches(sorted(set(label_ids))):
        query = (
            select(staged.c.label_id, staged.c.slot)
            .join(labels, labels.c.label_id == staged.c.label_id)
            .join(flips, flips.c.flip_id == staged.c.flip_id)
            .where(
                staged.c.label_id.in_(batch),
                staged.c.show_rev == labels.c.shown_rev,
                labels.c.wanted_rev <= staged.c.show_rev,
                staged.c.show_at > until,
                flips.c.state == int(FlipState.PLANNED),
            )
        )
        found += [(LabelId(row.label_id), int(row.slot)) for row in tx.execute(query)]
    return found


def postpone(tx: Connection, keys: Iterable[tuple[LabelId, int]], due_at: datetime | None) -> None:
    """Look at staged pictures again at a moment, or never."""
    rows = [{"the_label": label, "the_slot": slot} for label, slot in sorted(keys)]
    if rows:
        tx.execute(update(staged).where(_KEY).values(due_at=due_at), rows)


def note_puts(tx: Connection, puts: Sequence[PutNoted]) -> None:
    """Note pictures about to be put; a show that was armed before is none any more."""
    if puts:
        tx.execute(
            update(staged)
            .where(_KEY)
            .values(
                rev=bindparam("new_rev"),
                digest=bindparam("new_digest"),
                state=int(SlotState.PUT),
                show_rev=None,
                gateway_id=bindparam("new_gateway"),
                due_at=bindparam("new_due", type_=staged.c.due_at.type),
                attempts=bindparam("new_attempts"),
            ),
            [
                {
                    "the_label": p.label_id,
                    "the_slot": p.slot,
                    "new_rev": p.rev,
                    "new_digest": p.digest,
                    "new_gateway": p.gateway_id,
                    "new_due": p.due_at,
                    "new_attempts": p.attempts,
                }
                for p in puts
            ],
        )


def note_arms(tx: Connection, arms: Sequence[ArmNoted], now: datetime) -> None:
    """Note timed shows about to be armed: what they will show is issued from here on."""
    if not arms:
        return
    insert_if_new(
        tx,
        issued,
        [
            {
                "label_id": a.label_id,
                "rev": a.show_rev,
                "digest": a.digest,
                "gateway_id": a.gateway_id,
                "template": a.template,
                "issued_at": now,
            }
            for a in arms
        ],
    )
    tx.execute(
        update(staged)
        .where(_KEY)
        .values(
            show_rev=bindparam("new_rev"),
            state=int(SlotState.ARMED),
            gateway_id=bindparam("new_gateway"),
            session=bindparam("new_session"),
            due_at=None,
        ),
        [
            {
                "the_label": a.label_id,
                "the_slot": a.slot,
                "new_rev": a.show_rev,
                "new_gateway": a.gateway_id,
                "new_session": a.session,
            }
            for a in arms
        ],
    )
    tx.execute(
        update(labels)
        .where(labels.c.label_id == bindparam("the_label"))
        .values(
            sent_rev=case(
                (labels.c.sent_rev < bindparam("new_rev"), bindparam("new_rev")),
                else_=labels.c.sent_rev,
            )
        ),
        [{"the_label": a.label_id, "new_rev": a.show_rev} for a in arms],
    )


def held_slots(tx: Connection, label_ids: Iterable[LabelId]) -> dict[tuple[LabelId, int], SlotRow]:
    """Load what these labels' slots should hold, locked."""
    found: dict[tuple[LabelId, int], SlotRow] = {}
    for batch in in_batches(sorted(set(label_ids))):
        query = select(staged).where(staged.c.label_id.in_(batch)).with_for_update()
        for row in tx.execute(query):
            found[LabelId(row.label_id), int(row.slot)] = SlotRow(
                rev=int(row.rev),
                digest=Digest(row.digest),
                state=SlotState(row.state),
                show_rev=row.show_rev,
                attempts=int(row.attempts),
            )
    return found


def set_state(
    tx: Connection,
    keys: Iterable[tuple[LabelId, int]],
    state: SlotState,
    due_at: datetime | None,
    *,
    tries: int = 0,
) -> None:
    """Move staged pictures to a state, to be looked at again at a moment, or never.

    ``tries`` more attempts at them came to nothing.
    """
    rows = [{"the_label": label, "the_slot": slot} for label, slot in sorted(keys)]
    if rows:
        tried = staged.c.attempts + tries
        values = {"state": int(state), "due_at": due_at, "attempts": tried}
        tx.execute(update(staged).where(_KEY).values(values), rows)


def drop_pictures(tx: Connection, keys: Iterable[tuple[LabelId, int]]) -> None:
    """Forget staged pictures; the slots are free."""
    rows = [{"the_label": label, "the_slot": slot} for label, slot in sorted(keys)]
    if rows:
        tx.execute(delete(staged).where(_KEY), rows)


_KEY = and_(staged.c.label_id == bindparam("the_label"), staged.c.slot == bindparam("the_slot"))


_IS_QUIET = and_(
    labels.c.settled_rev >= labels.c.wanted_rev,
    labels.c.due_at.is_(None),
    labels.c.problem.is_(None),
    labels.c.quarantine == 0,
)


_IS_TO_PUT = or_(
    staged.c.state.in_((int(SlotState.PLANNED), int(SlotState.PUT))),
    and_(
        labels.c.wanted_rev > staged.c.rev,
        labels.c.wanted_rev > func.coalesce(staged.c.show_rev, 0),
    ),
)
"""Says of a staged picture that it is to be drawn anew, as `esl.domain.staged.next_step` does."""


def _staged() -> Select[Any]:
    return (
        select(
            staged.c.label_id,
            staged.c.slot,
            staged.c.flip_id,
            staged.c.rev,
            staged.c.digest,
            staged.c.show_at,
            staged.c.show_rev,
            staged.c.state,
            staged.c.attempts,
            labels.c.gateway_id,
            labels.c.panel_id,
            gateways.c.level,
            labels.c.wanted_rev,
            labels.c.settled_rev,
            labels.c.shown_rev,
            case((_IS_QUIET, 1), else_=0).label("is_quiet"),
        )
        .join(labels, labels.c.label_id == staged.c.label_id)
        .join(gateways, gateways.c.gateway_id == labels.c.gateway_id)
    )


def _staged_from(row: AnyRow) -> Staged:
    return Staged(
        label_id=LabelId(row.label_id),
        slot=int(row.slot),
        flip_id=int(row.flip_id),
        rev=int(row.rev),
        digest=Digest(row.digest),
        show_at=row.show_at,
        show_rev=row.show_rev,
        state=SlotState(row.state),
        attempts=int(row.attempts),
        gateway_id=GatewayId(row.gateway_id),
        panel_id=PanelId(row.panel_id),
        level=row.level,
        wanted_rev=int(row.wanted_rev),
        settled_rev=int(row.settled_rev),
        shown_rev=int(row.shown_rev),
        is_quiet=bool(row.is_quiet),
    )
