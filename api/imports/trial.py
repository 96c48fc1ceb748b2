"""A mapping tried on a file: its first products as they would be taken, and all its problems."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, BinaryIO, Final

from esl.domain.entry import Entry, RowProblem
from esl.domain.money import format_minor
from esl.domain.product import NetContent
from esl.intake.mapping.model import Mapping
from esl.intake.mapping.reading import Summary, read_entries
from esl.intake.mapping.store_context import Place, StoreContext
from esl.intake.suggest.suggestion import Suggestion

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
                column.replace(" ", "_"): COLUMNS[column](entry, trial.currency)
                for column in COLUMNS
                if is_used(column, [entry])
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


def suggestion_json(suggestion: Suggestion) -> dict[str, Any]:
    """Describe a proposal for programs."""
    return {
        "name": suggestion.name,
        "format": suggestion.format,
        "rows": suggestion.rows,
        "unsure": list(suggestion.unsure),
        "settings": [
            {"key": each.key, "value": each.value, "sure": each.sure, "why": each.why}
            for each in suggestion.settings
        ],
        "fields": [
            {
                "target": each.target,
                "column": each.column.path if each.column else None,
                "sure": each.sure,
                "why": each.why,
                "others": [other.path for other in each.others],
            }
            for each in suggestion.fields
        ],
        "questions": [
            {
                "column": each.column.path,
                "question": each.words,
                "perhaps": each.target,
            }
            for each in suggestion.questions
        ],
        "unused": [column.header or column.path for column in suggestion.unused],
        "mapping": suggestion.text,
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


COLUMNS: dict[str, Callable[[Entry, str], str]] = {
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

ALWAYS: Final = ("row", "sku", "name", "price")
"""Columns that are shown also where no product has anything in them."""


def is_used(column: str, entries: Sequence[Entry]) -> bool:
    """Say whether an entry has something to show in a column."""
    return column in ALWAYS or any(COLUMNS[column](entry, "EUR") for entry in entries)
