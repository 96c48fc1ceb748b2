"""Which goods of the law a product is of, by the category that its store gives it.

::

    profile   [[unit_price.exemptions]] perfume …  [[anchor.categories]] food, drinks …
    store     {"perfume": ["Parfumerie"], "food": ["HRANA", "Delikatesa"]}
    product   category "hrana"  ──▶ food

A law names goods, a shop has words of its own for them: the store's settings say which are which.
Of a product without a category, and of goods that the store has no word for, nothing is known.
Capitals and doubled blanks do not matter. Pure.
"""

import json
from collections.abc import Collection, Iterable
from functools import lru_cache
from typing import Final, NamedTuple

from esl.domain.law.profile import Profile

NO_CODES: Final[frozenset[str]] = frozenset()
_KEPT: Final = 1024


class Goods(NamedTuple):
    """What a store says of a product: ``codes`` of the law it falls under, of those it ``knows``.

    ``is_told`` is False where the product has no category.
    """

    codes: frozenset[str]
    knows: frozenset[str]
    is_told: bool


def codes_known(profiles: Iterable[Profile]) -> list[str]:
    """List the codes of goods that any of these profiles names."""
    return sorted(
        {
            each.code
            for profile in profiles
            for each in (*profile.unit_price.exemptions, *profile.anchor.categories)
        }
    )


def goods_of(law_goods: str, category: str | None) -> Goods:
    """Say what a store's settings (JSON: code → words for it) make of a category."""
    by_word, knows = _laid_out(law_goods)
    if category is None:
        return Goods(NO_CODES, knows, is_told=False)
    return Goods(by_word.get(_folded(category), NO_CODES), knows, is_told=True)


def exemptions_of(law_goods: str | None, category: str | None) -> Collection[str]:
    """Name the goods of the law that a product is of, as far as its store says."""
    return goods_of(law_goods, category).codes if law_goods is not None else NO_CODES


def is_exempt(profile: Profile, codes: Collection[str]) -> bool:
    """Say whether goods of these codes need no unit price."""
    return any(each.code in codes for each in profile.unit_price.exemptions)


def anchor_codes(profile: Profile, goods: Goods | None) -> Collection[str]:
    """Name the categories for the price of a fixed day that a product is of.

    A store that has no word for any of them leaves it to whoever sends that price.
    """
    every = {each.code for each in profile.anchor.categories}
    if goods is None or not goods.is_told or not every & goods.knows:
        return every
    return every & goods.codes


@lru_cache(maxsize=_KEPT)
def _laid_out(law_goods: str) -> tuple[dict[str, frozenset[str]], frozenset[str]]:
    said: dict[str, list[str]] = json.loads(law_goods)
    by_word: dict[str, frozenset[str]] = {}
    for code, words in said.items():
        for word in words:
            by_word[_folded(word)] = by_word.get(_folded(word), NO_CODES) | {code}
    return by_word, frozenset(said)


def _folded(text: str) -> str:
    return " ".join(text.casefold().split())
