"""Defects of what is planned for a moment, taken back, or asked beside prices."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Connection, text

from esl.domain.ids import LabelId
from esl.domain.staged import CommandState
from esl.services import flips
from esl.services.neutral import NeutralBook
from esl.store import commands, flip_pictures, remove_tasks
from gateway.staging import StagingDispatcher
from gateway.wire.messages import Command, Show
from tests.chaos.defects.defect import Patch, a_defect
from tests.chaos.defects.sending import rewrite
from tests.chaos.process import Process


def plant_flip_ended_beside_its_prices(patch: Patch) -> None:
    """That a flip has begun is noted in a transaction of its own, after that of its prices."""
    begin, end = StagingDispatcher._begin_flip, flips.flips.end_flip
    late: list[tuple[tuple[Any, ...], dict[str, Any]]] = []

    def note_late(_tx: Connection, *what: Any, **named: Any) -> None:
        late.append((what, named))

    def and_note(dispatcher: StagingDispatcher, flip_id: int, now: datetime) -> Any:
        late.clear()
        begun = begin(dispatcher, flip_id, now)
        for what, named in late:
            dispatcher._writer.write(lambda tx, w=what, n=named: end(tx, *w, **n))
        return begun

    patch.setattr(flips.flips, "end_flip", note_late)
    patch.setattr(StagingDispatcher, "_begin_flip", and_note)


def plant_flips_in_memory(patch: Patch) -> None:
    """A process begins only those flips that it has been told of in this run."""
    take_in, begin = Process._work, StagingDispatcher._begin_flip

    def note(process: Process, *what: Any) -> Any:
        work = take_in(process, *what)

        def and_remember(tx: Any) -> str:
            before = _last_flip(tx)
            answer = work(tx)
            assert process.controller is not None
            _told(process.controller.staging).update(range(before + 1, _last_flip(tx) + 1))
            return answer

        return and_remember

    def if_known(dispatcher: StagingDispatcher, flip_id: int, now: datetime) -> Any:
        return begin(dispatcher, flip_id, now) if flip_id in _told(dispatcher) else None

    patch.setattr(Process, "_work", note)
    patch.setattr(StagingDispatcher, "_begin_flip", if_known)


def _told(dispatcher: StagingDispatcher) -> set[int]:
    """Return the flips that this run of a process was told of."""
    known: set[int] = vars(dispatcher).setdefault("_told", set())
    return known


def _last_flip(tx: Connection) -> int:
    return int(tx.execute(text("SELECT coalesce(max(flip_id), 0) FROM flip")).scalar_one())


def plant_cancel_forgets_the_armed(patch: Patch) -> None:
    """A cancelled flip is crossed out in the books, and labels that keep its show are not told."""

    def cross_out(
        tx: Connection, flip_id: int, _now: datetime, *, but: Iterable[LabelId] = ()
    ) -> list[LabelId]:
        del but
        tx.execute(text("DELETE FROM staged WHERE flip_id = :flip"), {"flip": flip_id})
        return []

    patch.setattr(flip_pictures, "cancel_pictures", cross_out)


def plant_timed_shows_at_once(patch: Patch) -> None:
    """A timed show leaves without its moment: the label shows it as soon as it can."""
    send = Process._send

    def hurry(told: list[Command]) -> list[Command]:
        return [
            msgspec.structs.replace(command, at=None) if isinstance(command, Show) else command
            for command in told
        ]

    def and_hurry(process: Process, sent: Any) -> Any:
        return send(process, replace(sent, payload=rewrite(sent.payload, hurry)))

    patch.setattr(Process, "_send", and_hurry)


def plant_neutral_not_sent(patch: Patch) -> None:
    """A label that may show its price no longer is left alone, and nobody is asked to remove it."""
    patch.setattr(NeutralBook, "ways", lambda *_: [])
    patch.setattr(remove_tasks, "open_tasks", lambda *_: None)


def plant_command_accepted_when_sent(patch: Patch) -> None:
    """A command for a gateway counts as accepted as soon as it has left."""
    claim = commands.claim_commands

    def and_end(tx: Connection, keys: Sequence[int], *rest: Any, **named: Any) -> set[int]:
        taken = claim(tx, keys, *rest, **named)
        commands.end_commands(tx, [(key, CommandState.ACCEPTED, "") for key in taken])
        return taken

    patch.setattr(commands, "claim_commands", and_end)


DEFECTS = (
    a_defect(plant_flip_ended_beside_its_prices, "I10", "I2", "I3"),
    a_defect(plant_flips_in_memory, "I10"),
    a_defect(plant_cancel_forgets_the_armed, "I2", "I3", "I4"),
    a_defect(plant_timed_shows_at_once, "I2", "I10"),
    a_defect(plant_neutral_not_sent, "neutral", "I3", "I4"),
    a_defect(plant_command_accepted_when_sent, "orders"),
)
