"""Shopify, by its GraphQL Admin API.

Products come as its webhooks write them, so that one mapping reads both. A query may cost 1,000
points and an object costs about one: 10 products with 50 variants each leave room.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from api.listeners.connectors.errors import ShopBusy, ShopRefused
from api.listeners.connectors.fetch import WAIT_LONGEST_S, Fetcher
from api.listeners.connectors.place import Items, as_body, dict_of, earlier, objects_of, text_of

API_VERSION = "2026-07"
OVERLAP = timedelta(minutes=5)
"""Its search answers ``updated_at`` from an index that is behind by seconds, at times minutes."""

_PRODUCTS, _VARIANTS = 10, 50
_PRODUCT = f"""
  id legacyResourceId title vendor productType updatedAt
  variants(first: {_VARIANTS}) {{ {{}} }}
"""
_VARIANT = """
  pageInfo { hasNextPage endCursor }
  nodes { id title sku barcode price compareAtPrice }
"""
_FIELDS = _PRODUCT.replace("{}", _VARIANT)
_NEWEST = "{ products(first: 1, sortKey: UPDATED_AT, reverse: true) { nodes { updatedAt } } }"
_PAGE = f"""query ($after: String, $query: String) {{
  products(first: {_PRODUCTS}, after: $after, query: $query, sortKey: ID) {{
    pageInfo {{ hasNextPage endCursor }}
    nodes {{ {_FIELDS} }}
  }}
}}"""
_SOME = f"query ($ids: [ID!]!) {{ nodes(ids: $ids) {{ ... on Product {{ {_FIELDS} }} }} }}"
_MORE = f"""query ($id: ID!, $after: String) {{
  product(id: $id) {{ variants(first: 100, after: $after) {{ {_VARIANT} }} }}
}}"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shopify:
    """One shop; the fetcher's address is ``https://NAME.myshopify.com``."""

    fetcher: Fetcher
    version: str = API_VERSION

    def newest(self) -> str:
        """Ask for the time of the product that changed last."""
        found = objects_of(self._ask(_NEWEST), "products", "nodes")
        return text_of(found[0].get("updatedAt")) if found else ""

    def items(self, *, since: str, after: str) -> Items:
        """Read products by id."""
        query = f"updated_at:>='{since}'" if since else None
        data = self._ask(_PAGE, after=after or None, query=query)
        nodes = objects_of(data, "products", "nodes")
        page = dict_of(dict_of(data.get("products")).get("pageInfo"))
        return Items(
            bodies=[self._body(node) for node in nodes],
            last=text_of(page.get("endCursor")),
            more=page.get("hasNextPage") is True,
        )

    def objects(self, names: Sequence[str]) -> list[bytes]:
        """Read products by their numbers."""
        bodies: list[bytes] = []
        ids = [name for name in names if name.isdecimal()]
        for start in range(0, len(ids), _PRODUCTS):
            some = ids[start : start + _PRODUCTS]
            data = self._ask(_SOME, ids=[f"gid://shopify/Product/{name}" for name in some])
            bodies += [self._body(node) for node in objects_of(data, "nodes") if "id" in node]
        return bodies

    def close(self) -> None:
        """Let the connection go."""
        self.fetcher.close()

    def back(self, since: str) -> str:
        """Allow for the lag of its index."""
        return earlier(since, OVERLAP)

    def _body(self, node: Mapping[str, Any]) -> bytes:
        connection = dict_of(node.get("variants"))
        variants = objects_of(connection, "nodes")
        while (page := dict_of(connection.get("pageInfo"))).get("hasNextPage") is True:
            data = self._ask(_MORE, id=node.get("id"), after=page.get("endCursor"))
            connection = dict_of(dict_of(data.get("product")).get("variants"))
            before = len(variants)
            variants += objects_of(connection, "nodes")
            if len(variants) == before:
                raise ShopRefused("the shop answers with the same variants again and again")
        return as_body(
            {
                "id": node.get("legacyResourceId"),
                "title": node.get("title"),
                "vendor": node.get("vendor"),
                "product_type": node.get("productType"),
                "updated_at": node.get("updatedAt"),
                "variants": [
                    {
                        **{name: one.get(name) for name in ("title", "sku", "barcode", "price")},
                        "compare_at_price": one.get("compareAtPrice"),
                    }
                    for one in variants
                ],
            }
        )

    def _ask(self, question: str, /, **variables: Any) -> dict[str, Any]:
        content = {"query": question, "variables": variables}
        answer = self.fetcher.post(f"admin/api/{self.version}/graphql.json", content).json()
        if not isinstance(answer, dict):
            raise ShopRefused("the shop's answer is not what its API promises; check the address")
        errors = answer.get("errors")
        if errors:
            _refuse(errors, answer.get("extensions"))
        data = answer.get("data")
        return data if isinstance(data, dict) else {}


def _refuse(errors: Any, extensions: Any) -> None:
    first = dict_of(errors[0]) if isinstance(errors, list) else {}
    code = dict_of(first.get("extensions")).get("code")
    if code == "THROTTLED":
        raise ShopBusy("the shop asks us to wait", _wait_s(extensions))
    if code == "ACCESS_DENIED":
        raise ShopRefused("Shopify: the access token lacks the right read_products; add it there")
    words = "".join(c for c in text_of(first.get("message")) if c.isprintable())[:120]
    raise ShopRefused(f"Shopify does not take our question: {words or 'without saying why'}")


def _wait_s(extensions: Any) -> float:
    """Work out from the cost of the query and the rate of refill when it may be asked again."""
    try:
        cost = extensions["cost"]
        status = cost["throttleStatus"]
        missing = float(cost["requestedQueryCost"]) - float(status["currentlyAvailable"])
        return min(max(missing / float(status["restoreRate"]), 1.0), WAIT_LONGEST_S)
    except (KeyError, TypeError, ValueError, ZeroDivisionError):
        return 2.0
