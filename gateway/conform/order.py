"""G4, G8 and what can be seen of G2 and L1 without a hand on the label."""

from gateway.conform.subject import Subject, words
from gateway.conform.verdicts import Ledger, Rule, Verdict
from gateway.wire.failures import FailureCode
from gateway.wire.messages import (
    Accepted,
    AnyEvent,
    Failed,
    Put,
    Shown,
    Stored,
)


async def probe_duplicates(subject: Subject, ledger: Ledger) -> None:
    """G8: the id of a command that was overtaken long ago is answered with what came of it then.

    Done anew, the command would be refused now: its revision is below the shown one.
    """
    talk = subject.talk
    old, first = await subject.paint(subject.picture())
    _, second = await subject.paint(subject.picture())
    if not isinstance(first, Shown) or not isinstance(second, Shown):
        why = f"a good put was answered {words(first, talk.patience_s)}"
        ledger.note(Rule.G8, Verdict.NOT_OBSERVABLE, why)
        return
    since = len(talk.heard)
    await talk.send(old)
    again = await talk.answer_to(old.id, since=since)
    same = isinstance(again, Shown) and (again.rev, again.digest) == (first.rev, first.digest)
    ledger.judge(
        Rule.G8,
        kept=same,
        right="a repeated command got its first answer",
        wrong=f"a repeated command, first answered {words(first, 0)}, was answered "
        f"{words(again, talk.patience_s)}",
    )
    seen = await subject.seen()
    if seen is not None:
        ledger.judge(
            Rule.G8,
            kept=seen.shown_rev == subject.shown_rev,
            right="and nothing was painted for it",
            wrong=f"and the glass went from revision {subject.shown_rev} to {seen.shown_rev}",
        )


async def probe_older(subject: Subject, ledger: Ledger) -> None:
    """G2 and L1 together: a revision below the shown one never reaches the glass.

    Gateway and label both stand in its way, so that a refusal does not tell which of them did.
    """
    talk = subject.talk
    low = subject.next_rev()
    await subject.paint(subject.picture())
    put = subject.put(subject.picture(), rev=low)
    await talk.send(put)
    answer = await talk.answer_to(put.id)
    seen = await subject.seen()
    painted = isinstance(answer, Shown) or (seen is not None and seen.shown_digest == put.digest)
    if painted:
        why = f"revision {low} was painted over revision {subject.shown_rev}"
        ledger.note(Rule.G2, Verdict.FAIL, why)
        ledger.note(Rule.L1, Verdict.FAIL, why)
        subject.shown_rev = max(subject.shown_rev, low)
        return
    right = isinstance(answer, Failed) and answer.code == FailureCode.SUPERSEDED
    wrong = None if right else words(answer, talk.patience_s)
    ledger.skill("basic", "answers an older revision with superseded", wrong)


async def probe_crowd(subject: Subject, ledger: Ledger) -> None:
    """G4: three pictures at once for one label; then more labels than the gateway takes."""
    talk = subject.talk
    pictures = [subject.picture() for _ in range(3)]
    puts = [subject.put(picture) for picture in pictures]
    since = len(talk.heard)
    await talk.send(*puts)
    for put in puts:
        await talk.answer_to(put.id, since=since)
    events = talk.events[since:]
    for put, picture in zip(puts, pictures, strict=True):
        for answer in talk.answers_to(put.id, since):
            if isinstance(answer, Shown):
                subject.note_shown(answer, picture)
    _judge_three(puts, events, ledger, talk.patience_s)
    await _probe_capacity(subject, ledger)


def _judge_three(
    puts: list[Put], events: list[AnyEvent], ledger: Ledger, patience_s: float
) -> None:
    """Judge what came of three puts for one label that arrived together."""
    answers = {put.id: _final(events, put.id) for put in puts}
    first, middle, last = (answers[put.id] for put in puts)
    ledger.judge(
        Rule.G4,
        kept=isinstance(last, Shown),
        right="the newest of three was painted",
        wrong=f"the newest of three at once: {words(last, patience_s)}",
    )
    busy = [a for a in answers.values() if isinstance(a, Failed) and a.code == "invalid_state"]
    ledger.judge(
        Rule.G4,
        kept=not busy,
        right="one transfer at a time",
        wrong="a second transfer was begun while the label was busy (invalid_state)",
    )
    if not _waited(events, puts):
        ledger.note(Rule.G4, Verdict.PASS, "painted too fast for anything to wait")
        return
    replaced = isinstance(middle, Failed) and middle.code == FailureCode.SUPERSEDED
    ledger.judge(
        Rule.G4,
        kept=replaced,
        right="the one that waited was replaced",
        wrong=f"an older picture that waited was not replaced but {words(middle, patience_s)}",
    )
    del first  # whatever came of it: it was on its way before the others came


def _waited(events: list[AnyEvent], puts: list[Put]) -> bool:
    """Whether the first put was still in hand when the gateway took the last one."""
    taken = next((e.seq for e in events if isinstance(e, Accepted) and e.id == puts[2].id), None)
    first = _final(events, puts[0].id)
    return taken is not None and first is not None and first.seq > taken


def _final(events: list[AnyEvent], command_id: int) -> Shown | Stored | Failed | None:
    for event in events:
        if isinstance(event, Shown | Stored | Failed) and event.id == command_id:
            return event
    return None


async def _probe_capacity(subject: Subject, ledger: Ledger) -> None:
    talk = subject.talk
    capacity = talk.hello.capacity if talk.hello is not None else 0
    if not 0 < capacity <= len(subject.others):
        why = f"capacity {capacity} not reached with {len(subject.others) + 1} labels"
        ledger.note(Rule.G4, Verdict.PASS, why)
        return
    picture = subject.picture()
    puts = [subject.put(picture)]
    for label, panel in list(subject.others.items())[:capacity]:
        puts.append(subject.put(subject.picture(panel), label=label))
    since = len(talk.heard)
    for put in puts:
        await talk.send(put)
    ids = [put.id for put in puts]
    for number in ids:
        await talk.answer_to(number, since=since)
    for answer in talk.answers_to(ids[0], since):
        if isinstance(answer, Shown):
            subject.note_shown(answer, picture)
    most = _most_in_hand(talk.events[since:], set(ids))
    ledger.judge(
        Rule.G4,
        kept=most <= capacity,
        right=f"never more than its capacity of {capacity} in hand",
        wrong=f"{most} labels in hand, more than its capacity of {capacity}",
    )


def _most_in_hand(events: list[AnyEvent], ids: set[int]) -> int:
    """The most commands that were accepted and not yet answered at any one time."""
    in_hand: set[int] = set()
    most = 0
    for event in events:
        match event:
            case Accepted(id=number) if number in ids:
                in_hand.add(number)
            case Shown(id=number) | Stored(id=number) | Failed(id=number):
                in_hand.discard(number)
        most = max(most, len(in_hand))
    return most
