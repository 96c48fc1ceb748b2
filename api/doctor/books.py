"""The database: reached, of this version's schema, set to keep what it says, and backed up."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from sqlalchemy import Connection, text

from api.doctor.finding import Finding, failed, passed, skipped, warned
from esl.domain.errors import EslError
from esl.domain.ids import StoreId
from esl.services.access_times import WARNED_BEFORE, ending_soon
from esl.settings import Settings
from esl.store import guarding, neutral_orders
from esl.store.backup_state import backed_up_at, backup_problem
from esl.store.database import Database
from esl.store.migrate import is_current, schema_of

BACKUP_OLD: Final = timedelta(hours=36)
_MUST_BE_ON: Final = ("fsync", "full_page_writes")
_NAMED_MOST: Final = 10
_OLDEST_SERVER: Final = 130_000
"""PostgreSQL 13, as `server_version_num` says it."""


def look_at_books(settings: Settings, now: datetime) -> Iterator[Finding]:
    """Look into the database, without changing it."""
    database = Database(settings.database_address)
    try:
        if database.path is not None and not Path(database.path).is_file():
            yield skipped("database", "not made yet", "It is made by the first: esl serve.")
            return
        with database.read() as tx:
            kind = "SQLite" if database.is_sqlite else "PostgreSQL"
            yield passed("database", f"{kind} answers")
            if not database.is_sqlite:
                yield _server(tx)
            schema = schema_of(tx)
            if schema is None or not is_current(tx):
                fix = "Start the controller of this version: it brings the schema up to date."
                yield warned("migrations", f"the schema is {schema or 'not made yet'}", fix)
                return
            yield passed("migrations", f"schema {schema} is this version's")
            yield _backup(tx, settings, now)
            yield _ending(tx, now)
            yield _halted(tx)
    except EslError as exc:
        fix = "Start it, and check database_url: name, password and network."
        yield failed("database", str(exc), fix)
    finally:
        database.close()


def _server(tx: Connection) -> Finding:
    off = [name for name in _MUST_BE_ON if _setting(tx, name) != "on"]
    if off:
        fix = f"In postgresql.conf set {', '.join(f'{name} = on' for name in off)}."
        return failed("postgresql", f"{', '.join(off)} off: a power cut may lose prices", fix)
    if _setting(tx, "synchronous_commit") == "off":
        fix = "Set synchronous_commit = on: what was answered must be on the disk."
        return failed("postgresql", "synchronous_commit is off", fix)
    version = int(_setting(tx, "server_version_num"))
    if version < _OLDEST_SERVER:
        return warned("postgresql", f"version {version // 10_000}", "Take 13 or newer.")
    return passed("postgresql", f"version {version // 10_000}, keeps what it commits")


def _setting(tx: Connection, name: str) -> str:
    return str(tx.execute(text("SELECT current_setting(:name)"), {"name": name}).scalar_one())


def _ending(tx: Connection, now: datetime) -> Finding:
    soon = ending_soon(tx, now)
    if not soon:
        days = WARNED_BEFORE.days
        return passed("machines", f"no token and no client's secret ends within {days} days")
    named = [
        f"{one.access} ({one.name}) {'ends' if one.ends_at > now else 'ended'} on "
        f"{one.ends_at:%Y-%m-%d}"
        for one in soon[:_NAMED_MOST]
    ]
    more = [f"and {len(soon) - _NAMED_MOST} more"] if len(soon) > _NAMED_MOST else []
    fix = "Give the machine another, then revoke this: esl clients rotate, or esl token create."
    return warned("machines", "; ".join(named + more), fix)


def _halted(tx: Connection) -> Finding:
    """Say where a person's order keeps prices off the shelf: it is easily forgotten."""
    neutral = neutral_orders.stores_ordered(tx)
    if neutral:
        fix = f"Once prices are right again: esl neutral {neutral[0]} --end."
        return warned("orders", f"no prices are shown in {_some(neutral)}", fix)
    if stopped := guarding.frozen_stores(tx):
        fix = f"Once they are right again: esl resume {stopped[0]}."
        return warned("orders", f"nothing is sent to the labels of {_some(stopped)}", fix)
    return passed("orders", "every store is sent its prices, and shows them")


def _some(stores: Sequence[StoreId]) -> str:
    more = f" and {len(stores) - _NAMED_MOST} more" if len(stores) > _NAMED_MOST else ""
    return ", ".join(stores[:_NAMED_MOST]) + more


def _backup(tx: Connection, settings: Settings, now: datetime) -> Finding:
    fix = "Set backup_folder, and copy what is in it to another machine: docs/backup.md."
    if (problem := backup_problem(tx)) is not None:
        return failed("backup", problem, "Mend that; the controller tries again.")
    at = backed_up_at(tx)
    if at is None:
        words = "none yet" if settings.backup_folder else "the controller makes none by itself"
        return warned("backup", words, fix)
    words = f"made on {at:%Y-%m-%d %H:%M} UTC"
    if now - at > BACKUP_OLD:
        return failed("backup", f"the last was {words}", fix)
    return passed("backup", words)
