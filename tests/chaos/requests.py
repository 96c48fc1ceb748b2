"""What the shop's programs ask of the controller: one body, one key, one effect, one answer.

A request knows how the product does it (`do`, within a transaction) and what it means to the
model (`happened`, once that transaction is committed). `take_in` goes through `answer_once`
as `api.doors.change` does.
"""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from esl.domain.ids import LabelId, Sku, SourceId
from esl.domain.place import Pairing
from esl.domain.pricing import PriceChange
from esl.intake.product_json import ProductPut
from esl.services import catalogue, pairing, requests
from esl.services.pricing import apply_price_changes
from esl.services.requests import StoredAnswer
from tests.builders import STORE, a_product
from tests.chaos.audit_oracle import Left
from tests.chaos.model import Change, Model

PRINCIPAL = "till"


@dataclass(frozen=True, slots=True, eq=False)
class Request:
    """One request of a client. ``happened`` is told the answer and returns what it must be."""

    key: str
    body: str
    do: Callable[[Connection, datetime], Any]
    happened: Callable[[Model, Any], Any]
    leaves: Callable[[Model, Any], list[Left]] = lambda _model, _given: []
    """What it must leave in the audit, by what the model held before it."""

    def take_in(self, tx: Connection, now: datetime) -> tuple[StoredAnswer, bool]:
        """Do it once; return the answer, and whether it was done now."""
        done: list[bool] = []
        digest = hashlib.sha256(self.body.encode()).hexdigest()

        def work(tx: Connection) -> StoredAnswer:
            content = self.do(tx, now)
            done.append(True)
            return StoredAnswer(request_sha256=digest, status=200, answer=json.dumps(content))

        answer = requests.answer_once(
            tx, work, principal=PRINCIPAL, key=self.key, request_sha256=digest, now=now
        )
        return answer, bool(done)


def price_request(key: str, changes: list[Change]) -> Request:
    """New prices."""

    def do(tx: Connection, now: datetime) -> Any:
        applied = apply_price_changes(
            tx, STORE, [_price_change(c) for c in changes], now, actor="till"
        )
        return [[r.sku, r.decision.value] for r in applied.results]

    def happened(model: Model, _: Any) -> Any:
        return [[c.sku, model.apply(c)] for c in changes]

    def leaves(_: Model, given: Any) -> list[Left]:
        decided = zip(changes, given, strict=True)
        return [("price", STORE, c.sku, c.source, decision) for c, (_, decision) in decided]

    return Request(key, f"prices {changes}", do, happened, leaves)


def pair_request(key: str, label: str, sku: str) -> Request:
    """A label speaks for another product."""

    def do(tx: Connection, now: datetime) -> Any:
        pair = Pairing(label_id=LabelId(label), sku=Sku(sku))
        pairing.pair_labels(tx, STORE, [pair], now, single=True)
        return "paired"

    def happened(model: Model, _: Any) -> Any:
        model.pair(label, sku)
        return "paired"

    def leaves(model: Model, _: Any) -> list[Left]:
        return [("entry", "pairing", f"label/{label}")] if model.shelves[label].sku != sku else []

    return Request(key, f"pair {label} {sku}", do, happened, leaves)


def unpair_request(key: str, label: str) -> Request:
    """A label speaks for nothing any more."""

    def do(tx: Connection, now: datetime) -> Any:
        pairing.unpair_labels(tx, STORE, [LabelId(label)], now)
        return "unpaired"

    def happened(model: Model, _: Any) -> Any:
        model.pair(label, None)
        return "unpaired"

    def leaves(model: Model, _: Any) -> list[Left]:
        was_paired = model.shelves[label].sku is not None
        return [("entry", "pairing", f"label/{label}")] if was_paired else []

    return Request(key, f"unpair {label}", do, happened, leaves)


def name_request(key: str, sku: str, name: str) -> Request:
    """A product gets another name."""

    def do(tx: Connection, now: datetime) -> Any:
        product = a_product(sku, name=name)
        put = [ProductPut(product=product, price=None)]
        catalogue.put_products(tx, STORE, put, now, actor="till")
        return "named"

    def happened(model: Model, _: Any) -> Any:
        model.name(sku, name)
        return "named"

    return Request(key, f"name {sku} {name}", do, happened)


def _price_change(change: Change) -> PriceChange:
    return PriceChange(
        store_id=STORE,
        sku=Sku(change.sku),
        price_minor=change.price_minor,
        currency="EUR",
        was_minor=change.was_minor,
        badge=change.badge,
        source=SourceId(change.source),
        source_seq=change.seq,
    )
