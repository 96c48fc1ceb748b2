"""A mapping tried on a file: its first products as they would be taken, and all its problems."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, BinaryIO

from rich.box import SIMPLE_HEAD
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table

from esl.domain.entry import Entry, RowProblem
from esl.domain.money import format_minor
from esl.domain.product import NetContent
from esl.intake.mapping.model import Mapping
from esl.intake.mapping.reading import Summary, read_entries
from esl.intake.mapping.store_context import Place, StoreContext

_PROBLEMS_SHOWN = 20
_EXAMPLES = 3


@dataclass(slots=True, kw_only=True)
class Trial:
    """What a file gave: nothing of it was imported."""

    summary: Summary
    currency: str
    taken: int = 0
    rejected: int = 0
    entries: list[Entry] = field(default_factory=list)
    problems: list[RowProblem] = field(default_factory=list)
    kinds: Counter[tuple[str, bool]] = field(default_factory=Counter)
    said: set[tuple[str, bool, str]] = field(default_factory=set)


def try_mapping(
    source: BinaryIO, mapping: Mapping, *, place: Place, shown: int, file_name: str
) -> Trial:
    """Read a whole file through a mapping and keep its first entries and problems.

    Raises:
        InvalidInput: The file as a whole cannot be believed.
    """
    context = StoreContext(place=place, route=lambda _name: place)
    reading = read_entries(source, mapping, store=context, file_name=file_name)
    trial = Trial(summary=reading.summary, currency=place.currency)
    for each in reading:
        if isinstance(each, Entry):
            trial.taken += 1
            if len(trial.entries) < shown:
                trial.entries.append(each)
            continue
        trial.rejected += each.rejects
        kind = (each.field or "row", each.rejects)
        trial.kinds[kind] += 1
        said = (*kind, each.reason)  # a header that comes again on each page is told of once
        if said not in trial.said and len(trial.problems) < _PROBLEMS_SHOWN:
            examples = sum((one.field or "row", one.rejects) == kind for one in trial.problems)
            if examples < _EXAMPLES:
                trial.said.add(said)
                trial.problems.append(each)
    return trial


def print_trial(trial: Trial, mapping: Mapping) -> None:
    """Print products and problems as tables, and one line that sums them up."""
    console = Console(markup=False, highlight=False)
    if trial.entries:
        shown, dropped, name_least = _fitting(trial, console.width)
        title = f"{mapping.name}: the first {len(trial.entries)} of {trial.taken} products"
        table = Table(title=title, box=SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False)
        for column in shown:
            is_text = column in _TEXTS
            table.add_column(
                column,
                justify="left" if is_text else "right",
                no_wrap=column not in _WRAPPED and _longest(column, trial) <= _WHOLE_MOST,
                overflow="fold",  # never cut: what does not fit goes on in the next line
                min_width=name_least if column == "name" else None,
            )
        for entry in trial.entries:
            table.add_row(*(_COLUMNS[column](entry, trial.currency) for column in shown))
        console.print(table)
        if dropped:
            print(f"No room for: {', '.join(dropped)}. A wider terminal shows them, or --json.")
    if trial.problems:
        table = Table("row", "field", "what is wrong", "what to do", title="problems, by kind")
        for problem in trial.problems:
            words = problem.reason if problem.rejects else f"{problem.reason} (taken without it)"
            table.add_row(str(problem.row), problem.field or "-", words, problem.fix or "")
        console.print(table)
        for (name, rejects), count in sorted(trial.kinds.items(), key=lambda each: -each[1]):
            effect = "rows refused" if rejects else "rows taken without it"
            print(f"{name}: {count} {effect}")
    summary = trial.summary
    print(
        f"{summary.rows} rows, {trial.taken} products, {trial.rejected} rows refused"
        + (", control totals right" if summary.totals_checked else "")
    )


def trial_json(trial: Trial) -> dict[str, Any]:
    """Describe a trial for programs; prices are decimal strings."""
    return {
        "rows": trial.summary.rows,
        "products": trial.taken,
        "rejected": trial.rejected,
        "columns": trial.summary.columns,
        "totals_checked": trial.summary.totals_checked,
        "entries": [
            {
                column.replace(" ", "_"): _COLUMNS[column](entry, trial.currency)
                for column in _COLUMNS
                if _is_used(column, [entry])
            }
            for entry in trial.entries
        ],
        "problems": [
            {
                "row": each.row,
                "field": each.field,
                "reason": each.reason,
                "fix": each.fix,
                "rejects": each.rejects,
            }
            for each in trial.problems
        ],
        "counts": [
            {"field": name, "rejects": rejects, "rows": count}
            for (name, rejects), count in trial.kinds.items()
        ],
    }


def _money(name: str) -> Callable[[Entry, str], str]:
    """Make a function that writes a price of an entry as a decimal."""

    def write(entry: Entry, currency: str) -> str:
        minor = getattr(entry, name)
        return format_minor(minor, currency) if isinstance(minor, int) else ""

    return write


def _promotion(entry: Entry, currency: str) -> str:
    told: list[str] = []
    for promotion in entry.stated_promotions:
        price = format_minor(promotion.price_minor, currency)
        told.append(f"{promotion.quantity} for {price}" if promotion.quantity > 1 else price)
    return ", ".join(told)


def _content(entry: Entry, _currency: str) -> str:
    content = entry.net_content
    return content.as_text() if isinstance(content, NetContent) else ""


_COLUMNS: dict[str, Callable[[Entry, str], str]] = {
    "row": lambda entry, _: ", ".join(map(str, entry.rows)) or entry.path,
    "sku": lambda entry, _: str(entry.sku),
    "gtin": lambda entry, _: ", ".join(entry.gtins) if isinstance(entry.gtins, tuple) else "",
    "name": lambda entry, _: entry.name if isinstance(entry.name, str) else "",
    "content": _content,
    "price": _money("price_minor"),
    "promotion": _promotion,
    "was": _money("was_minor"),
    "per unit": _money("unit_price_minor"),
    "lowest 30d": _money("lowest_30d_minor"),
    "anchor": _money("anchor_minor"),
    "deposit": _money("deposit_minor"),
}
_DROPPED_FIRST = ("deposit", "was", "anchor", "gtin", "content", "lowest 30d", "per unit")
"""What a narrow terminal does without, in this order. No value is ever cut: "3.5" is a price."""

_ALWAYS = ("row", "sku", "name", "price")
_WRAPPED = ("name", "row")
_TEXTS = ("row", "sku", "gtin", "name")
_NAME_LEAST = 16
_WHOLE_MOST = 24
"""Longer SKUs and lists of promotions go on in the next line."""


def _fitting(trial: Trial, width: int) -> tuple[list[str], list[str], int]:
    """Choose the columns that fit whole into a width; name those that do not; size the name."""
    shown = [column for column in _COLUMNS if _is_used(column, trial.entries)]
    needed = {
        column: max(len(column), 0 if column in _WRAPPED else _longest(column, trial))
        for column in shown
    } | {"name": _NAME_LEAST}
    dropped = []
    for column in _DROPPED_FIRST:
        if sum(needed[each] + 2 for each in shown) <= width:
            break
        if column in shown:
            shown.remove(column)
            dropped.append(column)
    others = sum(needed[each] + 2 for each in shown if each != "name")
    return shown, dropped, max(min(_NAME_LEAST, width - others - 2), 1)


def _longest(column: str, trial: Trial) -> int:
    return max(cell_len(_COLUMNS[column](entry, trial.currency)) for entry in trial.entries)


def _is_used(column: str, entries: list[Entry]) -> bool:
    """Say whether an entry has something to show in a column."""
    return column in _ALWAYS or any(_COLUMNS[column](entry, "EUR") for entry in entries)
