"""Drafts of templates, looked at and never saved, through the front door."""

import base64
import io
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import pytest
from PIL import Image

from tests.running_house import RunningHouse, check_problem

pytest_plugins = ["tests.shop_over_http"]

STORE = "/api/v1/stores/main"
RULES = f"{STORE}/template-rules"
OWN = f"{STORE}/templates/own"
ANY = {"If-Match": "*"}
PANEL = "bwry-296x128"

TEXT = """\
name: own
title: "Naziv i cijena, čaj"
sample: {name: Jogurt, price: "0.79", currency: EUR}
worst_case: {name: Jogurt od borovnice, price: "129.99", currency: EUR}
variants:
  - elements:
      - {type: text, value: "{name}", box: [0, 0, "100%", "40%"], min_size: 12, fit: shrink}
      - {type: price, box: [0, "40%", "100%", "60%"]}  # it stays
"""


@pytest.fixture(autouse=True)
def shelf(shop: RunningHouse) -> Iterator[None]:
    """Two paired labels; afterwards neither rules nor templates are left."""
    pairs = [{"label": "l-1", "sku": "1001"}, {"label": "l-2", "sku": "1002"}]
    shop.done("POST", f"{STORE}/pairings", pairs)
    yield
    shop.done("PUT", RULES, {"rules": []}, headers=ANY)
    assert shop.ask("DELETE", OWN).status_code in (200, 404)


def look(shop: RunningHouse, text: str, **more: Any) -> Any:
    before = shop.everything_stored()
    found = shop.done("POST", f"{OWN}/preview", {"text": text, **more})
    assert shop.everything_stored() == before, "a look stores nothing"
    return found


def test_a_draft_is_drawn_with_both_data_and_says_what_can_be_moved(shop: RunningHouse) -> None:
    found = look(shop, TEXT, panels=[PANEL, "bwr-400x300"], scale=2)
    assert (found["readable"], found["savable"], found["changes"]) == (True, True, True)
    assert (found["version"], found["redraws"]) == (1, None)
    pictures = found["pictures"]
    assert [(one["panel"], one["data"]) for one in pictures] == [
        (PANEL, "sample"),
        (PANEL, "worst_case"),
        ("bwr-400x300", "sample"),
        ("bwr-400x300", "worst_case"),
    ]
    sizes = [Image.open(io.BytesIO(base64.b64decode(one["png"]))).size for one in pictures]
    assert sizes == [(592, 256), (592, 256), (800, 600), (800, 600)]
    assert pictures[0]["png"] != pictures[1]["png"]
    name, price = pictures[0]["handles"]
    assert (name["line"], price["line"], price["type"]) == (7, 8, "price")
    assert price["box"] == price["own"] == [0, 51, 296, 77]
    written = {one["side"]: TEXT[one["start"] : one["end"]] for one in price["lengths"]}
    assert written == {"left": "0", "top": '"40%"', "width": '"100%"', "height": '"60%"'}
    assert [part["pointer"] for part in pictures[0]["parts"]] == [
        "/variants/0/elements/0",
        "/variants/0/elements/1",
    ]


def test_a_draft_is_drawn_on_the_panels_of_the_store(shop: RunningHouse) -> None:
    panels = {one["panel"] for one in shop.done("GET", f"{STORE}/labels")["labels"]}
    assert {one["panel"] for one in look(shop, TEXT)["pictures"]} == panels


def test_what_cannot_be_read_is_answered_with_its_lines(shop: RunningHouse) -> None:
    found = look(shop, TEXT.replace("type: price", "type: prize"))
    assert (found["readable"], found["savable"], found["pictures"]) == (False, False, [])
    [problem] = found["problems"]
    assert (problem["line"], problem["severity"]) == (8, "error")
    assert problem["pointer"].startswith("/variants/0/elements/1")
    assert problem["fix"]
    [syntax] = look(shop, "name: own\ntitle: @x\n")["problems"]
    assert (syntax["line"], syntax["pointer"]) == (2, "")
    assert syntax["detail"].startswith("not YAML")
    [empty] = look(shop, "")["problems"]
    assert empty["detail"] == "nothing but blanks and comments"


def test_what_one_panel_refuses_is_drawn_on_the_others_and_can_be_stretched(
    shop: RunningHouse,
) -> None:
    text = TEXT.replace('[0, "40%", "100%", "60%"]', "[0, 100, 40, 20]")
    found = look(shop, text, panels=[PANEL])
    assert not found["savable"]
    assert [one["code"] for one in found["problems"] if one["severity"] == "error"]
    worst = found["pictures"][1]
    assert worst["png"] is None
    assert worst["refused"]["code"] == "price_does_not_fit"
    assert worst["handles"][1]["own"] == [0, 100, 40, 20]


def test_an_error_on_a_panel_that_the_store_lacks_does_not_hinder_a_save(
    shop: RunningHouse,
) -> None:
    only_here = TEXT.replace("- elements:", '- panels: ["bwry-*"]\n    elements:')
    only_here += "  - elements:\n      - {type: price, box: [0, 0, 40, 20]}\n"
    found = look(shop, only_here, panels=[PANEL, "bw-200x200"])
    told = {panel for one in found["problems"] for panel in one["panels"]}
    assert told == {"bw-200x200"}
    assert found["savable"]
    assert shop.ask("PUT", OWN, json={"text": only_here}).is_success


def test_labels_that_a_save_would_redraw_are_counted_by_panel(shop: RunningHouse) -> None:
    saved = shop.done("PUT", OWN, {"text": TEXT})
    assert saved["labels"] == 0
    assert look(shop, TEXT + "# more\n", labels=True)["redraws"] == {"labels": 0, "panels": []}
    rule = {"match": {"panel": PANEL}, "template": "own"}
    shop.done("PUT", RULES, {"rules": [rule]}, headers=ANY)
    said = look(shop, TEXT + "# more\n", labels=True)
    assert (said["version"], said["changes"]) == (saved["version"] + 1, True)
    same = look(shop, TEXT, labels=True)
    assert (same["version"], same["changes"]) == (saved["version"], False)
    assert same["redraws"]["labels"] == 0
    done = shop.done("PUT", OWN, {"text": TEXT + "# more\n"})
    assert done["labels"] == said["redraws"]["labels"] > 0
    assert sum(one["labels"] for one in said["redraws"]["panels"]) == done["labels"]


def test_a_name_that_is_not_the_address_is_a_problem_with_its_line(shop: RunningHouse) -> None:
    found = look(shop, "# ours\n" + TEXT.replace("name: own", "name: other"))
    assert not found["savable"]
    assert (found["problems"][0]["pointer"], found["problems"][0]["line"]) == ("/name", 2)


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "/text"),
        ({"text": 1}, "/text"),
        ({"text": "a" * 70_000}, "/text"),
        ({"text": TEXT, "panels": []}, "/panels"),
        ({"text": TEXT, "panels": "bwry-296x128"}, "/panels"),
        ({"text": TEXT, "panels": ["none-such"]}, "/panels"),
        ({"text": TEXT, "panels": [1]}, "/panels"),
        ({"text": TEXT, "panels": ["bwry-296x128"] * 9}, "/panels"),
        ({"text": TEXT, "scale": 9}, "/scale"),
        ({"text": TEXT, "labels": "yes"}, "/labels"),
        ({"text": TEXT, "more": 1}, "/more"),
    ],
)
def test_a_bad_request_is_refused_with_the_field(
    shop: RunningHouse, body: dict[str, Any], pointer: str
) -> None:
    problem = check_problem(shop.ask("POST", f"{OWN}/preview", json=body), 422)
    assert pointer in {one["pointer"] for one in problem["errors"]}


BOMB = "a: &a [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{name}: &{name} [{', '.join([f'*{before}'] * 10)}]\n" for before, name in pairwise("abcdefgh")
)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (BOMB, "more than 20000 values, with aliases"),
        ("x: " + "[" * 200 + "]" * 200, "deeper than 24 levels"),
        ("# " + "ž" * 40_000, "more than 64 KiB"),
        ("name: !!python/object:os.system x", "a tag"),
    ],
)
def test_hostile_yaml_is_refused_in_words_with_its_line(
    shop: RunningHouse, text: str, words: str
) -> None:
    [problem] = look(shop, text)["problems"]
    assert words in problem["detail"]
    assert problem["line"] >= 1
    assert problem["fix"]
