"""Odoo, by JSON-RPC: the variants that are sold.

Its times are in UTC and say no offset. A variant takes its price from its template, whose time
moves and the variant's does not in older versions, so both are asked about.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, NoReturn

from api.listeners.connectors.errors import ShopRefused
from api.listeners.connectors.fetch import Fetcher
from api.listeners.connectors.place import Items, as_body, dict_of, earlier, objects_of, text_of

OVERLAP = timedelta(minutes=10)
"""A change has the time at which its transaction began, and is seen when that has ended."""

PAGE = 200
_MODELS = ("product.product", "product.template")
_FIELDS = ("default_code", "barcode", "name", "lst_price", "categ_id", "write_date")


@dataclass(slots=True, kw_only=True)
class Odoo:
    """One database; ``key`` is an API key of ``login``."""

    fetcher: Fetcher
    database: str
    login: str
    key: str = field(repr=False)
    _user: int | None = None

    def newest(self) -> str:
        """Ask for the time of the variant or template that changed last."""
        times: list[str] = []
        for model in _MODELS:
            options = {"fields": ["write_date"], "order": "write_date desc", "limit": 1}
            times += [text_of(one.get("write_date")) for one in self._search(model, [], options)]
        return max(times, default="")

    def items(self, *, since: str, after: str) -> Items:
        """Read variants by id."""
        domain: list[Any] = [["sale_ok", "=", True]]
        if since:
            template_since = ["product_tmpl_id.write_date", ">=", since]
            domain += ["|", ["write_date", ">=", since], template_since]
        if after:
            domain.append(["id", ">", int(after)])
        options = {"fields": list(_FIELDS), "order": "id asc", "limit": PAGE}
        found = self._search("product.product", domain, options)
        last = text_of(found[-1].get("id")) if found else ""
        return Items(bodies=[as_body(one) for one in found], last=last, more=len(found) >= PAGE)

    def objects(self, names: Sequence[str]) -> list[bytes]:
        """Read the variants of templates by the templates' ids, which Odoo's rules send."""
        ids = [int(name) for name in names if name.isdecimal()]
        domain = ["|", ["product_tmpl_id", "in", ids], ["id", "in", ids]]
        options = {"fields": list(_FIELDS), "order": "id asc", "limit": 2000}
        return [as_body(one) for one in self._search("product.product", domain, options)]

    def close(self) -> None:
        """Let the connection go."""
        self.fetcher.close()

    def back(self, since: str) -> str:
        """Allow for transactions that take their time."""
        return earlier(since, OVERLAP, sep=" ")

    def _search(
        self, model: str, domain: list[Any], options: dict[str, Any]
    ) -> list[dict[str, Any]]:
        if self._user is None:
            user = self._call("common", "authenticate", self.database, self.login, self.key, {})
            if not isinstance(user, int) or isinstance(user, bool):
                raise ShopRefused(
                    "Odoo does not know this database, login and API key together; "
                    "make a new key under Preferences, Account Security"
                )
            self._user = user
        secret = (self.database, self._user, self.key)
        found = self._call("object", "execute_kw", *secret, model, "search_read", [domain], options)
        return objects_of(found)

    def _call(self, service: str, method: str, *args: Any) -> Any:
        params = {"service": service, "method": method, "args": list(args)}
        question = {"jsonrpc": "2.0", "method": "call", "params": params, "id": 1}
        answer = dict_of(self.fetcher.post("jsonrpc", question).json())
        if answer.get("error"):
            _refuse(dict_of(answer["error"]))
        if "result" not in answer:
            raise ShopRefused("the answer is not Odoo's; check the source's address")
        return answer["result"]


def _refuse(error: dict[str, Any]) -> NoReturn:
    kind = text_of(dict_of(error.get("data")).get("name")).rpartition(".")[2]
    if kind in {"AccessDenied", "AccessError"}:
        raise ShopRefused(
            "Odoo refuses this login or its API key; it needs the right to read products"
        )
    words = kind[:60] if kind.isprintable() and kind else "no reason given"
    raise ShopRefused(f"Odoo does not take our question: {words}")
