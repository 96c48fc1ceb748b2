"""The panel of fault buttons on the wall of a simulated shop.

    GET  /wall/shop   how the shop really is, in a few words
    POST /wall/shop   press a button, then the same; a browser without scripts is led back

A real shop has no such panel: only ``simulator_control`` in the settings makes one. The page speaks
with the controller alone, and the controller with the simulator on the same machine.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qs
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from api import doors
from api.auth import Asker, TheHouse, require_csrf, session_of
from api.console.languages import mark, say
from api.console.own_api import Api, ApiProblem, OwnApi
from api.console.shop_buttons import (
    KnownShop,
    ShopButton,
    Target,
    button_body,
    of_target,
)
from api.console.shop_promotion import begin_promotion
from api.console.shop_remote import ShopAway, ShopRefused, ShopRemote
from api.console.templates import draw
from api.house import House
from esl.domain.access import Principal, Scope
from esl.domain.errors import InvalidInput, NotFound

router = APIRouter(include_in_schema=False)

PROMOTION_NOW = "promotion-now"
"""The button that begins a promotion; the others are for the simulator."""

_FORM_MOST = 4096
_NAMES_SAID = 3
_PERCENT = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class ShopPanel:
    """The buttons of a simulated shop, and whom they are for."""

    known: KnownShop
    gateway_buttons: list[ShopButton]
    message_buttons: list[ShopButton]
    label_buttons: list[ShopButton]


async def shop_panel(house: House) -> ShopPanel | None:
    """Return the panel of the wall; None where the shop is real, or the simulator away."""
    if house.settings.simulator_control is None:
        return None
    try:
        known = await asyncio.to_thread(_remote(house).known)
    except (ShopAway, ShopRefused):
        return None
    return ShopPanel(
        known=known,
        gateway_buttons=of_target(Target.GATEWAY),
        message_buttons=of_target(Target.MESSAGES),
        label_buttons=of_target(Target.LABEL),
    )


@router.get("/wall/shop")
async def shop_now(house: TheHouse, who: Asker, store: str = "") -> Response:
    """Say how the simulated shop is, and how late it is in the store."""
    who.require(Scope.LABEL_READ)
    time = await _time(house, who, store)
    return HTMLResponse(await asyncio.to_thread(_now, _remote(house), "", time))


@router.post("/wall/shop")
async def press_button(request: Request, house: TheHouse, who: Asker, api: Api) -> Response:
    """Press a button, and say what came of it."""
    who.require(Scope.LABEL_PAIR)
    remote = _remote(house)
    form = _form(await request.body())
    session = session_of(request)
    if session is not None:
        require_csrf(session, form.get("csrf", ""))
    if form.get("press") == PROMOTION_NOW:
        said = await _promote(house, api, form.get("store", ""))
    else:
        said = await asyncio.to_thread(_press, remote, form)
    if request.headers.get("hx-request") is None:
        store = form.get("store", "")
        back = f"/wall?store={doors.store_id(store)}#shop" if store else "/wall#shop"
        return RedirectResponse(back, status_code=HTTPStatus.SEE_OTHER)
    time = await _time(house, who, form.get("store", ""))
    return HTMLResponse(await asyncio.to_thread(_now, remote, said, time))


async def _promote(house: House, api: OwnApi, store: str) -> str:
    """Begin a promotion of a few minutes; return what to say of it."""
    store_id = doors.store_id(store)
    zone = ZoneInfo((await doors.store_for(house, store_id)).timezone)
    now = house.clock.now().astimezone(zone)
    name = say("A tenth off everything, for three minutes")
    try:
        ends = await begin_promotion(api, store_id, now, name)
    except ApiProblem as problem:
        return say("Not done: %(reason)s.", reason=problem.detail.rstrip("."))
    return say("A tenth off everything until %(time)s.", time=f"{ends:%H:%M}")


def _remote(house: House) -> ShopRemote:
    if house.settings.simulator_control is None:
        raise NotFound("this controller was not told of a simulated shop")
    return ShopRemote(house.settings.simulator_control)


def _form(body: bytes) -> Mapping[str, str]:
    """Read a form's fields; of a field sent twice, the last."""
    if len(body) > _FORM_MOST:
        raise InvalidInput.at("", "a form of the panel is smaller")
    try:
        fields = parse_qs(body.decode("ascii"), keep_blank_values=True, max_num_fields=8)
    except (ValueError, UnicodeDecodeError):
        raise InvalidInput.at("", "not a form of the panel") from None
    return {name: values[-1] for name, values in fields.items()}


def _press(remote: ShopRemote, form: Mapping[str, str]) -> str:
    """Press the button that a form names; return what to say of it."""
    try:
        button, body = button_body(form, remote.known())
        names = remote.press(body)
    except (ShopAway, ShopRefused) as exc:
        return say("Not done: %(reason)s.", reason=exc)
    done, first = say(button.word), say(", ").join(names[:_NAMES_SAID])
    if len(names) <= _NAMES_SAID:
        return f"{done}: {first}."
    return say(
        "%(done)s: %(first)s and %(more)s more.",
        done=done,
        first=first,
        more=len(names) - _NAMES_SAID,
    )


async def _time(house: House, who: Principal, store: str) -> str:
    """Say how late it is in a store, as its promotions go by it; without a store nothing."""
    if not store:
        return ""
    store_id = await doors.enter(house, who, Scope.LABEL_READ, store)
    zone = ZoneInfo((await doors.store_for(house, store_id)).timezone)
    return f"{house.clock.now().astimezone(zone):%H:%M:%S}"


def _now(remote: ShopRemote, said: str, time: str) -> str:
    try:
        facts = _facts(remote.see())
    except (ShopAway, ShopRefused) as exc:
        facts = [say("nothing is known of the shop: %(reason)s", reason=exc)]
    return draw("shop_now", said=said, facts=facts, time=time)


def _facts(seen: Mapping[str, Any]) -> list[str]:
    """Say in a few words how the shop really is: what is not as it should be, or that all is."""
    off = [gateway["gateway"] for gateway in seen["gateways"] if not gateway["powered"]]
    wrong = [g["gateway"] for g in seen["gateways"] if abs(g["clock_off_s"]) > 1]
    counts = seen["labels"]
    facts = [say("without power: %(names)s", names=say(", ").join(off))] if off else []
    facts += [say("clock wrong: %(names)s", names=say(", ").join(wrong))] if wrong else []
    facts += [
        say(words, count=counts[key])
        for key, words in (
            ("dead", mark("%(count)s dead")),
            ("asleep", mark("%(count)s asleep")),
            ("stuck", mark("%(count)s with stuck glass")),
            ("battery_low", mark("%(count)s with a low battery")),
            ("painting", mark("%(count)s painting")),
        )
        if counts[key]
    ]
    network = seen["network"] or {}
    facts += [
        say(words, share=f"{network[key] * _PERCENT:.0f}")
        for key, words in (
            ("lose", mark("%(share)s %% of messages lost")),
            ("duplicate", mark("%(share)s %% of messages twice")),
            ("corrupt", mark("%(share)s %% of messages damaged")),
        )
        if network.get(key)
    ]
    return facts
