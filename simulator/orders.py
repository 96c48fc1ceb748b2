"""What a gateway is told, and what comes of it: one method a command.

::

    put ──▶ level? parts? ──▶ queue ──▶ stored, shown, failed       show at ──▶ timed ──▶ queue
    led, forget, config, time, report, cancel, firmware ──▶ done here, accepted
"""

from collections.abc import Callable, Iterable, Mapping
from random import Random

from gateway.wire.failures import FailureCode
from gateway.wire.messages import (
    RAW,
    XOR_ZLIB,
    ZLIB,
    AnyEvent,
    Cancel,
    Command,
    Config,
    Firmware,
    Forget,
    Led,
    Put,
    Report,
    Show,
    ShowEntry,
    Time,
)
from simulator.agenda import Agenda
from simulator.firmware import FirmwareUpdates
from simulator.label import Done, SimLabel
from simulator.moment import Moment
from simulator.options import BASIC, FULL, GatewayOptions
from simulator.parts import PartialPictures
from simulator.picture import Refusal
from simulator.queue import Answer, Queued, Work, WorkQueue
from simulator.radio import Radio
from simulator.results import Results
from simulator.timed import Timed, TimedShows, is_plausible
from simulator.voice import Voice

TRUSTED_MS = 1000
"""A clock that is off by more has no source of time, whatever it thinks."""
_PATTERN_BITS = 40


class Orders:
    """The commands of one gateway.

    Args:
        labels: The labels in its range, by id; may change.
        voice: Where its answers go.
        forward: Passes on what labels show.
        configure: Takes the settings that are not the queue's.
        powered: Says whether the gateway has power.
        clock_off_ms: How far its clock is off.
        random: Chance of painting and radio.
        options: How gateway and labels behave.
    """

    def __init__(
        self,
        labels: Mapping[str, SimLabel],
        voice: Voice,
        *,
        forward: Callable[[Iterable[SimLabel]], None],
        configure: Callable[[Config, Moment], None],
        powered: Callable[[], bool],
        clock_off_ms: Callable[[], int],
        random: Random,
        options: GatewayOptions,
    ) -> None:
        radio = Radio(options.radio, random)
        self.queue = WorkQueue(
            self._answer, self.reaches, radio=radio, random=random, options=options
        )
        self.agenda = Agenda()
        self.firmware = FirmwareUpdates(self.agenda, labels.values, radio, self._tell)
        self.timed = TimedShows(self.agenda, self._fire, self._can_tell, options.timed_kept)
        self.results = Results()
        self._labels = labels
        self._voice = voice
        self._forward = forward
        self._configure = configure
        self._powered = powered
        self._clock_off_ms = clock_off_ms
        self._options = options
        self._parts = PartialPictures()

    def reaches(self, label: SimLabel) -> bool:
        """Say whether a label is in range and answers."""
        return label.answers and self._labels.get(label.label_id) is label

    def reboot(self) -> None:
        """Lose what a power cut loses: everything but pending shows."""
        self.queue.forget()
        self.queue.capacity = self._options.capacity
        self.results.forget()
        self._parts.forget()
        self.firmware.reboot()

    def advance(self, now: Moment) -> None:
        """Do everything that is due."""
        self.queue.advance(now)
        self.agenda.advance(now)

    # -- commands ------------------------------------------------------------------------------

    def obey(self, command: Command, own: Moment) -> None:
        """Do what a command says, or answer why not."""
        if isinstance(command, Put):
            self._put(command, own)
        elif isinstance(command, Firmware) and self._options.level == FULL:
            self._take_firmware(command, own)  # parts share an id, hence before duplicates
        elif self._is_new(command.id):
            refusal = self._judge(command, own)
            if refusal is not None:
                self._keep(command.id, self._voice.failed(command.id, refusal))
            else:
                self._do(command, own)

    def _judge(self, command: Command, own: Moment) -> Refusal | None:
        """What is wrong with a command as a whole: its level, or its instant."""
        level = self._options.level
        needs_full = isinstance(command, Led | Forget | Firmware | Time | Config)
        if (needs_full and level != FULL) or (
            isinstance(command, Show | Cancel) and level == BASIC
        ):
            return Refusal(FailureCode.UNSUPPORTED, f"{command.name} at level {level}")
        return self._judge_instant(command.at, own) if isinstance(command, Show | Led) else None

    def _judge_instant(self, at_ms: int | None, own: Moment) -> Refusal | None:
        if at_ms is None:
            return None
        if abs(self._clock_off_ms()) > TRUSTED_MS:
            return Refusal(FailureCode.UNSUPPORTED, "the clock is not to be trusted")
        if is_plausible(at_ms, own):
            return None
        return Refusal(FailureCode.IMPLAUSIBLE_ABSOLUTE_TIME, "not ahead, or by more than 48 days")

    def _do(self, command: Command, own: Moment) -> None:
        match command:
            case Show():
                self._show(command, own)
                return
            case Cancel():
                for entry in command.entries:
                    self.timed.cancel(entry.label, entry.rev, own)
            case Led():
                self._light(command, own)
            case Report():
                self._report(command)
            case Forget() if not self._forget(command):
                return
            case Config():
                if command.window is not None:
                    self.queue.capacity = min(command.window, self._options.capacity)
                self._configure(command, own)
            case _:
                pass  # time: a clock that is off stays off, the skew is what is being simulated
        self._voice.accepted(command.id)

    # -- pictures ------------------------------------------------------------------------------

    def _put(self, put: Put, own: Moment) -> None:
        if put.id not in self._parts and not self._is_new(put.id):
            return
        refusal = self._judge_put(put)
        if refusal is not None:
            self._fail(put, refusal)
            return
        for replaced in self._parts.give_way(put):
            self._fail(replaced, Refusal(FailureCode.SUPERSEDED, "a newer revision came"))
        if put.offset is not None:
            self._take_part(put, own)
        else:
            self._offer(put.id, put, own, deadline_ms=put.deadline)

    def _judge_put(self, put: Put) -> Refusal | None:
        level = self._options.level
        if level == BASIC and not put.show:
            return Refusal(FailureCode.UNSUPPORTED, f"stored pictures at level {level}")
        if level != FULL and (put.offset is not None or put.encoding not in (RAW, ZLIB)):
            return Refusal(FailureCode.UNSUPPORTED, f"parts and {XOR_ZLIB} at level {level}")
        return None if put.label in self._labels else Refusal(FailureCode.UNKNOWN_LABEL)

    def _take_part(self, part: Put, own: Moment) -> None:
        begun = part.id in self._parts
        taken = self._parts.take(part)
        if isinstance(taken, Put):
            self._offer(taken.id, taken, own, deadline_ms=taken.deadline)
        elif taken is not None:
            self._fail(part, taken)
        elif not begun:
            self._voice.accepted(part.id)
            self.agenda.note(part.deadline, lambda _: self._expire(part.id))

    def _expire(self, command_id: int) -> None:
        first = self._parts.give_up(command_id)
        if first is not None:
            self._fail(first, Refusal(FailureCode.EXPIRED, "parts are missing"))

    def _show(self, command: Show, own: Moment) -> None:
        for entry in command.entries:
            if command.at is None:
                self._offer(command.id, entry, own)
                continue
            label = self._labels.get(entry.label)
            if label is None:
                self._fail_entry(command.id, entry, Refusal(FailureCode.UNKNOWN_LABEL))
            elif refusal := self.timed.arm(command.id, label, entry, command.at, own):
                self._fail_entry(command.id, entry, refusal)
        if command.at is not None:
            self._voice.accepted(command.id)

    def _fire(self, timed: Timed, now: Moment) -> bool:
        """The instant of a pending show has come."""
        label = timed.label
        work = Work(timed.command_id, label, timed.entry)
        if timed.handed:
            if label.painting is not None and not self.queue.is_busy(label.label_id):
                return False  # it ends a painting that this gateway no longer knows of
            self.queue.perform(work, now)
            return True
        if not self._powered():
            return False
        self.queue.offer(work, now)
        return True

    def _can_tell(self, label: SimLabel) -> bool:
        return self._powered() and self.reaches(label)

    def _offer(
        self,
        command_id: int,
        order: Put | ShowEntry,
        own: Moment,
        *,
        deadline_ms: int | None = None,
    ) -> None:
        label = self._labels.get(order.label)
        if label is not None:
            self.queue.offer(Work(command_id, label, order, deadline_ms), own)
        else:
            self._fail_entry(command_id, order, Refusal(FailureCode.UNKNOWN_LABEL))

    # -- the others ----------------------------------------------------------------------------

    def _light(self, command: Led, own: Moment) -> None:
        for label_id in command.labels:
            label = self._labels.get(label_id)
            if label is None:
                self._tell(command.id, Refusal(FailureCode.UNKNOWN_LABEL), label_id)
            elif command.at is None:
                _blink(label, command, own)
            else:
                self.agenda.note(command.at, _blinking(label, command))

    def _report(self, command: Report) -> None:
        if not command.labels:
            self._forward(self._labels.values())
            return
        for label_id in command.labels:
            label = self._labels.get(label_id)
            if label is None:
                self._tell(command.id, Refusal(FailureCode.UNKNOWN_LABEL), label_id)
            else:
                self._forward([label])

    def _forget(self, command: Forget) -> bool:
        """Let go of a label; False where it is bound at a higher epoch."""
        label = self._labels.get(command.label)
        if label is not None and label.epoch > command.epoch:
            refusal = Refusal(FailureCode.INVALID_STATE, f"bound at epoch {label.epoch}")
            self._tell(command.id, refusal, command.label)
            return False
        gone = Refusal(FailureCode.SUPERSEDED, "the label was forgotten")
        for work in self.queue.drop(command.label):
            self._answer(work, gone)
        for first in self._parts.drop_label(command.label):
            self._fail(first, gone)
        self.timed.drop_label(command.label)
        if label is not None and self.reaches(label):
            label.forget(command.epoch)
        return True

    def _take_firmware(self, part: Firmware, own: Moment) -> None:
        refusal = self._judge_instant(part.at, own) or self.firmware.take(part, own)
        if refusal is not None:
            self._keep(part.id, self._voice.failed(part.id, refusal))
        else:
            self._voice.accepted(part.id)

    # -- answers -------------------------------------------------------------------------------

    def _is_new(self, command_id: int) -> bool:
        """G8: an id that was seen before is answered with what came of it."""
        known = self.results.begin(command_id)
        if known is None:
            return True
        for event in known:
            self._voice.repeat(event)
        if not known:
            self._voice.accepted(command_id)
        return False

    def _answer(self, work: Work, answer: Answer) -> None:
        """Tell the controller what came of a piece of work."""
        command_id, label, order = work.command_id, work.label, work.order
        match answer:
            case Queued():
                self._voice.accepted(command_id)
                return
            case Done.SHOWN:
                event = self._voice.shown(command_id, label)
            case Done.STORED:
                event = self._voice.stored(command_id, label, order.slot, label.slots[order.slot])
            case Refusal():
                event = self._voice.failed(command_id, answer, order.label, order.rev)
        self._keep(command_id, event)
        if isinstance(answer, Refusal) and answer.code is FailureCode.SUPERSEDED:
            self._forward([label])  # what it shows decides

    def _fail(self, put: Put, refusal: Refusal) -> None:
        self._fail_entry(put.id, put, refusal)

    def _fail_entry(self, command_id: int, order: Put | ShowEntry, refusal: Refusal) -> None:
        event = self._voice.failed(command_id, refusal, order.label, order.rev)
        self._keep(command_id, event)

    def _tell(self, command_id: int, refusal: Refusal, label_id: str | None) -> None:
        self._keep(command_id, self._voice.failed(command_id, refusal, label_id))

    def _keep(self, command_id: int, event: AnyEvent) -> None:
        self.results.keep(command_id, event)


def _blinking(label: SimLabel, command: Led) -> Callable[[Moment], None]:
    return lambda now: _blink(label, command, now)


def _blink(label: SimLabel, command: Led, now: Moment) -> None:
    """Light a label for as long as the pattern plays, or switch it off."""
    if not label.answers:
        return
    steps = int.from_bytes(command.pattern)
    lit = steps.bit_count()
    dark = max(0, min(steps.bit_length(), _PATTERN_BITS) - lit)
    lasts_s = command.repeats * (lit * command.on_ms + dark * command.off_ms) / 1000
    label.light = (command.colour, now.monotonic_s + lasts_s) if lit and lasts_s else None
