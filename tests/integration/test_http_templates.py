"""Templates, the rules that choose them and their pictures, through the front door."""

import io
from collections.abc import Iterator
from typing import Any

import pytest
from PIL import Image

from api.edge import BODY_LARGEST_BYTES
from esl.services.template_choice import EXAMPLES_MOST
from renderer.pictures.upload_limits import FILE_LIMIT_BYTES
from tests.running_house import STORE_BODY, RunningHouse, check_headers, check_problem

pytest_plugins = ["tests.shop_over_http"]

STORE = "/api/v1/stores/main"
RULES = f"{STORE}/template-rules"
OWN = f"{STORE}/templates/own"
LOGO = f"{STORE}/pictures/logo"
ANY = {"If-Match": "*"}

TEXT = """\
name: own
title: Name and price
sample: {name: Jogurt, price: "0.79", currency: EUR}
worst_case: {name: Jogurt od borovnice, price: "129.99", currency: EUR}
variants:
  - elements:
      - {type: text, value: "{name}", box: [0, 0, "100%", "40%"], min_size: 12, fit: shrink}
      - {type: price, box: [0, "40%", "100%", "60%"]}
"""
WITH_PICTURE = TEXT.replace(
    "      - {type: price",
    '      - {type: image, name: logo, box: ["80%", "40%", "20%", "60%"]}\n      - {type: price',
).replace('[0, "40%", "100%", "60%"]', '[0, "40%", "75%", "60%"]')


def a_picture(colour: str = "black") -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (40, 20), colour).save(out, "PNG")
    return out.getvalue()


def upload(shop: RunningHouse, data: bytes) -> Any:
    answer = shop.ask("PUT", LOGO, content=data, headers={"Content-Type": "image/png"})
    assert answer.is_success, answer.text
    return answer.json()


def obey(shop: RunningHouse, *rules: dict[str, Any]) -> Any:
    return shop.done("PUT", RULES, {"rules": rules}, headers=ANY)


def wanted(shop: RunningHouse) -> dict[str, int]:
    return dict(shop.read("SELECT label_id, wanted_rev FROM label"))


@pytest.fixture(autouse=True)
def shelf(shop: RunningHouse) -> Iterator[RunningHouse]:
    """Both labels paired, l-2 with fruit; afterwards neither rules nor templates are left."""
    shop.done("PUT", f"{STORE}/products/1002", {"name": "Mlijeko", "category": "Voće"})
    pairs = [{"label": "l-1", "sku": "1001"}, {"label": "l-2", "sku": "1002"}]
    shop.done("POST", f"{STORE}/pairings", pairs)
    yield shop
    obey(shop)
    for address in (OWN, LOGO):
        assert shop.ask("DELETE", address).status_code in (200, 404)


# ── Templates ──────────────────────────────────────────────────────────────────────────────


def test_the_gallery_can_be_used_looked_at_and_copied(shop: RunningHouse) -> None:
    listed = {t["name"]: t for t in shop.done("GET", f"{STORE}/templates")["templates"]}
    assert listed["standard"]["gallery"] is True
    shown = shop.done("GET", f"{STORE}/templates/standard")
    assert (shown["gallery"], shown["version"], shown["versions"]) == (True, None, [])
    copy = shown["text"].replace("name: standard", "name: own", 1)
    answer = shop.ask("PUT", f"{STORE}/templates/standard", json={"text": shown["text"]})
    problem = check_problem(answer, 409)
    assert "another name" in problem["detail"]
    parsed = shop.ask("PUT", OWN, json={"text": copy})
    assert parsed.status_code in (200, 422), "the gallery's own lint is the gallery's business"


def test_a_template_is_saved_as_json_or_as_yaml_and_every_version_is_kept(
    shop: RunningHouse,
) -> None:
    saved = shop.done("PUT", OWN, {"text": TEXT})
    first = saved["version"]  # the numbers of those that were deleted are never used again
    assert (saved["name"], saved["labels"]) == ("own", 0)
    second = TEXT.replace("title: Name", "title: The name")
    answer = shop.ask("PUT", OWN, content=second, headers={"Content-Type": "application/yaml"})
    assert answer.json()["version"] == first + 1
    assert shop.done("PUT", OWN, {"text": second})["version"] == first + 1, "the same again"
    shown = shop.done("GET", OWN)
    assert (shown["text"], shown["version"], shown["gallery"]) == (
        second,
        first + 1,
        False,
    )
    assert [(v["version"], v["title"]) for v in shown["versions"][:2]] == [
        (first + 1, "The name and price"),
        (first, "Name and price"),
    ]
    old = shop.done("GET", OWN, version=first)
    assert old["text"] == TEXT
    assert shop.done("PUT", OWN, {"text": old["text"]})["version"] == first + 2
    check_problem(shop.ask("GET", OWN, version=999), 404)
    [listed] = [t for t in shop.done("GET", f"{STORE}/templates")["templates"] if not t["gallery"]]
    assert (listed["name"], listed["version"], listed["saved_by"]) == (
        "own",
        first + 2,
        "operator",
    )


def test_what_is_wrong_with_a_template_is_named_with_path_line_and_fix(
    untouched: RunningHouse,
) -> None:
    def refused(text: str, *pointers: str) -> str:
        problem = check_problem(untouched.ask("PUT", OWN, json={"text": text}), 422, *pointers)
        assert all(error["fix"] for error in problem["errors"])
        return str(problem["errors"][0]["detail"])

    assert "line 7" in refused(TEXT.replace("{name}", "{nmae}"), "/variants/0/elements/0/value")
    check_problem(untouched.ask("PUT", OWN, json={"text": "name: ["}), 422)
    refused(TEXT.replace("name: own", "name: other"), "/name")
    check_problem(untouched.ask("PUT", OWN, json={"txt": TEXT}), 422, "/text", "/txt")
    yaml = {"Content-Type": "application/yaml"}
    check_problem(untouched.ask("PUT", OWN, content=b"\xff", headers=yaml), 422, "")
    for kind in ({}, {"Content-Type": "application/x-www-form-urlencoded"}):
        problem = check_problem(untouched.ask("PUT", OWN, content=TEXT, headers=kind), 422, "")
        assert "application/yaml" in problem["fix"]
        assert problem["detail"].endswith("nothing was stored")
    check_problem(untouched.ask("PUT", f"{STORE}/templates/Own", json={"text": TEXT}), 404)


def test_a_template_that_would_print_badly_is_refused_by_its_own_worst_case(
    untouched: RunningHouse,
) -> None:
    yellow = TEXT.replace(
        '{type: price, box: [0, "40%"', '{type: price, ink: yellow, box: [0, "40%"'
    )
    answer = untouched.ask("PUT", OWN, json={"text": yellow})
    problem = check_problem(answer, 422)
    [error] = problem["errors"]
    assert error["pointer"].startswith("/variants/0/elements/1")
    assert error["detail"].startswith("line 8: ")
    assert "bwry-296x128 and 1 more" in error["detail"], "on the panels that the store has"
    assert error["fix"]


def test_warnings_come_back_with_the_answer(shop: RunningHouse) -> None:
    cut = TEXT.replace("od borovnice", "od borovnice " * 9).replace("fit: shrink", "fit: ellipsis")
    warnings = shop.done("PUT", OWN, {"text": cut})["warnings"]
    assert {w["severity"] for w in warnings} == {"warning"}
    assert all(w["pointer"] and w["line"] and w["detail"] and w["fix"] for w in warnings)


def test_a_template_is_deleted_unless_a_rule_names_it(shop: RunningHouse) -> None:
    version = shop.done("PUT", OWN, {"text": TEXT})["version"]
    obey(shop, {"template": "own"})
    check_problem(shop.ask("DELETE", OWN), 409)
    obey(shop)
    assert shop.done("DELETE", OWN) == {"name": "own", "deleted": True}
    check_problem(shop.ask("GET", OWN), 404)
    check_problem(shop.ask("DELETE", OWN), 404)
    check_problem(shop.ask("DELETE", f"{STORE}/templates/standard"), 404)
    assert shop.done("GET", OWN, version=version)["text"] == TEXT, (
        "what was once used can be looked at"
    )


def test_a_preview_shows_sample_and_worst_case_on_any_panel(shop: RunningHouse) -> None:
    shop.done("PUT", OWN, {"text": TEXT})

    def look(**query: Any) -> bytes:
        answer = shop.ask("GET", f"{OWN}/preview.png", **query)
        assert answer.headers["content-type"] == "image/png", answer.text
        check_headers(answer)
        return answer.content

    sample = look(panel="bwry-296x128")
    assert Image.open(io.BytesIO(sample)).size == (296, 128)
    assert Image.open(io.BytesIO(look(panel="bwry-296x128", scale=2))).size == (592, 256)
    assert look(panel="bwry-296x128", data="worst_case") != sample
    assert look(panel="bwry-296x128") == sample
    check_problem(shop.ask("GET", f"{OWN}/preview.png", panel="nothing"), 404)
    check_problem(shop.ask("GET", f"{OWN}/preview.png", panel="bwry-296x128", scale=9), 422)
    check_problem(shop.ask("GET", f"{STORE}/templates/none/preview.png"), 404)


# ── Rules ──────────────────────────────────────────────────────────────────────────────────


def test_a_rule_change_concerns_exactly_the_labels_that_get_another_template(
    shop: RunningHouse,
) -> None:
    shop.done("PUT", OWN, {"text": TEXT})
    before = wanted(shop)
    answer = obey(shop, {"match": {"category": "voće*"}, "template": "own", "note": "fruit"})
    assert (answer["rules"], answer["labels"]) == (1, 1)
    after = wanted(shop)
    assert {label for label in after if after[label] != before[label]} == {"l-2"}
    saved = shop.done("PUT", OWN, {"text": TEXT.replace("12, fit", "13, fit")})
    assert saved["labels"] == 1
    assert wanted(shop)["l-2"] > after["l-2"]
    assert wanted(shop)["l-1"] == before["l-1"]


def test_a_label_says_which_template_it_has_and_why(shop: RunningHouse) -> None:
    version = shop.done("PUT", OWN, {"text": TEXT})["version"]
    obey(
        shop,
        {"match": {"brand": "Dukat"}, "template": "promotion"},
        {"match": {"category": "Voće"}, "template": "own"},
    )
    told = shop.done("GET", "/api/v1/labels/l-2/template")
    assert (told["template"], told["version"], told["rule"]) == ("own", version, 2)
    assert told["reason"] == "rule 2 of the store: category is “Voće”"
    assert [(r["rule"], r["fits"]) for r in told["rules"]] == [(1, False), (2, True)]
    told = shop.done("GET", "/api/v1/labels/l-1/template")
    assert (told["template"], told["version"], told["rule"]) == ("standard", None, None)
    shop.done("POST", f"{STORE}/labels", {"label": "l-bare", "panel": "bwry-296x128"})
    bare = shop.done("GET", "/api/v1/labels/l-bare/template")
    assert bare["template"] is None
    assert bare["reason"]
    check_problem(shop.ask("GET", "/api/v1/labels/l-none/template"), 404)


def test_rules_are_read_with_their_etag_and_replaced_only_by_who_has_read_them(
    shop: RunningHouse,
) -> None:
    first = shop.ask("GET", RULES)
    assert first.json()["rules"] == []
    assert [rule["template"] for rule in first.json()["defaults"]][-1] == "standard"
    rule = {"match": {"kind": "promotion", "stock": "low:5"}, "template": "promotion"}
    seen = {"If-Match": first.headers["etag"]}
    mine = shop.done("PUT", RULES, {"rules": [rule]}, headers=seen)
    again = shop.ask("GET", RULES)
    assert again.json()["rules"] == [rule]
    assert again.headers["etag"] == mine["etag"] != first.headers["etag"]
    before = shop.everything_stored()
    theirs = shop.ask("PUT", RULES, json={"rules": []}, headers=seen)
    check_problem(theirs, 412)
    check_problem(shop.ask("PUT", RULES, json={"rules": []}), 428)
    assert shop.everything_stored() == before
    shop.done("PUT", RULES, {"rules": []}, headers={"If-Match": again.headers["etag"]})


def test_a_rule_must_name_a_template_that_is_there(untouched: RunningHouse) -> None:
    rules = {"rules": [{"template": "standard"}, {"template": "own"}]}
    for method, path in (("PUT", RULES), ("POST", f"{RULES}/preview")):
        answer = untouched.ask(method, path, json=rules, headers=ANY)
        check_problem(answer, 422, "/rules/1/template")
        bad = {"rules": [{"template": "standard", "match": {"stock": "few"}}]}
        check_problem(
            untouched.ask(method, path, json=bad, headers=ANY), 422, "/rules/0/match/stock"
        )


def test_rules_are_tried_out_before_they_hold(untouched: RunningHouse) -> None:
    rules = {"rules": [{"match": {"category": "Voće"}, "template": "promotion"}]}
    told = untouched.done("POST", f"{RULES}/preview", rules)
    assert told["templates"] == [
        {"template": "promotion", "labels": 1},
        {"template": "standard", "labels": 1},
    ]
    assert (told["labels"], told["without_price"], told["changed"]["labels"]) == (2, 0, 1)
    [own, default] = told["rules"]
    assert (own["rule"], own["labels"], default["rule"]) == (1, 1, None)
    [example] = own["examples"]
    assert (example["label"], example["sku"], example["name"]) == ("l-2", "1002", "Mlijeko")
    assert (example["template_now"], example["template"]) == ("standard", "promotion")
    assert told["changed"]["examples"] == [example]


def test_a_preview_of_ten_thousand_labels_is_an_answer_and_not_a_wait(house: RunningHouse) -> None:
    store = "/api/v1/stores/large"
    house.done("PUT", store, STORE_BODY)
    skus = [f"{n:05}" for n in range(10_000)]
    products = [
        {"sku": sku, "name": f"Riža {sku}", "price": "1.99", "category": f"c{sku[-1]}"}
        for sku in skus
    ]
    labels = [{"label": f"big-{sku}", "panel": "bwry-296x128"} for sku in skus]
    pairs = [{"label": f"big-{sku}", "sku": sku} for sku in skus]
    for start in range(0, 10_000, 2500):
        house.done("POST", f"{store}/products", products[start : start + 2500])
        house.done("POST", f"{store}/labels", labels[start : start + 2500])
        house.done("POST", f"{store}/pairings", pairs[start : start + 2500])
    rules = {"rules": [{"match": {"category": "c7"}, "template": "promotion"}]}
    answer = house.ask("POST", f"{store}/template-rules/preview", json=rules)
    told = answer.json()
    assert (told["labels"], told["changed"]["labels"]) == (10_000, 1000)
    assert len(told["changed"]["examples"]) == EXAMPLES_MOST
    assert answer.elapsed.total_seconds() < 1.0
    changed = house.ask("PUT", f"{store}/template-rules", json=rules, headers=ANY)
    assert changed.json()["labels"] == 1000
    assert changed.elapsed.total_seconds() < 2.0


# ── Pictures ───────────────────────────────────────────────────────────────────────────────


def test_a_picture_of_more_than_a_json_body_is_taken_up_to_its_own_limit(
    shop: RunningHouse,
) -> None:
    out = io.BytesIO()
    Image.new("RGB", (700, 700), "red").save(out, "BMP")
    photo = out.getvalue()
    assert BODY_LARGEST_BYTES < len(photo) < FILE_LIMIT_BYTES
    assert upload(shop, photo)["width_px"] == 700
    answer = shop.ask("PUT", LOGO, content=photo * 2)
    assert "Scale" in check_problem(answer, 413)["fix"]


def test_a_picture_is_kept_shown_and_followed(shop: RunningHouse) -> None:
    check_problem(
        shop.ask("PUT", OWN, json={"text": WITH_PICTURE}), 422, "/variants/0/elements/1/name"
    )
    assert upload(shop, a_picture()) == {
        "name": "logo",
        "width_px": 40,
        "height_px": 20,
        "labels": 0,
    }
    shop.done("PUT", OWN, {"text": WITH_PICTURE})
    obey(shop, {"match": {"category": "Voće"}, "template": "own"})
    [listed] = shop.done("GET", f"{STORE}/pictures")["pictures"]
    assert (listed["name"], listed["saved_by"]) == ("logo", "operator")
    kept = shop.ask("GET", LOGO)
    assert kept.headers["content-type"] == "image/png"
    assert Image.open(io.BytesIO(kept.content)).size == (40, 20)
    sample = shop.ask("GET", f"{OWN}/preview.png").content
    before = wanted(shop)
    assert upload(shop, a_picture())["labels"] == 0, "the same picture again"
    assert upload(shop, a_picture("red"))["labels"] == 1
    assert wanted(shop)["l-2"] > before["l-2"]
    assert wanted(shop)["l-1"] == before["l-1"]
    assert shop.ask("GET", f"{OWN}/preview.png").content != sample
    check_problem(shop.ask("DELETE", LOGO), 409)
    obey(shop)
    shop.done("DELETE", OWN)
    shop.done("DELETE", LOGO)
    check_problem(shop.ask("GET", LOGO), 404)


@pytest.mark.parametrize("data", [b"", b"no picture", b"<svg/>", a_picture()[:40]])
@pytest.mark.asvs("5.2.2")
def test_what_is_no_picture_is_refused(untouched: RunningHouse, data: bytes) -> None:
    check_problem(untouched.ask("PUT", LOGO, content=data), 422, "")
    check_problem(untouched.ask("PUT", f"{STORE}/pictures/Logo", content=a_picture()), 404)
