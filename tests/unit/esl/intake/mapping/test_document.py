"""A mapping document is read with every problem at once, and written so that it reads the same."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from esl.domain.errors import InvalidInput
from esl.intake.mapping.document import parse_mapping
from esl.intake.mapping.export import export_mapping
from esl.intake.mapping.model import TARGETS, Format, Kind, Mapping, OnError, Records, Total, Value
from esl.intake.mapping.schema import schema_text
from esl.intake.mapping.value_document import _OF_FORMAT
from tests.mapping_files import read

PROJECT = Path(__file__).parents[5]

CONTRACT = """
name: konzum
format: csv            # csv | json | xml | xlsx | fixed
encoding: utf-8
delimiter: ","         # csv only
decimal: "."
thousands: null
currency: EUR
minor_units: false
fields:
  sku: "ŠIFRA PROIZVODA"
  gtin: {from: "BARKOD", strip: "' ", default: null, on_error: null}
  name: {column: "B"}
  price: {from: "MALOPRODAJNA CIJENA", on_error: reject}
  promotion_price: {from: "MPC", clears: true}
  unit: {from: "JM", map: {ko: piece, no: "yes", 1: 2}}
  anchor_price: 10
"""


def problems_of(text: str) -> dict[str, tuple[str, str]]:
    with pytest.raises(InvalidInput) as caught:
        parse_mapping(text)
    return {p.path: (p.detail, p.fix or "") for p in caught.value.problems}


def test_the_form_of_the_contract() -> None:
    mapping = parse_mapping(CONTRACT)
    assert (mapping.name, mapping.format, mapping.currency) == ("konzum", Format.CSV, "EUR")
    assert mapping.fields["sku"] == Value(name="ŠIFRA PROIZVODA")
    assert mapping.fields["gtin"] == Value(name="BARKOD", strip="' ", on_error=OnError.NULL)
    assert mapping.fields["name"] == Value(number=2)
    assert mapping.fields["anchor_price"] == Value(number=10)
    assert mapping.fields["price"].on_error is OnError.REJECT
    assert mapping.fields["promotion_price"].clears
    assert mapping.fields["unit"].map == {"ko": "piece", "no": "yes", "1": "2"}
    as_json = json.dumps({"name": "j", "format": "json", "fields": {"sku": "item.sku"}}, indent=2)
    assert parse_mapping(as_json).fields["sku"].name == "item.sku"


WRONG = """name: A b
format: csv
decmal: x
decimal: ;
thousands: ','
encoding: utf-7
currency: XXX
minor_units: yes please
items: a
sheet: b
header_row: -1
version: 2
delimiter: ab
store_from: {file: '(a+)+'}
records: {type: 1, item: D, trailer: D, total: {number: 2, of: name}}
fields:
  skku: A
  price: {from: B, strip: 3, foo: 1, on_error: maybe}
  name: {column: A1}
  valid_from: {from: x, format: '%Q'}
  stock: {start: 1}
  brand: {from: a, number: 2}
  category: {strip: x}
  gtin: [1]
  origin: ''
  deposit: {from: a, format: '%d.%m.%Y'}
"""


def test_every_problem_comes_at_once_with_path_line_and_fix() -> None:
    found = problems_of(WRONG)
    lines = {path: int(re.match(r"line (\d+): ", detail)[1]) for path, (detail, _) in found.items()}
    assert lines["/name"] == 1
    assert lines["/fields/price/on_error"] == 18
    assert list(lines.values()) == sorted(lines.values())
    assert set(found) >= {
        "/name",
        "/decmal",
        "/decimal",
        "/encoding",
        "/currency",
        "/minor_units",
        "/items",
        "/sheet",
        "/header_row",
        "/version",
        "/delimiter",
        "/store_from/file",
        "/records",
        "/records/total/of",
        "/fields/skku",
        "/fields/sku",
        "/fields/price/strip",
        "/fields/price/foo",
        "/fields/price/on_error",
        "/fields/name/column",
        "/fields/valid_from/format",
        "/fields/stock/start",
        "/fields/stock/length",
        "/fields/brand",
        "/fields/category",
        "/fields/gtin",
        "/fields/origin",
        "/fields/deposit/format",
    }
    assert found["/decmal"][1] == "Did you mean decimal?"
    assert found["/fields/skku"][1] == "Did you mean sku?"
    assert all(fix for path, (_, fix) in found.items() if path not in ("/header_row", "/version"))


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("[]", ""),
        ("name: [", ""),
        ("a: &a [*a]", ""),
        ("name: x\nformat: xml\nfields: {sku: a}", "/items"),
        ("name: x\nformat: xml\nitems: 'a b'\nfields: {sku: a}", "/items"),
        ("name: x\nformat: json\nitems: 'a['\nfields: {sku: item.a}", "/items"),
        ("name: x\nformat: json\nfields: {sku: sku}", "/fields/sku"),
        ("name: x\nformat: json\nfields: {sku: {column: A}}", "/fields/sku/column"),
        ("name: x\nformat: fixed\nfields: {sku: sku}", "/fields/sku"),
        ("name: x\nformat: xml\nitems: a\nfields: {sku: 'a//b'}", "/fields/sku"),
        ("name: x\nformat: csv\nheader_row: 0\nfields: {sku: sku}", "/header_row"),
        ("name: x\nformat: csv\nfields: {sku: {from: sku, clears: true}}", "/fields/sku/clears"),
        (
            "name: x\nformat: csv\nfields: {sku: {from: sku, on_error: null}}",
            "/fields/sku/on_error",
        ),
        (
            "name: x\nformat: csv\nfields: {sku: a, brand: {from: b, clears: true, default: c}}",
            "/fields/brand/clears",
        ),
        ("name: x\nformat: csv\nfields: {sku: a, history: b}", "/fields"),
        ("name: x\nformat: csv\nfields: {sku: a, club: b}", "/fields"),
        ("name: x\nformat: csv\nfields: {sku: a, promotion_id: b}", "/fields"),
        (
            "name: x\nformat: csv\nstore_from: {file: '(?P<store>.)'}\nfields: {sku: a, store: b}",
            "/store_from",
        ),
        ("name: x\nformat: csv\ndecimal: ','\nthousands: ','\nfields: {sku: a}", "/thousands"),
        ("name: x\nformat: csv\ndecimal: null\nfields: {sku: a}", "/decimal"),
        ("name: x\nformat: csv\nfields: {sku: a, unit: {from: b, map: [1]}}", "/fields/unit/map"),
        (
            "name: x\nformat: csv\nfields: {sku: a, unit: {from: b, map: {x: [1]}}}",
            "/fields/unit/map/x",
        ),
        (
            "name: x\nformat: csv\nrecords: {type: 1, item: D, count: 2}\nfields: {sku: a}",
            "/records/trailer",
        ),
        (
            "name: x\nformat: xml\nitems: a\nrecords: {type: 1, item: D}\nfields: {sku: a}",
            "/records",
        ),
        ("name: x\nformat: nothing\nfields: {sku: a}", "/format"),
        ("format: csv\nfields: 5", "/name"),
        ("name: x\nformat: csv\nfields: {sku: 0}", "/fields/sku"),
        ("name: x\nformat: csv\nfields: {sku: true}", "/fields/sku"),
        (f"name: x\nformat: json\nfields: {{sku: 'item.{'a' * 600}'}}", "/fields/sku"),
    ],
)
def test_what_does_not_fit_together(text: str, path: str) -> None:
    assert path in problems_of(text)


KEYS = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), min_size=1, max_size=12
)
NAMES = KEYS.filter(lambda text: bool(text.strip()))


@st.composite
def values(draw: Any, kind: Format, target: str) -> Value:
    place: dict[str, Any] = {}
    match kind:
        case Format.FIXED:
            place = {"start": draw(st.integers(1, 99)), "length": draw(st.integers(1, 99))}
        case Format.JSON:
            place = {"name": draw(st.sampled_from(["item.a", "root.b || item.c", "item.x[0]"]))}
        case Format.XML:
            place = {"name": draw(st.sampled_from(["a", "a/b", "a/@b", "@c", "/x/y", "."]))}
        case _:
            place = draw(
                st.sampled_from([{"name": draw(NAMES)}, {"number": draw(st.integers(1, 99))}])
            )
    default = draw(st.none() | NAMES)
    dated = TARGETS[target].kind in (Kind.INSTANT, Kind.HISTORY, Kind.DAY)
    return Value(
        **place,
        strip=draw(st.none() | KEYS),
        default=default,
        map=draw(st.dictionaries(NAMES.map(str.strip), st.none() | NAMES, max_size=3)),
        on_error=None if target in ("sku", "store") else draw(st.sampled_from([None, *OnError])),
        clears=default is None and target not in ("sku", "price", "store") and draw(st.booleans()),
        format=draw(st.sampled_from([None, "%d.%m.%Y", "%Y%m%dT%H%M%S%z"])) if dated else None,
    )


@st.composite
def mappings(draw: Any) -> Mapping:
    kind = draw(st.sampled_from(list(Format)))
    tabular = kind in (Format.CSV, Format.XLSX)
    targets = {"sku", "price", "promotion_price"} | draw(
        st.sets(st.sampled_from(sorted(set(TARGETS) - {"store"})))
    )
    if targets & {"multibuy_price", "multibuy_quantity"}:
        targets |= {"multibuy_price", "multibuy_quantity"}
    if any(target.startswith("history_") for target in targets):
        targets.add("history")
    fields = {name: draw(values(kind, name)) for name in TARGETS if name in targets}
    by_name = any(value.name is not None for value in fields.values())
    records = None
    if kind is Format.FIXED:
        at = Value(start=1, length=1)
        records = Records(
            type=at, item="D", trailer="T", count=at, total=Total(value=at, of="price")
        )
    return Mapping(
        name=draw(st.from_regex(r"[a-z0-9][a-z0-9_-]{0,20}", fullmatch=True)),
        format=kind,
        encoding=draw(st.sampled_from([None, "utf-8", "cp1250", "UTF-16"])),
        delimiter=draw(st.sampled_from(",;\t|")) if kind is Format.CSV else ",",
        quote=draw(st.sampled_from(['"', "'"])),
        decimal=draw(st.sampled_from(".,")),
        thousands=draw(st.sampled_from([None, " ", "'"])),
        items="a/b" if kind is Format.XML else "a.b" if kind is Format.JSON else None,
        sheet=draw(st.none() | st.just("Čćž: 'x'")) if kind is Format.XLSX else None,
        header_row=(draw(st.integers(1, 9)) if by_name or draw(st.booleans()) else None)
        if tabular
        else None,
        short_rows=draw(st.booleans()),
        currency=draw(st.sampled_from([None, "EUR", "JPY"])),
        minor_units=draw(st.booleans()),
        records=records,
        store_from=draw(st.sampled_from([None, r"p_(?P<store>[0-9]+)\.csv"])),
        fields=fields,
    )


@given(mappings())
def test_what_is_exported_imports_as_the_same(mapping: Mapping) -> None:
    assert parse_mapping(export_mapping(mapping)) == mapping


@pytest.mark.parametrize(
    "path", sorted((PROJECT / "tests/data/mappings").glob("*.yaml")), ids=lambda p: p.stem
)
def test_the_kept_mappings_are_read_and_exported(path: Path) -> None:
    mapping = parse_mapping(path.read_text("utf-8"))
    assert mapping.name == path.stem
    assert parse_mapping(export_mapping(mapping)) == mapping


def test_the_published_schema_is_the_one_of_the_code() -> None:
    published = (PROJECT / "docs/mapping.schema.json").read_text("utf-8")
    assert published == schema_text(), "write schema_text() to docs/mapping.schema.json"


def known_below(text: str, path: str) -> set[str]:
    """Ask the parser itself which members it knows: it names them when one is wrong."""
    advice = problems_of(text)[path][1]
    return set(advice.removeprefix("Known are ").rstrip(".").split(", "))


def test_the_schema_has_the_members_that_the_parser_knows_and_no_others() -> None:
    schema = json.loads(schema_text())
    top = known_below("zzzqqq: 1\nname: x\nformat: csv\nfields: {sku: a}", "/zzzqqq")
    assert top == set(schema["properties"])
    assert set(schema["properties"]["fields"]["properties"]) == set(TARGETS)
    value = known_below(
        "name: x\nformat: csv\nfields: {sku: {from: a, zzzqqq: 1}}", "/fields/sku/zzzqqq"
    )
    assert value == set(schema["$defs"]["Value"]["anyOf"][2]["properties"])
    place = "name: x\nformat: csv\nrecords: {item: D, type: {from: a, zzzqqq: 1}}\nfields: {sku: a}"
    assert known_below(place, "/records/type/zzzqqq") == set(
        schema["$defs"]["Place"]["anyOf"][2]["properties"]
    )
    records = "name: x\nformat: csv\nrecords: {item: D, type: 1, zzzqqq: 1}\nfields: {sku: a}"
    assert known_below(records, "/records/zzzqqq") == set(
        schema["properties"]["records"]["properties"]
    )
    assert set(schema["properties"]["format"]["enum"]) == {kind.value for kind in _OF_FORMAT}


def test_every_mapping_in_the_documentation_is_one() -> None:
    text = (PROJECT / "docs/mapping.md").read_text("utf-8")
    found = [parse_mapping(block) for block in re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)]
    assert {mapping.format for mapping in found} == set(Format)
    example = re.search(r"```csv\n(.*?)```", text, re.DOTALL)[1]
    assert read(example.encode("cp1250"), found[0]).prices == {"010102": 95, "010111": 1290}
    for target in TARGETS:
        assert f"`{target}`" in text, target
