"""Which batteries will be empty, and when: a list to walk with before labels fall silent."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import Connection

from esl.domain.fleet import battery_trend
from esl.domain.ids import LabelId, StoreId
from esl.services.fleet import TREND_OVER
from esl.services.placing import labels_in_order
from esl.store import fleet

_LABELS_A_READ = 500  # some ten thousand samples


@dataclass(frozen=True, slots=True, kw_only=True)
class Fading:
    """A label whose battery falls, and the day on which it is expected to be empty."""

    label_id: LabelId
    millivolts: int
    per_day_mv: float
    days_left: int
    empty_on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """A store's batteries: those that fall in walking order, and how many say too little."""

    fading: list[Fading]
    steady: int  # nothing falls
    unknown: int  # heard too seldom for a line


def forecast(tx: Connection, store_id: StoreId, now: datetime) -> Forecast:
    """Draw a line through every battery of a store: 10,000 labels take some seconds."""
    since, today = (now - TREND_OVER).date(), now.date()
    order = labels_in_order(tx, store_id, area=None, by_walk=True)
    fading: list[Fading] = []
    steady = 0
    for start in range(0, len(order), _LABELS_A_READ):
        some = order[start : start + _LABELS_A_READ]
        samples = fleet.batteries_of(tx, some, since=since)
        for label_id in some:
            trend = battery_trend(samples.get(label_id, ()))
            if trend is None or trend.per_day_mv is None:
                continue
            if trend.days_left is None:
                steady += 1
                continue
            fading.append(
                Fading(
                    label_id=label_id,
                    millivolts=trend.millivolts,
                    per_day_mv=trend.per_day_mv,
                    days_left=trend.days_left,
                    empty_on=today + timedelta(days=trend.days_left),
                )
            )
    return Forecast(fading=fading, steady=steady, unknown=len(order) - steady - len(fading))
