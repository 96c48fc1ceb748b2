"""A file or body, read through a mapping: entries and problems, one at a time.

    first pass    everything is decoded and parsed; control totals are checked; which products
                  have several rows is noted (8 bytes a row). What is wrong with the file as a
                  whole is raised here, before anything was handed on
    second pass   rows become entries. A product with several rows waits for its last one; where
                  more than `WAITING_MOST` rows would wait, products are left for another pass

Memory is bounded by the size of a row, `WAITING_MOST` and 8 bytes a row, whatever the file.
"""

import io
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from esl.domain.entry import Entry, RowProblem
from esl.domain.errors import InvalidInput
from esl.intake.mapping.bad_value import BadValue
from esl.intake.mapping.cell_values import Convert
from esl.intake.mapping.csv_rows import open_csv
from esl.intake.mapping.fixed_rows import open_fixed
from esl.intake.mapping.json_rows import open_json
from esl.intake.mapping.merging import merge_entries
from esl.intake.mapping.model import Format, Mapping
from esl.intake.mapping.money_values import ReadMoney, money_reader
from esl.intake.mapping.opened import Cells, Opened
from esl.intake.mapping.patterns import find_store
from esl.intake.mapping.record_types import (
    ControlTotals,
    Rows,
    check_totals,
    select_items,
    wanted_of,
)
from esl.intake.mapping.repeats import Noted, Repeats
from esl.intake.mapping.row_reader import RowReader, is_blank
from esl.intake.mapping.store_context import StoreContext
from esl.intake.mapping.text_source import explain_undecodable
from esl.intake.mapping.xlsx_rows import open_xlsx
from esl.intake.mapping.xml_rows import open_xml

WAITING_MOST = 20_000
"""Rows of products with several rows that may wait at a time: about 1 kB each."""

ROWS_OF_ONE_MOST = 2_000
"""Rows that one product may have: more bar codes or dated prices than any has."""

OPENERS = {
    Format.CSV: open_csv,
    Format.FIXED: open_fixed,
    Format.JSON: open_json,
    Format.XML: open_xml,
    Format.XLSX: open_xlsx,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """What the first pass learned of a file."""

    rows: int  # of products, good or bad; neither header nor empty lines
    repeated: int  # products with several rows
    columns: dict[str, str]  # target -> the column as the file names it
    totals_checked: bool  # a trailer was there and its totals were right


class Reading(Iterator[Entry | RowProblem]):
    """The entries of one file, and its summary, which is known before the first of them."""

    def __init__(self, summary: Summary, entries: Iterator[Entry | RowProblem]) -> None:
        self.summary = summary
        self._entries = entries

    def __next__(self) -> Entry | RowProblem:
        return next(self._entries)


def read_entries(
    source: BinaryIO | bytes, mapping: Mapping, *, store: StoreContext, file_name: str = ""
) -> Reading:
    """Read a file or body, from where ``source`` stands; it must be able to seek.

    A row that cannot be taken comes as a `RowProblem` with ``rejects``; a field of a row that was
    left out, as one without, beside the entry.

    Raises:
        InvalidInput: The file as a whole cannot be believed: another encoding than declared, a
            column missing, cut off, control totals wrong. Nothing of it may be applied.
    """
    file = _File(
        io.BytesIO(source) if isinstance(source, bytes) else source, mapping, store, file_name
    )
    summary, repeats = file.check()
    return Reading(summary, file.read(repeats))


class _File:
    """A source and its mapping, opened as often as passes need it."""

    def __init__(
        self, source: BinaryIO, mapping: Mapping, store: StoreContext, file_name: str
    ) -> None:
        self._source = source
        self._start = source.tell()
        self._mapping = mapping
        self._store = store
        self._store_name = self._find_store(file_name)
        self._currency = mapping.currency or (store.place.currency if store.place else "")
        if not self._currency:
            raise InvalidInput.at("/currency", "missing", fix="Declare it: the stores may differ.")
        if store.place is not None and store.place.currency != self._currency:
            raise InvalidInput.at(
                "/currency",
                f"{self._currency}, and the store sells in {store.place.currency}",
                fix="Correct the mapping, or choose the source's own store.",
            )
        self._wanted = {**mapping.fields, **wanted_of(mapping.records)}

    def _find_store(self, file_name: str) -> str | None:
        pattern = self._mapping.store_from
        if pattern is None:
            return None
        name = find_store(pattern, file_name)
        if name is None:
            raise InvalidInput.at(
                "/store_from/file",
                "the name of the file does not fit the pattern",
                fix="Rename the file, or correct the pattern.",
            )
        return name

    def _open(self) -> tuple[Opened, RowReader]:
        self._source.seek(self._start)
        opened = OPENERS[self._mapping.format](self._source, self._mapping, self._wanted)
        reader = RowReader(
            self._mapping,
            opened.index,
            currency=self._currency,
            context=self._store,
            store_name=self._store_name,
        )
        return opened, reader

    def check(self) -> tuple[Summary, Repeats]:
        """Make the first pass."""
        try:
            return self._check()
        except UnicodeDecodeError:
            raise explain_undecodable(self._source, self._mapping.encoding, self._start) from None

    def _check(self) -> tuple[Summary, Repeats]:
        opened, reader = self._open()
        totals = ControlTotals()
        noted = Noted()
        rows = 0
        records = self._mapping.records
        of = reader.money.get(records.total.of) if records and records.total else None
        for each in self._items(opened, totals):
            rows += 1
            if isinstance(each, RowProblem):
                continue
            row, cells = each
            key = reader.read_key(cells)
            if key is not None:
                noted.add(key)
            elif is_blank(cells):
                rows -= 1
            if of is not None:
                _add_money(totals, row, cells, of)
        is_checked = False
        if records is not None:
            is_checked = check_totals(opened, records, totals, self._total_reader())
        repeats = noted.find_repeats()
        summary = Summary(
            rows=rows,
            repeated=repeats.count,
            columns=dict(opened.found),
            totals_checked=is_checked,
        )
        return summary, repeats

    def read(self, repeats: Repeats) -> Iterator[Entry | RowProblem]:
        """Make the second pass, and more where too many rows would wait.

        Raises:
            InvalidInput: From the iterator: somebody writes to the file while it is read.
        """
        try:
            yield from self._read(repeats)
        except UnicodeDecodeError:
            raise InvalidInput.at(
                "", "the file changed while it was read", fix="Send it when it is complete."
            ) from None

    def _read(self, repeats: Repeats) -> Iterator[Entry | RowProblem]:
        is_first = True
        while True:
            opened, reader = self._open()
            items = self._items(opened, ControlTotals())
            if repeats.count == 0:
                yield from _read_plain(items, reader)
                return
            merging = _Merging(reader, repeats, is_first=is_first)
            yield from merging.read(items)
            if not merging.has_put_off:
                return
            is_first = False
            repeats.begin_pass()

    def _items(self, opened: Opened, totals: ControlTotals) -> Rows:
        records = self._mapping.records
        return opened.rows if records is None else select_items(opened, records, totals)

    def _total_reader(self) -> ReadMoney:
        mapping = self._mapping
        return money_reader(
            decimal=mapping.decimal,
            thousands=mapping.thousands,
            minor_units=mapping.minor_units,
            currency=self._currency,
            zero=True,
        )


def _add_money(totals: ControlTotals, row: int, cells: Cells, of: tuple[int, Convert]) -> None:
    at, convert = of
    try:
        value = convert(cells[at])
    except BadValue:
        totals.unreadable.append(row)
    else:
        totals.sum_minor += value if isinstance(value, int) else 0


def _read_plain(items: Rows, reader: RowReader) -> Iterator[Entry | RowProblem]:
    for each in items:
        if isinstance(each, RowProblem):
            yield each
            continue
        entry, problems = reader.read(*each)
        if entry is not None:
            yield entry
        if problems:
            yield from problems


def _read_one(row: int, cells: Cells, reader: RowReader) -> Iterator[Entry | RowProblem]:
    entry, problems = reader.read(row, cells)
    if entry is not None:
        yield entry
    yield from problems


class _Merging:
    """One pass over a file in which products have several rows."""

    def __init__(self, reader: RowReader, repeats: Repeats, *, is_first: bool) -> None:
        self._reader = reader
        self._repeats = repeats
        self._is_first = is_first
        self._waiting: dict[tuple[int, int], _Waiting] = {}
        self._held = 0
        self.has_put_off = False  # products were left for another pass

    def read(self, items: Rows) -> Iterator[Entry | RowProblem]:
        """Hand on the rows of a product together, once; the others in the first pass."""
        repeats = self._repeats
        for each in items:
            if isinstance(each, RowProblem):
                if self._is_first:
                    yield each
                continue
            row, cells = each
            key = self._reader.read_key(cells)
            place = repeats.find(key) if key is not None else None
            if place is None:
                if self._is_first:
                    yield from _read_one(row, cells, self._reader)
            elif not repeats.is_open(place):
                continue
            elif repeats.rows_of(place) > ROWS_OF_ONE_MOST:
                if self._is_first:
                    yield _too_many(row, repeats.rows_of(place))
            else:
                yield from self._hold(row, cells, place)

    def _hold(self, row: int, cells: Cells, place: tuple[int, int]) -> Iterator[Entry | RowProblem]:
        own = self._waiting.get(place)
        if own is None:
            if self._held >= WAITING_MOST:
                self._repeats.put_off(place)
                self.has_put_off = True
                return
            own = self._waiting[place] = _Waiting(self._repeats.rows_of(place))
        own.left -= 1
        self._held += 1
        entry, problems = self._reader.read(row, cells)
        if entry is not None:
            own.entries.append(entry)
        yield from problems
        if own.left == 0:
            self._held -= self._repeats.rows_of(place)
            del self._waiting[place]
            self._repeats.set_done(place)
            yield from own.hand_on()


def _too_many(row: int, count: int) -> RowProblem:
    return RowProblem(
        row=row,
        field="sku",
        reason=f"{count} rows have this SKU, and {ROWS_OF_ONE_MOST} may",
        fix="Check which column the SKU is read from.",
    )


class _Waiting:
    """The rows of one hash that came so far."""

    __slots__ = ("entries", "left")

    def __init__(self, left: int) -> None:
        self.left = left
        self.entries: list[Entry] = []

    def hand_on(self) -> Iterator[Entry | RowProblem]:
        """Merge them, product by product."""
        by_product: dict[tuple[str, str], list[Entry]] = {}
        for entry in self.entries:
            by_product.setdefault((entry.store_id, entry.sku), []).append(entry)
        for entries in by_product.values():
            if len(entries) == 1:
                yield entries[0]
            else:
                yield from merge_entries(entries)
