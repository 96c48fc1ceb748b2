"""A profile's rules one by one, each with why it holds: for people who ask."""

from datetime import date
from enum import Enum
from typing import NamedTuple

from esl.domain.law.keys import SECTIONS, Key, Kind, Value
from esl.domain.law.profile import ALWAYS, Basis, Exemption, Profile
from esl.domain.law.profile_file import SAYS_ENOUGH


class Ruling(NamedTuple):
    """One rule as it holds, and its source or the words for what is done without one."""

    section: str
    name: str
    value: str
    because: str
    is_known: bool


def account_of(profile: Profile) -> list[Ruling]:
    """List a profile's rules in order; of a section that does not apply, the first alone."""
    account: list[Ruling] = []
    for section, keys in SECTIONS.items():
        rules = getattr(profile, section)
        for key in keys:
            value: Value = getattr(rules, key.field_name)
            rule = f"{section}.{key.name}"
            is_known = rule not in profile.unknown
            because = profile.unknown.get(rule) or profile.cites.get(rule) or _own_sources(value)
            if because or key.name == SAYS_ENOUGH.get(section):
                account.append(Ruling(section, key.name, _text(key, value), because, is_known))
    return account


def _text(key: Key, value: Value) -> str:
    """Write a value as a person reads it."""
    text = str(value)
    match value:
        case True | False:
            text = "yes" if value else "no"
        case Enum():
            text = str(value.value)
        case int() if key.kind is Kind.PROGRESSIVE:
            text = {0: "never", ALWAYS: "always"}.get(value, f"within {value} days")
        case date():
            text = value.isoformat()
        case dict():
            text = "; ".join(f"{language}: {words}" for language, words in value.items())
        case tuple():
            text = "; ".join(_entry_text(entry) for entry in value)
        case None:
            text = ""
        case _:
            pass
    return text or "nothing"


def _entry_text(entry: Basis | Exemption) -> str:
    if isinstance(entry, Exemption):
        return f"{entry.code} ({entry.words})"
    loose = ", loose" if entry.is_loose else ""
    return f"{entry.text} ({entry.unit.value}{loose})"


def _own_sources(value: Value) -> str:
    """Name the sources of a list's entries, each once."""
    if not isinstance(value, tuple):
        return ""
    return "; ".join(dict.fromkeys(entry.source for entry in value if entry.source))
