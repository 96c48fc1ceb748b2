"""Tell people of what is wrong: one message for one cause, by what is wrong and what was told.

Nothing is remembered but what each recipient was told: what is open is compared with that. So
nothing is lost by a restart or a night of quiet hours, and nothing is told twice. A message is
written down in the transaction that notes what it tells.

==================== =============================================================
new                  a cause that is open and was not told
worse                twice as much as was told, and a quarter of an hour later
over                 it has not been open for two minutes
digest               once a day, at an hour of the store's
==================== =============================================================
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from esl.domain.ids import StoreId
from esl.domain.notification import (
    OVER_AFTER,
    WORSE_AFTER,
    WORSE_TIMES,
    Cause,
    NotificationSettings,
    Recipient,
    Told,
)
from esl.domain.place import Store
from esl.domain.problem import ProblemKind
from esl.store import notifications

DIGEST: Final = "digest"
NAMED_MOST: Final = 20
"""Causes that one message spells out."""

VAIN_MOST: Final = 3
"""Attempts until a person should look why messages are not taken: a minute or so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """What a recipient is to be told now, and what is to be noted with it."""

    recipient: str
    new: tuple[Cause, ...] = ()
    worse: tuple[Cause, ...] = ()
    over: tuple[Told, ...] = ()
    digest: tuple[Cause, ...] | None = None
    noted: tuple[Told, ...] = ()

    def __bool__(self) -> bool:
        """Say whether there is anything to write down."""
        return bool(self.new or self.worse or self.over or self.noted or self.digest is not None)


def find_news(
    tx: Connection,
    store: Store,
    settings: NotificationSettings,
    now: datetime,
    *,
    changed_at: datetime,
) -> list[News]:
    """Find what the recipients of a store are to be told. Only reads."""
    causes = notifications.causes_of(tx, store.store_id)
    told = notifications.told_to(tx, store.store_id)
    is_quiet = settings.is_quiet_at(now, store.timezone)
    due_digest = settings.last_digest(now, store.timezone)
    found: list[News] = []
    for one in settings.recipients:
        wanted = [cause for cause in causes if _concerns(cause, one, store.store_id)]
        known = dict(told.get(one.name, {}))
        last = known.pop(DIGEST, None)
        news = News(recipient=one.name)
        if not (is_quiet and one.is_quiet):
            news = _compare(one.name, wanted, known, now)
        if one.digest and due_digest is not None:
            before = last.told_at if last is not None else changed_at
            if before < due_digest:
                news = replace(news, digest=tuple(wanted))
        if news:
            found.append(news)
    return found


def tell(
    tx: Connection, store: Store, found: Sequence[News], now: datetime, new_id: Callable[[], str]
) -> int:
    """Write messages down, and what is told by them; return how many."""
    written = 0
    for news in found:
        for subject, body in _messages(store, news, now):
            notifications.put_message(
                tx,
                store.store_id,
                news.recipient,
                now,
                message_id=new_id(),
                subject=subject,
                body=body,
            )
            written += 1
        said = [
            Told(key=cause.key, told_at=now, count=cause.count, over_since=None)
            for cause in (*news.new, *news.worse)
        ]
        if news.digest is not None:
            said.append(Told(key=DIGEST, told_at=now, count=0, over_since=None))
        notifications.put_told(tx, store.store_id, news.recipient, [*said, *news.noted])
        over = [one.key for one in news.over]
        notifications.forget_told(tx, store.store_id, news.recipient, over)
    return written


def test_message(store: Store) -> tuple[str, str]:
    """Write a message that only tries the way: subject and body."""
    body = f"This is a test. Problems of {store.name} will be told here.\n"
    return f"{store.name}: a test message", body


def find_notify_problems(
    tx: Connection, store_id: StoreId
) -> Iterator[tuple[ProblemKind, str, str]]:
    """Find recipients who cannot be reached: kind, subject and reason."""
    seen: set[str] = set()
    for one in notifications.messages_in_vain(tx, store_id, attempts=VAIN_MOST):
        if one.recipient not in seen:
            seen.add(one.recipient)
            reason = f"It could not be told since {one.created_at:%Y-%m-%d %H:%M} UTC"
            reason = f"{reason}: {one.error or 'no answer'}"[:300]
            yield ProblemKind.NOTIFY_FAILS, _subject_of(store_id, one.recipient), reason


def _subject_of(store_id: StoreId, recipient: str) -> str:
    return f"notify/{store_id}/{recipient}"


def _concerns(cause: Cause, one: Recipient, store_id: StoreId) -> bool:
    """Say whether somebody hears of a cause: not of that it cannot be reached itself."""
    is_own = cause.key == f"{ProblemKind.NOTIFY_FAILS}/{_subject_of(store_id, one.name)}"
    return one.wants(cause.kind) and not is_own


def _compare(recipient: str, causes: Sequence[Cause], told: dict[str, Told], now: datetime) -> News:
    new: list[Cause] = []
    worse: list[Cause] = []
    over: list[Told] = []
    noted: list[Told] = []
    for cause in causes:
        known = told.pop(cause.key, None)
        if known is None:
            new.append(cause)
        elif cause.count >= WORSE_TIMES * known.count and now - known.told_at >= WORSE_AFTER:
            worse.append(cause)
        elif known.over_since is not None:
            noted.append(replace(known, over_since=None))
    for known in told.values():
        if known.over_since is None:
            noted.append(replace(known, over_since=now))
        elif now - known.over_since >= OVER_AFTER:
            over.append(known)
    return News(
        recipient=recipient,
        new=tuple(new),
        worse=tuple(worse),
        over=tuple(over),
        noted=tuple(noted),
    )


def _messages(store: Store, news: News, now: datetime) -> Iterator[tuple[str, str]]:
    zone = ZoneInfo(store.timezone)
    if news.new or news.worse or news.over:
        lines: list[str] = []
        for title, some in (("New", news.new), ("Worse", news.worse)):
            lines += _listed(title, some, zone)
        if news.over:
            lines += ["Over", *(f"- {_name(one.key)}" for one in news.over[:NAMED_MOST])]
            lines += [*_left_out(len(news.over)), ""]
        first = [*(_headline(one) for one in (*news.new, *news.worse))]
        first += [f"{_name(one.key)} is over" for one in news.over]
        more = f", and {len(first) - 1} more" if len(first) > 1 else ""
        yield f"{store.name}: {first[0]}{more}", "\n".join(lines)
    if news.digest is not None:
        total = sum(cause.count for cause in news.digest)
        day = now.astimezone(zone).date().isoformat()
        head = "Nothing is wrong." if not news.digest else ""
        body = "\n".join([head] if head else _listed("Open", news.digest, zone))
        words = "all is well" if not total else f"{total} open problem{'s' * (total > 1)}"
        yield f"{store.name}: {words} on {day}", f"{body}\n"


def _listed(title: str, causes: Sequence[Cause], zone: ZoneInfo) -> list[str]:
    if not causes:
        return []
    lines = [title]
    for cause in causes[:NAMED_MOST]:
        since = cause.since.astimezone(zone)
        lines += [
            f"- {_headline(cause)}, since {since:%Y-%m-%d %H:%M}",
            f"  {cause.reason}"
            if cause.count == 1
            else f"  Such as {cause.subject}: {cause.reason}",
            f"  {cause.what_to_do}",
        ]
        if cause.behind:
            lines.append(f"  {cause.behind} problems of its labels wait for it.")
    return [*lines, *_left_out(len(causes)), ""]


def _left_out(count: int) -> list[str]:
    return [f"- and {count - NAMED_MOST} more"] if count > NAMED_MOST else []


def _headline(cause: Cause) -> str:
    kind = cause.kind.replace("_", " ")
    return f"{kind}: {cause.subject}" if cause.count == 1 else f"{kind}: {cause.count}"


def _name(key: str) -> str:
    kind, _, subject = key.partition("/")
    return f"{kind.replace('_', ' ')}{f': {subject}' if subject else ''}"
