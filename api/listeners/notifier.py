"""Tell people: find what is news for them, write messages down, send them until they are taken.

::

    problems that are open ──┐
    what was told          ──┴▶ messages, kept ──▶ mail or chat ──▶ taken: sent
                                 in one transaction     └▶ else: again, ever later, three days

A message that is sent again keeps its id: a mail its ``Message-ID``, a chat its ``webhook-id``.
Of several processes each looks, and one writes and sends.
"""

import asyncio
import json
import secrets
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

import structlog
from sqlalchemy import Connection

from api.books import Books
from api.listeners.message_posts import send_chat, send_mail
from api.listeners.own_thread import in_own_thread
from api.listeners.signed_post import pause_after
from api.secret_box import open_box
from esl.domain.errors import EslError, Unavailable
from esl.domain.ids import StoreId
from esl.domain.notification import (
    GIVEN_UP_AFTER,
    Channel,
    Message,
    NotificationSettings,
    Secrets,
)
from esl.domain.place import Store
from esl.intake.notification_json import parse_settings
from esl.services import notifying
from esl.store import notifications, places
from esl.store.notifications import Due, KeptSettings
from esl.store.write_group import Priority

LOOK_EVERY_S: Final = 2.0
NEWS_EVERY_S: Final = 5.0
CLAIMED_FOR: Final = timedelta(seconds=150)
"""Longer than a message can take: by then whoever claimed it is dead."""

AT_ONCE_MOST: Final = 8
SECRET_KIND: Final = "notify"  # noqa: S105 - what kind of secret, and no secret

log = structlog.get_logger()


def secret_of(store_id: StoreId) -> str:
    """Name whose secrets they are."""
    return f"notify/{store_id}"


def new_message_id() -> str:
    """Name a message, as nobody else does."""
    return f"msg_{secrets.token_hex(12)}"


def seal_secrets(data_dir: Path, store_id: StoreId, kept: Secrets) -> bytes:
    """Seal what nobody may read."""
    text = json.dumps({"password": kept.password, "urls": dict(kept.urls)})
    return open_box(data_dir).seal(text, source=secret_of(store_id), kind=SECRET_KIND)


def open_settings(data_dir: Path, kept: KeptSettings) -> tuple[NotificationSettings, Secrets]:
    """Read settings as they are kept.

    Raises:
        SetupError: The secrets cannot be opened.
    """
    text = open_box(data_dir).open(kept.sealed, source=secret_of(kept.store_id), kind=SECRET_KIND)
    held = json.loads(text)
    content = dict(kept.content)
    if content["mail"] is not None:
        content["mail"] = content["mail"] | {"password": held["password"]}
    urls = held["urls"]
    content["recipients"] = [
        one | ({"url": urls[one["name"]]} if one["name"] in urls else {})
        for one in content["recipients"]
    ]
    return parse_settings(content)


class Notifier:
    """Finds news, and sends messages."""

    def __init__(self, books: Books, data_dir: Path) -> None:
        self._books = books
        self._data_dir = data_dir
        self._under_way: dict[Due, asyncio.Task[None]] = {}
        self._news_at_s = 0.0

    async def run(self) -> None:
        """Tell people until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            while True:
                try:
                    due = await asyncio.to_thread(self.look)
                except Unavailable as exc:
                    log.warning("messages wait for the database", reason=str(exc))
                    due = []
                self._under_way = {n: t for n, t in self._under_way.items() if not t.done()}
                for one in due:
                    if one not in self._under_way and len(self._under_way) < AT_ONCE_MOST:
                        name = f"messages {one.store_id} {one.recipient}"
                        task = tasks.create_task(self._send_apart(one, name), name=name)
                        self._under_way[one] = task
                await asyncio.sleep(LOOK_EVERY_S)

    def look(self) -> list[Due]:
        """Write down what is news, from time to time; name those whose messages are due.

        Raises:
            Unavailable: The database did not answer.
        """
        if self._books.clock.monotonic_s() >= self._news_at_s:
            self.find_news()
            self._news_at_s = self._books.clock.monotonic_s() + NEWS_EVERY_S
        with self._books.database.read() as tx:
            return notifications.due_messages(tx, self._books.clock.now())

    def find_news(self) -> int:
        """Write messages down for all that is news; return how many.

        Raises:
            Unavailable: The database did not answer.
        """
        with self._books.database.read() as tx:
            kept = notifications.all_settings(tx)
        return sum(self._news_of(one) for one in kept)

    def step(self) -> int:
        """Do all of a look, one recipient after another; return how many messages were taken.

        Raises:
            Unavailable: The database did not answer.
        """
        self.find_news()
        with self._books.database.read() as tx:
            due = notifications.due_messages(tx, self._books.clock.now())
        return sum(self.send(one) for one in due)

    def send(self, due: Due) -> int:
        """Send a recipient what waits for it; return how many messages it took.

        Raises:
            Unavailable: The database did not answer.
        """
        taken = 0
        while self._send_first(due):
            taken += 1
        return taken

    async def _send_apart(self, due: Due, name: str) -> None:
        try:
            await in_own_thread(lambda: self.send(due), name=name)
        except Unavailable as exc:
            log.warning("messages wait for the database", store=due.store_id, reason=str(exc))

    def _news_of(self, kept: KeptSettings) -> int:
        now = self._books.clock.now()
        settings, _ = parse_settings(_without_secrets(kept.content))

        def find(tx: Connection) -> tuple[Store, list[notifying.News]]:
            store = places.store_named(tx, kept.store_id)
            return store, notifying.find_news(tx, store, settings, now, changed_at=kept.changed_at)

        with self._books.database.read() as tx:
            if not find(tx)[1]:
                return 0

        def tell(tx: Connection) -> int:
            current = notifications.settings_of(tx, kept.store_id, to_change=True)
            if current is None or current.version != kept.version:
                return 0  # changed meanwhile: the next look
            store, found = find(tx)
            return notifying.tell(tx, store, found, now, new_message_id)

        return self._books.writer.write(tell, priority=Priority.HOUSEKEEPING)

    def _send_first(self, due: Due) -> bool:
        now = self._books.clock.now()
        message = self._books.writer.write(
            lambda tx: notifications.claim_first(tx, due, now, now + CLAIMED_FOR)
        )
        if message is None:
            return False
        try:
            self._deliver(due, message, now)
        except EslError as exc:
            error, attempts = str(exc), message.attempts
            is_over = now - message.created_at >= GIVEN_UP_AFTER
            again = None if is_over else self._books.clock.now() + pause_after(attempts)
            self._books.writer.write(
                lambda tx: notifications.note_failed(tx, message.number, error, again)
            )
            if attempts == 0 or is_over:
                log.warning(
                    "message is not taken",
                    store=due.store_id,
                    recipient=due.recipient,
                    reason=error,
                )
            return False
        done_at = self._books.clock.now()
        self._books.writer.write(lambda tx: notifications.note_sent(tx, message.number, done_at))
        return True

    def _deliver(self, due: Due, message: Message, now: datetime) -> None:
        with self._books.database.read() as tx:
            kept = notifications.settings_of(tx, due.store_id)
        if kept is None:
            raise Unavailable("the store has no settings for messages any more")
        settings, held = open_settings(self._data_dir, kept)
        recipient = next((one for one in settings.recipients if one.name == due.recipient), None)
        if recipient is None:
            raise Unavailable("it is no recipient any more")
        if recipient.channel is Channel.MAIL:
            send_mail(settings, held, recipient, message)
        else:
            send_chat(settings, held, recipient, message, store_id=due.store_id, now=now)


def _without_secrets(content: dict[str, object]) -> dict[str, object]:
    """Leave out who cannot be read without secrets: what is news does not need their addresses."""
    listed = content["recipients"]
    if not isinstance(listed, list):
        raise TypeError("settings without recipients")
    plain = [one | {"url": "https://sealed.example/"} for one in listed if one["to"] is None]
    plain += [one for one in listed if one["to"] is not None]
    mail = content["mail"]
    if isinstance(mail, dict) and mail["login"] is not None:
        mail = mail | {"password": "sealed"}
    return content | {"recipients": plain, "mail": mail}
