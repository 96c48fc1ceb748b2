"""Square, by ``SearchCatalogObjects`` of its Catalog API.

Its webhook says only that something changed, so this is where its prices come from. Times are
Square's own (``latest_time``), and ``begin_time`` leaves out what changed at that very instant:
the overlap takes it in. A variation may change without its item, so both are asked for, and the
items of such variations are fetched whole: a body is always one item with its variations.

Square does not say in which order a search comes. Should a deletion while we read hide an item
behind the border of a page, the daily reading of everything finds it.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from api.listeners.connectors.errors import ShopRefused
from api.listeners.connectors.fetch import Fetcher
from api.listeners.connectors.place import Items, as_body, dict_of, earlier, objects_of, text_of

API_VERSION = "2025-01-23"
OVERLAP = timedelta(minutes=2)
PAGE = 100
_SEARCH, _RETRIEVE = "v2/catalog/search", "v2/catalog/batch-retrieve"
_ITEM, _VARIATION = "ITEM", "ITEM_VARIATION"


@dataclass(frozen=True, slots=True, kw_only=True)
class Square:
    """One seller; the fetcher's address is ``https://connect.squareup.com``.

    ``location`` is Square's id of the shop, whose own prices go before the item's. ``currency``
    is the store's: a price in another is refused, never shown.
    """

    fetcher: Fetcher
    location: str | None = None
    currency: str | None = None

    def newest(self) -> str:
        """Ask when the catalogue changed last."""
        asked = {"object_types": [_ITEM], "limit": 1}
        return text_of(self._ask(_SEARCH, asked).get("latest_time"))

    def items(self, *, since: str, after: str) -> Items:
        """Read items and variations; ``after`` is Square's cursor."""
        asked: dict[str, Any] = {"object_types": [_ITEM, _VARIATION], "limit": PAGE}
        if since:
            asked["begin_time"] = since
        if after:
            asked["cursor"] = after
        answer = self._ask(_SEARCH, asked)
        found = objects_of({"objects": [], **answer}, "objects")
        whole = [one for one in found if one.get("type") == _ITEM]
        here = {text_of(one.get("id")) for one in whole}
        apart = [
            item
            for one in found
            if one.get("type") == _VARIATION
            and (item := text_of(dict_of(one.get("item_variation_data")).get("item_id")))
            and item not in here
        ]
        cursor = text_of(answer.get("cursor"))
        bodies = [*self._bodies(whole), *self.objects(tuple(dict.fromkeys(apart)))]
        return Items(bodies=bodies, last=cursor, more=bool(cursor))

    def objects(self, names: Sequence[str]) -> list[bytes]:
        """Read items by their ids."""
        bodies: list[bytes] = []
        for start in range(0, len(names), PAGE):
            asked = {"object_ids": list(names[start : start + PAGE])}
            found = objects_of({"objects": [], **self._ask(_RETRIEVE, asked)}, "objects")
            bodies += self._bodies(one for one in found if one.get("type") == _ITEM)
        return bodies

    def close(self) -> None:
        """Let the connection go."""
        self.fetcher.close()

    def back(self, since: str) -> str:
        """Allow for what was saved late, and for the instant that Square leaves out."""
        return earlier(since, OVERLAP, timespec="milliseconds")

    def _ask(self, path: str, asked: Mapping[str, Any]) -> dict[str, Any]:
        answer = self.fetcher.post(path, asked).json()
        if not isinstance(answer, dict):
            raise ShopRefused("the shop's answer is not what its API promises; check the address")
        errors = answer.get("errors")
        if errors:
            first = dict_of(errors[0]) if isinstance(errors, list) else {}
            words = "".join(c for c in text_of(first.get("detail")) if c.isprintable())[:120]
            raise ShopRefused(f"Square does not take our question: {words or 'without a reason'}")
        return answer

    def _bodies(self, items: Iterable[Mapping[str, Any]]) -> list[bytes]:
        return [as_body(body) for one in items if (body := self._body(one)) is not None]

    def _body(self, item: Mapping[str, Any]) -> dict[str, Any] | None:
        """Keep of an item what its mapping reads; None if it has no price to show."""
        data = dict_of(item.get("item_data"))
        listed = data.get("variations")
        if item.get("is_deleted") is True or not isinstance(listed, list):
            return None
        variations = [
            {**one, "item_variation_data": {**inner, "price_money": money}}
            for one in listed
            if isinstance(one, dict)
            and one.get("is_deleted") is not True
            and (inner := dict_of(one.get("item_variation_data")))
            and (money := self._price(inner)) is not None
        ]
        return {**item, "item_data": {**data, "variations": variations}} if variations else None

    def _price(self, variation: Mapping[str, Any]) -> dict[str, Any] | None:
        """Return the price of a variation at our location, None where the till asks for it."""
        overrides = variation.get("location_overrides")
        mine = [
            dict_of(one)
            for one in (overrides if isinstance(overrides, list) else [])
            if self.location and dict_of(one).get("location_id") == self.location
        ]
        said = mine[0] if mine and "price_money" in mine[0] else variation
        money = dict_of(said.get("price_money"))
        if said.get("pricing_type") == "VARIABLE_PRICING" or "amount" not in money:
            return None
        if self.currency is not None and money.get("currency") not in (None, self.currency):
            raise ShopRefused(
                f"Square has prices in another currency than the store's {self.currency}"
            )
        return money
