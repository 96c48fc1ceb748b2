"""Uploaded pictures of a store's templates: rows in and out."""

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import Connection, delete, select

from esl.domain.ids import StoreId, TemplateName
from esl.domain.template import SavedPicture
from esl.store.columns import AnyRow
from esl.store.tables import pictures
from esl.store.upsert import in_batches, insert_or_update

_HEAD = tuple(column for column in pictures.c if column.name not in {"store_id", "png"})


def list_pictures(tx: Connection, store_id: StoreId) -> list[SavedPicture]:
    """List a store's pictures by name, without their bytes."""
    query = select(*_HEAD).where(pictures.c.store_id == store_id).order_by(pictures.c.name)
    return [_saved(row) for row in tx.execute(query)]


def pictures_named(tx: Connection, store_id: StoreId, names: Iterable[str]) -> dict[str, bytes]:
    """Load the PNG bytes of pictures; unknown names are left out."""
    found: dict[str, bytes] = {}
    for batch in in_batches(sorted(set(names))):
        query = select(pictures.c.name, pictures.c.png).where(
            pictures.c.store_id == store_id, pictures.c.name.in_(batch)
        )
        found.update((row.name, row.png) for row in tx.execute(query))
    return found


def put_picture(
    tx: Connection, store_id: StoreId, picture: SavedPicture, png: bytes, now: datetime
) -> None:
    """Add a picture, or replace the one of this name."""
    row = {
        "store_id": store_id,
        "name": picture.name,
        "digest": picture.digest,
        "png": png,
        "width_px": picture.width_px,
        "height_px": picture.height_px,
        "saved_by": picture.saved_by,
        "saved_at": now,
    }
    insert_or_update(tx, pictures, [row])


def delete_picture(tx: Connection, store_id: StoreId, name: str) -> bool:
    """Remove a picture; return whether there was one."""
    gone = tx.execute(
        delete(pictures).where(pictures.c.store_id == store_id, pictures.c.name == name)
    )
    return bool(gone.rowcount)


def _saved(row: AnyRow) -> SavedPicture:
    return SavedPicture(
        name=TemplateName(row.name),
        digest=row.digest,
        width_px=row.width_px,
        height_px=row.height_px,
        saved_by=row.saved_by,
        saved_at=row.saved_at,
    )
