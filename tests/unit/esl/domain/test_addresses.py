"""Addresses as sockets and proxies write them."""

import pytest

from esl.domain.addresses import address_named, is_within, network_named


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("192.0.2.7", "192.0.2.7"),
        (" 192.0.2.7:4711 ", "192.0.2.7"),
        ("2001:db8::7", "2001:db8::7"),
        ("[2001:db8::7]", "2001:db8::7"),
        ("[2001:db8::7]:4711", "2001:db8::7"),
        ("fe80::7%eth0", "fe80::7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
    ],
)
def test_an_address_is_read_without_its_port(text: str, address: str) -> None:
    assert str(address_named(text)) == address


@pytest.mark.parametrize(
    "text",
    [
        *("", "unknown", "_hidden", "192.0.2", "192.0.2.256", "0300.0.2.7", "192.0.2.7:x"),
        *("192.0.2.7:", "192.0.2.7:123456", "[192.0.2.7", "[2001:db8::7]x", "1" * 5000, "\0"),
        *("١٩٢.0.2.7", "192.0.2.7, 192.0.2.8", "<script>"),
    ],
)
def test_what_is_no_address_is_none(text: str) -> None:
    assert address_named(text) is None


def test_networks_are_read_and_hold_their_addresses() -> None:
    networks = [network_named("10.0.0.7/8"), network_named("::1")]
    inside, outside = address_named("10.200.0.1"), address_named("11.0.0.1")
    assert inside is not None
    assert outside is not None
    assert is_within(inside, networks)
    assert not is_within(outside, networks)
    with pytest.raises(ValueError, match=r"write an address, or one with the length"):
        network_named("proxy.example")
