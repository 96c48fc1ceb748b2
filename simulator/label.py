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

import numpy as np

from esl.domain.panel import Ink, Panel
from gateway.wire.failures import FailureCode
from gateway.wire.messages import Put, ShowEntry
from renderer.packing import pack
from simulator.picture import Refusal, open_picture

FULL_UV = 3_000_000  # two lithium coin cells in parallel
PAINT_UV = 100  # thousands of refreshes empty them; the first already shows in millivolts
LOWEST_MV = 2_200  # below, charging the panel could brown the label out
ROOM_C = 21
NEAR_DBM = -60
LABEL_FIRMWARE = "sim-1"
NO_DIGEST = b""


@dataclass(frozen=True, slots=True)
class Slot:
    """One picture memory: the revision put there, and the picture; rev 0 is empty."""

    rev: int = 0
    digest: bytes = NO_DIGEST
    pixels: bytes = b""


EMPTY = Slot()


@dataclass(frozen=True, slots=True, eq=False)
class Painting:
    """A refresh under way; ``finish_paint`` puts it on the glass."""

    rev: int
    digest: bytes
    pixels: bytes


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
    """One simulated label. ``asleep`` and ``dead`` labels do not answer."""

    label_id: str
    panel: Panel
    incarnation: int = 1
    epoch: int = 0
    shown_rev: int = 0
    shown_digest: bytes = NO_DIGEST
    shown_pixels: bytes = b""
    slots: list[Slot] = field(default_factory=list)
    painting: Painting | None = None
    paints: int = 0
    battery_uv: int = FULL_UV
    temperature_c: int = ROOM_C
    rssi_dbm: int = NEAR_DBM
    asleep: bool = False
    dead: bool = False

    def __post_init__(self) -> None:
        self.shown_pixels = blank_glass(self.panel)
        self.slots = [EMPTY] * self.panel.slots

    @property
    def answers(self) -> bool:
        """Whether the label hears and answers its gateway."""
        return not (self.asleep or self.dead)

    @property
    def battery_mv(self) -> int:
        """Battery voltage, falling with every refresh."""
        return self.battery_uv // 1000

    # -- what it is told -----------------------------------------------------------------------

    def receive(self, put: Put) -> Done | Painting | Refusal:
        """Take a put: verify the picture, keep it, and begin to paint it if told so."""
        if put.slot >= len(self.slots):
            return Refusal(FailureCode.INVALID_IMAGE_INDEX, f"{len(self.slots)} slots")
        if put.epoch < self.epoch:
            return Refusal(FailureCode.INVALID_STATE, f"bound at epoch {self.epoch}")
        settled = self._judge_rev(put.rev, put.digest) if put.show else self._judge_store(put)
        if settled is not None:
            return settled
        pixels = open_picture(put, self.panel)
        if isinstance(pixels, Refusal):
            return pixels
        self.epoch = put.epoch
        self.slots[put.slot] = slot = Slot(put.rev, put.digest, pixels)
        return self._paint(put.rev, slot) if put.show else Done.STORED

    def show(self, entry: ShowEntry) -> Done | Painting | Refusal:
        """Begin to paint a stored picture, if it is the one that was meant."""
        if entry.slot >= len(self.slots):
            return Refusal(FailureCode.INVALID_IMAGE_INDEX, f"{len(self.slots)} slots")
        settled = self._judge_rev(entry.rev, entry.digest)
        if settled is not None:
            return settled
        slot = self.slots[entry.slot]
        if slot.digest != entry.digest:
            return Refusal(FailureCode.IMAGE_NOT_AVAILABLE)
        return self._paint(entry.rev, slot)

    def finish_paint(self, painting: Painting) -> bool:
        """Put a painting on the glass; False if the label gave it up meanwhile."""
        if self.painting is not painting or self.dead:
            return False
        self.painting = None
        self.shown_rev = painting.rev
        self.shown_digest = painting.digest
        self.shown_pixels = painting.pixels
        self.paints += 1
        self.battery_uv = max(0, self.battery_uv - PAINT_UV)
        return True

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

    def _paint(self, rev: int, slot: Slot) -> Done | Painting | Refusal:
        if slot.digest == self.shown_digest:
            self.shown_rev = rev  # an equal picture is never painted twice
            return Done.SHOWN
        if self.battery_mv < LOWEST_MV:
            return Refusal(FailureCode.INSUFFICIENT_BATTERY, f"{self.battery_mv} mV")
        self.painting = Painting(rev, slot.digest, slot.pixels)
        return self.painting

    # -- what happens to it --------------------------------------------------------------------

    def reboot(self) -> None:
        """Start again: a painting under way is lost, the memory of what it showed is not (L1)."""
        self.painting = None

    def lose_memory(self) -> None:
        """Start again with nothing: new incarnation, empty slots, blank glass (L3)."""
        self.incarnation += 1
        self.epoch = 0
        self.shown_rev = 0
        self.shown_digest = NO_DIGEST
        self.shown_pixels = blank_glass(self.panel)
        self.slots = [EMPTY] * self.panel.slots
        self.painting = None
