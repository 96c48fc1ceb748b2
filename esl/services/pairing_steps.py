"""Write down what is done to labels' pairings: their history, and the audit.

steps = Steps(tx, store_id, label_ids, actor=who)     the labels are locked by now
…                                                     whatever is done to them
steps.write(now, rev=rev)                             only what is other than before
"""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import Connection

from esl.domain.ids import LabelId, StoreId
from esl.domain.pairing import Action, Hanging
from esl.store import audit, pairing_events
from esl.store.pairing_events import NewEvent
from esl.store.upsert import in_batches

_OF_ONE_ENTRY = 500
"""Steps that one entry of the audit holds: all of a request stand there, in one or several."""


class Steps:
    """What labels hang like before something is done to them."""

    def __init__(
        self, tx: Connection, store_id: StoreId, label_ids: Collection[LabelId], *, actor: str
    ) -> None:
        self._tx = tx
        self._store_id = store_id
        self._actor = actor
        self.before = pairing_events.hangings(tx, label_ids)

    def write(
        self,
        now: datetime,
        *,
        rev: int,
        action: Action | None = None,
        beside: LabelId | None = None,
    ) -> tuple[LabelId, ...]:
        """Write down what became otherwise; return those labels.

        ``rev`` is what the labels want by it. Without ``action`` it is told by what changed.
        """
        after = pairing_events.hangings(self._tx, self.before)
        new = [
            NewEvent(
                label_id,
                action or _action_of(before, after[label_id]),
                before,
                after[label_id],
                beside,
            )
            for label_id, before in sorted(self.before.items())
            if after[label_id] != before or action is not None
        ]
        shows = [one for one in new if one.before.skus != one.after.skus or action is not None]
        quiet = [one for one in new if one not in shows] if len(shows) < len(new) else []
        for steps, wanted in ((shows, rev), (quiet, 0)):
            pairing_events.add_events(
                self._tx, self._store_id, steps, now, actor=self._actor, rev=wanted
            )
        for some in in_batches(new, _OF_ONE_ENTRY):
            audit.note(
                self._tx,
                now,
                actor=self._actor,
                action="pairing",
                subject=f"label/{some[0].label_id}" if len(some) == 1 else f"{len(some)} labels",
                store_id=self._store_id,
                detail={
                    "steps": [
                        [one.label_id, one.action.value, list(one.before), list(one.after)]
                        for one in some
                    ]
                },
            )
        return tuple(one.label_id for one in new)


def _action_of(before: Hanging, after: Hanging) -> Action:
    if after.is_retired and not before.is_retired:
        return Action.RETIRED
    if before.skus == after.skus:
        return Action.PLACED
    if not after.skus:
        return Action.UNPAIRED
    return Action.CHANGED if before.skus else Action.PAIRED
