"""Lights, farewells, firmware, buttons and phones: what level Full does beside pictures."""

from hashlib import sha256

from gateway.wire.messages import (
    Accepted,
    Cancel,
    Firmware,
    Forget,
    Heartbeat,
    Hello,
    Led,
    Pressed,
    Report,
    Seen,
    Show,
    Shown,
    Tapped,
)
from tests.unit.simulator.rig import NOON_MS, Rig, codes, entry, of, picture, put

IMAGE = b"new firmware, of some length"


def led(command_id: int, *labels: str, repeats: int = 10, at: int | None = None) -> Led:
    pattern = bytes([0, 0, 0, 0, 0b1010])
    return Led(
        id=command_id,
        labels=list(labels),
        colour=0xCC,
        pattern=pattern,
        on_ms=200,
        off_ms=200,
        repeats=repeats,
        at=at,
    )


def firmware(command_id: int, start: int, end: int, *, target: str, at: int | None = None):
    return Firmware(
        id=command_id,
        target=target,
        version="sim-2",
        digest=sha256(IMAGE).digest(),
        offset=start,
        total=len(IMAGE),
        data=IMAGE[start:end],
        at=at,
    )


# -- light -------------------------------------------------------------------------------------


def test_a_light_burns_as_long_as_its_pattern_plays_and_can_be_switched_off() -> None:
    rig = Rig(labels=2)

    events = rig.down(led(1, "label-1", "label-9"))

    assert codes(events) == ["unknown_label"]
    assert rig.label.light == (0xCC, rig.now.monotonic_s + 10 * 4 * 0.2)
    rig.down(led(2, "label-1", repeats=0))
    assert rig.label.light is None


def test_a_light_may_wait_for_its_instant() -> None:
    rig = Rig()
    rig.down(led(1, "label-1", at=NOON_MS + 10_000))
    assert rig.label.light is None

    rig.later(11)

    assert rig.label.light is not None
    assert codes(rig.down(led(2, "label-1", at=NOON_MS))) == ["implausible_absolute_time"]


# -- forget ------------------------------------------------------------------------------------


def test_a_forgotten_label_drops_what_was_queued_and_keeps_its_glass() -> None:
    rig = Rig(paint_s=10, jitter=0)
    rig.down(put(1), put(2, slot=1, show=False))
    rig.later(10)
    rig.down(
        put(3),
        put(4),
        Show(id=50, entries=[entry(20, picture(2), slot=1)], at=NOON_MS + 60_000),
    )

    events = rig.down(Forget(id=51, label="label-1", epoch=1))

    assert codes(events) == ["superseded"]
    assert [e.id for e in of(Accepted, events)] == [51]
    assert [e.rev for e in of(Shown, rig.later(120))] == [3]  # it was being painted already
    assert rig.label.shown_pixels == picture(3)
    assert codes(rig.down(put(9))) == ["invalid_state"]
    assert of(Accepted, rig.down(put(10, epoch=2)))


def test_a_label_bound_at_a_higher_epoch_is_not_forgotten() -> None:
    rig = Rig()
    rig.down(put(1, epoch=5))

    assert codes(rig.down(Forget(id=50, label="label-1", epoch=4))) == ["invalid_state"]

    assert of(Shown, rig.down(put(2, epoch=5)))


def test_a_label_nobody_hears_is_forgotten_all_the_same() -> None:
    assert [type(e) for e in Rig().down(Forget(id=50, label="label-9", epoch=4))] == [Accepted]


# -- firmware ----------------------------------------------------------------------------------


def test_a_gateway_reboots_into_new_firmware_once_it_is_whole() -> None:
    rig = Rig()
    rig.down(firmware(7, 10, 28, target="gateway"))
    assert not rig.gateway.restart_due

    rig.down(firmware(7, 0, 10, target="gateway"))
    assert rig.gateway.restart_due
    rig.gateway.reboot()

    assert [hello.firmware for hello in of(Hello, rig.connect())] == ["sim-2"]
    assert not rig.gateway.restart_due


def test_firmware_that_does_not_come_up_is_undone_and_told() -> None:
    rig = Rig()
    rig.gateway._orders.firmware.boots_firmware = False
    rig.down(firmware(7, 0, 28, target="gateway"))
    rig.gateway.reboot()

    events = rig.connect()

    assert [hello.firmware for hello in of(Hello, events)] == ["sim-1"]
    assert codes(events) == ["invalid_state"]


def test_labels_of_a_model_take_new_firmware_at_its_instant() -> None:
    rig = Rig(labels=2)
    rig.down(firmware(7, 0, 28, target="tiny", at=NOON_MS + 10_000))
    rig.later(9)
    assert rig.label.firmware == "sim-1"

    rig.later(2)

    seen = of(Seen, rig.down(Report(id=9)))
    assert [event.firmware for event in seen] == ["sim-2", "sim-2"]


def test_an_image_for_nobody_or_of_another_digest_is_refused() -> None:
    rig = Rig()
    bad = Firmware(id=8, target="tiny", version="3", digest=bytes(32), offset=0, total=1, data=b"x")

    assert codes(rig.down(firmware(7, 0, 28, target="moon"))) == ["unsupported"]
    assert codes(rig.down(bad)) == ["bad_digest"]
    assert rig.label.firmware == "sim-1"


# -- people ------------------------------------------------------------------------------------


def test_buttons_and_phones_are_passed_on() -> None:
    rig = Rig()

    (pressed,) = rig.gateway.press("label-1", 2, rig.now)
    (tapped,) = rig.gateway.tap("label-1", rig.now)

    assert isinstance(pressed, Pressed)
    assert (pressed.label, pressed.button, pressed.at) == ("label-1", 2, NOON_MS)
    assert isinstance(tapped, Tapped)
    rig.label.asleep = True
    assert rig.gateway.press("label-1", 2, rig.now) == []


def test_a_drifting_clock_is_told_with_every_heartbeat() -> None:
    rig = Rig(clock_drift_ppm=100_000, heartbeat_s=10)

    beats = of(Heartbeat, rig.later(21))

    assert [beat.clock - NOON_MS for beat in beats] == [11_000, 22_000]


def test_a_staged_gateway_knows_no_lights() -> None:
    rig = Rig(level="staged")

    assert codes(rig.down(led(1, "label-1"))) == ["unsupported"]
    assert [type(e) for e in rig.down(Cancel(id=2, entries=[]))] == [Accepted]
