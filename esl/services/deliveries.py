"""Between the truth and the road: what is due, what was told, what came back.

The dispatcher calls `claim`, `load`, `record`; the inbox calls `take_in` of
`esl.services.reports`. Nothing here knows pixels or MQTT.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import Connection

from esl.domain.ids import Digest, GatewayId, LabelId, PanelId
from esl.store import deliveries, labels, places
from esl.store.deliveries import DueLabel, Sending
from esl.store.revisions import take_revision

__all__ = ["DueLabel", "Plan", "Recorded", "Sending", "claim", "load", "record"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What the dispatcher decided for a batch of claimed labels.

    ``renewed`` are labels whose ``wanted_rev`` was sent before as another picture: a revision
    names one picture for ever, so they need a new one.
    """

    sendings: Sequence[Sending] = ()
    renewed: Sequence[LabelId] = ()
    pictures: Mapping[Digest, tuple[PanelId, bytes]] = field(default_factory=dict)
    unchanged: Sequence[tuple[LabelId, int, Digest]] = ()
    refused: Sequence[tuple[LabelId, int, str, str]] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """What a plan became when it was written down.

    ``first_counter`` is the first of the signed payloads' counters reserved for each gateway.
    """

    sendings: tuple[Sending, ...]
    first_counter: Mapping[GatewayId, int]


def claim(
    tx: Connection,
    free: Mapping[GatewayId, int],
    now: datetime,
    *,
    most: int,
    patience: timedelta,
) -> list[LabelId]:
    """Claim due labels: ``most`` in all, at most ``free[gateway]`` of each gateway.

    Gateways are served in the mapping's order; whoever makes it sees to fairness.
    """
    claimed: list[LabelId] = []
    for gateway_id, room in free.items():
        limit = min(room, most - len(claimed))
        if limit <= 0:
            break
        claimed.extend(deliveries.claim_due(tx, gateway_id, now, limit=limit, patience=patience))
    return claimed


def load(tx: Connection, label_ids: Sequence[LabelId]) -> list[DueLabel]:
    """Load the truth for claimed labels, in one consistent read."""
    return deliveries.load_due(tx, label_ids)


def record(
    tx: Connection, plan: Plan, counters: Mapping[GatewayId, int], now: datetime
) -> Recorded:
    """Write a plan down before anything of it is said.

    ``counters`` is how many signed payloads are about to leave for each gateway.
    """
    sendings = list(plan.sendings)
    if plan.renewed:
        locked = labels.labels_by_id(tx, plan.renewed, lock=True)
        rev = take_revision(tx)
        labels.want(tx, locked, rev, now, lane=min(s.lane for s in locked.values()))
        renewed = set(plan.renewed)
        sendings = [
            Sending(
                label_id=s.label_id,
                gateway_id=s.gateway_id,
                rev=rev if s.label_id in renewed else s.rev,
                digest=s.digest,
                due_at=s.due_at,
            )
            for s in sendings
        ]
    deliveries.record_sendings(tx, sendings, plan.pictures, now)
    deliveries.settle_unchanged(tx, plan.unchanged)
    deliveries.record_refusals(tx, plan.refused)
    first = {
        gateway_id: places.take_counters(tx, gateway_id, count)
        for gateway_id, count in counters.items()
        if count > 0
    }
    return Recorded(sendings=tuple(sendings), first_counter=first)
