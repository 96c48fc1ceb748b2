"""Shelf = till: what labels reported against what the till says, and a sample to walk with."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query
from fastapi.responses import Response
from pydantic import BaseModel, Field

from api.console.frame import Framed, show
from api.console.languages import mark
from api.console.own_api import Api, part

router = APIRouter(include_in_schema=False)

COMPARISONS: Final = {
    "right": mark("right"),
    "overcharge": mark("the till asks more"),
    "undercharge": mark("the till asks less"),
    "unverified": mark("nothing reported"),
}


class Asked(BaseModel):
    """Which sample."""

    sample: int = Field(default=50, ge=50, le=100, multiple_of=50)
    seed: int = Field(default=1, ge=0, le=2**53 - 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportPage:
    """A store's shelves against its till."""

    report: Mapping[str, Any]
    asked: Asked
    csv: str  # where the sample is a spreadsheet
    words: Mapping[str, str]


@router.get("/shelf-report")
async def report_page(frame: Framed, api: Api, asked: Annotated[Asked, Query()]) -> Response:
    """Compare what every label reported with what the till says."""
    at = f"/api/v1/stores/{part(frame.store_id)}/shelf-report"
    report = await api.get(at, sample=asked.sample, seed=asked.seed)
    csv = f"{at}?sample={asked.sample}&seed={asked.seed}&format=csv"
    page = ReportPage(report=report, asked=asked, csv=csv, words=COMPARISONS)
    return show("shelf_report", frame, page=page)
