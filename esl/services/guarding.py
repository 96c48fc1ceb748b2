"""A store's limits and its emergency stop; both are written down with who and why."""

from datetime import datetime

from sqlalchemy import Connection

from esl.domain.errors import InvalidInput
from esl.domain.guards import Guards
from esl.domain.ids import StoreId
from esl.intake.guard_json import guards_view
from esl.store import audit, guarding, places, staged


def put_guards(
    tx: Connection,
    store_id: StoreId,
    guards: Guards,
    now: datetime,
    *,
    actor: str,
    reason: str,
    path: str = "",
) -> None:
    """Replace a store's limits. To switch them off wants a reason.

    Raises:
        UnknownStore: There is no such store.
        InvalidInput: They are switched off without a reason.
    """
    if not guards.on and not reason.strip():
        raise InvalidInput.at(
            f"{path}/reason",
            "missing",
            fix="Say why prices of this store shall be believed unseen; it is written down.",
        )
    places.lock_store(tx, store_id, to_change=True)
    before = guarding.guards_of_store(tx, store_id)
    guarding.put_guards(tx, store_id, guards)
    audit.note(
        tx,
        now,
        actor=actor,
        action="guards",
        subject=store_id,
        store_id=store_id,
        reason=reason or None,
        detail={"before": guards_view(before), "after": guards_view(guards)},
    )


def freeze_store(
    tx: Connection, store_id: StoreId, now: datetime, *, actor: str, reason: str
) -> datetime:
    """Stop sending to a store's labels; prices are taken in on. Return since when it is so.

    Timed shows are cancelled: their prices are sent once the store is thawed.

    Raises:
        UnknownStore: There is no such store.
    """
    places.lock_store(tx, store_id, to_change=True)
    since = guarding.frozen_since(tx, store_id)
    if since is not None:
        return since
    guarding.set_frozen(tx, store_id, now)
    below = [gateway.gateway_id for gateway in places.list_gateways(tx, store_id)]
    staged.cancel_armed(tx, below, now)
    audit.note(
        tx, now, actor=actor, action="freeze", subject=store_id, store_id=store_id, reason=reason
    )
    return now


def unfreeze_store(
    tx: Connection, store_id: StoreId, now: datetime, *, actor: str, reason: str
) -> bool:
    """Send again what labels want by now; say whether the store was frozen.

    Raises:
        UnknownStore: There is no such store.
    """
    places.lock_store(tx, store_id, to_change=True)
    if guarding.frozen_since(tx, store_id) is None:
        return False
    guarding.set_frozen(tx, store_id, None)
    audit.note(
        tx, now, actor=actor, action="unfreeze", subject=store_id, store_id=store_id, reason=reason
    )
    return True
