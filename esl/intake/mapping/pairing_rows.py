"""Files of labels from another system, read through a mapping of their own targets.

label,sku,panel,gateway,place        `PLAIN`: what this house writes and reads without a mapping
label-0001,1001,bwry-296x128,gw-1,Aisle 3

The whole file is read at once: a shop has tens of thousands of labels, not millions.
"""

import csv
import io
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from collections.abc import Mapping as Table
from typing import Any, BinaryIO, Final

from esl.domain.entry import RowProblem
from esl.domain.errors import InvalidInput
from esl.domain.ids import GatewayId, LabelId, PanelId, check_slug
from esl.domain.migration import PairingRow
from esl.domain.place import PRODUCTS_MOST
from esl.domain.pricing import KEEP
from esl.intake.mapping.bad_value import BadValue, shorten
from esl.intake.mapping.cell_values import Convert, compile_cell
from esl.intake.mapping.document import parse_mapping
from esl.intake.mapping.model import PAIRING_TARGETS, Format, Kind, Mapping, Value
from esl.intake.mapping.opened import Cells
from esl.intake.mapping.plain_forms import Form, columns_in
from esl.intake.mapping.reading import OPENERS
from esl.intake.mapping.record_types import ControlTotals, check_totals, select_items, wanted_of
from esl.intake.mapping.row_reader import is_blank
from esl.intake.mapping.text_source import explain_undecodable
from esl.intake.mapping.text_values import read_sku, text_reader

ROWS_MOST = 200_000
"""Rows of one file: three times the labels of the largest store, and bounded memory."""

COLUMNS: Final = ("label", "sku", "panel", "gateway", "place")
MORE: Final = tuple(f"sku_{place}" for place in range(2, PRODUCTS_MOST + 1))
"""Columns of the products beside the first, on labels that speak for several."""

PLAIN: Final = Mapping(
    name="pairings",
    format=Format.CSV,
    encoding="utf-8-sig",
    fields={name: Value(name=name) for name in (*COLUMNS, *MORE)},
)
_NAMED_MOST = 10
_HEAD_BYTES = 4096


def parse_pairing_mapping(text: str) -> Mapping:
    """Read a mapping of pairings; the form is that of price lists, its fields are `COLUMNS`.

    Raises:
        InvalidInput: With everything that is wrong, or it takes parts that pairings have not.
    """
    mapping = parse_mapping(text, targets=PAIRING_TARGETS, needs="label")
    if mapping.store_from is not None:
        raise InvalidInput.at(
            "/store_from", "for price lists only", fix="Leave it out, and name the store."
        )
    return mapping


def read_pairings(source: BinaryIO, mapping: Mapping = PLAIN) -> list[PairingRow | RowProblem]:
    """Read a file whole: its rows in their order, and why others cannot be taken.

    A label that stands in two rows with different products is refused in all of them.

    Raises:
        InvalidInput: The file as a whole cannot be believed.
    """
    try:
        return _without_contradictions(_read(source, mapping))
    except UnicodeDecodeError:
        raise explain_undecodable(source, mapping.encoding, 0) from None


def write_pairings(rows: Iterable[PairingRow]) -> str:
    """Write rows in the form that `PLAIN` reads, with its header."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    found = list(rows)
    most = max((len(row.more) for row in found), default=0)
    writer.writerow([*COLUMNS, *MORE[:most]])
    for row in found:
        told = (row.label_id, row.sku, row.panel_id, row.gateway_id, row.place)
        more = (*row.more, *[None] * (most - len(row.more)))
        writer.writerow(["" if value is None else value for value in (*told, *more)])
    return out.getvalue()


def check_label(text: str) -> LabelId:
    """Read a label's id: capitals are made small, and nothing else is guessed.

    Raises:
        BadValue: It is no id that a gateway could report.
    """
    small = text.lower()
    try:
        return LabelId(check_slug(small, path="", what="label"))
    except InvalidInput:
        raise BadValue(
            f"{shorten(text)} is no label id",
            fix="Write it as its gateway reports it: 1 to 64 of a-z, 0-9 and '-'.",
        ) from None


def _slug(what: str) -> Callable[[str], str]:
    def read(text: str) -> str:
        try:
            return check_slug(text.lower(), path="", what=what)
        except InvalidInput as exc:
            raise BadValue(f"{shorten(text)} is no {what} id", fix=exc.problems[0].fix) from None

    return read


_READS: Final[Table[str, Callable[[str], Any]]] = {
    "label": check_label,
    "sku": read_sku,
    **dict.fromkeys(MORE, read_sku),
    "panel": _slug("panel"),
    "gateway": _slug("gateway"),
    "place": text_reader(PAIRING_TARGETS["place"].longest),
}


def _read(source: BinaryIO, mapping: Mapping) -> list[PairingRow | RowProblem]:
    source.seek(0)
    if mapping is PLAIN:
        mapping = _of_this_header(source)
    wanted = {**mapping.fields, **wanted_of(mapping.records)}
    opened = OPENERS[mapping.format](source, mapping, wanted)
    steps = [
        (name, opened.index.get(name, -1), _convert(name, value))
        for name, value in mapping.fields.items()
    ]
    totals = ControlTotals()
    records = mapping.records
    items = opened.rows if records is None else select_items(opened, records, totals)
    found: list[PairingRow | RowProblem] = []
    for each in items:
        if len(found) >= ROWS_MOST:
            raise InvalidInput.at("", f"more than {ROWS_MOST} rows", fix="Send it in parts.")
        if isinstance(each, RowProblem):
            found.append(each)
        elif not is_blank(each[1]):
            found.append(_read_row(*each, steps, mapping.fields))
    if records is not None:
        check_totals(opened, records, totals, int)
    return found


def _of_this_header(source: BinaryIO) -> Mapping:
    """Let a file without a mapping leave out columns; ``label`` must be there."""
    found = columns_in(Form.PAIRINGS, source.read(_HEAD_BYTES))
    source.seek(0)
    fields = {name: PLAIN.fields[name] for name in found}
    return Mapping(name=PLAIN.name, format=PLAIN.format, encoding=PLAIN.encoding, fields=fields)


def _convert(name: str, value: Value) -> Convert:
    kind = PAIRING_TARGETS[name].kind
    return compile_cell(name, value, _READS[name], cached=kind is Kind.TEXT and name != "label")


def _read_row(
    row: int,
    cells: Cells,
    steps: Sequence[tuple[str, int, Convert]],
    fields: Table[str, Value],
) -> PairingRow | RowProblem:
    read: dict[str, Any] = {}
    for name, at, convert in steps:
        try:
            value = convert(cells[at] if at >= 0 else None)
        except BadValue as exc:
            if name == "place" or fields[name].on_error == "null":
                continue
            return RowProblem(row=row, field=name, reason=exc.reason, fix=exc.fix)
        if value is not KEEP and value is not None:
            read[name] = value
    if "label" not in read:
        return RowProblem(row=row, field="label", reason="no label", fix="Send its id.")
    more = tuple(read[name] for name in MORE if name in read)
    if more and "sku" not in read:
        return RowProblem(
            row=row, field="sku", reason="empty beside others", fix="Name the first product there."
        )
    if len({read.get("sku"), *more}) <= len(more):
        return RowProblem(
            row=row, field="sku", reason="names one product twice", fix="Name each once."
        )
    return PairingRow(
        row=row,
        label_id=read["label"],
        sku=read.get("sku"),
        more=more,
        panel_id=PanelId(read["panel"]) if "panel" in read else None,
        gateway_id=GatewayId(read["gateway"]) if "gateway" in read else None,
        place=read.get("place"),
    )


def _without_contradictions(
    read: list[PairingRow | RowProblem],
) -> list[PairingRow | RowProblem]:
    """Refuse every row of a label that rows pair with different products."""
    of_label: dict[LabelId, list[PairingRow]] = defaultdict(list)
    for each in read:
        if isinstance(each, PairingRow):
            of_label[each.label_id].append(each)
    wrong = {
        label
        for label, rows in of_label.items()
        if len({(row.skus, row.panel_id, row.gateway_id) for row in rows}) > 1
    }
    return [
        _contradicts(each, of_label[each.label_id])
        if isinstance(each, PairingRow) and each.label_id in wrong
        else each
        for each in read
    ]


def _contradicts(row: PairingRow, others: Sequence[PairingRow]) -> RowProblem:
    rows = ", ".join(str(other.row) for other in others[:_NAMED_MOST])
    more = f" and {len(others) - _NAMED_MOST} more" if len(others) > _NAMED_MOST else ""
    field = "sku" if len({other.skus for other in others}) > 1 else "label"
    return RowProblem(
        row=row.row,
        field=field,
        reason=f"rows {rows}{more} say different things of the label {row.label_id!r}",
        fix="Keep the row that is right; several products on one label go into sku, sku_2 …",
        sku=row.sku,
    )
