"""What every changing endpoint does: read strictly, write once, answer after the commit."""

import asyncio
import hashlib
import json
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any, TypeVar

import structlog
from fastapi import Request, Response
from sqlalchemy import Connection

from api.house import House
from esl.domain.access import Principal, Scope
from esl.domain.errors import InvalidInput, NotFound, UnknownLabel, UnknownStore
from esl.domain.ids import GatewayId, LabelId, Sku, StoreId, check_sku, check_slug
from esl.domain.label import LabelState
from esl.domain.place import Store
from esl.intake.fields import Fields
from esl.intake.strict_json import parse_strict_json
from esl.services.requests import StoredAnswer, answer_once
from esl.store import labels, places, traces
from esl.store.writer import Priority
from gateway.worker import Notice

Read = TypeVar("Read")

log = structlog.get_logger()

BULK_FROM = 50
"""A request of more items than this waits behind single ones."""

_KEY_LONGEST = 200
_DIGITS_MOST = 15
_LONG_BYTES = 16 * 1024
_VERSIONS = ("if-match", "if-none-match")


async def read_json(request: Request) -> tuple[Any, bytes]:
    """Return the body, parsed strictly, and its bytes. A long one does not hold up others."""
    body = await request.body()
    if len(body) > _LONG_BYTES:
        return await asyncio.to_thread(parse_strict_json, body), body
    return parse_strict_json(body), body


async def read_fields(request: Request) -> tuple[Any, bytes]:
    """Return the body of a request that needs none, or little: nothing is an object of nothing.

    What it lacks all the same is then named, in place of JSON that is missing.
    """
    if not await request.body():
        return {}, b""
    return await read_json(request)


async def read(house: House, query: Callable[[Connection], Read]) -> Read:
    """Run a query off the loop."""

    def run() -> Read:
        with house.database.read() as tx:
            return query(tx)

    return await asyncio.to_thread(run)


async def write(house: House, work: Callable[[Connection], Read]) -> Read:
    """Do ``work`` in a transaction, and return its result after the commit."""
    return await asyncio.wrap_future(house.writer.submit(work))


async def store_for(house: House, text: str) -> Store:
    """Load the store a URL names.

    Raises:
        UnknownStore: There is none.
    """
    return await read(house, lambda tx: places.store_named(tx, StoreId(text)))


async def enter(house: House, principal: Principal, scope: Scope, store: str) -> StoreId:
    """Return the id of the store a URL names, for someone who may.

    Who may not is told so before anyone looks whether the store exists.

    Raises:
        InvalidInput: It is no id.
        Forbidden: The asker lacks the scope.
        UnknownStore: There is none, or it is closed to the asker: both in the same words.
    """
    entered = store_id(store)
    principal.require(scope, entered)
    await store_for(house, entered)
    return entered


def label_for(tx: Connection, principal: Principal, scope: Scope, label_id: LabelId) -> LabelState:
    """Load the label a URL names, for someone who may.

    Raises:
        UnknownLabel: There is none, or it is in a store that is closed to the asker: both in
            the same words.
        Forbidden: The asker lacks the scope.
    """
    state = labels.label_named(tx, label_id)
    try:
        principal.require(scope, state.store_id)
    except UnknownStore:
        raise UnknownLabel(f"no label {label_id!r}") from None
    return state


async def change(
    house: House,
    request: Request,
    principal: Principal,
    body: bytes,
    work: Callable[[Connection], tuple[Mapping[str, Any], Notice]],
    *,
    items: int = 1,
) -> Response:
    """Do ``work`` in one transaction, once per idempotency key, and answer after its commit.

    ``work`` returns the answer's JSON and what to tell the live pages.
    """
    key = idempotency_key(request)
    now = house.clock.now()
    notices: list[Notice] = []

    def once(tx: Connection) -> StoredAnswer:
        def do(tx: Connection) -> StoredAnswer:
            content, notice = work(tx)
            notices.append(notice)
            return StoredAnswer(
                request_sha256=digest, status=HTTPStatus.OK, answer=json.dumps(content)
            )

        return answer_once(
            tx, do, principal=principal.name, key=key, request_sha256=digest, now=now
        )

    digest = hashlib.sha256(asked(request, body)).hexdigest()
    priority = Priority.BULK if items > BULK_FROM else Priority.CHANGE
    answer = await asyncio.wrap_future(house.writer.submit(once, priority=priority))
    if notices:
        house.tell_changed(notices[0])
    return answered(answer, is_replayed=not notices and key is not None)


def asked(request: Request, body: bytes) -> bytes:
    """Return what an idempotency key stands for; the query and the version read count as well."""
    said = [f"{name}: {text}\n" for name in _VERSIONS if (text := request.headers.get(name))]
    query = f"?{request.url.query}" if request.url.query else ""
    return f"{request.method} {request.url.path}{query}\n{''.join(said)}".encode() + body


def answered(answer: StoredAnswer, *, is_replayed: bool) -> Response:
    """Send an answer; say whether it was given before."""
    if traces.is_on():
        _trace(answer)
    headers = {"Idempotency-Replayed": "true"} if is_replayed else {}
    return Response(answer.answer, answer.status, headers, media_type="application/json")


def _trace(answer: StoredAnswer) -> None:
    """Log which changes a request was answered: so its name leads to them, and they to it."""
    told = json.loads(answer.answer)
    results = told.get("results") if isinstance(told, dict) else None
    parts = [told, *(results if isinstance(results, list) else ())]
    revs = [one.get("rev") for one in parts if isinstance(one, dict)]
    for rev in dict.fromkeys(rev for rev in revs if rev is not None):
        log.debug("change answered", change=rev)


def idempotency_key(request: Request) -> str | None:
    """Return a request's idempotency key.

    Raises:
        InvalidInput: It is too long, or cannot be printed.
    """
    key = request.headers.get("idempotency-key")
    if key is not None and not (1 <= len(key) <= _KEY_LONGEST and key.isprintable()):
        raise InvalidInput.at("", "the Idempotency-Key header is not 1 to 200 printable characters")
    return key


async def read_nothing(request: Request) -> bytes:
    """Return the body of a request that needs none: nothing, or an empty object.

    Raises:
        InvalidInput: It says something.
    """
    body = await request.body()
    if body:
        Fields(parse_strict_json(body)).finish()
    return body


def slug(text: str, what: str) -> str:
    """Check an id from the URL."""
    return check_slug(text, path=f"/{what}", what=what)


def number(text: str, what: str) -> int:
    """Check a number from the URL, at most 53 bits.

    Raises:
        NotFound: It is none, so there is nothing of that number.
    """
    if not text.isascii() or not text.isdecimal() or len(text) > _DIGITS_MOST:
        raise NotFound(f"no {what} has this number")
    return int(text)


def store_id(text: str) -> StoreId:
    """Check a store id from the URL."""
    return StoreId(slug(text, "store"))


def gateway_id(text: str) -> GatewayId:
    """Check a gateway id from the URL."""
    return GatewayId(slug(text, "gateway"))


def label_id(text: str) -> LabelId:
    """Check a label id from the URL."""
    return LabelId(slug(text, "label"))


def sku(text: str) -> Sku:
    """Check a SKU from the URL. Where the URL's bytes are not UTF-8, U+FFFD stands for them."""
    if "\N{REPLACEMENT CHARACTER}" in text:
        raise InvalidInput.at("/sku", "not UTF-8", fix="Percent-encode the UTF-8 of the SKU.")
    return check_sku(text, path="/sku")
