"""Home: whether the shop can open, what is under way, and what wants a person."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Any, Final
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, Response

from api.console.frame import Frame, Framed, show
from api.console.languages import say, say_many, spoken
from api.console.look import ATTENTION
from api.console.own_api import Api, ApiProblem, OwnApi, part
from api.console.problem_words import with_titles
from api.console.templates import draw
from api.console.words import STATE_OF, Advice, State, advice_on_view
from esl.domain.access import Scope
from esl.domain.label import Phase

router = APIRouter(include_in_schema=False)

SHELVES_MOST: Final = 12
"""Labels that are named; the wall shows the others."""

PROBLEMS_MOST: Final = 6
RUNNING_MOST: Final = 4

_ON_THEIR_WAY: Final = (Phase.WAITING, Phase.SENT)
_NOT_RIGHT: Final = (Phase.FAILED, Phase.STRUGGLING, Phase.UNREACHABLE)
_RUNNING: Final = ("active", "staging")


@dataclass(frozen=True, slots=True, kw_only=True)
class Number:
    """One of the four numbers: what it counts, why, and where the labels behind it are."""

    key: str
    word: str
    count: int
    why: str
    address: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Shelf:
    """A label that is not right: where it hangs, and what somebody does about it."""

    label: str
    name: str
    place: str | None
    state: State
    advice: Advice | None
    address: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """A promotion that is under way, and how far it has come."""

    name: str
    address: str
    is_ahead: bool  # its pictures travel; it has not begun
    done: int
    labels: int
    stragglers: int
    done_at: datetime | None  # in the store's time
    next_at: datetime | None

    @property
    def percent(self) -> int:
        """How much of it is done, floored: 100 is all of it."""
        return self.done * 100 // self.labels if self.labels else 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Home:
    """A store, as one moment found it."""

    summary: Mapping[str, Any]
    numbers: Sequence[Number]
    shelves: Sequence[Shelf]
    problems: Sequence[Mapping[str, Any]]
    running: Sequence[Running]
    again: str  # the address of the same as it is then

    @property
    def is_empty(self) -> bool:
        """Whether there is no label yet: a shop that is being set up."""
        return not self.summary["labels"]

    @property
    def waits_for_labels(self) -> int:
        """Say how many are on their way."""
        return _count(self.summary, _ON_THEIR_WAY)

    @property
    def not_right(self) -> int:
        """Say how many want a person, or a gateway that is away."""
        return _count(self.summary, _NOT_RIGHT)

    @property
    def tone(self) -> State:
        """Return the state whose colour the answer has."""
        if self.not_right or self.summary["silent_sources"]:
            return State.NEEDS_YOU
        return State.ON_ITS_WAY if self.waits_for_labels else State.RIGHT

    @property
    def answer(self) -> str:
        """Say whether the shop can open."""
        if not self.summary["paired"]:
            return say("No label has a product yet")
        if self.not_right * 2 > self.summary["paired"]:
            return say("Not ready to open")
        if self.not_right:
            return say_many(
                "Ready to open, except %(num)s shelf",
                "Ready to open, except %(num)s shelves",
                self.not_right,
            )
        if self.waits_for_labels:
            return say("Soon ready to open")
        return say("Ready to open")

    @property
    def line(self) -> str:
        """Say what stands behind the answer, in a sentence."""
        paired, right = self.summary["paired"], self.summary["phases"][Phase.SETTLED]
        if not paired:
            return say("Labels show nothing until they are paired with products.")
        if right == paired:
            return say_many(
                "The one label shows what it should.",
                "All %(all)s labels show what they should.",
                paired,
                all=spoken().number(paired),
            )
        return say_many(
            "%(right)s of %(all)s label shows what it should.",
            "%(right)s of %(all)s labels show what they should.",
            paired,
            right=spoken().number(right),
            all=spoken().number(paired),
        )


@router.get("/")
async def home_page(request: Request, frame: Framed, api: Api) -> Response:
    """Show how the store does, for whoever may look at its labels; others their first page."""
    if frame.store is None:
        return show("no_stores", frame, base_url=request.base_url)
    if not frame.may(Scope.LABEL_READ):
        return show("nothing_here", frame, status=HTTPStatus.OK)
    return show("home", frame, home=await look(frame, api), base_url=request.base_url)


@router.get("/home/now")
async def home_now(frame: Framed, api: Api, request: Request) -> Response:
    """Draw the same without what stands around it: the page asks every few seconds."""
    found = await look(frame, api)
    return HTMLResponse(draw("home_now", frame=frame, home=found, base_url=request.base_url))


async def look(frame: Frame, api: OwnApi) -> Home:
    """Ask the API how the store does."""
    at = f"/api/v1/stores/{part(frame.store_id)}"
    summary, wrong, problems, running = await asyncio.gather(
        api.get(f"{at}/summary"),
        api.get(f"{at}/labels", phase=_NOT_RIGHT, order="walk", limit=SHELVES_MOST),
        api.get(f"{at}/problems", limit=PROBLEMS_MOST),
        _running(frame, api),
    )
    return Home(
        summary=summary,
        numbers=_numbers(frame, summary),
        shelves=[_shelf(frame, view) for view in wrong["labels"]],
        problems=with_titles(problems["problems"]),
        running=running,
        again=frame.at("/home/now"),
    )


async def _running(frame: Frame, api: OwnApi) -> list[Running]:
    if not frame.may(Scope.PRICE_READ):
        return []
    pages = await asyncio.gather(
        *(
            api.get("/api/v1/promotions", store=frame.store_id, state=state, limit=RUNNING_MOST)
            for state in _RUNNING
        )
    )
    found = [one for page in pages for one in page["promotions"]][:RUNNING_MOST]
    return [one for one in [await _progress(frame, api, each) for each in found] if one]


async def _progress(frame: Frame, api: OwnApi, head: Mapping[str, Any]) -> Running | None:
    try:
        told = await api.get(f"/api/v1/promotions/{part(head['id'])}/progress")
    except ApiProblem:  # it runs in other stores too, or is gone since
        return None
    zone = _zone(frame)
    is_ahead = head["state"] == "staging"
    pictures = told["pictures"]
    return Running(
        name=head["name"],
        address=frame.at(f"/promotions/{part(head['id'])}"),
        is_ahead=is_ahead,
        done=pictures["stored"] + pictures["armed"] if is_ahead else told["counts"].get("shown", 0),
        labels=sum(pictures.values()) if is_ahead else told["labels"] - told["later"],
        stragglers=0 if is_ahead else told["stragglers_in_all"],
        done_at=_local(told["done_at"], zone),
        next_at=_local(told["next_at"], zone),
    )


def _numbers(frame: Frame, summary: Mapping[str, Any]) -> list[Number]:
    phases = summary["phases"]

    def wall(state: str) -> str:
        return frame.at("/wall", show=state)

    return [
        Number(
            key=State.RIGHT,
            word=say("Right"),
            count=phases[Phase.SETTLED],
            why=say("prices may be old: a source is silent")
            if summary["silent_sources"]
            else say("as the labels themselves report"),
            address=wall(State.RIGHT),
        ),
        Number(
            key=State.ON_ITS_WAY,
            word=say("On their way"),
            count=_count(summary, _ON_THEIR_WAY),
            why=_because(
                (phases[Phase.WAITING], say("in the queue")),
                (phases[Phase.SENT], say("being painted")),
            )
            or say("nothing is under way"),
            address=wall(State.ON_ITS_WAY),
        ),
        Number(
            key=State.NEEDS_YOU,
            word=say("Need attention"),
            count=_count(summary, _NOT_RIGHT),
            why=_because(
                (phases[Phase.FAILED], say("refused or given up")),
                (phases[Phase.STRUGGLING], say("not answering")),
                (phases[Phase.UNREACHABLE], say("without a gateway")),
            )
            or say("nothing to do"),
            address=wall(ATTENTION),
        ),
        Number(
            key="planned",
            word=say("Planned changes"),
            count=summary["planned"],
            why=say("next: %(when)s", when=frame.moment(summary["next_at"]))
            if summary["next_at"]
            else say("no moment is planned"),
            address=frame.at("/promotions") if frame.may(Scope.PRICE_READ) else "",
        ),
    ]


def _because(*reasons: tuple[int, str]) -> str:
    return say(", ").join(f"{spoken().number(many)} {words}" for many, words in reasons if many)


def _shelf(frame: Frame, view: Mapping[str, Any]) -> Shelf:
    return Shelf(
        label=view["label"],
        name=view["name"] or view["label"],
        place=view["place"],
        state=STATE_OF[Phase(view["phase"])],
        advice=advice_on_view(view),
        address=frame.at(f"/labels/{part(view['label'])}"),
    )


def _count(summary: Mapping[str, Any], phases: Sequence[Phase]) -> int:
    return sum(summary["phases"][phase] for phase in phases)


def _zone(frame: Frame) -> ZoneInfo:
    return ZoneInfo(frame.store["timezone"] if frame.store is not None else "UTC")


def _local(moment: str | None, zone: ZoneInfo) -> datetime | None:
    return datetime.fromisoformat(moment).astimezone(zone) if moment else None
