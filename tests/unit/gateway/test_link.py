from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from gateway.link import COMMANDS_MOST, command_id, milliseconds, seal_commands
from gateway.wire.codec import decode_commands
from gateway.wire.fields import MAX_INT
from gateway.wire.messages import Report
from gateway.wire.signing import Gatekeeper, PublicKeys
from tests.builders import GATEWAY, KEY, NOON

counters = st.integers(1, 2**40)
positions = st.integers(0, COMMANDS_MOST - 1)


@given(counters, positions, counters, positions)
def test_command_ids_are_unique_and_rise_with_counter_and_position(
    counter: int, position: int, other: int, place: int
) -> None:
    one, two = command_id(counter, position), command_id(other, place)
    assert (one < two) is ((counter, position) < (other, place))
    assert 1 <= one <= MAX_INT


def test_an_instant_is_milliseconds_since_1970() -> None:
    assert milliseconds(datetime(1970, 1, 1, tzinfo=UTC)) == 0
    assert milliseconds(NOON) == 1_767_268_800_000
    assert milliseconds(NOON + timedelta(microseconds=1999)) == 1_767_268_800_001


def test_a_sealed_payload_opens_for_its_gateway_and_session() -> None:
    payload = seal_commands(
        KEY,
        GATEWAY,
        [Report(id=1), Report(id=2)],
        session="s",
        clock_ahead_ms=-5000,
        counter=7,
        now=NOON,
    )
    keeper = Gatekeeper(gateway=GATEWAY, session="s", keys=PublicKeys.of(KEY))
    body = keeper.admit(payload, milliseconds(NOON) - 5000 + 119_999)
    assert [c.id for c in decode_commands(body).messages] == [1, 2]
    assert keeper.counter == 7
