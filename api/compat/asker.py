"""Who asks at a drop-in door: a ticket of its login, a machine token, or name and password."""

import base64
import binascii
from collections.abc import Callable
from datetime import datetime

from fastapi import Request

from api.auth import TheHouse
from api.compat.tickets import Kind, open_ticket
from api.house import House
from api.machine_uses import MachineUses
from api.rate_limits import ASKER
from api.secret_box import open_box
from api.token_memory import BELIEVED, TokenMemory
from esl.domain.access import Principal
from esl.domain.errors import NotSignedIn
from esl.services import access, access_times, compat_access
from esl.store.access_times import Times

_HEADER_LONGEST = 2000
_MACHINE = "esl_"


def asker_of(door: str, *, cookie: str | None = None) -> Callable[[Request, TheHouse], Principal]:
    """Make the dependency that says who asks at a door; ``cookie`` may hold the ticket, too."""

    def asker(request: Request, house: TheHouse) -> Principal:
        scheme, _, text = request.headers.get("authorization", "").partition(" ")
        text = text.strip()
        if len(text) > _HEADER_LONGEST:
            raise NotSignedIn("the token is not valid")
        if scheme.lower() == "basic" and text:
            return _told(request, _remembered(request, house, f"basic {text}"))
        if scheme.lower() == "bearer" and text:
            return _told(request, _by_token(request, house, text, door))
        kept = request.cookies.get(cookie) if cookie is not None else None
        if kept:
            return _told(request, _by_token(request, house, kept, door))
        raise NotSignedIn("log in with the name of a token and the token as password")

    return asker


def _told(request: Request, who: Principal) -> Principal:
    """Let the edge know who asks."""
    request.scope[ASKER] = who.name
    return who


def _by_token(request: Request, house: House, text: str, door: str) -> Principal:
    if text.startswith(_MACHINE):
        if house.is_operator(text):
            return house.operator
        return _remembered(request, house, text)
    box = open_box(house.settings.data_dir)
    ticket = open_ticket(box, Kind.ACCESS, text, door=door, now=house.clock.now())
    now = house.clock.now()
    with house.database.read() as tx:
        principal = compat_access.principal_named(tx, ticket.token_id)
        times = access_times.check(tx, principal.name, now)
    _note(request, principal, times, now)
    return principal


def _remembered(request: Request, house: House, text: str) -> Principal:
    """Ask the database about a secret, at most every few seconds."""
    memory: TokenMemory = request.app.state.tokens
    now_s = house.clock.monotonic_s()
    known = memory.recall(text, now_s)
    if known is not None:
        return known
    revocations = memory.revocations
    now = house.clock.now()
    with house.database.read() as tx:
        if text.startswith(_MACHINE):
            principal = access.principal_of_token(tx, text)
        else:
            name, password = read_basic(text.removeprefix("basic "))
            principal = compat_access.principal_of(compat_access.log_in(tx, name, password))
        times = access_times.check(tx, principal.name, now)
    _note(request, principal, times, now)
    if times.ends_at is not None and times.ends_at - now < BELIEVED:
        return principal
    memory.remember(text, principal, now_s, revocations=revocations)
    return principal


def _note(request: Request, who: Principal, times: Times, now: datetime) -> None:
    uses: MachineUses = request.app.state.uses
    uses.note(who.name, times, now)


def read_basic(text: str) -> tuple[str, str]:
    """Read the name and password of HTTP Basic.

    Raises:
        NotSignedIn: They are not written as RFC 7617 says.
    """
    try:
        name, colon, password = base64.b64decode(text, validate=True).decode().partition(":")
    except (binascii.Error, ValueError) as exc:
        raise NotSignedIn("name and password are not those of a token") from exc
    if not colon:
        raise NotSignedIn("name and password are not those of a token")
    return name, password
