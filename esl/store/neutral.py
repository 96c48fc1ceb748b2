"""What labels may show in place of a price, and which of them do because a picture was refused."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, and_, select

from esl.domain.ids import LabelId, StoreId
from esl.domain.place import Neutral
from esl.domain.product import Product
from esl.store.bulk import Bulk
from esl.store.label_tables import neutral_orders
from esl.store.products import product_from
from esl.store.tables import pairings, products, stores
from esl.store.upsert import in_batches

NOTE_REFUSED: Final = Bulk(
    """
    UPDATE label SET refused_rev = label.wanted_rev, refused_code = j.value->>2,
        refused_detail = j.value->>3
    FROM {rows} WHERE label.label_id = j.value->>0
        AND label.wanted_rev = CAST(j.value->>1 AS bigint)
    """
)
"""Note of [label, rev, code, detail] that a neutral face takes the place of what was refused."""

DETAIL_LONGEST = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class NeutralShop:
    """A store as its labels name it, and what becomes of those without a price.

    ``is_ordered`` says that none of its labels may show one, by a person's order.
    """

    store_id: StoreId
    name: str
    currency: str
    locale: str
    policy: Neutral
    is_ordered: bool = False


def neutral_shops(tx: Connection, store_ids: Collection[StoreId]) -> list[NeutralShop]:
    """Load these stores."""
    query = select(
        stores.c.store_id,
        stores.c.name,
        stores.c.currency,
        stores.c.locale,
        stores.c.neutral_policy,
        neutral_orders.c.store_id.is_not(None).label("is_ordered"),
    ).select_from(stores.outerjoin(neutral_orders, neutral_orders.c.store_id == stores.c.store_id))
    query = query.where(stores.c.store_id.in_(sorted(store_ids)))
    return [
        NeutralShop(
            store_id=StoreId(row.store_id),
            name=row.name,
            currency=row.currency,
            locale=row.locale,
            policy=Neutral(row.neutral_policy),
            is_ordered=bool(row.is_ordered),
        )
        for row in tx.execute(query)
    ]


def note_refused(tx: Connection, refused: Iterable[tuple[LabelId, int, str, str]]) -> None:
    """Note whose picture was refused, as (label, revision, code, detail), in labels' order.

    It is so until the label wants another revision, or is sent a picture that says a price.
    """
    NOTE_REFUSED.run(
        tx,
        [
            [label_id, rev, code, detail[:DETAIL_LONGEST]]
            for label_id, rev, code, detail in sorted(set(refused))
        ],
    )


def products_of_labels(tx: Connection, label_ids: Sequence[LabelId]) -> dict[LabelId, Product]:
    """Load the product that each label speaks for first; labels without one are left out."""
    found: dict[LabelId, Product] = {}
    for batch in in_batches(sorted(set(label_ids))):
        query = (
            select(pairings.c.label_id, products)
            .join(
                products,
                and_(products.c.store_id == pairings.c.store_id, products.c.sku == pairings.c.sku),
            )
            .where(pairings.c.label_id.in_(batch), pairings.c.position == 0)
        )
        found.update((LabelId(row.label_id), product_from(row)) for row in tx.execute(query))
    return found
