"""Other systems that hear of events: who hears of what, and what became of each message."""

import base64
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, Field
from sqlalchemy import Connection

from api import doors, openapi_subscriptions
from api.auth import Asker, TheHouse
from api.edits import Edited, Read, Removed
from api.house import House
from api.listeners.event_teller import SECRET_KIND, new_message_id, secret_of
from api.paging import PageOfStore, cut
from api.secret_box import open_box
from esl.domain.access import ALL_STORES, Principal, Scope
from esl.domain.errors import InvalidInput, UnknownStore, UnknownSubscription
from esl.domain.instants import instant_text
from esl.domain.subscription import Subscription
from esl.intake.subscription_json import (
    delivery_view,
    parse_overlap,
    parse_subscription,
    said_view,
    subscription_view,
)
from esl.services import subscriptions
from esl.store import event_deliveries
from esl.store import subscriptions as rows
from gateway.worker import Notice

router = APIRouter(prefix="/api/v1/subscriptions", tags=["events"])

SECRET_BYTES: Final = 32
_NUMBER_MOST: Final = 2**53 - 1


class Page(BaseModel, extra="forbid"):
    """Which messages, the newest first."""

    before: int | None = Field(default=None, ge=1, le=_NUMBER_MOST, description="Those below.")
    limit: int = Field(default=50, ge=1, le=300)


@router.get("")
async def list_subscriptions(
    house: TheHouse, who: Asker, which: Annotated[PageOfStore, Query()]
) -> dict[str, Any]:
    """List a store's subscriptions, or all, with how each fares."""
    store_id = doors.store_id(which.store) if which.store is not None else None
    who.require(Scope.STORE_ADMIN, store_id)
    known = await doors.read(house, lambda tx: rows.list_subscriptions(tx, store_id))
    found, after = cut(known, which, lambda one: one.subscription_id)
    return {"subscriptions": [subscription_view(one) for one in found], "after": after}


@router.get("/{subscription}")
async def get_subscription(
    subscription: str, house: TheHouse, who: Asker, reading: Read
) -> dict[str, Any]:
    """Return a subscription, and how it fares."""
    name = doors.slug(subscription, "subscription")
    known = await doors.read(house, lambda tx: _known(tx, who, name))
    return reading.part(subscription_view(known), said_view(known))


@router.put("/{subscription}", openapi_extra=openapi_subscriptions.SUBSCRIPTION)
async def put_subscription(
    subscription: str, request: Request, house: TheHouse, who: Asker, edit: Edited
) -> Response:
    """Subscribe, or change a subscription; what is left out takes its default.

    Without a store it is for all of them. The secret of a new one is in this answer, and in no
    other. One that was given up goes on where it was; with ``from_now`` from now.
    """
    name = doors.slug(subscription, "subscription")
    _refuse_key(request)
    value, body = await doors.read_json(request)
    put = parse_subscription(value, subscription_id=name)
    who.require(Scope.STORE_ADMIN, put.store_id)
    secret, sealed = _new_secret(house.settings.data_dir, name)

    def work(tx: Connection) -> tuple[dict[str, Any], Notice]:
        edit.check(tx, lambda: said_view(_known(tx, who, name)))
        one, is_new = subscriptions.put_subscription(
            tx, put, house.clock.now(), actor=who.name, sealed=sealed
        )
        shown = {"secret": secret} if is_new else {}
        return subscription_view(one) | shown, Notice()

    return await doors.change(house, request, who, body, work)


@router.delete("/{subscription}")
async def delete_subscription(
    subscription: str, request: Request, house: TheHouse, who: Asker, edit: Removed
) -> Response:
    """End a subscription, and forget its messages."""
    name = doors.slug(subscription, "subscription")
    body = await doors.read_nothing(request)

    def work(tx: Connection) -> tuple[dict[str, Any], Notice]:
        known = _known(tx, who, name, to_change=True)
        edit.check(tx, lambda: said_view(known))
        subscriptions.delete_subscription(tx, known, house.clock.now(), actor=who.name)
        return {"subscription": name, "deleted": True}, Notice()

    return await doors.change(house, request, who, body, work)


@router.post("/{subscription}/secret", openapi_extra=openapi_subscriptions.ROTATION)
async def rotate_secret(
    subscription: str, request: Request, house: TheHouse, who: Asker
) -> Response:
    """Make a new secret; messages are signed with both for ``overlap_h``, 24 if left out.

    The secret is in this answer, and in no other.
    """
    name = doors.slug(subscription, "subscription")
    _refuse_key(request)
    value, body = await doors.read_json(request)
    overlap = parse_overlap(value)
    secret, sealed = _new_secret(house.settings.data_dir, name)

    def work(tx: Connection) -> tuple[dict[str, Any], Notice]:
        known = _known(tx, who, name, to_change=True)
        until = subscriptions.rotate_secret(
            tx, known, sealed, house.clock.now(), actor=who.name, overlap=overlap
        )
        instant = instant_text(until)
        return {"subscription": name, "secret": secret, "old_until": instant}, Notice()

    return await doors.change(house, request, who, body, work)


@router.post("/{subscription}/test", openapi_extra=openapi_subscriptions.NOTHING)
async def test_subscription(
    subscription: str, request: Request, house: TheHouse, who: Asker
) -> Response:
    """Send a message without events; its delivery says what came of it."""

    def work(tx: Connection, known: Subscription) -> dict[str, Any]:
        made = subscriptions.send_ping(tx, known, house.clock.now(), message_id=new_message_id())
        return delivery_view(made)

    return await _do(subscription, request, house, who, work)


@router.get("/{subscription}/deliveries")
async def list_deliveries(
    subscription: str, house: TheHouse, who: Asker, page: Annotated[Page, Query()]
) -> dict[str, Any]:
    """List the messages of a subscription, the newest first, and what became of each."""
    name = doors.slug(subscription, "subscription")

    def query(tx: Connection) -> dict[str, Any]:
        _known(tx, who, name)
        found = event_deliveries.list_deliveries(tx, name, before=page.before, limit=page.limit)
        return {"deliveries": [delivery_view(one) for one in found]}

    return await doors.read(house, query)


@router.get("/{subscription}/deliveries/{delivery}")
async def get_delivery(
    subscription: str, delivery: str, house: TheHouse, who: Asker
) -> dict[str, Any]:
    """Return a message with its body, as it is sent."""
    name, number = doors.slug(subscription, "subscription"), _number(delivery)

    def query(tx: Connection) -> dict[str, Any]:
        _known(tx, who, name)
        found, body = event_deliveries.delivery_named(tx, name, number)
        return delivery_view(found) | {"body": body.decode()}

    return await doors.read(house, query)


@router.post(
    "/{subscription}/deliveries/{delivery}/redeliver", openapi_extra=openapi_subscriptions.NOTHING
)
async def redeliver(
    subscription: str, delivery: str, request: Request, house: TheHouse, who: Asker
) -> Response:
    """Send a message once more, the same to the byte and with the same id."""
    number = _number(delivery)

    def work(tx: Connection, known: Subscription) -> dict[str, Any]:
        now = house.clock.now()
        return delivery_view(subscriptions.send_again(tx, known, number, now, actor=who.name))

    return await _do(subscription, request, house, who, work)


async def _do(
    subscription: str,
    request: Request,
    house: House,
    who: Principal,
    work: Callable[[Connection, Subscription], dict[str, Any]],
) -> Response:
    name = doors.slug(subscription, "subscription")
    body = await doors.read_nothing(request)

    def all_of_it(tx: Connection) -> tuple[dict[str, Any], Notice]:
        return work(tx, _known(tx, who, name, to_change=True)), Notice()

    return await doors.change(house, request, who, body, all_of_it)


def _known(tx: Connection, who: Principal, name: str, *, to_change: bool = False) -> Subscription:
    """Load the subscription a URL names, for someone who may.

    Raises:
        UnknownSubscription: There is none, or it is closed to the asker: both in the same words.
        Forbidden: The asker lacks the scope.
    """
    known = rows.subscription_named(tx, name, to_change=to_change)
    if known.store_id is None and ALL_STORES not in who.stores:
        raise UnknownSubscription(f"no subscription {name!r}")
    try:
        who.require(Scope.STORE_ADMIN, known.store_id)
    except UnknownStore:
        raise UnknownSubscription(f"no subscription {name!r}") from None
    return known


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 0 < int(text[:17]) <= _NUMBER_MOST):
        raise UnknownSubscription("no such delivery; old ones are forgotten")
    return int(text[:17])


def _refuse_key(request: Request) -> None:
    if request.headers.get("idempotency-key") is not None:
        raise InvalidInput.at(
            "", "an Idempotency-Key would keep the secret", fix="Leave the header out."
        )


def _new_secret(data_dir: Path, name: str) -> tuple[str, bytes]:
    secret = "whsec_" + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()
    sealed = open_box(data_dir).seal(secret, source=secret_of(name), kind=SECRET_KIND)
    return secret, sealed
