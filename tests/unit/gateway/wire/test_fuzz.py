"""Whatever bytes come from the wire, only a `WireError` comes out of this package."""

import random

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from gateway.wire import codec, topics
from gateway.wire.enrolment import from_json
from gateway.wire.errors import BadPayload, WireError
from gateway.wire.messages import AnyEvent, Command
from gateway.wire.signing import Gatekeeper, PublicKeys, SigningKey, open_sealed, seal
from tests.unit.gateway.wire import wire_vectors
from tests.unit.gateway.wire.golden_files import header
from tests.unit.gateway.wire.wire_vectors import BY_NAME, KEY, NOON, VECTORS, Vector

KEYS = PublicKeys.of(KEY)
SEALED = seal(KEY, header(1), BY_NAME["put-raw"].payload)
GOOD = [vector.payload for vector in VECTORS] + [SEALED]


def swallow(payload: bytes) -> None:
    """Give the bytes to every reader there is."""
    keeper = Gatekeeper(gateway="gw-1", session=wire_vectors.SESSION, keys=KEYS)
    for reader in (
        codec.decode_events,
        codec.decode_commands,
        codec.decode_state,
        lambda data: open_sealed(data, KEYS),
        lambda data: keeper.admit(data, NOON),
        from_json,
        SigningKey.from_pem,
        lambda data: topics.parse_topic(data.decode("latin-1")),
    ):
        try:
            taken = reader(payload)
        except WireError:
            continue
        if isinstance(taken, codec.Decoded):
            in_bounds(taken)


def in_bounds(decoded: codec.Decoded) -> None:
    """What was taken can be written again, and read again as the same."""
    for message in decoded.messages:
        if isinstance(message, AnyEvent):
            assert codec.decode_events(codec.encode_events([message])).messages == [message]
        else:
            assert isinstance(message, Command)
            assert codec.decode_commands(codec.encode_commands([message])).messages == [message]


@settings(deadline=None, max_examples=400)
@given(st.binary(max_size=300))
@example(b"\x91" * 5000)
@example(b"\x81\xa4type" * 5000)
@example(b"\x93" + b"\x91" * 5000)
@example(b"[" * 5000)
@example(b"\xc7\xff\xff")
@example(b"\x91\xd6\xff\xff\xff\xff\xff")
@pytest.mark.asvs("1.5.2")
def test_random_bytes_do_no_harm(payload: bytes) -> None:
    swallow(payload)


@settings(deadline=None, max_examples=400)
@given(st.sampled_from(GOOD), st.data())
@pytest.mark.asvs("1.5.2")
def test_spoiled_payloads_do_no_harm(good: bytes, data: st.DataObject) -> None:
    payload = bytearray(good)
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(payload) - 1))
        payload[at] = data.draw(st.integers(0, 255))
    swallow(bytes(payload))
    swallow(bytes(payload[: data.draw(st.integers(0, len(payload)))]))


values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats()
    | st.text(max_size=70)
    | st.binary(max_size=40),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=9), inner),
    max_leaves=8,
)


@settings(deadline=None, max_examples=400)
@given(st.sampled_from(VECTORS), st.data())
def test_fields_of_any_type_and_value_do_no_harm(vector: Vector, data: st.DataObject) -> None:
    wire_name = vector.message.__struct_config__.tag
    names = list(vector.message.__struct_fields__)
    fields = {} if wire_name is None else {"type": wire_name}
    fields |= {name: data.draw(values) for name in names}
    # msgspec writes floats and 64-bit integers that a real sender might; NaN among them.
    swallow(codec._ENCODER.encode([fields]))
    swallow(codec._ENCODER.encode(fields))


def test_every_truncation_of_every_golden_payload_is_refused() -> None:
    readers = (codec.decode_events, codec.decode_commands, codec.decode_state)
    for good in GOOD:
        for end in range(len(good)):
            for reader in readers:
                with pytest.raises(BadPayload):
                    reader(good[:end])


def test_every_bit_flip_of_every_golden_payload_does_no_harm() -> None:
    for good in GOOD:
        for bit in range(len(good) * 8):
            flipped = bytearray(good)
            flipped[bit // 8] ^= 1 << bit % 8
            for reader in (codec.decode_events, codec.decode_commands, codec.decode_state):
                try:
                    reader(bytes(flipped))
                except WireError:
                    continue


def test_a_flood_of_seeded_noise_does_no_harm() -> None:
    noise = random.Random(1)
    for _ in range(3000):
        good = noise.choice(GOOD)
        cut = noise.randrange(len(good))
        swallow(good[:cut] + noise.randbytes(noise.randrange(40)) + good[cut:])
