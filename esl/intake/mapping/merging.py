"""Several rows of one product become one entry, or nothing where they contradict each other.

Rows with different validities are different statements, today's price and tomorrow's: one entry
each. Within one, everything that decides what a customer pays must agree; of texts, the first
row's is taken, and the report says so.
"""

import dataclasses
from collections.abc import Sequence
from typing import Any

from esl.domain.entry import DatedPrice, Entry, RowProblem
from esl.domain.pricing import KEEP, Keep
from esl.intake.mapping.promotion_values import join_promotions

_OWN = frozenset(
    {"store_id", "sku", "currency", "rows", "path", "gtins", "history", "valid_from", "valid_to"}
    | {"promotion", "more_promotions"}
)
_LATEST = frozenset({"source_seq", "source_time"})
_MUST_AGREE = {
    "price_minor": "price",
    "was_minor": "was",
    "unit_price_minor": "unit_price",
    "lowest_30d_minor": "lowest_price_30d",
    "anchor_minor": "anchor_price",
    "deposit_minor": "deposit",
    "priced_per": "priced_per",
}
_TARGETS = {"tax_permille": "tax"}
_NAMES = tuple(field.name for field in dataclasses.fields(Entry) if field.name not in _OWN)
_ROWS_NAMED = 10


def merge_entries(entries: Sequence[Entry]) -> list[Entry | RowProblem]:
    """Merge the entries of one product, in the order of their rows."""
    by_validity: dict[Any, list[Entry]] = {}
    for entry in entries:
        by_validity.setdefault((entry.valid_from, entry.valid_to), []).append(entry)
    gtins = _join_gtins(entries)
    merged: list[Entry | RowProblem] = []
    for group in by_validity.values():
        merged.extend(_merge_group(group, gtins))
    return merged


def _merge_group(
    entries: Sequence[Entry], gtins: tuple[str, ...] | Keep | None
) -> list[Entry | RowProblem]:
    first = entries[0]
    rows = tuple(sorted(row for entry in entries for row in entry.rows))
    fields: dict[str, Any] = {}
    notes: list[Entry | RowProblem] = []
    for name in _NAMES:
        values: dict[Any, int] = {}
        for entry in entries:
            value = getattr(entry, name)
            if value is not KEEP and not (name in _LATEST and value is None):
                values.setdefault(value, entry.rows[0])
        if not values:
            continue
        if name in _LATEST:
            fields[name] = max(values)
        elif len(values) == 1:
            fields[name] = next(iter(values))
        elif name in _MUST_AGREE:
            return _refuse(entries, rows, _MUST_AGREE[name], list(values))
        else:
            fields[name] = next(iter(values))
            notes.extend(_note(name, values, first))
    promotions = join_promotions(
        [one for entry in entries for one in entry.stated_promotions or (entry.promotion,)]
    )
    if isinstance(promotions, str):
        return _refuse(entries, rows, "promotion_price", [], why=promotions)
    if not isinstance(promotions, Keep):
        first_one, *others = promotions or (None,)
        fields |= {"promotion": first_one, "more_promotions": tuple(others)}
    history = _join_history(entries)
    if history is None:
        return _refuse(entries, rows, "history", [])
    merged = dataclasses.replace(first, rows=rows, gtins=gtins, history=history, **fields)
    return [merged, *notes]


def _refuse(
    entries: Sequence[Entry],
    rows: Sequence[int],
    target: str,
    values: Sequence[Any],
    *,
    why: str | None = None,
) -> list[Entry | RowProblem]:
    """Refuse every row of the product, each with the same words."""
    shown = ", ".join(str(value) for value in values[:5] if isinstance(value, int | None))
    said = f": {why or f'{shown} in minor units'}" if shown or why else ""
    more = f" and {len(rows) - _ROWS_NAMED} more" if len(rows) > _ROWS_NAMED else ""
    named = ", ".join(map(str, rows[:_ROWS_NAMED]))
    return [
        RowProblem(
            row=row,
            field=target,
            reason=f"rows {named}{more} have one SKU and contradict each other{said}",
            fix="Send one price a SKU, or a SKU for each of the products.",
            sku=entries[0].sku,
            store_id=entries[0].store_id,
        )
        for row in rows
    ]


def _note(name: str, values: dict[Any, int], first: Entry) -> list[RowProblem]:
    taken, *others = values.values()
    return [
        RowProblem(
            row=row,
            field=_TARGETS.get(name, name),
            reason=f"another row of the same SKU, {taken}, says otherwise and was taken",
            fix="Send one a SKU.",
            rejects=False,
            sku=first.sku,
            store_id=first.store_id,
        )
        for row in others[:_ROWS_NAMED]
    ]


def _join_gtins(entries: Sequence[Entry]) -> tuple[str, ...] | Keep | None:
    stated = [entry.gtins for entry in entries if not isinstance(entry.gtins, Keep)]
    if not stated:
        return KEEP
    return tuple(dict.fromkeys(gtin for gtins in stated for gtin in gtins or ())) or None


def _join_history(entries: Sequence[Entry]) -> tuple[DatedPrice, ...] | None:
    """Join dated prices; None where two of one day and kind differ."""
    by_day: dict[Any, DatedPrice] = {}
    for entry in entries:
        for dated in entry.history:
            if by_day.setdefault((dated.day, dated.kind), dated) != dated:
                return None
    return tuple(by_day[key] for key in sorted(by_day))
