"""Open sessions: whose, since when, last used when; only hashes of their secrets are stored."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, select, update

from esl.store.columns import AnyRow
from esl.store.tables import person_sessions

_S = person_sessions.c

_ID_DIGITS = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """One browser that somebody is signed in with."""

    secret_sha256: str
    person: str  # a person's id, or the owner
    created_at: datetime
    used_at: datetime
    expires_at: datetime
    about: str | None
    by_provider: bool  # an OpenID provider vouched for the person

    @property
    def session_id(self) -> str:
        """What it is called in lists: a part of the hash, which opens nothing."""
        return self.secret_sha256[:_ID_DIGITS]


def session_of(tx: Connection, secret_sha256: str) -> Session | None:
    """Load a session, over or not."""
    row = tx.execute(select(person_sessions).where(_S.secret_sha256 == secret_sha256)).one_or_none()
    return _session(row) if row is not None else None


def sessions_of(tx: Connection, person: str, now: datetime) -> list[Session]:
    """List a person's sessions that have not expired, the newest first."""
    query = (
        select(person_sessions)
        .where(_S.person == person, _S.expires_at > now)
        .order_by(_S.created_at.desc(), _S.secret_sha256)
    )
    return [_session(row) for row in tx.execute(query)]


def note_used(tx: Connection, secret_sha256: str, now: datetime) -> None:
    """Write down that a session was used."""
    tx.execute(update(person_sessions).where(_S.secret_sha256 == secret_sha256).values(used_at=now))


def end_sessions(tx: Connection, person: str, *, but: str | None = None) -> int:
    """End a person's sessions, all or all but one; return how many."""
    gone = delete(person_sessions).where(_S.person == person)
    if but is not None:
        gone = gone.where(_S.secret_sha256 != but)
    return int(tx.execute(gone).rowcount)


def end_by_hash(tx: Connection, secret_sha256: str) -> None:
    """End one session."""
    tx.execute(delete(person_sessions).where(_S.secret_sha256 == secret_sha256))


def _session(row: AnyRow) -> Session:
    return Session(
        secret_sha256=row.secret_sha256,
        person=row.person,
        created_at=row.created_at,
        used_at=row.used_at or row.created_at,
        expires_at=row.expires_at,
        about=row.about,
        by_provider=row.by_provider,
    )
