"""An enrolment file is read strictly, and tells where it is wrong without telling secrets."""

import json

import pytest

from gateway.wire.enrolment import Enrolment, enrolment_keys, from_json, to_json
from gateway.wire.errors import BadEnrolment
from gateway.wire.signing import PublicKeys, SigningKey
from tests.unit.gateway.wire.wire_vectors import KEY

NEXT_KEY = SigningKey.from_seed(bytes(32))
GOOD = Enrolment(
    gateway="gw-1",
    store="shop-1",
    host="broker.shop.example",
    port=8883,
    tls=True,
    username="gw-1",
    password="opensesame",
    keys=enrolment_keys(PublicKeys.of(KEY)),
)


def changed(**fields: object) -> str:
    return json.dumps(json.loads(to_json(GOOD)) | fields)


def test_an_enrolment_survives_its_file() -> None:
    text = to_json(GOOD)

    assert from_json(text) == GOOD
    assert from_json(text.encode()) == GOOD
    assert text.startswith('{\n  "version": 1,\n  "gateway": "gw-1",')
    assert text.endswith("}\n")


def test_its_keys_are_ready_to_verify_with() -> None:
    both = PublicKeys.of(KEY, NEXT_KEY)

    keys = from_json(changed(keys=enrolment_keys(both))).public_keys()

    assert dict(keys) == dict(both)


def test_the_password_is_not_in_the_repr() -> None:
    assert "opensesame" not in repr(GOOD)
    assert "gw-1" in repr(GOOD)


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ({"version": 2}, "version"),
        ({"gateway": "GW 1"}, "gateway"),
        ({"store": ""}, "store"),
        ({"host": "a b"}, "host"),
        ({"host": "mqtt://x"}, "host"),
        ({"port": 0}, "port"),
        ({"port": "8883"}, "port"),
        ({"tls": "yes"}, "tls"),
        ({"password": "a\nb"}, "password"),
        ({"colour": "red"}, "colour"),
        ({"keys": {}}, "keys"),
        ({"keys": {"zz": "AA=="}}, "keys"),
        ({"keys": {KEY.key_id: "not base64!"}}, "keys"),
        ({"keys": {KEY.key_id: "AA=="}}, "keys"),
        ({"keys": {NEXT_KEY.key_id: GOOD.keys[KEY.key_id]}}, "keys"),
        (
            {
                "keys": enrolment_keys(
                    PublicKeys.of(KEY, NEXT_KEY, SigningKey.from_seed(b"\1" * 32))
                )
            },
            "keys",
        ),
    ],
)
def test_an_odd_field_is_refused_with_its_path(fields: dict[str, object], path: str) -> None:
    with pytest.raises(BadEnrolment, match=path) as caught:
        from_json(changed(**fields))
    assert "opensesame" not in str(caught.value)


@pytest.mark.parametrize("field", [*json.loads(to_json(GOOD))][1:])
def test_a_missing_field_is_refused_by_name(field: str) -> None:
    fields = json.loads(to_json(GOOD))
    del fields[field]

    with pytest.raises(BadEnrolment, match=field):
        from_json(json.dumps(fields))


@pytest.mark.parametrize("text", ["", "{}", "[]", "null", "{", "[" * 100_000, b"\xff", "\ud800"])
def test_junk_is_no_enrolment(text: str | bytes) -> None:
    with pytest.raises(BadEnrolment):
        from_json(text)
