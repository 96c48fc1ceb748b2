"""What a gateway says fits the wire."""

from gateway.wire.codec import decode_events
from gateway.wire.messages import MAX_PAYLOAD_BYTES
from simulator.voice import up_payloads
from tests.unit.simulator.rig import Rig, put


def test_many_beacons_travel_in_payloads_below_the_limit() -> None:
    rig = Rig(labels=500)
    rig.down(*(put(n, label=f"label-{n}") for n in range(1, 500)))
    events = rig.connect()

    payloads = list(up_payloads(events))

    assert len(payloads) > 1
    assert all(len(payload) <= MAX_PAYLOAD_BYTES for payload in payloads)
    assert [m for payload in payloads for m in decode_events(payload).messages] == events


def test_everything_said_can_be_read() -> None:
    rig = Rig(labels=2, paint_s=3)
    said = rig.welcome + rig.down(put(1), put(2, digest=bytes(32), label="label-2"), put(3))
    said += rig.later(60)

    for payload in up_payloads(said):
        decoded = decode_events(payload)
        assert decoded.messages
        assert not decoded.rejected
