"""BigCommerce, by its catalogue API ``v3``.

A variant that changes does not move its product's ``date_modified``: such changes come by webhook,
and by the whole reading that every connector does once a day.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from api.listeners.connectors.fetch import Fetcher
from api.listeners.connectors.place import Items, as_body, earlier, objects_of, text_of

OVERLAP = timedelta(minutes=5)
PAGE = 100
_PATH = "v3/catalog/products"


@dataclass(frozen=True, slots=True, kw_only=True)
class BigCommerce:
    """One shop; the fetcher's address is ``https://api.bigcommerce.com/stores/HASH``."""

    fetcher: Fetcher

    def newest(self) -> str:
        """Ask for the time of the product that changed last."""
        found = self._ask({"sort": "date_modified", "direction": "desc", "limit": "1"})
        return text_of(found[0].get("date_modified")) if found else ""

    def items(self, *, since: str, after: str) -> Items:
        """Read products by id."""
        query = {"include": "variants", "sort": "id", "direction": "asc", "limit": str(PAGE)}
        query |= {"date_modified:min": since} if since else {}
        query |= {"id:greater": after} if after else {}
        found = self._ask(query)
        last = text_of(found[-1].get("id")) if found else ""
        return Items(bodies=[as_body(one) for one in found], last=last, more=len(found) >= PAGE)

    def objects(self, names: Sequence[str]) -> list[bytes]:
        """Read products by id."""
        bodies: list[bytes] = []
        ids = [name for name in names if name.isdecimal()]
        for start in range(0, len(ids), 50):
            some = ",".join(ids[start : start + 50])
            found = self._ask({"include": "variants", "id:in": some, "limit": str(PAGE)})
            bodies += [as_body(one) for one in found]
        return bodies

    def close(self) -> None:
        """Let the connection go."""
        self.fetcher.close()

    def back(self, since: str) -> str:
        """Allow for what was saved late."""
        return earlier(since, OVERLAP)

    def _ask(self, query: dict[str, str]) -> list[dict[str, Any]]:
        return objects_of(self.fetcher.get(_PATH, query).json(), "data")
