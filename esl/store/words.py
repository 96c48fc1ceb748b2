"""What a source said of a price, as it is kept until a person or a moment lets it hold.

A JSON object; what a source did not speak of is absent, what it cleared is null:

    {"price": 129, "was": null, "unit": 322, "badge": "AKCIJA"}             a price change
    {"entry": true, "price": 179, "promotion": {"kind": "price", …}, …}     of an entry
"""

from datetime import datetime
from typing import Any, TypeVar

import msgspec

from esl.domain.entry import Entry, PromotionKind, StatedPromotion
from esl.domain.ids import Sku, SourceId, StoreId
from esl.domain.layers import Word
from esl.domain.pricing import KEEP, Keep, PriceChange
from esl.store.columns import instant_from, instant_text

T = TypeVar("T")

_WORD = ("price", "was", "unit", "badge")
"""Where the fields of `Word` stand, in their order."""


def text_of_change(change: PriceChange) -> str:
    """Write a price change."""
    said: dict[str, Any] = {"price": change.price_minor}
    _say(said, "was", change.was_minor)
    _say(said, "unit", change.unit_price_minor)
    _say(said, "badge", change.badge)
    if change.valid_from is not None:
        said["from"] = _text(change.valid_from)
    if change.valid_to is not None:
        said["until"] = _text(change.valid_to)
    return msgspec.json.encode(said).decode()


def text_of_entry(entry: Entry) -> str:
    """Write what an entry says of prices."""
    said: dict[str, Any] = {"entry": True}
    _say(said, "price", entry.price_minor)
    _say(said, "was", entry.was_minor)
    _say(said, "unit", entry.unit_price_minor)
    _say(said, "badge", entry.badge)
    _say(said, "lowest", entry.lowest_30d_minor)
    match entry.promotion:
        case StatedPromotion() as promotion:
            said["promotion"] = _said_of(promotion)
            if entry.more_promotions:
                said["more"] = [_said_of(more) for more in entry.more_promotions]
        case None:
            said["promotion"] = None
        case _:
            pass
    if entry.valid_from is not None:
        said["from"] = _text(entry.valid_from)
    if entry.valid_to is not None:
        said["until"] = _text(entry.valid_to)
    return msgspec.json.encode(said).decode()


def text_of_plan(text: str, currency: str) -> str:
    """Add to what was said the currency in which it was: it is asked again at its moment."""
    said: dict[str, Any] = msgspec.json.decode(text)
    return msgspec.json.encode(said | {"currency": currency}).decode()


def text_of_word(word: Word) -> str:
    """Write what holds of a price, promotions apart."""
    said: dict[str, Any] = {}
    for name, value in zip(_WORD, word, strict=True):
        _say(said, name, value)
    return msgspec.json.encode(said).decode()


def word_from(text: str) -> Word:
    """Read what was said of a regular price: by an entry, a price change or `text_of_word`."""
    said = msgspec.json.decode(text)
    return Word(*(said.get(name, KEEP) for name in _WORD))


def said_over(old: str, new: str) -> str:
    """Write a word that takes the place of another: what it leaves out is as it was.

    A unit price stays beside its price alone. A word that says nothing else is the old one.
    """
    before, after = msgspec.json.decode(old), msgspec.json.decode(new)
    merged: dict[str, Any] = before | after
    if "unit" not in after and merged.get("price") != before.get("price"):
        merged.pop("unit", None)
    return old if merged == before else msgspec.json.encode(merged).decode()


def currency_of(text: str) -> str | None:
    """Return the currency that `text_of_plan` has written; None where nobody has."""
    found: str | None = msgspec.json.decode(text).get("currency")
    return found


def has_begin(text: str) -> bool:
    """Say whether a word names the moment from which it holds."""
    return "from" in msgspec.json.decode(text)


def later(text: str, now: datetime) -> datetime | None:
    """Return the moment to come from which a word is to hold; None where it is to hold now."""
    if '"from"' not in text:
        return None
    begins = _instant(msgspec.json.decode(text).get("from"))
    return begins if begins is not None and begins > now else None


def is_entry(text: str) -> bool:
    """Say whether a text is of an entry; else it is a price change."""
    return bool(msgspec.json.decode(text).get("entry"))


def change_from(
    text: str, *, store_id: StoreId, sku: Sku, source: SourceId, currency: str
) -> PriceChange:
    """Read what `text_of_change` wrote."""
    said = msgspec.json.decode(text)
    return PriceChange(
        store_id=store_id,
        sku=sku,
        price_minor=said["price"],
        currency=currency,
        was_minor=said.get("was", KEEP),
        unit_price_minor=said.get("unit", KEEP),
        badge=said.get("badge", KEEP),
        source=source,
        valid_from=_instant(said.get("from")),
        valid_to=_instant(said.get("until")),
    )


def entry_from(text: str, *, store_id: StoreId, sku: Sku, currency: str) -> Entry:
    """Read what `text_of_entry` wrote; its promotion's moments stay as they were."""
    said = msgspec.json.decode(text)
    promotion: StatedPromotion | Keep | None = KEEP
    if "promotion" in said:
        p = said["promotion"]
        promotion = None if p is None else _promotion(p)
    return Entry(
        store_id=store_id,
        sku=sku,
        currency=currency,
        price_minor=said.get("price", KEEP),
        was_minor=said.get("was", KEEP),
        unit_price_minor=said.get("unit", KEEP),
        badge=said.get("badge", KEEP),
        lowest_30d_minor=said.get("lowest", KEEP),
        promotion=promotion,
        more_promotions=tuple(_promotion(p) for p in said.get("more", ())),
        valid_from=_instant(said.get("from")),
        valid_to=_instant(said.get("until")),
    )


def _said_of(promotion: StatedPromotion) -> dict[str, Any]:
    return {
        "id": promotion.promotion_id,
        "kind": promotion.kind.value,
        "price": promotion.price_minor,
        "quantity": promotion.quantity,
        "club": promotion.club,
        "from": _text(promotion.valid_from),
        "to": _text(promotion.valid_to),
    }


def _promotion(said: dict[str, Any]) -> StatedPromotion:
    return StatedPromotion(
        promotion_id=said["id"],
        kind=PromotionKind(said["kind"]),
        price_minor=said["price"],
        quantity=said["quantity"],
        club=said["club"],
        valid_from=_instant(said["from"]),
        valid_to=_instant(said["to"]),
    )


def _say(said: dict[str, Any], name: str, value: T | Keep) -> None:
    if not isinstance(value, Keep):
        said[name] = value


def _text(instant: datetime | None) -> str | None:
    return None if instant is None else instant_text(instant)


def _instant(text: str | None) -> datetime | None:
    return instant_from(text)
