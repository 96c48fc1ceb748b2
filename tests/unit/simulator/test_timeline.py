"""Events come in their time, again if they shall, and only where they can."""

from datetime import UTC, datetime

import pytest

from esl.domain.errors import UnknownGateway, UnknownLabel, UnknownPanel
from esl.domain.panel_file import load_panels
from simulator.fast_clock import FastClock, fast_sleep
from simulator.scenario_text import read_scenario
from simulator.timeline import build_shop, check_events, run_events
from tests.unit.simulator.shop_on_a_table import StillClock, enrolment, no_sleep

HEAD = "scenario: 1\ngateways:\n  - {enrolment: a, labels: 3}\n  - {enrolment: b, labels: 2}\n"


def shop_of(text: str):
    read = read_scenario(text)
    shop = build_shop(
        read.scenario,
        [enrolment("gw-1"), enrolment("gw-2")],
        load_panels(),
        clock=StillClock(),
        sleep=no_sleep,
    )
    return read, shop


async def test_events_are_pressed_in_their_time_and_again() -> None:
    text = HEAD + (
        "events:\n"
        "  - {after: 1min, do: gateway_restart, gateway: gw-1}\n"
        "  - {after: 10, every: 20s, times: 3, do: label_sleeps, label: gw-2-0001}\n"
    )
    read, shop = shop_of(text)
    now_s = 0.0
    told: list[tuple[float, list[str]]] = []

    async def sleep(seconds: float) -> None:
        nonlocal now_s
        now_s += seconds

    await run_events(read.events, shop, sleep, lambda _, ids: told.append((now_s, list(ids))))

    assert told == [
        (10.0, ["gw-2-0001"]),
        (30.0, ["gw-2-0001"]),
        (50.0, ["gw-2-0001"]),
        (60.0, ["gw-1"]),
    ]
    assert shop.labels["gw-2-0001"].asleep


@pytest.mark.parametrize(
    ("event", "error"),
    [
        ("do: gateway_off, gateway: gw-9", UnknownGateway),
        ("do: label_dies, label: nobody", UnknownLabel),
        ("do: label_moves, label: gw-1-0001, gateways: [gw-9]", UnknownGateway),
        ("do: label_clone, label: gw-1-0001, gateway: gw-9", UnknownGateway),
        ("do: press, label: nobody", UnknownLabel),
    ],
)
def test_what_cannot_happen_here_is_told_before_anything_does(
    event: str, error: type[Exception]
) -> None:
    read, shop = shop_of(f"{HEAD}events: [{{after: 1, {event}}}]\n")

    with pytest.raises(error):
        check_events(read.events, shop)


def test_a_neighbour_hears_the_same_labels_weaker() -> None:
    _, shop = shop_of(HEAD.replace("labels: 3", "labels: 3, neighbours: [gw-2]"))

    label = shop.labels["gw-1-0001"]
    assert shop.gateways_of("gw-1-0001") == ["gw-1", "gw-2"]
    assert shop.gateways["gw-2"].signal["gw-1-0001"] == label.rssi_dbm - 15


def test_labels_are_dressed_as_the_scenario_says() -> None:
    text = HEAD + "labels: {battery_mah: 100, celsius: -3, clock_off: 1s}\nprofile: field\n"
    _, shop = shop_of(text)

    labels = list(shop.labels.values())
    assert {(label.battery_mah, label.temperature_c) for label in labels} == {(100, -3)}
    assert all(-1_000 <= label.clock_off_ms <= 1_000 for label in labels)
    assert len({label.clock_off_ms for label in labels}) > 1
    assert all(40 <= label.wakes_every_s <= 600 for label in labels)
    assert all(label.coldest_c == 0 for label in labels)


def test_an_unknown_panel_is_named() -> None:
    with pytest.raises(UnknownPanel):
        shop_of(HEAD.replace("labels: 3", "panels: [moon]"))


async def test_a_fast_shop_passes_its_time_sooner_and_keeps_the_date() -> None:
    clock = StillClock()
    fast = FastClock(clock, 60)
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    await fast_sleep(sleep, 60)(90)
    before_s = fast.monotonic_s()
    clock.now_s += 1

    assert slept == [1.5]
    assert fast.monotonic_s() - before_s == 60
    assert fast.wall() == clock.wall()
    assert fast.wall() > datetime(2026, 1, 1, tzinfo=UTC)
