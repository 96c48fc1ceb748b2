"""The order that no label of a store shows a price, for emergencies, and its end.

::

    order ──▶ timed shows are called off; every label wants a revision, first in line
      │        each is drawn neutral from then on (`esl.services.neutral`), whatever it wants
      │        prices are taken and kept; promotions begin and end; nothing of it is shown
    end   ──▶ every label wants a revision again, and is drawn with what holds by then

The order is read in the same moment as the truth of a label, so who drew a price before it was
given has drawn for a revision that the label wants no more, and the neutral face follows.
Stop-sending is the stronger: nothing is sent to a frozen store, the neutral face neither.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import structlog
from sqlalchemy import Connection

from esl.domain.ids import GatewayId, LabelId, StoreId
from esl.domain.label import Lane
from esl.domain.panel import Panels
from esl.services.promotions.preview import PUT_S, REFRESH_MA
from esl.store import audit, guarding, labels, neutral_orders, places, staged
from esl.store.neutral_orders import NeutralLabel, NeutralOrder
from esl.store.revisions import take_revision

NAMED_MOST: Final = 100
"""Labels that are named as not reached; all of them are counted."""

FROZEN = "sending is stopped: esl resume STORE"
NO_GATEWAY = "no gateway of the shop has heard it"
GATEWAY_AWAY = "its gateway is away"
DOUBLED = "two labels use its id, so nothing is sent to either"
SILENT = "it was sent its picture several times and does not answer"
_TRIES: Final = 2
"""Pictures without an answer that are nothing unusual."""


log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Behind:
    """A label that cannot be reached now, and why."""

    label_id: LabelId
    gateway_id: GatewayId | None
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """What it costs to tell labels: by the model that promotions are reckoned with.

    ``air_s`` is the busiest gateway's time on the air, ``battery_mah`` what a refresh takes from
    the label that spends most.
    """

    labels: int
    air_s: float
    battery_mah: float


@dataclass(frozen=True, slots=True, kw_only=True)
class NeutralStanding:
    """How far a store's labels have come to show no price, or prices again."""

    order: NeutralOrder | None
    is_frozen: bool
    labels: int
    done: int
    on_their_way: int
    not_reached: int
    reasons: Mapping[str, int]
    behind: tuple[Behind, ...]
    estimate: Estimate  # to turn the store over, as it is now


def order_neutral(
    tx: Connection, store_id: StoreId, now: datetime, *, actor: str, reason: str
) -> tuple[NeutralOrder, tuple[LabelId, ...]]:
    """Let a store show no prices; return the order that holds, and the labels that are told.

    One that holds already stays as it is, with its reason.

    Raises:
        UnknownStore: There is no such store.
    """
    places.lock_store(tx, store_id, to_change=True)
    held = neutral_orders.order_of(tx, store_id)
    if held is not None:
        return held, ()
    order = NeutralOrder(since=now, actor=actor, reason=reason)
    neutral_orders.put_order(tx, store_id, order)
    below = [gateway.gateway_id for gateway in places.list_gateways(tx, store_id)]
    staged.cancel_armed(tx, below, now)
    told, rev = _tell_all(tx, store_id, now)
    _note(tx, store_id, now, action=neutral_orders.BEGAN, actor=actor, reason=reason, told=told)
    log.warning("store is to show no prices", store=store_id, change=rev, labels=len(told))
    return order, told


def end_neutral(
    tx: Connection, store_id: StoreId, now: datetime, *, actor: str
) -> tuple[bool, tuple[LabelId, ...]]:
    """Let a store show prices again; say whether it did not, and which labels are told.

    Raises:
        UnknownStore: There is no such store.
    """
    places.lock_store(tx, store_id, to_change=True)
    if neutral_orders.order_of(tx, store_id) is None:
        return False, ()
    neutral_orders.end_order(tx, store_id)
    told, rev = _tell_all(tx, store_id, now)
    _note(tx, store_id, now, action=neutral_orders.ENDED, actor=actor, reason=None, told=told)
    log.warning("store is to show prices again", store=store_id, change=rev, labels=len(told))
    return True, told


def standing_of(
    tx: Connection, store_id: StoreId, *, online: AbstractSet[GatewayId], panels: Panels
) -> NeutralStanding:
    """Say how far a store has come with its last order, or its end."""
    order = neutral_orders.order_of(tx, store_id)
    is_frozen = guarding.frozen_since(tx, store_id) is not None
    concerned = neutral_orders.standing_of(tx, store_id)
    undone = [one for one in concerned if not _is_done(one, is_ordered=order is not None)]
    behind = [
        Behind(label_id=one.label_id, gateway_id=one.gateway_id, reason=why)
        for one in undone
        if (why := _why_behind(one, online, is_frozen=is_frozen)) is not None
    ]
    return NeutralStanding(
        order=order,
        is_frozen=is_frozen,
        labels=len(concerned),
        done=len(concerned) - len(undone),
        on_their_way=len(undone) - len(behind),
        not_reached=len(behind),
        reasons=dict(sorted(Counter(one.reason for one in behind).items())),
        behind=tuple(behind[:NAMED_MOST]),
        estimate=_estimate(concerned, panels, is_ordered=order is not None),
    )


def _tell_all(tx: Connection, store_id: StoreId, now: datetime) -> tuple[tuple[LabelId, ...], int]:
    """Let all labels want a revision, first in line; return them, and the revision."""
    concerned = neutral_orders.labels_concerned(tx, store_id)
    labels.lock_labels(tx, store_id, concerned)
    rev = take_revision(tx)
    labels.want(tx, concerned, rev, now, lane=Lane.CORRECTION)
    return tuple(concerned), rev


def _is_done(one: NeutralLabel, *, is_ordered: bool) -> bool:
    return one.shows_neutral if is_ordered else one.is_settled and one.problem is None


def _why_behind(
    one: NeutralLabel, online: AbstractSet[GatewayId], *, is_frozen: bool
) -> str | None:
    """Say why a label cannot be told now; None: it is on its way."""
    if is_frozen:
        return FROZEN
    if one.is_doubled:
        return DOUBLED
    if one.problem is not None:
        return one.problem
    if one.gateway_id is None:
        return NO_GATEWAY
    if one.gateway_id not in online:
        return GATEWAY_AWAY
    return SILENT if one.attempts > _TRIES else None


def _estimate(concerned: Sequence[NeutralLabel], panels: Panels, *, is_ordered: bool) -> Estimate:
    to_turn = [one for one in concerned if one.shows_neutral is is_ordered]
    busiest = max(Counter(one.gateway_id for one in to_turn).values(), default=0)
    refresh_s = [p.refresh_s for p in {panels.get(x.panel_id) for x in to_turn} if p is not None]
    return Estimate(
        labels=len(to_turn),
        air_s=busiest * PUT_S,
        battery_mah=max(refresh_s, default=0.0) * REFRESH_MA / 3600.0,
    )


def _note(
    tx: Connection,
    store_id: StoreId,
    now: datetime,
    *,
    action: str,
    actor: str,
    reason: str | None,
    told: Sequence[LabelId],
) -> None:
    audit.note(
        tx,
        now,
        actor=actor,
        action=action,
        subject=store_id,
        store_id=store_id,
        reason=reason,
        detail={"labels": len(told)},
    )
