"""One object of a mapping document, read member by member; every problem is gathered."""

import re
from collections.abc import Iterable
from difflib import get_close_matches
from enum import StrEnum
from typing import Any, TypeVar

from esl.domain.errors import FieldProblem
from esl.intake.strict_json import JsonFraction, pointer

_NAMES_SHOWN = 40
_HIDDEN = re.compile(r"[\x00-\x08\x0a-\x1f\x7f-\x9f\ud800-\udfff]")

Choice = TypeVar("Choice", bound=StrEnum)


class Part:
    """The members of one object; each is asked for once, and what is left over is a problem."""

    def __init__(self, value: Any, path: str, problems: list[FieldProblem]) -> None:
        self.path = path
        self.problems = problems
        self._members: dict[str, Any] = {}
        self._asked: list[str] = []
        if isinstance(value, dict):
            self._members = value
        else:
            self.problem("", "not an object", fix="Write 'key: value' lines.")

    def problem(self, name: str, detail: str, *, fix: str | None = None) -> None:
        """Note what is wrong with a member, or with the object where ``name`` is empty."""
        path = pointer(self.path, name) if name else self.path
        self.problems.append(FieldProblem(path=path, detail=detail, fix=fix))

    def has(self, name: str) -> bool:
        """Say whether the document has this member, be it null."""
        return name in self._members

    def take(self, name: str) -> Any:
        """Return a member as it was written; None where it is null or missing."""
        self._asked.append(name)
        return self._members.get(name)

    def text(
        self, name: str, *, longest: int = 200, required: bool = False, empty: bool = False
    ) -> str | None:
        """Read a text of up to ``longest`` characters; None where it is null or missing."""
        value = self.take(name)
        if value is None:
            if required:
                self.problem(name, "missing", fix="Add it.")
            return None
        if not isinstance(value, str):
            self.problem(name, "not a text", fix="Put it in quotes.")
        elif not value and not empty:
            self.problem(name, "empty", fix="Write something, or leave it out.")
        elif len(value) > longest:
            self.problem(name, f"longer than {longest} characters")
        elif _HIDDEN.search(value):
            self.problem(name, "holds a control character", fix="Leave it out.")
        else:
            return value
        return None

    def sign(self, name: str, *, default: str | None, among: str, fix: str) -> str | None:
        """Read one character out of ``among``; null is None, and missing the default."""
        if not self.has(name):
            self.take(name)
            return default
        value = self.take(name)
        if value is None:
            return None
        if not isinstance(value, str) or len(value) != 1 or value not in among:
            self.problem(name, "not one of the signs it may be", fix=fix)
            return default
        return value

    def whole(self, name: str, *, low: int, high: int) -> int | None:
        """Read a whole number within bounds; None where it is null or missing."""
        value = self.take(name)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int):
            self.problem(name, "not a whole number", fix="Write it without point and quotes.")
        elif not low <= value <= high:
            self.problem(name, f"not within {low} to {high}")
        else:
            return value
        return None

    def flag(self, name: str) -> bool:
        """Read true or false; missing is false."""
        value = self.take(name)
        if value is not None and not isinstance(value, bool):
            self.problem(name, "neither true nor false", fix="Write true or false.")
        return value is True

    def choice(self, name: str, choices: type[Choice], *, required: bool = False) -> Choice | None:
        """Read one of the words of an enumeration; None where it is missing."""
        value = self.take(name)
        if value is None and not required:
            return None
        try:
            return choices(value)
        except ValueError:
            self.problem(
                name,
                "missing" if value is None else "not one of the words it may be",
                fix=f"Write one of {', '.join(choices)}.",
            )
            return None

    def finish(self) -> None:
        """Note each member that nobody asked for, with the name that was probably meant."""
        for name in self._members:
            if name not in self._asked:
                self.problem(name, "unknown here", fix=advise_on(name, self._asked))


def advise_on(name: str, known: Iterable[str]) -> str:
    """Say what a wrong name may have meant, or else which names there are."""
    names = list(dict.fromkeys(known))
    near = get_close_matches(name[:64].casefold(), names, n=2, cutoff=0.6)
    if near:
        return f"Did you mean {' or '.join(near)}?"
    shown = ", ".join(names[:_NAMES_SHOWN])
    return f"Known are {shown}{' and others' if len(names) > _NAMES_SHOWN else ''}."


def as_text(value: Any) -> str | None:
    """Return the text of a scalar as it was written; None for what is no text or number."""
    match value:
        case bool():
            return "true" if value else "false"
        case str():
            return value
        case int():
            return str(value)
        case JsonFraction(text):
            return text
        case _:
            return None
