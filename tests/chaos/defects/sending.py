"""Defects of the dispatcher and of what it writes down."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from datetime import datetime
from itertools import count
from typing import Any

import msgspec
from sqlalchemy import Connection, text

from esl.domain import label as label_domain
from esl.domain.ids import LabelId
from esl.services import deliveries
from esl.store import deliveries as delivery_rows
from esl.store import places
from esl.store.write_group import Priority
from gateway.link import Outgoing
from gateway.roster import Roster
from gateway.wire.codec import decode_commands, encode_commands
from gateway.wire.messages import Command, Put
from gateway.wire.signing import PublicKeys, open_sealed, seal
from tests.builders import KEY
from tests.chaos.controller import Controller
from tests.chaos.defects.defect import Patch, a_defect, replace_everywhere
from tests.chaos.inline_writer import InlineWriter
from tests.chaos.process import Process

_CONCLUDE = text(
    "UPDATE label SET settled_rev = wanted_rev, due_at = NULL, attempts = 0, shown_rev = sent_rev,"
    " shown_digest = COALESCE((SELECT digest FROM issued"
    "  WHERE issued.label_id = label.label_id AND issued.rev = label.sent_rev), shown_digest)"
    " WHERE label_id = :label"
)


def conclude_shown(controller: Controller, labels: Iterable[str]) -> None:
    """Hold labels to show what they were last sent."""
    rows = [{"label": label} for label in labels]
    if rows:
        controller.writer.write(lambda tx: tx.execute(_CONCLUDE, rows))


def plant_puback_is_delivery(patch: Patch) -> None:
    """What the broker has acknowledged is held to be shown."""
    publish = Process._publish

    def and_settle(process: Process, controller: Controller, sent: Sequence[Outgoing]) -> None:
        publish(process, controller, sent)
        conclude_shown(controller, (label for one in sent for label in one.label_ids))

    patch.setattr(Process, "_publish", and_settle)


def plant_sent_once(patch: Patch) -> None:
    """A change is sent when it happens, and never again."""
    record = deliveries.record

    def and_forget(tx: Connection, plan: deliveries.Plan, *rest: Any) -> deliveries.Recorded:
        recorded = record(tx, plan, *rest)
        _set_due(tx, [s.label_id for s in recorded.sendings])
        return recorded

    patch.setattr(deliveries, "record", and_forget)


def _set_due(tx: Connection, labels: Iterable[str]) -> None:
    rows = [{"label": label} for label in labels]
    if rows:
        tx.execute(text("UPDATE label SET due_at = NULL WHERE label_id = :label"), rows)


def plant_publish_before_record(patch: Patch) -> None:
    """What is sent is written down once it has left."""
    write, publish = InlineWriter.write, Process._publish
    open_now: dict[int, ExitStack] = {}

    def commit(writer: InlineWriter) -> None:
        open_now.pop(id(writer), ExitStack()).close()

    def late(writer: InlineWriter, work: Callable[[Connection], Any], **named: Any) -> Any:
        commit(writer)
        if named.get("priority") is not Priority.DISPATCH:
            return write(writer, work, **named)
        stack = ExitStack()
        tx = stack.enter_context(writer._group._database.writing.begin())
        result = work(tx)
        open_now[id(writer)] = stack
        return result

    def and_commit(process: Process, controller: Controller, sent: Sequence[Outgoing]) -> None:
        publish(process, controller, sent)
        commit(controller.writer)

    patch.setattr(InlineWriter, "write", late)
    patch.setattr(Process, "_publish", and_commit)


def plant_skip_while_unanswered(patch: Patch) -> None:
    """An equal picture is spared although another is still on its way."""

    def may_skip(*, digest: str, shown_digest: str, **_: Any) -> bool:
        return digest == shown_digest

    def settle(tx: Connection, settled: Iterable[tuple[str, int, str]]) -> None:
        rows = [{"label": label, "rev": rev} for label, rev, _ in settled]
        if rows:
            tx.execute(
                text(
                    "UPDATE label SET settled_rev = :rev, due_at = NULL, attempts = 0,"
                    " problem = NULL WHERE label_id = :label AND wanted_rev = :rev"
                ),
                rows,
            )

    replace_everywhere(patch, label_domain.may_skip_sending, may_skip)
    patch.setattr(delivery_rows, "settle_unchanged", settle)


def plant_counter_in_memory(patch: Patch) -> None:
    """The counter of signed payloads begins at 1 with each run of the process."""
    counters: dict[tuple[int, str], Any] = {}
    start = Process.start

    def begin(process: Process) -> None:
        if not process.running:
            counters.clear()
        start(process)

    def take_counters(tx: Connection, counts: Mapping[Any, int]) -> dict[Any, int]:
        return {gateway_id: take(tx, gateway_id, many) for gateway_id, many in counts.items()}

    def take(tx: Connection, gateway_id: str, many: int) -> int:
        numbers = counters.setdefault((id(tx.engine), gateway_id), count(1))
        taken = [next(numbers) for _ in range(max(1, many))]
        return int(taken[0])

    patch.setattr(Process, "start", begin)
    patch.setattr(places, "take_counters", take_counters)


def plant_window_never_freed(patch: Patch) -> None:
    """A label that was sent something takes a gateway's room for ever."""
    note_sent = Roster.note_sent

    def for_ever(roster: Roster, gateway_id: Any, label_ids: Any, *_: Any, **__: Any) -> None:
        note_sent(roster, gateway_id, label_ids, float("inf"))

    patch.setattr(Roster, "note_sent", for_ever)
    patch.setattr(Roster, "note_answered", lambda *_: None)


def plant_lost_update(patch: Patch) -> None:
    """The dispatcher writes back whole rows as it read them."""
    draw = Process._draw

    def and_write_back(process: Process, controller: Controller, batch: Any) -> None:
        rows = [{"label": due.label_id, "rev": due.wanted_rev} for due in batch.due]
        draw(process, controller, batch)
        if rows:
            query = text("UPDATE label SET wanted_rev = :rev WHERE label_id = :label")
            controller.writer.write(lambda tx: tx.execute(query, rows))

    patch.setattr(Process, "_draw", and_write_back)


def plant_stale_cache(patch: Patch) -> None:
    """Faces are kept for half a minute beside the database that knows better."""
    load, claim = deliveries.load, deliveries.claim
    kept: dict[str, tuple[datetime, Any]] = {}
    now: list[datetime] = []

    def note_time(tx: Connection, shares: Any, at: datetime, **named: Any) -> list[LabelId]:
        now[:] = [at]
        return claim(tx, shares, at, **named)

    def from_cache(tx: Connection, label_ids: Any) -> list[Any]:
        found = []
        for due in load(tx, label_ids):
            at, face = kept.get(due.label_id, (None, None))
            if at is None or (now[0] - at).total_seconds() > 30:
                kept[due.label_id] = (now[0], face := due.face)
            found.append(replace(due, face=face))
        return found

    patch.setattr(deliveries, "claim", note_time)
    patch.setattr(deliveries, "load", from_cache)


def plant_labels_mixed_up(patch: Patch) -> None:
    """Of two labels in one payload, each gets the other's picture, now and then."""
    send = Process._send

    def mix(commands: list[Command]) -> list[Command]:
        puts = [command for command in commands if isinstance(command, Put)]
        if len(puts) < 2 or puts[0].rev % 5:
            return commands
        one, other = puts[0], puts[1]
        return [
            msgspec.structs.replace(one, label=other.label),
            msgspec.structs.replace(other, label=one.label),
            *puts[2:],
        ]

    def and_mix(process: Process, sent: Outgoing) -> Any:
        return send(process, replace(sent, payload=rewrite(sent.payload, mix)))

    patch.setattr(Process, "_send", and_mix)


def rewrite(payload: bytes, change: Callable[[list[Command]], list[Command]]) -> bytes:
    """Change the commands of a signed payload, and sign it again."""
    header, body = open_sealed(payload, PublicKeys.of(KEY))
    return seal(KEY, header, encode_commands(change(decode_commands(body).messages)))


DEFECTS = (
    a_defect(plant_puback_is_delivery, "I3", "I4"),
    a_defect(plant_sent_once, "I4", "I3"),
    a_defect(plant_publish_before_record, "I5"),
    a_defect(plant_skip_while_unanswered, "I3", "I4"),
    a_defect(plant_counter_in_memory, "I4", "neutral"),
    a_defect(plant_window_never_freed, "I4"),
    a_defect(plant_lost_update, "I2"),
    a_defect(plant_stale_cache, "I2", "I3", "I4"),
    a_defect(plant_labels_mixed_up, "I5"),
)
