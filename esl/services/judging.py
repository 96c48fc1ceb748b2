"""Judge a store's claims anew when its law changes, piece by piece.

::

    law put ──▶ the first `turning.AT_ONCE` products, with it ──▶ none left
                    └─ more: how far it came is noted ──▶ judge_on, a piece a transaction ──┘

A store of 100,000 former prices is never one transaction that tills wait for. A controller that is
killed on the way goes on where it was; a price that comes meanwhile is judged as it comes.
"""

from datetime import datetime
from typing import Final

from sqlalchemy import Connection

from esl.domain.ids import LabelId, StoreId
from esl.domain.place import Store
from esl.services.promotions import turning
from esl.store import offers, places

ACTOR: Final = "system:law"


def begin_to_judge(tx: Connection, store: Store, now: datetime) -> None:
    """Judge the first claims of a store under its law of now, and note what is left."""
    _judge(tx, store, "", now)


def judge_on(tx: Connection, store_id: StoreId, now: datetime) -> tuple[LabelId, ...]:
    """Judge the next claims of a store; return the labels that show something new.

    `esl.store.places.stores_to_judge` names the stores that have some left.
    """
    store = places.lock_store(tx, store_id, to_change=True)
    after = places.judged_after(tx, store_id)
    return () if after is None else _judge(tx, store, after, now)


def _judge(tx: Connection, store: Store, after: str, now: datetime) -> tuple[LabelId, ...]:
    most = turning.AT_ONCE
    found = offers.skus_that_claim(tx, store.store_id, after=after, most=most)
    last = found[-1] if len(found) == most else None
    places.note_judged(tx, store.store_id, last)
    if not found:
        return ()
    return turning.turn(tx, store, found, now, now, actor=ACTOR).labels
