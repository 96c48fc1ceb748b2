"""How labels do as devices, what is wrong, what a person must do, and what became of updates."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, Field
from sqlalchemy import Connection

from api import doors, openapi_orders
from api.auth import Asker, TheHouse
from api.edits import Edited, Read
from api.schemas import problem_view
from esl.domain.access import Scope
from esl.domain.errors import UnknownTask
from esl.domain.fleet import FleetState
from esl.domain.ids import StoreId
from esl.domain.instants import instant_text
from esl.domain.place import StorePolicy
from esl.domain.verdict import Verdict
from esl.intake.order_json import parse_policy
from esl.services import fleet, silence, till_channels, verdicts
from esl.services.fleet import Member
from esl.services.silence import Silence
from esl.store import places, problems, remove_tasks, touches
from esl.store.remove_tasks import RemoveTask
from gateway.worker import Notice

router = APIRouter(prefix="/api/v1/stores/{store}", tags=["fleet"])

PAGE_MOST = 1000


class FleetPage(BaseModel, extra="forbid"):
    """Which labels of the fleet."""

    state: str = Field(
        default="",
        pattern=f"^({'|'.join(FleetState)}|)$",
        description="Only labels in this state.",
    )
    after: str = Field(default="", max_length=64, pattern=r"^[a-z0-9-]*$")
    limit: int = Field(default=100, ge=1, le=PAGE_MOST)


class ProblemPage(BaseModel, extra="forbid"):
    """Which problems."""

    also_ended: bool = Field(default=False, description="Those that are over, too.")
    after: int = Field(default=0, ge=0, le=2**53 - 1)
    limit: int = Field(default=100, ge=1, le=PAGE_MOST)


class TaskPage(BaseModel, extra="forbid"):
    """Which tasks."""

    also_done: bool = Field(default=False, description="Those that are over, too.")
    after: int = Field(default=0, ge=0, le=2**53 - 1)
    limit: int = Field(default=PAGE_MOST, ge=1, le=PAGE_MOST)


class TouchPage(BaseModel, extra="forbid"):
    """Which touches: those of higher numbers than ``after``."""

    after: int = Field(default=0, ge=0, le=2**53 - 1)
    limit: int = Field(default=100, ge=1, le=PAGE_MOST)


class VerdictPage(BaseModel, extra="forbid"):
    """Which price change."""

    change: int = Field(ge=1, le=2**53 - 1, description="The rev a price change was answered.")
    after: str = Field(default="", max_length=64, description="The last SKU of the page before.")


@router.get("/fleet")
async def get_fleet(
    store: str, house: TheHouse, who: Asker, page: Annotated[FleetPage, Query()]
) -> dict[str, Any]:
    """Count a store's labels by state, and list them by id with battery and signal.

    ``till`` says whether what they show may be old, because a source keeps silent.
    """
    store_id = await doors.enter(house, who, Scope.LABEL_READ, store)
    now, online, silent_after = house.clock.now(), house.online(), house.settings.silent_after

    def query(tx: Connection) -> dict[str, Any]:
        counts = fleet.count_fleet(tx, store_id, now, online=online, silent_after=silent_after)
        members = fleet.list_fleet(
            tx,
            store_id,
            now,
            online=online,
            silent_after=silent_after,
            state=FleetState(page.state) if page.state else None,
            after=page.after,
            limit=page.limit,
        )
        more = members[-1].device.label_id if len(members) == page.limit else None
        return {
            "states": counts,
            "till": _till_view(silence.find_silent(tx, store_id, now)),
            "labels": [_member_view(member) for member in members],
            "after": more,
        }

    return await doors.read(house, query)


@router.get("/problems")
async def list_problems(
    store: str, house: TheHouse, who: Asker, page: Annotated[ProblemPage, Query()]
) -> dict[str, Any]:
    """List what is wrong in a store, with the reason and what to do about it."""
    store_id = await doors.enter(house, who, Scope.LABEL_READ, store)
    found = await doors.read(
        house,
        lambda tx: problems.list_problems(
            tx, store_id, also_ended=page.also_ended, after=page.after, limit=page.limit
        ),
    )
    more = found[-1].problem_id if len(found) == page.limit else None
    return {"problems": [problem_view(problem) for problem in found], "after": more}


@router.get("/problems/{problem}")
async def get_problem(store: str, problem: str, house: TheHouse, who: Asker) -> dict[str, Any]:
    """Return one thing that is wrong, or was until lately."""
    store_id = await doors.enter(house, who, Scope.LABEL_READ, store)
    number = doors.number(problem, "problem")
    found = await doors.read(house, lambda tx: problems.problem_numbered(tx, store_id, number))
    return problem_view(found)


@router.get("/remove-tasks")
async def list_tasks(
    store: str, house: TheHouse, who: Asker, page: Annotated[TaskPage, Query()]
) -> dict[str, Any]:
    """List the labels that are to be taken off the shelf."""
    store_id = await doors.enter(house, who, Scope.LABEL_READ, store)
    found = await doors.read(
        house,
        lambda tx: remove_tasks.list_tasks(
            tx, store_id, also_done=page.also_done, after=page.after, limit=page.limit
        ),
    )
    more = found[-1].task_id if len(found) == page.limit else None
    return {"tasks": [_task_view(task) for task in found], "after": more}


@router.post("/remove-tasks/{task}/done", openapi_extra=openapi_orders.TASK_DONE)
async def end_task(
    store: str, task: str, request: Request, house: TheHouse, who: Asker
) -> Response:
    """Say that a label was taken off the shelf. Whose token it is stands in the task."""
    store_id = await doors.enter(house, who, Scope.LABEL_PAIR, store)
    body = await doors.read_nothing(request)
    if not task.isascii() or not task.isdecimal() or len(task) > 15:  # noqa: PLR2004  53 bits
        raise UnknownTask("the store has no such task")

    def work(tx: Connection) -> tuple[dict[str, Any], Notice]:
        now = house.clock.now()
        ended = till_channels.end_remove_task(tx, store_id, int(task), now, done_by=who.name)
        view = _task_view(ended)
        return _as_json(view), Notice(labels=(ended.label_id,))

    return await doors.change(house, request, who, body, work)


@router.get("/touches")
async def list_touches(
    store: str, house: TheHouse, who: Asker, page: Annotated[TouchPage, Query()]
) -> dict[str, Any]:
    """List what people did to labels in the last 30 days: buttons pressed, tags read.

    ``at`` is by the gateway's clock, ``heard_at`` by ours.
    """
    store_id = await doors.enter(house, who, Scope.LABEL_READ, store)
    found = await doors.read(
        house,
        lambda tx: touches.list_touches(tx, store_id, after=page.after, limit=page.limit),
    )
    return {
        "touches": [
            {
                "number": kept.number,
                "label": kept.touch.label_id,
                "gateway": kept.touch.gateway_id,
                "kind": kept.touch.kind,
                "button": kept.touch.button,
                "at": kept.touch.at,
                "heard_at": kept.heard_at,
            }
            for kept in found
        ],
        "after": found[-1].number if len(found) == page.limit else None,
    }


@router.get("/verdicts")
async def get_verdicts(
    store: str, house: TheHouse, who: Asker, page: Annotated[VerdictPage, Query()]
) -> dict[str, Any]:
    """Say what became of a price change on each label: shown, failed, superseded, or pending."""
    store_id = await doors.enter(house, who, Scope.LABEL_READ, store)
    now = house.clock.now()
    found = await doors.read(
        house,
        lambda tx: verdicts.verdicts_of_change(tx, store_id, page.change, now, after=page.after),
    )
    return {
        "change": found.rev,
        "verdicts": [verdict_view(verdict) for verdict in found.verdicts],
        "after": found.after,
    }


@router.get("/policy")
async def get_policy(store: str, house: TheHouse, who: Asker, reading: Read) -> dict[str, Any]:
    """Return what a store does with labels in doubt, and how long a verdict may take."""
    store_id = await doors.enter(house, who, Scope.LABEL_READ, store)
    return reading.of(await doors.read(house, lambda tx: _policy_of(tx, store_id)))


@router.put("/policy", openapi_extra=openapi_orders.POLICY)
async def put_policy(
    store: str, request: Request, house: TheHouse, who: Asker, edit: Edited
) -> Response:
    """Replace what a store does with labels in doubt."""
    store_id = await doors.enter(house, who, Scope.STORE_ADMIN, store)
    value, body = await doors.read_json(request)
    policy = parse_policy(value)

    def work(tx: Connection) -> tuple[dict[str, Any], Notice]:
        edit.check(tx, lambda: _policy_of(tx, store_id))
        fleet.put_policy(tx, store_id, policy, house.clock.now())
        return _as_json(_policy_view(policy)), Notice()

    return await doors.change(house, request, who, body, work)


def verdict_view(verdict: Verdict) -> dict[str, Any]:
    """A verdict; ``shown_at`` only where a failed update was shown after all."""
    return {
        "label": verdict.label_id,
        "sku": verdict.sku,
        "verdict": verdict.outcome,
        "reason": verdict.reason,
        "detail": verdict.detail,
        "at": verdict.at,
        "shown_at": verdict.shown_at,
    }


def _till_view(silent: Sequence[Silence]) -> dict[str, Any]:
    return {
        "is_current": not silent,
        "silent": [
            {
                "source": one.source_id,
                "name": one.name,
                "expected": one.expected,
                "since": one.since,
                "heard_at": one.heard_at,
                "reason": one.words,
            }
            for one in silent
        ],
    }


def _member_view(member: Member) -> dict[str, Any]:
    device, battery = member.device, member.battery
    return {
        "label": device.label_id,
        "gateway": device.gateway_id,
        "panel": device.panel_id,
        "state": member.state,
        "problem": device.problem,
        "seen_at": device.seen_at,
        "battery_mv": device.battery_mv,
        "battery_mv_per_day": (
            round(battery.per_day_mv, 2) if battery and battery.per_day_mv is not None else None
        ),
        "battery_days_left": battery.days_left if battery else None,
        "temperature_c": device.temperature_c,
        "rssi_dbm": device.rssi_dbm,
        "firmware": device.firmware,
        "refresh_failures": device.refresh_failures,
        "retired_at": device.retired_at,
    }


def _task_view(task: RemoveTask) -> dict[str, Any]:
    return {
        "task": task.task_id,
        "label": task.label_id,
        "reason": task.reason,
        "opened_at": task.opened_at,
        "done_at": task.done_at,
        "done_by": task.done_by,
    }


def _policy_of(tx: Connection, store_id: StoreId) -> dict[str, Any]:
    return _policy_view(places.store_policies(tx, [store_id])[store_id])


def _policy_view(policy: StorePolicy) -> dict[str, Any]:
    return {
        "neutral": policy.neutral,
        "unknown_labels": policy.unknown_labels,
        "adopt_until": policy.adopt_until,
        "verdict_within_s": int(policy.verdict_within.total_seconds()),
    }


def _as_json(view: dict[str, Any]) -> dict[str, Any]:
    """Write instants as a changing endpoint's stored answer needs them."""
    return {
        name: instant_text(value) if isinstance(value, datetime) else value
        for name, value in view.items()
    }
