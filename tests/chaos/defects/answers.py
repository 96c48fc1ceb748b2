"""Defects of the door at which prices come in."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection

from esl.services import requests, scales
from esl.store import answers, revisions
from tests.chaos.controller import Controller
from tests.chaos.defects.defect import Patch, a_defect, replace_everywhere
from tests.chaos.process import Answered, Process
from tests.chaos.requests import Request
from tests.chaos.world import BEGINNING


def plant_reply_before_commit(patch: Patch) -> None:
    """The answer leaves before the transaction is committed."""

    def serve(
        process: Process, controller: Controller, asked: Sequence[tuple[Request, Answered]]
    ) -> None:
        now = controller.time.now()
        for request, answered in asked:
            work = process._work(request, now)

            def early(tx: Connection, work: Any = work, answered: Answered = answered) -> None:
                answered(work(tx))

            controller.writer.submit(early)
        controller.writer.run()
        process._wake(0.0)

    patch.setattr(Process, "_serve", serve)


def plant_no_source_order(patch: Patch) -> None:
    """A source's numbers are not looked at: the last to arrive wins."""
    patch.setattr(scales.Scales, "_came_late", lambda *_, **__: False)


def plant_answer_beside_the_transaction(patch: Patch) -> None:
    """The answer to a key is stored in a transaction of its own, after the work's."""
    serve = Process._serve
    kept: list[tuple[Any, ...]] = []

    def store_answer(_tx: Connection, *what: Any) -> None:
        kept.append(what)

    def then_store(
        process: Process, controller: Controller, asked: Sequence[tuple[Request, Answered]]
    ) -> None:
        kept.clear()
        late: list[tuple[Answered, str | None]] = []

        def hold(answered: Answered) -> Answered:
            return lambda answer: late.append((answered, answer))

        serve(process, controller, [(request, hold(answered)) for request, answered in asked])
        for what in kept:
            controller.writer.write(lambda tx, what=what: store(tx, *what))
        for answered, answer in late:
            answered(answer)

    store = answers.store_answer
    patch.setattr(requests.answers, "store_answer", store_answer)
    patch.setattr(Process, "_serve", then_store)


def plant_wall_clock_revisions(patch: Patch) -> None:
    """Revisions are milliseconds of the machine's wall clock."""
    began = datetime(2026, 1, 1, tzinfo=UTC)
    clocks: dict[int, Any] = {}
    start = Process.start

    def note(process: Process) -> None:
        clocks[id(process.disk.database.writing)] = process.clocks
        start(process)

    def take_revision(tx: Connection) -> int:
        machine = clocks.get(id(tx.engine))
        wall = machine.wall() if machine is not None else BEGINNING
        return int((wall - began).total_seconds() * 1000)

    patch.setattr(Process, "start", note)
    replace_everywhere(patch, revisions.take_revision, take_revision)


DEFECTS = (
    a_defect(plant_reply_before_commit, "I1"),
    a_defect(plant_no_source_order, "I8", "I2"),
    a_defect(plant_answer_beside_the_transaction, "I1", "I7", "I8"),
    a_defect(plant_wall_clock_revisions, "I2", "I3", "I4", "I5"),
)
