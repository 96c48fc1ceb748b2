"""ERPNext, by the REST API of Frappe: the Item Prices of one selling price list.

Its times are in the zone of its own server and say no offset, so an hour comes twice in autumn:
the overlap is longer than that.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from api.listeners.connectors.errors import ShopRefused
from api.listeners.connectors.fetch import Fetcher
from api.listeners.connectors.place import Items, as_body, earlier, objects_of, text_of

OVERLAP = timedelta(minutes=70)
PAGE = 200
_PATH = "api/resource/Item%20Price"
_FIELDS = (
    *("name", "item_code", "item_name", "brand", "price_list", "price_list_rate", "currency"),
    *("uom", "customer", "valid_from", "valid_upto", "modified"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ErpNext:
    """One site. ``currency`` is the store's: a rate in another is refused, never shown."""

    fetcher: Fetcher
    price_list: str = "Standard Selling"
    currency: str | None = None

    def newest(self) -> str:
        """Ask for the time of the price that changed last."""
        found = self._ask([], order_by="modified desc", limit=1)
        return text_of(found[0].get("modified")) if found else ""

    def items(self, *, since: str, after: str) -> Items:
        """Read prices by name."""
        filters = [["modified", ">=", since]] if since else []
        filters += [["name", ">", after]] if after else []
        found = self._ask(filters, order_by="name asc", limit=PAGE)
        last = text_of(found[-1].get("name")) if found else ""
        return Items(
            bodies=[as_body(self._checked(one)) for one in found],
            last=last,
            more=len(found) >= PAGE,
        )

    def objects(self, names: Sequence[str]) -> list[bytes]:
        """Read the prices of items by item code."""
        bodies: list[bytes] = []
        for start in range(0, len(names), 50):
            some = list(names[start : start + 50])
            found = self._ask([["item_code", "in", some]], order_by="name asc", limit=1000)
            bodies += [as_body(self._checked(one)) for one in found]
        return bodies

    def close(self) -> None:
        """Let the connection go."""
        self.fetcher.close()

    def back(self, since: str) -> str:
        """Allow for the hour that comes twice."""
        return earlier(since, OVERLAP, sep=" ", timespec="microseconds")

    def _ask(self, filters: list[list[Any]], *, order_by: str, limit: int) -> list[dict[str, Any]]:
        mine = [["price_list", "=", self.price_list], ["selling", "=", 1], *filters]
        query = {
            "fields": json.dumps(_FIELDS),
            "filters": json.dumps(mine),
            "order_by": order_by,
            "limit_page_length": str(limit),
        }
        return objects_of(self.fetcher.get(_PATH, query).json(), "data")

    def _checked(self, price: dict[str, Any]) -> dict[str, Any]:
        currency = price.get("currency")
        if self.currency is not None and currency not in (None, self.currency):
            raise ShopRefused(
                f"the price list “{self.price_list}” has prices in another currency than the "
                f"store's {self.currency}; choose another list"
            )
        return price
