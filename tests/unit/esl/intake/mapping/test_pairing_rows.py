"""Files of labels from another system: every format, and what is wrong with a row."""

import io
import json
import random

import pytest

from esl.domain.entry import RowProblem
from esl.domain.errors import InvalidInput
from esl.domain.migration import PairingRow
from esl.intake.mapping.document import parse_mapping
from esl.intake.mapping.pairing_rows import (
    PLAIN,
    parse_pairing_mapping,
    read_pairings,
    write_pairings,
)
from esl.intake.mapping.plain_forms import Form, plain_document, sample
from esl.intake.migration_json import parse_pairings, row_json

HANDS = """
name: handscanner
format: csv
encoding: cp1250
delimiter: ";"
header_row: null
fields:
  label: {column: "A", strip: "*"}
  sku: {number: 2}
  panel: {default: bwry-296x128}
  place: {number: 3, map: {"-": null}}
"""
OBJECTS = """
name: cloud
format: json
items: tags
fields: {label: item.id, sku: "item.goods[0].code", panel: item.model, gateway: root.ap}
"""


def read(text: str | bytes, mapping: str | None = None) -> list[PairingRow | RowProblem]:
    body = text.encode() if isinstance(text, str) else text
    chosen = parse_pairing_mapping(mapping) if mapping is not None else PLAIN
    return read_pairings(io.BytesIO(body), chosen)


def problems(found: list[PairingRow | RowProblem]) -> list[tuple[int, str]]:
    return [(each.row, each.field) for each in found if isinstance(each, RowProblem)]


def test_our_own_form_needs_no_mapping() -> None:
    found = read('\ufefflabel,sku,place\r\nL-1,1001,"Aisle 3, low"\r\n\r\nl-2,,\r\n')
    assert found == [
        PairingRow(row=2, label_id="l-1", sku="1001", place="Aisle 3, low"),  # type: ignore[arg-type]
        PairingRow(row=4, label_id="l-2"),  # type: ignore[arg-type]
    ]


def test_what_is_written_is_read_again() -> None:
    rows = [
        PairingRow(row=2, label_id="l-1", sku='a,"b"', panel_id="p", gateway_id="g", place="č 1"),  # type: ignore[arg-type]
        PairingRow(row=3, label_id="l-2"),  # type: ignore[arg-type]
    ]
    assert read(write_pairings(rows)) == rows


def test_several_products_of_a_label_are_written_and_read_in_their_order() -> None:
    rows = [
        PairingRow(row=2, label_id="l-1", sku="b", more=("a", "c")),  # type: ignore[arg-type]
        PairingRow(row=3, label_id="l-2", sku="a"),  # type: ignore[arg-type]
    ]
    text = write_pairings(rows)
    assert text.splitlines()[0] == "label,sku,panel,gateway,place,sku_2,sku_3"
    assert read(text) == rows
    assert [parse_pairings({"rows": [row_json(row)]}).rows[0].skus for row in rows] == [
        ("b", "a", "c"),
        ("a",),
    ]


@pytest.mark.parametrize("line", ["l-1,,a", "l-1,a,a", "l-1,a,b,a"])
def test_several_products_with_a_hole_or_twice_are_refused(line: str) -> None:
    assert problems(read(f"label,sku,sku_2,sku_3\n{line}{',' * (3 - line.count(','))}\n")) == [
        (2, "sku")
    ]


@pytest.mark.parametrize("said", [{"sku": "a", "skus": ["a"]}, {"skus": []}, {"skus": ["a", "a"]}])
def test_several_products_said_wrongly_in_json_are_refused(said: dict[str, object]) -> None:
    with pytest.raises(InvalidInput, match="/rows/0/skus"):
        parse_pairings({"rows": [{"label": "l-1", **said}]})


def test_other_systems_speak_through_a_mapping() -> None:
    found = read("*L-1*;1001;Šibenik\n*L-2*;;-\n".encode("cp1250"), HANDS)
    assert [(r.row, r.label_id, r.sku, r.panel_id, r.place) for r in found] == [  # type: ignore[union-attr]
        (1, "l-1", "1001", "bwry-296x128", "Šibenik"),
        (2, "l-2", None, "bwry-296x128", None),
    ]
    body = {"ap": "gw-1", "tags": [{"id": "l-1", "goods": [{"code": "7"}], "model": "m"}]}
    [row] = read(json.dumps(body), OBJECTS)
    assert (row.label_id, row.sku, row.gateway_id) == ("l-1", "7", "gw-1")  # type: ignore[union-attr]


def test_a_label_with_two_products_is_refused_in_every_row() -> None:
    found = read("label,sku\nl-1,1\nl-2,2\nL-1,3\nl-2,2\n")
    assert problems(found) == [(2, "sku"), (4, "sku")]
    [first, second, *_] = found
    assert isinstance(first, RowProblem)
    assert "rows 2, 4" in first.reason
    assert isinstance(second, PairingRow)


@pytest.mark.parametrize(
    ("line", "field"),
    [
        (",1001,", "label"),
        ("a b,1,", "label"),
        ("04:AB:CD,1,", "label"),
        ("../x,1,", "label"),
        (f"{'x' * 65},1,", "label"),
        ("l-1,1e5,", "sku"),
        ("l-1,=A1,", "sku"),
        (f"l-1,{'9' * 65},", "sku"),
        ("l-1,1,GW 1", "gateway"),
        ("l-1,1", ""),
        ("l-1,1,g,x", ""),
    ],
)
def test_a_bad_row_is_named_with_its_field_and_costs_no_other(line: str, field: str) -> None:
    found = read(f"label,sku,gateway\n{line}\nl-9,9,gw-9\n")
    assert problems(found) == [(2, field)]
    assert all(each.reason for each in found if isinstance(each, RowProblem))
    assert isinstance(found[-1], PairingRow)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("", "no column is named label"),
        ("PK\x03\x04", "a spreadsheet"),
        ("etikett,sku\nl-1,1\n", "no column is named label"),
        ("label,skuu\nl-1,1\n", "unknown column 'skuu'"),
        ("label,label\nl-1,l-1\n", "label"),
        ("label,sku\n\xff\xfe", "byte"),
    ],
)
def test_a_file_that_cannot_be_read_as_a_whole_says_why(body: str, words: str) -> None:
    with pytest.raises(InvalidInput, match=words):
        read(body.encode("latin-1"))


@pytest.mark.parametrize(
    ("document", "path"),
    [
        (HANDS.replace("label:", "tag:"), "/fields/label"),
        (HANDS.replace("sku: {number: 2}", "price: {number: 2}"), "/fields/price"),
        (HANDS + 'store_from: {file: "(?P<store>x)"}\n', "/store_from"),
    ],
)
def test_a_mapping_of_something_else_is_refused(document: str, path: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        parse_pairing_mapping(document)
    assert path in [problem.path for problem in refused.value.problems]


def test_noise_is_never_a_crash() -> None:
    dice = random.Random(20_261_122)
    good = b"label,sku,panel,gateway,place\nl-1,1001,bwry-296x128,gw-1,Aisle 3\nl-2,1002,,,\n"
    refused = 0
    for _ in range(300):
        body = bytearray(good)
        for _ in range(dice.randint(1, 8)):
            body[dice.randrange(len(body))] = dice.randrange(256)
        try:
            for each in read(bytes(body)):
                if isinstance(each, PairingRow):
                    assert each.label_id
                    assert each.label_id == each.label_id.lower().strip()
        except InvalidInput:
            refused += 1
    assert 0 < refused < 300


@pytest.mark.parametrize("form", [Form.PRODUCTS, Form.HISTORY])
def test_a_sample_has_a_mapping_of_its_own(form: Form) -> None:
    mapping = parse_mapping(plain_document(form, sample(form).encode()))
    assert "sku" in mapping.fields
    assert ("history" in mapping.fields) == (form is Form.HISTORY)


def test_the_sample_of_labels_can_be_read() -> None:
    found = read(sample(Form.PAIRINGS))
    assert len(found) == 3
    assert problems(found) == []


def test_a_column_that_nobody_knows_is_said_with_the_nearest() -> None:
    with pytest.raises(InvalidInput) as refused:
        plain_document(Form.HISTORY, b"sku,price,valid_from,validto\n")
    assert "Did you mean valid_to?" in (refused.value.problems[0].fix or "")
    with pytest.raises(InvalidInput, match="no column is named valid_from"):
        plain_document(Form.HISTORY, b"sku,price\n")
