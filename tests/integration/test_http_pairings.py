"""Pairings put right, places and short links, over HTTP."""

from typing import Any

import pytest

from esl.domain.ids import Sku, StoreId
from esl.domain.short_link import make_code
from tests.running_house import RunningHouse, check_problem

pytest_plugins = ["tests.shop_over_http"]

MAIN = "/api/v1/stores/main"
SETTING = {
    "base": "https://go.shop.example",
    "hosts": ["www.shop.example"],
    "rule": "https://www.shop.example/p/{gtin}",
    "in_faces": True,
}
CODE = make_code(StoreId("main"), Sku("1001"))


def steps(shop: RunningHouse, label: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = shop.done("GET", f"{MAIN}/pairing-steps", label=label)["steps"]
    for one in found[:1]:
        assert shop.done("GET", f"{MAIN}/pairing-steps/{one['step']}") == one
    return found


def skus(shop: RunningHouse, label: str) -> list[str]:
    listed = shop.done("GET", f"{MAIN}/labels", limit=1000)["labels"]
    [found] = [one["skus"] for one in listed if one["label"] == label]
    return list(found)


def register(shop: RunningHouse, *names: str) -> None:
    new = [{"label": name, "panel": "bwry-296x128", "gateway": "gw-1"} for name in names]
    shop.done("POST", f"{MAIN}/labels", new)


def test_a_pairing_is_listed_with_who_and_what_and_is_not_confirmed_unheard(
    shop: RunningHouse,
) -> None:
    register(shop, "p-1")
    token = shop.token("label:pair", "label:read")
    shop.done(
        "POST", f"{MAIN}/pairings", {"label": "p-1", "sku": "1001", "place": "3/2"}, token=token
    )
    [step] = steps(shop, "p-1")
    assert step["actor"].startswith("token:")
    assert (step["action"], step["ended"]) == ("paired", "pending")
    assert (step["before"]["skus"], step["after"]["skus"]) == ([], ["1001"])
    assert step["after"]["place"] == "3/2"
    assert shop.done("GET", "/api/v1/labels/p-1")["place"] == "3/2"


def test_a_step_is_undone_once_and_again_does_nothing(shop: RunningHouse) -> None:
    register(shop, "p-2")
    shop.done("POST", f"{MAIN}/pairings", {"label": "p-2", "sku": "1001"})
    shop.done("POST", f"{MAIN}/pairings", {"label": "p-2", "skus": ["1002", "1001"]})
    number = steps(shop, "p-2")[0]["step"]
    once = {"idempotency-key": "undo-p-2"}
    path = f"{MAIN}/pairing-steps/{number}/undo"
    first = shop.ask("POST", path, headers=once)
    assert first.json() == {"undone": 1, "labels": ["p-2"]}
    assert shop.ask("POST", path, headers=once).json() == first.json()
    assert shop.done("POST", path) == {"undone": 0, "labels": []}
    assert skus(shop, "p-2") == ["1001"]
    assert [one["action"] for one in steps(shop, "p-2")] == ["undone", "changed", "paired"]
    shop.done("DELETE", f"{MAIN}/pairings/p-2")
    problem = check_problem(shop.ask("POST", path), 409)
    assert "was undone already" in problem["detail"]


def test_steps_are_paged_from_the_newest(shop: RunningHouse) -> None:
    first = shop.done("GET", f"{MAIN}/pairing-steps", limit=2)
    assert len(first["steps"]) == 2
    rest = shop.done("GET", f"{MAIN}/pairing-steps", before=first["before"])["steps"]
    assert rest[0]["step"] < first["steps"][-1]["step"]
    for query in ({"limit": 0}, {"before": 0}, {"label": "A"}, {"other": 1}):
        check_problem(shop.ask("GET", f"{MAIN}/pairing-steps", **query), 422)


def test_a_broken_label_is_replaced(shop: RunningHouse) -> None:
    register(shop, "p-3", "p-4")
    shop.done("POST", f"{MAIN}/pairings", {"label": "p-3", "sku": "1002", "aisle": "7"})
    body = {"broken": "p-3", "new": "p-4"}
    assert shop.done("POST", f"{MAIN}/replacements", body) == {"replaced": True}
    assert shop.done("POST", f"{MAIN}/replacements", body) == {"replaced": False}
    assert (skus(shop, "p-3"), skus(shop, "p-4")) == ([], ["1002"])
    assert shop.done("GET", "/api/v1/labels/p-4")["place"] == "7"
    check_problem(
        shop.ask("POST", f"{MAIN}/replacements", json={"broken": "p-4", "new": "l-1"}), 409
    )
    check_problem(shop.ask("POST", f"{MAIN}/replacements", json={"broken": "p-4"}), 422, "/new")


def test_a_panel_without_room_is_refused_with_those_that_would_do(shop: RunningHouse) -> None:
    register(shop, "p-5")
    for number in range(5):
        product = {"name": f"Roba {number}", "price": "1.29"}
        shop.done("PUT", f"{MAIN}/products/many-{number}", product)
    many = {"label": "p-5", "skus": [f"many-{number}" for number in range(5)]}
    before = shop.everything_stored()
    problem = check_problem(shop.ask("POST", f"{MAIN}/pairings", json=many), 422, "/label")
    assert "wrong for the template" in problem["errors"][0]["detail"]
    assert shop.everything_stored() == before
    shop.done("POST", f"{MAIN}/pairings", many | {"skus": many["skus"][:4]})


def test_rows_of_a_planogram_are_tried_and_taken(shop: RunningHouse) -> None:
    register(shop, "p-6")
    rows = [
        {"row": 2, "label": "p-6", "aisle": "3", "bay": "1", "shelf": "2"},
        {"row": 3, "label": "nobody", "place": "3"},
        {"row": 4, "place": "3/1", "code": "S-31"},
    ]
    before = shop.everything_stored()
    tried = shop.done("POST", f"{MAIN}/places", {"rows": rows, "dry_run": True})
    assert shop.everything_stored() == before, "nothing is written in a dry run"
    taken = shop.done("POST", f"{MAIN}/places", {"rows": rows})
    assert tried == taken | {"dry_run": True}
    assert (taken["taken"], taken["rejected"], taken["placed"], taken["code"]) == (2, 1, 1, 1)
    assert [one["row"] for one in taken["results"]] == [2, 3, 4]
    assert taken["results"][1]["fix"]
    again = shop.done("POST", f"{MAIN}/places", {"rows": rows})
    assert (again["unchanged"], again["taken"]) == (2, 0)


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({}, "/rows"),
        ({"rows": [{"label": "a"}]}, "/rows/0/place"),
        ({"rows": [{"place": "3"}]}, "/rows/0/label"),
        ({"rows": [{"label": "a", "place": "3", "aisle": "3"}]}, "/rows/0/place"),
        ({"rows": [{"label": "a", "aisle": "3", "shelf": "1"}]}, "/rows/0/bay"),
        ({"rows": [{"label": "a", "aisle": "3/1"}]}, "/rows/0/aisle"),
        ({"rows": [{"label": "a", "place": "1/2/3/4/5"}]}, "/rows/0/place"),
        ({"rows": [{"label": "a", "place": 3}]}, "/rows/0/place"),
        ({"rows": [{"label": "a", "place": "3", "x": 1}]}, "/rows/0/x"),
        ({"rows": [{"label": "a", "place": "3"}], "dry_run": 1}, "/dry_run"),
    ],
)
def test_rows_that_say_no_place_are_refused_by_their_path(
    untouched: RunningHouse, body: dict[str, Any], path: str
) -> None:
    check_problem(untouched.ask("POST", f"{MAIN}/places", json=body), 422, path)


def test_a_scanned_shelf_sticks_to_the_pairings_of_who_scanned_it(shop: RunningHouse) -> None:
    register(shop, "p-7", "p-8")
    shop.done("POST", f"{MAIN}/places", {"rows": [{"place": "5/1", "code": "S-51"}]})
    ana, ivo = (shop.token("label:pair", "label:read") for _ in range(2))
    assert shop.done("PUT", f"{MAIN}/current-place", {"code": "S-51"}, token=ana) == {
        "place": "5/1"
    }
    assert shop.done("GET", f"{MAIN}/current-place", token=ana)["place"] == "5/1"
    assert shop.done("GET", f"{MAIN}/current-place", token=ivo)["place"] is None
    shop.done("POST", f"{MAIN}/pairings", {"label": "p-7", "sku": "1001"}, token=ana)
    shop.done("POST", f"{MAIN}/pairings", {"label": "p-8", "sku": "1001"}, token=ivo)
    assert shop.done("GET", "/api/v1/labels/p-7")["place"] == "5/1"
    assert shop.done("GET", "/api/v1/labels/p-8")["place"] is None
    check_problem(shop.ask("PUT", f"{MAIN}/current-place", json={"code": "?"}), 422, "/code")
    assert shop.done("PUT", f"{MAIN}/current-place", {}, token=ana) == {"place": None}


def test_labels_are_listed_by_aisle_and_walk_page_by_page(shop: RunningHouse) -> None:
    names = [f"w-{number}" for number in range(4)]
    register(shop, *names)
    places = zip(names, ("90/10", "90/2", "91/1", "91/2"), strict=True)
    rows = [{"label": label, "place": place} for label, place in places]
    shop.done("POST", f"{MAIN}/places", {"rows": rows})

    def walked(**query: Any) -> list[str]:
        found: list[str] = []
        after: str | None = ""
        while after is not None:
            page = shop.done("GET", f"{MAIN}/labels", order="walk", after=after, **query)
            found += [one["label"] for one in page["labels"]]
            after = page["after"]
        return found

    assert walked(aisle="90") == ["w-1", "w-0"]
    assert walked(aisle="91/2") == ["w-3"]
    whole = [one for one in walked(limit=1) if one in names]
    assert whole == ["w-1", "w-0", "w-2", "w-3"]
    told = {"serpentine": False, "first": ["91"]}
    assert shop.done("PUT", f"{MAIN}/walk", told) == told == shop.done("GET", f"{MAIN}/walk")
    assert [one for one in walked() if one in names] == ["w-2", "w-3", "w-1", "w-0"]
    check_problem(shop.ask("PUT", f"{MAIN}/walk", json={"first": [3]}), 422, "/first/0")
    check_problem(shop.ask("PUT", f"{MAIN}/walk", json={"first": ["3", "3"]}), 422, "/first")
    check_problem(shop.ask("GET", f"{MAIN}/labels", order="by heart"), 422)


def test_a_shopper_is_led_on_and_only_to_allowed_hosts(shop: RunningHouse) -> None:
    check_problem(shop.ask("GET", f"{MAIN}/short-link-redirects"), 409)
    wants = shop.read("SELECT label_id, wanted_rev FROM label ORDER BY label_id")
    shop.done("PUT", f"{MAIN}/short-links", SETTING | {"in_faces": False})
    target = f"{MAIN}/short-links/1001"
    shop.done("PUT", target, {"target": "https://www.shop.example/bread"})
    assert shop.read("SELECT label_id, wanted_rev FROM label ORDER BY label_id") == wants
    for code in (CODE, CODE.lower()):
        led = shop.ask("GET", f"/s/{code}", token=None)
        assert (led.status_code, led.headers["location"]) == (302, "https://www.shop.example/bread")
        assert "set-cookie" not in led.headers
    found = shop.done("GET", target)
    assert [one["visits"] for one in found["visits"]] == [2]
    assert (found["code"], found["leads_to"]) == (CODE, "https://www.shop.example/bread")
    check_problem(shop.ask("PUT", target, json={"target": "https://evil.example"}), 422, "/target")
    shop.done("PUT", target, {"target": None})
    nowhere = shop.ask("GET", f"/s/{CODE}", token=None)
    assert nowhere.status_code == 404, "it has no GTIN, and the rule wants one"
    assert "<h1>Kruh</h1>" in nowhere.text
    for code in ("00000000", "x", "a" * 300, "%0d%0aLocation:x", "..%2f..%2f"):
        unknown = shop.ask("GET", f"/s/{code}", token=None)
        assert unknown.status_code == 404
        assert "location" not in unknown.headers


def test_short_links_are_refused_by_their_fields(shop: RunningHouse) -> None:
    for change, path in (
        ({"base": "http://go.shop.example"}, "/base"),
        ({"hosts": []}, "/hosts"),
        ({"hosts": ["*.example"]}, "/hosts/0"),
        ({"hosts": [1]}, "/hosts/0"),
        ({"rule": "https://evil.example/"}, "/rule"),
        ({"rule": "https://www.shop.example/{label}"}, "/rule"),
        ({"in_faces": "yes"}, "/in_faces"),
    ):
        check_problem(shop.ask("PUT", f"{MAIN}/short-links", json=SETTING | change), 422, path)


def test_faces_say_the_short_link_and_it_is_exported(shop: RunningHouse) -> None:
    shop.done("POST", f"{MAIN}/pairings", {"label": "l-1", "sku": "1001"})
    found = shop.done("PUT", f"{MAIN}/short-links", SETTING)
    assert found["labels"] > 0
    face = shop.done("GET", "/api/v1/labels/l-1")["face"]
    assert face["link"] == f"https://go.shop.example/s/{CODE}"
    shop.done("PUT", f"{MAIN}/short-links/1001", {"target": "https://www.shop.example/b"})
    for form, line in (
        ("nginx", f'    /s/{CODE} "https://www.shop.example/b";\n'),
        ("apache", f"{CODE} https://www.shop.example/b\n"),
        ("netlify", f"/s/{CODE} https://www.shop.example/b 302\n"),
        ("csv", f"https://go.shop.example/s/{CODE},https://www.shop.example/b,1001\n"),
    ):
        assert line in shop.ask("GET", f"{MAIN}/short-link-redirects", format=form).text
    check_problem(shop.ask("GET", f"{MAIN}/short-link-redirects", format="iis"), 422)
