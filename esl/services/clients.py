"""Machines that fetch short-lived tokens with a secret (OAuth 2.0, client credentials).

A secret reads ``esl_live_<client>_<secret>_<crc32>``, so that scanners of source code find one that
was left there. Two hold at once, so that one takes the other's place without a pause::

    rotate ──▶ both hold ──▶ the machine has the new one ──▶ revoke the old

A token ends with its time, with the secret that fetched it, and with its client; it never may more
than its client may now.
"""

import hmac
import re
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection

from esl.domain.access import ALL_STORES, Principal, Scope
from esl.domain.errors import Conflict, NotFound, NotSignedIn
from esl.services.access import check_grant, hash_secret
from esl.services.access_times import check, in_force, let_end
from esl.store import audit, clients
from esl.store.access_times import Times, secret_key
from esl.store.bell import Ring, ring_within
from esl.store.clients import ClientSecret, MachineClient

SECRETS_MOST: Final = 2
_CLIENT_ID: Final = re.compile(r"[0-9a-f]{12}")
_NONE: Final = "no such client, or disabled before"
_WRONG: Final = "the client is not known, or its secret is wrong"


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """What a client is called, and what it may do where."""

    name: str
    scopes: frozenset[Scope]
    stores: frozenset[str]  # store ids, or `ALL_STORES`


@dataclass(frozen=True, slots=True, kw_only=True)
class NewSecret:
    """A secret that nobody has seen yet."""

    secret_id: str
    text: str
    ends_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """What a token was given for: by which secret of which client, and how much of its rights."""

    client_id: str
    secret_id: str
    scopes: frozenset[Scope]
    stores: frozenset[str]


def secret_text(client_id: str, secret: str) -> str:
    """Write a secret with the marks by which scanners know it, and a checksum."""
    text = f"esl_live_{client_id}_{secret}"
    return f"{text}_{zlib.crc32(text.encode()):08x}"


def is_client_id(text: str) -> bool:
    """Say whether a text may be a client's id."""
    return _CLIENT_ID.fullmatch(text) is not None


def add_client(
    tx: Connection,
    who: Principal,
    grant: Grant,
    *,
    client_id: str,
    secret: NewSecret,
    now: datetime,
) -> MachineClient:
    """Store a client and its first secret.

    Raises:
        InvalidInput, UnknownStore: As `check_grant`; or the secret would have ended already.
    """
    check_grant(tx, grant.scopes, grant.stores)
    client = MachineClient(
        client_id=client_id,
        name=grant.name,
        scopes=grant.scopes,
        stores=grant.stores,
        created_at=now,
        disabled_at=None,
    )
    clients.add_client(tx, client)
    _add_secret(tx, client_id, secret, now)
    _note(tx, who, "client_added", client_id, now, _words_of(grant) | {"secret": secret.secret_id})
    return client_for(tx, client_id)


def client_for(tx: Connection, client_id: str) -> MachineClient:
    """Load a client, a disabled one too.

    Raises:
        NotFound: There is none.
    """
    found = clients.client_named(tx, client_id) if is_client_id(client_id) else None
    if found is None:
        raise NotFound("no such client")
    return found


def change_client(
    tx: Connection, who: Principal, client_id: str, grant: Grant, now: datetime
) -> MachineClient:
    """Say anew what a client may do; tokens that it has lose at once what it lost.

    Raises:
        NotFound: There is none, or it was disabled.
        InvalidInput, UnknownStore: As `check_grant`.
    """
    before = _to_change(tx, client_id)
    check_grant(tx, grant.scopes, grant.stores)
    clients.change_client(tx, client_id, name=grant.name, scopes=grant.scopes, stores=grant.stores)
    ring_within(tx, Ring(access=True))
    old = Grant(name=before.name, scopes=before.scopes, stores=before.stores)
    detail = _words_of(grant) | {"before": _words_of(old)}
    _note(tx, who, "client_changed", client_id, now, detail)
    return replace(before, name=grant.name, scopes=grant.scopes, stores=grant.stores)


def rotate(
    tx: Connection, who: Principal, client_id: str, secret: NewSecret, now: datetime
) -> None:
    """Give a client a second secret.

    Raises:
        NotFound: There is no such client, or it was disabled.
        Conflict: It has two.
        InvalidInput: The secret would have ended already.
    """
    client = _to_change(tx, client_id)
    if len(client.active_secrets) >= SECRETS_MOST:
        raise Conflict("this client has two secrets; revoke the one it uses no more, then rotate")
    _add_secret(tx, client_id, secret, now)
    _note(tx, who, "client_rotated", client_id, now, {"secret": secret.secret_id})


def revoke(tx: Connection, who: Principal, client_id: str, secret_id: str, now: datetime) -> None:
    """Make a secret worthless, and with it every token that was fetched with it, everywhere.

    Raises:
        NotFound: There is no such client or secret, or it was revoked before.
    """
    _to_change(tx, client_id)
    if not clients.revoke_secret(tx, client_id, secret_id, now):
        raise NotFound("no such secret, or revoked before")
    ring_within(tx, Ring(access=True))
    _note(tx, who, "client_secret_revoked", client_id, now, {"secret": secret_id})


def disable(tx: Connection, who: Principal, client_id: str, now: datetime) -> None:
    """Let a client in no more; its secrets and tokens are worthless from now on, everywhere.

    Raises:
        NotFound: There is none, or it was disabled before.
    """
    client = _to_change(tx, client_id)
    for one in client.active_secrets:
        clients.revoke_secret(tx, client_id, one.secret_id, now)
    clients.disable_client(tx, client_id, now)
    ring_within(tx, Ring(access=True))
    _note(tx, who, "client_disabled", client_id, now, {})


def prove(
    tx: Connection, client_id: str, text: str, now: datetime
) -> tuple[MachineClient, str, Times]:
    """Return the client whose secret this is, which of its secrets it is, and that one's times.

    Raises:
        NotSignedIn: There is none such, or it is another's; never says which. Or it has ended.
    """
    client = clients.client_named(tx, client_id) if is_client_id(client_id) else None
    active = client.active_secrets if client is not None else []
    presented = hash_secret(text)
    right: str | None = None
    padding = [("", hash_secret(""))] * (SECRETS_MOST - len(active))  # as long for nobody
    for secret_id, expected in [*((one.secret_id, one.sha256) for one in active), *padding]:
        if hmac.compare_digest(presented, expected) and secret_id:
            right = secret_id
    if client is None or right is None:
        raise NotSignedIn(_WRONG)
    return client, right, check(tx, secret_key(client_id, right), now)


def principal_of(tx: Connection, fetched: Fetched, now: datetime) -> Principal:
    """Say who a token stands for now: what it was given for, as far as its client may it still.

    Raises:
        NotSignedIn: The client was disabled, the secret revoked or over, or nothing of it is left.
    """
    client = clients.client_named(tx, fetched.client_id)
    active = {one.secret_id for one in client.active_secrets} if client is not None else set()
    if client is None or fetched.secret_id not in active:
        raise NotSignedIn("the token is not valid")
    key = secret_key(client.client_id, fetched.secret_id)
    if key not in in_force(tx, [key], now):
        raise NotSignedIn("the token is not valid")
    scopes = fetched.scopes & client.scopes
    stores = _both(fetched.stores, client.stores)
    if not scopes or not stores:
        raise NotSignedIn("the token is not valid")
    return Principal(name=f"client:{client.client_id}", scopes=scopes, stores=stores)


def _both(some: frozenset[str], others: frozenset[str]) -> frozenset[str]:
    if ALL_STORES in some:
        return others
    return some if ALL_STORES in others else some & others


def _to_change(tx: Connection, client_id: str) -> MachineClient:
    found = clients.client_named(tx, client_id, to_change=True) if is_client_id(client_id) else None
    if found is None or found.disabled_at is not None:
        raise NotFound(_NONE)
    return found


def _add_secret(tx: Connection, client_id: str, secret: NewSecret, now: datetime) -> None:
    stored = ClientSecret(
        secret_id=secret.secret_id,
        sha256=hash_secret(secret.text),
        created_at=now,
        revoked_at=None,
    )
    clients.add_secret(tx, client_id, stored)
    let_end(tx, secret_key(client_id, secret.secret_id), secret.ends_at, now)


def _words_of(grant: Grant) -> dict[str, Any]:
    return {
        "name": grant.name,
        "scopes": _sorted(grant.scopes),
        "stores": _sorted(grant.stores),
    }


def _sorted(words: Iterable[str]) -> list[str]:
    return sorted(str(word) for word in words)


def _note(
    tx: Connection,
    who: Principal,
    action: str,
    client_id: str,
    now: datetime,
    detail: Mapping[str, Any],
) -> None:
    audit.note(tx, now, actor=who.name, action=action, subject=f"client/{client_id}", detail=detail)
