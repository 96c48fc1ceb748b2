"""G2, L1, L3 and more of G7: what takes a hand on the label.

The operator is a person at the shelf, or a test that plays one. Without one, these rules need an
operator and say so.
"""

from enum import StrEnum
from typing import Protocol

from gateway.conform.subject import Subject, words
from gateway.conform.verdicts import Ledger, Rule, Verdict
from gateway.wire.failures import FailureCode
from gateway.wire.messages import Failed, Seen, Shown


class Deed(StrEnum):
    """What an operator is asked to do with the label under test."""

    TAKE_AWAY = "take it out of its gateway's reach: a metal box, or another room"
    BRING_BACK = "bring it back, and wait until it has been heard"
    RESTART = "restart it without clearing its memory: battery out for a moment, or its reset"
    ERASE = "make it lose its memory, if it can: battery out for minutes, or its factory reset"


class Operator(Protocol):
    """Somebody who can touch a label."""

    async def do(self, deed: Deed, label: str) -> bool:
        """Do it and return True; False where it cannot be done."""
        ...


SETTLE_S = 1.0

_NEEDED = {
    Rule.G2: "with the label out of reach, only the gateway can refuse an older revision",
    Rule.L1: "the label has to be restarted",
    Rule.L3: "the label has to lose its memory",
}


async def probe(
    subject: Subject, ledger: Ledger, operator: Operator | None, *, beacon_s: float
) -> None:
    """Ask the operator for each deed in turn, and see what gateway and label make of it."""
    if operator is None:
        for rule, why in _NEEDED.items():
            ledger.note(rule, Verdict.NEEDS_OPERATOR, why)
        return
    await _out_of_reach(subject, ledger, operator)
    await _restarted(subject, ledger, operator, beacon_s)
    await _erased(subject, ledger, operator, beacon_s)


async def _out_of_reach(subject: Subject, ledger: Ledger, operator: Operator) -> None:
    talk = subject.talk
    low = subject.next_rev()
    _, answer = await subject.paint(subject.picture())
    if not isinstance(answer, Shown) or not await operator.do(Deed.TAKE_AWAY, subject.label):
        ledger.note(Rule.G2, Verdict.NEEDS_OPERATOR, _NEEDED[Rule.G2])
        return
    older = subject.put(subject.picture(), rev=low)
    await talk.send(older)
    refused = await talk.answer_to(older.id)
    newer = subject.put(subject.picture())
    await talk.send(newer)
    missed = await talk.answer_to(newer.id)
    if isinstance(missed, Shown):
        why = "`shown` came for a label that was out of reach"
        ledger.note(Rule.G7, Verdict.FAIL, why)
    ledger.judge(
        Rule.G2,
        kept=isinstance(refused, Failed) and refused.code == FailureCode.SUPERSEDED,
        right="an older revision for a label out of reach was refused by the gateway itself",
        wrong="an older revision for a label out of reach was sent: "
        + words(refused, talk.patience_s),
    )
    await operator.do(Deed.BRING_BACK, subject.label)
    _, answer = await subject.paint(subject.picture())  # settles what was still under way
    if not isinstance(answer, Shown):
        ledger.notes.append(f"brought back, the label was {words(answer, talk.patience_s)}")


async def _restarted(subject: Subject, ledger: Ledger, operator: Operator, beacon_s: float) -> None:
    before = await subject.seen()
    if before is None or not await operator.do(Deed.RESTART, subject.label):
        ledger.note(Rule.L1, Verdict.NEEDS_OPERATOR, _NEEDED[Rule.L1])
        return
    after = await _next_beacon(subject, beacon_s)
    if after is None:
        ledger.note(Rule.L1, Verdict.NOT_OBSERVABLE, "no beacon came after the restart")
    elif after.incarnation != before.incarnation:
        why = "the label lost its memory instead of only restarting"
        ledger.note(Rule.L1, Verdict.NOT_OBSERVABLE, why)
    else:
        ledger.judge(
            Rule.L1,
            kept=after.shown_rev >= before.shown_rev,
            right=f"revision {before.shown_rev} was remembered over a restart",
            wrong=f"after a restart it knew revision {after.shown_rev}, not {before.shown_rev}",
        )


async def _erased(subject: Subject, ledger: Ledger, operator: Operator, beacon_s: float) -> None:
    before = await subject.seen()
    if before is None or not await operator.do(Deed.ERASE, subject.label):
        ledger.note(Rule.L3, Verdict.NEEDS_OPERATOR, _NEEDED[Rule.L3])
        return
    after = await _next_beacon(subject, beacon_s)
    if after is None:
        ledger.note(Rule.L3, Verdict.NOT_OBSERVABLE, "no beacon came afterwards")
    elif after.incarnation > before.incarnation:
        why = f"incarnation {before.incarnation} became {after.incarnation}"
        ledger.note(Rule.L3, Verdict.PASS, why)
    elif after.shown_rev < before.shown_rev:
        why = f"it forgot revision {before.shown_rev} and kept incarnation {before.incarnation}"
        ledger.note(Rule.L3, Verdict.FAIL, why)
    else:
        ledger.note(Rule.L3, Verdict.NOT_OBSERVABLE, "the label kept its memory all the same")


async def _next_beacon(subject: Subject, beacon_s: float) -> Seen | None:
    """The label's next word of its own; a report might be answered from what was heard before."""
    talk = subject.talk
    await talk.listen(SETTLE_S)  # what was said before the operator was done
    since = len(talk.heard)
    return await talk.until(
        lambda: next(
            (e for e in talk.events[since:] if isinstance(e, Seen) and e.label == subject.label),
            None,
        ),
        2 * beacon_s + talk.patience_s,
    )
