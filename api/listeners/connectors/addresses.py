"""Which addresses a connector may speak to: public ones, and private ones that were named.

A name is resolved once and the connection goes to what was checked: a name server that answers
differently the second time wins nothing. Redirects are never followed (`fetch`).
"""

import ipaddress
import socket
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from api.listeners.connectors.errors import ShopRefused, ShopUnreachable

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Resolve = Callable[[str, int], Sequence[str]]

_TRANSLATED = tuple(
    ipaddress.ip_network(net)
    for net in ("64:ff9b::/96", "64:ff9b:1::/48", "2002::/16", "2001::/32", "::/96")
)
"""IPv6 addresses that hold an IPv4 address (NAT64, 6to4, Teredo, compatible): reached by no shop,
and a way round any check of the address within."""


def resolve_by_system(host: str, port: int) -> list[str]:
    """Ask the system's resolver.

    Raises:
        OSError: It knows no such name.
    """
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(info[4][0]) for info in found))


@dataclass(frozen=True, slots=True, kw_only=True)
class AddressRules:
    """``allowed`` are hosts, addresses and networks that whoever set the source up has named.

    They open private addresses and plain http. Link-local, multicast and unspecified addresses
    stay closed to all.
    """

    allowed: frozenset[str] = frozenset()
    resolve: Resolve = field(default=resolve_by_system)

    @classmethod
    def of_text(cls, text: str) -> "AddressRules":
        """Read the setting ``allow_private``: names and networks, separated by commas or blanks."""
        return cls(allowed=frozenset(text.lower().replace(",", " ").split()))

    def names(self, host: str) -> bool:
        """Say whether a host was named, by itself or by its network."""
        bare = host.strip("[]").lower()
        if bare in self.allowed:
            return True
        try:
            address = ipaddress.ip_address(bare)
        except ValueError:
            return False
        return any(address in network for network in _networks(self.allowed))

    def address_of(self, host: str, port: int) -> str:
        """Return an address to connect to.

        Raises:
            ShopRefused: One of the host's addresses is closed to us.
            ShopUnreachable: The name is not known now.
        """
        try:
            found = self.resolve(host.strip("[]"), port)
        except (OSError, UnicodeError):
            raise ShopUnreachable(f"no address is known for {host[:80]}") from None
        addresses = [ipaddress.ip_address(text.partition("%")[0]) for text in found]
        if not addresses:
            raise ShopUnreachable(f"no address is known for {host[:80]}")
        named = self.names(host)
        networks = list(_networks(self.allowed))
        for address in addresses:
            if not _is_open(address, named=named or any(address in net for net in networks)):
                raise ShopRefused(
                    f"{host[:80]} leads to a private address; if the shop system stands in your "
                    "own network, name it in the source's setting allow_private"
                )
        return str(addresses[0])


def _networks(texts: Iterable[str]) -> Iterable[ipaddress.IPv4Network | ipaddress.IPv6Network]:
    for text in texts:
        try:
            yield ipaddress.ip_network(text)
        except ValueError:
            continue  # a name


def _is_open(address: Address, *, named: bool) -> bool:
    mapped = getattr(address, "ipv4_mapped", None)
    if mapped is not None:
        return _is_open(mapped, named=named)
    if address.is_link_local or address.is_multicast or address.is_unspecified:
        return False
    if address.is_loopback or not address.is_global:
        return named and not address.is_reserved
    return not any(address in net for net in _TRANSLATED if net.version == address.version)
