"""The mappings that come along: bodies as the systems send them, and the entries they make."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, ClassVar
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

import pytest

from esl.domain.entry import Entry, RowProblem, StatedPromotion
from esl.domain.ids import StoreId
from esl.domain.pricing import KEEP
from esl.intake.hooks.events import Mapped, StoredEvent, read_event
from esl.intake.hooks.verifiers import HookKind
from esl.intake.mapping.document import parse_mapping
from esl.intake.mapping.reading import read_entries
from esl.intake.mapping.store_context import Place, StoreContext
from esl.intake.shops import SHOPS, mapping_of_hooks, shop_mapping, shop_mapping_text

STORE = StoreContext(
    place=Place(store_id=StoreId("main"), currency="EUR", timezone=ZoneInfo("Europe/Zagreb"))
)
GTIN = "4006381333931"


def reading(name: str, body: Any) -> tuple[list[Entry], list[RowProblem]]:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    found = list(read_entries(content, shop_mapping(name), store=STORE))
    entries = [each for each in found if isinstance(each, Entry)]
    return entries, [each for each in found if isinstance(each, RowProblem)]


def one(name: str, body: Any) -> Entry:
    entries, problems = reading(name, body)
    assert problems == []
    [entry] = entries
    return entry


@pytest.mark.parametrize("name", SHOPS)
def test_each_is_a_whole_mapping_of_its_own_name(name: str) -> None:
    assert shop_mapping(name).name == name
    assert parse_mapping(shop_mapping_text(name)) == shop_mapping(name)


@pytest.mark.parametrize("kind", HookKind)
def test_every_system_that_calls_has_one(kind: HookKind) -> None:
    assert mapping_of_hooks(kind) in SHOPS


class TestShopify:
    BODY: ClassVar[dict[str, Any]] = {
        "id": 9554194432293,
        "title": "T-Shirt",
        "vendor": "Acme",
        "product_type": "Shirts",
        "updated_at": "2026-03-01T08:00:00+02:00",
        "variants": [
            {"title": "Red", "sku": "T-1", "barcode": GTIN, "price": "29.99"},
            {"title": "Blue", "sku": "T-2", "barcode": "", "price": "31", "compare_at_price": "39"},
        ],
    }

    def test_each_variant_is_a_product(self) -> None:
        entries, problems = reading("shopify", self.BODY)
        assert problems == []
        assert [(e.sku, e.name, e.price_minor, e.was_minor) for e in entries] == [
            ("T-1", "T-Shirt Red", 2999, None),
            ("T-2", "T-Shirt Blue", 3100, 3900),
        ]
        assert entries[0].gtins == (GTIN,)
        assert entries[0].source_time == datetime(2026, 3, 1, 6, tzinfo=UTC)

    @pytest.mark.parametrize("old", [None, "", "29.99", "9.00", "0.00", "100.00x"])
    def test_an_old_price_that_is_not_higher_is_cleared(self, old: Any) -> None:
        body = {**self.BODY, "variants": [{**self.BODY["variants"][0], "compare_at_price": old}]}
        assert one("shopify", body).was_minor is None

    def test_it_is_compared_as_a_number_and_not_as_text(self) -> None:
        variant = {"title": "Default Title", "sku": "T", "price": "9.99", "compare_at_price": "10"}
        entry = one("shopify", {"title": "Mug", "variants": [variant]})
        assert (entry.was_minor, entry.name) == (1000, "Mug")

    def test_a_variant_without_a_sku_is_a_problem_of_its_own(self) -> None:
        body = {
            **self.BODY,
            "variants": [{"price": "1.00", "sku": None}, {"price": "2", "sku": "B"}],
        }
        entries, problems = reading("shopify", body)
        assert [entry.sku for entry in entries] == ["B"]
        assert [problem.field for problem in problems] == ["sku"]


class TestWooCommerce:
    BODY: ClassVar[dict[str, Any]] = {
        "id": 794,
        "sku": "TEE",
        "name": "Premium Tee",
        "regular_price": "21.99",
        "sale_price": "17.99",
        "date_on_sale_from_gmt": "2026-03-01T05:00:00",
        "date_on_sale_to_gmt": "2026-03-07T22:59:59",
        "date_modified_gmt": "2026-02-28T10:00:00",
        "global_unique_id": "",
    }

    def test_a_sale_is_a_promotion_with_its_times_in_utc(self) -> None:
        entry = one("woocommerce", self.BODY)
        assert (entry.sku, entry.price_minor) == ("TEE", 2199)
        assert entry.promotion == StatedPromotion(
            price_minor=1799,
            valid_from=datetime(2026, 3, 1, 5, tzinfo=UTC),
            valid_to=datetime(2026, 3, 7, 22, 59, 59, tzinfo=UTC),
        )
        assert entry.source_time == datetime(2026, 2, 28, 10, tzinfo=UTC)

    def test_an_empty_sale_price_ends_the_sale(self) -> None:
        body = {
            **self.BODY,
            "sale_price": "",
            "date_on_sale_from_gmt": None,
            "date_on_sale_to_gmt": None,
        }
        assert one("woocommerce", body).promotion is None


class TestBigCommerce:
    BODY: ClassVar[dict[str, Any]] = {
        "id": 1,
        "sku": "P",
        "name": "Mug",
        "price": "5.5",
        "sale_price": 0,
        "upc": GTIN,
    }

    def test_a_variant_inherits_what_it_does_not_say(self) -> None:
        variants = [
            {"sku": "P-R", "price": None, "sale_price": None, "option_values": [{"label": "Red"}]},
            {
                "sku": "P-B",
                "price": "7",
                "sale_price": "6.25",
                "option_values": [{"label": "Blue"}],
            },
        ]
        entries, problems = reading("bigcommerce", {**self.BODY, "variants": variants})
        assert problems == []
        assert [(e.sku, e.name, e.price_minor) for e in entries] == [
            ("P-R", "Mug Red", 550),
            ("P-B", "Mug Blue", 700),
        ]
        assert entries[0].promotion is None
        assert isinstance(entries[1].promotion, StatedPromotion)
        assert entries[1].promotion.price_minor == 625

    def test_the_products_sale_is_its_variants(self) -> None:
        body = {**self.BODY, "sale_price": "4.95", "variants": [{"sku": "P", "sale_price": None}]}
        promotion = one("bigcommerce", body).promotion
        assert isinstance(promotion, StatedPromotion)
        assert promotion.price_minor == 495


class TestMagento:
    BODY: ClassVar[dict[str, Any]] = {
        "id": 7,
        "sku": "24-MB01",
        "name": "Bag",
        "price": "34",
        "type_id": "simple",
        "updated_at": "2026-02-28 10:00:00",
        "attributes": {
            "special_price": "29.990000",
            "special_from_date": "2026-03-01",
            "special_to_date": "2026-03-07",
        },
    }

    def test_the_last_day_of_a_special_price_is_whole(self) -> None:
        entry = one("magento", self.BODY)
        assert entry.price_minor == 3400
        assert entry.promotion == StatedPromotion(
            price_minor=2999,
            valid_from=datetime(2026, 2, 28, 23, tzinfo=UTC),  # midnight in Zagreb
            valid_to=datetime(2026, 3, 7, 23, tzinfo=UTC),
        )

    def test_without_one_the_promotion_ends(self) -> None:
        assert one("magento", {**self.BODY, "attributes": {}}).promotion is None

    def test_what_is_sold_only_in_parts_is_passed_over(self) -> None:
        assert reading("magento", {**self.BODY, "type_id": "configurable"}) == ([], [])


class TestOdoo:
    BODY = b"""{"_model": "product.template", "_id": 7, "default_code": "MILK", "barcode": false,
        "name": "Milk", "list_price": 1.29, "write_date": "2026-03-01 06:00:00"}"""

    def test_false_is_nothing(self) -> None:
        entry = one("odoo", self.BODY)
        assert (entry.sku, entry.price_minor, entry.gtins) == ("MILK", 129, KEEP)
        assert entry.source_time == datetime(2026, 3, 1, 6, tzinfo=UTC)

    def test_a_price_that_a_float_has_blurred_is_refused_not_rounded(self) -> None:
        entries, problems = reading("odoo", self.BODY.replace(b"1.29,", b"1.2900000000000003,"))
        assert entries == []
        assert [problem.field for problem in problems] == ["price"]

    def test_a_product_without_a_number_is_a_problem(self) -> None:
        entries, problems = reading("odoo", self.BODY.replace(b'"MILK"', b"false"))
        assert entries == []
        assert [problem.field for problem in problems] == ["sku"]


class TestErpnext:
    BODY: ClassVar[dict[str, Any]] = {
        "item_code": "MILK-1L",
        "price_list": "Standard Selling",
        "price_list_rate": 1.29,
        "valid_from": "2026-03-01",
        "modified": "2026-02-28 11:00:00.123456",
    }

    def test_a_selling_price_holds_from_its_day(self) -> None:
        entry = one("erpnext", self.BODY)
        assert (entry.sku, entry.price_minor) == ("MILK-1L", 129)
        assert entry.valid_from == datetime(2026, 2, 28, 23, tzinfo=UTC)

    @pytest.mark.parametrize("other", [{"price_list": "Standard Buying"}, {"customer": "ACME"}])
    def test_purchase_prices_and_those_of_one_customer_are_passed_over(self, other: Any) -> None:
        assert reading("erpnext", {**self.BODY, **other}) == ([], [])


def test_square_counts_in_cents_and_names_variations_after_their_item() -> None:
    variation = {
        "type": "ITEM_VARIATION",
        "version": 1700000000000,
        "item_variation_data": {
            "name": "Small",
            "sku": "C-S",
            "upc": "012345678905",
            "price_money": {"amount": 315, "currency": "EUR"},
        },
    }
    item = {"type": "ITEM", "item_data": {"name": "Cocoa", "variations": [variation]}}
    entry = one("square", item)
    assert (entry.sku, entry.name, entry.price_minor) == ("C-S", "Cocoa Small", 315)
    assert entry.source_seq == 1700000000000
    assert one("square", {"objects": [item, {"type": "TAX"}]}).name == "Small"


def test_clover_passes_over_items_of_variable_price() -> None:
    items = [
        {"id": "A", "name": "Tea", "sku": "T1", "code": GTIN, "price": 499, "modifiedTime": 5},
        {"id": "B", "name": "Gift", "sku": "G", "price": 0, "priceType": "VARIABLE"},
    ]
    entry = one("clover", {"elements": items})
    assert (entry.sku, entry.price_minor, entry.source_seq) == ("T1", 499, 5)
    assert one("clover", items[0]) == replace(entry, rows=entry.rows, path=entry.path)


def test_loyverse_items_are_read_one_by_one() -> None:
    variant = {
        "sku": "10001",
        "barcode": GTIN,
        "default_price": 2.5,
        "default_pricing_type": "FIXED",
    }
    open_price = {"sku": "10002", "default_pricing_type": "VARIABLE"}
    item = {"item_name": "Latte", "variants": [variant, open_price], "updated_at": None}
    body = json.dumps({"type": "items.update", "items": [item, item]}).encode()
    found = read_event(StoredEvent(kind=HookKind.LOYVERSE, body=body))
    assert isinstance(found, Mapped)
    assert len(found.bodies) == 2
    entry = one("loyverse", found.bodies[0])
    assert (entry.sku, entry.name, entry.price_minor) == ("10001", "Latte", 250)


def test_lightspeed_is_read_out_of_its_form() -> None:
    product = {"sku": "10001", "name": "Pen", "price_including_tax": 2.5, "version": 17}
    form = urlencode({"payload": json.dumps(product), "domain_prefix": "shop"}).encode()
    found = read_event(StoredEvent(kind=HookKind.LIGHTSPEED, body=form))
    assert isinstance(found, Mapped)
    entry = one("lightspeed", found.bodies[0])
    assert (entry.sku, entry.name, entry.price_minor, entry.source_seq) == ("10001", "Pen", 250, 17)


@pytest.mark.parametrize(
    "body",
    [
        {"sku": "4711", "name": "Milk", "price": "1.29"},
        [{"sku": "4711", "name": "Milk", "price": "1.29"}],
        {"items": [{"sku": "4711", "name": "Milk", "price": "1.29"}], "event_id": "e"},
    ],
)
def test_our_own_words_come_in_three_shapes(body: Any) -> None:
    entry = one("own", body)
    assert (entry.sku, entry.name, entry.price_minor, entry.promotion) == (
        "4711",
        "Milk",
        129,
        KEEP,
    )
