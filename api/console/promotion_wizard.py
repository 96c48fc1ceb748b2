"""A promotion on one page, new or changed: what, how much, when, where; and how it will look.

The page previews as one types, on the panels in use and by the shop's own renderer; nothing is
stored until somebody saves it. Without scripts a button previews.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Annotated, Any, Final
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Query
from fastapi.responses import HTMLResponse, Response

from api.console.acting import Form, Sent, Wrong, go_on, new_key, wrong_of
from api.console.frame import Frame, Framed, show
from api.console.languages import mark, say
from api.console.own_api import Api, ApiProblem, OwnApi, part
from api.console.promotion_form import (
    CHOOSES,
    FIELDS,
    GIVES,
    KEPT,
    fields_of,
    lines_of,
    promotion_of,
)
from api.console.templates import draw
from esl.domain.access import Scope
from esl.domain.errors import Forbidden

router = APIRouter(include_in_schema=False)

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

LINES_MOST: Final = 5000
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
    lines: int = 0

    @property
    def wrong(self) -> str | None:
        """What must be put right before it can be saved."""
        if self.lines > LINES_MOST:
            return say(
                "These are %(many)s products: name %(most)s at most, or choose by category or tag.",
                many=self.lines,
                most=LINES_MOST,
            )
        if self.unknown:
            return say("No product is known by: %(codes)s.", codes=", ".join(self.unknown[:10]))
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """What the promotion would do, with pictures; or why nobody can say."""

    preview: Mapping[str, Any] | None = None
    pictures: Sequence[Mapping[str, str]] = ()
    not_yet: str | None = None  # what must be put right before it can be saved
    wrong: Wrong | None = None
    troubles: Sequence[tuple[str, int, Sequence[str]]] = field(default_factory=list)


@router.get("/promotions/new")
async def new_page(
    frame: Framed, api: Api, of: Annotated[str, Query(max_length=64)] = ""
) -> Response:
    """Show the form as it begins: this weekend, in this store; or ``of`` what is to be changed."""
    _require(frame)
    if of:
        found = await api.send("GET", f"/api/v1/promotions/{part(of)}")
        definition = found.json()["promotion"]
        fields = fields_of(definition, frame) | {"of": of, "version": found.headers["etag"]}
        return await _draw(
            frame, api, Asked(fields=fields, promotion=definition), is_looked_at=True
        )
    fields = dict.fromkeys(FIELDS, "") | {
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
    if asked.wrong is not None:
        return await _draw(frame, api, asked, status=422, wrong=Wrong(text=asked.wrong))
    promotion = dict(asked.promotion)
    try:
        if asked.fields["of"]:
            made = await _replace(api, promotion, asked.fields, form)
        else:
            made = await _create(api, promotion, form)
    except ApiProblem as problem:
        wrong = wrong_of(problem)
        if problem.status == HTTPStatus.PRECONDITION_FAILED:
            text = say("Somebody changed this promotion after you opened it: open it again.")
            wrong = Wrong(text=text)
        return await _draw(frame, api, asked, status=problem.status, wrong=wrong)
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


async def _replace(
    api: OwnApi, promotion: Mapping[str, Any], fields: Mapping[str, str], form: Form
) -> str:
    """Put what was changed in the place of what was read.

    Raises:
        ApiProblem: It is refused: it has begun, or somebody else has changed it since.
    """
    of = fields["of"]
    headers = {**form.once, "If-Match": fields["version"] or "none"}
    await api.send("PUT", f"/api/v1/promotions/{part(of)}", promotion, headers=headers)
    return of


async def _read(form: Form, frame: Frame, api: OwnApi) -> Asked:
    fields = {name: form.text(name) for name in FIELDS}
    lines = lines_of(fields["picked"])
    if added := form.text("add"):
        lines = list(dict.fromkeys([*lines, added]))
        fields["picked"] = "\n".join(lines)
    base = None
    if fields["of"]:
        base = (await api.get(f"/api/v1/promotions/{part(fields['of'])}"))["promotion"]
    skus, unknown = await _skus_of(lines, frame, api) if len(lines) <= LINES_MOST else ([], [])
    return Asked(
        fields=fields,
        promotion=promotion_of(fields, skus, frame, _now(frame), base),
        unknown=unknown,
        lines=len(lines),
    )


async def _skus_of(lines: Sequence[str], frame: Frame, api: OwnApi) -> tuple[list[str], list[str]]:
    """Find the products of SKUs and bar codes; say which lines name none, or several."""
    if not lines:
        return [], []
    at = f"/api/v1/stores/{part(frame.store_id)}/scans"
    answer = await api.send("POST", at, {"texts": [line[:500] for line in lines]})
    skus: list[str] = []
    unknown: list[str] = []
    for line, one in zip(lines, answer.json()["scans"], strict=True):
        named = [product["sku"] for product in one["products"]]
        if len(named) == 1:
            skus.append(named[0])
        else:
            unknown.append(line)
    return list(dict.fromkeys(skus)), unknown


async def _outlook(asked: Asked, frame: Frame, api: OwnApi) -> Outlook:
    if not _says_enough(asked):
        return Outlook(not_yet=asked.wrong)
    promotion = dict(asked.promotion)
    promotion["name"] = promotion["name"] or say("New promotion")
    try:
        answer = await api.send("POST", "/api/v1/promotions/preview", {"promotion": promotion})
    except ApiProblem as problem:
        return Outlook(not_yet=asked.wrong, wrong=wrong_of(problem))
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
        not_yet=asked.wrong,
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
    groups = await api.get("/api/v1/groups", store=frame.store_id)
    outlook = await _outlook(asked, frame, api) if is_looked_at else None
    page = {
        "asked": asked.fields,
        "found": found["products"],
        "groups": groups["groups"],
        "kept": KEPT,
        "taken": say("%(many)s codes were taken from the file.", many="%(many)s"),
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
