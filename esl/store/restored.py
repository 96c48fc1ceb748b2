"""What a database must hold after its rows were put back from a backup, so that nothing lies.

Between the backup and now the shop went on: glasses show revisions that this database never gave
out, gateways have obeyed higher counters, labels were bound at higher epochs. So all of these jump
above anything that may have been given out since, what labels were known to show is forgotten, and
every label that was ever told anything is told it anew, under a revision above all others::

    revision   + 2**32   of 2**53 - 1 that the wire carries
    counter    + 2**32   of 2**43 - 1: a command's id is 1024 times as much
    epoch      + 2**16   of 2**31 - 1

What a source said last stays as it was: a till that goes on is above it, and one that says again
what it said after the backup is above it too.

The database may be of an older schema, on the way back to the version before: what that lacks need
not be settled.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Column, Connection, Table, case, delete, func, inspect, select, update

from esl.domain.conclusions import DUPLICATE_ID, INSUFFICIENT_BATTERY
from esl.domain.errors import SetupError
from esl.domain.label import NOTHING_SHOWN, Lane, SlotState
from esl.store.schema import REVISION_SEQUENCE
from esl.store.tables import (
    broker_logins,
    commands,
    connectors,
    gateways,
    hook_events,
    import_jobs,
    labels,
    revision_counter,
    source_secrets,
    staged,
    subscriptions,
    till_prices,
    till_settings,
)

REVISIONS_JUMP: Final = 2**32
COUNTERS_JUMP: Final = 2**32
EPOCHS_JUMP: Final = 2**16

REVISIONS_MOST: Final = 2**53 - 1
"""What the wire carries (`gateway.wire.fields.MAX_INT`)."""

COUNTERS_MOST: Final = 2**43 - 1
"""`gateway.link.command_id` multiplies them by 1024."""

EPOCHS_MOST: Final = 2**31 - 1

_FILE_LOST: Final = "its file was not in the backup that was restored; hand it in again"

_STAYS: Final = (DUPLICATE_ID, INSUFFICIENT_BATTERY)
"""Problems that a restore does not end. A revision that was not ours is no longer above ours."""


def settle_anew(tx: Connection, now: datetime, *, last_rev: int) -> int:
    """Make everything due again, above whatever was given out since; return the new revision.

    ``last_rev`` is the one that the backup's database gave out last.

    Raises:
        SetupError: It was restored so often that the wire's numbers are used up.
    """
    rev = last_rev + REVISIONS_JUMP
    has_tills = _has(tx, till_prices)
    last = rev
    if has_tills:
        last += tx.execute(select(func.count()).select_from(till_prices)).scalar_one()
    for what, reached, most in (
        ("revisions", last, REVISIONS_MOST),
        ("counters", _highest(tx, gateways.c.counter) + COUNTERS_JUMP, COUNTERS_MOST),
        ("epochs", _highest(tx, labels.c.epoch) + EPOCHS_JUMP, EPOCHS_MOST),
    ):
        if reached > most // 2:  # the other half is for what comes after
            raise SetupError(
                f"this installation was restored so often that the wire's {what} are used up: "
                f"set up a new one, and pair the labels again"
            )
    tx.execute(update(revision_counter).values(last_rev=last))
    if tx.dialect.name != "sqlite":
        tx.execute(select(func.setval(REVISION_SEQUENCE.name, last)))
    _settle_gateways(tx)
    _settle_labels(tx, now, rev)
    _settle_slots(tx, now)
    _make_due(tx, now)
    if has_tills:
        _tell_tills(tx, rev)
    return rev


def forget_lost_secrets(tx: Connection) -> None:
    """Remove what only a lost key opens and a new one takes the place of.

    A login that cannot be opened would keep the broker from being told of all others.
    """
    tx.execute(delete(source_secrets))
    tx.execute(delete(broker_logins))


def first_epoch(tx: Connection) -> int:
    """Return the epoch of a label that is new here: it may have been bound before a restore."""
    return _highest(tx, labels.c.epoch) // EPOCHS_JUMP * EPOCHS_JUMP + 1


def _has(tx: Connection, table: Table) -> bool:
    return inspect(tx).has_table(table.name)


def _update(
    tx: Connection, table: Table, values: dict[str, Any], where: Iterable[Any] = ()
) -> None:
    """Set those of the columns that the table has; nothing where there is no such table."""
    if not _has(tx, table):
        return
    there = {column["name"] for column in inspect(tx).get_columns(table.name)}
    known = {name: value for name, value in values.items() if name in there}
    tx.execute(update(table).where(*where).values(**known))


def _highest(tx: Connection, column: Column[int]) -> int:
    return tx.execute(select(func.max(column))).scalar_one() or 0


def _settle_gateways(tx: Connection) -> None:
    values = {"session": "", "online": False, "leased_by": None, "leased_until": None}
    _update(tx, gateways, values | {"counter": gateways.c.counter + COUNTERS_JUMP})


def _settle_labels(tx: Connection, now: datetime, rev: int) -> None:
    """Forget what labels show, and let all that were ever told anything want it again.

    Nothing is known to hang, so every picture travels whole. One whose id is used twice stays
    apart; one that has left the shop is asked for nothing.
    """
    forgotten = {
        "epoch": labels.c.epoch + EPOCHS_JUMP,
        "shown_rev": 0,
        "shown_digest": NOTHING_SHOWN,
        "shown_session": "",
        "shown_seq": 0,
        "slots": None,
        "refused_rev": None,
        "refused_code": None,
        "refused_detail": None,
    }
    _update(tx, labels, forgotten)
    stays = labels.c.problem.in_(_STAYS)
    wanted = {
        "wanted_rev": rev,
        "wanted_at": now,
        "attempts": 0,
        "lane": int(Lane.NORMAL),
        "due_at": case((stays | (labels.c.quarantine != 0), None), else_=now),
        "problem": case((stays, labels.c.problem)),
        "problem_detail": case((stays, labels.c.problem_detail)),
    }
    _update(tx, labels, wanted, [labels.c.wanted_rev > 0])
    tx.execute(
        update(labels)
        .where(labels.c.retired_at.is_not(None), labels.c.gateway_id.is_(None))
        .values(due_at=None)
    )


def _settle_slots(tx: Connection, now: datetime) -> None:
    """Fill every slot anew; an old timed show refuses itself, below what its label then shows."""
    tx.execute(delete(staged).where(staged.c.state == int(SlotState.CANCELLED)))
    planned = {
        "state": int(SlotState.PLANNED),
        "rev": 0,
        "show_rev": None,
        "command_id": None,
        "due_at": now,
        "attempts": 0,
        "gateway_id": None,
        "session": "",
    }
    _update(tx, staged, planned)


def _make_due(tx: Connection, now: datetime) -> None:
    """Let whatever was in flight begin again; what rests on a file that is gone has failed."""
    for table in (commands, hook_events):
        _update(tx, table, {"due_at": now}, [table.c.due_at.is_not(None)])
    _update(tx, connectors, {"due_at": now})
    _update(tx, subscriptions, {"next_at": now}, [subscriptions.c.next_at > now])
    failed = {"state": "failed", "detail": _FILE_LOST, "ended_at": now}
    _update(tx, import_jobs, failed, [import_jobs.c.state.in_(("queued", "running"))])


def _tell_tills(tx: Connection, rev: int) -> None:
    """Let tills hear every price again: they may hold newer ones, which hold no longer.

    What a till acknowledged after the backup is no acknowledgement of what it is granted now. Each
    price gets a revision above ``rev`` of its own: tills read on from the last one of a page.
    """
    place = func.row_number().over(order_by=(till_prices.c.store_id, till_prices.c.sku))
    ranked = select(till_prices.c.store_id, till_prices.c.sku, place.label("place")).subquery()
    tx.execute(
        update(till_prices)
        .where(
            till_prices.c.store_id == ranked.c.store_id,
            till_prices.c.sku == ranked.c.sku,
        )
        .values(rev=rev + ranked.c.place, granted_rev=rev + ranked.c.place)
    )
    _update(tx, till_settings, {"told_rev": 0, "attempts": 0, "next_at": None})
