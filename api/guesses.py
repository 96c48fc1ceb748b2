"""Slows down whoever guesses: so many failures in a while, then a pause.

A token of 256 bits is not guessed; what a flood of guesses would take is the database's time and
the log's room. Counted for each address and, where strangers may not keep others out by it, for
all together, in this process's memory.
"""

from collections import OrderedDict, deque
from dataclasses import dataclass, field

from esl.domain.errors import TooOften

FAILURES_OF_ONE = 10
FAILURES_OF_ALL = 100
WITHIN_S = 60.0
_ADDRESSES_MOST = 10_000


@dataclass(slots=True)
class Guesses:
    """Failures of the last while. Everything runs on the loop.

    ``of_all`` is None where one who fails must not be in the way of others.
    """

    of_one: int = FAILURES_OF_ONE
    of_all: int | None = FAILURES_OF_ALL
    _of_one: OrderedDict[str, deque[float]] = field(default_factory=OrderedDict)
    _of_all: deque[float] = field(default_factory=deque)

    def check(self, address: str, now_s: float) -> None:
        """Let an attempt through, or not.

        Raises:
            TooOften: Too many have failed lately.
        """
        for failures, most in (
            (self._of_one.get(address, deque()), self.of_one),
            (self._of_all, self.of_all),
        ):
            while failures and now_s - failures[0] >= WITHIN_S:
                failures.popleft()
            if most is not None and len(failures) >= most:
                wait_s = int(WITHIN_S - (now_s - failures[0])) + 1
                raise TooOften("too many attempts have failed", again_after_s=wait_s)

    def note_failure(self, address: str, now_s: float) -> None:
        """Count an attempt that failed."""
        if self.of_all is not None:
            self._of_all.append(now_s)
        self._of_one.setdefault(address, deque(maxlen=self.of_one)).append(now_s)
        self._of_one.move_to_end(address)
        while len(self._of_one) > _ADDRESSES_MOST:
            self._of_one.popitem(last=False)
