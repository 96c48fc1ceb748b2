"""Paper tickets: storing, loading with how each stands, ending, forgetting."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Connection, Select, delete, insert, select, update

from esl.domain.ids import LabelId, StoreId
from esl.domain.paper import LabelNow, PaperTicket, standing_of
from esl.store.columns import AnyRow
from esl.store.pairing_events import hangings
from esl.store.tables import labels, paper_tickets
from esl.store.upsert import in_batches

_T = paper_tickets.c
_WITHOUT_PICTURE = [column for column in paper_tickets.c if column.name != "picture"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Printed:
    """A ticket that is to be stored, with its picture as PNG."""

    label_id: LabelId
    rev: int
    name: str
    width_tenths_mm: int
    height_tenths_mm: int
    picture: bytes


def labels_now(tx: Connection, label_ids: Collection[LabelId]) -> dict[LabelId, LabelNow]:
    """Say of labels what decides about their tickets; unknown ones are left out."""
    hang = hangings(tx, label_ids)
    found: dict[LabelId, LabelNow] = {}
    for batch in in_batches(sorted(set(label_ids))):
        query = select(
            labels.c.label_id,
            labels.c.wanted_rev,
            labels.c.settled_rev,
            labels.c.problem,
            labels.c.due_at,
        ).where(labels.c.label_id.in_(batch))
        for row in tx.execute(query):
            label_id = LabelId(row.label_id)
            found[label_id] = LabelNow(
                wanted_rev=int(row.wanted_rev),
                settled_rev=int(row.settled_rev),
                has_trouble=row.problem is not None or row.due_at is not None,
                skus=tuple(hang[label_id].skus),
            )
    return found


def add_tickets(
    tx: Connection,
    store_id: StoreId,
    printed: Sequence[Printed],
    now: datetime,
    *,
    sheet: str,
    by: str,
) -> list[PaperTicket]:
    """Store tickets; those that hung for the same labels are gone: these take their places."""
    label_ids = [one.label_id for one in printed]
    how, hang = labels_now(tx, label_ids), hangings(tx, label_ids)
    for batch in in_batches(label_ids):
        older = _T.label_id.in_(batch) & _T.gone_at.is_(None) & (_T.store_id == store_id)
        tx.execute(update(paper_tickets).where(older).values(gone_at=now, gone_by=by[:80]))
    for one in printed:
        label = how[one.label_id]
        values = {
            "sheet": sheet,
            "store_id": store_id,
            "label_id": one.label_id,
            "rev": one.rev,
            "was_settled": label.settled_rev >= label.wanted_rev and not label.has_trouble,
            "skus": "\n".join(label.skus),
            "name": one.name,
            "place": hang[one.label_id].place,
            "width_tenths_mm": one.width_tenths_mm,
            "height_tenths_mm": one.height_tenths_mm,
            "picture": one.picture,
            "printed_at": now,
            "printed_by": by[:80],
        }
        tx.execute(insert(paper_tickets).values(**values))
    return tickets_of_sheet(tx, store_id, sheet)


def ticket_named(tx: Connection, store_id: StoreId, ticket_id: int) -> PaperTicket | None:
    """Load one; None: the store has none of that number."""
    found = _load(tx, _of(store_id).where(_T.ticket_id == ticket_id))
    return found[0] if found else None


def tickets_of(
    tx: Connection, store_id: StoreId, *, hang: bool | None, before: int | None, most: int
) -> list[PaperTicket]:
    """List a store's tickets, the newest first: those that hang, that are gone, or all."""
    query = _of(store_id)
    if hang is not None:
        query = query.where(_T.gone_at.is_(None) if hang else _T.gone_at.is_not(None))
    if before is not None:
        query = query.where(_T.ticket_id < before)
    return _load(tx, query.order_by(_T.ticket_id.desc()).limit(most))


def hanging_tickets(tx: Connection, store_id: StoreId) -> list[PaperTicket]:
    """List all that hang in a store: one a label at most."""
    return _load(tx, _of(store_id).where(_T.gone_at.is_(None)).order_by(_T.ticket_id))


def tickets_of_sheet(tx: Connection, store_id: StoreId, sheet: str) -> list[PaperTicket]:
    """List what was printed at once, in its order."""
    return _load(tx, _of(store_id).where(_T.sheet == sheet).order_by(_T.ticket_id))


def pictures_of_sheet(tx: Connection, store_id: StoreId, sheet: str) -> dict[int, bytes]:
    """Load the pictures of what was printed at once, as PNG, by ticket."""
    query = select(_T.ticket_id, _T.picture).where(_T.store_id == store_id, _T.sheet == sheet)
    return {int(row.ticket_id): bytes(row.picture) for row in tx.execute(query)}


def put_gone(tx: Connection, ticket_id: int, *, at: datetime | None, by: str) -> None:
    """Store that a ticket is gone, or (``at`` None) that it hangs after all."""
    who = by[:80] if at is not None else None
    tx.execute(
        update(paper_tickets).where(_T.ticket_id == ticket_id).values(gone_at=at, gone_by=who)
    )


def has_hanging(tx: Connection, label_id: LabelId) -> bool:
    """Say whether a ticket hangs for a label."""
    query = select(_T.ticket_id).where(_T.label_id == label_id, _T.gone_at.is_(None)).limit(1)
    return tx.execute(query).first() is not None


def forget_tickets(tx: Connection, before: datetime, *, most: int) -> int:
    """Forget tickets that were gone before a moment."""
    old = select(_T.ticket_id).where(_T.gone_at < before).order_by(_T.gone_at).limit(most)
    return tx.execute(delete(paper_tickets).where(_T.ticket_id.in_(old))).rowcount


def _of(store_id: StoreId) -> Select[tuple[object, ...]]:
    return select(*_WITHOUT_PICTURE).where(_T.store_id == store_id)


def _load(tx: Connection, query: Select[tuple[object, ...]]) -> list[PaperTicket]:
    found = [_ticket(row) for row in tx.execute(query)]
    how = labels_now(tx, {one.label_id for one in found if one.gone_at is None})
    return [replace(one, standing=standing_of(one, how.get(one.label_id))) for one in found]


def _ticket(row: AnyRow) -> PaperTicket:
    return PaperTicket(
        ticket_id=int(row.ticket_id),
        sheet=row.sheet,
        store_id=StoreId(row.store_id),
        label_id=LabelId(row.label_id),
        rev=int(row.rev),
        was_settled=bool(row.was_settled),
        skus=tuple(row.skus.split("\n")),
        name=row.name,
        place=row.place,
        width_tenths_mm=int(row.width_tenths_mm),
        height_tenths_mm=int(row.height_tenths_mm),
        printed_at=row.printed_at,
        printed_by=row.printed_by,
        gone_at=row.gone_at,
        gone_by=row.gone_by,
    )
