"""Why a label shows what it shows, at any moment: the past as it was written down, now and then.

::

    past      the event of the history that held, with the reason that was kept with it
    now, later   the offer as it is computed, with what does not run and when it does
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
from sqlalchemy import Connection

from esl.domain.errors import UnknownProduct
from esl.domain.ids import LabelId, Sku
from esl.domain.instants import instant_or_none
from esl.domain.law.goods import exemptions_of, goods_of
from esl.domain.law.notes import notes_of
from esl.domain.money import format_minor
from esl.domain.place import Store
from esl.domain.pricing import Says
from esl.domain.promotion.explaining import explain
from esl.domain.promotion.offer import Base, Offer
from esl.domain.promotion.reckoning import Reckoner
from esl.domain.till import Charge
from esl.domain.zone import Level, level_of
from esl.services.promotions.books import book_of, profile_of
from esl.services.promotions.histories import one_history
from esl.services.zones.levels import other_levels
from esl.store import listed, neutral_orders, promoted, proposals, tills
from esl.store.neutral_orders import NeutralOrder
from esl.store.promoted import HeldEvent
from esl.store.tills import Waits as Waiting
from esl.store.waiting import Waits

_WHOSE = {Level.STORE: "till's", Level.ZONE: "zone's", Level.CHAIN: "chain's"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Explained:
    """Why one product's price is what it is."""

    sku: Sku
    words: tuple[str, ...]
    price_minor: int | None
    base: HeldEvent | None  # the till's price that it rests on
    applied: tuple[Mapping[str, Any], ...]
    lost: tuple[Mapping[str, Any], ...]
    law: str | None
    waits: str | None = None  # the promotion whose roll-out has not reached the label


def explain_label(
    tx: Connection, store: Store, label_id: LabelId, at: datetime, now: datetime
) -> list[Explained]:
    """Say why each product of a label is shown as it is at a moment.

    A moment before now is answered from the history, any other by computing it.
    """
    waiting = promoted.waits_for(tx, label_id)
    look = neutral_orders.order_of(tx, store.store_id)
    ordered = look if at >= now else neutral_orders.order_at(tx, store.store_id, at)
    found: list[Explained] = []
    for sku in promoted.skus_of_label(tx, label_id):
        waits = waiting.get(sku)
        one = _past(tx, store, sku, at) if at < now else _computed(tx, store, sku, at, waits=waits)
        if at == now:
            one = _with_till(tx, store, one)
        if ordered is not None:
            one = _without_price(store, one, ordered)
        found.append(_with_levels(tx, store, _with_engine(tx, one), is_now=at >= now))
    return found


def _without_price(store: Store, one: Explained, ordered: NeutralOrder) -> Explained:
    """Say that the label shows no price by order; what it would show else stays said."""
    since = f"{ordered.since.astimezone(ZoneInfo(store.timezone)):%Y-%m-%d %H:%M}"
    words = (
        "The label shows its neutral face and no price: the whole store was ordered to, at"
        f" {since} by {ordered.actor}, because: “{ordered.reason}”. What follows holds at the till."
    )
    return replace(one, words=(words, *one.words), price_minor=None)


def _with_engine(tx: Connection, one: Explained) -> Explained:
    """Add why an engine proposed the price that the label's rests on, where one did."""
    proposed = proposals.proposed_by(tx, one.base.event_id) if one.base is not None else None
    if proposed is None:
        return one
    engine, reason = proposed
    words = f"The engine {engine} proposed the price: “{reason}”."
    return replace(one, words=(*one.words, words))


def _with_levels(tx: Connection, store: Store, one: Explained, *, is_now: bool) -> Explained:
    """Add what the other levels say of the product, where its zone or the chain says a price."""
    if not is_now or one.base is None:
        return one
    words = other_levels(tx, store, one.sku, one.base.source)
    return replace(one, words=(*one.words, *words)) if words else one


def _computed(
    tx: Connection, store: Store, sku: Sku, at: datetime, *, waits: Waits | None
) -> Explained:
    base = promoted.held_event(tx, store.store_id, sku, at, of_till=True)
    product = promoted.products_of(tx, store.store_id, [sku]).get(sku)
    if product is None:
        raise UnknownProduct("the store has no product with this SKU")
    if base is None or base.says is None:
        return Explained(
            sku=sku,
            words=("No price is known, so the label shows none.",),
            price_minor=None,
            base=base,
            applied=(),
            lost=(),
            law=None,
        )
    offer = offer_of(tx, store, sku, at, base)
    zone = ZoneInfo(store.timezone)
    words = [*explain(offer, zone), *_law_notes(tx, store, sku, offer)]
    price_minor = offer.price_minor
    if waits is not None:
        price_minor = _meanwhile(waits, base.says)
        words.append(
            f"This label shows {format_minor(price_minor, store.currency)} {store.currency}, as"
            f" without {waits.promotion_id}: its roll-out has not reached the label, or the label"
            " hangs in another area."
        )
    return Explained(
        sku=sku,
        words=tuple(words),
        price_minor=price_minor,
        base=base,
        applied=tuple(
            {
                "promotion": one.promotion.promotion_id,
                "name": one.promotion.name,
                "place": one.place.value,
                "before": format_minor(one.before_minor, store.currency),
                "after": format_minor(one.after_minor, store.currency),
            }
            for one in offer.reason.applied
        ),
        lost=tuple(
            {
                "promotion": one.promotion.promotion_id,
                "name": one.promotion.name,
                "why": one.why.value,
                "to": one.to.promotion_id if one.to is not None else None,
                "begins": instant_or_none(one.begins),
            }
            for one in offer.reason.lost
        ),
        law=offer.reason.profile,
        waits=waits.promotion_id if waits is not None else None,
    )


def _law_notes(tx: Connection, store: Store, sku: Sku, offer: Offer) -> list[str]:
    """Add what the law leaves out beside the price, and what it asks for that nobody has sent."""
    product = listed.listed_products(tx, store.store_id, [sku])[sku]
    goods = None
    if store.law_goods is not None:
        goods = goods_of(store.law_goods, product.category)
    return notes_of(profile_of(store), offer.unit.code, goods, product.anchor_minor)


def _meanwhile(waits: Waits, says: Says) -> int:
    """Return what a label shows that a promotion does not reach."""
    if waits.shows is None:
        return says.price_minor
    shown: list[Any] = msgspec.json.decode(waits.shows)
    return int(shown[0])


def _with_till(tx: Connection, store: Store, one: Explained) -> Explained:
    """Add for whom a price waits: labels for the till, or the till for labels."""
    till = tills.prices_of(tx, store.store_id, [one.sku]).get(one.sku)
    if till is None or till.waits is Waiting.NOBODY:
        return one

    since = f"{till.since.astimezone(ZoneInfo(store.timezone)):%Y-%m-%d %H:%M}"
    standing, truth = till.standing, _costs(till.truth, store.currency)
    if till.waits is Waiting.TILL:
        words = (
            f"Labels go on showing {_costs(standing.shelf, store.currency)}: the till has not"
            f" acknowledged yet that it charges {truth} (number {standing.grant_rev}, waits since"
            f" {since})."
        )
        return replace(one, words=(*one.words, words), price_minor=standing.shelf.price_minor)
    words = (
        f"The till goes on charging {_costs(standing.grant, store.currency)} until every label"
        f" shows {truth} (since {since})."
    )
    return replace(one, words=(*one.words, words))


def _costs(charge: Charge, currency: str) -> str:
    """Say what a customer pays."""

    def money(minor: int) -> str:
        return f"{format_minor(minor, currency)} {currency}"

    parts = [money(charge.price_minor)]
    if charge.member_minor is not None:
        parts.append(f"members {money(charge.member_minor)}")
    parts += [f"{count} for {money(total)}" for count, total in sorted(charge.multibuys.items())]
    return ", ".join(parts)


def offer_of(tx: Connection, store: Store, sku: Sku, at: datetime, base: HeldEvent) -> Offer:
    """Compute the offer of one product, with what does not run at the moment among the losers."""
    if base.says is None:
        raise AssertionError("a base has a price")
    book = book_of(tx, store)
    product = promoted.products_of(tx, store.store_id, [sku])[sku]
    history = one_history(tx, store, sku, at)
    reckoner = Reckoner(profile_of(store), at, zone=ZoneInfo(store.timezone))
    offer = reckoner.offer(
        product,
        Base(base.says, store.currency, base.at, base.event_id, base.source, base.actor),
        history.steps,
        book.at(at).running(product),
        lowest_30d_minor=history.stated_minor,
        on_sale_from_ms=history.on_sale_from_ms,
        exemptions=exemptions_of(store.law_goods, product.category),
    )
    return offer.noting(book.not_running(product, at))


# -- the past ------------------------------------------------------------------------------------


def _past(tx: Connection, store: Store, sku: Sku, at: datetime) -> Explained:
    held = promoted.held_event(tx, store.store_id, sku, at, of_till=False)
    base = promoted.held_event(tx, store.store_id, sku, at, of_till=True)
    if held is None or held.says is None:
        return Explained(
            sku=sku,
            words=("No price held then, so the label showed none.",),
            price_minor=None,
            base=base,
            applied=(),
            lost=(),
            law=None,
        )
    why = msgspec.json.decode(held.why) if held.why is not None else {}
    return Explained(
        sku=sku,
        words=tuple(_past_words(store, held, base, why)),
        price_minor=held.says.price_minor,
        base=base,
        applied=tuple(_money_in(one, store.currency) for one in why.get("applied", ())),
        lost=tuple(why.get("lost", ())),
        law=why.get("law"),
    )


def _past_words(
    store: Store, held: HeldEvent, base: HeldEvent | None, why: Mapping[str, Any]
) -> Sequence[str]:
    if held.says is None:
        return ()

    def money(minor: int) -> str:
        return f"{format_minor(minor, store.currency)} {store.currency}"

    zone = ZoneInfo(store.timezone)
    since = f"{held.at.astimezone(zone):%Y-%m-%d %H:%M}"
    words = [f"It showed {money(held.says.price_minor)}, since {since} (event {held.event_id})."]
    words += [
        f"{one['name']} ({one['promotion']}) took {money(one['before'])} to {money(one['after'])}."
        for one in why.get("applied", ())
    ]
    if why.get("ended"):
        words.append(f"{', '.join(why['ended'])} had ended.")
    for one in why.get("lost", ()):
        to = f", to {one['to']}" if one.get("to") else ""
        words.append(f"{one['name']} ({one['promotion']}) did not hold: {one['why']}{to}.")
    if base is not None and base.says is not None:
        whose = _WHOSE[level_of(base.source)]
        words.append(
            f"The {whose} price was"
            f" {money(base.says.price_minor)}, from {base.source}, said by"
            f" {base.actor} (event {base.event_id})."
        )
    return words


def _money_in(applied: Mapping[str, Any], currency: str) -> Mapping[str, Any]:
    return {
        **applied,
        "before": format_minor(applied["before"], currency),
        "after": format_minor(applied["after"], currency),
    }
