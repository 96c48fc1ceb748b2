"""Of which products somebody has said a price since a list was handed in.

A list is as old as when it was handed in, however long it waits, runs, or lies with a process that
was killed. Words of lists that were handed in before it are older, whenever they are taken.

::

    handed in ───┬── a till says 1.10 ──┬── the list's row says 1.05: superseded
     `begin`     └── noted by `look` ───┘
"""

from collections import defaultdict
from datetime import datetime
from typing import Final

from sqlalchemy import Connection

from esl.domain.ids import Sku, SourceId, StoreId
from esl.store.bulk import Bulk

_LOOKED_BACK: Final = 2000
"""Numbers of events of PostgreSQL are not given out in the order of commits: so many are looked at
again, of processes that write at the same time."""

_BEFORE: Final = Bulk(
    """
    SELECT event_id FROM price_event WHERE received_at <= :since ORDER BY event_id DESC LIMIT 1
    """
)
_OLDER: Final = Bulk(
    """
    SELECT batch_id FROM import_job
    WHERE batch_id IS NOT NULL AND created_at <= :since AND (ended_at IS NULL OR ended_at > :since)
    """
)
_SAID: Final = Bulk(
    """
    SELECT batch_id, store_id, sku, source FROM price_event
    WHERE event_id > :after AND layer = 0 AND decision IN ('accepted', 'unchanged')
        AND received_at > :since AND (batch_id IS NULL OR batch_id <> :own)
    ORDER BY event_id
    """
)
_LAST: Final = Bulk("SELECT coalesce(max(event_id), 0) FROM price_event")


class SaidSince:
    """Products of which a price was said since then, each with the sources that said it."""

    def __init__(self, since: datetime, batch_id: int) -> None:
        self._since = since
        self._batch_id = batch_id
        self._after = 0
        self._older: frozenset[int] = frozenset()
        self._said: defaultdict[StoreId, dict[Sku, set[SourceId]]] = defaultdict(dict)

    def begin(self, tx: Connection) -> None:
        """Look at all that was said by now: of a list that goes on, that may be long."""
        found = _BEFORE.run(tx, since=self._since)
        self._after = int(found[0][0]) if found else 0
        self._older = frozenset(int(batch) for (batch,) in _OLDER.run(tx, since=self._since))
        self.look(tx)

    def look(self, tx: Connection) -> None:
        """Note what was said since the last look; to be called when the products are locked."""
        last = int(_LAST.run(tx)[0][0])
        if last <= self._after:
            return
        for batch_id, store_id, sku, source in _SAID.run(
            tx, after=self._after, since=self._since, own=self._batch_id
        ):
            if batch_id not in self._older:
                said = self._said[StoreId(store_id)]
                said.setdefault(Sku(sku), set()).add(SourceId(source))
        overlap = 0 if tx.dialect.name == "sqlite" else _LOOKED_BACK
        self._after = max(self._after, last - overlap)

    def of_store(self, store_id: StoreId) -> dict[Sku, set[SourceId]]:
        """Return the products of a store, with who said their prices."""
        return self._said[store_id]
