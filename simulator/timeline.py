"""A scenario's shop is built, and its events come in their time."""

import heapq
from collections.abc import Callable, Sequence
from random import Random

from esl.domain.clock import Clock
from esl.domain.panel import Panel, Panels
from gateway.wire.enrolment import Enrolment
from simulator.buttons import (
    AnyButton,
    LabelClone,
    LabelMoves,
    OnGateway,
    OnLabel,
    Press,
    Tap,
)
from simulator.fast_clock import FastClock, fast_sleep
from simulator.faults import Faults
from simulator.scenario import Event, GatewayPlan, Scenario, label_ids
from simulator.shop import Shop
from simulator.waiting import Sleep

WEAKER_DB = 15
"""How much weaker a neighbouring gateway hears a label: an assumption, 10 m of shop."""


def build_shop(
    scenario: Scenario,
    enrolments: Sequence[Enrolment],
    panels: Panels,
    *,
    clock: Clock,
    sleep: Sleep,
) -> Shop:
    """Build the shop of a scenario; ``enrolments`` are those of its gateways, in their order.

    Raises:
        UnknownPanel: A panel is not known.
        UnknownGateway: A neighbour is none of its gateways.
    """
    network, random = scenario.network, Random(scenario.seed)  # noqa: S311  seeded chance
    plans = list(zip(enrolments, scenario.gateways, strict=True))
    fast = scenario.speed != 1.0
    shop = Shop(
        [(enrolment, _labels(enrolment.gateway, plan, panels)) for enrolment, plan in plans],
        clock=FastClock(clock, scenario.speed) if fast else clock,
        sleep=fast_sleep(sleep, scenario.speed) if fast else sleep,
        seed=scenario.seed,
        own_options={e.gateway: scenario.own_options(plan) for e, plan in plans},
        signal_dbm=scenario.radio.signal,
        faults=Faults(
            random, lose=network.lose, duplicate=network.duplicate, corrupt=network.corrupt
        ),
    )
    for enrolment, plan in plans:
        for neighbour in plan.neighbours:
            other = shop.gateway(neighbour)
            for label_id in label_ids(enrolment.gateway, plan):
                label = shop.labels[label_id]
                other.labels.setdefault(label_id, label)
                other.signal[label_id] = max(-127, label.rssi_dbm - WEAKER_DB)
    _dress(shop, scenario)
    return shop


def _labels(gateway_id: str, plan: GatewayPlan, panels: Panels) -> list[tuple[str, Panel]]:
    models = [panels.named(name) for name in plan.panels]
    names = label_ids(gateway_id, plan)
    return [(name, models[n % len(models)]) for n, name in enumerate(names)]


def _dress(shop: Shop, scenario: Scenario) -> None:
    plan = scenario.labels
    off_ms = round(plan.clock_off * 1000)
    for label in shop.labels.values():
        if plan.battery_mah is not None:
            label.battery_mah = plan.battery_mah
        if plan.celsius is not None:
            label.temperature_c = plan.celsius
        if off_ms:
            label.clock_off_ms = shop.random.randint(-off_ms, off_ms)


def check_events(events: Sequence[Event], shop: Shop) -> None:
    """See to it that every event can happen in this shop.

    Raises:
        UnknownGateway: An event is for a gateway that is not simulated here.
        UnknownLabel: The same of a label.
    """
    for event in events:
        match event.button:
            case OnGateway(gateway=str() as gateway_id):
                shop.gateway(gateway_id)
            case LabelMoves(label=label_id, gateways=gateway_ids):
                shop.label(label_id)
                for gateway_id in gateway_ids:
                    shop.gateway(gateway_id)
            case LabelClone(label=label_id, gateway=gateway_id):
                shop.label(label_id)
                shop.gateway(gateway_id)
            case OnLabel(label=str() as label_id) | Press(label=label_id) | Tap(label=label_id):
                shop.label(label_id)
            case _:
                pass


async def run_events(
    events: Sequence[Event],
    shop: Shop,
    sleep: Sleep,
    done: Callable[[AnyButton, Sequence[str]], None],
) -> None:
    """Press the buttons of a scenario in their time; ``done`` hears of each.

    ``sleep`` waits seconds of the scenario, which may pass faster than others.
    """
    due = [(event.after, number, 1, event) for number, event in enumerate(events)]
    heapq.heapify(due)
    now_s = 0.0
    while due:
        at_s, number, time, event = heapq.heappop(due)
        if at_s > now_s:
            await sleep(at_s - now_s)
            now_s = at_s
        done(event.button, event.button.press(shop))
        if event.every is not None and (event.times is None or time < event.times):
            heapq.heappush(due, (at_s + event.every, number, time + 1, event))
        await sleep(0)
