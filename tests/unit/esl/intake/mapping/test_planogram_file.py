"""Planograms as files: each row by itself, and no file that cannot be believed."""

import io
import json
import zipfile

import pytest

from esl.domain.entry import RowProblem
from esl.domain.errors import InvalidInput
from esl.domain.planogram import PlaceRow
from esl.intake.mapping.planogram_file import read_planogram

SHEET = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
REFERENCES = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006/relationships"


def told(content: str | bytes) -> list[tuple[int, str, str]]:
    """Row, label or SKU, and place; of a refused one the field and why."""
    found = read_planogram(content.encode() if isinstance(content, str) else content)
    return [
        (one.row, one.field, one.reason)
        if isinstance(one, RowProblem)
        else (one.row, one.label_id or one.sku or one.code or "", one.place)
        for one in found
    ]


def workbook(rows: list[list[str]]) -> bytes:
    """Write a sheet of texts as a spreadsheet program does."""
    lines = "".join(
        f'<row r="{number}">'
        + "".join(
            f'<c r="{chr(65 + at)}{number}" t="inlineStr"><is><t>{text}</t></is></c>'
            for at, text in enumerate(cells)
        )
        + "</row>"
        for number, cells in enumerate(rows, 1)
    )
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr(
            "xl/workbook.xml",
            f'<workbook xmlns="{SHEET}" xmlns:r="{REFERENCES}"><sheets>'
            '<sheet name="Plan" sheetId="1" r:id="rId1"/></sheets></workbook>',
        )
        archive.writestr(
            "xl/_rels/workbook.xml.rels",
            f'<Relationships xmlns="{PACKAGE}"><Relationship Id="rId1" '
            f'Type="{REFERENCES}/worksheet" Target="worksheets/sheet1.xml"/></Relationships>',
        )
        archive.writestr(
            "xl/worksheets/sheet1.xml",
            f'<worksheet xmlns="{SHEET}"><sheetData>{lines}</sheetData></worksheet>',
        )
    return out.getvalue()


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_rows_of_a_text_file_count_as_a_person_counts(separator: str) -> None:
    lines = (
        "\ufeffLabel,Aisle,Bay,Facings",
        "L-1,3,2,4",
        "",
        '"l-2","3",,"4"',
        ",,,",
        "l-3,,2,4",
        "l_4,3,2,4",
    )
    assert told("\r\n".join(lines).replace(",", separator)) == [
        (2, "l-1", "3/2"),
        (4, "l-2", "3"),
        (6, "aisle", "missing before another part"),
        (7, "label", "not a valid label id"),
    ]


def test_products_and_codes_name_places_as_well() -> None:
    assert told("sku,place,code\n4711, 3 / 2 ,\n,3/1,S-31\n4712,,S\n") == [
        (2, "4711", "3/2"),
        (3, "S-31", "3/1"),
        (4, "place", "missing"),
    ]


def test_a_sheet_is_read_as_a_text_file() -> None:
    rows = [["Label", "Place", "Note"], ["L-1", "3/2", "x"], ["l-2", "3//2", ""]]
    assert told(workbook(rows)) == [(2, "l-1", "3/2"), (3, "place", "not a place")]


def test_json_is_an_array_of_rows() -> None:
    rows = [{"label": "L-1", "aisle": 3, "facings": 4}, 5, {"label": "l-2", "place": True}]
    expected = [
        (1, "l-1", "3"),
        (2, "", "not an object"),
        (3, "place", "not a string"),
    ]
    assert told(json.dumps(rows)) == told(json.dumps({"rows": rows})) == expected


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"label,shelf\nl-1,2\n",
        b"aisle,bay\n3,2\n",
        b"label,label,place\nl-1,l-2,3\n",
        b"label,place\n\xff\xfe,3\n",
        b'label,place\n"l-1,3\n',
        b'{"rows": 5}',
        b"[{",
        b"PK\x03\x04 but no archive",
    ],
)
def test_a_file_that_cannot_be_believed_is_refused(content: bytes) -> None:
    with pytest.raises(InvalidInput):
        read_planogram(content)


def test_a_whole_shop_is_read() -> None:
    rows = 20_000
    lines = (f"l-{number},{number % 30},{number % 12},{number % 5}" for number in range(rows))
    found = read_planogram(("label,aisle,bay,shelf\n" + "\n".join(lines)).encode())
    assert len(found) == rows
    assert all(isinstance(one, PlaceRow) for one in found)
