"""Kill controller, broker and gateways as power cuts do, at random points, while prices change.

Whatever dies is started again at once, and may die again while it starts. Every few kills all is
left in peace until the books say that every label is right; then the judge compares. The whole run
follows from a seed as far as processes can: who is killed, and after how long.

    make kills KILLS=500 SEED=7      prints a line of JSON: kills, lost, wrong, seconds …
"""

import json
import os
import time
from collections import Counter
from pathlib import Path
from random import Random

import psutil
import pytest

from api.demo.sample_shop import shelf
from tests.real_shop import RealShop
from tests.services import Mosquitto

LABELS = 40
KILLS = int(os.environ.get("ESL_TEST_KILLS", "50"))
SEED = int(os.environ.get("ESL_TEST_SEED", "1"))
PEACE_EVERY = 25

PAUSE_S = (0.05, 2.0)
"""From one kill to the next. A start takes about two seconds: every second one hits a start."""


@pytest.mark.timeout(60 + 20 * KILLS)
def test_kills_at_random_points_lose_nothing_and_show_nothing_wrong(
    tmp_path: Path, mosquitto: Mosquitto
) -> None:
    random = Random(SEED)
    shop = RealShop(
        tmp_path,
        shelf(LABELS),
        mqtt_url=mosquitto.url,
        broker={"username": mosquitto.username, "password": mosquitto.password},
        forgetful=0.05,
        seed=SEED,
    )
    killed: Counter[str] = Counter()
    began_s = time.monotonic()
    slowest_s = 0.0
    try:
        shop.open()
        shop.until_settled()
        while killed.total() < KILLS:
            last_s = time.monotonic()
            with shop.till(random):
                for _ in range(min(PEACE_EVERY, KILLS - killed.total())):
                    time.sleep(random.uniform(*PAUSE_S))
                    victim = random.choice(("controller", "broker", "gateways"))
                    assert _kill(victim, shop, mosquitto), f"{victim} had ended by itself"
                    killed[victim] += 1
                    last_s = time.monotonic()
            shop.until_settled(90)
            slowest_s = max(slowest_s, time.monotonic() - last_s)
            assert shop.wrong_at_the_end() == []
        verdict = {
            "kills": killed.total(),
            **{name: killed[name] for name in sorted(killed)},
            "lost": len(shop.lost()),
            "wrong": len(shop.wrong()),
            "seconds": round(time.monotonic() - began_s, 1),
            "slowest_recovery_s": round(slowest_s, 1),
            "prices": sum(map(len, shop.accepted.values())),
            "shown": len(shop.history()),
            "seed": SEED,
        }
        (tmp_path / "kills.json").write_text(json.dumps(verdict))
        if "ESL_TEST_KILLS" in os.environ:
            print("\n" + json.dumps(verdict), flush=True)  # noqa: T201  for `make kills`
        assert (shop.lost(), shop.wrong()) == ([], [])
    finally:
        shop.close()


def _kill(victim: str, shop: RealShop, mosquitto: Mosquitto) -> bool:
    """Kill one and start it again; say whether it lived."""
    if victim == "broker":
        mosquitto.kill()
        mosquitto.start()
        return True
    child = shop.controller if victim == "controller" else shop.simulator
    children = child.children()
    lived = child.kill()
    _, orphans = psutil.wait_procs(children, 5)
    assert orphans == []
    child.start()
    return lived
