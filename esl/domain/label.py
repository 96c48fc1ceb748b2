"""How a label is doing.

A label *wants* a revision and *shows* one. ``due_at`` alone says when to look at it next: None
is settled, a past moment is now, a future moment is how long we wait for the label to answer.

    want ──▶ claim ──▶ send ──▶ shown
      ▲        ▲         │
      │        └─────────┘ nobody answered in time
      └── something it shows has changed

====================== ====================================================================
``wanted_rev``         revision of the truth the label must come to show
``sent_rev``           highest revision ever sent to it
``settled_rev``        revision up to which we have concluded that the glass is right
``shown_rev, _digest`` what the label itself last said it shows
====================== ====================================================================

What the label said and what we concluded are kept apart: a change that alters no pixel settles
a label without the label having said anything.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum, StrEnum

from esl.domain.ids import Digest, GatewayId, LabelId, PanelId, StoreId

NOTHING_SHOWN = Digest("")
"""Digest of a label that shows nothing of ours."""


class Lane(IntEnum):
    """Who goes first to a gateway; lower is sooner."""

    CORRECTION = 0  # the shelf is wrong now
    FLIP = 1  # a promotion begins or ends
    NORMAL = 2  # a new price
    STAGING = 3  # pictures for later


class SlotState(IntEnum):
    """How far a picture put into a slot ahead of time has come."""

    PUT = 0  # sent, the label has not said that it holds it
    STORED = 1  # the label holds it
    ARMED = 2  # it will show it at its moment
    CANCELLED = 3  # it shall not show it
    PLANNED = 4  # not sent yet, or to be sent again


class Phase(StrEnum):
    """How a label is doing, for people. Computed, never stored."""

    UNPAIRED = "unpaired"  #: no product
    SETTLED = "settled"  #: shows what it should
    WAITING = "waiting"  #: something new to show, not yet sent
    SENT = "sent"  #: sent, no answer yet
    STRUGGLING = "struggling"  #: sent more than once, no answer yet
    UNREACHABLE = "unreachable"  #: its gateway is away, so nothing can be sent
    FAILED = "failed"  #: given up until something changes, or a neutral face hangs: `trouble`


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelState:
    """A label's row: where it hangs, what it wants and what it shows."""

    label_id: LabelId
    store_id: StoreId
    gateway_id: GatewayId | None
    panel_id: PanelId
    epoch: int
    wanted_rev: int
    sent_rev: int
    settled_rev: int
    shown_rev: int
    shown_digest: Digest
    incarnation: int
    shown_session: str = ""  # session and number of the report that ``shown_rev`` rests on
    shown_seq: int = 0
    attempts: int
    due_at: datetime | None
    lane: Lane
    problem: str | None
    problem_detail: str | None
    paired: bool
    battery_mv: int | None
    temperature_c: int | None
    rssi_dbm: int | None
    firmware: str | None
    seen_at: datetime | None  # by its own gateway, if it has one
    send_full: bool = False  # the next picture travels whole: its base was refused
    quarantine: int = 0  # two labels use its id, nothing is sent: 1 and the minutes one alone spoke
    refresh_failures: int = 0  # in a row
    refusal: str | None = None  # why a neutral face hangs in place of what it wants
    refusal_detail: str | None = None

    @property
    def trouble(self) -> str | None:
        """The code of what keeps it from showing what it should, until somebody mends it."""
        return self.problem or self.refusal

    @property
    def trouble_detail(self) -> str | None:
        """The words to that code."""
        return self.problem_detail if self.problem is not None else self.refusal_detail


def phase_of(label: LabelState, *, gateway_online: bool) -> Phase:
    """Name the phase a label's numbers put it in."""
    if not label.paired:
        return Phase.UNPAIRED
    if label.trouble is not None:
        return Phase.FAILED
    if label.settled_rev >= label.wanted_rev and label.due_at is None:
        return Phase.SETTLED
    if not gateway_online:
        return Phase.UNREACHABLE
    if label.sent_rev < label.wanted_rev:
        return Phase.WAITING
    return Phase.SENT if label.attempts <= 1 else Phase.STRUGGLING


def may_skip_sending(
    *, digest: Digest, shown_digest: Digest, sent_rev: int, shown_rev: int
) -> bool:
    """Say whether sending this picture would change nothing, so that it need not be sent.

    Never while an earlier picture is unanswered: it may still arrive and be painted. Prices
    1, 2, 1 in quick succession would otherwise leave 2 on the shelf, marked settled.
    """
    return digest == shown_digest and sent_rev <= shown_rev
