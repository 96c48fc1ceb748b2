"""The promotions of a store, laid out so that a product finds its own without asking each.

::

    promotions ─▶ Book: those of this store and channel, windows in its zone
                    └─ at(moment) ─▶ Moment: those that run, by SKU, brand, tag or category
                                       └─ running(product) ─▶ a few, the first in rank first

Compile a book once, and take a moment once for many products. Rank is decision record 14.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import groupby
from operator import attrgetter
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from esl.domain.ids import Sku, StoreId
from esl.domain.product import Product
from esl.domain.promotion.past import epoch_ms
from esl.domain.promotion.promotion import Channel, Place, Promotion, folded
from esl.domain.promotion.window import Run, run_at, runs

_KEPT: Final = 10_000
"""Categories, brands and tags that a moment remembers the folded form of."""


class Running(NamedTuple):
    """A promotion and its run that holds at the moment; None is open.

    Ranks compare so that the lowest goes first: higher priority, then the later beginning, then
    the name. What it costs is compared by whoever knows the product.
    """

    promotion: Promotion
    begins: datetime | None
    ends: datetime | None
    place: Place
    rank: tuple[int, int, str]


class _Chosen(NamedTuple):
    """A promotion that selects by words, folded once; ``needs_look``: by more than one field."""

    promotion_id: str
    categories: frozenset[str]
    brands: frozenset[str]
    tags: frozenset[str]
    needs_look: bool

    def takes(self, category: str | None, brand: str | None, tags: Iterable[str]) -> bool:
        return (
            (not self.categories or category in self.categories)
            and (not self.brands or brand in self.brands)
            and (not self.tags or not self.tags.isdisjoint(tags))
        )


_Words = dict[str | None, list[tuple[Running, _Chosen]]]


class Moment:
    """The promotions of a book that run at one moment."""

    def __init__(self, at: datetime, running: Iterable[Running], laid_out: "_LaidOut") -> None:
        self.at = at
        self.all = tuple(sorted(running, key=_rank))
        self._running = {one.promotion.promotion_id: one for one in self.all}
        self._by_sku = (
            laid_out.by_sku if any(one.promotion.selection.skus for one in self.all) else {}
        )
        self._of_all: list[Running] = []
        self._by_brand: _Words = {}
        self._by_tag: _Words = {}
        self._by_category: _Words = {}
        self._excepts: set[Sku] = set()
        self._folded: dict[str, str] = {}
        for one in self.all:
            chosen = laid_out.by_words.get(one.promotion.promotion_id)
            if chosen is None:
                continue
            self._excepts |= one.promotion.selection.except_skus
            if not (chosen.brands or chosen.tags or chosen.categories):
                self._of_all.append(one)
            elif chosen.brands:
                _put(self._by_brand, chosen.brands, one, chosen)
            elif chosen.tags:
                _put(self._by_tag, chosen.tags, one, chosen)
            else:
                _put(self._by_category, chosen.categories, one, chosen)
        self._by_words = bool(self._by_brand or self._by_tag or self._by_category)

    def running(self, product: Product) -> tuple[Running, ...]:
        """Return what runs for a product, the first in rank first."""
        found = self._of_all.copy()
        if self._by_words:
            self._find(product, found)
        if product.sku in self._excepts:
            found = [one for one in found if product.sku not in one.promotion.selection.except_skus]
        for promotion_id, needs_look in self._by_sku.get(product.sku, ()):
            one = self._running.get(promotion_id)
            if one is not None and (not needs_look or one.promotion.selection.takes(product)):
                found.append(one)
        if len(found) > 1:
            found.sort(key=_rank)
            if len(product.tags) > 1:  # one that has two of its tags was found twice
                found = [one for one, _ in groupby(found)]
        return tuple(found)

    def _find(self, product: Product, found: list[Running]) -> None:
        """Add those that select by words."""
        category = self._fold(product.category) if product.category is not None else None
        brand = self._fold(product.brand) if product.brand is not None else None
        tags = [self._fold(tag) for tag in product.tags]
        lists = [self._by_tag[tag] for tag in tags if tag in self._by_tag]
        if category in self._by_category:
            lists.append(self._by_category[category])
        if brand in self._by_brand:
            lists.append(self._by_brand[brand])
        for several in lists:
            for one, chosen in several:
                if not chosen.needs_look or chosen.takes(category, brand, tags):
                    found.append(one)

    def _fold(self, text: str) -> str:
        key = self._folded.get(text)
        if key is None:
            if len(self._folded) >= _KEPT:
                self._folded.clear()
            key = self._folded[text] = folded(text)
        return key


def _put(words: _Words, keys: frozenset[str], one: Running, chosen: _Chosen) -> None:
    for key in keys:
        words.setdefault(key, []).append((one, chosen))


class _LaidOut:
    """Promotions by what they select: SKUs, or words. Made once for a book."""

    def __init__(self, promotions: Iterable[Promotion]) -> None:
        self.by_sku: dict[Sku, list[tuple[str, bool]]] = {}
        self.by_words: dict[str, _Chosen] = {}
        for one in promotions:
            chosen = one.selection
            fields = (chosen.categories, chosen.brands, chosen.tags)
            if chosen.skus:
                for sku in chosen.skus - chosen.except_skus:
                    self.by_sku.setdefault(sku, []).append((one.promotion_id, any(fields)))
            elif not chosen.is_empty:
                categories, brands, tags = (frozenset(map(folded, field)) for field in fields)
                self.by_words[one.promotion_id] = _Chosen(
                    one.promotion_id, categories, brands, tags, sum(map(bool, fields)) > 1
                )


class Book:
    """The promotions of one store and channel. Pass those alone that are live (`life.LIVE`)."""

    def __init__(
        self,
        promotions: Iterable[Promotion],
        *,
        store_id: StoreId,
        zone: ZoneInfo,
        groups: frozenset[str] = frozenset(),
        channel: Channel = Channel.SHELF,
    ) -> None:
        self.zone = zone
        self.promotions: Sequence[Promotion] = [
            one
            for one in promotions
            if channel in one.channels and one.where.takes(store_id, groups)
        ]
        self._laid_out = _LaidOut(self.promotions)
        self._last: dict[str, Run | None] = {}

    def at(self, moment: datetime) -> Moment:
        """Take those that run at a moment."""
        return Moment(moment, self._running_at(moment), self._laid_out)

    def not_running(
        self, product: Product, moment: datetime
    ) -> list[tuple[Promotion, datetime | None]]:
        """List what would concern a product and does not run, with its next beginning."""
        found: list[tuple[Promotion, datetime | None]] = []
        for one in self.promotions:
            if one.selection.takes(product) and run_at(one.window, self.zone, moment) is None:
                following = next(runs(one.window, self.zone, moment), None)
                found.append((one, following.begins if following is not None else None))
        return found

    def _running_at(self, moment: datetime) -> Iterable[Running]:
        for one in self.promotions:
            run = self._last.get(one.promotion_id)
            if run is None or not run.holds_at(moment):
                run = run_at(one.window, self.zone, moment)
                self._last[one.promotion_id] = run
            if run is not None:
                yield Running(one, run.begins, run.ends, one.place, _rank_of(one, run.begins))


def _rank_of(promotion: Promotion, begins: datetime | None) -> tuple[int, int, str]:
    later = -epoch_ms(begins) if begins is not None else 0
    return (-promotion.priority, later, promotion.promotion_id)


_rank = attrgetter("rank")
