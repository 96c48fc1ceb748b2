"""How far engines may move a store's prices, and what products cost it; rules are audited."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection

from esl.domain.errors import FieldProblem, InvalidInput
from esl.domain.guards import FIXES, WORDS, Reason
from esl.domain.ids import StoreId
from esl.domain.proposal import Rules
from esl.intake.proposal_json import Cost, rules_view
from esl.store import audit, places, products, proposals


def put_rules(
    tx: Connection, store_id: StoreId, rules: Rules, now: datetime, *, actor: str
) -> None:
    """Replace a store's rules for engines; written down with what they were.

    Raises:
        UnknownStore: There is no such store.
    """
    store = places.lock_store(tx, store_id)
    before = proposals.rules_of(tx, store_id, store.currency, to_change=True)
    proposals.put_rules(tx, store_id, rules, store.currency)
    audit.note(
        tx,
        now,
        actor=actor,
        action="proposal-rules",
        subject=store_id,
        store_id=store_id,
        detail={
            "before": rules_view(before, store.currency) if before is not None else None,
            "after": rules_view(rules, store.currency),
        },
    )


def put_costs(
    tx: Connection, store_id: StoreId, costs: Sequence[Cost], now: datetime, *, actor: str
) -> None:
    """Note what products cost the store: no proposal goes below it.

    Raises:
        UnknownStore: There is no such store.
        InvalidInput: The store has no such product.
    """
    places.lock_store(tx, store_id)
    there = set(products.products_by_sku(tx, store_id, [cost.sku for cost in costs]))
    unknown = [
        FieldProblem(
            path=f"{cost.path}/sku", detail=WORDS[Reason.UNKNOWN_SKU], fix=FIXES[Reason.UNKNOWN_SKU]
        )
        for cost in costs
        if cost.sku not in there
    ]
    if unknown:
        raise InvalidInput(unknown[:50])
    said = {cost.sku: cost.cost_minor for cost in costs}
    proposals.put_costs(tx, store_id, said, now, actor=actor)
