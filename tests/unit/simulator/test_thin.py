"""The thin gateway admits what must be admitted, answers at once, and counts what travelled."""

from random import Random
from typing import Any

from gateway.wire.codec import encode_commands
from gateway.wire.messages import (
    VERSION,
    XOR_ZLIB,
    Accepted,
    Command,
    Header,
    Heartbeat,
    Hello,
    Report,
    Show,
    Shown,
    Stored,
)
from gateway.wire.signing import PublicKeys, SigningKey, seal
from simulator.moment import Moment
from simulator.thin import ThinGateway
from tests.unit.simulator.rig import KEY, NOON_MS, codes, digest, entry, of, picture, put

NOW = Moment(NOON_MS, 1_000.0)


class ThinRig:
    def __init__(self) -> None:
        self.gateway = ThinGateway("gw-1", PublicKeys.of(KEY), random=Random(1))
        self.gateway.begin_session()
        self.welcome = self.gateway.connected(NOW)
        self.counter = 0

    def seal(self, *commands: Command, key: SigningKey = KEY, **header: Any) -> bytes:
        self.counter += 1
        fields: dict[str, Any] = {
            "version": VERSION,
            "key_id": key.key_id,
            "gateway": "gw-1",
            "session": self.gateway.session,
            "counter": self.counter,
            "expires": NOON_MS + 60_000,
        }
        return seal(key, Header(**(fields | header)), encode_commands(commands))

    def down(self, *commands: Command) -> list[Any]:
        return self.gateway.receive_down(self.seal(*commands), NOW)


def test_every_put_is_answered_in_the_step_that_brings_it() -> None:
    rig = ThinRig()

    events = rig.down(put(1), put(2, label="label-2"), put(3, show=False, slot=1))

    assert [(e.id, e.label, e.rev, e.digest) for e in of(Shown, events)] == [
        (1, "label-1", 1, digest(picture(1))),
        (2, "label-2", 2, digest(picture(2))),
    ]
    assert [(e.id, e.slot) for e in of(Stored, events)] == [(3, 1)]
    assert [event.seq for event in rig.welcome + events] == [1, 2, 3, 4]
    assert isinstance(rig.welcome[0], Hello)


def test_a_show_is_answered_for_each_of_its_labels_and_a_timed_one_is_not_known() -> None:
    rig = ThinRig()
    entries = [entry(3, b"a"), entry(4, b"b", label="label-2")]

    assert [e.rev for e in of(Shown, rig.down(Show(id=9, entries=entries)))] == [3, 4]
    assert codes(rig.down(Show(id=10, entries=entries, at=NOON_MS + 1))) == ["unsupported"]
    assert [e.id for e in of(Accepted, rig.down(Report(id=11)))] == [11]


def test_what_must_not_be_obeyed_is_not_acknowledged() -> None:
    rig = ThinRig()
    stranger = SigningKey.from_seed(bytes(32))
    good = rig.seal(put(1))

    assert rig.gateway.receive_down(rig.seal(put(1), key=stranger), NOW) == []
    assert rig.gateway.receive_down(rig.seal(put(1), session="other-1"), NOW) == []
    assert rig.gateway.receive_down(rig.seal(put(1), expires=NOON_MS), NOW) == []
    assert rig.gateway.receive_down(b"rubbish", NOW) == []
    assert of(Shown, rig.gateway.receive_down(good, NOW))
    assert rig.gateway.receive_down(good, NOW) == []

    assert rig.gateway.dropped == {
        "BadSignature": 1,
        "WrongSession": 1,
        "Expired": 1,
        "BadPayload": 1,
        "Replayed": 1,
    }
    assert rig.gateway.travelled.down_payloads == 1


def test_pictures_and_envelopes_are_counted_apart() -> None:
    rig = ThinRig()
    whole = put(1)
    delta = put(2, encoding=XOR_ZLIB, base=digest(picture(1)), data=b"x" * 40)
    payload = rig.seal(whole, delta)

    rig.gateway.receive_down(payload, NOW)

    travelled = rig.gateway.travelled
    assert travelled.picture_bytes == len(whole.data) + 40
    assert travelled.envelope_bytes == len(payload) - travelled.picture_bytes
    assert travelled.encodings == {"zlib": 1, "xor-zlib": 1}


def test_a_picture_in_parts_is_one_picture_answered_by_its_last_part() -> None:
    rig = ThinRig()
    data = put(1).data
    half = len(data) // 2

    first = rig.down(put(1, data=data[:half], offset=0, total=len(data)))
    second = rig.down(put(1, data=data[half:], offset=half, total=len(data)))

    assert first == []
    assert [e.id for e in of(Shown, second)] == [1]
    assert rig.gateway.travelled.pictures == 1
    assert rig.gateway.travelled.picture_bytes == len(data)


def test_its_heart_beats_and_a_reboot_begins_another_session() -> None:
    rig = ThinRig()
    assert rig.gateway.tick(NOW) == []

    (beat,) = rig.gateway.tick(Moment(NOON_MS, rig.gateway.next_wake_s()))
    before = rig.gateway.session
    rig.gateway.reboot()
    rig.gateway.begin_session()

    assert isinstance(beat, Heartbeat)
    assert rig.gateway.session != before
