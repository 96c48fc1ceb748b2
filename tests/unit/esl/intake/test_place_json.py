from typing import Any

import pytest

from esl.domain.errors import InvalidInput
from esl.domain.ids import LabelId
from esl.domain.place import NewLabel, Pairing
from esl.intake.place_json import parse_new_labels, parse_pairing, parse_store
from tests.builders import GATEWAY, PANEL, STORE, a_store
from tests.panels import PANELS

GOOD_STORE = {
    "name": "Trgovina",
    "currency": "EUR",
    "locale": "hr_HR",
    "timezone": "Europe/Zagreb",
}
GOOD_LABEL = {"label": "label-0000", "panel": PANEL}


def problems_of(parse: Any) -> list[tuple[str, str]]:
    with pytest.raises(InvalidInput) as refused:
        parse()
    return [(p.path, p.detail) for p in refused.value.problems]


def test_a_store_is_read() -> None:
    assert parse_store(GOOD_STORE, store_id=STORE) == a_store()
    based = GOOD_STORE | {"link_base": "https://shop.example:8443"}
    assert parse_store(based, store_id=STORE) == a_store(link_base="https://shop.example:8443")
    assert parse_store(GOOD_STORE | {"link_base": None}, store_id=STORE) == a_store()
    pattern = "https://shop.example/p/{gtin}?store={store}&label={label}"
    told = parse_store(GOOD_STORE | {"shop_link": pattern}, store_id=STORE)
    assert told == a_store(shop_link=pattern)
    assert parse_store(GOOD_STORE | {"shop_link": None}, store_id=STORE) == a_store()
    for percent in (0, 100):
        told = parse_store(GOOD_STORE | {"read_back_percent": percent}, store_id=STORE)
        assert told.read_back_percent == percent
    assert parse_store(GOOD_STORE, store_id=STORE).read_back_percent == 1


@pytest.mark.parametrize(
    "locale", ["hr_HR", "de", "sr_Latn_RS", "zh_Hant", "fil_PH", "no_NO", "iw_IL", "en_HR"]
)
def test_a_locale_is_language_script_and_country(locale: str) -> None:
    assert parse_store(GOOD_STORE | {"locale": locale}, store_id=STORE).locale == locale


@pytest.mark.parametrize(
    ("changes", "name", "detail"),
    [
        ({"name": None}, "name", "null, and a value is needed"),
        ({"name": "x" * 121}, "name", "longer than 120 characters"),
        ({"currency": "eur"}, "currency", "not a known ISO 4217 currency code"),
        ({"currency": "XXX"}, "currency", "not a known ISO 4217 currency code"),
        ({"currency": 978}, "currency", "a number, and a string is wanted"),
        ({"locale": "hr-HR"}, "locale", "not a locale"),
        ({"locale": "HR"}, "locale", "not a locale"),
        ({"locale": "hr_HR.UTF-8"}, "locale", "not a locale"),
        ({"locale": "../etc"}, "locale", "not a locale"),
        ({"locale": "xx_HR"}, "locale", "no language is known as 'xx'"),
        ({"timezone": "Europe/Atlantis"}, "timezone", "not a known time zone"),
        ({"timezone": "../../etc/passwd"}, "timezone", "not a known time zone"),
        ({"timezone": "/etc/localtime"}, "timezone", "not a known time zone"),
        ({"timezone": "Europe"}, "timezone", "not a known time zone"),
        ({"timezone": ""}, "timezone", "not a known time zone"),
        ({"timezone": "a\0b"}, "timezone", "not a known time zone"),
        ({"timezone": "x" * 300}, "timezone", "not a known time zone"),
        ({"link_base": "http://a"}, "link_base", "not the start of an https address"),
        ({"read_back_percent": 101}, "read_back_percent", "not within 0 to 100"),
        ({"read_back_percent": "1"}, "read_back_percent", "not an integer"),
        ({"link_base": "https://a/"}, "link_base", "not the start of an https address"),
        ({"link_base": "https://a b"}, "link_base", "not the start of an https address"),
        ({"shop_link": "ftp://a.example"}, "shop_link", "not an http or https address"),
        ({"shop_link": "https://a/{ean}"}, "shop_link", "unknown placeholder {ean}"),
        ({"shop_link": "https://a/\0"}, "shop_link", "a character that no address may have"),
        ({"shop_link": "https://a/" + "x" * 200}, "shop_link", "longer than 200 characters"),
        ({"shop_link": ""}, "shop_link", "not an http or https address"),
        ({"shop_link": 5}, "shop_link", "a number, and a string is wanted"),
        ({"vat": "25"}, "vat", "unknown field"),
    ],
)
def test_a_bad_field_of_a_store_is_named(
    changes: dict[str, object], name: str, detail: str
) -> None:
    found = problems_of(lambda: parse_store(GOOD_STORE | changes, store_id=STORE))
    assert found == [(f"/{name}", detail)]


@pytest.mark.parametrize("name", list(GOOD_STORE))
def test_a_store_without_a_needed_field_is_refused(name: str) -> None:
    value = {k: v for k, v in GOOD_STORE.items() if k != name}
    assert problems_of(lambda: parse_store(value, store_id=STORE)) == [(f"/{name}", "missing")]


def test_a_label_is_read() -> None:
    new = NewLabel(label_id=LabelId("label-0000"), store_id=STORE, panel_id=PANEL)
    assert parse_new_labels(GOOD_LABEL, store_id=STORE, panels=PANELS) == [new]
    assert parse_new_labels([GOOD_LABEL], store_id=STORE, panels=PANELS) == [new]
    [with_gateway] = parse_new_labels(
        GOOD_LABEL | {"gateway": GATEWAY}, store_id=STORE, panels=PANELS
    )
    assert with_gateway.gateway_id == GATEWAY


def test_a_label_named_twice_is_refused_where_it_stands_again() -> None:
    other = GOOD_LABEL | {"label": "label-0001"}
    found = problems_of(
        lambda: parse_new_labels([GOOD_LABEL, other, GOOD_LABEL], store_id=STORE, panels=PANELS)
    )
    assert found == [("/2/label", "the same label twice")]


@pytest.mark.parametrize(
    ("changes", "name", "detail"),
    [
        ({"label": "Label 1"}, "label", "not a valid label id"),
        ({"label": None}, "label", "null, and a value is needed"),
        ({"panel": "bwry-1x1"}, "panel", "not a known panel model"),
        ({"panel": 5}, "panel", "a number, and a string is wanted"),
        ({"gateway": "gw/1"}, "gateway", "not a valid gateway id"),
        ({"sku": "x"}, "sku", "unknown field"),
    ],
)
def test_a_bad_field_of_a_label_is_named(
    changes: dict[str, object], name: str, detail: str
) -> None:
    bad = GOOD_LABEL | changes
    assert problems_of(lambda: parse_new_labels(bad, store_id=STORE, panels=PANELS)) == [
        (f"/{name}", detail)
    ]
    good = [GOOD_LABEL | {"label": f"label-{n}"} for n in range(5)]
    found = problems_of(lambda: parse_new_labels([*good, bad], store_id=STORE, panels=PANELS))
    assert found == [(f"/5/{name}", detail)]


def test_a_misspelt_panel_gets_those_spelt_like_it() -> None:
    with pytest.raises(InvalidInput) as refused:
        parse_new_labels(GOOD_LABEL | {"panel": "bwry-296-128"}, store_id=STORE, panels=PANELS)
    [problem] = refused.value.problems
    assert "bwry-296x128" in str(problem.fix)
    assert "bwry-296-128" not in f"{problem.detail} {problem.fix}", "input is not repeated"


def test_a_pairing_is_read_and_the_url_may_name_the_label() -> None:
    pair = Pairing(label_id=LabelId("label-0000"), sku="4711")  # type: ignore[arg-type]
    assert parse_pairing({"label": "label-0000", "sku": "4711"}, "/0") == pair
    assert parse_pairing({"sku": "4711"}, "", label_id=LabelId("label-0000")) == pair


@pytest.mark.parametrize(
    ("value", "label_id", "found"),
    [
        ({"label": "L", "sku": "1"}, None, [("/0/label", "not a valid label id")]),
        ({"sku": "1"}, None, [("/0/label", "missing")]),
        ({"label": "l"}, None, [("/0/sku", "missing")]),
        ({"label": "l", "sku": ""}, None, [("/0/sku", "not a valid SKU")]),
        ({"label": "l", "sku": "1"}, "l", [("/0/label", "unknown field")]),
        ({"label": "l", "sku": "1", "x": 1}, None, [("/0/x", "unknown field")]),
    ],
)
def test_a_bad_field_of_a_pairing_is_named(
    value: dict[str, object], label_id: str | None, found: list[tuple[str, str]]
) -> None:
    own = LabelId(label_id) if label_id else None
    assert problems_of(lambda: parse_pairing(value, "/0", label_id=own)) == found
