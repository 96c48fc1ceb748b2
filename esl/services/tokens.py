"""Machine tokens made and ended by somebody: both stand in the audit, never with the secret."""

from datetime import datetime

from sqlalchemy import Connection

from esl.domain.instants import instant_or_none
from esl.intake.access_json import NewToken
from esl.services import access, access_times
from esl.store import audit
from esl.store.access_times import token_key


def make_token(
    tx: Connection, new: NewToken, *, token_id: str, secret: str, actor: str, now: datetime
) -> str:
    """Store a token and write down who made it; return its text, which is shown this once.

    Raises:
        InvalidInput: No scopes or no stores, or its end is past or too far.
        UnknownStore: A store does not exist.
    """
    access_times.let_end(tx, token_key(token_id), new.ends_at, now)
    text = access.create_token(
        tx,
        token_id=token_id,
        secret=secret,
        name=new.name,
        scopes=new.scopes,
        stores=new.stores,
        now=now,
    )
    ends_at = instant_or_none(new.ends_at)
    audit.note(
        tx,
        now,
        actor=actor,
        action="create_token",
        subject=f"token/{token_id}",
        detail={
            "scopes": sorted(new.scopes),
            "stores": sorted(new.stores),
            "expires_at": ends_at,
        },
    )
    return text


def end_token(tx: Connection, token_id: str, *, actor: str, now: datetime) -> bool:
    """Make a token worthless and write down who did; return whether there was one."""
    ended = access.revoke_token(tx, token_id, now)
    if ended:
        audit.note(tx, now, actor=actor, action="revoke_token", subject=f"token/{token_id}")
    return ended
