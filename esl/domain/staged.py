"""Pictures that wait in labels for their moment, and the prices they are for.

::

    flip     planned ──▶ begun (its prices hold)      or failed, or cancelled

    picture  planned ──▶ put ──▶ stored ──▶ armed ──▶ the label shows it at its moment
                ▲                  │          │
                └── what it shows has changed─┘       cancelled: armed, and must not be shown

A flip is a set of price changes that begin to hold together at a moment. Staging only makes
them faster: what is not stored or armed by then is sent as any other price, at once. Neither an
armed nor a cancelled timed show is believed: `accepted` says that a gateway has queued it, and
nothing says more. Therefore

* every timed show has a revision of its own, above all that the label was ever sent;
* whatever the label is told meanwhile has a higher one, so the old show refuses itself;
* a cancelled show is answered by showing the picture that holds under a higher revision.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum, StrEnum

from esl.domain.ids import Digest, GatewayId, LabelId, PanelId, StoreId
from esl.domain.label import SlotState

AHEAD_MOST = timedelta(days=47)
"""A timed show may be 48 days ahead (the Bluetooth profile's limit); a day is kept in hand."""

TOO_LATE = timedelta(seconds=20)
"""Nothing is put or armed this near its moment: it is sent when the moment comes."""

CANCELS_FOR = timedelta(hours=1)
"""How long past its moment a show is cancelled again and again that nobody can say is gone."""


class FlipState(IntEnum):
    """What became of a flip."""

    PLANNED = 0
    BEGUN = 1
    CANCELLED = 2
    FAILED = 3


class FlipKind(IntEnum):
    """What begins to hold at a flip's moment."""

    PRICES = 0  #: those that it was planned with
    EDGE = 1  #: what promotions that begin or end make of prices: computed at the moment


class CommandState(StrEnum):
    """What became of a command for a gateway."""

    WAITING = "waiting"  #: for its gateway to be on the line
    SENT = "sent"
    ACCEPTED = "accepted"  #: the gateway has queued it; nobody learns more
    FAILED = "failed"
    EXPIRED = "expired"  #: the gateway did not answer in time


@dataclass(frozen=True, slots=True, kw_only=True)
class Flip:
    """Prices that begin to hold at a moment; ``changes`` is JSON as a till sends it.

    Of an edge, ``changes`` is a JSON list of the promotions that turn.
    """

    flip_id: int
    store_id: StoreId
    show_at: datetime
    changes: str
    state: FlipState
    actor: str
    planned_at: datetime
    ended_at: datetime | None
    rev: int | None
    detail: str
    kind: FlipKind = FlipKind.PRICES


@dataclass(frozen=True, slots=True, kw_only=True)
class Staged:
    """A picture in a label's slot, with what decides about its next step."""

    label_id: LabelId
    slot: int
    flip_id: int
    rev: int
    digest: Digest
    show_at: datetime
    show_rev: int | None
    state: SlotState
    attempts: int
    gateway_id: GatewayId
    panel_id: PanelId
    level: str | None
    wanted_rev: int
    settled_rev: int
    shown_rev: int
    is_quiet: bool  # the label shows what it should, and nothing is under way to it


@dataclass(frozen=True, slots=True, kw_only=True)
class SlotRow:
    """What a label's slot should hold, how far that has come, and after how many attempts."""

    rev: int
    digest: Digest
    state: SlotState
    show_rev: int | None
    attempts: int


class NextStep(StrEnum):
    """What is to be done about a staged picture."""

    PUT = "put"
    ARM = "arm"
    CANCEL = "cancel"
    DROP = "drop"
    NOTHING = "nothing"


def next_step(staged: Staged, now: datetime) -> NextStep:
    """Say what is to be done about a staged picture that is due.

    A picture is drawn anew if its label has wanted something else since: a price, a product, a
    template or a pairing has changed, and the picture may have too.
    """
    if staged.state is SlotState.CANCELLED:
        # What was shown is not shown again, and what did not come for an hour never does.
        is_over = staged.show_rev is None or staged.shown_rev >= staged.show_rev
        too_late = now - staged.show_at > CANCELS_FOR
        return NextStep.DROP if is_over or too_late else NextStep.CANCEL
    if staged.show_at - now < TOO_LATE or not staged.is_quiet:
        return NextStep.NOTHING
    if staged.state is SlotState.PLANNED or staged.wanted_rev > max(
        staged.rev, staged.show_rev or 0
    ):
        return NextStep.PUT
    if staged.state is SlotState.PUT:
        return NextStep.PUT
    return NextStep.ARM if staged.show_at - now <= AHEAD_MOST else NextStep.NOTHING
