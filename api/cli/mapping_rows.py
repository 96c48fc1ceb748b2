"""A trial of a mapping, printed: products and problems as tables that fit the terminal."""

from rich.box import SIMPLE_HEAD
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table

from api.imports.trial import COLUMNS, Trial, is_used
from esl.intake.mapping.model import Mapping


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
            table.add_row(*(COLUMNS[column](entry, trial.currency) for column in shown))
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


_DROPPED_FIRST = ("deposit", "was", "anchor", "gtin", "content", "lowest 30d", "per unit")
"""What a narrow terminal does without, in this order. No value is ever cut: "3.5" is a price."""

_WRAPPED = ("name", "row")
_TEXTS = ("row", "sku", "gtin", "name")
_NAME_LEAST = 16
_WHOLE_MOST = 24
"""Longer SKUs and lists of promotions go on in the next line."""


def _fitting(trial: Trial, width: int) -> tuple[list[str], list[str], int]:
    """Choose the columns that fit whole into a width; name those that do not; size the name."""
    shown = [column for column in COLUMNS if is_used(column, trial.entries)]
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
    return max(cell_len(COLUMNS[column](entry, trial.currency)) for entry in trial.entries)
