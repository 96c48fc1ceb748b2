"""Short links: an address in a QR code that stays, while where it leads may change.

    https://go.shop.example/s/K7WQ2M9X      on the glass; never changes for a product of a store
        └─▶ the product's own target, else by the store's rule      changes, and 0 pixels with it

A code is a running part and none: it is made of the store's and the product's name, so that it
tells nobody how many there are, and a second try is made where two products would have one.
The letters are Crockford's base 32: no I, L, O, U; what a person mistypes is read as meant.
"""

import hashlib
import re
from collections.abc import Collection
from dataclasses import dataclass
from urllib.parse import urlsplit

from esl.domain.errors import InvalidInput
from esl.domain.ids import Sku, StoreId

CODE_CHARACTERS = 8
LETTERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
TARGET_LONGEST = 300
BASE_LONGEST = 80
HOSTS_MOST = 50
PATH = "/s/"

_MEANT = str.maketrans("ILOilo", "110110")
_CODE = re.compile(f"[{LETTERS}]{{{CODE_CHARACTERS}}}")
_HOST = re.compile(
    r"(?=.{1,80}$)[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)+"
)
_BASE = re.compile(r"https://([a-z0-9.-]{1,60})(?::[0-9]{1,5})?")
_FORBIDDEN = frozenset(" \"'<>\\^`|{}")


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkSetting:
    """How a store's short links look and where they may lead.

    ``rule`` is a pattern as of `esl.domain.shop_link`, without ``{label}``; ``in_faces`` says
    that its labels show short links in place of the long ones.
    """

    base: str
    hosts: tuple[str, ...]
    rule: str
    in_faces: bool


def make_code(store_id: StoreId, sku: Sku, attempt: int = 0) -> str:
    """Make the code of a product; of another ``attempt`` another one."""
    digest = hashlib.sha256(f"{store_id}\n{sku}\n{attempt}".encode()).digest()
    number = int.from_bytes(digest[:5])
    return "".join(LETTERS[number >> shift & 31] for shift in range(35, -1, -5))


def read_code(text: str) -> str | None:
    """Read a code as a person may have typed it; None where it can be none."""
    if len(text) > CODE_CHARACTERS or not text.isascii():
        return None
    code = text.translate(_MEANT).upper()
    return code if _CODE.fullmatch(code) else None


def check_base(text: str, path: str) -> str:
    """Return the start of short addresses: https and a host.

    Raises:
        InvalidInput: It is not.
    """
    if len(text) > BASE_LONGEST or _BASE.fullmatch(text) is None:
        raise InvalidInput.at(
            path,
            "not https and a host alone",
            fix='Send such as "https://go.shop.example", in small letters, without a slash behind.',
        )
    return text


def check_host(text: str, path: str) -> str:
    """Return a host's name for the allow-list.

    Raises:
        InvalidInput: It is none: an address, a port, a wildcard.
    """
    host = text.lower()
    if _HOST.fullmatch(host) is None:
        raise InvalidInput.at(
            path, "not the name of a host", fix='Send the name alone, such as "www.shop.example".'
        )
    return host


def check_target(text: str, path: str, *, hosts: Collection[str]) -> str:
    """Return an address that a short link may lead to.

    Raises:
        InvalidInput: Not https, a host that is not on the list, or what would be read otherwise
            by a browser than by us.
    """
    if not 1 <= len(text) <= TARGET_LONGEST:
        raise InvalidInput.at(path, f"not of 1 to {TARGET_LONGEST} characters", fix="Shorten it.")
    if not leads_to_a_host_of(text, hosts):
        raise InvalidInput.at(
            path,
            "not an https address on a host of the store's list",
            fix="Send https:// and one of the hosts that GET …/short-links lists; add a host there "
            "first if it is new.",
        )
    return text


def leads_to_a_host_of(address: str, hosts: Collection[str]) -> bool:
    """Say whether a browser that follows an address comes to one of these hosts, by https."""
    if not address.isascii() or not address.isprintable() or set(address) & _FORBIDDEN:
        return False
    try:
        parts = urlsplit(address)
        port = parts.port
    except ValueError:
        return False
    return (
        address.startswith("https://")
        and parts.username is None
        and parts.password is None
        and port in (None, 443)
        and parts.hostname is not None
        and parts.hostname in hosts
        and parts.netloc.lower() in (parts.hostname, f"{parts.hostname}:443")
    )
