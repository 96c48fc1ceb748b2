"""Money: integer minor units and an ISO 4217 code, never a float.

A price arrives as a decimal string with a point ("1.29"). Nothing else is read: no exponent,
no sign, no thousands mark, no blank, no digit outside ASCII. Python's and pydantic's own
``Decimal`` would take ``"1_000"``, ``"１２"`` and ``"1e3"`` and so turn a till's mistake into a
price on a shelf (measured; `field notes, reliability E13`).
"""

import re

from esl.domain.errors import InvalidInput

_ZERO_DECIMALS = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF"
_TWO_DECIMALS = """
AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BRL BSD BTN BWP BYN BZD CAD
CDF CHF CNY COP CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD
HKD HNL HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD
MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON
RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD
TZS UAH USD UYU UZS VES WST XCD YER ZAR ZMW
"""
_THREE_DECIMALS = "BHD IQD JOD KWD LYD OMR TND"

MINOR_DIGITS: dict[str, int] = (
    dict.fromkeys(_ZERO_DECIMALS.split(), 0)
    | dict.fromkeys(_TWO_DECIMALS.split(), 2)
    | dict.fromkeys(_THREE_DECIMALS.split(), 3)
)
"""Decimals of each currency (ISO 4217, table A.1)."""

PRICE_MAX_MINOR = 999_999_999
"""Highest price accepted, in minor units; far above any shelf, far below 64 bits."""

_DECIMAL = re.compile(r"(?P<whole>0|[1-9][0-9]{0,8})(?:\.(?P<fraction>[0-9]{1,3}))?")
_FIX = 'Send a decimal string with a point and no other signs, such as "1.29".'


def check_currency(code: str, *, path: str) -> str:
    """Return an ISO 4217 code that we know the decimals of.

    Raises:
        InvalidInput: The code is unknown.
    """
    if code not in MINOR_DIGITS:
        raise InvalidInput.at(
            path,
            "not a known ISO 4217 currency code",
            fix='Send three capital letters, such as "EUR".',
        )
    return code


def parse_price(text: str, currency: str, *, path: str) -> int:
    """Read a price as minor units of ``currency``, 1 to `PRICE_MAX_MINOR`.

    Trailing zeros beyond the currency's decimals are refused too: a sender who writes "1.290"
    for EUR may mean 1,290.

    Raises:
        InvalidInput: Not a plain decimal, too many decimals, zero, or too high.
    """
    match = _DECIMAL.fullmatch(text)
    if match is None:
        raise InvalidInput.at(path, "not a price", fix=_FIX)
    digits = MINOR_DIGITS[currency]
    fraction = match["fraction"] or ""
    if len(fraction) > digits:
        raise InvalidInput.at(
            path,
            f"{len(fraction)} decimals, and {currency} has {digits}",
            fix=f"Round it at the source to {digits} decimals.",
        )
    minor = int(match["whole"]) * int(10**digits) + int(fraction.ljust(digits, "0") or "0")
    if minor == 0:
        raise InvalidInput.at(path, "a price of zero", fix="Send a price above zero.")
    if minor > PRICE_MAX_MINOR:
        raise InvalidInput.at(
            path,
            "higher than any price this installation accepts",
            fix=f"The highest is {format_minor(PRICE_MAX_MINOR, currency)} {currency}.",
        )
    return minor


def format_minor(minor: int, currency: str) -> str:
    """Write minor units as the decimal string `parse_price` reads: 129, EUR -> "1.29"."""
    digits = MINOR_DIGITS[currency]
    if digits == 0:
        return str(minor)
    whole, fraction = divmod(minor, 10**digits)
    return f"{whole}.{fraction:0{digits}d}"


def percent_off(was_minor: int, now_minor: int) -> int:
    """Say by how many whole percent a price fell; floored, so that no label claims too much."""
    return (was_minor - now_minor) * 100 // was_minor
