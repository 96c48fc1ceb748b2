"""One audit entry alone: whose it may be read by, and what it says."""

from collections.abc import Iterator

import pytest

from tests.running_house import STORE_BODY, RunningHouse, check_problem, running_house


@pytest.fixture
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHouse]:
    with running_house(tmp_path_factory.mktemp("audit") / "data") as running:
        running.done("PUT", "/api/v1/stores/vrsar", STORE_BODY)
        running.done("PUT", "/api/v1/stores/pula", STORE_BODY)
        yield running


def test_an_entry_is_the_one_of_the_list(house: RunningHouse) -> None:
    link = house.done("POST", "/api/v1/sign-in-links", {"uses": 3})["url"]
    entries = house.done("GET", "/api/v1/audit")["entries"]
    for one in entries:
        read = house.done("GET", f"/api/v1/audit/{one['id']}")
        assert read | {"sealed": None} == one | {"sealed": None}
    made = entries[0]
    assert (made["action"], made["subject"]) == ("sign_in_link", "person/owner")
    assert made["detail"]["uses"] == 3
    assert link.rpartition("=")[2] not in str(entries), "never a secret"


def test_an_entry_of_another_store_is_as_one_that_is_not_there(house: RunningHouse) -> None:
    at = "/api/v1/stores/{}/guards"
    reason = {"on": False, "reason": "a test"}
    for store in ("vrsar", "pula"):
        house.done("PUT", at.format(store), reason)
    house.done("POST", "/api/v1/sign-in-links")
    entries = house.done("GET", "/api/v1/audit?action=guards")["entries"]
    of_store = {one["store"]: one["id"] for one in reversed(entries)}
    mine, other = of_store["vrsar"], of_store["pula"]
    entries = house.done("GET", "/api/v1/audit")["entries"]
    [whole, *_] = [one["id"] for one in entries if one["store"] is None]
    token = house.token("audit:read", stores=("vrsar",))
    read = house.ask("GET", f"/api/v1/audit/{mine}", token=token).json()
    assert (read["store"], read["reason"]) == ("vrsar", "a test")
    said = {
        check_problem(house.ask("GET", f"/api/v1/audit/{number}", token=token), 404)[
            "detail"
        ].replace(str(number), "N")
        for number in (other, whole, 77_000)
    }
    assert said == {"no audit entry N; GET /api/v1/audit lists them"}
    check_problem(house.ask("GET", "/api/v1/audit/x", token=token), 404)
    nobody = house.token("label:read", stores=("vrsar",))
    check_problem(house.ask("GET", f"/api/v1/audit/{mine}", token=nobody), 403)
