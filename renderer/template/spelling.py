"""Names that were probably meant, for messages about names nobody knows."""

from collections.abc import Iterable
from difflib import get_close_matches

_NAMES_SHOWN = 12

_OTHERWISE_CALLED = {
    "qrcode": "qr",
    "rectangle": "rect",
    "dlimg": "image",
    "picture": "image",
    "label": "text",
    "ean": "barcode",
    "group": "stack",
}
"""What other template languages call our elements."""


def advise_on(name: str, known: Iterable[str]) -> str:
    """Say what a wrong name may have meant, or else which names there are."""
    names = sorted(known)
    if name in _OTHERWISE_CALLED and _OTHERWISE_CALLED[name] in names:
        return f"Did you mean {_OTHERWISE_CALLED[name]!r}?"
    near = get_close_matches(name[:64], names, n=2, cutoff=0.6)
    if near:
        return f"Did you mean {' or '.join(repr(candidate) for candidate in near)}?"
    if not names:
        return "There are none to choose from."
    shown = ", ".join(names[:_NAMES_SHOWN])
    return f"Known are {shown}{' and others' if len(names) > _NAMES_SHOWN else ''}."
