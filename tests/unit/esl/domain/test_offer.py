from typing import Any
from urllib.parse import unquote

import pytest

from esl.domain.face import Face, Multibuy, Unit
from esl.domain.ids import LabelId
from esl.domain.law.profile_file import load_profile
from esl.domain.offer import face_for
from esl.domain.pricing import CurrentPrice
from esl.domain.product import NetContent, Product
from tests.builders import STORE, a_product

GTIN = "9520123456788"


def face(
    product: Product | None = None,
    *,
    link_base: str | None = None,
    shop_pattern: str | None = None,
    **price: Any,
) -> Face:
    fields: dict[str, Any] = {
        "store_id": STORE,
        "sku": "sku-0",
        "price_minor": 129,
        "currency": "EUR",
        "was_minor": None,
        "unit_price_minor": None,
        "badge": None,
        "rev": 1,
    }
    return face_for(
        product or a_product(),
        CurrentPrice(**(fields | price)),
        profile=load_profile("hr"),
        locale="hr_HR",
        link_base=link_base,
        shop_pattern=shop_pattern,
        label_id=LabelId("a1-0001"),
    )


def test_a_face_says_what_product_and_price_say() -> None:
    product = a_product(
        brand="Dukat",
        gtin=GTIN,
        net_content=NetContent(milli=80, unit=Unit.KILOGRAM),
        category="mliječni",
        origin="Hrvatska",
        stock=12,
        deposit_minor=10,
    )
    assert face(product, was_minor=179, badge="AKCIJA") == Face(
        name="Jogurt sku-0",
        brand="Dukat",
        price_minor=129,
        currency="EUR",
        locale="hr_HR",
        was_minor=179,
        unit_price_minor=1613,
        unit=Unit.KILOGRAM,
        net_content="80 g",
        badge="AKCIJA",
        deposit_minor=10,
        category="mliječni",
        origin="Hrvatska",
        stock=12,
        sku="sku-0",
        gtin=GTIN,
        link=f"HTTPS://ID.GS1.ORG/01/0{GTIN}",
        link_may_be_left_out=True,
    )


@pytest.mark.parametrize(("was", "shown"), [(None, None), (100, None), (129, None), (130, 130)])
def test_an_old_price_is_shown_only_above_the_price(was: int | None, shown: int | None) -> None:
    assert face(was_minor=was).was_minor == shown


def test_a_unit_price_that_was_sent_goes_before_the_computed_one() -> None:
    product = a_product(net_content=NetContent(milli=500, unit=Unit.KILOGRAM))
    assert face(product, unit_price_minor=999).unit_price_minor == 999
    assert face(product).unit_price_minor == 258


@pytest.mark.parametrize("sent", [None, 129])
def test_a_unit_price_that_repeats_the_price_is_left_out(sent: int | None) -> None:
    said = face(
        a_product(net_content=NetContent(milli=1000, unit=Unit.LITRE)), unit_price_minor=sent
    )
    assert (said.unit_price_minor, said.unit) == (None, None)
    assert said.net_content == "1 l"


def test_goods_sold_by_weight_have_no_second_unit_price() -> None:
    product = a_product(
        priced_per=Unit.KILOGRAM, net_content=NetContent(milli=200, unit=Unit.KILOGRAM)
    )
    said = face(product, unit_price_minor=645)
    assert said.priced_per is Unit.KILOGRAM
    assert (said.unit_price_minor, said.unit) == (None, None)


def test_a_unit_price_without_a_content_has_no_unit_and_is_left_out() -> None:
    said = face(unit_price_minor=645)
    assert (said.unit_price_minor, said.unit, said.net_content) == (None, None, None)


@pytest.mark.parametrize(
    ("changes", "link_base", "link"),
    [
        ({}, None, None),
        ({}, "https://shop.example", "https://shop.example/P/sku-0"),
        ({"gtin": GTIN}, None, f"HTTPS://ID.GS1.ORG/01/0{GTIN}"),
        ({"gtin": GTIN}, "https://shop.example", f"HTTPS://SHOP.EXAMPLE/01/0{GTIN}"),
        ({"gtin": GTIN, "link": "https://a.example/x"}, "https://shop.example", None),
    ],
)
def test_the_qr_code_leads_to_the_nearest_page(
    changes: dict[str, str], link_base: str | None, link: str | None
) -> None:
    assert face(a_product(**changes), link_base=link_base).link == (link or changes.get("link"))


@pytest.mark.parametrize(
    ("changes", "pattern", "link"),
    [
        ({"gtin": GTIN}, "{gtin}?s={store}&l={label}", f"0{GTIN}?s={STORE}&l=a1-0001"),
        ({}, "{sku}", "sku-0"),
        ({"gtin": GTIN, "link": "https://a.example/x"}, "{gtin}", "https://a.example/x"),
        ({}, "{gtin}", "https://base.example/P/sku-0"),  # it has none
        ({"sku": "ж" * 64, "gtin": GTIN}, "{sku}", f"HTTPS://BASE.EXAMPLE/01/0{GTIN}"),
    ],
)
def test_the_stores_pattern_comes_before_the_digital_link(
    changes: dict[str, str], pattern: str, link: str
) -> None:
    shop = "https://shop.example/"
    said = face(a_product(**changes), link_base="https://base.example", shop_pattern=shop + pattern)
    assert said.link in (link, shop + link)
    assert said.link_may_be_left_out is ("link" not in changes)


@pytest.mark.parametrize("sku", ["a b", "A/1 #2?x=%41", "čokolada", "a\\b&c", "1234567890"])
def test_a_sku_stands_in_the_link_as_one_step_of_its_path(sku: str) -> None:
    link = face(a_product(sku), link_base="https://shop.example").link
    assert link is not None
    start, step = link.rsplit("/", 1)
    assert start == "https://shop.example/P"
    assert set(step) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~%")
    assert unquote(step) == sku


def test_a_members_price_is_said_with_whose_it_is_and_without_it_nothing_is() -> None:
    said = face(member_minor=99, member_condition="Plava kartica")
    assert (said.member_price_minor, said.member_condition) == (99, "Plava kartica")
    dear = face(member_minor=129, member_condition="Plava kartica")
    assert (dear.member_price_minor, dear.member_condition) == (None, None)


def test_three_for_two_is_said_so_with_its_own_unit_price() -> None:
    pack = a_product(net_content=NetContent(milli=400, unit=Unit.KILOGRAM))
    three = {"multibuy_quantity": 3, "multibuy_minor": 258, "multibuy_pay_for": 2}
    # Of three packs 1.2 kg cost 2.58: 2.15 a kilogram, beside 3.23 of one (Directive 98/6/EC).
    assert face(pack, **three).multibuy == Multibuy(
        quantity=3, total_minor=258, pay_for=2, unit_price_minor=215
    )
    assert face(pack).unit_price_minor == 323


def test_a_total_that_is_not_of_two_prices_is_not_called_three_for_two() -> None:
    stale = face(multibuy_quantity=3, multibuy_minor=250, multibuy_pay_for=2).multibuy
    assert stale == Multibuy(quantity=3, total_minor=250)


def test_where_one_needs_no_unit_price_several_have_none_either() -> None:
    kilogram = a_product(net_content=NetContent(milli=1000, unit=Unit.KILOGRAM))
    said = face(kilogram, multibuy_quantity=2, multibuy_minor=200)
    assert (said.unit, said.multibuy) == (None, Multibuy(quantity=2, total_minor=200))
