"""A suggestion as a mapping document: each line with its reason, the unsure ones marked.

decimal: ","  # 431 cells can only have a decimal comma, 0 only a point
encoding: unsure  # unsure: not UTF-8; it may be cp1250, cp1252 …     refused until it is said
fields:
  price: null  # unsure: several columns … Perhaps "VK", "Preis 2"    refused until it is said
  # unsure: unit_price, because … To use it, take the # away:
  # unit_price: "EP"
# not used: "WG": such as "12", "14"      every column that is nowhere above
"""

import json
import re
from collections.abc import Iterator, Sequence

from esl.intake.suggest.questions import why_not_used
from esl.intake.suggest.suggestion import (
    Column,
    FieldSuggestion,
    Question,
    Sample,
    Setting,
    name_unsure,
)

_HIDDEN = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_WHY_COLUMN = 28
_UNSURE = "unsure"
"""What stands where a person has to decide; a mapping with it is refused."""
_SIGNS = ("decimal", "delimiter")
"""Settings of which null is refused, and says the same."""
_HEADER_LONGEST = 200


def write_mapping(
    *,
    name: str,
    file_name: str,
    sample: Sample,
    settings: Sequence[Setting],
    fields: Sequence[FieldSuggestion],
    questions: Sequence[Question],
    unused: Sequence[Column],
) -> str:
    """Write the YAML of a suggestion."""
    unsure = _words(", ".join(name_unsure(settings, fields, questions)))
    lines = [
        f"# Suggested for {_words(file_name)} from {sample.rows} rows. A person confirms it.",
        f"# Unsure, please look: {unsure}" if unsure else "# Nothing in it is unsure.",
        f"name: {name}",
        f"format: {sample.format}",
    ]
    for setting in settings:
        lines += _setting_lines(setting)
    lines.append("fields:")
    for field in fields:
        lines += _field_lines(field)
    for question in questions:
        lines += _question_lines(question)
    asked = {id(each.column) for each in questions}
    for column in unused:
        if id(column) not in asked:
            lines.append(f"# not used: {shown_column(column)}: {_words(why_not_used(column))}")
    return "\n".join(lines) + "\n"


def _setting_lines(setting: Setting) -> Iterator[str]:
    if setting.sure and setting.value is None and setting.key in ("thousands", "encoding"):
        return
    if setting.sure or not setting.needed:
        yield _with_why(f"{setting.key}: {_scalar(setting.value)}", setting.why, sure=setting.sure)
        return
    why = setting.why
    if setting.value not in (None, _UNSURE):
        why += f". Perhaps {_scalar(setting.value)}"
    refused = None if setting.key in _SIGNS else _UNSURE
    yield _with_why(f"{setting.key}: {_scalar(refused)}", why, sure=False)


def _field_lines(field: FieldSuggestion) -> Iterator[str]:
    perhaps = ", ".join(shown_column(c) for c in field.others[:8])
    why = field.why + (f". Perhaps {perhaps}" if perhaps and not field.sure else "")
    if field.sure and field.column is not None:
        yield _with_why(f"  {field.target}: {_value(field, field.column)}", why, sure=True)
    elif field.needed:
        if field.column is not None:
            why += f". Perhaps {_value(field, field.column)}"
        yield _with_why(f"  {field.target}: null", why, sure=False)
    else:
        yield f"  # unsure: {field.target}: {_words(why)}"
        if field.column is not None:
            yield f"  # {field.target}: {_value(field, field.column)}"


def _question_lines(question: Question) -> Iterator[str]:
    shown = shown_column(question.column)
    shown = shown if shown.startswith("column ") else f"column {shown}"
    yield f"  # unsure: {shown}: {_words(question.words)}"
    if question.target is not None:
        members = "".join(f", {_words(member)}" for member in question.members)
        yield f"  # {question.target}: {{{_place(question.column)}{members}}}"


def _value(field: FieldSuggestion, column: Column) -> str:
    """Write where a value stands, in the short form where that is enough."""
    if field.strip is None and not field.none_words and not _is_by_number(column):
        return _scalar(column.path)
    members = [_place(column)]
    if field.strip is not None:
        members.append(f"strip: {_scalar(field.strip)}")
    if field.none_words:
        words = ", ".join(f"{_escape(json.dumps(word))}: null" for word in field.none_words)
        members.append(f"map: {{{words}}}")
    return f"{{{', '.join(members)}}}"


def _place(column: Column) -> str:
    if _is_by_number(column) and column.number is not None:
        return f'column: "{letters_of(column.number)}"'
    return f"from: {_scalar(column.path)}"


def _is_by_number(column: Column) -> bool:
    return column.number is not None and (
        column.by_number
        or _HIDDEN.search(column.path) is not None
        or len(column.path) > _HEADER_LONGEST
    )


def letters_of(number: int) -> str:
    """Name a column as spreadsheets do: 1 is A, 28 is AB."""
    letters = ""
    while number:
        number, rest = divmod(number - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return letters


def shown_column(column: Column) -> str:
    """Name a column as a person would find it: its header, its letter, its path."""
    if column.header:
        return _words(json.dumps(column.header[:60], ensure_ascii=False))
    return f"column {letters_of(column.number)}" if column.number else column.path


def _scalar(value: str | int | bool | None) -> str:  # noqa: FBT001
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case int():
            return str(value)
        case _ if re.fullmatch(r"[a-z][a-z0-9-]*[a-z0-9]", value) and value not in _YAML_WORDS:
            return value
        case _:
            return _escape(json.dumps(value, ensure_ascii=False))


_YAML_WORDS = frozenset({"true", "false", "null", "yes", "no", "on", "off"})


def _escape(quoted: str) -> str:
    """Escape what YAML would not take as it is within quotes."""
    return re.sub(
        r"[\x7f-\xa0\u2000-\u200f\u2028-\u202f\ufeff\ud800-\udfff\ufffe\uffff]",
        lambda match: f"\\u{ord(match[0]):04x}",
        quoted,
    )


def _words(text: str) -> str:
    """Make a text fit for a comment: one line, nothing invisible."""
    return " ".join(_HIDDEN.sub(" ", text).split())


def _with_why(line: str, why: str, *, sure: bool) -> str:
    marked = _words(why) if sure else f"unsure: {_words(why)}"
    return f"{line:<{_WHY_COLUMN}}  # {marked}"
