"""A column of units: that of the content beside it, or only how the product is sold.

content "400", unit "g"     400 g: the unit price follows            sure
content "400", unit "KOM"   sold by the piece; the content is not 400 pieces
content "400 g", unit "KOM" the content has its own unit; it needs none
no content                  nothing a unit could help to read
"""

from collections import Counter
from collections.abc import Sequence
from decimal import Decimal

from esl.domain.face import Unit
from esl.domain.product import NetContent
from esl.intake.quantity import normal, parse_quantity
from esl.intake.suggest.evidence import agreement_of
from esl.intake.suggest.questions import is_bare
from esl.intake.suggest.suggestion import Column
from esl.intake.units import measure_of

_ENOUGH = 5
_SHOWN = 3
Numbers = Sequence[Decimal | None]


def weigh_unit(
    unit: Column,
    content: Column | None,
    *,
    decimal: str,
    prices: Numbers | None,
    unit_prices: Numbers | None,
) -> tuple[bool, str]:
    """Say whether a column of units is surely that of the content, and why."""
    words = [word for word, _ in Counter(v for v in unit.values if v).most_common(_SHOWN)]
    shown = ", ".join(f'"{word[:20]}"' for word in words)
    if content is None:
        return False, f"{shown} may be how products are sold; no column has a content to go with it"
    pairs = [(c, u) for c, u in zip(content.values, unit.values, strict=True) if u and is_bare(c)]
    if not pairs:
        return False, f"{shown} may be how products are sold; the contents have units of their own"
    counted = sum(_is_piece(u) for _, u in pairs)
    read = [
        parse_quantity(c, decimal=decimal, unit_hint=u) if u and is_bare(c) else None
        for c, u in zip(content.values, unit.values, strict=True)
    ]
    contents = [each if isinstance(each, NetContent) else None for each in read]
    if prices is not None and unit_prices is not None:
        agrees, disagrees = agreement_of(prices, unit_prices, contents)
        if agrees >= _ENOUGH and agrees > disagrees:
            why = f"unit prices follow from contents read with it in {agrees} rows"
            return True, why + (f", and not in {disagrees}" if disagrees else "")
        if agrees + disagrees >= _ENOUGH:
            return False, f"unit prices do not follow from contents read with it: {disagrees} rows"
    number, word = pairs[0]
    asked = f'is a row with "{number}" and "{word[:20]}" a pack of {number} {word[:20]}?'
    if counted:
        asked += " In many lists this column says how a product is sold"
    return False, asked


def _is_piece(word: str) -> bool:
    measure = measure_of(normal(word))
    return measure is not None and measure.unit is Unit.PIECE
