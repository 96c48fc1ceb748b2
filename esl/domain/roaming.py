"""Which gateway reaches a label: the one that hears it best, and not another at every breath.

    a beacon of the label through a gateway that is not its own
        own gateway away, or none                        ─▶ this one, at once
        own gateway's sendings come to nothing           ─▶ this one, also if it says so first
        8 dB louder here, three beacons in a row         ─▶ this one
        own gateway silent about it, two beacons running ─▶ this one

    after a move the route stays for two minutes, unless the new gateway goes away

Moving changes the route and nothing else: not the epoch, which belongs to the shop, and not the
revision, which the label itself remembers. What an earlier gateway still holds for it is older
and refused.

Pure: instants are passed in. `Ear` is what one gateway hears of one label.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

BETTER_DB = 8
"""Hysteresis. A person passing by costs a 2.4 GHz link up to 6 dB."""

BETTER_BEACONS = 3
SILENT_BEACONS = 2

STAYS_FOR = timedelta(seconds=120)
"""Two beacons of a minute: the new route must have had its chance."""

FRUITLESS_ATTEMPTS = 2
"""A label that its own gateway did not reach so often is taken by another that hears it."""

NOTED_LATE = timedelta(seconds=60)
"""A row's instant may be this old although the label was heard since: it is written behind."""


@dataclass(slots=True)
class Ear:
    """What one gateway hears of one label: its last beacon, and for how long it was better."""

    session: str = ""
    seq: int = 0
    rssi_dbm: int | None = None
    heard_at: datetime | None = None
    louder: int = 0  # beacons in a row, louder than the own gateway's by the hysteresis
    alone: int = 0  # beacons in a row between which the own gateway heard none
    in_vain: bool = False  # it said that the label does not answer, and has not heard it since

    def is_fresh(self, session: str, seq: int) -> bool:
        """Say whether a beacon is none we had: within a session the numbers rise."""
        return session != self.session or seq > self.seq

    def hear(self, session: str, seq: int, rssi_dbm: int | None, now: datetime) -> None:
        """Note a beacon."""
        self.session, self.seq = session, seq
        self.rssi_dbm = rssi_dbm
        self.heard_at = now
        self.in_vain = False


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnHearing:
    """How the label's own gateway hears it: from memory, or from the label's row if ``late``."""

    rssi_dbm: int | None
    heard_at: datetime | None
    late: bool = False


def compare(ear: Ear, own: OwnHearing, before: datetime | None) -> None:
    """Count what a beacon through another gateway says against the own one.

    ``ear`` has heard the beacon; ``before`` is when it had heard the one before.
    """
    loud = (
        ear.rssi_dbm is not None
        and own.rssi_dbm is not None
        and ear.rssi_dbm >= own.rssi_dbm + BETTER_DB
    )
    ear.louder = ear.louder + 1 if loud else 0
    heard_at = own.heard_at
    if heard_at is not None and own.late:
        heard_at += NOTED_LATE
    alone = before is not None and (heard_at is None or heard_at < before)
    ear.alone = ear.alone + 1 if alone else 0


def is_better(ear: Ear) -> bool:
    """Say whether a gateway has heard a label enough better than its own to take it over."""
    return ear.louder >= BETTER_BEACONS or ear.alone >= SILENT_BEACONS
