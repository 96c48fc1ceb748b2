"""Bad messages fall alone, and bytes that are no payload fall whole."""

import msgspec
import pytest

from gateway.wire import codec, messages
from gateway.wire.errors import BadPayload
from gateway.wire.failures import FailureCode
from gateway.wire.messages import Accepted, Shown
from tests.unit.gateway.wire import plain_msgpack
from tests.unit.gateway.wire.wire_vectors import BY_NAME, DIGEST, VECTORS, Vector

EVENTS = [v.message for v in VECTORS if type(v.message) in messages.AnyEvent.__args__]


def fields_of(name: str) -> dict:
    """One vector's message as a plain map, to be spoiled."""
    return plain_msgpack.unpack(BY_NAME[name].payload)[0]


def read(fields: object, *, neighbours: bool = True) -> codec.Decoded:
    """Decode one spoiled message between two good ones."""
    good = fields_of("report-all") if is_command(fields) else fields_of("accepted")
    parts = [good, fields, good] if neighbours else [fields]
    payload = msgspec.msgpack.encode(parts)
    decode = codec.decode_commands if is_command(fields) else codec.decode_events
    return decode(payload)


def is_command(fields: object) -> bool:
    return isinstance(fields, dict) and fields.get("type") in codec.COMMAND_NAMES


def test_digests_are_hex_inside_and_bytes_outside() -> None:
    assert codec.digest_bytes(DIGEST.hex()) == DIGEST
    assert codec.digest_hex(DIGEST) == DIGEST.hex()
    assert codec.digest_bytes("") == b""
    assert codec.digest_hex(b"") == ""


@pytest.mark.parametrize("text", ["ab", "zz" * 32, "a" * 63, "ab" * 33])
def test_a_digest_of_another_length_or_alphabet_is_no_digest(text: str) -> None:
    with pytest.raises(ValueError, match="hex"):
        codec.digest_bytes(text)


def test_a_message_knows_its_name_on_the_wire() -> None:
    assert BY_NAME["put-raw"].message.name == "put"
    assert {"put", "show", "config"} <= codec.COMMAND_NAMES
    assert {"seen", "tapped"} <= codec.EVENT_NAMES
    assert not codec.COMMAND_NAMES & codec.EVENT_NAMES


# -- bad messages among good ones -------------------------------------------------------------


def test_an_unknown_type_is_told_apart_from_a_bad_message() -> None:
    payload = msgspec.msgpack.encode(
        [
            fields_of("put-raw"),
            {"type": "sing", "id": 5, "song": [1, 2]},
            fields_of("put-raw") | {"rev": "4711"},
            {"id": 7},
            [1, 2, 3],
            fields_of("report-all"),
        ]
    )

    decoded = codec.decode_commands(payload)

    assert [message.name for message in decoded.messages] == ["put", "report"]
    told = [(r.position, r.type, r.id, r.known, r.code) for r in decoded.rejected]
    assert told == [
        (1, "sing", 5, False, FailureCode.UNSUPPORTED),
        (2, "put", 17, True, FailureCode.INVALID_PARAMETERS),
        (3, None, 7, False, FailureCode.INVALID_OPCODE),
        (4, None, None, False, FailureCode.INVALID_OPCODE),
    ]
    assert "rev" in decoded.rejected[1].reason


@pytest.mark.parametrize("element", [b"\xc0", b"\x80", b"\x81\xa4type\xa4seen"])
def test_a_payload_of_thousands_of_bad_elements_is_not_read_one_by_one(element: bytes) -> None:
    most = codec.MESSAGES_MOST
    few = b"\xdd" + most.to_bytes(4, "big") + element * most
    many = b"\xdd" + (most + 1).to_bytes(4, "big") + element * (most + 1)

    assert len(codec.decode_events(few).rejected) == most
    with pytest.raises(BadPayload, match="4097 elements"):
        codec.decode_events(many)


def test_an_event_is_no_command() -> None:
    decoded = codec.decode_commands(BY_NAME["accepted"].payload)

    assert [(r.type, r.known) for r in decoded.rejected] == [("accepted", False)]


@pytest.mark.parametrize(
    ("vector", "field", "value"),
    [
        ("put-raw", "id", 0),
        ("put-raw", "id", -1),
        ("put-raw", "id", 2**53),
        ("put-raw", "id", 2**64 - 1),
        ("put-raw", "id", 1.0),
        ("put-raw", "id", True),
        ("put-raw", "label", ""),
        ("put-raw", "label", "A1"),
        ("put-raw", "label", "a/b"),
        ("put-raw", "label", "a1\n"),
        ("put-raw", "label", "a" * 65),
        ("put-raw", "label", b"a1"),
        ("put-raw", "label", "ä1"),
        ("put-raw", "slot", 256),
        ("put-raw", "rev", 0),
        ("put-raw", "digest", bytes(31)),
        ("put-raw", "digest", b""),
        ("put-raw", "digest", "a" * 32),
        ("put-raw", "size", 2**24 + 1),
        ("put-raw", "data", "text"),
        ("put-raw", "show", 1),
        ("put-raw", "deadline", -5),
        ("put-raw", "base", DIGEST),
        ("put-raw", "offset", 0),
        ("put-raw", "total", 8),
        ("put-xor-zlib", "base", None),
        ("put-part-2", "total", 15),
        ("show-now", "entries", [["a1", 1, 0]]),
        ("show-now", "entries", {}),
        ("show-timed", "at", -1),
        ("led", "pattern", bytes(4)),
        ("led", "on_ms", 0),
        ("led", "repeats", 40_000),
        ("firmware", "offset", 1),
        ("firmware", "version", "1\x002"),
        ("report-some", "labels", ["a1", "B"]),
        ("config", "window", 0),
        ("seen", "seq", 0),
        ("seen", "session", "a b"),
        ("seen", "shown_digest", bytes(31)),
        ("seen", "slots", [[1, bytes(5)]]),
        ("seen", "slots", [[1]]),
        ("seen", "slots", [[0, b""]] * 257),
        ("seen", "battery_mv", -1),
        ("seen", "battery_mv", 10_001),
        ("seen", "battery_mv", 3.1),
        ("seen", "battery_mv", float("nan")),
        ("seen", "temperature_c", -61),
        ("seen", "temperature_c", 126),
        ("seen", "rssi_dbm", 21),
        ("seen", "rssi_dbm", -128),
        ("seen", "firmware", "x" * 65),
        ("shown", "at", None),
        ("failed", "code", "Bad Code"),
        ("failed", "detail", "nul\0"),
        ("failed", "detail", "x" * 257),
        ("hello", "features", {"a": -1}),
        ("hello", "features", {str(n): 1 for n in range(65)}),
        ("hello", "features", []),
        ("pressed", "button", 256),
    ],
)
def test_a_field_out_of_bounds_rejects_its_message_and_no_other(
    vector: str, field: str, value: object
) -> None:
    decoded = read(fields_of(vector) | {field: value})

    assert len(decoded.messages) == 2
    (rejected,) = decoded.rejected
    assert (rejected.position, rejected.known) == (1, True)
    assert rejected.code is FailureCode.INVALID_PARAMETERS


@pytest.mark.parametrize(
    "vector", [v for v in VECTORS if "state" not in v.name], ids=lambda v: v.name
)
def test_a_message_without_one_of_its_required_fields_is_rejected(vector: Vector) -> None:
    message = vector.message
    for field in msgspec.structs.fields(message):
        if not field.required:
            continue
        fields = fields_of(vector.name)
        del fields[field.encode_name]

        decoded = read(fields, neighbours=False)

        assert decoded.messages == [], field.name
        assert field.name in decoded.rejected[0].reason


def test_an_encoding_nobody_knows_yet_is_left_to_the_gateway_to_answer() -> None:
    decoded = read(fields_of("put-xor-zlib") | {"encoding": "xor-later"})

    assert [message.name for message in decoded.messages] == ["report", "put", "report"]


def test_negative_temperatures_and_signals_are_ordinary() -> None:
    decoded = read(fields_of("seen") | {"temperature_c": -40, "rssi_dbm": -110})

    assert decoded.messages[1].temperature_c == -40
    assert decoded.messages[1].rssi_dbm == -110


def test_broken_utf8_falls_alone_and_is_not_repeated_in_the_reason() -> None:
    payload = BY_NAME["failed"].payload.replace(b"3 wake-ups", b"3 wa\xff\xfe-ups")
    both = b"\x92" + payload[1:] + BY_NAME["accepted"].payload[1:]

    decoded = codec.decode_events(both)

    assert [type(message) for message in decoded.messages] == [Accepted]
    assert decoded.rejected[0].reason == "broken UTF-8"


def test_a_long_type_name_is_cut() -> None:
    decoded = read({"type": "x" * 1000})

    assert decoded.rejected[0].type == "x" * 64


def test_order_is_kept_around_a_rejected_message() -> None:
    events = [Shown(**(SHOWN | {"seq": seq})) for seq in range(1, 10)]
    maps = plain_msgpack.unpack(codec.encode_events(events))
    maps[4]["label"] = "No"

    decoded = codec.decode_events(msgspec.msgpack.encode(maps))

    assert [event.seq for event in decoded.messages] == [1, 2, 3, 4, 6, 7, 8, 9]


SHOWN = {
    "session": "s-1",
    "id": 1,
    "label": "a1",
    "rev": 1,
    "digest": DIGEST,
    "incarnation": 0,
    "at": 0,
}


# -- payloads that are none -------------------------------------------------------------------


@pytest.mark.parametrize(
    "payload",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"\xc0", id="nil"),
        pytest.param(b"\x80", id="map"),
        pytest.param(b"hello", id="text"),
        pytest.param(b"\x91", id="truncated"),
        pytest.param(b"\x90\x90", id="two values"),
        pytest.param(b"\x91\xc1", id="the byte MessagePack never uses"),
        pytest.param(b"\xdd\xff\xff\xff\xff", id="four thousand million messages"),
        pytest.param(b"\x91\xc6\xff\xff\xff\xff", id="four gigabytes of data"),
        pytest.param(b"\x91" * 60_000, id="nested 60,000 deep"),
        pytest.param(b"\x91\x81\xa1x" * 15_000, id="maps nested deep"),
    ],
)
def test_outer_junk_is_no_payload(payload: bytes) -> None:
    with pytest.raises(BadPayload):
        codec.decode_events(payload)
    with pytest.raises(BadPayload):
        codec.decode_commands(payload)
    with pytest.raises(BadPayload):
        codec.decode_state(payload)


def test_a_payload_larger_than_agreed_is_refused_before_it_is_read() -> None:
    payload = codec.encode_events(EVENTS)

    assert codec.decode_events(payload, max_bytes=len(payload)).messages == EVENTS
    with pytest.raises(BadPayload, match="more than"):
        codec.decode_events(payload, max_bytes=len(payload) - 1)
    with pytest.raises(BadPayload, match="65537 bytes"):
        codec.decode_commands(bytes(64 * 1024 + 1))


def test_an_empty_array_is_a_payload_without_messages() -> None:
    assert codec.decode_events(b"\x90") == codec.Decoded([], [])


@pytest.mark.parametrize(
    "fields",
    [
        {"online": 1, "session": "s", "since": 0},
        {"online": True, "session": "S", "since": 0},
        {"online": True, "session": "s"},
        {"online": True, "session": "s", "since": -1},
    ],
)
def test_a_state_out_of_bounds_is_refused(fields: dict[str, object]) -> None:
    with pytest.raises(BadPayload, match="no gateway state"):
        codec.decode_state(msgspec.msgpack.encode(fields))
