"""Doubted prices: what the guards held back, why, and a person's yes or no."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from fastapi import APIRouter
from fastapi.responses import Response

from api.console.acting import Sent, Wrong, go_on, new_key, wrong_of
from api.console.frame import Frame, Framed, show
from api.console.languages import say, say_many
from api.console.own_api import Api, ApiProblem, OwnApi, part
from esl.domain.access import Scope
from esl.domain.pricing import Decision

router = APIRouter(include_in_schema=False)

HELD_MOST: Final = 200
"""Prices on a page; of longer lists the oldest come first, and a batch is decided as a whole."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldPage:
    """What waits in a store."""

    prices: Sequence[Mapping[str, Any]]
    waiting: int
    may_decide: bool
    once: str
    wrong: Wrong | None = None

    @property
    def batches(self) -> list[tuple[int, int]]:
        """Return batches with several of these prices: number, and how many of them are here."""
        counted: dict[int, int] = {}
        for price in self.prices:
            if price["batch"] is not None:
                counted[price["batch"]] = counted.get(price["batch"], 0) + 1
        return [(batch, many) for batch, many in counted.items() if many > 1]


@router.get("/held")
async def held_page(frame: Framed, api: Api) -> Response:
    """Show the prices that wait for a person."""
    return show("held", frame, held=await _look(frame, api))


@router.post("/held")
async def decide(frame: Framed, api: Api, form: Sent) -> Response:
    """Let held prices hold, or say no to them: one, or a whole batch."""
    is_yes = form.text("decide") == "approve"
    which: dict[str, Any] = (
        {"batch": _number(form.text("batch"))}
        if form.has("batch")
        else {"prices": [_number(form.text("price"))]}
    )
    if form.text("note"):
        which["note"] = form.text("note")
    at = f"/api/v1/stores/{part(frame.store_id)}/quarantine"
    try:
        answer = await api.send(
            "POST", f"{at}/{'approve' if is_yes else 'reject'}", which, headers=form.once
        )
    except ApiProblem as problem:
        held = await _look(frame, api, wrong=wrong_of(problem))
        return show("held", frame, status=problem.status, held=held)
    return go_on(frame.at("/held"), _said(answer.json(), is_yes=is_yes))


async def _look(frame: Frame, api: OwnApi, wrong: Wrong | None = None) -> HeldPage:
    at = f"/api/v1/stores/{part(frame.store_id)}"
    listed, summary = await asyncio.gather(
        api.get(f"{at}/quarantine", limit=HELD_MOST), api.get(f"{at}/summary")
    )
    return HeldPage(
        prices=listed["prices"],
        waiting=summary["quarantined"],
        may_decide=frame.may(Scope.PRICE_APPROVE),
        once=new_key(),
        wrong=wrong,
    )


def _said(answer: Mapping[str, Any], *, is_yes: bool) -> str:
    many = len(answer["prices"])
    if not is_yes:
        return say_many("%(num)s price was rejected.", "%(num)s prices were rejected.", many)
    taken = sum(one["decision"] == Decision.ACCEPTED for one in answer["prices"])
    if taken < many:
        return say(
            "%(taken)s of %(many)s prices hold now; the others are explained in the batch.",
            taken=taken,
            many=many,
        )
    return say_many("%(num)s price holds now.", "%(num)s prices hold now.", many)


def _number(text: str) -> int:
    """Read a number of a form; 0, which nothing has, where it is none."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 16 else 0  # noqa: PLR2004
