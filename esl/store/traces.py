"""What a transaction did for a price change, for the log: said once it is committed, or not at all.

A change is known by its revision, on the whole way from the till to the glass: ``change`` in log
lines. These lines are of level debug; below it nothing is gathered, and nothing is asked but once
a transaction. A transaction that is none of the writer's says nothing.

::

    open ──▶ note, note … ──▶ cut back, where a request is undone ──▶ say, after the commit
"""

import logging
from collections.abc import Iterable
from typing import Any, Final

import structlog
from sqlalchemy import Connection

_KEY: Final = "esl_traces"
_Line = tuple[str, dict[str, Any]]

log = structlog.get_logger()


def is_on() -> bool:
    """Say whether lines of single changes are logged at all."""
    return structlog.is_configured() and bool(log.is_enabled_for(logging.DEBUG))


def begin(tx: Connection) -> None:
    """Gather what is noted from here on, if it is logged."""
    tx.info.pop(_KEY, None)
    if is_on():
        tx.info[_KEY] = []


def is_gathering(tx: Connection) -> bool:
    """Say whether what is noted in this transaction will be logged: the question before `note`."""
    return _KEY in tx.info


def note(tx: Connection, event: str, lines: Iterable[dict[str, Any]]) -> None:
    """Note lines of one event. None of their values may be a secret, or what somebody sent."""
    gathered: list[_Line] | None = tx.info.get(_KEY)
    if gathered is not None:
        gathered += [(event, line) for line in lines]


def mark(tx: Connection) -> int:
    """Return how far it was noted."""
    return len(tx.info.get(_KEY, ()))


def cut_back(tx: Connection, to: int) -> None:
    """Forget what was noted since a mark: it was undone."""
    gathered: list[_Line] | None = tx.info.get(_KEY)
    if gathered is not None:
        del gathered[to:]


def end(tx: Connection) -> list[_Line]:
    """Return what was noted, to `say` it after the commit."""
    gathered: list[_Line] = tx.info.pop(_KEY, [])
    return gathered


def say(lines: Iterable[_Line]) -> None:
    """Log what was noted."""
    for event, line in lines:
        log.debug(event, **line)
