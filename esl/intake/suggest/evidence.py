"""What the values of a column say of it, whatever its header says."""

from collections.abc import Sequence
from decimal import Decimal

from esl.domain.gtin import is_gtin
from esl.domain.product import NetContent
from esl.intake.quantity import parse_quantity
from esl.intake.quantity_evidence import Agreement, consistent
from esl.intake.units import measure_of

_LOOKED_AT = 2000
"""Rows that evidence is taken from: enough for shares, and fast."""

_GTIN_MOST = 14
_QUOTES = "'\"=` \u00a0"


def share_of_gtins(values: Sequence[str]) -> float:
    """Say which part of the non-empty cells are bar codes with right check digits."""
    filled = [value for value in values[:_LOOKED_AT] if value.strip(_QUOTES)]
    if not filled:
        return 0.0
    return sum(_has_gtin(value) for value in filled) / len(filled)


def share_unique(values: Sequence[str]) -> float:
    """Say which part of the non-empty cells are different ones."""
    filled = [value for value in values if value]
    return len(set(filled)) / len(filled) if filled else 0.0


def share_filled(values: Sequence[str]) -> float:
    """Say which part of the cells is not empty."""
    return sum(bool(value) for value in values) / len(values) if values else 0.0


def share_of_contents(values: Sequence[str], decimal: str) -> float:
    """Say which part of the non-empty cells are numbers with a unit."""
    filled = [value for value in values[:_LOOKED_AT] if value]
    known = sum(isinstance(parse_quantity(value, decimal=decimal), NetContent) for value in filled)
    return known / len(filled) if filled else 0.0


def share_of_units(values: Sequence[str]) -> float:
    """Say which part of the non-empty cells are units of measure."""
    filled = [value.casefold().strip(". 0123456789") for value in values[:_LOOKED_AT] if value]
    return sum(measure_of(value) is not None for value in filled) / len(filled) if filled else 0.0


def agreement_of(
    prices: Sequence[Decimal | None],
    unit_prices: Sequence[Decimal | None],
    contents: Sequence[NetContent | None],
) -> tuple[int, int]:
    """Count the rows whose unit price follows from price and content, and those where it cannot."""
    agrees = disagrees = 0
    for price, unit_price, content in zip(prices, unit_prices, contents, strict=True):
        if price and unit_price and content is not None:
            verdict = consistent(price, unit_price, content)
            agrees += verdict is Agreement.AGREES
            disagrees += verdict is Agreement.DISAGREES
    return agrees, disagrees


def _has_gtin(value: str) -> bool:
    parts = value.strip(_QUOTES).replace(";", ",").replace("|", ",").split(",")
    return all(
        is_gtin(part.strip(_QUOTES)) or is_gtin(part.strip(_QUOTES).zfill(_GTIN_MOST - 1))
        for part in parts
        if part.strip(_QUOTES)
    )
