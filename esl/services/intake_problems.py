"""What may be wrong with the intake of a store, for `esl.services.problems`."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from sqlalchemy import Connection

from esl.domain.ids import StoreId
from esl.domain.problem import ProblemKind
from esl.services.silence import find_silent
from esl.store import (
    connectors,
    guarding,
    hook_inbox,
    missing,
    mqtt_in,
    neutral_orders,
    quarantine,
    seen_files,
)

Wrong = tuple[ProblemKind, str, str]
"""Kind, subject and reason."""

LOOKED_AT = timedelta(days=1)
"""How long webhooks and files that could not be read are a problem: until then somebody looked."""


def find_intake_problems(tx: Connection, store_id: StoreId, now: datetime) -> Iterator[Wrong]:
    """Find prices that wait too long, sources that are silent, lists that are too short."""
    for held in quarantine.expired(tx, store_id, now):
        reason = f"A price of {held.sku} has waited since {held.received_at:%Y-%m-%d %H:%M} UTC."
        yield ProblemKind.PRICE_WAITS, f"price/{held.quarantine_id}", reason
    for silence in find_silent(tx, store_id, now):
        subject = f"source/{silence.source_id}/{store_id}"
        yield ProblemKind.SOURCE_SILENT, subject, silence.words
    for source_id, reason in connectors.list_failing(tx, store_id):
        yield ProblemKind.SOURCE_FAILS, f"source/{source_id}/{store_id}", reason
    for source_id, many, why in hook_inbox.count_poisoned(tx, store_id, since=now - LOOKED_AT):
        reason = (
            f"{many} of its webhooks could not be read; the last: {why[:200].rstrip('.')}."
            f" All of them: GET /api/v1/sources/{source_id}/events"
        )
        yield ProblemKind.SOURCE_FAILS, f"hooks/{source_id}/{store_id}", reason
    for file in seen_files.list_rejected(tx, store_id, since=now - LOOKED_AT):
        reason = f"{file.title} of {file.source} was rejected: {file.problem}"
        yield ProblemKind.FILE_REJECTED, f"file/{file.number}/{store_id}", reason
    if mqtt_in.has_sources(tx, store_id):
        for why in mqtt_in.find_problems(tx):
            yield (
                ProblemKind.SOURCE_FAILS,
                f"mqtt/{store_id}",
                f"No messages can be heard: {why[:200]}.",
            )
    for source_id, many, why in mqtt_in.count_refused(tx, store_id, since=now - LOOKED_AT):
        reason = (
            f"{many} of its messages could not be taken; the last: {why[:200].rstrip('.')}."
            f" All of them: GET /api/v1/refused-messages?source={source_id}"
        )
        yield ProblemKind.SOURCE_FAILS, f"messages/{source_id}/{store_id}", reason
    for source_id, batch_id, many in missing.count_missing(tx, store_id):
        reason = f"A list of {source_id} leaves out {many} products; none of them was retired."
        yield ProblemKind.LIST_TOO_SHORT, f"batch/{batch_id}/{store_id}", reason
    since = guarding.frozen_since(tx, store_id)
    if since is not None:
        reason = f"Nothing is sent to its labels since {since:%Y-%m-%d %H:%M} UTC."
        yield ProblemKind.STORE_FROZEN, f"store/{store_id}", reason
    if (order := neutral_orders.order_of(tx, store_id)) is not None:
        reason = (
            f"Its labels show no prices since {order.since:%Y-%m-%d %H:%M} UTC:"
            f" {order.reason[:160].rstrip('.')}."
        )
        yield ProblemKind.STORE_NEUTRAL, f"neutral/{store_id}", reason
