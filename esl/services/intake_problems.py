"""What may be wrong with the intake of a store, for `esl.services.problems`."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from esl.domain.ids import StoreId
from esl.domain.problem import ProblemKind
from esl.store import connectors, guarding, hook_inbox, missing, places, quarantine, sources

Wrong = tuple[ProblemKind, str, str]
"""Kind, subject and reason."""

LOOKED_AT = timedelta(days=1)
"""How long webhooks that could not be read are a problem: until then somebody has looked."""


def find_intake_problems(tx: Connection, store_id: StoreId, now: datetime) -> Iterator[Wrong]:
    """Find prices that wait too long, sources that are silent, lists that are too short."""
    for held in quarantine.expired(tx, store_id, now):
        reason = f"A price of {held.sku} has waited since {held.received_at:%Y-%m-%d %H:%M} UTC."
        yield ProblemKind.PRICE_WAITS, f"price/{held.quarantine_id}", reason
    zone: ZoneInfo | None = None
    for standing in sources.list_sources(tx, store_id=store_id):
        expected, source = standing.source.expected, standing.source
        if expected is None or source.disabled or standing.expected_since is None:
            continue
        zone = zone or ZoneInfo(places.store_named(tx, store_id).timezone)
        deadline = expected.deadline_passed(now, standing.heard_at, standing.expected_since, zone)
        if deadline is not None:
            heard = standing.heard_at
            last = f"last heard at {heard:%Y-%m-%d %H:%M} UTC" if heard else "never heard"
            reason = f"It is expected {expected.as_text()}, and was {last}."
            yield ProblemKind.SOURCE_SILENT, f"source/{source.source_id}/{store_id}", reason
    for source_id, reason in connectors.list_failing(tx, store_id):
        yield ProblemKind.SOURCE_FAILS, f"source/{source_id}/{store_id}", reason
    for source_id, many, why in hook_inbox.count_poisoned(tx, store_id, since=now - LOOKED_AT):
        reason = f"{many} of its webhooks could not be read; the last: {why}"
        yield ProblemKind.SOURCE_FAILS, f"hooks/{source_id}/{store_id}", reason
    for source_id, batch_id, many in missing.count_missing(tx, store_id):
        reason = f"A list of {source_id} leaves out {many} products; none of them was retired."
        yield ProblemKind.LIST_TOO_SHORT, f"batch/{batch_id}/{store_id}", reason
    since = guarding.frozen_since(tx, store_id)
    if since is not None:
        reason = f"Nothing is sent to its labels since {since:%Y-%m-%d %H:%M} UTC."
        yield ProblemKind.STORE_FROZEN, f"store/{store_id}", reason
