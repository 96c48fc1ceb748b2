"""The life of a promotion: which step may follow which, and in words why not.

::

            schedule            stage               begin              end
    draft ───────────▶ scheduled ─────▶ staging ─────────────▶ active ─────▶ ended
      ▲  ◀──────────────── │ ◀───────────── │ revise             │
      │        revise      └── begin ───────┼──────────────────▶ │
      └ cancel ─▶ cancelled ◀── cancel ─────┘                    └─ cancel, roll back ─▶ rolled back

*Active* is from its first beginning to its last end; pauses between its hours are part of it. To
cancel one that has begun meanwhile rolls it back, so that a person who says stop while the labels
flip need not know which of the two it was. What slept through its whole window ends unseen.
"""

from enum import StrEnum
from typing import Final

from esl.domain.errors import Conflict


class State(StrEnum):
    """How far a promotion has come."""

    DRAFT = "draft"
    SCHEDULED = "scheduled"
    STAGING = "staging"  # its pictures are being put into spare slots
    ACTIVE = "active"
    ENDED = "ended"  # it ran its course, or was ended before its time
    CANCELLED = "cancelled"  # it never began
    ROLLED_BACK = "rolled_back"  # it had begun, and was taken back


class Action(StrEnum):
    """What moves it on."""

    SCHEDULE = "schedule"
    REVISE = "revise"
    STAGE = "stage"
    BEGIN = "begin"
    END = "end"
    CANCEL = "cancel"
    ROLL_BACK = "roll_back"


MOVES: Final[dict[tuple[State, Action], State]] = {
    (State.DRAFT, Action.REVISE): State.DRAFT,
    (State.DRAFT, Action.SCHEDULE): State.SCHEDULED,
    (State.DRAFT, Action.CANCEL): State.CANCELLED,
    (State.SCHEDULED, Action.REVISE): State.DRAFT,
    (State.SCHEDULED, Action.STAGE): State.STAGING,
    (State.SCHEDULED, Action.BEGIN): State.ACTIVE,
    (State.SCHEDULED, Action.END): State.ENDED,
    (State.SCHEDULED, Action.CANCEL): State.CANCELLED,
    (State.STAGING, Action.REVISE): State.DRAFT,
    (State.STAGING, Action.BEGIN): State.ACTIVE,
    (State.STAGING, Action.END): State.ENDED,
    (State.STAGING, Action.CANCEL): State.CANCELLED,
    (State.ACTIVE, Action.END): State.ENDED,
    (State.ACTIVE, Action.CANCEL): State.ROLLED_BACK,
    (State.ACTIVE, Action.ROLL_BACK): State.ROLLED_BACK,
}
"""Every step there is; what is not here is refused by `move`."""

LIVE: Final = frozenset({State.SCHEDULED, State.STAGING, State.ACTIVE})
"""States in which a promotion counts for offers; its window says when."""

OVER: Final = frozenset({State.ENDED, State.CANCELLED, State.ROLLED_BACK})

_OVER: Final = {
    State.ENDED: "It has ended, and an end is for ever: copy it to run it again.",
    State.CANCELLED: "It was cancelled before it began: copy it to plan it again.",
    State.ROLLED_BACK: "It was taken back, and stays so: copy it to run it again.",
}
_REFUSED: Final = {
    (State.DRAFT, Action.STAGE): "It is a draft: schedule it, and its pictures follow.",
    (State.DRAFT, Action.BEGIN): "It is a draft: schedule it, and it begins by itself.",
    (State.DRAFT, Action.END): "It is a draft and has not begun: cancel it instead.",
    (State.DRAFT, Action.ROLL_BACK): "It is a draft and changed nothing: cancel it instead.",
    (State.SCHEDULED, Action.SCHEDULE): "It is scheduled already.",
    (State.SCHEDULED, Action.ROLL_BACK): "It has not begun: cancel it instead.",
    (State.STAGING, Action.SCHEDULE): "It is scheduled already, and its pictures are under way.",
    (State.STAGING, Action.STAGE): "Its pictures are under way already.",
    (State.STAGING, Action.ROLL_BACK): "It has not begun: cancel it instead.",
    (State.ACTIVE, Action.SCHEDULE): "It has begun already.",
    (State.ACTIVE, Action.STAGE): "It has begun already.",
    (State.ACTIVE, Action.BEGIN): "It has begun already.",
    (State.ACTIVE, Action.REVISE): "It has begun: end it, and plan the change as a copy.",
}


def move(state: State, action: Action) -> State:
    """Return the state that follows.

    Raises:
        Conflict: This cannot be done now; says why, and what to do instead.
    """
    following = MOVES.get((state, action))
    if following is None:
        raise Conflict(_OVER[state] if state in OVER else _REFUSED[state, action])
    return following


def actions_of(state: State) -> tuple[Action, ...]:
    """List what can be done in a state, for the buttons of a page."""
    return tuple(action for action in Action if (state, action) in MOVES)
