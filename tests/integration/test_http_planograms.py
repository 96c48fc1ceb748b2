"""Planograms as files over HTTP; and a wrong panel is refused with those that would do."""

import json
from typing import Any

import pytest

from tests.running_house import STORE_BODY, RunningHouse, check_problem
from tests.unit.esl.intake.suggest_dialects import workbook

pytest_plugins = ["tests.shop_over_http"]

MAIN = "/api/v1/stores/main"
PLANOGRAMS = f"{MAIN}/planograms"
ROWS = [
    ["label", "aisle", "bay", "shelf", "code"],
    ["l-1", "3", "2", "4", ""],
    ["nobody", "3", "2", "5", ""],
    ["", "3", "1", "", "S-31"],
    ["l-2", "4", "", "9", ""],
]


def _csv(separator: str) -> bytes:
    return "\n".join(separator.join(row) for row in ROWS).encode()


def _json() -> bytes:
    head, *rows = ROWS
    named = [{name: cell for name, cell in zip(head, row, strict=True) if cell} for row in rows]
    return json.dumps(named).encode()


FILES = {
    "comma": _csv(","),
    "semicolon": _csv(";"),
    "xlsx": workbook(ROWS, numbers=set()),
    "json": _json(),
}


def _send(shop: RunningHouse, content: bytes, **how: Any) -> Any:
    answer = shop.ask("POST", PLANOGRAMS, content=content, **how)
    assert answer.is_success, answer.text
    return answer.json()


@pytest.mark.parametrize("kind", FILES)
def test_a_file_is_tried_and_taken_row_by_row(shop: RunningHouse, kind: str) -> None:
    elsewhere = {"rows": [{"label": "l-1", "place": "9"}, {"place": "9", "code": "S-31"}]}
    shop.done("POST", f"{MAIN}/places", elsewhere)
    before = shop.everything_stored()
    tried = _send(shop, FILES[kind], dry_run=True)
    assert shop.everything_stored() == before, "nothing is written in a dry run"
    taken = _send(shop, FILES[kind])
    assert tried == taken | {"dry_run": True}
    assert (taken["rows"], taken["taken"], taken["rejected"]) == (4, 2, 2)
    results = taken["results"]
    assert [one["row"] for one in results] == sorted(one["row"] for one in results)
    hung, unknown, shelf, gap = results
    assert (hung["label"], hung["place"], hung["before"]) == ("l-1", "3/2/4", "9")
    assert shelf["place"] == "3/1"
    for refused, field in ((unknown, "label"), (gap, "bay")):
        assert (refused["decision"], refused["field"]) == ("rejected", field)
        assert refused["reason"]
        assert refused["fix"]
    assert shop.done("GET", "/api/v1/labels/l-1")["place"] == "3/2/4"
    assert _send(shop, FILES[kind])["unchanged"] == 2


def test_the_same_file_with_the_same_key_is_answered_again(shop: RunningHouse) -> None:
    key = {"Idempotency-Key": "planogram 7"}
    first = shop.ask("POST", PLANOGRAMS, content=FILES["comma"], headers=key)
    again = shop.ask("POST", PLANOGRAMS, content=FILES["comma"], headers=key)
    assert again.content == first.content
    assert again.headers["idempotency-replayed"] == "true"
    check_problem(shop.ask("POST", PLANOGRAMS, content=FILES["json"], headers=key), 409)


@pytest.mark.parametrize(
    "content",
    [b"", b"label,place\n\xff\xfe,3", b"colour\nred", b"PK\x03\x04 no sheet", b"[1, 2", b"{}"],
)
def test_a_file_that_cannot_be_believed_is_refused_whole(
    untouched: RunningHouse, content: bytes
) -> None:
    check_problem(untouched.ask("POST", PLANOGRAMS, content=content), 422)


def test_a_file_with_too_many_rows_or_bytes_is_refused(untouched: RunningHouse) -> None:
    rows = "label,place\n" + "l-1,3\n" * 20_001
    problem = check_problem(untouched.ask("POST", PLANOGRAMS, content=rows), 422, "")
    assert "Split the file" in problem["fix"]
    check_problem(untouched.ask("POST", PLANOGRAMS, content=b"x" * (4 * 1024 * 1024 + 1)), 413)


WIDE = """\
name: wide
title: Wide
sample: {name: Jogurt, price: "0.79", currency: EUR}
worst_case: {name: Jogurt, price: "129.99", currency: EUR}
variants:
  - elements:
      - {type: text, value: "{name}", box: [0, 0, "100%", 60], min_size: 12, fit: shrink}
      - {type: price, box: [0, 60, 380, 200]}
"""


def test_a_wrong_panel_is_refused_with_those_that_would_do_the_stores_own_first(
    shop: RunningHouse,
) -> None:
    store = "/api/v1/stores/wide"
    shop.done("PUT", store, STORE_BODY)
    shop.done("PUT", f"{store}/products/1", {"name": "Kruh", "price": "1.29"})
    shop.done("POST", f"{store}/labels", {"label": "big", "panel": "bwry-400x300"})
    shop.done("PUT", f"{store}/templates/wide", {"text": WIDE})
    rules = {"rules": [{"template": "wide"}]}
    shop.done("PUT", f"{store}/template-rules", rules, headers={"If-Match": "*"})
    shop.done("POST", f"{store}/labels", {"label": "small", "panel": "bwry-152x200"})
    before = shop.everything_stored()
    answer = shop.ask("POST", f"{store}/pairings", json={"label": "small", "sku": "1"})
    [error] = check_problem(answer, 422, "/label")["errors"]
    assert "bwry-152x200 is wrong for the template wide" in error["detail"]
    named = error["fix"].removeprefix("Take a label with one of these panels: ").rstrip(".")
    fitting = named.split(", ")
    assert fitting[0] == "bwry-400x300", "the store's own comes first"
    for panel in fitting:
        found = shop.done("GET", f"/api/v1/panels/{panel}")
        assert found["width_px"] >= 380, panel
        assert found["height_px"] >= 260, panel
    assert shop.everything_stored() == before
    shop.done("POST", f"{store}/pairings", {"label": "big", "sku": "1"})
