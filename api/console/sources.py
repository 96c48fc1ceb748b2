"""Sources of prices: who they are, by which mapping they are read, when each was last heard."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query
from fastapi.responses import Response

from api.console.acting import Form, Sent, Wrong, go_on, wrong_of
from api.console.frame import Frame, Framed, show
from api.console.languages import mark, say
from api.console.own_api import Api, ApiProblem, OwnApi, part
from esl.domain.source import USUAL_PRIORITY, SourceKind

router = APIRouter(include_in_schema=False)

SOURCES_MOST: Final = 200

KIND_WORDS: Final[Mapping[str, str]] = {
    SourceKind.HTTP: mark("posts price changes"),
    SourceKind.FILE: mark("files that are handed in"),
    SourceKind.HOT_FOLDER: mark("a watched folder"),
    SourceKind.SFTP: mark("files over SFTP"),
    SourceKind.MQTT: mark("messages over MQTT"),
    SourceKind.WEBHOOK: mark("webhooks"),
    SourceKind.POLL: mark("is asked by us"),
    SourceKind.COMPAT: mark("another maker's interface"),
}
_OURS: Final = ("name", "store", "kind", "mapping", "priority", "priorities", "guards")
_KEPT: Final = (*_OURS, "expected", "accepts_full", "disabled", "settings")
_FIELDS: Final = ("source", "name", "kind", "mapping", "priority", "by", "accepts_full", "disabled")


@dataclass(frozen=True, slots=True, kw_only=True)
class SourcesPage:
    """The sources that may speak for a store, and the one that is changed."""

    sources: Sequence[Mapping[str, Any]]
    mappings: Sequence[str]
    asked: Mapping[str, str]  # what stands in the form
    seen: str = ""  # the version that the form was drawn from; "" adds a source
    wrong: Wrong | None = None
    kind_words: Mapping[str, str] = field(default_factory=lambda: KIND_WORDS)


@router.get("/imports/sources")
async def sources_page(
    frame: Framed, api: Api, source: Annotated[str, Query(max_length=64)] = ""
) -> Response:
    """List the sources, with the form for one more or for the one that is named."""
    asked, seen = {"kind": str(SourceKind.FILE), "priority": str(USUAL_PRIORITY)}, ""
    if source:
        answer = await api.send("GET", f"/api/v1/sources/{part(source)}")
        asked, seen = _asked(answer.json()), answer.headers.get("etag", "")
    return show("sources", frame, page=await _look(frame, api, asked=asked, seen=seen))


@router.post("/imports/sources")
async def put_source(frame: Framed, api: Api, form: Sent) -> Response:
    """Register a source, or change what the form shows of one; the rest of it stays."""
    source, seen = form.text("source"), form.text("seen")
    at = f"/api/v1/sources/{part(source or '-')}"
    try:
        before = await api.get(at) if seen else {"store": frame.store_id}
        body = {name: before[name] for name in _KEPT if before.get(name) is not None}
        if "by" in (body.get("expected") or {}):
            del body["expected"]  # the form says it, or that there is none any more
        headers = {"If-Match": seen} if seen else {"If-None-Match": "*"}
        await api.send("PUT", at, body | _told(form), headers=headers)
    except ApiProblem as problem:
        asked = {name: form.text(name) for name in _FIELDS}
        page = await _look(frame, api, asked=asked, seen=seen, wrong=wrong_of(problem))
        return show("sources", frame, status=problem.status, page=page)
    return go_on(frame.at("/imports/sources"), say("The source %(source)s is kept.", source=source))


async def _look(
    frame: Frame,
    api: OwnApi,
    *,
    asked: Mapping[str, str],
    seen: str,
    wrong: Wrong | None = None,
) -> SourcesPage:
    listed = await api.get("/api/v1/sources", store=frame.store_id, limit=SOURCES_MOST)
    known = await api.get("/api/v1/mappings")
    return SourcesPage(
        sources=listed["sources"],
        mappings=[one["mapping"] for one in known["mappings"]],
        asked=asked,
        seen=seen,
        wrong=wrong,
    )


def _asked(view: Mapping[str, Any]) -> dict[str, str]:
    shown = {name: str(view.get(name) or "") for name in _FIELDS}
    shown["priority"] = str(view["priority"])
    return shown | {"by": (view["expected"] or {}).get("by", "")}


def _told(form: Form) -> dict[str, Any]:
    """Return what the form says, as the API reads it; a wrong number goes as it was typed."""
    priority = form.text("priority")
    told: dict[str, Any] = {
        "name": form.text("name"),
        "kind": form.text("kind"),
        "mapping": form.text("mapping") or None,
        "accepts_full": form.has("accepts_full"),
        "disabled": form.has("disabled"),
        "priority": int(priority) if priority.isascii() and priority.isdecimal() else priority,
    }
    if form.text("by"):
        told["expected"] = {"by": form.text("by")}
    return told
