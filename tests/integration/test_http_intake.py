"""Sources, guards, quarantine, batches and freeze, through the front door."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.running_house import STORE_BODY, RunningHouse, check_problem

pytest_plugins = ["tests.shop_over_http"]

STORE = "/api/v1/stores/guarded"
CHANGES = f"{STORE}/price-changes"
MAPPING = """\
name: konzum
format: csv
decimal: "."
fields:
  sku: "SKU"
  price: "PRICE"
"""


@pytest.fixture(scope="module")
def guarded(house: RunningHouse) -> RunningHouse:
    """A store whose guards watch, with 50 products at 1.29."""
    body = {name: value for name, value in STORE_BODY.items() if name != "guards"}
    house.done("PUT", STORE, body)
    house.done("PUT", f"{STORE}/gateways/gw-g", {})
    products = [{"sku": f"p{n}", "name": f"Kruh {n}", "price": "1.29"} for n in range(50)]
    house.done("POST", f"{STORE}/products", products)
    house.done(
        "POST", f"{STORE}/labels", {"label": "g-1", "panel": "bwry-296x128", "gateway": "gw-g"}
    )
    house.done("POST", f"{STORE}/pairings", {"label": "g-1", "sku": "p0"})
    return house


@pytest.fixture
def shop(guarded: RunningHouse) -> Iterator[RunningHouse]:
    """The same; what a test left in quarantine is rejected after it."""
    yield guarded
    left = [p["price_id"] for p in guarded.done("GET", f"{STORE}/quarantine")["prices"]]
    if left:
        other = guarded.token("price:approve")
        guarded.done("POST", f"{STORE}/quarantine/reject", {"prices": left}, token=other)


def price_of(shop: RunningHouse, sku: str) -> Any:
    return shop.done("GET", f"{STORE}/products/{sku}")["price"]


def change(shop: RunningHouse, sku: str, price: str, **how: Any) -> Any:
    [result] = shop.done("POST", CHANGES, {"sku": sku, "price": price}, **how)["results"]
    return result


# ── Quarantine ──────────────────────────────────────────────────────────────────────────────


def test_a_new_store_is_guarded(shop: RunningHouse) -> None:
    assert shop.done("GET", f"{STORE}/guards")["on"] is True
    result = change(shop, "p1", "12.90")
    assert (result["decision"], result["rev"], result["labels"]) == ("quarantined", None, 0)
    assert {r["code"] for r in result["reasons"]} == {"decimal_shift", "rise"}
    assert all(r["words"] for r in result["reasons"])
    assert price_of(shop, "p1") == "1.29"
    [held] = shop.done("GET", f"{STORE}/quarantine")["prices"]
    assert (held["price_id"], held["price"], held["holds"]) == (
        result["price_id"],
        "12.90",
        "1.29",
    )


def test_another_person_approves_and_nobody_their_own(shop: RunningHouse) -> None:
    sender = shop.token("price:write", "price:approve")
    other = shop.token("price:approve")
    number = change(shop, "p2", "12.90", token=sender)["price_id"]
    own = shop.ask("POST", f"{STORE}/quarantine/approve", json={"prices": [number]}, token=sender)
    assert "another person" in check_problem(own, 409)["detail"]
    assert price_of(shop, "p2") == "1.29"
    done = shop.done(
        "POST", f"{STORE}/quarantine/approve", {"prices": [number], "note": "yes"}, token=other
    )
    assert done["prices"][0]["state"] == "approved"
    assert price_of(shop, "p2") == "12.90"
    again = shop.ask("POST", f"{STORE}/quarantine/approve", json={"prices": [number]}, token=other)
    check_problem(again, 409)
    logged = shop.read("SELECT actor, action, reason FROM audit_entry WHERE action = 'approve'")
    assert logged[-1][2] == "yes"
    assert change(shop, "p2", "12.90", token=sender)["decision"] == "unchanged"


def test_a_rejected_price_never_holds(shop: RunningHouse) -> None:
    number = change(shop, "p3", "12.90")["price_id"]
    other = shop.token("price:approve")
    shop.done("POST", f"{STORE}/quarantine/reject", {"prices": [number]}, token=other)
    assert price_of(shop, "p3") == "1.29"
    check_problem(
        shop.ask("POST", f"{STORE}/quarantine/approve", json={"prices": [number]}, token=other),
        409,
    )


def test_one_of_many_that_cannot_be_approved_approves_none(shop: RunningHouse) -> None:
    sender = shop.token("price:write", "price:approve")
    mine = change(shop, "p4", "12.90", token=sender)["price_id"]
    others = change(shop, "p5", "12.90")["price_id"]
    both = {"prices": [others, mine]}
    check_problem(shop.ask("POST", f"{STORE}/quarantine/approve", json=both, token=sender), 409)
    assert price_of(shop, "p5") == "1.29"


def test_a_product_put_goes_through_the_same_guards(shop: RunningHouse) -> None:
    shop.done("PUT", f"{STORE}/products/p6", {"name": "Kruh", "price": "0.12"})
    assert price_of(shop, "p6") == "1.29"
    found = shop.done("GET", f"{STORE}/quarantine")["prices"]
    assert [p["sku"] for p in found] == ["p6"]


def test_limits_are_changed_and_switched_off_with_a_reason_only(shop: RunningHouse) -> None:
    wide = {"limits": {"rise_percent": 900, "shift_percent": None}}
    shop.done("PUT", f"{STORE}/guards", wide)
    assert change(shop, "p7", "12.90")["decision"] == "accepted"
    refused = shop.ask("PUT", f"{STORE}/guards", json={"on": False})
    check_problem(refused, 422, "/reason")
    shop.done("PUT", f"{STORE}/guards", {"on": False, "reason": "moving day"})
    assert change(shop, "p8", "99.00")["decision"] == "accepted"
    shop.done("PUT", f"{STORE}/guards", {})
    [last] = shop.read("SELECT reason FROM audit_entry WHERE reason = 'moving day'")
    assert last == ("moving day",)


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"on": 1}, "/on"),
        ({"limits": []}, "/limits"),
        ({"limits": {"rise_percent": -1}}, "/limits/rise_percent"),
        ({"limits": {"rise_percent": True}}, "/limits/rise_percent"),
        ({"limits": {"highest_minor": None}}, "/limits/highest_minor"),
        ({"limits": {"rise": 5}}, "/limits/rise"),
        ({"limits": {"promotion_below": None}}, "/limits/promotion_below"),
        ({"categories": {"": {}}}, "/categories"),
        ({"categories": {"a": {"fall_percent": 101}}}, "/categories/a/fall_percent"),
        ({"reason": 5}, "/reason"),
        ([], ""),
    ],
)
def test_bad_limits_are_named(shop: RunningHouse, body: Any, pointer: str) -> None:
    check_problem(shop.ask("PUT", f"{STORE}/guards", json=body), 422, pointer)


# ── Batches ─────────────────────────────────────────────────────────────────────────────────


def test_a_batch_is_rolled_back_as_new_revisions(shop: RunningHouse) -> None:
    sent = [{"sku": f"p{n}", "price": "1.39"} for n in (20, 21, 22)]
    answer = shop.done("POST", CHANGES, sent)
    number, rev = answer["batch"], answer["results"][0]["rev"]
    change(shop, "p22", "1.45")
    found = shop.done("GET", f"{STORE}/batches/{number}")
    assert (found["accepted"], found["rolled_back_at"]) == (3, None)
    body = {"reason": "wrong file"}
    done = shop.done("POST", f"{STORE}/batches/{number}/roll-back", body)
    assert (done["restored"], done["kept"], done["withdrawn"]) == (2, 1, 0)
    assert [price_of(shop, f"p{n}") for n in (20, 21, 22)] == ["1.29", "1.29", "1.45"]
    assert shop.done("GET", f"{STORE}/products/p20")["rev"] > rev
    check_problem(shop.ask("POST", f"{STORE}/batches/{number}/roll-back", json=body), 409)
    assert number in [b["batch"] for b in shop.done("GET", f"{STORE}/batches")["batches"]]


def test_new_products_of_a_batch_have_no_price_after_it_is_rolled_back(shop: RunningHouse) -> None:
    shop.done("PUT", f"{STORE}/products/fresh", {"name": "Fresh"})
    sent = [{"sku": "fresh", "price": "2.00"}, {"sku": "p23", "price": "1.35"}]
    number = shop.done("POST", CHANGES, sent)["batch"]
    done = shop.done("POST", f"{STORE}/batches/{number}/roll-back", {"reason": "no"})
    assert (done["restored"], done["withdrawn"]) == (1, 1)
    assert price_of(shop, "fresh") is None


def test_too_many_big_changes_hold_the_rest_of_their_batch(shop: RunningHouse) -> None:
    shop.done("PUT", "/api/v1/sources/bulk", {"name": "Bulk"})  # counted by itself
    shop.done("PUT", f"{STORE}/guards", {"limits": {"bulk_least": 5, "bulk_permille": 100}})
    sent = [{"sku": f"p{n}", "price": "1.59", "source": "bulk"} for n in range(30, 45)]
    results = shop.done("POST", CHANGES, sent)["results"]
    assert [r["decision"] for r in results] == ["accepted"] * 5 + ["quarantined"] * 10
    assert {r["reasons"][0]["code"] for r in results[5:]} == {"bulk"}
    shop.done("PUT", f"{STORE}/guards", {})


# ── Freeze ──────────────────────────────────────────────────────────────────────────────────


def test_an_empty_body_is_told_what_it_lacks(shop: RunningHouse) -> None:
    told = check_problem(shop.ask("POST", f"{STORE}/quarantine/approve"), 422, "")
    assert '{"batch": 12}' in told["fix"]
    check_problem(shop.ask("POST", f"{STORE}/batches/1/roll-back"), 422, "/reason")
    check_problem(shop.ask("POST", "/api/v1/refused-messages/take"), 422, "/messages")


def test_a_batch_is_decided_about_whole_by_another_than_its_sender(shop: RunningHouse) -> None:
    sender = shop.token("price:write", "price:approve")
    other = shop.token("price:approve")
    changes = [{"sku": f"p{n}", "price": "12.90"} for n in (20, 21)]
    done = shop.done("POST", CHANGES, changes, token=sender)
    asked = {"batch": done["batch"], "note": "spring"}
    check_problem(shop.ask("POST", f"{STORE}/quarantine/approve", json=asked, token=sender), 409)
    ruled = shop.done("POST", f"{STORE}/quarantine/approve", asked, token=other)
    assert (ruled["batch"], ruled["left"]) == (done["batch"], 0)
    assert [one["decision"] for one in ruled["prices"]] == ["accepted", "accepted"]
    assert (price_of(shop, "p20"), price_of(shop, "p21")) == ("12.90", "12.90")
    check_problem(shop.ask("POST", f"{STORE}/quarantine/reject", json=asked, token=other), 409)
    for bad in ({"batch": 0}, {"batch": "12"}, {"batch": None}):
        check_problem(
            shop.ask("POST", f"{STORE}/quarantine/approve", json=bad, token=other), 422, "/batch"
        )
    both = {"batch": 1, "prices": [1]}
    check_problem(shop.ask("POST", f"{STORE}/quarantine/approve", json=both, token=other), 422, "")
    unknown = {"batch": 999_999}
    check_problem(shop.ask("POST", f"{STORE}/quarantine/approve", json=unknown, token=other), 404)


def test_a_store_is_frozen_and_thawed(shop: RunningHouse) -> None:
    check_problem(shop.ask("POST", f"{STORE}/freeze", json={"reason": 5}), 422, "/reason")
    assert shop.ask("POST", f"{STORE}/freeze").json()["frozen"] is True, "in need, without a word"
    assert shop.ask("POST", f"{STORE}/thaw").json()["was_frozen"] is True
    assert shop.done("POST", f"{STORE}/freeze", {"reason": "wrong prices"})["frozen"] is True
    assert shop.done("GET", f"{STORE}/freeze")["frozen"] is True
    assert change(shop, "p10", "1.35")["decision"] == "accepted", "prices are taken in on"
    assert shop.done("POST", f"{STORE}/thaw", {"reason": "mended"})["was_frozen"] is True
    assert shop.done("GET", f"{STORE}/freeze") == {"frozen": False, "since": None}


# ── Read-back ───────────────────────────────────────────────────────────────────────────────


def test_a_price_change_is_read_back_by_label(shop: RunningHouse) -> None:
    rev = change(shop, "p0", "1.35")["rev"]
    found = shop.done("GET", f"/api/v1/price-changes/{rev}")
    assert found["store"] == "guarded"
    assert [(x["label"], x["verdict"]) for x in found["labels"]] == [("g-1", "pending")]
    assert found["counts"] == {"pending": 1, "shown": 0, "superseded": 0, "failed": 0}
    for wrong in ("0", "99999999", "x", "-1", "1" * 30):
        check_problem(shop.ask("GET", f"/api/v1/price-changes/{wrong}"), 404)


# ── Sources and mappings ────────────────────────────────────────────────────────────────────


def test_a_source_is_registered_changed_and_forgotten(shop: RunningHouse) -> None:
    shop.done("PUT", "/api/v1/mappings/konzum", content=MAPPING)
    body = {
        "name": "Till",
        "store": "guarded",
        "kind": "file",
        "mapping": "konzum",
        "priority": 60,
        "priorities": {"brand": 90},
        "guards": {"limits": {"rise_percent": 500, "shift_percent": None}},
        "expected": {"by": "05:30"},
        "accepts_full": True,
        "settings": {"store.0007": "guarded"},
    }
    assert shop.done("PUT", "/api/v1/sources/till-9", body)["source"] == "till-9"
    found = shop.done("GET", "/api/v1/sources/till-9")
    assert found["expected"] == {"by": "05:30"}
    assert found["guards"]["limits"]["rise_percent"] == 500
    assert found["priorities"] == {"brand": 90}
    sent = {"sku": "p12", "price": "6.00", "source": "till-9"}
    [result] = shop.done("POST", CHANGES, sent)["results"]
    assert result["decision"] == "accepted", "a source has limits of its own"
    low = shop.done("POST", CHANGES, {"sku": "p12", "price": "6.10"})["results"][0]
    assert (low["decision"], low["reasons"][0]["code"]) == ("superseded", "yields")
    shop.done("PUT", "/api/v1/sources/till-9", {"name": "Till", "disabled": True})
    check_problem(shop.ask("POST", CHANGES, json=sent | {"price": "6.20"}), 409)
    shop.done("DELETE", "/api/v1/sources/till-9")
    check_problem(shop.ask("GET", "/api/v1/sources/till-9"), 404)


def test_a_secret_is_told_once_and_sealed_in_the_database(shop: RunningHouse) -> None:
    shop.done("PUT", "/api/v1/sources/hook-1", {"name": "Shop", "kind": "webhook"})
    first = shop.done("POST", "/api/v1/sources/hook-1/secrets", {"kind": "webhook"})
    own = {"kind": "webhook", "secret": "a-secret-of-their-own", "keep_old_s": 3600}
    second = shop.done("POST", "/api/v1/sources/hook-1/secrets", own)
    assert len(first["secret"]) > 30
    assert "secret" not in second
    listed = shop.done("GET", "/api/v1/sources/hook-1")["secrets"]
    assert [s["number"] for s in listed] == [2, 1]
    sealed = [bytes(row[0]) for row in shop.read("SELECT sealed FROM source_secret")]
    assert not any(b"a-secret" in each or first["secret"].encode() in each for each in sealed)
    key = shop.house.settings.data_dir / "keys" / "secrets.key"
    assert key.stat().st_mode & 0o777 == 0o600
    shop.done("POST", "/api/v1/sources/hook-1/secrets", {"kind": "webhook"})
    assert [s["number"] for s in shop.done("GET", "/api/v1/sources/hook-1")["secrets"]] == [3]
    audit = str(shop.read("SELECT * FROM audit_entry"))
    assert first["secret"] not in audit
    assert "a-secret" not in audit


def test_a_mapping_is_versioned_and_exported_as_it_was(shop: RunningHouse) -> None:
    path = "/api/v1/mappings/versions"
    document = MAPPING.replace("konzum", "versions")
    assert shop.done("PUT", path, content=document)["version"] == 1
    assert shop.done("PUT", path, content=document)["version"] == 1
    other = document.replace("PRICE", "CIJENA")
    assert shop.done("PUT", path, content=other)["version"] == 2
    assert shop.ask("GET", f"{path}/document").text == other
    assert shop.done("GET", path, version=1)["document"] == document
    for bad in (b"", b"\xff\xfe", b"name: [", MAPPING.encode(), b"a\x00b", b"x" * 300_000):
        check_problem(shop.ask("PUT", path, content=bad), 422)
    check_problem(shop.ask("GET", path, version="9"), 404)


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "/name"),
        ({"name": "x", "store": "A"}, "/store"),
        ({"name": "x", "kind": "fax"}, "/kind"),
        ({"name": "x", "priority": 101}, "/priority"),
        ({"name": "x", "priorities": {"colour": 3}}, "/priorities"),
        ({"name": "x", "priorities": {"brand": "3"}}, "/priorities"),
        ({"name": "x", "guards": {"on": "no"}}, "/guards/on"),
        ({"name": "x", "expected": {}}, "/expected"),
        ({"name": "x", "expected": {"by": "5:30"}}, "/expected/by"),
        ({"name": "x", "expected": {"every_s": 1}}, "/expected/every_s"),
        ({"name": "x", "expected": {"by": "05:30", "every_s": 600}}, "/expected"),
        ({"name": "x", "settings": {"a": 1}}, "/settings/a"),
        ({"name": "x", "accepts_full": "yes"}, "/accepts_full"),
        ({"name": "x", "colour": "red"}, "/colour"),
    ],
)
def test_bad_sources_are_named(shop: RunningHouse, body: Any, pointer: str) -> None:
    check_problem(shop.ask("PUT", "/api/v1/sources/bad", json=body), 422, pointer)


def test_a_source_names_a_store_and_a_mapping_that_are_there(shop: RunningHouse) -> None:
    for body in ({"name": "x", "store": "nowhere"}, {"name": "x", "mapping": "nothing"}):
        check_problem(shop.ask("PUT", "/api/v1/sources/bad", json=body), 404)
    check_problem(shop.ask("POST", "/api/v1/sources/bad/secrets", json={"kind": "webhook"}), 404)
