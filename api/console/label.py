"""One label: what it shows and wants, why, what it showed before, how it does; and what to do."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from fastapi import APIRouter
from fastapi.responses import Response

from api.console.acting import Form, Sent, Undo, Wrong, go_on, new_key, wrong_of
from api.console.frame import Frame, Framed, show
from api.console.languages import mark, say
from api.console.own_api import Api, ApiProblem, OwnApi, part
from api.console.sparkline import Bar, Line, bars_of, line_of
from api.console.words import STATE_OF, STATE_WORDS, Advice, State, advice_on_view
from esl.domain.access import Scope
from esl.domain.label import Phase
from esl.domain.migration import RowDecision
from esl.domain.pairing import UNDO_WITHIN, Action

router = APIRouter(include_in_schema=False)

DISPLAYS_MOST: Final = 12
REFRESHES_DAYS: Final = 30
STEPS_MOST: Final = 12
LIGHT_S: Final = 30
STEP_WORDS: Final[Mapping[str, str]] = {
    Action.PAIRED: mark("paired"),
    Action.CHANGED: mark("paired with another product"),
    Action.UNPAIRED: mark("unpaired"),
    Action.RETIRED: mark("to leave the shop"),
    Action.REPLACED: mark("replaced by another label"),
    Action.REPLACES: mark("takes another label's place"),
    Action.PLACED: mark("moved"),
    Action.UNDONE: mark("undone"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelPage:
    """A label, as one moment found it."""

    view: Mapping[str, Any]
    state: State
    word: str
    advice: Advice | None
    explained: Sequence[Mapping[str, Any]]
    displays: Sequence[Mapping[str, Any]]
    steps: Sequence[Mapping[str, Any]]
    undoable: int | None  # the step that can be undone
    battery: Line | None
    refreshes: Sequence[Bar]  # one a day, today the last
    may_pair: bool
    once: str
    wrong: Wrong | None = None
    asked: Mapping[str, str]

    @property
    def label(self) -> str:
        """Its id."""
        return str(self.view["label"])

    @property
    def shown(self) -> str | None:
        """The address of what it reported to show."""
        digest = self.view["shown_digest"]
        return f"/api/v1/labels/{self.label}/frames/{digest}.png" if digest else None

    @property
    def wanted(self) -> str | None:
        """The address of what it should show; None where that is nothing."""
        if self.view["face"] is None:
            return None
        return f"/api/v1/labels/{self.label}/wanted.png?rev={self.view['wanted_rev']}"


@router.get("/labels/{label}")
async def label_page(label: str, frame: Framed, api: Api) -> Response:
    """Show a label of the store that is looked at."""
    page = await _look(label, frame, api)
    return show("label", frame, page=page, step_words=STEP_WORDS)


@router.post("/labels/{label}/act")
async def act(label: str, frame: Framed, api: Api, form: Sent) -> Response:
    """Do one thing with it: send again, light, unpair, move, replace, or undo."""
    try:
        done = await Doing(label, frame, api, form).do(form.text("what"))
    except ApiProblem as problem:
        page = await _look(label, frame, api, wrong=wrong_of(problem), asked=form.fields)
        return show("label", frame, status=problem.status, page=page, step_words=STEP_WORDS)
    goes_to = frame.at(f"/labels/{part(done.goes_to or label)}")
    return go_on(goes_to, done.said, undo=done.undo)


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """What was done, how to take it back, and which label to look at then."""

    said: str
    undo: Undo | None = None
    goes_to: str | None = None


class Doing:
    """Asks the API for what a button of the page means."""

    def __init__(self, label: str, frame: Frame, api: OwnApi, form: Form) -> None:
        self._label, self._api, self._form = label, api, form
        self._at = f"/api/v1/stores/{part(frame.store_id)}"

    async def do(self, what: str) -> Done:
        """Do it.

        Raises:
            ApiProblem: The API refused.
        """
        doings = {
            "resend": self._resend,
            "light": self._light,
            "unpair": self._unpair,
            "move": self._move,
            "replace": self._replace,
        }
        return await doings.get(what, self._undo)()

    async def _send(self, method: str, path: str, body: Any = None) -> Any:
        answer = await self._api.send(method, f"{self._at}/{path}", body, headers=self._form.once)
        return answer.json()

    async def _resend(self) -> Done:
        await self._send("POST", f"labels/{part(self._label)}/resend", {})
        return Done(said=say("Its picture is sent once more."))

    async def _light(self) -> Done:
        body = {"labels": [self._label], "colour": "green", "seconds": LIGHT_S}
        if not (await self._send("POST", "lights", body))["labels"]:
            return Done(said=say("No gateway has heard it, so it cannot blink."))
        return Done(said=say("It blinks green for %(seconds)s seconds.", seconds=LIGHT_S))

    async def _unpair(self) -> Done:
        await self._send("DELETE", f"pairings/{part(self._label)}")
        said = say("Unpaired: it will show no price.")
        return Done(said=said, undo=await self._way_back(self._label))

    async def _move(self) -> Done:
        place = self._form.text("place")
        rows = [{"label": self._label, "place": place or None}]
        [row] = (await self._send("POST", "places", {"rows": rows}))["results"]
        if row["decision"] == RowDecision.REJECTED:
            raise ApiProblem(422, {"detail": row["reason"], "fix": row["fix"]})
        return Done(
            said=say("Moved to %(place)s.", place=place), undo=await self._way_back(self._label)
        )

    async def _replace(self) -> Done:
        new = self._form.text("new").lower()
        await self._send("POST", "replacements", {"broken": self._label, "new": new})
        return Done(
            said=say("%(new)s takes its products and its place.", new=new),
            undo=await self._way_back(new),
            goes_to=new,
        )

    async def _undo(self) -> Done:
        step = self._form.text("step") or "0"
        await self._send("POST", f"pairing-steps/{part(step)}/undo")
        return Done(said=say("Undone."))

    async def _way_back(self, label: str) -> Undo | None:
        """Say how to take back what was just done to a label."""
        found = await self._api.get(f"{self._at}/pairing-steps", label=label, limit=1)
        if not found["steps"]:
            return None
        fields = {"what": "undo", "step": str(found["steps"][0]["step"])}
        return Undo(path=f"/labels/{part(label)}/act", fields=fields)


async def _look(
    label: str,
    frame: Frame,
    api: OwnApi,
    *,
    wrong: Wrong | None = None,
    asked: Mapping[str, str] | None = None,
) -> LabelPage:
    of_label = f"/api/v1/labels/{part(label)}"
    view = await api.get(of_label)
    if frame.store is None or view["store"] != frame.store_id:
        # Whoever may see it in its own store is told there, not in this one.
        raise ApiProblem(404, {"detail": say("This store has no label %(label)s.", label=label)})
    explained, displays, batteries, refreshes, steps = await asyncio.gather(
        api.get(f"{of_label}/explain"),
        api.get(f"{of_label}/displays", limit=DISPLAYS_MOST),
        api.get(f"{of_label}/batteries"),
        api.get(f"{of_label}/refreshes", days=REFRESHES_DAYS),
        api.get(
            f"/api/v1/stores/{part(frame.store_id)}/pairing-steps", label=label, limit=STEPS_MOST
        ),
    )
    phase = Phase(view["phase"])
    return LabelPage(
        view=view,
        state=STATE_OF[phase],
        word=say(STATE_WORDS[STATE_OF[phase]]),
        advice=advice_on_view(view),
        explained=explained["products"],
        displays=displays["displays"],
        steps=steps["steps"],
        undoable=_undoable(steps["steps"]),
        battery=line_of([one["millivolts"] for one in batteries["batteries"]], least_span=200),
        refreshes=bars_of([one["refreshes"] for one in refreshes["days"]]),
        may_pair=frame.may(Scope.LABEL_PAIR),
        once=new_key(),
        wrong=wrong,
        asked=asked or {},
    )


def _undoable(steps: Sequence[Mapping[str, Any]]) -> int | None:
    """Return the step that can still be taken back: the newest, for a while."""
    if not steps or steps[0]["undone_by"] is not None or steps[0]["action"] == Action.UNDONE:
        return None
    at = datetime.fromisoformat(steps[0]["at"])
    return int(steps[0]["step"]) if datetime.now(at.tzinfo) - at < UNDO_WITHIN else None
