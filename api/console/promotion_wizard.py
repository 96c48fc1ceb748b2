"""A new promotion on one page: what, for how much, when, where; and how it will look.

The page previews as one types, on the panels in use and by the shop's own renderer; nothing is
stored until somebody saves it. Without scripts a button previews.
"""

import asyncio
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, Response

from api.console.acting import Form, Sent, Wrong, go_on, new_key, wrong_of
from api.console.frame import Frame, Framed, show
from api.console.languages import mark, say
from api.console.own_api import Api, ApiProblem, OwnApi, part
from api.console.templates import draw
from esl.domain.access import Scope
from esl.domain.errors import Forbidden

router = APIRouter(include_in_schema=False)

GIVES: Final[Mapping[str, str]] = {
    "percent": mark("per cent off"),
    "price": mark("a price of"),
    "amount": mark("off, in money"),
    "total": mark("several for a price"),
    "pay_for": mark("several, and pay for fewer"),
}
CHOOSES: Final[Mapping[str, str]] = {
    "skus": mark("These products"),
    "categories": mark("A category"),
    "brands": mark("A brand"),
    "tags": mark("A tag"),
    "everything": mark("Everything"),
}
TROUBLES: Final[Mapping[str, str]] = {
    "unlawful_claim": mark(
        "It is not below the lowest price of the days before: the label shows the price, and claims"
        " no reduction."
    ),
    "no_prior_price": mark(
        "Nobody knows the prices of the days before: the label shows the price, and claims no"
        " reduction."
    ),
    "no_till_channel": mark(
        "Nobody tells the tills: say in the settings how they hear of prices, or it cannot begin."
    ),
    "markdown_without_badge": mark("Goods about to spoil want a badge that says so."),
}
"""What a preview may find, in words."""

_FIELDS: Final = (
    *("name", "gives", "value", "quantity", "chooses", "picked", "which", "except"),
    *("begins", "ends", "where", "first_area", "badge", "club", "priority"),
)
_IN_MONEY: Final = ("price", "amount", "total")
_LINES_MOST: Final = 300
_PICTURES_MOST: Final = 6
_FOUND_MOST: Final = 8
_SATURDAY: Final = 5
_BADGE: Final = "−{percent} %"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What stands in the form, and what it comes to."""

    fields: Mapping[str, str]
    promotion: Mapping[str, Any]
    unknown: Sequence[str] = ()  # lines that name no product


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """What the promotion would do, with pictures; or why nobody can say."""

    preview: Mapping[str, Any] | None = None
    pictures: Sequence[Mapping[str, str]] = ()
    unknown: Sequence[str] = ()
    wrong: Wrong | None = None
    troubles: Sequence[tuple[str, int, Sequence[str]]] = field(default_factory=list)


@router.get("/promotions/new")
async def new_page(frame: Framed, api: Api) -> Response:
    """Show the form as it begins: a tenth off, this weekend, in this store."""
    _require(frame)
    fields = dict.fromkeys(_FIELDS, "") | {
        "gives": "percent",
        "chooses": "skus",
        "where": "here",
        "badge": _BADGE,
    }
    begins, ends = weekend(_now(frame))
    fields |= {"begins": f"{begins:%Y-%m-%dT%H:%M}", "ends": f"{ends:%Y-%m-%dT%H:%M}"}
    return await _draw(frame, api, Asked(fields=fields, promotion={}))


@router.post("/promotions/new/look")
async def look(frame: Framed, api: Api, form: Sent) -> Response:
    """Draw what it would do, and how it will look, without storing anything."""
    _require(frame)
    asked = await _read(form, frame, api)
    return HTMLResponse(
        draw("promotion_look", frame=frame, look=await _outlook(asked, frame, api), words=TROUBLES)
    )


@router.post("/promotions/new")
async def save(frame: Framed, api: Api, form: Sent) -> Response:
    """Save it as a draft, or save and schedule it; or add a product that was found."""
    _require(frame)
    asked = await _read(form, frame, api)
    if form.has("look") or form.has("search") or form.text("add"):
        return await _draw(frame, api, asked, search=form.text("q"), is_looked_at=form.has("look"))
    if asked.unknown:
        text = say("No product is known by: %(codes)s.", codes=", ".join(asked.unknown[:10]))
        return await _draw(frame, api, asked, status=422, wrong=Wrong(text=text))
    promotion = dict(asked.promotion)
    try:
        made = await _create(api, promotion, form)
    except ApiProblem as problem:
        return await _draw(frame, api, asked, status=problem.status, wrong=wrong_of(problem))
    at = f"/promotions/{part(made)}"
    if not form.has("schedule"):
        return go_on(frame.at(at), say("It is saved as a draft: schedule it when it is right."))
    try:
        await api.send("POST", f"/api/v1{at}/schedule", {})
    except ApiProblem as problem:
        refused = wrong_of(problem)
        text = say("It is saved as a draft, and not scheduled: %(why)s", why=refused.text)
        return go_on(frame.at(at), f"{text} {refused.fix or ''}".strip())
    return go_on(frame.at(at), say("It is scheduled: it begins and ends by itself."))


def weekend(now: datetime) -> tuple[datetime, datetime]:
    """Return when the next weekend begins and ends, by the store's clock; on one: from now."""
    day = now.replace(hour=0, minute=0, second=0, microsecond=0)
    monday = day + timedelta(days=7 - day.weekday())
    if day.weekday() >= _SATURDAY:
        return now.replace(second=0, microsecond=0), monday
    return day + timedelta(days=_SATURDAY - day.weekday()), monday


def id_of(name: str, now: datetime) -> str:
    """Make a promotion's id of its name and day: ``weekend-coffee-20260307``."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    slug = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:40].strip("-")
    return f"{slug or 'promotion'}-{now:%Y%m%d}"


async def _create(api: OwnApi, promotion: dict[str, Any], form: Form) -> str:
    """Create it under the first id that is free.

    Raises:
        ApiProblem: It is refused.
    """
    base = promotion["id"]
    for number in range(2, 12):
        try:
            await api.send("POST", "/api/v1/promotions", promotion, headers=form.once)
        except ApiProblem as problem:
            if problem.status != 409 or number > 10:  # noqa: PLR2004  taken, ten times
                raise
            promotion["id"] = f"{base}-{number}"
        else:
            break
    return str(promotion["id"])


async def _read(form: Form, frame: Frame, api: OwnApi) -> Asked:
    fields = {name: form.text(name) for name in _FIELDS}
    if added := form.text("add"):
        fields["picked"] = "\n".join([*fields["picked"].splitlines(), added])
    lines = [line.strip() for line in re.split(r"[\n;,\t]", fields["picked"]) if line.strip()]
    skus, unknown = await _skus_of(lines[:_LINES_MOST], frame, api)
    if added:
        fields["picked"] = "\n".join(dict.fromkeys(lines))
    return Asked(fields=fields, promotion=_promotion(fields, skus, frame), unknown=unknown)


async def _skus_of(lines: Sequence[str], frame: Frame, api: OwnApi) -> tuple[list[str], list[str]]:
    """Find the products of SKUs and bar codes; say which lines name none, or several."""
    at = f"/api/v1/stores/{part(frame.store_id)}/scans"
    found = await asyncio.gather(*(api.get(at, text=line[:500]) for line in lines))
    skus: list[str] = []
    unknown: list[str] = []
    for line, one in zip(lines, found, strict=True):
        named = [product["sku"] for product in one["products"]]
        if len(named) == 1:
            skus.append(named[0])
        else:
            unknown.append(line)
    return list(dict.fromkeys(skus)), unknown


def _promotion(fields: Mapping[str, str], skus: list[str], frame: Frame) -> dict[str, Any]:
    value = fields["value"].replace(",", ".")
    kind = fields["gives"] if fields["gives"] in GIVES else "percent"
    gives: dict[str, Any] = {kind: value}
    if kind in ("total", "pay_for"):
        gives = {kind: value if kind == "total" else _whole(value)}
        gives["quantity"] = _whole(fields["quantity"])
    chooses = fields["chooses"] if fields["chooses"] in CHOOSES else "skus"
    which = [one.strip() for one in fields["which"].split(",") if one.strip()]
    selection: dict[str, Any] = {chooses: which}
    if chooses == "skus":
        selection = {"skus": skus}
    elif chooses == "everything":
        selection = {"everything": True}
    stores = [one["store_id"] for one in frame.stores]
    made: dict[str, Any] = {
        "id": id_of(fields["name"], _now(frame)),
        "name": fields["name"],
        "gives": gives,
        "selection": selection,
        "where": {"stores": stores if fields["where"] == "all" else [frame.store_id]},
        "window": {name: fields[name][:16] for name in ("begins", "ends") if fields[name]},
    }
    if kind in _IN_MONEY and frame.store is not None:
        made["currency"] = frame.store["currency"]
    if fields["badge"]:
        made["badge"] = fields["badge"]
    if fields["club"]:
        made["club"] = fields["club"]
    if fields["first_area"]:
        made["rollout"] = [{"areas": [fields["first_area"]]}]
    return made


def _whole(text: str) -> int | str:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else text  # noqa: PLR2004


async def _outlook(asked: Asked, frame: Frame, api: OwnApi) -> Outlook:
    if not _says_enough(asked):
        return Outlook(unknown=asked.unknown)
    promotion = dict(asked.promotion)
    promotion["name"] = promotion["name"] or say("New promotion")
    try:
        answer = await api.send("POST", "/api/v1/promotions/preview", {"promotion": promotion})
    except ApiProblem as problem:
        return Outlook(unknown=asked.unknown, wrong=wrong_of(problem))
    preview = answer.json()
    here = next((s for s in preview["stores"] if s["store"] == frame.store_id), None)
    faces = here["faces"][:_PICTURES_MOST] if here is not None else []
    pictures = await asyncio.gather(*(_picture(one, frame, api) for one in faces))
    troubles: dict[str, tuple[int, list[str]]] = {}
    for store in preview["stores"]:
        for one in store["troubles"]:
            many, named = troubles.get(one["code"], (0, []))
            troubles[one["code"]] = (many + one["products"], [*named, *one["examples"]][:5])
    return Outlook(
        preview=preview,
        pictures=[one for one in pictures if one is not None],
        unknown=asked.unknown,
        troubles=[(code, many, named) for code, (many, named) in troubles.items()],
    )


def _says_enough(asked: Asked) -> bool:
    """Whether it is said what for and how much: before that a preview would only complain."""
    selection = asked.promotion["selection"]
    return bool(asked.fields["value"]) and any(bool(chosen) for chosen in selection.values())


async def _picture(one: Mapping[str, Any], frame: Frame, api: OwnApi) -> Mapping[str, str] | None:
    body = {
        "panel": one["panel"],
        "template": one["drawn_by"],
        "data": {k: v for k, v in one["face"].items() if k != "link_may_be_left_out"},
        "store": frame.store_id,
        "scale": 1,
    }
    try:
        drawn = (await api.send("POST", "/api/v1/render", body)).json()
    except ApiProblem as problem:
        return {"label": one["label"], "panel": one["panel"], "why": problem.detail}
    source = f"data:image/png;base64,{drawn['png']}"
    return {"label": one["label"], "panel": one["panel"], "source": source}


async def _draw(
    frame: Frame,
    api: OwnApi,
    asked: Asked,
    *,
    status: int = 200,
    wrong: Wrong | None = None,
    search: str = "",
    is_looked_at: bool = False,
) -> Response:
    at = f"/api/v1/stores/{part(frame.store_id)}/products"
    found = await api.get(at, search=search, limit=_FOUND_MOST) if search else {"products": []}
    outlook = await _outlook(asked, frame, api) if is_looked_at else None
    page = {
        "asked": asked.fields,
        "found": found["products"],
        "q": search,
        "gives": GIVES,
        "chooses": CHOOSES,
        "once": new_key(),
        "wrong": wrong,
    }
    return show("promotion_new", frame, status=status, page=page, look=outlook, words=TROUBLES)


def _now(frame: Frame) -> datetime:
    return datetime.now(ZoneInfo(frame.store["timezone"] if frame.store is not None else "UTC"))


def _require(frame: Frame) -> None:
    if not frame.may(Scope.PROMOTION_WRITE):
        raise Forbidden("who may not plan promotions has no use for this page")
