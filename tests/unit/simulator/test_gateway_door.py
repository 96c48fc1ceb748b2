"""The simulated gateway obeys what was signed for its session, once, and nothing else: G1, G3."""

from typing import Any

import pytest

from gateway.wire.codec import encode_commands
from gateway.wire.messages import (
    Failed,
    Hello,
    Shown,
)
from gateway.wire.signing import SigningKey
from tests.unit.simulator.rig import NOON_MS, Rig, of, put

STRANGER = SigningKey.from_seed(bytes(32))


@pytest.mark.parametrize(
    ("header", "reason"),
    [
        ({"gateway": "gw-2"}, "NotForUs"),
        ({"session": "other-1"}, "WrongSession"),
        ({"expires": NOON_MS}, "Expired"),
        ({"version": 2}, "BadPayload"),
    ],
)
def test_what_is_not_for_this_session_is_dropped(header: dict[str, Any], reason: str) -> None:
    rig = Rig()

    assert rig.deliver(rig.seal(put(1), **header)) == []

    assert rig.label.shown_rev == 0
    assert rig.gateway.dropped == {reason: 1}


def test_a_payload_signed_by_a_stranger_is_dropped() -> None:
    rig = Rig(key=STRANGER)

    assert rig.down(put(1)) == []

    assert rig.label.shown_rev == 0
    assert rig.gateway.dropped == {"BadSignature": 1}


def test_a_command_changed_on_its_way_is_dropped() -> None:
    rig = Rig()
    payload = rig.seal(put(1))

    assert rig.deliver(payload.replace(b"label-1", b"label-2")) == []

    assert rig.gateway.dropped == {"BadSignature": 1}


def test_the_same_payload_twice_is_obeyed_once() -> None:
    rig = Rig()
    payload = rig.seal(put(1))
    rig.deliver(payload)

    assert rig.deliver(payload) == []

    assert rig.label.paints == 1
    assert rig.gateway.dropped == {"Replayed": 1}


def test_a_payload_of_the_last_session_is_dropped() -> None:
    rig = Rig()
    late = rig.seal(put(1))
    rig.connect()

    assert rig.deliver(late) == []

    assert rig.gateway.dropped == {"WrongSession": 1}


def test_a_gateway_whose_clock_is_off_judges_by_its_own() -> None:
    rig = Rig(clock_skew_s=86_400)

    (hello,) = of(Hello, rig.welcome)
    assert hello.clock == NOON_MS + 86_400_000
    assert rig.down(put(1)) == []
    assert rig.gateway.dropped == {"Expired": 1}
    shown = rig.deliver(
        rig.seal(put(1, deadline=hello.clock + 1), expires=hello.clock + 60_000),
    )
    assert of(Shown, shown)[0].at == hello.clock


def test_rubbish_is_counted_and_ends_nothing() -> None:
    rig = Rig()

    assert rig.deliver(b"\xc1 rubbish") == []
    assert rig.deliver(b"") == []

    assert rig.gateway.dropped == {"BadPayload": 2}
    assert of(Shown, rig.down(put(1)))


def test_a_bad_command_is_answered_and_spoils_no_neighbour() -> None:
    rig = Rig()
    body = encode_commands([put(1)])
    unknown = b"\x82\xa4type\xa4moon\xa2id\x07"

    events = rig.deliver(rig.seal_body(b"\x93" + b"\xc0" + unknown + body[1:]))

    assert [(f.id, f.code) for f in of(Failed, events)] == [
        (0, "invalid_opcode"),
        (7, "unsupported"),
    ]
    assert of(Shown, events)
