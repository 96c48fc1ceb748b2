"""What labels must say by the truth of now: the join that every reader of it shares.

label ─▶ its store
      └▶ its pairing ─▶ product ─▶ price ─▶ offer      any of them may be missing

Where a promotion has made an offer of the price, that is what holds; but for a label that is not
yet in the step of its roll-out. What a till has not acknowledged yet is not shown: what was told
before is kept for that (`esl.services.tilling`), and read in its place.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, FromClause, and_, func, literal_column, select

from esl.domain.face import Face, ReferenceKind, ReferencePrice, Unit
from esl.domain.ids import LabelId, PanelId, Sku, StoreId
from esl.domain.law.chosen import law_for
from esl.domain.law.goods import goods_of
from esl.domain.offer import face_for
from esl.domain.pricing import CurrentPrice
from esl.domain.product import NetContent, Product
from esl.store.tables import (
    labels,
    offers,
    pairings,
    prices,
    products,
    stores,
    till_prices,
    waiting_labels,
)


def _labels_with(position: ColumnElement[bool]) -> FromClause:
    """Join labels with those of their products whose place on the label is such."""
    return (
        labels.join(stores, stores.c.store_id == labels.c.store_id)
        .outerjoin(pairings, and_(pairings.c.label_id == labels.c.label_id, position))
        .outerjoin(
            products,
            and_(products.c.store_id == pairings.c.store_id, products.c.sku == pairings.c.sku),
        )
        .outerjoin(
            prices, and_(prices.c.store_id == pairings.c.store_id, prices.c.sku == pairings.c.sku)
        )
        .outerjoin(
            waiting_labels,
            and_(
                waiting_labels.c.label_id == labels.c.label_id,
                waiting_labels.c.sku == pairings.c.sku,
            ),
        )
        .outerjoin(
            offers,
            and_(
                offers.c.store_id == prices.c.store_id,
                offers.c.sku == prices.c.sku,
                waiting_labels.c.label_id.is_(None),
            ),
        )
        .outerjoin(
            till_prices,
            and_(
                till_prices.c.store_id == prices.c.store_id,
                till_prices.c.sku == prices.c.sku,
            ),
        )
    )


LABELS_WITH_TRUTH = _labels_with(pairings.c.position == 0)
"""To select `FACE_COLUMNS` and any of the label's own from."""

LABELS_WITH_MORE = _labels_with(pairings.c.position > 0)
"""The same of the products behind the first; `esl.store.truth_beside` reads them."""

_SHORT_LINK: ColumnElement[str] = literal_column(
    "(SELECT link_setting.prefix || short_link.code FROM link_setting CROSS JOIN short_link"
    " WHERE link_setting.store_id = product.store_id"
    " AND short_link.store_id = product.store_id AND short_link.sku = product.sku)"
)
"""The product's short address, in stores whose faces say these; it never says where it leads."""

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
    func.coalesce(_SHORT_LINK, products.c.link).label("link"),
    products.c.origin,
    func.coalesce(products.c.stock_shown, products.c.stock).label("stock"),
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
    prices.c.multibuy_pay_for,
    prices.c.member_condition,
    stores.c.locale,
    stores.c.link_base,
    stores.c.shop_link,
    stores.c.law,
    stores.c.law_goods,
    products.c.anchor_minor,
    till_prices.c.held.label("held"),
    waiting_labels.c.shows.label("meanwhile"),
    offers.c.price_minor.label("offer_minor"),
    offers.c.was_minor.label("offer_was_minor"),
    offers.c.unit_price_minor.label("offer_unit_price_minor"),
    offers.c.badge.label("offer_badge"),
    offers.c.rev.label("offer_rev"),
    offers.c.regular_minor.label("offer_regular_minor"),
    offers.c.member_minor.label("offer_member_minor"),
    offers.c.multibuy_quantity.label("offer_multibuy_quantity"),
    offers.c.multibuy_minor.label("offer_multibuy_minor"),
    offers.c.multibuy_pay_for.label("offer_multibuy_pay_for"),
    offers.c.member_condition.label("offer_member_condition"),
    offers.c.lowest_30d_minor.label("offer_lowest_30d_minor"),
    offers.c.valid_to.label("offer_valid_to"),
    offers.c.template.label("offer_template"),
)
"""What `face_from` reads, in its order; the last is the offer's template."""

PRICE_BEGINS: Final = 13
PRICE_ENDS: Final = 25
"""Where the till's price stands among `FACE_COLUMNS`: price, currency, …, member's condition."""

HELD: Final = 31
"""Where `FACE_COLUMNS` have what is shown in place of the offer's columns, as JSON; or None.

Beside it stands what is shown by a label that a promotion has not reached: the same, or None.
"""

OFFER_BEGINS: Final = 33
"""Where the offer's columns begin among `FACE_COLUMNS`."""

OFFER_COLUMNS: Final = 14
_BEFORE_CONDITIONS: Final = 12
_CONDITION: Final = 9
"""How many an offer had before it said "3 for 2" and whose a price is, and where these came in."""

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
    pay_for, condition, locale, link_base, shop_link, law, law_goods = values[23:30]
    anchor_minor, held, meanwhile, offer_minor = values[30:34]
    if sku is None or price_minor is None:
        return None
    if held is not None or meanwhile is not None:
        return face_from(as_shown(values), label_id)
    if offer_minor is not None:
        price_minor, was_minor, unit_price_minor, badge, price_rev = values[33:38]
        regular_minor, member_minor, multibuy_quantity, multibuy_minor = values[38:42]
        pay_for, condition = values[42:44]
    face = face_for(
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
            multibuy_pay_for=pay_for,
            member_condition=condition,
        ),
        profile=law_for(law, locale),
        goods=goods_of(law_goods, category) if law_goods is not None else None,
        anchor_minor=anchor_minor,
        locale=locale,
        link_base=link_base,
        shop_pattern=shop_link,
        label_id=label_id,
    )
    return face if offer_minor is None else _as_offered(face, values[44], values[45])


def as_shown(values: Sequence[Any]) -> Sequence[Any]:
    """Put what is shown meanwhile, while a till or a roll-out is waited for, in its place."""
    held, meanwhile = values[HELD], values[HELD + 1]
    if held is None and meanwhile is None:
        return values
    shown = json.loads(held if held is not None else meanwhile)
    if len(shown) == _BEFORE_CONDITIONS:  # written before labels said whose a price is
        shown[_CONDITION:_CONDITION] = None, None
    return (*values[:HELD], None, None, *shown)


def _as_offered(face: Face, lowest_minor: int | None, valid_to: date | str | None) -> Face:
    """Say beside a promotion's price until when it holds, and the lowest price before it."""
    lowest = (
        (ReferencePrice(kind=ReferenceKind.LOWEST_30D, minor=lowest_minor),)
        if lowest_minor is not None
        else ()
    )
    last = date.fromisoformat(valid_to) if isinstance(valid_to, str) else valid_to
    return replace(face, valid_to=last, reference_prices=(*lowest, *face.reference_prices))


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
