"""Values of a law profile's rules, read and checked one by one.

Each function returns the value its rule's field takes, or the careful one after it has reported
what is wrong.
"""

import re
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from typing import Any, Final

from esl.domain.errors import FieldProblem
from esl.domain.face import Unit
from esl.domain.ids import has_control
from esl.domain.law.keys import TEXT_LONGEST, Key, Kind, Value
from esl.domain.law.profile import ALWAYS, Basis, Exemption

Problems = list[FieldProblem]


class Missing(Enum):
    """No value could be read."""

    MISSING = 0


MISSING: Final = Missing.MISSING

IsCite = Callable[[str], bool]

CODE_FORM: Final = r"[a-z][a-z0-9_]{0,39}"
SIZE_FORM: Final = r"[0-9]{1,7}(\.[0-9]{1,6})?"
LANGUAGE_FORM: Final = r"[a-z]{2,3}"
_CODE: Final = re.compile(CODE_FORM)
_SIZE: Final = re.compile(SIZE_FORM)
_LANGUAGE: Final = re.compile(LANGUAGE_FORM)
_PLACEHOLDER: Final = re.compile(r"\{[^{}]*\}|[{}]")
_LIST_LONGEST: Final = 100
_BASIS_KEYS: Final = ("unit", "size", "text", "loose", "source")
_EXEMPTION_KEYS: Final = ("code", "words", "source")


def read_value(key: Key, value: Any, path: str, problems: Problems, is_cite: IsCite) -> Value:
    """Read a rule's value; ``is_cite`` says whether a text names a source of the profile."""
    found: Value | Missing = MISSING
    match key.kind, value:
        case (Kind.BOOL, bool()) | (Kind.TEXT, ""):
            found = value
        case Kind.INT, int() if type(value) is int and 0 <= value <= key.highest:
            found = value
        case Kind.TEXT, str() if _is_text(value):
            found = value
        case Kind.DATE, date() if not isinstance(value, datetime):
            found = value
        case Kind.CHOICE, str() if key.enum is not None and value in list(key.enum):
            found = key.enum(value)
        case Kind.PROGRESSIVE, "never" | "always":
            found = ALWAYS if value == "always" else 0
        case Kind.PROGRESSIVE, int() if type(value) is int and 1 <= value <= key.highest:
            found = value
        case Kind.WORDS, dict():
            found = _words(key, value, path, problems)
        case Kind.BASES, list() if 0 < len(value) <= _LIST_LONGEST:
            found = _bases(value, path, problems, is_cite)
        case Kind.EXEMPTIONS, list() if len(value) <= _LIST_LONGEST:
            found = _exemptions(value, path, problems, is_cite)
        case _:
            pass
    if isinstance(found, Missing):
        _bad(problems, path, "not a value of this rule", fix_of(key))
        return key.careful_value
    return found


def fix_of(key: Key) -> str:
    """Say what a rule's value looks like."""
    choices = ", ".join(f'"{each.value}"' for each in key.enum) if key.enum is not None else ""
    listed = "Write [[section.rule]] once for each entry; see docs/law.md."
    return {
        Kind.BOOL: "Write true or false, without quotes.",
        Kind.INT: f"Write a whole number from 0 to {key.highest}.",
        Kind.TEXT: f"Write a text in quotes, {TEXT_LONGEST} characters at most.",
        Kind.CHOICE: f"Write one of {choices}.",
        Kind.DATE: "Write a date such as 2025-05-02, without quotes.",
        Kind.PROGRESSIVE: f'Write "never", "always" or a number of days up to {key.highest}.',
        Kind.WORDS: 'Write one text for each language: { en = "…", de = "…" }.',
        Kind.BASES: listed,
        Kind.EXEMPTIONS: listed,
    }[key.kind]


def _words(key: Key, value: dict[str, Any], path: str, problems: Problems) -> dict[str, str]:
    words: dict[str, str] = {}
    if not value:
        _bad(problems, path, "no words", fix_of(key))
    for language, text in value.items():
        place = f"{path}/{language}"
        if _LANGUAGE.fullmatch(language) is None:
            _bad(problems, place, "no language", "Use codes of two or three letters: de.")
        elif not isinstance(text, str) or not _is_text(text):
            _bad(problems, place, "no text", fix_of(key))
        elif [key.holds] * bool(key.holds) != _PLACEHOLDER.findall(text):
            wanted = f"must hold {key.holds} once" if key.holds else "takes no braces"
            _bad(problems, place, wanted, "Correct the text.")
        else:
            words[language] = text
    return words


def _bases(entries: list[Any], path: str, problems: Problems, is_cite: IsCite) -> tuple[Basis, ...]:
    bases: list[Basis] = []
    for place, entry in enumerate(entries):
        at = f"{path}/{place}"
        if not _is_entry(entry, _BASIS_KEYS, at, problems, is_cite):
            continue
        unit, size, text = entry.get("unit"), entry.get("size"), entry.get("text")
        is_loose = entry.get("loose", False)
        units = ", ".join(each.value for each in Unit)
        if unit not in [each.value for each in Unit]:
            _bad(problems, f"{at}/unit", "no unit", f"Known are {units}.")
        elif not isinstance(size, str) or _SIZE.fullmatch(size) is None or not Decimal(size):
            fix = 'Write thousandths of the unit as a text: "1000", "100", "453.59237".'
            _bad(problems, f"{at}/size", "no size above zero", fix)
        elif not isinstance(text, str) or not _is_text(text):
            _bad(problems, f"{at}/text", "no text", 'Write what is printed: "kg", "100 g".')
        elif not isinstance(is_loose, bool):
            _bad(problems, f"{at}/loose", "not true or false", "Write true, or leave it out.")
        elif any(b.unit is Unit(unit) and b.is_loose is is_loose for b in bases):
            _bad(problems, at, "a second basis of this unit", "Keep one of the two.")
        else:
            num, den = Decimal(size).as_integer_ratio()
            bases.append(
                Basis(
                    unit=Unit(unit),
                    text=text,
                    size_num=num,
                    size_den=den,
                    is_loose=is_loose,
                    source=entry["source"],
                )
            )
    return tuple(bases)


def _exemptions(
    entries: list[Any], path: str, problems: Problems, is_cite: IsCite
) -> tuple[Exemption, ...]:
    exemptions: list[Exemption] = []
    for place, entry in enumerate(entries):
        at = f"{path}/{place}"
        if not _is_entry(entry, _EXEMPTION_KEYS, at, problems, is_cite):
            continue
        code, words = entry.get("code"), entry.get("words")
        if not isinstance(code, str) or _CODE.fullmatch(code) is None:
            _bad(problems, f"{at}/code", "no code", "Use small letters, digits and _.")
        elif any(known.code == code for known in exemptions):
            _bad(problems, f"{at}/code", "a second time the same code", "Keep one of the two.")
        elif not isinstance(words, str) or not _is_text(words):
            _bad(problems, f"{at}/words", "no text", "Say which goods these are.")
        else:
            exemptions.append(Exemption(code=code, words=words, source=entry["source"]))
    return tuple(exemptions)


def _is_entry(
    entry: Any, keys: tuple[str, ...], at: str, problems: Problems, is_cite: IsCite
) -> bool:
    """Check what all entries of lists have: known keys, and a source that there is."""
    if not isinstance(entry, dict):
        _bad(problems, at, "no table", "Write [[section.rule]] once for each entry.")
        return False
    for key in entry:
        if key not in keys:
            _bad(problems, f"{at}/{key}", "no such key", f"Known are {', '.join(keys)}.")
    source = entry.get("source")
    if not isinstance(source, str) or not _is_text(source) or not is_cite(source):
        fix = "Begin with the name of one of [sources], then the clause."
        _bad(problems, f"{at}/source", "names no source", fix)
        return False
    return True


def _is_text(text: str) -> bool:
    return bool(text.strip()) and len(text) <= TEXT_LONGEST and not has_control(text)


def _bad(problems: Problems, path: str, detail: str, fix: str) -> None:
    problems.append(FieldProblem(path=path, detail=detail, fix=fix))
