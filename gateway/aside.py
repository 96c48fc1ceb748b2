"""Events beside the ordinary reports: what slots hold, and answers to commands of people.

`Aside.takes` says cheaply which events these are; the others never come here. What they say is
written in the transaction of the batch they came with.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import Connection

from esl.domain.ids import Digest, GatewayId, LabelId, StoreId
from esl.domain.staged import CommandState
from esl.services import signals, slots_heard, staging
from esl.services.slots_heard import HeldSlot, SlotFailure
from esl.store import labels
from gateway.orders import OrderBook
from gateway.wire.failures import Policy, policy_of
from gateway.wire.messages import (
    Accepted,
    AnyEvent,
    Failed,
    Seen,
    Stored,
)

FAILED_AGAIN_AFTER = timedelta(seconds=20)
"""How long a staged picture waits that could not be put or armed."""

Told = tuple[GatewayId, StoreId, AnyEvent]
"""An event, who passed it on, and that gateway's store."""

Answered = tuple[tuple[GatewayId, LabelId], ...]


class Aside:
    """Weighs such events; used by the inbox's thread."""

    def __init__(self, orders: OrderBook) -> None:
        self._orders = orders

    def takes(self, gateway_id: GatewayId, event: AnyEvent) -> bool:
        """Say whether an event is worth a look here."""
        match event:
            case Stored() | Failed(label=str(), rev=int()):
                return True
            case Seen():
                return bool(event.slots)
            case Accepted() | Failed():
                return self._orders.key_of(gateway_id, event.id) is not None
            case _:
                return False

    def write(self, tx: Connection, told: Sequence[Told], now: datetime) -> Answered:
        """Write down what events say; return the labels that are no longer under way.

        What is said of labels of another store is not believed.
        """
        if told and not staging.is_anything_staged(tx):
            told = [one for one in told if not isinstance(one[2], Seen | Stored)]
        if not told:
            return ()
        named = {label for _, _, e in told if (label := _label_of(e)) is not None}
        states = labels.labels_by_id(tx, sorted(named))
        ours = [
            (gateway_id, store_id, e)
            for gateway_id, store_id, e in told
            if (label := _label_of(e)) is None
            or ((state := states.get(label)) is not None and state.store_id == store_id)
        ]
        held: list[HeldSlot] = []
        failures: list[SlotFailure] = []
        answers: list[tuple[int, CommandState, str]] = []
        routes: dict[LabelId, GatewayId] = {}
        for gateway_id, _, event in ours:
            answer = self._answer(gateway_id, event)
            if answer is not None:
                answers.append(answer)
            label = _label_of(event)
            if label is None:
                continue
            match event:
                case Stored():
                    routes[label] = gateway_id
                    held.append(_held(label, event.slot, event.rev, event.digest))
                case Seen():
                    held += [_held(label, n, *slot) for n, slot in enumerate(event.slots)]
                case Failed(rev=int() as rev):
                    routes[label] = gateway_id
                    failures.append(_failure(label, rev, event.code))
        signals.note_answers(tx, answers)
        over = slots_heard.hear_slots(tx, held, now) if held else []
        if failures:
            over += slots_heard.hear_failures(tx, failures, now, wait=FAILED_AGAIN_AFTER)
        return tuple((routes[label], label) for label in over if label in routes)

    def _answer(
        self, gateway_id: GatewayId, event: AnyEvent
    ) -> tuple[int, CommandState, str] | None:
        match event:
            case Accepted():
                state, detail = CommandState.ACCEPTED, ""
            case Failed():
                state = CommandState.FAILED
                detail = " ".join(filter(None, (event.code, event.label, event.detail)))
            case _:
                return None
        key = self._orders.key_of(gateway_id, event.id)
        return (key, state, detail) if key is not None else None


def _label_of(event: AnyEvent) -> LabelId | None:
    match event:
        case Stored() | Seen() | Failed(label=str()):
            return LabelId(str(event.label))
        case _:
            return None


def _held(label: LabelId, slot: int, rev: int, digest: bytes) -> HeldSlot:
    return HeldSlot(label_id=label, slot=slot, rev=rev, digest=Digest(digest.hex()))


def _failure(label: LabelId, rev: int, code: str) -> SlotFailure:
    policy = policy_of(code)
    return SlotFailure(
        label_id=label,
        rev=rev,
        again=policy in (Policy.RETRY, Policy.RESEND_FULL),
        anew=policy is Policy.RESEND_FULL,
    )
