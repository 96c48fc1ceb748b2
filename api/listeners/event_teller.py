"""Tell other systems of events by signed messages.

::

    books ──▶ the next stretch of each ──▶ a message, kept ──▶ signed, POST ──▶ 2xx: delivered
    (price history, audit, …)      │       and the places,            │
                                   └────── in one transaction         └▶ else: again, the same

A message is written down, with how far the subscription has heard by it, before it is sent: so it
is sent until it is taken, whatever ends this process, and is the same each time. Each subscription
has one message on its way; the next follows when that is taken, and none overtakes another. A turn
is claimed before it is used, so several processes tell a system once.

Tried again after 10 s, then ever later up to an hour, a little off so that not all come at once;
given up after three days, or at once when the answer is 410 Gone.
"""

import asyncio
import secrets
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from datetime import datetime, timedelta
from http import HTTPStatus
from operator import sub
from pathlib import Path
from typing import Final

import structlog
from sqlalchemy import Connection

from api.books import Books
from api.listeners.connectors.errors import ShopBusy, ShopError
from api.listeners.own_thread import in_own_thread
from api.listeners.signed_post import CLAIMED_FOR, SignedPosts, pause_after
from api.secret_box import open_box
from esl.domain.errors import EslError, Unavailable
from esl.domain.subscription import (
    GIVEN_UP_AFTER,
    STOCK_EVENTS,
    Delivery,
    Places,
    Subscription,
)
from esl.services.event_messages import gather, write_message
from esl.store import event_deliveries, subscriptions
from esl.store.event_books import Settled

LOOK_EVERY_S: Final = 1.0
STOCK_EVERY_S: Final = 20.0
"""A look at the stock goes through all products of its stores: 2.4 ms for 10,000 (measured)."""

AT_ONCE_MOST: Final = 8
"""Subscriptions told at the same time: a slow one holds up no other."""

MESSAGES_A_TURN: Final = 50
IDLE_NUMBERS: Final = 10_000
"""Rows that are not for a subscription, until it is written down that they were looked through."""

_OFF_BY: Final = 0.2
"""Of a pause, the part that chance adds."""

SECRET_KIND: Final = "events"  # noqa: S105 - what kind of secret, and no secret

log = structlog.get_logger()


def secret_of(subscription_id: str) -> str:
    """Name whose secret it is that messages to a subscription are signed with."""
    return f"subscription/{subscription_id}"


def new_message_id() -> str:
    """Name a message, as nobody else does."""
    return f"evt_{secrets.token_hex(12)}"


class EventTeller:
    """Sends each subscription what is new for it; ``chance`` gives numbers from 0 to 1."""

    def __init__(
        self,
        books: Books,
        data_dir: Path,
        *,
        chance: Callable[[], float],
    ) -> None:
        self._books = books
        self._data_dir = data_dir
        self._chance = chance
        self._settled = Settled()
        self._whole = Places()
        self._looked: dict[str, Places] = {}  # by subscription: how far, written down or not
        self._stock_at_s: dict[str, float] = {}
        self._under_way: dict[str, asyncio.Task[None]] = {}

    async def run(self) -> None:
        """Tell other systems until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            while True:
                try:
                    due = await asyncio.to_thread(self.look)
                except Unavailable as exc:
                    log.warning("events wait for the database", reason=str(exc))
                    due = []
                self._under_way = {n: t for n, t in self._under_way.items() if not t.done()}
                for name in due:
                    if name not in self._under_way and len(self._under_way) < AT_ONCE_MOST:
                        self._under_way[name] = tasks.create_task(
                            self._tell_apart(name), name=f"events {name}"
                        )
                await asyncio.sleep(LOOK_EVERY_S)

    def look(self) -> list[str]:
        """Name the subscriptions for which there may be something to send now.

        Raises:
            Unavailable: The database did not answer.
        """
        now = self._books.clock.now()
        with self._books.database.read() as tx:
            running = subscriptions.list_running(tx)
            if not running:
                return []
            self._whole = self._settled.look(tx)
            waiting = event_deliveries.with_open(tx)
        return [
            one.subscription_id
            for one in running
            if one.next_at is None or one.next_at <= now
            if one.subscription_id in waiting
            or self._whole.up_to(self._places(one)) != self._places(one)
            or self._is_stock_due(one)
        ]

    def tell(self, name: str) -> int:
        """Send what is due for a subscription; return how many messages it took.

        Raises:
            Unavailable: The database did not answer.
        """
        with closing(SignedPosts()) as posts:
            return self._tell(name, posts)

    def _tell(self, name: str, posts: SignedPosts) -> int:
        taken = 0
        while taken < MESSAGES_A_TURN:
            now = self._books.clock.now()
            with self._books.database.read() as tx:
                seen = subscriptions.find_subscription(tx, name)
                waiting = event_deliveries.first_open(tx, name)
            if seen is None or not seen.is_running or (seen.next_at or now) > now:
                break
            if waiting is not None:
                if not self._send(seen, *waiting, now, posts):
                    break
                taken += 1
            elif not self._make(seen, now):
                break
        return taken

    def step(self) -> int:
        """Do all of a look, one subscription after another; return how many messages were taken.

        Raises:
            Unavailable: The database did not answer.
        """
        return sum(self.tell(name) for name in self.look())

    async def _tell_apart(self, name: str) -> None:
        try:
            await in_own_thread(lambda: self.tell(name), name=f"events {name}")
        except Unavailable as exc:
            log.warning("events wait for the database", subscription=name, reason=str(exc))

    def _make(self, seen: Subscription, now: datetime) -> bool:
        """Write the next message down; False: there is none, or it is another's turn."""
        name = seen.subscription_id
        message_id = new_message_id()
        with_stock = self._is_stock_due(seen)
        written = seen.places
        seen = replace(seen, places=self._places(seen))
        with self._books.database.read() as tx:
            found = gather(
                tx,
                seen,
                self._whole.up_to(seen.places),
                now,
                message_id=message_id,
                with_stock=with_stock,
            )
        if with_stock and len(found.told) < seen.batch_most - len(found.events):
            self._stock_at_s[name] = self._books.clock.monotonic_s()
        is_far = max(map(sub, found.at, written), default=0) > IDLE_NUMBERS
        if not found and not is_far:
            self._looked[name] = found.at
            return found.at != seen.places  # then there is more to look through

        def keep(tx: Connection) -> bool:
            if not subscriptions.claim_turn(tx, seen, until=now, at=found.at):
                return False
            subscriptions.put_told(tx, name, found.told)
            if found.events:
                body = write_message(name, found.events, now)
                event_deliveries.put_delivery(
                    tx, name, message_id=message_id, body=body, events=len(found.events), now=now
                )
            return True

        if not self._books.writer.write(keep):
            return False  # another's turn, or it was changed meanwhile: nothing was looked through
        self._looked[name] = found.at
        return True

    def _send(
        self,
        seen: Subscription,
        delivery: Delivery,
        body: bytes,
        now: datetime,
        posts: SignedPosts,
    ) -> bool:
        name, turn = seen.subscription_id, seen.turn + 1
        if not self._books.writer.write(
            lambda tx: subscriptions.claim_turn(tx, seen, until=now + CLAIMED_FOR)
        ):
            return False
        try:
            status = posts.send(
                seen.url,
                body,
                message=delivery.message_id,
                secrets=self._secrets(name, now),
                now=now,
                allow_private=seen.allow_private,
            )
        except EslError as exc:
            self._note_failed(seen, delivery, exc, turn)
            return False
        done_at = self._books.clock.now()

        def note(tx: Connection) -> None:
            subscriptions.note_taken(tx, name, turn)
            event_deliveries.note_attempt(
                tx, delivery.delivery_id, done_at, status=status, error=None
            )

        self._books.writer.write(note)
        if seen.attempts:
            log.info("events are taken again", subscription=name)
        return True

    def _note_failed(
        self, seen: Subscription, delivery: Delivery, exc: EslError, turn: int
    ) -> None:
        name, now = seen.subscription_id, self._books.clock.now()
        status = exc.status if isinstance(exc, ShopError) else None
        error = _why(exc, status)
        is_over = seen.failing_since is not None and now - seen.failing_since >= GIVEN_UP_AFTER
        again: datetime | None = None
        if status != HTTPStatus.GONE and not is_over:
            pause = pause_after(seen.attempts) * (1 + _OFF_BY * self._chance())
            asked = timedelta(seconds=exc.wait_s) if isinstance(exc, ShopBusy) else timedelta()
            again = now + max(pause, asked)

        def note(tx: Connection) -> None:
            if subscriptions.note_failed(tx, seen, turn, now, error=error, again=again):
                event_deliveries.note_attempt(
                    tx, delivery.delivery_id, now, status=status, error=error
                )

        self._books.writer.write(note)
        if again is None:
            log.warning("events are given up", subscription=name, reason=error)
        elif seen.attempts == 0:
            log.warning("events are not taken", subscription=name, reason=error)

    def _secrets(self, name: str, now: datetime) -> list[str]:
        with self._books.database.read() as tx:
            sealed = subscriptions.sealed_of(tx, name, now)
        box = open_box(self._data_dir)
        return [box.open(one, source=secret_of(name), kind=SECRET_KIND) for one in sealed]

    def _places(self, seen: Subscription) -> Places:
        """Say how far its books were looked through, written down or not."""
        return seen.places.up_to(self._looked.get(seen.subscription_id, Places()))

    def _is_stock_due(self, seen: Subscription) -> bool:
        if not seen.hears(*STOCK_EVENTS):
            return False
        last_s = self._stock_at_s.get(seen.subscription_id)
        return last_s is None or self._books.clock.monotonic_s() - last_s >= STOCK_EVERY_S


def _why(exc: EslError, status: int | None) -> str:
    """Say in words why a message was not taken."""
    if status is None:
        return str(exc)
    if status == HTTPStatus.GONE:
        return "it answers 410: it wants no more of them"
    if HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST:
        return f"it answers {status}: redirects are not followed; give the new address"
    return f"it answers {status}; any 2xx takes a message"
