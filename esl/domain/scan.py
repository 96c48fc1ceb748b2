"""What a scanned text may stand for: a label, a product, a shelf; told apart by form alone.

    ]E03850104087301, 3850104087301        bar code of a product, with and without AIM's mark
    (01)03850104087301, 0103850104087301…  GS1 element string
    https://…/01/03850104087301            GS1 Digital Link, as our labels show it
    https://…?label=l-7&product=4711       shop address with label and product
    https://go.shop.example/K7WQ2M9X       short link
    l-00007                                a label's id, as on its back
    4711, R-12                             a SKU, a shelf's code

Whether there is such a label or product only the books know (`esl.services.scanning`).
"""

import re
from contextlib import suppress
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qs, urlsplit

from esl.domain.digital_link import parse_digital_link
from esl.domain.element_string import parse_element_string
from esl.domain.errors import InvalidInput
from esl.domain.gtin import expand_upc_e, is_gtin
from esl.domain.ids import SLUG_MAX_CHARACTERS
from esl.domain.short_link import read_code

LONGEST: Final = 500
_FIX: Final = "Scan the code of a label, a product or a shelf, or type its number."
_AIM: Final = re.compile(r"^\][A-Za-z][0-9A-Za-z]")
_SLUG: Final = re.compile(r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?")
_GS: Final = "\x1d"
_PLAIN_MOST: Final = 15
_UPC_E: Final = 8
_LENGTHS: Final = (8, 12, 13, 14)
_LABEL_NAMES: Final = ("label", "l")
_PRODUCT_NAMES: Final = ("product", "sku", "p")


@dataclass(frozen=True, slots=True, kw_only=True)
class Scan:
    """What a text may stand for; several at once, where its form does not tell."""

    text: str
    gtins: tuple[str, ...] = ()
    label: str | None = None
    sku: str | None = None
    short_code: str | None = None
    shelf_code: str | None = None


def read_scan(raw: str, *, path: str = "") -> Scan:
    """Take a scanned or typed text apart.

    Raises:
        InvalidInput: There is nothing in it, or too much.
    """
    text = _AIM.sub("", raw.strip(" \t\r\n\0"))
    if not text or len(text) > LONGEST:
        raise InvalidInput.at(path, "nothing that a code holds", fix=_FIX)
    if "://" in text[:16]:
        return _of_address(text, path)
    if found := _gtin_within(text):
        return Scan(text=text, gtins=_forms_of(found))
    slug = text.lower()
    return Scan(
        text=text,
        gtins=_forms_of(text),
        label=slug if _is_slug(slug) else None,
        sku=text,
        short_code=read_code(text),
        shelf_code=text,
    )


def _of_address(text: str, path: str) -> Scan:
    """Read an address: with its label and product, as a Digital Link, or as a short link."""
    try:
        parts = urlsplit(text)
    except ValueError:
        raise InvalidInput.at(path, "a broken address", fix=_FIX) from None
    asked = {name.lower(): values[-1] for name, values in parse_qs(parts.query).items()}
    label = next((asked[name].lower() for name in _LABEL_NAMES if name in asked), None)
    sku = next((asked[name] for name in _PRODUCT_NAMES if name in asked), None)
    try:
        gtin = parse_digital_link(text).gtin
    except InvalidInput:
        gtin = None
    last = parts.path.rstrip("/").rpartition("/")[2]
    return Scan(
        text=text,
        gtins=_forms_of(gtin) if gtin else (),
        label=label if label is not None and _is_slug(label) else None,
        sku=sku,
        short_code=read_code(last),
    )


def _gtin_within(text: str) -> str | None:
    """Return the GTIN of an element string, in brackets or as scanners send it."""
    if text.startswith("(01)"):
        try:
            return dict(parse_element_string(text)).get("01")
        except InvalidInput:
            return None
    head, _, _ = text.partition(_GS)
    if len(head) > _PLAIN_MOST and head.startswith("01") and is_gtin(head[2:16]):
        return head[2:16]
    return None


def _forms_of(gtin: str) -> tuple[str, ...]:
    """List the ways in which a number may be kept: with its zeros, without, as UPC-E; none: ()."""
    forms: list[str] = []
    if is_gtin(gtin):
        bare = gtin.lstrip("0")
        forms += [gtin, *(bare.zfill(length) for length in _LENGTHS if len(bare) <= length)]
    if len(gtin) == _UPC_E:
        with suppress(InvalidInput):
            whole = expand_upc_e(gtin)
            forms += [whole, whole.zfill(13), whole.zfill(14)]
    return tuple(dict.fromkeys(forms))


def _is_slug(text: str) -> bool:
    return len(text) <= SLUG_MAX_CHARACTERS and _SLUG.fullmatch(text) is not None
