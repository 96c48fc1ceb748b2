"""A template is read whole, or everything wrong with it is told: place, line and fix."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from esl.domain.errors import FieldProblem, InvalidInput
from renderer.pictures.picture import Ditherer, Picture
from renderer.template.gallery import load_gallery
from renderer.template.schema import schema_text
from renderer.template.template import parse_template

PROJECT = Path(__file__).resolve().parents[4]

LEAST = """\
name: small
title: Small
sample: {name: Kruh, price: "1.29", currency: EUR}
worst_case: {name: Kruh, price: "1299.99", currency: EUR}
variants:
  - elements:
      - {type: price, box: [0, 0, "100%", "100%"]}
"""
HEAD = LEAST.partition("variants:")[0]


def problems(text: str, pictures: Mapping[str, Picture] | None = None) -> list[FieldProblem]:
    with pytest.raises(InvalidInput) as caught:
        parse_template(text, pictures=pictures or {})
    return list(caught.value.problems)


def with_elements(*elements: str, head: str = HEAD) -> str:
    lines = "".join(f"      - {element}\n" for element in elements)
    return f"{head}variants:\n  - elements:\n{lines}"


def test_the_smallest_template_is_read() -> None:
    template = parse_template(LEAST)
    assert template.file.name == "small"
    assert template.sample.price_minor == 129
    assert template.worst_case.price_minor == 129999
    assert template.lines["variants/0/elements/0"] == 7
    assert template.text == LEAST
    assert len(template.digest) == 64


def test_the_digest_follows_the_meaning_and_not_the_writing() -> None:
    digest = parse_template(LEAST).digest
    for other in (
        "# a comment\n" + LEAST,
        LEAST.replace("title: Small", "title: Other"),
        LEAST.replace('"1299.99"', '"9.99"'),
        LEAST + "parts: {unused: 1}\n",
        LEAST.replace("type: price,", "type: price, value: price,"),
    ):
        assert parse_template(other).digest == digest
    for other in (
        LEAST.replace("type: price,", "type: price, cents: plain,"),
        LEAST.replace('"100%"]', '"90%"]'),
        LEAST + "words: {until: {en: until}}\n",
        LEAST + "products: 2\n",
    ):
        assert parse_template(other).digest != digest


def test_the_digest_follows_its_pictures() -> None:
    text = with_elements("{type: image, name: logo}")
    white, black = (
        Picture.of("logo", np.full((2, 2, 4), value, np.uint8), Ditherer.PILLOW)
        for value in (255, 0)
    )
    assert [p.detail for p in problems(text)] == ["line 7: there is no picture 'logo'"]
    one = parse_template(text, pictures={"logo": white})
    assert one.pictures["logo"] is white
    assert one.digest != parse_template(text, pictures={"logo": black}).digest
    both = parse_template(text, pictures={"logo": white, "unused": black})
    assert both.digest == one.digest
    assert set(both.pictures) == {"logo"}


def test_anchors_make_parts_that_variants_share() -> None:
    template = parse_template(
        HEAD
        + "parts:\n"
        + "  price: &price {type: price, cents: plain}\n"
        + "variants:\n"
        + "  - panels: ['*-296x128']\n"
        + "    elements: [{<<: *price, box: [0, 0, 99, 50]}]\n"
        + "  - elements: [*price]\n"
    )
    assert [v.elements[0].box for v in template.file.variants] == [(0, 0, 99, 50), None]


@pytest.mark.parametrize(
    ("element", "path", "detail", "fix"),
    [
        ("{type: txt}", "", "an unknown type", "'text'"),
        ("{box: [0, 0, 1, 1]}", "", "without a type", "text, price"),
        ("5", "", "not an object", "key: value"),
        ("{type: text}", "/value", "missing", "Add it"),
        ("{type: text, value: ''}", "/value", "empty", "leave the field out"),
        ("{type: text, value: 5}", "/value", "not a text", "quotes"),
        ("{type: text, value: x, siez: 4}", "/siez", "unknown field", "'size'"),
        ("{type: text, value: x, size: 1.5}", "/size", "not a length", "2.4mm"),
        ("{type: text, value: x, size: 12px}", "/size", "not a length", "2.4mm"),
        ("{type: text, value: x, size: -1}", "/size", "not a length", "2.4mm"),
        ("{type: text, value: x, max_lines: 9}", "/max_lines", "out of bounds", "at most 8"),
        ("{type: text, value: x, max_lines: two}", "/max_lines", "not a whole number", "quotes"),
        ("{type: text, value: x, invert: 'yes'}", "/invert", "neither true nor", "without"),
        ("{type: text, value: x, invert: yes}", "/invert", "neither true nor", "without"),
        ("{type: text, value: x, rotate: 45}", "/rotate", "not one of", "0, 90, 180 or 270"),
        ("{type: text, value: x, ink: blue}", "/ink", "not one of", "'black'"),
        ("{type: text, value: x, id: My Id}", "/id", "not a name", "small letters"),
        ('{type: price, value: "{price}"}', "/value", "a placeholder", "Write price, without"),
        ('{type: price, old: " { was } "}', "/old", "a placeholder", "Write was, without"),
        ('{type: price, value: "{price|x}"}', "/value", "not a name", "small letters"),
        ("{type: text, value: x, box: [0, 0, 9]}", "/box/3", "not a box", "[left,"),
        ("{type: text, value: x, box: 9}", "/box", "not a box", "[left,"),
        ("{type: text, value: x, box: [0, 0, 9, x]}", "/box/3", "not a length", "2.4mm"),
        ("{type: row, children: []}", "/children", "empty", "Add at least one"),
        ("{type: row, children: 5}", "/children", "not a list", "- …"),
        ("{type: text, value: '{nam}'}", "/value", "no field 'nam'", "'name'"),
        ("{type: text, value: '{words.x}'}", "/value", "no word 'x'", "none to choose"),
        ("{type: text, value: x, when: prise}", "/when", "no field 'prise'", "'price'"),
        ("{type: text, value: x, size: 4}", "/size", "below 6 px", ""),
        ("{type: text, value: x, size: 9, min_size: 10}", "/min_size", "above size", "Swap"),
        ("{type: text, value: x, size: 2mm, min_size: 3mm}", "/min_size", "above size", "Swap"),
        ("{type: price, value: name}", "/value", "not the name of an amount", "price"),
        ("{type: price, old: wos}", "/old", "not the name of an amount", "'was'"),
        ("{type: qr, fallbacks: ['{x}']}", "/fallbacks/0", "no field 'x'", ""),
        ("{type: barcode, value: '{gtni}'}", "/value", "no field 'gtni'", "'gtin'"),
        ("{type: icon, name: leef}", "/name", "no icon 'leef'", "'leaf'"),
        ("{type: text, value: x, width: 3}", "", "for rows and columns", "Use box"),
        ("{type: grid, columns: 2, rows: 2, each: [{type: price}]}", "", "one product", "products"),
        (
            "{type: row, children: [{type: price, box: [0, 0, 1, 1]}]}",
            "/children/0",
            "a box inside a row",
            "width",
        ),
        (
            "{type: row, children: [{type: price, height: 4}]}",
            "/children/0/height",
            "children here have a width",
            "width",
        ),
        (
            "{type: column, children: [{type: price, height: 4, grow: 1}]}",
            "/children/0/grow",
            "height and grow together",
            "one of them",
        ),
    ],
)
def test_a_wrong_element_is_told_with_its_place_line_and_fix(
    element: str, path: str, detail: str, fix: str
) -> None:
    [problem] = problems(with_elements(element))
    assert problem.path == f"/variants/0/elements/0{path}"
    assert problem.detail.startswith("line 7: ")
    assert detail in problem.detail
    assert fix in (problem.fix or "")


@pytest.mark.parametrize(
    ("text", "path", "detail"),
    [
        ("- a\n- b\n", "", "not a template"),
        (LEAST.replace("name: small", "name: Small"), "/name", "line 1: not a name"),
        (LEAST.replace("title: Small\n", ""), "/title", "line 1: missing"),
        (LEAST.replace('"1.29"', "1.29"), "/sample/price", "line 3: a number"),
        (LEAST.replace('"1.29"', "12"), "/sample/price", "line 3: a number"),
        (LEAST.replace("currency: EUR", "curency: EUR", 1), "/sample/currency", "missing"),
        (HEAD + "variants: []\n", "/variants", "line 5: empty"),
        (HEAD + "variants:\n  - elements: []\n", "/variants/0/elements", "line 6: empty"),
        (LEAST + "  - elements: [{type: price}]\n", "/variants/0", "never used"),
        (
            LEAST.replace("- elements", "- panels: ['*']\n    elements"),
            "/variants/0",
            "the last variant must fit every panel",
        ),
        (
            LEAST.replace("- elements", "- when: width > `3`\n    elements"),
            "/variants/0/when",
            "no field 'width'",
        ),
        (LEAST + "words: {until: {de: bis}}\n", "/words/until", "without English"),
        (LEAST + "colour: red\n", "/colour", "line 8: unknown field"),
        (
            LEAST.replace(
                "currency: EUR}", "currency: EUR, products: [{name: x, price: null}]}", 1
            ),
            "/sample/products",
            "2 products, and a label with it has up to 1",
        ),
        (
            with_elements("{type: price, id: a}", "{type: price, id: a}"),
            "/variants/0/elements/1/id",
            "the same id twice",
        ),
        (
            with_elements("{type: price}", "{type: row, children: [{type: price}]}"),
            "/variants/0/elements/0",
            "without a box",
        ),
        (
            with_elements("{type: grid, columns: 1, rows: 1, each: [{type: price}]}")
            + "products: 2\n",
            "/variants/0/elements/0",
            "1 cells for 2 products",
        ),
        (
            with_elements(
                "{type: grid, columns: 2, rows: 1, each: "
                "[{type: grid, columns: 2, rows: 1, each: [{type: price}]}]}"
            )
            + "products: 2\n",
            "/variants/0/elements/0/each/0",
            "a grid inside a grid",
        ),
    ],
)
def test_a_wrong_file_is_told_with_its_place(text: str, path: str, detail: str) -> None:
    told = {problem.path: problem.detail for problem in problems(text)}
    assert detail in told.get(path, f"nothing at {path!r}: {told}")


def test_a_variant_has_no_more_elements_than_can_be_drawn_in_time() -> None:
    cell = "{type: rect, box: [0, 0, 1, 1]}"
    many = ", ".join([cell] * 9)
    groups = ", ".join([f"{{type: stack, children: [{many}]}}"] * 2)
    grid = f"{{type: grid, columns: 4, rows: 4, each: [{groups}]}}"
    [problem] = problems(with_elements(grid) + "products: 2\n")
    assert problem.path == "/variants/0"
    assert "321 elements" in problem.detail


def test_everything_wrong_is_told_at_once_in_the_order_of_the_file() -> None:
    text = with_elements("{type: price, when: x}", "{type: icon, name: y}").replace(
        '"1.29"', "1.29"
    )
    found = problems(text)
    assert [p.path for p in found if "without a box" not in p.detail] == [
        "/sample/price",
        "/variants/0/elements/0/when",
        "/variants/0/elements/1/name",
    ]


def test_the_published_schema_is_that_of_the_models() -> None:
    published = (PROJECT / "docs/template.schema.json").read_text("utf-8")
    assert published == schema_text(), "run: esl templates schema > docs/template.schema.json"


def test_the_schema_names_every_element_and_field_in_words() -> None:
    schema = json.loads(schema_text())
    assert schema["properties"]["title"]
    types = {
        definition["properties"]["type"]["const"]
        for definition in schema["$defs"].values()
        if "type" in definition.get("properties", {})
    }
    assert types == set("text price rect line image icon qr barcode row column stack grid".split())
    assert_refs_resolve(schema, schema)


def assert_refs_resolve(part: Any, schema: dict[str, Any]) -> None:
    match part:
        case {"$ref": str(ref)}:
            assert ref.removeprefix("#/$defs/") in schema["$defs"]
        case dict():
            for inner in part.values():
                assert_refs_resolve(inner, schema)
        case list():
            for inner in part:
                assert_refs_resolve(inner, schema)
        case _:
            pass


def test_the_gallery_is_read_by_name() -> None:
    gallery = load_gallery()
    assert "standard" in gallery
    files = {path.stem for path in (PROJECT / "renderer/templates").glob("*.yaml")}
    assert set(gallery) == files
    assert list(gallery) == sorted(gallery)
