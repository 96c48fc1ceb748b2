"""How a store's tills are told of prices; promotions are refused where nobody tells them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import Connection, select

from esl.domain.errors import Conflict, InvalidInput
from esl.domain.ids import LabelId, Sku, StoreId
from esl.domain.till import first_standing
from esl.domain.till_channel import PriceOwner, TillChannel, TillSetting
from esl.services.tilling import settle_all
from esl.store import (
    audit,
    labels,
    places,
    remove_tasks,
    till_labels,
    till_settings,
    tills,
)
from esl.store.revisions import take_revision
from esl.store.tables import prices
from esl.store.tills import TillPrice, Waits

_AT_ONCE: Final = 500


def _how(store_id: StoreId) -> str:
    return (
        f'Say how they hear of it: PUT /api/v1/stores/{store_id}/till with the channel "pull" or'
        f' "webhook", or "own" if a person or another system tells them'
        f" (esl till set {store_id} --channel own)."
    )


def missing_till_channels(tx: Connection, store_ids: Sequence[StoreId]) -> list[StoreId]:
    """Name the stores whose tills nobody tells of prices that are made here."""
    return [
        store_id
        for store_id in sorted(set(store_ids))
        if till_settings.setting_of(tx, store_id).channel is TillChannel.NONE
    ]


def require_till_channel(
    tx: Connection, store_ids: Sequence[StoreId], *, promotion_id: str
) -> None:
    """Refuse a promotion that changes a price which a till would never hear of.

    Raises:
        Conflict: The tills of a store are told of nothing.
    """
    deaf = missing_till_channels(tx, store_ids)
    if deaf:
        raise Conflict(
            f"the promotion {promotion_id!r} changes prices, and the tills of"
            f" {', '.join(deaf[:5])} would go on charging the old ones. {_how(deaf[0])}"
        )


def put_till(
    tx: Connection,
    put: TillSetting,
    now: datetime,
    *,
    actor: str,
    sealed: bytes | None = None,
) -> tuple[LabelId, ...]:
    """Replace how a store's tills are told; return labels that show something new.

    A store that begins to follow its tills is taken to agree with them: what labels show is what
    the tills charge. One that stops shows what holds on all its labels at once.

    Raises:
        UnknownStore: There is no such store.
        InvalidInput: A webhook lacks its address or its secret.
    """
    places.lock_store(tx, put.store_id, to_change=True)
    before = till_settings.setting_of(tx, put.store_id)
    if put.channel is TillChannel.WEBHOOK:
        if put.url is None:
            raise InvalidInput.at("/url", "missing", fix="Send the address of the till's webhook.")
        if sealed is None and till_settings.sealed_of(tx, put.store_id) is None:
            raise InvalidInput.at(
                "/secret", "missing", fix="Send what its messages are to be signed with."
            )
    if put.is_safe and not put.is_followed:
        raise InvalidInput.at(
            "/increase_safe",
            "needs a till that says what it charges",
            fix='Take the channel "pull" or "webhook".',
        )
    if put.price_owner is PriceOwner.ESL and put.channel is TillChannel.NONE:
        raise InvalidInput.at(
            "/price_owner",
            "the till would not hear of prices that are made here",
            fix='Take the channel "pull", "webhook" or "own", or leave price_owner out.',
        )
    touched: list[LabelId] = []
    if before.is_followed and not put.is_followed:
        off = TillSetting(store_id=put.store_id, channel=before.channel)
        till_settings.put_setting(tx, off, sealed=None)
        touched += _settle_store(tx, put.store_id, now)
        tills.forget_store(tx, put.store_id)
    till_settings.put_setting(tx, put, sealed=sealed)
    if put.is_followed and not before.is_followed:
        _begin(tx, put.store_id, now)
    elif put.is_followed and put.is_safe != before.is_safe:
        touched += _settle_store(tx, put.store_id, now)
    audit.note(
        tx,
        now,
        actor=actor,
        action="till_setting",
        subject=put.store_id,
        store_id=put.store_id,
        detail={
            "price_owner": put.price_owner.value,
            "channel": put.channel.value,
            "increase_safe": put.is_safe,
        },
    )
    return tuple(touched)


def attest_absent(
    tx: Connection,
    store_id: StoreId,
    label_ids: Sequence[LabelId],
    now: datetime,
    *,
    actor: str,
    reason: str,
) -> None:
    """Write down that a person looked, and that labels do not hang: no price waits for them.

    Raises:
        UnknownLabel: The store has no such label.
    """
    places.lock_store(tx, store_id)
    asked = sorted(set(label_ids))
    labels.lock_labels(tx, store_id, asked)
    till_labels.put_absent(tx, store_id, asked, now, by=actor, reason=reason)
    till_labels.end_former_pairings(tx)
    audit.note(
        tx,
        now,
        actor=actor,
        action="label_absent",
        subject=f"{len(asked)} labels",
        store_id=store_id,
        reason=reason,
        detail={"labels": list(asked[:100])},
    )


def end_remove_task(
    tx: Connection, store_id: StoreId, task_id: int, now: datetime, *, done_by: str
) -> remove_tasks.RemoveTask:
    """Note that a person took a label off the shelf: so no price waits for it any more.

    Raises:
        UnknownTask: The store has no such task.
    """
    task = remove_tasks.end_task(tx, store_id, task_id, now, done_by=done_by)
    if task.done_by != remove_tasks.DONE_BY_ITSELF and task.done_at == now:
        till_labels.put_absent(tx, store_id, [task.label_id], now, by=done_by, reason="remove task")
        till_labels.end_former_pairings(tx)
    return task


def _begin(tx: Connection, store_id: StoreId, now: datetime) -> None:
    """Follow every product of a store that has a price, from what holds."""
    after = ""
    while True:
        query = (
            select(prices.c.sku)
            .where(prices.c.store_id == store_id, prices.c.sku > after)
            .order_by(prices.c.sku)
            .limit(_AT_ONCE)
        )
        skus = [Sku(sku) for sku in tx.execute(query).scalars()]
        if not skus:
            return
        after = skus[-1]
        truths = tills.truths_of(tx, store_id, skus)
        rev = take_revision(tx)
        put = [
            TillPrice(
                sku=sku,
                standing=first_standing(truth.charge, truth.rev),
                truth=truth.charge,
                shown=truth.shown,
                is_held=False,
                rev=rev,
                waits=Waits.NOBODY,
                since=now,
            )
            for sku, truth in sorted(truths.items())
        ]
        tills.put_prices(tx, store_id, put)


def _settle_store(tx: Connection, store_id: StoreId, now: datetime) -> list[LabelId]:
    touched: list[LabelId] = []
    after = ""
    while True:
        skus = tills.skus_followed(tx, store_id, after=after, limit=_AT_ONCE)
        if not skus:
            return touched
        after = skus[-1]
        touched += settle_all(tx, store_id, skus, now)
