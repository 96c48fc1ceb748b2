"""What may be wrong between a store's labels and its tills, for `esl.services.problems`."""

from collections.abc import Iterator
from datetime import datetime
from typing import Final

from sqlalchemy import Connection

from esl.domain.ids import StoreId
from esl.domain.problem import ProblemKind
from esl.store import places, till_labels, till_settings, tills
from esl.store.tills import Waits

Wrong = tuple[ProblemKind, str, str]
"""Kind, subject and reason."""

_NAMED: Final = 3


def find_till_problems(tx: Connection, store_id: StoreId, now: datetime) -> Iterator[Wrong]:
    """Find cheaper prices that the till does not take, and dearer ones that labels hold up."""
    if not till_settings.is_followed(tx, store_id):
        return
    setting = till_settings.setting_of(tx, store_id)
    subject = f"till/{store_id}"
    before = now - setting.acknowledge_within
    silent = tills.count_waiting(tx, store_id, Waits.TILL, before=before)
    told = till_settings.told_of(tx, store_id)
    if silent:
        [oldest] = tills.waiting_of(tx, store_id, limit=1, waits=Waits.TILL)
        reason = (
            f"It has not acknowledged {silent} cheaper prices, the oldest of {oldest.sku}"
            f" since {oldest.since:%Y-%m-%d %H:%M} UTC."
        )
        yield ProblemKind.TILL_SILENT, subject, f"{reason}{_in_vain(told.error)}"
    elif told.failing_since is not None and told.failing_since <= before:
        reason = f"It has taken no message since {told.failing_since:%Y-%m-%d %H:%M} UTC."
        yield ProblemKind.TILL_SILENT, subject, f"{reason}{_in_vain(told.error)}"
    within = places.store_policies(tx, [store_id])[store_id].verdict_within
    held_up = tills.count_waiting(tx, store_id, Waits.LABELS, before=now - within)
    if held_up:
        oldest_ones = tills.waiting_of(tx, store_id, limit=_NAMED, waits=Waits.LABELS)
        missing = till_labels.missing_labels(tx, store_id, [one.sku for one in oldest_ones])
        labels = sorted({label for found in missing.values() for label in found})
        yield (
            ProblemKind.INCREASE_WAITS,
            subject,
            (
                f"{held_up} dearer prices wait for labels, the first of them {oldest_ones[0].sku}"
                f" for {len(labels)}: {', '.join(labels[:_NAMED])}."
            ),
        )


def _in_vain(error: str | None) -> str:
    return f" Messages to it fail: {error}" if error else ""
