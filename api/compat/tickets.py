"""Short-lived tokens of the drop-in doors: sealed, so that nothing of them need be stored.

::

    login ─▶ ticket = sealed(kind, id of the machine token, until when) ─▶ Authorization: Bearer …
    call  ─▶ open it, look the machine token up: revoked? which scopes, which stores?

The key is that of `api.secret_box`, beside the database; a ticket of another kind or another door
does not open.
"""

import base64
import binascii
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from api.secret_box import SecretBox
from esl.domain.errors import NotSignedIn, SetupError

ACCESS_LASTS = timedelta(hours=1)
REFRESH_LASTS = timedelta(hours=24)
_LONGEST = 400
_LEAST_BYTES = 30  # version, nonce and tag


class Kind(StrEnum):
    """What a ticket is good for."""

    ACCESS = "access"
    REFRESH = "refresh"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticket:
    """A ticket that was opened."""

    token_id: str
    until: datetime


def issue(box: SecretBox, kind: Kind, token_id: str, *, door: str, now: datetime) -> str:
    """Make a ticket for the holder of a machine token."""
    until = now + (ACCESS_LASTS if kind is Kind.ACCESS else REFRESH_LASTS)
    sealed = box.seal(f"{int(until.timestamp())} {token_id}", source=_of(door), kind=kind)
    return base64.urlsafe_b64encode(sealed).decode().rstrip("=")


def open_ticket(box: SecretBox, kind: Kind, text: str, *, door: str, now: datetime) -> Ticket:
    """Open a ticket of a kind.

    Raises:
        NotSignedIn: It is none of ours, of another kind, or its time is over.
    """
    try:
        if len(text) > _LONGEST or not text.isascii():
            raise NotSignedIn("the token is not valid")
        sealed = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        if len(sealed) < _LEAST_BYTES:
            raise NotSignedIn("the token is not valid")
        until, _, token_id = box.open(sealed, source=_of(door), kind=kind).partition(" ")
    except (binascii.Error, ValueError, SetupError) as exc:
        raise NotSignedIn("the token is not valid") from exc
    ticket = Ticket(token_id=token_id, until=datetime.fromtimestamp(int(until), UTC))
    if ticket.until <= now:
        raise NotSignedIn("the token has expired; log in again")
    return ticket


def _of(door: str) -> str:
    return f"compat/{door}"
