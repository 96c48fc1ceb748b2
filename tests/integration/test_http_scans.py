"""Scans over HTTP: what a code stands for, and two of them, in either order, made a pairing."""

from collections.abc import Iterator
from io import BytesIO
from typing import Any

import numpy as np
import pytest
import zxingcpp
from PIL import Image

from renderer.pictures.upload_limits import FILE_LIMIT_BYTES
from tests.running_house import STORE_BODY, RunningHouse, check_problem, running_house

AT = "/api/v1/stores/vrsar"
PAIRED = f"{AT}/scanned-pairings"
BREAD, MILK, TWICE = "3850104087301", "04252614", "4006381333931"


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHouse]:
    with running_house(tmp_path_factory.mktemp("scans") / "data") as running:
        running.done("PUT", AT, STORE_BODY)
        products = [
            {"sku": "4711", "name": "Kruh", "price": "1.29", "gtin": BREAD},
            {"sku": "4712", "name": "Mlijeko", "price": "0.99", "gtin": "042100005264"},
            *(
                {"sku": sku, "name": "Sir", "gtin": TWICE, "price": "2.00"}
                for sku in ("s-1", "s-2")
            ),
            {"sku": "l-2", "name": "Called as a label", "price": "1.00"},
        ]
        running.done("POST", f"{AT}/products", products)
        labels = [{"label": x, "panel": "bwry-296x128"} for x in ("l-1", "l-2", "l-3", "l-4", "77")]
        running.done("POST", f"{AT}/labels", labels)
        yield running


def scan(house: RunningHouse, text: str) -> dict[str, Any]:
    return dict(house.done("GET", f"{AT}/scans", text=text))


@pytest.mark.parametrize(
    ("text", "kind", "what"),
    [
        (BREAD, "product", "4711"),
        (f"]E0{BREAD}", "product", "4711"),
        (f"https://id.gs1.org/01/0{BREAD}", "product", "4711"),
        (MILK, "product", "4712"),
        ("4711", "product", "4711"),
        ("L-1", "label", "l-1"),
        ("77", "label", "77"),
        ("https://shop.example/?label=l-1&product=4711", "label", "l-1"),
        ("3850104087302", "unknown", None),
        ("nobody", "unknown", None),
    ],
)
def test_what_a_code_stands_for(
    house: RunningHouse, text: str, kind: str, what: str | None
) -> None:
    found = scan(house, text)
    assert found["kind"] == kind
    skus = [one["sku"] for one in found["products"]]
    assert what == (found["label"]["label"] if found["label"] else skus[0] if skus else None)


def test_many_texts_are_looked_up_at_once_each_in_its_place(house: RunningHouse) -> None:
    texts = [BREAD, "nobody", "L-1", MILK, TWICE, BREAD]
    found = house.done("POST", f"{AT}/scans", {"texts": texts})["scans"]
    assert [one["kind"] for one in found] == [
        *("product", "unknown", "label", "product", "product", "product")
    ]
    assert found == [scan(house, text) for text in texts]
    bad = house.ask("POST", f"{AT}/scans", json={"texts": ["4711", " ", 7]})
    check_problem(bad, 422, "/texts/1", "/texts/2")
    check_problem(house.ask("POST", f"{AT}/scans", json={"texts": []}), 422, "/texts")
    check_problem(house.ask("POST", f"{AT}/scans", json={"texts": ["1"] * 5001}), 422, "/texts")


def test_two_scans_in_either_order(house: RunningHouse) -> None:
    done = house.done("POST", PAIRED, {"scans": ["l-1", BREAD]})
    assert (done["label"], done["sku"], done["name"], done["place"]) == (
        "l-1",
        "4711",
        "Kruh",
        None,
    )
    step = house.done("GET", f"{AT}/pairing-steps/{done['step']}")
    assert (step["label"], step["after"]["skus"]) == ("l-1", ["4711"])
    other = house.done("POST", PAIRED, {"scans": [MILK, "L-1"]})
    assert (other["label"], other["sku"]) == ("l-1", "4712")
    house.done("POST", f"{AT}/pairing-steps/{other['step']}/undo")
    assert scan(house, "l-1")["label"]["skus"] == ["4711"]


def test_the_shelf_where_one_stands_goes_with_it(house: RunningHouse) -> None:
    house.done("POST", f"{AT}/places", {"rows": [{"place": "3/2", "code": "SHELF-3-2"}]})
    assert scan(house, "SHELF-3-2") == {
        "kind": "place",
        "label": None,
        "products": [],
        "place": "3/2",
    }
    assert house.done("GET", f"{AT}/shelf-codes") == {
        "shelf_codes": [{"code": "SHELF-3-2", "place": "3/2"}],
        "after": None,
    }
    assert house.done("GET", f"{AT}/shelf-codes?limit=1")["after"] == "SHELF-3-2"
    assert house.done("GET", f"{AT}/shelf-codes?after=SHELF-3-2")["shelf_codes"] == []
    house.done("PUT", f"{AT}/current-place", {"code": "SHELF-3-2"})
    assert house.done("POST", PAIRED, {"scans": ["l-3", BREAD]})["place"] == "3/2"
    house.done("PUT", f"{AT}/current-place", {})


def test_a_pairing_that_is_sent_again_is_done_once(house: RunningHouse) -> None:
    headers = {"Idempotency-Key": "a-scan-7"}
    first = house.ask("POST", PAIRED, json={"scans": ["l-4", BREAD]}, headers=headers)
    again = house.ask("POST", PAIRED, json={"scans": ["l-4", BREAD]}, headers=headers)
    assert first.json() == again.json()
    assert len(house.done("GET", f"{AT}/pairing-steps?label=l-4")["steps"]) == 1


@pytest.mark.parametrize(
    ("scans", "pointer", "detail"),
    [
        (["l-1", "77"], "/scans", "both are labels"),
        ([BREAD, "4712"], "/scans", "both are products"),
        (["l-1", "nobody"], "/scans/1", "knows neither a label nor a product by 'nobody'"),
        (["3850104087302", BREAD], "/scans/0", "knows neither"),
        (["l-2", "l-2"], "/scans", "each may be the label and each the product"),
        (["l-1"], "/scans", "not a list of two texts"),
        (["l-1", 7], "/scans/1", "not a text"),
        (["l-1", " "], "/scans/1", "nothing that a code holds"),
    ],
)
def test_what_makes_no_pair_is_said(
    house: RunningHouse, scans: list[Any], pointer: str, detail: str
) -> None:
    before = house.done("GET", f"{AT}/pairing-steps")
    problem = check_problem(house.ask("POST", PAIRED, json={"scans": scans}), 422)
    assert problem["errors"][0]["pointer"] == pointer
    assert detail in problem["errors"][0]["detail"]
    assert house.done("GET", f"{AT}/pairing-steps") == before


def test_one_code_of_several_products_is_asked_about(house: RunningHouse) -> None:
    problem = check_problem(house.ask("POST", PAIRED, json={"scans": ["l-3", TWICE]}), 422)
    assert "s-1, s-2" in problem["errors"][0]["detail"]
    assert house.done("POST", PAIRED, {"scans": ["l-3", "s-2"]})["sku"] == "s-2"


def test_a_label_of_another_store_is_unknown_here(house: RunningHouse) -> None:
    house.done("PUT", "/api/v1/stores/pula", STORE_BODY)
    assert house.done("GET", "/api/v1/stores/pula/scans", text="l-1")["kind"] == "unknown"


def test_codes_in_a_photo(house: RunningHouse) -> None:
    drawn = zxingcpp.create_barcode(BREAD, zxingcpp.BarcodeFormat.EAN13)
    code = Image.fromarray(np.array(zxingcpp.write_barcode_to_image(drawn, scale=3)))
    photo, out = Image.new("L", (900, 700), 180), BytesIO()
    photo.paste(code, (250, 250))
    photo.save(out, "JPEG")
    at = f"{AT}/photographed-codes"
    answer = house.ask("POST", at, content=out.getvalue())
    assert answer.json() == {"codes": [{"text": BREAD, "symbol": "EAN13"}]}
    for content in (b"", b"no photo"):
        check_problem(house.ask("POST", at, content=content), 422)
    check_problem(house.ask("POST", at, content=b"0" * (FILE_LIMIT_BYTES + 1)), 413)
