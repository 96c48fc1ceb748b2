"""Level Basic: encodings, refusals, and a reader that takes what the protocol allows."""

from typing import Any

import msgspec

from gateway.conform.conversation import gaps
from gateway.conform.subject import Subject, words
from gateway.conform.verdicts import Ledger
from gateway.wire.messages import RAW, ZLIB, AnyEvent, Failed, Put, Shown

LEVEL = "basic"
NOBODY = "no-such-label"
_SLOT = 255  # no label has so many


async def probe_pictures(subject: Subject, ledger: Ledger) -> None:
    """Whole pictures in either encoding, the second in bytes as odd as a reader must take."""
    for encoding in (RAW, ZLIB):
        picture = subject.picture()
        _, answer = await subject.paint(picture, encoding=encoding)
        wrong = None if isinstance(answer, Shown) else words(answer, subject.talk.patience_s)
        ledger.skill(LEVEL, f"paints a picture sent as {encoding}", wrong)
    picture = subject.picture()
    put = subject.put(picture)
    await subject.talk.send_body(msgspec.msgpack.encode([oddly(put)]))
    odd = await subject.talk.answer_to(put.id)
    if isinstance(odd, Shown):
        subject.note_shown(odd, picture)
    wrong = None if isinstance(odd, Shown) else words(odd, subject.talk.patience_s)
    ledger.skill(LEVEL, "reads fields in any order, unknown ones, and nil for none", wrong)


def oddly(put: Put) -> dict[str, Any]:
    """The fields of a put from last to first, with unknown ones between, and nil for none."""
    fields = {name: getattr(put, name) for name in put.__struct_fields__}
    return {"x-unknown": [{"deep": [1, -1]}], **dict(reversed(fields.items())), "type": put.name}


async def probe_neighbours(subject: Subject, ledger: Ledger) -> None:
    """Bad messages beside a good one: each is answered, and the good one is obeyed."""
    talk = subject.talk
    unknown, broken = talk.next_id(), talk.next_id()
    picture = subject.picture()
    good = subject.put(picture)
    body = [7, {"type": "x-unknown", "id": unknown}, {"type": "put", "id": broken}, good]
    since = len(talk.heard)
    await talk.send_body(msgspec.msgpack.encode(body))
    answer = await talk.answer_to(good.id, since=since)
    if isinstance(answer, Shown):
        subject.note_shown(answer, picture)
    wrong = None if isinstance(answer, Shown) else words(answer, talk.patience_s)
    ledger.skill(LEVEL, "obeys a good message between bad ones", wrong)
    for what, number, code in (
        ("no message at all", 0, "invalid_opcode"),
        ("an unknown message", unknown, "unsupported"),
        ("a message that lacks fields", broken, "invalid_parameters"),
    ):
        said = await talk.answer_to(number, since=since)
        ledger.skill(LEVEL, f"answers {what} with {code}", _unlike(said, code, subject))


async def probe_refusals(subject: Subject, ledger: Ledger) -> None:
    """Puts that cannot be obeyed, and the one right answer to each."""
    talk = subject.talk
    picture = subject.picture()
    size = len(picture.frame) + 1
    late = talk.gateway_ms() - 1000
    for what, put, code in (
        ("a label nobody hears", subject.put(picture, label=NOBODY), "unknown_label"),
        ("a slot no label has", subject.put(picture, slot=_SLOT), "invalid_image_index"),
        ("a size that is not the panel's", subject.put(picture, size=size), "invalid_parameters"),
        ("an unknown encoding", _unknown_encoding(subject), "unsupported"),
        ("a deadline gone by", subject.put(picture, deadline=late), "expired"),
    ):
        since = len(talk.heard)
        await talk.send(put)
        said = await talk.answer_to(put.id, since=since)
        ledger.skill(LEVEL, f"answers {what} with {code}", _unlike(said, code, subject))


def _unknown_encoding(subject: Subject) -> Put:
    picture = subject.picture()
    return subject.put(picture, encoding="x-unknown", data=picture.encoded(ZLIB))


def _unlike(said: AnyEvent | None, code: str, subject: Subject) -> str | None:
    """Say what was answered instead of a failure with this code; None if it was that."""
    if isinstance(said, Failed) and said.code == code:
        return None
    answer = said if isinstance(said, Shown | Failed) else None
    return words(answer, subject.talk.patience_s)


def judge_events(subject: Subject, ledger: Ledger) -> None:
    """Everything that was said could be read, and was counted without a gap."""
    talk = subject.talk
    unreadable = "; ".join(dict.fromkeys(talk.unreadable)) or None
    ledger.skill(LEVEL, "says nothing that cannot be read", unreadable)
    ledger.skill(LEVEL, "counts its events without a gap", gaps(talk.events))
    told = talk.hello is not None
    ledger.skill(LEVEL, "says hello, or the same in heartbeats", None if told else "neither came")
