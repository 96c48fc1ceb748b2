"""Simulated gateways and labels, each with one rule of the protocol switched off.

What is wrong with them is done from outside where it can be (a payload signed anew on its way in)
and otherwise by replacing the one method that keeps the rule.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256

import msgspec
from msgspec import Raw
from msgspec.structs import asdict
from msgspec.structs import replace as changed

from gateway.conform.verdicts import Rule
from gateway.wire.errors import BadSignature, WireError
from gateway.wire.failures import FailureCode
from gateway.wire.messages import RAW, AnyEvent, Header, Put, ShowEntry
from gateway.wire.signing import PublicKeys, open_sealed, seal
from simulator.gateway import SimGateway
from simulator.label import NO_DIGEST, Done, Painting, SimLabel
from simulator.moment import Moment
from simulator.picture import Refusal
from simulator.queue import QUEUED, Answer, Work
from tests.unit.gateway.conform.sim_line import KEY, LABELS, PANEL, make_gateway, make_labels

_PARTS = msgspec.msgpack.Decoder(tuple[Raw, bytes, bytes])
_HEADER = msgspec.msgpack.Decoder(Header)
_NEVER_MS = 2**53 - 1


def header_of(payload: bytes) -> tuple[Header, bytes] | None:
    """The header and body of a payload, signed or not; None if it is none."""
    try:
        head, body, _ = _PARTS.decode(payload)
        return _HEADER.decode(head), body
    except msgspec.DecodeError:
        return None


def is_signed(payload: bytes) -> bool:
    try:
        open_sealed(payload, PublicKeys.of(KEY))
    except (WireError, BadSignature):
        return False
    return True


class SignsAnew(SimGateway):
    """Changes headers on their way in, and signs what it changed as the controller would."""

    def mend(self, header: Header, payload: bytes) -> Header:  # noqa: ARG002  for heirs
        """Change a header; the same one leaves the payload as it is."""
        return header

    def receive_down(self, payload: bytes, now: Moment) -> list[AnyEvent]:
        parts = header_of(payload)
        if parts is not None:
            header, body = parts
            mended = self.mend(header, payload)
            if mended != header:
                payload = seal(KEY, mended, body)
        return super().receive_down(payload, now)


class ObeysOtherSessions(SignsAnew):
    def mend(self, header: Header, payload: bytes) -> Header:
        return _with(header, session=self.session) if is_signed(payload) else header


class ObeysOtherGatewaysCommands(SignsAnew):
    def mend(self, header: Header, payload: bytes) -> Header:
        return _with(header, gateway=self.gateway_id) if is_signed(payload) else header


class BelievesAnySignature(SignsAnew):
    def receive_down(self, payload: bytes, now: Moment) -> list[AnyEvent]:
        parts = header_of(payload)
        if parts is not None and not is_signed(payload):
            payload = seal(KEY, _with(parts[0], key_id=KEY.key_id), parts[1])
        return SimGateway.receive_down(self, payload, now)


class ForgetsCounters(SignsAnew):
    def mend(self, header: Header, payload: bytes) -> Header:
        if not is_signed(payload):
            return header
        return _with(header, counter=max(header.counter, self._gatekeeper.counter + 1))


class IsNeverTooLate(SignsAnew):
    def mend(self, header: Header, payload: bytes) -> Header:
        return _with(header, expires=_NEVER_MS) if is_signed(payload) else header


def _with(header: Header, **changes: object) -> Header:
    return Header(*(asdict(header) | changes).values())


class SendsOlderRevisions(SimGateway):
    def receive_down(self, payload: bytes, now: Moment) -> list[AnyEvent]:
        self._queue._confirmed.clear()
        return super().receive_down(payload, now)


class NeverReplacesWhatWaits(SimGateway):
    """Begins each transfer at once, whatever its label is doing."""

    def receive_down(self, payload: bytes, now: Moment) -> list[AnyEvent]:
        self._queue.offer = self._offer_at_once  # type: ignore[method-assign]
        return super().receive_down(payload, now)

    def _offer_at_once(self, work: Work, now: Moment) -> None:
        self._queue._begin(work, now)
        if work.painting is not None:
            self._orders._answer(work, QUEUED)


class QueuesWithoutReplacing(SimGateway):
    """Has every picture that waits painted, one after the other."""

    def receive_down(self, payload: bytes, now: Moment) -> list[AnyEvent]:
        self._behind = getattr(self, "_behind", [])
        self._queue.offer = self._offer_behind  # type: ignore[method-assign]
        return super().receive_down(payload, now)

    def tick(self, now: Moment) -> list[AnyEvent]:
        events = super().tick(now)
        for work in list(getattr(self, "_behind", [])):
            if not self._queue.is_busy(work.label.label_id):
                self._behind.remove(work)
                self._queue._begin(work, self._own(now))
        return events + self._voice.take()

    def _offer_behind(self, work: Work, now: Moment) -> None:
        if self._queue.is_busy(work.label.label_id):
            self._behind.append(work)
            self._orders._answer(work, QUEUED)
            return
        self._queue._begin(work, now)
        if self._queue.is_busy(work.label.label_id):
            self._orders._answer(work, QUEUED)


class TakesMoreThanItsCapacity(SimGateway):
    def connected(self, now: Moment) -> list[AnyEvent]:
        events = super().connected(now)  # says the capacity it should keep
        self._queue.capacity = 10 * LABELS
        return events

    def tick(self, now: Moment) -> list[AnyEvent]:
        self._queue.capacity = self._options.capacity  # heartbeats say so, too
        events = super().tick(now)
        self._queue.capacity = 10 * LABELS
        return events


class NeverBeats(SimGateway):
    def connected(self, now: Moment) -> list[AnyEvent]:
        self._heartbeat_s = math.inf
        return super().connected(now)


class BeatsTooSeldom(SimGateway):
    def connected(self, now: Moment) -> list[AnyEvent]:
        self._heartbeat_s = 100.0
        return super().connected(now)


class KeepsBeaconsToItself(SimGateway):
    def _pass_on(self, labels: object) -> None:
        del labels


class SaysShownTooEarly(SimGateway):
    """Says shown, in the words of the command, as soon as the label begins to paint."""

    def receive_down(self, payload: bytes, now: Moment) -> list[AnyEvent]:
        self._told: set[int] = getattr(self, "_told", set())
        self._queue._answer = self._answer_early
        return super().receive_down(payload, now)

    def _answer_early(self, work: Work, answer: Answer) -> None:
        order = work.order
        if answer is QUEUED and isinstance(order, Put) and order.show and work.painting:
            label = work.label
            ahead = SimLabel(
                label.label_id,
                label.panel,
                incarnation=label.incarnation,
                shown_rev=order.rev,
                shown_digest=order.digest,
            )
            self._orders._keep(work.command_id, self._voice.shown(work.command_id, ahead))
            self._told.add(work.command_id)
        elif work.command_id not in self._told:
            self._orders._answer(work, answer)


class ForgetsResults(SimGateway):
    def receive_down(self, payload: bytes, now: Moment) -> list[AnyEvent]:
        self._orders.results.forget()
        return super().receive_down(payload, now)


class IgnoresDuplicates(SimGateway):
    """Remembers ids, and answers nothing to those it knows."""

    def receive_down(self, payload: bytes, now: Moment) -> list[AnyEvent]:
        results = self._orders.results

        def begin(command_id: int) -> tuple[()] | None:
            return None if type(results).begin(results, command_id) is None else ()

        results.begin = begin  # type: ignore[method-assign]
        self._orders._voice.accepted = lambda _: None  # type: ignore[method-assign]
        return super().receive_down(payload, now)


# -- labels -----------------------------------------------------------------------------------


class ForgetsWhatItShowed(SimLabel):
    def reboot(self) -> None:
        super().reboot()
        self.shown_rev = 0
        self.shown_digest = NO_DIGEST


class PaintsAnything(SimLabel):
    """Paints what it got, padded or cut to a frame, whatever was promised."""

    def receive(self, put: Put) -> Done | Painting | Refusal:
        result = super().receive(put)
        if not isinstance(result, Refusal) or result.code is not FailureCode.BAD_DIGEST:
            return result
        frame = (put.data + bytes(self.panel.frame_bytes))[: self.panel.frame_bytes]
        digest = sha256(frame).digest()
        return super().receive(
            changed(
                put, encoding=RAW, data=frame, digest=digest, base=None, offset=None, total=None
            )
        )


class KeepsItsIncarnation(SimLabel):
    def lose_memory(self) -> None:
        before = self.incarnation
        super().lose_memory()
        self.incarnation = before


class NeverBeacons(SimLabel):
    """Answers what it is told and says nothing by itself."""

    def woke_between(self, since_s: float, now_s: float) -> bool:
        del since_s, now_s
        return False


class HearsNoSilentLabel(SimGateway):
    """An honest gateway, with a label below it that never beacons."""

    def _pass_on(self, labels: object) -> None:
        heard = [label for label in labels if not isinstance(label, NeverBeacons)]  # type: ignore[attr-defined]
        super()._pass_on(heard)


class PaintsOlderRevisions(SimLabel):
    """Remembers nothing of what it showed, not even while it has power."""

    def receive(self, put: Put) -> Done | Painting | Refusal:
        kept = self.shown_rev
        self.shown_rev = min(kept, put.rev - 1)
        result = super().receive(put)
        self.shown_rev = kept if not isinstance(result, Done) else self.shown_rev
        return result

    def show(self, entry: ShowEntry) -> Done | Painting | Refusal:
        kept = self.shown_rev
        self.shown_rev = min(kept, entry.rev - 1)
        result = super().show(entry)
        self.shown_rev = kept if not isinstance(result, Done) else self.shown_rev
        return result


# -- all of them ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Off:
    """A simulator that breaks one rule."""

    rule: Rule
    name: str
    make: Callable[[], SimGateway]


def _by_gateway(rule: Rule, kind: type[SimGateway]) -> Off:
    return Off(rule, kind.__name__, lambda: make_gateway(kind))


def _by_label(rule: Rule, kind: type[SimLabel], below: type[SimGateway] = SimGateway) -> Off:
    def make() -> SimGateway:
        return make_gateway(below, [kind("label-1", PANEL), *make_labels()[1:]])

    return Off(rule, kind.__name__, make)


OFF = (
    _by_gateway(Rule.G1, ObeysOtherSessions),
    _by_gateway(Rule.G1, ObeysOtherGatewaysCommands),
    _by_gateway(Rule.G2, SendsOlderRevisions),
    _by_gateway(Rule.G3, BelievesAnySignature),
    _by_gateway(Rule.G3, ForgetsCounters),
    _by_gateway(Rule.G3, IsNeverTooLate),
    _by_gateway(Rule.G4, NeverReplacesWhatWaits),
    _by_gateway(Rule.G4, QueuesWithoutReplacing),
    _by_gateway(Rule.G4, TakesMoreThanItsCapacity),
    _by_gateway(Rule.G5, NeverBeats),
    _by_gateway(Rule.G5, BeatsTooSeldom),
    _by_gateway(Rule.G6, KeepsBeaconsToItself),
    _by_gateway(Rule.G7, SaysShownTooEarly),
    _by_gateway(Rule.G8, ForgetsResults),
    _by_gateway(Rule.G8, IgnoresDuplicates),
    _by_label(Rule.L1, ForgetsWhatItShowed),
    _by_label(Rule.L2, PaintsAnything),
    _by_label(Rule.L3, KeepsItsIncarnation),
    _by_label(Rule.L4, NeverBeacons, HearsNoSilentLabel),
)


def both_memories_off() -> SimGateway:
    """Neither the gateway nor the label minds an older revision."""
    return make_gateway(SendsOlderRevisions, [PaintsOlderRevisions("label-1", PANEL)])
