"""Log drivers in that speak another maker's interface: a machine token as name and password.

::

    name of the token, or its id ─┐
    whole token, or its secret ───┴─▶ the token ──▶ its scopes, its stores

A driver that may only enter a user and a password gets the rights of the token, no more; a token
that is revoked ends every login made with it.
"""

import hmac

from sqlalchemy import Connection

from esl.domain.access import Principal
from esl.domain.errors import NotSignedIn
from esl.services.access import hash_secret
from esl.store import access
from esl.store.access import MachineToken

LOGIN_LONGEST = 200
_PREFIX = "esl_"


def log_in(tx: Connection, name: str, password: str) -> MachineToken:
    """Return the token that a name and a password stand for.

    Raises:
        NotSignedIn: They stand for none; never says which of the two was wrong.
    """
    secret = password
    candidates: list[MachineToken] = []
    if len(name) <= LOGIN_LONGEST and len(password) <= LOGIN_LONGEST:
        if password.startswith(_PREFIX):
            token_id, _, secret = password.removeprefix(_PREFIX).partition("_")
            found = access.token_named(tx, token_id) if "\0" not in token_id else None
            candidates = [found] if found is not None else []
        else:
            candidates = list(access.list_tokens(tx))
    presented = hash_secret(secret)
    right = [
        token
        for token in candidates
        if name in (token.name, token.token_id)
        and token.revoked_at is None
        and hmac.compare_digest(presented, token.secret_sha256)
    ]
    if len(right) != 1 or not secret:
        raise NotSignedIn("name and password are not those of a token")
    return right[0]


def principal_named(tx: Connection, token_id: str) -> Principal:
    """Say what a login made with a token may do by now.

    Raises:
        NotSignedIn: The token was revoked meanwhile.
    """
    token = access.token_named(tx, token_id)
    if token is None or token.revoked_at is not None:
        raise NotSignedIn("the token behind this login was revoked")
    return principal_of(token)


def principal_of(token: MachineToken) -> Principal:
    """Say what a token may do."""
    return Principal(name=f"token:{token.token_id}", scopes=token.scopes, stores=token.stores)
