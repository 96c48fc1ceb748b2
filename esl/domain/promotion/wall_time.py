"""What a store's own clock shows, as instants, on the days when it is turned as well.

================== ============================== ============================================
a time of the clock begins                         ends
================== ============================== ============================================
shown once         at that instant                at that instant
shown twice        when it is shown first         when it is shown last
skipped            when the clock is turned       when the clock is turned
================== ============================== ============================================

So a tie goes in the customer's favour: what begins begins earlier, what ends ends later, and no
minute is made of nothing. In Berlin, 2026-10-25 02:30 begins at 00:30 UTC and ends at 01:30 UTC,
and 2026-03-29 02:30 is 01:00 UTC for both (field notes, reliability 3.10).
"""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

_SECOND = timedelta(seconds=1)


def begin_of(local: datetime, zone: ZoneInfo) -> datetime:
    """Return the first instant at which the clock shows ``local`` or later; UTC.

    ``local`` is naive, in whole seconds.
    """
    first = local.replace(tzinfo=zone, fold=0).astimezone(UTC)
    second = local.replace(tzinfo=zone, fold=1).astimezone(UTC)
    return first if first <= second else _turned_between(second, first, local, zone)


def end_of(local: datetime, zone: ZoneInfo) -> datetime:
    """Return the last instant at which the clock shows ``local`` or earlier; UTC.

    ``local`` is naive, in whole seconds.
    """
    first = local.replace(tzinfo=zone, fold=0).astimezone(UTC)
    second = local.replace(tzinfo=zone, fold=1).astimezone(UTC)
    return second if first <= second else _turned_between(second, first, local, zone)


def _turned_between(before: datetime, after: datetime, local: datetime, zone: ZoneInfo) -> datetime:
    """Find the instant at which the clock jumps over ``local``, to the second."""
    early, late = 0, (after - before) // _SECOND
    while early + 1 < late:
        middle = (early + late) // 2
        shown = (before + middle * _SECOND).astimezone(zone).replace(tzinfo=None)
        if shown < local:
            early = middle
        else:
            late = middle
    return before + late * _SECOND
