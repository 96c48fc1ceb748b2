"""What is proposed for a file, why, and what only a person can say.

    bytes ──sample──▶ Sample(columns) ──fields, numbers──▶ Suggestion ──writing──▶ YAML

A choice is *sure* where the file itself proves it, or where its header says it and nothing in the
file speaks against it. Everything else is *unsure*: it is written into the mapping as a comment,
or, where no mapping can work without it, as a value that `parse_mapping` refuses, so that a price
never reaches a shelf on a guess.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from esl.intake.mapping.model import Format


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One line of a mapping outside ``fields``: encoding, delimiter, decimal sign."""

    key: str
    value: str | int | bool | None
    why: str
    sure: bool = True
    needed: bool = False  # no row can be read before a person has decided it


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column, element or member of the file, with the values of its first rows.

    ``number`` counts from 1 and is None where columns have no order. ``by_number`` says that the
    header is missing or not the only one of its name.
    """

    header: str
    path: str  # as a mapping names it: header, element path, JMESPath
    values: Sequence[str]  # "" where there is nothing
    number: int | None = None
    by_number: bool = False


_HOLDERS = frozenset(
    "item items product products article articles variant variants attributes fields data info "
    "values details".split()
)
"""Members and elements that hold others and say nothing of them."""


def header_of(path: Sequence[str]) -> str:
    """Name a nested value as a header would: "variant", "price" is "price"."""
    names = [name for name in path if name.casefold() not in _HOLDERS]
    return " ".join(names or path[-1:])


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """The first rows of a file, by column, and what was found out on the way to them."""

    format: Format
    columns: tuple[Column, ...]
    rows: int
    settings: tuple[Setting, ...]
    has_header: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldSuggestion:
    """A target and the column that is proposed for it.

    ``column`` is None where several could be meant and none is proposed.
    """

    target: str
    column: Column | None
    why: str
    sure: bool
    needed: bool = False
    strip: str | None = None
    none_words: tuple[str, ...] = ()  # cells that stand for nothing: "0,00"
    others: tuple[Column, ...] = field(default=())  # that could be meant as well


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What a person is asked of a column that no target has.

    ``target`` is the field it may fill, None where none is proposed; ``members`` stand beside the
    column's place in that line, such as the format of dates.
    """

    column: Column
    words: str
    target: str | None = None
    members: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Suggestion:
    """A mapping to be confirmed: its text and, for programs, all that the text says."""

    name: str
    format: Format
    rows: int
    settings: tuple[Setting, ...]
    fields: tuple[FieldSuggestion, ...]
    questions: tuple[Question, ...]
    unused: tuple[Column, ...]  # without a target; those of the questions are among them
    text: str

    @property
    def unsure(self) -> tuple[str, ...]:
        """Name what a person has to look at: settings, then fields, then columns."""
        return name_unsure(self.settings, self.fields, self.questions)


def name_unsure(
    settings: Sequence[Setting], fields: Sequence[FieldSuggestion], questions: Sequence[Question]
) -> tuple[str, ...]:
    """Name what is unsure: settings and targets by their words, columns by their headers."""
    return (
        *(setting.key for setting in settings if not setting.sure),
        *(each.target for each in fields if not each.sure),
        *(f'column "{each.column.header or each.column.path}"' for each in questions),
    )
