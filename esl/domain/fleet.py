"""How each label does as a device: the states of a fleet, and how long its battery will last.

States are computed, never stored; the first that holds, in this order:

=============== ==================================================================================
quarantined     two labels use one id: nothing is sent until one of them is gone
unassociated    speaks for nothing and was never told anything, or has left the shop
unreachable     its gateway is away, or no gateway has heard it
silent          its gateway lives, but it has missed several beacons
hardware_fault  its glass failed to refresh several times in a row
unsynchronised  shows something else than it should, and was given up or ran out of time
configuring     was told something, and has never yet confirmed anything
struggling      sent more than once, no answer yet
updating        something new is on its way
synchronised    shows what it should
=============== ==================================================================================

Five of them are those of the Bluetooth ESL profile (unassociated, configuring, synchronised,
updating, unsynchronised); what it leaves to the maker has names of its own.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from esl.domain.ids import GatewayId, LabelId

REFRESH_FAILURES_MOST = 3
"""Refreshes that fail in a row before the glass is held to be broken (reliability F35)."""

BEACONS_MISSED_MOST = 3
"""Beacons a label may miss before it is silent (reliability F34)."""

EMPTY_MV = 2_400
"""Two lithium coin cells in parallel: below this a refresh begins to fail."""

_SAMPLES_LEAST = 4
_SPAN_LEAST_DAYS = 7
_DAYS_MOST = 3_650


class FleetState(StrEnum):
    """How a label does as a device."""

    QUARANTINED = "quarantined"
    UNASSOCIATED = "unassociated"
    UNREACHABLE = "unreachable"
    SILENT = "silent"
    HARDWARE_FAULT = "hardware_fault"
    UNSYNCHRONISED = "unsynchronised"
    CONFIGURING = "configuring"
    STRUGGLING = "struggling"
    UPDATING = "updating"
    SYNCHRONISED = "synchronised"


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """What is known of a label as a device."""

    label_id: LabelId
    gateway_id: GatewayId | None
    panel_id: str
    paired: bool
    wanted_rev: int
    sent_rev: int
    settled_rev: int
    shown_rev: int
    attempts: int
    due_at: datetime | None
    wanted_at: datetime | None
    problem: str | None
    problem_detail: str | None
    quarantine: bool
    refresh_failures: int
    retired_at: datetime | None
    seen_at: datetime | None
    battery_mv: int | None
    temperature_c: int | None
    rssi_dbm: int | None
    firmware: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long a fleet is waited for: till a label is silent, and till an update has failed."""

    silent_after: timedelta
    verdict_within: timedelta


def fleet_state(device: Device, now: datetime, *, online: bool, patience: Patience) -> FleetState:  # noqa: PLR0911  a table, as above
    """Name the state a label is in; ``online`` says whether its gateway lives."""
    d = device
    if d.quarantine:
        return FleetState.QUARANTINED
    is_settled = d.settled_rev >= d.wanted_rev and d.due_at is None and d.problem is None
    if not d.paired and (d.wanted_rev == 0 or (d.retired_at is not None and d.gateway_id is None)):
        return FleetState.UNASSOCIATED
    if d.gateway_id is None or not online:
        return FleetState.UNREACHABLE
    if d.seen_at is not None and now - d.seen_at > patience.silent_after:
        return FleetState.SILENT
    if d.refresh_failures >= REFRESH_FAILURES_MOST:
        return FleetState.HARDWARE_FAULT
    if is_settled:
        return FleetState.SYNCHRONISED
    is_late = d.wanted_at is not None and now - d.wanted_at >= patience.verdict_within
    if d.problem is not None or is_late:
        return FleetState.UNSYNCHRONISED
    if d.attempts > 1 and d.sent_rev >= d.wanted_rev:
        return FleetState.STRUGGLING
    return FleetState.UPDATING if d.shown_rev > 0 else FleetState.CONFIGURING


@dataclass(frozen=True, slots=True, kw_only=True)
class BatterySample:
    """A battery's voltage on a day, at the temperature of that moment if it is known."""

    on_day: date
    millivolts: int
    temperature_c: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BatteryTrend:
    """Where a battery is heading; ``days_left`` None where nothing falls or too little is known."""

    millivolts: int
    per_day_mv: float | None
    days_left: int | None


def battery_trend(samples: Sequence[BatterySample]) -> BatteryTrend | None:
    """Fit a line through a battery's samples; None without any.

    A cold cell reads low: samples far from the usual temperature are left out. The line is that
    of least squares, and a week of it is the least that means anything.
    """
    if not samples:
        return None
    ordered = sorted(samples, key=lambda s: s.on_day)
    latest = ordered[-1].millivolts
    used = _at_usual_temperature(ordered)
    first = used[0].on_day
    days = [(s.on_day - first).days for s in used]
    if len(used) < _SAMPLES_LEAST or days[-1] < _SPAN_LEAST_DAYS:
        return BatteryTrend(millivolts=latest, per_day_mv=None, days_left=None)
    middle_day = sum(days) / len(days)
    middle_mv = sum(s.millivolts for s in used) / len(used)
    over = sum(
        (d - middle_day) * (s.millivolts - middle_mv) for d, s in zip(days, used, strict=True)
    )
    slope = over / sum((d - middle_day) ** 2 for d in days)
    if slope >= 0:
        return BatteryTrend(millivolts=latest, per_day_mv=slope, days_left=None)
    level = middle_mv + slope * (days[-1] - middle_day)
    left = max(0, min(_DAYS_MOST, int((EMPTY_MV - level) / slope)))
    return BatteryTrend(millivolts=latest, per_day_mv=slope, days_left=left)


_TEMPERATURES_APART_C = 6


def _at_usual_temperature(samples: Sequence[BatterySample]) -> Sequence[BatterySample]:
    known = sorted(s.temperature_c for s in samples if s.temperature_c is not None)
    if not known:
        return samples
    usual = known[len(known) // 2]
    kept = [
        s
        for s in samples
        if s.temperature_c is None or abs(s.temperature_c - usual) <= _TEMPERATURES_APART_C
    ]
    return kept or samples
