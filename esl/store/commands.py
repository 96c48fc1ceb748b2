"""Commands that wait for a gateway: rows in and out."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, bindparam, delete, insert, select, update

from esl.domain.errors import UnknownCommand
from esl.domain.ids import GatewayId, StoreId
from esl.domain.staged import CommandState
from esl.store.columns import AnyRow
from esl.store.tables import commands
from esl.store.upsert import in_batches

FIRMWARE = "firmware"
"""Kind of the parts of a firmware image."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewCommand:
    """A command for a gateway; ``body`` is what only the wire understands."""

    store_id: StoreId
    gateway_id: GatewayId
    kind: str
    body: bytes
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredCommand:
    """A command and what became of it."""

    command_key: int
    store_id: StoreId
    gateway_id: GatewayId
    kind: str
    body: bytes
    asked_at: datetime
    expires_at: datetime
    attempts: int
    state: CommandState
    detail: str


def add_commands(tx: Connection, new: Sequence[NewCommand], now: datetime) -> list[int]:
    """Write commands down, to be sent at once; return their numbers, in order."""
    keys: list[int] = []
    for command in new:
        row = {
            "store_id": command.store_id,
            "gateway_id": command.gateway_id,
            "kind": command.kind,
            "body": command.body,
            "asked_at": now,
            "expires_at": command.expires_at,
            "due_at": now,
            "state": CommandState.WAITING.value,
        }
        added = tx.execute(insert(commands).returning(commands.c.command_key), [row])
        keys += [int(key) for key in added.scalars()]
    return keys


def commands_due(
    tx: Connection, gateway_ids: Collection[GatewayId], now: datetime, *, limit: int
) -> list[StoredCommand]:
    """List commands to be sent to these gateways now, the oldest first.

    Of a gateway's firmware only the first part that is open: the others follow its answer.
    """
    earlier = commands.alias("earlier")
    first_part = ~(
        select(earlier.c.command_key)
        .where(
            earlier.c.gateway_id == commands.c.gateway_id,
            earlier.c.kind == FIRMWARE,
            earlier.c.due_at.is_not(None),
            earlier.c.command_key < commands.c.command_key,
        )
        .correlate(commands)
        .exists()
    )
    query = (
        select(commands)
        .where(
            commands.c.due_at <= now,
            commands.c.gateway_id.in_(sorted(gateway_ids)),
            (commands.c.kind != FIRMWARE) | first_part,
        )
        .order_by(commands.c.command_key)
        .limit(limit)
    )
    return [_command(row) for row in tx.execute(query)]


def any_open(tx: Connection) -> bool:
    """Say whether any command waits: the cheap question before all others."""
    query = select(commands.c.command_key).where(commands.c.due_at.is_not(None)).limit(1)
    return tx.execute(query).first() is not None


def claim_commands(
    tx: Connection, keys: Iterable[int], now: datetime, *, again: datetime
) -> set[int]:
    """Take commands about to be sent; return those that nobody else has taken."""
    found: set[int] = set()
    for batch in in_batches(sorted(keys)):
        taken = tx.execute(
            update(commands)
            .where(commands.c.command_key.in_(batch), commands.c.due_at <= now)
            .values(
                due_at=again,
                attempts=commands.c.attempts + 1,
                state=CommandState.SENT.value,
            )
            .returning(commands.c.command_key)
        )
        found.update(int(key) for key in taken.scalars())
    return found


def end_commands(tx: Connection, ended: Iterable[tuple[int, CommandState, str]]) -> None:
    """Note what became of commands: (number, state, detail). What is over stays as it is."""
    rows = [
        {"the_key": key, "the_state": state.value, "the_detail": detail[:300]}
        for key, state, detail in sorted(ended)
    ]
    if rows:
        tx.execute(
            update(commands)
            .where(commands.c.command_key == bindparam("the_key"), commands.c.due_at.is_not(None))
            .values(due_at=None, state=bindparam("the_state"), detail=bindparam("the_detail")),
            rows,
        )


def expire_commands(tx: Connection, now: datetime) -> int:
    """Give up commands that nobody answered in time; return how many."""
    found = tx.execute(
        update(commands)
        .where(commands.c.due_at.is_not(None), commands.c.expires_at <= now)
        .values(due_at=None, state=CommandState.EXPIRED.value)
    )
    return int(found.rowcount)


def command_numbered(tx: Connection, store_id: StoreId, command_key: int) -> StoredCommand:
    """Look a command up.

    Raises:
        UnknownCommand: The store has none of this number.
    """
    row = tx.execute(
        select(commands).where(
            commands.c.command_key == command_key, commands.c.store_id == store_id
        )
    ).one_or_none()
    if row is None:
        raise UnknownCommand(f"store {store_id!r} has no command {command_key}")
    return _command(row)


def forget_commands(tx: Connection, before: datetime, *, most: int) -> int:
    """Forget commands that are over, asked before a moment, the oldest first."""
    old = (
        select(commands.c.command_key)
        .where(commands.c.due_at.is_(None), commands.c.asked_at < before)
        .order_by(commands.c.command_key)
        .limit(most)
    )
    return int(tx.execute(delete(commands).where(commands.c.command_key.in_(old))).rowcount)


def _command(row: AnyRow) -> StoredCommand:
    return StoredCommand(
        command_key=int(row.command_key),
        store_id=StoreId(row.store_id),
        gateway_id=GatewayId(row.gateway_id),
        kind=row.kind,
        body=row.body,
        asked_at=row.asked_at,
        expires_at=row.expires_at,
        attempts=int(row.attempts),
        state=CommandState(row.state),
        detail=row.detail,
    )
