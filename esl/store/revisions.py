"""Taking revisions from the installation's one sequence.

Take one only after the rows of the labels it is for are locked: on PostgreSQL the order of a
sequence is not the order of commits, and a label must never want a revision below one it was
sent. A revision taken and rolled back leaves a gap, which harms nobody.
"""

from sqlalchemy import Connection, select, update

from esl.store.tables import REVISION_SEQUENCE, revision_counter


def take_revision(tx: Connection) -> int:
    """Return the next revision, above every one ever returned."""
    if tx.dialect.name == "sqlite":
        counted = (
            update(revision_counter)
            .values(last_rev=revision_counter.c.last_rev + 1)
            .returning(revision_counter.c.last_rev)
        )
        return int(tx.execute(counted).scalar_one())
    return int(tx.execute(select(REVISION_SEQUENCE.next_value())).scalar_one())
