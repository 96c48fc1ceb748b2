"""What is forgotten in time, a little at a time, by the effective clock.

================= ======= ====================================================================
answers           2 days  to requests with an idempotency key
commands, flips   30 days that are over
problems          90 days that ended
battery samples   400 days: a year's trend, and the winter before
failures          400 days: the time in which a verdict may be asked for
================= ======= ====================================================================

Price events, the audit and what labels show now are never forgotten here.
"""

from datetime import datetime, timedelta

from sqlalchemy import Connection

from esl.store import commands, failures, fleet, flips, problems

ROWS_MOST = 5_000
"""Rows of one kind that one run forgets: some milliseconds of the writer's time."""

ORDERS_KEPT = timedelta(days=30)
PROBLEMS_KEPT = timedelta(days=90)
HISTORY_KEPT = timedelta(days=400)


def forget_the_old(tx: Connection, now: datetime) -> int:
    """Forget what is old enough, a bounded share of it; return how many rows went."""
    return (
        commands.forget_commands(tx, now - ORDERS_KEPT, most=ROWS_MOST)
        + flips.forget_flips(tx, now - ORDERS_KEPT, most=ROWS_MOST)
        + problems.forget_problems(tx, now - PROBLEMS_KEPT, most=ROWS_MOST)
        + failures.forget_failures(tx, now - HISTORY_KEPT, most=ROWS_MOST)
        + fleet.forget_samples(tx, (now - HISTORY_KEPT).date(), most=ROWS_MOST)
    )
