"""Taking messages: many in one transaction, each by itself, and what was taken remembered.

::

    messages ─▶ sent again, and taken before? ─▶ nothing
             ─▶ single changes of one source ──▶ applied together, each with its own answer
             ─▶ arrays, mapped bodies ─────────▶ each in a savepoint
             ─▶ cannot be taken ───────────────▶ kept for a person, and those behind go on
    marks of all of them ─ in the same transaction; then they are acknowledged

Nothing here speaks with the broker.
"""

import contextlib
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from http import HTTPStatus
from typing import Any

import structlog
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from api.decisions import reasons_view
from api.listeners.mqtt_in_reading import Changes, Entries, MessageReader, RefusedHere
from esl.domain.errors import EslError, FieldProblem, InvalidInput, Unavailable
from esl.domain.guards import FIXES, WORDS
from esl.domain.ids import LabelId, Sku, SourceId, StoreId
from esl.domain.mqtt_in import InMessage, Refusal
from esl.domain.pricing import ChangeResult, Decision
from esl.domain.source import Source
from esl.services.batches import apply_batch
from esl.services.listening import EntryResult, take_entries
from esl.services.pricing import NOT_STORED
from esl.services.requests import StoredAnswer, answer_once
from esl.services.silence import note_spoken
from esl.services.single_changes import SingleChange, Taken, take_single_changes
from esl.store import batches, mqtt_in

RESULTS = "results"
"""A source's setting ``results = true`` has what became of its messages told to it."""

FAULT_WORDS = "a fault of ours; the log has the details"
_WORDS_OF = 3

log = structlog.get_logger()


class SessionLost(Unavailable):
    """Another process listens by now; nothing was taken here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of a message. ``answer`` is JSON, for its source; "" where it asks for none."""

    message: InMessage
    refusal: Refusal | None = None
    detail: str = ""
    labels: tuple[LabelId, ...] = ()
    answer: str = ""
    was_taken_before: bool = False


def take_group(
    tx: Connection,
    client_id: str,
    holder: str,
    messages: Sequence[InMessage],
    now: datetime,
    *,
    marks_most: int,
) -> list[Outcome]:
    """Take messages in their order, and remember the last ``marks_most`` of all.

    Raises:
        SessionLost: Another process listens.
    """
    marks = mqtt_in.marks_taken(tx, client_id, holder)
    if marks is None:
        raise SessionLost("another process listens for messages; nothing was taken")
    known = frozenset(marks)
    taking = _Taking(tx, now)
    for message in messages:
        if message.again and message.packet_id and message.mark in known:
            taking.outcomes.append(Outcome(message=message, was_taken_before=True))
        else:
            taking.take(message)
    taking.finish()
    fresh = [message.mark for message in messages if message.packet_id]
    if fresh:
        mqtt_in.put_marks(tx, client_id, [*marks, *fresh][-marks_most:])
    places = {id(message): place for place, message in enumerate(messages)}
    return sorted(taking.outcomes, key=lambda one: places[id(one.message)])


def take_again(tx: Connection, message: InMessage, now: datetime) -> Outcome:
    """Take a message that was refused before, as it is now read; nothing of it is kept."""
    taking = _Taking(tx, now, keeps_refused=False)
    taking.take(message)
    taking.finish()
    return taking.outcomes[0]


def refuse_all(tx: Connection, messages: Sequence[InMessage], now: datetime) -> list[Outcome]:
    """Refuse messages over which we stumble, so that those behind them go on."""
    for message in messages:
        mqtt_in.refuse(tx, message, Refusal.FAULT, FAULT_WORDS, now)
    return [Outcome(message=one, refusal=Refusal.FAULT, detail=FAULT_WORDS) for one in messages]


class _Taking:
    """Messages being taken within one transaction."""

    def __init__(self, tx: Connection, now: datetime, *, keeps_refused: bool = True) -> None:
        self._tx = tx
        self._now = now
        self._keeps_refused = keeps_refused
        self._reader = MessageReader(tx)
        self._joined: list[Changes] = []
        self._said: dict[tuple[StoreId, Sku], SourceId] = {}  # by those that wait
        self.outcomes: list[Outcome] = []

    def take(self, message: InMessage) -> None:
        """Take a message, or let it wait for others like it."""
        try:
            ready = self._reader.read(message)
        except (Unavailable, DBAPIError):
            raise
        except Exception as exc:  # noqa: BLE001  whatever is in a message, others come behind it
            self.outcomes.append(self._refuse(message, exc))
            return
        if isinstance(ready, Changes) and ready.may_join:
            said = ready.place.store_id, ready.changes[0].sku
            if self._said.setdefault(said, ready.source.source_id) != ready.source.source_id:
                self.finish()  # another source's word of it came before, and is taken before
                self._said[said] = ready.source.source_id
            self._joined.append(ready)
            return
        self.finish()  # what came before is taken before
        self._attempt(ready)

    def finish(self) -> None:
        """Take those that wait: those of one source together, each with its own outcome."""
        joined, self._joined = self._joined, []
        self._said.clear()
        by_source: dict[SourceId, list[Changes]] = {}
        for ready in joined:
            by_source.setdefault(ready.source.source_id, []).append(ready)
        for some in by_source.values():
            self._take_singles(some)

    def _attempt(self, ready: Changes | Entries) -> None:
        try:
            with _savepoint(self._tx):
                outcome = self._apply(ready) if isinstance(ready, Changes) else self._enter(ready)
        except (Unavailable, DBAPIError):
            raise
        except Exception as exc:  # noqa: BLE001  as above
            outcome = self._refuse(ready.message, exc)
        self.outcomes.append(outcome)

    def _take_singles(self, joined: Sequence[Changes]) -> None:
        source = joined[0].source
        singles = [
            SingleChange(
                change=ready.changes[0],
                actor=_actor(source),
                request_sha256=ready.message.sha256,
                key=ready.message.key,
            )
            for ready in joined
        ]
        taken = take_single_changes(
            self._tx, singles, self._now, view=lambda result: _answer(source, [result])
        )
        for ready, told in zip(joined, taken, strict=True):
            if isinstance(told, Unavailable):
                raise told
            if isinstance(told, Taken):
                answer = told.answer.answer if _wants_answer(source) else ""
                outcome = Outcome(message=ready.message, labels=told.labels, answer=answer)
            else:
                outcome = self._refuse(ready.message, told)
            self.outcomes.append(outcome)

    def _apply(self, ready: Changes) -> Outcome:
        labels: list[LabelId] = []
        wrong: list[str] = []

        def work(tx: Connection) -> StoredAnswer:
            applied, _ = apply_batch(
                tx, ready.place.store_id, ready.changes, self._now, actor=_actor(ready.source)
            )
            refused = [r for r in applied.results if not NOT_STORED.isdisjoint(r.reasons)]
            if len(refused) == len(applied.results):
                raise InvalidInput(_problem_of(result) for result in refused)
            wrong.extend(f"{one.path}: {WORDS[one.reasons[0]]}" for one in refused)
            labels.extend(applied.labels)
            return _stored(ready, applied.results)

        return self._partly(self._once(ready, work, labels), wrong)

    def _enter(self, ready: Entries) -> Outcome:
        source = ready.source
        labels: list[LabelId] = []
        wrong = [f"{bad.field or 'row'} of {bad.row}: {bad.reason}" for bad in ready.problems]

        def work(tx: Connection) -> StoredAnswer:
            now, actor = self._now, _actor(source)
            batch_id = None
            if len(ready.entries) > 1:
                store_id, name = source.store_id, source.source_id
                batch_id = batches.begin_batch(
                    tx, now, store_id=store_id, source=name, actor=actor, title="MQTT"
                )
            taken = take_entries(tx, source, ready.entries, now, actor=actor, batch_id=batch_id)
            note_spoken(tx, source.source_id, taken.results, now)
            labels.extend(taken.labels)
            refused = (one for one in taken.results if one.decision is Decision.REJECTED)
            wrong.extend(f"{one.sku}: {one.detail or 'refused'}" for one in refused)
            return _stored(ready, taken.results)

        return self._partly(self._once(ready, work, labels), wrong)

    def _partly(self, outcome: Outcome, wrong: Sequence[str]) -> Outcome:
        """Keep a message of which not all was taken; ``wrong`` says why, item by item."""
        if not wrong:
            return outcome
        detail = "; ".join(wrong[:_WORDS_OF])
        if self._keeps_refused:
            mqtt_in.refuse(self._tx, outcome.message, Refusal.PARTLY, detail, self._now)
        return replace(outcome, refusal=Refusal.PARTLY, detail=detail)

    def _once(
        self,
        ready: Changes | Entries,
        work: Callable[[Connection], StoredAnswer],
        labels: list[LabelId],
    ) -> Outcome:
        """Do the work, once for an idempotency key; ``labels`` is filled by it."""
        message = ready.message
        stored = answer_once(
            self._tx,
            work,
            principal=_actor(ready.source),
            key=message.key,
            request_sha256=message.sha256,
            now=self._now,
        )
        answer = stored.answer if _wants_answer(ready.source) else ""
        return Outcome(message=message, labels=tuple(labels), answer=answer)

    def _refuse(self, message: InMessage, exc: Exception) -> Outcome:
        match exc:
            case RefusedHere():
                reason, detail = exc.reason, str(exc)
            case InvalidInput():
                reason, detail = Refusal.UNREADABLE, _words_of(exc)
            case EslError():
                reason, detail = Refusal.UNREADABLE, str(exc)
            case _:
                log.error("message fails by a fault of ours", topic=message.topic, exc_info=exc)
                reason, detail = Refusal.FAULT, FAULT_WORDS
        if self._keeps_refused:
            mqtt_in.refuse(self._tx, message, reason, detail, self._now)
        spoken = self._reader.find(message)
        wants = spoken is not None and _wants_answer(spoken.source)
        answer = json.dumps({"refused": reason.value, "detail": detail}) if wants else ""
        return Outcome(message=message, refusal=reason, detail=detail, answer=answer)


def _problem_of(result: ChangeResult) -> FieldProblem:
    reason = result.reasons[0]
    return FieldProblem(path=result.path, detail=WORDS[reason], fix=FIXES[reason])


def _wants_answer(source: Source) -> bool:
    return source.settings.get(RESULTS) == "true"


def _actor(source: Source) -> str:
    return f"source {source.source_id}"


def _words_of(exc: InvalidInput) -> str:
    shown = exc.problems[:_WORDS_OF]
    return "; ".join(
        " ".join(filter(None, (f"{each.path or 'body'}: {each.detail}.", each.fix)))
        for each in shown
    )


def _stored(
    ready: Changes | Entries, results: Sequence[ChangeResult | EntryResult]
) -> StoredAnswer:
    return StoredAnswer(
        request_sha256=ready.message.sha256,
        status=HTTPStatus.OK,
        answer=_answer(ready.source, results),
    )


def _answer(source: Source, results: Sequence[ChangeResult | EntryResult]) -> str:
    return json.dumps({"source": source.source_id, "results": [_view(one) for one in results]})


def _view(result: ChangeResult | EntryResult) -> dict[str, Any]:
    view: dict[str, Any] = {
        "sku": result.sku,
        "decision": result.decision.value,
        "rev": result.rev,
        "labels": result.labels,
    }
    if isinstance(result, EntryResult):
        view["store"] = result.store_id
        if result.rows:
            view["rows"] = list(result.rows)
        if result.detail is not None:
            view["detail"] = result.detail
    if reasons := reasons_view(result.decision, result.reasons, field=result.path):
        view["reasons"] = reasons
    if result.quarantine_id is not None:
        view["price_id"] = result.quarantine_id
    return view


@contextlib.contextmanager
def _savepoint(tx: Connection) -> Iterator[None]:
    """Undo what the block did, if it raises; the transaction goes on."""
    tx.exec_driver_sql("SAVEPOINT message")
    try:
        yield
    except BaseException:
        tx.exec_driver_sql("ROLLBACK TO SAVEPOINT message")
        tx.exec_driver_sql("RELEASE SAVEPOINT message")
        raise
    tx.exec_driver_sql("RELEASE SAVEPOINT message")
