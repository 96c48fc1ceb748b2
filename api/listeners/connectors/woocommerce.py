"""WooCommerce, by its REST API ``wc/v3``.

It knows pages only by number, and a product that is deleted while we read moves all behind it one
place ahead, over the border of a page. So pages overlap by some products, read by rising id, and
one that does not begin at or before the last id we saw is read again from further back.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from api.listeners.connectors.errors import NothingThere, ShopRefused
from api.listeners.connectors.fetch import Fetcher
from api.listeners.connectors.place import Items, as_body, earlier, objects_of, text_of

OVERLAP = timedelta(minutes=2)
PAGE = 50
PAGES_OVERLAP = 5
_PATH = "wp-json/wc/v3/products"
_VARIATIONS_MOST = 5000


@dataclass(frozen=True, slots=True, kw_only=True)
class WooCommerce:
    """One shop; the fetcher's address is that of the shop, its login a consumer key."""

    fetcher: Fetcher

    def newest(self) -> str:
        """Ask for the time of the product that changed last."""
        query = {"orderby": "modified", "order": "desc", "per_page": "1"}
        found = objects_of(self.fetcher.get(_PATH, query).json())
        return text_of(found[0].get("date_modified_gmt")) if found else ""

    def items(self, *, since: str, after: str) -> Items:
        """Read products by id; ``after`` is an offset and the last id before it."""
        offset, last = (int(part) for part in (after or "0:0").split(":"))
        query = {"orderby": "id", "order": "asc", "per_page": str(PAGE)}
        if since:
            query |= {"modified_after": since, "dates_are_gmt": "true"}
        while True:
            found = objects_of(self.fetcher.get(_PATH, {**query, "offset": str(offset)}).json())
            ids = [one["id"] for one in found if isinstance(one.get("id"), int)]
            if offset == 0 or (ids and ids[0] <= last):
                break
            offset = max(0, offset - PAGE)
        fresh = [one for one in found if isinstance(one.get("id"), int) and one["id"] > last]
        bodies = [body for one in fresh for body in self._bodies(one)]
        ahead = offset + max(len(found) - PAGES_OVERLAP, 1)
        greatest = max([last, *ids])
        return Items(bodies=bodies, last=f"{ahead}:{greatest}", more=len(found) >= PAGE)

    def objects(self, names: Sequence[str]) -> list[bytes]:
        """Read products by their numbers."""
        bodies: list[bytes] = []
        for name in names:
            if not name.isdecimal():
                continue
            try:
                found = self.fetcher.get(f"{_PATH}/{name}").json()
            except NothingThere:
                continue
            if isinstance(found, dict):
                bodies += self._bodies(found)
        return bodies

    def close(self) -> None:
        """Let the connection go."""
        self.fetcher.close()

    def back(self, since: str) -> str:
        """Allow for what was saved late."""
        return earlier(since, OVERLAP)

    def _bodies(self, product: Mapping[str, Any]) -> list[bytes]:
        """Make a body of a product, or one of each of its variations."""
        number = text_of(product.get("id"))
        if not number or product.get("type") == "grouped" or product.get("status") == "trash":
            return []
        if product.get("type") != "variable":
            return [as_body(product)]
        bodies: list[bytes] = []
        page = 1
        while len(bodies) <= _VARIATIONS_MOST:
            path = f"{_PATH}/{number}/variations"
            query = {"per_page": "100", "page": str(page), "orderby": "id", "order": "asc"}
            found = objects_of(self.fetcher.get(path, query).json())
            bodies += [as_body(_named(product, one)) for one in found]
            if len(found) < 100:  # noqa: PLR2004  a page
                return bodies
            page += 1
        raise ShopRefused(f"a product with more than {_VARIATIONS_MOST} variations")


def _named(product: Mapping[str, Any], variation: Mapping[str, Any]) -> dict[str, Any]:
    """Give a variation its product's name, with what it is a variation of."""
    attributes = variation.get("attributes")
    options = [
        text_of(one.get("option"))
        for one in (attributes if isinstance(attributes, list) else [])
        if isinstance(one, dict)
    ]
    name = " ".join([text_of(product.get("name")), *(option for option in options if option)])
    return {**variation, "name": name, "categories": product.get("categories")}
