"""What a gateway has still to do for its labels: one piece of work each, a window for all.

::

    offer ──▶ label free? ──yes──▶ deadline, G2 ──▶ label ──▶ painting ──▶ shown
                 │ no                                 │           (paint_s)
                 ▼                                    └─▶ stored, shown, refused; no answer ▶ once
              waits; a newer                              more after label_timeout_s, then
              one takes its place (G4)                    label_timeout

A label has at most one piece under way and one waiting; both count against the window. A piece
whose answer does not come at once is first answered `QUEUED`.
"""

import heapq
import math
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto
from random import Random

from gateway.wire.failures import FailureCode
from gateway.wire.messages import Put, ShowEntry
from simulator.label import Done, Painting, SimLabel
from simulator.moment import Moment
from simulator.picture import Refusal


class Queued(Enum):
    """The work was taken and will be answered later."""

    QUEUED = auto()


QUEUED = Queued.QUEUED

Answer = Done | Refusal | Queued


@dataclass(slots=True, eq=False)
class Work:
    """One label's part of a command. ``deadline`` is by the gateway's clock."""

    command_id: int
    label: SimLabel
    order: Put | ShowEntry
    deadline_ms: int | None = None
    painting: Painting | None = None

    @property
    def shows(self) -> bool:
        """Whether the glass is to change."""
        return not isinstance(self.order, Put) or self.order.show


class WorkQueue:
    """A gateway's work in hand. ``answer`` is called as soon as a piece of work has one.

    Args:
        answer: What to do with an answer; called within the step that brings it.
        random: Spreads painting times.
        capacity: How many pieces may be in hand.
        paint_s: Seconds a refresh takes; 0 paints within the step.
        jitter: Share of ``paint_s`` by which one refresh may differ from the next.
        label_timeout_s: Patience with a label that does not answer.
    """

    def __init__(
        self,
        answer: Callable[[Work, Answer], None],
        *,
        random: Random,
        capacity: int,
        paint_s: float,
        jitter: float,
        label_timeout_s: float,
    ) -> None:
        self.capacity = capacity
        self.paint_s = paint_s
        self._answer = answer
        self._random = random
        self._jitter = jitter
        self._label_timeout_s = label_timeout_s
        self._current: dict[str, Work] = {}
        self._waiting: dict[str, Work] = {}
        self._confirmed: dict[str, tuple[int, int]] = {}  # label: (incarnation, revision)
        self._due: list[tuple[float, int, Work]] = []
        self._pushed = 0

    def __len__(self) -> int:
        return len(self._current) + len(self._waiting)

    def next_wake_s(self) -> float:
        """When `advance` has something to do, by the monotonic clock; infinity for never."""
        return self._due[0][0] if self._due else math.inf

    def heard(self, label: SimLabel) -> None:
        """Remember what a label says it shows (G2); a new incarnation starts over."""
        incarnation, rev = self._confirmed.get(label.label_id, (0, 0))
        if label.incarnation > incarnation or label.shown_rev > rev:
            self._confirmed[label.label_id] = (label.incarnation, label.shown_rev)

    def offer(self, work: Work, now: Moment) -> None:
        """Take a piece of work, or answer why not."""
        label_id = work.label.label_id
        if label_id not in self._current:
            if len(self) >= self.capacity:
                self._answer(work, Refusal(FailureCode.QUEUE_FULL))
                return
            self._begin(work, now)
            if self._current.get(label_id) is work:
                self._answer(work, QUEUED)
            return
        waiting = self._waiting.get(label_id)
        if waiting is None:
            if len(self) >= self.capacity:
                self._answer(work, Refusal(FailureCode.QUEUE_FULL))
                return
        elif waiting.order.rev > work.order.rev:
            self._answer(work, Refusal(FailureCode.SUPERSEDED, "a newer revision is waiting"))
            return
        self._waiting[label_id] = work
        if waiting is not None:
            self._answer(waiting, Refusal(FailureCode.SUPERSEDED, "replaced while waiting"))
        self._answer(work, QUEUED)

    def advance(self, now: Moment) -> None:
        """Do everything that is due."""
        while self._due and self._due[0][0] <= now.monotonic_s:
            _, _, work = heapq.heappop(self._due)
            if work.painting is not None:
                self._end_painting(work, work.painting)
            else:
                self._try_again(work, now)
            label_id = work.label.label_id
            if label_id not in self._current and label_id in self._waiting:
                self._begin(self._waiting.pop(label_id), now)

    def forget(self) -> None:
        """The gateway rebooted: nothing is in hand. Labels end what they paint, unheard."""
        self._current.clear()
        self._waiting.clear()
        self._confirmed.clear()

    def _begin(self, work: Work, now: Moment) -> None:
        label, order = work.label, work.order
        if work.deadline_ms is not None and now.wall_ms >= work.deadline_ms:
            self._answer(work, Refusal(FailureCode.EXPIRED))
            return
        confirmed = self._confirmed.get(label.label_id)
        if confirmed is not None and work.shows and order.rev < confirmed[1]:
            self._answer(work, Refusal(FailureCode.SUPERSEDED, f"shows revision {confirmed[1]}"))
            return
        if not label.answers:
            self._current[label.label_id] = work
            self._push(work, now.monotonic_s + self._label_timeout_s)
            return
        result = label.receive(order) if isinstance(order, Put) else label.show(order)
        if isinstance(result, Painting):
            paint_s = self._next_paint_s()
            if paint_s > 0:
                work.painting = result
                self._current[label.label_id] = work
                self._push(work, now.monotonic_s + paint_s)
                return
            label.finish_paint(result)
            result = Done.SHOWN
        self.heard(label)
        self._answer(work, result)

    def _end_painting(self, work: Work, painting: Painting) -> None:
        label = work.label
        painted = label.finish_paint(painting)
        if not self._release(work):
            return
        if painted and label.answers:
            self.heard(label)
            self._answer(work, Done.SHOWN)
        else:
            self._answer(work, Refusal(FailureCode.LABEL_TIMEOUT))

    def _try_again(self, work: Work, now: Moment) -> None:
        if not self._release(work):
            return
        if work.label.answers:
            self._begin(work, now)
        else:
            self._answer(work, Refusal(FailureCode.LABEL_TIMEOUT))

    def _release(self, work: Work) -> bool:
        """Take work out of hand; False if it no longer is, because the gateway rebooted."""
        if self._current.get(work.label.label_id) is not work:
            return False
        del self._current[work.label.label_id]
        return True

    def _push(self, work: Work, at_s: float) -> None:
        self._pushed += 1  # ties are served in order, and works need no order of their own
        heapq.heappush(self._due, (at_s, self._pushed, work))

    def _next_paint_s(self) -> float:
        if self.paint_s <= 0:
            return 0.0
        return self.paint_s * (1 + self._jitter * self._random.uniform(-1, 1))
