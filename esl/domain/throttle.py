"""How often somebody may try to sign in.

::

    of one name      4 failures cost nothing; from the 5th on a pause, twice as long each time:
                     5 s, 10 s, … 15 minutes. Forgotten after a day without one.
    of one network   a bucket of 40 tries that fills by one in 6 s (/24 of IPv4, /64 of IPv6)

A try counts before its password is looked at, so many at once are not looked at for one's price;
one that was right is given back.
"""

import ipaddress
from datetime import datetime, timedelta
from typing import Final

FREE_FAILURES: Final = 4
_FIRST_PAUSE_S: Final = 5
_LONGEST_PAUSE_S: Final = 15 * 60
_DOUBLINGS_MOST: Final = 8  # 5 s · 2^8 is beyond the longest pause
FORGOTTEN_AFTER: Final = timedelta(days=1)

BUCKET: Final = 40
BUCKET_FILLS: Final = timedelta(seconds=6)

_V4_PREFIX, _V6_PREFIX = 24, 64


def pause_after(failures: int) -> timedelta:
    """Return how long a name must wait after so many failures."""
    over = failures - FREE_FAILURES
    if over <= 0:
        return timedelta(0)
    pause_s = _FIRST_PAUSE_S * 2 ** min(over - 1, _DOUBLINGS_MOST)
    return timedelta(seconds=min(pause_s, _LONGEST_PAUSE_S))


def emptied_by_now(taken: int, since: datetime, now: datetime) -> int:
    """Return how many tries of a bucket are still counted: some were forgotten since."""
    return max(0, taken - max(0, (now - since) // BUCKET_FILLS))


def network_of(address: str) -> str:
    """Return the network that a client's address counts with; any text is some network."""
    try:
        ip = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return "unknown"
    if isinstance(ip, ipaddress.IPv6Address) and ip.ipv4_mapped is not None:
        ip = ip.ipv4_mapped
    prefix = _V4_PREFIX if ip.version == 4 else _V6_PREFIX  # noqa: PLR2004
    return str(ipaddress.ip_network(f"{ip}/{prefix}", strict=False))
