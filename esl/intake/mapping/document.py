"""Mapping documents: read with every problem at once, and written so that reading gives the same.

name: konzum                 YAML or JSON; `schema.schema_text` describes it to editors
format: csv
decimal: "."
fields:
  sku: "ŠIFRA PROIZVODA"
  price: {from: "MALOPRODAJNA CIJENA", strip: "€"}
"""

import re
from collections.abc import Iterable
from collections.abc import Mapping as Table
from typing import Any

from esl.domain.errors import FieldProblem, InvalidInput
from esl.domain.money import MINOR_DIGITS
from esl.intake.mapping.expressions import check_expression
from esl.intake.mapping.model import TARGETS, Format, Mapping, Records, Target, Total, Value
from esl.intake.mapping.part import Part
from esl.intake.mapping.patterns import check_file_pattern
from esl.intake.mapping.text_source import check_encoding
from esl.intake.mapping.value_document import read_place, read_value
from esl.intake.yaml_text import read_yaml

PROBLEMS_MOST = 50
NAME_LONGEST = 64
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
_DELIMITERS = ",;\t|:~^ \x1f"
_DECIMALS = ".,"
_THOUSANDS = ".,' ’\u00a0\u202f"
_WITH: Table[str, tuple[str, ...]] = {
    "club": ("promotion_price", "member_price"),
    "promotion_from": ("promotion_price", "member_price", "multibuy_price"),
    "promotion_to": ("promotion_price", "member_price", "multibuy_price"),
    "multibuy_price": ("multibuy_quantity",),
    "multibuy_quantity": ("multibuy_price",),
}
"""Fields that mean nothing without another."""

_HEADER_LAST = 1000
_ITEMS_LONGEST = 500


def parse_mapping(
    text: str, *, targets: Table[str, Target] = TARGETS, needs: str = "sku"
) -> Mapping:
    """Read a mapping document, whose fields are ``targets``; ``needs`` must be there.

    Raises:
        InvalidInput: With a JSON pointer, the line and a fix for everything that is wrong.
    """
    document = read_yaml(text, what="mapping")
    if not isinstance(document.data, dict):
        raise InvalidInput.at("", "not a mapping", fix="Begin with name:, format: and fields:.")
    problems: list[FieldProblem] = []
    mapping = _read(document.data, problems, targets, needs)
    if problems or mapping is None:
        raise _with_lines(problems, document.lines)
    return mapping


def _read(
    data: Any, problems: list[FieldProblem], targets: Table[str, Target], needs: str
) -> Mapping | None:
    part = Part(data, "", problems)
    if part.whole("version", low=1, high=1) is None and part.has("version"):
        part.problem("version", "not a version of the form we know", fix="Write 1.")
    name = part.text("name", longest=NAME_LONGEST, required=True)
    if name is not None and not _NAME.fullmatch(name):
        part.problem("name", "not a name", fix="Use a-z, 0-9, '-' and '_', 64 at most.")
    kind = part.choice("format", Format, required=True)
    decimal = part.sign("decimal", default=".", among=_DECIMALS, fix='Write "." or ",".')
    if decimal is None:
        part.problem("decimal", "null", fix='Write "." or ","; it is never guessed.')
    thousands = part.sign(
        "thousands",
        default=None,
        among=_THOUSANDS,
        fix="Write null, or one of . , ' and a blank in quotes.",
    )
    if thousands is not None and thousands == decimal:
        part.problem("thousands", "the same as the decimal sign", fix="Write null, or the other.")
    mapping_format = kind or Format.CSV
    mapping = Mapping(
        name=name or "",
        format=mapping_format,
        encoding=_read_encoding(part),
        delimiter=_read_delimiter(part, kind),
        quote=part.sign("quote", default='"', among="\"'|", fix="Write null or one sign."),
        decimal=decimal or ".",
        thousands=thousands,
        items=_read_items(part, kind),
        sheet=_only_for(part, part.text("sheet", longest=31), "sheet", kind, Format.XLSX),
        header_row=_read_header_row(part, kind),
        short_rows=part.flag("short_rows"),
        currency=_read_currency(part),
        minor_units=part.flag("minor_units"),
        records=_read_records(part, kind),
        store_from=_read_store_from(part),
        fields=_read_fields(part, kind, targets, needs),
    )
    part.finish()
    _check_whole(mapping, part)
    return mapping


def _read_encoding(part: Part) -> str | None:
    encoding = part.text("encoding", longest=40)
    if encoding is not None and (wrong := check_encoding(encoding)):
        part.problem("encoding", wrong, fix="Write utf-8, cp1250, cp1252, iso-8859-2, utf-16 …")
    return encoding


def _read_delimiter(part: Part, kind: Format | None) -> str:
    delimiter = part.sign(
        "delimiter",
        default=",",
        among=_DELIMITERS,
        fix='Write one of "," ";" "\\t" (tab) "|" ":" "~" "^" " ".',
    )
    if part.has("delimiter") and kind not in (Format.CSV, None):
        part.problem("delimiter", "for csv only", fix="Leave it out.")
    elif delimiter is None:
        part.problem("delimiter", "null", fix='Write the sign between two cells, such as ";".')
    return delimiter or ","


def _read_items(part: Part, kind: Format | None) -> str | None:
    items = part.text("items", longest=_ITEMS_LONGEST)
    if kind is Format.XML:
        if items is None:
            part.problem("items", "missing", fix='Write the path of one item: "Items/Item".')
        elif not re.fullmatch(r"/?[^/@\s]+(/[^/@\s]+)*", items):
            part.problem("items", "not an element path", fix='Write names between "/".')
    elif kind is Format.JSON:
        if items is not None and (wrong := check_expression(items)):
            part.problem("items", wrong, fix='Write a JMESPath such as "data.products".')
    elif items is not None and kind is not None:
        part.problem("items", "for xml and json only", fix="Leave it out.")
    return items


def _only_for(
    part: Part, value: str | None, name: str, kind: Format | None, own: Format
) -> str | None:
    if value is not None and kind not in (own, None):
        part.problem(name, f"for {own} only", fix="Leave it out.")
    return value


def _read_header_row(part: Part, kind: Format | None) -> int | None:
    is_said = part.has("header_row")
    row = part.whole("header_row", low=0, high=_HEADER_LAST)
    if is_said and kind not in (Format.CSV, Format.XLSX, None):
        part.problem("header_row", "for csv and xlsx only", fix="Leave it out.")
    if is_said:
        return row or None  # null and 0: there is none
    return 1 if kind in (Format.CSV, Format.XLSX, None) else None


def _read_currency(part: Part) -> str | None:
    currency = part.text("currency", longest=3)
    if currency is not None and currency not in MINOR_DIGITS:
        part.problem(
            "currency",
            "not a known ISO 4217 currency code",
            fix='Write three capital letters, such as "EUR".',
        )
        return None
    return currency


def _read_store_from(part: Part) -> str | None:
    value = part.take("store_from")
    if value is None:
        return None
    own = Part(value, "/store_from", part.problems)
    pattern = own.text("file", required=isinstance(value, dict))
    if pattern is not None and (wrong := check_file_pattern(pattern)):
        own.problem(
            "file", wrong, fix='Write such as "prices_(?P<store>[0-9]+)_.*\\\\.csv", in quotes.'
        )
    own.finish()
    return pattern


def _read_records(part: Part, kind: Format | None) -> Records | None:
    value = part.take("records")
    if value is None:
        return None
    if kind not in (Format.CSV, Format.FIXED, None):
        part.problem("records", "for csv and fixed only", fix="Leave it out.")
    own = Part(value, "/records", part.problems)
    if not isinstance(value, dict):
        return None
    own_format = kind or Format.FIXED
    place = read_place(own.take("type"), "/records/type", own_format, part.problems)
    item = own.text("item", longest=20, required=True)
    header = own.text("header", longest=20)
    trailer = own.text("trailer", longest=20)
    count, total = own.take("count"), own.take("total")
    own.finish()
    count_place = read_place(count, "/records/count", own_format, part.problems) if count else None
    if (count or total) and trailer is None:
        own.problem("trailer", "missing, and a control total is declared", fix="Add it.")
    if len({item, header, trailer} - {None}) < 3 - [header, trailer].count(None):
        own.problem("", "two types of record with one mark", fix="Each has its own.")
    return Records(
        type=place or Value(),
        item=item or "",
        header=header,
        trailer=trailer,
        count=count_place,
        total=_read_total(total, own_format, part.problems) if total else None,
    )


def _read_total(value: Any, kind: Format, problems: list[FieldProblem]) -> Total | None:
    own = Part(value, "/records/total", problems)
    if not isinstance(value, dict):
        return None
    of = own.text("of", required=True, longest=40)
    rest = {key: item for key, item in value.items() if key != "of"}
    if of is not None and of not in ("price", "promotion_price", "deposit"):
        own.problem("of", "not a field with money", fix="Write price, promotion_price or deposit.")
    place = read_place(rest, "/records/total", kind, problems)
    return Total(value=place, of=of) if place is not None and of is not None else None


def _read_fields(
    part: Part, kind: Format | None, targets: Table[str, Target], needs: str
) -> dict[str, Value]:
    value = part.take("fields")
    own = Part(value, "/fields", part.problems)
    fields: dict[str, Value] = {}
    if isinstance(value, dict):
        for target, about in targets.items():
            if own.has(target):
                read = read_value(
                    own.take(target), target, kind or Format.CSV, part.problems, about=about
                )
                if read is not None:
                    fields[target] = read
            else:
                own.take(target)
        own.finish()
        if not own.has(needs):
            own.problem(needs, "missing", fix=f"Say where {targets[needs].about} stands.")
    return fields


def _check_whole(mapping: Mapping, part: Part) -> None:
    """Note what only fits together or does not."""
    named = [target for target, value in mapping.fields.items() if value.name is not None]
    tabular = mapping.format in (Format.CSV, Format.XLSX)
    if tabular and mapping.header_row is None and named:
        part.problem(
            "header_row",
            f"no header, and {', '.join(named[:5])} are named by it",
            fix='Say the row of the header, or name columns by letter: {column: "B"}.',
        )
    if mapping.delimiter in (mapping.decimal, mapping.thousands) and mapping.quote is None:
        part.problem("delimiter", "also a sign within numbers", fix="Declare a quote.")
    if mapping.records and mapping.records.total:
        of = mapping.records.total.of
        if of not in mapping.fields:
            part.problem("records", f"sums {of}, which is no field", fix=f"Add {of} to fields.")
    is_json = mapping.format is Format.JSON
    if "history" in mapping.fields and "price" not in mapping.fields and not is_json:
        part.problem("fields", "history without price", fix="Add the price of that day.")
    past = [name for name in mapping.fields if name.startswith("history_")]
    if past and "history" not in mapping.fields:
        part.problem("fields", f"{past[0]} without history", fix="Add the day it began.")
    for name in mapping.fields:
        wanted = _WITH.get(name, ("promotion_price",) if name.startswith("promotion_") else ())
        if wanted and not any(one in mapping.fields for one in wanted):
            part.problem("fields", f"{name} without {' or '.join(wanted)}", fix=f"Add {wanted[0]}.")
            break
    if "store" in mapping.fields and mapping.store_from is not None:
        part.problem("store_from", "the store stands in a field too", fix="Keep one of the two.")


def _with_lines(problems: Iterable[FieldProblem], lines: Table[str, int]) -> InvalidInput:
    found = sorted((_find_line(lines, p.path), i, p) for i, p in enumerate(problems))
    return InvalidInput(
        FieldProblem(path=p.path, detail=f"line {line}: {p.detail}", fix=p.fix)
        for line, _, p in found[:PROBLEMS_MOST]
    )


def _find_line(lines: Table[str, int], path: str) -> int:
    here = path.lstrip("/")
    while here and here not in lines:
        here = here.rpartition("/")[0]
    return lines.get(here, 1)
