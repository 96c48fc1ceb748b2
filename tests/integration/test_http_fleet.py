"""Labels as devices, problems, tasks, verdicts, flips, lights and settings over HTTP."""

from datetime import UTC, datetime, timedelta

import pytest

from esl.store.migrate import time_acted_until
from tests.running_house import RunningHouse, check_problem, running_house

pytest_plugins = ["tests.shop_over_http"]

STORE = "/api/v1/stores/main"


def soon(seconds: float) -> str:
    return (datetime.now(UTC) + timedelta(seconds=seconds)).isoformat()


def test_a_price_change_can_be_followed_by_the_revision_it_was_answered(
    shop: RunningHouse,
) -> None:
    answer = shop.done("POST", f"{STORE}/price-changes", {"sku": "1001", "price": "1.35"})
    [result] = answer["results"]
    found = shop.done("GET", f"{STORE}/verdicts?change={result['rev']}")
    assert found["change"] == result["rev"]
    assert [(v["label"], v["sku"], v["verdict"]) for v in found["verdicts"]] == [
        ("l-1", "1001", "pending")
    ]
    newer = shop.done("POST", f"{STORE}/price-changes", {"sku": "1001", "price": "1.36"})
    found = shop.done("GET", f"{STORE}/verdicts?change={result['rev']}")
    assert [v["verdict"] for v in found["verdicts"]] == ["superseded"]
    label = shop.done("GET", "/api/v1/labels/l-1")
    assert label["verdict"]["verdict"] == "pending"
    assert label["wanted_rev"] == newer["results"][0]["rev"]
    check_problem(shop.ask("GET", f"{STORE}/verdicts?change=999999"), 404)
    check_problem(shop.ask("GET", f"{STORE}/verdicts"), 422)


def test_the_fleet_is_counted_and_listed_by_state(shop: RunningHouse) -> None:
    found = shop.done("GET", f"{STORE}/fleet")
    assert sum(found["states"].values()) == len(found["labels"]) == 2
    assert {x["label"]: x["state"] for x in found["labels"]} == {
        "l-1": "unreachable",
        "l-2": "unassociated",
    }
    only = shop.done("GET", f"{STORE}/fleet?state=unassociated")
    assert [x["label"] for x in only["labels"]] == ["l-2"]
    check_problem(shop.ask("GET", f"{STORE}/fleet?state=happy"), 422)


def test_a_policy_is_kept_and_refused_where_it_says_nothing(shop: RunningHouse) -> None:
    put = {"neutral": "task", "unknown_labels": "adopt", "verdict_within_s": 120}
    shop.done("PUT", f"{STORE}/policy", put | {"adopt_until": "2030-01-01T00:00:00Z"})
    assert shop.done("GET", f"{STORE}/policy")["neutral"] == "task"
    for bad in ({"neutral": "blank"}, {"verdict_within_s": 1}, {"else": 1}):
        check_problem(shop.ask("PUT", f"{STORE}/policy", json=bad), 422, f"/{next(iter(bad))}")
    shop.done("PUT", f"{STORE}/policy", {})
    assert shop.done("GET", f"{STORE}/policy")["neutral"] == "face"


def test_a_flip_is_planned_shown_and_cancelled(shop: RunningHouse) -> None:
    change = {"sku": "1001", "price": "0.99", "badge": "AKCIJA"}
    planned = shop.done("POST", f"{STORE}/flips", {"at": soon(3600), "changes": [change]})
    assert planned["labels"] == planned["staged"] == 1
    flip = shop.done("GET", f"{STORE}/flips/{planned['flip']}")
    assert (flip["state"], flip["pictures"]["planned"]) == ("planned", 1)
    assert planned["flip"] in [f["flip"] for f in shop.done("GET", f"{STORE}/flips")["flips"]]
    shop.done("DELETE", f"{STORE}/flips/{planned['flip']}")
    assert shop.done("GET", f"{STORE}/flips/{planned['flip']}")["state"] == "cancelled"
    assert shop.done("GET", f"{STORE}/products/1001")["price"] != "0.99"


def test_a_flip_that_cannot_be_is_refused_with_the_path(shop: RunningHouse) -> None:
    change = {"sku": "1001", "price": "0.99"}
    for body, path in (
        ({"at": soon(-5), "changes": [change]}, "/at"),
        ({"changes": [change]}, "/at"),
        ({"at": "tomorrow", "changes": [change]}, "/at"),
        ({"at": soon(60), "changes": [{"sku": "1001", "price": 1}]}, "/changes/0/price"),
        ({"at": soon(60), "changes": []}, "/changes"),
        ({"at": soon(60), "changes": [change | {"source_seq": 1}]}, "/changes"),
        ({"at": soon(60), "changes": [{"sku": "none", "price": "1.00"}]}, "/changes/0/sku"),
    ):
        check_problem(shop.ask("POST", f"{STORE}/flips", json=body), 422, path)
    check_problem(shop.ask("GET", f"{STORE}/flips/seven"), 404)
    check_problem(shop.ask("DELETE", f"{STORE}/flips/999"), 404)


def test_a_light_waits_for_its_gateway_and_labels_nobody_heard_are_left_out(
    shop: RunningHouse,
) -> None:
    answer = shop.done("POST", f"{STORE}/lights", {"labels": ["l-1", "l-2"], "seconds": 20})
    assert answer["labels"] == 1
    [number] = answer["commands"]
    command = shop.done("GET", f"{STORE}/commands/{number}")
    assert (command["kind"], command["state"], command["gateway"]) == ("led", "waiting", "gw-1")
    check_problem(shop.ask("POST", f"{STORE}/lights", json={"labels": ["l-9"]}), 404)
    check_problem(shop.ask("POST", f"{STORE}/lights", json={"labels": []}), 422, "/labels")
    bad = {"labels": ["l-1"], "colour": "mauve"}
    check_problem(shop.ask("POST", f"{STORE}/lights", json=bad), 422, "/colour")


def test_a_gateway_is_told_settings_time_and_firmware(shop: RunningHouse) -> None:
    gateway = f"{STORE}/gateways/gw-1"
    for body in ({"kind": "time"}, {"kind": "report"}, {"kind": "config", "beacon_s": 60}):
        assert len(shop.done("POST", f"{gateway}/commands", body)["commands"]) == 1
    for bad, path in (
        ({"kind": "dance"}, "/kind"),
        ({"kind": "config"}, "/kind"),
        ({"kind": "time", "beacon_s": 5}, "/kind"),
        ({"kind": "config", "beacon_s": 0}, "/beacon_s"),
    ):
        check_problem(shop.ask("POST", f"{gateway}/commands", json=bad), 422, path)
    image = {"target": "gateway", "version": "1.4.0", "image": "bmV3IGZpcm13YXJl"}
    assert len(shop.done("POST", f"{gateway}/firmware", image)["commands"]) == 1
    bad_target = shop.ask("POST", f"{gateway}/firmware", json=image | {"target": "toaster"})
    check_problem(bad_target, 422, "/target")
    bad_image = shop.ask("POST", f"{gateway}/firmware", json=image | {"image": "%"})
    check_problem(bad_image, 422, "/image")
    elsewhere = shop.ask("POST", f"{STORE}/gateways/gw-9/commands", json={"kind": "time"})
    check_problem(elsewhere, 404)


def test_an_unpaired_label_and_a_withdrawn_price_want_something_new(shop: RunningHouse) -> None:
    before = shop.done("GET", "/api/v1/labels/l-1")["wanted_rev"]
    body = {"what": "price", "skus": ["1001"]}
    assert shop.done("POST", f"{STORE}/withdrawals", body) == {"products": 1, "labels": 1}
    assert shop.done("GET", f"{STORE}/products/1001")["price"] is None
    label = shop.done("GET", "/api/v1/labels/l-1")
    assert label["face"] is None
    assert label["wanted_rev"] > before
    shop.done("POST", f"{STORE}/price-changes", {"sku": "1001", "price": "1.29"})
    assert shop.done("DELETE", f"{STORE}/pairings/l-1") == {"unpaired": 1}
    assert shop.done("GET", "/api/v1/labels/l-1")["face"] is None
    assert shop.done("DELETE", f"{STORE}/labels/l-1") == {"retired": 1}
    shop.done("POST", f"{STORE}/pairings", {"label": "l-1", "sku": "1001"})
    check_problem(shop.ask("DELETE", f"{STORE}/pairings/l-9"), 404)
    check_problem(
        shop.ask("POST", f"{STORE}/withdrawals", json={"what": "product", "skus": ["none"]}), 404
    )


def test_problems_and_tasks_are_empty_where_nothing_is_wrong(shop: RunningHouse) -> None:
    assert shop.done("GET", f"{STORE}/problems") == {"problems": [], "after": None}
    assert shop.done("GET", f"{STORE}/remove-tasks")["tasks"] == []
    check_problem(shop.ask("POST", f"{STORE}/remove-tasks/1/done", json={}), 404)
    check_problem(shop.ask("POST", f"{STORE}/remove-tasks/x/done", json={}), 404)


def test_the_keys_of_an_enrolment_are_noted(shop: RunningHouse) -> None:
    enrolment = shop.done("PUT", f"{STORE}/gateways/gw-1", {})
    [gateway] = shop.done("GET", f"{STORE}/gateways")["gateways"]
    assert gateway["enrolled_keys"] == sorted(enrolment["keys"])


def test_a_clock_that_is_held_is_shown_and_confirmed_by_who_may(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    with running_house(tmp_path_factory.mktemp("clock") / "data") as house:
        clock = house.house.clock
        asked = house.done("GET", "/api/v1/clock")
        assert (asked["held"], abs(asked["ahead_s"]) < 60) == (False, True)
        answer = house.ask("POST", "/api/v1/clock/confirm", token=house.operator)
        check_problem(answer, 409)
        assert "nothing to confirm" in answer.text

        clock._now -= timedelta(days=2)  # as if the machine's had leapt ahead
        held = house.done("GET", "/api/v1/clock")
        assert held["held"] is True
        assert held["ahead_s"] == pytest.approx(2 * 86_400, abs=60)
        weak = house.ask("POST", "/api/v1/clock/confirm", token=house.token("label:read"))
        check_problem(weak, 403)
        check_problem(house.ask("POST", "/api/v1/clock/confirm", json={"x": 1}), 422)
        assert clock.held
        believed = house.done("POST", "/api/v1/clock/confirm")
        assert (believed["held"], abs(believed["ahead_s"]) < 60) == (False, True)
        with house.house.database.read() as tx:
            acted_until = time_acted_until(tx)
        assert acted_until.isoformat()[:16] == believed["now"][:16]
