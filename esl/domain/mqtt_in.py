"""Price changes that come over MQTT: a message, what became of it, and why it could not be taken.

::

    esl/v1/in/{source}          from a source: the body that HTTP takes, or that of its mapping
    esl/v1/in/{source}/result   to it, if it asks for that: what became of each item
"""

import hashlib
import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

ROOT = "esl/v1/in"
ALL_SOURCES = f"{ROOT}/+"
LARGEST_BYTES = 4 * 1024 * 1024
"""A message above this is refused; HTTP takes bodies of the same size."""

KEPT_BYTES = 32 * 1024
"""So much of a refused message is kept to look at, and to take again."""

NOT_SOURCES = frozenset({"state", "up", "down"})
"""A gateway called ``in`` would speak there: no source is called so."""

_TOPIC = re.compile(rf"{ROOT}/([a-z0-9-]{{1,64}})")


class Refusal(StrEnum):
    """Why a message was not taken, or not all of it."""

    UNKNOWN_SOURCE = "unknown_source"  #: nobody registered it as a source of the kind mqtt
    DISABLED = "disabled"  #: the source is switched off
    TOO_LARGE = "too_large"
    UNREADABLE = "unreadable"  #: not JSON, not what the mapping reads, wrong fields, unknown SKU
    PARTLY = "partly"  #: some of its items were refused; the others were taken
    RETAINED = "retained"  #: the broker's copy of an old message: nobody knows how old
    FAULT = "fault"  #: a fault of ours, which the log tells


@dataclass(frozen=True, slots=True, kw_only=True)
class InMessage:
    """A message as it came. ``packet_id`` is 0 where the broker awaits no acknowledgement."""

    topic: str
    payload: bytes
    packet_id: int = 0
    again: bool = False  # the broker says that it may have sent it before
    retained: bool = False
    key: str | None = None  # its user property ``idempotency-key``
    store: str | None = None  # its user property ``store``, in the source's words
    correlation: bytes | None = None

    @property
    def source(self) -> str | None:
        """Return the source that the topic names; None if it is no topic of a source."""
        found = _TOPIC.fullmatch(self.topic)
        return found[1] if found is not None and found[1] not in NOT_SOURCES else None

    @property
    def sha256(self) -> str:
        """Return the digest of what it says."""
        said = "\0".join((self.topic, self.key or "", self.store or "")).encode()
        return hashlib.sha256(said + b"\0" + self.payload).hexdigest()

    @property
    def mark(self) -> str:
        """Name it among those that may come again: these keep their packet id."""
        return f"{self.packet_id}:{self.sha256[:16]}"


def result_topic(source: str) -> str:
    """Return where a source hears what became of its messages."""
    return f"{ROOT}/{source}/result"


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusedMessage:
    """A message that could not be taken, kept for a person. ``payload`` has its first bytes."""

    refused_id: int
    source: str
    topic: str
    reason: str
    detail: str
    payload: bytes
    size_bytes: int
    sha256: str
    times: int
    first_at: datetime
    last_at: datetime
    key: str | None = None
    store: str | None = None

    def as_sent(self) -> InMessage:
        """Return the message as it came, to be taken now.

        What was taken in part was answered under its key: it is taken without the key, or its
        answer would stand for what is taken now.
        """
        key = None if self.reason == Refusal.PARTLY else self.key
        return InMessage(topic=self.topic, payload=self.payload, key=key, store=self.store)
