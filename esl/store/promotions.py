"""Promotions that tills own: rows in and out."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import Connection

from esl.domain.entry import PromotionKind
from esl.domain.ids import Sku, SourceId, StoreId
from esl.store.bulk import Bulk
from esl.store.columns import instant_from, instant_text

_SOME: Final = Bulk("SELECT 1 FROM pos_promotion WHERE store_id = :store LIMIT 1")
_LOAD: Final = Bulk(
    """
    SELECT p.sku, p.source, p.promotion_id, p.kind, p.price_minor, p.quantity, p.club,
        p.valid_from, p.valid_to
    FROM {rows} CROSS JOIN pos_promotion AS p
    WHERE p.store_id = :store AND p.sku = {item} ORDER BY p.source, p.promotion_id
    """
)
_PUT: Final = Bulk(
    """
    INSERT INTO pos_promotion (store_id, sku, source, promotion_id, kind, price_minor, quantity,
        club, valid_from, valid_to, due_at, batch_id, changed_at)
    SELECT :store, j.value->>0, j.value->>1, j.value->>2, j.value->>3,
        CAST(j.value->>4 AS integer), CAST(j.value->>5 AS integer), j.value->>6, {instant[7]},
        {instant[8]}, {instant[9]}, CAST(:batch AS bigint), :now
    FROM {rows} WHERE true
    ON CONFLICT (store_id, sku, source, promotion_id) DO UPDATE SET kind = excluded.kind,
        price_minor = excluded.price_minor, quantity = excluded.quantity, club = excluded.club,
        valid_from = excluded.valid_from, valid_to = excluded.valid_to, due_at = excluded.due_at,
        batch_id = excluded.batch_id, changed_at = excluded.changed_at
    """
)
_FORGET: Final = Bulk(
    """
    DELETE FROM pos_promotion WHERE store_id = :store
        AND sku IN (SELECT {item} FROM {rows})
    """
)
_FORGET_ONE: Final = Bulk(
    """
    DELETE FROM pos_promotion WHERE (store_id, sku, source, promotion_id) IN
        (SELECT :store, j.value->>0, j.value->>1, j.value->>2 FROM {rows})
    """
)
_FORGET_BATCH: Final = Bulk(
    "DELETE FROM pos_promotion WHERE store_id = :store AND batch_id = :batch"
)
_MOVE: Final = Bulk(
    """
    UPDATE pos_promotion SET due_at = {instant[3]}
    FROM {rows} WHERE pos_promotion.store_id = :store AND pos_promotion.sku = j.value->>0
        AND pos_promotion.source = j.value->>1 AND pos_promotion.promotion_id = j.value->>2
    """
)
_DUE: Final = Bulk(
    """
    SELECT store_id, sku, due_at FROM pos_promotion
    WHERE due_at IS NOT NULL AND due_at <= :now ORDER BY due_at, store_id, sku LIMIT :most
    """
)


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldPromotion:
    """A promotion that a till owns, as it is kept."""

    sku: Sku
    source: SourceId
    promotion_id: str
    kind: PromotionKind
    price_minor: int
    quantity: int
    club: str | None
    valid_from: datetime | None
    valid_to: datetime | None

    @property
    def key(self) -> tuple[SourceId, str]:
        """Name it among those of its product."""
        return self.source, self.promotion_id

    def runs_at(self, now: datetime) -> bool:
        """Say whether it holds at a moment; it ends with the first instant of ``valid_to``."""
        began = self.valid_from is None or self.valid_from <= now
        return began and (self.valid_to is None or now < self.valid_to)

    def next_edge(self, now: datetime) -> datetime | None:
        """Return the next moment after now at which it begins or ends."""
        edges = [edge for edge in (self.valid_from, self.valid_to) if edge and edge > now]
        return min(edges, default=None)


def has_promotions(tx: Connection, store_id: StoreId) -> bool:
    """Say whether a store has any."""
    return bool(_SOME.run(tx, store=store_id))


def promotions_of(
    tx: Connection, store_id: StoreId, skus: Sequence[Sku]
) -> dict[Sku, list[HeldPromotion]]:
    """Load the promotions of products; those without one are left out."""
    found: dict[Sku, list[HeldPromotion]] = {}
    if not has_promotions(tx, store_id):
        return found
    for sku, source, number, kind, price, quantity, club, begins, ends in _LOAD.run(
        tx, skus, store=store_id
    ):
        one = HeldPromotion(
            sku=Sku(sku),
            source=SourceId(source),
            promotion_id=number,
            kind=PromotionKind(kind),
            price_minor=price,
            quantity=quantity,
            club=club,
            valid_from=instant_from(begins),
            valid_to=instant_from(ends),
        )
        found.setdefault(one.sku, []).append(one)
    return found


def put_promotions(
    tx: Connection,
    store_id: StoreId,
    put: Iterable[HeldPromotion],
    now: datetime,
    *,
    batch_id: int | None,
) -> None:
    """Add promotions, or replace what is known of them."""
    rows = [
        (
            *(p.sku, p.source, p.promotion_id, p.kind.value, p.price_minor, p.quantity, p.club),
            *(_text(p.valid_from), _text(p.valid_to), _text(p.next_edge(now))),
        )
        for p in put
    ]
    _PUT.run(tx, rows, store=store_id, now=now, batch=batch_id)


def move_edges(tx: Connection, store_id: StoreId, skus: Sequence[Sku], now: datetime) -> None:
    """Note the next edge of products' promotions, after those by now were turned."""
    rows = [
        (p.sku, p.source, p.promotion_id, _text(p.next_edge(now)))
        for found in promotions_of(tx, store_id, skus).values()
        for p in found
    ]
    _MOVE.run(tx, rows, store=store_id)


def forget_promotions(tx: Connection, store_id: StoreId, ended: Iterable[HeldPromotion]) -> None:
    """Forget promotions that ended."""
    rows = [(p.sku, p.source, p.promotion_id) for p in ended]
    _FORGET_ONE.run(tx, rows, store=store_id)


def forget_of_products(tx: Connection, store_id: StoreId, skus: Collection[Sku]) -> None:
    """Forget all promotions of products: somebody has said another shelf price since."""
    if skus and has_promotions(tx, store_id):
        _FORGET.run(tx, sorted(skus), store=store_id)


def forget_of_batch(tx: Connection, store_id: StoreId, batch_id: int) -> None:
    """Forget what a batch stated, and nobody has stated since."""
    _FORGET_BATCH.run(tx, store=store_id, batch=batch_id)


def due_promotions(
    tx: Connection, now: datetime, *, most: int
) -> list[tuple[StoreId, Sku, datetime]]:
    """List the products of which a promotion begins or ends by now, the earliest first."""
    return [
        (StoreId(store), Sku(sku), instant_from(at) or now)
        for store, sku, at in _DUE.run(tx, now=now, most=most)
    ]


def _text(instant: datetime | None) -> str | None:
    return None if instant is None else instant_text(instant)
