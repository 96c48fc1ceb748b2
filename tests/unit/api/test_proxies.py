"""A proxy that is trusted says for whom it asks; a stranger says nothing that counts."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.metrics.meters import Meters
from api.proxies import HEADERS, TrustedProxies, read_forwarded
from esl.domain.addresses import address_named
from esl.settings import Settings

PROXY = "127.0.0.1"


def settled(
    *headers: tuple[str, str], peer: str | None = PROXY, scheme: str = "http", **settings: Any
) -> tuple[str | None, str]:
    """Return address and scheme as the application sees them."""
    raw = [(name.lower().encode(), value.encode("latin-1")) for name, value in headers]
    scope: dict[str, Any] = {
        "client": (peer, 4711) if peer is not None else None,
        "scheme": scheme,
        "headers": raw,
    }
    found = {name: value for name, value in raw if name in HEADERS}
    TrustedProxies(Settings(**settings), Meters()).settle(scope, found)
    return (scope["client"][0] if scope["client"] else None), scope["scheme"]


FOR, PROTO, FORWARDED = "X-Forwarded-For", "X-Forwarded-Proto", "Forwarded"


@pytest.mark.parametrize(
    ("sent", "address"),
    [
        ("203.0.113.9", "203.0.113.9"),
        ("198.51.100.1, 203.0.113.9", "203.0.113.9"),  # the first was written by the second
        ("127.0.0.1, 203.0.113.9", "203.0.113.9"),
        ("203.0.113.9, 10.1.2.3", "203.0.113.9"),  # two proxies in a row
        ("10.1.2.3, 10.1.2.4", "10.1.2.3"),  # all are ours: the first asks for itself
        ("203.0.113.9, unknown", PROXY),
        ("203.0.113.9, unknown, 10.1.2.3", "10.1.2.3"),
        ("203.0.113.9,", PROXY),
        ("<script>", PROXY),
        ("2001:db8::7", "2001:db8::7"),
        ("203.0.113.9, " * 900 + "198.51.100.7", "198.51.100.7"),
        ("203.0.113.9, " + "10.0.0.1, " * 900 + "10.0.0.1", "10.0.0.1"),
    ],
)
@pytest.mark.asvs("4.1.3")
def test_the_right_most_hop_that_is_not_ours_is_the_visitor(sent: str, address: str) -> None:
    networks = ["127.0.0.0/8", "10.0.0.0/8"]
    assert settled((FOR, sent), trusted_proxies=networks)[0] == address


def test_header_lines_count_as_one_line_in_their_order() -> None:
    assert settled((FOR, "203.0.113.9"), (FOR, "198.51.100.7"))[0] == "198.51.100.7"


@pytest.mark.parametrize("peer", ["203.0.113.5", "not an address", None])
@pytest.mark.asvs("4.1.3")
def test_a_strangers_headers_change_nothing_and_are_counted(peer: str | None) -> None:
    sent = ((FOR, "10.0.0.1"), (PROTO, "https"), (FORWARDED, "for=10.0.0.1;proto=https"))
    for header in ("x-forwarded-for", "forwarded"):
        assert settled(*sent, peer=peer, proxy_header=header) == (peer, "http")
    meters = Meters()
    scope: dict[str, Any] = {"client": ("203.0.113.5", 1), "scheme": "http", "headers": []}
    for _ in range(3):
        TrustedProxies(Settings(), meters).settle(scope, {b"forwarded": b"for=x"})
    assert meters.registry.get_sample_value("esl_http_proxy_headers_ignored_total") == 3


def test_nobody_is_believed_where_nobody_is_trusted() -> None:
    assert settled((FOR, "203.0.113.9"), trusted_proxies=[]) == (PROXY, "http")


@pytest.mark.parametrize(
    ("sent", "scheme"),
    [
        *(("https", "https"), ("HTTPS ", "https"), ("http", "http"), ("http, https", "https")),
        *(("https, http", "http"), ("javascript", "http"), ("", "http")),
    ],
)
def test_the_scheme_is_the_nearest_proxys_word(sent: str, scheme: str) -> None:
    assert settled((PROTO, sent)) == (PROXY, scheme)
    assert settled((PROTO, sent), (FOR, "203.0.113.9")) == ("203.0.113.9", scheme)


def test_forwarded_counts_where_it_is_set_and_then_alone() -> None:
    told = (FORWARDED, 'for=198.51.100.1;proto=http, for="[2001:db8::7]:4711";proto=https')
    other = ((FOR, "203.0.113.9"), (PROTO, "http"))
    assert settled(told, *other, proxy_header="forwarded") == ("2001:db8::7", "https")
    assert settled(told, *other) == ("203.0.113.9", "http")
    assert settled(told) == (PROXY, "http"), "a header that is not read was passed on by the proxy"


@pytest.mark.parametrize(
    ("text", "hops"),
    [
        ("for=192.0.2.7", [("192.0.2.7", None)]),
        ("For=192.0.2.7;Proto=HTTPS;by=x", [("192.0.2.7", "https")]),
        ('for="a,\\"b;c"', [('a,"b;c', None)]),
        ("for=a, for=b", [("a", None), ("b", None)]),
        ("proto=https", [("", "https")]),
        ("for=a b", []),
        ('for="open', []),
        ("=;=", []),
        ("for=a" + " " * 5000, []),
    ],
)
def test_forwarded_is_read_as_rfc_7239_has_it(text: str, hops: list[tuple[str, str]]) -> None:
    assert read_forwarded(text) == hops


@given(st.text(st.characters(max_codepoint=255)), st.text(st.characters(max_codepoint=255)))
def test_whatever_is_sent_the_visitor_is_an_address(one: str, other: str) -> None:
    for header in ("x-forwarded-for", "forwarded"):
        sent = ((FOR, one), (FORWARDED, one), (PROTO, other))
        address, scheme = settled(*sent, proxy_header=header)
        assert address_named(str(address)) is not None
        assert scheme in {"http", "https"}
