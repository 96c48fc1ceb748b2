"""The air between a gateway and its labels: what a transfer takes, and what gets lost.

::

    connect ─▶ block of 4,096 bytes in parts of 99 ─▶ block … ─▶ landed, or given up
                 └── lost: once more, ``tries`` times ──┘
"""

from math import ceil
from random import Random

from simulator.options import RadioOptions

GOOD_DBM = -80
"""A stronger signal loses nothing more; an assumption, as is the slope below it."""
_DEAF_DBM = 20  # so far below, nothing comes through
_LOST_MOST = 0.95


class Radio:
    """One gateway's transmitter and receiver; ``options.loss`` may change while it runs."""

    def __init__(self, options: RadioOptions, random: Random) -> None:
        self.options = options
        self._random = random
        self.takes_time = bool(options.bytes_per_s or options.block_s or options.connect_s)

    @property
    def is_lossy(self) -> bool:
        """Whether anything can get lost."""
        return self.options.fading or self.options.loss > 0

    def loss_at(self, dbm: int) -> float:
        """Share of what gets lost at this signal."""
        loss = self.options.loss
        if self.options.fading and dbm < GOOD_DBM:
            loss += ((GOOD_DBM - dbm) / _DEAF_DBM) ** 2
        return min(_LOST_MOST, loss)

    def hears(self, dbm: int) -> bool:
        """Throw dice for one short message: does it come through?"""
        return not self.is_lossy or self._random.random() >= self.loss_at(dbm)

    def send(self, size: int, dbm: int) -> tuple[float, bool]:
        """Send so many bytes; return the seconds that took, and whether they arrived whole."""
        if not (self.takes_time or self.is_lossy):
            return 0.0, True
        options = self.options
        loss = self.loss_at(dbm)
        took_s = options.connect_s
        for start in range(0, max(size, 1), options.block_bytes):
            block_s = self._block_s(min(options.block_bytes, size - start))
            for _ in range(options.tries):
                took_s += block_s
                if not loss or self._random.random() >= loss:
                    break
            else:
                return took_s, False
        return took_s, True

    def _block_s(self, size: int) -> float:
        options = self.options
        if not options.bytes_per_s:
            return options.block_s
        parts = ceil(max(size, 1) / options.part_bytes)
        return options.block_s + parts * options.part_bytes / options.bytes_per_s
