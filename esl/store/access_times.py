"""When a token or secret ends, and was last used: by ``token:…``, ``secret:…``."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select

from esl.store.tables import access_times, client_secrets, machine_clients, machine_tokens
from esl.store.upsert import insert_or_update

_T = access_times.c
_TOKEN, _SECRET = "token:", "secret:"


@dataclass(frozen=True, slots=True, kw_only=True)
class Times:
    """Of one token or secret: when it ends, and when it was last used, within a minute."""

    ends_at: datetime | None = None
    used_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """A token or secret that still is one, whom it is of, and when it ends."""

    access: str
    name: str
    stores: frozenset[str]  # or `ALL_STORES`
    made_at: datetime
    used_at: datetime | None
    ends_at: datetime


NEVER = Times()


def token_key(token_id: str) -> str:
    """Name a token, as its principal is named."""
    return f"{_TOKEN}{token_id}"


def secret_key(client_id: str, secret_id: str) -> str:
    """Name a client's secret."""
    return f"{_SECRET}{client_id}:{secret_id}"


def times_of(tx: Connection, keys: Collection[str]) -> Mapping[str, Times]:
    """Look up the times of those that have any."""
    rows = tx.execute(select(access_times).where(_T.access.in_(keys)))
    return {row.access: Times(ends_at=row.ends_at, used_at=row.used_at) for row in rows}


def all_token_times(tx: Connection) -> Mapping[str, Times]:
    """Look up the times of all tokens that have any."""
    rows = tx.execute(select(access_times).where(_T.access.startswith(_TOKEN)))
    return {row.access: Times(ends_at=row.ends_at, used_at=row.used_at) for row in rows}


def set_end(tx: Connection, key: str, ends_at: datetime) -> None:
    """Store when one ends."""
    insert_or_update(tx, access_times, [{"access": key, "ends_at": ends_at}])


def note_used(tx: Connection, key: str, now: datetime) -> None:
    """Store that one was used."""
    insert_or_update(tx, access_times, [{"access": key, "used_at": now}])


def ending_between(tx: Connection, since: datetime, until: datetime) -> list[Ending]:
    """List what is in force and ends within a time, the first first."""
    of_token = machine_tokens.c
    tokens = tx.execute(
        select(access_times, of_token.name, of_token.stores, of_token.created_at)
        .join(machine_tokens, _T.access == _TOKEN + of_token.token_id)
        .where(of_token.revoked_at.is_(None), _T.ends_at.between(since, until))
    )
    of_secret, of_client = client_secrets.c, machine_clients.c
    secrets = tx.execute(
        select(access_times, of_client.name, of_client.stores, of_secret.created_at)
        .join(
            client_secrets,
            _T.access == _SECRET + of_secret.client_id + ":" + of_secret.secret_id,
        )
        .join(machine_clients, of_client.client_id == of_secret.client_id)
        .where(
            of_secret.revoked_at.is_(None),
            of_client.disabled_at.is_(None),
            _T.ends_at.between(since, until),
        )
    )
    found = [
        Ending(
            access=row.access,
            name=row.name,
            stores=frozenset(row.stores.split()),
            made_at=row.created_at,
            used_at=row.used_at,
            ends_at=row.ends_at,
        )
        for row in (*tokens.all(), *secrets.all())
    ]
    return sorted(found, key=lambda one: (one.ends_at, one.access))
