"""How long to wait before trying again."""

from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from random import Random

_DOUBLINGS_MOST = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Backoff:
    """Pauses that double from ``base_s``, never longer than ``longest_s``, each of them spread.

    ========== ============================================ ====================
    attempts   seconds                                      at 45 and 60
    ========== ============================================ ====================
    1          base … a quarter more                        45 … 56.25
    k          half of base·2^(k-1), at least base … it     45 … 60
    ========== ============================================ ====================

    The spread keeps labels that failed together from coming back together. ``base_s`` is also
    the patience with a first attempt, so it must exceed transfer and refresh. ``longest_s`` is a
    term of the time a shelf needs to come right after a fault (I4 of the guarantees): it is never
    exceeded, and where it leaves no room above ``base_s`` the spread goes below it.
    """

    random: Random
    base_s: float
    longest_s: float

    def pause(self, attempts: int) -> timedelta:
        """Return how long to wait after so many attempts, at least one."""
        doublings = min(max(attempts, 1) - 1, _DOUBLINGS_MOST)
        lowest_s, highest_s = _bounds_s(self.base_s, self.longest_s, doublings)
        return timedelta(seconds=self.random.uniform(lowest_s, highest_s))

    @property
    def patience(self) -> timedelta:
        """How long a label that lives may take to answer."""
        return timedelta(seconds=self.base_s)


@cache
def _bounds_s(base_s: float, longest_s: float, doublings: int) -> tuple[float, float]:
    """Return the shortest and the longest pause; asked for every label that is sent."""
    longest_s = max(longest_s, base_s)
    step_s = min(longest_s, base_s * 2.0**doublings)
    highest_s = min(longest_s, max(step_s, base_s * 1.25))
    return max(min(base_s, longest_s * 0.8), step_s / 2), highest_s
