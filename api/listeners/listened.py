"""What listeners are given: a source's mapping and store, and who takes what it says."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

import structlog
from sqlalchemy import Connection

from esl.domain.entry import Entry, RowProblem
from esl.domain.errors import InvalidInput
from esl.domain.ids import LabelId
from esl.intake.mapping.model import Mapping
from esl.intake.mapping.reading import read_entries
from esl.intake.mapping.store_context import StoreContext

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Listened:
    """A source, as far as reading its words needs to know it.

    ``is_polled`` says that a connector can be asked what an event leaves out.
    """

    source_id: str
    mapping: Mapping
    context: StoreContext
    is_polled: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """What came of a source's words: the labels they changed, and in words what was refused."""

    labels: Sequence[LabelId] = ()
    taken: int = 0
    refused: Sequence[str] = ()


class Take(Protocol):
    """Takes what a source says, in the caller's transaction."""

    def __call__(
        self, tx: Connection, source_id: str, entries: Sequence[Entry], now: datetime, /
    ) -> Heard:
        """Apply entries in their order; guards, order and history are its business."""
        ...


FindListened = Callable[[str], Listened | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What bodies say; ``problems`` are of rows that say nothing usable, or not all."""

    entries: list[Entry]
    problems: list[RowProblem]

    @property
    def rejected(self) -> list[RowProblem]:
        """Return the problems that cost a whole row."""
        return [problem for problem in self.problems if problem.rejects]


def read_bodies(source: Listened, bodies: Sequence[bytes]) -> Said:
    """Read each body through the source's mapping; one that cannot be read is a problem."""
    said = Said(entries=[], problems=[])
    for number, body in enumerate(bodies, start=1):
        try:
            for each in read_entries(body, source.mapping, store=source.context):
                if isinstance(each, Entry):
                    said.entries.append(each)
                else:
                    said.problems.append(each)
        except InvalidInput as exc:
            first = exc.problems[0]
            words = RowProblem(row=number, field="", reason=first.detail, fix=first.fix)
            said.problems.append(words)
    if said.rejected:
        first_bad = said.rejected[0]
        log.warning(
            "products not taken",
            source=source.source_id,
            count=len(said.rejected),
            field=first_bad.field,
            reason=first_bad.reason,
        )
    return said
