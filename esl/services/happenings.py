"""Write down what other systems and people are told of, in the transaction that it is true by.

However many labels one cause has, it is one event: problems of labels that open in one look are
told together by store and kind, and by the gateway that is away where that is why. Each names
`NAMED_MOST` and counts all.
"""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection

from esl.domain.ids import StoreId
from esl.domain.instants import instant_text
from esl.domain.money import format_minor
from esl.domain.problem import LABEL_KINDS, WHAT_TO_DO, Finding, Problem, ProblemKind
from esl.domain.subscription import NAMED_MOST, EventType, Happened
from esl.store import happenings

_FAILURES: Final = {ProblemKind.NOT_SHOWN: "given_up", ProblemKind.LATE: "deadline"}
"""What it means for a price that a label has this problem."""


def note_problems(
    tx: Connection, opened: Sequence[Finding], closed: Sequence[Problem], now: datetime
) -> None:
    """Write down that problems were opened and closed, in the transaction that does it."""
    happened = [
        *_gateways(tx, opened, closed, now),
        *_opened(tx, [one for one in opened if one.kind in LABEL_KINDS], now),
        *_closed([one for one in closed if one.kind in LABEL_KINDS], now),
    ]
    happenings.put_happenings(tx, happened)


def _gateways(
    tx: Connection, opened: Sequence[Finding], closed: Sequence[Problem], now: datetime
) -> list[Happened]:
    lost = [one for one in opened if one.kind is ProblemKind.GATEWAY_AWAY]
    back = [one for one in closed if one.kind == ProblemKind.GATEWAY_AWAY]
    names = [one.subject for one in lost] + [one.subject for one in back]
    below = happenings.labels_below(tx, names)
    events = [
        Happened(
            type=EventType.GATEWAY_OFFLINE,
            store_id=one.store_id,
            at=now,
            data={
                "gateway": one.subject,
                "labels": below.get(one.subject, 0),
                "reason": one.reason,
                "what_to_do": one.what_to_do,
            },
        )
        for one in lost
    ]
    events += [
        Happened(
            type=EventType.GATEWAY_ONLINE,
            store_id=one.store_id,
            at=now,
            data={
                "gateway": one.subject,
                "labels": below.get(one.subject, 0),
                "offline_since": instant_text(one.since),
            },
        )
        for one in back
    ]
    return events


def _opened(tx: Connection, found: Sequence[Finding], now: datetime) -> list[Happened]:
    if not found:
        return []
    away = happenings.gateways_away(tx)
    above = happenings.gateways_of(tx, [one.subject for one in found]) if away else {}
    groups: dict[tuple[StoreId, ProblemKind, str | None], list[Finding]] = {}
    for one in found:
        gateway = above.get(one.subject)
        cause = str(gateway) if gateway in away else None
        groups.setdefault((one.store_id, one.kind, cause), []).append(one)
    events: list[Happened] = []
    for (store_id, kind, cause), some in groups.items():
        data: dict[str, Any] = {"kind": kind.value, "gateway": cause, "count": len(some)}
        data["labels"] = [{"label": one.subject, "reason": one.reason} for one in some[:NAMED_MOST]]
        data["what_to_do"] = WHAT_TO_DO[kind if cause is None else ProblemKind.GATEWAY_AWAY]
        events.append(Happened(type=EventType.LABEL_PROBLEM, store_id=store_id, at=now, data=data))
        if kind in _FAILURES:
            data = {"why": _FAILURES[kind], "gateway": cause} | _prices(tx, some)
            events.append(
                Happened(type=EventType.PRICE_FAILED, store_id=store_id, at=now, data=data)
            )
    return events


def _prices(tx: Connection, failed: Sequence[Finding]) -> dict[str, Any]:
    """Name the prices that labels do not show, and count the labels."""
    reasons = {one.subject: one.reason for one in failed}
    says = happenings.said_by(tx, [one.subject for one in failed])
    named = [
        {
            "sku": one.sku,
            "price": format_minor(one.price_minor, one.currency),
            "currency": one.currency,
            "rev": one.rev,
            "label": one.label_id,
            "reason": reasons[one.label_id],
        }
        for one in says[:NAMED_MOST]
    ]
    return {"labels": len(failed), "products": len({one.sku for one in says}), "prices": named}


def _closed(closed: Sequence[Problem], now: datetime) -> list[Happened]:
    groups: dict[tuple[StoreId | None, str], list[Problem]] = {}
    for one in closed:
        groups.setdefault((one.store_id, one.kind), []).append(one)
    return [
        Happened(
            type=EventType.LABEL_PROBLEM_CLOSED,
            store_id=store_id,
            at=now,
            data={
                "kind": kind,
                "count": len(some),
                "labels": [
                    {"label": one.subject, "since": instant_text(one.since)}
                    for one in some[:NAMED_MOST]
                ],
            },
        )
        for (store_id, kind), some in groups.items()
    ]


def quarantine_events(held: Collection[happenings.Held]) -> list[Happened]:
    """Make events of prices that were held back: one for what one source said at one moment."""
    groups: dict[tuple[object, ...], list[happenings.Held]] = {}
    for one in held:
        key = (one.store_id, one.batch_id, one.source, one.received_at)
        groups.setdefault(key, []).append(one)
    return [_quarantined(some) for some in groups.values()]


def _quarantined(held: Sequence[happenings.Held]) -> Happened:
    first = held[0]
    reasons = sorted({word for one in held for word in one.reasons.split()})
    return Happened(
        type=EventType.QUARANTINE_OPENED,
        store_id=first.store_id,
        at=first.received_at,
        data={
            "source": first.source,
            "batch": first.batch_id,
            "count": len(held),
            "reasons": reasons,
            "prices": [
                {
                    "quarantine": one.number,
                    "sku": one.sku,
                    "price": format_minor(one.price_minor, one.currency),
                    "currency": one.currency,
                    "reasons": one.reasons.split(),
                }
                for one in held[:NAMED_MOST]
            ],
        },
    )
