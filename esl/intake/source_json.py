"""Sources, secrets, rulings and reasons as JSON.

{"name": "Till", "store": "main", "kind": "http", "mapping": "konzum", "priority": 60,
"priorities": {"brand": 90}, "guards": {…}, "expected": {"by": "05:30"},
"accepts_full": true, "disabled": false, "settings": {"folder": "in/main"}}
"""

import re
from dataclasses import dataclass
from datetime import time, timedelta
from typing import Any

from esl.domain.errors import InvalidInput
from esl.domain.guards import Guards
from esl.domain.ids import SourceId, StoreId, check_slug
from esl.domain.pricing import KEEP
from esl.domain.source import (
    FIELDS,
    PRIORITY_MOST,
    USUAL_PRIORITY,
    Expected,
    Source,
    SourceKind,
)
from esl.intake.fields import Fields
from esl.intake.guard_json import guards_view, parse_guards, read_flag
from esl.intake.strict_json import pointer

SETTINGS_MOST = 40
SETTING_LONGEST = 1000
REASON_LONGEST = 300
RULED_MOST = 1000
SECRET_LONGEST = 4000
SECRET_LEAST = 16
PASSWORD_LEAST = 1  # how long it is, its server decides
KEEP_OLD_MOST_S = 30 * 86_400
SECRET_KINDS = ("webhook", "password", "token", "key", "ssh_key")
EVERY_LEAST_S, EVERY_MOST_S = 60, 7 * 86_400

_CLOCK = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]")


@dataclass(frozen=True, slots=True, kw_only=True)
class GuardsPut:
    """Limits for a store, and why."""

    guards: Guards
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RulingAsked:
    """Prices in quarantine, by number or by batch, and what the person who decides writes."""

    prices: tuple[int, ...]
    batch: int | None
    note: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretPut:
    """A secret for a source; None has one made."""

    kind: str
    secret: str | None
    keep_old: timedelta | None


def parse_source(value: Any, *, source_id: SourceId) -> Source:
    """Read a source.

    Raises:
        InvalidInput: With the path of each bad field.
    """
    read = Fields(value)
    name = read.text("name", longest=120, required=True)
    store = read.parsed("store", lambda text, at: check_slug(text, path=at, what="store"))
    kind = read.parsed("kind", _parse_kind)
    mapping = read.parsed("mapping", lambda text, at: check_slug(text, path=at, what="mapping"))
    priority = read.integer("priority", high=PRIORITY_MOST)
    priorities = _read_priorities(read)
    guards: Guards | None = None
    if read.has("guards") and (given := read.take("guards")) is not None:
        try:
            guards = parse_guards(given, "/guards")
        except InvalidInput as exc:
            read.problems.extend(exc.problems)
    expected = _read_expected(read)
    accepts_full = read_flag(read, "accepts_full", usual=False)
    disabled = read_flag(read, "disabled", usual=False)
    settings = _read_settings(read)
    read.finish()
    return Source(
        source_id=source_id,
        name=str(name),
        store_id=StoreId(store) if isinstance(store, str) else None,
        kind=kind if isinstance(kind, SourceKind) else SourceKind.HTTP,
        mapping=mapping if isinstance(mapping, str) else None,
        priority=USUAL_PRIORITY if priority is None else priority,
        priorities=priorities,
        guards=guards,
        expected=expected,
        accepts_full=accepts_full,
        disabled=disabled,
        settings=settings,
    )


def source_view(source: Source) -> dict[str, Any]:
    """Write a source as `parse_source` reads it, with its id."""
    expected: dict[str, Any] | None = None
    if source.expected is not None and source.expected.by is not None:
        expected = {"by": f"{source.expected.by:%H:%M}"}
    elif source.expected is not None and source.expected.every is not None:
        expected = {"every_s": int(source.expected.every.total_seconds())}
    return {
        "source": source.source_id,
        "name": source.name,
        "store": source.store_id,
        "kind": source.kind.value,
        "mapping": source.mapping,
        "priority": source.priority,
        "priorities": dict(source.priorities),
        "guards": guards_view(source.guards) if source.guards is not None else None,
        "expected": expected,
        "accepts_full": source.accepts_full,
        "disabled": source.disabled,
        "settings": dict(source.settings),
    }


def parse_store_guards(value: Any, path: str = "") -> GuardsPut:
    """Read limits for a store, with the reason beside them.

    Raises:
        InvalidInput: With the path of each bad field.
    """
    reason = ""
    if isinstance(value, dict) and "reason" in value:
        read = Fields({"reason": value["reason"]}, path=path)
        found = read.text("reason", longest=REASON_LONGEST)
        read.finish()
        reason = found if isinstance(found, str) else ""
        value = {name: each for name, each in value.items() if name != "reason"}
    return GuardsPut(guards=parse_guards(value, path), reason=reason)


def parse_reason(value: Any, *, required: bool = True) -> str:
    """Read ``{"reason": …}``.

    Raises:
        InvalidInput: It is missing, or there is something else.
    """
    read = Fields(value)
    reason = read.text("reason", longest=REASON_LONGEST, required=required)
    read.finish()
    return reason if isinstance(reason, str) else ""


def parse_ruling(value: Any) -> RulingAsked:
    """Read ``{"prices": [7, 8], "note": …}``, or ``{"batch": 12, "note": …}``.

    Raises:
        InvalidInput: With the path of each bad field.
    """
    read = Fields(value)
    by_number, by_batch = read.has("prices"), read.has("batch")
    prices = _read_numbers(read, "prices") if by_number else ()
    batch = read.integer("batch", low=1) if by_batch else None
    note = read.text("note", longest=REASON_LONGEST)
    if by_number == by_batch and isinstance(value, dict):
        wrong = "both prices and a batch" if by_batch else "neither prices nor a batch"
        read.problem("", wrong, fix='Send {"prices": [7, 8]}, or {"batch": 12} for all of it.')
    elif by_batch and batch is None and not read.problems:
        read.problem("batch", "null, and a number is needed")
    read.finish()
    return RulingAsked(prices=prices, batch=batch, note=note if isinstance(note, str) else None)


def parse_numbers(value: Any, name: str) -> tuple[int, ...]:
    """Read ``{"events": [7, 8]}``, ``name`` being what they are numbers of.

    Raises:
        InvalidInput: It is missing, or there is something else.
    """
    read = Fields(value)
    numbers = _read_numbers(read, name)
    read.finish()
    return numbers


def _read_numbers(read: Fields, name: str) -> tuple[int, ...]:
    numbers = read.take(name)
    if (
        isinstance(numbers, list)
        and 1 <= len(numbers) <= RULED_MOST
        and all(type(n) is int and 0 < n < 2**53 for n in numbers)
    ):
        return tuple(numbers)
    read.problem(name, f"not 1 to {RULED_MOST} numbers", fix="Send the numbers of the list.")
    return ()


def parse_secret(value: Any) -> SecretPut:
    """Read ``{"kind": "webhook", "secret": …, "keep_old_s": 86400}``.

    Raises:
        InvalidInput: With the path of each bad field.
    """
    read = Fields(value)
    kind = read.parsed("kind", _parse_secret_kind, required=True)
    secret = read.take("secret")
    keep_old = read.integer("keep_old_s", high=KEEP_OLD_MOST_S)
    least = PASSWORD_LEAST if kind == "password" else SECRET_LEAST
    if secret is KEEP or secret is None:
        secret = None
    elif not isinstance(secret, str) or not least <= len(secret) <= SECRET_LONGEST:
        read.problem("secret", f"not a string of {least} to {SECRET_LONGEST} characters")
        secret = None
    elif "\x00" in secret or any("\ud800" <= c <= "\udfff" for c in secret):
        read.problem("secret", "holds characters that no system sends")
        secret = None
    read.finish()
    return SecretPut(
        kind=str(kind),
        secret=secret,
        keep_old=timedelta(seconds=keep_old) if keep_old else None,
    )


def _parse_kind(text: str, path: str) -> SourceKind:
    try:
        return SourceKind(text)
    except ValueError:
        kinds = ", ".join(SourceKind)
        raise InvalidInput.at(path, "not a kind of source", fix=f"Send one of {kinds}.") from None


def _parse_secret_kind(text: str, path: str) -> str:
    if text not in SECRET_KINDS:
        kinds = ", ".join(SECRET_KINDS)
        raise InvalidInput.at(path, "not a kind of secret", fix=f"Send one of {kinds}.")
    return text


def _read_priorities(read: Fields) -> dict[str, int]:
    given = read.take("priorities")
    if given is KEEP or given is None:
        return {}
    if not isinstance(given, dict):
        read.problem("priorities", "not an object of fields and priorities")
        return {}
    found: dict[str, int] = {}
    for name, value in given.items():
        if name not in FIELDS:
            read.problem("priorities", "not a field", fix=f"Name one of {', '.join(FIELDS)}.")
        elif type(value) is not int or not 0 <= value <= PRIORITY_MOST:
            read.problem("priorities", f"not within 0 to {PRIORITY_MOST}")
        else:
            found[name] = value
    return found


def _read_expected(read: Fields) -> Expected | None:
    given = read.take("expected")
    if given is KEEP or given is None:
        return None
    inner = Fields(given, path=pointer(read.path, "expected"))
    by = inner.parsed("by", _parse_clock)
    every_s = inner.integer("every_s", low=EVERY_LEAST_S, high=EVERY_MOST_S)
    if isinstance(by, time) == (every_s is not None) and not inner.problems:
        inner.problem("", "neither a time nor a pause, or both", fix='Send {"by": "05:30"}.')
    try:
        inner.finish()
    except InvalidInput as exc:
        read.problems.extend(exc.problems)
        return None
    if isinstance(by, time):
        return Expected(by=by)
    return Expected(every=timedelta(seconds=every_s or EVERY_LEAST_S))


def _parse_clock(text: str, path: str) -> time:
    if not _CLOCK.fullmatch(text):
        raise InvalidInput.at(path, "not a time of day", fix='Send it such as "05:30".')
    return time.fromisoformat(text)


def _read_settings(read: Fields) -> dict[str, str]:
    given = read.take("settings")
    if given is KEEP or given is None:
        return {}
    inner = Fields(given, path=pointer(read.path, "settings"))
    if not isinstance(given, dict) or len(given) > SETTINGS_MOST:
        read.problem("settings", f"not an object of at most {SETTINGS_MOST} texts")
        return {}
    found: dict[str, str] = {}
    for name in list(given):
        if len(name) > 64 or not name.isprintable():  # noqa: PLR2004  a name, no text
            read.problem("settings", "a name is too long, or cannot be printed")
            continue
        value = inner.text(name, longest=SETTING_LONGEST)
        if isinstance(value, str):
            found[name] = value
    try:
        inner.finish()
    except InvalidInput as exc:
        read.problems.extend(exc.problems)
    return found
