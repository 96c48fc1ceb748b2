"""Tokens, sign-in links and sessions: made, checked, ended. Secrets are stored only hashed.

A token reads ``esl_<id>_<secret>``; 32 random bytes need no slow hash (ASVS 5.0, 6.5.2).
"""

import hashlib
import hmac
from collections.abc import Iterable
from datetime import datetime, timedelta

from sqlalchemy import Connection

from esl.domain.access import ALL_STORES, Principal, Role, Scope
from esl.domain.errors import InvalidInput, NotSignedIn, UnknownStore
from esl.domain.ids import StoreId
from esl.domain.instants import instant_text
from esl.domain.person import PersonId
from esl.store import access, audit, people, places, sessions
from esl.store.access import MachineToken
from esl.store.bell import Ring, ring_within

SESSION_LASTS = timedelta(hours=12)
IDLE_FOR = timedelta(minutes=30)
"""A person's session that is not used for so long is over; the owner's by a link is not."""

USE_NOTED_EVERY = timedelta(minutes=1)
GUARDED_ROLES = frozenset({Role.APPROVER, Role.ADMIN})
"""Those that an installation may give only to people with a second factor."""

_PREFIX = "esl"
_STORES_LONGEST = 2000  # characters of their ids, as the column of a machine's stores holds
_EXPIRED = "the session has expired; sign in again"

OWNER = "owner"
"""The person who set the installation up."""


def create_token(
    tx: Connection,
    *,
    token_id: str,
    secret: str,
    name: str,
    scopes: Iterable[Scope],
    stores: Iterable[str],
    now: datetime,
) -> str:
    """Store a token and return its text, which is shown this once.

    Raises:
        InvalidInput: No scopes or no stores.
        UnknownStore: A store does not exist.
    """
    scope_set, store_set = frozenset(scopes), frozenset(stores)
    check_grant(tx, scope_set, store_set)
    access.add_token(
        tx,
        MachineToken(
            token_id=token_id,
            name=name,
            secret_sha256=hash_secret(secret),
            scopes=scope_set,
            stores=store_set,
            created_at=now,
            revoked_at=None,
        ),
    )
    return f"{_PREFIX}_{token_id}_{secret}"


def check_grant(tx: Connection, scopes: frozenset[Scope], stores: frozenset[str]) -> None:
    """Check what a machine is to be allowed, and where.

    Raises:
        InvalidInput: No scopes, or no stores, or more than are kept.
        UnknownStore: A store does not exist.
    """
    if not scopes:
        raise InvalidInput.at("/scopes", "none given", fix=f"Choose from {', '.join(Scope)}.")
    if not stores:
        raise InvalidInput.at("/stores", "none given", fix=f'Name stores, or "{ALL_STORES}".')
    if len(" ".join(stores)) > _STORES_LONGEST:
        fix = f'Name fewer, or "{ALL_STORES}".'
        raise InvalidInput.at("/stores", f"over {_STORES_LONGEST} characters in all", fix=fix)
    known = {store.store_id for store in places.all_stores(tx)}
    for store_id in sorted(stores - {ALL_STORES}):
        if store_id not in known:
            raise UnknownStore(
                f"no store {store_id!r}; add it first: PUT /api/v1/stores/{store_id}"
            )


def principal_of_token(tx: Connection, text: str) -> Principal:
    """Say who a token stands for.

    Raises:
        NotSignedIn: It is not a token, or unknown, or revoked; never says which.
    """
    prefix, _, rest = text.partition("_")
    token_id, _, secret = rest.partition("_")
    token = access.token_named(tx, token_id) if prefix == _PREFIX and secret else None
    presented = hash_secret(secret)
    expected = token.secret_sha256 if token is not None else hash_secret("")
    if (
        token is None
        or token.revoked_at is not None
        or not hmac.compare_digest(presented, expected)
    ):
        raise NotSignedIn("the token is not valid")
    return Principal(name=f"token:{token.token_id}", scopes=token.scopes, stores=token.stores)


def principal_of_session(
    tx: Connection, secret: str, now: datetime, *, factor_required: bool = False
) -> Principal:
    """Say who a session cookie stands for: asked at each request, so what is taken away is gone.

    With ``factor_required``, who has no second factor is neither approver nor admin; of whom a
    provider let in, that was the provider's to ask for.

    Raises:
        NotSignedIn: It is unknown, has expired, or was not used for `IDLE_FOR`.
    """
    session = sessions.session_of(tx, hash_secret(secret))
    if session is None or session.expires_at <= now:
        raise NotSignedIn(_EXPIRED)
    if session.person == OWNER:
        return Principal(
            name=f"person:{OWNER}", scopes=frozenset(Scope), stores=frozenset({ALL_STORES})
        )
    person = people.person_named(tx, PersonId(session.person))
    if person is None or person.disabled_at is not None or now - session.used_at >= IDLE_FOR:
        raise NotSignedIn(_EXPIRED)
    return Principal.of_roles(
        person.actor,
        (
            (held.store, held.role)
            for held in person.roles
            if not factor_required
            or person.has_second_factor
            or session.by_provider
            or held.role not in GUARDED_ROLES
        ),
    )


def is_use_worth_a_note(tx: Connection, secret: str, now: datetime) -> bool:
    """Say whether a session was last noted as used a while ago."""
    session = sessions.session_of(tx, hash_secret(secret))
    return session is not None and now - session.used_at >= USE_NOTED_EVERY


def note_used(tx: Connection, secret: str, now: datetime) -> None:
    """Write down that a session was used."""
    sessions.note_used(tx, hash_secret(secret), now)


def make_sign_in_link(
    tx: Connection, *, secret: str, uses: int, lasts: timedelta, now: datetime, actor: str
) -> None:
    """Store the secret of a link that signs the owner in; audited."""
    ends_at = now + lasts
    access.add_sign_in_link(
        tx, secret_sha256=hash_secret(secret), person=OWNER, uses=uses, expires_at=ends_at
    )
    detail = {"uses": uses, "expires_at": instant_text(ends_at)}
    audit.note(
        tx, now, actor=actor, action="sign_in_link", subject=f"person/{OWNER}", detail=detail
    )


def sign_in(tx: Connection, *, link_secret: str, session_secret: str, now: datetime) -> datetime:
    """Use a sign-in link and begin a session; return when the session ends.

    Raises:
        NotSignedIn: The link is unknown, used up or has expired.
    """
    person = access.use_sign_in_link(tx, hash_secret(link_secret), now)
    if person is None:
        raise NotSignedIn("this sign-in link has been used or has expired; make a new one")
    expires_at = now + SESSION_LASTS
    access.add_session(
        tx, secret_sha256=hash_secret(session_secret), person=person, now=now, expires_at=expires_at
    )
    return expires_at


def sign_out(tx: Connection, session_secret: str) -> bool:
    """End a session; say whether a provider had let the person in."""
    session = sessions.session_of(tx, hash_secret(session_secret))
    access.end_session(tx, hash_secret(session_secret))
    return session is not None and session.by_provider


def revoke_token(tx: Connection, token_id: str, now: datetime) -> bool:
    """Make a token worthless, in every process; return whether there was one."""
    revoked = access.revoke_token(tx, token_id, now)
    if revoked:
        ring_within(tx, Ring(access=True))
    return revoked


def list_tokens(tx: Connection) -> list[MachineToken]:
    """List all tokens, without their secrets, which nobody has."""
    return list(access.list_tokens(tx))


def stores_open_to(tx: Connection, principal: Principal) -> list[StoreId]:
    """List the stores a principal may see."""
    known = [store.store_id for store in places.all_stores(tx)]
    return [s for s in known if ALL_STORES in principal.stores or s in principal.stores]


def hash_secret(secret: str) -> str:
    """Hash a random secret for storing or finding it."""
    return hashlib.sha256(secret.encode()).hexdigest()
