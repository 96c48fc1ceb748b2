"""What holds of a product's price by its till: the regular price, and the promotions it owns.

::

    regular price ─┐
    promotions ────┴─▶ running now? ──▶ PRICE     is the selling price; the regular one is ``was``
                                   ├──▶ MEMBER    stands beside it, where it is below
                                   └──▶ MULTIBUY  stands beside it, where it saves something

Pure. Of several that run the one that is best for the customer holds.
"""

from collections.abc import Collection, Iterable
from datetime import datetime
from fractions import Fraction
from typing import Protocol

from esl.domain.entry import Entry, PromotionKind
from esl.domain.pricing import Keep, Says
from esl.domain.product import NetContent

_WHOLE = 1000
"""Thousandths in one unit of a net content."""


class Runs(Protocol):
    """A promotion, as far as it decides what holds."""

    @property
    def kind(self) -> PromotionKind:
        """What it gives."""

    @property
    def price_minor(self) -> int:
        """What ``quantity`` pieces cost together."""

    @property
    def quantity(self) -> int:
        """How many pieces."""

    @property
    def club(self) -> str | None:
        """Whose members pay it."""

    def runs_at(self, now: datetime) -> bool:
        """Say whether it holds at a moment."""


def is_promotion_alone(old: Says, before: Iterable[Runs]) -> bool:
    """Say whether a price that holds is a promotion's, and nobody has said a regular one.

    It is no regular price: nothing may be shown as reduced from it.
    """
    return old.regular_minor is None and any(
        p.kind is PromotionKind.PRICE and p.price_minor == old.price_minor for p in before
    )


def regular_price(entry: Entry, old: Says | None, before: Iterable[Runs]) -> int | None:
    """Return the price apart from promotions once an entry holds; None where nobody said one."""
    if not isinstance(entry.price_minor, Keep):
        return entry.price_minor
    if old is None or is_promotion_alone(old, before):
        return None
    return old.regular_minor if old.regular_minor is not None else old.price_minor


def says_by_till(
    entry: Entry,
    old: Says | None,
    promotions: Collection[Runs],
    content: NetContent | None,
    now: datetime,
    *,
    before: Collection[Runs] = (),
) -> Says | None:
    """Compute what holds at a moment; None where there is no price to show.

    ``promotions`` are all that are known of the product, the entry's own included; ``before``
    are those from before it.
    """
    running = [p for p in promotions if p.runs_at(now)] if promotions else []
    regular = regular_price(entry, old, before)
    if running or (old is not None and old.regular_minor is not None):
        was_alone = old is not None and is_promotion_alone(old, before)
        return _with_promotions(entry, old, regular, running, content, was_alone=was_alone)
    if regular is None:
        return None
    if old is None:
        return Says(
            regular,
            None if isinstance(entry.was_minor, Keep) else entry.was_minor,
            _unit_price(entry, old, regular),
            None if isinstance(entry.badge, Keep) else entry.badge,
        )
    kept = None if is_promotion_alone(old, before) else old.was_minor  # it was the promotion's
    return Says(
        regular,
        kept if isinstance(entry.was_minor, Keep) else entry.was_minor,
        _unit_price(entry, old, regular),
        old.badge if isinstance(entry.badge, Keep) else entry.badge,
    )


def _with_promotions(
    entry: Entry,
    old: Says | None,
    regular: int | None,
    running: list[Runs],
    content: NetContent | None,
    *,
    was_alone: bool,
) -> Says | None:
    prices = [p.price_minor for p in running if p.kind is PromotionKind.PRICE]
    lowest = min(prices, default=None)
    is_reduced = lowest is not None and (regular is None or lowest < regular)
    price = lowest if is_reduced else regular
    if price is None:
        return None
    was = None if isinstance(entry.was_minor, Keep) else entry.was_minor
    if is_reduced and regular is not None:
        was = regular
    elif isinstance(entry.was_minor, Keep):
        was = _former(entry, old, price, is_alone=is_reduced, was_alone=was_alone)
    unit = _unit_price(entry, old, price)
    if is_reduced and unit is not None and not _belongs(unit, price, regular, content):
        unit = None  # the list's unit price is that of the regular price
    member = min(
        (p for p in running if p.kind is PromotionKind.MEMBER and p.price_minor < price),
        key=lambda p: (p.price_minor, p.club or ""),
        default=None,
    )
    bought = min(
        (
            p
            for p in running
            if p.kind is PromotionKind.MULTIBUY
            and p.quantity > 1
            and p.price_minor < price * p.quantity
        ),
        key=lambda p: Fraction(p.price_minor, p.quantity),
        default=None,
    )
    badge = entry.badge
    if isinstance(badge, Keep):
        badge = old.badge if old is not None else None
    return Says(
        price,
        was,
        unit,
        badge,
        regular if is_reduced else None,
        member.price_minor if member is not None else None,
        bought.quantity if bought is not None else None,
        bought.price_minor if bought is not None else None,
        None,
        member.club if member is not None else None,
    )


def _former(
    entry: Entry, old: Says | None, price: int, *, is_alone: bool, was_alone: bool
) -> int | None:
    """Say what a price was where nobody said so: of a promotion alone, the lowest of 30 days.

    Lists of Croatia leave the regular price empty while a promotion runs, and state that.
    """
    low = entry.lowest_30d_minor
    if is_alone and not isinstance(low, Keep) and low is not None:
        return low if low > price else None
    keeps = old is not None and old.regular_minor is None and (is_alone or not was_alone)
    return old.was_minor if keeps and old is not None else None


def _unit_price(entry: Entry, old: Says | None, price: int) -> int | None:
    if not isinstance(entry.unit_price_minor, Keep):
        return entry.unit_price_minor
    return old.unit_price_minor if old is not None and old.price_minor == price else None


def _belongs(unit: int, price: int, regular: int | None, content: NetContent | None) -> bool:
    """Say whether a unit price is the reduced price's, not the regular one's."""
    if content is None:
        return False
    off = abs(unit * content.milli - price * _WHOLE)
    return regular is None or off < abs(unit * content.milli - regular * _WHOLE)
