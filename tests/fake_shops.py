"""Shop systems as small HTTP servers on this machine, which answer as their makers' APIs do.

They keep products that a test changes at will, also while a connector reads; have a clock of
their own, wrong by whatever a test likes; and throttle, fail or answer nonsense when told to.
"""

import json
import re
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar
from urllib.parse import parse_qs, unquote, urlsplit

BEGAN = datetime(2026, 3, 1, 6, tzinfo=UTC)


@dataclass
class Product:
    """One product of a fake shop."""

    number: int
    sku: str
    cents: int
    changed: datetime

    @property
    def price(self) -> str:
        return f"{self.cents / 100:.2f}"


@dataclass
class Asked:
    """One request as it came."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: Any


@dataclass
class Reply:
    """One answer; ``body`` is JSON unless it is bytes."""

    body: Any = None
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


class FakeShop(ABC):
    """What all of them have in common. ``before`` is called ahead of each answer."""

    page: ClassVar[int]
    secret_header: ClassVar[tuple[str, str]]

    def __init__(self) -> None:
        self.products: dict[int, Product] = {}
        self.now = BEGAN
        self.between = timedelta(seconds=1)  # one change and the next
        self.asked: list[Asked] = []
        self.key = "key"  # of Odoo, which has it in bodies
        self.replies: list[Reply] = []  # given in place of the next answers
        self.before: Callable[[FakeShop, Asked], None] = lambda _shop, _asked: None
        self.url = ""
        self._next = 1

    def add(self, cents: int, *, late: timedelta = timedelta()) -> Product:
        """Add a product; ``late`` makes it seem older than it is."""
        self.tick()
        one = Product(self._next, f"S{self._next}", cents, self.now - late)
        self.products[one.number] = one
        self._next += 1
        return one

    def change(self, number: int, cents: int) -> None:
        self.tick()
        one = self.products[number]
        one.cents, one.changed = cents, self.now

    def tick(self) -> None:
        self.now += self.between

    def prices(self) -> dict[str, int]:
        return {one.sku: one.cents for one in self.products.values()}

    def reply(self, asked: Asked) -> Reply:
        name, value = self.secret_header
        if asked.headers.get(name) != value:
            return Reply({"error": "no"}, status=401)
        self.before(self, asked)
        if self.replies:
            return self.replies.pop(0)
        return self.answer(asked)

    @abstractmethod
    def answer(self, asked: Asked) -> Reply:
        """Answer a request whose credentials are right, as the makers' API does."""

    def changed_since(self, since: datetime | None) -> list[Product]:
        found = (one for one in self.products.values() if since is None or one.changed >= since)
        return sorted(found, key=lambda one: one.number)

    def newest(self) -> list[Product]:
        return sorted(self.products.values(), key=lambda one: one.changed)[-1:]


def iso(instant: datetime) -> str:
    return instant.isoformat().replace("+00:00", "Z")


def naive(instant: datetime, sep: str = " ") -> str:
    return instant.replace(tzinfo=None).isoformat(sep, "seconds")


def utc(text: str) -> datetime:
    found = datetime.fromisoformat(text)
    return found if found.tzinfo else found.replace(tzinfo=UTC)


class FakeShopify(FakeShop):
    page = 10
    secret_header = ("x-shopify-access-token", "token")

    def answer(self, asked: Asked) -> Reply:
        assert asked.path == "/admin/api/2026-07/graphql.json", asked.path
        question, given = asked.body["query"], asked.body["variables"]
        if "UPDATED_AT" in question:
            nodes = [{"updatedAt": iso(one.changed)} for one in self.newest()]
            return Reply({"data": {"products": {"nodes": nodes}}})
        if "nodes(ids" in question:
            numbers = [int(text.rpartition("/")[2]) for text in given["ids"]]
            found = [self.products.get(number) for number in numbers]
            return Reply({"data": {"nodes": [self.node(one) if one else None for one in found]}})
        assert "sortKey: ID" in question
        query = given.get("query")
        since = re.fullmatch(r"updated_at:>='([^']+)'", query) if query else None
        assert query is None or since is not None
        listed = self.changed_since(utc(since[1]) if since else None)
        after = int(given.get("after") or 0)
        left = [one for one in listed if one.number > after]
        nodes = [self.node(one) for one in left[: self.page]]
        end = str(left[: self.page][-1].number) if nodes else None
        info = {"hasNextPage": len(left) > self.page, "endCursor": end}
        return Reply({"data": {"products": {"pageInfo": info, "nodes": nodes}}})

    def node(self, one: Product) -> dict[str, Any]:
        variant = {"title": "Default Title", "sku": one.sku, "barcode": None, "price": one.price}
        return {
            "id": f"gid://shopify/Product/{one.number}",
            "legacyResourceId": str(one.number),
            "title": f"Product {one.number}",
            "vendor": "Acme",
            "productType": "",
            "updatedAt": iso(one.changed),
            "variants": {
                "pageInfo": {"hasNextPage": False, "endCursor": "x"},
                "nodes": [{**variant, "compareAtPrice": None}],
            },
        }


class FakeWooCommerce(FakeShop):
    """Products whose number divides by seven are variable, with two variations."""

    page = 50
    secret_header = ("authorization", "Basic Y2tfMTpjc18x")  # ck_1:cs_1

    def answer(self, asked: Asked) -> Reply:
        base = "/wp-json/wc/v3/products"
        rest = asked.path.removeprefix(base)
        if found := re.fullmatch(r"/(\d+)(/variations)?", rest):
            one = self.products.get(int(found[1]))
            if one is None:
                return Reply({"code": "woocommerce_rest_product_invalid_id"}, status=404)
            return Reply(self.variations(one) if found[2] else self.product(one))
        assert rest == "", asked.path
        if asked.query["orderby"] == "modified":
            return Reply([self.product(one) for one in self.newest()])
        assert (asked.query["orderby"], asked.query["order"]) == ("id", "asc")
        since = None
        if "modified_after" in asked.query:
            assert asked.query["dates_are_gmt"] == "true"
            since = utc(asked.query["modified_after"]) + timedelta(seconds=1)  # "after"
        offset = int(asked.query["offset"])
        some = self.changed_since(since)[offset : offset + int(asked.query["per_page"])]
        return Reply([self.product(one) for one in some])

    def product(self, one: Product) -> dict[str, Any]:
        variable = one.number % 7 == 0
        return {
            "id": one.number,
            "name": f"Product {one.number}",
            "type": "variable" if variable else "simple",
            "status": "publish",
            "sku": "" if variable else one.sku,
            "regular_price": "" if variable else one.price,
            "sale_price": "",
            "date_on_sale_from_gmt": None,
            "date_on_sale_to_gmt": None,
            "date_modified_gmt": naive(one.changed, "T"),
        }

    def variations(self, one: Product) -> list[dict[str, Any]]:
        return [
            {
                "id": one.number * 1000 + which,
                "sku": one.sku if which == 0 else f"{one.sku}-{which}",
                "regular_price": one.price,
                "sale_price": "",
                "attributes": [{"name": "Size", "option": "SML"[which]}],
            }
            for which in (0, 1)
        ]

    def prices(self) -> dict[str, int]:
        second = {
            f"{one.sku}-1": one.cents for one in self.products.values() if one.number % 7 == 0
        }
        return super().prices() | second


class FakeErpNext(FakeShop):
    """Its times are those of a server in Kolkata, and say no offset."""

    page = 200
    secret_header = ("authorization", "token key:secret")
    away = timedelta(hours=5, minutes=30)

    def answer(self, asked: Asked) -> Reply:
        assert unquote(asked.path) == "/api/resource/Item Price", asked.path
        filters = json.loads(asked.query["filters"])
        assert filters[:2] == [["price_list", "=", "Standard Selling"], ["selling", "=", 1]]
        listed = sorted(self.products.values(), key=self.name)
        for name, sign, value in filters[2:]:
            match name, sign:
                case "modified", ">=":
                    since = utc(value) - self.away
                    listed = [one for one in listed if one.changed >= since]
                case "name", ">":
                    listed = [one for one in listed if self.name(one) > value]
                case "item_code", "in":
                    listed = [one for one in listed if one.sku in value]
                case other:
                    raise AssertionError(other)
        if asked.query["order_by"] == "modified desc":
            listed = sorted(listed, key=lambda one: one.changed, reverse=True)
        some = listed[: int(asked.query["limit_page_length"])]
        return Reply({"data": [self.row(one) for one in some]})

    def name(self, one: Product) -> str:
        return f"{one.number * 7919 % 100_003:06d}"  # no order of creation in its names

    def row(self, one: Product) -> dict[str, Any]:
        return {
            "name": self.name(one),
            "item_code": one.sku,
            "item_name": f"Item {one.number}",
            "price_list": "Standard Selling",
            "price_list_rate": one.cents / 100,
            "currency": "EUR",
            "customer": None,
            "valid_from": "2025-01-01",
            "modified": naive(one.changed + self.away) + ".000000",
        }


class FakeOdoo(FakeShop):
    page = 200
    secret_header = ("content-type", "application/json")

    def answer(self, asked: Asked) -> Reply:
        assert asked.path == "/jsonrpc"
        params = asked.body["params"]
        if params["method"] == "authenticate":
            known = params["args"][:3] == ["shop", "esl", self.key]
            return Reply({"jsonrpc": "2.0", "id": 1, "result": 7 if known else False})
        database, user, key, model, method, [domain], options = params["args"]
        if (database, user, key) != ("shop", 7, self.key):
            error = {"data": {"name": "odoo.exceptions.AccessDenied"}}
            return Reply({"jsonrpc": "2.0", "id": 1, "error": error})
        assert method == "search_read"
        listed = sorted(self.products.values(), key=lambda one: one.number)
        for term in domain:
            match term:
                case "|" | ["sale_ok", "=", True]:
                    continue
                case ["write_date", ">=", since]:
                    listed = [one for one in listed if one.changed >= utc(since)]
                case ["product_tmpl_id.write_date", ">=", _]:
                    continue
                case ["id", ">", number]:
                    listed = [one for one in listed if one.number > number]
                case [("product_tmpl_id" | "id"), "in", numbers]:
                    listed = [one for one in listed if one.number in numbers]
                case other:
                    raise AssertionError(other)
        if options["order"] == "write_date desc":
            assert model in {"product.product", "product.template"}
            listed = sorted(listed, key=lambda one: one.changed, reverse=True)
        return Reply({"result": [self.record(one) for one in listed[: options["limit"]]]})

    def record(self, one: Product) -> dict[str, Any]:
        return {
            "id": one.number,
            "default_code": one.sku,
            "barcode": False,
            "name": f"Product {one.number}",
            "lst_price": one.cents / 100,
            "categ_id": [1, "All"],
            "write_date": naive(one.changed),
        }


class FakeMagento(FakeShop):
    page = 200
    secret_header = ("authorization", "Bearer token")

    def answer(self, asked: Asked) -> Reply:
        assert asked.path == "/rest/all/V1/products", asked.path
        listed = sorted(self.products.values(), key=lambda one: one.number)
        for number in range(3):
            group = f"searchCriteria[filter_groups][{number}][filters][0]"
            name = asked.query.get(f"{group}[field]")
            if name is None:
                break
            value = asked.query[f"{group}[value]"]
            match name, asked.query[f"{group}[condition_type]"]:
                case "updated_at", "gteq":
                    listed = [one for one in listed if one.changed >= utc(value)]
                case "entity_id", "gt":
                    listed = [one for one in listed if one.number > int(value)]
                case "entity_id", "in":
                    listed = [one for one in listed if str(one.number) in value.split(",")]
                case other:
                    raise AssertionError(other)
        if asked.query["searchCriteria[sortOrders][0][field]"] == "updated_at":
            listed = sorted(listed, key=lambda one: one.changed, reverse=True)
        some = listed[: int(asked.query["searchCriteria[pageSize]"])]
        return Reply({"items": [self.product(one) for one in some] or None})

    def product(self, one: Product) -> dict[str, Any]:
        special = {"attribute_code": "special_price", "value": None}
        return {
            "id": one.number,
            "sku": one.sku,
            "name": f"Product {one.number}",
            "price": one.cents / 100,
            "status": 1,
            "type_id": "simple",
            "updated_at": naive(one.changed),
            "custom_attributes": [special, {"attribute_code": "ean", "value": "4006381333931"}],
        }


class FakeBigCommerce(FakeShop):
    page = 100
    secret_header = ("x-auth-token", "token")

    def answer(self, asked: Asked) -> Reply:
        assert asked.path == "/stores/hash/v3/catalog/products", asked.path
        query = asked.query
        since = query.get("date_modified:min")
        listed = self.changed_since(utc(since) if since else None)
        if "id:greater" in query:
            listed = [one for one in listed if one.number > int(query["id:greater"])]
        if "id:in" in query:
            listed = [one for one in listed if str(one.number) in query["id:in"].split(",")]
        if query.get("sort") == "date_modified":
            listed = sorted(listed, key=lambda one: one.changed, reverse=True)
        some = listed[: int(query["limit"])]
        return Reply({"data": [self.product(one) for one in some], "meta": {"pagination": {}}})

    def product(self, one: Product) -> dict[str, Any]:
        variant = {"sku": one.sku, "price": None, "sale_price": None, "option_values": []}
        return {
            "id": one.number,
            "name": f"Product {one.number}",
            "price": one.cents / 100,
            "sale_price": 0,
            "date_modified": iso(one.changed),
            "variants": [variant],
        }


class FakeSquare(FakeShop):
    """Of a product whose number divides by three, the variation changes and its item does not."""

    page = 100
    secret_header = ("authorization", "Bearer token")

    def answer(self, asked: Asked) -> Reply:
        assert (asked.method, asked.headers["square-version"]) == ("POST", "2025-01-23")
        body = asked.body
        if asked.path == "/v2/catalog/batch-retrieve":
            asked_for = {name.removeprefix("I") for name in body["object_ids"]}
            found = [one for one in self.changed_since(None) if str(one.number) in asked_for]
            return Reply({"objects": [self.item(one) for one in found]})
        assert asked.path == "/v2/catalog/search", asked.path
        since = utc(body["begin_time"]) if "begin_time" in body else None
        listed = [one for one in self.changed_since(None) if since is None or one.changed > since]
        after = int(body.get("cursor", "c0")[1:])
        left = [one for one in listed if one.number > after]
        some = left[: body["limit"]]
        answer: dict[str, Any] = {}
        if some and "ITEM_VARIATION" in body["object_types"]:
            answer["objects"] = [
                self.variation(one) if since and one.number % 3 == 0 else self.item(one)
                for one in some
            ]
        if len(left) > len(some):
            answer["cursor"] = f"c{some[-1].number}"
        if self.products:
            answer["latest_time"] = iso(max(one.changed for one in self.products.values()))
        return Reply(answer)

    def item(self, one: Product) -> dict[str, Any]:
        name = f"Product {one.number}"
        data = {"name": name, "variations": [self.variation(one)]}
        return {"type": "ITEM", "id": f"I{one.number}", "is_deleted": False, "item_data": data}

    def variation(self, one: Product) -> dict[str, Any]:
        data = {
            "item_id": f"I{one.number}",
            "name": "Regular",
            "sku": one.sku,
            "pricing_type": "FIXED_PRICING",
            "price_money": {"amount": one.cents, "currency": "EUR"},
        }
        version = int(one.changed.timestamp() * 1000)
        return {
            "type": "ITEM_VARIATION",
            "id": f"V{one.number}",
            "version": version,
            "item_variation_data": data,
        }


class FakeRest(FakeShop):
    """A home-made API with paging by key, and another by ``Link``."""

    page = 20
    secret_header = ("x-key", "token")

    def answer(self, asked: Asked) -> Reply:
        headers = {"Date": format_datetime(self.now, usegmt=True)}
        if found := re.fullmatch(r"/api/items/(\d+)", asked.path):
            one = self.products.get(int(found[1]))
            return Reply(self.item(one), headers=headers) if one else Reply({}, status=404)
        if asked.path != "/api/items":
            return Reply({}, status=404)
        since = asked.query.get("changed_since")
        listed = self.changed_since(utc(since) if since else None)
        after = int(asked.query.get("after", "0"))
        left = [one for one in listed if one.number > after]
        some = left[: self.page]
        if len(left) > self.page:
            more = f"/api/items?after={some[-1].number}" + (
                f"&changed_since={since}" if since else ""
            )
            headers["Link"] = f'<{self.url}{more}>; rel="next"'
        return Reply({"data": {"items": [self.item(one) for one in some]}}, headers=headers)

    def item(self, one: Product) -> dict[str, Any]:
        return {"id": one.number, "sku": one.sku, "name": "x", "price": one.price}


@contextmanager
def served(shop: FakeShop) -> Iterator[FakeShop]:
    """Serve a shop on a free port of this machine while the block runs."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _do(self) -> None:
            length = int(self.headers.get("content-length", "0"))
            content = self.rfile.read(length)
            parts = urlsplit(self.path)
            asked = Asked(
                method=self.command,
                path=parts.path,
                query={name: values[0] for name, values in parse_qs(parts.query).items()},
                headers={name.lower(): value for name, value in self.headers.items()},
                body=json.loads(content) if content else None,
            )
            shop.asked.append(asked)
            reply = shop.reply(asked)
            body = reply.body if isinstance(reply.body, bytes) else json.dumps(reply.body).encode()
            self.send_response_only(reply.status)
            for name, value in reply.headers.items():
                self.send_header(name, value)
            if "Content-Length" not in reply.headers:
                self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def do_GET(self) -> None:
            self._do()

        def do_POST(self) -> None:
            self._do()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    shop.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=lambda: server.serve_forever(poll_interval=0.02))
    thread.start()
    try:
        yield shop
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
