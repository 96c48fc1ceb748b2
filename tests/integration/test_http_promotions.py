"""Promotions over HTTP: planned, looked at, let run, stopped, watched and explained."""

import json
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Thread
from typing import Any

import httpx2
import pytest
from sqlalchemy import update

from api.private_files import RuntimeFile, runtime_file
from esl.services.promotions import edges
from esl.store.tables import labels
from tests.history import rewrite_price_events
from tests.running_house import STORE_BODY, Command, RunningHouse, check_problem

pytest_plugins = ["tests.shop_over_http"]

HERE = "/api/v1/promotions"
OPEN = {"gives": {"percent": 25}, "selection": {"skus": ["1001"]}, "where": {"stores": ["main"]}}
AFTER_1999 = "2000-01-01T00:00"


TILL = "/api/v1/stores/main/till"


def create(shop: RunningHouse, name: str, **fields: Any) -> dict[str, Any]:
    found: dict[str, Any] = shop.done("POST", HERE, OPEN | {"id": name, "name": name} | fields)
    return found


def turn(shop: RunningHouse) -> int:
    """Do what the worker does within a second: turn every edge that has come."""
    turned = 0
    while shop.write(
        lambda tx: edges.begin_due(tx, shop.house.clock.now(), grace=timedelta(seconds=1))
    ):
        turned += 1
    return turned


def run(shop: RunningHouse, name: str, **fields: Any) -> None:
    create(shop, name, **fields)
    shop.done("POST", f"{HERE}/{name}/schedule", {})
    turn(shop)


def stop_all(shop: RunningHouse) -> None:
    for one in shop.done("GET", HERE)["promotions"]:
        if one["state"] not in ("ended", "cancelled", "rolled_back"):
            shop.done("POST", f"{HERE}/{one['id']}/cancel", {})
    turn(shop)


@pytest.fixture(scope="module", autouse=True)
def _a_history(shop: RunningHouse) -> None:
    """The products' prices have held for two months: reductions may be claimed."""
    then = datetime.now(UTC) - timedelta(days=60)
    shop.write(lambda tx: rewrite_price_events(tx, received_at=then))
    shop.done("PUT", TILL, {"channel": "own"})


@pytest.fixture
def clean(shop: RunningHouse) -> Iterator[RunningHouse]:
    """The shop without promotions that run, also afterwards."""
    yield shop
    stop_all(shop)


def price(shop: RunningHouse, label: str = "l-1") -> str:
    return str(shop.done("GET", f"/api/v1/labels/{label}")["face"]["price"])


def why(shop: RunningHouse, label: str, **query: Any) -> dict[str, Any]:
    found = shop.done("GET", f"/api/v1/labels/{label}/explain", **query)
    [one] = found["products"]
    assert isinstance(one, dict)
    return one


def test_a_promotion_lives_from_draft_to_its_end(clean: RunningHouse) -> None:
    shop = clean
    made = create(shop, "life", badge="−{percent} %")
    assert (made["state"], made["version"], made["stores"]) == ("draft", 1, ["main"])
    assert made["actions"] == ["schedule", "revise", "cancel"]
    answer = shop.ask("GET", f"{HERE}/life")
    assert answer.headers["etag"] == answer.json()["etag"] == '"1"'
    assert answer.json()["promotion"]["gives"] == {"percent": 25}

    new = OPEN | {"name": "Life", "gives": {"price": "1.00"}, "currency": "EUR"}
    check_problem(shop.ask("PUT", f"{HERE}/life", json=new), 428)
    check_problem(shop.ask("PUT", f"{HERE}/life", json=new, headers={"If-Match": '"7"'}), 412)
    saved = shop.ask("PUT", f"{HERE}/life", json=new, headers={"If-Match": '"1"'}).json()
    assert (saved["version"], saved["state"]) == (2, "draft")

    assert shop.done("POST", f"{HERE}/life/schedule", {})["state"] == "scheduled"
    assert price(shop) == "1.29", "nothing holds before its moment"
    assert turn(shop) == 1
    assert shop.done("GET", f"{HERE}/life")["state"] == "active"
    assert price(shop) == "1.00"
    check_problem(shop.ask("PUT", f"{HERE}/life", json=new, headers={"If-Match": "*"}), 409)
    check_problem(shop.ask("POST", f"{HERE}/life/schedule", json={}), 409)
    ended = shop.done("POST", f"{HERE}/life/end", {"reason": "sold out"})
    assert ended["state"] == "ended"
    turn(shop)
    assert price(shop) == "1.29"
    steps = shop.read(
        "SELECT action, reason FROM audit_entry WHERE subject = 'life' ORDER BY entry_id"
    )
    assert [step for step, _ in steps] == [
        "promotion_create",
        "promotion_revise",
        "promotion_revise",
        "promotion_schedule",
        "promotion_begin",
        "promotion_end",
    ]
    assert steps[-1][1] == "sold out"


def test_of_three_overlapping_campaigns_one_holds_and_everybody_learns_why(
    clean: RunningHouse,
) -> None:
    """The incident: three campaigns overlapped, and the label said a mixture of them."""
    shop = clean
    shop.done("POST", "/api/v1/stores/main/pairings", {"label": "l-2", "sku": "1002"})
    milk = {"selection": {"skus": ["1002"]}}
    run(shop, "dairy-week", gives={"percent": 10}, priority=5, badge="DAIRY", **milk)
    run(shop, "clearance", gives={"percent": 40}, priority=1, badge="CLEAR", **milk)
    club = {"gives": {"price": "0.50"}, "currency": "EUR", "club": "gold", "priority": 9}
    run(shop, "gold-club", **club, **milk)
    early = {"hours": [{"begins": "03:00", "ends": "03:01"}]}
    run(shop, "early-birds", gives={"percent": 50}, priority=99, window=early, **milk)

    face = shop.done("GET", "/api/v1/labels/l-2")["face"]
    assert (face["price"], face["badge"], face["member_price"]) == ("0.89", "DAIRY", "0.50")
    assert face["was"] == "0.99", "the lowest of thirty days, which the law wants"
    one = why(shop, "l-2")
    assert one["price"] == "0.89"
    assert one["base"]["price"] == "0.99"
    assert [each["promotion"] for each in one["applied"]] == ["dairy-week", "gold-club"]
    lost = {each["promotion"]: each for each in one["lost"]}
    assert (lost["clearance"]["why"], lost["clearance"]["to"]) == ("priority", "dairy-week")
    assert lost["early-birds"]["why"] == "not_running"
    assert any("its priority 1 is below the 5" in words for words in one["words"])
    assert any("does not run now" in words for words in one["words"])

    before = datetime.now(UTC).isoformat()
    shop.done("POST", f"{HERE}/dairy-week/cancel", {})
    turn(shop)
    assert price(shop, "l-2") == "0.59"
    then = why(shop, "l-2", at=before)
    assert then["price"] == "0.89", "the past stays as it was"
    assert any("dairy-week" in words for words in then["words"])


def test_a_preview_counts_rivals_troubles_and_costs_and_changes_nothing(
    clean: RunningHouse,
) -> None:
    shop = clean
    run(shop, "rival", gives={"percent": 30}, priority=3)
    before = shop.everything_stored()
    wanted = OPEN | {"id": "draft-only", "name": "Draft", "priority": 1}
    found = shop.done("POST", f"{HERE}/preview", {"promotion": wanted, "panels": ["bwry-296x128"]})
    assert (found["products"], found["labels"], found["refreshes"]) == (1, 1, 1)
    [here] = found["stores"]
    [rival] = here["rivals"]
    assert (rival["id"], rival["products"]) == ("rival", 1)
    assert (rival["this_one_wins"], rival["the_other_wins"]) == (0, 1)
    assert [t["code"] for t in here["troubles"]] == ["changes_nothing"]
    [face] = here["faces"]
    assert (face["label"], face["face"]["price"]) == ("l-1", "0.90")
    assert here["battery_mah_a_label"] > 0
    assert shop.everything_stored() == before
    wins = wanted | {"priority": 9}
    [here] = shop.done("POST", f"{HERE}/preview", {"promotion": wins})["stores"]
    assert here["rivals"][0]["this_one_wins"] == 1
    assert here["faces"][0]["face"]["price"] == "0.96"


def test_a_label_is_drawn_as_it_will_be(clean: RunningHouse) -> None:
    shop = clean
    create(shop, "drawn", window={"begins": "2090-01-01T08:00"})
    answer = shop.ask("GET", f"{HERE}/drawn/pictures/l-1.png")
    assert answer.content.startswith(b"\x89PNG")
    check_problem(shop.ask("GET", f"{HERE}/drawn/pictures/l-2.png"), 404)


@pytest.mark.parametrize(
    ("fields", "pointer"),
    [
        ({"gives": {}}, "/gives"),
        ({"gives": {"percent": 100}}, "/gives/percent"),
        ({"gives": {"percent": 12.5}}, "/gives/percent"),
        ({"gives": {"price": "1.00"}}, "/currency"),
        ({"gives": {"price": "1.00"}, "currency": "HRK"}, "/currency"),
        ({"gives": {"price": "1.00"}, "currency": "USD"}, "/currency"),
        ({"gives": {"quantity": 3, "pay_for": 3}}, "/gives/pay_for"),
        ({"selection": {}}, "/selection"),
        ({"selection": {"skus": ["x", 1]}}, "/selection/skus/1"),
        ({"where": {"stores": ["nowhere"]}}, None),
        ({"where": {"stores": ["main"], "groups": ["north"]}}, "/where/groups"),
        ({"window": {"begins": "2026-03-02T08:00Z"}}, "/window/begins"),
        ({"window": {"begins": "2026-02-30T08:00"}}, "/window/begins"),
        ({"window": {"begins": "2027-01-01T00:00", "ends": "2026-01-01T00:00"}}, "/window/ends"),
        ({"window": {"weekdays": ["monday"]}}, "/window/weekdays/0"),
        ({"window": {"hours": [{"begins": "25:00", "ends": "02:00"}]}}, "/window/hours/0/begins"),
        ({"badge": "-50 %"}, "/badge"),
        ({"template": "nobody-has-it"}, "/template"),
        ({"priority": 5000}, "/priority"),
        ({"stacking": "maybe"}, "/stacking"),
        ({"rollout": [{"percent": 0}]}, "/rollout/0"),
        ({"colour": "red"}, "/colour"),
        ({"id": "Not A Slug"}, "/id"),
    ],
)
def test_what_cannot_mean_anything_is_refused_with_its_field(
    untouched: RunningHouse, fields: dict[str, Any], pointer: str | None
) -> None:
    body = OPEN | {"id": "bad", "name": "Bad"} | fields
    answer = untouched.ask("POST", HERE, json=body)
    problem = check_problem(answer, 422)
    if pointer is not None:
        assert pointer in [error["pointer"] for error in problem["errors"]]


def test_where_no_till_would_hear_of_it_it_is_not_scheduled(clean: RunningHouse) -> None:
    create(clean, "unheard")
    clean.done("PUT", TILL, {"channel": "none"})
    problem = check_problem(clean.ask("POST", f"{HERE}/unheard/schedule", json={}), 409)
    clean.done("PUT", TILL, {"channel": "own"})
    assert "tills of main" in problem["detail"]
    assert clean.done("GET", f"{HERE}/unheard")["state"] == "draft"


def test_a_preview_says_what_is_missing_for_it_as_a_whole(clean: RunningHouse) -> None:
    clean.done("PUT", TILL, {"channel": "none"})
    wanted = OPEN | {"id": "spoils", "name": "Spoils", "is_markdown": True}
    [here] = clean.done("POST", f"{HERE}/preview", {"promotion": wanted})["stores"]
    clean.done("PUT", TILL, {"channel": "own"})
    codes = [trouble["code"] for trouble in here["troubles"]]
    assert codes[-2:] == ["no_till_channel", "markdown_without_badge"]


def test_goods_about_to_spoil_are_marked_where_the_law_frees_them_for_it(
    clean: RunningHouse,
) -> None:
    create(clean, "unmarked", is_markdown=True)
    store = "/api/v1/stores/main"
    clean.done("PUT", store, STORE_BODY | {"law": "de"})
    problem = check_problem(clean.ask("POST", f"{HERE}/unmarked/schedule", json={}), 409)
    assert "marked" in problem["detail"]
    clean.done("PUT", store, STORE_BODY)
    clean.done("POST", f"{HERE}/unmarked/schedule", {})  # Croatia's asks for a prior price instead


def test_a_template_that_a_promotion_is_drawn_with_stays(clean: RunningHouse) -> None:
    gallery = clean.done("GET", "/api/v1/stores/main/templates/promotion")["text"]
    mine = "/api/v1/stores/main/templates/mine"
    clean.done("PUT", mine, {"text": gallery.replace("name: promotion", "name: mine")})
    run(clean, "drawn-so", template="mine")
    assert "drawn-so" in check_problem(clean.ask("DELETE", mine), 409)["detail"]
    stop_all(clean)
    clean.done("DELETE", mine)


def test_one_whose_time_is_over_is_not_scheduled(clean: RunningHouse) -> None:
    create(clean, "past", window={"ends": "2020-01-01T00:00", "begins": AFTER_1999})
    check_problem(clean.ask("POST", f"{HERE}/past/schedule", json={}), 409)
    assert clean.done("GET", f"{HERE}/past")["state"] == "draft"


def test_the_stream_begins_with_how_it_stands_and_ends_with_it(clean: RunningHouse) -> None:
    create(clean, "streamed")
    clean.done("POST", f"{HERE}/streamed/cancel", {})
    events = _events(clean, "streamed")
    assert [kind for kind, _ in events] == ["progress", "end"]
    told = json.loads(events[0][1])
    assert told == clean.done("GET", f"{HERE}/streamed/progress")
    assert (told["labels"], told["state"]) == (1, "cancelled")


def test_somebody_who_watches_sees_it_begin_and_end(clean: RunningHouse, command: Command) -> None:
    run(clean, "watched")
    folder = clean.house.settings.data_dir
    told: list[tuple[str, str]] = []
    watching = Thread(target=_listen, args=(clean, "watched", told))
    watching.start()
    _wait(lambda: bool(told))
    clean.done("POST", f"{HERE}/watched/end", {})
    turn(clean)
    clean.write(lambda tx: tx.execute(update(labels).values(settled_rev=labels.c.wanted_rev)))
    watching.join(30)
    states = [json.loads(data)["state"] for kind, data in told if kind == "progress"]
    assert (states[0], states[-1], told[-1][0]) == ("active", "ended", "end")
    with runtime_file(folder, RuntimeFile(url=clean.url, token=clean.operator, pid=1)):
        ran = command("promotion", "watch", "watched", "--data", str(folder))
    assert (ran.status, ran.stderr) == (0, "")
    assert "watched ended: shown" in ran.stdout


def _wait(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def _events(shop: RunningHouse, name: str) -> list[tuple[str, str]]:
    told: list[tuple[str, str]] = []
    _listen(shop, name, told)
    return told


def _listen(shop: RunningHouse, name: str, told: list[tuple[str, str]]) -> None:
    """Note what a stream tells, as it comes, until it ends."""
    headers = {"Authorization": f"Bearer {shop.operator}"}
    with (
        httpx2.Client(base_url=shop.url, trust_env=False, timeout=20) as client,
        client.stream("GET", f"{HERE}/{name}/events", headers=headers) as answer,
    ):
        kind = ""
        for line in answer.iter_lines():
            if line.startswith("event: "):
                kind = line.removeprefix("event: ")
            elif line.startswith("data:"):
                told.append((kind, line.removeprefix("data:").strip()))
                if kind == "end":
                    return


def test_the_command_line_does_the_same(
    clean: RunningHouse, command: Command, tmp_path: Path
) -> None:
    folder = clean.house.settings.data_dir
    with runtime_file(folder, RuntimeFile(url=clean.url, token=clean.operator, pid=1)):
        _by_hand(clean, command, tmp_path, ["--data", str(folder)])


def _by_hand(clean: RunningHouse, command: Command, tmp_path: Path, data: list[str]) -> None:
    file = tmp_path / "promotion.json"
    file.write_text(json.dumps(OPEN | {"id": "by-hand", "name": "By hand"}))
    assert "1 product" in command("promotion", "preview", str(file), *data).stdout
    assert "by-hand" in command("promotion", "create", str(file), *data).stdout
    assert "draft" in command("promotion", "list", *data).stdout
    assert "scheduled" in command("promotion", "schedule", "by-hand", *data).stdout
    turn(clean)
    assert "active" in command("promotion", "show", "by-hand", *data).stdout
    assert "By hand" in command("explain", "l-1", *data).stdout
    ran = command("promotion", "rollback", "by-hand", "--reason", "wrong price", *data)
    assert "rolled back" in ran.stdout
    turn(clean)
    assert price(clean) == "1.29"
