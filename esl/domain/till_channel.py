"""Who says what a store's products cost, and how its tills hear what they may charge."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from esl.domain.ids import StoreId

ACKNOWLEDGE_WITHIN: Final = timedelta(minutes=5)
"""How long a till may take to say that it charges a new price, where a store says nothing."""

URL_LONGEST: Final = 400
SECRET_SHORTEST: Final = 24
SECRET_LONGEST: Final = 200


class PriceOwner(StrEnum):
    """Whose price it is when till and controller differ."""

    TILL = "till"  #: prices come from the till; promotions made here are told to it
    ESL = "esl"  #: prices are made here, and the till takes them


class TillChannel(StrEnum):
    """How the tills of a store hear of prices that are made here."""

    NONE = "none"  #: not at all: promotions that change a price are refused
    OWN = "own"  #: by another way, which a person has seen to; nothing is kept here for it
    PULL = "pull"  #: they ask: ``GET …/till-prices?since=``
    WEBHOOK = "webhook"  #: they are told by a signed message, and may ask as well


FOLLOWED: Final = frozenset({TillChannel.PULL, TillChannel.WEBHOOK})
"""Channels for which it is kept what each till may charge."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TillSetting:
    """How a store's tills are told. ``is_safe``: dearer on labels first, cheaper at tills first."""

    store_id: StoreId
    price_owner: PriceOwner = PriceOwner.TILL
    channel: TillChannel = TillChannel.NONE
    is_safe: bool = False
    url: str | None = None  # of the webhook
    allow_private: bool = False  # it stands in the shop's own network
    acknowledge_within: timedelta = ACKNOWLEDGE_WITHIN

    @property
    def is_followed(self) -> bool:
        """Say whether it is kept what this store's tills may charge."""
        return self.channel in FOLLOWED


@dataclass(frozen=True, slots=True, kw_only=True)
class TillTold:
    """How far a store's tills were told by messages, and since when in vain."""

    told_rev: int = 0
    attempts: int = 0
    next_at: datetime | None = None
    failing_since: datetime | None = None
    error: str | None = None
