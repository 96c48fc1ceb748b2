"""How a gateway comes into the shop, gets its login at the broker, and loses it again.

::

    an administrator         registers the gateway ──▶ a token, shown once, short-lived
    the gateway              brings the token, once ──▶ its enrolment file: login, keys, address
    an administrator         revokes ──▶ the broker lets it in no more, and nobody listens to it

Of the token only a hash is stored. The login's password is sealed, see `esl.store.broker_logins`.
"""

import hmac
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection

from esl.domain.errors import AlreadyExists, TokenWorthless, UnknownGateway
from esl.domain.ids import GatewayId, SourceId, StoreId
from esl.domain.source import SourceKind
from esl.services.access import hash_secret
from esl.store import audit, broker_logins, places, sources
from esl.store.bell import Ring, ring_within
from esl.store.broker_logins import GATEWAY, SOURCE, BrokerLogin, GatewayToken

TOKEN_LASTS = timedelta(hours=1)
TOKEN_LASTS_MOST = timedelta(days=7)
_PREFIX = "esl-enrol"

Seal = Callable[[], bytes]
"""Makes a new password and seals it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Enrolled:
    """A gateway that may have its enrolment file now."""

    gateway_id: GatewayId
    store_id: StoreId
    sealed: bytes | None  # its password; None where the broker knows one login only


def make_token(
    tx: Connection,
    gateway_id: GatewayId,
    store_id: StoreId,
    *,
    secret: str,
    lasts: timedelta,
    now: datetime,
    actor: str,
) -> tuple[str, datetime]:
    """Register a gateway, if it is new, and give it a token; return its text and its end.

    A token that it had before is worth nothing from now on.

    Raises:
        UnknownStore: There is no such store.
        AlreadyExists: The gateway belongs to another store.
    """
    places.store_named(tx, store_id)
    places.put_gateway(tx, gateway_id, store_id)
    token = GatewayToken(
        gateway_id=gateway_id,
        secret_sha256=hash_secret(secret),
        made_at=now,
        made_by=actor[:80],
        expires_at=now + lasts,
        used_at=None,
    )
    broker_logins.put_token(tx, token)
    _note(tx, now, actor=actor, action="gateway_token", gateway_id=gateway_id, store_id=store_id)
    return f"{_PREFIX}-{gateway_id}-{secret}", token.expires_at


def enrol(tx: Connection, text: str, now: datetime, *, seal: Seal | None) -> Enrolled:
    """Use a token: its gateway gets a new password, where it has one of its own.

    Raises:
        TokenWorthless: It is unknown, was used, or its time is over.
    """
    secret = text.rpartition("-")[2] if text.startswith(f"{_PREFIX}-") else ""
    token = broker_logins.token_of_secret(tx, hash_secret(secret)) if secret else None
    expected = f"{_PREFIX}-{token.gateway_id}-{secret}" if token is not None else ""
    if token is None or not hmac.compare_digest(expected.encode(), text.encode()):
        raise TokenWorthless("no gateway may enrol with this token")
    if token.used_at is not None:
        raise TokenWorthless(
            f"this token was used at {token.used_at:%Y-%m-%d %H:%M} UTC, and serves once; if that "
            f"was not you, revoke the gateway {token.gateway_id}"
        )
    if not broker_logins.use_token(tx, token.secret_sha256, now):
        raise TokenWorthless(f"this token's time was over at {token.expires_at:%Y-%m-%d %H:%M} UTC")
    store_id = places.gateway_named(tx, token.gateway_id).store_id
    sealed = None
    if seal is not None:
        sealed = give_login(tx, token.gateway_id, GATEWAY, seal, now)
    _note(
        tx,
        now,
        actor=f"gateway:{token.gateway_id}",
        action="gateway_enrolled",
        gateway_id=token.gateway_id,
        store_id=store_id,
    )
    return Enrolled(gateway_id=token.gateway_id, store_id=store_id, sealed=sealed)


def give_login(tx: Connection, username: str, role: str, seal: Seal, now: datetime) -> bytes:
    """Give a gateway or a source a login with a new password; return it, sealed.

    Raises:
        AlreadyExists: A gateway and a source of one name: a broker cannot tell them apart.
    """
    held = broker_logins.login_named(tx, username)
    if held is not None and held.role != role:
        raise AlreadyExists(f"a {held.role} has the login {username!r}; give this another name")
    sealed = seal()
    broker_logins.put_login(tx, username, role, sealed, now)
    ring_within(tx, Ring(access=True))
    return sealed


def login_of_gateway(
    tx: Connection, gateway_id: GatewayId, seal: Seal, now: datetime, *, renew: bool
) -> bytes:
    """Return a gateway's sealed password; a new one where it has none that counts, or ``renew``.

    Raises:
        AlreadyExists: A source has the name.
    """
    held = broker_logins.login_named(tx, gateway_id)
    if held is not None and held.role == GATEWAY and held.revoked_at is None and not renew:
        return held.sealed
    return give_login(tx, gateway_id, GATEWAY, seal, now)


def give_source_login(
    tx: Connection, source_id: SourceId, seal: Seal, now: datetime, *, actor: str
) -> bytes:
    """Give a source that speaks MQTT its login at the broker, or a new password.

    Raises:
        UnknownSource: There is none.
        AlreadyExists: It speaks no MQTT, or a gateway has the name.
    """
    source = sources.source_named(tx, source_id)
    if source.kind is not SourceKind.MQTT:
        raise AlreadyExists(f"the source {source_id!r} is of the kind {source.kind}, not mqtt")
    sealed = give_login(tx, source_id, SOURCE, seal, now)
    audit.note(
        tx, now, actor=actor, action="source_login", subject=f"source/{source_id}",
        store_id=source.store_id,
    )  # fmt: skip
    return sealed


def revoke_gateway(
    tx: Connection,
    gateway_id: GatewayId,
    store_id: StoreId,
    now: datetime,
    *,
    actor: str,
    seal: Seal,
) -> bool:
    """Take a gateway's login and token away; say whether it had a login until now.

    It stays registered with its labels: another enrolment lets it in again.

    Raises:
        UnknownGateway: The store has none of this name.
    """
    if places.gateway_named(tx, gateway_id).store_id != store_id:
        raise UnknownGateway(f"no gateway {gateway_id!r}")
    broker_logins.end_token(tx, gateway_id)
    held = broker_logins.login_named(tx, gateway_id)
    if held is None:  # it came by a login that is not of ours: remember that it is out
        give_login(tx, gateway_id, GATEWAY, seal, now)
    revoked = broker_logins.revoke_login(tx, gateway_id, now)
    broker_logins.end_lease(tx, gateway_id)
    ring_within(tx, Ring(access=True, leases=True))
    _note(tx, now, actor=actor, action="gateway_revoked", gateway_id=gateway_id, store_id=store_id)
    return revoked


def usable_logins(tx: Connection) -> list[BrokerLogin]:
    """List the logins that may come in: not revoked, and of no source that is gone."""
    speaking = {
        one.source.source_id
        for one in sources.list_sources(tx)
        if one.source.kind is SourceKind.MQTT
    }
    return [
        one
        for one in broker_logins.list_logins(tx)
        if one.revoked_at is None and (one.role != SOURCE or one.username in speaking)
    ]


def _note(
    tx: Connection,
    now: datetime,
    *,
    actor: str,
    action: str,
    gateway_id: GatewayId,
    store_id: StoreId,
) -> None:
    audit.note(
        tx, now, actor=actor, action=action, subject=f"gateway/{gateway_id}", store_id=store_id
    )
