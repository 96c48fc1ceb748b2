"""The messages of the golden vectors: every command, every event, with and without options."""

import hashlib
from dataclasses import dataclass
from typing import Any

from gateway.wire.codec import encode_commands, encode_events, encode_state
from gateway.wire.failures import FailureCode
from gateway.wire.messages import (
    Accepted,
    AnyEvent,
    Cancel,
    CancelEntry,
    Command,
    Config,
    Event,
    Failed,
    Firmware,
    Forget,
    GatewayState,
    Heartbeat,
    Hello,
    Led,
    Pressed,
    Put,
    Report,
    Seen,
    Show,
    ShowEntry,
    Shown,
    Stored,
    Tapped,
    Time,
)
from gateway.wire.signing import SigningKey

SEED = bytes(range(32))
KEY = SigningKey.from_seed(SEED)
GATEWAY = "gw-1"
SESSION = "7c3a9f02-1"
NOON = 1_767_268_800_000  # 2026-01-01T12:00:00Z

# A picture of 8 × 4 pixels, codes black 0, white 1, yellow 2, red 3, four pixels a byte:
# a black row, a white row, a yellow row, and the row KWYRKWYR. LATER has the yellow row red.
FRAME = bytes.fromhex("0000 5555 aaaa 1b1b")
LATER = bytes.fromhex("0000 5555 ffff 1b1b")
DIGEST = hashlib.sha256(FRAME).digest()
LATER_DIGEST = hashlib.sha256(LATER).digest()
# zlib streams are written down, not made here: other zlib versions make other bytes.
ZLIB_FRAME = bytes.fromhex("48c76360080d5db54a5a1a0008a60235")
ZLIB_XOR = bytes.fromhex("48c763606060080d65600000025b00ab")

FIRMWARE = b"new firmware"


@dataclass(frozen=True, slots=True)
class Vector:
    """One message as one payload, with what a reader should notice."""

    name: str
    about: str
    message: Command | AnyEvent | GatewayState

    @property
    def payload(self) -> bytes:
        match self.message:
            case GatewayState():
                return encode_state(self.message)
            case Event():
                return encode_events([self.message])
            case _:
                return encode_commands([self.message])


def _put(**changes: Any) -> Put:
    fields: dict[str, Any] = {
        "id": 17,
        "label": "a1b2c3",
        "epoch": 3,
        "slot": 0,
        "rev": 4711,
        "digest": DIGEST,
        "size": 8,
        "encoding": "raw",
        "data": FRAME,
        "show": True,
        "deadline": NOON + 60_000,
    }
    return Put(**(fields | changes))


_WHOLE_COMMAND = frozenset(  # what is told of a command, not of one of its labels
    {FailureCode.INVALID_OPCODE, FailureCode.INVALID_PARAMETERS, FailureCode.UNSUPPORTED}
)


def _failure(code: FailureCode, number: int) -> Vector:
    """One vector of every code, as a gateway would say it of put-zlib or of a whole command."""
    about_label: dict[str, Any] = {} if code in _WHOLE_COMMAND else {"label": "a1b2c3", "rev": 4711}
    return Vector(
        f"failed-{code.replace('_', '-')}",
        f"The code `{code}`.",
        Failed(session=SESSION, seq=20 + number, id=18, code=code, **about_label),
    )


def _firmware_part(offset: int) -> Firmware:
    return Firmware(
        id=36,
        target="bwry-296x128",
        version="0.9.3",
        digest=hashlib.sha256(FIRMWARE).digest(),
        offset=offset,
        total=len(FIRMWARE),
        data=FIRMWARE[offset : offset + 6],
    )


VECTORS = (
    Vector("put-raw", "Store and paint a picture of 8 × 4 pixels, sent as it is.", _put()),
    Vector(
        "put-zlib",
        "The same picture as a zlib stream with a window of 4 KiB (first byte 0x48).",
        _put(id=18, encoding="zlib", data=ZLIB_FRAME),
    ),
    Vector(
        "put-stage",
        "The same picture into slot 1, not painted: it waits for a `show`.",
        _put(id=19, slot=1, rev=4712, encoding="zlib", data=ZLIB_FRAME, show=False),
    ),
    Vector(
        "put-xor-zlib",
        "A change of it: zlib of (new frame XOR the frame whose digest is `base`).",
        _put(
            id=20,
            rev=4713,
            digest=LATER_DIGEST,
            encoding="xor-zlib",
            data=ZLIB_XOR,
            base=DIGEST,
        ),
    ),
    Vector(
        "put-stage-delta",
        "The same change into slot 1, for later: a delta against what the label shows.",
        _put(
            id=34,
            slot=1,
            rev=4718,
            digest=LATER_DIGEST,
            encoding="xor-zlib",
            data=ZLIB_XOR,
            show=False,
            base=DIGEST,
        ),
    ),
    Vector(
        "put-part-1",
        "The first 10 of 16 bytes of the zlib stream of put-zlib; same id in every part.",
        _put(id=21, rev=4714, encoding="zlib", data=ZLIB_FRAME[:10], offset=0, total=16),
    ),
    Vector(
        "put-part-2",
        "The rest; painted now, if the digest of the decoded whole fits.",
        _put(id=21, rev=4714, encoding="zlib", data=ZLIB_FRAME[10:], offset=10, total=16),
    ),
    Vector(
        "show-now",
        "Paint what slot 1 holds, now.",
        Show(id=22, entries=[ShowEntry("a1b2c3", 4715, 1, DIGEST)]),
    ),
    Vector(
        "show-timed",
        "Two labels change together at 2026-01-01T12:00:00Z, each with its own picture.",
        Show(
            id=23,
            entries=[
                ShowEntry("a1b2c3", 4716, 1, DIGEST),
                ShowEntry("a1b2c4", 4717, 0, LATER_DIGEST),
            ],
            at=NOON,
        ),
    ),
    Vector(
        "show-end",
        "The second pending show of a label: back to slot 0 when the promotion ends, a week later.",
        Show(id=35, entries=[ShowEntry("a1b2c3", 4719, 0, LATER_DIGEST)], at=NOON + 604_800_000),
    ),
    Vector(
        "cancel",
        "Drop the pending shows of show-timed.",
        Cancel(id=24, entries=[CancelEntry("a1b2c3", 4716), CancelEntry("a1b2c4", 4717)]),
    ),
    Vector(
        "led",
        "Blink green, brightest, on-off-on-off, 200 ms each, ten times.",
        Led(
            id=25,
            labels=["a1b2c3"],
            colour=0b11_00_11_00,
            pattern=bytes.fromhex("000000000a"),
            on_ms=200,
            off_ms=200,
            repeats=10,
        ),
    ),
    Vector(
        "led-timed",
        "Switch the light off at noon.",
        Led(
            id=26,
            labels=["a1b2c3", "a1b2c4"],
            colour=0,
            pattern=bytes(5),
            on_ms=2,
            off_ms=2,
            repeats=0,
            at=NOON,
        ),
    ),
    Vector("report-all", "Ask for `seen` of every label.", Report(id=27)),
    Vector("report-some", "Ask for `seen` of one label.", Report(id=28, labels=["a1b2c3"])),
    Vector("forget", "The label leaves this shop.", Forget(id=29, label="a1b2c3", epoch=3)),
    Vector(
        "firmware",
        "The whole of a tiny image, to be taken into use at noon.",
        Firmware(
            id=30,
            target="gateway",
            version="1.4.0",
            digest=hashlib.sha256(FIRMWARE).digest(),
            offset=0,
            total=len(FIRMWARE),
            data=FIRMWARE,
            at=NOON,
        ),
    ),
    Vector(
        "firmware-part-1",
        "The first 6 of 12 bytes of an image for all labels of one model; same id in every part.",
        _firmware_part(0),
    ),
    Vector(
        "firmware-part-2",
        "The rest; without `at` it is taken into use once whole and verified.",
        _firmware_part(6),
    ),
    Vector("time", "The controller's clock.", Time(id=31, now=NOON)),
    Vector(
        "config",
        "Every setting.",
        Config(id=32, beacon_s=60, heartbeat_s=15, window=8),
    ),
    Vector("config-window", "One setting; the others keep their values.", Config(id=33, window=4)),
    Vector(
        "hello",
        "The first event of a session, from a gateway of level Basic.",
        Hello(
            session=SESSION,
            seq=1,
            protocol=1,
            level="basic",
            firmware="1.3.0",
            capacity=8,
            clock=NOON,
        ),
    ),
    Vector(
        "hello-features",
        "A gateway that takes payloads of 256 KiB.",
        Hello(
            session=SESSION,
            seq=1,
            protocol=1,
            level="full",
            firmware="1.3.0",
            capacity=32,
            clock=NOON,
            features={"payload_bytes": 262_144},
        ),
    ),
    Vector(
        "heartbeat",
        "Fifteen seconds later, three commands waiting.",
        Heartbeat(
            session=SESSION,
            seq=9,
            protocol=1,
            level="basic",
            firmware="1.3.0",
            capacity=8,
            clock=NOON + 15_000,
            queued=3,
        ),
    ),
    Vector(
        "seen",
        "A beacon with everything a label may tell; slot 0 is shown, slot 1 empty.",
        Seen(
            session=SESSION,
            seq=2,
            label="a1b2c3",
            panel="bwry-296x128",
            shown_rev=4711,
            shown_digest=DIGEST,
            incarnation=2,
            slots=[(4711, DIGEST), (0, b"")],
            battery_mv=2950,
            temperature_c=-4,
            rssi_dbm=-71,
            firmware="0.9.2",
        ),
    ),
    Vector(
        "seen-new",
        "A label fresh from its box: it shows nothing of ours.",
        Seen(
            session=SESSION,
            seq=3,
            label="a1b2c4",
            panel="bwry-296x128",
            shown_rev=0,
            shown_digest=b"",
            incarnation=0,
        ),
    ),
    Vector(
        "accepted",
        "Command 17 waits in the gateway's queue.",
        Accepted(session=SESSION, seq=4, id=17),
    ),
    Vector(
        "stored",
        "Answer to put-stage.",
        Stored(session=SESSION, seq=5, id=19, label="a1b2c3", rev=4712, slot=1, digest=DIGEST),
    ),
    Vector(
        "stored-again",
        "The stored result of put-stage, repeated because its id came again.",
        Stored(session=SESSION, seq=12, id=19, label="a1b2c3", rev=4712, slot=1, digest=DIGEST),
    ),
    Vector(
        "shown-timed",
        "Answer of one label to show-timed, at its instant.",
        Shown(
            session=SESSION,
            seq=13,
            id=23,
            label="a1b2c4",
            rev=4717,
            digest=LATER_DIGEST,
            incarnation=0,
            at=NOON + 19_800,
        ),
    ),
    Vector(
        "shown",
        "Answer to put-raw, with what the label said about itself.",
        Shown(
            session=SESSION,
            seq=6,
            id=17,
            label="a1b2c3",
            rev=4711,
            digest=DIGEST,
            incarnation=2,
            at=NOON + 21_400,
            battery_mv=2940,
            temperature_c=21,
        ),
    ),
    Vector(
        "failed",
        "The label did not answer.",
        Failed(
            session=SESSION,
            seq=7,
            id=18,
            code="label_timeout",
            label="a1b2c3",
            rev=4711,
            detail="3 wake-ups missed",
        ),
    ),
    Vector(
        "failed-unreadable",
        "A message whose id could not be read.",
        Failed(session=SESSION, seq=8, id=0, code="invalid_opcode"),
    ),
    *(_failure(code, number) for number, code in enumerate(FailureCode)),
    Vector(
        "pressed",
        "Button 0 of a label.",
        Pressed(session=SESSION, seq=10, label="a1b2c3", button=0, at=NOON),
    ),
    Vector(
        "tapped",
        "A phone read the label's tag.",
        Tapped(session=SESSION, seq=11, label="a1b2c3", at=NOON),
    ),
    Vector(
        "state-online",
        "Retained on `esl/v1/gw-1/state` while the gateway is connected. No array around it.",
        GatewayState(online=True, session=SESSION, since=NOON),
    ),
    Vector(
        "state-offline",
        "The will registered by the same connection.",
        GatewayState(online=False, session=SESSION, since=NOON),
    ),
)
BY_NAME = {vector.name: vector for vector in VECTORS}
