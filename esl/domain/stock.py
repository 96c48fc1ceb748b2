"""Bands of stock: a label changes when its face does, and not with every piece that is sold.

::

    pieces  … 9  8  7  6 │ 5  4  3  2  1 │ 0 …        a rule asks for "low, up to 5"
            in           │ low           │ out
    falling: the next band begins at its first piece
    rising:  out is left with the first piece; low only beyond 5 and a fifth of it, so that a few
             pieces that are brought back do not turn the label to and fro

What labels are drawn with is the *shown* stock: a number in the band that they show. Where a
template prints the number itself there are no bands: every piece changes the face.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from esl.domain.template_rule import StockIs, TemplateRule

_MARGIN_PART: Final = 5
"""Of a threshold, this part must lie above it before the label says "in stock" again."""

PRINTS_STOCK: Final = frozenset({"shelf-info"})
"""Templates of the gallery that print the number; a test compares."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bands:
    """Where faces change: a band ends with each threshold; rising."""

    thresholds: tuple[int, ...]

    def shown_after(self, shown: int | None, stock: int | None) -> int | None:
        """Return what labels go by once the stock is such; ``shown`` is what they go by now."""
        if stock is None or shown is None:
            return stock
        now, before = self._band(stock), self._band(shown)
        if now == before:
            return shown
        if now < before:
            return stock
        reached = before
        while reached < now and stock > self._left_beyond(reached):
            reached += 1
        if reached == before:
            return shown
        return stock if reached == now else self.thresholds[reached]

    def are_same(self, one: int | None, other: int | None) -> bool:
        """Say whether labels look the same by both."""
        if one is None or other is None:
            return one is other
        return self._band(one) == self._band(other)

    def _band(self, stock: int) -> int:
        return sum(stock > threshold for threshold in self.thresholds)

    def _left_beyond(self, band: int) -> int:
        threshold = self.thresholds[band]
        return threshold + (max(1, threshold // _MARGIN_PART) if threshold > 0 else 0)


def bands_of(rules: Iterable[TemplateRule], *, is_printed: bool) -> Bands | None:
    """Return the bands that a store's rules make; None where a face holds the number."""
    thresholds: set[int] = set()
    for rule in rules:
        is_printed = is_printed or rule.template in PRINTS_STOCK
        if rule.stock is not None:
            thresholds.add(0)
        if rule.stock is StockIs.LOW and rule.stock_most is not None:
            thresholds.add(rule.stock_most)
    return None if is_printed else Bands(thresholds=tuple(sorted(thresholds)))
