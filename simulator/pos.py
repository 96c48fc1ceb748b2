"""A shop's till, as its price changes look from outside: whims in, changes out, each of them once.

The line to the controller is given to it; it must send a change again until it is answered, and
with the same key, so that one that was taken and not answered is not taken twice.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any, Final, Protocol

SOURCE: Final = "demo-till"
_CHEAPEST_MINOR: Final = 9
_PROMOTED: Final = 0.5
"""How often a price is a promotion's, and not just another one."""


class Line(Protocol):
    """A line to a controller: what is posted takes effect once, however often it is sent."""

    def post_once(self, path: str, content: Any) -> Any:
        """Post JSON, and return the answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Article:
    """What a till sells: its regular price in minor units, two of which are behind the point."""

    sku: str
    name: str
    regular_minor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Whim:
    """A price that somebody at the till has thought of; decimal strings, as they are sent."""

    article: Article
    price: str
    was: str | None
    badge: str | None


class Pos:
    """The till of one store."""

    def __init__(self, articles: Sequence[Article], random: Random) -> None:
        self._articles = articles
        self._random = random

    def think(self) -> Whim:
        """Think of the next price: as often a promotion's as a little more or less."""
        article = self._random.choice(self._articles)
        regular = article.regular_minor
        if self._random.random() < _PROMOTED:
            price = regular * self._random.randint(60, 90) // 100
            return Whim(article=article, price=_text(price), was=_text(regular), badge="AKCIJA")
        price = regular + self._random.randint(-20, 40)
        return Whim(article=article, price=_text(price), was=None, badge=None)


def tell(
    line: Line, store: str, sku: str, price: str, *, was: str | None, badge: str | None
) -> Mapping[str, Any]:
    """Change one price, as a till does; return what became of it."""
    change = {"sku": sku, "price": price, "was": was, "badge": badge, "source": SOURCE}
    answer = line.post_once(f"/api/v1/stores/{store}/price-changes", change)
    result: Mapping[str, Any] = answer["results"][0]
    return result


def _text(minor: int) -> str:
    shown = max(minor, _CHEAPEST_MINOR)
    return f"{shown // 100}.{shown % 100:02d}"
