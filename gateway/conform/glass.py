"""L2 and G7: nothing unverified reaches the glass, and `shown` is what the label itself says."""

from gateway.conform.subject import Subject, words
from gateway.conform.verdicts import Ledger, Rule, Verdict
from gateway.wire.failures import FailureCode
from gateway.wire.messages import RAW, ZLIB, Failed, Put, Seen, Shown

_CUT = 3  # bytes a stream is cut by


async def probe_words(subject: Subject, ledger: Ledger) -> None:
    """G7: right after `shown`, the label's own word says the same."""
    picture = subject.picture()
    put, answer = await subject.paint(picture)
    if not isinstance(answer, Shown):
        why = f"a good put was answered {words(answer, subject.talk.patience_s)}"
        ledger.note(Rule.G7, Verdict.NOT_OBSERVABLE, why)
        return
    ledger.judge(
        Rule.G7,
        kept=(answer.label, answer.rev, answer.digest) == (put.label, put.rev, put.digest),
        right="`shown` names the revision and digest of the put",
        wrong=f"`shown` names revision {answer.rev} and another digest than the put's "
        f"(revision {put.rev})",
    )
    seen = await subject.seen()
    if seen is None:
        ledger.note(Rule.G7, Verdict.NOT_OBSERVABLE, "the label was not reported when asked for")
        return
    same = (seen.shown_rev, seen.shown_digest, seen.incarnation) == (
        answer.rev,
        answer.digest,
        answer.incarnation,
    )
    subject.distrusts_shown = not same
    ledger.judge(
        Rule.G7,
        kept=same,
        right="and so does the label when asked",
        wrong=f"`shown` of revision {answer.rev} (incarnation {answer.incarnation}), while the "
        f"label shows {seen.shown_rev} (incarnation {seen.incarnation})",
    )


async def probe_pictures(subject: Subject, ledger: Ledger) -> None:
    """L2: pictures that are not what they are announced as are refused and never painted."""
    talk = subject.talk
    before = await subject.seen()
    for what, put in _bad_pictures(subject):
        since = len(talk.heard)
        await talk.send(put)
        answer = await talk.answer_to(put.id, since=since)
        ledger.judge(
            Rule.L2,
            kept=not isinstance(answer, Shown),
            right=f"refused {what}",
            wrong=f"painted {what}",
        )
        right = isinstance(answer, Failed) and answer.code == FailureCode.BAD_DIGEST
        ledger.skill(
            "basic",
            f"answers {what} with bad_digest",
            None if right else words(answer, talk.patience_s),
        )
    after = await subject.seen()
    if before is not None and after is not None:
        _judge_glass(ledger, before, after)


def _judge_glass(ledger: Ledger, before: Seen, after: Seen) -> None:
    ledger.judge(
        Rule.L2,
        kept=(before.shown_rev, before.shown_digest) == (after.shown_rev, after.shown_digest),
        right="the glass stayed as it was",
        wrong=f"the glass went from revision {before.shown_rev} to {after.shown_rev}",
    )


def _bad_pictures(subject: Subject) -> list[tuple[str, Put]]:
    picture, other = subject.picture(), subject.picture()
    stream = picture.encoded(ZLIB)
    return [
        ("a picture of another digest", subject.put(picture, digest=other.digest)),
        ("a stream that ends early", subject.put(picture, data=stream[:-_CUT])),
        ("a picture of one byte too many", _too_long(subject)),
    ]


def _too_long(subject: Subject) -> Put:
    picture = subject.picture()
    return subject.put(picture, encoding=RAW, data=picture.frame + b"\x00")
