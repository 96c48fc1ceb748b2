"""New firmware for a gateway or for its labels of one model: collected, tried, undone if need be.

::

    part ─▶ collecting ─▶ whole, digest fits ── `at`, or at once ─▶ gateway: reboots with it
                                                                  └▶ labels: one after the other
    what does not come up (``boots_firmware`` false) goes back to the old: invalid_state
"""

from collections.abc import Callable, Iterable
from hashlib import sha256

from gateway.wire.failures import FailureCode
from gateway.wire.messages import Firmware
from simulator.agenda import Agenda
from simulator.battery import LOWEST_MV, RADIO_MA
from simulator.label import SimLabel
from simulator.moment import MS_PER_S, Moment
from simulator.parts import PartialFirmware
from simulator.picture import Refusal
from simulator.radio import Radio

GATEWAY_FIRMWARE = "sim-1"
GATEWAY_TARGET = "gateway"
BYTES_MOST = 4 * 1024 * 1024

Tell = Callable[[int, Refusal, str | None], None]
"""Says that a command failed: its id, why, and for which label if for one."""


class FirmwareUpdates:
    """What a gateway does with firmware.

    ``version`` is the gateway's own. ``restart_due`` is set when it must reboot to take a new one
    into use; `take_over` then does. ``boots_firmware`` false is new software that does not start.
    """

    def __init__(
        self, agenda: Agenda, labels: Callable[[], Iterable[SimLabel]], radio: Radio, tell: Tell
    ) -> None:
        self.version = GATEWAY_FIRMWARE
        self.boots_firmware = True
        self.restart_due = False
        self._agenda = agenda
        self._labels = labels
        self._radio = radio
        self._tell = tell
        self._partial = PartialFirmware(BYTES_MOST)
        self._staged: Firmware | None = None
        self._undone: int | None = None  # command whose software did not come up

    def take(self, part: Firmware, now: Moment) -> Refusal | None:
        """Take a part; what is whole and verified is used now or at its instant."""
        if part.target != GATEWAY_TARGET and not any(self._targets(part)):
            return Refusal(FailureCode.UNSUPPORTED, f"nothing here is a {part.target}")
        image = self._partial.take(part)
        if isinstance(image, Refusal):
            return image
        if image is None:
            return None
        if sha256(image).digest() != part.digest:
            return Refusal(FailureCode.BAD_DIGEST)
        if part.at is None:
            self._use(part, now)
        else:
            self._agenda.note(part.at, lambda then: self._use(part, then))
        return None

    def reboot(self) -> None:
        """Start again: parts are lost; what was due to be taken into use comes up, or does not."""
        self._partial = PartialFirmware(BYTES_MOST)
        self.restart_due = False
        if self._staged is None:
            return
        if self.boots_firmware:
            self.version = self._staged.version
        else:
            self._undone = self._staged.id
        self._staged = None

    def speak(self) -> None:
        """Say what could not be said before the reboot: that the new software was undone."""
        if self._undone is not None:
            self._tell(self._undone, Refusal(FailureCode.INVALID_STATE, "undone"), None)
            self._undone = None

    def _targets(self, part: Firmware) -> Iterable[SimLabel]:
        return (label for label in self._labels() if label.panel.panel_id == part.target)

    def _use(self, part: Firmware, now: Moment) -> None:
        if part.target == GATEWAY_TARGET:
            self._staged = part
            self.restart_due = True
            return
        done_s = 0.0
        for label in self._targets(part):
            if label.battery_mv < LOWEST_MV:
                refusal = Refusal(FailureCode.INSUFFICIENT_BATTERY, f"{label.battery_mv} mV")
                self._tell(part.id, refusal, label.label_id)
                continue
            took_s, landed = self._radio.send(part.total, label.rssi_dbm)
            done_s += took_s
            label.spend(RADIO_MA * took_s)
            at_ms = now.wall_ms + round(done_s * MS_PER_S)
            self._agenda.note(at_ms, self._install(part, label, landed=landed))

    def _install(
        self, part: Firmware, label: SimLabel, *, landed: bool
    ) -> Callable[[Moment], None]:
        def install(_: Moment) -> None:
            if not (landed and label.answers):
                self._tell(part.id, Refusal(FailureCode.LABEL_TIMEOUT), label.label_id)
            elif not self.boots_firmware:
                self._tell(part.id, Refusal(FailureCode.INVALID_STATE, "undone"), label.label_id)
            else:
                label.reboot()
                label.firmware = part.version

        return install
