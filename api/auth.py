"""Who asks: a machine by its token, a person by the session cookie, a command by the runtime file.

Every endpoint depends on `Asker`, apart from the sign-in page and the health check; a test
walks all routes and holds them to it.
"""

import hashlib
import hmac
from typing import Annotated

from fastapi import Depends, Request
from fastapi.concurrency import run_in_threadpool

from api.access_tokens import AccessTokens, looks_like_one
from api.house import House
from api.machine_uses import MachineUses
from api.rate_limits import ASKER
from api.token_memory import BELIEVED, TokenMemory
from esl.domain.access import Principal
from esl.domain.errors import Forbidden, NotSignedIn
from esl.services import access, access_times, clients

SESSION_COOKIE = "esl_session"
SESSION_COOKIE_OF_TLS = "__Host-esl_session"
"""Over TLS a browser takes it from this host alone, so none of a neighbour's can be planted."""

CSRF_HEADER = "x-csrf-token"
KEY_HEADER = "x-api-key"
"""For old tills that cannot send ``Authorization``. Never in an address, which logs keep."""

_READING = frozenset({"GET", "HEAD"})


async def the_house(request: Request) -> House:
    """Give an endpoint the running controller."""
    house: House = request.app.state.house
    return house


def asker(request: Request, house: Annotated[House, Depends(the_house)]) -> Principal:
    """Say who asks.

    Raises:
        NotSignedIn: Nobody we know.
        Forbidden: A page of another site used the person's cookie to change something.
    """
    token = _token_of(request)
    if token:
        return _machine(request, house, token)
    cookie = session_of(request)
    if cookie is None:
        raise NotSignedIn("send a token: Authorization: Bearer …, or sign in")
    if request.method not in _READING:
        require_own_page(request)
        sent = request.headers.get(CSRF_HEADER)
        if sent is not None:
            require_csrf(cookie, sent)
    with house.database.read() as tx:
        return access.principal_of_session(
            tx, cookie, house.clock.now(), factor_required=house.settings.second_factor_required
        )


async def asker_at_once(request: Request, house: Annotated[House, Depends(the_house)]) -> Principal:
    """Say who asks, as `asker` does; in another thread only where the database must be asked."""
    known = _recall(request, house, _token_of(request))
    if known is not None:
        request.scope[ASKER] = known.name
        return known
    who = await run_in_threadpool(asker, request, house)
    request.scope[ASKER] = who.name
    await run_in_threadpool(_note_use, request, house)
    return who


def session_of(request: Request) -> str | None:
    """Return the session's secret that a browser sent, if any."""
    return request.cookies.get(session_cookie_name(request))


def session_cookie_name(request: Request) -> str:
    """Return what the session's cookie is called on this road."""
    return SESSION_COOKIE_OF_TLS if request.url.scheme == "https" else SESSION_COOKIE


def require_own_page(request: Request) -> None:
    """Let a change pass that one of this site's own pages asks for.

    Browsers say so themselves: in ``Sec-Fetch-Site``, or, where the road is plain and the host
    is another machine, in ``Origin`` alone.

    Raises:
        Forbidden: Another site's page asked, or nobody says which.
    """
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        ours = site == "same-origin"
    else:
        ours = request.headers.get("origin") == f"{request.url.scheme}://{request.url.netloc}"
    if not ours:
        raise Forbidden("changes with a session cookie must come from this site's own pages")


def csrf_token(session: str) -> str:
    """Return what forms of a session carry: who cannot read the cookie cannot make it."""
    return hmac.new(session.encode(), b"csrf", hashlib.sha256).hexdigest()


def require_csrf(session: str, sent: str) -> None:
    """Let a form pass that our own page drew for this session.

    Raises:
        Forbidden: It carries another's token, or none.
    """
    if not hmac.compare_digest(csrf_token(session).encode(), sent.encode()):
        raise Forbidden("this form is of another session; load the page again")


def _note_use(request: Request, house: House) -> None:
    cookie = session_of(request)
    if cookie is None or _token_of(request):
        return
    now = house.clock.now()
    with house.database.read() as tx:
        is_worth = access.is_use_worth_a_note(tx, cookie, now)
    if is_worth:
        house.writer.submit(lambda tx: access.note_used(tx, cookie, now))  # nobody waits for it


def _token_of(request: Request) -> str:
    """Return the machine's token; where both headers are sent, ``Authorization`` alone counts."""
    sent = request.headers.get("authorization")
    if sent is None:
        return request.headers.get(KEY_HEADER, "").strip()
    scheme, _, token = sent.partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def _recall(request: Request, house: House, token: str) -> Principal | None:
    if not token:
        return None
    if house.is_operator(token):
        return house.operator
    memory: TokenMemory = request.app.state.tokens
    return memory.recall(token, house.clock.monotonic_s())


def _machine(request: Request, house: House, token: str) -> Principal:
    known = _recall(request, house, token)
    if known is not None:
        return known
    memory: TokenMemory = request.app.state.tokens
    now_s = house.clock.monotonic_s()
    revocations = memory.revocations
    now = house.clock.now()
    if looks_like_one(token):
        tokens: AccessTokens = request.app.state.access_tokens
        read = tokens.read(token, now)
        with house.database.read() as tx:
            principal = clients.principal_of(tx, read.fetched, now)
        if read.ends_at - now < BELIEVED:
            return principal
    else:
        with house.database.read() as tx:
            principal = access.principal_of_token(tx, token)
            times = access_times.check(tx, principal.name, now)
        uses: MachineUses = request.app.state.uses
        uses.note(principal.name, times, now)
        if times.ends_at is not None and times.ends_at - now < BELIEVED:
            return principal
    memory.remember(token, principal, now_s, revocations=revocations)
    return principal


TheHouse = Annotated[House, Depends(the_house)]
Asker = Annotated[Principal, Depends(asker_at_once)]
