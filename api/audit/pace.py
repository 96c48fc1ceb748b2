"""How long sealing rests between two pieces of work, so that it neither disturbs nor falls behind.

::

    share of a core
    SHARE_MOST  ┤                     ┌────────
                │                  ╱
    SHARE_LEAST ┤──────────────╱
                └──────────────┬──────┬────────▶ committed records that wait to be sealed
                          BACKLOG_FREE   BACKLOG_FREE × SHARE_MOST / SHARE_LEAST

The share grows with what waits, so what waits settles where the share just does the work that
comes: at ``rate`` records a second of ``cost_s`` seconds each that is `backlog_at`. A piece of
work stays as short as ever; only the rests between them do.
"""

from typing import Final

SHARE_LEAST: Final = 0.02
"""Of a core, while little waits: sealing rests 49 times as long as it works."""

SHARE_MOST: Final = 0.25
"""Of a core, at most; prices that come in are worth more than that the chain is young."""

BACKLOG_FREE: Final = 20_000
"""Records that may wait without sealing working more: an import of a shop's whole assortment."""

REST_LEAST_S: Final = 0.01
REST_MOST_S: Final = 5.0


def share_for(backlog: int) -> float:
    """Say which share of a core sealing may take while so many records wait."""
    return min(SHARE_MOST, max(SHARE_LEAST, SHARE_LEAST * backlog / BACKLOG_FREE))


def rest_s(worked_s: float, backlog: int) -> float:
    """Return for how many seconds to rest after a piece of work.

    ``worked_s`` is processor time of the working thread: what it waited for others is no work.
    """
    rest = worked_s * (1 / share_for(backlog) - 1)
    return min(max(rest, REST_LEAST_S), REST_MOST_S)


def backlog_at(rate: float, cost_s: float) -> int | None:
    """Return how many records wait at most while so many come each second, for however long.

    None: sealing cannot keep up with that many; what waits grows until fewer come.
    """
    needed = rate * cost_s
    if needed > SHARE_MOST:
        return None
    return max(BACKLOG_FREE, round(BACKLOG_FREE * needed / SHARE_LEAST))
