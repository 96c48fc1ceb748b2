"""The bytes of the protocol stand in `tests/golden/wire`; code may only agree with them."""

import hashlib
import json
import os
import zlib
from typing import Any

import msgspec
import pytest

from gateway.wire import codec, errors, failures, messages
from gateway.wire.signing import Gatekeeper, PublicKeys, SigningKey, open_sealed, seal
from tests.unit.gateway.wire import golden_files, plain_msgpack, wire_vectors
from tests.unit.gateway.wire.wire_vectors import BY_NAME, FRAME, LATER, VECTORS, Vector

UPDATE = os.environ.get("ESL_UPDATE_GOLDEN") == "1"
FILES = golden_files.files()


def golden(stem: str) -> dict:
    return json.loads(golden_files.path_of(stem).read_text())


def decode(vector: Vector, payload: bytes) -> list:
    match vector.message:
        case messages.GatewayState():
            return [codec.decode_state(payload)]
        case messages.Event():
            decoded = codec.decode_events(payload)
        case _:
            decoded = codec.decode_commands(payload)
    assert decoded.rejected == []
    return decoded.messages


@pytest.fixture(scope="module", autouse=True)
def _update_when_asked() -> None:
    if UPDATE:
        for stale in golden_files.FOLDER.glob("*.json"):
            stale.unlink()
        for stem, content in FILES.items():
            golden_files.path_of(stem).write_text(golden_files.text_of(content))


def test_there_is_a_vector_for_every_message_and_a_message_for_every_vector() -> None:
    assert {path.stem for path in golden_files.FOLDER.glob("*.json")} == set(FILES)
    told = {type(vector.message) for vector in VECTORS}
    assert told == {
        *messages.Command.__args__,
        *messages.AnyEvent.__args__,
        messages.GatewayState,
    }


@pytest.mark.parametrize("stem", FILES)
def test_the_code_writes_exactly_the_golden_files(stem: str) -> None:
    assert FILES[stem] == golden(stem)


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector.name)
def test_a_golden_payload_reads_back_as_its_message(vector: Vector) -> None:
    payload = bytes.fromhex(golden(vector.name)["hex"])

    assert vector.payload == payload
    assert decode(vector, payload) == [vector.message]


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector.name)
def test_a_second_reader_finds_the_same_fields_in_the_same_order(vector: Vector) -> None:
    stored = golden(vector.name)

    value = plain_msgpack.unpack(bytes.fromhex(stored["hex"]))

    fields = value if isinstance(vector.message, messages.GatewayState) else value[0]
    as_json = golden_files.readable(fields) if isinstance(fields, list) else hexed(fields)
    assert as_json == stored["message"]
    declared = [name for name in type(vector.message).__struct_fields__ if name in fields]
    assert [name for name in fields if name != "type"] == declared


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector.name)
def test_any_order_any_width_and_unknown_fields_read_the_same(vector: Vector) -> None:
    value = plain_msgpack.unpack(vector.payload)
    unknown = {"x-later": [{"deep": [1, -1, b"?"]}], "x-none": None}

    def turned(fields: dict) -> dict:
        return unknown | dict(reversed(fields.items()))

    wide = turned(value) if isinstance(value, dict) else [turned(fields) for fields in value]

    assert decode(vector, plain_msgpack.pack_wide(wide)) == [vector.message]


@pytest.mark.parametrize("stem", ["signed-put", "signed-batch"])
def test_a_signed_payload_can_be_checked_step_by_step(stem: str) -> None:
    step = {
        key: bytes.fromhex(value)
        for key, value in golden(stem).items()
        if key.endswith(("_hex", "_key")) or key in ("hex", "seed")
    }
    key = SigningKey.from_seed(step["seed"])
    keys = PublicKeys({golden(stem)["key_id"]: step["public_key"]})

    header, body, signature = plain_msgpack.unpack(step["hex"])

    assert header == list(golden(stem)["header"].values())
    assert step["hex"][1:].startswith(step["header_hex"])
    assert (body, signature) == (step["body_hex"], step["signature_hex"])
    assert step["signed_hex"] == step["header_hex"] + step["body_hex"]
    assert hashlib.sha256(step["public_key"]).hexdigest()[:8] == golden(stem)["key_id"]
    assert key.sign(step["signed_hex"]) == signature
    assert seal(key, messages.Header(*header), body) == step["hex"]
    assert open_sealed(step["hex"], keys) == (messages.Header(*header), body)
    commands = [hexed(command) for command in plain_msgpack.unpack(body)]
    assert commands == golden(stem)["commands"]


VERDICTS = {
    errors.NotForUs: "not_for_us",
    errors.WrongSession: "wrong_session",
    errors.Expired: "expired",
    errors.Replayed: "replayed",
    errors.BadSignature: "bad_signature",
    errors.BadPayload: "bad_payload",
}


def verdict_on(keeper: Gatekeeper, payload: bytes, story: dict) -> str:
    try:
        body = keeper.admit(payload, story["now"])
    except errors.WireError as refusal:
        return VERDICTS[type(refusal)]
    assert body.hex() == story["body_hex"]
    return "admit"


def keys_of(story: dict) -> PublicKeys:
    return PublicKeys({name: bytes.fromhex(key) for name, key in story["keys"].items()})


def test_the_gatekeeper_gives_the_published_verdicts() -> None:
    story = golden("gatekeeper")
    keeper = Gatekeeper(gateway=story["gateway"], session=story["session"], keys=keys_of(story))

    for step in story["steps"]:
        verdict = verdict_on(keeper, bytes.fromhex(step["hex"]), story)
        assert verdict == step["verdict"], step["about"]


def test_a_rotation_of_keys_is_believed_as_published() -> None:
    story = golden("rotation")
    keeper = Gatekeeper(
        gateway=story["gateway"], session=story["session"], keys=keys_of(story["phases"][0])
    )

    for phase in story["phases"]:
        keeper.keys = keys_of(phase)
        told = [verdict_on(keeper, bytes.fromhex(step["hex"]), story) for step in phase["steps"]]
        assert told == [step["verdict"] for step in phase["steps"]], phase["about"]


def test_there_is_a_vector_of_every_failure_code() -> None:
    codes = {
        vector.message.code: vector.name
        for vector in VECTORS
        if isinstance(vector.message, messages.Failed) and vector.message.id
    }
    assert set(codes) == {code.value for code in failures.FailureCode}


def test_the_pictures_of_the_vectors_decode_to_their_digests() -> None:
    def put(name: str) -> messages.Put:
        return BY_NAME[name].message

    assert hashlib.sha256(put("put-raw").data).digest() == put("put-raw").digest
    for name in ("put-zlib", "put-stage"):
        assert zlib.decompress(put(name).data, wbits=12) == FRAME
    for name in ("put-xor-zlib", "put-stage-delta"):
        delta = zlib.decompress(put(name).data, wbits=12)
        later = bytes(new ^ old for new, old in zip(delta, FRAME, strict=True))
        assert later == LATER
        assert hashlib.sha256(later).digest() == put(name).digest
    parts = put("put-part-1").data + put("put-part-2").data
    assert len(parts) == put("put-part-1").total
    assert zlib.decompress(parts) == FRAME
    first, rest = (BY_NAME[f"firmware-part-{n}"].message for n in (1, 2))
    assert rest.offset == len(first.data)
    image = first.data + rest.data
    assert len(image) == first.total
    assert hashlib.sha256(image).digest() == first.digest == rest.digest


def test_the_test_key_is_the_one_other_libraries_publish() -> None:
    public = "03a107bff3ce10be1d70dd18e74bc09967e4d6309ba50d5f1ddc8664125531b8"
    assert wire_vectors.KEY.public_key.hex() == public


def test_no_integer_of_the_vectors_is_longer_than_it_must_be() -> None:
    for vector in VECTORS:
        value = plain_msgpack.unpack(vector.payload)
        assert msgspec.msgpack.encode(value) == vector.payload


def hexed(value: Any) -> Any:
    """The plain reader's value as the JSON files spell it: bytes as hex."""
    match value:
        case dict():
            return {key: hexed(item) for key, item in value.items()}
        case list():
            return [hexed(item) for item in value]
        case bytes():
            return value.hex()
    return value
