"""A scenario file becomes a `Scenario`, or an error that names line, field and fix.

YAML is read as strictly as templates are: no tags, no key twice, ``no`` is a text. Durations are
numbers of seconds, or 500ms, 40s, 10min, 2h, 3d.
"""

import difflib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Never

import msgspec

from esl.domain.errors import InvalidInput
from esl.intake.strict_json import JsonFraction
from esl.intake.yaml_text import read_yaml
from gateway.wire.fields import Positive
from simulator import buttons, scenario
from simulator.buttons import AnyButton
from simulator.scenario import DURATIONS, Event, Scenario

_DURATION = re.compile(r"(-?[0-9]{1,9}(?:\.[0-9]{1,6})?) ?(ms|s|min|h|d)")
_SECONDS = {"ms": 0.001, "s": 1.0, "min": 60.0, "h": 3600.0, "d": 86_400.0}
_TIMING = ("after", "every", "times")
_AT = re.compile(r" - at `\$(.*)`$")
_STEP = re.compile(r"\.([A-Za-z_]+)|\[([0-9]+)\]")
_UNKNOWN = re.compile(r"unknown field `([^`]*)`")
_NO_BUTTON = re.compile(r"Invalid value '([^']*)'")


@dataclass(frozen=True, slots=True)
class ReadScenario:
    """A scenario and its events, in the order of their times."""

    scenario: Scenario
    events: tuple[Event, ...]


def read_scenario(text: str) -> ReadScenario:
    """Read the text of a scenario file.

    Raises:
        InvalidInput: It is no scenario; says the line, the field and what to write instead.
    """
    document = read_yaml(text, what="scenario")
    plain = _plain(document.data, "", document.lines)
    read = _convert(plain, Scenario, "", document.lines)
    _check(read, document.lines)
    events = [
        _read_event(entry, f"events/{n}", document.lines) for n, entry in enumerate(read.events)
    ]
    return ReadScenario(read, tuple(sorted(events, key=lambda event: event.after)))


def read_button(text: bytes) -> AnyButton:
    """Read a button from JSON.

    Raises:
        InvalidInput: It is none.
    """
    try:
        plain = msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise InvalidInput.at("", "not JSON") from None
    button: AnyButton = _convert(plain, AnyButton, "", {})
    return button


def _read_event(entry: Mapping[str, Any], path: str, lines: Mapping[str, int]) -> Event:
    timing = {name: entry[name] for name in _TIMING if name in entry}
    rest = {name: value for name, value in entry.items() if name not in _TIMING}
    timed = _convert(timing, _Timing, path, lines)
    button = _convert(rest, AnyButton, path, lines)
    return Event(after=timed.after, every=timed.every, times=timed.times, button=button)


class _Timing(scenario.Form, frozen=True):
    after: scenario.Seconds
    every: scenario.SomeSeconds | None = None
    times: Positive | None = None


def _check(read: Scenario, lines: Mapping[str, int]) -> None:
    """What single fields cannot say."""
    check_in, signal = read.radio.check_in, read.radio.signal
    if check_in is not None and (check_in[0] > check_in[1] or (check_in[1] and not check_in[0])):
        _refuse("radio/check_in", "the shortest interval first, both above 0, or both 0", lines)
    if signal[0] > signal[1]:
        _refuse("radio/signal", "the weakest first, as in [-88, -45]", lines)
    total = sum(len(plan.label_ids or ()) or plan.labels for plan in read.gateways)
    if total > scenario.LABELS_MOST:
        _refuse("gateways", f"{total} labels, more than {scenario.LABELS_MOST}", lines)


def _convert(plain: object, kind: Any, path: str, lines: Mapping[str, int]) -> Any:
    try:
        return msgspec.convert(plain, kind, strict=True)
    except msgspec.ValidationError as exc:
        text = str(exc)
        found = _AT.search(text)
        inner = "/".join(
            name or number for name, number in _STEP.findall(found[1] if found else "")
        )
        where = "/".join(filter(None, (path, inner)))
        fix = _advise(text, where)
        _refuse(where, text[: found.start()] if found else text, lines, fix=fix)


def _advise(text: str, where: str) -> str | None:
    if unknown := _UNKNOWN.search(text):
        names = set(_TIMING) | {name for form in _forms() for name in form.__struct_fields__}
        return _nearest(unknown[1], names)
    if (no_button := _NO_BUTTON.search(text)) and where.rsplit("/", 1)[-1] in ("do", ""):
        return _nearest(no_button[1], {str(b.__struct_config__.tag) for b in _buttons()})
    return None


def _nearest(word: str, known: Iterable[str]) -> str | None:
    near = difflib.get_close_matches(word, sorted(known), 1)
    return f"Did you mean {near[0]}?" if near else None


def _forms() -> list[type[msgspec.Struct]]:
    return [*scenario.Form.__subclasses__(), *_buttons()]


def _buttons() -> tuple[type[buttons.Button], ...]:
    members: tuple[type[buttons.Button], ...] = AnyButton.__args__
    return members


def _plain(value: object, path: str, lines: Mapping[str, int]) -> Any:
    """Numbers become floats, and durations seconds."""
    match value:
        case JsonFraction():
            return float(value.text)
        case dict():
            return {
                key: _timed(inner, f"{path}/{key}".strip("/"), lines)
                if key in DURATIONS
                else _plain(inner, f"{path}/{key}".strip("/"), lines)
                for key, inner in value.items()
            }
        case list():
            return [_plain(inner, f"{path}/{n}", lines) for n, inner in enumerate(value)]
        case _:
            return value


def _timed(value: object, path: str, lines: Mapping[str, int]) -> Any:
    if isinstance(value, list):
        return [_timed(inner, f"{path}/{n}", lines) for n, inner in enumerate(value)]
    if isinstance(value, str) and value != "panel":
        found = _DURATION.fullmatch(value)
        if found is None:
            _refuse(path, "no duration", lines, fix="Write seconds, or 500ms, 40s, 10min, 2h, 3d.")
        return float(found[1]) * _SECONDS[found[2]]
    return _plain(value, path, lines)


def _refuse(path: str, detail: str, lines: Mapping[str, int], *, fix: str | None = None) -> Never:
    line = lines.get(path) or lines.get(path.rpartition("/")[0])
    where = f"line {line}: " if line else ""
    raise InvalidInput.at(f"/{path}" if path else "", f"{where}{detail}", fix=fix)
