"""How a label does, in the few words that drivers know."""

from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import Connection

from esl.domain.fleet import EMPTY_MV
from esl.domain.ids import GatewayId, StoreId
from esl.domain.label import LabelState, Phase, phase_of
from esl.store.wall import Tile, tiles_of
from esl.store.wall_counts import entries_of

_LOW_MV = EMPTY_MV + 100
_EXCELLENT_DBM = -70
_GOOD_DBM = -85

LABELS_LOOKED_AT = 20_000
"""So many labels of a store are looked at where a filter needs each one's own words."""


class Doing(StrEnum):
    """What became of what a label is to show."""

    SHOWN = "shown"
    SENDING = "sending"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Glance:
    """A label, its product, and how it does."""

    tile: Tile
    doing: Doing
    online: bool

    @property
    def label(self) -> LabelState:
        """Return the label's state."""
        return self.tile.label

    @property
    def code(self) -> str:
        """Return what the maker prints on the label: its id in capitals."""
        return self.label.label_id.upper()

    @property
    def battery(self) -> str | None:
        """Say GOOD, LOW or BAD; None where nobody has measured."""
        mv = self.label.battery_mv
        if mv is None:
            return None
        return "GOOD" if mv >= _LOW_MV else "LOW" if mv >= EMPTY_MV else "BAD"

    @property
    def signal(self) -> str | None:
        """Say EXCELLENT, GOOD or BAD; None where nobody has measured."""
        dbm = self.label.rssi_dbm
        if dbm is None:
            return None
        return "EXCELLENT" if dbm >= _EXCELLENT_DBM else "GOOD" if dbm >= _GOOD_DBM else "BAD"


def glance_at(tile: Tile, online: AbstractSet[GatewayId]) -> Glance:
    """Look at a label."""
    label = tile.label
    is_online = label.gateway_id in online
    return Glance(tile=tile, doing=_doing(label, is_online=is_online), online=is_online)


def glance_at_all(
    tx: Connection, store_id: StoreId, online: AbstractSet[GatewayId], *, start: int, limit: int
) -> list[Glance]:
    """Look at a page of a store's labels: ``limit`` of them from the ``start``-th on, from 0."""
    found = entries_of(tx, store_id, online)[start : start + limit]
    tiles = tiles_of(tx, [entry.label_id for entry in found])
    tiles.sort(key=lambda tile: tile.label.label_id)
    return [glance_at(tile, online) for tile in tiles]


def _doing(label: LabelState, *, is_online: bool) -> Doing:
    match phase_of(label, gateway_online=is_online):
        case Phase.SETTLED:
            return Doing.SHOWN
        case Phase.FAILED | Phase.UNREACHABLE:
            return Doing.FAILED
        case Phase.UNPAIRED:
            is_done = label.settled_rev >= label.wanted_rev and label.due_at is None
            return Doing.SHOWN if is_done else Doing.SENDING
        case _:
            return Doing.SENDING
