"""A call as it came, and what checking its sender gave."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


@dataclass(frozen=True, slots=True, kw_only=True)
class HookRequest:
    """One POST: ``headers`` by lower-case name, repeated ones joined by ``", "``.

    ``url`` is the address as the sender knows it, which Square signs. ``url_secret`` is what
    stood in the address for senders that sign nothing; "" for none.
    """

    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)
    url: str = ""
    url_secret: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class HookSecrets:
    """What a source's calls are checked with; several ``secrets`` while one replaces another.

    A secret is the text as the other system shows it. ``url`` is the address as it was entered
    there.
    """

    secrets: Sequence[str]
    url: str = ""


class Refusal(StrEnum):
    """Why a call was refused: for the log, never for the caller."""

    NO_SECRET = "no_secret"  # noqa: S105  the source has none that could be used
    MISSING_HEADER = "missing_header"
    MALFORMED_HEADER = "malformed_header"
    TOO_OLD = "too_old"
    FROM_THE_FUTURE = "from_the_future"
    WRONG_SIGNATURE = "wrong_signature"


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """Not from whom it says; ``detail`` names the header, never its value."""

    reason: Refusal
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Genuine:
    """Sent by whoever holds the secret.

    ``event_id`` is the same each time the sender sends the same event again; None where it has
    no such name: then each call is an event of its own, because two equal bodies may well be
    two changes (1.29, 1.39, 1.29 again).
    """

    event_id: str | None
    topic: str = ""  # as the sender calls it, "" where it does not
    sent_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Greeting:
    """An unsigned call that some systems send once to see that somebody listens.

    It is answered 200 and changes nothing. ``code`` is what a person must copy back, if any.
    """

    code: str | None = None


Verdict = Genuine | Greeting | Refused
