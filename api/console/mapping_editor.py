"""Mappings: proposed from a list, tried on it with twenty rows shown, and only then saved."""

import hashlib
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse, Response

from api.console.acting import Wrong, go_on, wrong_of
from api.console.frame import FORM_HEADERS, Frame, Framed, show
from api.console.languages import mark, say
from api.console.own_api import Api, ApiProblem, OwnApi, part
from api.console.templates import draw
from api.console.uploads import FormWithSample, receive_sample

router = APIRouter(include_in_schema=False)

ROWS_SHOWN: Final = 20
MAPPINGS_MOST: Final = 200

COLUMN_WORDS: Final[Mapping[str, str]] = {
    "row": mark("Row"),
    "sku": mark("SKU"),
    "gtin": mark("Bar code"),
    "name": mark("Name"),
    "content": mark("Content"),
    "price": mark("Price"),
    "promotion": mark("Promotion"),
    "was": mark("Before"),
    "per_unit": mark("Per unit"),
    "lowest_30d": mark("Lowest of 30 days"),
    "anchor": mark("Reference price"),
    "deposit": mark("Deposit"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class MappingPage:
    """A mapping that is written, and what it made of a list."""

    document: str
    seen: str = ""  # the version that was loaded, for whoever changes it meanwhile
    name: str = ""  # under which it was loaded
    trial: Mapping[str, Any] | None = None
    tried: str = ""  # which document the trial was of
    unsure: Sequence[str] = ()
    saved: Sequence[Mapping[str, Any]] = ()
    wrong: Wrong | None = None
    column_words: Mapping[str, str] = field(default_factory=lambda: COLUMN_WORDS)

    @property
    def columns(self) -> list[str]:
        """Name the columns in which some product has something."""
        entries = self.trial["entries"] if self.trial is not None else ()
        return [one for one in COLUMN_WORDS if any(one in entry for entry in entries)]

    @property
    def may_save(self) -> bool:
        """Say whether what stands there was seen to work."""
        return self.trial is not None and bool(self.trial["products"])


@router.get("/imports/mapping")
async def mapping_page(
    frame: Framed, api: Api, name: Annotated[str, Query(max_length=63)] = ""
) -> Response:
    """Show the editor, with a saved mapping if one is named."""
    document, seen = "", ""
    if name:
        answer = await api.send("GET", f"/api/v1/mappings/{part(name)}")
        document, seen = answer.json()["document"], answer.headers.get("etag", "")
    page = MappingPage(document=document, seen=seen, name=name, saved=await _saved(api))
    return show("mapping", frame, page=page)


@router.post("/imports/mapping")
async def edit(
    request: Request,
    frame: Framed,
    api: Api,
    do: Annotated[Literal["suggest", "try", "save"], Query()] = "try",
) -> Response:
    """Propose a mapping from the list, try one on it, or save one that was seen to work."""
    sent = await receive_sample(request)
    document = sent.form.fields.get("document", "")
    try:
        if do == "suggest":
            query = {"name": sent.file_name or "list"}
            answer = await api.send("POST", "/api/v1/mappings/suggest", sent.file, query=query)
            document, unsure = answer.json()["mapping"], answer.json()["unsure"]
            return await _draw(request, frame, api, sent, document=document, unsure=unsure)
        if do == "try" or sent.form.text("tried") != _digest(document):
            return await _draw(request, frame, api, sent, document=document, tries=True)
        return await _save(frame, api, sent, document)
    except ApiProblem as problem:
        wrong = wrong_of(problem)
        return await _draw(request, frame, api, sent, document=document, wrong=wrong)


async def _save(frame: Frame, api: OwnApi, sent: FormWithSample, document: str) -> Response:
    name, seen = sent.form.text("called"), sent.form.text("seen")
    headers = {"Content-Type": "application/yaml"}
    if seen and name == sent.form.text("name"):
        headers["If-Match"] = seen
    at = f"/api/v1/mappings/{part(name or '-')}"
    answer = await api.send("PUT", at, document.encode(), headers=headers)
    version = answer.json()["version"]
    said = say("The mapping %(name)s is saved, as version %(version)s.", name=name, version=version)
    return go_on(frame.at("/imports"), said)


async def _draw(
    request: Request,
    frame: Frame,
    api: OwnApi,
    sent: FormWithSample,
    *,
    document: str,
    unsure: Sequence[str] = (),
    tries: bool = False,
    wrong: Wrong | None = None,
) -> Response:
    trial = None
    if tries:
        if not sent.file:
            wrong = Wrong(text=say("Choose a list to try it on."))
        else:
            trial = await _try(api, frame, sent, document)
    page = MappingPage(
        document=document,
        seen=sent.form.text("seen"),
        name=sent.form.text("name"),
        trial=trial,
        tried=_digest(document) if trial is not None else "",
        unsure=unsure,
        saved=await _saved(api),
        wrong=wrong,
    )
    if request.headers.get("hx-request") is not None:
        # What was wrong is part of the answer: htmx swaps nothing in for a refusal.
        return HTMLResponse(draw("mapping_now", frame=frame, page=page), headers=FORM_HEADERS)
    status = HTTPStatus.UNPROCESSABLE_ENTITY if wrong is not None else HTTPStatus.OK
    return show("mapping", frame, status=status, page=page)


async def _try(api: OwnApi, frame: Frame, sent: FormWithSample, document: str) -> Mapping[str, Any]:
    boundary = secrets.token_hex(16)
    parts = {"mapping": document.encode(), "file": sent.file}
    body = b"".join(
        f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n'.encode()
        + data
        + b"\r\n"
        for name, data in parts.items()
    )
    currency = frame.store["currency"] if frame.store is not None else ""
    answer = await api.send(
        "POST",
        "/api/v1/mappings/try",
        body + f"--{boundary}--\r\n".encode(),
        query={"rows": ROWS_SHOWN, "name": sent.file_name, "currency": currency},
        headers={"Content-Type": f"multipart/form-data; boundary={boundary}"},
    )
    found: Mapping[str, Any] = answer.json()
    return found


async def _saved(api: OwnApi) -> Sequence[Mapping[str, Any]]:
    listed = await api.get("/api/v1/mappings", limit=MAPPINGS_MOST)
    saved: Sequence[Mapping[str, Any]] = listed["mappings"]
    return saved


def _digest(document: str) -> str:
    return hashlib.sha256(document.encode()).hexdigest()
