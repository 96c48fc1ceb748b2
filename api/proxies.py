"""Whose word about a visitor's address is believed: that of proxies that are named as trusted.

::

    visitor ──▶ proxy ──▶ proxy ──▶ us        X-Forwarded-For: forged, visitor, proxy
                └──── trusted ────┘                            ▲ the right-most that is not trusted

What stands further left was written by whoever came there, and may be anything. Of the two headers
that there are for it, one is read and never the other: a proxy that writes the one passes the other
on as a stranger sent it.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Final

import structlog
from starlette.types import Scope

from api.metrics.meters import Meters
from esl.domain.addresses import address_named, is_within, network_named
from esl.settings import Settings

HOPS_MOST: Final = 16
_LONGEST: Final = 4000
_PEERS_KNOWN: Final = 4096
_TOLD_MOST: Final = 100
_FOR: Final = b"x-forwarded-for"
_PROTO: Final = b"x-forwarded-proto"
_FORWARDED: Final = b"forwarded"
HEADERS: Final = frozenset({_FOR, _PROTO, _FORWARDED})
"""Headers by which a proxy says for whom it asks."""

_TOKEN: Final = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"  # noqa: S105  RFC 9110, 5.6.2
_PAIR: Final = re.compile(rf'({_TOKEN})=(?:({_TOKEN})|"((?:[^"\\]|\\.)*)")')
_SCHEMES: Final = frozenset({"http", "https"})

Hop = tuple[str, str | None]
"""For whom a proxy asked, and by which scheme it was asked, if it says so."""

log = structlog.get_logger()


class TrustedProxies:
    """Settles who asks, before anything else looks at a request. Everything runs on the loop."""

    def __init__(self, settings: Settings, meters: Meters) -> None:
        self._networks = [network_named(text) for text in settings.trusted_proxies]
        self._reads_forwarded = settings.proxy_header == "forwarded"
        self._meters = meters
        self._told: set[str] = set()
        self._trusts = lru_cache(maxsize=_PEERS_KNOWN)(self._look_up)

    def settle(self, scope: Scope, found: Mapping[bytes, bytes]) -> None:
        """Write into ``scope`` whom a trusted proxy asks for; a stranger's word changes nothing.

        ``found`` has at least the headers of `HEADERS` that were sent.
        """
        if HEADERS.isdisjoint(found):
            return
        peer = scope["client"][0] if scope.get("client") else ""
        if not self._trusts(peer):
            self._note_ignored(peer)
            return
        values: dict[bytes, list[str]] = {}
        for name, value in scope["headers"]:
            if name in HEADERS:
                values.setdefault(name, []).append(value.decode("latin-1"))
        hops = self._hops(values)
        address, scheme = peer, None
        for text, said in reversed(hops[-HOPS_MOST:]):
            scheme = said
            parsed = address_named(text)
            if parsed is None:
                break
            address = str(parsed)
            if not self._trusts(address):
                break
        scope["client"] = (address, 0)
        if scheme in _SCHEMES:
            scope["scheme"] = scheme

    def _hops(self, values: Mapping[bytes, Sequence[str]]) -> Sequence[Hop]:
        if self._reads_forwarded:
            return read_forwarded(",".join(values.get(_FORWARDED, ())))
        last = ",".join(values.get(_PROTO, ())).rpartition(",")[2].strip().lower()
        scheme = last or None
        text = ",".join(values.get(_FOR, ()))[-_LONGEST:]
        if not text:
            return [("", scheme)]
        return [(one, scheme) for one in text.split(",")]

    def _look_up(self, peer: str) -> bool:
        address = address_named(peer)
        return address is not None and is_within(address, self._networks)

    def _note_ignored(self, peer: str) -> None:
        self._meters.note_ignored_proxy()
        if peer not in self._told and len(self._told) < _TOLD_MOST:
            self._told.add(peer)
            log.warning("a proxy's headers are not believed", address=peer, see="trusted_proxies")


def read_forwarded(text: str) -> list[Hop]:
    """Read the header ``Forwarded`` (RFC 7239), the farthest hop first; nothing of a broken one."""
    if len(text) > _LONGEST:
        return []
    try:
        return list(_elements(text))
    except ValueError:
        return []


def _elements(text: str) -> Iterator[Hop]:
    """Yield the hops of a header.

    Raises:
        ValueError: It is not written as the RFC says.
    """
    at, pairs = 0, dict[str, str]()
    while at < len(text):
        pair = _PAIR.match(text, at)
        if pair is not None:
            quoted = re.sub(r"\\(.)", r"\1", pair[3]) if pair[3] is not None else None
            pairs[pair[1].lower()] = pair[2] if quoted is None else quoted
            at = pair.end()
        elif text[at] == ",":
            yield pairs.get("for", ""), pairs.get("proto", "").lower() or None
            pairs, at = {}, at + 1
        elif text[at] in "; \t":
            at += 1
        else:
            raise ValueError(f"at {at}")
    yield pairs.get("for", ""), pairs.get("proto", "").lower() or None
