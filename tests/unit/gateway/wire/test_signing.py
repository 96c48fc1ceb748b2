"""A gateway obeys what its controller signed, for it, now, once; and nothing else."""

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.wire.codec import encode_commands
from gateway.wire.errors import (
    BadKey,
    BadPayload,
    BadSignature,
    Expired,
    NotForUs,
    Refused,
    Replayed,
    WireError,
    WrongSession,
)
from gateway.wire.fields import MAX_INT
from gateway.wire.messages import Header, Report
from gateway.wire.signing import (
    SEAL_OVERHEAD_BYTES,
    Gatekeeper,
    PublicKeys,
    SigningKey,
    key_id_of,
    open_sealed,
    seal,
)
from tests.unit.gateway.wire.golden_files import header
from tests.unit.gateway.wire.wire_vectors import BY_NAME, GATEWAY, KEY, NOON, SESSION

BODY = encode_commands([Report(id=1)])
NEXT_KEY = SigningKey.from_seed(bytes(reversed(range(32))))
PEM = Encoding.PEM
PKCS8 = PrivateFormat.PKCS8


def gatekeeper(*keys: SigningKey) -> Gatekeeper:
    return Gatekeeper(gateway=GATEWAY, session=SESSION, keys=PublicKeys.of(*(keys or (KEY,))))


# -- keys -------------------------------------------------------------------------------------


def test_a_key_survives_its_file() -> None:
    key = SigningKey.generate()

    again = SigningKey.from_pem(key.to_pem())

    assert again.public_key == key.public_key
    assert again.key_id == key.key_id == key_id_of(key.public_key)
    assert again.sign(b"x") == key.sign(b"x")


def test_two_generated_keys_differ() -> None:
    assert SigningKey.generate().public_key != SigningKey.generate().public_key


def test_a_key_never_shows_its_secret() -> None:
    assert repr(KEY) == f"SigningKey({KEY.key_id})"


@pytest.mark.parametrize(
    "pem",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----", id="junk"),
        pytest.param(
            generate_private_key(SECP256R1()).private_bytes(PEM, PKCS8, NoEncryption()),
            id="another algorithm",
        ),
        pytest.param(
            load_pem_private_key(KEY.to_pem(), None).private_bytes(
                PEM, PKCS8, BestAvailableEncryption(b"secret")
            ),
            id="encrypted",
        ),
    ],
)
@pytest.mark.asvs("11.6.1")
def test_a_file_that_is_no_plain_ed25519_key_is_refused(pem: bytes) -> None:
    with pytest.raises(BadKey):
        SigningKey.from_pem(pem)


def test_a_public_key_must_be_the_one_it_is_named() -> None:
    with pytest.raises(BadKey):
        PublicKeys({NEXT_KEY.key_id: KEY.public_key})
    with pytest.raises(BadKey):
        PublicKeys({key_id_of(b"short"): b"short"})


def test_public_keys_are_a_mapping() -> None:
    keys = PublicKeys.of(KEY, NEXT_KEY)

    assert dict(keys) == {KEY.key_id: KEY.public_key, NEXT_KEY.key_id: NEXT_KEY.public_key}
    assert len(keys) == 2


# -- sealed payloads --------------------------------------------------------------------------


@settings(deadline=None, max_examples=50)
@given(st.binary(max_size=70_000), st.integers(1, MAX_INT), st.integers(0, MAX_INT))
def test_what_was_sealed_opens_to_the_same(body: bytes, counter: int, expires: int) -> None:
    head = header(counter, expires=expires)

    payload = seal(KEY, head, body)

    assert open_sealed(payload, PublicKeys.of(KEY), max_bytes=80_000) == (head, body)


def test_sealing_with_another_key_than_the_header_names_is_our_mistake() -> None:
    with pytest.raises(BadKey):
        seal(NEXT_KEY, header(1), BODY)


def test_the_longest_header_stays_within_the_announced_overhead() -> None:
    head = Header(1, KEY.key_id, "g" * 64, "s" * 64, MAX_INT, MAX_INT)
    body = bytes(65_536)

    assert len(seal(KEY, head, body)) - len(body) <= SEAL_OVERHEAD_BYTES


@pytest.mark.parametrize("name", ["put-raw", "put-part-1", "show-timed"])
@pytest.mark.asvs("4.1.5")
def test_every_single_bit_flip_of_a_sealed_payload_is_refused(name: str) -> None:
    payload = seal(KEY, header(1), BY_NAME[name].payload)
    keeper = gatekeeper()
    keys = PublicKeys.of(KEY)

    for bit in range(len(payload) * 8):
        flipped = bytearray(payload)
        flipped[bit // 8] ^= 1 << bit % 8
        with pytest.raises(WireError):
            open_sealed(bytes(flipped), keys)
        with pytest.raises(WireError):
            keeper.admit(bytes(flipped), NOON)
    assert keeper.counter == 0
    assert keeper.admit(payload, NOON) == BY_NAME[name].payload


def test_every_truncation_and_every_appendix_is_refused() -> None:
    payload = seal(KEY, header(1), BODY)
    for spoiled in [payload[:end] for end in range(len(payload))] + [payload + b"\xc0"]:
        with pytest.raises(BadPayload):
            gatekeeper().admit(spoiled, NOON)


def test_the_border_between_header_and_body_cannot_be_shifted() -> None:
    # The same signed bytes cut elsewhere: the first byte of the body becomes header.
    payload = seal(KEY, header(1), BODY)
    body_at = payload.index(BODY) - 2
    shifted = payload[:body_at] + BODY[:1] + b"\xc4" + bytes([len(BODY) - 1]) + BODY[1:]

    with pytest.raises(BadPayload):
        open_sealed(shifted + payload[-66:], PublicKeys.of(KEY))


def test_a_signature_of_another_length_is_refused() -> None:
    payload = seal(KEY, header(1), BODY)
    short = payload[:-66] + b"\xc4\x3f" + payload[-63:]
    none = payload[:-66] + b"\xc4\x00"

    for spoiled in (short, none):
        with pytest.raises(BadSignature):
            gatekeeper().admit(spoiled, NOON)


def test_an_oversized_payload_is_refused_before_it_is_read() -> None:
    payload = seal(KEY, header(1), bytes(65_536))

    with pytest.raises(BadPayload, match="more than"):
        gatekeeper().admit(payload, NOON)


# -- the gatekeeper ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("head", "now", "refusal"),
    [
        pytest.param(header(5, gateway="gw-2"), NOON, NotForUs, id="another gateway"),
        pytest.param(header(5, session="s-0"), NOON, WrongSession, id="another session"),
        pytest.param(header(5), NOON + 120_000, Expired, id="at the very end"),
        pytest.param(header(5), NOON + 10**9, Expired, id="long after"),
        pytest.param(header(4), NOON, Replayed, id="the counter again"),
        pytest.param(header(1), NOON, Replayed, id="a lower counter"),
        pytest.param(header(5, key_id=NEXT_KEY.key_id), NOON, BadSignature, id="unknown key"),
        pytest.param(header(5, version=2), NOON, BadPayload, id="another version"),
    ],
)
def test_what_is_not_for_here_and_now_is_refused_and_moves_nothing(
    head: Header, now: int, refusal: type[WireError]
) -> None:
    keeper = gatekeeper()
    keeper.admit(seal(KEY, header(4), BODY), NOON)
    signer = NEXT_KEY if head.key_id == NEXT_KEY.key_id else KEY

    with pytest.raises(refusal):
        keeper.admit(seal(signer, head, BODY), now)

    assert keeper.counter == 4
    assert keeper.admit(seal(KEY, header(5), BODY), NOON) == BODY


def test_a_forged_high_counter_does_not_lock_the_controller_out() -> None:
    keeper = gatekeeper()
    forged = bytearray(seal(KEY, header(MAX_INT), BODY))
    forged[-1] ^= 1

    with pytest.raises(BadSignature):
        keeper.admit(bytes(forged), NOON)

    assert keeper.admit(seal(KEY, header(1), BODY), NOON) == BODY


def test_a_payload_opens_once() -> None:
    keeper = gatekeeper()
    payload = seal(KEY, header(7), BODY)
    keeper.admit(payload, NOON)

    with pytest.raises(Replayed):
        keeper.admit(payload, NOON)


def test_a_new_session_forgets_the_counter_and_refuses_the_old_session() -> None:
    keeper = gatekeeper()
    old = seal(KEY, header(9), BODY)
    keeper.admit(old, NOON)

    keeper.begin_session("7c3a9f02-2")

    with pytest.raises(WrongSession):
        keeper.admit(old, NOON)
    assert keeper.admit(seal(KEY, header(1, session="7c3a9f02-2"), BODY), NOON) == BODY


def test_two_keys_are_believed_while_they_are_rotated() -> None:
    keeper = gatekeeper(KEY, NEXT_KEY)
    keeper.admit(seal(KEY, header(1), BODY), NOON)
    keeper.admit(seal(NEXT_KEY, header(2, key_id=NEXT_KEY.key_id), BODY), NOON)

    keeper.keys = PublicKeys.of(NEXT_KEY)

    with pytest.raises(BadSignature, match="unknown key"):
        keeper.admit(seal(KEY, header(3), BODY), NOON)


def test_a_clock_a_day_off_takes_commands_dated_by_itself() -> None:
    yesterday = NOON - 86_400_000
    payload = seal(KEY, header(1, expires=yesterday + 60_000), BODY)

    assert gatekeeper().admit(payload, yesterday) == BODY


def test_every_refusal_is_a_wire_error() -> None:
    for refusal in (NotForUs, WrongSession, Expired, Replayed, BadSignature):
        assert issubclass(refusal, Refused)
    assert issubclass(Refused, WireError)
