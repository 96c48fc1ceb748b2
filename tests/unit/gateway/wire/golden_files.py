"""The golden files: how messages and signed payloads are published as JSON.

The files in `tests/golden/wire` are part of the protocol. They change only together with it:
`ESL_UPDATE_GOLDEN=1 pytest tests/unit/gateway/wire/test_golden.py` writes them anew.
"""

import json
from pathlib import Path
from typing import Any

import msgspec

from gateway.wire.codec import encode_commands
from gateway.wire.messages import Command, Header, Report
from gateway.wire.signing import SigningKey, seal
from tests.unit.gateway.wire.stories import story_file
from tests.unit.gateway.wire.wire_vectors import (
    BY_NAME,
    GATEWAY,
    KEY,
    NOON,
    SEED,
    SESSION,
    VECTORS,
    Vector,
)

FOLDER = Path(__file__).parents[3] / "golden" / "wire"


def readable(value: Any) -> Any:
    """A message as JSON: what is on the wire, bytes as lower-case hex."""
    match value:
        case msgspec.Struct() if value.__struct_config__.array_like:
            return [readable(getattr(value, name)) for name in value.__struct_fields__]
        case msgspec.Struct():
            tag = {"type": value.__struct_config__.tag} if value.__struct_config__.tag else {}
            fields = {name: getattr(value, name) for name in value.__struct_fields__}
            return tag | {
                name: readable(field)
                for name, field in fields.items()
                if (field is not None and field not in ([], {}, "")) or name == "shown_digest"
            }
        case list() | tuple():
            return [readable(item) for item in value]
        case bytes():
            return value.hex()
        case _:
            return value


def header(counter: int, **changes: Any) -> Header:
    fields: dict[str, Any] = {
        "version": 1,
        "key_id": KEY.key_id,
        "gateway": GATEWAY,
        "session": SESSION,
        "counter": counter,
        "expires": NOON + 120_000,
    }
    return Header(**(fields | changes))


def message_file(vector: Vector) -> dict[str, Any]:
    return {
        "name": vector.name,
        "about": vector.about,
        "message": readable(vector.message),
        "hex": vector.payload.hex(),
    }


def signed_file(name: str, about: str, head: Header, commands: list[Command]) -> dict[str, Any]:
    """One ``down`` payload with every step of its signature."""
    head_bytes = msgspec.msgpack.encode(head)
    body = encode_commands(commands)
    return {
        "name": name,
        "about": about,
        "seed": SEED.hex(),
        "public_key": KEY.public_key.hex(),
        "key_id": KEY.key_id,
        "header": dict(zip(Header.__struct_fields__, readable(head), strict=True)),
        "header_hex": head_bytes.hex(),
        "commands": readable(commands),
        "body_hex": body.hex(),
        "signed_hex": (head_bytes + body).hex(),
        "signature_hex": KEY.sign(head_bytes + body).hex(),
        "hex": seal(KEY, head, body).hex(),
    }


def gatekeeper_file() -> dict[str, Any]:
    """Payloads in the order they arrive, and what a gateway does with each."""
    body = encode_commands([Report(id=1)])
    first = seal(KEY, header(1), body)
    stranger = SigningKey.from_seed(bytes(32))
    late = header(4, expires=NOON)
    other_version = header(4, version=2)
    forged = bytearray(seal(KEY, header(9), body))
    forged[-70] ^= 1  # in the body, which ends 66 bytes before the end
    steps = [
        ("the first payload of the session", first, "admit"),
        ("the broker delivers it twice", first, "replayed"),
        ("the next one; counters may skip", seal(KEY, header(3), body), "admit"),
        ("an overtaken one", seal(KEY, header(2), body), "replayed"),
        ("one bit of the body changed", bytes(forged), "bad_signature"),
        ("after which the counter has not moved", seal(KEY, header(4), body), "admit"),
        (
            "signed by a key that was not enrolled",
            seal(stranger, header(5, key_id=stranger.key_id), body),
            "bad_signature",
        ),
        ("for another gateway", seal(KEY, header(5, gateway="gw-2"), body), "not_for_us"),
        ("for an older session", seal(KEY, header(5, session="7c3a9f02-0"), body), "wrong_session"),
        ("expires at this very millisecond", seal(KEY, late, body), "expired"),
        ("another version of the protocol", seal(KEY, other_version, body), "bad_payload"),
        ("commands without header and signature", body, "bad_payload"),
        ("still in order after all that", seal(KEY, header(5), body), "admit"),
    ]
    return {
        "name": "gatekeeper",
        "about": "Payloads in the order of arrival at one gateway, and the verdict on each.",
        "gateway": GATEWAY,
        "session": SESSION,
        "now": NOON,
        "keys": {KEY.key_id: KEY.public_key.hex()},
        "body_hex": body.hex(),
        "steps": [
            {"about": about, "hex": payload.hex(), "verdict": verdict}
            for about, payload, verdict in steps
        ],
    }


def rotation_file() -> dict[str, Any]:
    """A key rotation as one gateway lives it: three enrolments, and who is believed under each."""
    body = encode_commands([Report(id=1)])
    new = SigningKey.from_seed(bytes(reversed(SEED)))

    def signed(key: SigningKey, counter: int) -> bytes:
        return seal(key, header(counter, key_id=key.key_id), body)

    def phase(about: str, keys: list[SigningKey], *steps: tuple[SigningKey, int, str]) -> Any:
        return {
            "about": about,
            "keys": {key.key_id: key.public_key.hex() for key in keys},
            "steps": [
                {"hex": signed(key, counter).hex(), "verdict": verdict}
                for key, counter, verdict in steps
            ],
        }

    return {
        "name": "rotation",
        "about": "Payloads of one session while the signing key changes, enrolment by enrolment.",
        "gateway": GATEWAY,
        "session": SESSION,
        "now": NOON,
        "body_hex": body.hex(),
        "phases": [
            phase(
                "enrolled with the old key",
                [KEY],
                (KEY, 1, "admit"),
                (new, 2, "bad_signature"),
            ),
            phase(
                "enrolled with both",
                [KEY, new],
                (KEY, 3, "admit"),
                (new, 4, "admit"),
                (KEY, 5, "admit"),
            ),
            phase(
                "enrolled with the new key",
                [new],
                (KEY, 6, "bad_signature"),
                (new, 7, "admit"),
            ),
        ],
    }


def files() -> dict[str, dict[str, Any]]:
    """Every golden file of this protocol that the code can write, by its stem."""
    put = BY_NAME["put-raw"].message
    batch = [BY_NAME[name].message for name in ("put-zlib", "report-some")]
    return {vector.name: message_file(vector) for vector in VECTORS} | {
        "signed-put": signed_file("signed-put", "put-raw, signed.", header(1), [put]),
        "signed-batch": signed_file(
            "signed-batch", "Two commands under one signature.", header(2), batch
        ),
        "gatekeeper": gatekeeper_file(),
        "rotation": rotation_file(),
        "story-basic": story_file(),
    }


def path_of(stem: str) -> Path:
    return FOLDER / f"{stem}.json"


def text_of(content: dict[str, Any]) -> str:
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"
