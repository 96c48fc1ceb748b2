"""A label's life at level Basic, as commands and the answers to each: the file `story-basic`.

It is written from `docs/protocol.md`, not from a simulator: whatever calls itself a gateway must
give these answers. Times are milliseconds after noon by the gateway's clock.
"""

import zlib
from dataclasses import dataclass, field
from typing import Any

import msgspec

from gateway.wire.messages import Config, Forget, Report, Show, ShowEntry, Time
from tests.unit.gateway.wire import plain_msgpack
from tests.unit.gateway.wire.wire_vectors import (
    DIGEST,
    FRAME,
    LATER,
    LATER_DIGEST,
    NOON,
    ZLIB_FRAME,
    ZLIB_XOR,
)

LABEL = "a1b2c3"
PAINT_MS = 10_000
LIFETIME_MS = 3_600_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Chapter:
    """One step: a body of commands at an instant, and what must be answered before the next."""

    about: str
    at_ms: int
    body: list[Any]
    answers: list[dict[str, Any]] = field(default_factory=list)
    only: str | None = None  # the level it is for, where others answer otherwise


def put(number: int, rev: int, *, later: bool = False, **changes: Any) -> dict[str, Any]:
    """A good put as a map, its picture a zlib stream of FRAME or LATER, unless changed."""
    fields: dict[str, Any] = {
        "type": "put",
        "id": number,
        "label": LABEL,
        "epoch": 1,
        "slot": 0,
        "rev": rev,
        "digest": LATER_DIGEST if later else DIGEST,
        "size": len(FRAME),
        "encoding": "zlib",
        "data": ZLIB_LATER if later else ZLIB_FRAME,
        "show": True,
        "deadline": NOON + LIFETIME_MS,
    }
    return fields | changes


def shown(number: int, rev: int, *, later: bool = False) -> dict[str, Any]:
    digest = LATER_DIGEST if later else DIGEST
    return {"type": "shown", "id": number, "label": LABEL, "rev": rev, "digest": digest.hex()}


def failed(number: int, code: str, rev: int | None = None, label: str = LABEL) -> dict[str, Any]:
    told = {"type": "failed", "id": number, "code": code}
    return told if rev is None else told | {"label": label, "rev": rev}


def _small_window(frame: bytes) -> bytes:
    stream = zlib.compressobj(wbits=12, level=0)  # stored blocks: the same bytes everywhere
    return stream.compress(frame) + stream.flush()


ZLIB_LATER = _small_window(LATER)
ZLIB_32K = b"\x78\x01" + ZLIB_LATER[2:]  # the same stream, asking for a window of 32 KiB

WIDE = {"x-later": [{"deep": [1, -1]}], "base": None, "offset": None, "total": None}

BEYOND_BASIC = [
    put(60, 400, epoch=3, show=False, slot=1),
    put(61, 401, epoch=3, later=True, encoding="xor-zlib", base=DIGEST, data=ZLIB_XOR),
    put(62, 402, epoch=3, offset=0, total=len(ZLIB_FRAME), data=ZLIB_FRAME[:10]),
    *(
        msgspec.to_builtins(command, builtin_types=[bytes])
        for command in (
            Show(id=63, entries=[ShowEntry(LABEL, 403, 0, DIGEST)]),
            Time(id=64, now=NOON),
            Config(id=65, window=1),
            Forget(id=66, label=LABEL, epoch=3),
        )
    ),
]

CHAPTERS = (
    Chapter(
        about="a picture sent as it is",
        at_ms=0,
        body=[put(1, 100, encoding="raw", data=FRAME)],
        answers=[shown(1, 100)],
    ),
    Chapter(
        about="the same revision and picture again, in another command: no repaint",
        at_ms=20_000,
        body=[put(2, 100)],
        answers=[shown(2, 100)],
    ),
    Chapter(
        about="the same revision, another picture",
        at_ms=21_000,
        body=[put(3, 100, later=True)],
        answers=[failed(3, "superseded", 100)],
    ),
    Chapter(
        about="a lower revision",
        at_ms=22_000,
        body=[put(4, 99, later=True)],
        answers=[failed(4, "superseded", 99)],
    ),
    Chapter(
        about="pictures that are not what they are announced as",
        at_ms=23_000,
        body=[
            put(5, 101, digest=LATER_DIGEST),
            put(6, 102, later=True, data=ZLIB_LATER[:-3]),
            put(7, 103, later=True, data=b"no stream"),
            put(8, 104, later=True, encoding="raw", data=LATER + b"\x00"),
            put(9, 105, later=True, data=_small_window(LATER + LATER)),
        ],
        answers=[
            failed(5, "bad_digest", 101),
            failed(6, "bad_digest", 102),
            failed(7, "bad_digest", 103),
            failed(8, "bad_digest", 104),
            failed(9, "bad_digest", 105),
        ],
    ),
    Chapter(
        about="a window the panel does not have, another size, an unknown encoding, no such slot",
        at_ms=24_000,
        body=[
            put(10, 106, later=True, data=ZLIB_32K),
            put(11, 107, later=True, size=9),
            put(12, 108, later=True, encoding="rle"),
            put(13, 109, later=True, slot=9),
        ],
        answers=[
            failed(10, "capacity_limit", 106),
            failed(11, "invalid_parameters", 107),
            failed(12, "unsupported", 108),
            failed(13, "invalid_image_index", 109),
        ],
    ),
    Chapter(
        about="a label nobody hears here",
        at_ms=25_000,
        body=[put(14, 110, label="zz")],
        answers=[failed(14, "unknown_label", 110, label="zz")],
    ),
    Chapter(
        about="no message, an unknown one, one with a field out of range; the last is good",
        at_ms=30_000,
        body=[
            7,
            {"type": "sing", "id": 15},
            put(16, 111, digest=b"short"),
            {"id": 17},
            put(18, 112, later=True),
        ],
        answers=[
            failed(0, "invalid_opcode"),
            failed(15, "unsupported"),
            failed(16, "invalid_parameters"),
            failed(17, "invalid_opcode"),
            shown(18, 112, later=True),
        ],
    ),
    Chapter(
        about="the ids of two commands again: their results, and nothing is done",
        at_ms=45_000,
        body=[put(1, 113), put(4, 114)],
        answers=[shown(1, 100), failed(4, "superseded", 99)],
    ),
    Chapter(
        about="fields in another order, integers as wide as can be, unknown fields, nil for none",
        at_ms=50_000,
        body=[WIDE | dict(reversed(put(19, 115).items()))],
        answers=[shown(19, 115)],
    ),
    Chapter(
        about="its deadline has passed",
        at_ms=65_000,
        body=[put(20, 116, later=True, deadline=NOON + 65_000)],
        answers=[failed(20, "expired", 116)],
    ),
    Chapter(
        about="three at once: one is painted, the next is replaced while it waits",
        at_ms=70_000,
        body=[put(21, 117, later=True), put(22, 118), put(23, 119)],
        answers=[
            failed(22, "superseded", 118),
            shown(21, 117, later=True),
            shown(23, 119),
        ],
    ),
    Chapter(
        about="an older revision behind a newer one that waits",
        at_ms=100_000,
        body=[put(24, 120, later=True), put(25, 122), put(26, 121)],
        answers=[
            failed(26, "superseded", 121),
            shown(24, 120, later=True),
            shown(25, 122),
        ],
    ),
    Chapter(
        about="the deadline passes while it waits",
        at_ms=130_000,
        body=[put(27, 123, later=True), put(28, 124, deadline=NOON + 135_000)],
        answers=[shown(27, 123, later=True), failed(28, "expired", 124)],
    ),
    Chapter(
        about="a pairing that ended",
        at_ms=150_000,
        body=[put(29, 125, epoch=3)],
        answers=[shown(29, 125)],
    ),
    Chapter(
        about="after which the one before counts no more",
        at_ms=165_000,
        body=[put(30, 126, later=True, epoch=2)],
        answers=[failed(30, "invalid_state", 126)],
    ),
    Chapter(
        about="beyond level basic",
        at_ms=170_000,
        only="basic",
        body=BEYOND_BASIC,
        answers=[failed(60, "unsupported", 400), failed(61, "unsupported", 401)]
        + [failed(62, "unsupported", 402)]
        + [failed(number, "unsupported") for number in range(63, 67)],
    ),
)
SEEN = {"label": LABEL, "shown_rev": 125, "shown_digest": DIGEST.hex()}


def body_of(chapter: Chapter) -> bytes:
    """The bytes of a chapter's commands: canonical, but for the one that is as wide as can be."""
    if any("x-later" in message for message in chapter.body if isinstance(message, dict)):
        return plain_msgpack.pack_wide(chapter.body)
    return msgspec.msgpack.encode(chapter.body)


def story_file() -> dict[str, Any]:
    return {
        "name": "story-basic",
        "about": "A label's life at level basic: commands, and the answers that must come.",
        "label": LABEL,
        "panel": {"id": "tiny", "frame_bytes": len(FRAME), "slots": 2, "zlib_window_bits": 12},
        "paint_ms": PAINT_MS,
        "noon": NOON,
        "steps": [
            {"about": chapter.about}
            | ({"only": chapter.only} if chapter.only else {})
            | {
                "at": NOON + chapter.at_ms,
                "body_hex": body_of(chapter).hex(),
                "answers": chapter.answers,
            }
            for chapter in CHAPTERS
        ],
        "report_hex": msgspec.msgpack.encode([Report(id=99)]).hex(),
        "seen": SEEN,
    }
