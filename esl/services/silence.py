"""Sources that are expected and did not speak: what hangs on the shelf may be old then.

A label that shows all it was told is right only as long as whoever tells us speaks. So where a
source of a store is silent, nothing of the store is called right without saying so.

A source of one store is expected for that store. One that serves several is expected for those
it has spoken for; one that never spoke at all, for each that it may serve.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from esl.domain.guards import Reason
from esl.domain.ids import SourceId, StoreId
from esl.domain.pricing import Decision
from esl.services.listening import EntryResult
from esl.store import places, sources


@dataclass(frozen=True, slots=True, kw_only=True)
class Silence:
    """A source that keeps silent; ``since`` is the deadline that passed unheard."""

    source_id: SourceId
    name: str
    expected: str  # as people say it: "by 05:30"
    since: datetime
    heard_at: datetime | None
    zone: ZoneInfo  # of the store

    @property
    def words(self) -> str:
        """Say it in one sentence, in the store's time."""
        heard = self.heard_at
        last = f"last heard at {heard.astimezone(self.zone):%Y-%m-%d %H:%M}" if heard else None
        return f"It is expected {self.expected}, and was {last or 'never heard'}."


def find_silent(tx: Connection, store_id: StoreId, now: datetime) -> list[Silence]:
    """List the sources whose word on a store is overdue, by id."""
    standing = [
        one
        for one in sources.list_sources(tx, store_id=store_id, is_expected=True)
        if not one.source.disabled and one.expected_since is not None
    ]
    if not standing:
        return []
    zone = ZoneInfo(places.store_named(tx, store_id).timezone)
    here, anywhere = sources.heard_for(tx, store_id)
    found: list[Silence] = []
    for one in standing:
        source, heard_at = one.source, one.heard_at
        if source.store_id is None:
            heard_at = here.get(source.source_id)
            if heard_at is None and source.source_id in anywhere:
                continue
        if source.expected is None or one.expected_since is None:
            continue
        deadline = source.expected.deadline_passed(now, heard_at, one.expected_since, zone)
        if deadline is not None:
            found.append(
                Silence(
                    source_id=source.source_id,
                    name=source.name,
                    expected=source.expected.as_text(),
                    since=deadline,
                    heard_at=heard_at,
                    zone=zone,
                )
            )
    return found


def note_spoken(
    tx: Connection, source_id: SourceId, results: Iterable[EntryResult], now: datetime
) -> None:
    """Note that a source spoke, for the stores of which its words were taken.

    What changes nothing was taken. What was refused was not; what came late is an old word, and
    says nothing of today.
    """
    stores = {result.store_id for result in results if _was_taken(result)}
    if stores:
        sources.note_heard(tx, source_id, now, stores=stores)


def _was_taken(result: EntryResult) -> bool:
    if result.decision is Decision.SUPERSEDED:
        return Reason.YIELDS in result.reasons
    return result.decision is not Decision.REJECTED
