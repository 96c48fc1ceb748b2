"""Labels that want somebody's hands, in walking order: walk along, and mend one after the other.

not right (given up, not answering, without gateway) ─┐
open problems of labels (battery, hardware, removal…) ─┼─▶ one list, as one walks past them
what an inspection saw and nothing has mended since ──┘
"""

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Connection

from esl.domain.ids import GatewayId, LabelId, StoreId
from esl.domain.inspection import Item, Seen
from esl.domain.label import Phase
from esl.domain.problem import Problem
from esl.services.placing import labels_in_order
from esl.store import inspections, label_past, pairing_events, problems
from esl.store.shelf_places import places_of_labels
from esl.store.wall import Tile, tiles_of
from esl.store.wall_counts import places_in

SEEN_WITHIN: Final = timedelta(days=30)
"""What was seen longer ago is looked at anew by the next inspection."""

_NOT_RIGHT: Final = (Phase.FAILED, Phase.STRUGGLING, Phase.UNREACHABLE)


@dataclass(frozen=True, slots=True, kw_only=True)
class ToMend:
    """A label to stop at, and why: how it does, its open problems, what somebody saw of it."""

    tile: Tile
    place: str | None
    problems: Sequence[Problem]
    seen: Item | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """A part of a walk: how many stops there are in all, and how many were before these."""

    stops: Sequence[ToMend]
    found: int
    passed: int


def labels_to_mend(
    tx: Connection,
    store_id: StoreId,
    now: datetime,
    *,
    online: AbstractSet[GatewayId],
    area: str | None = None,
    after: str = "",
    limit: int = 100,
) -> Round:
    """List the labels of a store, or of an area, that want hands; those behind ``after``.

    A label that is right meanwhile keeps its place in the walk: what is behind it follows.
    """
    open_problems = problems.problems_of_labels(tx, store_id)
    seen = _seen_and_not_mended(tx, store_id, now)
    wanted = places_in(tx, store_id, online, frozenset(_NOT_RIGHT))
    named = {*open_problems, *seen, LabelId(after)} - wanted.keys()
    beside = places_of_labels(tx, store_id, named)
    hang = wanted | beside
    wanted |= {name: at for name, at in beside.items() if name in open_problems or name in seen}
    walk = labels_in_order(tx, store_id, area=area, by_walk=True, among=hang)
    begins = walk.index(LabelId(after)) + 1 if after in walk else 0
    stops = [label_id for label_id in walk if label_id in wanted]
    passed = sum(1 for one in walk[:begins] if one in wanted)
    ahead = stops[passed : passed + limit]
    tiles = {tile.label.label_id: tile for tile in tiles_of(tx, ahead)}
    return Round(
        stops=[
            ToMend(
                tile=tiles[label_id],
                place=hang.get(label_id),
                problems=open_problems.get(label_id, ()),
                seen=seen.get(label_id),
            )
            for label_id in ahead
            if label_id in tiles
        ],
        found=len(stops),
        passed=passed,
    )


def _seen_and_not_mended(
    tx: Connection, store_id: StoreId, now: datetime
) -> Mapping[LabelId, Item]:
    """Return what was last seen wrong of labels that nobody paired, moved or painted since.

    A wrong price is mended by a newer picture; what is damaged, misplaced or missing is not.
    """
    looked = inspections.last_looks(tx, store_id, since=now - SEEN_WITHIN)
    wrong = {name: item for name, item in looked.items() if item.seen is not Seen.RIGHT}
    touched = pairing_events.last_changed(tx, wrong)
    painted = label_past.last_reported(
        tx, [name for name, item in wrong.items() if item.seen is Seen.WRONG]
    )
    return {
        name: item
        for name, item in wrong.items()
        if not _is_since(item, touched.get(name)) and not _is_since(item, painted.get(name))
    }


def _is_since(item: Item, moment: datetime | None) -> bool:
    return moment is not None and item.seen_at is not None and moment > item.seen_at
