"""Price changes as JSON, the same for every door that takes JSON.

One change, or an array of up to `MAX_CHANGES`:

    {"sku": "4711", "price": "1.29", "was": "1.79", "badge": "AKCIJA",
     "source": "till-3", "source_seq": 812, "source_time": "2026-03-01T06:00:00Z",
     "valid_from": "2026-03-02T05:00:00Z", "valid_to": "2026-03-08T05:00:00Z"}
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeVar

from esl.domain.errors import FieldProblem, InvalidInput
from esl.domain.ids import Sku, SourceId, StoreId, check_sku, check_slug
from esl.domain.money import parse_price
from esl.domain.pricing import DEFAULT_SOURCE, KEEP, Keep, PriceChange
from esl.intake.fields import Fields
from esl.intake.plain_changes import PlainChanges

MAX_CHANGES = 10_000
BADGE_LONGEST = 40
HAND_REASON_LONGEST = 200
_MAX_PROBLEMS = 50

Item = TypeVar("Item")


def parse_price_changes(value: Any, *, store_id: StoreId, currency: str) -> list[PriceChange]:
    """Read one change or an array of changes; all of them, or none.

    Raises:
        InvalidInput: With the path of each bad field, of the first `_MAX_PROBLEMS`.
    """
    if isinstance(value, dict):
        return [_parse_change(value, "", store_id=store_id, currency=currency)]
    plain = PlainChanges(store_id, currency)

    def parse(item: Any, path: str) -> PriceChange:
        change = plain.read(item, path)
        if change is None:
            change = _parse_change(item, path, store_id=store_id, currency=currency)
        return change

    return parse_each(value, parse)


def parse_hand_price(
    value: Any, *, store_id: StoreId, currency: str, source: SourceId
) -> tuple[PriceChange, str]:
    """Read a price that somebody typed in, and the reason: it comes now, and from no source.

    Raises:
        InvalidInput: With the path of each bad field.
    """
    fields = Fields(value)
    reason = fields.text("reason", longest=HAND_REASON_LONGEST, required=True)
    for name in ("source", "source_seq", "source_time"):
        if fields.take(name) is not KEEP:
            fields.problem(name, "not of a price by hand", fix="Send it to price-changes.")
    sku = fields.parsed("sku", lambda text, at: check_sku(text, path=at), required=True)
    change = read_change(
        fields,
        store_id=store_id,
        sku=Sku(sku) if isinstance(sku, str) else Sku(""),
        currency=currency,
        required=True,
    )
    fields.finish()
    if change is None:
        raise AssertionError("a required change is read or refused")
    return replace(change, source=source), reason if isinstance(reason, str) else ""


def parse_each(
    value: Any, parse: Callable[[Any, str], Item], *, most: int = MAX_CHANGES
) -> list[Item]:
    """Read the items of an array, gathering the problems of all of them.

    Raises:
        InvalidInput: Not an array of 1 to ``most`` items, or an item is bad.
    """
    if isinstance(value, dict):
        fix = "Put it in square brackets, also where it is the only one."
        raise InvalidInput.at("", "one object in place of an array", fix=fix)
    if not isinstance(value, list):
        raise InvalidInput.at("", "neither an object nor an array")
    if not 1 <= len(value) <= most:
        raise InvalidInput.at("", f"{len(value)} items", fix=f"Send 1 to {most} at a time.")
    items: list[Item] = []
    problems: list[FieldProblem] = []
    for index, item in enumerate(value):
        try:
            items.append(parse(item, f"/{index}"))
        except InvalidInput as exc:
            problems.extend(exc.problems)
            if len(problems) >= _MAX_PROBLEMS:
                break
    if problems:
        raise InvalidInput(problems[:_MAX_PROBLEMS])
    return items


def text_or_none(value: str | Keep | None) -> str | None:
    """Take a field that was left out as empty, where a body replaces the whole."""
    return value if isinstance(value, str) else None


def read_change(
    fields: Fields, *, store_id: StoreId, sku: Sku, currency: str, required: bool
) -> PriceChange | None:
    """Read the fields of a price from an object that may hold others too.

    Returns None where the object has no price and need not have one; a field that says
    something about a price is a problem then.
    """

    def money(text: str, at: str) -> int:
        return parse_price(text, currency, path=at)

    if not required and not fields.has("price"):
        for name in ("was", "unit_price", "badge", "valid_from", "valid_to"):
            if fields.take(name) is not KEEP:
                fields.problem(name, "sent without a price", fix="Send the price with it.")
        return None
    price = fields.parsed("price", money, required=True)
    source = fields.parsed("source", lambda text, at: check_slug(text, path=at, what="source"))
    valid_from, valid_to = fields.instant("valid_from"), fields.instant("valid_to")
    if valid_from is not None and valid_to is not None and valid_to <= valid_from:
        fields.problem("valid_to", "not after valid_from", fix="Send a later valid_to, or none.")
    if fields.has("currency") and fields.take("currency") != currency:
        fields.problem("currency", f"not the store's currency, {currency}")
    return PriceChange(
        store_id=store_id,
        sku=sku,
        price_minor=price if isinstance(price, int) else 1,
        currency=currency,
        was_minor=fields.parsed("was", money),
        unit_price_minor=fields.parsed("unit_price", money),
        badge=fields.text("badge", longest=BADGE_LONGEST),
        source=SourceId(source) if isinstance(source, str) else DEFAULT_SOURCE,
        source_seq=fields.integer("source_seq"),
        source_time=fields.instant("source_time"),
        valid_from=valid_from,
        valid_to=valid_to,
        path=fields.path,
    )


def _parse_change(value: Any, path: str, *, store_id: StoreId, currency: str) -> PriceChange:
    fields = Fields(value, path=path)
    sku = fields.parsed("sku", lambda text, at: check_sku(text, path=at), required=True)
    change = read_change(
        fields,
        store_id=store_id,
        sku=Sku(sku) if isinstance(sku, str) else Sku(""),
        currency=currency,
        required=True,
    )
    fields.finish()
    if change is None:
        raise AssertionError("a required change is read or refused")
    return change
