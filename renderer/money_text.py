"""Money, counts and dates as a locale writes them; money from integer minor units.

What a locale does is learned from Babel once per locale and currency and kept as a `MoneyStyle`;
writing an amount is then plain string work (0.6 us against Babel's 34). The amount is never split
out of a formatted string: a big price is drawn from its parts.

    1234.50 EUR, de_DE    whole "1.234"  mark ","  fraction "50"  symbol "€" behind
    1234.50 CHF, de_CH    whole "1’234"  mark "."  fraction "50"  symbol "CHF" before

CLDR puts U+00A0 and U+202F into amounts, which the fonts draw as blanks, and direction marks
such as U+200F, which are dropped here. Decimals are ISO 4217's, not CLDR's, which for some
currencies rounds. A symbol the fonts lack becomes the currency's code.
"""

import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from functools import lru_cache
from typing import NamedTuple

from babel import Locale, UnknownLocaleError
from babel.dates import format_date, format_skeleton
from babel.numbers import (
    format_decimal,
    format_percent,
    get_currency_symbol,
    get_decimal_symbol,
    get_group_symbol,
)

from esl.domain.face import Unit
from esl.domain.money import MINOR_DIGITS

STYLES_KEPT = 64
"""Bound of `MoneyWriter`'s caches of styles; a shop has one locale and currency, or a few."""

PERCENTS_KEPT = 512
DATES_KEPT = 512
COUNTS_KEPT = 1024
NO_BREAK = "\u00a0"
MINUS = "\u2212"

_UNIT_TEXT = {Unit.KILOGRAM: "kg", Unit.LITRE: "l", Unit.METRE: "m", Unit.SQUARE_METRE: "m²"}

# CLDR has no short word for a piece.
_PIECE = {
    "bs": "kom",
    "cs": "ks",
    "da": "stk.",
    "de": "Stk.",
    "es": "ud.",
    "fr": "pce",
    "hr": "kom",
    "hu": "db",
    "it": "pz",
    "nb": "stk.",
    "nl": "st.",
    "pl": "szt.",
    "pt": "un.",
    "sk": "ks",
    "sl": "kos",
    "sr": "kom",
    "sv": "st",
}
_PIECE_ELSEWHERE = "pc."


_IDLE_PARTS = frozenset({"COP", "HUF", "IDR", "IRR", "LAK", "LBP", "MMK", "TZS", "UZS"})
"""Two decimals by ISO 4217 and none in cash, in tills or on labels (CLDR's cash digits)."""


class DateStyle(StrEnum):
    """How long a date is written."""

    SHORT = "short"  # "31.12.26", with the locale's own idea of the year
    MEDIUM = "medium"  # "31. Dez. 2026", "31.12.2026", …
    DAY = "day"  # day and month: "31.12."


class PriceParts(NamedTuple):
    """A price in the pieces a big price is drawn from; all are printable text."""

    whole: str  # with the locale's grouping: "1.234"
    mark: str  # decimal sign, "" for currencies without decimals
    fraction: str  # "50", "" likewise
    symbol: str
    symbol_left: bool  # on paper, whatever comes first in speech


@dataclass(frozen=True, slots=True, kw_only=True)
class MoneyStyle:
    """How one locale writes one currency.

    Where a currency's parts are out of use, amounts without any are written without decimals:
    "12 499 Ft".
    """

    symbol: str
    before: str  # everything printed before the digits: "CHF " or ""
    behind: str  # everything printed behind them: " €" or ""
    mark: str
    group: str
    grouping: tuple[int, int]  # digits of the lowest group and of all others
    digits: int  # decimals of the currency
    rtl: bool  # the locale's script runs from the right
    idle_parts: bool  # nobody pays in parts of this currency any more

    def parts(self, minor: int) -> PriceParts:
        """Take an amount apart."""
        digits = self.digits
        left = bool(self.before) != self.rtl
        written = str(minor).zfill(digits + 1)
        whole = self._grouped(written[:-digits] if digits else written)
        if not digits or (self.idle_parts and minor % 10**digits == 0):
            return PriceParts(whole, "", "", self.symbol, left)
        return PriceParts(whole, self.mark, written[-digits:], self.symbol, left)

    def tenths_parts(self, tenths: int) -> PriceParts:
        """Take an amount in tenths of a minor unit apart, with one decimal more."""
        whole, fraction = divmod(tenths, 10 ** (self.digits + 1))
        return PriceParts(
            whole=self._grouped(str(whole)),
            mark=self.mark,
            fraction=f"{fraction:0{self.digits + 1}d}",
            symbol=self.symbol,
            symbol_left=bool(self.before) != self.rtl,
        )

    def text(self, minor: int) -> str:
        """Write an amount as one string: "1.234,50 €"."""
        return f"{self.before}{self.amount(minor)}{self.behind}"

    def tenths_text(self, tenths: int) -> str:
        """Write an amount in tenths of a minor unit, with one decimal more: "$0.253"."""
        return f"{self.before}{self.tenths_amount(tenths)}{self.behind}"

    def tenths_amount(self, tenths: int) -> str:
        """Write it without its currency: "0.253"."""
        written = str(tenths).zfill(self.digits + 2)
        cut = -self.digits - 1
        return f"{self._grouped(written[:cut])}{self.mark}{written[cut:]}"

    def amount(self, minor: int) -> str:
        """Write an amount without its currency: "1.234,50"."""
        if not self.digits:
            return self._grouped(str(minor))
        written = str(minor).zfill(self.digits + 1)
        whole = written[: -self.digits]
        if len(whole) > self.grouping[0]:
            whole = self._grouped(whole)
        if self.idle_parts and minor % 10**self.digits == 0:
            return whole
        return f"{whole}{self.mark}{written[-self.digits :]}"

    def _grouped(self, whole: str) -> str:
        lowest, others = self.grouping
        if len(whole) <= lowest:
            return whole
        groups = [whole[-lowest:]]
        rest = whole[:-lowest]
        while rest:
            groups.append(rest[-others:])
            rest = rest[:-others]
        return self.group.join(reversed(groups))


class MoneyWriter:
    """Writes money, units, percentages, counts and dates for the characters a font can draw.

    Caches: `STYLES_KEPT` styles by locale and currency, and units by unit and locale;
    `PERCENTS_KEPT` percentages, `COUNTS_KEPT` counts and `DATES_KEPT` dates by value and locale.
    """

    def __init__(self, can_draw: Callable[[str], bool]) -> None:
        self._can_draw = can_draw
        self.style = lru_cache(maxsize=STYLES_KEPT)(self._learn_style)
        """Find the style of a locale ("hr_HR") and an ISO 4217 currency code."""
        self.percent_less = lru_cache(maxsize=PERCENTS_KEPT)(_percent_less)
        """Write a whole percentage as a reduction in a locale: "−25 %"."""
        self.unit_text = lru_cache(maxsize=STYLES_KEPT)(_unit_text)
        """Write what a unit price counts: "kg", or the locale's short word for a piece."""
        self.count_text = lru_cache(maxsize=COUNTS_KEPT)(_count_text)
        """Write a whole number in a locale: "1.200"."""
        self.date_text = lru_cache(maxsize=DATES_KEPT)(_date_text)
        """Write a day in a locale and a `DateStyle`: "31.12."."""
        self.decimal_mark = lru_cache(maxsize=STYLES_KEPT)(_decimal_mark)
        """Find what a locale writes between units and tenths: ","."""

    def _learn_style(self, locale: str, currency: str) -> MoneyStyle:
        known = find_locale(locale)
        pattern = known.currency_formats["standard"]
        symbol = self._drawable_symbol(get_currency_symbol(currency, known), currency)
        before, behind = (_visible(affix[0]) for affix in (pattern.prefix, pattern.suffix))
        # CLDR currencySpacing: letters never touch digits, "KWD 1.250" and not "KWD1.250".
        if before == "¤" and symbol[-1].isalpha():
            before += NO_BREAK
        if behind == "¤" and symbol[0].isalpha():
            behind = NO_BREAK + behind
        return MoneyStyle(
            symbol=symbol,
            before=before.replace("¤", symbol),
            behind=behind.replace("¤", symbol),
            mark=get_decimal_symbol(known),
            group=get_group_symbol(known),
            grouping=pattern.grouping,
            digits=MINOR_DIGITS[currency],
            rtl=known.text_direction == "rtl",
            idle_parts=currency in _IDLE_PARTS,
        )

    def _drawable_symbol(self, symbol: str, currency: str) -> str:
        """Choose the symbol, its plain form (Japanese U+FFE5 is ¥), or the code."""
        visible = _visible(symbol)
        candidates = (visible, unicodedata.normalize("NFKC", visible))
        return next((c for c in candidates if c and self._can_draw(c)), currency)


def _unit_text(unit: Unit, locale: str) -> str:
    return _UNIT_TEXT.get(unit) or _PIECE.get(find_locale(locale).language, _PIECE_ELSEWHERE)


def find_locale(name: str) -> Locale:
    """Find a locale, or its language's where CLDR has not the pair ("en_KW"), or English."""
    for candidate in (name, name.replace("-", "_").partition("_")[0], "en"):
        try:
            return Locale.parse(candidate)
        except (UnknownLocaleError, ValueError):
            continue
    raise AssertionError("Babel knows English")


def _percent_less(percent: int, locale: str) -> str:
    written = _visible(format_percent(Decimal(percent).scaleb(-2), locale=find_locale(locale)))
    return MINUS + written


def _count_text(count: int, locale: str) -> str:
    return _visible(format_decimal(count, locale=find_locale(locale)))


def _date_text(day: date, locale: str, style: DateStyle) -> str:
    known = find_locale(locale)
    if style is DateStyle.DAY:
        return _visible(format_skeleton("Md", day, locale=known))
    return _visible(format_date(day, format=style.value, locale=known))


def _decimal_mark(locale: str) -> str:
    return get_decimal_symbol(find_locale(locale))


def _visible(text: str) -> str:
    """Drop direction marks and their like."""
    return "".join(c for c in text if unicodedata.category(c) != "Cf")
