"""Single price changes of many senders, taken together: each with its own answer.

::

    [SingleChange] ─▶ answered before? ─▶ that answer
                   ─▶ by store and sender ─▶ one set of statements for all of them
                        one cannot be taken? ─▶ half of them, and the other half, …

What each of them does is what `esl.services.pricing.apply_price_changes` does for it alone: its
own revision, its own decision, its own refusal.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError, OperationalError

from esl.domain.errors import IdempotencyConflict, InvalidInput, Unavailable
from esl.domain.guards import FIXES, WORDS
from esl.domain.ids import LabelId, StoreId
from esl.domain.pricing import ChangeResult, PriceChange
from esl.services.pricing import NOT_STORED, apply_price_changes
from esl.store import answers, traces
from esl.store.answers import StoredAnswer


@dataclass(frozen=True, slots=True, kw_only=True)
class SingleChange:
    """A price change that came by itself: who sent it, and under which idempotency key.

    One that ``is_listed`` was the only one of a list: it is answered as one of many, also where
    it is refused.
    """

    change: PriceChange
    actor: str
    request_sha256: str
    key: str | None = None
    is_listed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """The answer to a change; ``is_replayed`` says that the key was answered before."""

    answer: StoredAnswer
    is_replayed: bool = False
    labels: tuple[LabelId, ...] = ()


Told = ChangeResult | Exception
View = Callable[[ChangeResult], str]
"""Writes the answer to a change, as JSON."""


def take_single_changes(
    tx: Connection, singles: Sequence[SingleChange], now: datetime, *, view: View
) -> list[Taken | Exception]:
    """Take changes that came about the same time; their order is the order of words.

    Returns for each its answer, or why it was refused; then nothing of it was stored.
    """
    found: list[Taken | Exception | None] = [None] * len(singles)
    waiting = list(range(len(singles)))
    while waiting:  # one round, but for a key that came again with another request
        these, again, waiting, keys = _split_round(singles, waiting)
        some = [singles[place] for place in these]
        for place, taken in zip(these, _take_alike(tx, some, keys, now, view), strict=True):
            found[place] = taken
        for place, first in again.items():
            told = found[first]
            if isinstance(told, Taken):
                told = replace(told, is_replayed=True, labels=())
            found[place] = told
    return [taken for taken in found if taken is not None]


def _split_round(
    singles: Sequence[SingleChange], waiting: Sequence[int]
) -> tuple[list[int], dict[int, int], list[int], set[tuple[str, str]]]:
    """Split off what may be taken at once, in the order in which it came.

    Returns the places of one round, those that only say again what one of them says, those that
    come after, and the round's keys. Where a key comes again with another request, all that came
    later waits: should the first be refused, the second is taken, and before what follows it.
    """
    firsts: dict[tuple[str, str], int] = {}
    these: list[int] = []
    again: dict[int, int] = {}
    for at, place in enumerate(waiting):
        name = _name_of(singles[place])
        first = firsts.get(name) if name is not None else None
        if first is None:
            these.append(place)
            if name is not None:
                firsts[name] = place
        elif singles[first].request_sha256 == singles[place].request_sha256:
            again[place] = first
        else:
            return these, again, list(waiting[at:]), set(firsts)
    return these, again, [], set(firsts)


def _take_alike(
    tx: Connection,
    singles: Sequence[SingleChange],
    keys: set[tuple[str, str]],
    now: datetime,
    view: View,
) -> Sequence[Taken | Exception]:
    """Take changes whose keys differ; none fails because another process used another's key."""
    if not keys:
        return _take_round(tx, singles, keys, now, view)
    point = tx.begin_nested()
    traced = traces.mark(tx)
    try:
        taken = _take_round(tx, singles, keys, now, view)
    except IntegrityError:
        point.rollback()
        traces.cut_back(tx, traced)
        if len(singles) == 1:
            words = "another process is answering this Idempotency-Key; nothing was stored"
            return [Unavailable(words)]
        return [
            alone
            for single in singles
            for alone in _take_alike(tx, [single], keys & {_name_of(single)}, now, view)
        ]
    point.commit()
    return taken


def _take_round(
    tx: Connection,
    singles: Sequence[SingleChange],
    keys: set[tuple[str, str]],
    now: datetime,
    view: View,
) -> list[Taken | Exception]:
    """Take changes whose keys differ.

    Raises:
        IntegrityError: Another process has just answered one of the keys.
    """
    before = answers.stored_answers(tx, keys) if keys else {}
    by_sender: dict[tuple[StoreId, str], list[int]] = {}
    found: list[Taken | Exception | None] = [None] * len(singles)
    for place, single in enumerate(singles):
        name = _name_of(single)
        answered = before.get(name) if name is not None else None
        if answered is None:
            by_sender.setdefault((single.change.store_id, single.actor), []).append(place)
        elif answered.request_sha256 == single.request_sha256:
            found[place] = Taken(answer=answered, is_replayed=True)
        else:
            found[place] = IdempotencyConflict(
                "this Idempotency-Key was used before with another request"
            )
    new: dict[tuple[str, str], StoredAnswer] = {}
    for (store_id, actor), places in by_sender.items():
        changes = [singles[place].change for place in places]
        told_of = _apply(tx, store_id, changes, now, actor=actor)
        for place, told in zip(places, told_of, strict=True):
            if isinstance(told, Exception):
                found[place] = told
                continue
            result, labels = told
            single = singles[place]
            if not single.is_listed and (refused := _refusal_of(result)) is not None:
                found[place] = refused
                continue
            answer = StoredAnswer(
                request_sha256=single.request_sha256, status=200, answer=view(result)
            )
            found[place] = Taken(answer=answer, labels=labels)
            name = _name_of(single)
            if name is not None:
                new[name] = answer
    if new:
        answers.store_answers(tx, new, now)
    return [taken for taken in found if taken is not None]


def _apply(
    tx: Connection,
    store_id: StoreId,
    changes: Sequence[PriceChange],
    now: datetime,
    *,
    actor: str,
) -> list[tuple[ChangeResult, tuple[LabelId, ...]] | Exception]:
    """Apply changes together; where one is refused, halves of them, until it is alone."""
    point = tx.begin_nested()
    traced = traces.mark(tx)
    try:
        applied = apply_price_changes(
            tx, store_id, changes, now, actor=actor, each_its_rev=True, each_by_itself=True
        )
    except OperationalError:
        raise  # the database, not the change
    except Exception as exc:  # noqa: BLE001  whatever it is, it is for its sender alone
        point.rollback()
        traces.cut_back(tx, traced)
        if len(changes) == 1:
            return [exc]
        half = len(changes) // 2
        return [
            *_apply(tx, store_id, changes[:half], now, actor=actor),
            *_apply(tx, store_id, changes[half:], now, actor=actor),
        ]
    point.commit()
    # Which label is whose does not matter: all of them are told to the pages at once, with one
    # that is not refused.
    told: list[tuple[ChangeResult, tuple[LabelId, ...]] | Exception] = []
    labels = applied.labels
    for result in applied.results:
        is_stored = NOT_STORED.isdisjoint(result.reasons)
        told.append((result, labels if is_stored else ()))
        labels = () if is_stored else labels
    return told


def _refusal_of(result: ChangeResult) -> InvalidInput | None:
    """Return the refusal of a change of which nothing was stored; None if something was."""
    for reason in result.reasons:
        if reason in NOT_STORED:
            return InvalidInput.at(result.path, WORDS[reason], fix=FIXES[reason])
    return None


def _name_of(single: SingleChange) -> tuple[str, str] | None:
    return (single.actor, single.key) if single.key is not None else None
