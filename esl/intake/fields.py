"""Reading the fields of one JSON object, gathering every problem instead of the first.

fields = Fields(value, path="/3")
name = fields.text("name", required=True, longest=200)
…
fields.finish()        # unknown fields are problems too; raises with all of them
"""

import re
import unicodedata
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, TypeVar

from esl.domain.errors import FieldProblem, InvalidInput
from esl.domain.pricing import KEEP, Keep
from esl.intake.personal import DETAIL as PERSONAL_DETAIL
from esl.intake.personal import FIX as PERSONAL_FIX
from esl.intake.personal import PERSONAL
from esl.intake.strict_json import MAX_INTEGER, JsonFraction, pointer

_FIRST_YEAR, _LAST_YEAR = 2000, 2099
"""No till is set outside of them; PostgreSQL's driver cannot even read back the year 9999."""

_BLANKS_OF_SORTS = frozenset("\t\n\v\f\r\x85\u2028\u2029")
_JOINERS = frozenset("\u200c\u200d")
_UNSEEN = frozenset({"Cc", "Cf"})
_UNKNOWN = frozenset({"Cs", "Co", "Cn"})

_PLAIN = re.compile(r"-?[0-9]{1,15}(?:\.[0-9]{1,6})?")
_DIGITS = re.compile(r"[0-9]{1,15}")
"""What of an input is repeated in an answer: digits, few, and nothing else."""

Read = TypeVar("Read")


class Fields:
    """The fields of one object; each is asked for once, by name."""

    def __init__(self, value: Any, *, path: str = "") -> None:
        self.path = path
        self.problems: list[FieldProblem] = []
        self._left: dict[str, Any] = {}
        self._is_object = isinstance(value, dict)
        if isinstance(value, dict):
            self._left = dict(value)
        else:
            self.problem("", "not a JSON object")

    def problem(self, name: str, detail: str, *, fix: str | None = None) -> None:
        """Note one thing wrong with a field, or with the object where ``name`` is empty."""
        path = pointer(self.path, name) if name else self.path
        self.problems.append(FieldProblem(path=path, detail=detail, fix=fix))

    def has(self, name: str) -> bool:
        """Say whether the sender sent this field and it was not asked for yet."""
        return name in self._left

    def take(self, name: str) -> Any:
        """Return a field's value as it came, or `KEEP` where it was left out."""
        return self._left.pop(name, KEEP)

    def text(self, name: str, *, longest: int, required: bool = False) -> str | Keep | None:
        """Read a text of 1 to ``longest`` characters for people, without blanks around it.

        Tabs and line breaks become blanks. Control and invisible formatting characters, which
        exports are full of and which can make a text read as another one, are left out; joiners
        stay, because words of some scripts are spelled with them.
        """
        value = self.take(name)
        if value is KEEP or value is None:
            return self._nothing(name, value, required=required)
        if not isinstance(value, str):
            self._not_text(name, value)
        elif len(value) > longest:
            self.problem(name, f"longer than {longest} characters")
        elif not (seen := visible(value).strip()):
            self.problem(name, "empty", fix="Send null to clear it, or leave it out to keep it.")
        elif any(unicodedata.category(c) in _UNKNOWN for c in seen):
            self.problem(
                name,
                "holds private, unassigned or broken characters",
                fix="Send letters and signs that Unicode knows.",
            )
        else:
            return seen
        return None

    def integer(self, name: str, *, low: int = 0, high: int = MAX_INTEGER) -> int | None:
        """Read an integer within bounds; None where it was left out or null."""
        value = self.take(name)
        if value is KEEP or value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int):
            is_quoted = isinstance(value, str) and _DIGITS.fullmatch(value) is not None
            fix = f"Send it without quotes: {value}." if is_quoted else None
            self.problem(name, "not an integer", fix=fix)
        elif not low <= value <= high:
            self.problem(name, f"not within {low} to {high}")
        else:
            return value
        return None

    def instant(self, name: str) -> datetime | None:
        """Read an RFC 3339 instant with its offset, as UTC; None where left out or null."""
        value = self.take(name)
        if value is KEEP or value is None:
            return None
        fix = 'Send RFC 3339 with an offset, such as "2026-03-01T06:00:00Z".'
        if not isinstance(value, str) or not value.isascii():
            self.problem(name, "not an instant", fix=fix)
            return None
        try:
            instant = datetime.fromisoformat(value)
            if instant.tzinfo is None:
                self.problem(name, "an instant without an offset", fix=fix)
                return None
            instant = instant.astimezone(UTC)
        except (ValueError, OverflowError):
            self.problem(name, "not an instant", fix=fix)
            return None
        if not _FIRST_YEAR <= instant.year <= _LAST_YEAR:
            self.problem(name, f"not within the years {_FIRST_YEAR} to {_LAST_YEAR}", fix=fix)
            return None
        return instant

    def parsed(
        self, name: str, parse: Callable[[str, str], Read], *, required: bool = False
    ) -> Read | Keep | None:
        """Read a string through ``parse(text, path)``, which raises `InvalidInput`.

        A number is refused with the advice to send a string: floats lose cents.
        """
        value = self.take(name)
        if value is KEEP or value is None:
            return self._nothing(name, value, required=required)
        if not isinstance(value, str):
            self._not_text(name, value)
            return None
        try:
            return parse(value, pointer(self.path, name))
        except InvalidInput as exc:
            self.problems.extend(exc.problems)
            return None

    def finish(self) -> None:
        """Raise what was gathered, with a problem for each field nobody asked for.

        Raises:
            InvalidInput: There was a problem.
        """
        for name in self._left:
            if name in PERSONAL:
                self.problem(name, PERSONAL_DETAIL, fix=PERSONAL_FIX)
            else:
                self.problem(name, "unknown field", fix="Leave it out, or check its spelling.")
        self._left = {}
        if not self._is_object:
            raise InvalidInput(self.problems[:1])  # what it lacks beside is not worth a word
        if self.problems:
            raise InvalidInput(self.problems)

    def _not_text(self, name: str, value: Any) -> None:
        """Note that a field is no text; of a number, say how it is written as one."""
        if isinstance(value, bool) or not isinstance(value, int | JsonFraction):
            self.problem(name, "not a string")
            return
        digits = value.text if isinstance(value, JsonFraction) else str(value)
        shown = digits if _PLAIN.fullmatch(digits) else "1.29"
        self.problem(
            name, "a number, and a string is wanted", fix=f'Put it in quotes, such as "{shown}".'
        )

    def _nothing(self, name: str, value: Keep | None, *, required: bool) -> Keep | None:
        if required:
            self.problem(name, "missing" if value is KEEP else "null, and a value is needed")
            return None
        return value


def visible(text: str) -> str:
    """Leave out what cannot be seen: of the Unicode categories Cc and Cf all but joiners."""
    if text.isprintable():
        return text
    return "".join(
        " " if c in _BLANKS_OF_SORTS else c
        for c in text
        if c in _BLANKS_OF_SORTS or c in _JOINERS or unicodedata.category(c) not in _UNSEEN
    )
