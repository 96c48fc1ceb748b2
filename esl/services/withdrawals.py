"""Take prices and products away; the labels that spoke for them show no price any more.

A price that is taken away is a line of its history as one that is set: with its revision, and who
did it.
"""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection

from esl.domain.errors import UnknownProduct
from esl.domain.ids import LabelId, Sku, StoreId
from esl.domain.label import Lane
from esl.store import labels, places, products, retired, schedule
from esl.store.revisions import take_revision
from esl.store.schedule import ScheduleState

CONTROLLER = "controller"
"""Who takes a price away where no person and no machine of a shop asked for it."""


def withdraw_prices(
    tx: Connection,
    store_id: StoreId,
    skus: Sequence[Sku],
    now: datetime,
    *,
    actor: str = CONTROLLER,
) -> tuple[LabelId, ...]:
    """Take products' prices away until they get new ones; return the labels that go neutral.

    Raises:
        UnknownProduct: The store has no such product.
    """
    touched = _lock(tx, store_id, skus)
    rev = take_revision(tx)
    retired.log_withdrawals(tx, store_id, skus, rev=rev, actor=actor, now=now)
    retired.forget_prices(tx, store_id, skus)
    # What held until a moment is not to come back at it, nor what lay beneath.
    schedule.cancel_of_products(
        tx, store_id, skus, states=(ScheduleState.HOLDING, ScheduleState.BASE)
    )
    labels.want(tx, touched, rev, now, lane=Lane.CORRECTION)
    return touched


def delist_products(
    tx: Connection,
    store_id: StoreId,
    skus: Sequence[Sku],
    now: datetime,
    *,
    actor: str = CONTROLLER,
) -> tuple[LabelId, ...]:
    """Take products out of the assortment; return the labels that spoke for them.

    A label with several products goes on to speak for the others.

    What their sources said stays known: a late price of a product that comes back is late.

    Raises:
        UnknownProduct: The store has no such product.
    """
    touched = _lock(tx, store_id, skus)
    rev = take_revision(tx)
    retired.log_withdrawals(tx, store_id, skus, rev=rev, actor=actor, now=now)
    retired.forget_pairings_of(tx, store_id, skus)
    retired.forget_prices(tx, store_id, skus)
    schedule.cancel_of_products(tx, store_id, skus)
    retired.forget_products(tx, store_id, skus)
    labels.want(tx, touched, rev, now, lane=Lane.CORRECTION)
    return touched


def _lock(tx: Connection, store_id: StoreId, skus: Sequence[Sku]) -> tuple[LabelId, ...]:
    places.lock_store(tx, store_id)
    known = products.lock_products(tx, store_id, skus)
    for sku in skus:
        if sku not in known:
            raise UnknownProduct(f"store {store_id!r} has no product {sku!r}")
    held = labels.lock_labels_of_products(tx, store_id, skus)
    return tuple(sorted({label_id for label_ids in held.values() for label_id in label_ids}))
