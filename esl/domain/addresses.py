"""Addresses and networks, as settings name them and as requests bring them."""

import ipaddress
from collections.abc import Iterable

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def network_named(text: str) -> Network:
    """Read a network, or a single address as one: ``10.0.0.0/8``, ``::1``.

    Raises:
        ValueError: It is none; says what to write.
    """
    try:
        return ipaddress.ip_network(text, strict=False)
    except ValueError:
        raise ValueError(
            f"{text[:64]!r} is no network; write an address, or one with the length of its "
            f"prefix: 10.0.0.7, 10.0.0.0/24, fd00::/8"
        ) from None


def address_named(text: str) -> Address | None:
    """Read an address as sockets and proxies write them; None if it is none.

    ``192.0.2.7:4711``, ``[2001:db8::7]:4711`` and ``fe80::7%eth0`` lose their port and zone, and
    an IPv4 address inside of IPv6 (``::ffff:192.0.2.7``) counts as what it is.
    """
    bare = text.strip()
    if bare.startswith("["):
        bare, bracket, rest = bare[1:].partition("]")
        if not bracket or (rest and not _is_port(rest)):
            return None
    elif bare.count(":") == 1:
        bare, _, port = bare.partition(":")
        if not _is_port(f":{port}"):
            return None
    try:
        found = ipaddress.ip_address(bare.partition("%")[0])
    except ValueError:
        return None
    if isinstance(found, ipaddress.IPv6Address) and found.ipv4_mapped is not None:
        return found.ipv4_mapped
    return found


def is_within(address: Address, networks: Iterable[Network]) -> bool:
    """Say whether an address lies in one of the networks."""
    return any(address in network for network in networks)


def _is_port(text: str) -> bool:
    return text[:1] == ":" and text[1:].isascii() and text[1:].isdecimal() and len(text) <= 6  # noqa: PLR2004
