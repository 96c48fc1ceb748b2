"""Simulated gateways and labels that say when each label began to paint, and when it had finished.

A process of its own (``python -m api.bench.flip_ceiling FOLDER``), told what to do line by line on
its standard input, and answering each with a line of JSON:

========= =============================================================================
field     from here on air, painting, rest and check-ins are those of `FIELD`
kill N    so many labels are dead, spread over the gateways; answers their names
mark      forget what was recorded
told      what was recorded: when labels began and ended to paint, bytes and airtime
alone MS  paint what was sent since the mark once more, by the radio alone, from an instant on
========= =============================================================================

Until ``field`` the air takes no time and labels listen all the time, so that a shop is hung in a
minute; they have rested then.
"""

import asyncio
import json
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random
from typing import Any

import msgspec

from api.bench.radio_alone import Journal, WatchedLabel, paint_alone
from api.cli.simulate import read_enrolment
from api.clock import MachineClock
from esl.domain.panel_file import load_panels
from simulator.options import FIELD, INSTANT, GatewayOptions
from simulator.radio import Radio
from simulator.shop import Shop

PLAN = "ceiling.json"
HANGS_WITHIN_S = 8.0
"""How often labels listen while the shop is hung: as often beacon they."""

CHECK_IN_LEAST = 1 / 3
"""Labels listen at intervals of their own between this share of the longest and the longest."""


class CeilingPlan(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is simulated. Clocks are off by up to so many ms either way; gateways' drift, too."""

    enrolments: list[str]
    labels_each: int
    panel: str
    check_in_s: float
    label_off_ms: int
    gateway_off_ms: int
    drift_ppm: float
    seed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Field:
    """The shop, and how it behaves once it is a field."""

    plan: CeilingPlan
    shop: Shop
    options: GatewayOptions

    def begin(self) -> None:
        for gateway in self.shop.gateways.values():
            gateway.radio.options, gateway.radio.takes_time = self.options.radio, True
        random = Random(f"{self.plan.seed}/check-ins")  # noqa: S311  seeded chance
        least_s, most_s = self.options.radio.check_in_s
        for label in self.shop.labels.values():
            label.wakes_every_s = random.uniform(least_s, most_s)
            label.wakes_after_s = random.uniform(0, label.wakes_every_s)
            label.rests_until_s = 0.0

    def hang(self) -> None:
        for gateway in self.shop.gateways.values():
            gateway.radio.options, gateway.radio.takes_time = INSTANT.radio, False
        for label in self.shop.labels.values():
            label.wakes_every_s = HANGS_WITHIN_S

    def kill(self, count: int) -> list[str]:
        names = list(self.shop.labels)
        dead = names[:: max(1, len(names) // count)][:count] if count else []
        for name in dead:
            self.shop.labels[name].dead = True
        return dead

    def told(self, journal: Journal) -> dict[str, Any]:
        still = replace(self.options.radio, loss=0.0, fading=False)
        lossless = Radio(still, Random(0))  # noqa: S311  nothing is left to chance
        air_s: dict[str, float] = {}
        for label_id, size in journal.sent:
            gateway = label_id.rsplit("-", 1)[0]
            air_s[gateway] = air_s.get(gateway, 0.0) + lossless.send(size, 0)[0]
        return {
            "began": journal.began,
            "ended": journal.ended,
            "pictures": len(journal.sent),
            "bytes": sum(size for _, size in journal.sent),
            "air_s": air_s,
            "pending": sum(gateway.pending for gateway in self.shop.gateways.values()),
        }


async def _run(folder: Path) -> None:
    plan = msgspec.json.decode((folder / PLAN).read_bytes(), type=CeilingPlan)
    panel = load_panels(None).named(plan.panel)
    air = replace(FIELD.radio, check_in_s=(plan.check_in_s * CHECK_IN_LEAST, plan.check_in_s))
    field = replace(FIELD, radio=air, capacity=max(FIELD.capacity, plan.labels_each))
    enrolments = [read_enrolment(Path(name)) for name in plan.enrolments]
    random = Random(f"{plan.seed}/clocks")  # noqa: S311  seeded chance
    shop = Shop(
        [
            (one, [(f"{one.gateway}-{n + 1:04d}", panel) for n in range(plan.labels_each)])
            for one in enrolments
        ],
        clock=MachineClock(),
        sleep=asyncio.sleep,
        seed=plan.seed,
        own_options={
            one.gateway: replace(
                field,
                clock_skew_s=random.uniform(-1, 1) * plan.gateway_off_ms / 1000,
                clock_drift_ppm=random.choice((-1, 1)) * plan.drift_ppm,
            )
            for one in enrolments
        },
        label_type=WatchedLabel,
    )
    for label in shop.labels.values():
        label.clock_off_ms = random.randint(-plan.label_off_ms, plan.label_off_ms)
    here = _Field(plan=plan, shop=shop, options=field)
    here.hang()
    async with shop:
        await shop.connected()
        await _obey(here)


async def _obey(field: _Field) -> None:
    """Do what is asked, until nobody asks any more."""
    journal = WatchedLabel.journal
    _say({"ready": True})
    while line := await asyncio.to_thread(sys.stdin.readline):
        word, _, rest = line.strip().partition(" ")
        match word:
            case "field":
                field.begin()
                _say({})
            case "kill":
                _say({"dead": field.kill(int(rest))})
            case "mark":
                journal.forget()
                _say({})
            case "told":
                _say(field.told(journal))
            case "alone":
                _say(await asyncio.to_thread(paint_alone, journal, field.options, int(rest)))


def _say(answer: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(_run(Path(sys.argv[1])))
