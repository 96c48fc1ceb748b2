"""Sources over HTTP: settings looked at when they are put, webhooks that failed, silence told."""

import hashlib
import hmac
import json
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, update

from esl.store.tables import sources
from tests.running_house import STORE_BODY, RunningHouse, check_problem, running_house

SECRET = "a secret of sixteen signs"
STORE = "/api/v1/stores/main"
PRODUCTS = """\
name: plain
format: json
items: items
fields: {sku: item.code, name: item.code, price: item.price}
"""


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHouse]:
    with running_house(tmp_path_factory.mktemp("sources"), with_worker=True) as running:
        running.done("PUT", STORE, STORE_BODY)
        yield running


def until(say: Callable[[], Any], wanted: Any) -> None:
    found: Any = None
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        found = say()
        if found == wanted:
            return
        time.sleep(0.05)
    raise AssertionError(f"{found!r} in place of {wanted!r}")


# ── Settings ────────────────────────────────────────────────────────────────────────────────

SHOP = {"system": "shopify", "address": "https://my-shop.example"}
REST = {"system": "rest", "address": "https://api.example", "path": "products"}


@pytest.mark.parametrize(
    ("kind", "settings", "pointers"),
    [
        ("http", {"folder": "in"}, ["folder"]),
        ("file", {"store.": "main", "store.7": "Not A Store"}, ["store.", "store.7"]),
        ("file", {"store_from": "prices.csv", "unknown_stores": "burn"}, None),
        ("poll", {}, ["system"]),
        ("poll", {"system": "abacus"}, ["system"]),
        ("poll", {"system": "shopify"}, ["address"]),
        ("poll", SHOP | {"adress": "x"}, ["adress"]),
        ("poll", SHOP | {"every_s": "1"}, ["every_s"]),
        ("poll", SHOP | {"address": "http://my-shop.example"}, ["address"]),
        ("poll", SHOP | {"address": "https://me:secret@my-shop.example"}, ["address"]),
        ("poll", SHOP | {"address": "https://[broken"}, ["address"]),
        ("poll", REST | {"items": "data[", "paging": "scroll"}, ["paging", "items"]),
        ("poll", {"system": "erpnext", "address": "https://erp.example"}, ["login"]),
        ("webhook", {"system": "abacus"}, ["system"]),
        ("webhook", {"system": "clover", "address": "https://x.example"}, ["address"]),
        ("webhook", {"system": "square"}, ["hook_url"]),
        ("webhook", {"system": "shopify", "a/b": "x"}, ["a~1b"]),
        ("compat", {"system": "hanshow"}, ["system"]),
        ("compat", {"system": "solum", "stores": "0001"}, ["stores"]),
        ("compat", {"system": "solum", "shops": "0001=main"}, ["shops"]),
        ("sftp", {}, ["host", "login", "host_key", "/mapping"]),
    ],
)
def test_settings_that_cannot_work_are_refused_when_they_are_put(
    house: RunningHouse, kind: str, settings: dict[str, str], pointers: list[str] | None
) -> None:
    body = {"name": "x", "store": "main", "kind": kind, "settings": settings}
    before = house.read("SELECT count(*) FROM source")
    answer = house.ask("PUT", "/api/v1/sources/bad", json=body)
    problem = check_problem(answer, 422)
    found = [error["pointer"] for error in problem["errors"]]
    wanted = pointers if pointers is not None else sorted(settings)
    assert found == [name if name[0] == "/" else f"/settings/{name}" for name in wanted]
    assert all(error["fix"] for error in problem["errors"])
    assert "secret@" not in answer.text
    assert house.read("SELECT count(*) FROM source") == before


@pytest.mark.parametrize(
    ("kind", "settings"),
    [
        ("http", {"store_from": "prices_{store}.csv", "store.0007": "main"}),
        ("poll", SHOP),
        ("poll", REST | {"items": "data.products", "allow_private": "10.0.0.0/8"}),
        ("poll", SHOP | {"address": "http://erp.lan", "allow_private": "erp.lan"}),
        ("webhook", {}),
        ("webhook", SHOP),
        ("webhook", {"system": "square", "hook_url": "https://x.example/api/v1/hooks/x"}),
        ("compat", {"system": "pricer", "stores": "0001=main, 0002=pula", "token": "abc"}),
    ],
)
def test_settings_that_work_are_taken(
    house: RunningHouse, kind: str, settings: dict[str, str]
) -> None:
    body = {"name": "x", "store": "main", "kind": kind, "settings": settings, "disabled": True}
    assert house.done("PUT", "/api/v1/sources/good", body)["settings"] == settings


# ── Webhooks that failed ────────────────────────────────────────────────────────────────────


def register(house: RunningHouse, source: str, **more: Any) -> None:
    body = {"name": source, "store": "main", "kind": "webhook"} | more
    house.done("PUT", f"/api/v1/sources/{source}", body)


def add_secret(house: RunningHouse, source: str, secret: str = SECRET) -> None:
    put = {"kind": "webhook", "secret": secret}
    house.done("POST", f"/api/v1/sources/{source}/secrets", put)


def call(house: RunningHouse, source: str, body: bytes, secret: str = SECRET) -> Any:
    now = str(int(house.house.clock.now().timestamp()))
    made = hmac.new(secret.encode(), now.encode() + b"." + body, hashlib.sha256).hexdigest()
    headers = {"esl-signature": f"t={now},v1={made}"}
    return house.ask("POST", f"/api/v1/hooks/{source}", content=body, token=None, headers=headers)


def event(house: RunningHouse, source: str, number: int) -> dict[str, Any]:
    found: dict[str, Any] = house.done("GET", f"/api/v1/sources/{source}/events/{number}")
    return found


def problems_of(house: RunningHouse, kind: str) -> list[str]:
    listed = house.done("GET", f"{STORE}/problems")["problems"]
    return [p["subject"] for p in listed if p["kind"] == kind]


def test_a_changed_source_calls_by_its_new_secret_at_once(house: RunningHouse) -> None:
    assert call(house, "hooked", b"{}").status_code == 404
    register(house, "hooked")
    assert call(house, "hooked", b"{}").status_code == 401
    add_secret(house, "hooked")
    assert call(house, "hooked", b'{"stock": 1}').status_code == 202
    add_secret(house, "hooked", "another secret of theirs")
    assert call(house, "hooked", b'{"stock": 2}').status_code == 401
    register(house, "hooked", disabled=True)
    assert call(house, "hooked", b"{}", "another secret of theirs").status_code == 404
    house.done("DELETE", "/api/v1/sources/hooked")
    assert call(house, "hooked", b"{}", "another secret of theirs").status_code == 404


def test_a_failed_event_is_seen_mended_and_tried_again(house: RunningHouse) -> None:
    house.done("PUT", "/api/v1/mappings/plain", content=PRODUCTS)
    register(house, "sick", mapping="plain")
    add_secret(house, "sick")
    path = "/api/v1/sources/sick/events"
    said = json.dumps({"items": [{"code": "h-1", "price": "free", "cijena": "1.29"}]}).encode()
    number = call(house, "sick", said).json()["id"]
    until(lambda: event(house, "sick", number)["state"], "poisoned")
    good = call(house, "sick", b'{"items": [{"code": "h-2", "price": "2.29"}]}').json()["id"]
    until(lambda: event(house, "sick", good)["state"], "done")  # nothing held it up

    [listed] = house.done("GET", path, state="poisoned")["events"]
    assert (listed["event"], listed["size_bytes"]) == (number, len(said))
    assert listed["error"]
    seen = event(house, "sick", number)
    assert (seen["body"], seen["is_cut"]) == (said.decode(), False)
    until(lambda: "hooks/sick/main" in problems_of(house, "source_fails"), wanted=True)

    mended = PRODUCTS.replace("item.price", "item.cijena")
    house.done("PUT", "/api/v1/mappings/plain", content=mended)
    assert house.done("POST", f"{path}/retry", {"events": [number]})["retried"] == 1
    until(lambda: event(house, "sick", number)["state"], "poisoned")
    assert "newer words" in event(house, "sick", number)["error"], "it says no time of its own"

    check_problem(house.ask("POST", f"{path}/drop", json={"events": [number, good]}), 409)
    assert event(house, "sick", number)["state"] == "poisoned", "all or none"
    assert house.done("POST", f"{path}/drop", {"events": [number]})["dropped"] == 1
    assert event(house, "sick", number)["state"] == "dropped"
    until(lambda: "hooks/sick/main" in problems_of(house, "source_fails"), wanted=False)
    actions = house.read("SELECT action FROM audit_entry WHERE subject = 'source/sick'")
    assert {("hooks_retried",), ("hooks_dropped",)} <= set(actions)


def test_the_last_word_of_a_source_is_taken_when_it_is_tried_again(house: RunningHouse) -> None:
    house.done("PUT", "/api/v1/mappings/later", content=PRODUCTS.replace("plain", "later"))
    register(house, "late", mapping="later")
    add_secret(house, "late")
    said = b'{"items": [{"code": "h-3", "price": "free", "cijena": "3.29"}]}'
    number = call(house, "late", said).json()["id"]
    until(lambda: event(house, "late", number)["state"], "poisoned")
    mended = PRODUCTS.replace("plain", "later").replace("item.price", "item.cijena")
    house.done("PUT", "/api/v1/mappings/later", content=mended)
    house.done("POST", "/api/v1/sources/late/events/retry", {"events": [number]})
    until(lambda: event(house, "late", number)["state"], "done")
    assert house.read("SELECT price_minor FROM price WHERE sku = 'h-3'") == [(329,)]


def test_an_event_of_which_nothing_was_taken_has_failed_and_a_run_is_a_batch(
    house: RunningHouse,
) -> None:
    register(house, "nameless")
    add_secret(house, "nameless")
    number = call(house, "nameless", b'{"sku": "h-9", "price": "1.29"}').json()["id"]
    until(lambda: event(house, "nameless", number)["state"], "poisoned")
    assert "h-9" in event(house, "nameless", number)["error"]
    items = [{"sku": f"h-{n}", "name": "Kruh", "price": "1.29"} for n in (10, 11)]
    items.append({"sku": "h-12", "price": "1.29"})
    said = json.dumps({"items": items}).encode()
    number = call(house, "nameless", said).json()["id"]
    until(lambda: event(house, "nameless", number)["state"], "done")
    assert "h-12" in event(house, "nameless", number)["error"]
    [batch] = [
        b for b in house.done("GET", f"{STORE}/batches")["batches"] if b["source"] == "nameless"
    ]
    assert (batch["accepted"], batch["rejected"]) == (2, 1)
    again = json.dumps({"items": items[:2], "event_id": "again"}).encode()
    number = call(house, "nameless", again).json()["id"]
    until(lambda: event(house, "nameless", number)["state"], "done")
    listed = house.done("GET", f"{STORE}/batches")["batches"]
    assert [b["batch"] for b in listed if b["source"] == "nameless"] == [batch["batch"]]


def test_events_are_listed_in_pages_and_strange_ones_are_not_found(house: RunningHouse) -> None:
    register(house, "paged")
    add_secret(house, "paged")
    made = [call(house, "paged", b'{"stock": %d}' % n).json()["id"] for n in range(3)]
    path = "/api/v1/sources/paged/events"
    first = house.done("GET", path, limit=2)
    assert [e["event"] for e in first["events"]] == made[:0:-1]
    rest = house.done("GET", path, limit=2, before=first["before"])
    assert ([e["event"] for e in rest["events"]], rest["before"]) == (made[:1], None)
    for number in ("0", "99999999", "x", "9" * 40, "-1"):
        check_problem(house.ask("GET", f"{path}/{number}"), 404)
    check_problem(house.ask("GET", "/api/v1/sources/nobody/events"), 404)
    check_problem(house.ask("GET", f"/api/v1/sources/good/events/{made[0]}"), 404)
    for body in ({}, {"events": []}, {"events": ["1"]}, {"events": [0]}, {"events": [1], "a": 1}):
        assert house.ask("POST", f"{path}/retry", json=body).status_code == 422
    check_problem(house.ask("GET", path, state="sad"), 422)


def test_a_body_that_is_no_text_is_shown_as_far_as_it_is(house: RunningHouse) -> None:
    register(house, "bytes")
    add_secret(house, "bytes")
    number = call(house, "bytes", b"\xff\x00{" + b"x" * 70_000).json()["id"]
    until(lambda: event(house, "bytes", number)["state"], "poisoned")
    seen = event(house, "bytes", number)
    assert (seen["size_bytes"], seen["is_cut"]) == (70_003, True)
    assert len(seen["body"]) == 64 * 1024


# ── What is stored is shown ─────────────────────────────────────────────────────────────────


def test_what_a_source_planned_and_stated_is_shown_with_its_product(house: RunningHouse) -> None:
    document = """\
name: wide
format: json
items: items
fields:
  {sku: item.sku, name: item.name, price: item.price, gtin: item.gtins, location: item.place,
   tax: item.tax, anchor_price: item.anchor, valid_from: item.begins, valid_to: item.ends}
"""
    house.done("PUT", "/api/v1/mappings/wide", content=document)
    register(house, "wide", mapping="wide")
    add_secret(house, "wide")
    item = {"sku": "w-1", "name": "Kruh", "price": "1.29", "tax": "25", "anchor": "1.19"}
    item |= {"place": "aisle 4", "gtins": "3858884600055; 3830000620871"}
    number = call(house, "wide", json.dumps({"items": [item]}).encode()).json()["id"]
    until(lambda: event(house, "wide", number)["state"], "done")
    later = {"sku": "w-1", "name": "Kruh", "price": "1.39"}
    later |= {"begins": "2036-03-01T06:00:00Z", "ends": "2036-04-01T06:00:00Z"}
    number = call(house, "wide", json.dumps({"items": [later]}).encode()).json()["id"]
    until(lambda: event(house, "wide", number)["state"], "done")
    found = house.done("GET", f"{STORE}/products/w-1")
    assert (found["price"], found["anchor_price"], found["tax"]) == ("1.29", "1.19", "25")
    assert (found["location"], found["gtin"]) == ("aisle 4", "3858884600055")
    assert found["gtins"] == ["3858884600055", "3830000620871"]
    assert found["planned"] == [
        {
            "source": "wide",
            "price": "1.39",
            "promotion_price": None,
            "valid_from": "2036-03-01T06:00:00Z",
            "valid_to": "2036-04-01T06:00:00Z",
            "holds": False,
        }
    ]


# ── Silence ─────────────────────────────────────────────────────────────────────────────────


def hold_tongue(house: RunningHouse, source: str) -> None:
    """Let the source have been silent for an hour."""
    then = house.house.clock.now() - timedelta(hours=1)

    def work(tx: Connection) -> None:
        row = update(sources).where(sources.c.source_id == source)
        tx.execute(row.values(heard_at=then, expected_since=then))

    house.write(work)


def test_a_store_whose_till_is_silent_is_not_right(house: RunningHouse) -> None:
    pages = {"Accept": "text/html"}
    house.done("POST", f"{STORE}/products", [{"sku": "s-1", "name": "Kruh", "price": "1.29"}])
    body = {"name": "Our till", "store": "main", "expected": {"every_s": 600}}
    house.done("PUT", "/api/v1/sources/our-till", body)
    assert house.done("GET", f"{STORE}/fleet")["till"] == {"is_current": True, "silent": []}
    assert "Prices may be old" not in house.ask("GET", "/wall?store=main", headers=pages).text

    hold_tongue(house, "our-till")
    till = house.done("GET", f"{STORE}/fleet")["till"]
    assert till["is_current"] is False
    assert house.done("GET", f"{STORE}/summary")["silent_sources"] == 1
    [silent] = till["silent"]
    assert (silent["source"], silent["expected"]) == ("our-till", "every 10 min")
    page = house.ask("GET", "/wall?store=main", headers=pages).text
    assert "Prices may be old" in page
    assert "Our till" in page
    assert "As last told" in page
    assert ">Right<" not in page
    until(lambda: problems_of(house, "source_silent"), ["source/our-till/main"])

    same = {"sku": "s-1", "price": "1.29", "source": "our-till"}
    [result] = house.done("POST", f"{STORE}/price-changes", same)["results"]
    assert result["decision"] == "unchanged"
    assert house.done("GET", f"{STORE}/fleet")["till"]["is_current"] is True
    assert ">Right<" in house.ask("GET", "/wall?store=main", headers=pages).text
    until(lambda: problems_of(house, "source_silent"), [])


def test_a_webhook_s_word_is_a_word_and_noise_is_none(house: RunningHouse) -> None:
    register(house, "talker", expected={"every_s": 600})
    add_secret(house, "talker")
    hold_tongue(house, "talker")
    number = call(house, "talker", b'{"stock": 3}').json()["id"]
    until(lambda: event(house, "talker", number)["state"] in ("noise", "poisoned"), wanted=True)
    assert house.done("GET", f"{STORE}/fleet")["till"]["is_current"] is False
    call(house, "talker", b'{"sku": "s-1", "price": "1.29"}')
    until(lambda: house.done("GET", f"{STORE}/fleet")["till"]["is_current"], wanted=True)
