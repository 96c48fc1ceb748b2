"""Prices as sources write them, into minor units, exactly.

====================  ==========================================================================
``129``, ``1.29``     by the declared decimal sign; ``,69`` is 0.69, and zeros may stand before
``1.299,90``          only where the thousands sign is declared, in right groups of three
``1,2900``            zeros beyond the currency's decimals are nothing; but three decimals of a
                      currency with two are refused: ``1.290`` may mean 1,290
anything else         refused, with what is wrong: signs, exponents, letters, other digits,
                      the other decimal sign, more decimals than the currency has
====================  ==========================================================================

Nothing is rounded, and no sign is taken for another.
"""

import re
from collections.abc import Callable

from esl.domain.money import MINOR_DIGITS, PRICE_MAX_MINOR, format_minor
from esl.intake.mapping.bad_value import BadValue, shorten

_DIGITS_MOST = 24
_GROUP = 3
_BLANK_SIGNS = str.maketrans({"\u00a0": " ", "\u202f": " ", "\u2009": " "})
_EXPONENT = re.compile(r"[0-9.,]+[eE][-+]?[0-9]+")

ReadMoney = Callable[[str], int]


def money_reader(
    *, decimal: str, thousands: str | None, minor_units: bool, currency: str, zero: bool = False
) -> ReadMoney:
    """Make the function that reads a price, 1 to `PRICE_MAX_MINOR`; 0 too if ``zero``.

    Raises:
        BadValue: From the function: it is no such price.
    """
    digits = MINOR_DIGITS[currency]
    lowest = 0 if zero else 1
    if thousands is None:
        whole_form = "[0-9]*"
    else:
        sign = re.escape(" " if thousands in "\u00a0\u202f" else thousands)
        whole_form = rf"[0-9]{{1,3}}(?:{sign}[0-9]{{3}})+|[0-9]*"
    form = re.compile(rf"({whole_form})(?:{re.escape(decimal)}([0-9]+))?", re.ASCII)
    group = " " if thousands is not None and thousands in "\u00a0\u202f" else thousands
    scale = 10**digits

    def read(text: str) -> int:
        plain = text if text.isascii() or group != " " else text.translate(_BLANK_SIGNS)
        found = form.fullmatch(plain)
        if found is None or len(text) > _DIGITS_MOST:
            raise _explain(text, decimal, group)
        whole, fraction = found[1], found[2] or ""
        if not whole and not fraction:
            raise _explain(text, decimal, group)
        if group is not None:
            whole = whole.replace(group, "")
        if len(fraction) > digits:
            fraction = _drop_zeros(text, fraction, digits, currency)
        minor = int(whole or "0") * scale
        if fraction:
            minor += int(fraction.ljust(digits, "0"))
        return _check_bounds(minor, lowest, text, currency)

    def read_minor(text: str) -> int:
        if not (text.isascii() and text.isdigit()) or len(text) > _DIGITS_MOST:
            raise BadValue(
                f"{shorten(text)} is no whole number of minor units",
                fix="Send 129 for 1.29, or say minor_units: false.",
            )
        return _check_bounds(int(text), lowest, text, currency)

    return read_minor if minor_units else read


def _drop_zeros(text: str, fraction: str, digits: int, currency: str) -> str:
    if len(fraction) == _GROUP or fraction[digits:].strip("0"):
        raise BadValue(
            f"{shorten(text)} has {len(fraction)} decimals, and {currency} has {digits}",
            fix="Round it at the source, or declare decimal and thousands as they are meant.",
        )
    return fraction[:digits]


def _check_bounds(minor: int, lowest: int, text: str, currency: str) -> int:
    if lowest <= minor <= PRICE_MAX_MINOR:
        return minor
    if minor == 0:
        raise BadValue(
            f"{shorten(text)} is a price of zero",
            fix='If it stands for "none", say map: {"' + text[:20] + '": null}.',
        )
    highest = format_minor(PRICE_MAX_MINOR, currency)
    raise BadValue(
        f"{shorten(text)} is higher than any price we accept",
        fix=f"The highest is {highest} {currency}; check decimal, thousands and minor_units.",
    )


def _explain(text: str, decimal: str, thousands: str | None) -> BadValue:
    shown = shorten(text)
    other = "," if decimal == "." else "."
    if text.startswith(("-", "\u2212", "(")) or text.endswith("-"):
        return BadValue(f"{shown} is negative", fix="Send a price above zero.")
    if _EXPONENT.fullmatch(text):
        return BadValue(
            f"{shown} has an exponent, as a spreadsheet shows long numbers",
            fix="Format the column as a number with decimals, and export it again.",
        )
    if any(character.isdigit() and not character.isascii() for character in text):
        return BadValue(f"{shown} has digits other than 0 to 9", fix="Send 0 to 9.")
    plain = text.replace(decimal, "").replace(other, "")
    if plain.isascii() and plain.isdigit():
        said = (
            f"decimal is {decimal!r}, and thousands {thousands!r}"
            if thousands
            else (f"decimal is {decimal!r}, and no thousands sign is declared")
        )
        return BadValue(f"{shown} is no price where {said}", fix="Declare the signs as they are.")
    return BadValue(
        f"{shown} is no price",
        fix='Send digits; signs of a currency go with strip: "€ ", words for none with map:.',
    )
