"""Price lists: handed in, tried first, then taken; what each batch changed, and taking it back."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response
from pydantic import BaseModel, Field

from api.console.acting import Sent, Wrong, go_on, new_key, wrong_of
from api.console.frame import Frame, Framed, show
from api.console.languages import mark, say
from api.console.own_api import Api, ApiProblem, OwnApi, part
from api.console.uploads import receive_form
from api.console.words import State as Tone
from esl.domain.access import Scope
from esl.domain.guards import WORDS
from esl.domain.import_job import LEFT_OUT, ImportState
from esl.domain.pricing import Decision

router = APIRouter(include_in_schema=False)

IMPORTS_MOST: Final = 10
BATCHES_MOST: Final = 25
LINES_MOST: Final = 100

STATE_WORDS: Final[Mapping[str, str]] = {
    ImportState.QUEUED: mark("waits for its turn"),
    ImportState.RUNNING: mark("is being read"),
    ImportState.DONE: mark("done"),
    ImportState.FAILED: mark("not taken"),
    ImportState.CANCELLED: mark("cancelled"),
}
TONES: Final[Mapping[str, str]] = {
    ImportState.QUEUED: Tone.ON_ITS_WAY,
    ImportState.RUNNING: Tone.ON_ITS_WAY,
    ImportState.DONE: Tone.RIGHT,
    ImportState.FAILED: Tone.NEEDS_YOU,
}
LINE_WORDS: Final[Mapping[str, str]] = {
    Decision.ACCEPTED: mark("changes"),
    Decision.QUARANTINED: mark("doubted"),
    Decision.REJECTED: mark("refused"),
    LEFT_OUT: mark("taken without a field"),
    Decision.SUPERSEDED: mark("overtaken"),
}
LINE_TONES: Final[Mapping[str, str]] = {
    Decision.ACCEPTED: Tone.RIGHT,
    Decision.QUARANTINED: Tone.NEEDS_YOU,
    Decision.REJECTED: Tone.NEEDS_YOU,
    LEFT_OUT: Tone.SILENT,
}
COUNT_WORDS: Final[Mapping[str, str]] = {
    "rows": mark("rows"),
    "products": mark("products"),
    "accepted": mark("change"),
    "unchanged": mark("stay as they are"),
    "quarantined": mark("doubted"),
    "rejected": mark("refused"),
    "superseded": mark("overtaken"),
    "retired": mark("delisted"),
    "labels_affected": mark("labels"),
}
OUTCOME_WORDS: Final[Mapping[str, str]] = {
    "shown": mark("show it"),
    "pending": mark("on their way"),
    "failed": mark("failed"),
    "superseded": mark("show something newer"),
}


_DOUBTS: Final = frozenset(WORDS.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportsPage:
    """What was handed in, and the batches of a store."""

    imports: Sequence[Mapping[str, Any]]
    batches: Sequence[Mapping[str, Any]]
    older: str | None  # the address of older batches
    choices: Mapping[str, Any] | None  # None: the reader may hand in nothing
    may_roll_back: bool
    may_map: bool
    once: str
    asked: Mapping[str, str] = field(default_factory=dict)
    wrong: Wrong | None = None
    state_words: Mapping[str, str] = field(default_factory=lambda: STATE_WORDS)
    tones: Mapping[str, str] = field(default_factory=lambda: TONES)


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportPage:
    """One import, as one moment found it."""

    job: Mapping[str, Any]
    lines: Sequence[Mapping[str, Any]]
    line_counts: Mapping[str, int]
    only: str
    more: str | None
    may_apply: bool
    may_roll_back: bool
    once: str
    batch: Mapping[str, Any] | None = None
    on_glass: Mapping[str, int] = field(default_factory=dict)
    wrong: Wrong | None = None
    state_words: Mapping[str, str] = field(default_factory=lambda: STATE_WORDS)
    tones: Mapping[str, str] = field(default_factory=lambda: TONES)
    line_words: Mapping[str, str] = field(default_factory=lambda: LINE_WORDS)
    line_tones: Mapping[str, str] = field(default_factory=lambda: LINE_TONES)
    count_words: Mapping[str, str] = field(default_factory=lambda: COUNT_WORDS)
    outcome_words: Mapping[str, str] = field(default_factory=lambda: OUTCOME_WORDS)

    @property
    def runs(self) -> bool:
        """Say whether it has not ended yet."""
        return self.job["state"] in (ImportState.QUEUED, ImportState.RUNNING)

    @property
    def percent(self) -> int:
        """How far it is: the file is read twice, to check all of it and then to take it."""
        progress, size = self.job["progress"], max(self.job["bytes"], 1)
        if not self.runs:
            return 100
        done = int(progress["read_bytes"]) * 50 // int(size)
        is_second = progress["pass"] == "taking"  # noqa: S105  no password
        return min(99, done + (50 if is_second else 0))

    @property
    def can_apply(self) -> bool:
        """Say whether this dry run can be taken in earnest, and there is something to take."""
        counts = self.job["counts"]
        return (
            self.may_apply
            and self.job["can_apply"]
            and counts["accepted"] + counts["quarantined"] + counts["retired"] > 0
        )


class Asked(BaseModel):
    """Which lines of a report."""

    only: str = Field(default="", max_length=20)
    after: int = Field(default=0, ge=0, le=2**53 - 1)


@router.get("/imports")
async def imports_page(
    frame: Framed, api: Api, before: Annotated[int | None, Query(ge=1, le=2**53 - 1)] = None
) -> Response:
    """Show the form for a list, what was handed in, and the batches."""
    return show("imports", frame, page=await _look(frame, api, before=before))


@router.post("/imports")
async def hand_in(request: Request, frame: Framed, api: Api) -> Response:
    """Take a list, to be tried: nothing of it is stored before somebody has looked."""
    sent = await receive_form(request)
    kind, _, name = sent.form.text("by").partition(":")
    query = {"name": sent.file_name, "mode": sent.form.text("mode"), "dry_run": "true"}
    query |= {"source" if kind == "source" else "mapping": name}
    at = f"/api/v1/stores/{part(frame.store_id)}/imports"
    headers = sent.form.once | {"Content-Type": "application/octet-stream"}
    try:
        answer = await api.send("POST", at, sent.content, query=query, headers=headers)
    except ApiProblem as problem:
        await sent.pass_over()
        page = await _look(frame, api, wrong=wrong_of(problem), asked=sent.form.fields)
        return show("imports", frame, status=problem.status, page=page)
    return go_on(frame.at(f"/imports/{part(answer.json()['id'])}"))


@router.post("/imports/batches/{batch}/roll-back")
async def roll_back(batch: str, frame: Framed, api: Api, form: Sent) -> Response:
    """Let the prices from before a batch hold again."""
    at = f"/api/v1/stores/{part(frame.store_id)}/batches/{part(batch)}/roll-back"
    try:
        done = (
            await api.send("POST", at, {"reason": form.text("reason")}, headers=form.once)
        ).json()
    except ApiProblem as problem:
        page = await _look(frame, api, wrong=wrong_of(problem))
        return show("imports", frame, status=problem.status, page=page)
    said = say(
        "Batch %(batch)s is taken back. Prices that hold as before: %(restored)s; that had none: "
        "%(withdrawn)s; left, because somebody said another since: %(kept)s.",
        batch=batch,
        restored=done["restored"],
        withdrawn=done["withdrawn"],
        kept=done["kept"],
    )
    return go_on(frame.at("/imports"), said)


@router.get("/imports/{import_id}")
async def import_page(
    import_id: str, frame: Framed, api: Api, query: Annotated[Asked, Query()]
) -> Response:
    """Show one import: what it would change or has changed, and the faults by line."""
    return show("import", frame, page=await _close_up(import_id, frame, api, query))


@router.get("/imports/{import_id}/now")
async def import_now(
    import_id: str, frame: Framed, api: Api, query: Annotated[Asked, Query()]
) -> Response:
    """Draw how far it has come, without what stands around it."""
    return show("import_now", frame, page=await _close_up(import_id, frame, api, query))


@router.post("/imports/{import_id}/act")
async def act(import_id: str, frame: Framed, api: Api, form: Sent) -> Response:
    """Take a dry run in earnest, or cancel an import."""
    what = "cancel" if form.text("what") == "cancel" else "apply"
    at = f"/api/v1/imports/{part(import_id)}/{what}"
    try:
        done = (await api.send("POST", at, headers=form.once)).json()
    except ApiProblem as problem:
        page = await _close_up(import_id, frame, api, Asked(), wrong=wrong_of(problem))
        return show("import", frame, status=problem.status, page=page)
    said = say("It is cancelled; what it took stays.") if what == "cancel" else None
    return go_on(frame.at(f"/imports/{part(done['id'])}"), said)


async def _look(
    frame: Frame,
    api: OwnApi,
    *,
    before: int | None = None,
    wrong: Wrong | None = None,
    asked: Mapping[str, str] | None = None,
) -> ImportsPage:
    at = f"/api/v1/stores/{part(frame.store_id)}"
    listed, batches = await asyncio.gather(
        api.get("/api/v1/imports", store=frame.store_id, limit=IMPORTS_MOST),
        api.get(f"{at}/batches", before=before, limit=BATCHES_MOST),
    )
    may_send = frame.may(Scope.PRICE_WRITE)
    older = batches["before"]
    return ImportsPage(
        imports=listed["imports"],
        batches=batches["batches"],
        older=frame.at("/imports", before=older) if older else None,
        choices=await api.get(f"{at}/import-choices") if may_send else None,
        may_roll_back=frame.may(Scope.PRICE_APPROVE),
        may_map=frame.may(Scope.STORE_ADMIN, everywhere=True),
        once=new_key(),
        asked=asked or {},
        wrong=wrong,
    )


async def _close_up(
    import_id: str, frame: Frame, api: OwnApi, query: Asked, *, wrong: Wrong | None = None
) -> ImportPage:
    at = f"/api/v1/imports/{part(import_id)}"
    job = await api.get(at)
    if job["store"] not in (None, frame.store_id):
        raise ApiProblem(HTTPStatus.NOT_FOUND, {"detail": say("This store has no such import.")})
    only = query.only if query.only in LINE_WORDS else ""
    found = await api.get(f"{at}/lines", decision=only, after=query.after, limit=LINES_MOST)
    batch, on_glass = await _changed(job, frame, api)
    here, after = f"/imports/{part(import_id)}", found["after"]
    return ImportPage(
        job=job,
        lines=[one | {"reason": _in_words(one["reason"])} for one in found["lines"]],
        line_counts=found["counts"],
        only=only,
        more=frame.at(here, only=only, after=after) if after else None,
        may_apply=frame.may(Scope.PRICE_WRITE),
        may_roll_back=frame.may(Scope.PRICE_APPROVE),
        once=new_key(),
        batch=batch,
        on_glass=on_glass,
        wrong=wrong,
    )


async def _changed(
    job: Mapping[str, Any], frame: Frame, api: OwnApi
) -> tuple[Mapping[str, Any] | None, Mapping[str, int]]:
    """Return the batch of an import that has ended, and what its labels show."""
    if job["batch"] is None or job["ended_at"] is None:
        return None, {}
    at = f"/api/v1/stores/{part(frame.store_id)}/batches/{job['batch']}"
    try:
        batch = await api.get(at)
    except ApiProblem as problem:
        if problem.status != HTTPStatus.NOT_FOUND:
            raise
        return None, {}  # it changed nothing in this store
    counts = (await api.get(f"{at}/labels"))["counts"] if frame.may(Scope.LABEL_READ) else {}
    return batch, counts


def _in_words(reason: str) -> str:
    """Say what is said of doubts in the reader's language; what is said of one row stays."""
    return "; ".join(say(one) if one in _DOUBTS else one for one in reason.split("; "))
