"""Tell tills by signed messages what they may charge.

::

    till_price.rev > till_setting.told_rev ──▶ a page of it, signed ──POST──▶ the till
                      ▲                                                       │ 2xx
                      └───────────────────────────────────────────────────────┘

What is to be told is computed when it is sent, so what changed ten times is told once, and nothing
piles up for a till that is away: it is tried again after 10 s, then ever later up to an hour. A
message is claimed before it is sent, so several processes tell a till once. How it is signed and
sent: `api.listeners.signed_post`.
"""

import asyncio
import json
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Final

import structlog

from api.books import Books
from api.listeners.connectors.errors import ShopError
from api.listeners.own_thread import in_own_thread
from api.listeners.signed_post import CLAIMED_FOR, SignedPosts, pause_after
from api.secret_box import open_box
from api.till_views import SECRET_KIND, page_view, secret_of
from esl.domain.errors import EslError, Unavailable
from esl.domain.instants import instant_text
from esl.domain.till_channel import TillChannel, TillSetting, TillTold
from esl.store import places, till_labels, till_settings, tills

LOOK_EVERY_S: Final = 2.0
PAGE: Final = 200

log = structlog.get_logger()


class TillTeller:
    """Sends each store's till what is new for it; `step` is called by one thread at a time."""

    def __init__(self, books: Books, data_dir: Path) -> None:
        self._books = books
        self._data_dir = data_dir

    async def run(self) -> None:
        """Tell tills until cancelled."""
        while True:
            try:
                await in_own_thread(self.step, name="tills")
            except Unavailable as exc:
                log.warning("tills wait for the database", reason=str(exc))
            await asyncio.sleep(LOOK_EVERY_S)

    def step(self) -> int:
        """Send what is due, a page to each till; return how many took it.

        Raises:
            Unavailable: The database did not answer.
        """
        now = self._books.clock.now()
        with self._books.database.read() as tx:
            stores = [
                one
                for one in till_settings.followed_stores(tx)
                if one.channel is TillChannel.WEBHOOK and one.url is not None
            ]
            due = [
                (one, told)
                for one in stores
                if (told := till_settings.told_of(tx, one.store_id)).next_at is None
                or told.next_at <= now
                if tills.page_of(tx, one.store_id, since=told.told_rev, limit=1)
            ]
        return sum(self._tell(setting, told, now) for setting, told in due)

    def _tell(self, setting: TillSetting, told: TillTold, now: datetime) -> bool:
        store_id = setting.store_id
        is_ours = self._books.writer.write(
            lambda tx: till_settings.claim_telling(tx, store_id, now, until=now + CLAIMED_FOR)
        )
        if not is_ours:
            return False
        with self._books.database.read() as tx:
            currency = places.store_named(tx, store_id).currency
            page = tills.page_of(tx, store_id, since=told.told_rev, limit=PAGE)
            missing = till_labels.missing_labels(tx, store_id, [one.sku for one in page])
            sealed = till_settings.sealed_of(tx, store_id)
        if not page or sealed is None:
            return False
        last = page[-1].rev
        content = {
            "type": "till.prices",
            "timestamp": instant_text(now),
            "data": {"store": store_id, "next": last} | page_view(page, missing, currency),
        }
        message = f"till_{store_id}_{told.told_rev}_{last}"
        try:
            secret = open_box(self._data_dir).open(
                sealed, source=secret_of(store_id), kind=SECRET_KIND
            )
            with closing(SignedPosts()) as posts:
                posts.send(
                    setting.url or "",
                    json.dumps(content, default=_instant).encode(),
                    message=message,
                    secrets=[secret],
                    now=now,
                    allow_private=setting.allow_private,
                )
        except (ShopError, EslError) as exc:
            again = now + pause_after(told.attempts)
            error = str(exc)
            self._books.writer.write(
                lambda tx: till_settings.note_failed(
                    tx, store_id, told, now, error=error, again=again
                )
            )
            if told.attempts == 0:
                log.warning("till takes no message", store=store_id, reason=error)
            return False
        self._books.writer.write(lambda tx: till_settings.note_told(tx, store_id, last))
        if told.attempts:
            log.info("till takes messages again", store=store_id)
        return True


def _instant(value: object) -> str:
    if isinstance(value, datetime):
        return instant_text(value)
    raise TypeError(f"{type(value)} in a message")
