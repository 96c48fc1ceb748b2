"""What goes wrong on the way between gateway and controller, by seed.

Faults strike behind the broker's acknowledgement: a lost payload was acknowledged, and still
never arrives. Each stream (one direction of one gateway) draws from its own chance, one number
a payload, so the same seed strikes the same payloads however the streams interleave.
"""

from dataclasses import dataclass
from random import Random


@dataclass(slots=True)
class FaultCounts:
    """How often what has happened to a payload."""

    passed: int = 0
    lost: int = 0
    duplicated: int = 0
    corrupted: int = 0


class Faults:
    """The faults of a whole shop: shares of payloads, a switch, and what really happened.

    Args:
        random: Where the streams' seeds come from; drawn from once.
        lose: Share of payloads that never arrive.
        duplicate: Share that arrives twice.
        corrupt: Share that arrives with one byte changed.
    """

    def __init__(
        self, random: Random, *, lose: float = 0.05, duplicate: float = 0.05, corrupt: float = 0.0
    ) -> None:
        self.lose = lose
        self.duplicate = duplicate
        self.corrupt = corrupt
        self.active = True
        self.counts = FaultCounts()
        self._seed = random.getrandbits(64)

    def stop(self) -> None:
        """Let everything pass from now on."""
        self.active = False

    def start(self) -> None:
        """Strike again."""
        self.active = True

    def stream(self, name: str) -> "FaultStream":
        """The faults of one stream of payloads, such as ``gw-1/up``."""
        return FaultStream(self, Random(f"{self._seed}/{name}"))  # noqa: S311  seeded chance


class FaultStream:
    """Strikes the payloads of one stream; made by `Faults.stream`."""

    def __init__(self, faults: Faults, random: Random) -> None:
        self._faults = faults
        self._random = random

    def strike(self, payload: bytes) -> tuple[bytes, ...]:
        """Return what arrives instead of this payload: nothing, it, it twice, or another."""
        faults, counts = self._faults, self._faults.counts
        if not faults.active:
            counts.passed += 1
            return (payload,)
        drawn = self._random.random()
        if drawn < faults.lose:
            counts.lost += 1
            return ()
        if drawn < faults.lose + faults.duplicate:
            counts.duplicated += 1
            return (payload, payload)
        if drawn < faults.lose + faults.duplicate + faults.corrupt and payload:
            counts.corrupted += 1
            return (self._damage(payload),)
        counts.passed += 1
        return (payload,)

    def _damage(self, payload: bytes) -> bytes:
        damaged = bytearray(payload)
        damaged[self._random.randrange(len(damaged))] ^= self._random.randint(1, 255)
        return bytes(damaged)
