"""What both drop-in doors do in the house: items, links, lights; each in one transaction."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fastapi import Request, Response
from sqlalchemy import Connection

from api import doors
from api.compat.place import Desk, check_code, desk_for
from api.house import House
from api.routes.commands import light_of
from esl.domain.access import Principal, Scope
from esl.domain.errors import InvalidInput
from esl.domain.ids import LabelId, Sku, StoreId
from esl.domain.place import Pairing
from esl.intake.compat.items import ReadItems, Sent, read_items
from esl.intake.order_json import LightRequest
from esl.intake.strict_json import parse_strict_json
from esl.services import compat_items, pairing, signals
from esl.services.compat_items import TakenItems
from esl.store import places
from gateway import signals as wire_orders
from gateway.worker import Notice

_START_MOST = 10_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A call of a driver that may: who it is, its house, the store and source it is about."""

    request: Request
    house: House
    who: Principal
    desk: Desk
    body: bytes = b""

    @property
    def store_id(self) -> StoreId:
        """Return the store."""
        return self.desk.store.store_id


async def begin(
    request: Request,
    house: House,
    who: Principal,
    scope: Scope,
    *,
    system: str,
    code: str | None,
) -> Call:
    """Find what a call is about, and check that its sender may.

    Raises:
        UnknownStore, Forbidden, InvalidInput, Conflict: As `desk_for` says.
    """
    named = check_code(code)
    desk = await doors.read(house, lambda tx: desk_for(tx, who, scope, system=system, code=named))
    return Call(request=request, house=house, who=who, desk=desk, body=await request.body())


async def read_body(request: Request) -> Any:
    """Read a body's JSON off the loop: it may be megabytes. No body at all is None.

    Raises:
        InvalidInput: It is not JSON.
    """
    body = await request.body()
    return await asyncio.to_thread(parse_strict_json, body) if body.strip() else None


async def read_sent(call: Call, sent: Sequence[Sent], *, whole: bool) -> ReadItems:
    """Read items through the source's mapping, off the loop."""
    desk = call.desk
    return await asyncio.to_thread(read_items, sent, desk.mapping, desk.place, whole=whole)


async def put_items(
    call: Call,
    read: ReadItems,
    tell: Callable[[Connection, TakenItems], Mapping[str, Any]],
    *,
    whole: bool,
    links: Sequence[Pairing] = (),
) -> Response:
    """Take items, then link labels; ``tell`` makes the answer, in the same transaction."""

    def work(tx: Connection) -> tuple[Mapping[str, Any], Notice]:
        now = call.house.clock.now()
        taken = compat_items.take_items(
            tx,
            call.desk.source,
            call.store_id,
            read,
            now,
            actor=call.who.name,
            title=call.desk.source.name,
            whole=whole,
        )
        linked: tuple[LabelId, ...] = ()
        if links:
            linked = pairing.pair_labels(
                tx, call.store_id, links, now, single=False, actor=call.who.name
            )
        return tell(tx, taken), Notice(labels=taken.labels + linked)

    return await change(call, work, items=len(read.places))


async def delete_items(call: Call, skus: Sequence[Sku], answer: Mapping[str, Any]) -> Response:
    """Take products out of the assortment."""

    def work(tx: Connection) -> tuple[Mapping[str, Any], Notice]:
        now = call.house.clock.now()
        labels = compat_items.delete_items(tx, call.store_id, skus, now, actor=call.who.name)
        return answer, Notice(labels=labels)

    return await change(call, work, items=len(skus))


async def link(
    call: Call, pairs: Sequence[Pairing], freed: Sequence[LabelId], answer: Mapping[str, Any]
) -> Response:
    """Let labels speak for products, and others for none; all of it or nothing."""

    def work(tx: Connection) -> tuple[Mapping[str, Any], Notice]:
        now = call.house.clock.now()
        touched: tuple[LabelId, ...] = ()
        if pairs:
            touched += pairing.pair_labels(
                tx, call.store_id, pairs, now, single=False, actor=call.who.name
            )
        if freed:
            touched += pairing.unpair_labels(tx, call.store_id, freed, now, actor=call.who.name)
        return answer, Notice(labels=touched)

    return await change(call, work, items=len(pairs) + len(freed))


async def blink(call: Call, wanted: Sequence[LightRequest], answer: Mapping[str, Any]) -> Response:
    """Let labels blink, to be found."""

    def work(tx: Connection) -> tuple[Mapping[str, Any], Notice]:
        now = call.house.clock.now()
        for one in wanted:
            found = signals.labels_by_gateway(tx, call.store_id, one.labels)
            takes = places.payload_bytes_of(tx, found)
            light = light_of(one)
            orders = [
                order
                for gateway, here in sorted(found.items())
                for order in wire_orders.led_orders(
                    gateway, here, light, payload_bytes=takes[gateway]
                )
            ]
            signals.order(tx, call.store_id, orders, now)
        return answer, Notice()

    return await change(call, work)


async def change(
    call: Call,
    work: Callable[[Connection], tuple[Mapping[str, Any], Notice]],
    *,
    items: int = 1,
) -> Response:
    """Do ``work`` once per Idempotency-Key; the store in the query is part of the request."""
    asked = f"{call.request.url.query}\n".encode() + call.body
    return await doors.change(call.house, call.request, call.who, asked, work, items=items)


def whole_number(text: str | None, name: str, *, usual: int, most: int = _START_MOST) -> int:
    """Read a number of an address.

    Raises:
        InvalidInput: It is none within 0 and ``most``.
    """
    if text is None or not text:
        return usual
    if not (text.isascii() and text.isdecimal()) or len(text) > len(str(most)) or int(text) > most:
        raise InvalidInput.at(f"/{name}", "not a number", fix=f"Send 0 to {most}.")
    return int(text)
