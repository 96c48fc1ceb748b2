"""The air, the cold and the battery: a gateway and its labels as they are in the field."""

from dataclasses import replace
from random import Random

import pytest

from esl.domain.panel_file import load_panels
from gateway.wire.failures import FailureCode
from gateway.wire.messages import RAW, Seen, Shown
from simulator.battery import CAPACITY_MAH
from simulator.label import SimLabel
from simulator.options import FIELD, FIELD_RADIO, Quirks, RadioOptions
from simulator.radio import Radio
from tests.unit.simulator.rig import NOON_MS, PANEL, Rig, codes, of, picture, put

SLOW = RadioOptions(bytes_per_s=100, connect_s=1)


def painted_at(rig: Rig, seconds: float) -> dict[str, float]:
    return {e.label: (e.at - NOON_MS) / 1000 for e in of(Shown, rig.later(seconds))}


# -- the air -----------------------------------------------------------------------------------


def test_a_whole_picture_takes_as_long_as_it_was_measured_to() -> None:
    frame_bytes = load_panels().named("bwry-296x128").frame_bytes

    took_s, landed = Radio(replace(FIELD_RADIO, loss=0), Random(1)).send(frame_bytes, -60)

    assert landed
    assert took_s == pytest.approx(3.9, abs=0.05)


def test_one_transfer_at_a_time_is_on_the_air() -> None:
    rig = Rig(labels=3, radio=SLOW)
    rig.down(*(put(n, label=f"label-{n}", encoding=RAW) for n in (1, 2, 3)))

    shown = painted_at(rig, 60)

    air_s = 1 + 99 / 100  # the frame and its order fit one part
    assert list(shown.values()) == pytest.approx([air_s, 2 * air_s, 3 * air_s], abs=0.002)


def test_a_smaller_picture_is_through_sooner() -> None:
    radio = Radio(RadioOptions(bytes_per_s=5_000, block_s=0.5), Random(1))

    assert radio.send(200, -60)[0] < radio.send(1_400, -60)[0] < radio.send(9_000, -60)[0]


def test_a_picture_that_is_no_good_costs_no_airtime() -> None:
    rig = Rig(radio=SLOW)

    assert codes(rig.down(put(1, digest=bytes(32)))) == ["bad_digest"]


def test_work_that_waits_for_the_air_expires() -> None:
    rig = Rig(labels=2, radio=SLOW)
    rig.down(put(1), put(2, label="label-2", deadline=NOON_MS + 1_000))

    assert codes(rig.later(60)) == ["expired"]


def test_a_weak_signal_loses_more_and_a_bad_one_everything() -> None:
    radio = Radio(RadioOptions(fading=True, loss=0.01), Random(1))

    assert radio.loss_at(-60) == radio.loss_at(-80) == 0.01
    assert 0.2 < radio.loss_at(-90) < 0.3
    assert radio.loss_at(-110) == 0.95


def test_losses_cost_time_and_in_the_end_the_transfer() -> None:
    options = RadioOptions(bytes_per_s=100, loss=0.5)
    fine = Radio(replace(options, loss=0), Random(1)).send(990, -60)[0]
    sent = [Radio(options, Random(seed)).send(990, -60) for seed in range(200)]

    assert all(landed for took_s, landed in sent if took_s < 3 * fine)
    assert sum(took_s for took_s, _ in sent) / 200 == pytest.approx(2 * fine, rel=0.2)


def test_a_label_that_hears_nothing_times_out_and_its_beacons_are_lost() -> None:
    rig = Rig(radio=RadioOptions(loss=1, tries=2), beacon_s=5, label_timeout_s=20)
    rig.gateway._queue.radio.loss_at = lambda _dbm: 1.0  # type: ignore[method-assign]
    rig.down(put(1))

    events = rig.later(60)

    assert codes(events) == ["label_timeout"]
    assert not of(Seen, events)


# -- check-ins ---------------------------------------------------------------------------------


def test_labels_take_their_pictures_when_they_check_in() -> None:
    rig = Rig(labels=20, radio=RadioOptions(check_in_s=(40, 600)), label_timeout_s=1_300)
    rig.down(*(put(n, label=f"label-{n}") for n in range(1, 21)))

    shown = painted_at(rig, 601)

    assert len(shown) == 20
    assert 40 < max(shown.values()) <= 600
    assert min(shown.values()) < 200


def test_a_check_in_is_a_beacon() -> None:
    rig = Rig(labels=5, radio=RadioOptions(check_in_s=(40, 40)))

    for _ in range(3):
        assert sorted(e.label for e in of(Seen, rig.later(40))) == [
            f"label-{n}" for n in range(1, 6)
        ]


def test_a_label_that_sleeps_through_a_check_in_is_served_at_the_next() -> None:
    rig = Rig(radio=RadioOptions(check_in_s=(100, 100)), label_timeout_s=250)
    rig.label.asleep = True
    rig.down(put(1))
    rig.later(100)
    rig.label.asleep = False

    assert list(painted_at(rig, 100)) == ["label-1"]


def test_what_is_not_answered_at_once_is_learned_at_the_next_check_in() -> None:
    rig = Rig(
        radio=RadioOptions(check_in_s=(100, 100)),
        quirks=Quirks(answers_update=False),
        label_timeout_s=250,
    )
    rig.down(put(1))
    before = len(of(Shown, rig.later(100)))

    assert rig.label.shown_rev == 1
    assert before == 0
    assert [e.rev for e in of(Shown, rig.later(100))] == [1]


# -- panels ------------------------------------------------------------------------------------


def test_a_refresh_takes_what_the_panel_takes_and_longer_in_the_cold() -> None:
    warm, cold = Rig(paint_s=None, jitter=0), Rig(paint_s=None, jitter=0)
    cold.label.temperature_c = 1
    for rig in (warm, cold):
        rig.down(put(1))

    assert painted_at(warm, 60) == {"label-1": PANEL.refresh_s}
    assert painted_at(cold, 60) == {"label-1": pytest.approx(PANEL.refresh_s * 1.6)}


def test_a_panel_below_its_range_fails_to_refresh_and_keeps_its_picture() -> None:
    rig = Rig(coldest_c=0)
    rig.down(put(1))
    rig.label.temperature_c = -1

    assert codes(rig.down(put(2))) == ["refresh_failed"]
    assert (rig.label.shown_rev, rig.label.shown_pixels) == (1, picture(1))
    rig.label.temperature_c = 4
    assert of(Shown, rig.down(put(3)))


def test_a_panel_rests_between_two_refreshes() -> None:
    rig = Rig(paint_s=10, jitter=0, rest_s=180)
    rig.down(put(1))
    rig.later(20)
    rig.down(put(2))

    assert painted_at(rig, 300) == {"label-1": 10 + 180 + 10}


def test_a_hurried_firmware_asks_to_be_asked_later() -> None:
    rig = Rig(rest_s=180, quirks=Quirks(refuses_hurry=True))
    rig.down(put(1))

    assert codes(rig.down(put(2))) == ["retry"]
    rig.later(180)
    assert of(Shown, rig.down(put(3)))


def test_makers_differ_in_what_they_call_a_missing_slot() -> None:
    rig = Rig(quirks=Quirks(index_error=FailureCode.INVALID_PARAMETERS))

    assert codes(rig.down(put(1, slot=7))) == ["invalid_parameters"]


# -- batteries ---------------------------------------------------------------------------------


def test_a_battery_lives_as_long_as_the_model_says() -> None:
    """Four refreshes of 15 s a day and a check-in every 20 s: 3.6 years (commercial notes)."""
    label = SimLabel("x", replace(PANEL, refresh_s=15))
    days = 0
    while label.battery_uv > 2_200_000 and days < 10_000:
        days += 10
        label.live_until(days * 86_400.0, listens_every_s=20)
        if days == 10:
            label.live_until(0.0, listens_every_s=20)
            label.battery_uv, label.lived_until_s = 3_000_000, 0.0
            label.live_until(days * 86_400.0, listens_every_s=20)
        label.spend(10 * 4 * 15 * 20)

    assert days / 365 == pytest.approx(CAPACITY_MAH / _mah_an_hour() / 8_760, rel=0.02)
    assert 3.3 < days / 365 < 3.9


def _mah_an_hour() -> float:
    return 0.001 + (3_600 / 20 * 10 * 0.01) / 3_600 + 15 * 20 * 4 / 86_400


def test_a_spent_battery_refuses_and_an_empty_one_takes_the_label_with_it() -> None:
    rig = Rig()
    rig.label.battery_mah = 0.1  # one refresh of 20 s at 20 mA takes 0.11
    assert of(Shown, rig.down(put(1)))

    assert codes(rig.down(put(2))) == ["insufficient_battery"]
    rig.label.spend(120)
    assert rig.label.dead

    rig.label.change_battery()
    assert (rig.label.answers, rig.label.incarnation) == (True, 2)


def test_the_field_profile_brings_a_whole_aisle_up_to_date() -> None:
    options = {name: getattr(FIELD, name) for name in ("paint_s", "rest_s", "label_timeout_s")}
    rig = Rig(labels=40, radio=FIELD_RADIO, coldest_c=0, **options)
    rig.down(*(put(n, label=f"label-{n}") for n in range(1, 41)))

    shown = painted_at(rig, 1_400)

    assert len(shown) == 40
    assert 300 < max(shown.values()) < 700
