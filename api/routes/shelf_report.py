"""Shelf = till: what labels reported to show against what the till says, and an inspection."""

import asyncio
from random import Random
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, Field

from api import doors
from api.auth import Asker, TheHouse
from api.schemas import money
from api.spreadsheet import spreadsheet
from esl.domain.access import Scope
from esl.domain.instants import instant_or_none, instant_text
from esl.domain.shelf_report import (
    PASSES_AT,
    Comparison,
    ShelfItem,
    ShelfSummary,
    inspection_sample,
    summarise,
)
from esl.store import shelf_report

router = APIRouter(prefix="/api/v1/stores/{store}", tags=["audit"])

SEED_MOST = 2**53 - 1
WRONG_MOST = 1000
COLUMNS = (
    *("label", "sku", "name", "category", "place", "shelf", "till", "difference", "currency"),
    *("comparison", "shown_rev", "heard_at", "found_on_shelf", "found_at_till", "inspector"),
)
"""Of the CSV; the last three are for whoever walks."""


class Asked(BaseModel, extra="forbid"):
    """Which sample, and as what."""

    sample: Literal["50", "100"] = Field(default="50", description="items to inspect")
    seed: int = Field(
        default=1, ge=0, le=SEED_MOST, description="another seed is another sample; keep it"
    )
    format: Literal["json", "csv"] = Field(default="json", description="CSV holds the sample")


@router.get(
    "/shelf-report",
    response_model=None,
    responses={200: {"content": {"application/json": {}, "text/csv": {}}}},
)
async def get_shelf_report(
    store: str, house: TheHouse, who: Asker, asked: Annotated[Asked, Query()]
) -> Response:
    """Compare what every label reported with what the till says; draw a sample to inspect.

    The sample is random from each category; 100 of a seed begin with the 50 of the same seed.
    """
    store_id = await doors.enter(house, who, Scope.PRICE_READ, store)
    currency = (await doors.store_for(house, store_id)).currency
    at = house.clock.now()
    items = await doors.read(house, lambda tx: shelf_report.shelf_items(tx, store_id))
    random = Random(asked.seed)  # noqa: S311  a sample that can be drawn again, and no secret
    sample = await asyncio.to_thread(inspection_sample, items, int(asked.sample), random)
    if asked.format == "csv":
        name = f"inspection-{store_id}-{at:%Y%m%d}-{asked.seed}.csv"
        return Response(
            spreadsheet(
                COLUMNS,
                (_item_view(item, currency) for item in sample),
                numbers=("difference",),
            ),
            media_type="text/csv; charset=utf-8",
            headers={"Content-Disposition": f'attachment; filename="{name}"'},
        )
    wrong = [
        item for item in items if item.comparison in (Comparison.OVERCHARGE, Comparison.UNDERCHARGE)
    ]
    return JSONResponse(
        {
            "store": store_id,
            "at": instant_text(at),
            "currency": currency,
            "must_be_right_percent": _percent(PASSES_AT),
            "all": _summary_view(summarise(items)),
            "wrong": [_item_view(item, currency) for item in wrong[:WRONG_MOST]],
            "sample": {
                "size": len(sample),
                "seed": asked.seed,
                **_summary_view(summarise(sample)),
                "items": [_item_view(item, currency) for item in sample],
            },
        }
    )


def _summary_view(summary: ShelfSummary) -> dict[str, Any]:
    return {
        "checked": summary.checked,
        "right": summary.right,
        "overcharges": summary.overcharges,
        "undercharges": summary.undercharges,
        "unverified": summary.unverified,
        "percent_right": _percent(summary.right_hundredths),
        "passes": summary.passes,
    }


def _percent(hundredths: int | None) -> str | None:
    return None if hundredths is None else f"{hundredths // 100}.{hundredths % 100:02}"


def _item_view(item: ShelfItem, currency: str) -> dict[str, Any]:
    shelf, till = item.shelf_minor, item.till_minor
    difference = till - shelf if shelf is not None and till is not None else None
    heard = item.heard_at
    return {
        "label": item.label_id,
        "sku": item.sku,
        "name": item.name,
        "category": item.category,
        "place": item.place,
        "shelf": money(shelf, currency),
        "till": money(till, currency),
        "difference": _signed(difference, currency),
        "currency": currency,
        "comparison": item.comparison.value,
        "shown_rev": item.shown_rev,
        "heard_at": instant_or_none(heard),
    }


def _signed(minor: int | None, currency: str) -> str | None:
    text = money(abs(minor), currency) if minor is not None else None
    return f"-{text}" if minor is not None and minor < 0 else text
