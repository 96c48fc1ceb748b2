"""Labels that do not say a promotion yet, or never: rows in and out, one a product of theirs."""

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from sqlalchemy import Connection

from esl.domain.ids import LabelId, Sku
from esl.store.bulk import Bulk

_ANY: Final = Bulk("SELECT 1 FROM waiting_label LIMIT 1")
_OF: Final = Bulk(
    "SELECT w.label_id, w.sku, w.promotion_id, w.shows FROM {rows} CROSS JOIN waiting_label AS w"
    " WHERE w.label_id = {item}"
)
_PUT: Final = Bulk(
    """
    INSERT INTO waiting_label (label_id, sku, promotion_id, shows)
    SELECT j.value->>0, j.value->>1, j.value->>2, j.value->>3
    FROM {rows} WHERE true
    ON CONFLICT (label_id, sku) DO UPDATE SET promotion_id = excluded.promotion_id,
        shows = excluded.shows
    """
)
_FORGET: Final = Bulk(
    """
    DELETE FROM waiting_label WHERE (label_id, sku) IN
        (SELECT j.value->>0, j.value->>1 FROM {rows})
    """
)


class Waits(NamedTuple):
    """What a label waits for with one of its products, and what it shows of it meanwhile."""

    promotion_id: str
    shows: str | None  # JSON, as `esl.store.truth` reads it; None: what the till says


Waiting = tuple[LabelId, Sku]
"""A label, and the product with which it waits."""


def any_waiting(tx: Connection) -> bool:
    """Say whether any label waits: the cheap question before all others."""
    return bool(_ANY.run(tx))


def waiting_of(tx: Connection, label_ids: Sequence[LabelId]) -> dict[Waiting, Waits]:
    """Say for what each of these labels waits; the others are left out."""
    return {
        (LabelId(label), Sku(sku)): Waits(str(name), shows)
        for label, sku, name, shows in _OF.run(tx, label_ids)
    }


def put_waiting(tx: Connection, put: Mapping[Waiting, Waits]) -> None:
    """Let labels wait for promotions."""
    _PUT.run(tx, [(*key, *waits) for key, waits in sorted(put.items())])


def forget_waiting(tx: Connection, ended: Sequence[Waiting]) -> None:
    """Let labels wait no more."""
    _FORGET.run(tx, ended)
