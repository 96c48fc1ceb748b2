"""Commands for gateways beside pictures: find by light, report, settings, firmware, forget.

::

    ask ──▶ waiting ──▶ sent ──▶ accepted     the gateway has queued it; more is never told
              ▲           │  └──▶ failed
              └───────────┘        no answer: once more, under a new id
                          └──▶ expired

What a command says is bytes here; `gateway.signals` makes and reads them.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection

from esl.domain.ids import GatewayId, LabelId, StoreId
from esl.domain.staged import CommandState
from esl.store import commands, labels, places
from esl.store.commands import NewCommand, StoredCommand

AGAIN_AFTER = timedelta(seconds=15)
"""How long a gateway may take to say that it has a command."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """A command for one gateway, not yet written down."""

    gateway_id: GatewayId
    kind: str
    body: bytes
    expires_after: timedelta


def order(tx: Connection, store_id: StoreId, orders: Sequence[Order], now: datetime) -> list[int]:
    """Write commands down, to be sent as soon as their gateways are on the line."""
    return commands.add_commands(
        tx,
        [
            NewCommand(
                store_id=store_id,
                gateway_id=o.gateway_id,
                kind=o.kind,
                body=o.body,
                expires_at=now + o.expires_after,
            )
            for o in orders
        ],
        now,
    )


def labels_by_gateway(
    tx: Connection, store_id: StoreId, label_ids: Sequence[LabelId]
) -> dict[GatewayId, list[LabelId]]:
    """Say through which gateways labels are reached; those that none has heard are left out.

    Raises:
        UnknownLabel: The store has no such label.
    """
    labels.lock_labels(tx, store_id, sorted(set(label_ids)))
    found: dict[GatewayId, list[LabelId]] = {}
    for label_id, state in sorted(labels.labels_by_id(tx, list(label_ids)).items()):
        if state.gateway_id is not None:
            found.setdefault(state.gateway_id, []).append(label_id)
    return found


def look(
    tx: Connection, online: Iterable[GatewayId], now: datetime, *, limit: int = 500
) -> list[StoredCommand]:
    """Find commands to be sent now to gateways on the line."""
    gateway_ids = list(online)
    if not gateway_ids or not commands.any_open(tx):
        return []
    return commands.commands_due(tx, gateway_ids, now, limit=limit)


def claim(
    tx: Connection, due: Sequence[StoredCommand], counters: Mapping[GatewayId, int], now: datetime
) -> tuple[set[int], Mapping[GatewayId, int]]:
    """Take commands about to leave, and reserve counters; return what is ours to send."""
    taken = commands.claim_commands(tx, [c.command_key for c in due], now, again=now + AGAIN_AFTER)
    return taken, places.take_counters(tx, dict(counters))


def note_answers(tx: Connection, answers: Iterable[tuple[int, CommandState, str]]) -> None:
    """Note what gateways said of commands: (number, state, detail)."""
    commands.end_commands(tx, answers)
