"""The shop's own address in the QR code: a pattern with places for what is known of the label.

    https://shop.example/p/{gtin}?s={store}&l={label}

A store's setting, checked when it is saved. ``{store}``, ``{label}``, ``{sku}`` and ``{gtin}``
(14 digits) are put in percent-encoded, so that no SKU can change the rest of the address.

A face has no label id, because two labels of one product show the same. A pattern with
``{label}`` ends that: each label gets a frame of its own, none is shared or staged for another.
"""

import re
from urllib.parse import quote

from esl.domain.errors import InvalidInput
from esl.domain.ids import SKU_MAX_CHARACTERS, SLUG_MAX_CHARACTERS

PLACEHOLDERS = ("store", "label", "sku", "gtin")

ADDRESS_MAX_CHARACTERS = 200
"""Of a pattern, and of what becomes of it: a QR code of version 10 at level M holds 213 bytes."""

_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
_SCHEME_AND_HOST = re.compile(
    r"https?://[a-z0-9.-]+(?::[0-9]{1,5})?(?:[/?#].*)?", re.IGNORECASE | re.ASCII
)
_SHOWN_OF_A_NAME = 20


def check_shop_pattern(pattern: str, *, store: str, path: str) -> str:
    """Return ``pattern`` if a store can make its addresses of it.

    Raises:
        InvalidInput: Not http or https, a character no address may have, an unknown placeholder
            (named), a lone brace, or too long: as it stands, or with the longest label id and SKU.
    """
    if len(pattern) > ADDRESS_MAX_CHARACTERS:
        raise InvalidInput.at(
            path,
            f"longer than {ADDRESS_MAX_CHARACTERS} characters",
            fix="Shorten it: a small QR code is read from farther away.",
        )
    for name in _PLACEHOLDER.findall(pattern):
        if name not in PLACEHOLDERS:
            shown = "".join(c for c in name[:_SHOWN_OF_A_NAME] if c.isprintable())
            raise InvalidInput.at(
                path,
                f"unknown placeholder {{{shown}}}",
                fix="Use {store}, {label}, {sku} or {gtin}.",
            )
    fixed = _PLACEHOLDER.sub("", pattern)
    if "{" in fixed or "}" in fixed:
        raise InvalidInput.at(path, "a brace without its partner", fix="Write {gtin}, or %7B.")
    if not fixed.isascii() or not fixed.isprintable() or set(fixed) & set(' "<>\\^`|'):
        raise InvalidInput.at(
            path,
            "a character that no address may have",
            fix="Percent-encode blanks and letters outside ASCII.",
        )
    # The host must be fixed: a placeholder there would let a SKU choose where shoppers go.
    if _SCHEME_AND_HOST.fullmatch(pattern) is None:
        raise InvalidInput.at(
            path,
            "not an http or https address",
            fix="Begin with https:// and the name of a host, without placeholders in it.",
        )
    longest = _fill(
        pattern,
        store=store,
        label="x" * SLUG_MAX_CHARACTERS,
        sku="x" * SKU_MAX_CHARACTERS,
        gtin="0",
    )
    if longest is not None and len(longest) > ADDRESS_MAX_CHARACTERS:
        raise InvalidInput.at(
            path,
            f"addresses of up to {len(longest)} characters, and a QR code of a label holds "
            f"{ADDRESS_MAX_CHARACTERS}",
            fix=f"Shorten it by {len(longest) - ADDRESS_MAX_CHARACTERS} characters, or leave out "
            "{sku} or {label}.",
        )
    return pattern


def shop_link(pattern: str, *, store: str, label: str, sku: str, gtin: str | None) -> str | None:
    """Make a label's address of a checked pattern.

    None where the pattern asks for a GTIN and the product has none, or where a SKU of signs that
    are percent-encoded makes the address longer than `ADDRESS_MAX_CHARACTERS`.
    """
    address = _fill(pattern, store=store, label=label, sku=sku, gtin=gtin)
    if address is None or len(address) > ADDRESS_MAX_CHARACTERS:
        return None
    return address


def _fill(pattern: str, *, store: str, label: str, sku: str, gtin: str | None) -> str | None:
    """Fill a pattern in, however long it becomes; None if it asks for a GTIN and there is none."""
    if gtin is None and "{gtin}" in pattern:
        return None
    # What is put in has no braces any more, so none of it is taken for a placeholder.
    return (
        pattern.replace("{store}", quote(store, safe=""))
        .replace("{label}", quote(label, safe=""))
        .replace("{sku}", quote(sku, safe=""))
        .replace("{gtin}", (gtin or "").zfill(14))
    )
