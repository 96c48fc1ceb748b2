"""Between the truth and the road: what is due, what was told, what came back.

The dispatcher calls `claim`, `load`, `load_templates`, `record`; the inbox calls `take_in` of
`esl.services.reports`. Nothing here knows pixels or MQTT.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from sqlalchemy import Connection

from esl.domain.ids import Digest, GatewayId, LabelId, PanelId
from esl.domain.template import TemplateRef, TemplateSource
from esl.store import deliveries, due_labels, labels, places, templates
from esl.store.deliveries import Sending
from esl.store.due_labels import DueLabel
from esl.store.revisions import take_revision

__all__ = [
    "DueLabel",
    "Plan",
    "Recorded",
    "Sending",
    "claim",
    "load",
    "load_templates",
    "record",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What the dispatcher decided for a batch of claimed labels.

    ``renewed`` are labels whose ``wanted_rev`` was sent before as another picture: a revision
    names one picture for ever, so they need a new one. Their sendings carry the revision that
    was wanted when the truth was read.
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
    return due_labels.load_due(tx, label_ids)


def load_templates(
    tx: Connection, refs: Iterable[TemplateRef]
) -> dict[TemplateRef, TemplateSource]:
    """Load templates of stores, in the same read as the labels; what is gone is left out."""
    return templates.template_sources(tx, refs)


def record(
    tx: Connection, plan: Plan, counters: Mapping[GatewayId, int], now: datetime
) -> Recorded:
    """Write a plan down before anything of it is said.

    ``counters`` is how many signed payloads are about to leave for each gateway.
    """
    sendings = _renew(tx, plan, now) if plan.renewed else list(plan.sendings)
    deliveries.record_sendings(tx, sendings, plan.pictures, now)
    deliveries.settle_unchanged(tx, plan.unchanged)
    deliveries.record_refusals(tx, plan.refused)
    first = {
        gateway_id: places.take_counters(tx, gateway_id, count)
        for gateway_id, count in counters.items()
        if count > 0
    }
    return Recorded(sendings=tuple(sendings), first_counter=first)


def _renew(tx: Connection, plan: Plan, now: datetime) -> list[Sending]:
    """Give the renewed labels a new revision, and their sendings with it.

    Only where the label still wants what was read: a change that was committed since has raised
    ``wanted_rev``, and a still newer revision of ours would put the old price over it. Such a
    label is due already and is left out.
    """
    renewed = set(plan.renewed)
    locked = labels.labels_by_id(tx, plan.renewed, lock=True)
    still = {
        s.label_id
        for s in plan.sendings
        if s.label_id in renewed and locked[s.label_id].wanted_rev == s.rev
    }
    rev = 0
    if still:
        rev = take_revision(tx)
        labels.want(tx, still, rev, now, lane=min(locked[x].lane for x in still))
    return [
        replace(s, rev=rev) if s.label_id in still else s
        for s in plan.sendings
        if s.label_id in still or s.label_id not in renewed
    ]
