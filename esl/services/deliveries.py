"""Between the truth and the road: what is due, what was told, what came back.

The dispatcher calls `peek`, `claim`, `load`, `load_templates`, `base_frames`, `record`, and
`release` for what did not leave; the inbox calls `take_in` of `esl.services.reports`. Nothing
here knows pixels or MQTT.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Connection

from esl.domain.ids import Digest, GatewayId, LabelId
from esl.domain.template import TemplateRef, TemplateSource
from esl.services.neutral import note_refusals
from esl.store import deliveries, due_labels, frames, labels, places, templates
from esl.store.deliveries import DueCount, Sending, Share
from esl.store.due_labels import DueLabel
from esl.store.frames import StoredFrame
from esl.store.revisions import take_revision

__all__ = [
    "DueCount",
    "DueLabel",
    "Plan",
    "Recorded",
    "Sending",
    "Share",
    "StoredFrame",
    "base_frames",
    "claim",
    "load",
    "load_templates",
    "peek",
    "record",
    "release",
    "some_labels",
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
    pictures: Mapping[Digest, StoredFrame] = field(default_factory=dict)
    unchanged: Sequence[tuple[LabelId, int, Digest]] = ()
    refused: Sequence[tuple[LabelId, int, str, str]] = ()
    replaced: Sequence[tuple[LabelId, int, str, str]] = ()  # drawn as a neutral face instead


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """What a plan became when it was written down.

    ``sendings`` are those that may leave: recorded, and issued as their picture.
    ``first_counter`` is the first of the signed payloads' counters reserved for each gateway.
    """

    sendings: tuple[Sending, ...]
    first_counter: Mapping[GatewayId, int]


def peek(tx: Connection, now: datetime) -> list[DueCount]:
    """Count what is due, by gateway and lane. It only reads: an idle house writes nothing."""
    return deliveries.count_due(tx, now)


def claim(
    tx: Connection, shares: Sequence[Share], now: datetime, *, until: datetime
) -> list[LabelId]:
    """Claim due labels, of each gateway its share; they are due again at ``until``.

    Of a gateway the most urgent lanes and the oldest first. Whoever makes the shares sees to
    order and fairness between gateways.
    """
    claimed: list[LabelId] = []
    for share in shares:
        claimed += deliveries.claim_due(tx, share.gateway_id, now, limit=share.most, until=until)
    return claimed


def load(tx: Connection, label_ids: Sequence[LabelId]) -> list[DueLabel]:
    """Load the truth for claimed labels, in one consistent read."""
    return due_labels.load_due(tx, label_ids)


def some_labels(tx: Connection) -> list[LabelId]:
    """Name labels whose pictures are like those of most others: two of each panel model."""
    return deliveries.labels_of_each_panel(tx)


def load_templates(
    tx: Connection, refs: Iterable[TemplateRef]
) -> dict[TemplateRef, TemplateSource]:
    """Load templates of stores, in the same read as the labels; what is gone is left out."""
    return templates.template_sources(tx, refs)


def base_frames(tx: Connection, digests: Iterable[Digest]) -> dict[Digest, StoredFrame]:
    """Load frames that deltas may be made to, as they are kept; what is gone is left out."""
    return frames.frames_by_digest(tx, digests)


def record(
    tx: Connection, plan: Plan, counters: Mapping[GatewayId, int], now: datetime
) -> Recorded:
    """Write a plan down before anything of it is said.

    ``counters`` is how many signed payloads are about to leave for each gateway.
    """
    sendings = _renew(tx, plan, now) if plan.renewed else list(plan.sendings)
    frames.keep_frames(tx, plan.pictures, now)
    sendings = deliveries.record_sendings(tx, sendings, now)
    deliveries.settle_unchanged(tx, plan.unchanged)
    deliveries.record_refusals(tx, plan.refused)
    if plan.refused or plan.replaced:
        now_wanted = {s.label_id: s.rev for s in sendings} if plan.renewed else {}
        replaced = [(r[0], now_wanted.get(r[0], r[1]), *r[2:]) for r in plan.replaced]
        note_refusals(tx, refused=plan.refused, replaced=replaced, now=now)
    first = places.take_counters(tx, counters)
    return Recorded(sendings=tuple(sendings), first_counter=first)


def release(tx: Connection, label_ids: Iterable[LabelId], due_at: datetime) -> None:
    """Take back that labels were sent something, as far as time goes: it never left.

    What was issued stays issued. A label that is settled, or due sooner, stays as it is.
    """
    deliveries.release_labels(tx, label_ids, due_at)


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
        s._replace(rev=rev) if s.label_id in still else s
        for s in plan.sendings
        if s.label_id in still or s.label_id not in renewed
    ]
