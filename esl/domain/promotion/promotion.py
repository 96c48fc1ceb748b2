"""A promotion: what it gives, on what, where, when, and what it does beside others.

====================== =============================================================
`Absolute`             one piece costs so much: 1.49
`PercentOff`           so many tenths of a percent less, rounded down to the minor unit
`AmountOff`            so much less
`TotalFor`             several pieces together cost so much: 2 for 3.50
`PayFor`               of several pieces fewer are paid: 3 for 2
====================== =============================================================

``club`` makes it a price for members, which stands beside the price for everybody and never
competes with it. ``is_markdown`` marks goods about to spoil. Money is in minor units of
``currency``; a promotion in another currency than the store's does not hold there.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from esl.domain.ids import Sku, StoreId, TemplateName
from esl.domain.product import Product
from esl.domain.promotion.rollout import RolloutStep
from esl.domain.promotion.window import ALWAYS, Window

PERMILLE: Final = 1000


class PercentOf(StrEnum):
    """What a percentage is taken off."""

    PRICE = "price"  # the regular price of the moment
    LOWEST = "lowest"  # the prior price of the law, where there is one: else nothing is given


@dataclass(frozen=True, slots=True, kw_only=True)
class Absolute:
    """One piece costs ``price_minor``."""

    price_minor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PercentOff:
    """``permille`` tenths of a percent less: 25 % is 250. Rounded down, so never less is given."""

    permille: int
    of: PercentOf = PercentOf.PRICE


@dataclass(frozen=True, slots=True, kw_only=True)
class AmountOff:
    """``amount_minor`` less."""

    amount_minor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TotalFor:
    """``quantity`` pieces together cost ``total_minor``."""

    quantity: int
    total_minor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PayFor:
    """Of ``quantity`` pieces ``pay_for`` are paid."""

    quantity: int
    pay_for: int


Gives = Absolute | PercentOff | AmountOff | TotalFor | PayFor


class Stacking(StrEnum):
    """What a promotion does beside others; the rule is decision record 14."""

    ALONE = "alone"  # the best of its place holds, the others of that place do not
    ON_TOP = "on_top"  # taken off what the winner left; percent and amounts only
    EXCLUSIVE = "exclusive"  # where it wins nothing else of ours holds


class Channel(StrEnum):
    """Where a price is asked."""

    SHELF = "shelf"
    ONLINE = "online"


class Place(StrEnum):
    """Which words of a label a promotion competes for."""

    PUBLIC = "public"  # the selling price
    MULTIBUY = "multibuy"
    MEMBER = "member"


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """The products: any of the values of a field, and all of the fields that are given.

    Texts are compared without regard to capitals. A file of SKUs is a list of SKUs. A selection
    that gives no field is of no product, unless it says ``everything``.
    """

    skus: frozenset[Sku] = frozenset()
    categories: frozenset[str] = frozenset()
    brands: frozenset[str] = frozenset()
    tags: frozenset[str] = frozenset()
    everything: bool = False
    except_skus: frozenset[Sku] = frozenset()

    @property
    def is_empty(self) -> bool:
        """Say whether no field is given."""
        return not (self.skus or self.categories or self.brands or self.tags or self.everything)

    def takes(self, product: Product) -> bool:
        """Say whether a product is among them. For many products: `book.Book`."""
        if self.is_empty or product.sku in self.except_skus:
            return False
        return (
            (not self.skus or product.sku in self.skus)
            and (not self.categories or _is_in(product.category, self.categories))
            and (not self.brands or _is_in(product.brand, self.brands))
            and (not self.tags or any(_is_in(tag, self.tags) for tag in product.tags))
        )


def _is_in(text: str | None, wanted: frozenset[str]) -> bool:
    return text is not None and folded(text) in {folded(one) for one in wanted}


def folded(text: str) -> str:
    """Return a category, brand or tag as it is compared."""
    return " ".join(text.casefold().split())


@dataclass(frozen=True, slots=True, kw_only=True)
class Where:
    """The stores and groups of stores; none is every store. Areas narrow the labels alone."""

    stores: frozenset[StoreId] = frozenset()
    groups: frozenset[str] = frozenset()
    areas: frozenset[str] = frozenset()  # only labels that hang there say it; the till charges it

    def takes(self, store_id: StoreId, groups: frozenset[str] = frozenset()) -> bool:
        """Say whether a store, which is in these groups, is among them."""
        if not self.stores and not self.groups:
            return True
        return store_id in self.stores or not self.groups.isdisjoint(groups)


@dataclass(frozen=True, slots=True, kw_only=True)
class Promotion:
    """A promotion as somebody defined it. `check.check_promotion` says what may be wrong."""

    promotion_id: str
    name: str
    gives: Gives
    currency: str | None = None  # of its amounts; None for percentages and "3 for 2"
    club: str | None = None  # members' price, and whose: the condition that is printed
    is_markdown: bool = False
    selection: Selection
    where: Where = Where()
    channels: frozenset[Channel] = frozenset({Channel.SHELF, Channel.ONLINE})
    window: Window = ALWAYS
    priority: int = 0  # the higher goes first
    stacking: Stacking = Stacking.ALONE
    template: TemplateName | None = None
    badge: str | None = None  # "{percent}" is the percentage that may lawfully be claimed
    rollout: tuple[RolloutStep, ...] = ()

    @property
    def place(self) -> Place:
        """Which words of a label it competes for."""
        if self.club is not None:
            return Place.MEMBER
        return Place.MULTIBUY if isinstance(self.gives, TotalFor | PayFor) else Place.PUBLIC


def reduced(gives: Absolute | PercentOff | AmountOff, price_minor: int) -> int:
    """Compute the price that is left of a price; may be 0 or less, or not lower at all."""
    match gives:
        case Absolute(price_minor=fixed):
            return fixed
        case PercentOff(permille=permille):
            return price_minor * (PERMILLE - permille) // PERMILLE
        case AmountOff(amount_minor=amount):
            return price_minor - amount
