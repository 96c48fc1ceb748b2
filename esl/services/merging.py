"""Merge what a source says of a product into what is known, field by field.

A field that the source does not speak of stays. One that a source of higher priority said stays,
too. A text that no database column holds is a reason to refuse the entry, not to cut it.

The rows of a list speak of the same fields, of products whose fields the same sources said: what
a source may set is worked out once for all that are alike.
"""

import unicodedata
from dataclasses import dataclass
from operator import attrgetter
from typing import Any, Final

from esl.domain.entry import Entry
from esl.domain.ids import SKU_MAX_CHARACTERS, SourceId
from esl.domain.money import PRICE_MAX_MINOR
from esl.domain.pricing import KEEP
from esl.domain.product import TAG_LONGEST, TAGS_MOST, tags_text
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
_OTHERS: Final = (  # those that are no single column of their own
    ("priced_per", "priced_per"),
    ("net_content", "net_content"),
    ("gtins", "gtins"),
    ("lowest_30d_minor", "lowest_30d"),
    ("tags", "tags"),
)
_PRICED_PER, _CONTENT, _GTIN, _LOWEST, _TAGS = 6, 4, 3, 14, 17
"""Their places in `Listed`; the unit stands behind a content, source and day behind a low."""

_STATED: Final = attrgetter(*(row[0] for row in (*_TEXTS, *_NUMBERS, *_OTHERS)))
_FIELDS: Final = tuple(row[1] for row in (*_TEXTS, *_NUMBERS, *_OTHERS))
_PLAIN: Final = len(_TEXTS) + len(_NUMBERS)
CONTENT_MOST: Final = 2_000_000_000
GTINS_MOST: Final = 50
GTIN_LENGTHS: Final = (8, 12, 13, 14)
_NOTHING: Final = (None,) * len(Listed._fields)
_OWNERS: Final = Listed._fields.index("owners")


class NotTaken(Exception):
    """An entry that cannot be taken, in words for whoever reads the report."""


@dataclass(frozen=True, slots=True)
class _Rights:
    """Which of the fields that are stated a source may set, and what it has by stating them."""

    plain: tuple[tuple[int, int], ...]  # (number of the field, its place in `Listed`)
    others: tuple[bool, ...]  # of `_OTHERS`
    claimed: tuple[str, ...]


class Merger:
    """Merges the entries of one source; made once a batch."""

    def __init__(self, source: SourceId, desk: Desk, today: str) -> None:
        self._source = source
        self._desk = desk
        self._today = today
        self._rights: dict[tuple[str | None, tuple[bool, ...]], _Rights] = {}

    def merge(self, entry: Entry, held: Listed | None) -> tuple[Listed, tuple[str, ...] | None]:
        """Return the product once the entry is taken, and its further GTINs if it says any.

        ``held`` is returned itself where nothing changes.

        Raises:
            NotTaken: It is not known and has no name, or a value fits nowhere.
        """
        stated = _STATED(entry)
        keeps = tuple([value is KEEP for value in stated])
        owners = held.owners if held is not None else None
        rights = self._rights.get((owners, keeps))
        if rights is None:
            rights = self._rights[owners, keeps] = self._rights_of(owners, keeps)
        values: list[Any] = list(held if held is not None else _NOTHING)
        changed: list[str] = []
        for number, place in rights.plain:
            value = stated[number]
            if values[place] != value:
                values[place] = (
                    _check_text(value, number)
                    if number < len(_TEXTS)
                    else (_check_number(value, number))
                )
                changed.append(_FIELDS[number])
        further = self._merge_others(stated[_PLAIN:], rights, values, changed)
        if values[0] is None:
            raise NotTaken(
                "name: cannot be cleared"
                if held is not None
                else "sku: the store has no product with this SKU, and no name is given for one"
            )
        if held is None and not 1 <= len(entry.sku) <= SKU_MAX_CHARACTERS:
            raise NotTaken(f"sku: not 1 to {SKU_MAX_CHARACTERS} characters")
        claimed = (*rights.claimed, *changed) if changed else rights.claimed
        if claimed:
            values[_OWNERS] = owners_with(owners, self._source, claimed)
        if held is not None and not changed and values[_OWNERS] == owners:
            return held, further
        return Listed._make(values), further

    def _merge_others(
        self, stated: tuple[Any, ...], rights: _Rights, values: list[Any], changed: list[str]
    ) -> tuple[str, ...] | None:
        priced_per, content, gtins, lowest, tags = stated
        may_priced_per, may_content, may_gtins, may_lowest, may_tags = rights.others
        if may_priced_per:
            unit = priced_per.value if priced_per is not None else None
            if values[_PRICED_PER] != unit:
                values[_PRICED_PER] = unit
                changed.append("priced_per")
        if may_content:
            if content is not None and not 0 < content.milli <= CONTENT_MOST:
                raise NotTaken("net_content: more than a label can say")
            both = [content.milli, content.unit.value] if content is not None else [None, None]
            if values[_CONTENT : _CONTENT + 2] != both:
                values[_CONTENT : _CONTENT + 2] = both
                changed.append("net_content")
        further = None
        if may_gtins:
            gtins = _check_gtins(gtins or ())
            first = gtins[0] if gtins else None
            if values[_GTIN] != first:
                values[_GTIN] = first
                changed.append("gtins")
            further = tuple(dict.fromkeys(gtins[1:]))
        if may_lowest and values[_LOWEST] != lowest:
            if lowest is not None and not 0 < lowest <= PRICE_MAX_MINOR:
                raise NotTaken("lowest_30d: not a price")
            by = (None, None) if lowest is None else (self._source, self._today)
            values[_LOWEST : _LOWEST + 3] = lowest, *by
            changed.append("lowest_30d")
        if may_tags and (text := tags_text(_check_tags(tags or ()))) != values[_TAGS]:
            values[_TAGS] = text
            changed.append("tags")
        return further

    def _rights_of(self, owners: str | None, keeps: tuple[bool, ...]) -> _Rights:
        known = owners_from(owners)
        allowed: list[int] = []
        claimed: list[str] = []
        for number, field in enumerate(_FIELDS):
            if keeps[number]:
                continue
            owner = known.get(field)
            may, claims = self._may(owner, field)
            if may:
                allowed.append(number)
            if claims:
                claimed.append(field)
        return _Rights(
            plain=tuple((n, (*_TEXTS, *_NUMBERS)[n][2]) for n in allowed if n < _PLAIN),
            others=tuple(number in allowed for number in range(_PLAIN, len(_FIELDS))),
            claimed=tuple(claimed),
        )

    def _may(self, owner: str | None, field: str) -> tuple[bool, bool]:
        """Say whether the source's word on a field counts, and whether the field is its own by it.

        Of sources of one priority the last word counts, and the field goes with a new value alone.
        """
        if owner is None:
            return True, True
        if owner == self._source:
            return True, False
        if owner in self._desk.seats:
            mine = self._desk.priority_of(self._source, field)
            other = self._desk.priority_of(SourceId(owner), field)
            return mine >= other, mine > other
        return True, True


def _check_text(text: str | None, number: int) -> str | None:
    if text is None:
        return None
    _, field, _, longest = _TEXTS[number]
    if not text or len(text) > longest:
        raise NotTaken(f"{field}: not 1 to {longest} characters")
    if not text.isprintable() and any(unicodedata.category(c) in {"Cc", "Cs"} for c in text):
        raise NotTaken(f"{field}: holds control characters")
    return text


def _check_number(value: int | None, number: int) -> int | None:
    _, field, _, low, high = _NUMBERS[number - len(_TEXTS)]
    if value is not None and not low <= value <= high:
        raise NotTaken(f"{field}: not within {low} to {high}")
    return value


def _check_tags(tags: tuple[str, ...]) -> tuple[str, ...]:
    if len(tags) > TAGS_MOST:
        raise NotTaken(f"tags: more than {TAGS_MOST} of one product")
    for tag in tags:
        if not 1 <= len(tag) <= TAG_LONGEST or not tag.isprintable():
            raise NotTaken(f"tags: one is not 1 to {TAG_LONGEST} printable characters")
    return tags


def _check_gtins(gtins: tuple[str, ...]) -> tuple[str, ...]:
    if len(gtins) > GTINS_MOST:
        raise NotTaken(f"gtins: more than {GTINS_MOST} of one product")
    if any(len(gtin) not in GTIN_LENGTHS for gtin in gtins):
        raise NotTaken("gtins: not 8, 12, 13 or 14 digits")
    return gtins
