"""The offer: what a label may say of a product at a moment, and why.

::

    Base     what its till says: price, former price, member price; which event, who
     │
     ├─ applied   each promotion that holds, what it changed from and to
     ├─ lost      each that runs and does not hold, why, and to which
     ▼
    Offer    what is shown. All of it comes from one winner: text, percentage and price never mix

Money is in minor units of ``currency``.
"""

from collections.abc import Iterable
from datetime import date, datetime
from enum import StrEnum
from typing import Final, NamedTuple

from esl.domain.ids import Sku, TemplateName
from esl.domain.law.claim import Claim
from esl.domain.law.prior_price import PriorPrice, StepKind
from esl.domain.law.unit_price import UnitPrice
from esl.domain.pricing import Says
from esl.domain.promotion.promotion import Place, Promotion


class Base(NamedTuple):
    """What the till says of a product, and where that comes from; None is unknown."""

    says: Says
    currency: str
    at: datetime | None = None  # since when
    event: int | None = None  # in the history of prices
    source: str | None = None
    actor: str | None = None


class Effect(NamedTuple):
    """A promotion that holds: what one piece cost before it, and after.

    For several pieces both are of them together.
    """

    promotion: Promotion
    place: Place
    before_minor: int
    after_minor: int
    on_top: bool = False


class Why(StrEnum):
    """Why a promotion that selects a product changes nothing."""

    PRIORITY = "priority"  # another of higher priority has the place
    DEARER = "dearer"  # one of the same priority is cheaper
    EARLIER = "earlier"  # one of the same priority and price began later
    NAME = "name"  # the same in all: the first by its id
    EXCLUSIVE = "exclusive"  # the winner lets nothing stand beside it
    NOT_LOWER = "not_lower"  # it would not be below what the till says
    NOT_BELOW_PUBLIC = "not_below_public"  # members would pay no less than everybody
    SAVES_NOTHING = "saves_nothing"  # several cost no less than each by itself
    TILL_IS_CHEAPER = "till_is_cheaper"  # the till's own is better for the customer
    FREE = "free"  # nothing would be left to pay
    CURRENCY = "currency"
    NO_LOWEST = "no_lowest"  # it is taken off the prior price, and there is none
    WEIGHED = "weighed"  # several pieces of goods sold by weight
    NOT_RUNNING = "not_running"  # its days and hours do not hold now


class Lost(NamedTuple):
    """A promotion that does not hold: why, to which, and what it would have cost."""

    promotion: Promotion
    why: Why
    to: Promotion | None = None
    would_be_minor: int | None = None
    begins: datetime | None = None  # when it runs next


class MemberPrice(NamedTuple):
    """A price for members, beside the price for everybody; ``club`` is its condition."""

    price_minor: int
    club: str | None  # None: the till did not say whose
    unit: UnitPrice
    promotion: Promotion | None = None  # None: the till's own


class MultibuyOffer(NamedTuple):
    """``quantity`` pieces together cost ``total_minor``, which saves ``percent``, rounded down."""

    quantity: int
    total_minor: int
    pay_for: int | None  # "3 for 2"; None for a total
    percent: int | None  # None below 1 %
    unit: UnitPrice
    promotion: Promotion | None = None  # None: the till's own


class Trouble(StrEnum):
    """What a person should look at: the label shows the plain price meanwhile."""

    UNLAWFUL_CLAIM = "unlawful_claim"  # not below the prior price
    NO_PRIOR_PRICE = "no_prior_price"  # a reduction without one to show


PLAIN_WORDS: Final = {
    Trouble.UNLAWFUL_CLAIM.value: "it is not below the lowest price of the days before",
    Trouble.NO_PRIOR_PRICE.value: "nobody knows the prices of the days before",
}
"""Why a price is shown plainly, for people."""


class Reason(NamedTuple):
    """How an offer came to be."""

    moment: datetime
    base: Base
    applied: tuple[Effect, ...]
    lost: tuple[Lost, ...]
    profile: str  # of the law, and its version: "eu 1"
    claim: Claim | None  # None: nothing is reduced
    prior: PriorPrice | None
    tills_word: bool = False  # the former price rests on the till alone


class Offer(NamedTuple):
    """What holds for a product. None is not said on the label."""

    sku: Sku
    currency: str
    price_minor: int
    reference_minor: int | None  # the former price, struck through; percentages count from it
    percent: int | None  # rounded down
    unit: UnitPrice
    deposit_minor: int | None  # beside the price, never in it
    member: MemberPrice | None
    multibuy: MultibuyOffer | None
    badge: str | None
    template: TemplateName | None
    begins: datetime | None  # of the winner's run
    ends: datetime | None  # when something of it changes next, as far as promotions go
    valid_to: date | None  # last day of the winner, by the store's clock
    must_be_marked: bool  # as reduced because it is about to spoil
    kind: StepKind  # what the history of prices keeps of it
    lowest_30d_minor: int | None  # the law's prior price of this reduction
    regular_minor: int | None  # apart from promotions; None: it is the price
    trouble: Trouble | None
    reason: Reason

    def says(self) -> Says:
        """Return it as a price is written down."""
        several = self.multibuy
        return Says(
            price_minor=self.price_minor,
            was_minor=self.reference_minor,
            unit_price_minor=self.unit.minor,
            badge=self.badge,
            regular_minor=self.regular_minor,
            member_minor=self.member.price_minor if self.member is not None else None,
            multibuy_quantity=several.quantity if several is not None else None,
            multibuy_minor=several.total_minor if several is not None else None,
            multibuy_pay_for=several.pay_for if several is not None else None,
            member_condition=self.member.club if self.member is not None else None,
        )

    def noting(self, not_running: Iterable[tuple[Promotion, datetime | None]]) -> "Offer":
        """Add those that select the product and do not run now, with their next beginning."""
        more = tuple(Lost(one, Why.NOT_RUNNING, begins=at) for one, at in not_running)
        return self._replace(reason=self.reason._replace(lost=(*self.reason.lost, *more)))

    @property
    def promotion_ids(self) -> tuple[str, ...]:
        """Name the promotions that hold."""
        return tuple(effect.promotion.promotion_id for effect in self.reason.applied)
