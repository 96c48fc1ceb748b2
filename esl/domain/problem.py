"""What a person should look at: a kind, a subject, a reason, and what to do about it.

A problem is opened when it is first seen and closed when it no longer is, both by the
controller itself. There is at most one open problem of a kind and subject.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from esl.domain.ids import StoreId


class ProblemKind(StrEnum):
    """What may be wrong."""

    GATEWAY_AWAY = "gateway_away"
    GATEWAY_UNHEARD = "gateway_unheard"  #: it was enrolled, and never spoke
    GATEWAY_CLOCK = "gateway_clock"
    CONTROLLER_CLOCK = "controller_clock"  #: more than a day ahead, and not followed
    DUPLICATE_ID = "duplicate_id"
    LABEL_SILENT = "label_silent"
    HARDWARE_FAULT = "hardware_fault"
    BATTERY_LOW = "battery_low"
    NOT_SHOWN = "not_shown"  #: an update was given up
    LATE = "late"  #: an update ran out of time
    PICTURE_REFUSED = "picture_refused"  #: a neutral face hangs in place of a price
    REMOVE = "remove"  #: a label is to be taken off the shelf
    FLIP_FAILED = "flip_failed"
    PRICE_WAITS = "price_waits"  #: a price has been held back for too long
    SOURCE_SILENT = "source_silent"  #: a source that is expected did not speak
    SOURCE_FAILS = "source_fails"  #: a shop cannot be asked, or its webhooks not be read
    FILE_REJECTED = "file_rejected"  #: a file in a source's folder could not be taken
    LIST_TOO_SHORT = "list_too_short"  #: a complete list left out too much
    PROMOTION_PLAIN = "promotion_plain"  #: its price holds, and may not be announced as reduced
    BACKUP_FAILS = "backup_fails"  #: the controller cannot back itself up
    CERTIFICATE = "certificate"  #: that of the HTTP server ends, or a new one cannot be used
    STORE_FROZEN = "store_frozen"  #: nothing is sent to its labels
    STORE_NEUTRAL = "store_neutral"  #: its labels show no prices, by a person's order
    TILL_SILENT = "till_silent"  #: a till does not say that it charges the price it was given
    EVENTS_FAIL = "events_fail"  #: another system does not take what it asked to hear
    NOTIFY_FAILS = "notify_fails"  #: people are to be told, and their messages are not taken
    ACCESS_ENDS = "access_ends"  #: a machine's token or secret, which nobody has replaced
    PAPER_OUTDATED = "paper_outdated"  #: a paper ticket hangs, and may say a wrong price
    INCREASE_WAITS = "increase_waits"  #: labels that may still show less hold a price up


LABEL_KINDS: Final = frozenset(
    {
        ProblemKind.DUPLICATE_ID,
        ProblemKind.LABEL_SILENT,
        ProblemKind.HARDWARE_FAULT,
        ProblemKind.BATTERY_LOW,
        ProblemKind.NOT_SHOWN,
        ProblemKind.LATE,
        ProblemKind.PICTURE_REFUSED,
        ProblemKind.REMOVE,
    }
)
"""Problems of labels; their subject is the label's id."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Something that is wrong now. ``subject`` is a label, a gateway, or ``flip/7``."""

    store_id: StoreId
    kind: ProblemKind
    subject: str
    reason: str
    what_to_do: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """A finding as it is kept; ``until`` is when it ended, None while it is so."""

    problem_id: int
    store_id: StoreId | None
    kind: str
    subject: str
    reason: str
    what_to_do: str
    since: datetime
    until: datetime | None


WHAT_TO_DO: dict[ProblemKind, str] = {
    ProblemKind.GATEWAY_AWAY: "Check its power and network. Its labels follow when it is back.",
    ProblemKind.GATEWAY_UNHEARD: "Give it its enrolment file; check its power and network.",
    ProblemKind.GATEWAY_CLOCK: "Set the gateway's clock; timed changes are sent at their moment.",
    ProblemKind.CONTROLLER_CLOCK: "Set the machine's clock; or, if it is right: esl clock confirm.",
    ProblemKind.DUPLICATE_ID: "Find the two labels and take one of them out of the shop.",
    ProblemKind.LABEL_SILENT: "Look whether it hangs in its place; change its battery.",
    ProblemKind.HARDWARE_FAULT: "Replace the label.",
    ProblemKind.BATTERY_LOW: "Change the battery.",
    ProblemKind.NOT_SHOWN: "See what the label reported; if it happens again, replace the label.",
    ProblemKind.LATE: "Check the label's battery and place; it is tried again by itself.",
    ProblemKind.PICTURE_REFUSED: "Mend the product's data or the template; the price follows.",
    ProblemKind.REMOVE: "Take the label off the shelf, then end the task.",
    ProblemKind.FLIP_FAILED: "Send the prices again, as a change that holds at once.",
    ProblemKind.PRICE_WAITS: "Approve it or reject it: somebody other than who sent it.",
    ProblemKind.SOURCE_FAILS: "Mend what it says, here or in the shop's own settings.",
    ProblemKind.FILE_REJECTED: "Read the error file beside it; mend it, and put it in again.",
    ProblemKind.SOURCE_SILENT: "See whether the till still sends; old prices may hang by now.",
    ProblemKind.LIST_TOO_SHORT: "Send a whole list, or confirm that the products are gone.",
    ProblemKind.PROMOTION_PLAIN: "Lower its price, or let it end: esl explain LABEL says why.",
    ProblemKind.TILL_SILENT: "See whether the till takes prices; labels show the higher till then.",
    ProblemKind.EVENTS_FAIL: "Mend the other side, then see: esl events deliveries SUBSCRIPTION.",
    ProblemKind.NOTIFY_FAILS: "Mend the mail server or the address, then: esl notify test STORE.",
    ProblemKind.ACCESS_ENDS: "Give the machine another, as Machines says, then revoke this one.",
    ProblemKind.PAPER_OUTDATED: "Print it again or take it off the shelf, then say so.",
    ProblemKind.INCREASE_WAITS: "Look after the labels, or say that they hang no more: esl till.",
    ProblemKind.BACKUP_FAILS: "Mend what it says, then try: esl backup FILE. See docs/backup.md.",
    ProblemKind.CERTIFICATE: "Renew it: esl tls renew, or where it comes from; then: esl doctor.",
    ProblemKind.STORE_FROZEN: "Mend the prices or roll the batch back, then thaw the store.",
    ProblemKind.STORE_NEUTRAL: "Once prices are right again: esl neutral STORE --end.",
}
"""What a person can do about each kind."""
