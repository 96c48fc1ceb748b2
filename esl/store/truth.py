"""What labels must say by the truth of now: the join that every reader of it shares.

label ─▶ its store
      └▶ its pairing ─▶ product ─▶ price      any of them may be missing
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, and_, select

from esl.domain.face import Face, Unit
from esl.domain.ids import LabelId, PanelId, Sku, StoreId
from esl.domain.offer import face_for
from esl.domain.pricing import CurrentPrice
from esl.domain.product import NetContent, Product
from esl.store.tables import labels, pairings, prices, products, stores

LABELS_WITH_TRUTH = (
    labels.join(stores, stores.c.store_id == labels.c.store_id)
    .outerjoin(pairings, and_(pairings.c.label_id == labels.c.label_id, pairings.c.position == 0))
    .outerjoin(
        products,
        and_(products.c.store_id == pairings.c.store_id, products.c.sku == pairings.c.sku),
    )
    .outerjoin(
        prices, and_(prices.c.store_id == pairings.c.store_id, prices.c.sku == pairings.c.sku)
    )
)
"""To select `FACE_COLUMNS` and any of the label's own from."""

FACE_COLUMNS = (
    labels.c.store_id,
    products.c.sku,
    products.c.name,
    products.c.brand,
    products.c.category,
    products.c.gtin,
    products.c.content_milli,
    products.c.content_unit,
    products.c.priced_per,
    products.c.link,
    products.c.origin,
    products.c.stock,
    products.c.deposit_minor,
    prices.c.price_minor,
    prices.c.currency,
    prices.c.was_minor,
    prices.c.unit_price_minor,
    prices.c.badge,
    prices.c.rev.label("price_rev"),
    prices.c.regular_minor,
    prices.c.member_minor,
    prices.c.multibuy_quantity,
    prices.c.multibuy_minor,
    stores.c.locale,
    stores.c.link_base,
    stores.c.shop_link,
)
"""What `face_from` reads, in its order."""

_ROWS_AT_ONCE = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelTruth:
    """A paired label and what it must say; no face where its product has no price."""

    label_id: LabelId
    panel_id: PanelId
    sku: Sku
    face: Face | None


def face_from(values: Sequence[Any], label_id: LabelId) -> Face | None:
    """Make a label's face of `FACE_COLUMNS`; None where it has no product or that no price.

    Taken apart by place: asking a row for each name took half the time of loading a label.
    """
    store_id, sku, name, brand, category, gtin, content_milli, content_unit = values[:8]
    priced_per, link, origin, stock, deposit_minor = values[8:13]
    price_minor, currency, was_minor, unit_price_minor, badge, price_rev = values[13:19]
    regular_minor, member_minor, multibuy_quantity, multibuy_minor = values[19:23]
    locale, link_base, shop_link = values[23:]
    if sku is None or price_minor is None:
        return None
    return face_for(
        Product(
            store_id=store_id,
            sku=sku,
            name=name,
            brand=brand,
            category=category,
            gtin=gtin,
            net_content=(
                NetContent(milli=content_milli, unit=Unit(content_unit))
                if content_milli is not None
                else None
            ),
            priced_per=Unit(priced_per) if priced_per is not None else None,
            link=link,
            origin=origin,
            stock=stock,
            deposit_minor=deposit_minor,
        ),
        CurrentPrice(
            store_id=store_id,
            sku=sku,
            price_minor=price_minor,
            currency=currency,
            was_minor=was_minor,
            unit_price_minor=unit_price_minor,
            badge=badge,
            rev=price_rev,
            regular_minor=regular_minor,
            member_minor=member_minor,
            multibuy_quantity=multibuy_quantity,
            multibuy_minor=multibuy_minor,
        ),
        locale=locale,
        link_base=link_base,
        shop_pattern=shop_link,
        label_id=label_id,
    )


def truth_of_store(tx: Connection, store_id: StoreId) -> Iterator[LabelTruth]:
    """Read what every paired label of a store must say, in the order of their ids."""
    query = (
        select(labels.c.label_id, labels.c.panel_id, *FACE_COLUMNS)
        .select_from(LABELS_WITH_TRUTH)
        .where(labels.c.store_id == store_id, products.c.sku.is_not(None))
        .order_by(labels.c.label_id)
        .execution_options(yield_per=_ROWS_AT_ONCE)
    )
    for row in tx.execute(query):
        yield LabelTruth(
            label_id=row[0],
            panel_id=row[1],
            sku=row.sku,
            face=face_from(row[2:], row[0]),
        )
