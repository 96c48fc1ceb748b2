"""What clients of the API rely on is not taken away by accident."""

import copy
import json
from pathlib import Path

import pytest

from tests.api_contract import GOLDEN, Contract, breaks_of, contract_of
from tests.running_house import running_house


@pytest.fixture(scope="module")
def promised() -> Contract:
    found: Contract = json.loads(GOLDEN.read_text())
    return found


def test_the_api_keeps_what_it_promised(tmp_path: Path, promised: Contract) -> None:
    with running_house(tmp_path) as house:
        now = contract_of(house.done("GET", "/api/v1/openapi.json"))
    assert sorted(breaks_of(promised, now)) == []
    assert now == promised, "meant? then write it down: python -m tests.api_contract"


def test_a_break_is_named(promised: Contract) -> None:
    now = copy.deepcopy(promised)
    door = "GET /api/v1/stores/{store}/labels"
    del now["GET /api/v1/stores"]
    now[door]["takes"].remove("query limit")
    now[door]["takes"].append("query aisle required")
    now[door]["answers"].remove("200 application/json")
    now["PUT /api/v1/stores/{store}"]["must_have"].append("owner")
    assert sorted(breaks_of(promised, now)) == [
        "GET /api/v1/stores is gone",
        f"{door} answers 200 application/json no more",
        f"{door} takes query limit no more",
        f"{door} wants query aisle from now on",
        "PUT /api/v1/stores/{store} wants a body with owner from now on",
    ]
    more = copy.deepcopy(promised) | {"GET /api/v1/more": promised[door]}
    assert breaks_of(promised, more) == []
