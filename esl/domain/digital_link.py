"""GS1 Digital Link: a product's number as a web address (GS1 Digital Link URI Syntax 1.6).

    https://id.gs1.org/01/09520123456788/10/ABC1/21/12345?17=201225
    └─ base ─────────┘ └ primary key ──┘ └ qualifiers ──┘ └ attributes

The GTIN has 14 digits, qualifiers come in one order, and everything but letters, digits and
``-._~`` is percent-encoded: a plus means a blank to some servers, so it is ``%2B`` everywhere.
What the standard calls legacy (GTINs without their zeros, ``/gtin/`` for ``/01/``) is refused,
as GS1's own engine does (field notes, standards D.2 and G.2).
"""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from urllib.parse import quote, unquote_to_bytes

from esl.domain.element_string import Element, check_element, check_elements, is_known
from esl.domain.errors import InvalidInput
from esl.domain.gtin import check_gtin

GS1_RESOLVER = "HTTPS://ID.GS1.ORG"
"""GS1's own resolver, in capitals: see `in_capitals`."""

_NOTHING: Mapping[str, str] = MappingProxyType({})

_QUALIFIERS: dict[str, tuple[tuple[str, ...], ...]] = {
    "01": (("22", "10", "21"), ("235",)),
    "414": (("254",),),
    "417": (),
    "8003": (),
    "8004": (),
    "8006": (("22", "10", "21"),),
    "8010": (("8011",),),
    "8017": (("8019",),),
    "8018": (("8019",),),
    "00": (),
    "253": (),
    "255": (),
    "401": (),
    "402": (),
}
"""Primary keys, and the qualifiers each may have in their order (URI Syntax, section 4.9)."""

_ADDRESS = re.compile(
    r"(?P<base>https?://[a-z0-9.-]+(?::[0-9]{1,5})?)(?P<path>/[^?#]*)(?:\?(?P<query>[^#]*))?(?:#.*)?",
    re.IGNORECASE | re.ASCII,
)
_BASE = re.compile(
    r"(https?://[a-z0-9.-]+(?::[0-9]{1,5})?)((?:/[!$&-;=@-Z_a-z~%]*)?)", re.IGNORECASE
)
_BROKEN_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")


@dataclass(frozen=True, slots=True, kw_only=True)
class DigitalLink:
    """A Digital Link taken apart."""

    base: str  # scheme, host and stem, as written
    elements: tuple[Element, ...]  # the primary key, its qualifiers, the attributes

    @property
    def gtin(self) -> str | None:
        """The 14 digits, if it names a product."""
        identifier, value = self.elements[0]
        return value if identifier == "01" else None


def digital_link(
    gtin: str,
    *,
    base: str = GS1_RESOLVER,
    qualifiers: Mapping[str, str] = _NOTHING,
    attributes: Mapping[str, str] = _NOTHING,
) -> str:
    """Build a product's Digital Link, on GS1's resolver or under an address of the shop.

    ``qualifiers`` are variant (22), lot (10) and serial number (21), or else 235; ``attributes``
    anything else, such as net weight (3103) or a date (17). Both are given by identifier.

    Raises:
        InvalidInput: Not a GTIN, a base that is no web address, or an element out of place.
    """
    digits = check_gtin(gtin, path="/gtin").zfill(14)
    address = f"{check_base(base, path='/base').rstrip('/')}/01/{digits}"
    if not qualifiers and not attributes:
        return address
    for place, elements in (("qualifiers", qualifiers), ("attributes", attributes)):
        for identifier, value in elements.items():
            check_element(identifier, value, path=f"/{place}/{identifier}")
    order = _order_of("01", qualifiers.keys(), path="/qualifiers")
    _check_attributes("01", attributes.keys(), path="/attributes")
    address += "".join(
        f"/{identifier}/{quote(qualifiers[identifier], safe='')}"
        for identifier in order
        if identifier in qualifiers
    )
    query = "&".join(f"{name}={quote(value, safe='')}" for name, value in attributes.items())
    return f"{address}?{query}" if query else address


def check_base(base: str, *, path: str) -> str:
    """Return ``base`` if Digital Links may be built under it.

    Raises:
        InvalidInput: Not http or https, or more than host and stem.
    """
    if _BASE.fullmatch(base) is None or _BROKEN_PERCENT.search(base):
        raise InvalidInput.at(
            path,
            "not an address that codes can lead to",
            fix="Give scheme, host and at most a path, such as https://shop.example/p.",
        )
    return base


def in_capitals(base: str) -> str:
    """Write scheme and host in capitals, which mean the same; the path stays as it is.

    A QR code then needs 5.5 bits a character instead of 8, if all of the address allows it: the
    36 characters of a Digital Link fit version 2 at level M instead of 3 (field notes, D.4).
    """
    scheme, mark, rest = base.partition("://")
    host, slash, stem = rest.partition("/")
    return f"{scheme.upper()}{mark}{host.upper()}{slash}{stem}"


def parse_digital_link(text: str, *, path: str = "") -> DigitalLink:
    """Read a Digital Link, as strictly as GS1's engine does.

    Query keys that are no numbers are left out: other programs may add theirs.

    Raises:
        InvalidInput: What is wrong with it, never repeating it.
    """
    match = _ADDRESS.fullmatch(text)
    if match is None or not text.isascii() or not text.isprintable() or " " in text:
        raise _refuse(path, "not an http or https address with a path")
    if _BROKEN_PERCENT.search(text):
        raise _refuse(path, "a percent sign without two hexadecimal digits")
    steps = match["path"].split("/")
    at = _find_primary_key(steps, path=path)
    named = [(steps[i], _decode(steps[i + 1], path=path)) for i in range(at, len(steps), 2)]
    primary = named[0][0]
    keys = [identifier for identifier, _ in named[1:]]
    order = _order_of(primary, keys, path=path)
    if keys != [identifier for identifier in order if identifier in keys]:
        raise _refuse(
            path, f"the qualifiers of ({primary}) must be in the order {', '.join(order)}"
        )
    attributes = list(_attributes(match["query"] or "", path=path))
    check_elements([*named, *attributes], path=path)
    _check_attributes(primary, [identifier for identifier, _ in attributes], path=path)
    return DigitalLink(base=match["base"] + "/".join(steps[:at]), elements=(*named, *attributes))


def _find_primary_key(steps: list[str], *, path: str) -> int:
    """Walk back over pairs of identifier and value to the first that may open a Digital Link."""
    at = len(steps) - 2
    while at >= 1:
        if not steps[at + 1]:
            raise _refuse(path, "an empty value, or a slash at the end")
        if steps[at] in _QUALIFIERS:
            return at
        if not is_known(steps[at]):
            break
        at -= 2
    raise _refuse(path, "no GS1 key in the path, such as /01/ and 14 digits")


def _attributes(query: str, *, path: str) -> list[Element]:
    found = []
    for pair in query.split("&"):
        identifier, equals, value = pair.partition("=")
        if identifier.isdigit():
            if not equals or not value:
                raise _refuse(path, f"({identifier[:4]}) without a value")
            found.append((identifier, _decode(value.replace("+", "%20"), path=path)))
    return found


def _order_of(primary: str, identifiers: Collection[str], *, path: str) -> tuple[str, ...]:
    """Return the order that holds for these qualifiers of a primary key."""
    wanted = set(identifiers)
    for order in (*_QUALIFIERS[primary], ()):
        if wanted <= set(order):
            return order
    choices = " or ".join(", ".join(order) for order in _QUALIFIERS[primary]) or "none"
    raise _refuse(path, f"({primary}) may have these qualifiers: {choices}")


def _check_attributes(primary: str, identifiers: Collection[str], *, path: str) -> None:
    for identifier in identifiers:
        if identifier == primary:
            raise _refuse(path, f"({primary}) is there twice")
        if any(identifier in order for order in _QUALIFIERS[primary]):
            raise _refuse(path, f"({identifier}) is a qualifier: it belongs into the path")


def _decode(step: str, *, path: str) -> str:
    try:
        return unquote_to_bytes(step).decode("ascii")
    except UnicodeDecodeError as exc:
        raise _refuse(path, "a value with letters that GS1 does not allow") from exc


def _refuse(path: str, detail: str) -> InvalidInput:
    return InvalidInput.at(
        path,
        detail,
        fix="Write it like https://id.gs1.org/01/09520123456788/10/ABC1?17=201225.",
    )
