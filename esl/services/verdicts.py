"""Say what became of updates, and write down those that ran out of time."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from esl.domain.errors import NotFound
from esl.domain.ids import LabelId, Sku, StoreId
from esl.domain.neutral import NEUTRAL_TEMPLATE
from esl.domain.verdict import TIMED_OUT, Evidence, Outcome, Verdict, judge
from esl.store import failures, places, remove_tasks, verdicts
from esl.store.failures import Failure
from esl.store.verdicts import ChangedPrice, Displayed, LabelStanding, Unfinished

_SKUS_AT_ONCE = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeVerdicts:
    """What became of a price change on the labels of its products, a page of it.

    ``after`` is the last SKU of this page if there are more.
    """

    rev: int
    verdicts: tuple[Verdict, ...]
    after: Sku | None


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchVerdicts:
    """What became of a batch on the labels of its products, a page of it: with each its revision.

    ``after`` is the last SKU of this page if there are more.
    """

    verdicts: tuple[tuple[int, Verdict], ...]
    after: Sku | None


def verdicts_of_change(
    tx: Connection, store_id: StoreId, rev: int, now: datetime, *, after: str = ""
) -> ChangeVerdicts:
    """Say what became of the price changes that were accepted as a revision.

    Of the labels that speak for their products now: one that was paired with something else
    since shows that, and was told so by another update.

    Raises:
        NotFound: No price change of this store was accepted as this revision.
    """
    changes = verdicts.changes_of(tx, store_id, rev, after=after, limit=_SKUS_AT_ONCE + 1)
    if not changes and not after:
        raise NotFound(f"store {store_id!r} has no price change of revision {rev}")
    page, more = changes[:_SKUS_AT_ONCE], len(changes) > _SKUS_AT_ONCE
    found = tuple(verdict for _, verdict in _judge_changes(tx, store_id, page, now))
    return ChangeVerdicts(rev=rev, verdicts=found, after=page[-1].sku if more else None)


def verdicts_of_batch(
    tx: Connection, store_id: StoreId, batch_id: int, now: datetime, *, after: str = ""
) -> BatchVerdicts:
    """Say what became of the price changes of a batch in one store, a page of it.

    Of several changes of one product the last counts. Raises nothing where a batch has changed
    no price: nothing became of it.
    """
    changes = verdicts.changes_of_batch(
        tx, store_id, batch_id, after=after, limit=_SKUS_AT_ONCE + 1
    )
    page, more = changes[:_SKUS_AT_ONCE], len(changes) > _SKUS_AT_ONCE
    found = tuple(_judge_changes(tx, store_id, page, now))
    return BatchVerdicts(verdicts=found, after=page[-1].sku if more else None)


def _judge_changes(
    tx: Connection, store_id: StoreId, changes: Sequence[ChangedPrice], now: datetime
) -> list[tuple[int, Verdict]]:
    """Judge each label of each changed product; with each verdict goes the change's revision."""
    if not changes:
        return []
    first = min(change.rev for change in changes)
    within = places.store_policies(tx)[store_id].verdict_within
    standing = verdicts.labels_of_products(tx, store_id, [c.sku for c in changes])
    label_ids = [s.label_id for held in standing.values() for s in held]
    shown = verdicts.displays_of(tx, label_ids, since_rev=first)
    failed = failures.failures_of(tx, label_ids, since_rev=first)
    return [
        (
            change.rev,
            judge(
                _evidence(
                    change,
                    label,
                    [d for d in shown.get(label.label_id, ()) if d.template != NEUTRAL_TEMPLATE],
                    failed.get(label.label_id, ()),
                    of_price=True,
                ),
                now,
                within=within,
            ),
        )
        for change in changes
        for label in standing.get(change.sku, ())
        if label.paired_at is None or label.paired_at <= change.received_at
    ]


def verdict_of_label(
    tx: Connection, store_id: StoreId, label_id: LabelId, now: datetime
) -> Verdict | None:
    """Say what became of the last thing a label was to show; None if that never was anything."""
    label = verdicts.standing_of(tx, label_id)
    if label.wanted_rev == 0:
        return None
    within = places.store_policies(tx)[store_id].verdict_within
    rev = label.wanted_rev
    change = ChangedPrice(
        sku=label.sku or Sku(""), rev=rev, received_at=label.wanted_at or now, next_rev=None
    )
    shown = verdicts.displays_of(tx, [label_id], since_rev=rev)
    failed = failures.failures_of(tx, [label_id], since_rev=rev)
    evidence = _evidence(change, label, shown.get(label_id, ()), failed.get(label_id, ()))
    return judge(evidence, now, within=within)


def _evidence(
    change: ChangedPrice,
    label: LabelStanding,
    shown: Sequence[Displayed],
    failed: Sequence[Failure],
    *,
    of_price: bool = False,
) -> Evidence:
    def is_of_change(rev: int) -> bool:
        return rev >= change.rev and (change.next_rev is None or rev < change.next_rev)

    first = next((f for f in failed if is_of_change(f.rev)), None)
    # Where a picture was refused, the neutral face in its place is not the update.
    ours = [
        d.at
        for d in shown
        if is_of_change(d.rev) and (first is None or d.template != NEUTRAL_TEMPLATE)
    ]
    # A label that shows no price has been told a price when it was told to show prices again.
    wanted_at = change.received_at
    if of_price and label.shows_neutral and label.wanted_at is not None:
        wanted_at = max(wanted_at, label.wanted_at)
    return Evidence(
        label_id=label.label_id,
        sku=label.sku,
        rev=change.rev,
        wanted_at=wanted_at,
        next_rev=change.next_rev,
        settled_rev=label.settled_rev,
        wanted_rev=label.wanted_rev,
        problem=label.problem,
        problem_detail=label.problem_detail,
        shown_at=ours[0] if ours else None,
        is_withdrawn=change.is_withdrawn,
        shows_neutral=of_price and label.shows_neutral,
        is_ordered=of_price and label.is_ordered,
        failure=(first.code, first.detail, first.failed_at) if first is not None else None,
    )


def find_overdue(tx: Connection, now: datetime) -> list[Unfinished]:
    """List the labels whose update was given up or ran out of time, and nobody noted it yet."""
    found: list[Unfinished] = []
    for store_id, policy in sorted(places.store_policies(tx).items()):
        before = now - policy.verdict_within
        found += verdicts.unfinished(tx, store_id, wanted_before=before)
    return found


def note_overdue(tx: Connection, overdue: Sequence[Unfinished], now: datetime) -> None:
    """Write down that updates failed. A label without a price to show is to be taken away.

    The label is tried on: the verdict is for whoever waits for an answer.
    """
    failures.log_failures(
        tx,
        [
            (u.label_id, u.wanted_rev, u.problem or TIMED_OUT, u.problem_detail or _LATE)
            for u in overdue
        ],
        now,
    )
    remove_tasks.open_tasks(tx, [(u.label_id, _REMOVE) for u in overdue if not u.has_price], now)


_LATE = "it did not say in time that it shows this"
_REMOVE = "It may still show a price that holds no more, and does not answer."

__all__ = [
    "BatchVerdicts",
    "ChangeVerdicts",
    "Outcome",
    "Verdict",
    "find_overdue",
    "note_overdue",
    "verdict_of_label",
    "verdicts_of_batch",
    "verdicts_of_change",
]
