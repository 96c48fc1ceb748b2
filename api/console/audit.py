"""The audit as a page: who did what to what, and why; narrowed by what one looks for."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Annotated, Any, Final
from zoneinfo import ZoneInfo

import msgspec
from fastapi import APIRouter, Query
from fastapi.responses import Response
from pydantic import BaseModel, Field

from api.console.acting import Wrong, wrong_of
from api.console.frame import Frame, Framed, show
from api.console.own_api import Api, ApiProblem

router = APIRouter(include_in_schema=False)

ENTRIES_MOST: Final = 100


DETAIL_MOST: Final = 2000
"""Characters of what an entry holds; of 1,000 labels paired at once the API says all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditPage:
    """What was done in a store."""

    entries: Sequence[Mapping[str, Any]]
    asked: Mapping[str, str]
    more: str | None  # the address of older entries
    wrong: Wrong | None = None

    def brief(self, detail: Mapping[str, Any]) -> str:
        """Write down what an entry holds, or how it begins."""
        text = msgspec.json.encode(detail).decode()
        return text if len(text) <= DETAIL_MOST else f"{text[: DETAIL_MOST - 1]}…"

    @property
    def is_narrowed(self) -> bool:
        """Say whether only some entries are wanted."""
        return any(self.asked.values())


class Asked(BaseModel):
    """What somebody looks for."""

    actor: str = Field(default="", max_length=80)
    action: str = Field(default="", max_length=40)
    subject: str = Field(default="", max_length=140)
    day: str = Field(default="", max_length=10)
    before: str = Field(default="", max_length=20)


@router.get("/audit")
async def audit_page(frame: Framed, api: Api, query: Annotated[Asked, Query()]) -> Response:
    """Show who did what, the newest first."""
    asked = query.model_dump(exclude={"before"})
    begins, ends = _day(query.day, frame)
    try:
        found = await api.get(
            "/api/v1/audit",
            **{"from": begins, "to": ends, "before": query.before, "limit": ENTRIES_MOST},
            store=frame.store_id,
            actor=query.actor.strip(),
            action=query.action.strip(),
            subject=query.subject.strip(),
        )
    except ApiProblem as problem:
        if problem.status != 422:  # noqa: PLR2004
            raise
        page = AuditPage(entries=[], asked=asked, more=None, wrong=wrong_of(problem))
        return show("audit", frame, status=problem.status, page=page)
    more = frame.at("/audit", before=found["before"], **asked) if found["before"] else None
    return show("audit", frame, page=AuditPage(entries=found["entries"], asked=asked, more=more))


def _day(text: str, frame: Frame) -> tuple[str, str]:
    """Return the instants between which a day of the store lies; a text that is no day as it is."""
    if not text:
        return "", ""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return text, ""  # the API says what is wrong with it
    zone = ZoneInfo(frame.store["timezone"] if frame.store is not None else "UTC")
    begins = datetime.combine(day, time(), tzinfo=zone)
    ends = datetime.combine(day + timedelta(days=1), time(), tzinfo=zone)
    return begins.isoformat(), ends.isoformat()
