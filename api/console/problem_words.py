"""What is wrong, in a few words of the reader's language; the details beside it are English."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from api.console.languages import mark, say
from esl.domain.problem import LABEL_KINDS, ProblemKind

TITLES: Final[Mapping[str, str]] = {
    ProblemKind.GATEWAY_AWAY: mark("A gateway is away"),
    ProblemKind.GATEWAY_UNHEARD: mark("A new gateway has not been heard"),
    ProblemKind.GATEWAY_CLOCK: mark("A gateway's clock is wrong"),
    ProblemKind.CONTROLLER_CLOCK: mark("The controller's clock is in doubt"),
    ProblemKind.DUPLICATE_ID: mark("Two labels have one id"),
    ProblemKind.LABEL_SILENT: mark("The label is silent"),
    ProblemKind.HARDWARE_FAULT: mark("The label is broken"),
    ProblemKind.BATTERY_LOW: mark("The battery is nearly empty"),
    ProblemKind.NOT_SHOWN: mark("The label does not show its price"),
    ProblemKind.LATE: mark("The label is late"),
    ProblemKind.PICTURE_REFUSED: mark("The picture cannot be drawn"),
    ProblemKind.REMOVE: mark("The label is to be taken off the shelf"),
    ProblemKind.FLIP_FAILED: mark("A timed change has failed"),
    ProblemKind.PRICE_WAITS: mark("A price waits for approval"),
    ProblemKind.SOURCE_SILENT: mark("A source of prices is silent"),
    ProblemKind.SOURCE_FAILS: mark("A source of prices fails"),
    ProblemKind.FILE_REJECTED: mark("A price list was not taken"),
    ProblemKind.LIST_TOO_SHORT: mark("A price list is too short"),
    ProblemKind.PROMOTION_PLAIN: mark("A promotion may not be announced"),
    ProblemKind.BACKUP_FAILS: mark("There is no fresh backup"),
    ProblemKind.CERTIFICATE: mark("The certificate wants renewal"),
    ProblemKind.STORE_FROZEN: mark("The store is frozen"),
    ProblemKind.STORE_NEUTRAL: mark("Labels show no prices, by order"),
    ProblemKind.TILL_SILENT: mark("A till does not confirm prices"),
    ProblemKind.EVENTS_FAIL: mark("Events are not taken"),
    ProblemKind.NOTIFY_FAILS: mark("Messages to people fail"),
    ProblemKind.ACCESS_ENDS: mark("A machine's access ends soon"),
    ProblemKind.PAPER_OUTDATED: mark("A paper ticket is outdated"),
    ProblemKind.INCREASE_WAITS: mark("A price increase waits for labels"),
}


def with_titles(problems: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Give each problem its ``title``, and those of labels the ``label`` that they are about.

    A kind that is newer than this page is called by its name.
    """
    found: list[dict[str, Any]] = []
    for one in problems:
        kind, title = one["kind"], TITLES.get(one["kind"])
        label = one["subject"] if kind in LABEL_KINDS else None
        found.append({**one, "title": kind if title is None else say(title), "label": label})
    return found
