"""People who are told of problems: who, by what, of which, and when not.

A *cause* is what one message is about: a gateway that is away with all that waits below it, or all
problems of one kind in a store. Each recipient hears of a cause once; again when it got worse, and
when it is over.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from enum import StrEnum
from typing import Final
from zoneinfo import ZoneInfo

from esl.domain.problem import ProblemKind

RECIPIENTS_MOST: Final = 50
WORSE_TIMES: Final = 2
"""A cause got worse when it has this many times as much as was told."""

WORSE_AFTER: Final = timedelta(minutes=15)
"""Not before: what grows by the minute is not told by the minute."""

OVER_AFTER: Final = timedelta(minutes=2)
"""A gateway that comes and goes is not told to be well each time."""

GIVEN_UP_AFTER: Final = timedelta(days=3)


class Channel(StrEnum):
    """By what somebody is told."""

    MAIL = "mail"
    CHAT = "chat"  #: JSON of our own
    SLACK = "slack"
    TEAMS = "teams"
    MATTERMOST = "mattermost"


class Security(StrEnum):
    """How the way to the mail server is protected."""

    STARTTLS = "starttls"
    TLS = "tls"
    NONE = "none"


class MessageState(StrEnum):
    """What became of a message."""

    OPEN = "open"
    SENT = "sent"
    FAILED = "failed"  #: it was tried for three days
    DROPPED = "dropped"  #: its recipient is one no more


@dataclass(frozen=True, slots=True, kw_only=True)
class MailServer:
    """Where mail goes out."""

    host: str
    port: int
    security: Security
    login: str | None
    sender: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipient:
    """Somebody, or a channel of a chat. ``to`` is a mail address; a chat's address is a secret."""

    name: str
    channel: Channel
    to: str | None
    kinds: frozenset[ProblemKind]  # empty: all
    digest: bool
    is_quiet: bool  # quiet hours count for it

    def wants(self, kind: str) -> bool:
        """Say whether it is told of such problems."""
        return not self.kinds or kind in self.kinds


@dataclass(frozen=True, slots=True, kw_only=True)
class NotificationSettings:
    """How the people of a store are told. ``quiet`` may go over midnight."""

    mail: MailServer | None = None
    recipients: tuple[Recipient, ...] = ()
    quiet: tuple[time, time] | None = None
    digest_at: time | None = None
    allow_private: bool = False

    def is_quiet_at(self, now: datetime, zone: str) -> bool:
        """Say whether it is a quiet hour in the store."""
        if self.quiet is None:
            return False
        begins, ends = self.quiet
        at = now.astimezone(ZoneInfo(zone)).time()
        return begins <= at < ends if begins < ends else at >= begins or at < ends

    def last_digest(self, now: datetime, zone: str) -> datetime | None:
        """Return the last moment by now at which digests were due."""
        if self.digest_at is None:
            return None
        local = now.astimezone(ZoneInfo(zone))
        day = local.date() if local.time() >= self.digest_at else local.date() - timedelta(days=1)
        return datetime.combine(day, self.digest_at, ZoneInfo(zone)).astimezone(UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Secrets:
    """What of the settings is kept sealed."""

    password: str | None = None
    urls: Mapping[str, str] = field(default_factory=dict)  # by the names of recipients


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """What is wrong now, as one thing. ``behind`` are problems of labels that it explains."""

    key: str
    kind: str
    count: int
    behind: int
    since: datetime
    subject: str  # of one of them
    reason: str
    what_to_do: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What a recipient was told of a cause last; ``over_since`` when it was first seen no more."""

    key: str
    told_at: datetime
    count: int
    over_since: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A message to one recipient, and what became of it."""

    number: int
    recipient: str
    message_id: str
    created_at: datetime
    subject: str
    body: str
    state: MessageState
    attempts: int
    error: str | None
    sent_at: datetime | None
