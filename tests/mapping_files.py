"""Files of sources, made by the tests, and what reading them gave."""

import io
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from xml.sax.saxutils import escape
from zoneinfo import ZoneInfo

import pytest

from esl.domain.entry import Entry, RowProblem
from esl.domain.errors import InvalidInput
from esl.domain.ids import StoreId
from esl.intake.mapping.document import parse_mapping
from esl.intake.mapping.model import Mapping
from esl.intake.mapping.reading import Summary, read_entries
from esl.intake.mapping.store_context import Place, StoreContext

ZAGREB = Place(store_id=StoreId("zagreb"), currency="EUR", timezone=ZoneInfo("Europe/Zagreb"))
ONE_STORE = StoreContext(place=ZAGREB)

BASIC = """
name: basic
format: csv
fields: {sku: sku, price: price, name: name}
"""


@dataclass(frozen=True)
class Read:
    """Everything that reading a file gave."""

    entries: list[Entry]
    problems: list[RowProblem]
    summary: Summary

    @property
    def by_sku(self) -> dict[str, Entry]:
        assert len({entry.sku for entry in self.entries}) == len(self.entries)
        return {entry.sku: entry for entry in self.entries}

    @property
    def prices(self) -> dict[str, Any]:
        return {entry.sku: entry.price_minor for entry in self.entries}

    @property
    def rejected(self) -> list[tuple[int, str]]:
        return [(problem.row, problem.field) for problem in self.problems if problem.rejects]


def read(
    body: bytes,
    mapping: str | Mapping = BASIC,
    *,
    store: StoreContext = ONE_STORE,
    file_name: str = "",
) -> Read:
    """Read a whole file."""
    if isinstance(mapping, str):
        mapping = parse_mapping(mapping)
    reading = read_entries(body, mapping, store=store, file_name=file_name)
    everything = list(reading)
    return Read(
        entries=[each for each in everything if isinstance(each, Entry)],
        problems=[each for each in everything if isinstance(each, RowProblem)],
        summary=reading.summary,
    )


def refusal(body: bytes, mapping: str | Mapping = BASIC, **more: Any) -> str:
    """Read a file that is refused as a whole, and return all of the words."""
    with pytest.raises(InvalidInput) as caught:
        read(body, mapping, **more)
    assert all(problem.fix for problem in caught.value.problems)
    return "; ".join(f"{p.path} {p.detail} {p.fix}" for p in caught.value.problems)


_RELATION = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"


def letters(index: int) -> str:
    """Name a column: 0 is A."""
    return chr(65 + index) if index < 26 else chr(64 + index // 26) + chr(65 + index % 26)


def cell_xml(reference: str, value: Any, shared: list[str]) -> str:
    """Write one cell: a number, a text, or XML of its own in a tuple."""
    match value:
        case None:
            return ""
        case (xml,):
            return str(xml).replace("REF", reference)
        case int() | float():
            return f'<c r="{reference}"><v>{value!r}</v></c>'
        case _:
            shared.append(value)
            return f'<c r="{reference}" t="s"><v>{len(shared) - 1}</v></c>'


def xlsx(
    rows: Sequence[Sequence[Any]],
    *,
    sheets: Sequence[str] = ("Cjenik",),
    formats: Sequence[str] = (),
    sheet_xml: str | None = None,
    first_row: int = 1,
) -> bytes:
    """Write a workbook as spreadsheet programs do; ``rows`` are on its last sheet."""
    shared: list[str] = []
    lines = []
    for number, row in enumerate(rows, start=first_row):
        cells = "".join(cell_xml(f"{letters(i)}{number}", v, shared) for i, v in enumerate(row))
        lines.append(f'<row r="{number}">{cells}</row>')
    empty = f'<worksheet xmlns="{_MAIN}"><sheetData/></worksheet>'
    full = sheet_xml or (
        f'<?xml version="1.0" encoding="UTF-8"?><worksheet xmlns="{_MAIN}"><sheetData>'
        f"{''.join(lines)}</sheetData></worksheet>"
    )
    named = "".join(
        f'<sheet name="{escape(name)}" sheetId="{i}" r:id="rId{i}"/>'
        for i, name in enumerate(sheets, start=1)
    )
    related = "".join(
        f'<Relationship Id="rId{i}" Type="{_RELATION}/worksheet" Target="worksheets/sheet{i}.xml"/>'
        for i in range(1, len(sheets) + 1)
    )
    codes = "".join(
        f'<numFmt numFmtId="{164 + i}" formatCode="{escape(code, {chr(34): "&quot;"})}"/>'
        for i, code in enumerate(formats)
    )
    styled = "".join(f'<xf numFmtId="{164 + i}"/>' for i in range(len(formats)))
    texts = "".join(f'<si><t xml:space="preserve">{escape(text)}</t></si>' for text in shared)
    parts = {
        "xl/workbook.xml": f'<workbook xmlns="{_MAIN}" xmlns:r="{_RELATION}">'
        f"<sheets>{named}</sheets></workbook>",
        "xl/_rels/workbook.xml.rels": "<Relationships xmlns="
        f'"http://schemas.openxmlformats.org/package/2006/relationships">{related}</Relationships>',
        "xl/styles.xml": f'<styleSheet xmlns="{_MAIN}"><numFmts>{codes}</numFmts>'
        f'<cellXfs><xf numFmtId="0"/>{styled}</cellXfs></styleSheet>',
        "xl/sharedStrings.xml": f'<sst xmlns="{_MAIN}">{texts}</sst>',
    }
    for i in range(1, len(sheets) + 1):
        parts[f"xl/worksheets/sheet{i}.xml"] = full if i == len(sheets) else empty
    body = io.BytesIO()
    with zipfile.ZipFile(body, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in parts.items():
            archive.writestr(name, text)
    return body.getvalue()
