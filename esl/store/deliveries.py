"""What is claimed, what was issued, what was shown: rows in and out, in batches only."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, bindparam, case, insert, select, update

from esl.domain.ids import Digest, GatewayId, LabelId, PanelId
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


def claim_due(
    tx: Connection, gateway_id: GatewayId, now: datetime, *, limit: int, patience: timedelta
) -> list[LabelId]:
    """Take a gateway's due labels, the most urgent lane and the oldest first.

    Moving ``due_at`` ahead is lease, acknowledgement deadline and retry in one: a worker that
    dies, a gateway that stays silent and a picture lost on the air all end the same way, with
    the label due again. One statement serves both databases; PostgreSQL's workers skip each
    other's rows. The CTE keeps PostgreSQL from running the subquery twice and passing the limit.
    """
    due = (
        select(labels.c.label_id)
        .where(labels.c.gateway_id == gateway_id, labels.c.due_at <= now)
        .order_by(labels.c.lane, labels.c.due_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
        .cte("due")
    )
    claimed = (
        update(labels)
        .where(labels.c.label_id.in_(select(due.c.label_id)))
        .values(attempts=labels.c.attempts + 1, due_at=now + patience)
        .returning(labels.c.label_id)
    )
    return [LabelId(row.label_id) for row in tx.execute(claimed)]


def record_sendings(
    tx: Connection,
    sendings: Sequence[Sending],
    pictures: Mapping[Digest, tuple[PanelId, bytes]],
    now: datetime,
) -> None:
    """Write down what is about to be sent, before it is: a report may overtake any later note.

    A label whose truth changed since it was read stays due.
    """
    insert_if_new(
        tx,
        frames,
        [
            {"digest": digest, "panel_id": panel_id, "zlib_pixels": data}
            for digest, (panel_id, data) in pictures.items()
        ],
    )
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
                "issued_at": now,
            }
            for s in sendings
        ],
    )
    if sendings:
        rev = bindparam("the_rev", type_=labels.c.sent_rev.type)
        tx.execute(
            update(labels)
            .where(labels.c.label_id == bindparam("the_label"))
            .values(
                sent_rev=case((labels.c.sent_rev > rev, labels.c.sent_rev), else_=rev),
                due_at=case(
                    (
                        labels.c.wanted_rev == rev,
                        bindparam("waits_until", type_=labels.c.due_at.type),
                    ),
                    else_=labels.c.due_at,
                ),
            ),
            [
                {"the_label": s.label_id, "the_rev": s.rev, "waits_until": s.due_at}
                for s in sorted(sendings, key=lambda s: s.label_id)  # as everyone locks labels
            ],
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
