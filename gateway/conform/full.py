"""Level Full: deltas, pictures in parts, lights, settings; and what lies beyond a level."""

from functools import partial

from gateway.conform.basic import NOBODY
from gateway.conform.conversation import Conversation
from gateway.conform.subject import Subject, words
from gateway.conform.verdicts import Ledger
from gateway.wire.messages import (
    XOR_ZLIB,
    ZLIB,
    AnyEvent,
    Command,
    Config,
    Failed,
    Forget,
    Led,
    Put,
    Show,
    ShowEntry,
    Shown,
    Time,
)

LEVEL = "full"
GREEN = 0b11_00_11_00
BLINK = bytes(4) + b"\x0a"
BLINK_MS = 200
INCOMPLETE_S = 3.0  # deadline of a picture whose second part never comes


async def probe(subject: Subject, ledger: Ledger) -> None:
    """Ask for everything a full gateway can do, but for firmware."""
    await _deltas(subject, ledger)
    await _parts(subject, ledger)
    await _lights_and_settings(subject, ledger)
    ledger.notes.append("firmware is not tried: it would change the device")


async def _deltas(subject: Subject, ledger: Ledger) -> None:
    talk = subject.talk
    if subject.shown is None:
        ledger.unseen_skill(LEVEL, "paints a delta", "nothing of the kit's is on the glass")
        return
    picture = subject.picture()
    base = subject.shown.digest
    _, answer = await subject.paint(picture, encoding=XOR_ZLIB, base=base)
    wrong = None if isinstance(answer, Shown) else words(answer, talk.patience_s)
    ledger.skill(LEVEL, "paints a delta", wrong)
    strange = subject.picture().digest
    put = subject.put(subject.picture(), encoding=XOR_ZLIB, base=strange)
    await _expect(subject, ledger, put, "base_mismatch", "a delta to a frame the label lacks")
    target = subject.picture()
    put = subject.put(target, encoding=XOR_ZLIB, base=subject.shown.digest, digest=strange)
    await _expect(subject, ledger, put, "bad_digest", "a delta that gives another digest")


async def _parts(subject: Subject, ledger: Ledger) -> None:
    """A picture in two parts, the second first; then one whose second part never comes."""
    talk = subject.talk
    picture = subject.picture()
    first, second = halves(subject.put(picture))
    await talk.send(second)
    await talk.send(second)  # a part twice is a duplicate
    await talk.send(first)
    answer = await talk.answer_to(first.id)
    if isinstance(answer, Shown):
        subject.note_shown(answer, picture)
    wrong = None if isinstance(answer, Shown) else words(answer, talk.patience_s)
    ledger.skill(LEVEL, "paints a picture in parts, in any order", wrong)
    deadline = talk.gateway_ms() + round(INCOMPLETE_S * 1000)
    lonely, _ = halves(subject.put(subject.picture(), deadline=deadline))
    await _expect(subject, ledger, lonely, "expired", "a picture that stays incomplete")


def halves(put: Put) -> tuple[Put, Put]:
    """A put as two parts of one id."""
    fields = {name: getattr(put, name) for name in put.__struct_fields__}
    middle, total = len(put.data) // 2, len(put.data)
    first = Put(**(fields | {"data": put.data[:middle], "offset": 0, "total": total}))
    second = Put(**(fields | {"data": put.data[middle:], "offset": middle, "total": total}))
    return first, second


async def _lights_and_settings(subject: Subject, ledger: Ledger) -> None:
    """Commands that succeed in silence: nothing may be failed by the time a report is answered."""
    talk = subject.talk
    capacity = max(1, talk.hello.capacity if talk.hello is not None else 1)
    silent: list[tuple[str, Command]] = [
        ("blinks a label", led(subject, subject.label)),
        ("takes settings", Config(id=talk.next_id(), window=capacity)),
        ("takes the time", Time(id=talk.next_id(), now=talk.line.wall_ms())),
    ]
    since = len(talk.heard)
    for _, command in silent:
        await talk.send(command)
    await subject.seen()
    for name, command in silent:
        failed = [a for a in talk.answers_to(command.id, since) if isinstance(a, Failed)]
        heard = bool(talk.reactions_to(command.id, since)) or name == "takes the time"
        wrong = words(failed[0], 0) if failed else None
        ledger.skill(LEVEL, name, wrong or (None if heard else "no word of it"))
    light = led(subject, NOBODY)
    await _expect(subject, ledger, light, "unknown_label", "a light for a label nobody hears")
    epoch = subject.epoch_of(subject.label)
    if epoch > 0:
        forget = Forget(id=talk.next_id(), label=subject.label, epoch=epoch - 1)
        what = "the end of an older pairing"
        await _expect(subject, ledger, forget, "invalid_state", what)


def led(subject: Subject, label: str) -> Led:
    """A short green blink."""
    return Led(
        id=subject.talk.next_id(),
        labels=[label],
        colour=GREEN,
        pattern=BLINK,
        on_ms=BLINK_MS,
        off_ms=BLINK_MS,
        repeats=2,
    )


async def _expect(
    subject: Subject, ledger: Ledger, command: Put | Led | Forget, code: str, what: str
) -> None:
    talk = subject.talk
    await talk.send(command)
    answer = await talk.answer_to(command.id)
    right = isinstance(answer, Failed) and answer.code == code
    wrong = None if right else words(answer, talk.patience_s)
    ledger.skill(LEVEL, f"answers {what} with {code}", wrong)


def _reactions(talk: Conversation, command_id: int, since: int) -> list[AnyEvent] | None:
    return talk.reactions_to(command_id, since) or None


async def probe_beyond(subject: Subject, ledger: Ledger, *, level: str) -> None:
    """What a gateway says to commands above its level: `unsupported`, or it can do more."""
    talk = subject.talk
    picture = subject.picture()
    entry = ShowEntry(subject.label, subject.next_rev(), 1, picture.digest)
    base = subject.shown.digest if subject.shown is not None else bytes(32)
    delta = subject.put(picture, encoding=XOR_ZLIB, base=base, data=picture.encoded(ZLIB))
    beyond: list[tuple[str, Command]] = [("led", led(subject, subject.label)), ("a delta", delta)]
    if level == "basic":
        beyond.append(("show", Show(id=talk.next_id(), entries=[entry])))
    since = len(talk.heard)
    more = []
    for name, command in beyond:
        await talk.send(command)
        said = await talk.until(partial(_reactions, talk, command.id, since)) or []
        wrong = None if said else words(None, talk.patience_s)
        ledger.skill(level, f"answers {name}, which is beyond its level", wrong)
        if not any(isinstance(event, Failed) and event.code == "unsupported" for event in said):
            more.append(name)
    if more:
        ledger.notes.append(f"it does more than its level says: {', '.join(more)}")
