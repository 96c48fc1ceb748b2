"""A face as JSON is read whole and strictly, or refused with the place and a fix."""

from datetime import date
from typing import Any

import pytest

from esl.domain.errors import InvalidInput
from esl.domain.face import Face, Multibuy, OfferKind, ReferenceKind, ReferencePrice, Unit
from esl.intake.face_json import parse_face
from esl.intake.strict_json import JsonFraction

LEAST = {"name": "Jogurt", "price": "1.29", "currency": "EUR"}
GTIN = "3850139171587"


def test_name_price_and_currency_are_enough() -> None:
    assert parse_face(LEAST) == Face(
        name="Jogurt", price_minor=129, currency="EUR", locale="en", link_may_be_left_out=True
    )


def test_every_field_is_read() -> None:
    face = parse_face(
        LEAST
        | {
            "brand": "Dukat",
            "was": "1.69",
            "unit_price": "3.23",
            "unit": "kg",
            "priced_per": "kg",
            "net_content": "400 g",
            "badge": "AKCIJA",
            "valid_to": "2026-12-31",
            "member_price": "0.99",
            "member_condition": "Plava kartica",
            "multibuy": {"quantity": 3, "pay_for": 2, "unit_price": "2.15"},
            "deposit": "0.25",
            "reference_prices": [
                {"kind": "lowest_30d", "amount": "1.19", "wording": "najniža cijena"},
                {"kind": "rrp", "amount": "1.99"},
            ],
            "category": "Mliječno",
            "origin": "Hrvatska",
            "stock": -2,
            "sku": "4711",
            "gtin": GTIN,
            "link": "https://shop.example/p",
            "locale": "hr-HR",
        }
    )
    assert face == Face(
        name="Jogurt",
        brand="Dukat",
        price_minor=129,
        currency="EUR",
        locale="hr_HR",
        priced_per=Unit.KILOGRAM,
        was_minor=169,
        unit_price_minor=323,
        unit=Unit.KILOGRAM,
        net_content="400 g",
        badge="AKCIJA",
        valid_to=date(2026, 12, 31),
        member_price_minor=99,
        member_condition="Plava kartica",
        multibuy=Multibuy(quantity=3, total_minor=258, pay_for=2, unit_price_minor=215),
        deposit_minor=25,
        reference_prices=(
            ReferencePrice(kind=ReferenceKind.LOWEST_30D, minor=119, wording="najniža cijena"),
            ReferencePrice(kind=ReferenceKind.RRP, minor=199),
        ),
        category="Mliječno",
        origin="Hrvatska",
        stock=-2,
        sku="4711",
        gtin=GTIN,
        link="https://shop.example/p",
    )


def test_without_a_link_the_code_leads_to_the_products_digital_link() -> None:
    face = parse_face(LEAST | {"gtin": GTIN})
    assert face.link == "HTTPS://ID.GS1.ORG/01/03850139171587"
    assert face.link_may_be_left_out
    assert parse_face(LEAST | {"gtin": GTIN, "link": None}).link is None


def test_a_face_without_a_price_is_neutral() -> None:
    face = parse_face(LEAST | {"price": None})
    assert face.price_minor is None
    assert face.kind is OfferKind.NONE


def test_two_pieces_may_have_a_price_together() -> None:
    face = parse_face(LEAST | {"multibuy": {"quantity": 2, "total": "2.00"}})
    assert face.multibuy == Multibuy(quantity=2, total_minor=200)


def test_further_products_take_currency_and_locale_from_the_first() -> None:
    other = {"name": "Kefir", "price": "0.99", "was": "1.09"}
    face = parse_face(LEAST | {"locale": "hr_HR", "products": [other, other | {"locale": "en"}]})
    assert [(f.name, f.currency, f.locale) for f in face.others] == [
        ("Kefir", "EUR", "hr_HR"),
        ("Kefir", "EUR", "en"),
    ]


def test_amounts_follow_the_currency() -> None:
    assert parse_face(LEAST | {"currency": "JPY", "price": "129"}).price_minor == 129
    assert parse_face(LEAST | {"currency": "KWD", "price": "1.295"}).price_minor == 1295


@pytest.mark.parametrize(
    ("change", "path", "detail"),
    [
        ({"price": 1.29}, "/price", "not a string"),
        ({"price": JsonFraction("1.29")}, "/price", "a number, and a string is wanted"),
        ({"price": "1,29"}, "/price", "not a price"),
        ({"price": "1.295"}, "/price", "3 decimals, and EUR has 2"),
        ({"currency": "EURO"}, "/currency", "not a known ISO 4217"),
        ({"name": ""}, "/name", "empty"),
        ({"name": "a\ue000b"}, "/name", "private"),
        ({"gtin": "3850139171588"}, "/gtin", "check digit"),
        ({"link": "http://shop.example"}, "/link", "https"),
        ({"was": "1.29"}, "/was", "not above the price"),
        ({"member_price": "1.29"}, "/member_price", "not below the price"),
        ({"member_condition": "Gold"}, "/member_condition", "without a member_price"),
        (
            {"multibuy": {"quantity": 2, "total": "2.00", "unit_price": "1"}},
            "/multibuy/unit_price",
            "without a unit",
        ),
        ({"price": None, "was": "1.69"}, "/was", "without a price"),
        ({"price": None, "multibuy": {"quantity": 3, "pay_for": 2}}, "/multibuy", "without"),
        ({"unit_price": "3.23"}, "/unit", "belong together"),
        ({"unit": "kg"}, "/unit_price", "belong together"),
        ({"unit_price": "3.23", "unit": "lb"}, "/unit", "not a unit"),
        ({"valid_to": "31.12.2026"}, "/valid_to", "not a day"),
        ({"valid_to": "2026-02-30"}, "/valid_to", "not a day"),
        ({"stock": "4"}, "/stock", "not an integer"),
        ({"locale": "German"}, "/locale", "not a locale"),
        ({"multibuy": 3}, "/multibuy", "not a JSON object"),
        ({"multibuy": {"quantity": 1, "total": "1"}}, "/multibuy/quantity", "not within 2"),
        ({"multibuy": {"total": "1"}}, "/multibuy/quantity", "missing"),
        ({"multibuy": {"quantity": 2}}, "/multibuy", "either total or pay_for"),
        ({"multibuy": {"quantity": 2, "total": "1", "pay_for": 1}}, "/multibuy", "either total"),
        ({"multibuy": {"quantity": 2, "pay_for": 2}}, "/multibuy/pay_for", "not below"),
        ({"multibuy": {"quantity": 2, "total": "2.58"}}, "/multibuy", "not below"),
        ({"multibuy": {"quantity": 2, "total": "1", "x": 1}}, "/multibuy/x", "unknown field"),
        ({"reference_prices": {}}, "/reference_prices", "not a list"),
        ({"reference_prices": [{"kind": "best"}]}, "/reference_prices/0/kind", "not a kind"),
        (
            {"reference_prices": [{"kind": "rrp", "amount": "2"}] * 2},
            "/reference_prices/1/kind",
            "twice",
        ),
        ({"products": "two"}, "/products", "not a list"),
        ({"products": [{"name": "x"}]}, "/products/0/price", "missing"),
        (
            {"products": [{"name": "x", "price": "1", "products": []}]},
            "/products/0/products",
            "unknown field",
        ),
        ({"prise": "1"}, "/prise", "unknown field"),
    ],
)
def test_what_is_wrong_is_named_with_its_place(
    change: dict[str, Any], path: str, detail: str
) -> None:
    with pytest.raises(InvalidInput) as caught:
        parse_face(LEAST | change)
    told = {problem.path: problem.detail for problem in caught.value.problems}
    assert detail in told.get(path, f"nothing at {path}: {told}")


def test_every_problem_is_told_at_once_and_none_follows_from_another() -> None:
    with pytest.raises(InvalidInput) as caught:
        parse_face(
            {"name": 3, "price": "x", "currency": "EUR", "was": "2", "colour": "red"},
            path="/sample",
        )
    assert {p.path for p in caught.value.problems} == {
        "/sample/name",
        "/sample/price",
        "/sample/colour",
    }
    with pytest.raises(InvalidInput) as caught:
        parse_face({"name": "x", "price": "1", "currency": "??", "was": "2"})
    assert [p.path for p in caught.value.problems] == ["/currency"]


@pytest.mark.parametrize("value", [None, [], "face", 3])
def test_only_an_object_is_a_face(value: object) -> None:
    with pytest.raises(InvalidInput, match="not a JSON object"):
        parse_face(value)


def test_a_missing_price_is_asked_for() -> None:
    with pytest.raises(InvalidInput) as caught:
        parse_face({"name": "x", "currency": "EUR"})
    [problem] = caught.value.problems
    assert (problem.path, problem.detail) == ("/price", "missing")
    assert "null" in (problem.fix or "")


def test_a_unit_price_below_one_may_have_a_decimal_more_and_a_label_of_its_own() -> None:
    face = parse_face(LEAST | {"unit_price": "0.253", "unit": "kg", "unit_label": "lb"})
    assert (face.unit_price_minor, face.unit_price_tenths, face.unit_label) == (25, 253, "lb")
    assert parse_face(LEAST | {"unit_price": "0.25", "unit": "kg"}).unit_price_tenths is None


@pytest.mark.parametrize(
    ("wrong", "path"),
    [
        ({"unit_price": "1.253", "unit": "kg"}, "/unit_price"),  # it may mean 1,253
        ({"unit_price": "0.2534", "unit": "kg"}, "/unit_price"),
        ({"unit_price": "0.000", "unit": "kg"}, "/unit_price"),
        ({"unit_label": "lb"}, "/unit_label"),
        ({"unit_price": "0.25", "unit": "kg", "unit_label": "x" * 21}, "/unit_label"),
        ({"unit_price": "0.25", "unit": "kg", "unit_label": 5}, "/unit_label"),
    ],
)
def test_a_unit_price_that_could_mean_something_else_is_refused(
    wrong: dict[str, Any], path: str
) -> None:
    with pytest.raises(InvalidInput) as caught:
        parse_face(LEAST | wrong)
    assert path in [problem.path for problem in caught.value.problems]
