"""What a source says of one product, after its mapping was read and before anyone believes it.

A field is *absent* (`KEEP`: the source does not speak of it), None (clear it) or a value. Money is
in minor units of ``currency``, exact; nothing here was rounded.

    file, body, event ──mapping──▶ [Entry] ──guards, order, history──▶ products, prices, offers
"""

from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum

from esl.domain.face import Unit
from esl.domain.ids import Sku, StoreId
from esl.domain.pricing import KEEP, Keep
from esl.domain.product import NetContent


class PromotionKind(StrEnum):
    """What a till's own promotion gives."""

    PRICE = "price"  # one piece costs the promotion's price
    MULTIBUY = "multibuy"  # ``quantity`` pieces together cost it
    MEMBER = "member"  # one piece costs it, for members of the club


NAMELESS = "~"
"""What ids begin with that we give to the second and further promotions that have none."""


def is_nameless(promotion_id: str) -> bool:
    """Say whether a promotion's id is not its source's own."""
    return not promotion_id or promotion_id.startswith(NAMELESS)


@dataclass(frozen=True, slots=True, kw_only=True)
class StatedPromotion:
    """A promotion that the till owns, for one product.

    ``promotion_id`` is the source's own; "" where it has none. Those without one that are stated
    together replace those without one from before.
    """

    promotion_id: str = ""
    kind: PromotionKind = PromotionKind.PRICE
    price_minor: int
    quantity: int = 1  # pieces that cost ``price_minor`` together
    club: str | None = None
    valid_from: datetime | None = None  # aware, UTC; None began already
    valid_to: datetime | None = None  # the first instant it holds no longer; None has no end


class PastKind(StrEnum):
    """Who could buy at a price of the past."""

    REGULAR = "regular"  # everybody
    PROMOTION = "promotion"  # everybody, while a promotion ran
    MEMBER = "member"  # members of a club alone


@dataclass(frozen=True, slots=True, kw_only=True)
class DatedPrice:
    """A selling price as it held from the begin of a day, in the store's zone.

    ``until`` is the first day it held no longer; None: until the next of its kind.
    """

    day: date
    price_minor: int
    until: date | None = None
    kind: PastKind = PastKind.REGULAR
    row: int = field(default=0, compare=False)  # of the file


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One product of one store, as its source states it.

    ``rows`` are the places in the file that say it, counted as a person counts: the first line
    of a file is 1. ``path`` is where it stood in a body, as a JSON pointer.
    """

    store_id: StoreId
    sku: Sku
    currency: str
    rows: tuple[int, ...] = ()
    path: str = ""
    name: str | Keep = KEEP
    brand: str | Keep | None = KEEP
    category: str | Keep | None = KEEP
    gtins: tuple[str, ...] | Keep | None = KEEP  # right check digits; the first is the label's
    net_content: NetContent | Keep | None = KEEP
    priced_per: Unit | Keep | None = KEEP  # goods by weight: ``price_minor`` is for one of this
    origin: str | Keep | None = KEEP
    location: str | Keep | None = KEEP  # where the till believes it stands
    stock: int | Keep | None = KEEP
    deposit_minor: int | Keep | None = KEEP
    tax_permille: int | Keep | None = KEEP  # 25 % is 250
    link: str | Keep | None = KEEP
    tags: tuple[str, ...] | Keep | None = KEEP  # the shop's own words, for promotions
    price_minor: int | Keep = KEEP  # the regular price, promotions apart
    was_minor: int | Keep | None = KEEP
    unit_price_minor: int | Keep | None = KEEP
    badge: str | Keep | None = KEEP
    promotion: StatedPromotion | Keep | None = KEEP  # None: the source has none for it now
    more_promotions: tuple[StatedPromotion, ...] = ()  # that run beside ``promotion``
    lowest_30d_minor: int | Keep | None = KEEP  # the source's own word, never ours
    anchor_minor: int | Keep | None = KEEP  # legal reference price of a fixed day
    valid_from: datetime | None = None  # the price holds from then; None is at once
    valid_to: datetime | None = None  # and no longer from then
    history: tuple[DatedPrice, ...] = ()
    source_seq: int | None = None
    source_time: datetime | None = None

    @property
    def stated_promotions(self) -> tuple[StatedPromotion, ...]:
        """All promotions that it states."""
        if isinstance(self.promotion, StatedPromotion):
            return (self.promotion, *self.more_promotions)
        return ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RowProblem:
    """Why a row, or one field of it, was not taken. ``row`` counts as in `Entry`."""

    row: int
    field: str  # the mapping's target; "" where it is the row as a whole
    reason: str  # with the value, as a person would say it
    fix: str | None = None
    rejects: bool = True  # False: the row was taken without this field
    sku: Sku | None = None  # where the row's could be read
    store_id: StoreId | None = None  # where the row is known to be of this store
