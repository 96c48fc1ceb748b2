"""Scenario files: typed, checked, and wrong ones told with line and fix."""

from pathlib import Path

import pytest

from esl.domain.errors import InvalidInput
from gateway.wire.failures import FailureCode
from simulator.buttons import GatewayOff, LabelDies
from simulator.options import FIELD, FIELD_RADIO, GatewayOptions
from simulator.scenario_text import read_button, read_scenario

TEXT = """\
scenario: 1
title: A bad morning
profile: field
seed: 7
gateways:
  - {enrolment: aisle-1.json, labels: 200, level: staged, clock_skew: -2s}
  - {enrolment: aisle-2.json}
radio: {loss: 0.02, check_in: [20s, 1min]}
labels: {rest: 3min, beacon: 90, celsius: 4}
firmware: {index_error: 6, answers_update: no}
events:
  - {after: 5min, every: 1h, times: 3, do: label_dies, share: 0.1}
  - {after: 30s, do: gateway_off, gateway: aisle-1}
"""
SHIPPED = sorted(Path("simulator/scenarios").glob("*.yaml"))


def test_what_is_said_changes_the_profile_and_nothing_else() -> None:
    read = read_scenario(TEXT.replace("answers_update: no", "answers_update: false")).scenario

    one, two = (read.own_options(plan) for plan in read.gateways)

    assert (one.level, one.clock_skew_s, two.level) == ("staged", -2.0, "full")
    assert (two.rest_s, two.beacon_s, two.paint_s) == (180.0, 90.0, None)
    assert (two.radio.loss, two.radio.check_in_s) == (0.02, (20.0, 60.0))
    assert two.radio.bytes_per_s == FIELD_RADIO.bytes_per_s
    assert two.quirks.index_error is FailureCode.INVALID_PARAMETERS
    assert two.label_timeout_s == FIELD.label_timeout_s


def test_events_come_in_the_order_of_their_times() -> None:
    events = read_scenario(TEXT.replace("answers_update: no", "answers_update: true")).events

    assert [event.after for event in events] == [30.0, 300.0]
    assert events[0].button == GatewayOff(gateway="aisle-1")
    assert (events[1].button, events[1].every, events[1].times) == (LabelDies(share=0.1), 3600.0, 3)


def test_a_scenario_that_is_too_large_is_called_a_scenario() -> None:
    with pytest.raises(InvalidInput) as refused:
        read_scenario("# " + "x" * 70_000)
    assert refused.value.problems[0].fix == "Split it into several scenarios."


def test_the_least_scenario_is_a_shop_that_does_everything_at_once() -> None:
    read = read_scenario("scenario: 1\ngateways: [{enrolment: a.json}]\n")

    assert read.scenario.options() == GatewayOptions()
    assert read.events == ()


BASE = TEXT.replace("answers_update: no", "answers_update: true")


@pytest.mark.parametrize(
    ("old", "new", "path", "line", "fix"),
    [
        ("loss:", "los:", "/radio", 8, "Did you mean loss?"),
        ("gateway_off", "gateway_of", "/events/1/do", 13, "Did you mean gateway_off?"),
        ("1min]", "one minute]", "/radio/check_in/1", 8, "Write seconds, or 500ms"),
        ("labels: 200", "labels: many", "/gateways/0/labels", 6, None),
        ("share: 0.1", "sahre: 0.1", "/events/0", 12, "Did you mean share?"),
        ("share: 0.1", "share: 1.1", "/events/0/share", 12, None),
        (", share: 0.1", "", "/events/0", 12, None),
        ("share: 0.1", "share: 0.1, label: x", "/events/0", 12, None),
        ("scenario: 1", "scenario: 2", "/scenario", 1, None),
        ("[20s, 1min]", "[1min, 20s]", "/radio/check_in", 8, None),
        ("after: 30s, ", "", "/events/1", 13, None),
        ("level: staged", "level: bronze", "/gateways/0/level", 6, None),
        ("answers_update: true", "answers_update: no", "/firmware/answers_update", 10, None),
        ("index_error: 6", "index_error: 5", "/firmware/index_error", 10, None),
        ("profile: field", "profile: moon", "/profile", 3, None),
        ("labels: 200", "labels: 30001", "/gateways/0/labels", 6, "One process takes 30000"),
        ("labels: 200", "labels: 30000", "/gateways", 6, "One process takes 30000"),
        ("times: 3", "times: 0", "/events/0/times", 12, None),
    ],
)
def test_a_mistake_is_told_with_its_line_and_what_to_write(
    old: str, new: str, path: str, line: int, fix: str | None
) -> None:
    assert old in BASE

    with pytest.raises(InvalidInput) as raised:
        read_scenario(BASE.replace(old, new, 1))

    (problem,) = raised.value.problems
    assert problem.path == path
    assert problem.detail.startswith(f"line {line}: ")
    assert (problem.fix or "").startswith(fix or "")
    assert fix is None or problem.fix is not None


def test_all_mistakes_are_told_at_once_in_the_order_of_their_lines() -> None:
    wrong = BASE
    for old, new in [
        ("profile: field", "profile: feild"),
        ("level: staged, clock_skew: -2s", "levle: staged, clock_skew: soon"),
        ("{enrolment: aisle-2.json}", "{labels: 3}"),
        ("loss: 0.02, check_in: [20s, 1min]", "los: 0.02, check_in: [20s, one]"),
        ("rest: 3min, beacon: 90", "rest: 3 minutes, beacon: 0"),
        ("do: label_dies, share: 0.1", "do: label_dise, share: 0.1"),
        ("after: 30s, do", "after: soon, do"),
    ]:
        assert old in wrong
        wrong = wrong.replace(old, new)
    with pytest.raises(InvalidInput) as raised:
        read_scenario(wrong)
    told = [(p.path, p.detail.split(":")[0]) for p in raised.value.problems]
    assert told == [
        ("/profile", "line 3"),
        ("/gateways/0/clock_skew", "line 6"),
        ("/gateways/0", "line 6"),
        ("/gateways/1", "line 7"),
        ("/radio/check_in/1", "line 8"),
        ("/radio", "line 8"),
        ("/labels/rest", "line 9"),
        ("/labels/beacon", "line 9"),
        ("/events/0/do", "line 12"),
        ("/events/1/after", "line 13"),
    ]
    fixes = {p.path: p.fix for p in raised.value.problems}
    assert fixes["/gateways/0"] == "Did you mean level?"
    assert fixes["/radio"] == "Did you mean loss?"
    assert fixes["/profile"] == "Did you mean field?"
    assert fixes["/events/0/do"] == "Did you mean label_dies?"


@pytest.mark.parametrize("text", ["", "[", "7", "[]", "scenario: 1", "a: &x [*x]", "\x00"])
def test_what_is_no_scenario_at_all_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput):
        read_scenario(text)


@pytest.mark.parametrize("text", [b"", b"{", b"[]", b"{}", b'{"do": 7}', b"\xff", b"[" * 5_000])
def test_what_is_no_button_is_refused(text: bytes) -> None:
    with pytest.raises(InvalidInput):
        read_button(text)


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_the_scenarios_we_ship_can_be_read(path: Path) -> None:
    read = read_scenario(path.read_text())

    assert read.scenario.title
    assert read.scenario.gateways


def test_there_are_scenarios_to_ship() -> None:
    assert len(SHIPPED) >= 3
