"""G5, G6 and L4: a while of saying nothing, in which the gateway and its labels must speak."""

import itertools

from gateway.conform.subject import Subject
from gateway.conform.verdicts import Ledger, Rule, Verdict
from gateway.wire.messages import Heartbeat, Hello, Seen

HEARTBEAT_MOST_S = 30.0  # docs/protocol.md, Sessions: every 10 to 30 s
GRACE_S = 5.0  # for a broker and a gateway that gathers events
HEARTBEATS = 2  # are two intervals, with the one that began before
BEACONS_PATIENCE = 2  # beacon intervals


async def probe(subject: Subject, ledger: Ledger, *, beacon_s: float, began_s: float) -> None:
    """Listen until heartbeats and beacons were heard, or should have been."""
    talk = subject.talk
    quiet_since = len(talk.heard)
    now_s = talk.line.monotonic_s()
    heart_s = max(0.0, began_s + HEARTBEATS * (HEARTBEAT_MOST_S + GRACE_S) - now_s)
    beacons_s = BEACONS_PATIENCE * beacon_s + GRACE_S

    def pulse() -> list[float]:
        return [heard.at_s for heard in talk.heard if isinstance(heard.event, Heartbeat)]

    def beacons() -> set[str]:
        return {e.label for e in talk.events[quiet_since:] if isinstance(e, Seen)}

    await talk.until(lambda: len(pulse()) >= HEARTBEATS or None, heart_s)
    left_s = now_s + beacons_s - talk.line.monotonic_s()
    await talk.until(lambda: subject.label in beacons() or None, left_s)
    _judge_pulse(subject, ledger, pulse(), began_s)
    _judge_beacons(subject, ledger, beacons(), beacons_s)


def _judge_pulse(subject: Subject, ledger: Ledger, pulse: list[float], began_s: float) -> None:
    talk = subject.talk
    hello = [heard.at_s for heard in talk.heard if isinstance(heard.event, Hello)]
    marks = [*(hello[:1] or [began_s]), *pulse, talk.line.monotonic_s()]
    longest_s = max(after - before for before, after in itertools.pairwise(marks))
    enough = len(pulse) >= HEARTBEATS and longest_s <= HEARTBEAT_MOST_S + GRACE_S
    ledger.judge(
        Rule.G5,
        kept=enough,
        right=f"{len(pulse)} heartbeats, at most {longest_s:.0f} s apart",
        wrong=f"{len(pulse)} heartbeats, {longest_s:.0f} s without one; every 10 to 30 s is asked",
    )


def _judge_beacons(subject: Subject, ledger: Ledger, beacons: set[str], waited_s: float) -> None:
    others = beacons - {subject.label}
    if subject.label in beacons:
        ledger.note(Rule.G6, Verdict.PASS, "beacons came unasked")
        ledger.note(Rule.L4, Verdict.PASS, f"{subject.label} beaconed")
    elif others:
        ledger.note(Rule.G6, Verdict.PASS, f"beacons of {len(others)} other labels came unasked")
        ledger.note(
            Rule.L4,
            Verdict.FAIL,
            f"{subject.label} was silent for {waited_s:.0f} s while others beaconed",
        )
    else:
        ledger.note(Rule.G6, Verdict.FAIL, f"no beacon came unasked in {waited_s:.0f} s")
        ledger.note(Rule.L4, Verdict.NOT_OBSERVABLE, "no label's beacon came through this gateway")
