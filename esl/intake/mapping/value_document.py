"""The value forms of a mapping document: where a value stands, and what is done to it.

"NAME"                                   header, element path or JMESPath
3                                        column by number
{column: "B", strip: "'", …}             column by letter
{start: 12, length: 8, …}                characters of a line
{from: "NAME", map: {ko: piece}, default: "1", clears: true, on_error: reject, format: "%d.%m"}
"""

import re
from collections.abc import Mapping as Table
from typing import Any

from esl.domain.errors import FieldProblem
from esl.intake.mapping.expressions import check_expression
from esl.intake.mapping.model import Format, Kind, OnError, Target, Value
from esl.intake.mapping.part import Part, as_text
from esl.intake.mapping.patterns import check_date_format

COLUMN_LAST = 16_384
"""Excel's last column, XFD; no price list comes near it."""

_LETTERS = re.compile(r"[A-Za-z]{1,3}")
_PATH = re.compile(r"/?[^/@\s]+(?:/[^/@\s]+)*(?:/?@[^/@\s]+)?|@[^/@\s]+")
_POSITION_LAST = 65_536
_MAP_MOST = 5_000
_PLACES = ("from", "column", "number", "start")
_OF_FORMAT: Table[Format, tuple[str, ...]] = {
    Format.CSV: ("from", "column", "number"),
    Format.XLSX: ("from", "column", "number"),
    Format.XML: ("from",),
    Format.JSON: ("from",),
    Format.FIXED: ("start",),
}


def read_value(
    value: Any, target: str, kind: Format, problems: list[FieldProblem], *, about: Target
) -> Value | None:
    """Read the value form of one target."""
    path = f"/fields/{target}"
    short = _read_short(value, path, kind, problems)
    if short is not None or not isinstance(value, dict):
        return short
    part = Part(value, path, problems)
    place = _read_place(part, kind, required=False)
    wanted = about.kind
    pattern = part.text("format", longest=40)
    if pattern is not None and (wrong := check_date_format(pattern)):
        part.problem("format", wrong, fix='Write such as "%d.%m.%Y %H:%M" or "%Y%m%d".')
    if pattern is not None and wanted not in (Kind.INSTANT, Kind.HISTORY, Kind.DAY):
        part.problem("format", "for dates only", fix="Leave it out.")
    default = as_text(part.take("default"))
    if default is None and value.get("default") is not None:
        part.problem("default", "neither a text nor a number", fix="Put it in quotes.")
    read = Value(
        name=place.name,
        number=place.number,
        start=place.start,
        length=place.length,
        strip=part.text("strip", longest=40),
        default=default,
        map=_read_map(part),
        on_error=_read_on_error(part, target),
        clears=part.flag("clears"),
        format=pattern,
    )
    part.finish()
    if read.is_constant and read.default is None and not any(name in value for name in _PLACES):
        fix = f"Say {' or '.join(_OF_FORMAT[kind])}:, or default: for a value of every row."
        part.problem("", "no place to read it from", fix=fix)
    if read.clears and target in ("sku", "price", "store"):
        part.problem("clears", f"{target} cannot be cleared", fix="Leave it out.")
    if read.clears and read.default is not None:
        part.problem("clears", "and a default is declared", fix="Keep one of the two.")
    return read


def read_place(value: Any, path: str, kind: Format, problems: list[FieldProblem]) -> Value | None:
    """Read where something stands that is no field: the type of a record, a control total."""
    short = _read_short(value, path, kind, problems)
    if short is not None or not isinstance(value, dict):
        return short
    part = Part(value, path, problems)
    place = _read_place(part, kind, required=True)
    part.finish()
    return place


def _read_short(value: Any, path: str, kind: Format, problems: list[FieldProblem]) -> Value | None:
    """Read a bare text or number."""
    part = Part({"": value}, path, problems)
    match value:
        case dict():
            return None
        case str() if kind is not Format.FIXED:
            name = _check_name(part, "", value, kind)
            return Value(name=name) if name is not None else None
        case int() if not isinstance(value, bool) and kind in (Format.CSV, Format.XLSX):
            if 1 <= value <= COLUMN_LAST:
                return Value(number=value)
            part.problem("", f"not within 1 to {COLUMN_LAST}", fix="1 is the first column.")
        case _:
            fix = "Write {start: 12, length: 8}." if kind is Format.FIXED else "Write its name."
            fix += " If the source does not send it, take the line out."
            part.problem("", "no place to read it from", fix=fix)
    return None


def _read_place(part: Part, kind: Format, *, required: bool) -> Value:
    places = [name for name in _PLACES if part.has(name)]
    wrong = [name for name in places if name not in _OF_FORMAT[kind]]
    for name in wrong:
        part.problem(name, f"not for {kind}", fix=f"Say {' or '.join(_OF_FORMAT[kind])}: instead.")
    if len(places) > 1:
        part.problem("", f"{' and '.join(places)} at once", fix="Keep one of them.")
    if required and not places:
        part.problem("", "no place to read it from", fix=f"Say {_OF_FORMAT[kind][0]}:.")
    written = part.text("from", longest=500)
    found = written
    if written is not None and not wrong:
        found = _check_name(part, "from", written, kind)
    number = part.whole("number", low=1, high=COLUMN_LAST)
    letters = part.text("column", longest=3)
    if letters is not None:
        number = _column_number(letters)
        if number is None:
            part.problem("column", "not the letter of a column", fix='Write such as "B" or "AC".')
    start = part.whole("start", low=1, high=_POSITION_LAST)
    length = part.whole("length", low=1, high=_POSITION_LAST)
    if (start is None) != (length is None):
        missing = "length" if length is None else "start"
        part.problem(missing, "missing", fix="Say start: and length:, in characters.")
    return Value(name=found, number=number, start=start, length=length)


def _check_name(part: Part, member: str, name: str, kind: Format) -> str | None:
    if not name.strip():
        part.problem(member, "empty", fix="Write the name of the column.")
    elif kind is Format.JSON:
        if wrong := check_expression(name, needs_item=True):
            part.problem(member, wrong, fix='Write JMESPath over item and root: "item.sku".')
            return None
        return name
    elif kind is Format.XML and name != "." and not _PATH.fullmatch(name):
        part.problem(member, "not an element path", fix='Write "Name", "Cijena/MPC" or "@id".')
    else:
        return name
    return None


def _column_number(letters: str) -> int | None:
    if not _LETTERS.fullmatch(letters):
        return None
    number = 0
    for letter in letters.upper():
        number = number * 26 + ord(letter) - ord("A") + 1
    return number if number <= COLUMN_LAST else None


def _read_map(part: Part) -> dict[str, str | None]:
    value = part.take("map")
    if value is None:
        return {}
    if not isinstance(value, dict):
        part.problem("map", "not an object", fix="Write {ko: piece, kg: kg}.")
        return {}
    if len(value) > _MAP_MOST:
        part.problem("map", f"more than {_MAP_MOST} words")
        return {}
    own = Part(value, f"{part.path}/map", part.problems)
    words: dict[str, str | None] = {}
    for word, meaning in value.items():
        text = as_text(meaning)
        if text is None and meaning is not None:
            own.problem(word, "neither a text nor null", fix="Put it in quotes.")
        words[word.strip()] = text or None
    return words


def _read_on_error(part: Part, target: str) -> OnError | None:
    if part.has("on_error") and part.take("on_error") is None:
        chosen: OnError | None = OnError.NULL  # unquoted null is the word, not nothing
    else:
        chosen = part.choice("on_error", OnError)
    if chosen is OnError.NULL and target in ("sku", "store"):
        part.problem("on_error", f"a row without {target} is nobody's", fix="Leave it out.")
    return chosen
