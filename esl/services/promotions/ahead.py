"""What labels will show at a moment to come, with the promotions of then: each label by itself."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import Connection

from esl.domain.face import Face
from esl.domain.ids import LabelId, Sku
from esl.domain.place import Store
from esl.domain.pricing import CurrentPrice, says_of
from esl.services.promotions.books import book_with
from esl.services.promotions.offering import kept_offer, offers_at
from esl.services.promotions.reaching import Live, apart, live_of
from esl.store import future, promotion_rows
from esl.store.future import Apart, Then
from esl.store.offers import Offer
from esl.store.waiting import Waiting


def faces_at(
    tx: Connection,
    store: Store,
    live: Sequence[Live],
    at: datetime,
    label_ids: Sequence[LabelId],
    templates: dict[LabelId, str] | None = None,
) -> dict[LabelId, Face]:
    """Say what labels would show at a moment with these promotions.

    ``templates`` takes up which of them a promotion would draw with a template of its own.
    """
    book = book_with(store, [one.promotion for one in live])

    def then(now: Mapping[Sku, CurrentPrice]) -> Mapping[Sku, Then]:
        bases = {sku: says_of(price) for sku, price in now.items()}
        kept = {
            sku: kept_offer(offer) for sku, offer in offers_at(tx, store, bases, book, at).items()
        }
        return {sku: (price, kept.get(sku)) for sku, price in now.items()}

    return future.future_faces(
        tx, label_ids, then, apart=apart_then(tx, store, live, at), templates=templates
    )


def apart_at(tx: Connection, store: Store, at: datetime) -> Apart:
    """Say what labels will show that a promotion of a store does not reach at a moment."""
    live = [live_of(one) for one in promotion_rows.live_in(tx, store.store_id)]
    return apart_then(tx, store, live, at)


def apart_then(tx: Connection, store: Store, live: Sequence[Live], at: datetime) -> Apart:
    """Say the same with these promotions."""

    def find(
        then: Mapping[Sku, Then], labels_of: Mapping[Sku, Sequence[LabelId]]
    ) -> Mapping[Waiting, Offer | None]:
        bases = {sku: says_of(price) for sku, (price, _) in then.items()}
        held = {sku: offer for sku, (_, offer) in then.items() if offer is not None}
        found = apart(tx, store, live, labels_of, held, at, bases=bases)
        return {key: one.offer for key, one in found.items()}

    return find
