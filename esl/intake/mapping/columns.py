"""Columns found by header, letter or number."""

import re
import unicodedata
from collections.abc import Mapping as Table
from collections.abc import Sequence
from dataclasses import dataclass

from esl.domain.errors import FieldProblem, InvalidInput
from esl.intake.mapping.model import Value
from esl.intake.mapping.part import advise_on
from esl.intake.strict_json import pointer

_BLANKS = re.compile(r"\s+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """Where each wanted value stands in a row's cells."""

    index: Table[str, int]
    found: Table[str, str]
    width: int  # cells a row must have
    full: int  # cells a row may have, whatever stands in the last


def find_columns(
    wanted: Table[str, Value], header: Sequence[str] | None, *, row: int, first: int = 0
) -> Columns:
    """Find columns in a header, or by number alone where there is none (``first`` cells then).

    Raises:
        InvalidInput: A column is missing, or two have its name; with all of them.
    """
    problems: list[FieldProblem] = []
    index: dict[str, int] = {}
    found: dict[str, str] = {}
    names = [name.strip().removeprefix("\ufeff").strip() for name in header or ()]
    last = max((at for at, name in enumerate(names) if name), default=-1) + 1
    width, full = (last, len(names)) if header is not None else (first, first)
    for target, value in wanted.items():
        if value.number is not None:
            index[target] = value.number - 1
            if value.number > full:
                problems.append(_too_far(target, value.number, full, row))
            elif header is not None:
                found[target] = names[value.number - 1]
            width = max(width, min(value.number, full))
        elif value.name is not None:
            places = _find(value.name, names)
            if len(places) == 1:
                index[target] = places[0]
                found[target] = names[places[0]]
            else:
                problems.append(_not_one(target, value.name, names, places, row))
    if problems:
        raise InvalidInput(problems)
    return Columns(index=index, found=found, width=width, full=full)


def column_letters(index: int) -> str:
    """Name a column as a spreadsheet does: 0 is A, 27 is AB."""
    letters = ""
    number = index + 1
    while number:
        number, rest = divmod(number - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return letters


def _find(name: str, names: Sequence[str]) -> list[int]:
    wanted = name.strip()
    exact = [at for at, other in enumerate(names) if other == wanted]
    if exact:
        return exact
    loose = _fold(wanted)
    return [at for at, other in enumerate(names) if _fold(other) == loose]


def _fold(name: str) -> str:
    """Forget case, width and runs of blanks: two spellings of one header, never two headers."""
    return _BLANKS.sub(" ", unicodedata.normalize("NFKC", name)).strip().casefold()


def _not_one(
    target: str, name: str, names: Sequence[str], places: Sequence[int], row: int
) -> FieldProblem:
    path = pointer("/fields", target)
    if places:
        letters = " and ".join(column_letters(at) for at in places)
        return FieldProblem(
            path=path,
            detail=f"row {row}: the header has {name!r} {len(places)} times, in {letters}",
            fix=f'Name it by letter: {{column: "{column_letters(places[0])}"}}.',
        )
    return FieldProblem(
        path=path,
        detail=f"row {row}: the header has no column {name!r}",
        fix=_advise(name, names),
    )


def _advise(name: str, names: Sequence[str]) -> str:
    by_fold = {other.casefold(): other for other in names if other}
    advice = advise_on(name, by_fold)
    if advice.startswith("Did"):
        for folded, other in by_fold.items():
            advice = advice.replace(folded, repr(other))
        return advice
    if len(by_fold) < 2:  # noqa: PLR2004  one column: the delimiter is wrong
        return "The header is one column: check delimiter and encoding of the mapping."
    shown = ", ".join(repr(other) for other in list(by_fold.values())[:20])
    return f"It has {shown[:600]}."


def _too_far(target: str, number: int, full: int, row: int) -> FieldProblem:
    return FieldProblem(
        path=pointer("/fields", target),
        detail=f"row {row} has {full} columns, and column {number} is wanted",
        fix="Check delimiter and column of the mapping.",
    )
