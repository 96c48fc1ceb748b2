"""Promotions: all of a store, and one close up: what it gives, how far it has come, and its end."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final

from fastapi import APIRouter
from fastapi.responses import Response

from api.console.acting import Sent, Wrong, go_on, new_key, wrong_of
from api.console.frame import Frame, Framed, show
from api.console.languages import mark, say
from api.console.own_api import Api, ApiProblem, OwnApi, part
from api.console.words import State as Tone
from esl.domain.access import Scope
from esl.domain.promotion.life import State

router = APIRouter(include_in_schema=False)

PROMOTIONS_MOST: Final = 200

STATE_WORDS: Final[Mapping[str, str]] = {
    State.DRAFT: mark("draft"),
    State.SCHEDULED: mark("scheduled"),
    State.STAGING: mark("being prepared"),
    State.ACTIVE: mark("running"),
    State.ENDED: mark("ended"),
    State.CANCELLED: mark("cancelled"),
    State.ROLLED_BACK: mark("taken back"),
}
TONES: Final[Mapping[str, str]] = {
    State.SCHEDULED: Tone.ON_ITS_WAY,
    State.STAGING: Tone.ON_ITS_WAY,
    State.ACTIVE: Tone.RIGHT,
}
"""Of states; the others have none."""

_LIVE_FIRST: Final = (
    *(State.ACTIVE, State.STAGING, State.SCHEDULED, State.DRAFT),
    *(State.ENDED, State.ROLLED_BACK, State.CANCELLED),
)
_BARS: Final = (
    ("shown", mark("show it")),
    ("sent", mark("being painted")),
    ("waiting", mark("in the queue")),
    ("held", mark("wait for the till")),
    ("stuck", mark("given up")),
)
ACT_PATHS: Final = {
    "schedule": "schedule",
    "advance": "advance",
    "end": "end",
    "cancel": "cancel",
    "roll_back": "roll-back",
}

ACTION_WORDS: Final[Mapping[str, str]] = {
    "schedule": mark("Schedule"),
    "advance": mark("Next step"),
    "end": mark("End now"),
    "cancel": mark("Cancel"),
    "roll_back": mark("Take back"),
}
ACTION_QUESTIONS: Final[Mapping[str, str]] = {
    "end": mark("Its labels get the prices without it at once."),
    "cancel": mark(
        "It never begins, or stops at once; what labels already show of it is taken back."
    ),
    "roll_back": mark("As if it had been a mistake: the prices without it hold again at once."),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class PromotionPage:
    """One promotion, as one moment found it."""

    promotion: Mapping[str, Any]
    progress: Mapping[str, Any] | None  # None: it has not begun to be prepared
    gives: str
    selects: Sequence[str]
    where: str
    may_act: bool
    once: str
    wrong: Wrong | None = None

    @property
    def actions(self) -> list[str]:
        """What can be done with it now, of what this page does."""
        found = [one for one in self.promotion["actions"] if one in ACT_PATHS]
        steps = self.promotion["promotion"].get("rollout") or ()
        is_rolling = self.promotion["state"] == State.ACTIVE
        if is_rolling and self.promotion["reached"] < len(steps):
            found.insert(0, "advance")
        return found

    @property
    def bars(self) -> list[tuple[str, str, int]]:
        """Labels by how far they have come: key, word, how many; those without are left out."""
        counts = self.progress["counts"] if self.progress is not None else {}
        return [(key, word, counts[key]) for key, word in _BARS if counts.get(key)]


@router.get("/promotions")
async def promotions_page(frame: Framed, api: Api) -> Response:
    """List the promotions of the store, those that run first."""
    listed = await api.get("/api/v1/promotions", store=frame.store_id, limit=PROMOTIONS_MOST)
    found = sorted(
        listed["promotions"],
        key=lambda one: (_LIVE_FIRST.index(State(one["state"])), one["name"].casefold()),
    )
    return show(
        "promotions", frame, promotions=found, words=STATE_WORDS, tones=TONES, more=listed["after"]
    )


@router.get("/promotions/{promotion}")
async def promotion_page(promotion: str, frame: Framed, api: Api) -> Response:
    """Show one promotion."""
    return _draw("promotion", frame, await _look(promotion, frame, api))


@router.get("/promotions/{promotion}/now")
async def promotion_now(promotion: str, frame: Framed, api: Api) -> Response:
    """Draw how far it has come, without what stands around it."""
    return _draw("promotion_now", frame, await _look(promotion, frame, api))


@router.post("/promotions/{promotion}/act")
async def act(promotion: str, frame: Framed, api: Api, form: Sent) -> Response:
    """Schedule it, let it reach its next step, end it, cancel it, or take it back."""
    what = form.text("what")
    at = f"/api/v1/promotions/{part(promotion)}"
    reason = form.text("reason")
    body = {"reason": reason} if reason else None
    try:
        path = ACT_PATHS.get(what, "none")  # what no page offers, the API does not know
        await api.send("POST", f"{at}/{path}", body, headers=form.once)
    except ApiProblem as problem:
        page = await _look(promotion, frame, api, wrong=wrong_of(problem))
        return _draw("promotion", frame, page, status=problem.status)
    said = {
        "schedule": say("It is scheduled: it begins and ends by itself."),
        "advance": say("It comes to the labels of its next step."),
        "end": say("It has ended: the prices without it hold again."),
        "cancel": say("It is cancelled."),
        "roll_back": say("It is taken back: the prices without it hold again."),
    }
    return go_on(frame.at(f"/promotions/{part(promotion)}"), said[what])


def _draw(name: str, frame: Frame, page: PromotionPage, *, status: int = HTTPStatus.OK) -> Response:
    return show(
        name,
        frame,
        status=status,
        page=page,
        words=STATE_WORDS,
        tones=TONES,
        action_words=ACTION_WORDS,
        questions=ACTION_QUESTIONS,
    )


async def _look(
    promotion: str, frame: Frame, api: OwnApi, *, wrong: Wrong | None = None
) -> PromotionPage:
    at = f"/api/v1/promotions/{part(promotion)}"
    found = await api.get(at)
    progress = None
    if found["state"] in (State.STAGING, State.ACTIVE, State.ENDED, State.ROLLED_BACK):
        progress = await api.get(f"{at}/progress")
    definition = found["promotion"]
    return PromotionPage(
        promotion=found,
        progress=progress,
        gives=gives_in_words(definition["gives"]),
        selects=selection_in_words(definition["selection"]),
        where=", ".join(found["stores"]),
        may_act=frame.may(Scope.PROMOTION_WRITE),
        once=new_key(),
        wrong=wrong,
    )


def gives_in_words(gives: Mapping[str, Any]) -> str:
    """Say what a promotion gives."""
    if "percent" in gives:
        return say("%(percent)s %% off", percent=gives["percent"])
    if "amount" in gives:
        return say("%(amount)s off", amount=gives["amount"])
    if "total" in gives:
        return say("%(many)s for %(total)s", many=gives["quantity"], total=gives["total"])
    if "pay_for" in gives:
        return say("%(many)s for %(pay)s", many=gives["quantity"], pay=gives["pay_for"])
    return say("%(price)s in place of the regular price", price=gives.get("price", "?"))


def selection_in_words(selection: Mapping[str, Any]) -> list[str]:
    """Say which products a promotion is for, part by part."""
    if selection.get("everything"):
        found = [say("all products")]
    else:
        words = {
            "skus": mark("SKUs"),
            "categories": mark("categories"),
            "brands": mark("brands"),
            "tags": mark("tags"),
        }
        found = [
            f"{say(word)}: {', '.join(selection[key])}"
            for key, word in words.items()
            if selection.get(key)
        ]
    if selection.get("except_skus"):
        without = say("but not")
        found.append(f"{without}: {', '.join(selection['except_skus'])}")
    return found
