"""What a store is told: its name, money, language and law, its guards, and how its tills hear.

The same page adds a store where there is none yet. Everything a form does not show stays as it is.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Final
from zoneinfo import available_timezones

from babel import Locale
from fastapi import APIRouter
from fastapi.responses import Response

from api.console.acting import Form, Sent, Undo, Wrong, go_on, wrong_of
from api.console.frame import Frame, Framed, show
from api.console.languages import mark, say, spoken
from api.console.own_api import Api, ApiProblem, OwnApi, part
from esl.domain.access import Scope
from esl.domain.errors import Forbidden
from esl.domain.law.chosen import law_names

router = APIRouter(include_in_schema=False)

_FIELDS: Final = ("name", "currency", "locale", "timezone", "law", "shop_link", "link_base")
_LOCALES: Final = (
    *("ar_AE", "ar_EG", "ar_SA", "bg_BG", "bs_BA", "cs_CZ", "da_DK", "de_AT", "de_CH", "de_DE"),
    *("el_GR", "en_AU", "en_CA", "en_GB", "en_IE", "en_US", "es_ES", "es_MX", "et_EE", "fi_FI"),
    *("fr_BE", "fr_CA", "fr_CH", "fr_FR", "he_IL", "hi_IN", "hr_HR", "hu_HU", "it_IT", "ja_JP"),
    *("ko_KR", "lt_LT", "lv_LV", "nb_NO", "nl_BE", "nl_NL", "pl_PL", "pt_BR", "pt_PT", "ro_RO"),
    *("sk_SK", "sl_SI", "sq_AL", "sr_RS", "sv_SE", "th_TH", "tr_TR", "uk_UA", "zh_Hans_CN"),
)
"""Offered while somebody types; any other may be typed."""

_CURRENCIES: Final = (
    *("AED", "AUD", "BAM", "BGN", "BRL", "CAD", "CHF", "CNY", "CZK", "DKK", "EGP", "EUR", "GBP"),
    *("HUF", "ILS", "INR", "JPY", "KRW", "MXN", "NOK", "PLN", "RON", "RSD", "SAR", "SEK", "THB"),
    *("TRY", "UAH", "USD"),
)

_LIMITS: Final[Mapping[str, tuple[str, str]]] = {
    "rise_percent": (mark("Dearer by more than"), "%"),
    "fall_percent": (mark("Cheaper by more than"), "%"),
    "promotion_fall_percent": (mark("A promotion takes off more than"), "%"),
    "shift_percent": (mark("Near ten, a hundred or a thousand times, within"), "%"),
    "unit_price_percent": (mark("Unit price off by more than"), "%"),
    "changes_a_day": (mark("Changes of a product on a day, more than"), ""),
    "big_percent": (mark("A big change is one by more than"), "%"),
    "bulk_permille": (mark("Big changes at once, of all products more than"), "‰"),
    "bulk_least": (mark("… and more than so many products"), ""),
}
_RULES: Final[Mapping[str, str]] = {
    "promotion_below": mark("A promotion's price is below the regular one"),
    "lowest_30d": mark("A stated lowest price of 30 days is not above the price that holds"),
}
_CHANNELS: Final[Mapping[str, str]] = {
    "none": mark("Not at all: every price comes from the till"),
    "own": mark("A person or another system tells them"),
    "pull": mark("They fetch price changes from here"),
    "webhook": mark("They are sent price changes"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingsPage:
    """What is set, and what may be chosen."""

    asked: Mapping[str, str]  # the store's fields as they stand in the form
    is_new: bool
    may_change: bool
    guards: Mapping[str, Any] | None = None
    till: Mapping[str, Any] | None = None
    seen: Mapping[str, str] = field(default_factory=dict)  # versions: what → ETag
    wrong: Wrong | None = None
    wrong_in: str = ""

    locales: Sequence[tuple[str, str]] = ()
    timezones: Sequence[str] = ()
    currencies: Sequence[tuple[str, str]] = ()
    laws: Sequence[str] = ()
    limits: Mapping[str, tuple[str, str]] = field(default_factory=lambda: _LIMITS)
    rules: Mapping[str, str] = field(default_factory=lambda: _RULES)
    channels: Mapping[str, str] = field(default_factory=lambda: _CHANNELS)

    def wrong_of(self, form: str) -> Wrong | None:
        """Return what was refused in one of the page's forms."""
        return self.wrong if self.wrong_in == form else None


@router.get("/settings")
async def settings_page(frame: Framed, api: Api) -> Response:
    """Show what a store is told; without a store, the form for the first."""
    if frame.store is None:
        return show("settings", frame, page=_new_page(frame))
    return show("settings", frame, page=await _look(frame, api))


@router.get("/settings/new-store")
async def new_store_page(frame: Framed) -> Response:
    """Show the form for one more store.

    Raises:
        Forbidden: The reader does not administer all stores.
    """
    if not frame.may(Scope.STORE_ADMIN, everywhere=True):
        raise Forbidden("only who administers all stores may add one")
    return show("settings", frame, page=_new_page(frame))


@router.post("/settings/new-store")
async def add_store(frame: Framed, api: Api, form: Sent) -> Response:
    """Add a store; never change one that is there."""
    store = form.text("store_id")
    at = f"/api/v1/stores/{part(store or '-')}"
    try:
        await api.send("PUT", at, _store_of(form), headers={"If-None-Match": "*"})
    except ApiProblem as problem:
        asked = {"store_id": store} | {name: form.text(name) for name in _FIELDS}
        page = _new_page(frame, asked=asked, wrong=wrong_of(problem))
        return show("settings", frame, status=problem.status, page=page)
    return go_on(f"/gateways?store={store}", say("The store is there. Now let its gateways in."))


@router.post("/settings/store")
async def change_store(frame: Framed, api: Api, form: Sent) -> Response:
    """Change what a store is told; its labels follow."""
    at = f"/api/v1/stores/{part(frame.store_id)}"
    try:
        before = (await api.get(at)) | {}
        kept = {
            name: value
            for name, value in before.items()
            if name != "store_id" and name not in _FIELDS and value is not None
        }
        await api.send("PUT", at, kept | _store_of(form), headers=_if_match(form))
    except ApiProblem as problem:
        asked = {name: form.text(name) for name in _FIELDS}
        page = await _look(frame, api, asked=asked, wrong=wrong_of(problem), wrong_in="store")
        return show("settings", frame, status=problem.status, page=page)
    undo = Undo(
        path=frame.at("/settings/store"),
        fields={name: str(before.get(name) or "") for name in _FIELDS},
    )
    return go_on(
        frame.at("/settings"), say("Kept. Labels follow where this changes them."), undo=undo
    )


@router.post("/settings/guards")
async def change_guards(frame: Framed, api: Api, form: Sent) -> Response:
    """Change the limits beyond which prices are doubted."""
    at = f"/api/v1/stores/{part(frame.store_id)}/guards"
    try:
        before = await api.get(at)
        body = {"categories": before["categories"]}
        if form.text("what") == "off":
            body |= {"on": False, "reason": form.text("reason"), "limits": before["limits"]}
        else:
            body |= {"limits": before["limits"] | _limits_of(form)}
        await api.send("PUT", at, body, headers=_if_match(form))
    except ApiProblem as problem:
        page = await _look(frame, api, wrong=wrong_of(problem), wrong_in="guards")
        return show("settings", frame, status=problem.status, page=page)
    return go_on(
        frame.at("/settings"),
        say("Prices are not guarded any more.")
        if form.text("what") == "off"
        else say("The guards are set."),
    )


@router.post("/settings/till")
async def change_till(frame: Framed, api: Api, form: Sent) -> Response:
    """Change how tills hear of prices that are made here."""
    at = f"/api/v1/stores/{part(frame.store_id)}/till"
    body: dict[str, Any] = {
        "price_owner": form.text("price_owner") or "till",
        "channel": form.text("channel"),
        "increase_safe": form.has("increase_safe"),
    }
    if body["channel"] == "webhook":
        body |= {"url": form.text("url"), "allow_private": form.has("allow_private")}
        if form.text("secret"):
            body["secret"] = form.text("secret")
    try:
        await api.send("PUT", at, body, headers=_if_match(form))
    except ApiProblem as problem:
        page = await _look(frame, api, wrong=wrong_of(problem), wrong_in="till")
        return show("settings", frame, status=problem.status, page=page)
    return go_on(frame.at("/settings"), say("The tills' channel is set."))


def _store_of(form: Form) -> dict[str, str]:
    return {name: form.text(name) for name in _FIELDS if form.text(name)}


def _limits_of(form: Form) -> dict[str, Any]:
    found: dict[str, Any] = {name: form.has(name) for name in _RULES}
    for name in _LIMITS:
        text = form.text(name)
        found[name] = int(text) if text.isdecimal() else text or None  # the API says what is wrong
    return found


def _if_match(form: Form) -> dict[str, str]:
    seen = form.text("seen")
    return {"If-Match": seen} if seen else {}


def _new_page(
    frame: Frame, *, asked: Mapping[str, str] | None = None, wrong: Wrong | None = None
) -> SettingsPage:
    return SettingsPage(
        asked=asked or {},
        is_new=True,
        may_change=frame.may(Scope.STORE_ADMIN, everywhere=True),
        wrong=wrong,
        wrong_in="store",
        **_choices(),
    )


async def _look(
    frame: Frame,
    api: OwnApi,
    *,
    asked: Mapping[str, str] | None = None,
    wrong: Wrong | None = None,
    wrong_in: str = "",
) -> SettingsPage:
    at = f"/api/v1/stores/{part(frame.store_id)}"
    parts = ("", "/guards", "/till") if frame.may(Scope.PRICE_READ) else ("",)
    answers = await asyncio.gather(*(api.send("GET", at + one) for one in parts))
    store = answers[0].json()
    names = ("store", "guards", "till")
    found = dict(zip(names, answers, strict=False))
    return SettingsPage(
        asked=asked or {name: str(store.get(name) or "") for name in _FIELDS},
        is_new=False,
        may_change=frame.may(Scope.STORE_ADMIN),
        guards=found["guards"].json() if "guards" in found else None,
        till=found["till"].json() if "till" in found else None,
        seen={name: answer.headers.get("etag", "") for name, answer in found.items()},
        wrong=wrong,
        wrong_in=wrong_in,
        **_choices(),
    )


def _choices() -> dict[str, Any]:
    return {"laws": law_names(), "timezones": _timezones(), **_named(spoken().code)}


@cache
def _timezones() -> Sequence[str]:
    return sorted(one for one in available_timezones() if "/" in one and one[:3] != "Etc")


@cache
def _named(code: str) -> dict[str, Sequence[tuple[str, str]]]:
    reader = Locale.parse(code)
    return {
        "locales": [
            (one, str(Locale.parse(one).get_display_name(reader) or one)) for one in _LOCALES
        ],
        "currencies": [(one, str(reader.currencies.get(one, one))) for one in _CURRENCIES],
    }
