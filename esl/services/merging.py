"""Merge what a source says of a product into what is known, field by field.

A field that the source does not speak of stays. One that a source of higher priority said stays,
too. A text that no database column holds is a reason to refuse the entry, not to cut it.
"""

import unicodedata
from typing import Any, Final

from esl.domain.entry import Entry
from esl.domain.ids import SKU_MAX_CHARACTERS, SourceId
from esl.domain.money import PRICE_MAX_MINOR
from esl.domain.pricing import Keep
from esl.store.desk import Desk, owners_from, owners_with
from esl.store.listed import Listed

_TEXTS: Final = (  # field of the entry, field of a source's priorities, place in `Listed`, longest
    ("name", "name", 0, 200),
    ("brand", "brand", 1, 80),
    ("category", "category", 2, 120),
    ("link", "link", 7, 200),
    ("origin", "origin", 8, 80),
    ("location", "location", 11, 80),
)
_NUMBERS: Final = (  # … lowest, highest
    ("stock", "stock", 9, -10_000_000, 10_000_000),
    ("deposit_minor", "deposit", 10, 0, PRICE_MAX_MINOR),
    ("tax_permille", "tax", 12, 0, 1000),
    ("anchor_minor", "anchor", 13, 1, PRICE_MAX_MINOR),
)
CONTENT_MOST: Final = 2_000_000_000
GTINS_MOST: Final = 50
GTIN_LENGTHS: Final = (8, 12, 13, 14)
_WIDTH: Final = len(Listed._fields)
_OWNERS: Final = Listed._fields.index("owners")


class NotTaken(Exception):
    """An entry that cannot be taken, in words for whoever reads the report."""


class _Merge:
    """One product in the making."""

    def __init__(self, held: Listed | None, source: SourceId, desk: Desk) -> None:
        self.values: list[Any] = list(held) if held is not None else [None] * _WIDTH
        self.claimed: list[str] = []
        self._owners = owners_from(self.values[_OWNERS])
        self._source = source
        self._desk = desk

    def may(self, field: str) -> bool:
        """Say whether the source's word on a field counts."""
        owner = self._owners.get(field) if self._owners else None
        if owner is None or owner == self._source:
            if owner is None:
                self.claimed.append(field)
            return True
        mine = self._desk.priority_of(self._source, field)
        if owner in self._desk.seats:
            other = self._desk.priority_of(SourceId(owner), field)
            if mine <= other:
                return mine == other
        self.claimed.append(field)
        return True

    def put(self, field: str, place: int, value: Any) -> None:
        """Set a field that the source may set."""
        if self.values[place] != value:
            self.values[place] = value
            self.claimed.append(field)


def merge(
    entry: Entry, held: Listed | None, source: SourceId, desk: Desk, today: str
) -> tuple[Listed, tuple[str, ...] | None]:
    """Return the product as it is once the entry is taken, and its further GTINs if it says any.

    ``held`` is returned itself where nothing changes.

    Raises:
        NotTaken: It is not known and has no name, or a value fits nowhere.
    """
    made = _Merge(held, source, desk)
    _merge_plain(made, entry)
    further = _merge_gtins(made, entry)
    lowest = entry.lowest_30d_minor
    if not isinstance(lowest, Keep) and made.may("lowest_30d") and made.values[14] != lowest:
        if lowest is not None and not 0 < lowest <= PRICE_MAX_MINOR:
            raise NotTaken("lowest_30d: not a price")
        made.put("lowest_30d", 14, lowest)
        made.values[15:17] = [source, today] if lowest is not None else [None, None]
    values = made.values
    if values[0] is None:
        raise NotTaken(
            "name: cannot be cleared"
            if held is not None
            else "sku: the store has no product with this SKU, and no name is given for one"
        )
    if held is None and not 1 <= len(entry.sku) <= SKU_MAX_CHARACTERS:
        raise NotTaken(f"sku: not 1 to {SKU_MAX_CHARACTERS} characters")
    if made.claimed:
        fields = tuple(dict.fromkeys(made.claimed))
        values[_OWNERS] = owners_with(values[_OWNERS], source, fields)
    merged = Listed._make(values)
    return (held if held is not None and merged == held else merged), further


def _merge_plain(made: _Merge, entry: Entry) -> None:
    for name, field, place, longest in _TEXTS:
        text = getattr(entry, name)
        if not isinstance(text, Keep) and made.may(field) and made.values[place] != text:
            made.put(field, place, _checked(text, field, longest))
    for name, field, place, low, high in _NUMBERS:
        number = getattr(entry, name)
        if not isinstance(number, Keep) and made.may(field) and made.values[place] != number:
            if number is not None and not low <= number <= high:
                raise NotTaken(f"{field}: not within {low} to {high}")
            made.put(field, place, number)
    priced_per, content = entry.priced_per, entry.net_content
    if not isinstance(priced_per, Keep) and made.may("priced_per"):
        made.put("priced_per", 6, priced_per.value if priced_per is not None else None)
    if not isinstance(content, Keep) and made.may("net_content"):
        if content is not None and not 0 < content.milli <= CONTENT_MOST:
            raise NotTaken("net_content: more than a label can say")
        made.put("net_content", 4, content.milli if content is not None else None)
        made.put("net_content", 5, content.unit.value if content is not None else None)


def _merge_gtins(made: _Merge, entry: Entry) -> tuple[str, ...] | None:
    gtins = entry.gtins
    if isinstance(gtins, Keep) or not made.may("gtins"):
        return None
    gtins = gtins or ()
    if len(gtins) > GTINS_MOST:
        raise NotTaken(f"gtins: more than {GTINS_MOST} of one product")
    if any(len(gtin) not in GTIN_LENGTHS for gtin in gtins):
        raise NotTaken("gtins: not 8, 12, 13 or 14 digits")
    made.put("gtins", 3, gtins[0] if gtins else None)
    return tuple(dict.fromkeys(gtins[1:]))


def _checked(text: str | None, field: str, longest: int) -> str | None:
    if text is None:
        return None
    if not text or len(text) > longest:
        raise NotTaken(f"{field}: not 1 to {longest} characters")
    if not text.isprintable() and any(unicodedata.category(c) in {"Cc", "Cs"} for c in text):
        raise NotTaken(f"{field}: holds control characters")
    return text
