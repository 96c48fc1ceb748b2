"""What a gateway's new session, another way to reach them, or adoption changes for labels."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, and_, bindparam, case, func, or_, select, update

from esl.domain.ids import GatewayId, LabelId, StoreId
from esl.domain.place import NewLabel
from esl.store.restored import first_epoch
from esl.store.tables import labels
from esl.store.upsert import in_batches, insert_if_new


def add_unregistered(tx: Connection, new: Sequence[NewLabel]) -> list[LabelId]:
    """Add labels that nobody registered; return those that are new.

    An id that anybody registered meanwhile, in whatever store, stays as it is.
    """
    added: list[LabelId] = []
    epoch = first_epoch(tx) if new else 1
    for batch in in_batches(new):
        query = select(labels.c.label_id).where(labels.c.label_id.in_([n.label_id for n in batch]))
        known = {row.label_id for row in tx.execute(query)}
        fresh = [n for n in batch if n.label_id not in known]
        rows = [
            {
                "label_id": n.label_id,
                "store_id": n.store_id,
                "panel_id": n.panel_id,
                "gateway_id": n.gateway_id,
                "epoch": epoch,
            }
            for n in fresh
        ]
        insert_if_new(tx, labels, rows)
        added += [n.label_id for n in fresh]
    return added


def make_due(
    tx: Connection, gateway_id: GatewayId, now: datetime, *, also_claimed: bool = False
) -> int:
    """Make a gateway's labels due that were sent what they want and have not answered.

    For a gateway that begins a session: what was under way is lost or answered already, and
    sending again harms nobody. ``also_claimed`` is for a controller that begins to run: what the
    one before had claimed and not sent is due, too. Attempts count on: a label that fails in
    every session does not begin anew with each. Return how many.
    """
    sent = labels.c.sent_rev >= labels.c.wanted_rev
    found = tx.execute(
        update(labels)
        .where(
            labels.c.gateway_id == gateway_id,
            labels.c.due_at > now,
            labels.c.quarantine == 0,
            *(() if also_claimed else (sent,)),
        )
        .values(due_at=now)
    )
    return int(found.rowcount)


def take_up(
    tx: Connection,
    gateway_id: GatewayId,
    now: datetime,
    *,
    given_up_for: Collection[str] = (),
    all_but: Collection[str] | None = None,
) -> int:
    """Try a gateway's labels again that were given up for one of these problems.

    Or, with ``all_but``, for any but those. Return how many.
    """
    ended: ColumnElement[bool] = labels.c.problem.in_(sorted(given_up_for))
    if all_but is not None:
        ended = labels.c.problem.is_not(None) & labels.c.problem.not_in(sorted(all_but))
    found = tx.execute(
        update(labels)
        .where(
            labels.c.gateway_id == gateway_id,
            ended,
            labels.c.quarantine == 0,
            labels.c.settled_rev < labels.c.wanted_rev,
        )
        .values(due_at=now, attempts=0, problem=None, problem_detail=None)
    )
    return int(found.rowcount)


def take_up_store(
    tx: Connection, store_id: StoreId, now: datetime, *, all_but: Collection[str]
) -> int:
    """Try a store's labels again that were given up for any but these problems; return how many."""
    found = tx.execute(
        update(labels)
        .where(
            labels.c.store_id == store_id,
            labels.c.problem.is_not(None),
            labels.c.problem.not_in(sorted(all_but)),
            labels.c.quarantine == 0,
            labels.c.settled_rev < labels.c.wanted_rev,
        )
        .values(due_at=now, attempts=0, problem=None, problem_detail=None)
    )
    return int(found.rowcount)


def route_labels(
    tx: Connection, routes: Sequence[tuple[LabelId, GatewayId]], now: datetime
) -> None:
    """Reach labels by other gateways from now on; what they want becomes due.

    One that had left the shop and may show a price still is due for its neutral face, too.
    """
    came_back = and_(
        labels.c.retired_at.is_not(None),
        labels.c.gateway_id.is_(None),
        labels.c.settled_rev < labels.c.wanted_rev,
        labels.c.quarantine == 0,
    )
    if routes:
        tx.execute(
            update(labels)
            .where(labels.c.label_id == bindparam("the_label"))
            .values(
                gateway_id=bindparam("the_gateway"),
                due_at=case((or_(labels.c.due_at.is_not(None), came_back), now), else_=None),
                wanted_at=case((came_back, now), else_=labels.c.wanted_at),
                attempts=0,
            ),
            [{"the_label": label, "the_gateway": gateway} for label, gateway in routes],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """How much a gateway has to do."""

    labels: int
    waiting: int  # of them, with something to be sent, or sent and not confirmed


def loads_of(tx: Connection, store_id: StoreId) -> dict[GatewayId, Load]:
    """Count the labels of a store's gateways, in one query; those without labels are left out."""
    query = (
        select(
            labels.c.gateway_id,
            func.count().label("many"),
            func.count(labels.c.due_at).label("waiting"),
        )
        .where(labels.c.store_id == store_id, labels.c.gateway_id.is_not(None))
        .group_by(labels.c.gateway_id)
    )
    return {
        GatewayId(row.gateway_id): Load(labels=int(row.many), waiting=int(row.waiting))
        for row in tx.execute(query)
    }
