"""Which key signs what gateways obey: its id alone; the key itself is never in the database."""

from sqlalchemy import Connection, select, update

from esl.store.tables import installation


def signing_key_id(tx: Connection) -> str | None:
    """Name the key that the controller signed with when it was started last; None before."""
    found: str | None = tx.execute(select(installation.c.signing_key)).scalar_one()
    return found


def note_signing_key(tx: Connection, key_id: str | None) -> None:
    """Note which key signs from now on; None: whichever the folder holds at the next start."""
    tx.execute(update(installation).values(signing_key=key_id))
