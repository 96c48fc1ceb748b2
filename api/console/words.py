"""How a label does, in words for people: its state, and what to do where something is wrong.

Seven phases are too many to tell apart at a glance, so the wall knows six states. Each has a
word and a sign of its own besides its colour.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Final, Protocol

from api.console.languages import mark, say
from esl.domain.label import LabelState, Phase
from esl.domain.panel import Panel
from gateway.wire.failures import FailureCode


class State(StrEnum):
    """How a label does, as the wall says it; the value stands in addresses and in the style."""

    RIGHT = "right"
    ON_ITS_WAY = "on-its-way"
    SILENT = "not-answering"
    AWAY = "gateway-away"
    NEEDS_YOU = "needs-you"
    NO_PRODUCT = "no-product"


STATE_WORDS: Final[Mapping[State, str]] = MappingProxyType(
    {
        State.RIGHT: mark("Right"),
        State.ON_ITS_WAY: mark("On its way"),
        State.SILENT: mark("Not answering"),
        State.AWAY: mark("Gateway away"),
        State.NEEDS_YOU: mark("Needs you"),
        State.NO_PRODUCT: mark("No product"),
    }
)

AS_LAST_TOLD: Final = mark("As last told")
"""In place of `State.RIGHT`'s word while a source is silent: what we know may be old."""


def word_of(state: State, *, is_old: bool) -> str:
    """Say a state's word; ``is_old`` says that the prices of the store may be old."""
    return say(AS_LAST_TOLD if is_old and state is State.RIGHT else STATE_WORDS[state])


STATE_OF: Final[Mapping[Phase, State]] = MappingProxyType(
    {
        Phase.SETTLED: State.RIGHT,
        Phase.WAITING: State.ON_ITS_WAY,
        Phase.SENT: State.ON_ITS_WAY,
        Phase.STRUGGLING: State.SILENT,
        Phase.UNREACHABLE: State.AWAY,
        Phase.FAILED: State.NEEDS_YOU,
        Phase.UNPAIRED: State.NO_PRODUCT,
    }
)


WANT_ATTENTION: Final = (State.NEEDS_YOU, State.SILENT, State.AWAY)
"""The states in which a label does not come right without somebody, most urgent first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Advice:
    """What is the matter with a label, and what somebody can do about it."""

    what: str
    todo: str


def _advice(what: str, todo: str) -> Advice:
    return Advice(what=what, todo=todo)


_REPLACE = mark("If it happens again, replace the label.")
_OURS = mark(
    "Report this with the controller's log: it is a fault of the software, not of the shop."
)

PROBLEMS: Final[Mapping[str, Advice]] = MappingProxyType(
    {
        # What the renderer and the dispatcher refuse.
        "no_price": _advice(
            "Its product has no price yet.", "Send a price for the product from the till."
        ),
        "price_does_not_fit": _advice(
            "The price is too wide for this label, and a price is never cut.",
            "Check the price; if it is right, use a larger label.",
        ),
        "name_does_not_fit": _advice(
            "Not even the first word of the name fits.",
            "Shorten the product's name, or use a larger label.",
        ),
        "missing_glyph": _advice(
            "The name, brand or badge holds a character the label's font cannot draw.",
            "Change that character in the product's data.",
        ),
        "code_does_not_fit": _advice(
            "Its QR or bar code would be too fine to scan, or its number is wrong.",
            "Check the product's GTIN and link, or use a larger label.",
        ),
        "code_unreadable": _advice(
            "A code in the picture is not the one that was meant, so it was not sent.", _OURS
        ),
        "layout_does_not_fit": _advice(
            "The template needs more space than this label has.",
            "Choose another template for this panel in the rules, or add a variant to it.",
        ),
        "too_many_products": _advice(
            "The label has more products than its template shows.",
            "Pair fewer products with it, or choose a template for more in the rules.",
        ),
        "picture_not_drawn": _advice(
            "A picture of the template cannot be drawn here as it was when it was uploaded.",
            "Install the extra it was made with on this machine, or upload the picture again.",
        ),
        "template_unusable": _advice(
            "The template that the rules choose is gone or can no longer be read.",
            "Save the template again, or choose another in the rules.",
        ),
        "refused": _advice(
            "This product cannot be shown truthfully on this label.",
            "Check the product's data.",
        ),
        "render_error": _advice("Drawing the picture failed.", _OURS),
        # What gateways and labels report.
        FailureCode.UNSPECIFIED_ERROR: _advice("The label reported an unknown error.", _REPLACE),
        FailureCode.INVALID_OPCODE: _advice(
            "The label does not understand the command.", "Update the label's firmware."
        ),
        FailureCode.INVALID_STATE: _advice(
            "The label is busy, joining or updating.", "Wait a few minutes; it is tried again."
        ),
        FailureCode.INVALID_IMAGE_INDEX: _advice(
            "The label has fewer picture memories than its model should.",
            "Check that it is registered as the right model.",
        ),
        FailureCode.IMAGE_NOT_AVAILABLE: _advice(
            "The label has lost the picture it should show.", _REPLACE
        ),
        FailureCode.INVALID_PARAMETERS: _advice("The label refused a value in the command.", _OURS),
        FailureCode.CAPACITY_LIMIT: _advice(
            "The picture is too large for this label or gateway.",
            "Check that the label is registered as the right model.",
        ),
        FailureCode.INSUFFICIENT_BATTERY: _advice(
            "The battery is too low to repaint the glass.", "Change the battery."
        ),
        FailureCode.INSUFFICIENT_RESOURCES: _advice(
            "The gateway or label ran out of memory.", "Restart the gateway."
        ),
        FailureCode.RETRY: _advice(
            "The label asked for a later attempt, many times.", "Wait; it is tried again."
        ),
        FailureCode.QUEUE_FULL: _advice(
            "The gateway is full.", "Wait, or move some labels to another gateway."
        ),
        FailureCode.IMPLAUSIBLE_ABSOLUTE_TIME: _advice(
            "A clock is wrong between controller and label.",
            "Check the time of the controller and of the gateway.",
        ),
        FailureCode.UNKNOWN_LABEL: _advice(
            "The gateway does not hear this label.",
            "Check its battery, and that it hangs within the gateway's range.",
        ),
        FailureCode.BASE_MISMATCH: _advice(
            "The label holds another picture than was thought.", _REPLACE
        ),
        FailureCode.BAD_DIGEST: _advice("The picture arrives damaged.", _REPLACE),
        FailureCode.UNSUPPORTED: _advice(
            "The label or gateway cannot do what was asked.", "Update its firmware."
        ),
        FailureCode.EXPIRED: _advice(
            "The picture waited too long at the gateway.",
            "The gateway may have too many labels; move some to another one.",
        ),
        FailureCode.SUPERSEDED: _advice(
            "The label already shows something newer.", "Wait for its next report."
        ),
        FailureCode.REFRESH_FAILED: _advice(
            "The glass did not finish painting.",
            "Look at the label: cold and weak batteries do that. "
            "If it happens again, replace the label.",
        ),
        FailureCode.LABEL_TIMEOUT: _advice(
            "The label does not answer its gateway.",
            "Check that it hangs where it should and has battery.",
        ),
    }
)
"""Each code a label can be given up with."""


class HowItDoes(Protocol):
    """What is asked of a label to say what is the matter: its state, or the API's view of it."""

    @property
    def gateway_id(self) -> str | None:
        """Return the gateway that hears it; None: none has."""

    @property
    def attempts(self) -> int:
        """Return how often its picture was sent."""

    @property
    def trouble(self) -> str | None:
        """Return the code it was given up with."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A label as the API tells of it."""

    gateway_id: str | None
    attempts: int
    trouble: str | None


def advice_on_view(view: Mapping[str, Any]) -> Advice | None:
    """Say what is the matter with a label of the API's; None if nothing is."""
    told = Told(gateway_id=view["gateway"], attempts=view["attempts"], trouble=view["problem"])
    return _advice_in(Phase(view["phase"]), told, None)


def advice_on(label: LabelState, phase: Phase, panel: Panel | None) -> Advice | None:
    """Say what is the matter with a label; None if nothing is. What is drawn puts it into words."""
    if panel is None:
        return _advice(
            say("Its display model %(panel)s is not known any more.", panel=label.panel_id),
            "Put the model back into the panels file and start the controller again.",
        )
    return _advice_in(phase, label, panel.refresh_s)


def _advice_in(phase: Phase, label: HowItDoes, refresh_s: float | None) -> Advice | None:
    advice: Advice | None = None
    match phase:
        case Phase.SETTLED:
            pass
        case Phase.WAITING:
            advice = _advice("Next in line to be sent.", "")
        case Phase.SENT if refresh_s is None:
            advice = _advice("Sent; the label has not said yet that it shows it.", "")
        case Phase.SENT:
            words = say(
                "Sent; this glass takes about %(seconds)s s to paint.",
                seconds=f"{refresh_s:.0f}",
            )
            advice = _advice(words, "")
        case Phase.STRUGGLING:
            advice = _advice(
                say("Sent %(times)s times, and no answer yet.", times=label.attempts),
                "It is tried again by itself. If it lasts, check the label's battery and place.",
            )
        case Phase.UNREACHABLE if label.gateway_id is None:
            advice = _advice("No gateway has heard it yet.", "Bring it within a gateway's range.")
        case Phase.UNREACHABLE:
            advice = _advice(
                say("Gateway %(gateway)s is off the line.", gateway=label.gateway_id),
                "Check its power and network. The label follows as soon as it is back.",
            )
        case Phase.UNPAIRED:
            advice = _advice("It has nothing to show yet.", "Pair it with a product.")
        case Phase.FAILED:
            other = _advice(say("The label reported “%(code)s”.", code=label.trouble), _REPLACE)
            advice = PROBLEMS.get(label.trouble or "", other)
    return advice
