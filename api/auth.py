"""Who asks: a machine by its token, a person by the session cookie, a command by the runtime file.

Every endpoint depends on `Asker`, apart from the sign-in page and the health check; a test
walks all routes and holds them to it.
"""

import threading
from collections import OrderedDict
from typing import Annotated

from fastapi import Depends, Request
from fastapi.concurrency import run_in_threadpool

from api.house import House
from esl.domain.access import Principal
from esl.domain.errors import Forbidden, NotSignedIn
from esl.services import access

SESSION_COOKIE = "esl_session"
_REMEMBERED = 1000
_BELIEVED_S = 5.0
"""A token that was right stays right this long without asking the database again."""

_READING = frozenset({"GET", "HEAD"})


class TokenMemory:
    """Tokens that were right a moment ago: hash of the token to principal, `_REMEMBERED` at most.

    Used by many threads. What was read from the database before a revocation and arrives after
    it is not remembered: `revocations` tells.
    """

    def __init__(self) -> None:
        self._known: OrderedDict[str, tuple[Principal, float]] = OrderedDict()
        self._changing = threading.Lock()
        self.revocations = 0

    def recall(self, token: str, now_s: float) -> Principal | None:
        """Return the principal of a token checked less than `_BELIEVED_S` ago."""
        found = self._known.get(access.hash_secret(token))
        return found[0] if found is not None and found[1] > now_s else None

    def remember(self, token: str, principal: Principal, now_s: float, *, revocations: int) -> None:
        """Note that a token was right, when there had been this many ``revocations``."""
        with self._changing:
            if revocations != self.revocations:
                return
            self._known[access.hash_secret(token)] = (principal, now_s + _BELIEVED_S)
            while len(self._known) > _REMEMBERED:
                self._known.popitem(last=False)

    def forget_all(self) -> None:
        """Ask the database again, for every token."""
        with self._changing:
            self.revocations += 1
            self._known.clear()


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
    cookie = request.cookies.get(SESSION_COOKIE)
    if cookie is None:
        raise NotSignedIn("send a token: Authorization: Bearer …, or sign in")
    if request.method not in _READING and request.headers.get("sec-fetch-site") != "same-origin":
        raise Forbidden("changes with a session cookie must come from this site's own pages")
    with house.database.read() as tx:
        return access.principal_of_session(tx, cookie, house.clock.now())


async def asker_at_once(request: Request, house: Annotated[House, Depends(the_house)]) -> Principal:
    """Say who asks, as `asker` does; in another thread only where the database must be asked."""
    known = _recall(request, house, _token_of(request))
    return known if known is not None else await run_in_threadpool(asker, request, house)


def _token_of(request: Request) -> str:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
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
    with house.database.read() as tx:
        principal = access.principal_of_token(tx, token)
    memory.remember(token, principal, now_s, revocations=revocations)
    return principal


TheHouse = Annotated[House, Depends(the_house)]
Asker = Annotated[Principal, Depends(asker_at_once)]
