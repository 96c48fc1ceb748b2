"""A source's settings, made into its connector.

    setting        of whom                         means
    system         all                             shopify, woocommerce, …, rest
    address        all                             https address of the shop or its API
    allow_private  all                             hosts and networks of your own that may be asked
    every_s        all                             seconds between two runs, 60 if left out
    login          woocommerce, erpnext, odoo      consumer key, API key, user
    database       odoo                            name of the database
    price_list     erpnext                         “Standard Selling” if left out
    view           magento                         code of a store view, “all” if left out
    version        shopify, square                 of its API
    location       square                          Square's id of the shop, for prices of its own
    header         rest                            that takes the secret, Authorization if left out
    path, query, items, key, paging, page_param, page_first, page_size, next, since_param,
    since_form, overlap_s, object_path             rest: `generic.RestRules`

The secret (token, password, API key) is the source's newest and stands in none of them.
"""

import base64
import json
from collections.abc import Callable, Mapping
from datetime import timedelta
from enum import StrEnum
from types import MappingProxyType

from api.listeners.connectors.addresses import AddressRules
from api.listeners.connectors.bigcommerce import BigCommerce
from api.listeners.connectors.erpnext import ErpNext
from api.listeners.connectors.fetch import Fetcher
from api.listeners.connectors.generic import GenericRest, Paging, RestRules, SinceForm
from api.listeners.connectors.magento import Magento
from api.listeners.connectors.odoo import Odoo
from api.listeners.connectors.place import Connector
from api.listeners.connectors.shopify import API_VERSION, Shopify
from api.listeners.connectors.square import API_VERSION as SQUARE_VERSION
from api.listeners.connectors.square import Square
from api.listeners.connectors.woocommerce import WooCommerce
from esl.domain.errors import FieldProblem, InvalidInput

REST = "rest"
EVERY_LEAST_S, EVERY_USUAL_S, EVERY_MOST_S = 10, 60, 86_400
_NUMBERS = (("page_first", 1, 0, 1), ("page_size", 100, 1, 10_000), ("overlap_s", 120, 0, 86_400))
"""Name, usual value, least and most."""

_COMMON = frozenset({"system", "address", "allow_private", "every_s", "hook_url"})


class _Settings:
    """Settings read one by one, every problem gathered."""

    def __init__(self, settings: Mapping[str, str]) -> None:
        self._settings = settings
        self._asked = set(_COMMON)
        self.problems: list[FieldProblem] = []

    def problem(self, name: str, detail: str, fix: str) -> None:
        self.problems.append(FieldProblem(path=f"/settings/{name}", detail=detail, fix=fix))

    def text(self, name: str, default: str | None = None) -> str:
        self._asked.add(name)
        found = self._settings.get(name, default)
        if not found or not found.isprintable():
            self.problem(name, "missing", f"Say {name}, as docs/connectors.md tells.")
            return ""
        return found

    def optional(self, name: str) -> str | None:
        self._asked.add(name)
        return self._settings.get(name) or None

    def whole(self, name: str, default: int, *, low: int, high: int) -> int:
        self._asked.add(name)
        text = self._settings.get(name, str(default))
        if text.isascii() and text.isdigit() and len(text) <= 9 and low <= int(text) <= high:  # noqa: PLR2004
            return int(text)
        self.problem(name, f"not a whole number of {low} to {high}", f"Write such as {default}.")
        return default

    def choice(self, name: str, choices: type[StrEnum], default: StrEnum) -> str:
        self._asked.add(name)
        text = self._settings.get(name, default.value)
        if text in set(choices):
            return text
        self.problem(name, "not a word it may be", f"Write one of {', '.join(choices)}.")
        return default.value

    def finish(self) -> None:
        for name in sorted(set(self._settings) - self._asked):
            self.problem(name, "unknown for this system", "Leave it out, or check its spelling.")
        if self.problems:
            raise InvalidInput(self.problems)


def build_connector(
    settings: Mapping[str, str], secret: str, *, currency: str | None = None
) -> Connector:
    """Make the connector of a source.

    Raises:
        InvalidInput: With each setting that is missing or wrong.
    """
    given = _Settings(settings)
    system = settings.get("system", "")
    make = _MAKERS.get(system)
    if make is None:
        fix = f"Write one of {', '.join(sorted(_MAKERS))}."
        raise InvalidInput.at("/settings/system", "no system that can be asked", fix=fix)
    rules = AddressRules.of_text(settings.get("allow_private", ""))
    base = given.text("address")
    given.whole("every_s", EVERY_USUAL_S, low=EVERY_LEAST_S, high=EVERY_MOST_S)
    connector = make(given, base, rules, secret, currency)
    if not secret:
        given.problem("secret", "missing", "Give the source a secret: the key of the shop's API.")
    given.finish()
    return connector


def every_of(settings: Mapping[str, str]) -> timedelta:
    """Return how long a connector rests between two runs."""
    seconds = _Settings(settings).whole(
        "every_s", EVERY_USUAL_S, low=EVERY_LEAST_S, high=EVERY_MOST_S
    )
    return timedelta(seconds=seconds)


_Make = Callable[[_Settings, str, AddressRules, str, str | None], Connector]


def _shopify(
    given: _Settings, base: str, rules: AddressRules, secret: str, _currency: str | None
) -> Connector:
    headers = {"X-Shopify-Access-Token": secret}
    fetcher = Fetcher(base_url=base, rules=rules, headers=headers)
    return Shopify(fetcher=fetcher, version=given.text("version", API_VERSION))


def _woocommerce(
    given: _Settings, base: str, rules: AddressRules, secret: str, _currency: str | None
) -> Connector:
    return WooCommerce(
        fetcher=Fetcher(base_url=base, rules=rules, auth=(given.text("login"), secret))
    )


def _bigcommerce(
    _given: _Settings, base: str, rules: AddressRules, secret: str, _currency: str | None
) -> Connector:
    headers = {"X-Auth-Token": secret}
    return BigCommerce(fetcher=Fetcher(base_url=base, rules=rules, headers=headers))


def _magento(
    given: _Settings, base: str, rules: AddressRules, secret: str, _currency: str | None
) -> Connector:
    headers = {"Authorization": f"Bearer {secret}"}
    fetcher = Fetcher(base_url=base, rules=rules, headers=headers)
    return Magento(fetcher=fetcher, view=given.text("view", "all"))


def _odoo(
    given: _Settings, base: str, rules: AddressRules, secret: str, _currency: str | None
) -> Connector:
    return Odoo(
        fetcher=Fetcher(base_url=base, rules=rules),
        database=given.text("database"),
        login=given.text("login"),
        key=secret,
    )


def _erpnext(
    given: _Settings, base: str, rules: AddressRules, secret: str, currency: str | None
) -> Connector:
    headers = {"Authorization": f"token {given.text('login')}:{secret}"}
    return ErpNext(
        fetcher=Fetcher(base_url=base, rules=rules, headers=headers),
        price_list=given.text("price_list", "Standard Selling"),
        currency=currency,
    )


def _square(
    given: _Settings, base: str, rules: AddressRules, secret: str, currency: str | None
) -> Connector:
    headers = {
        "Authorization": f"Bearer {secret}",
        "Square-Version": given.text("version", SQUARE_VERSION),
    }
    return Square(
        fetcher=Fetcher(base_url=base, rules=rules, headers=headers),
        location=given.optional("location"),
        currency=currency,
    )


def _rest(
    given: _Settings, base: str, rules: AddressRules, secret: str, _currency: str | None
) -> Connector:
    header = given.text("header", "Authorization")
    login = given.optional("login")
    if login is not None:
        pair = base64.b64encode(f"{login}:{secret}".encode()).decode()
        headers = {"Authorization": f"Basic {pair}"}
    else:
        headers = {header: secret}
    query: dict[str, str] = {}
    try:
        loaded = json.loads(given.optional("query") or "{}")
        query = {str(name): str(value) for name, value in loaded.items()}
    except (ValueError, AttributeError, RecursionError):
        given.problem("query", "not a JSON object", 'Write such as {"status": "active"}.')
    numbers = {
        name: given.whole(name, usual, low=low, high=high) for name, usual, low, high in _NUMBERS
    }
    return GenericRest(
        fetcher=Fetcher(base_url=base, rules=rules, headers=headers),
        rules=RestRules(
            path=given.text("path", "."),
            query=query,
            items=given.text("items", "@"),
            key=given.text("key", "id"),
            paging=Paging(given.choice("paging", Paging, Paging.NONE)),
            page_param=given.text("page_param", "page"),
            page_first=numbers["page_first"],
            page_size=numbers["page_size"],
            next=given.text("next", "next"),
            since_param=given.optional("since_param"),
            since_form=SinceForm(given.choice("since_form", SinceForm, SinceForm.ISO)),
            overlap=timedelta(seconds=numbers["overlap_s"]),
            object_path=given.optional("object_path"),
        ),
    )


_MAKERS: Mapping[str, _Make] = MappingProxyType(
    {
        "shopify": _shopify,
        "woocommerce": _woocommerce,
        "bigcommerce": _bigcommerce,
        "magento": _magento,
        "odoo": _odoo,
        "erpnext": _erpnext,
        "square": _square,
        REST: _rest,
    }
)
POLLED_SYSTEMS = frozenset(_MAKERS)
"""What ``system`` may be for a source that is asked."""
