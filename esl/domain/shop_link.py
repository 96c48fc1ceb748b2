"""The shop's own address in the QR code: a pattern with places for what is known of the label.

    https://shop.example/p/{gtin}?s={store}&l={label}

``{store}``, ``{label}``, ``{sku}`` and ``{gtin}`` (14 digits) are put in percent-encoded, so that
no SKU can change the rest of the address.

A face has no label id, because two labels of one product show the same. A pattern with
``{label}`` ends that: each label gets a frame of its own, none is shared or staged for another.
"""

import re
from urllib.parse import quote

from esl.domain.errors import InvalidInput

PLACEHOLDERS = ("store", "label", "sku", "gtin")

PATTERN_MAX_CHARACTERS = 200
"""More than a QR code of version 10 holds, once the placeholders are filled."""

_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
_SCHEME_AND_HOST = re.compile(
    r"https?://[a-z0-9.-]+(?::[0-9]{1,5})?(?:[/?#].*)?", re.IGNORECASE | re.ASCII
)
_SHOWN_OF_A_NAME = 20


def check_shop_pattern(pattern: str, *, path: str) -> str:
    """Return ``pattern`` if addresses can be made of it.

    Raises:
        InvalidInput: Not http or https, a character no address may have, an unknown placeholder
            (named), a lone brace, or too long.
    """
    if len(pattern) > PATTERN_MAX_CHARACTERS:
        raise InvalidInput.at(
            path,
            f"longer than {PATTERN_MAX_CHARACTERS} characters",
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
    return pattern


def needs_label(pattern: str) -> bool:
    """Say whether a pattern makes each label's address its own."""
    return "{label}" in pattern


def shop_link(
    pattern: str, *, store: str, label: str | None, sku: str, gtin: str | None
) -> str | None:
    """Fill a pattern in; None if it asks for a label or GTIN and there is none.

    Raises:
        InvalidInput: See `check_shop_pattern`.
    """
    check_shop_pattern(pattern, path="/pattern")
    values = {
        "store": store,
        "label": label,
        "sku": sku,
        "gtin": gtin.zfill(14) if gtin is not None else None,
    }
    wanted = {name: values[name] for name in _PLACEHOLDER.findall(pattern)}
    if None in wanted.values():
        return None
    return _PLACEHOLDER.sub(lambda match: quote(values[match[1]] or "", safe=""), pattern)
