"""How the HTTP server's certificate stands: why somebody has to look after it."""

from sqlalchemy import Connection, select, update

from esl.store.tables import installation

_WORDS_LONGEST = 300


def certificate_problem(tx: Connection) -> str | None:
    """Say what is wrong with it, in words; None: nothing."""
    words: str | None = tx.execute(select(installation.c.certificate_problem)).scalar_one()
    return words


def note_certificate(tx: Connection, words: str | None) -> None:
    """Note what is wrong with it, which every store then shows as a problem; None: nothing."""
    cut = words[:_WORDS_LONGEST] if words is not None else None
    tx.execute(update(installation).values(certificate_problem=cut))
