"""Why a command came to nothing, and what the controller does about it.

The first twelve codes are the errors of the Bluetooth ESL service in snake case (ESLS 1.0,
field notes standards A.4), the others are ours. A code says what the gateway or the label
knows; the policy is the controller's answer to it:

================= =========================================================================
retry             the same truth again after a growing pause; a problem after many attempts
resend_full       at once, as a whole picture instead of a delta or a stored one
give_up           not again for this revision; a problem tells a person what to do
settled_by_report nothing is sent; what the label shows decides, and its `seen` comes along
================= =========================================================================

"Again" always means: read the truth anew and send what it says now, under a new command id.
Giving up ends with the next revision and with a new incarnation of the label; where other
firmware may help (`invalid_opcode`, `invalid_parameters`, `capacity_limit`, `unsupported`) with a
new session of the gateway, unless its sessions follow each other within seconds; for
`insufficient_battery` when the battery was changed.
"""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final


class Policy(StrEnum):
    """What the controller does about a failure."""

    RETRY = "retry"
    RESEND_FULL = "resend_full"
    GIVE_UP = "give_up"
    SETTLED_BY_REPORT = "settled_by_report"


class FailureCode(StrEnum):
    """The ``code`` of a `gateway.wire.messages.Failed`."""

    UNSPECIFIED_ERROR = "unspecified_error"
    INVALID_OPCODE = "invalid_opcode"
    INVALID_STATE = "invalid_state"
    INVALID_IMAGE_INDEX = "invalid_image_index"
    IMAGE_NOT_AVAILABLE = "image_not_available"
    INVALID_PARAMETERS = "invalid_parameters"
    CAPACITY_LIMIT = "capacity_limit"
    INSUFFICIENT_BATTERY = "insufficient_battery"
    INSUFFICIENT_RESOURCES = "insufficient_resources"
    RETRY = "retry"
    QUEUE_FULL = "queue_full"
    IMPLAUSIBLE_ABSOLUTE_TIME = "implausible_absolute_time"
    UNKNOWN_LABEL = "unknown_label"
    BASE_MISMATCH = "base_mismatch"
    BAD_DIGEST = "bad_digest"
    UNSUPPORTED = "unsupported"
    EXPIRED = "expired"
    SUPERSEDED = "superseded"
    REFRESH_FAILED = "refresh_failed"
    LABEL_TIMEOUT = "label_timeout"


POLICIES: Final[Mapping[FailureCode, Policy]] = MappingProxyType(
    {
        # Nothing is known, so nothing better than another attempt can be chosen.
        FailureCode.UNSPECIFIED_ERROR: Policy.RETRY,
        # What was sent is no message to the receiver; the same bytes will not become one.
        FailureCode.INVALID_OPCODE: Policy.GIVE_UP,
        # The label is busy, joining or updating, and will not stay so; or it is bound at a
        # higher epoch, which the truth read anew knows.
        FailureCode.INVALID_STATE: Policy.RETRY,
        # The label has fewer slots than its panel record says: the record must be corrected.
        FailureCode.INVALID_IMAGE_INDEX: Policy.GIVE_UP,
        # The slot to be shown is empty, so the picture has to travel again.
        FailureCode.IMAGE_NOT_AVAILABLE: Policy.RESEND_FULL,
        # A field is out of its range: one of the two programs is wrong, and stays wrong.
        FailureCode.INVALID_PARAMETERS: Policy.GIVE_UP,
        # The picture or command is larger than this gateway or label can ever take.
        FailureCode.CAPACITY_LIMIT: Policy.GIVE_UP,
        # A refresh could brown the label out; somebody has to change the battery.
        FailureCode.INSUFFICIENT_BATTERY: Policy.GIVE_UP,
        # Memory or airtime is short just now.
        FailureCode.INSUFFICIENT_RESOURCES: Policy.RETRY,
        # The receiver itself asks for the same thing later.
        FailureCode.RETRY: Policy.RETRY,
        # The gateway's queue is full; the controller also halves its window there.
        FailureCode.QUEUE_FULL: Policy.RETRY,
        # A flip in the past or beyond 48 days: a clock is wrong, or the edge has gone by and
        # the truth, which knows what holds now, sends the picture itself.
        FailureCode.IMPLAUSIBLE_ABSOLUTE_TIME: Policy.GIVE_UP,
        # This gateway does not hear the label (any more): the next attempt takes the route
        # by which the label was heard last.
        FailureCode.UNKNOWN_LABEL: Policy.RETRY,
        # The label no longer holds the frame the delta was made against.
        FailureCode.BASE_MISMATCH: Policy.RESEND_FULL,
        # The picture was damaged on its way, or decoded against something else.
        FailureCode.BAD_DIGEST: Policy.RESEND_FULL,
        # The gateway or label will not learn this command, encoding or feature by repetition.
        FailureCode.UNSUPPORTED: Policy.GIVE_UP,
        # It reached the label's turn after its deadline; the truth may be another by now.
        FailureCode.EXPIRED: Policy.RETRY,
        # The label already shows this revision with another picture, or a higher one.
        FailureCode.SUPERSEDED: Policy.SETTLED_BY_REPORT,
        # The panel did not finish painting (cold, brown-out): the glass may be half painted.
        FailureCode.REFRESH_FAILED: Policy.RETRY,
        # The label did not answer: asleep, moved or out of range.
        FailureCode.LABEL_TIMEOUT: Policy.RETRY,
    }
)


def policy_of(code: str) -> Policy:
    """Say what to do about a failure.

    A code we do not know (a newer gateway's) is retried: retries are slow and bounded and end
    in a problem that a person sees, while giving up on a word we cannot read would leave a
    wrong price hanging.
    """
    try:
        return POLICIES[FailureCode(code)]
    except ValueError:
        return Policy.RETRY
