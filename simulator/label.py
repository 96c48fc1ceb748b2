"""A label on the shelf: what it holds, what its glass shows, and what it refuses.

::

    put ──▶ verified? ──▶ slot ──▶ show: revision above the shown one? ──▶ painting ──▶ glass
              │ no                            │ no                             (seconds)
              ▼                               ▼
          bad_digest …            the very picture it shows: shown, no repaint
                                  anything else: superseded

What survives a reboot is everything but a painting under way; what survives a loss of memory
is nothing, which is why the incarnation then rises (L3). Only *showing* raises the revision the
label remembers (L1); storing does not.
"""

from dataclasses import dataclass, field
from enum import Enum, auto
from functools import cache
from math import ceil

import numpy as np

from esl.domain.panel import Ink, Panel
from gateway.wire.failures import FailureCode
from gateway.wire.messages import Put, ShowEntry
from renderer.packing import pack
from simulator import battery
from simulator.battery import FULL_UV, LOWEST_MV
from simulator.options import Quirks
from simulator.picture import Picture, Refusal, open_picture

__all__ = ["FULL_UV", "LOWEST_MV", "Done", "Painting", "SimLabel", "Slot", "blank_glass"]

ROOM_C = 21
SLOWER_PER_C = 0.03
"""Share by which a refresh takes longer for each degree below room temperature: an assumption,
"slower when cold" being all that makers say (field notes, standards C.5)."""
NEAR_DBM = -60
LABEL_FIRMWARE = "sim-1"
NO_DIGEST = b""
_PLAIN = Quirks()


@dataclass(frozen=True, slots=True)
class Slot:
    """One picture memory: the revision put there, and the picture; rev 0 is empty."""

    rev: int = 0
    digest: bytes = NO_DIGEST
    picture: Picture | None = None


EMPTY = Slot()


@dataclass(frozen=True, slots=True, eq=False)
class Painting:
    """A refresh under way; ``finish_paint`` puts it on the glass."""

    rev: int
    picture: Picture


class Done(Enum):
    """What a label has done by the time it answers."""

    STORED = auto()
    SHOWN = auto()


@cache
def blank_glass(panel: Panel) -> bytes:
    """A packed frame of white, shared by all labels that show nothing."""
    white = np.full((panel.height_px, panel.width_px), Ink.WHITE, np.uint8)
    return pack(white, panel)


@dataclass(slots=True, eq=False)
class SimLabel:
    """One simulated label. ``asleep`` and ``dead`` ones do not answer, ``stuck`` ones can't paint.

    ``glass`` None is blank. With ``wakes_every_s`` it listens at those moments only.
    ``fails_next`` is how it answers the next thing it is told, whatever that is.
    ``clock_off_ms`` is how far its own clock is off when a timed show comes.
    """

    label_id: str
    panel: Panel
    incarnation: int = 1
    epoch: int = 0
    shown_rev: int = 0
    shown_digest: bytes = NO_DIGEST
    glass: Picture | None = None
    slots: list[Slot] = field(default_factory=list)
    painting: Painting | None = None
    paints: int = 0
    battery_uv: float = FULL_UV
    battery_mah: float = battery.CAPACITY_MAH
    temperature_c: int = ROOM_C
    coldest_c: int = -60
    rssi_dbm: int = NEAR_DBM
    firmware: str = LABEL_FIRMWARE
    quirks: Quirks = _PLAIN
    asleep: bool = False
    dead: bool = False
    stuck: bool = False
    fails_next: FailureCode | None = None
    wakes_every_s: float = 0.0
    wakes_after_s: float = 0.0
    rests_until_s: float = 0.0
    lived_until_s: float | None = None
    clock_off_ms: int = 0
    light: tuple[int, float] | None = None  # colour, and until when by the monotonic clock

    def __post_init__(self) -> None:
        self.slots = [EMPTY] * self.panel.slots

    @property
    def shown_pixels(self) -> bytes:
        """What the glass shows, as packed pixels."""
        return blank_glass(self.panel) if self.glass is None else self.glass.frame()

    @shown_pixels.setter
    def shown_pixels(self, pixels: bytes) -> None:
        self.glass = Picture.whole(pixels)

    @property
    def answers(self) -> bool:
        """Whether the label hears and answers its gateway."""
        return not (self.asleep or self.dead)

    @property
    def battery_mv(self) -> int:
        """Battery voltage, falling with everything the label does."""
        return int(self.battery_uv // 1000)

    @property
    def refresh_s(self) -> float:
        """What a refresh of its panel takes at its temperature."""
        return self.panel.refresh_s * (1 + SLOWER_PER_C * max(0, ROOM_C - self.temperature_c))

    @property
    def cannot_paint(self) -> bool:
        """Whether a refresh would come to nothing: a broken panel, or too cold."""
        return self.stuck or self.temperature_c < self.coldest_c

    # -- when it listens -----------------------------------------------------------------------

    def next_wake_s(self, now_s: float) -> float:
        """When it listens next, by the monotonic clock: now, if always or just now."""
        if not self.wakes_every_s:
            return now_s
        turns = ceil((now_s - self.wakes_after_s) / self.wakes_every_s - 1e-9)
        return max(now_s, self.wakes_after_s + turns * self.wakes_every_s)

    def woke_between(self, since_s: float, now_s: float) -> bool:
        """Say whether it woke after one moment and until another."""
        every_s, after_s = self.wakes_every_s, self.wakes_after_s
        return (now_s - after_s) // every_s > (since_s - after_s) // every_s

    # -- what it is told -----------------------------------------------------------------------

    def receive(self, put: Put) -> Done | Painting | Refusal:
        """Take a put: verify the picture, keep it, and begin to paint it if told so."""
        if self.fails_next is not None:
            return self._fail()
        if put.slot >= len(self.slots):
            return self._no_such_slot()
        if put.epoch < self.epoch:
            return Refusal(FailureCode.INVALID_STATE, f"bound at epoch {self.epoch}")
        settled = self._judge_rev(put.rev, put.digest) if put.show else self._judge_store(put)
        if settled is not None:
            return settled
        picture = open_picture(put, self.panel, self._find_held)
        if isinstance(picture, Refusal):
            return picture
        self.epoch = put.epoch
        self.slots[put.slot] = Slot(put.rev, put.digest, picture)
        return self._paint(put.rev, picture) if put.show else Done.STORED

    def show(self, entry: ShowEntry) -> Done | Painting | Refusal:
        """Begin to paint a stored picture, if it is the one that was meant."""
        if self.fails_next is not None:
            return self._fail()
        if entry.slot >= len(self.slots):
            return self._no_such_slot()
        settled = self._judge_rev(entry.rev, entry.digest)
        if settled is not None:
            return settled
        slot = self.slots[entry.slot]
        if slot.picture is None or slot.digest != entry.digest:
            return Refusal(FailureCode.IMAGE_NOT_AVAILABLE)
        return self._paint(entry.rev, slot.picture)

    def finish_paint(self, painting: Painting) -> bool:
        """Put a painting on the glass; False if the label gave it up meanwhile."""
        if self.painting is not painting or self.dead:
            return False
        self.painting = None
        self.spend(battery.REFRESH_MA * self.refresh_s)
        if self.cannot_paint:
            return False
        self.shown_rev = painting.rev
        self.shown_digest = painting.picture.digest
        self.glass = painting.picture
        self.paints += 1
        return True

    def forget(self, epoch: int) -> None:
        """Leave the shop at the end of this epoch: slots are emptied, the glass stays."""
        self.epoch = max(self.epoch, epoch + 1)
        self.slots = [EMPTY] * self.panel.slots

    def _judge_rev(self, rev: int, digest: bytes) -> Done | Refusal | None:
        """L1: nothing but a higher revision is painted; None means: go on."""
        if self.painting is not None:
            return Refusal(FailureCode.INVALID_STATE, "painting")
        if rev > self.shown_rev:
            return None
        if rev == self.shown_rev and digest == self.shown_digest:
            return Done.SHOWN
        return Refusal(FailureCode.SUPERSEDED, f"shows revision {self.shown_rev}")

    def _judge_store(self, put: Put) -> Done | Refusal | None:
        held = self.slots[put.slot]
        if put.rev > held.rev:
            return None
        if put.rev == held.rev and put.digest == held.digest:
            return Done.STORED
        return Refusal(FailureCode.SUPERSEDED, f"the slot holds revision {held.rev}")

    def _find_held(self, digest: bytes) -> Picture | None:
        if self.glass is not None and digest == self.shown_digest:
            return self.glass
        return next((slot.picture for slot in self.slots if slot.digest == digest), None)

    def _no_such_slot(self) -> Refusal:
        return Refusal(self.quirks.index_error, f"{len(self.slots)} slots")

    def _fail(self) -> Refusal:
        code, self.fails_next = self.fails_next or FailureCode.UNSPECIFIED_ERROR, None
        return Refusal(code, "as it was told to fail")

    def _paint(self, rev: int, picture: Picture) -> Done | Painting | Refusal:
        if picture.digest == self.shown_digest:
            self.shown_rev = rev  # an equal picture is never painted twice
            return Done.SHOWN
        if self.battery_mv < LOWEST_MV:
            return Refusal(FailureCode.INSUFFICIENT_BATTERY, f"{self.battery_mv} mV")
        self.painting = Painting(rev, picture)
        return self.painting

    # -- what happens to it --------------------------------------------------------------------

    def spend(self, mas: float) -> None:
        """Take milliampere-seconds from the battery; what has none left dies."""
        self.battery_uv = max(0.0, self.battery_uv - battery.fall_uv(mas, self.battery_mah))
        if self.battery_mv < battery.DEAD_MV:
            self.dead = True

    def live_until(self, now_s: float, *, listens_every_s: float) -> None:
        """Pay for the time since last asked: standby, and listening so often."""
        since_s, self.lived_until_s = self.lived_until_s, now_s
        if since_s is not None and now_s > since_s:
            ma = battery.STANDBY_MA + battery.CHECK_IN_MAS / (self.wakes_every_s or listens_every_s)
            self.spend(ma * (now_s - since_s))

    def change_battery(self) -> None:
        """Put a full battery in; the label starts with nothing."""
        self.battery_uv = FULL_UV
        self.dead = False
        self.lose_memory()

    def reboot(self) -> None:
        """Start again: a painting under way is lost, the memory of what it showed is not (L1)."""
        self.painting = None

    def lose_memory(self) -> None:
        """Start again with nothing: new incarnation, empty slots, blank glass (L3)."""
        self.incarnation += 1
        self.epoch = 0
        self.shown_rev = 0
        self.shown_digest = NO_DIGEST
        self.glass = None
        self.slots = [EMPTY] * self.panel.slots
        self.painting = None
        self.light = None
