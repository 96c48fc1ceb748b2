"""What people ask of promotions: planned, stopped, rolled out further."""

from datetime import datetime, timedelta
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from esl.domain.errors import Conflict, InvalidInput
from esl.domain.promotion.life import Action
from esl.intake.promotion_json import parse_promotion
from esl.services.promotions import planning
from tests.builders import STORE
from tests.chaos.audit_oracle import Left
from tests.chaos.campaigns import ZONE, Campaign, Gives, Hours, runs_of
from tests.chaos.model import Model
from tests.chaos.requests import Request

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def invent_hours(random: Random, now: datetime) -> Hours:
    """Invent when a promotion runs that is planned now: minutes, some with pauses."""
    here = now.astimezone(ZoneInfo(ZONE))
    minute = here.replace(second=0, microsecond=0, tzinfo=None)

    def later(least: int, most: int) -> datetime:
        return _plus(minute, random.randint(least, most))

    begins = later(-2, 12)
    ends = _plus(begins, random.choice((2, 5, 10, 20, 40, 120)) + random.randint(0, 3))
    hours: tuple[tuple[Any, Any], ...] = ()
    if random.random() < 0.4:
        first = _plus(begins, random.randint(-3, 6))
        last = _plus(first, random.randint(1, 15))
        again = _plus(last, random.randint(1, 8))
        until = _plus(again, random.randint(1, 10))
        hours = ((first.time(), last.time()), (again.time(), until.time()))
        hours = hours[: random.randint(1, 2)]
    weekdays = frozenset((begins.weekday(),)) if random.random() < 0.3 else frozenset()
    return Hours(begins=begins, ends=ends, weekdays=weekdays, hours=hours)


def invent_gives(random: Random) -> Gives:
    """Invent what a promotion gives, of every kind."""
    match random.randrange(6):
        case 0:
            return Gives(price=random.randint(20, 400))
        case 1:
            return Gives(percent=random.randint(5, 70))
        case 2:
            return Gives(amount=random.randint(5, 150))
        case 3:
            return Gives(quantity=3, pay_for=2)
        case 4:
            return Gives(quantity=2, total=random.randint(50, 600))
        case _:
            return Gives(percent=random.randint(5, 70), club=True)


def campaign_request(key: str, one: Campaign, hours: Hours) -> Request:
    """A promotion is written down, and scheduled."""
    said = _said(one, hours)

    def do(tx: Connection, now: datetime) -> Any:
        try:
            with tx.begin_nested():
                planning.create(tx, parse_promotion(said), now, actor="till", gallery=())
                planning.schedule(tx, one.name, now, actor="till")
        except Conflict:
            return ["over", now.isoformat()]
        except InvalidInput:
            return ["never", now.isoformat()]
        return ["scheduled", now.isoformat()]

    def happened(model: Model, given: Any) -> Any:
        now = datetime.fromisoformat(given[1])
        one.runs = runs_of(hours, now)
        if not one.runs:
            return ["never", given[1]]
        return ["scheduled" if model.schedule(one, now) else "over", given[1]]

    def leaves(_: Model, given: Any) -> list[Left]:
        done = ("promotion_create", "promotion_schedule") if given[0] == "scheduled" else ()
        return [("entry", action, one.name) for action in done]

    return Request(key, f"promotion {said}", do, happened, leaves)


def stop_request(key: str, name: str, *, gently: bool) -> Request:
    """A promotion is ended, or cancelled; one that is over by then is left."""
    action = Action.END if gently else Action.CANCEL

    def do(tx: Connection, now: datetime) -> Any:
        try:
            with tx.begin_nested():
                planning.stop(tx, name, action, now, actor="till")
        except Conflict:
            return ["over", now.isoformat()]
        return ["stopped", now.isoformat()]

    def happened(model: Model, given: Any) -> Any:
        stopped = model.stop(name, datetime.fromisoformat(given[1]))
        return ["stopped" if stopped else "over", given[1]]

    def leaves(_: Model, given: Any) -> list[Left]:
        return [("entry", f"promotion_{action}", name)] if given[0] == "stopped" else []

    return Request(key, f"{action} {name}", do, happened, leaves)


def advance_request(key: str, name: str) -> Request:
    """The roll-out of a promotion comes to its next step."""

    def do(tx: Connection, now: datetime) -> Any:
        try:
            with tx.begin_nested():
                planning.advance(tx, name, now, actor="till")
        except Conflict:
            return ["not now", now.isoformat()]
        return ["advanced", now.isoformat()]

    def happened(model: Model, given: Any) -> Any:
        advanced = model.advance(name, datetime.fromisoformat(given[1]))
        return ["advanced" if advanced else "not now", given[1]]

    def leaves(_: Model, given: Any) -> list[Left]:
        return [("entry", "promotion_advance", name)] if given[0] == "advanced" else []

    return Request(key, f"advance {name}", do, happened, leaves)


def _said(one: Campaign, hours: Hours) -> dict[str, Any]:
    gives, money = one.gives, "{:.2f}".format
    given: dict[str, Any] = {}
    if gives.price is not None:
        given["price"] = money(gives.price / 100)
    elif gives.percent is not None:
        given["percent"] = gives.percent
    elif gives.amount is not None:
        given["amount"] = money(gives.amount / 100)
    else:
        given["quantity"] = gives.quantity
        if gives.total is not None:
            given["total"] = money(gives.total / 100)
        else:
            given["pay_for"] = gives.pay_for
    window: dict[str, Any] = {
        "begins": hours.begins.isoformat(timespec="minutes"),
        "ends": hours.ends.isoformat(timespec="minutes"),
    }
    if hours.weekdays:
        window["weekdays"] = [_DAYS[day] for day in sorted(hours.weekdays)]
    if hours.hours:
        window["hours"] = [
            {"begins": f"{begins:%H:%M}", "ends": f"{ends:%H:%M}"} for begins, ends in hours.hours
        ]
    said: dict[str, Any] = {
        "id": one.name,
        "name": one.name,
        "gives": given,
        "currency": "EUR",
        "priority": one.priority,
        "selection": {"skus": sorted(one.skus)},
        "where": {"stores": [STORE]},
        "window": window,
    }
    if one.badge is not None:
        said["badge"] = one.badge
    if gives.club:
        said["club"] = "Kartica"
    if one.percents:
        said["rollout"] = [{"percent": share} for share in one.percents]
    return said


def _plus(moment: datetime, minutes: int) -> datetime:
    return moment + timedelta(minutes=minutes)
