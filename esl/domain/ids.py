"""Names of things, typed so that a SKU is never passed where a label id belongs.

Stores, gateways, labels and sources are named by slugs, because their names become MQTT
topics and URL paths. A SKU is the till's own name for a product and may be any short line.
"""

import re
import unicodedata
from typing import NewType

from esl.domain.errors import InvalidInput

StoreId = NewType("StoreId", str)
GatewayId = NewType("GatewayId", str)
LabelId = NewType("LabelId", str)
SourceId = NewType("SourceId", str)
Sku = NewType("Sku", str)
PanelId = NewType("PanelId", str)
TemplateName = NewType("TemplateName", str)
Digest = NewType("Digest", str)
"""SHA-256 of a frame's packed pixels, 64 lower-case hex digits."""

SKU_MAX_CHARACTERS = 64
SLUG_MAX_CHARACTERS = 64
_SLUG = re.compile(r"[a-z0-9-]{1,64}")  # the wire protocol's rule for ids in topics


def check_slug(text: str, *, path: str, what: str) -> str:
    """Return ``text`` if it may name a store, gateway, label or source.

    Raises:
        InvalidInput: It is not 1 to 64 of ``a-z``, ``0-9`` and ``-``.
    """
    if not _SLUG.fullmatch(text):
        raise InvalidInput.at(
            path,
            f"not a valid {what} id",
            fix="Use 1 to 64 of the characters a-z, 0-9 and '-'.",
        )
    return text


def check_sku(text: str, *, path: str) -> Sku:
    """Return ``text`` as a SKU: 1 to 64 characters, no control or formatting characters.

    Raises:
        InvalidInput: It is empty, too long, padded with blanks, or holds such a character.
    """
    if not 1 <= len(text) <= SKU_MAX_CHARACTERS or text != text.strip() or has_control(text):
        raise InvalidInput.at(
            path,
            "not a valid SKU",
            fix="Send 1 to 64 printable characters without blanks around them.",
        )
    return Sku(text)


def has_control(text: str) -> bool:
    """Say whether a text holds control, bidi-override, private or unassigned characters."""
    if text.isprintable():  # it holds none of them, and is asked in one step
        return False
    return any(unicodedata.category(c) in {"Cc", "Cf", "Cs", "Co", "Cn"} for c in text)
