"""How many requests one client may make: token buckets by who asks, or by where from.

::

    request ─▶ its token, key or session was right before? ─▶ the bucket of that access
                      │ no, or none was sent
                      └▶ the bucket of its address (/64 of IPv6)
             ─▶ and of a sign-in, a drawing, an export: a narrower bucket besides

Nobody is looked up: what a token stands for was learned when it was found right, and only a keyed
hash of it is kept. One that was revoked counts with who had it until it is refused. A bucket is a
single number, the moment at which it will be full again (generic cell rate algorithm, ITU-T I.371).
Counted in this process alone: of several behind a load balancer each allows its share. What guesses
passwords is slowed down by name and in the database, whichever process it asks.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from http import HTTPStatus
from ipaddress import IPv6Address, ip_network
from math import ceil
from typing import Final

from starlette.responses import JSONResponse, Response
from starlette.types import Scope

from api.errors import problem, what_was_not_done
from api.metrics.meters import Meters
from esl.domain.addresses import address_named
from esl.settings import Settings

ASKER: Final = "esl.asker"
"""Where in a request's scope the doors write who asks, once they know."""

_BEARER: Final = b"authorization"
_KEY: Final = b"x-api-key"
_COOKIE: Final = b"cookie"
CREDENTIALS: Final = frozenset({_BEARER, _KEY, _COOKIE})
"""Headers that say who asks; which of them counts, the doors know."""

NAMES_MOST: Final = 10_000
"""Clients that a bucket is kept for; the one that was silent longest is forgotten."""

HELD_S: Final = 0.5
"""So long a refusal waits before it is sent: who asks without a pause is slowed down."""

HELD_MOST: Final = 256
_ROUNDING_S: Final = 1e-9
_OPERATOR: Final = "operator"
_NOTHING: Final = (None, None, None)
_NOBODY: Final = HTTPStatus.UNAUTHORIZED.value
_PREFIX_V6: Final = 64
_SIGN_INS: Final = (
    *("/sign-in", "/sign-in/code", "/sign-in/oidc", "/sign-in/oidc/return", "/welcome"),
    *("/oauth/token", "/api/v1/enrolments"),
    *("/login", "/token"),  # of drop-in doors
)
_DRAWINGS: Final = ("/render", "/preview", ".png")
_EXPORTS: Final = ("/shelf-report", "/shown/bundle", "/short-link-redirects", "/report")
_ANY: Final = (*_SIGN_INS, *_DRAWINGS, *_EXPORTS)
_KEPT_PICTURES: Final = ("/frames/", "/pictures/")
"""Drawn before, and read from the books."""


@dataclass(slots=True)
class Limit:
    """So many requests a second in the long run, ``at_once`` of them without a pause."""

    name: str
    per_s: float
    at_once: int
    fix: str
    _full_at_s: OrderedDict[str, float] = field(default_factory=OrderedDict)

    def take(self, who: str, now_s: float) -> float:
        """Count a request; return how many seconds it comes too early, 0 if it does not."""
        if not self.per_s:
            return 0.0
        ends = self._full_at_s
        full_at_s = max(ends.get(who, 0.0), now_s) + 1 / self.per_s
        early_s = full_at_s - now_s - self.at_once / self.per_s
        if early_s > _ROUNDING_S:
            return early_s
        ends[who] = full_at_s
        ends.move_to_end(who)
        if len(ends) > NAMES_MOST:
            ends.popitem(last=False)
        return 0.0

    def __len__(self) -> int:
        return len(self._full_at_s)


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """A request that came too early, and by how much."""

    limit: Limit
    early_s: float


class RateLimits:
    """The buckets of this process. Everything runs on the loop."""

    def __init__(self, settings: Settings, meters: Meters) -> None:
        wait = "Wait as long as Retry-After says"
        shares = settings.api_processes
        self._meters = meters
        self.client = Limit(
            "client",
            settings.client_requests_per_s / shares,
            ceil(2 * settings.client_requests_per_s / shares),
            f"{wait}, and send many changes in one request; client_requests_per_s sets the bound.",
        )
        self.stranger = Limit(
            "address",
            settings.stranger_requests_per_s / shares,
            ceil(5 * settings.stranger_requests_per_s / shares),
            f"{wait}, and send a token that is right; stranger_requests_per_s sets the bound.",
        )
        self.sign_in = _by_minute("sign-in", settings.sign_ins_per_minute / shares, f"{wait}.")
        self.drawing = _by_minute(
            "drawing",
            settings.drawings_per_minute / shares,
            f"{wait}; pictures that labels show need not be drawn again.",
        )
        self.export = _by_minute(
            "export", settings.exports_per_minute / shares, f"{wait}; events tell of what is new."
        )
        self._known: OrderedDict[int, str] = OrderedDict()
        self._held = 0

    def check(self, scope: Scope, mark: int, now_s: float) -> Refusal | None:
        """Count a request; say if it comes too early. ``mark`` is that of its credentials.

        Those of the operator, who owns the machine, and the question whether we live are free.
        """
        path = scope["path"]
        who = self._known.get(mark)
        if who == _OPERATOR or path == "/healthz":
            return None
        general = self.client if who is not None else self.stranger
        name = who if who is not None else _place_of(scope)
        early_s = general.take(name, now_s)
        if early_s:
            return self._refuse(general, early_s)
        if path.endswith(_ANY):
            narrow = self._narrow(scope["method"], path)
            if narrow is self.sign_in or (narrow is not None and who is not None):
                # Strangers get no picture and no list, so nothing of theirs is worth a count.
                by = _place_of(scope) if narrow is self.sign_in else name
                early_s = narrow.take(by, now_s)
                if early_s:
                    return self._refuse(narrow, early_s)
        return None

    def learn(self, scope: Scope, mark: int, status: int) -> None:
        """Note after a request whose credentials those were, if the doors found out."""
        if status == _NOBODY:
            self._known.pop(mark, None)
            return
        who = scope.get(ASKER)
        if mark and who is not None and self._known.get(mark) != who:
            self._known[mark] = who
            if len(self._known) > NAMES_MOST:
                self._known.popitem(last=False)

    async def answer(self, scope: Scope, refusal: Refusal) -> Response:
        """Say how long to wait, after a pause: a loop that makes none is made to."""
        early_s = refusal.early_s
        if self._held < HELD_MOST:
            self._held += 1
            try:
                await asyncio.sleep(HELD_S)
            finally:
                self._held -= 1
            early_s -= HELD_S
        limit, wait_s = refusal.limit, max(1, ceil(early_s))
        whole_s = max(1, round(limit.at_once / limit.per_s))
        headers = {
            "Retry-After": str(wait_s),
            "RateLimit-Policy": f'"{limit.name}";q={limit.at_once};w={whole_s}',
            "RateLimit": f'"{limit.name}";r=0;t={wait_s}',
        }
        words = f"too many requests of one {_KINDS[limit.name]}"
        if scope["path"].endswith("/oauth/token"):  # RFC 6749, 5.2
            content = {"error": "temporarily_unavailable", "error_description": words}
            return JSONResponse(content, HTTPStatus.TOO_MANY_REQUESTS, headers)
        words += what_was_not_done(scope["method"], scope["path"])
        return problem(HTTPStatus.TOO_MANY_REQUESTS, words, fix=limit.fix, headers=headers)

    def _refuse(self, limit: Limit, early_s: float) -> Refusal:
        self._meters.note_refused(limit.name)
        return Refusal(limit=limit, early_s=early_s)

    def _narrow(self, method: str, path: str) -> Limit | None:
        if path.endswith(_SIGN_INS):
            is_try = method == "POST" or path.endswith("/login")
            return self.sign_in if is_try else None
        if path.endswith(_EXPORTS):
            return self.export
        is_kept = path.endswith(".png") and any(part in path for part in _KEPT_PICTURES)
        is_of_promotion = path.startswith("/api/v1/promotions/")
        if path.startswith("/static/") or (is_kept and not is_of_promotion):
            return None
        return self.drawing


_KINDS: Final = {
    "client": "token, client or person",
    "address": "address without a token that is right",
    "sign-in": "address that want to sign in or fetch a token",
    "drawing": "client that draw",
    "export": "client for whole lists",
}


def _by_minute(name: str, most: float, fix: str) -> Limit:
    """Make a limit of which a sixth of a minute's requests may come at once, and 10 in any case."""
    return Limit(name, most / 60, max(10, int(most / 6)), fix)


def mark_of(found: Mapping[bytes, bytes]) -> int:
    """Return a hash, keyed by this process, of a request's credentials; 0: none were sent.

    ``found`` has at least the headers of `CREDENTIALS` that were sent.
    """
    if not found:
        return 0
    sent = (found.get(_BEARER), found.get(_KEY), found.get(_COOKIE))
    return hash(sent) if sent != _NOTHING else 0


def _place_of(scope: Scope) -> str:
    client = scope.get("client")
    return _network(client[0]) if client else "unknown"


@lru_cache(maxsize=4096)
def _network(host: str) -> str:
    address = address_named(host)
    if isinstance(address, IPv6Address):
        return str(ip_network((address, _PREFIX_V6), strict=False))
    return str(address) if address is not None else "unknown"
