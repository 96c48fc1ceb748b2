"""What beacons say besides the picture, gathered before it is written.

A converged shop of 10,000 labels beacons each minute and says nothing new. Written as it comes,
that would be several commits a second for ever; gathered, it is two statements every half minute.
What a crash loses of it, the next beacon says again.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

from sqlalchemy import Connection

from esl.domain.ids import LabelId
from esl.store.telemetry import Vitals, write_slots, write_vitals

GATHERED_LONGEST = timedelta(seconds=30)
"""How old what labels said of themselves may become before it is written."""

GATHERED_MOST = 5000
"""Labels whose words wait at most: memory stays bounded however many labels there are."""

SLOTS_WRITTEN_AGAIN_AFTER = timedelta(hours=1)
"""What a transaction that was undone has lost of labels' slots is written by then."""

SLOTS_REMEMBERED_MOST = 200_000


class Telemetry:
    """One process's gathered beacons. Used inside writing transactions, so by one at a time.

    A transaction that is undone after `write_ripe` loses what it wrote: the labels will say it
    again.
    """

    def __init__(self, *, longest: timedelta = GATHERED_LONGEST, most: int = GATHERED_MOST) -> None:
        self._longest = longest
        self._most = most
        self._gathered: dict[LabelId, Vitals] = {}
        self._since: datetime | None = None
        self._slots: dict[LabelId, int] = {}  # what was written of them: a hash
        self._slots_since: datetime | None = None

    def __len__(self) -> int:
        return len(self._gathered)

    def note(self, vitals: Iterable[Vitals]) -> None:
        """Gather what labels said, in the order they said it."""
        for said in vitals:
            before = self._gathered.get(said.label_id)
            self._gathered[said.label_id] = said if before is None else _merged(before, said)
            if self._since is None:
                self._since = said.seen_at

    def write_ripe(self, tx: Connection, now: datetime) -> None:
        """Write what was gathered if it is old or much; call it now and then."""
        if self._since is None:
            return
        if now - self._since >= self._longest or len(self._gathered) >= self._most:
            gathered, self._gathered, self._since = self._gathered, {}, None
            write_vitals(tx, gathered.values())
            self._write_slots(tx, gathered.values(), now)

    def _write_slots(self, tx: Connection, said: Iterable[Vitals], now: datetime) -> None:
        """Write what slots hold where it is not what was written last, all of it once an hour."""
        is_old = self._slots_since is None or now - self._slots_since >= SLOTS_WRITTEN_AGAIN_AFTER
        if is_old or len(self._slots) > SLOTS_REMEMBERED_MOST:
            self._slots, self._slots_since = {}, now
        new = {v.label_id: v.slots for v in said if v.slots is not None}
        changed = {label: s for label, s in new.items() if self._slots.get(label) != hash(s)}
        self._slots |= {label: hash(s) for label, s in changed.items()}
        write_slots(tx, changed)


def _merged(before: Vitals, said: Vitals) -> Vitals:
    return Vitals(
        label_id=said.label_id,
        seen_at=said.seen_at,
        battery_mv=before.battery_mv if said.battery_mv is None else said.battery_mv,
        temperature_c=before.temperature_c if said.temperature_c is None else said.temperature_c,
        rssi_dbm=before.rssi_dbm if said.rssi_dbm is None else said.rssi_dbm,
        firmware=said.firmware or before.firmware,
        slots=said.slots or before.slots,
    )
