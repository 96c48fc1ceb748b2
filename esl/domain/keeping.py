"""How long a shop keeps its history: prices, and what people did."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

PRICES_LEAST: Final = timedelta(days=400)
"""The lowest price of 30 days, the anchor of the year before, and the proof of a label's picture,
which is kept as long, need no more."""

AUDIT_LEAST: Final = timedelta(days=1100)
"""Three years: the usual time in which a consumer may still come (BGB §195 and its like)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Keeping:
    """What the owner chose: ages from which on records may go, some weeks late."""

    prices: timedelta = timedelta(days=1100)
    audit: timedelta = timedelta(days=3660)
