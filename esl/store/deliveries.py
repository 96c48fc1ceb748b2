"""What is claimed, what was issued, what was shown: rows in and out, in batches only."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, bindparam, insert, select, update

from esl.domain.ids import Digest, GatewayId, LabelId, PanelId
from esl.domain.label import Lane
from esl.store.bulk import CLAIM, ISSUED_AS, PEEK, RECORD_LABELS
from esl.store.columns import instant_text
from esl.store.tables import display_log, frames, issued, labels
from esl.store.upsert import in_batches, insert_if_new


@dataclass(frozen=True, slots=True, kw_only=True)
class Sending:
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


@dataclass(frozen=True, slots=True, kw_only=True)
class DisplayEntry:
    """One line of the display log: a label said it shows this."""

    label_id: LabelId
    rev: int
    digest: Digest
    incarnation: int
    gateway_id: GatewayId
    session: str
    painted_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelUpdate:
    """What a report changes in a label's row; every field is written."""

    label_id: LabelId
    shown_rev: int
    shown_digest: Digest
    incarnation: int
    shown_session: str
    shown_seq: int
    settled_rev: int
    attempts: int
    due_at: datetime | None
    lane: int
    problem: str | None
    problem_detail: str | None
    battery_mv: int | None
    temperature_c: int | None
    rssi_dbm: int | None
    firmware: str | None
    seen_at: datetime | None


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
    for ever: where another dispatcher issued it as another, ours is not sent. A label whose truth
    or route changed since it was read stays due.
    """
    insert_if_new(
        tx,
        issued,
        [
            {
                "label_id": s.label_id,
                "rev": s.rev,
                "digest": s.digest,
                "gateway_id": s.gateway_id,
                "template": s.template,
                "encoding": s.encoding,
                "bytes": s.bytes,
                "issued_at": now,
            }
            for s in sendings
        ],
    )
    ours = {row[0] for row in ISSUED_AS.run(tx, [[s.label_id, s.rev, s.digest] for s in sendings])}
    kept = [s for s in sendings if s.label_id in ours]
    RECORD_LABELS.run(
        tx,
        [
            [s.label_id, s.rev, s.gateway_id, instant_text(s.due_at)]
            for s in sorted(kept, key=lambda s: s.label_id)  # as everyone locks labels
        ],
    )
    return kept


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
    rows = [{"the_label": a, "the_rev": b, "the_digest": c} for a, b, c in sorted(settled)]
    if rows:
        rev = bindparam("the_rev", type_=labels.c.wanted_rev.type)
        tx.execute(
            update(labels)
            .where(
                labels.c.label_id == bindparam("the_label"),
                labels.c.wanted_rev == rev,
                labels.c.shown_digest == bindparam("the_digest"),
                labels.c.sent_rev <= labels.c.shown_rev,
            )
            .values(settled_rev=rev, due_at=None, attempts=0, problem=None, problem_detail=None),
            rows,
        )


def record_refusals(tx: Connection, refusals: Iterable[tuple[LabelId, int, str, str]]) -> None:
    """Give labels up until they want something else: (label, revision, problem, detail)."""
    rows = [
        {"the_label": label, "the_rev": rev, "the_problem": problem, "the_detail": detail[:300]}
        for label, rev, problem, detail in sorted(refusals)
    ]
    if rows:
        tx.execute(
            update(labels)
            .where(
                labels.c.label_id == bindparam("the_label"),
                labels.c.wanted_rev == bindparam("the_rev"),
            )
            .values(
                due_at=None,
                attempts=0,
                problem=bindparam("the_problem"),
                problem_detail=bindparam("the_detail"),
            ),
            rows,
        )


def issued_digests(
    tx: Connection, told: Iterable[tuple[LabelId, int]]
) -> dict[tuple[LabelId, int], tuple[Digest, GatewayId]]:
    """Load which picture each (label, revision) was issued as, and through which gateway."""
    asked = set(told)
    found: dict[tuple[LabelId, int], tuple[Digest, GatewayId]] = {}
    for batch in in_batches(sorted(asked)):
        query = select(issued.c.label_id, issued.c.rev, issued.c.digest, issued.c.gateway_id).where(
            issued.c.label_id.in_({label for label, _ in batch}),
            issued.c.rev.in_({rev for _, rev in batch}),
        )
        for row in tx.execute(query):
            key = (LabelId(row.label_id), int(row.rev))
            if key in asked:
                found[key] = (Digest(row.digest), GatewayId(row.gateway_id))
    return found


def update_labels(tx: Connection, updates: Sequence[LabelUpdate]) -> None:
    """Write what reports changed."""
    if updates:
        names = [name for name in LabelUpdate.__slots__ if name != "label_id"]
        tx.execute(
            update(labels)
            .where(labels.c.label_id == bindparam("the_label"))
            .values({name: bindparam(f"new_{name}", type_=labels.c[name].type) for name in names}),
            [
                {"the_label": u.label_id} | {f"new_{name}": getattr(u, name) for name in names}
                for u in updates
            ],
        )


def log_displays(tx: Connection, entries: Sequence[DisplayEntry], now: datetime) -> None:
    """Append to the display log."""
    if entries:
        rows = [
            {name: getattr(entry, name) for name in DisplayEntry.__slots__} | {"recorded_at": now}
            for entry in entries
        ]
        tx.execute(insert(display_log), rows)


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
