"""Labels that note when they paint, and the same pictures painted by the radio alone.

What a controller adds to the time of a change can only be told beside what the air takes without
one: the pictures that it sent are all handed to fresh queues of the same gateways at the instant
itself, with the same labels, check-ins and rests, on a clock that does not wait.
"""

from dataclasses import dataclass, field
from random import Random
from statistics import mean
from typing import Any, ClassVar

from api.clock import MachineClock
from gateway.wire.messages import Put, ShowEntry
from simulator.label import Done, Painting, SimLabel, Slot
from simulator.moment import MS_PER_S, Moment
from simulator.options import GatewayOptions
from simulator.picture import Picture, Refusal
from simulator.queue import Answer, Work, WorkQueue
from simulator.radio import Radio

_CLOCK = MachineClock()
_SEEDS = range(5)


@dataclass(frozen=True, slots=True)
class Sent:
    """A picture as it reached a label, and what the label was by then."""

    put: Put
    label: SimLabel
    glass: Picture | None
    shown_rev: int
    shown_digest: bytes
    slots: tuple[Slot, ...]
    rests_until_s: float


@dataclass(slots=True)
class Journal:
    """What labels did: each time it began to paint and had finished, in ms of the wall clock."""

    began: list[tuple[str, int]] = field(default_factory=list)
    ended: list[tuple[str, int]] = field(default_factory=list)
    sent: list[tuple[str, int]] = field(default_factory=list)  # label, bytes on the air
    shown: dict[str, Sent] = field(default_factory=dict)  # the last picture to be shown at once

    def forget(self) -> None:
        """Begin anew."""
        for held in (self.began, self.ended, self.sent):
            held.clear()
        self.shown.clear()


class WatchedLabel(SimLabel):
    """A label that writes down when it paints."""

    __slots__ = ()
    journal: ClassVar[Journal] = Journal()

    def receive(self, put: Put) -> Done | Painting | Refusal:
        """Take a put, as every label does, and note it."""
        self.journal.sent.append((self.label_id, len(put.data)))
        before = self.glass, self.shown_rev, self.shown_digest, tuple(self.slots)
        done = super().receive(put)
        if isinstance(done, Painting):
            self.journal.shown[self.label_id] = Sent(put, self, *before, self.rests_until_s)
            self._note_begun()
        return done

    def show(self, entry: ShowEntry) -> Done | Painting | Refusal:
        """Begin to paint a stored picture, and note it."""
        done = super().show(entry)
        if isinstance(done, Painting):
            self._note_begun()
        return done

    def finish_paint(self, painting: Painting) -> bool:
        """End a painting, and note it."""
        done = super().finish_paint(painting)
        if done:
            self.journal.ended.append((self.label_id, _now_ms()))
        return done

    def _note_begun(self) -> None:
        rests_s = max(0.0, self.rests_until_s - _CLOCK.monotonic_s())  # then it begins later
        self.journal.began.append((self.label_id, _now_ms() + round(rests_s * MS_PER_S)))


def _now_ms() -> int:
    return round(_CLOCK.wall().timestamp() * MS_PER_S)


def paint_alone(journal: Journal, options: GatewayOptions, at_ms: int) -> dict[str, Any]:
    """Paint what was sent by the radio alone; return when each gateway's labels had finished.

    ``ended_s`` is for each gateway the mean of several runs of chance, in seconds from ``at_ms``.
    """
    here = Moment.read(_CLOCK)
    begins = Moment(at_ms, here.monotonic_s - (here.wall_ms - at_ms) / MS_PER_S)
    by_gateway: dict[str, list[Sent]] = {}
    for label_id, sent in sorted(journal.shown.items()):
        by_gateway.setdefault(label_id.rsplit("-", 1)[0], []).append(sent)
    return {
        "ended_s": {
            gateway: mean(_paint(some, options, begins, seed) for seed in _SEEDS)
            for gateway, some in by_gateway.items()
        }
    }


def _paint(some: list[Sent], options: GatewayOptions, begins: Moment, seed: int) -> float:
    random = Random(seed)  # noqa: S311  seeded chance
    now = begins
    last_s = begins.monotonic_s

    def answer(work: Work, _answer: Answer) -> None:
        nonlocal last_s
        if work.label.paints:
            last_s = max(last_s, now.monotonic_s)

    queue = WorkQueue(
        answer,
        lambda label: label.answers,
        radio=Radio(options.radio, random),
        random=random,
        options=options,
    )
    for number, sent in enumerate(some, 1):
        queue.offer(Work(number, _as_it_was(sent), sent.put), now)
    while (wakes_s := queue.next_wake_s()) < float("inf"):
        passed_s = wakes_s - begins.monotonic_s
        now = Moment(begins.wall_ms + round(passed_s * MS_PER_S), wakes_s)
        queue.advance(now)
    return last_s - begins.monotonic_s


def _as_it_was(sent: Sent) -> SimLabel:
    label = SimLabel(
        sent.label.label_id,
        sent.label.panel,
        glass=sent.glass,
        shown_rev=sent.shown_rev,
        shown_digest=sent.shown_digest,
        rssi_dbm=sent.label.rssi_dbm,
        wakes_every_s=sent.label.wakes_every_s,
        wakes_after_s=sent.label.wakes_after_s,
        rests_until_s=sent.rests_until_s,
    )
    label.slots = list(sent.slots)
    return label
