"""Logins of gateways and tills at the broker, and the tokens gateways enrol with: rows in and out.

Passwords arrive here sealed and leave sealed: the key that opens them is in a file beside the
database. They must be read again, because a broker is told a password, not a hash of it.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import Connection, delete, select, update

from esl.domain.ids import GatewayId
from esl.store.columns import AnyRow
from esl.store.tables import broker_logins, gateway_tokens, gateways
from esl.store.upsert import insert_or_update

GATEWAY = "gateway"
SOURCE = "source"

REVOKED: Final = (
    select(broker_logins.c.username)
    .where(
        broker_logins.c.username == gateways.c.gateway_id,
        broker_logins.c.role == GATEWAY,
        broker_logins.c.revoked_at.is_not(None),
    )
    .correlate(gateways)
)
"""Beside a gateway: finds something where its login was revoked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokerLogin:
    """One login. ``told_at`` is None until a broker that must be told has its password."""

    username: str
    role: str
    sealed: bytes
    made_at: datetime
    told_at: datetime | None
    revoked_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewayToken:
    """A token by which a gateway enrols; of its secret only the hash is known."""

    gateway_id: GatewayId
    secret_sha256: str
    made_at: datetime
    made_by: str
    expires_at: datetime
    used_at: datetime | None


def put_login(tx: Connection, username: str, role: str, sealed: bytes, now: datetime) -> None:
    """Add a login, or give it another password; one that was revoked may come in again."""
    row = {
        "username": username,
        "role": role,
        "sealed": sealed,
        "made_at": now,
        "told_at": None,
        "revoked_at": None,
    }
    insert_or_update(tx, broker_logins, [row])


def login_named(tx: Connection, username: str) -> BrokerLogin | None:
    """Look a login up."""
    row = tx.execute(
        select(broker_logins).where(broker_logins.c.username == username)
    ).one_or_none()
    return _login(row) if row is not None else None


def list_logins(tx: Connection) -> list[BrokerLogin]:
    """List all logins, those revoked too, by name."""
    return [_login(row) for row in tx.execute(select(broker_logins).order_by("username"))]


def revoke_login(tx: Connection, username: str, now: datetime) -> bool:
    """Note that a login may not be used any more; say whether it could be until now."""
    query = (
        update(broker_logins)
        .where(broker_logins.c.username == username, broker_logins.c.revoked_at.is_(None))
        .values(revoked_at=now)
    )
    return tx.execute(query).rowcount > 0


def remove_login(tx: Connection, username: str, role: str) -> None:
    """Forget a login of a gateway, or of a source."""
    row = broker_logins.c
    tx.execute(delete(broker_logins).where(row.username == username, row.role == role))


def note_told(tx: Connection, logins: Iterable[BrokerLogin], now: datetime) -> None:
    """Note that the broker has these passwords; one that was changed meanwhile stays untold."""
    for one in logins:
        tx.execute(
            update(broker_logins)
            .where(broker_logins.c.username == one.username, broker_logins.c.sealed == one.sealed)
            .values(told_at=now)
        )


def revoked_gateways(tx: Connection) -> frozenset[GatewayId]:
    """Name the gateways whose login was revoked: nothing they say is believed."""
    query = select(broker_logins.c.username).where(
        broker_logins.c.role == GATEWAY, broker_logins.c.revoked_at.is_not(None)
    )
    return frozenset(GatewayId(row.username) for row in tx.execute(query))


def end_lease(tx: Connection, gateway_id: GatewayId) -> None:
    """Take a gateway from the worker that speaks with it."""
    tx.execute(
        update(gateways)
        .where(gateways.c.gateway_id == gateway_id)
        .values(leased_by=None, leased_until=None, online=False)
    )


def put_token(tx: Connection, token: GatewayToken) -> None:
    """Give a gateway a token; the one before is worth nothing any more."""
    insert_or_update(
        tx,
        gateway_tokens,
        [
            {
                "gateway_id": token.gateway_id,
                "secret_sha256": token.secret_sha256,
                "made_at": token.made_at,
                "made_by": token.made_by,
                "expires_at": token.expires_at,
                "used_at": token.used_at,
            }
        ],
    )


def token_of_secret(tx: Connection, secret_sha256: str) -> GatewayToken | None:
    """Look a token up by the hash of its secret."""
    query = select(gateway_tokens).where(gateway_tokens.c.secret_sha256 == secret_sha256)
    row = tx.execute(query).one_or_none()
    if row is None:
        return None
    fields = row._asdict()
    return GatewayToken(**fields | {"gateway_id": GatewayId(fields["gateway_id"])})


def use_token(tx: Connection, secret_sha256: str, now: datetime) -> bool:
    """Use a token up; say whether it could be: once, whoever comes at the same moment."""
    query = (
        update(gateway_tokens)
        .where(
            gateway_tokens.c.secret_sha256 == secret_sha256,
            gateway_tokens.c.used_at.is_(None),
            gateway_tokens.c.expires_at > now,
        )
        .values(used_at=now)
    )
    return tx.execute(query).rowcount == 1


def end_token(tx: Connection, gateway_id: GatewayId) -> None:
    """Make a gateway's token worthless."""
    tx.execute(delete(gateway_tokens).where(gateway_tokens.c.gateway_id == gateway_id))


def _login(row: AnyRow) -> BrokerLogin:
    return BrokerLogin(**row._asdict())
