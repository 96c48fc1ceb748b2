"""The promotions of a store, read once and kept as long as nobody changes them."""

from collections.abc import Iterable
from functools import lru_cache
from zoneinfo import ZoneInfo

import msgspec
from sqlalchemy import Connection

from esl.domain.ids import Sku, StoreId
from esl.domain.law.chosen import law_for
from esl.domain.law.profile import Profile
from esl.domain.place import Store
from esl.domain.product import Product, tags_from
from esl.domain.promotion.book import Book
from esl.domain.promotion.promotion import Promotion
from esl.intake.promotion_json import parse_promotion
from esl.store import promoted, promotion_rows
from esl.store.promoted import Words
from esl.store.promotion_rows import StoredPromotion

_KEPT = 64
"""Promotions and books that are kept compiled, by what they say."""


def promotion_of(stored: StoredPromotion) -> Promotion:
    """Read a promotion as it was kept."""
    return _read(stored.promotion_id, stored.definition)


def book_of(tx: Connection, store: Store) -> Book:
    """Load the promotions that may decide about prices of a store."""
    live = promotion_rows.live_in(tx, store.store_id)
    return book_with(store, [promotion_of(one) for one in live])


def book_with(store: Store, promotions: Iterable[Promotion]) -> Book:
    """Lay promotions out for a store."""
    return _laid_out(tuple(_Same(one) for one in promotions), store.store_id, store.timezone)


def profile_of(store: Store) -> Profile:
    """Return the law that a store's labels follow."""
    return law_for(store.law, store.locale)


def selected_skus(tx: Connection, store: Store, promotions: Iterable[Promotion]) -> list[Sku]:
    """List the products of a store that any of these promotions selects, by SKU."""
    found: set[Sku] = set()
    by_words: list[Promotion] = []
    for one in promotions:
        if not one.where.takes(store.store_id, one.where.groups):
            continue
        chosen = one.selection
        if chosen.skus and not (chosen.categories or chosen.brands or chosen.tags):
            found |= chosen.skus - chosen.except_skus
        else:
            by_words.append(one)
    if by_words:
        found |= _by_words(tx, store.store_id, by_words)
    return sorted(found)


def _by_words(tx: Connection, store_id: StoreId, promotions: list[Promotion]) -> set[Sku]:
    known: dict[Words, list[Promotion]] = {}
    found: set[Sku] = set()
    for sku, words in promoted.words_of_store(tx, store_id):
        fitting = known.get(words)
        if fitting is None:
            fitting = known[words] = [
                one for one in promotions if _takes_words(one, store_id, words)
            ]
        for one in fitting:
            chosen = one.selection
            if sku not in chosen.except_skus and (not chosen.skus or sku in chosen.skus):
                found.add(sku)
                break
    return found


def _takes_words(promotion: Promotion, store_id: StoreId, words: Words) -> bool:
    """Say whether a promotion may take products of such words, whatever their SKU."""
    chosen = promotion.selection
    some = next(iter(chosen.skus), Sku("")) if chosen.skus else Sku("")
    return chosen.takes(
        Product(
            store_id=store_id,
            sku=some,
            name="",
            category=words.category,
            brand=words.brand,
            tags=tags_from(words.tags),
        )
    )


class _Same:
    """A promotion as a key: one that was read from the same text is the same."""

    __slots__ = ("promotion",)

    def __init__(self, promotion: Promotion) -> None:
        self.promotion = promotion

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and (
            other.promotion is self.promotion or other.promotion == self.promotion
        )

    def __hash__(self) -> int:
        return hash(self.promotion.promotion_id)


@lru_cache(maxsize=_KEPT)
def _read(promotion_id: str, definition: str) -> Promotion:
    return parse_promotion(msgspec.json.decode(definition), promotion_id=promotion_id)


@lru_cache(maxsize=_KEPT)
def _laid_out(promotions: tuple[_Same, ...], store_id: StoreId, timezone: str) -> Book:
    some = [one.promotion for one in promotions]
    # Which stores a group stands for is settled when a promotion is saved, and scheduled.
    groups = frozenset[str]().union(*(one.where.groups for one in some))
    return Book(some, store_id=store_id, zone=ZoneInfo(timezone), groups=groups)
