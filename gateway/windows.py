"""How much one gateway takes at once, learned from how it answers.

    sent ──▶ under way ──▶ answered      a window's worth of answers      ─▶ one more
                      └──▶ time is up    many different labels timed out  ─▶ half
             refused: ``queue_full``                                      ─▶ half

It begins as wide as allowed: the gateway itself announced what it takes. Congestion halves it, at
most once a round, and answers widen it again by one a round, never below one (below eight only
by ``queue_full``) and never beyond what is allowed. A round is a window's worth of outcomes. Of
labels whose time is up each counts once a round, so that one dead label on a quiet gateway narrows
nothing.

Pure and without a clock: seconds are monotonic and passed in.
"""

import math
from collections.abc import Iterable

from esl.domain.ids import LabelId

MANY = 0.3
"""Share of a round's labels whose time ran out that counts as congestion. Labels asleep, moved or
dead are a few in a hundred of a shop."""

LEAST_BY_TIME_OUTS = 8
"""Time-outs alone narrow a window no further, or a few dead labels would take all of it from the
living, each for as long as we wait for it."""


class Window:
    """The labels under way to one gateway, and how many of them there may be."""

    def __init__(self, most: int) -> None:
        self._most = max(1, most)
        self._size = self._most
        self._until: dict[LabelId, float] = {}  # label -> its time is up at, s
        self._earliest_s = math.inf  # no label's time is up before
        self._answered = 0  # of this round
        self._expired: set[LabelId] = set()  # of this round
        self._halved_among: set[LabelId] = set()  # under way when it was halved: one congestion

    @property
    def size(self) -> int:
        """How many labels may be under way."""
        return self._size

    @property
    def under_way(self) -> int:
        """How many labels are under way."""
        return len(self._until)

    def allow(self, most: int) -> None:
        """Set what is allowed at most; a wider allowance is used at once."""
        most = max(1, most)
        if most == self._most:
            return
        self._size = most if self._size == self._most else min(self._size, most)
        self._most = most

    def room(self) -> int:
        """Say how many more labels may be sent; 0 or less is none."""
        return self._size - len(self._until)

    def note_sent(self, label_ids: Iterable[LabelId], until_s: float) -> None:
        """Note labels that are under way, until they answer or the time is up."""
        self._until.update(dict.fromkeys(label_ids, until_s))
        self._earliest_s = min(self._earliest_s, until_s)

    def note_answered(self, label_id: LabelId) -> bool:
        """Note that a label is no longer under way, well or not; say whether it was."""
        if self._until.pop(label_id, None) is None:
            return False
        self._answered += 1
        self._halved_among.discard(label_id)
        self._end_round()
        return True

    def note_queue_full(self, label_id: LabelId | None) -> None:
        """Note that the gateway refused a label for want of room: it is not under way.

        Refusals of labels that were under way when the window was halved tell nothing new.
        """
        known = label_id is not None and label_id in self._halved_among
        if label_id is not None:
            self.forget((label_id,))
        if not known:
            self._halve()

    def forget(self, label_ids: Iterable[LabelId] | None = None) -> None:
        """Drop labels from what is under way, or all: neither answered nor timed out."""
        if label_ids is None:
            self._until.clear()
            self._halved_among.clear()
            return
        for label_id in label_ids:
            self._until.pop(label_id, None)
            self._halved_among.discard(label_id)

    def expire(self, now_s: float) -> list[LabelId]:
        """Take out labels whose time is up; return them."""
        if now_s < self._earliest_s:
            return []
        expired = [label_id for label_id, until_s in self._until.items() if until_s <= now_s]
        for label_id in expired:
            del self._until[label_id]
            if label_id in self._halved_among:
                self._halved_among.discard(label_id)  # the same congestion
            else:
                self._expired.add(label_id)
        self._earliest_s = min(self._until.values(), default=math.inf)
        if expired:
            self._end_round()
        return expired

    def _end_round(self) -> None:
        outcomes = self._answered + len(self._expired)
        if outcomes < self._size:
            return
        if len(self._expired) >= outcomes * MANY:
            self._halve(min(self._most, LEAST_BY_TIME_OUTS))
            return
        if self._answered >= len(self._expired):
            self._size = min(self._most, self._size + 1)
        self._answered = 0
        self._expired.clear()

    def _halve(self, least: int = 1) -> None:
        self._size = max(min(self._size, least), self._size // 2)
        self._answered = 0
        self._expired.clear()
        self._halved_among = set(self._until)
