"""A scenario file becomes a `Scenario`, or an error that names line, field and fix.

YAML is read as strictly as templates are: no tags, no key twice, ``no`` is a text. Durations are
numbers of seconds, or 500ms, 40s, 10min, 2h, 3d.

All mistakes are told at once: what is wrong is noted and taken out, and the rest is read again.
"""

import difflib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from esl.domain.errors import FieldProblem, InvalidInput
from esl.intake.strict_json import JsonFraction
from esl.intake.yaml_text import read_yaml
from gateway.wire.fields import Positive
from simulator import buttons, scenario
from simulator.buttons import AnyButton
from simulator.options import LEVELS, PROFILES
from simulator.scenario import DURATIONS, Event, GatewayPlan, Scenario

MISTAKES_MOST = 50
"""Mistakes that are told of a file."""

_DURATION = re.compile(r"(-?[0-9]{1,9}(?:\.[0-9]{1,6})?) ?(ms|s|min|h|d)")
_SECONDS = {"ms": 0.001, "s": 1.0, "min": 60.0, "h": 3600.0, "d": 86_400.0}
_TIMING = ("after", "every", "times")
_AT = re.compile(r" - at `\$(.*)`$")
_STEP = re.compile(r"\.([A-Za-z_]+)|\[([0-9]+)\]")
_UNKNOWN = re.compile(r"unknown field `([^`]*)`")
_NO_CHOICE = re.compile(r"Invalid enum value '([^']*)'")
_CHOICES = (*LEVELS, *PROFILES, "panel")
_MISSING = re.compile(r"missing required field `([^`]*)`")
_TOO_MANY = "One process takes 30000: write the others into a scenario of their own."
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
    mistakes = _Mistakes(document.lines)
    plain = _plain(document.data, "", mistakes)
    parts = _take_parts(plain, "gateways", GatewayPlan, mistakes)
    read = _convert(plain, Scenario, "", mistakes)
    if read is not None:
        if parts is not None and all(part is not None for part in parts):
            read = msgspec.structs.replace(read, gateways=parts)
            _check(read, mistakes)
        events = [
            _read_event(entry, f"events/{n}", mistakes) for n, entry in enumerate(read.events)
        ]
    mistakes.refuse()
    return ReadScenario(read, tuple(sorted(events, key=lambda event: event.after)))


def shipped_scenarios() -> dict[str, Path]:
    """Name the scenario files that come along."""
    folder = Path(__file__).parent / "scenarios"
    return {path.stem: path for path in sorted(folder.glob("*.yaml"))}


def read_button(text: bytes) -> AnyButton:
    """Read a button from JSON.

    Raises:
        InvalidInput: It is none.
    """
    try:
        plain = msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise InvalidInput.at("", "not JSON") from None
    mistakes = _Mistakes({})
    button: AnyButton = _convert(plain, AnyButton, "", mistakes, most=1)
    mistakes.refuse()
    return button


@dataclass(slots=True)
class _Mistakes:
    """What is wrong with a file so far; ``taken_out`` are paths that were removed for it."""

    lines: Mapping[str, int]
    found: list[FieldProblem] = field(default_factory=list)
    taken_out: set[str] = field(default_factory=set)

    def note(self, path: str, detail: str, fix: str | None = None) -> None:
        line = self.lines.get(path) or self.lines.get(path.rpartition("/")[0])
        where = f"line {line}: " if line else ""
        at = f"/{path}" if path else ""
        self.found.append(FieldProblem(path=at, detail=f"{where}{detail}", fix=fix))

    def refuse(self) -> None:
        """Raise what was found, in the order of the lines."""
        if self.found:
            in_order = sorted(self.found, key=lambda one: self.lines.get(one.path[1:], 0))
            raise InvalidInput(in_order[:MISTAKES_MOST])


def _read_event(entry: Mapping[str, Any], path: str, mistakes: _Mistakes) -> Event:
    timing = {name: entry[name] for name in _TIMING if name in entry}
    rest = {name: value for name, value in entry.items() if name not in _TIMING}
    timed = _convert(timing, _Timing, path, mistakes)
    # What a button needs hangs together: without what is wrong in it, it would be wrong again.
    button = _convert(rest, AnyButton, path, mistakes, most=1)
    if timed is None or button is None:
        return Event(after=0.0, button=buttons.GatewayOff())  # never seen: it is refused
    return Event(after=timed.after, every=timed.every, times=timed.times, button=button)


def _take_parts(plain: Any, name: str, kind: Any, mistakes: _Mistakes) -> list[Any] | None:
    """Read the entries of a list one by one; a stand-in takes their place in the whole."""
    entries = plain.get(name) if isinstance(plain, dict) else None
    if not isinstance(entries, list) or not entries:
        return None  # the whole says what is wrong with it
    plain[name] = [{"enrolment": "a stand-in"}]
    return [_convert(entry, kind, f"{name}/{n}", mistakes) for n, entry in enumerate(entries)]


class _Timing(scenario.Form, frozen=True):
    after: scenario.Seconds
    every: scenario.SomeSeconds | None = None
    times: Positive | None = None


def _check(read: Scenario, mistakes: _Mistakes) -> None:
    """What single fields cannot say."""
    check_in, signal = read.radio.check_in, read.radio.signal
    if check_in is not None and (check_in[0] > check_in[1] or (check_in[1] and not check_in[0])):
        mistakes.note("radio/check_in", "the shortest interval first, both above 0, or both 0")
    if signal[0] > signal[1]:
        mistakes.note("radio/signal", "the weakest first, as in [-88, -45]")
    total = sum(len(plan.label_ids or ()) or plan.labels for plan in read.gateways)
    if total > scenario.LABELS_MOST:
        mistakes.note(
            "gateways", f"{total} labels, more than {scenario.LABELS_MOST}", fix=_TOO_MANY
        )


def _convert(
    plain: Any, kind: Any, path: str, mistakes: _Mistakes, *, most: int = MISTAKES_MOST
) -> Any:
    """Convert, noting mistakes; None if too little is left."""
    for _ in range(most):
        try:
            return msgspec.convert(plain, kind, strict=True)
        except msgspec.ValidationError as exc:
            found = _AT.search(text := str(exc))
            steps = [a or b for a, b in _STEP.findall(found[1] if found else "")]
            detail = text[: found.start()] if found else text
            if not _take_out(plain, steps, detail, path, mistakes):
                break
    return None


def _take_out(plain: Any, steps: list[str], detail: str, path: str, mistakes: _Mistakes) -> bool:
    """Note what is wrong and remove it; False if nothing can be removed."""
    where = "/".join(filter(None, (path, *steps)))
    missing = _MISSING.search(detail)
    if missing is None or f"{where}/{missing[1]}".strip("/") not in mistakes.taken_out:
        mistakes.note(where, detail, fix=_advise(detail, where))
    if unknown := _UNKNOWN.search(detail):
        steps = [*steps, unknown[1]]
    holder = plain
    for n, step in enumerate(steps):
        if not isinstance(holder, dict) or step not in holder:
            return False
        if n == len(steps) - 1 or not isinstance(holder[step], dict):
            del holder[step]
            mistakes.taken_out.add("/".join(filter(None, (path, *steps[: n + 1]))))
            return True
        holder = holder[step]
    return False


def _advise(text: str, where: str) -> str | None:
    if unknown := _UNKNOWN.search(text):
        names = set(_TIMING) | {name for form in _forms() for name in form.__struct_fields__}
        return _nearest(unknown[1], names)
    if (no_button := _NO_BUTTON.search(text)) and where.rsplit("/", 1)[-1] in ("do", ""):
        return _nearest(no_button[1], {str(b.__struct_config__.tag) for b in _buttons()})
    if word := _NO_CHOICE.search(text):
        return _nearest(word[1], _CHOICES)
    if where.endswith("/labels") and str(scenario.LABELS_MOST) in text:
        return _TOO_MANY
    return None


def _nearest(word: str, known: Iterable[str]) -> str | None:
    near = difflib.get_close_matches(word, sorted(known), 1)
    return f"Did you mean {near[0]}?" if near else None


def _forms() -> list[type[msgspec.Struct]]:
    return [*scenario.Form.__subclasses__(), *_buttons()]


def _buttons() -> tuple[type[buttons.Button], ...]:
    members: tuple[type[buttons.Button], ...] = AnyButton.__args__
    return members


def _plain(value: object, path: str, mistakes: _Mistakes) -> Any:
    """Numbers become floats, and durations seconds; what is no duration is noted and left out."""
    match value:
        case JsonFraction():
            return float(value.text)
        case dict():
            found = {}
            for key, inner in value.items():
                inside = f"{path}/{key}".strip("/")
                before = len(mistakes.found)
                read = (_timed if key in DURATIONS else _plain)(inner, inside, mistakes)
                if key in DURATIONS and len(mistakes.found) > before:
                    mistakes.taken_out.add(inside)
                else:
                    found[key] = read
            return found
        case list():
            return [_plain(inner, f"{path}/{n}", mistakes) for n, inner in enumerate(value)]
        case _:
            return value


def _timed(value: object, path: str, mistakes: _Mistakes) -> Any:
    if isinstance(value, list):
        return [_timed(inner, f"{path}/{n}", mistakes) for n, inner in enumerate(value)]
    if isinstance(value, str) and value != "panel":
        found = _DURATION.fullmatch(value)
        if found is None:
            mistakes.note(path, "no duration", fix="Write seconds, or 500ms, 40s, 10min, 2h, 3d.")
            return None
        return float(found[1]) * _SECONDS[found[2]]
    return _plain(value, path, mistakes)
