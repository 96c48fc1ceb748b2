"""How long to wait before trying again."""

from dataclasses import dataclass
from datetime import timedelta
from random import Random

_DOUBLINGS_MOST = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Backoff:
    """Pauses that double from ``base_s`` to ``longest_s``, each stretched by up to a half.

    The stretch keeps labels that failed together from coming back together. ``base_s`` is also
    the patience with a first attempt, so it must exceed transfer and refresh.
    """

    random: Random
    base_s: float
    longest_s: float

    def pause(self, attempts: int) -> timedelta:
        """Return how long to wait after so many attempts, at least one."""
        doublings = min(max(attempts, 1) - 1, _DOUBLINGS_MOST)
        seconds = min(self.longest_s, self.base_s * 2**doublings)
        return timedelta(seconds=seconds * self.random.uniform(1.0, 1.5))
