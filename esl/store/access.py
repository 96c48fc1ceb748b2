"""Machine tokens, sign-in links and people's sessions: only hashes of secrets are stored."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import Connection, delete, insert, select, update

from esl.domain.access import Scope
from esl.store.columns import AnyRow
from esl.store.tables import machine_tokens, person_sessions, sign_in_links

SIGN_IN: Final = "sign-in"
"""The purpose of a link that signs the owner in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MachineToken:
    """A token as the database knows it: everything but the secret."""

    token_id: str
    name: str
    secret_sha256: str
    scopes: frozenset[Scope]
    stores: frozenset[str]
    created_at: datetime
    revoked_at: datetime | None


def add_token(tx: Connection, token: MachineToken) -> None:
    """Store a new token."""
    tx.execute(
        insert(machine_tokens).values(
            token_id=token.token_id,
            name=token.name,
            secret_sha256=token.secret_sha256,
            scopes=" ".join(sorted(token.scopes)),
            stores=" ".join(sorted(token.stores)),
            created_at=token.created_at,
            revoked_at=token.revoked_at,
        )
    )


def token_named(tx: Connection, token_id: str) -> MachineToken | None:
    """Look a token up by its public part; revoked ones too."""
    row = tx.execute(
        select(machine_tokens).where(machine_tokens.c.token_id == token_id)
    ).one_or_none()
    return _token(row) if row is not None else None


def list_tokens(tx: Connection) -> Sequence[MachineToken]:
    """List all tokens, the oldest first."""
    query = select(machine_tokens).order_by(machine_tokens.c.created_at, machine_tokens.c.token_id)
    return [_token(row) for row in tx.execute(query)]


def revoke_token(tx: Connection, token_id: str, now: datetime) -> bool:
    """Make a token worthless from now on; return whether there was one to revoke."""
    found = tx.execute(
        update(machine_tokens)
        .where(machine_tokens.c.token_id == token_id, machine_tokens.c.revoked_at.is_(None))
        .values(revoked_at=now)
    )
    return bool(found.rowcount)


def add_sign_in_link(
    tx: Connection,
    *,
    secret_sha256: str,
    person: str,
    uses: int,
    expires_at: datetime,
    purpose: str = SIGN_IN,
) -> None:
    """Store a link that signs a person in, or opens another door for it once."""
    tx.execute(
        insert(sign_in_links).values(
            secret_sha256=secret_sha256,
            person=person,
            uses_left=uses,
            expires_at=expires_at,
            purpose=purpose,
        )
    )


def person_of_link(tx: Connection, secret_sha256: str, purpose: str, now: datetime) -> str | None:
    """Say whom a link is for without using it; None if it is unknown or spent."""
    person = tx.execute(
        select(sign_in_links.c.person).where(
            sign_in_links.c.secret_sha256 == secret_sha256,
            sign_in_links.c.purpose == purpose,
            sign_in_links.c.uses_left > 0,
            sign_in_links.c.expires_at > now,
        )
    ).scalar_one_or_none()
    return str(person) if person is not None else None


def end_links(tx: Connection, person: str, purpose: str) -> None:
    """Make a person's links of a purpose worthless."""
    tx.execute(
        update(sign_in_links)
        .where(sign_in_links.c.person == person, sign_in_links.c.purpose == purpose)
        .values(uses_left=0)
    )


def use_sign_in_link(
    tx: Connection, secret_sha256: str, now: datetime, *, purpose: str = SIGN_IN
) -> str | None:
    """Use a link once; return the person it signs in, None if it is unknown or spent."""
    person = tx.execute(
        update(sign_in_links)
        .where(
            sign_in_links.c.secret_sha256 == secret_sha256,
            sign_in_links.c.purpose == purpose,
            sign_in_links.c.uses_left > 0,
            sign_in_links.c.expires_at > now,
        )
        .values(uses_left=sign_in_links.c.uses_left - 1)
        .returning(sign_in_links.c.person)
    ).scalar_one_or_none()
    return str(person) if person is not None else None


def add_session(
    tx: Connection,
    *,
    secret_sha256: str,
    person: str,
    now: datetime,
    expires_at: datetime,
    about: str | None = None,
    by_provider: bool = False,
) -> None:
    """Store a person's session, and drop the ones that have expired."""
    tx.execute(delete(person_sessions).where(person_sessions.c.expires_at <= now))
    tx.execute(
        insert(person_sessions).values(
            secret_sha256=secret_sha256,
            person=person,
            created_at=now,
            expires_at=expires_at,
            used_at=now,
            about=about,
            by_provider=by_provider,
        )
    )


def end_session(tx: Connection, secret_sha256: str) -> None:
    """Sign a person out."""
    tx.execute(delete(person_sessions).where(person_sessions.c.secret_sha256 == secret_sha256))


def _token(row: AnyRow) -> MachineToken:
    return MachineToken(
        token_id=row.token_id,
        name=row.name,
        secret_sha256=row.secret_sha256,
        scopes=frozenset(Scope(scope) for scope in row.scopes.split()),
        stores=frozenset(row.stores.split()),
        created_at=row.created_at,
        revoked_at=row.revoked_at,
    )
