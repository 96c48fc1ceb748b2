"""Take the prices that an engine proposes, as far as a store's rules let it move them.

What breaks no bound is a price change like any other: the guards weigh it, the till is told of
it, the labels want it. Every proposal is kept with the engine's reason and with what became of it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time
from typing import NamedTuple
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from esl.domain.errors import Conflict, NotFound
from esl.domain.guards import FIXES, WORDS, Reason
from esl.domain.ids import LabelId, Sku, SourceId, StoreId
from esl.domain.place import Store
from esl.domain.pricing import ChangeResult, Decision, PriceChange
from esl.domain.proposal import (
    WAITS_LONGEST,
    Bound,
    Known,
    Proposal,
    ProposalState,
    Refusal,
    Rules,
    judge,
    needs_approval,
)
from esl.domain.till_channel import PriceOwner
from esl.services.pricing import apply_price_changes
from esl.store import audit, places, proposals, till_settings
from esl.store.proposals import KeptProposal, NewProposal

_UNKNOWN = Refusal(Bound.UNKNOWN_SKU, WORDS[Reason.UNKNOWN_SKU], FIXES[Reason.UNKNOWN_SKU])


class Answer(NamedTuple):
    """What became of one proposal."""

    proposal_id: int
    sku: Sku
    state: ProposalState
    refusals: tuple[Refusal, ...] = ()
    rev: int | None = None
    labels: int = 0
    quarantine_id: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """What became of a request: one answer a proposal, and the labels that want a revision."""

    answers: tuple[Answer, ...]
    labels: tuple[LabelId, ...]


class _Desk(NamedTuple):
    """A store that takes proposals, and its clock."""

    store: Store
    rules: Rules
    local: datetime
    day: datetime  # when the store's day began


def propose(
    tx: Connection,
    store_id: StoreId,
    source: SourceId,
    proposed: Sequence[Proposal],
    now: datetime,
    *,
    actor: str,
) -> Taken:
    """Take what an engine proposes; each proposal is accepted or refused by itself.

    Raises:
        UnknownStore: There is no such store.
        Conflict: The store takes no proposals, or not from this engine; or its till would not
            hear of them; or the source is switched off.
    """
    desk = _open(tx, store_id, now)
    if source not in desk.rules.engines:
        raise Conflict(
            f"the store {store_id!r} takes no proposals from {source!r}; add it to engines in"
            f" PUT /api/v1/stores/{store_id}/proposal-rules"
        )
    known = _known(tx, desk, [one.sku for one in proposed])
    weighed = [_weigh(desk, one, known.get(one.sku)) for one in proposed]
    moving = [
        (one, state)
        for one, (state, _) in zip(proposed, weighed, strict=True)
        if state in (ProposalState.ACCEPTED, ProposalState.WAITING)
    ]
    proposals.end_waiting(tx, store_id, [one.sku for one, _ in moving], now, by=actor)
    applied, labels = _apply(
        tx,
        desk,
        source,
        [one for one, state in moving if state is ProposalState.ACCEPTED],
        now,
        actor=actor,
    )
    new: list[NewProposal] = []
    answers: list[Answer] = []
    for one, (state, refusals) in zip(proposed, weighed, strict=True):
        result = applied.get(one.sku) if state is ProposalState.ACCEPTED else None
        told, why = (state, refusals) if result is None else _told(result)
        new.append(
            NewProposal(
                sku=one.sku,
                price_minor=one.price_minor,
                reason=one.reason,
                known=known.get(one.sku, Known()),
                state=told,
                refusals=why,
                rev=result.rev if result is not None else None,
                quarantine_id=result.quarantine_id if result is not None else None,
            )
        )
        answers.append(
            Answer(
                0,
                one.sku,
                told,
                why,
                new[-1].rev,
                result.labels if result is not None else 0,
                new[-1].quarantine_id,
            )
        )
    numbers = proposals.keep(
        tx, store_id, source, new, now, currency=desk.store.currency, actor=actor
    )
    return Taken(
        answers=tuple(
            answer._replace(proposal_id=number)
            for answer, number in zip(answers, numbers, strict=True)
        ),
        labels=labels,
    )


def approve(
    tx: Connection,
    store_id: StoreId,
    numbers: Sequence[int],
    now: datetime,
    *,
    by: str,
    note: str | None = None,
) -> Taken:
    """Let proposals hold that wait for a person, all or none; bounds are asked again.

    Raises:
        UnknownStore: There is no such store.
        NotFound: It has no proposal with one of these numbers.
        Conflict: One does not wait, has waited too long, was sent by who approves, or breaks a
            bound by now.
    """
    desk = _open(tx, store_id, now)
    found = _to_decide(tx, store_id, numbers, now, by=by)
    known = _known(tx, desk, [one.sku for one in found])
    for one in found:
        broken = judge(
            one.price_minor,
            known.get(one.sku, Known()),
            desk.rules,
            desk.local,
            desk.store.currency,
        )
        if broken:
            raise Conflict(f"the proposal {one.proposal_id} breaks a bound now: {broken[0].words}")
    answers: list[Answer] = []
    labels: list[LabelId] = []
    for source in sorted({one.source for one in found}):
        group = [one for one in found if one.source == source]
        some = [Proposal(sku=o.sku, price_minor=o.price_minor, reason=o.reason) for o in group]
        applied, touched = _apply(tx, desk, source, some, now, actor=by, is_approved=True)
        labels += touched
        for one in group:
            result = applied[one.sku]
            state, why = _told(result)
            if state is ProposalState.REFUSED:
                raise Conflict(f"the proposal {one.proposal_id} cannot hold: {why[0].words}")
            number = one.proposal_id
            proposals.decide(tx, number, state, now, by=by, note=note, rev=result.rev)
            _audit(tx, one, now, by, "approve-proposal", note)
            answers.append(Answer(one.proposal_id, one.sku, state, (), result.rev, result.labels))
    return Taken(answers=tuple(answers), labels=tuple(labels))


def reject(
    tx: Connection,
    store_id: StoreId,
    numbers: Sequence[int],
    now: datetime,
    *,
    by: str,
    note: str | None = None,
) -> Taken:
    """Say no to proposals that wait, all or none.

    Raises:
        UnknownStore: There is no such store.
        NotFound: It has no proposal with one of these numbers.
        Conflict: One does not wait, or was sent by who rejects.
    """
    places.lock_store(tx, store_id)
    found = _to_decide(tx, store_id, numbers, now, by=by, is_over_too=True)
    for one in found:
        proposals.decide(tx, one.proposal_id, ProposalState.REJECTED, now, by=by, note=note)
        _audit(tx, one, now, by, "reject-proposal", note)
    answers = tuple(Answer(o.proposal_id, o.sku, ProposalState.REJECTED) for o in found)
    return Taken(answers=answers, labels=())


def _open(tx: Connection, store_id: StoreId, now: datetime) -> _Desk:
    """Let nobody else propose in the store till the commit: moves of a day are counted."""
    store = places.lock_store(tx, store_id)
    rules = proposals.rules_of(tx, store_id, store.currency, to_change=True)
    if rules is None or not rules.engines:
        raise Conflict(
            f"the store {store_id!r} takes no proposals; say which engine may propose:"
            f" PUT /api/v1/stores/{store_id}/proposal-rules"
        )
    if till_settings.setting_of(tx, store_id).price_owner is not PriceOwner.ESL:
        raise Conflict(
            f"the prices of store {store_id!r} are its till's, which would go on charging them;"
            f" if they are made here, say so, and how the till hears of them: PUT /api/v1/stores/"
            f'{store_id}/till with the price_owner "esl" and a channel'
        )
    local = now.astimezone(ZoneInfo(store.timezone))
    day = datetime.combine(local.date(), time(), local.tzinfo)
    return _Desk(store, rules, local, day)


def _known(tx: Connection, desk: _Desk, skus: Sequence[Sku]) -> dict[Sku, Known]:
    return proposals.known_of(
        tx, desk.store.store_id, sorted(set(skus)), desk.rules.engines, desk.day
    )


def _weigh(
    desk: _Desk, one: Proposal, known: Known | None
) -> tuple[ProposalState, tuple[Refusal, ...]]:
    if known is None:
        return ProposalState.REFUSED, (_UNKNOWN,)
    if known.held_minor == one.price_minor and not known.is_promoted:
        return ProposalState.UNCHANGED, ()
    broken = judge(one.price_minor, known, desk.rules, desk.local, desk.store.currency)
    if broken:
        return ProposalState.REFUSED, broken
    if needs_approval(one.price_minor, known, desk.rules):
        return ProposalState.WAITING, ()
    return ProposalState.ACCEPTED, ()


def _apply(
    tx: Connection,
    desk: _Desk,
    source: SourceId,
    some: Sequence[Proposal],
    now: datetime,
    *,
    actor: str,
    is_approved: bool = False,
) -> tuple[dict[Sku, ChangeResult], tuple[LabelId, ...]]:
    if not some:
        return {}, ()
    changes = [
        PriceChange(
            store_id=desk.store.store_id,
            sku=one.sku,
            price_minor=one.price_minor,
            currency=desk.store.currency,
            source=source,
            path=one.path,
        )
        for one in some
    ]
    applied = apply_price_changes(
        tx,
        desk.store.store_id,
        changes,
        now,
        actor=actor,
        is_approved=is_approved,
        each_by_itself=True,
    )
    return {result.sku: result for result in applied.results}, applied.labels


def _told(result: ChangeResult) -> tuple[ProposalState, tuple[Refusal, ...]]:
    """Say what the guards and ranks made of a proposal that breaks no bound."""
    match result.decision:
        case Decision.ACCEPTED:
            return ProposalState.ACCEPTED, ()
        case Decision.UNCHANGED:
            return ProposalState.UNCHANGED, ()
        case Decision.QUARANTINED:
            return ProposalState.HELD, _refusals(Bound.LIMITS, result)
        case Decision.SUPERSEDED:
            return ProposalState.REFUSED, _refusals(Bound.YIELDS, result)
        case _:
            return ProposalState.REFUSED, _refusals(Bound.LIMITS, result)


def _refusals(bound: Bound, result: ChangeResult) -> tuple[Refusal, ...]:
    return tuple(Refusal(bound, WORDS[r], FIXES[r]) for r in result.reasons or (Reason.LATE,))


def _to_decide(
    tx: Connection,
    store_id: StoreId,
    numbers: Sequence[int],
    now: datetime,
    *,
    by: str,
    is_over_too: bool = False,
) -> list[KeptProposal]:
    found = proposals.to_decide(tx, store_id, numbers)
    for number in numbers:
        one = found.get(number)
        if one is None:
            raise NotFound(f"the store has no proposal {number}")
        if one.state is not ProposalState.WAITING:
            raise Conflict(f"the proposal {number} does not wait: it is {one.state}")
        if one.actor == by:
            raise Conflict(
                f"you sent the proposal {number} yourself; another person with the scope"
                f" price:approve must decide about it"
            )
        if not is_over_too and now - one.received_at > WAITS_LONGEST:
            hours = int(WAITS_LONGEST.total_seconds() // 3600)
            raise Conflict(f"the proposal {number} is older than {hours} hours; reject it")
    return [found[number] for number in numbers]


def _audit(
    tx: Connection, one: KeptProposal, now: datetime, by: str, action: str, note: str | None
) -> None:
    audit.note(
        tx,
        now,
        actor=by,
        action=action,
        subject=f"proposal/{one.proposal_id}",
        store_id=one.store_id,
        reason=note,
        detail={"sku": one.sku, "price_minor": one.price_minor, "sent_by": one.actor},
    )
