"""Connectors before answers of any shape: entries' bodies, or a problem in words; never a fault."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from api.listeners.connectors.addresses import AddressRules
from api.listeners.connectors.bigcommerce import BigCommerce
from api.listeners.connectors.erpnext import ErpNext
from api.listeners.connectors.errors import ShopError, ShopRefused
from api.listeners.connectors.fetch import Answer, Fetcher
from api.listeners.connectors.generic import GenericRest, Paging, RestRules
from api.listeners.connectors.magento import Magento
from api.listeners.connectors.odoo import Odoo
from api.listeners.connectors.place import Connector, read_page
from api.listeners.connectors.shopify import Shopify
from api.listeners.connectors.woocommerce import WooCommerce

_NAMES = st.sampled_from(
    "data products nodes pageInfo hasNextPage endCursor variants id items result error errors "
    "message extensions code product custom_attributes attribute_code value name modified "
    "write_date updated_at date_modified date_modified_gmt type next cursor status".split()
)
_WORDS = st.sampled_from(["variable", "THROTTLED", "2026-03-01T06:00:00Z", "1", "9999-12-31", "é"])
_SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | _WORDS
_JSON = st.recursive(
    _SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_NAMES, inner, max_size=5),
    max_leaves=25,
)


@dataclass(slots=True, kw_only=True)
class Answering(Fetcher):
    """Gives prepared answers, the last one again and again."""

    answers: list[Any]

    def get(self, _path: str, _query: Mapping[str, str] | None = None) -> Answer:
        return self._given()

    def post(self, _path: str, content: Any) -> Answer:
        json.dumps(content)
        return self._given()

    def _given(self) -> Answer:
        value = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        date = {"date": "Sun, 01 Mar 2026 06:00:00 GMT", "link": '<https://x/>; rel="next"'}
        return Answer(status=200, headers=date, body=json.dumps(value).encode())


def connectors_for(answers: list[Any]) -> list[Connector]:
    def fetch() -> Fetcher:
        return Answering(base_url="https://shop.example", rules=AddressRules(), answers=[*answers])

    made: list[Connector] = [
        Shopify(fetcher=fetch()),
        WooCommerce(fetcher=fetch()),
        ErpNext(fetcher=fetch(), currency="EUR"),
        Odoo(fetcher=fetch(), database="d", login="l", key="k"),
        Magento(fetcher=fetch()),
        BigCommerce(fetcher=fetch()),
    ]
    for paging in Paging:
        rules = RestRules(path="items", items="items", paging=paging, since_param="s", page_size=2)
        made.append(GenericRest(fetcher=fetch(), rules=rules))
    return made


def _outcome(connector: Connector, progress: str) -> Sequence[bytes] | ShopError:
    try:
        page = read_page(connector, cursor="2026-03-01T06:00:00Z", progress=progress)
        return [*page.bodies, *connector.objects(["7", "a b", "\u00e9"])]
    except ShopError as exc:
        return exc


_BEGUN = '{"since": "2026-03-01T06:00:00Z", "newest": "x", "after": ""}'


@settings(max_examples=300, deadline=None)
@given(answers=st.lists(_JSON, min_size=1, max_size=4), progress=st.sampled_from(["", _BEGUN]))
def test_any_answer_is_a_page_or_a_problem_in_words(answers: list[Any], progress: str) -> None:
    for connector in connectors_for(answers):
        match _outcome(connector, progress):
            case ShopError() as problem:
                assert str(problem).isprintable()
                assert len(str(problem)) < 400
            case bodies:
                assert all(isinstance(json.loads(body), dict) for body in bodies)


@pytest.mark.parametrize("stuck", [{"items": [{"id": 7}, {"id": 7}]}, {"items": [{}, {}]}])
def test_a_shop_that_never_comes_to_an_end_is_stopped(stuck: Any) -> None:
    rules = RestRules(path="items", items="items", paging=Paging.KEYSET, page_size=2)
    rest = GenericRest(
        fetcher=Answering(base_url="https://x", rules=AddressRules(), answers=[stuck]), rules=rules
    )
    first = read_page(rest, cursor="", progress="") if stuck["items"][0] else None
    with pytest.raises(ShopRefused):
        read_page(rest, cursor="", progress=first.progress if first is not None else "")


def test_erpnext_refuses_a_price_list_in_another_currency() -> None:
    price = {"name": "a", "modified": "2026-03-01 06:00:00", "currency": "USD"}
    fetcher = Answering(base_url="https://x", rules=AddressRules(), answers=[{"data": [price]}])
    with pytest.raises(ShopRefused, match="another currency"):
        read_page(ErpNext(fetcher=fetcher, currency="EUR"), cursor="", progress="")
