"""How a label does as a device, and how long its battery will last."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from esl.domain.fleet import (
    BatterySample,
    Device,
    FleetState,
    Patience,
    battery_trend,
    fleet_state,
)
from esl.domain.ids import GatewayId, LabelId
from tests.builders import NOON

PATIENCE = Patience(silent_after=timedelta(minutes=3), verdict_within=timedelta(minutes=15))
GOOD = Device(
    label_id=LabelId("l-1"),
    gateway_id=GatewayId("gw-1"),
    panel_id="bwry-296x128",
    paired=True,
    wanted_rev=7,
    sent_rev=7,
    settled_rev=7,
    shown_rev=7,
    attempts=0,
    due_at=None,
    wanted_at=NOON,
    problem=None,
    problem_detail=None,
    quarantine=False,
    refresh_failures=0,
    retired_at=None,
    seen_at=NOON,
    battery_mv=2900,
    temperature_c=21,
    rssi_dbm=-60,
    firmware="1",
)
WAITING = {"wanted_rev": 8, "due_at": NOON}


@pytest.mark.parametrize(
    ("changes", "state"),
    [
        ({}, FleetState.SYNCHRONISED),
        ({"paired": False}, FleetState.SYNCHRONISED),  # it shows the neutral face
        ({"paired": False, "wanted_rev": 0, "settled_rev": 0}, FleetState.UNASSOCIATED),
        ({"paired": False, "retired_at": NOON, "gateway_id": None}, FleetState.UNASSOCIATED),
        ({"gateway_id": None}, FleetState.UNREACHABLE),
        ({"seen_at": NOON - timedelta(minutes=4)}, FleetState.SILENT),
        ({"seen_at": None}, FleetState.SYNCHRONISED),
        ({"refresh_failures": 3}, FleetState.HARDWARE_FAULT),
        ({"refresh_failures": 2}, FleetState.SYNCHRONISED),
        (WAITING, FleetState.UPDATING),
        (WAITING | {"sent_rev": 8, "attempts": 1}, FleetState.UPDATING),
        (WAITING | {"sent_rev": 8, "attempts": 2}, FleetState.STRUGGLING),
        (WAITING | {"shown_rev": 0, "settled_rev": 0}, FleetState.CONFIGURING),
        (WAITING | {"problem": "insufficient_battery"}, FleetState.UNSYNCHRONISED),
        (WAITING | {"wanted_at": NOON - timedelta(minutes=15)}, FleetState.UNSYNCHRONISED),
        ({"quarantine": True, "gateway_id": None}, FleetState.QUARANTINED),
    ],
)
def test_a_device_is_in_the_first_state_that_holds(
    changes: dict[str, object], state: FleetState
) -> None:
    device = replace(GOOD, **changes)  # type: ignore[arg-type]
    assert fleet_state(device, NOON, online=True, patience=PATIENCE) is state


def test_a_device_below_a_gateway_that_is_away_is_unreachable() -> None:
    assert fleet_state(GOOD, NOON, online=False, patience=PATIENCE) is FleetState.UNREACHABLE


def samples(*millivolts: int, every: int = 1) -> list[BatterySample]:
    first = date(2026, 1, 1)
    return [
        BatterySample(on_day=first + timedelta(days=n * every), millivolts=mv, temperature_c=21)
        for n, mv in enumerate(millivolts)
    ]


def test_a_falling_battery_says_how_long_it_lasts() -> None:
    trend = battery_trend(samples(3000, 2990, 2980, 2970, 2960, every=5))
    assert trend is not None
    assert trend.per_day_mv == pytest.approx(-2)
    assert trend.days_left == 280


@pytest.mark.parametrize(
    "known",
    [
        samples(3000),
        samples(3000, 2900, 2800),  # three days are no trend
        samples(3000, 3000, 3000, 3000, every=7),
        samples(2900, 2950, 3000, 3000, every=7),  # a new battery
    ],
)
def test_a_battery_that_does_not_fall_or_is_hardly_known_foretells_nothing(
    known: list[BatterySample],
) -> None:
    trend = battery_trend(known)
    assert trend is not None
    assert trend.days_left is None
    assert trend.millivolts == known[-1].millivolts


def test_without_samples_there_is_no_trend() -> None:
    assert battery_trend([]) is None


def test_a_cold_night_is_no_sign_of_an_empty_battery() -> None:
    warm = samples(*[3000 - n for n in range(20)])
    cold = replace(warm[-1], millivolts=2500, temperature_c=-5, on_day=date(2026, 1, 21))
    with_cold, without = battery_trend([*warm, cold]), battery_trend(warm)
    assert with_cold is not None
    assert without is not None
    assert with_cold.per_day_mv == without.per_day_mv
    assert with_cold.days_left == without.days_left
