"""One run of the kit: find the gateway and a label, ask everything, write the report.

::

    hear the gateway ─▶ is our key believed? ─▶ which labels? ─▶ probes, one after another ─▶ report
       │ silent            │ no answer             │ none
       └───────────────────┴───────────────────────┴──▶ ConformError: why, and what to do
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from esl.domain.panel import Panel
from gateway.conform import basic, door, full, glass, hands, life, order, staged
from gateway.conform.conversation import Conversation, Numbers
from gateway.conform.hands import Operator
from gateway.conform.line import ConformError, Line
from gateway.conform.subject import Subject, words
from gateway.conform.verdicts import LEVELS, Ledger, Report
from gateway.wire import messages
from gateway.wire.failures import FailureCode
from gateway.wire.messages import Failed, Seen, Shown
from gateway.wire.signing import SigningKey

GATHER_S = 2.0  # after the first label was heard, for the others
Progress = Callable[[str], None]
Probe = Callable[[], Awaitable[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """How to run.

    ``patience_s`` is how long an answer may take, painting included; ``beacon_s`` how often labels
    beacon; ``epoch_of`` says at which epoch a label is paired; ``label`` is the one to test, else
    the first heard; ``labels_most`` how many labels may get test pictures, to reach the gateway's
    capacity.
    """

    label: str | None = None
    epoch_of: Callable[[str], int] = lambda _: 0
    patience_s: float = 60.0
    beacon_s: float = 60.0
    labels_most: int = 1


async def conform(
    line: Line,
    gateway_id: str,
    *,
    key: SigningKey,
    panels: Mapping[str, Panel],
    numbers: Numbers,
    wishes: Wishes,
    operator: Operator | None = None,
    progress: Progress = lambda _: None,
) -> Report:
    """Judge a gateway.

    Args:
        line: The way to it.
        gateway_id: Its name.
        key: What it was enrolled with.
        panels: The panel models known, by id.
        numbers: Where counters, ids and revisions come from.
        wishes: How to run.
        operator: Somebody who can touch the label under test.
        progress: Called with a line of words before each step.

    Raises:
        ConformError: It could not be judged; says why and what to do.
    """
    began_s = line.monotonic_s()
    talk = Conversation(line, gateway_id, key, numbers, wishes.patience_s)
    progress(f"listening for {gateway_id}")
    await _hear(talk)
    progress("asking which labels it hears")
    seen = await _census(talk)
    subject = _choose(talk, seen, panels, wishes)
    progress(f"testing with label {subject.label} ({subject.panel.panel_id})")
    await _first_picture(subject)
    ledger = Ledger()
    claimed = talk.hello.level if talk.hello is not None else ""
    for what, probe in _probes(subject, ledger, claimed):
        progress(what)
        await probe()
    progress("listening for heartbeats and beacons")
    await life.probe(subject, ledger, beacon_s=wishes.beacon_s, began_s=began_s)
    if operator is not None:
        progress("asking the operator")
    await hands.probe(subject, ledger, operator, beacon_s=wishes.beacon_s)
    basic.judge_events(subject, ledger)
    return Report(
        gateway=gateway_id,
        session=talk.session,
        firmware=talk.hello.firmware if talk.hello is not None else "",
        claimed=claimed,
        label=subject.label,
        panel=subject.panel.panel_id,
        findings=ledger.findings(),
        skills=tuple(ledger.skills),
        notes=tuple(ledger.notes),
        seconds=line.monotonic_s() - began_s,
    )


def _probes(subject: Subject, ledger: Ledger, claimed: str) -> list[tuple[str, Probe]]:
    """What is asked, in order; each leaves the label showing a picture of the kit's."""
    level = claimed if claimed in LEVELS else LEVELS[0]
    probes: list[tuple[str, Probe]] = [
        ("pictures in either encoding", lambda: basic.probe_pictures(subject, ledger)),
        ("G7: is shown what the label shows", lambda: glass.probe_words(subject, ledger)),
        ("bad messages beside good ones", lambda: basic.probe_neighbours(subject, ledger)),
        ("commands that cannot be obeyed", lambda: basic.probe_refusals(subject, ledger)),
        ("L2: pictures that are not whole", lambda: glass.probe_pictures(subject, ledger)),
        ("G1, G3: what must not get in", lambda: door.probe(subject, ledger)),
        ("G8: the same command twice", lambda: order.probe_duplicates(subject, ledger)),
        ("G4: three at once", lambda: order.probe_crowd(subject, ledger)),
        ("G2, L1: an older revision", lambda: order.probe_older(subject, ledger)),
    ]
    if level in LEVELS[1:]:
        probes.append(("slots and timed shows", lambda: staged.probe(subject, ledger)))
    if level == LEVELS[-1]:
        probes.append(("deltas, parts, lights, settings", lambda: full.probe(subject, ledger)))
    else:
        beyond = "what is beyond its level"
        probes.append((beyond, lambda: full.probe_beyond(subject, ledger, level=level)))
    return probes


async def _hear(talk: Conversation) -> None:
    """Wait until the gateway is known to be on the line, and in which session."""
    patience_s = life.HEARTBEAT_MOST_S + life.GRACE_S
    await talk.until(lambda: talk.hello, patience_s)
    if talk.hello is not None:
        return
    if talk.state is not None and talk.state.online:
        talk.session = talk.session or talk.state.session
        return
    if talk.heard or talk.session:
        return
    said = "its retained state says offline" if talk.state else "it has no retained state"
    raise ConformError(
        f"{talk.gateway_id} is silent: nothing came for {patience_s:.0f} s, and {said}. Is it "
        f"switched on, on this broker, and allowed to write esl/v1/{talk.gateway_id}/state and up?"
    )


async def _census(talk: Conversation) -> dict[str, Seen]:
    """Have every label reported; learn on the way whether our key and counters are believed."""
    for attempt in range(2):
        nobody = messages.Report(id=talk.next_id(), labels=[basic.NOBODY])
        await talk.send(messages.Report(id=talk.next_id()), nobody)
        if await talk.answer_to(nobody.id) is not None:  # a beacon would prove nothing
            await talk.listen(GATHER_S)
            return {e.label: e for e in talk.events if isinstance(e, Seen)}
        if attempt == 0 and talk.numbers.alone:  # somebody counted further in this session
            wall_ms = talk.line.wall_ms()
            talk.numbers.counters = iter(range(wall_ms, wall_ms * 2))
    raise ConformError(
        f"{talk.gateway_id} is on the line but obeys nothing that key {talk.key.key_id} signs: it "
        f"was not enrolled with that key, or may not read esl/v1/{talk.gateway_id}/down"
    )


def _choose(
    talk: Conversation, seen: Mapping[str, Seen], panels: Mapping[str, Panel], wishes: Wishes
) -> Subject:
    """Choose the label under test, and others of known panels beside it.

    Raises:
        ConformError: There is none that can be tested.
    """
    known = {label: panels[s.panel] for label, s in seen.items() if s.panel in panels}
    if not seen:
        raise ConformError(f"{talk.gateway_id} hears no label; put one within its reach")
    label = wishes.label or next(iter(known), None)
    if label is not None and label not in seen:
        raise ConformError(f"{talk.gateway_id} does not hear label {label}; it hears {_some(seen)}")
    if label is None or label not in known:
        strange = {s.panel for name, s in seen.items() if label in (None, name)}
        raise ConformError(
            f"panel model {_some(strange)} is not known here; describe it in a file and pass "
            f"--panels-file (esl panels example)"
        )
    others = {name: panel for name, panel in known.items() if name != label}
    chosen = dict(list(others.items())[: max(0, wishes.labels_most - 1)])
    return Subject(
        talk,
        label,
        known[label],
        wishes.epoch_of,
        slots=len(seen[label].slots) or known[label].slots,
        others=chosen,
        revs={name: highest(seen[name]) for name in (label, *chosen)},
    )


def highest(seen: Seen) -> int:
    """The highest revision a label shows or holds."""
    return max([seen.shown_rev, *(rev for rev, _ in seen.slots)])


def _some(names: Mapping[str, object] | set[str]) -> str:
    listed = sorted(names)
    more = f" and {len(listed) - 3} more" if len(listed) > 3 else ""  # noqa: PLR2004  enough to know
    return ", ".join(listed[:3]) + more


async def _first_picture(subject: Subject) -> None:
    """Paint once, before anything is judged.

    Raises:
        ConformError: It does not come to the glass; nothing else would.
    """
    talk = subject.talk
    _, answer = await subject.paint(subject.picture())
    if isinstance(answer, Shown):
        return
    fix = "bring the label nearer, charge it, or allow more time with --patience"
    if isinstance(answer, Failed) and answer.code == FailureCode.INVALID_STATE:
        fix = "if it is paired elsewhere, give its epoch with --epoch or take an unpaired label"
    raise ConformError(
        f"the first picture for {subject.label} came to nothing: "
        f"{words(answer, talk.patience_s)}; {fix}"
    )
