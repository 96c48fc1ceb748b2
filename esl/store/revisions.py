"""Taking revisions from the installation's one sequence.

Take one only after the rows of the labels it is for are locked: on PostgreSQL the order of a
sequence is not the order of commits, and a label must never want a revision below one it was
sent. A revision taken and rolled back leaves a gap, which harms nobody.
"""

from typing import Final

from sqlalchemy import Connection, select

from esl.store.bulk import Bulk
from esl.store.tables import REVISION_SEQUENCE

_TAKE_SOME: Final = Bulk(
    "UPDATE revision_counter SET last_rev = last_rev + :count RETURNING last_rev"
)
_NEXT_VALUES: Final = Bulk(
    f"SELECT nextval('{REVISION_SEQUENCE.name}') FROM generate_series(1, :count)"  # noqa: S608  # nosec B608
)
"""PostgreSQL only."""


def take_revision(tx: Connection) -> int:
    """Return the next revision, above every one ever returned."""
    if tx.dialect.name == "sqlite":
        [[last]] = _TAKE_SOME.run(tx, count=1)
        return int(last)
    return int(tx.execute(select(REVISION_SEQUENCE.next_value())).scalar_one())


def take_revisions(tx: Connection, count: int) -> list[int]:
    """Return so many revisions, rising, each above every one ever returned."""
    if count == 1:
        return [take_revision(tx)]
    if tx.dialect.name == "sqlite":
        [[last]] = _TAKE_SOME.run(tx, count=count)
        return list(range(last - count + 1, last + 1))
    # Another process may take some in between: no stretch of numbers is ours alone.
    return sorted(int(row[0]) for row in _NEXT_VALUES.run(tx, count=count))
