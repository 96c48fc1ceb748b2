"""What a person is asked of columns that no target has: promotions, dates, prices of no known name.

A column is never left out in silence. One that speaks of a promotion ("Akcija", "Popust %",
"מבצע") may decide what a shopper pays, and one with dates may end a promotion; so each of them is
a question in the mapping. The others are named as not used, with what is in them.
"""

import re
from collections.abc import Callable, Sequence
from decimal import Decimal

from esl.intake.suggest.date_columns import ask_of_dates, holds_dates
from esl.intake.suggest.numbers import count_shapes
from esl.intake.suggest.suggestion import Column, Question
from esl.intake.suggest.words import (
    DATE,
    NOT_FOR_LABELS,
    SOME_PRICE,
    meaning_of_header,
    says_percent,
    speaks_of_promotion,
)

Numbers = Sequence[Decimal | None]

_MOSTLY = 0.9
_OFTEN = 0.7
_TINY = Decimal("0.25")
"""A promotion's price is rarely below this part of the price; discounts and percentages are."""

_FLAGS_MOST = 6
_FLAG_LONGEST = 12
_HUNDRED = 100
_EXAMPLES = 3
_SHOWN = 24


IS_IT_THE_PRICE = (
    "a header speaks of a promotion, and numbers like prices stand below it: is it the price "
    "while the promotion lasts? If the list has no such price, take this line out"
)


def examples_of(column: Column) -> str:
    """Quote the first few different values of a column; "" where it has none."""
    found = list(dict.fromkeys(value for value in column.values if value))[:_EXAMPLES]
    return ", ".join(f'"{value[:_SHOWN]}…"' if value[_SHOWN:] else f'"{value}"' for value in found)


def may_be_promotion_prices(column: Column, numbers: Numbers, prices: Numbers | None) -> bool:
    """Say whether a column's cells may be prices of promotions, seen beside the price."""
    filled = sum(bool(value) for value in column.values)
    right = [number for number in numbers if number is not None]
    if not right or len(right) < filled * _MOSTLY or says_percent(column.header):
        return False
    if any(value.rstrip().endswith("%") for value in column.values):
        return False
    pairs = [(a, b) for a, b in zip(prices or (), numbers, strict=False) if a and b]
    if pairs:
        below = sum(price * _TINY <= other <= price for price, other in pairs)
        return below >= len(pairs) * _OFTEN
    counts = count_shapes(column.values)
    return counts.comma + counts.point + counts.either > counts.whole


def hinted_promotions(
    columns: Sequence[Column], numbers_of: Callable[[Column], Numbers], prices: Numbers | None
) -> list[Column]:
    """List the columns whose header hints at a promotion and whose cells may be its prices."""
    return [
        column
        for column in columns
        if speaks_of_promotion(column.header)
        and (meaning_of_header(column.header) or (None,))[0] not in (DATE, NOT_FOR_LABELS)
        and may_be_promotion_prices(column, numbers_of(column), prices)
    ]


def ask_of(
    columns: Sequence[Column], numbers_of: Callable[[Column], Numbers]
) -> tuple[Question, ...]:
    """Ask what a person has to be asked of columns that no target has."""
    found: list[Question] = []
    for column in columns:
        meaning = meaning_of_header(column.header)
        target = meaning.target if meaning is not None else None
        if target == DATE or (target is None and holds_dates(column)):
            question = ask_of_dates(column)
        elif speaks_of_promotion(column.header):
            question = _ask_of_promotion(column, numbers_of(column))
        elif target is None:
            question = _ask_of_unknown(column, numbers_of(column))
        else:
            question = None
        if question is not None:
            found.append(question)
    return tuple(found)


def why_not_used(column: Column) -> str:
    """Say in few words why a column is left out, with examples of what is in it."""
    meaning = meaning_of_header(column.header)
    examples = examples_of(column)
    if not examples:
        return "every cell is empty"
    about = {
        NOT_FOR_LABELS: "; a price of purchase or without tax, a discount, or a recommended price",
        SOME_PRICE: "; the price of something else: a club, a case, a list",
        DATE: "; when the row was changed",
    }.get(meaning.target if meaning is not None else "", "")
    return f"such as {examples}{about}"


def _ask_of_promotion(column: Column, numbers: Numbers) -> Question:
    values = [value for value in column.values if value]
    examples = examples_of(column)
    right = [number for number in numbers if number is not None]
    is_number = bool(values) and len(right) >= len(values) * _MOSTLY
    zero_or_one = is_number and set(right) <= {Decimal(0), Decimal(1)}
    if not values:
        words = "every cell is empty here: what does it hold while a promotion runs? Try such a day"
    elif says_percent(column.header) or any(value.endswith("%") for value in values):
        words = _percent(examples)
    elif is_number and not zero_or_one:
        is_small = all(n == int(n) and n <= _HUNDRED for n in right)
        words = _percent(examples) if is_small else _amount(examples)
    elif zero_or_one or (
        len(set(values)) <= _FLAGS_MOST and all(len(v) <= _FLAG_LONGEST for v in values)
    ):
        words = (
            f"marks such as {examples}: is the price of the rows so marked the promotion's own? "
            "Then have the till send both prices: as it is, the label calls it the regular price"
        )
    else:
        words = f"texts such as {examples}: to print them on the label, take the # away"
        return Question(column=column, words=words, target="badge")
    return Question(column=column, words=words)


def _percent(examples: str) -> str:
    return (
        f"numbers such as {examples}: a discount in percent? A mapping takes prices and works "
        "none out: have the till send the price while the promotion lasts"
    )


def _amount(examples: str) -> str:
    return (
        f"numbers such as {examples}: an amount taken off, or a price? If it is the price while "
        "the promotion lasts, name it as promotion_price; amounts are not worked out"
    )


def _ask_of_unknown(column: Column, numbers: Numbers) -> Question | None:
    """Ask of a column whose header nobody knows and whose cells look like prices."""
    counts = count_shapes(column.values)
    parted = counts.comma + counts.point + counts.either
    filled = counts.numbers + counts.other
    right = sum(number is not None for number in numbers)
    if not filled or right < filled * _MOSTLY or parted < filled / 2:
        return None
    words = f"numbers such as {examples_of(column)} under a header that is not known: a price?"
    return Question(column=column, words=words)


def is_bare(text: str) -> bool:
    """Say whether a text is a number and nothing else: a content that lacks its unit."""
    return re.fullmatch(r"\d+(?:[.,]\d+)?", text) is not None
