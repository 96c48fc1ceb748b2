"""What is claimed, and what was issued: rows in and out, in batches only."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import itemgetter
from typing import Final, NamedTuple

from sqlalchemy import Connection, func, select, update

from esl.domain.ids import Digest, GatewayId, LabelId, PanelId
from esl.domain.label import Lane
from esl.store.bulk import CLAIM, ISSUED_AS, PEEK, RECORD_LABELS, Bulk
from esl.store.columns import instant_text
from esl.store.tables import frames, issued, labels
from esl.store.upsert import in_batches

DETAIL_LONGEST = 300
"""Characters of a problem's detail that a label's row holds."""


class Sending(NamedTuple):
    """A picture about to be sent: which label is told to show what, and until when we wait."""

    label_id: LabelId
    gateway_id: GatewayId
    rev: int
    digest: Digest
    due_at: datetime
    template: str = ""  # what it was drawn with: "promotion", "own@3"
    encoding: str = "zlib"  # as it travels to this label
    bytes: int = 0  # of picture data that travel


@dataclass(frozen=True, slots=True, kw_only=True)
class DueCount:
    """So many labels of a gateway are due in a lane."""

    gateway_id: GatewayId
    lane: Lane
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """How many labels of a gateway to claim."""

    gateway_id: GatewayId
    most: int


_TOLD = (0, 2, 3, 1, 5, 6, 7)
"""Places of a `Sending` that make a row of ``issued``: all but when it is due again."""

_ISSUE: Final = Bulk(
    """
    INSERT INTO issued
        (label_id, rev, digest, gateway_id, template, encoding, bytes, issued_at)
    SELECT j.value->>0, CAST(j.value->>1 AS bigint), j.value->>2, j.value->>3, j.value->>4,
        j.value->>5, CAST(j.value->>6 AS integer), :now
    FROM {rows} CROSS JOIN label WHERE label.label_id = j.value->>0 AND label.quarantine = 0
    ON CONFLICT DO NOTHING RETURNING label_id, rev
    """
)
_SETTLE_UNCHANGED: Final = Bulk(
    """
    UPDATE label SET settled_rev = label.wanted_rev, due_at = NULL, attempts = 0,
        problem = NULL, problem_detail = NULL
    FROM {rows} WHERE label.label_id = j.value->>0
        AND label.wanted_rev = CAST(j.value->>1 AS bigint) AND label.shown_digest = j.value->>2
        AND label.sent_rev <= label.shown_rev
    """
)
_GIVE_UP: Final = Bulk(
    """
    UPDATE label SET due_at = NULL, attempts = 0, problem = j.value->>2,
        problem_detail = j.value->>3
    FROM {rows} WHERE label.label_id = j.value->>0
        AND label.wanted_rev = CAST(j.value->>1 AS bigint)
    """
)


def count_due(tx: Connection, now: datetime) -> list[DueCount]:
    """Count what is due, without taking it."""
    return [
        DueCount(gateway_id=GatewayId(gateway_id), lane=Lane(lane), count=count)
        for gateway_id, lane, count in PEEK.run(tx, now=now)
    ]


def claim_due(
    tx: Connection, gateway_id: GatewayId, now: datetime, *, limit: int, until: datetime
) -> list[LabelId]:
    """Take a gateway's due labels, the most urgent lane and the oldest first.

    Moving ``due_at`` ahead is lease, acknowledgement deadline and retry in one: a worker that
    dies, a gateway that stays silent and a picture lost on the air all end the same way, with
    the label due again. One statement serves both databases; PostgreSQL's workers skip each
    other's rows. The CTE keeps PostgreSQL from running the subquery twice and passing the limit.
    """
    found = CLAIM.run(tx, gateway=gateway_id, now=now, most=limit, until=until)
    return [LabelId(row[0]) for row in found]


def record_sendings(tx: Connection, sendings: Sequence[Sending], now: datetime) -> list[Sending]:
    """Write down what is about to be sent, before it is: a report may overtake any later note.

    Returns those that were issued as their picture, in their order. A revision names one picture
    for ever: where another dispatcher issued it as another, ours is not sent; nor is one for a
    label that came into quarantine since it was claimed. A label whose truth or route changed
    since it was read stays due.
    """
    in_order = sorted(sendings, key=itemgetter(0))  # as everyone locks labels
    told = itemgetter(*_TOLD)
    ours = set(_ISSUE.run(tx, [told(s) for s in in_order], now=now))
    again = [s for s in in_order if (s.label_id, s.rev) not in ours]
    same = {row[0] for row in ISSUED_AS.run(tx, [[s.label_id, s.rev, s.digest] for s in again])}
    same -= _in_quarantine(tx, same)
    ours.update((s.label_id, s.rev) for s in again if s.label_id in same)
    RECORD_LABELS.run(
        tx,
        [
            [s.label_id, s.rev, s.gateway_id, instant_text(s.due_at)]
            for s in in_order
            if (s.label_id, s.rev) in ours
        ],
    )
    return [s for s in sendings if (s.label_id, s.rev) in ours]


def _in_quarantine(tx: Connection, label_ids: Iterable[LabelId]) -> frozenset[LabelId]:
    found: list[LabelId] = []
    for batch in in_batches(sorted(label_ids)):
        held = select(labels.c.label_id).where(
            labels.c.label_id.in_(batch), labels.c.quarantine > 0
        )
        found += tx.scalars(held)
    return frozenset(found)


def labels_of_each_panel(tx: Connection) -> list[LabelId]:
    """Name the first and the last label of each panel model that ever wanted to show anything."""
    of_panel = (
        select(func.min(labels.c.label_id), func.max(labels.c.label_id))
        .where(labels.c.wanted_rev > 0)
        .group_by(labels.c.panel_id)
    )
    return [
        LabelId(label_id) for label_id in sorted({x for row in tx.execute(of_panel) for x in row})
    ]


def release_labels(tx: Connection, label_ids: Iterable[LabelId], due_at: datetime) -> None:
    """Let labels whose sending never left be due at this moment, if they would be later."""
    for batch in in_batches(sorted(set(label_ids))):
        tx.execute(
            update(labels)
            .where(labels.c.label_id.in_(batch), labels.c.due_at > due_at)
            .values(due_at=due_at)
        )


def settle_unchanged(tx: Connection, settled: Iterable[tuple[LabelId, int, Digest]]) -> None:
    """Conclude that labels show the right picture already, without claiming that they said so.

    ``settled`` gives label, revision wanted, and digest; a label whose row no longer fits (a
    newer wish, an unanswered picture) stays due.
    """
    _SETTLE_UNCHANGED.run(tx, sorted(settled))


def record_refusals(tx: Connection, refusals: Iterable[tuple[LabelId, int, str, str]]) -> None:
    """Give labels up until they want something else: (label, revision, problem, detail)."""
    rows = [
        (label_id, rev, problem, detail[:DETAIL_LONGEST])
        for label_id, rev, problem, detail in sorted(refusals)
    ]
    _GIVE_UP.run(tx, rows)


def frame_sent_to(
    tx: Connection, label_id: LabelId, digest: Digest
) -> tuple[PanelId, bytes] | None:
    """Load a picture this label was sent: its panel model and packed pixels, zlib compressed."""
    was_sent = select(issued.c.rev).where(issued.c.label_id == label_id, issued.c.digest == digest)
    row = tx.execute(
        select(frames.c.panel_id, frames.c.zlib_pixels).where(
            frames.c.digest == digest, was_sent.exists()
        )
    ).one_or_none()
    return (PanelId(row.panel_id), row.zlib_pixels) if row is not None else None


def template_sent(tx: Connection, label_id: LabelId, rev: int) -> str | None:
    """Say which template the picture of a revision was drawn with; None if it was never sent."""
    query = select(issued.c.template).where(issued.c.label_id == label_id, issued.c.rev == rev)
    return tx.execute(query).scalar_one_or_none() or None
