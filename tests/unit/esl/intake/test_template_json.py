import json
import re
from typing import Any

import pytest

from api.schemas import rule_view
from esl.domain.errors import InvalidInput
from esl.domain.face import OfferKind
from esl.domain.ids import TemplateName
from esl.domain.template_rule import DEFAULT_RULES, RULES_MOST, StockIs, TemplateRule
from esl.intake.template_json import TEMPLATE_TEXT_LONGEST, parse_rules, parse_template_text
from tests.conftest import PROJECT


def problems(value: Any) -> list[tuple[str, str]]:
    with pytest.raises(InvalidInput) as refused:
        parse_rules(value)
    return [(p.path, p.detail) for p in refused.value.problems]


def test_a_rule_may_ask_for_everything_or_for_nothing() -> None:
    everything = {
        "match": {
            "category": "Voće*",
            "brand": "Dole",
            "panel": "*-296x128",
            "kind": "promotion",
            "stock": "low:5",
            "weighed": True,
            "products": 1,
        },
        "template": "fresh-origin",
        "note": "before it is gone",
    }
    nothing: dict[str, Any] = {"template": "standard"}
    rules = parse_rules({"rules": [everything, nothing, {"match": None, **nothing}]})
    assert rules[0] == TemplateRule(
        template=TemplateName("fresh-origin"),
        category="Voće*",
        brand="Dole",
        panel="*-296x128",
        kind=OfferKind.PROMOTION,
        stock=StockIs.LOW,
        stock_most=5,
        weighed=True,
        products=1,
        note="before it is gone",
    )
    assert rules[1] == rules[2] == TemplateRule(template=TemplateName("standard"))
    assert rule_view(rules[0]) == everything
    assert rule_view(rules[1]) == {"match": {}, **nothing}
    assert parse_rules({"rules": []}) == []


@pytest.mark.parametrize(
    ("match", "name", "detail"),
    [
        ({"category": ""}, "category", "empty"),
        ({"category": "x" * 121}, "category", "longer than 120 characters"),
        ({"brand": 5}, "brand", "a number, and a string is wanted"),
        ({"panel": "BWRY"}, "panel", "not a panel id or a pattern of them"),
        ({"kind": "sale"}, "kind", "not a kind of offer"),
        ({"stock": "low"}, "stock", "not a stock to ask for"),
        ({"stock": "low:0"}, "stock", "not a stock to ask for"),
        ({"stock": "low:9999999"}, "stock", "not a stock to ask for"),
        ({"stock": 0}, "stock", "a number, and a string is wanted"),
        ({"weighed": "yes"}, "weighed", "neither true nor false"),
        ({"weighed": 1}, "weighed", "neither true nor false"),
        ({"products": 0}, "products", "not within 1 to 16"),
        ({"colour": "red"}, "colour", "unknown field"),
    ],
)
def test_a_bad_condition_is_named_by_its_pointer(
    match: dict[str, Any], name: str, detail: str
) -> None:
    rule = {"template": "own", "match": match}
    assert problems({"rules": [{"template": "own"}, rule]}) == [(f"/rules/1/match/{name}", detail)]


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ([], [("", "not a JSON object")]),
        ({}, [("/rules", "missing")]),
        ({"rules": {}}, [("/rules", "not an array")]),
        ({"rules": [{"template": "a"}] * (RULES_MOST + 1)}, [("/rules", "201 rules")]),
        ({"rules": [], "x": 1}, [("/x", "unknown field")]),
        ({"rules": [7]}, [("/rules/0", "not a JSON object")]),
        ({"rules": [{}]}, [("/rules/0/template", "missing")]),
        ({"rules": [{"template": "A b"}]}, [("/rules/0/template", "not a valid name")]),
        ({"rules": [{"template": "a", "match": []}]}, [("/rules/0/match", "not a JSON object")]),
        (
            {"rules": [{"template": "a", "when": 1, "match": {"x": 1}}, {"template": 5}]},
            [
                ("/rules/0/when", "unknown field"),
                ("/rules/0/match/x", "unknown field"),
                ("/rules/1/template", "a number, and a string is wanted"),
            ],
        ),
    ],
)
def test_what_is_no_list_of_rules_is_refused_at_its_path(
    value: Any, found: list[tuple[str, str]]
) -> None:
    assert problems(value) == found


def test_a_template_comes_as_a_text() -> None:
    assert parse_template_text({"text": "name: own\n"}) == "name: own\n"


@pytest.mark.parametrize(
    ("value", "path"),
    [
        ({}, "/text"),
        ({"text": None}, "/text"),
        ({"text": " \n"}, "/text"),
        ({"text": "x" * (TEMPLATE_TEXT_LONGEST + 1)}, "/text"),
        ({"text": "x", "name": "y"}, "/name"),
        ("name: own", ""),
    ],
)
def test_anything_else_is_no_template(value: Any, path: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        parse_template_text(value)
    assert [p.path for p in refused.value.problems] == [path]


# ── What the documentation says ────────────────────────────────────────────────────────────

DOCUMENT = (PROJECT / "docs" / "template-rules.md").read_text("utf-8")


def test_the_documents_table_of_our_own_rules_is_the_one_in_force() -> None:
    table = re.findall(r"^\| [^|]+ \| `([a-z-]+)` \|$", DOCUMENT, re.MULTILINE)
    in_force = [rule.template for rule in DEFAULT_RULES]
    assert table == list(dict.fromkeys(in_force))


def test_the_documents_example_is_a_rule() -> None:
    [example] = re.findall(r"```json\n(.+?)\n```", DOCUMENT, re.DOTALL)
    [rule] = parse_rules({"rules": [json.loads(example)]})
    assert rule_view(rule) == json.loads(example)
    for kind in OfferKind:
        assert f"`{kind}`" in DOCUMENT
