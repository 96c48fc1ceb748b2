"""Law profiles as TOML: those that come with the project, and a shop's own.

Every mistake of a file is reported at once, each with its place as a JSON pointer and a fix. A
bundled profile is read once and kept; nothing is parsed for a label.
"""

import re
import tomllib
from collections.abc import Mapping
from datetime import date, datetime
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any, Final, cast

from esl.domain.errors import FieldProblem, InvalidInput, SetupError, UnknownProfile
from esl.domain.ids import has_control
from esl.domain.law.keys import SECTIONS, TEXT_LONGEST, Key
from esl.domain.law.profile import (
    AnchorRule,
    Checked,
    DepositRule,
    PriorPriceRule,
    Profile,
    Source,
    TaxRule,
    UnitPriceRule,
)
from esl.domain.law.values import Problems, read_value

PROFILE_NAMES: Final = ("eu", "hr", "de", "fr", "us", "none")
"""Profiles that come with the project; the first holds where nobody chose one."""

FILE_LARGEST_BYTES: Final = 256 * 1024
VERSION_HIGHEST: Final = 1_000_000
NAME_FORM: Final = r"[a-z][a-z0-9-]{0,31}"
SOURCE_FORM: Final = r"[a-z][a-z0-9_]{0,31}"
_NAME: Final = re.compile(NAME_FORM)
_SOURCE_ID: Final = re.compile(SOURCE_FORM)
_HEAD: Final = ("title", "version", "in_force_since", "sources")
_SOURCE_KEYS: Final = ("title", "checked", "address")

SAYS_ENOUGH: Final = {"anchor": "required", "prior_price": "days"}
"""Sections that need no other rule where this one is false or zero."""


@cache
def load_profile(name: str) -> Profile:
    """Load one of `PROFILE_NAMES`.

    Raises:
        UnknownProfile: There is no such profile.
    """
    if name not in PROFILE_NAMES:
        raise UnknownProfile(f"no law profile {name[:40]!r}; there are {', '.join(PROFILE_NAMES)}")
    return parse_profile(profile_text(name), name=name)


def profile_text(name: str) -> str:
    """Return a bundled profile's file, to begin one's own with."""
    return (files("esl.domain.law") / "profiles" / f"{name}.toml").read_text(encoding="utf-8")


def read_profile_file(path: Path) -> Profile:
    """Read a shop's own profile; the file's name without its ending is the profile's.

    Raises:
        SetupError: The file cannot be read.
        InvalidInput: It is no profile; every mistake is named.
    """
    try:
        with path.open("rb") as file:
            raw = file.read(FILE_LARGEST_BYTES + 1)
    except OSError as exc:
        raise SetupError(f"cannot read {path}: {exc.strerror}") from exc
    if len(raw) > FILE_LARGEST_BYTES:
        raise InvalidInput.at("", "larger than any profile", fix="A profile has a few pages.")
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as exc:
        raise InvalidInput.at("", "not UTF-8", fix="Save the file as UTF-8.") from exc
    return parse_profile(text, name=path.stem)


def parse_profile(text: str, *, name: str) -> Profile:
    """Read a profile from TOML.

    Raises:
        InvalidInput: It is no profile; every mistake is named.
    """
    if _NAME.fullmatch(name) is None:
        raise InvalidInput.at(
            "", "the name is no profile's", fix="Name the file such as at.toml or my-shop.toml."
        )
    try:
        document: dict[str, Any] = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as exc:
        raise InvalidInput.at("", f"not TOML: {exc}", fix="See docs/law.md.") from exc
    problems: Problems = []
    profile = _Reader(document, problems).read(name)
    if problems or profile is None:
        raise InvalidInput(problems)
    return profile


class _Reader:
    """Reads one document; what is wrong goes to ``problems``."""

    def __init__(self, document: Mapping[str, Any], problems: Problems) -> None:
        self._document = document
        self._problems = problems
        self._sources: dict[str, Source] = {}
        self._cites: dict[str, str] = {}
        self._unknown: dict[str, str] = {}

    def read(self, name: str) -> Profile | None:
        for key in self._document:
            if key not in _HEAD and key not in SECTIONS:
                self._bad(f"/{key}", "no such section", f"Known are {', '.join(SECTIONS)}.")
        title = self._text(self._document, "title", "/title")
        version = self._version()
        since = self._document.get("in_force_since")
        if not isinstance(since, date) or isinstance(since, datetime):
            self._bad("/in_force_since", "no date", "Write it as 2022-05-28, without quotes.")
            since = date.min
        self._read_sources()
        found = {section: self._section(section, keys) for section, keys in SECTIONS.items()}
        if self._problems:
            return None
        return Profile(
            name=name,
            title=title,
            version=version,
            in_force_since=since,
            tax=TaxRule(**found["tax"]),
            unit_price=UnitPriceRule(**found["unit_price"]),
            prior_price=PriorPriceRule(**found["prior_price"]),
            deposit=DepositRule(**found["deposit"]),
            anchor=AnchorRule(**found["anchor"]),
            sources=self._sources,
            cites=self._cites,
            unknown=self._unknown,
        )

    def _version(self) -> int:
        version = self._document.get("version")
        if type(version) is not int or not 1 <= version <= VERSION_HIGHEST:
            self._bad("/version", "no whole number from 1", "Begin with version = 1.")
            return 0
        return version

    def _read_sources(self) -> None:
        sources = self._table(self._document, "sources", "/sources")
        if not sources:
            self._bad("/sources", "no source", "Add [sources.NAME] with title and checked.")
        for source_id in sources:
            path = f"/sources/{source_id}"
            if _SOURCE_ID.fullmatch(source_id) is None:
                self._bad(path, "no name of a source", "Take small letters and digits: pangv.")
                continue
            entry = self._table(sources, source_id, path)
            for key in entry:
                if key not in _SOURCE_KEYS:
                    self._bad(f"{path}/{key}", "no such key", "Known: title, checked, address.")
            checked = entry.get("checked")
            if checked not in [each.value for each in Checked]:
                self._bad(
                    f"{path}/checked", "not known", 'Say "text", "summary" or "memory": see docs.'
                )
                continue
            address = self._text(entry, "address", f"{path}/address") if "address" in entry else ""
            if address and not address.startswith("https://"):
                self._bad(f"{path}/address", "no https address", "Leave it out or use https://.")
            self._sources[source_id] = Source(
                source_id=source_id,
                title=self._text(entry, "title", f"{path}/title"),
                checked=Checked(checked),
                address=address,
            )

    def _section(self, section: str, keys: tuple[Key, ...]) -> dict[str, Any]:
        """Read the rules of a section: each is known with a source, or unknown in words."""
        table = self._table(self._document, section, f"/{section}")
        cites = self._table(table, "source", f"/{section}/source")
        unknown = self._table(table, "unknown", f"/{section}/unknown")
        names = {key.name for key in keys}
        for place, given in (("", table), ("source/", cites), ("unknown/", unknown)):
            for name in given:
                if name not in names and (place or name not in ("source", "unknown")):
                    known = ", ".join(key.name for key in keys)
                    self._bad(f"/{section}/{place}{name}", "no such rule", f"Known are {known}.")
        enough = SAYS_ENOUGH.get(section)
        says_enough = enough is not None and table.get(enough) in (False, 0)
        values: dict[str, Any] = {}
        for key in keys:
            path, rule = f"/{section}/{key.name}", f"{section}.{key.name}"
            if key.name in table:
                if key.name in unknown:
                    self._bad(path, "both known and unknown", "Keep one of the two.")
                cite = None
                if not key.has_own_sources or key.name in cites:
                    cite = self._cite(cites, key.name, f"/{section}/source/{key.name}")
                if cite is not None:
                    self._cites[rule] = cite
                values[key.field_name] = read_value(
                    key, table[key.name], path, self._problems, self._is_cite
                )
                continue
            if key.name in cites:
                self._bad(f"/{section}/source/{key.name}", "a source of nothing", f"Add {rule}.")
            if key.name in unknown:
                words = self._text(unknown, key.name, f"/{section}/unknown/{key.name}")
                self._unknown[rule] = words
            elif not says_enough:
                fix = f"Write it with a source, or say under [{section}.unknown] what is done."
                self._bad(path, "neither known nor unknown", fix)
            values[key.field_name] = key.careful_value
        return values

    def _cite(self, cites: Mapping[str, Any], name: str, path: str) -> str | None:
        text = self._text(cites, name, path, missing="no source")
        if text and not self._is_cite(text):
            self._bad(path, "names no source", "Begin with the name of one of [sources].")
        return text or None

    def _is_cite(self, text: str) -> bool:
        found = re.match(SOURCE_FORM, text)
        return found is not None and found[0] in self._sources

    def _table(self, holder: Mapping[str, Any], name: str, path: str) -> Mapping[str, Any]:
        table = holder.get(name, {})
        if not isinstance(table, dict):
            self._bad(path, "no table", f"Write it as [{path[1:].replace('/', '.')}].")
            return {}
        return cast("dict[str, Any]", table)

    def _text(
        self, holder: Mapping[str, Any], name: str, path: str, *, missing: str = "no text"
    ) -> str:
        text = holder.get(name)
        if not isinstance(text, str) or not text.strip():
            self._bad(path, missing, "Write a text in quotes.")
            return ""
        if len(text) > TEXT_LONGEST or has_control(text):
            self._bad(path, "too long, or with control characters", f"{TEXT_LONGEST} at most.")
        return text

    def _bad(self, path: str, detail: str, fix: str) -> None:
        self._problems.append(FieldProblem(path=path, detail=detail, fix=fix))
