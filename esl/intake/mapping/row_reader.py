"""One row becomes an entry: every step compiled before the first row is read.

cells ──▶ sku, store ──▶ steps (target, cell, function) ──▶ promotion, content, dates ──▶ Entry
"""

from collections.abc import Callable, Sequence
from collections.abc import Mapping as Table
from dataclasses import replace
from datetime import tzinfo
from typing import Any

from esl.domain.entry import Entry, RowProblem
from esl.domain.ids import Sku
from esl.domain.pricing import KEEP
from esl.intake.mapping.bad_value import BadValue, shorten
from esl.intake.mapping.cell_values import Convert, compile_cell
from esl.intake.mapping.entry_maker import make_entry
from esl.intake.mapping.history_values import take_history
from esl.intake.mapping.model import TARGETS, Kind, Mapping, OnError, Value
from esl.intake.mapping.opened import Cell, Cells
from esl.intake.mapping.parsers import CACHED, list_parser, parser_of
from esl.intake.mapping.promotion_values import PROMOTED, take_promotion
from esl.intake.mapping.quantities import prices_in, read_content
from esl.intake.mapping.store_context import Place, StoreContext

_ENTRY_FIELDS = {
    "price": "price_minor",
    "was": "was_minor",
    "unit_price": "unit_price_minor",
    "lowest_price_30d": "lowest_30d_minor",
    "anchor_price": "anchor_minor",
    "deposit": "deposit_minor",
    "tax": "tax_permille",
    "gtin": "gtins",
}

_NEVER_NONE = ("valid_from", "valid_to", "source_time", "source_seq", "history")


class RowReader:
    """Reads rows of one opened file."""

    def __init__(
        self,
        mapping: Mapping,
        index: Table[str, int],
        *,
        currency: str,
        context: StoreContext,
        store_name: str | None = None,
    ) -> None:
        """Compile a mapping for columns at ``index``.

        ``store_name`` is what the name of the file says of the store.

        Raises:
            InvalidInput: A default of the mapping cannot be read.
        """
        self.mapping = mapping
        self._currency = currency
        self._context = context
        self._places: dict[str, Place | None] = {}
        self._store_name = store_name
        self._on_error = {
            target: value.on_error or TARGETS[target].on_error
            for target, value in mapping.fields.items()
        }
        self._constants: dict[str, Any] = {}
        self._steps: list[tuple[str, str, int, Convert]] = []
        self._instants: list[tuple[str, int, Callable[[Cell, tzinfo], Any]]] = []
        self._sku: tuple[int, Convert] = (0, lambda _: KEEP)
        self._store: tuple[int, Convert] | None = None
        self.money: dict[str, tuple[int, Convert]] = {}
        for target, value in mapping.fields.items():
            self._compile(target, value, index.get(target, -1))
        self._has_promotion = any(target.startswith(PROMOTED) for target in mapping.fields)
        self._has_content = "net_content" in mapping.fields
        self._has_unit = "unit" in mapping.fields
        self._has_history = any(target.startswith("history") for target in mapping.fields)

    def _compile(self, target: str, value: Value, at: int) -> None:
        kind = TARGETS[target].kind
        if kind is Kind.INSTANT:
            self._compile_instant(target, value, at)
            return
        convert = compile_cell(
            target,
            value,
            parser_of(target, value, self.mapping, self._currency),
            parse_list=list_parser(target, value, self.mapping, self._currency),
            cached=kind in CACHED or target in ("brand", "category", "unit", "origin", "badge"),
        )
        if target == "sku":
            self._sku = (at, convert)
        elif target == "store":
            self._store = (at, convert)
        else:
            name = _ENTRY_FIELDS.get(target, target)
            if kind is Kind.MONEY:
                self.money[target] = (at, convert)
            if at < 0:
                constant = convert(None)
                if constant is not KEEP:
                    self._constants[name] = constant
            else:
                self._steps.append((target, name, at, convert))

    def _compile_instant(self, target: str, value: Value, at: int) -> None:
        by_zone: dict[tzinfo, Convert] = {}
        mapping, currency = self.mapping, self._currency

        def convert(cell: Cell, zone: tzinfo) -> Any:
            own = by_zone.get(zone)
            if own is None:
                parse = parser_of(target, value, mapping, currency, zone=zone)
                own = by_zone[zone] = compile_cell(target, value, parse, cached=True)
            return own(cell)

        self._instants.append((target, at, convert))

    def read_key(self, cells: Cells) -> tuple[str, Sku] | None:
        """Return whose row it is; None where that cannot be read (`read` says why)."""
        try:
            sku = self._sku[1](cells[self._sku[0]])
            if sku is KEEP:
                return None
            if self._store is None:
                return "", sku
            store = self._store[1](cells[self._store[0]])
        except BadValue:
            return None
        return (store, sku) if store is not KEEP else None

    def read(self, row: int, cells: Cells) -> tuple[Entry | None, Sequence[RowProblem]]:
        """Read a row: an entry with the problems it has nonetheless, or the problems alone.

        A row without anything in it is neither.
        """
        at, convert = self._sku
        try:
            sku = convert(cells[at])
        except BadValue as exc:
            return None, [self._problem(row, "sku", exc, None)]
        if sku is KEEP:
            if is_blank(cells):
                return None, ()
            return None, [RowProblem(row=row, field="sku", reason="no SKU", fix="Send one.")]
        try:
            place = self._find_place(cells)
        except BadValue as exc:
            return None, [self._problem(row, "store", exc, sku)]
        problems: list[RowProblem] = []
        fields = self._read_fields(row, cells, sku, problems)
        if self._instants:
            self._read_instants(row, cells, sku, place.timezone, fields, problems)
        self._combine(row, sku, fields, problems)
        if problems:
            problems = [replace(problem, store_id=place.store_id) for problem in problems]
            if any(problem.rejects for problem in problems):
                return None, problems
        fields["store_id"] = place.store_id
        fields["sku"] = sku
        fields["currency"] = self._currency
        fields["rows"] = (row,)
        return make_entry(fields), problems

    def _read_fields(
        self, row: int, cells: Cells, sku: Sku, problems: list[RowProblem]
    ) -> dict[str, Any]:
        fields: dict[str, Any] = self._constants.copy()
        for target, name, at, convert in self._steps:
            try:
                value = convert(cells[at])
            except BadValue as exc:
                problems.append(self._problem(row, target, exc, sku))
            else:
                if value is not KEEP:
                    fields[name] = value
        return fields

    def _read_instants(
        self,
        row: int,
        cells: Cells,
        sku: Sku,
        zone: tzinfo,
        fields: dict[str, Any],
        problems: list[RowProblem],
    ) -> None:
        for target, at, convert in self._instants:
            try:
                value = convert(cells[at] if at >= 0 else None, zone)
            except BadValue as exc:
                problems.append(self._problem(row, target, exc, sku))
            else:
                if value is not KEEP:
                    fields[target] = value

    def _combine(
        self, row: int, sku: Sku, fields: dict[str, Any], problems: list[RowProblem]
    ) -> None:
        """Put together what an entry has in one and a row in several values."""
        if self._has_promotion:
            try:
                take_promotion(fields)
            except BadValue as exc:
                problems.append(self._problem(row, "promotion_price", exc, sku))
        if self._has_history:
            try:
                take_history(fields, row)
            except BadValue as exc:
                problems.append(self._problem(row, "history", exc, sku))
        for name in _NEVER_NONE:
            if name in fields and fields[name] is None:
                del fields[name]
        if self._has_unit or self._has_content:
            self._read_content(row, sku, fields, problems)

    def _read_content(
        self, row: int, sku: Sku, fields: dict[str, Any], problems: list[RowProblem]
    ) -> None:
        """Read the content from its cell, held against the row's name and unit price."""
        unit = fields.pop("unit", None)
        text = fields.get("net_content", "" if self._has_content else None)
        if not isinstance(text, str) or not (text or "unit_price_minor" in fields):
            return
        fields.pop("net_content", None)
        name, unit_price = fields.get("name"), fields.get("unit_price_minor")
        try:
            content = read_content(
                text,
                decimal=self.mapping.decimal,
                unit=unit,
                name=name if isinstance(name, str) else None,
                prices=prices_in(fields),
                unit_price=unit_price if isinstance(unit_price, int) else None,
            )
        except BadValue as exc:
            problems.append(self._problem(row, "net_content", exc, sku))
        else:
            if content is not None:
                fields["net_content"] = content

    def _find_place(self, cells: Cells) -> Place:
        if self._store is not None:
            name = self._store[1](cells[self._store[0]])
            if name is KEEP:
                raise BadValue("no store", fix="Send the source's name of the store.")
        elif self._store_name is not None:
            name = self._store_name
        elif self._context.place is not None:
            return self._context.place
        else:
            raise BadValue("no store is known for this source", fix="Map store, or name one.")
        if name not in self._places:
            if len(self._places) > 10_000:  # noqa: PLR2004  no chain has as many shops
                self._places.clear()
            self._places[name] = self._context.route(name) if self._context.route else None
        place = self._places[name]
        if place is None:
            raise BadValue(
                f"{shorten(name)} is no store of this source",
                fix="Add it to the source's stores, or correct the column.",
            )
        if place.currency != self._currency:
            raise BadValue(
                f"the list is in {self._currency}, and store {shorten(name)} sells in "
                f"{place.currency}",
                fix="Send a list of its own in that currency.",
            )
        return place

    def _problem(self, row: int, target: str, exc: BadValue, sku: Sku | None) -> RowProblem:
        on_error = self._on_error.get(target, OnError.REJECT)
        return RowProblem(
            row=row,
            field=target,
            reason=exc.reason,
            fix=exc.fix,
            rejects=on_error is OnError.REJECT,
            sku=sku,
        )


def is_blank(cells: Cells) -> bool:
    """Say whether nothing stands in a row."""
    return not any(cell.strip() if isinstance(cell, str) else cell for cell in cells)
