"""Requests beside prices: flips and their ends, withdrawals, templates, commands for gateways.

What is answered depends on the controller's clock or numbers, so each answer says what was found,
and the model is asked whether that can be.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from esl.domain.errors import Conflict, InvalidInput
from esl.domain.ids import GatewayId, LabelId, Sku, TemplateName
from esl.domain.pricing import DEFAULT_SOURCE
from esl.domain.template import NewTemplate
from esl.intake.order_json import parse_flip
from esl.services import flips, signals, templates, withdrawals
from esl.services.flips import SOONEST
from gateway.signals import Light, config_order, led_orders, report_order, time_order
from renderer.template.template import parse_template
from tests.builders import STORE, the_gallery
from tests.chaos.audit_oracle import Left
from tests.chaos.model import Change, Model
from tests.chaos.panels import PANELS
from tests.chaos.requests import Request

OWN = TemplateName("own")
"""The store's own template."""

HEARTBEAT_S = 15

_OWN_TEXT = """
name: own
title: Own
sample: {name: Jogurt, price: "0.79", currency: EUR, gtin: "9520123456788"}
worst_case: {name: Jogurt, price: "129.99", currency: EUR, gtin: "9520123456788"}
variants:
  - elements:
      - {type: price, box: [0, 0, "WIDTH", "100%"]}
"""


def plan_request(key: str, show_at: datetime, changes: list[Change]) -> Request:
    """Prices begin to hold together at a moment."""
    said = {
        "at": show_at.isoformat(),
        "changes": [
            {
                "sku": c.sku,
                "price": f"{c.price_minor / 100:.2f}",
                "was": None if c.was_minor is None else f"{c.was_minor / 100:.2f}",
                "badge": c.badge,
                "source": c.source,
            }
            for c in changes
        ],
    }

    def do(tx: Connection, now: datetime) -> Any:
        wanted = parse_flip(said, store_id=STORE, currency="EUR")
        try:
            planned = flips.plan_flip(
                tx, STORE, wanted.at, wanted.changes, wanted.said, now, actor="till", panels=PANELS
            )
        except InvalidInput:
            return ["too late", now.isoformat()]
        return ["planned", planned.flip_id, planned.labels]

    def happened(model: Model, given: Any) -> Any:
        if given[0] == "too late":
            was_late = show_at - datetime.fromisoformat(given[1]) < SOONEST
            return given if was_late else "it was in time"
        return ["planned", given[1], len(model.plan(given[1], show_at, changes))]

    return Request(key, f"flip {said}", do, happened)


def cancel_request(key: str, flip_id: int) -> Request:
    """A flip shall not begin."""

    def do(tx: Connection, now: datetime) -> Any:
        try:
            flips.cancel_flip(tx, STORE, flip_id, now)
        except Conflict:
            return "begun"
        return "cancelled"

    return Request(key, f"cancel {flip_id}", do, lambda model, _: model.cancel(flip_id))


def withdraw_request(key: str, sku: str) -> Request:
    """A product has no price until it gets another."""

    def do(tx: Connection, now: datetime) -> Any:
        withdrawals.withdraw_prices(tx, STORE, [Sku(sku)], now)
        return "withdrawn"

    def happened(model: Model, _: Any) -> Any:
        model.withdraw(sku)
        return "withdrawn"

    def leaves(model: Model, _: Any) -> list[Left]:
        return [("price", STORE, sku, DEFAULT_SOURCE, "withdrawn")] if sku in model.prices else []

    return Request(key, f"withdraw {sku}", do, happened, leaves)


def own_template(number: int) -> NewTemplate:
    """Return a version of the store's template; each looks different."""
    text = _OWN_TEXT.replace("WIDTH", f"{10 + number % 80}%")
    digest = parse_template(text).digest
    return NewTemplate(name=OWN, title="Own", text=text, digest=digest, pictures={})


def template_request(key: str, number: int) -> Request:
    """The store's template is saved anew: everything it is drawn with looks different."""
    new = own_template(number)

    def do(tx: Connection, now: datetime) -> Any:
        gallery = frozenset(the_gallery())
        saved = templates.save_template(tx, STORE, new, now, actor="till", gallery=gallery)
        return ["saved", saved.version]

    def happened(model: Model, given: Any) -> Any:
        model.draw_with(new.digest)
        return ["saved", given[1]]

    return Request(key, f"template {number}", do, happened)


def order_request(key: str, number: int, kind: str, label: str, gateway: str) -> Request:
    """Something is asked of a gateway: a light, a report, its clock, its settings."""
    make: dict[str, Callable[[Connection], list[signals.Order]]] = {
        "led": lambda tx: [
            order
            for gateway_id, held in signals.labels_by_gateway(tx, STORE, [LabelId(label)]).items()
            for order in led_orders(gateway_id, held, _light(number))
        ],
        "report": lambda _: [report_order(GatewayId(gateway), [LabelId(label)])],
        "time": lambda _: [time_order(GatewayId(gateway))],
        "config": lambda _: [
            config_order(GatewayId(gateway), beacon_s=None, heartbeat_s=HEARTBEAT_S, window=None)
        ],
    }

    def do(tx: Connection, now: datetime) -> Any:
        return ["ordered", signals.order(tx, STORE, make[kind](tx), now)]

    def happened(model: Model, given: Any) -> Any:
        for command_key in given[1]:
            model.orders[command_key] = (kind, number)
        return given

    return Request(key, f"{kind} {number} {label} {gateway}", do, happened)


def _light(number: int) -> Light:
    # The time between two blinks tells one request for light from all others.
    return Light(
        colour=1, pattern=bytes((0, 0, 0, 0, 0x15)), on_ms=100, off_ms=100 + number, repeats=3
    )
