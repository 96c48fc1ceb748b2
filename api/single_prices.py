"""The door of single price changes: many senders at once, one piece of work for the writer.

A sender is answered after the commit that holds its change. The answers of one commit reach the
event loop together, and pages and dispatcher are told once.
"""

import asyncio
import hashlib
from collections.abc import Callable, Sequence
from functools import partial
from typing import Final

from sqlalchemy import Connection

from api.house import House
from esl.domain.errors import Conflict, InvalidInput
from esl.domain.ids import StoreId
from esl.domain.pricing import PriceChange
from esl.services.single_changes import SingleChange, Taken, View, take_single_changes
from esl.store import places
from esl.store.gathering import Answer, Gathering
from gateway.worker import Notice

_BELIEVED_S: Final = 5.0
"""A store's currency is believed this long. Applying a change asks the database in any case."""
_STORES_MOST: Final = 10_000

Read = Callable[[str], PriceChange]
"""Reads the change of a request in a currency."""


class SinglePrices:
    """Takes single changes for a house; used by the event loop's thread."""

    def __init__(self, house: House, view: View) -> None:
        self._house = house
        self._view = view
        self._currencies: dict[StoreId, tuple[str, float]] = {}
        self._gathering: Gathering[SingleChange, Taken] = Gathering(
            house.writer, self._take, self._answer
        )

    async def take(
        self,
        store_id: StoreId,
        read: Read,
        *,
        actor: str,
        key: str | None,
        asked: bytes,
        is_listed: bool = False,
    ) -> Taken:
        """Take the change of a request; ``asked`` is what the idempotency key stands for.

        One that ``is_listed`` was sent as a list of one.

        Raises:
            UnknownStore: There is none.
            InvalidInput: It cannot be read.
            EslError: It was refused; nothing was stored.
        """
        digest = hashlib.sha256(asked).hexdigest() if key is not None else ""
        change = await self._read(store_id, read)

        def single(change: PriceChange) -> SingleChange:
            return SingleChange(
                change=change, actor=actor, request_sha256=digest, key=key, is_listed=is_listed
            )

        try:
            return await self._submit(single(change))
        except Conflict:
            self._currencies.pop(store_id, None)
            again = await self._read(store_id, read)
            if again.currency == change.currency:
                raise
            return await self._submit(single(again))  # it has just become another

    async def _submit(self, single: SingleChange) -> Taken:
        promise: asyncio.Future[Taken] = asyncio.get_running_loop().create_future()
        self._gathering.add(single, promise)
        # Once the loop has read what came with it: the writer, asked at once, would take this one
        # alone, and it and the loop would hinder each other.
        promise.get_loop().call_soon(self._gathering.ask)
        return await promise

    async def _read(self, store_id: StoreId, read: Read) -> PriceChange:
        """Read a change in the currency of its store: by what is believed, if that can be."""
        known = self._currencies.get(store_id)
        if known is not None and known[1] > self._house.clock.monotonic_s():
            try:
                return read(known[0])
            except InvalidInput:
                pass  # it may be right in the currency of today
        return read(await self._currency_of(store_id))

    async def _currency_of(self, store_id: StoreId) -> str:
        def query() -> str:
            with self._house.database.read() as tx:
                return places.store_named(tx, store_id).currency

        currency = await asyncio.to_thread(query)
        if len(self._currencies) >= _STORES_MOST:
            self._currencies.clear()
        self._currencies[store_id] = currency, self._house.clock.monotonic_s() + _BELIEVED_S
        return currency

    def _take(self, tx: Connection, singles: Sequence[SingleChange]) -> Sequence[Taken | Exception]:
        return take_single_changes(tx, singles, self._house.clock.now(), view=self._view)

    def _answer(self, answers: list[Answer[Taken]]) -> None:
        """Bring answers from the writer's thread to the loops that wait for them."""
        by_loop: dict[asyncio.AbstractEventLoop, list[Answer[Taken]]] = {}
        for answer in answers:
            promise = answer[0]
            if isinstance(promise, asyncio.Future):
                by_loop.setdefault(promise.get_loop(), []).append(answer)
        for loop, some in by_loop.items():
            if not loop.is_closed():
                loop.call_soon_threadsafe(partial(self._tell, some))

    def _tell(self, answers: list[Answer[Taken]]) -> None:
        fresh = [told for _, told in answers if isinstance(told, Taken) and not told.is_replayed]
        if fresh:
            touched = tuple(label for taken in fresh for label in taken.labels)
            self._house.tell_changed(Notice(labels=touched))
        for promise, told in answers:
            if promise.cancelled():
                continue  # who asked has gone; the change is stored all the same
            if isinstance(told, Exception):
                promise.set_exception(told)
            else:
                promise.set_result(told)
