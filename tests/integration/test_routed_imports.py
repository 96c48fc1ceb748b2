"""One list for many stores: by a column, by the file's name, by the source; over HTTP and here."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.imports import KEYS, run_beside, wait_for
from tests.running_house import STORE_BODY, Command, RunningHouse, check_problem, running_house

CHAIN = """
name: chain
format: csv
currency: EUR
fields: {store: shop, sku: sku, name: name, price: price}
"""
CHECKED = """
name: checked
format: csv
currency: EUR
header_row: null
records: {type: 1, item: D, trailer: T, count: 2}
short_rows: true
fields: {store: {number: 2}, sku: {number: 3}, name: {number: 4}, price: {number: 5}}
"""
SINGLE = "name: single\nformat: csv\nfields: {sku: sku, name: name, price: price}\n"
pytest_plugins = ["tests.shop_over_http"]
Rows = list[tuple[str, str, str]]


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHouse]:
    with running_house(tmp_path_factory.mktemp("house") / "data", with_worker=True) as running:
        yield running


@pytest.fixture
def new_stores(house: RunningHouse) -> Callable[..., tuple[str, ...]]:
    """Make stores of this test's own."""

    def make(*names: str, **changes: Any) -> tuple[str, ...]:
        for name in names:
            house.done("PUT", f"/api/v1/stores/{name}", STORE_BODY | changes)
        return names

    return make


def chain_list(rows: Rows) -> bytes:
    lines = [f"{store},{sku},Product {sku},{price}" for store, sku, price in rows]
    return "\n".join(["shop,sku,name,price", *lines, ""]).encode()


def hand_in(
    house: RunningHouse,
    body: bytes,
    mapping: str = CHAIN,
    *,
    name: str = "list.csv",
    token: str | None = None,
    **options: str,
) -> Any:
    return house._http.post(
        "/api/v1/imports",
        headers={"Authorization": f"Bearer {token or house.operator}"},
        data={"mapping": mapping} | options,
        files={"file": (name, body)},
    )


def import_now(house: RunningHouse, body: bytes, mapping: str = CHAIN, **how: Any) -> Any:
    answer = hand_in(house, body, mapping, **how)
    assert answer.status_code == 202, answer.text
    return wait_for(house, answer.json()["id"])


def prices(house: RunningHouse, store: str) -> dict[str, int]:
    found = house.read("SELECT sku, price_minor FROM price WHERE store_id = ?", store)
    return dict(found)  # type: ignore[arg-type]


def test_each_row_goes_to_the_store_it_names_and_each_store_is_counted(
    house: RunningHouse, new_stores: Callable[..., tuple[str, ...]]
) -> None:
    new_stores("a-east", "a-west")
    rows = [("a-east", "1", "1.00"), ("a-west", "1", "2.00"), ("a-west", "2", "3.00")]
    wrong = [("a-north", "9", "1.00"), ("a-west", "3", "free"), ("", "4", "1.00")]
    body = chain_list(rows + wrong)
    trial = import_now(house, body, dry_run="true")
    assert prices(house, "a-west") == {}
    job = import_now(house, body)
    summary = job["summary"]
    assert trial["summary"] == summary
    assert list(summary) == [*KEYS, "stores"]
    assert (job["store"], summary["rows"], summary["products"]) == (None, 6, 3)
    assert [(line["row"], line["field"]) for line in summary["rejected"]] == [
        *((5, "store"), (6, "price"), (7, "store")),
    ]
    assert "'a-north' is no store of this source" in summary["rejected"][0]["reason"]
    counted = {
        store: (c["products"], c["accepted"], c["rejected"])
        for store, c in summary["stores"].items()
    }
    assert counted == {"a-east": (1, 1, 0), "a-west": (2, 2, 1)}
    assert prices(house, "a-east") == {"1": 100}
    assert prices(house, "a-west") == {"1": 200, "2": 300}
    again = import_now(house, body)["summary"]
    assert (again["accepted"], again["unchanged"]) == (0, 3)
    report = house.done("GET", f"/api/v1/imports/{job['id']}/report")["rows"]
    assert [(line["row"], line["store"]) for line in report] == [
        *((2, "a-east"), (3, "a-west"), (4, "a-west"), (5, None), (6, "a-west"), (7, None)),
    ]


def test_who_is_for_some_stores_changes_those_and_learns_of_no_others(
    house: RunningHouse, new_stores: Callable[..., tuple[str, ...]]
) -> None:
    new_stores("b-mine", "b-theirs", "b-also")
    mine = house.token("price:write", "price:read", stores=("b-mine", "b-also"))
    other = house.token("price:write", "price:read", stores=("b-theirs",))
    rows = [("b-mine", "1", "1.00"), ("b-theirs", "1", "1.00"), ("b-none", "1", "1.00")]
    answer = hand_in(house, chain_list(rows), token=mine)
    assert answer.status_code == 202, answer.text
    job_id = answer.json()["id"]
    summary = wait_for(house, job_id)["summary"]
    assert summary["accepted"] == 1
    reasons = [
        line["reason"].replace("b-theirs", "X").replace("b-none", "X")
        for line in summary["rejected"]
    ]
    assert len(reasons) == 2
    assert reasons[0] == reasons[1]
    assert prices(house, "b-theirs") == {}
    assert house.done("GET", f"/api/v1/imports/{job_id}", token=mine)["id"] == job_id
    listed = house.done("GET", "/api/v1/imports", token=mine)["imports"]
    assert [job["id"] for job in listed] == [job_id]
    assert house.done("GET", "/api/v1/imports", token=other)["imports"] == []
    for store, who, many in (("b-mine", None, 1), ("b-mine", mine, 1), ("b-theirs", other, 0)):
        how = {} if who is None else {"token": who}
        of_store = house.done("GET", f"/api/v1/imports?store={store}", **how)["imports"]
        assert [job["id"] for job in of_store] == [job_id] * many
    for path in ("", "/report"):
        refused = house.ask("GET", f"/api/v1/imports/{job_id}{path}", token=other)
        check_problem(refused, 404)
    check_problem(house.ask("POST", f"/api/v1/imports/{job_id}/cancel", json={}, token=other), 404)
    reader = house.token("price:read", stores=("b-mine",))
    check_problem(hand_in(house, chain_list(rows), token=reader), 403)


def put_source(house: RunningHouse, name: str, **fields: Any) -> None:
    house.done("PUT", f"/api/v1/sources/{name}", {"name": name, "kind": "file"} | fields)


def test_a_complete_list_retires_in_each_store_by_its_own_numbers(
    house: RunningHouse, new_stores: Callable[..., tuple[str, ...]]
) -> None:
    new_stores("c-good", "c-short", "c-absent")
    every = [str(n) for n in range(60)]
    whole = [(s, sku, "1.00") for s in ("c-good", "c-short", "c-absent") for sku in every]
    first = import_now(house, chain_list(whole), mode="full")
    assert first["summary"]["accepted"] == 180
    next_list = [("c-good", sku, "1.00") for sku in every[2:]]
    next_list += [("c-short", sku, "1.00") for sku in every[30:]]
    job = import_now(house, chain_list(next_list), mode="full")
    assert job["summary"]["retired"] == 2
    assert {s: c["retired"] for s, c in job["summary"]["stores"].items()} == {
        "c-good": 2,
        "c-short": 0,
    }
    assert "30 products of c-short are missing" in job["detail"]
    assert len(prices(house, "c-good")) == 58
    assert len(prices(house, "c-short")) == 60
    assert len(prices(house, "c-absent")) == 60
    confirmed = house.done(
        "POST", f"/api/v1/stores/c-short/batches/{job['batch']}/retire", {"reason": "sold out"}
    )
    assert confirmed["retired"] == 30


def test_a_row_of_an_unknown_store_keeps_its_product_everywhere_unless_told_otherwise(
    house: RunningHouse, new_stores: Callable[..., tuple[str, ...]]
) -> None:
    new_stores("d-one")
    put_source(house, "d-chain", accepts_full=True)
    whole = [("d-one", "1", "1.00"), ("d-one", "2", "1.00")]
    import_now(house, chain_list(whole), source="d-chain", mode="full")
    misspelt = chain_list([("d-one", "1", "1.00"), ("d-onw", "2", "1.00")])
    assert import_now(house, misspelt, source="d-chain", mode="full")["summary"]["retired"] == 0
    assert set(prices(house, "d-one")) == {"1", "2"}
    put_source(house, "d-chain", accepts_full=True, settings={"unknown_stores": "ignore"})
    assert import_now(house, misspelt, source="d-chain", mode="full")["summary"]["retired"] == 1
    assert set(prices(house, "d-one")) == {"1"}


def test_a_wrong_count_in_the_trailer_applies_nothing_in_any_store(
    house: RunningHouse, new_stores: Callable[..., tuple[str, ...]]
) -> None:
    new_stores("e-one", "e-two")
    items = "D,e-one,1,Kruh,1.00\nD,e-two,1,Kruh,1.00\n"
    job = import_now(house, f"{items}T,3\n".encode(), CHECKED)
    assert job["state"] == "failed"
    assert prices(house, "e-one") == prices(house, "e-two") == {}
    job = import_now(house, f"{items}T,2\n".encode(), CHECKED)
    assert (job["state"], job["summary"]["accepted"]) == ("done", 2)


def test_the_name_of_a_file_says_its_store_in_the_words_of_its_source(
    house: RunningHouse, new_stores: Callable[..., tuple[str, ...]]
) -> None:
    new_stores("f-pula", "f-rovinj")
    names = {"store_from": "prices_{store}_*.csv", "store.0007": "f-pula"}
    put_source(house, "f-till", settings=names)
    body = b"sku,name,price\n1,Kruh,1.00\n"
    job = import_now(house, body, SINGLE, source="f-till", name="prices_0007_1.csv")
    assert (job["store"], job["summary"]["accepted"]) == ("f-pula", 1)
    job = import_now(
        house, body, SINGLE, source="f-till", name="x f-rovinj.csv", store_from="x {store}.csv"
    )
    assert (job["store"], prices(house, "f-rovinj")) == ("f-rovinj", {"1": 100})
    for name, words in (("prices_0008_1.csv", "no store"), ("other.csv", "does not fit")):
        refused = check_problem(hand_in(house, body, SINGLE, source="f-till", name=name), 422)
        assert words in json.dumps(refused)
    theirs = house.token("price:write", stores=("f-rovinj",))
    refused = hand_in(house, body, SINGLE, source="f-till", name="prices_0007_1.csv", token=theirs)
    assert "names no store of this source" in json.dumps(check_problem(refused, 422))


def test_what_names_no_store_is_refused_with_what_could(
    house: RunningHouse, new_stores: Callable[..., tuple[str, ...]]
) -> None:
    new_stores("g-one", "g-two")
    body = b"sku,name,price\n1,Kruh,1.00\n"
    told = check_problem(hand_in(house, body, SINGLE), 422)
    assert told["errors"][0]["pointer"] == "/store"
    assert "g-one" in told["errors"][0]["detail"]
    for pattern in ("prices.csv", "{store}/p.csv", "*{store}*"):
        told = check_problem(hand_in(house, body, SINGLE, store_from=pattern), 422)
        assert told["errors"][0]["pointer"] == "/store_from"
    named = house.ask(
        "POST", "/api/v1/stores/g-one/imports?mapping=x&store_from={store}.csv", content=body
    )
    check_problem(named, 422, "/store_from")
    only = house.token("price:write", "price:read", stores=("g-two",))
    job = import_now(house, body, SINGLE, token=only)
    assert (job["store"], prices(house, "g-two")) == ("g-two", {"1": 100})
    put_source(house, "g-till", store="g-one")
    assert import_now(house, body, SINGLE, source="g-till")["store"] == "g-one"
    told = check_problem(hand_in(house, body, SINGLE, source="g-till", token=only), 422)
    assert told["errors"][0]["pointer"] == "/source"


def test_a_store_that_sells_in_another_currency_is_refused_row_by_row(
    house: RunningHouse, new_stores: Callable[..., tuple[str, ...]]
) -> None:
    new_stores("h-euro")
    new_stores("h-forint", currency="HUF")
    rows = [("h-euro", "1", "1.00"), ("h-forint", "1", "1.00")]
    summary = import_now(house, chain_list(rows))["summary"]
    assert summary["accepted"] == 1
    assert "sells in HUF" in summary["rejected"][0]["reason"]
    told = import_now(house, chain_list(rows), CHAIN.replace("currency: EUR\n", ""))
    assert (told["state"], "currency" in told["detail"]) == ("failed", True)


def test_the_command_takes_a_list_of_several_stores_with_and_without_a_controller(
    tmp_path: Path, command: Command
) -> None:
    data = tmp_path / "data"
    with running_house(data) as house:
        for name in ("one", "two"):
            house.done("PUT", f"/api/v1/stores/{name}", STORE_BODY)
    list_file, mapping = tmp_path / "prices_two_1.csv", tmp_path / "chain.yaml"
    mapping.write_text(CHAIN)
    list_file.write_bytes(chain_list([("one", "1", "1.00"), ("two", "1", "2.00")]))
    ran = command("import", list_file, "--mapping", mapping, "--data", data, "--json")
    assert ran.status == 0, ran.stderr
    assert {s: c["accepted"] for s, c in json.loads(ran.stdout)["stores"].items()} == {
        "one": 1,
        "two": 1,
    }
    with running_house(data, with_worker=True) as house:
        run_beside(house, data)
        ran = command("import", list_file, "--mapping", mapping, "--data", data)
        assert ran.status == 0, ran.stderr
        assert "one" in ran.stdout
        [job] = house.done("GET", "/api/v1/imports?limit=1")["imports"]
        assert (job["store"], job["counts"]["unchanged"]) == (None, 2)
    mapping.write_text(SINGLE)
    lost = command("import", list_file, "--mapping", mapping, "--data", data)
    assert (lost.status, "one, two" in lost.stderr) == (1, True)
    list_file.write_bytes(b"sku,name,price\n1,Kruh,2.00\n")
    named = ("--store-from", "prices_{store}_*.csv")
    ran = command("import", list_file, "--mapping", mapping, "--data", data, *named, "--json")
    # The name and the price hold already, and "Kruh" is no longer "Product 1".
    assert (ran.status, json.loads(ran.stdout)["accepted"]) == (0, 1)
    assert "stores" not in json.loads(ran.stdout)
