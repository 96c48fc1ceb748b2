"""Magento 2 and Adobe Commerce, by their REST API.

Its times are in UTC and say no offset. A special price and its days are custom attributes; its
last day is written as the midnight it begins with and is meant whole.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from api.listeners.connectors.fetch import Fetcher
from api.listeners.connectors.place import Items, as_body, earlier, objects_of, text_of

OVERLAP = timedelta(minutes=5)
PAGE = 200
_FIELDS = "items[id,sku,name,price,status,type_id,updated_at,custom_attributes]"
_MIDNIGHT = " 00:00:00"


@dataclass(frozen=True, slots=True, kw_only=True)
class Magento:
    """One shop; ``view`` is the code of the store view whose prices are read, "all" is its base."""

    fetcher: Fetcher
    view: str = "all"

    def newest(self) -> str:
        """Ask for the time of the product that changed last."""
        found = self._ask([], order=("updated_at", "DESC"), limit=1)
        return text_of(found[0].get("updated_at")) if found else ""

    def items(self, *, since: str, after: str) -> Items:
        """Read products by entity id."""
        filters = [("updated_at", "gteq", since)] if since else []
        filters += [("entity_id", "gt", after)] if after else []
        found = self._ask(filters, order=("entity_id", "ASC"), limit=PAGE)
        last = text_of(found[-1].get("id")) if found else ""
        return Items(
            bodies=[as_body(_flat(one)) for one in found], last=last, more=len(found) >= PAGE
        )

    def objects(self, names: Sequence[str]) -> list[bytes]:
        """Read products by entity id."""
        bodies: list[bytes] = []
        ids = [name for name in names if name.isdecimal()]
        for start in range(0, len(ids), 50):
            some = ",".join(ids[start : start + 50])
            found = self._ask([("entity_id", "in", some)], order=("entity_id", "ASC"), limit=50)
            bodies += [as_body(_flat(one)) for one in found]
        return bodies

    def close(self) -> None:
        """Let the connection go."""
        self.fetcher.close()

    def back(self, since: str) -> str:
        """Allow for transactions that take their time."""
        return earlier(since, OVERLAP, sep=" ")

    def _ask(
        self, filters: Sequence[tuple[str, str, str]], *, order: tuple[str, str], limit: int
    ) -> list[dict[str, Any]]:
        query = {
            "fields": _FIELDS,
            "searchCriteria[pageSize]": str(limit),
            "searchCriteria[currentPage]": "1",
            "searchCriteria[sortOrders][0][field]": order[0],
            "searchCriteria[sortOrders][0][direction]": order[1],
        }
        for number, (name, condition, value) in enumerate(filters):
            group = f"searchCriteria[filter_groups][{number}][filters][0]"
            query |= {
                f"{group}[field]": name,
                f"{group}[condition_type]": condition,
                f"{group}[value]": value,
            }
        answer = self.fetcher.get(f"rest/{self.view}/V1/products", query).json()
        if isinstance(answer, dict) and answer.get("items") is None:
            return []  # it says null where there is nothing
        return objects_of(answer, "items")


def _flat(product: Mapping[str, Any]) -> dict[str, Any]:
    listed = product.get("custom_attributes")
    attributes = {
        text_of(one.get("attribute_code")): _day(one.get("value"))
        for one in (listed if isinstance(listed, list) else [])
        if isinstance(one, dict)
    }
    rest = {name: value for name, value in product.items() if name != "custom_attributes"}
    return {**rest, "attributes": attributes}


def _day(value: Any) -> Any:
    """Take a midnight as its day; anything else stays as it is."""
    return value.removesuffix(_MIDNIGHT) if isinstance(value, str) else value
