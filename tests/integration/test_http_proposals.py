"""Proposals over HTTP and the command line: taken, refused in words, approved by another."""

import json
from pathlib import Path
from typing import Any

import pytest

from api.private_files import RuntimeFile, runtime_file
from tests.running_house import Command, RunningHouse, check_problem

pytest_plugins = ["tests.shop_over_http"]

MAIN = "/api/v1/stores/main"
HERE = f"{MAIN}/price-proposals"
RULES = {"engines": ["footfall"], "approval": "rises", "moves_a_day": 9}


@pytest.fixture(scope="module", autouse=True)
def _ready(shop: RunningHouse) -> None:
    shop.done("PUT", f"{MAIN}/till", {"channel": "own", "price_owner": "esl"})
    shop.done("PUT", f"{MAIN}/proposal-rules", RULES)


def a_proposal(price: str = "1.19", sku: str = "1001", **more: Any) -> dict[str, Any]:
    one = {"sku": sku, "price": price, "reason": "few customers this morning"} | more
    return {"source": "footfall", "proposals": [one]}


def propose(shop: RunningHouse, price: str, token: str | None = None) -> dict[str, Any]:
    answer = shop.ask("POST", HERE, json=a_proposal(price), token=token or shop.operator)
    assert answer.status_code == 200, answer.text
    [one] = answer.json()["proposals"]
    assert isinstance(one, dict)
    return one


def test_an_engine_moves_a_price_within_the_bounds_and_is_told_beyond(shop: RunningHouse) -> None:
    engine = shop.token("price:propose", stores=("main",))
    accepted = propose(shop, "1.19", engine)
    assert (accepted["state"], accepted["labels"]) == ("accepted", 1)
    assert shop.done("GET", "/api/v1/labels/l-1")["face"]["price"] == "1.19"
    [why] = shop.done("GET", "/api/v1/labels/l-1/explain")["products"]
    assert "The engine footfall proposed the price: “few customers this morning”." in why["words"]
    refused = propose(shop, "0.99", engine)
    assert refused["state"] == "refused"
    [bound] = refused["bounds"]
    assert (bound["bound"], bound["fix"]) == ("least_percent", "Propose at least 1.04 EUR.")
    around = shop.ask(
        "POST", f"{MAIN}/price-changes", json={"sku": "1001", "price": "0.01"}, token=engine
    )
    check_problem(around, 403)
    kept = shop.done("GET", HERE)["proposals"]
    assert [k["state"] for k in kept] == ["accepted", "refused"]
    assert kept[0]["reason"] == "few customers this morning"
    shop.done("POST", f"{MAIN}/price-changes", {"sku": "1001", "price": "1.29"})


@pytest.mark.parametrize("name", ["customer", "loyalty_id", "segment", "card_number"])
def test_a_personal_offer_is_refused_at_the_door(untouched: RunningHouse, name: str) -> None:
    shop = untouched
    body = a_proposal(**{name: "ana"})
    problem = check_problem(shop.ask("POST", HERE, json=body), 422, f"/proposals/0/{name}")
    assert "everybody reads a label" in problem["errors"][0]["detail"]
    change = {"sku": "1001", "price": "1.19", name: "ana"}
    for path, asked in ((f"{MAIN}/price-changes", change), (f"{MAIN}/products", [change])):
        told = check_problem(shop.ask("POST", path, json=asked), 422)
        assert "everybody reads a label" in str(told)


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"source": "footfall"}, "/proposals"),
        ({"source": "footfall", "proposals": []}, "/proposals"),
        (a_proposal(price="0"), "/proposals/0/price"),
        (a_proposal(price=1.19), "/proposals/0/price"),  # type: ignore[arg-type]
        (a_proposal(reason=""), "/proposals/0/reason"),
        (a_proposal(currency="USD"), "/proposals/0/currency"),
        (a_proposal() | {"source": "Foot fall"}, "/source"),
        (
            {"source": "footfall", "proposals": a_proposal()["proposals"] * 2},
            "/proposals/1/sku",
        ),
    ],
)
def test_bad_proposals_are_refused_with_the_field(
    untouched: RunningHouse, body: Any, pointer: str
) -> None:
    check_problem(untouched.ask("POST", HERE, json=body), 422, pointer)


@pytest.mark.parametrize(
    ("rules", "pointer"),
    [
        ({}, "/engines"),
        ({"engines": ["A B"]}, "/engines/0"),
        ({"engines": [], "freeze_while_open": True}, "/opening"),
        ({"engines": [], "opening": {"today": []}}, "/opening"),
        ({"engines": [], "quiet": [{"begins": "22:00"}]}, "/quiet"),
        ({"engines": [], "least_percent": 101}, "/least_percent"),
        ({"engines": [], "lowest": "2.00", "highest": "1.00"}, "/lowest"),
        ({"engines": [], "approval": "maybe"}, "/approval"),
    ],
)
def test_bad_rules_are_refused_with_the_field(
    untouched: RunningHouse, rules: Any, pointer: str
) -> None:
    check_problem(untouched.ask("PUT", f"{MAIN}/proposal-rules", json=rules), 422, pointer)


def test_rules_come_back_as_they_were_sent(shop: RunningHouse) -> None:
    rules = shop.done("GET", f"{MAIN}/proposal-rules")
    assert rules | RULES == rules
    assert shop.done("PUT", f"{MAIN}/proposal-rules", rules) == rules


def test_the_command_line_lists_approves_and_keeps_the_rules(
    shop: RunningHouse, command: Command, tmp_path: Path
) -> None:
    data = shop.house.settings.data_dir
    with runtime_file(data, RuntimeFile(url=shop.url, token=shop.operator, pid=1)):
        _by_hand(shop, command, tmp_path, data)


def _by_hand(shop: RunningHouse, command: Command, tmp_path: Path, data: Path) -> None:
    engine = shop.token("price:propose", stores=("main",))
    waits = propose(shop, "1.35", engine)
    assert waits["state"] == "waiting"
    listed = command("proposals", "list", "--state", "waiting", "--data", str(data))
    assert "few customers this morning" in listed.stdout
    number = str(waits["proposal_id"])
    done = command("proposals", "approve", number, "--data", str(data))
    assert "accepted" in done.stdout
    assert shop.done("GET", "/api/v1/labels/l-1")["face"]["price"] == "1.35"
    again = command("proposals", "approve", number, "--data", str(data))
    assert "does not wait" in again.stderr
    file = tmp_path / "rules.json"
    file.write_text(json.dumps(RULES | {"approval": "never"}))
    command("proposals", "rules", "--put", str(file), "--data", str(data))
    shown = json.loads(command("proposals", "rules", "--data", str(data)).stdout)
    assert shown["approval"] == "never"
