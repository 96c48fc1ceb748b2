"""How far a promotion has come on the shelf: labels by gateway and state, stragglers, the end.

::

    planned, put, stored, armed     its next edge's pictures, ahead of their moment
    shown, sent, waiting, stuck     its labels, once an edge has come
    held                            they show what they showed, until the till charges the new price
    later                           in its areas, and its roll-out has not reached them

Labels in other areas never say it, and are not counted.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from esl.domain.ids import LabelId, StoreId
from esl.domain.label import SlotState
from esl.services.promotions.books import promotion_of, selected_skus
from esl.services.promotions.edges import ids_of
from esl.services.promotions.reaching import live_of
from esl.store import flip_pictures, places, promoted, promotion_rows
from esl.store import flips as flip_rows
from esl.store.promotion_rows import StoredPromotion

STRAGGLERS_MOST = 50
RATE_LEAST = 2
"""Labels that have to be done before a rate says anything."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Straggler:
    """A label that does not show yet what it should, and why."""

    label_id: LabelId
    gateway_id: str | None
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """A promotion's standing on the shelf."""

    stored: StoredPromotion
    next_at: datetime | None  # its next edge in any store
    labels: int  # in its areas; its roll-out may not have reached all of them
    later: int  # of them that it has not reached
    by_gateway: Mapping[str, Mapping[str, int]]  # "" hangs below none
    pictures: Mapping[SlotState, int]  # of its next edges, in slots
    stragglers: tuple[Straggler, ...]
    stragglers_in_all: int
    turned_at: datetime | None  # its last edge
    done_at: datetime | None  # an estimate; None: nothing is under way, or nobody can say

    @property
    def counts(self) -> dict[str, int]:
        """Count labels by state, whatever their gateway."""
        total: Counter[str] = Counter()
        for states in self.by_gateway.values():
            total.update(states)
        return dict(total)


def progress_of(
    tx: Connection, promotion_id: str, now: datetime, *, only: StoreId | None = None
) -> Progress:
    """Say how far a promotion has come, in all its stores or in one.

    Raises:
        UnknownPromotion: There is none.
    """
    stored = promotion_rows.promotion_named(tx, promotion_id)
    promotion = promotion_of(stored)
    live, later = live_of(stored), 0
    by_gateway: dict[str, Counter[str]] = {}
    behind: list[tuple[promoted.Standing, str]] = []
    for store_id in promotion_rows.stores_of(tx, promotion_id):
        if only not in (None, store_id):
            continue
        store = places.store_named(tx, store_id)
        skus = selected_skus(tx, store, [promotion])
        label_ids = sorted(
            {label for found in promoted.labels_of(tx, store_id, skus).values() for label in found}
        )
        if live.is_limited:
            places_of = {
                label_id: one.place for label_id, one in promoted.hanging(tx, label_ids).items()
            }
            inside = [one for one in label_ids if live.hangs_in_areas(places_of.get(one))]
            label_ids = [one for one in inside if live.reaches(one, places_of.get(one))]
            later += len(inside) - len(label_ids)
        for one in promoted.standing(tx, label_ids):
            state = "held" if one.is_held and one.state() == "shown" else one.state()
            by_gateway.setdefault(one.gateway_id or "", Counter())[state] += 1
            if state != "shown":
                behind.append((one, state))
    pictures: Counter[SlotState] = Counter()
    for flip in flip_rows.planned_edges(tx):
        if promotion_id in ids_of(flip):
            pictures.update(flip_pictures.count_states(tx, flip.flip_id))
    turned = promotion_rows.last_turned(tx, promotion_id)
    total = later + sum(sum(states.values()) for states in by_gateway.values())
    waiting = {gateway: states["waiting"] for gateway, states in by_gateway.items()}
    stragglers = tuple(
        Straggler(
            label_id=one.label_id,
            gateway_id=one.gateway_id,
            reason=_why(one, state, waiting.get(one.gateway_id or "", 0)),
        )
        for one, state in behind[:STRAGGLERS_MOST]
    )
    return Progress(
        stored=stored,
        next_at=promotion_rows.next_moment(tx, promotion_id),
        labels=total,
        later=later,
        by_gateway={gateway: dict(states) for gateway, states in sorted(by_gateway.items())},
        pictures=dict(pictures),
        stragglers=stragglers,
        stragglers_in_all=len(behind),
        turned_at=turned,
        done_at=_done_at(by_gateway, turned, now),
    )


def _why(one: promoted.Standing, state: str, waiting: int) -> str:
    """Say why a label does not show it; ``waiting`` are to be sent by its gateway, it included."""
    if state == "held":
        return "shows what it showed: the till has not acknowledged the lower price yet"
    if one.problem is not None:
        return f"{one.problem}: {one.problem_detail}" if one.problem_detail else one.problem
    if one.gateway_id is None:
        return "no gateway has heard it"
    if not one.is_online and state in ("waiting", "sent"):
        return f"its gateway {one.gateway_id} is not connected"
    turn = "is sent next"
    if waiting > 1:
        turn = f"waits for its turn: its gateway has {waiting} labels of this promotion to send"
    words = {
        "waiting": turn,
        "sent": "was sent its picture and has not said yet that it shows it",
        "stuck": "was given up",
    }
    return words[state]


def _done_at(
    by_gateway: Mapping[str, Mapping[str, int]], turned: datetime | None, now: datetime
) -> datetime | None:
    """Go on as fast as it went since the edge, on the gateway that has most to do."""
    if turned is None or now <= turned:
        return None
    latest: datetime | None = None
    for states in by_gateway.values():
        left = states.get("waiting", 0) + states.get("sent", 0)
        if not left:
            continue
        done = states.get("shown", 0)
        if done < RATE_LEAST:
            return None
        at = now + (now - turned) * left / done
        latest = at if latest is None else max(latest, at)
    return latest
