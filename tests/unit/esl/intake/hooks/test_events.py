"""What an event wants of us, in the shapes of the field notes (ux 5, standards F)."""

import json
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from esl.domain.errors import InvalidInput
from esl.intake.hooks.events import Gone, Mapped, Meaning, Noise, StoredEvent, Thin, read_event
from esl.intake.hooks.verifiers import HookKind

SHOPIFY = {
    "id": 9554194432293,
    "title": "T-Shirt",
    "variants": [
        {"id": 1, "price": "29.99", "compare_at_price": "39.99", "sku": "TSHIRT-001"},
    ],
}
WOOCOMMERCE = {"id": 794, "sku": "TEE", "regular_price": "21.99", "sale_price": ""}


def reading(kind: HookKind, body: Any, topic: str = "") -> Meaning:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return read_event(StoredEvent(kind=kind, body=content, topic=topic))


class TestShopify:
    def test_a_whole_product_is_mapped(self) -> None:
        assert isinstance(reading(HookKind.SHOPIFY, SHOPIFY, "products/update"), Mapped)

    @pytest.mark.parametrize("variants", [None, [], {}, [{"id": 1}], ["x"], [{"price": "1"}, {}]])
    def test_a_partial_product_is_fetched(self, variants: Any) -> None:
        partial = {**SHOPIFY, "variants": variants}
        found = reading(HookKind.SHOPIFY, partial, "products/update")
        assert found == Thin(objects=("9554194432293",))

    def test_a_deleted_product_names_only_itself(self) -> None:
        found = reading(HookKind.SHOPIFY, {"id": 7}, "products/delete")
        assert found == Gone(objects=("7",))

    @pytest.mark.parametrize(
        "topic", ["inventory_levels/update", "orders/create", "app/uninstalled"]
    )
    def test_other_topics_are_noise(self, topic: str) -> None:
        assert isinstance(reading(HookKind.SHOPIFY, {"id": 7}, topic), Noise)


class TestWooCommerce:
    def test_a_simple_product_is_mapped(self) -> None:
        assert isinstance(reading(HookKind.WOOCOMMERCE, WOOCOMMERCE, "product.updated"), Mapped)

    def test_of_a_variable_product_the_variations_are_fetched(self) -> None:
        body = {**WOOCOMMERCE, "type": "variable", "regular_price": ""}
        assert reading(HookKind.WOOCOMMERCE, body, "product.updated") == Thin(objects=("794",))

    def test_what_lies_in_the_bin_is_gone(self) -> None:
        assert reading(HookKind.WOOCOMMERCE, {"id": 7}, "product.deleted") == Gone(objects=("7",))
        binned = {**WOOCOMMERCE, "status": "trash"}
        assert reading(HookKind.WOOCOMMERCE, binned, "product.updated") == Gone(objects=("794",))

    def test_orders_are_noise(self) -> None:
        assert isinstance(reading(HookKind.WOOCOMMERCE, {"id": 7}, "order.created"), Noise)


def test_square_says_only_when() -> None:
    body = {
        "type": "catalog.version.updated",
        "event_id": "e1",
        "data": {"object": {"catalog_version": {"updated_at": "2026-03-01T06:00:00.5Z"}}},
    }
    when = datetime(2026, 3, 1, 6, 0, 0, 500_000, tzinfo=UTC)
    assert reading(HookKind.SQUARE, body) == Thin(since=when)
    assert isinstance(reading(HookKind.SQUARE, {"type": "inventory.count.updated"}), Noise)


class TestBigCommerce:
    @pytest.mark.parametrize(
        ("scope", "data", "found"),
        [
            ("store/product/updated", {"type": "product", "id": 205}, Thin(objects=("205",))),
            ("store/product/deleted", {"type": "product", "id": 205}, Gone(objects=("205",))),
            ("store/sku/updated", {"id": 9, "sku": {"product_id": 205}}, Thin(objects=("205",))),
            ("store/priceList/record/updated", {"price_list_id": 1}, Thin()),
        ],
    )
    def test_its_events_are_thin(self, scope: str, data: Any, found: Meaning) -> None:
        assert reading(HookKind.BIGCOMMERCE, {"scope": scope, "data": data}) == found

    @pytest.mark.parametrize("scope", ["store/product/inventory/updated", "store/order/created"])
    def test_stock_and_orders_are_noise(self, scope: str) -> None:
        assert isinstance(reading(HookKind.BIGCOMMERCE, {"scope": scope, "data": {}}), Noise)


class TestClover:
    def merchants(self, *updates: tuple[str, str]) -> dict[str, Any]:
        listed = [{"objectId": of, "type": kind, "ts": 1} for of, kind in updates]
        return {"appId": "A", "merchants": {"M": listed}}

    def test_items_are_fetched_once_each(self) -> None:
        body = self.merchants(("I:7", "UPDATE"), ("I:7", "UPDATE"), ("IA:8", "UPDATE"))
        assert reading(HookKind.CLOVER, body) == Thin(objects=("7", "8"))

    def test_only_deleted_items_are_gone(self) -> None:
        assert reading(HookKind.CLOVER, self.merchants(("I:7", "DELETE"))) == Gone(objects=("7",))

    def test_stock_and_orders_are_noise(self) -> None:
        body = self.merchants(("IS:7", "UPDATE"), ("O:8", "CREATE"))
        assert isinstance(reading(HookKind.CLOVER, body), Noise)

    def test_very_many_items_are_fetched_by_time(self) -> None:
        body = self.merchants(*((f"I:{n}", "UPDATE") for n in range(1001)))
        assert reading(HookKind.CLOVER, body) == Thin()


class TestLoyverse:
    def test_items_are_mapped_and_deleted_ones_gone(self) -> None:
        items = [{"id": "a", "variants": []}]
        assert isinstance(
            reading(HookKind.LOYVERSE, {"type": "items.update", "items": items}), Mapped
        )
        items = [{"id": "a", "deleted_at": "2026-03-01T06:00:00Z"}]
        found = reading(HookKind.LOYVERSE, {"type": "items.update", "items": items})
        assert found == Gone(objects=("a",))

    def test_each_item_is_read_by_itself_and_no_price_is_rounded(self) -> None:
        body = b'{"items":[{"id":"a","p":0.10000000000000000555},{"id":"b","deleted_at":"x"},7]}'
        found = reading(HookKind.LOYVERSE, body)
        assert found == Mapped(bodies=(b'{"id": "a", "p": "0.10000000000000000555"}',))

    def test_stock_is_noise(self) -> None:
        assert isinstance(reading(HookKind.LOYVERSE, {"type": "inventory_levels.update"}), Noise)


class TestLightspeed:
    def form(self, payload: Any, **more: str) -> bytes:
        return urlencode({"payload": json.dumps(payload), **more}).encode()

    def test_the_json_in_its_form_is_mapped(self) -> None:
        product = {"id": "x", "sku": "10001", "price_including_tax": 2.5}
        found = reading(HookKind.LIGHTSPEED, self.form(product, domain_prefix="shop"))
        assert found == Mapped(bodies=(json.dumps(product).encode(),))

    def test_deleted_and_partial_ones(self) -> None:
        gone = self.form({"id": "x", "sku": "1", "deleted_at": "2026-03-01"})
        assert reading(HookKind.LIGHTSPEED, gone) == Gone(objects=("x",))
        assert reading(HookKind.LIGHTSPEED, self.form({"id": "x"})) == Thin(objects=("x",))

    @pytest.mark.parametrize("body", [b"", b'{"id":1}', b"payload=1&payload=2", b"payload=%7B"])
    def test_anything_else_is_refused(self, body: bytes) -> None:
        with pytest.raises(InvalidInput):
            reading(HookKind.LIGHTSPEED, body)


class TestOdooAndErpnext:
    def test_odoo_is_mapped_if_its_rule_sends_the_fields_and_asked_if_not(self) -> None:
        whole = {
            "_model": "product.template",
            "_id": 7,
            "default_code": "MILK",
            "name": "Milk",
            "list_price": 1.29,
        }
        assert isinstance(reading(HookKind.ODOO, whole), Mapped)
        partial = {"_model": "product.template", "_id": 7, "name": "Milk"}
        assert reading(HookKind.ODOO, partial) == Thin(objects=("7",))
        assert isinstance(reading(HookKind.ODOO, {"_model": "sale.order", "_id": 1}), Noise)

    def test_erpnext_is_told_which_field_its_webhook_lacks(self) -> None:
        with pytest.raises(InvalidInput) as caught:
            reading(HookKind.ERPNEXT, {"item_code": "MILK-1L", "price_list_rate": 1.29})
        [problem] = caught.value.problems
        assert problem.path == "/price_list"
        assert "price_list" in (problem.fix or "")

    def test_an_erpnext_item_is_asked_for_its_price(self) -> None:
        body = {"doctype": "Item", "name": "MILK-1L"}
        assert reading(HookKind.ERPNEXT, body) == Thin(objects=("MILK-1L",))


@pytest.mark.parametrize("kind", HookKind)
@pytest.mark.parametrize(
    "body",
    [
        *(b"", b"\xff", b"[" * 100_000, b"{", b"null", b"NaN"),
        b"9" * 5000,
        b"{" + b'"a":' * 20_000,
    ],
)
def test_a_body_that_is_nothing_is_refused_in_words(kind: HookKind, body: bytes) -> None:
    if kind in {HookKind.STANDARD, HookKind.GENERIC} and body in {b"null", b"NaN"}:
        assert isinstance(reading(kind, body), Mapped)  # its mapping will find no product in it
        return
    with pytest.raises(InvalidInput) as caught:
        reading(kind, body)
    assert caught.value.problems[0].fix


_SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
_NAMES = st.sampled_from(
    "id variants price type scope data merchants M items payload _model _id doctype name "
    "object catalog_version updated_at sku deleted_at regular_price status".split()
)
_JSON = st.recursive(
    _SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_NAMES, inner, max_size=6),
    max_leaves=20,
)


@given(kind=st.sampled_from(HookKind), value=_JSON, topic=st.text(max_size=20))
def test_any_json_is_understood_or_refused(kind: HookKind, value: Any, topic: str) -> None:
    body = json.dumps(value).encode()
    if kind is HookKind.LIGHTSPEED:
        body = urlencode({"payload": body}).encode()
    try:
        found = read_event(StoredEvent(kind=kind, body=body, topic=topic))
    except InvalidInput:
        return
    assert isinstance(found, Mapped | Thin | Gone | Noise)
    if isinstance(found, Thin | Gone):
        assert all(one.isprintable() and one for one in found.objects)
    if isinstance(found, Noise):
        assert found.reason.isprintable()
