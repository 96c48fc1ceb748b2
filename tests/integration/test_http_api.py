"""What each endpoint does when all is well, and how it refuses what cannot be."""

import asyncio
import io
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from PIL import Image

from api.client import Client
from api.demo import sample_shop
from api.demo.shop import Demo
from api.schemas import face_from
from gateway.wire.enrolment import from_json
from renderer.preview import png_bytes
from renderer.render import Renderer
from tests.builders import the_gallery
from tests.panels import PANELS
from tests.running_house import (
    STORE_BODY,
    RunningHouse,
    check_headers,
    check_problem,
    running_house,
)
from tests.shelf import places_for, until_settled
from tests.unit.renderer.pixels import scanned_frame

pytest_plugins = ["tests.shop_over_http"]

STORE = "/api/v1/stores/main"
CHANGES = f"{STORE}/price-changes"
LINK = "https://shop.example/{sku}?s={store}&l={label}"


def _product(shop: RunningHouse, sku: str) -> dict[str, Any]:
    product: dict[str, Any] = shop.done("GET", f"{STORE}/products/{quote(sku, safe='')}")
    return product


# ── Stores ─────────────────────────────────────────────────────────────────────────────────


def test_a_store_is_put_listed_and_changed(shop: RunningHouse) -> None:
    body = STORE_BODY | {"link_base": "https://shop.example", "read_back_percent": 5}
    assert shop.done("PUT", "/api/v1/stores/rovinj", body)["name"] == "Vrsar"
    shop.done("PUT", "/api/v1/stores/rovinj", body | {"name": "Rovinj"})
    stores = {s["store_id"]: s for s in shop.done("GET", "/api/v1/stores")["stores"]}
    told = {"store_id": "rovinj", "name": "Rovinj", "shop_link": None, "law": None, "law_goods": {}}
    assert stores["rovinj"] | {"guards": body["guards"]} == body | told
    assert shop.done("PUT", "/api/v1/stores/rovinj", STORE_BODY)["read_back_percent"] == 1


def test_a_labels_qr_code_leads_where_its_store_says(shop: RunningHouse) -> None:
    pattern = "https://shop.example/p/{sku}?store={store}&label={label}"
    shop.done("PUT", STORE, STORE_BODY | {"shop_link": pattern})
    label = shop.done("GET", "/api/v1/labels/l-1")
    assert label["face"]["link"] == "https://shop.example/p/1001?store=main&label=l-1"
    answer = shop.ask("PUT", STORE, json=STORE_BODY | {"shop_link": "https://shop.example/{ean}"})
    problem = check_problem(answer, 422, "/shop_link")
    assert "{gtin}" in problem["fix"]
    shop.done("PUT", STORE, STORE_BODY)
    assert shop.done("GET", "/api/v1/labels/l-1")["face"]["link"] is None


def test_the_currency_of_a_store_with_prices_stays(shop: RunningHouse) -> None:
    before = shop.everything_stored()
    answer = shop.ask("PUT", STORE, json=STORE_BODY | {"currency": "HUF"})
    problem = check_problem(answer, 409)
    assert "EUR" in problem["detail"]
    assert shop.everything_stored() == before
    changed = {"name": "Poreč", "currency": "EUR", "locale": "it_IT", "timezone": "Europe/Rome"}
    assert shop.done("PUT", STORE, changed)["locale"] == "it_IT"
    shop.done("PUT", STORE, STORE_BODY)


def test_the_currency_of_a_store_without_prices_may_change(shop: RunningHouse) -> None:
    for currency in ("EUR", "HUF", "JPY"):
        shop.done("PUT", "/api/v1/stores/empty", STORE_BODY | {"currency": currency})
    shop.done("PUT", "/api/v1/stores/empty/products/1", {"name": "no price yet"})
    shop.done("PUT", "/api/v1/stores/empty", STORE_BODY | {"currency": "KWD"})


@pytest.mark.parametrize(
    ("currency", "good", "bad"), [("JPY", "129", "129.0"), ("KWD", "1.295", "1.2950")]
)
def test_prices_have_their_currencys_decimals(
    shop: RunningHouse, currency: str, good: str, bad: str
) -> None:
    store = f"/api/v1/stores/{currency.lower()}"
    shop.done("PUT", store, STORE_BODY | {"currency": currency})
    shop.done("PUT", f"{store}/products/1", {"name": "x", "price": good})
    assert shop.done("GET", f"{store}/products/1")["price"] == good
    body = {"sku": "1", "price": bad}
    check_problem(shop.ask("POST", f"{store}/price-changes", json=body), 422, "/price")


# ── Products ───────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "sku",
    [
        "a b",
        "ČŠŽ-9",
        "50%",
        "a+b",
        "a?b#c",
        "a/b",
        "/",
        "..",
        "%2F",
        "🥖",
        "'",
        '"',
        "a\\b",
        "x" * 64,
    ],
)
def test_a_sku_of_any_printable_characters_is_reached_by_its_address(
    shop: RunningHouse, sku: str
) -> None:
    path = f"{STORE}/products/{quote(sku, safe='')}"
    if sku == "..":
        path = f"{STORE}/products/%2E%2E"
    put = shop.done("PUT", path, {"name": "Odd", "price": "2.50"})
    assert put["sku"] == sku
    got = shop.done("GET", path)
    assert (got["sku"], got["price"]) == (sku, "2.50")
    shop.done("POST", f"{STORE}/products", [{"sku": sku, "name": "Odd again"}])
    assert shop.done("GET", path)["name"] == "Odd again"
    change = shop.done("POST", CHANGES, {"sku": sku, "price": "2.60"})
    assert change["results"][0]["sku"] == sku


def test_a_put_replaces_the_product_and_keeps_its_price(shop: RunningHouse) -> None:
    path = f"{STORE}/products/2001"
    full = {"name": "Med", "brand": "OPG", "gtin": "3850104008306", "net_content": "450 g"}
    shop.done("PUT", path, full | {"price": "7.99", "was": "8.99", "badge": "AKCIJA"})
    shop.done("PUT", path, {"name": "Med"})
    product = _product(shop, "2001")
    assert (product["brand"], product["gtin"], product["net_content"]) == (None, None, None)
    assert (product["price"], product["was"], product["badge"]) == ("7.99", "8.99", "AKCIJA")


def test_origin_stock_and_deposit_belong_to_the_product(shop: RunningHouse) -> None:
    path = f"{STORE}/products/2002"
    goods = {"name": "Banane", "category": "Voće", "origin": "Ekvador", "stock": -1}
    shop.done("PUT", path, goods | {"deposit": "0.07", "price": "1.49"})
    product = _product(shop, "2002")
    assert {name: product[name] for name in goods} == goods
    assert product["deposit"] == "0.07"
    shop.done("PUT", path, {"name": "Banane"})
    product = _product(shop, "2002")
    assert (product["origin"], product["stock"], product["deposit"]) == (None, None, None)


@pytest.mark.asvs("2.3.3")
def test_a_mistake_among_bulk_products_stores_none_of_them(shop: RunningHouse) -> None:
    good = {"sku": "3001", "name": "Riža", "price": "1.99"}
    before = shop.everything_stored()
    bad = [good, {"sku": "3002", "name": "Sol", "price": "0"}]
    check_problem(shop.ask("POST", f"{STORE}/products", json=bad), 422, "/1/price")
    assert shop.everything_stored() == before
    many = [{"sku": f"b-{n}", "name": f"Riža {n}", "price": "1.99"} for n in range(5000)]
    done = shop.done("POST", f"{STORE}/products", many)
    assert (done["products"], done["labels"], len(done["results"])) == (5000, 0, 5000)
    assert {(r["product"], r["decision"]) for r in done["results"]} == {("added", "accepted")}
    assert shop.done("GET", f"{STORE}/batches/{done['batch']}")["accepted"] == 5000
    assert _product(shop, "b-4999")["price"] == "1.99"


def test_ten_thousand_changes_fit_in_one_request(shop: RunningHouse) -> None:
    many = [{"sku": f"b-{n % 5000}", "price": f"{n // 5000 + 3}.00"} for n in range(10_000)]
    results = shop.done("POST", CHANGES, many)["results"]
    assert {r["decision"] for r in results} == {"accepted"}
    assert _product(shop, "b-17")["price"] == "4.00"


# ── Price changes ──────────────────────────────────────────────────────────────────────────


def test_a_single_change_is_answered_with_its_result(shop: RunningHouse) -> None:
    [result] = shop.done("POST", CHANGES, {"sku": "1001", "price": "1.35"})["results"]
    assert (result["sku"], result["decision"], result["labels"]) == ("1001", "accepted", 1)
    assert result["rev"] > 0
    [again] = shop.done("POST", CHANGES, {"sku": "1001", "price": "1.35"})["results"]
    assert (again["decision"], again["rev"]) == ("unchanged", None)


def test_a_product_is_answered_with_what_became_of_its_price(shop: RunningHouse) -> None:
    path = f"{STORE}/products/2003"
    body = {"name": "Kruške", "price": "2.00", "source": "till-7", "source_seq": 5}
    [added] = shop.done("PUT", path, body)["results"]
    assert (added["sku"], added["product"], added["decision"]) == ("2003", "added", "accepted")
    assert added["rev"] > 0
    late = {"name": "Kruške", "price": "1.99", "source": "till-7", "source_seq": 4}
    [told] = shop.done("PUT", path, late)["results"]
    assert (told["product"], told["decision"], told["rev"]) == ("unchanged", "superseded", None)
    [reason] = told["reasons"]
    assert reason["code"] == "late"
    assert reason["words"]
    assert reason["fix"]
    [bare] = shop.done("PUT", path, {"name": "Kruške Viljamovke"})["results"]
    assert bare == {"sku": "2003", "product": "changed", "labels": 0}


def test_an_unknown_product_in_an_array_is_rejected_by_itself(shop: RunningHouse) -> None:
    shop.done("POST", CHANGES, {"sku": "1001", "price": "1.70"})
    body = [
        {"sku": "nope", "price": "1.00"},
        {"sku": "1001", "price": "1.71"},
        {"sku": "nope", "price": "2.00", "source": "t", "source_seq": 1},
    ]
    key = {"Idempotency-Key": "an unknown one among others"}
    answer = shop.ask("POST", CHANGES, json=body, headers=key)
    assert answer.status_code == 200
    first, good, last = answer.json()["results"]
    assert (good["decision"], _product(shop, "1001")["price"]) == ("accepted", "1.71")
    assert first["decision"] == last["decision"] == "rejected"
    assert (first["rev"], first["labels"]) == (None, 0)
    [reason] = first["reasons"]
    assert (reason["code"], reason["field"]) == ("unknown_sku", "/0/sku")
    assert reason["fix"].startswith("Add the product first")
    batch = shop.done("GET", f"{STORE}/batches/{answer.json()['batch']}")
    assert (batch["accepted"], batch["rejected"]) == (1, 2)
    stored = shop.everything_stored()
    assert shop.ask("POST", CHANGES, json=body, headers=key).content == answer.content
    assert shop.everything_stored() == stored
    [alone] = shop.done("POST", CHANGES, body[:1])["results"]
    assert (alone["decision"], alone["reasons"][0]["field"]) == ("rejected", "/0/sku")
    check_problem(shop.ask("POST", CHANGES, json=body[0]), 422, "/sku")


def test_a_number_used_twice_in_an_array_is_rejected_by_itself(shop: RunningHouse) -> None:
    said = {"sku": "1001", "source": "till-6"}
    body = [
        said | {"price": "1.80", "source_seq": 7},
        said | {"price": "1.81", "source_seq": 7},
        said | {"price": "1.82", "source_seq": 8},
    ]
    first, again, last = shop.done("POST", CHANGES, body)["results"]
    assert (first["decision"], last["decision"]) == ("accepted", "accepted")
    assert (again["decision"], again["reasons"][0]["code"]) == ("rejected", "number_used")
    assert again["reasons"][0]["field"] == "/1/source_seq"
    assert _product(shop, "1001")["price"] == "1.82"


def test_an_array_is_answered_in_order_and_a_mistake_in_it_stores_none(shop: RunningHouse) -> None:
    body = [
        {"sku": "1001", "price": "1.36"},
        {"sku": "1002", "price": "1.05", "was": "1.25", "badge": "AKCIJA"},
        {"sku": "1001", "price": "1.37"},
    ]
    results = shop.done("POST", CHANGES, body)["results"]
    assert [r["sku"] for r in results] == ["1001", "1002", "1001"]
    assert _product(shop, "1001")["price"] == "1.37"
    assert _product(shop, "1002")["was"] == "1.25"
    before = shop.everything_stored()
    body = [{"sku": "1001", "price": "9.99"}, {"sku": "nope", "price": "1,00"}]
    check_problem(shop.ask("POST", CHANGES, json=body), 422, "/1/price")
    assert shop.everything_stored() == before


def test_null_clears_and_absence_keeps(shop: RunningHouse) -> None:
    shop.done("POST", CHANGES, {"sku": "1002", "price": "1.06", "was": "1.25", "badge": "AKCIJA"})
    shop.done("POST", CHANGES, {"sku": "1002", "price": "1.07"})
    assert (_product(shop, "1002")["was"], _product(shop, "1002")["badge"]) == ("1.25", "AKCIJA")
    shop.done("POST", CHANGES, {"sku": "1002", "price": "1.07", "was": None, "badge": None})
    assert (_product(shop, "1002")["was"], _product(shop, "1002")["badge"]) == (None, None)


def test_late_changes_of_a_source_are_superseded(shop: RunningHouse) -> None:
    def send(seq: int, price: str) -> str:
        body = {"sku": "1002", "price": price, "source": "till-9", "source_seq": seq}
        return str(shop.done("POST", CHANGES, body)["results"][0]["decision"])

    assert send(10, "3.10") == "accepted"
    assert send(9, "3.09") == "superseded"
    assert _product(shop, "1002")["price"] == "3.10"
    body = {"sku": "1002", "price": "3.11", "source": "till-9", "source_seq": 10}
    check_problem(shop.ask("POST", CHANGES, json=body), 422, "/source_seq")


def test_the_stores_own_currency_may_be_named(shop: RunningHouse) -> None:
    shop.done("POST", CHANGES, {"sku": "1001", "price": "1.38", "currency": "EUR"})


# ── Labels and pairings ────────────────────────────────────────────────────────────────────


def test_labels_are_registered_once_and_listed_page_by_page(shop: RunningHouse) -> None:
    shop.done("PUT", "/api/v1/stores/pages", STORE_BODY)
    path = "/api/v1/stores/pages/labels"
    new = [{"label": f"p-{n:03d}", "panel": "bwry-296x128"} for n in range(25)]
    assert shop.done("POST", path, new) == {"labels": 25, "new": 25}
    assert shop.done("POST", path, new) == {"labels": 25, "new": 0}
    found: list[str] = []
    after: str | None = ""
    pages = 0
    while after is not None:
        page = shop.done("GET", path, limit=10, after=after)
        found += [label["label"] for label in page["labels"]]
        after = page["after"]
        pages += 1
    assert found == [label["label"] for label in new]
    assert pages == 3
    assert {label["phase"] for label in page["labels"]} == {"unpaired"}


def test_a_label_of_another_store_or_model_is_a_conflict(shop: RunningHouse) -> None:
    shop.done("PUT", "/api/v1/stores/other", STORE_BODY)
    before = shop.everything_stored()
    elsewhere = {"label": "l-1", "panel": "bwry-296x128"}
    answer = shop.ask("POST", "/api/v1/stores/other/labels", json=elsewhere)
    problem = check_problem(answer, 409)
    assert "main" not in problem["detail"]
    model = [{"label": "l-88", "panel": "bwry-296x128"}, {"label": "l-1", "panel": "bwry-400x300"}]
    check_problem(shop.ask("POST", f"{STORE}/labels", json=model), 409)
    assert shop.everything_stored() == before


def test_a_gateway_of_another_store_reaches_no_label_here(shop: RunningHouse) -> None:
    shop.done("PUT", "/api/v1/stores/other", STORE_BODY)
    shop.done("PUT", "/api/v1/stores/other/gateways/gw-other", {})
    for gateway in ("gw-other", "gw-nowhere"):
        body = {"label": "l-89", "panel": "bwry-296x128", "gateway": gateway}
        check_problem(shop.ask("POST", f"{STORE}/labels", json=body), 404)


def test_a_pairing_needs_a_label_and_a_product_of_the_store(shop: RunningHouse) -> None:
    shop.done("PUT", "/api/v1/stores/other", STORE_BODY)
    shop.done("PUT", "/api/v1/stores/other/products/77", {"name": "x", "price": "1.00"})
    before = shop.everything_stored()
    pairings = f"{STORE}/pairings"
    check_problem(shop.ask("POST", pairings, json={"label": "l-1", "sku": "77"}), 422, "/sku")
    check_problem(shop.ask("POST", pairings, json={"label": "l-none", "sku": "1001"}), 404)
    elsewhere = "/api/v1/stores/other/pairings"
    check_problem(shop.ask("POST", elsewhere, json={"label": "l-1", "sku": "77"}), 404)
    nowhere = "/api/v1/stores/nowhere/pairings"
    check_problem(shop.ask("POST", nowhere, json={"label": "l-1", "sku": "1001"}), 404)
    assert shop.everything_stored() == before


def test_a_label_says_what_it_wants_and_the_face_it_should_show(shop: RunningHouse) -> None:
    shop.done("POST", f"{STORE}/pairings", [{"label": "l-2", "sku": "1002"}])
    shop.done("POST", CHANGES, {"sku": "1002", "price": "4.56"})
    label = shop.done("GET", "/api/v1/labels/l-2")
    assert (label["store"], label["panel"], label["shown_rev"]) == ("main", "bwry-400x300", 0)
    assert (label["face"]["price"], label["face"]["currency"]) == ("4.56", "EUR")
    assert label["wanted_rev"] > 0
    assert face_from(label["face"]).price_minor == 456
    shop.done("POST", f"{STORE}/labels", {"label": "l-new", "panel": "bwry-296x128"})
    unpaired = shop.done("GET", "/api/v1/labels/l-new")
    assert (unpaired["phase"], unpaired["face"]) == ("unpaired", None)


def test_a_summary_counts_the_paired(shop: RunningHouse) -> None:
    summary = shop.done("GET", f"{STORE}/summary")
    assert summary["paired"] >= summary["unsettled"] >= 1


# ── Gateways ───────────────────────────────────────────────────────────────────────────────


def test_enrolment_gives_what_a_gateway_needs_and_gives_it_again(shop: RunningHouse) -> None:
    path = f"{STORE}/gateways/gw-2"
    first = shop.ask("PUT", path)
    check_headers(first)
    assert first.headers["cache-control"] == "no-store", "it holds a password"
    assert first.status_code == 200
    enrolment = from_json(first.text)
    assert (enrolment.gateway, enrolment.store, enrolment.host) == ("gw-2", "main", "127.0.0.1")
    assert enrolment.password
    assert enrolment.public_keys()
    assert shop.ask("PUT", path, json={}).content == first.content
    listed = {g["gateway"]: g for g in shop.done("GET", f"{STORE}/gateways")["gateways"]}
    assert listed["gw-2"]["online"] is False
    assert enrolment.password not in str(listed)


def test_a_gateway_of_another_store_is_a_conflict(shop: RunningHouse) -> None:
    shop.done("PUT", "/api/v1/stores/other", STORE_BODY)
    answer = shop.ask("PUT", "/api/v1/stores/other/gateways/gw-1", json={})
    problem = check_problem(answer, 409)
    assert "main" not in problem["detail"]
    check_problem(shop.ask("PUT", "/api/v1/stores/nowhere/gateways/gw-9", json={}), 404)


def test_no_gateway_has_the_name_of_the_topics_of_tills(shop: RunningHouse) -> None:
    check_problem(shop.ask("PUT", f"{STORE}/gateways/in", json={}), 422, "/gateway")


# ── From a request to the glass and back to a picture ──────────────────────────────────────


async def test_the_picture_of_a_label_is_the_one_on_its_glass(tmp_path: Path) -> None:
    goods = [{"sku": f"{n}", "name": f"Kruh {n}", "price": f"{n + 1}.29"} for n in range(3)]

    def shop_on(folder: Path) -> Any:
        return running_house(folder, with_worker=True, patience_s=1.5)

    running = shop_on(tmp_path / "data")
    shop = await asyncio.to_thread(running.__enter__)
    try:
        with Client(shop.url, shop.operator) as client:
            places = places_for(["0", "1", "2"], "bwry-296x128", ["gw-1"])
            demo = await asyncio.to_thread(
                lambda: Demo(client, places, paint_s=0.05, seed=1, goods=goods)
            )
            body = sample_shop.STORE_BODY | {"shop_link": LINK}
            await asyncio.to_thread(shop.done, "PUT", f"/api/v1/stores/{sample_shop.STORE}", body)
            async with demo.shop:
                await asyncio.to_thread(demo.pair)
                await until_settled(demo)
                for place in places:
                    await asyncio.to_thread(_compare_picture, shop, demo, place.label_id)
    finally:
        await asyncio.to_thread(running.__exit__, None, None, None)


def _compare_picture(shop: RunningHouse, demo: Demo, label_id: str) -> None:
    label = shop.done("GET", f"/api/v1/labels/{label_id}")
    assert (label["phase"], label["shown_rev"]) == ("settled", label["wanted_rev"])
    assert datetime.fromisoformat(label["seen_at"]).tzinfo is not None
    path = f"/api/v1/labels/{label_id}/frames/{label['shown_digest']}.png"
    answer = shop.ask("GET", path)
    assert answer.headers["content-type"] == "image/png"
    assert answer.headers["cache-control"] == "private, max-age=31536000, immutable"
    check_headers(answer)
    panel = PANELS.named(label["panel"])
    assert Image.open(io.BytesIO(answer.content)).size == (panel.width_px, panel.height_px)
    assert label["template"] == "standard"
    truth = Renderer().render(face_from(label["face"]), panel, the_gallery()["standard"])
    assert answer.content == png_bytes(truth.pixels, panel)
    assert demo.shop.labels[label_id].shown_pixels == truth.pixels
    # What a phone reads off the glass is the shop's address of this label and product.
    [place] = [place for place in demo.places if place.label_id == label_id]
    address = f"https://shop.example/{place.sku}?s={sample_shop.STORE}&l={label_id}"
    assert scanned_frame(truth.pixels, panel)["QRCode"] == address
    check_problem(shop.ask("GET", path.replace(label_id, "l-00009")), 404)
    check_problem(shop.ask("GET", path, token=shop.token("price:read")), 403)
