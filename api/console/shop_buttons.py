"""The fault buttons that the wall offers for a simulated shop, and what each tells the simulator.

A form sends ``press`` (the key of a button) and, beside it, which gateway or label: an id, ``""``
for all gateways or one label by chance, ``*`` for all labels. What a button does is told by
`simulator.buttons`.
"""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from api.console.languages import mark
from esl.domain.errors import InvalidInput

ALL_LABELS = "*"
BY_CHANCE = ""


class Target(StrEnum):
    """What a button is for."""

    GATEWAY = "gateway"
    MESSAGES = "messages"
    LABEL = "label"


@dataclass(frozen=True, slots=True, kw_only=True)
class ShopButton:
    """A button: its word on the page, and its body for the simulator."""

    key: str
    word: str
    target: Target
    do: str
    more: Mapping[str, object] = field(default_factory=dict)
    of_one: bool = False  # for a single label: there is no share of all


def _button(key: str, word: str, target: Target, do: str, **more: object) -> ShopButton:
    return ShopButton(key=key, word=word, target=target, do=do, more=more)


def _of_one(key: str, word: str, do: str) -> ShopButton:
    return ShopButton(key=key, word=word, target=Target.LABEL, do=do, of_one=True)


BUTTONS: Sequence[ShopButton] = (
    _button("off", mark("Power off"), Target.GATEWAY, "gateway_off"),
    _button("on", mark("Power on"), Target.GATEWAY, "gateway_on"),
    _button("restart", mark("Restart"), Target.GATEWAY, "gateway_restart"),
    _button("clock-wrong", mark("Clock an hour ahead"), Target.GATEWAY, "gateway_clock", skew=3600),
    _button("clock-right", mark("Clock right"), Target.GATEWAY, "gateway_clock", skew=0),
    _button("lose-none", mark("All arrive"), Target.MESSAGES, "network"),
    _button("lose-some", mark("Lose 10 %"), Target.MESSAGES, "network", lose=0.1),
    _button("lose-half", mark("Lose half"), Target.MESSAGES, "network", lose=0.5),
    _button("twice", mark("All come twice"), Target.MESSAGES, "network", duplicate=1.0),
    _button("corrupt", mark("Damage 10 %"), Target.MESSAGES, "network", corrupt=0.1),
    _button("dies", mark("Dies"), Target.LABEL, "label_dies"),
    _button("battery", mark("New battery"), Target.LABEL, "label_battery"),
    _button("sleeps", mark("Falls asleep"), Target.LABEL, "label_sleeps"),
    _button("wakes", mark("Wakes"), Target.LABEL, "label_wakes"),
    _button("forgets", mark("Loses its memory"), Target.LABEL, "label_forgets"),
    _button("stuck", mark("Glass sticks"), Target.LABEL, "label_stuck", stuck=True),
    _button("unstuck", mark("Glass works"), Target.LABEL, "label_stuck", stuck=False),
    _button("low", mark("Battery low"), Target.LABEL, "label_volts", mv=2_250),
    _of_one("moves", mark("Carry to another gateway"), "label_moves"),
    _of_one("press", mark("Press its button"), "press"),
    _of_one("tap", mark("Hold a phone to it"), "tap"),
)
"""In the order of the page."""

_BY_KEY = {button.key: button for button in BUTTONS}


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownShop:
    """Whom a simulated shop consists of: what a button may be for."""

    gateways: Sequence[str]
    labels: Sequence[str]
    heard_by: Mapping[str, Sequence[str]]  # gateways that hear each label


def of_target(target: Target) -> list[ShopButton]:
    """Return the buttons of one kind, in their order."""
    return [button for button in BUTTONS if button.target is target]


def button_body(form: Mapping[str, str], shop: KnownShop) -> tuple[ShopButton, dict[str, object]]:
    """Say what the simulator is told for a form that was sent.

    Raises:
        InvalidInput: There is no such button, or nothing here that it could be for.
    """
    button = _BY_KEY.get(form.get("press", ""))
    if button is None:
        raise InvalidInput.at("/press", "there is no such button")
    body: dict[str, object] = {"do": button.do, **button.more}
    match button.target:
        case Target.MESSAGES:
            return button, body
        case Target.GATEWAY:
            gateway = form.get("gateway", "")
            return button, body | ({"gateway": gateway} if gateway else {})
        case Target.LABEL:
            return button, body | _which_labels(button, form.get("label", BY_CHANCE), shop)


def _which_labels(button: ShopButton, asked: str, shop: KnownShop) -> dict[str, object]:
    if not shop.labels:
        raise InvalidInput.at("/label", "the simulated shop has no labels")
    if asked == ALL_LABELS and not button.of_one:
        return {"share": 1.0}
    label = asked if asked not in (ALL_LABELS, BY_CHANCE) else secrets.choice(shop.labels)
    chosen: dict[str, object] = {"label": label}
    if button.do == "label_moves":
        here = shop.heard_by.get(label, ())
        elsewhere = [gateway for gateway in shop.gateways if gateway not in here]
        if not elsewhere:
            raise InvalidInput.at("/label", f"every gateway of the shop hears {label}")
        chosen["gateways"] = [secrets.choice(elsewhere)]
    return chosen
