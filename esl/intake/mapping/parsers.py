"""Which function reads the text of which target."""

from collections.abc import Callable
from collections.abc import Mapping as Table
from datetime import UTC, datetime, tzinfo
from functools import partial
from typing import Any, Final

from esl.domain.entry import DatedPrice
from esl.intake.mapping.bad_value import BadValue
from esl.intake.mapping.date_values import ReadInstant, day_reader, instant_reader
from esl.intake.mapping.history_values import read_past_kind
from esl.intake.mapping.model import TARGETS, Format, Kind, Mapping, Value
from esl.intake.mapping.money_values import money_reader
from esl.intake.mapping.opened import Dated
from esl.intake.mapping.text_values import (
    percent_reader,
    read_gtins,
    read_link,
    read_promotion_kind,
    read_sku,
    read_tag_list,
    read_tags,
    read_unit,
    text_reader,
    whole_reader,
)

CACHED: Final = frozenset(
    {Kind.MONEY, Kind.CONTENT, Kind.UNIT, Kind.PERCENT, Kind.PROMOTION, Kind.STORE, Kind.TAGS}
)
"""Kinds whose cells repeat so often that their values are kept."""

_ENDS = frozenset({"valid_to", "promotion_to"})
_HISTORY_MOST = 2_000
_GTINS_MOST = 100
_PLAIN: Final[Table[Kind, Callable[[str], Any]]] = {
    Kind.SKU: read_sku,
    Kind.GTIN: read_gtins,
    Kind.UNIT: read_unit,
    Kind.PROMOTION: read_promotion_kind,
    Kind.LINK: read_link,
    Kind.PAST: read_past_kind,
    Kind.TAGS: read_tags,
}


def parser_of(
    target: str, value: Value, mapping: Mapping, currency: str, *, zone: tzinfo = UTC
) -> Callable[[str], Any]:
    """Return the function from a text, not empty and without blanks around, to a value.

    Raises:
        BadValue: From the function.
    """
    about = TARGETS[target]
    plain = _PLAIN.get(about.kind)
    if plain is not None:
        return plain
    also_iso = mapping.format is Format.XLSX
    match about.kind:
        case Kind.MONEY:
            parse: Callable[[str], Any] = _money(target, mapping, currency)
        case Kind.WHOLE:
            parse = whole_reader(mapping.decimal, low=about.low, high=about.high)
        case Kind.PERCENT:
            parse = percent_reader(mapping.decimal)
        case Kind.INSTANT:
            read = instant_reader(value.format, is_end=target in _ENDS, also_iso=also_iso)
            parse = partial(_read_instant, read, zone)
        case Kind.DAY:
            parse = day_reader(value.format, also_iso=also_iso)
        case Kind.HISTORY:
            parse = partial(_DayOf, read_day=day_reader(value.format, also_iso=also_iso))
        case _:
            parse = text_reader(about.longest)
    return parse


def _read_instant(read: ReadInstant, zone: tzinfo, text: str) -> datetime:
    return read(text, zone)


class _DayOf:
    """A day of the price history that waits for the price of its row."""

    def __init__(self, text: str, read_day: Callable[[str], Any]) -> None:
        self._day = read_day(text)

    def __call__(self, price_minor: int) -> DatedPrice:
        return DatedPrice(day=self._day, price_minor=price_minor)


def list_parser(
    target: str, value: Value, mapping: Mapping, currency: str
) -> Callable[[tuple[Any, ...]], Any] | None:
    """Return the function that reads a list, for the targets that may be one."""
    if target == "gtin":
        return _read_gtin_list
    if target == "tags":
        return read_tag_list
    if target != "history":
        return None
    read_money = _money("price", mapping, currency)
    read_day = day_reader(value.format)

    def read(dated: tuple[Any, ...]) -> tuple[DatedPrice, ...]:
        if len(dated) > _HISTORY_MOST:
            raise BadValue(f"{len(dated)} prices; {_HISTORY_MOST} at most")
        if not all(isinstance(one, Dated) for one in dated):
            raise BadValue("not a list of {day, price}", fix='Write "item.prices[].{day: …}".')
        return tuple(
            DatedPrice(day=read_day(one.day), price_minor=read_money(one.price)) for one in dated
        )

    return read


def _money(target: str, mapping: Mapping, currency: str) -> Callable[[str], Any]:
    read = money_reader(
        decimal=mapping.decimal,
        thousands=mapping.thousands,
        minor_units=mapping.minor_units,
        currency=currency,
        zero=target == "deposit",
    )
    if target == "deposit":
        return lambda text: read(text) or None
    return read


def _read_gtin_list(codes: tuple[Any, ...]) -> tuple[str, ...]:
    if len(codes) > _GTINS_MOST or not all(isinstance(code, str) for code in codes):
        raise BadValue("not a list of bar codes")
    found = (gtin for code in codes if code.strip() for gtin in read_gtins(code.strip()))
    return tuple(dict.fromkeys(found))
