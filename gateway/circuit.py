"""Whether commands get through to a gateway at all.

                 3 payloads without any answer, or not published;
                 or sessions that follow each other like blows
       closed ───────────────────────────────────────────────────▶ open
          ▲                                                          │ one label at a time, with
          └────────── any answer to a command ◀──────────────────────┘ growing pauses: a probe

Being on the line is not being reached: a gateway may beat its heart for days while nothing that
is sent to it arrives. While its circuit is open such a gateway costs one rendering now and then
and takes no room in anybody's batch; whatever it answers closes the circuit at once.

A payload counts as unanswered when the time of all its labels is up and the gateway has not
answered a single command since it was sent. Payloads of labels that had timed out already say
nothing: they may be dead, and the gateway well.

Pure and without a clock: seconds are monotonic and passed in.
"""

from collections.abc import Iterable
from random import Random

from esl.domain.ids import LabelId

STRIKES = 3
"""Payloads without an answer that open the circuit."""

PROBE_FIRST_S = 5.0
PROBE_LONGEST_S = 30.0
"""Longest pause between two probes. Half a backoff: it adds to the time a shelf needs to be right
after a fault has ended."""

FLAPPING_SESSIONS = 3
FLAPPING_WITHIN_S = 60.0
"""So many sessions in so short a time are a gateway that falls and rises (F28 of the fault
list)."""


class Circuit:
    """One gateway's circuit."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self._strikes = 0
        self._answers = 0
        self._probe_at_s: float | None = None  # None: closed
        self._pause_s = PROBE_FIRST_S
        self._payloads: dict[int, tuple[int, set[LabelId]]] = {}  # number -> answers then, labels
        self._payload_of: dict[LabelId, int] = {}
        self._number = 0
        self._timed_out: set[LabelId] = set()  # and not answered since
        self._begun_s: list[float] = []  # sessions, the latest few

    @property
    def is_open(self) -> bool:
        """Say whether only probes may be sent."""
        return self._probe_at_s is not None

    def allows(self, now_s: float) -> int | None:
        """Say how many labels may be sent now: 0, 1 as a probe, or None for any number."""
        if self._probe_at_s is None:
            return None
        return 1 if now_s >= self._probe_at_s else 0

    def begin_session(self, now_s: float) -> bool:
        """Note a new session; say whether the gateway flaps.

        A session that stands alone closes the circuit: it is somebody new who listens.
        """
        lately = [s for s in self._begun_s if now_s - s < FLAPPING_WITHIN_S]
        self._begun_s = [*lately[1 - FLAPPING_SESSIONS :], now_s]
        self._payloads.clear()
        self._payload_of.clear()
        flaps = len(self._begun_s) >= FLAPPING_SESSIONS
        if flaps:
            self._open(now_s)
        else:
            self._close()
        return flaps

    def note_sent(self, label_ids: Iterable[LabelId], now_s: float) -> None:
        """Note a payload that leaves."""
        label_ids = list(label_ids)
        for label_id in label_ids:
            self._leave_payload(label_id)
        self._number += 1
        if not self._timed_out.issuperset(label_ids):
            self._payloads[self._number] = (self._answers, set(label_ids))
            self._payload_of.update(dict.fromkeys(label_ids, self._number))
        if self._probe_at_s is not None:
            self._probe_at_s = now_s + self._pause_s * self._random.uniform(0.5, 1.0)
            self._pause_s = min(PROBE_LONGEST_S, self._pause_s * 2)

    def note_answer(self) -> None:
        """Note that the gateway answered a command, well or not: it is reached."""
        self._answers += 1
        if self._strikes or self._probe_at_s is not None:
            self._close()

    def note_label_answered(self, label_id: LabelId) -> None:
        """Note that a label's sending is over."""
        self._timed_out.discard(label_id)
        self._leave_payload(label_id)

    def note_timed_out(self, label_ids: Iterable[LabelId], now_s: float) -> None:
        """Note labels whose time is up."""
        for label_id in label_ids:
            self._timed_out.add(label_id)
            number = self._payload_of.get(label_id)
            answers_then, _ = self._payloads.get(number or 0, (0, None))
            if self._leave_payload(label_id) and answers_then == self._answers:
                self._strike(now_s)

    def note_unsent(self, label_ids: Iterable[LabelId], now_s: float) -> None:
        """Note a payload that could not be published."""
        for label_id in label_ids:
            self._leave_payload(label_id)
        self._strike(now_s)

    def _leave_payload(self, label_id: LabelId) -> bool:
        """Take a label out of its payload; say whether it was the last one in it."""
        number = self._payload_of.pop(label_id, None)
        if number is None:
            return False
        labels = self._payloads[number][1]
        labels.discard(label_id)
        if labels:
            return False
        del self._payloads[number]
        return True

    def _strike(self, now_s: float) -> None:
        self._strikes += 1
        if self._strikes >= STRIKES:
            self._open(now_s)

    def _open(self, now_s: float) -> None:
        self._strikes = STRIKES
        if self._probe_at_s is None:
            self._probe_at_s = now_s

    def _close(self) -> None:
        self._strikes = 0
        self._probe_at_s = None
        self._pause_s = PROBE_FIRST_S
