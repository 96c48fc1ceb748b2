"""How the labels of a store do as devices."""

from collections import Counter
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection

from esl.domain.fleet import (
    BatteryTrend,
    Device,
    FleetState,
    Patience,
    battery_trend,
    fleet_state,
)
from esl.domain.ids import GatewayId, LabelId, StoreId
from esl.domain.place import Neutral, StorePolicy
from esl.domain.report import STAYS_FOR_A_PERSON
from esl.store import fleet, gateway_labels, places

TREND_OVER = timedelta(days=90)
"""How far back a battery's line is drawn: a cell's curve bends over longer times."""

_HEARD_LATELY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A label of the fleet and how it does."""

    device: Device
    state: FleetState
    battery: BatteryTrend | None


def patience_of(tx: Connection, store_id: StoreId, silent_after: timedelta) -> Patience:
    """Return how long a store waits for its labels."""
    policy = places.store_policies(tx)[store_id]
    return Patience(silent_after=silent_after, verdict_within=policy.verdict_within)


def put_policy(tx: Connection, store_id: StoreId, policy: StorePolicy, now: datetime) -> None:
    """Replace what a store does with labels in doubt.

    Labels that a person was to take off the shelf are due for their neutral face, if that is the
    policy from now on.
    """
    before = places.store_policies(tx, [store_id]).get(store_id)
    places.put_store_policy(tx, store_id, policy)
    if before is not None and before.neutral is not policy.neutral is Neutral.FACE:
        gateway_labels.take_up_store(tx, store_id, now, all_but=STAYS_FOR_A_PERSON)


def count_fleet(
    tx: Connection,
    store_id: StoreId,
    now: datetime,
    *,
    online: AbstractSet[GatewayId],
    silent_after: timedelta,
) -> dict[FleetState, int]:
    """Count a store's labels by state; states without labels count 0."""
    patience = patience_of(tx, store_id, silent_after)
    counts = Counter(
        fleet_state(d, now, online=d.gateway_id in online, patience=patience)
        for d in fleet.devices_of(tx, store_id)
    )
    return {state: counts[state] for state in FleetState}


def list_fleet(
    tx: Connection,
    store_id: StoreId,
    now: datetime,
    *,
    online: AbstractSet[GatewayId],
    silent_after: timedelta,
    state: FleetState | None = None,
    after: str = "",
    limit: int = 100,
) -> list[Member]:
    """List a store's labels by id with their states: all, or those in one state."""
    patience = patience_of(tx, store_id, silent_after)
    found = [
        (device, its_state)
        for device in fleet.devices_of(tx, store_id, after=after)
        if (
            its_state := fleet_state(
                device, now, online=device.gateway_id in online, patience=patience
            )
        )
        and state in (None, its_state)
    ][:limit]
    since = (now - TREND_OVER).date()
    batteries = fleet.batteries_of(tx, [device.label_id for device, _ in found], since=since)
    return [
        Member(
            device=device,
            state=its_state,
            battery=battery_trend(batteries.get(device.label_id, ())),
        )
        for device, its_state in found
    ]


def member_named(
    tx: Connection,
    store_id: StoreId,
    label_id: LabelId,
    now: datetime,
    *,
    online: AbstractSet[GatewayId],
    silent_after: timedelta,
) -> Member:
    """Say how one label does; it must exist."""
    device = fleet.device_named(tx, label_id)
    patience = patience_of(tx, store_id, silent_after)
    batteries = fleet.batteries_of(tx, [label_id], since=(now - TREND_OVER).date())
    return Member(
        device=device,
        state=fleet_state(device, now, online=device.gateway_id in online, patience=patience),
        battery=battery_trend(batteries.get(label_id, ())),
    )


def sample_batteries(tx: Connection, now: datetime) -> None:
    """Note the day's battery voltages; a second time on a day changes nothing."""
    for store in places.all_stores(tx):
        fleet.sample_batteries(tx, store.store_id, now.date(), since=now - _HEARD_LATELY)
