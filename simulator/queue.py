"""What a gateway has still to do for its labels: one piece of work each, a window for all.

::

    offer ──▶ label free? ──yes──▶ deadline, G2 ──▶ label listens ──▶ air free ──▶ transfer
                 │ no                                (check-in)       (one at a time)  │
                 ▼                                        ▲                            ▼
              waits; a newer             lost, asleep ────┘              label takes or refuses it
              one takes its place (G4)   or label_timeout                     ▼
                                                            stored, shown ◀── painting

A label has at most one piece under way and one waiting; both count against the window. A piece
whose answer does not come at once is first answered `QUEUED`.
"""

import heapq
import math
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto
from random import Random

from gateway.wire.failures import FailureCode
from gateway.wire.messages import XOR_ZLIB, Put, ShowEntry
from simulator.battery import RADIO_MA
from simulator.label import Done, Painting, SimLabel
from simulator.moment import Moment
from simulator.options import GatewayOptions
from simulator.picture import Refusal, open_picture
from simulator.radio import Radio

ORDER_BYTES = 48
"""On the air, of anything but a picture: one packet (field notes, standards A.10)."""


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
    given_up_s: float = math.inf
    landed: bool = False  # the transfer on the air comes through

    @property
    def shows(self) -> bool:
        """Whether the glass is to change."""
        return not isinstance(self.order, Put) or self.order.show

    @property
    def bytes_on_air(self) -> int:
        """What the radio has to carry."""
        picture = len(self.order.data) if isinstance(self.order, Put) else 0
        return picture + ORDER_BYTES


Step = Callable[[Work, Moment], None]


class WorkQueue:
    """A gateway's work in hand. ``answer`` is called as soon as a piece of work has one.

    Args:
        answer: What to do with an answer; called within the step that brings it.
        reaches: Says whether a label is in range and answers.
        radio: The air to its labels.
        random: Spreads painting times.
        options: How labels and gateway behave.
    """

    def __init__(
        self,
        answer: Callable[[Work, Answer], None],
        reaches: Callable[[SimLabel], bool],
        *,
        radio: Radio,
        random: Random,
        options: GatewayOptions,
    ) -> None:
        self.capacity = options.capacity
        self.paint_s = options.paint_s
        self.radio = radio
        self.signal: dict[str, int] = {}
        self._options = options
        self._answer = answer
        self._reaches = reaches
        self._random = random
        self._current: dict[str, Work] = {}
        self._waiting: dict[str, Work] = {}
        self._confirmed: dict[str, tuple[int, int]] = {}  # label: (incarnation, revision)
        self._performing: set[Work] = set()  # takes no airtime, so no window either
        self._on_air: Work | None = None
        self._for_air: deque[Work] = deque()
        self._due: list[tuple[float, int, Work, Step]] = []
        self._pushed = 0

    def __len__(self) -> int:
        return len(self._current) + len(self._waiting) - len(self._performing)

    def next_wake_s(self) -> float:
        """When `advance` has something to do, by the monotonic clock; infinity for never."""
        return self._due[0][0] if self._due else math.inf

    def heard(self, label: SimLabel) -> None:
        """Remember what a label says it shows (G2); a new incarnation starts over."""
        incarnation, rev = self._confirmed.get(label.label_id, (0, 0))
        if label.incarnation > incarnation or label.shown_rev > rev:
            self._confirmed[label.label_id] = (label.incarnation, label.shown_rev)

    def is_busy(self, label_id: str) -> bool:
        """Say whether a label has work under way."""
        return label_id in self._current

    # -- work comes ----------------------------------------------------------------------------

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

    def perform(self, work: Work, now: Moment) -> None:
        """Let a label do by itself what was handed to it before: a timed show."""
        if work.label.label_id in self._current:
            self.offer(work, now)
            return
        self._current[work.label.label_id] = work
        self._performing.add(work)
        self._deliver(work, now)

    def advance(self, now: Moment) -> None:
        """Do everything that is due."""
        while self._due and self._due[0][0] <= now.monotonic_s:
            _, _, work, step = heapq.heappop(self._due)
            step(work, now)

    def drop(self, label_id: str) -> list[Work]:
        """Take a label's work out of hand, but for what it does already; return it unanswered."""
        dropped: list[Work] = []
        if waiting := self._waiting.pop(label_id, None):
            dropped.append(waiting)
        current = self._current.get(label_id)
        if current is not None and current.painting is None:
            del self._current[label_id]
            dropped.append(current)
        return dropped

    def forget(self) -> None:
        """The gateway rebooted: nothing is in hand. Labels end what they paint, unheard."""
        self._current.clear()
        self._waiting.clear()
        self._confirmed.clear()
        self._performing.clear()
        self._for_air.clear()
        self._on_air = None

    # -- a piece of work, step by step ---------------------------------------------------------

    def _begin(self, work: Work, now: Moment) -> None:
        label = work.label
        refusal = self._judge_deadline(work, now) or self._judge_confirmed(work)
        if refusal is not None:
            self._answer(work, refusal)
            return
        self._current[label.label_id] = work
        work.given_up_s = now.monotonic_s + self._options.label_timeout_s
        if not label.wakes_every_s and not self._reaches(label):
            self._push(work, work.given_up_s, self._try_once_more)
        else:
            self._await_wake(work, now.monotonic_s, now)

    def _await_wake(self, work: Work, from_s: float, now: Moment) -> None:
        wakes_s = work.label.next_wake_s(from_s)
        if wakes_s > work.given_up_s:
            self._push(work, max(work.given_up_s, now.monotonic_s), self._time_out)
        elif wakes_s > now.monotonic_s:
            self._push(work, wakes_s, self._woken)
        else:
            self._woken(work, now)

    def _woken(self, work: Work, now: Moment) -> None:
        if not self._is_current(work):
            return
        if not self._reaches(work.label):
            self._miss(work, now)
        elif self._on_air is None:
            self._transmit(work, now)
        else:
            self._for_air.append(work)

    def _miss(self, work: Work, now: Moment) -> None:
        """The label did not hear it: again when it next listens, or once more at the end."""
        if work.label.wakes_every_s:
            self._await_wake(work, now.monotonic_s + 1, now)
        elif now.monotonic_s < work.given_up_s:
            self._push(work, work.given_up_s, self._try_once_more)
        else:
            self._finish(work, Refusal(FailureCode.LABEL_TIMEOUT), now)

    def _try_once_more(self, work: Work, now: Moment) -> None:
        if self._is_current(work):
            if self._reaches(work.label):
                self._woken(work, now)
            else:
                self._finish(work, Refusal(FailureCode.LABEL_TIMEOUT), now)

    def _time_out(self, work: Work, now: Moment) -> None:
        if self._is_current(work):
            self._finish(work, Refusal(FailureCode.LABEL_TIMEOUT), now)

    def _transmit(self, work: Work, now: Moment) -> None:
        radio, label = self.radio, work.label
        if not (radio.takes_time or radio.is_lossy):
            self._deliver(work, now)
            return
        refusal = self._judge_deadline(work, now) or self._judge_picture(work)
        if refusal is not None:
            self._finish(work, refusal, now)
            return
        dbm = self.signal.get(label.label_id, label.rssi_dbm)
        took_s, work.landed = radio.send(work.bytes_on_air, dbm)
        label.spend(RADIO_MA * took_s)
        self._on_air = work
        self._push(work, now.monotonic_s + took_s, self._land)

    def _land(self, work: Work, now: Moment) -> None:
        if self._on_air is not work:
            return  # broken off by a reboot
        self._on_air = None
        if self._is_current(work):
            if work.landed and self._reaches(work.label):
                self._deliver(work, now)
            else:
                self._miss(work, now)
        while self._for_air and self._on_air is None:
            following = self._for_air.popleft()
            self._woken(following, now)

    def _deliver(self, work: Work, now: Moment) -> None:
        label, order = work.label, work.order
        if label.dead:
            self._finish(work, Refusal(FailureCode.LABEL_TIMEOUT), now)
            return
        rests_s = label.rests_until_s - now.monotonic_s
        if rests_s > 0 and work.shows and label.quirks.refuses_hurry:
            refusal = Refusal(FailureCode.RETRY, f"the panel rests for {rests_s:.0f} s")
            self._finish(work, refusal, now)
            return
        result = label.receive(order) if isinstance(order, Put) else label.show(order)
        if not isinstance(result, Painting):
            self.heard(label)
            self._finish(work, result, now)
            return
        work.painting = result
        paint_s = max(0.0, rests_s) + self._next_paint_s(label)
        if paint_s > 0:
            self._push(work, now.monotonic_s + paint_s, self._end_painting)
        else:
            self._end_painting(work, now)

    def _end_painting(self, work: Work, now: Moment) -> None:
        label = work.label
        was_painting = work.painting is label.painting and not label.dead
        painted = work.painting is not None and label.finish_paint(work.painting)
        if was_painting and self._options.rest_s:
            label.rests_until_s = now.monotonic_s + self._options.rest_s
        if not self._is_current(work):
            return
        if was_painting and not painted:
            self._finish(work, Refusal(FailureCode.REFRESH_FAILED), now)
        elif not painted:
            self._finish(work, Refusal(FailureCode.LABEL_TIMEOUT), now)
        elif label.quirks.answers_update or not label.wakes_every_s:
            self._confirm(work, now)
        else:
            self._push(work, label.next_wake_s(now.monotonic_s + 1), self._confirm)

    def _confirm(self, work: Work, now: Moment) -> None:
        """The label says what it shows, if that can be heard."""
        if not self._is_current(work):
            return
        label = work.label
        dbm = self.signal.get(label.label_id, label.rssi_dbm)
        if self._reaches(label) and self.radio.hears(dbm):
            self.heard(label)
            self._finish(work, Done.SHOWN, now)
        else:
            self._finish(work, Refusal(FailureCode.LABEL_TIMEOUT), now)

    def _finish(self, work: Work, answer: Done | Refusal, now: Moment) -> None:
        """Answer, and begin what waited for this label."""
        label_id = work.label.label_id
        if self._current.get(label_id) is work:
            del self._current[label_id]
        self._performing.discard(work)
        self._answer(work, answer)
        if label_id not in self._current and (waiting := self._waiting.pop(label_id, None)):
            self._begin(waiting, now)

    # -- questions -----------------------------------------------------------------------------

    def _is_current(self, work: Work) -> bool:
        """Say whether work is still in hand: not after the gateway rebooted."""
        return self._current.get(work.label.label_id) is work

    def _judge_deadline(self, work: Work, now: Moment) -> Refusal | None:
        if work.deadline_ms is not None and now.wall_ms >= work.deadline_ms:
            return Refusal(FailureCode.EXPIRED)
        return None

    def _judge_confirmed(self, work: Work) -> Refusal | None:
        """G2: nothing below what the label has confirmed."""
        confirmed = self._confirmed.get(work.label.label_id)
        if confirmed is not None and work.shows and work.order.rev < confirmed[1]:
            return Refusal(FailureCode.SUPERSEDED, f"shows revision {confirmed[1]}")
        return None

    def _judge_picture(self, work: Work) -> Refusal | None:
        """G3: a whole picture is verified before it costs airtime; a delta by the label."""
        order = work.order
        if not isinstance(order, Put) or order.encoding == XOR_ZLIB:
            return None
        opened = open_picture(order, work.label.panel, lambda _: None)
        return opened if isinstance(opened, Refusal) else None

    # -- time ----------------------------------------------------------------------------------

    def _push(self, work: Work, at_s: float, step: Step) -> None:
        self._pushed += 1  # ties are served in order, and works need no order of their own
        heapq.heappush(self._due, (at_s, self._pushed, work, step))

    def _next_paint_s(self, label: SimLabel) -> float:
        paint_s = label.refresh_s if self.paint_s is None else self.paint_s
        if paint_s <= 0:
            return 0.0
        return paint_s * (1 + self._options.jitter * self._random.uniform(-1, 1))
