"""Who wins where promotions overlap, product by product: all of them, without their past.

::

    what tills say ─┐
    products ───────┼─▶ Contest ─▶ at a moment: which promotions hold, by product
    promotions ─────┘

Who holds is a matter of priority and price (decision record 14), not of history: but for
percentages that are taken off the lowest price, for which the offer itself is computed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from esl.domain.ids import Sku
from esl.domain.place import Store
from esl.domain.pricing import Says
from esl.domain.product import Product
from esl.domain.promotion.book import Running
from esl.domain.promotion.offer import Base
from esl.domain.promotion.places import choose
from esl.domain.promotion.promotion import PercentOf, PercentOff, Promotion
from esl.domain.promotion.window import runs
from esl.services.promotions.books import book_with, promotion_of, selected_skus
from esl.services.promotions.offering import offers_at
from esl.store import promoted
from esl.store.promotion_rows import StoredPromotion

RIVALS_MOST: Final = 50
EXAMPLES_MOST: Final = 5
_RUNS_MOST: Final = 400
_HORIZON: Final = timedelta(days=400)

Winners = Mapping[Sku, tuple[str, ...]]
"""The promotions that hold, by product; products without any are left out."""


@dataclass(slots=True, kw_only=True)
class Rival:
    """Another promotion of the same products at a same time."""

    promotion_id: str
    name: str
    state: str
    priority: int
    first_at: datetime  # when both run for the first time
    products: int = 0  # that both select
    looked_at: int = 0  # of them with a price
    wins: int = 0  # of those: this promotion holds, the rival does not
    loses: int = 0
    both: int = 0  # each in its own place on the label
    examples: list[Sku] = field(default_factory=list)


class Contest:
    """The promotions of a store, and the products that they compete for."""

    def __init__(
        self,
        tx: Connection,
        store: Store,
        promotions: Sequence[Promotion],
        bases: Mapping[Sku, Says],
    ) -> None:
        self._tx = tx
        self.store = store
        self._book = book_with(store, promotions)
        self._bases = bases
        self._products: Mapping[Sku, Product] | None = None
        self._known: dict[datetime, Winners] = {}

    def winners_at(self, at: datetime) -> Winners:
        """Say which promotions hold at a moment."""
        found = self._known.get(at)
        if found is None:
            found = self._known[at] = self._find(at)
        return found

    def _find(self, at: datetime) -> Winners:
        moment = self._book.at(at)
        if not moment.all:
            return {}
        if self._products is None:
            self._products = promoted.products_of(
                self._tx, self.store.store_id, sorted(self._bases)
            )
        found: dict[Sku, tuple[str, ...]] = {}
        by_past: dict[Sku, Says] = {}
        decided: dict[tuple[Says, bool, tuple[str, ...]], tuple[str, ...]] = {}
        for sku, product in self._products.items():
            running = moment.running(product)
            if not running:
                continue
            if any(_asks_the_past(one) for one in running):
                by_past[sku] = self._bases[sku]
                continue
            # Of one price under the same promotions the same ones hold: a shop has few prices.
            names = tuple([one.promotion.promotion_id for one in running])
            says = self._bases[sku]
            alike = says, product.priced_per is None, names
            ids = decided.get(alike)
            if ids is None:
                base = Base(says, self.store.currency)
                applied = choose(product, base, running, None).applied
                ids = tuple(effect.promotion.promotion_id for effect in applied)
                decided[alike] = ids
            if ids:
                found[sku] = ids
        if by_past:
            offers = offers_at(self._tx, self.store, by_past, self._book, at)
            found |= {sku: offer.promotion_ids for sku, offer in offers.items()}
        return found


def find_rivals(
    tx: Connection,
    promotion: Promotion,
    others: Sequence[StoredPromotion],
    now: datetime,
    contest: Contest,
    *,
    skus: frozenset[Sku],
    priced: frozenset[Sku],
) -> tuple[Rival, ...]:
    """Find the promotions that share products and time, those with most products first."""
    zone = ZoneInfo(contest.store.timezone)
    found: list[Rival] = []
    for stored in others:
        other = promotion_of(stored)
        at = _first_together(promotion, other, zone, now)
        if at is None:
            continue
        shared = skus & frozenset(selected_skus(tx, contest.store, [other]))
        if not shared:
            continue
        rival = Rival(
            promotion_id=other.promotion_id,
            name=other.name,
            state=stored.state,
            priority=other.priority,
            first_at=at,
            products=len(shared),
        )
        _compare(promotion, rival, contest.winners_at(at), shared & priced)
        found.append(rival)
        if len(found) >= RIVALS_MOST:
            break
    return tuple(sorted(found, key=lambda one: (-one.products, one.promotion_id)))


def _compare(promotion: Promotion, rival: Rival, winners: Winners, shared: frozenset[Sku]) -> None:
    rival.looked_at = len(shared)
    for sku in shared:
        ids = winners.get(sku, ())
        ours, theirs = promotion.promotion_id in ids, rival.promotion_id in ids
        rival.both += ours and theirs
        rival.wins += ours and not theirs
        rival.loses += theirs and not ours
    rival.examples = sorted(sku for sku in shared if sku in winners)[:EXAMPLES_MOST]


def _asks_the_past(running: Running) -> bool:
    gives = running.promotion.gives
    return isinstance(gives, PercentOff) and gives.of is PercentOf.LOWEST


def _first_together(
    one: Promotion, other: Promotion, zone: ZoneInfo, now: datetime
) -> datetime | None:
    """Return the first moment from now on at which both run, as far as is looked ahead."""
    until = now + _HORIZON
    mine, theirs = runs(one.window, zone, now, until), runs(other.window, zone, now, until)
    a, b = next(mine, None), next(theirs, None)
    for _ in range(_RUNS_MOST):
        if a is None or b is None:
            return None
        begins = max(moment for moment in (now, a.begins, b.begins) if moment is not None)
        if a.holds_at(begins) and b.holds_at(begins):
            return begins
        if a.ends is not None and (b.ends is None or a.ends <= b.ends):
            a = next(mine, None)
        else:
            b = next(theirs, None)
    return None
