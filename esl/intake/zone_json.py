"""Groups of stores, price zones and what they say, as JSON.

{"name": "Coast", "currency": "EUR", "stores": ["pula", "vrsar"]}

{"currency": "EUR", "changes": [{"sku": "4711", "price": "1.29", "source_seq": 812}]}
"""

from dataclasses import dataclass
from typing import Any, Final

from esl.domain.errors import FieldProblem, InvalidInput
from esl.domain.ids import Sku, StoreId, check_sku, check_slug
from esl.domain.money import check_currency
from esl.domain.pricing import KEEP, PriceChange
from esl.domain.zone import CHAIN, ZONE_LONGEST, PriceZone, StoreGroup
from esl.intake.fields import Fields
from esl.intake.price_json import parse_each, read_change

STORES_MOST: Final = 5000
CHANGES_MOST: Final = 2000
"""Products of one request: each becomes a price change in every store of the zone."""

_NAME_LONGEST: Final = 120
_PROBLEMS_MOST: Final = 50
_MOMENTS: Final = ("valid_from", "valid_to", "source_time")


@dataclass(frozen=True, slots=True, kw_only=True)
class ZoneWords:
    """What somebody says in a zone, not yet read: its currency must be known first."""

    currency: str | None
    changes: Any


def check_zone_id(text: str) -> str:
    """Return a zone's id from an address.

    Raises:
        InvalidInput: It is none.
    """
    check_slug(text, path="/zone", what="zone")
    if len(text) > ZONE_LONGEST:
        fix = f"Use at most {ZONE_LONGEST} characters."
        raise InvalidInput.at("/zone", "too long for a zone's id", fix=fix)
    return text


def parse_group(value: Any, *, group_id: str) -> StoreGroup:
    """Read a group of stores.

    Raises:
        InvalidInput: With the path of each bad field.
    """
    fields = Fields(value)
    name = fields.text("name", longest=_NAME_LONGEST, required=True)
    stores = _stores(fields)
    fields.finish()
    return StoreGroup(group_id=group_id, name=str(name), stores=stores)


def parse_zone(value: Any, *, zone_id: str) -> PriceZone:
    """Read a price zone.

    Raises:
        InvalidInput: With the path of each bad field; or it is the chain.
    """
    if zone_id == CHAIN:
        fix = "Leave it as it is, or choose another id."
        raise InvalidInput.at("/zone", "the chain is all stores by itself", fix=fix)
    fields = Fields(value)
    name = fields.text("name", longest=_NAME_LONGEST, required=True)
    currency = fields.parsed(
        "currency", lambda text, at: check_currency(text, path=at), required=True
    )
    stores = _stores(fields)
    fields.finish()
    return PriceZone(zone_id=zone_id, name=str(name), currency=str(currency), stores=stores)


def parse_store_zone(value: Any) -> str | None:
    """Read into which zone a store comes: ``{"zone": "coast"}``; null is into none.

    Raises:
        InvalidInput: It does not say.
    """
    fields = Fields(value)
    if not fields.has("zone"):
        fields.problem("zone", "missing", fix="Send the zone's id, or null for none.")
    zone = fields.parsed("zone", lambda text, at: check_slug(text, path=at, what="zone"))
    fields.finish()
    return zone if isinstance(zone, str) else None


def parse_words(value: Any) -> ZoneWords:
    """Read what surrounds the changes of a zone.

    Raises:
        InvalidInput: With the path of each bad field.
    """
    fields = Fields(value)
    currency = fields.parsed("currency", lambda text, at: check_currency(text, path=at))
    changes = fields.take("changes")
    if changes is KEEP or not isinstance(changes, list):
        fields.problem("changes", "not an array of prices")
    fields.finish()
    return ZoneWords(currency=currency if isinstance(currency, str) else None, changes=changes)


def parse_zone_changes(words: ZoneWords, *, currency: str) -> list[PriceChange]:
    """Read the prices that a zone says; they name no store.

    Raises:
        InvalidInput: With the path of each bad field.
    """

    def parse(item: Any, path: str) -> PriceChange:
        fields = Fields(item, path=path)
        for name in _MOMENTS:
            if fields.take(name) is not KEEP:
                fix = "Use a promotion of the zone's stores for prices that begin or end."
                fix = "Leave it out; source_seq orders." if name == "source_time" else fix
                fields.problem(name, "not for prices of a zone", fix=fix)
        sku = fields.parsed("sku", lambda text, at: check_sku(text, path=at), required=True)
        change = read_change(
            fields,
            store_id=StoreId(""),
            sku=Sku(sku) if isinstance(sku, str) else Sku(""),
            currency=currency,
            required=True,
        )
        if change is not None and change.price_minor <= 0:
            fields.problem("price", "not above zero")
        fields.finish()
        if change is None:
            raise AssertionError("a required change is read or refused")
        return change

    try:
        return parse_each(words.changes, parse, most=CHANGES_MOST)
    except InvalidInput as exc:
        raise InvalidInput(
            FieldProblem(path=f"/changes{one.path}", detail=one.detail, fix=one.fix)
            for one in exc.problems
        ) from None


def parse_skus(value: Any) -> list[Sku]:
    """Read ``{"skus": ["4711", …]}``.

    Raises:
        InvalidInput: With the path of each bad one.
    """
    fields = Fields(value)
    found = _texts(fields, "skus", most=CHANGES_MOST, required=True)
    problems: list[FieldProblem] = []
    skus: list[Sku] = []
    for place, text in enumerate(found):
        try:
            skus.append(check_sku(text, path=f"/skus/{place}"))
        except InvalidInput as exc:
            problems += exc.problems
    fields.problems += problems[:_PROBLEMS_MOST]
    fields.finish()
    return skus


def _stores(fields: Fields) -> frozenset[StoreId]:
    found: set[StoreId] = set()
    for place, text in enumerate(_texts(fields, "stores", most=STORES_MOST)):
        try:
            found.add(StoreId(check_slug(text, path=f"/stores/{place}", what="store")))
        except InvalidInput as exc:
            if len(fields.problems) < _PROBLEMS_MOST:
                fields.problems += exc.problems
    return frozenset(found)


def _texts(fields: Fields, name: str, *, most: int, required: bool = False) -> list[str]:
    value = fields.take(name)
    if value is KEEP or not isinstance(value, list):
        fix = "Send an array" + (" of 1 or more." if required else '; "[]" is none.')
        fields.problem(name, "missing" if value is KEEP else "not an array", fix=fix)
        return []
    if not all(isinstance(one, str) for one in value):
        fields.problem(name, "not all of it are strings")
        return []
    if len(value) > most or (required and not value):
        fields.problem(name, f"{len(value)} of them", fix=f"Send up to {most} at a time.")
        return []
    return value
