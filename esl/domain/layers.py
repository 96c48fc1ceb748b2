"""What holds of the words of tills at a moment: each word is a layer, the top one is seen.

::

    rank 50   ├── 1.00 ─────────────────────────────────────────▶   without an end
              │       ├── 0.80 ──────────────┤                      until a moment
              │       │        ├── 0.70 ─┤   │
    seen        1.00  │ 0.80   │  0.70   │ 0.80  1.00

A word lies above those of lower rank; of one rank, above those that began before it; of one
moment, above those that came before it. Which of them came first is asked nowhere else, so every
order of arrival shows the same. What a word leaves out is seen through it.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Final, NamedTuple

from esl.domain.ids import SourceId
from esl.domain.pricing import KEEP, Keep, Says


class Word(NamedTuple):
    """What was said of a regular price; money in minor units."""

    price_minor: int | Keep = KEEP
    was_minor: int | Keep | None = KEEP
    unit_price_minor: int | Keep | None = KEEP
    badge: str | Keep | None = KEEP


SILENT: Final = Word()
"""Says nothing of a price."""


class Layer(NamedTuple):
    """A word, and when it holds: from ``since`` on, and no longer from ``until`` on."""

    number: int  # a later one is higher
    source: SourceId
    rank: int
    since: datetime
    until: datetime | None
    word: Word

    def lives_at(self, moment: datetime) -> bool:
        """Say whether it holds at a moment."""
        return self.since <= moment and (self.until is None or moment < self.until)


def layers_at(layers: Iterable[Layer], moment: datetime) -> list[Layer]:
    """List the layers of a moment, the lowest first."""
    return sorted(
        (layer for layer in layers if layer.lives_at(moment)),
        key=lambda layer: (layer.rank, layer.since, layer.number),
    )


def says_at(layers: Iterable[Layer], moment: datetime) -> Says | None:
    """Say what is seen at a moment, promotions apart; None where nobody has said a price."""
    seen: Says | None = None
    for layer in layers_at(layers, moment):
        seen = over(seen, layer.word)
    return seen


def over(seen: Says | None, word: Word) -> Says | None:
    """Lay a word over what was seen so far.

    A unit price that came with another price is never kept beside a new one.
    """
    price, was, unit, badge = word
    if isinstance(price, Keep):
        if seen is None:
            return None
        price = seen.price_minor
    if seen is None:
        seen = Says(price, None, None, None)
    if isinstance(unit, Keep):
        unit = seen.unit_price_minor if seen.price_minor == price else None
    return Says(
        price,
        seen.was_minor if isinstance(was, Keep) else was,
        unit,
        seen.badge if isinstance(badge, Keep) else badge,
    )


def word_of(says: Says) -> Word:
    """Return what holds apart from promotions, said as a whole.

    Beside a promotion's price stand the promotion's old price and unit price: they end with it.
    """
    if says.regular_minor is not None:
        return Word(says.regular_minor, None, None, says.badge)
    return Word(says.price_minor, says.was_minor, says.unit_price_minor, says.badge)
