"""Let tills follow what holds, and labels follow tills: in the safe order where a store wants it.

::

    a price came, a promotion turned ──▶ follow_till ──▶ labels told now, or held
    the till acknowledged ─────────────▶ acknowledge ──▶ labels let go
    labels showed what they were told ─▶ confirm_labels ─▶ the till may charge it

What may be done is decided by `esl.domain.till`; here it is read, written, and told. A label that
is held goes on showing what it was told before (``till_price.held``, read with the truth).
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Final

from sqlalchemy import Connection

from esl.domain.ids import LabelId, Sku, StoreId
from esl.domain.label import Lane
from esl.domain.till import (
    Charge,
    Standing,
    acknowledge,
    confirm,
    first_standing,
    follow_at_once,
    settle,
)
from esl.domain.till_channel import TillSetting
from esl.store import labels, places, till_labels, till_settings, tills
from esl.store.revisions import take_revision
from esl.store.tills import TillPrice, Truth, Waits

CONFIRMED_AT_ONCE: Final = 500
"""Products of a store whose labels are looked at in one transaction."""


class Heard(StrEnum):
    """What became of a till's word."""

    ACKNOWLEDGED = "acknowledged"
    SUPERSEDED = "superseded"  #: it may charge something else by now; look again
    UNKNOWN = "unknown"  #: no such product is followed


@dataclass(frozen=True, slots=True, kw_only=True)
class Acknowledged:
    """What became of a till's words, in their order, and the labels that show something new."""

    heard: tuple[Heard, ...]
    labels: tuple[LabelId, ...]


def follow_till(
    tx: Connection, store_id: StoreId, revs: Mapping[Sku, int], now: datetime
) -> frozenset[Sku]:
    """Let till and labels follow what holds of products by now; return those whose labels wait.

    ``revs`` are the revisions that the products' labels will be told. To be called when what
    holds is written and the labels are locked. Those returned are not to be told anything: they
    show what they showed. Where nobody follows the tills of a store, nothing is done.
    """
    if not revs or not till_settings.is_followed(tx, store_id):
        return frozenset()
    setting = till_settings.lock_setting(tx, store_id)
    truths = tills.truths_of(tx, store_id, revs)
    before = tills.prices_of(tx, store_id, sorted(truths))
    rev: int | None = None
    put: list[TillPrice] = []
    for sku, truth in sorted(truths.items()):
        old = before.get(sku)
        if old is None:
            standing = first_standing(truth.charge, revs[sku])
        else:
            standing = follow_standing(setting, old.standing, truth.charge, revs[sku])
            old, standing = _keep_promise(setting, old, standing, truth, revs[sku], now)
        new = told(sku, old, standing, truth, now)
        if new == before.get(sku):
            continue
        if rev is None:
            rev = take_revision(tx)
        put.append(numbered(before.get(sku), new, rev))
    tills.put_prices(tx, store_id, put)
    return frozenset(one.sku for one in put if one.is_held)


def acknowledge_prices(
    tx: Connection, store_id: StoreId, words: Sequence[tuple[Sku, int]], now: datetime
) -> Acknowledged:
    """Take a till's words that it charges what it was granted, each by product and number.

    Labels that waited for it want what holds from now on. The same word again changes nothing.

    Raises:
        UnknownStore: There is no such store.
    """
    places.lock_store(tx, store_id)
    skus = sorted({sku for sku, _ in words})
    labels_of = labels.lock_labels_of_products(tx, store_id, skus)
    setting = till_settings.lock_setting(tx, store_id)
    before = tills.prices_of(tx, store_id, skus)
    after = dict(before)
    heard: list[Heard] = []
    for sku, rev in words:
        one = after.get(sku)
        if one is None:
            heard.append(Heard.UNKNOWN)
        elif one.plan is not None and one.plan.rev == rev:
            after[sku] = replace(one, plan=replace(one.plan, is_acked=True))
            heard.append(Heard.ACKNOWLEDGED)
        elif one.standing.grant_rev == rev:
            if not one.standing.is_acknowledged:
                standing = acknowledge(one.standing, rev)
                after[sku] = replace(one, standing=standing, acked_at=now)
            heard.append(Heard.ACKNOWLEDGED)
        else:
            heard.append(Heard.SUPERSEDED)
    changed = {sku: one for sku, one in after.items() if one != before[sku]}
    touched = _let_go(tx, setting, changed, labels_of, now)
    return Acknowledged(heard=tuple(heard), labels=touched)


def is_anything_unconfirmed(tx: Connection) -> bool:
    """Say whether labels of any product are on their way: the cheap question before all others."""
    return bool(till_labels.unconfirmed_stores(tx)) or till_labels.has_former_pairings(tx)


def confirmed_products(tx: Connection) -> dict[StoreId, list[Sku]]:
    """List the products all of whose labels have come to show what they are told: a read."""
    found = {
        store_id: till_labels.confirmed_skus(tx, store_id, limit=CONFIRMED_AT_ONCE)
        for store_id in till_labels.unconfirmed_stores(tx)
    }
    return {store_id: skus for store_id, skus in found.items() if skus}


def confirm_labels(tx: Connection, store_id: StoreId, now: datetime) -> int:
    """Let a store's till charge what all labels of a product show; return how many products.

    What has been read before is looked at again under the lock.
    """
    setting = till_settings.lock_setting(tx, store_id)
    skus = till_labels.confirmed_skus(tx, store_id, limit=CONFIRMED_AT_ONCE)
    if not skus:
        return 0
    truths = tills.truths_of(tx, store_id, skus)
    rev = take_revision(tx)
    put: list[TillPrice] = []
    for sku, one in tills.prices_of(tx, store_id, skus).items():
        standing = confirm(one.standing, one.standing.shelf_rev)
        truth = truths.get(sku) or _as_before(one)
        # Dearer goes to the till now. Labels are told nothing: `esl.domain.till.settle`.
        standing = follow_standing(setting, standing, truth.charge, rev)
        put.append(numbered(one, told(sku, one, standing, truth, now), rev))
    tills.put_prices(tx, store_id, put)
    return len(put)


def settle_all(
    tx: Connection, store_id: StoreId, skus: Collection[Sku], now: datetime
) -> tuple[LabelId, ...]:
    """Look at products anew after their store's setting has changed; return labels to tell."""
    labels_of = labels.lock_labels_of_products(tx, store_id, skus)
    setting = till_settings.lock_setting(tx, store_id)
    before = tills.prices_of(tx, store_id, skus)
    return _let_go(tx, setting, before, labels_of, now)


def _let_go(
    tx: Connection,
    setting: TillSetting,
    changed: Mapping[Sku, TillPrice],
    labels_of: Mapping[Sku, Sequence[LabelId]],
    now: datetime,
) -> tuple[LabelId, ...]:
    """Go as far as is safe by now; the labels are locked."""
    if not changed:
        return ()
    truths = tills.truths_of(tx, setting.store_id, sorted(changed))
    rev = take_revision(tx)
    put: list[TillPrice] = []
    moved: list[Sku] = []
    for sku, one in sorted(changed.items()):
        truth = truths.get(sku) or _as_before(one)
        standing = follow_standing(setting, one.standing, truth.charge, rev)
        if standing.shelf_rev == rev:
            moved.append(sku)
        put.append(numbered(one, told(sku, one, standing, truth, now), rev))
    tills.put_prices(tx, setting.store_id, put)
    touched = sorted({label for sku in moved for label in labels_of.get(sku, ())})
    labels.want(tx, touched, rev, now, lane=Lane.FLIP)
    return tuple(touched)


def follow_standing(setting: TillSetting, standing: Standing, truth: Charge, rev: int) -> Standing:
    """Go as far towards the truth as a store's order lets till and labels go."""
    step = settle if setting.is_safe else follow_at_once
    return step(standing, truth, rev)


def told(
    sku: Sku, old: TillPrice | None, standing: Standing, truth: Truth, now: datetime
) -> TillPrice:
    """Say how till and labels of a product stand; ``rev`` is left to whoever takes one."""
    is_held = standing.waits_for_till(truth.charge)
    waits = Waits.NOBODY
    if is_held:
        waits = Waits.TILL
    elif standing.waits_for_labels(truth.charge):
        waits = Waits.LABELS
    if old is None:
        return TillPrice(
            sku=sku,
            standing=standing,
            truth=truth.charge,
            shown=truth.shown,
            is_held=is_held,
            rev=0,
            waits=waits,
            since=now,
        )
    is_news = waits is not old.waits or standing.grant_rev != old.standing.grant_rev
    return replace(
        old,
        standing=standing,
        truth=truth.charge,
        shown=old.shown if is_held else truth.shown,
        is_held=is_held,
        waits=waits,
        since=now if is_news else old.since,
    )


def _keep_promise(
    setting: TillSetting,
    old: TillPrice,
    standing: Standing,
    truth: Truth,
    rev: int,
    now: datetime,
) -> tuple[TillPrice, Standing]:
    """Take a till that promised to charge this from a moment on at its word, once that has come."""
    plan = old.plan
    if plan is None or plan.at > now:
        return old, standing
    if plan.is_acked and standing.grant == plan.charge:
        standing = acknowledge(standing, standing.grant_rev)
        standing = follow_standing(setting, standing, truth.charge, rev)
    return replace(old, plan=None), standing


def numbered(old: TillPrice | None, new: TillPrice, rev: int) -> TillPrice:
    """Number what a till is to hear of; its own words it need not hear."""
    is_same = (
        old is not None
        and old.standing.grant_rev == new.standing.grant_rev
        and (old.waits, old.truth, old.plan) == (new.waits, new.truth, new.plan)
    )
    return new if is_same else replace(new, rev=rev)


def _as_before(one: TillPrice) -> Truth:
    """A product without a price now: its labels show none, and its till may sell what it could."""
    return Truth(one.shown, one.standing.shelf, one.standing.shelf_rev)
