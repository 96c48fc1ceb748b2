"""Kill controller, broker and gateways as power cuts do, at random points, while prices change.

Whatever dies is started again at once, and may die again while it starts. Every few kills all is
left in peace until the books say that every label is right; then the judge compares. The whole run
follows from a seed as far as processes can: who is killed, and after how long.

    make kills KILLS=500 SEED=7      prints a line of JSON: kills, lost, wrong, seconds …
"""

import contextlib
import json
import os
import time
from collections import Counter
from pathlib import Path
from random import Random

import psutil
import pytest
from sqlalchemy import insert

from api.demo.sample_shop import shelf
from esl.store.migrate import migrate
from esl.store.tables import issued
from tests.builders import NOON
from tests.real_shop import RealShop
from tests.services import Mosquitto
from tests.shelf_process import Memory, Record

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


def test_a_shelf_whose_labels_all_lost_their_memory_is_told_everything_anew(
    tmp_path: Path, mosquitto: Mosquitto
) -> None:
    broker = {"username": mosquitto.username, "password": mosquitto.password}
    shop = RealShop(tmp_path, shelf(8), mqtt_url=mosquitto.url, broker=broker, forgetful=1.0)
    try:
        shop.open()
        shop.until_settled()
        assert _kill("gateways", shop, mosquitto)
        shop.until_settled()
        assert {incarnation for incarnation, _, _ in shop.shown().values()} == {2}
        assert (shop.wrong(), shop.wrong_at_the_end()) == ([], [])
    finally:
        shop.close()


# ── The judge itself ───────────────────────────────────────────────────────────────────────


def test_the_judge_finds_what_went_back_what_was_never_issued_and_what_was_lost(
    tmp_path: Path,
) -> None:
    shop = RealShop(tmp_path, shelf(2), mqtt_url="mqtt://127.0.0.1:1", broker={})
    with contextlib.closing(shop.database):
        migrate(shop.database, NOON)
        with shop.database.writing.begin() as tx:
            told = [("shelf-0001", 5, "aa"), ("shelf-0001", 6, "bb"), ("shelf-0002", 6, "cc")]
            tx.execute(
                insert(issued),
                [
                    {
                        "label_id": label,
                        "rev": rev,
                        "digest": d,
                        "gateway_id": "g",
                        "issued_at": NOON,
                    }
                    for label, rev, d in told
                ],
            )
        record = Record(shop.shelf)
        for rev, digest in ((5, "aa"), (6, "bb")):
            record.write("shelf-0001", Memory(1, rev, digest))
        record.write("shelf-0001", Memory(2, 0, ""))  # it lost its memory: no fault
        record.write("shelf-0001", Memory(2, 5, "aa"))
        assert shop.wrong() == []
        record.write("shelf-0002", Memory(1, 6, "bb"))
        record.write("shelf-0001", Memory(2, 6, "bb"))
        record.write("shelf-0001", Memory(2, 5, "aa"))
        assert [found.split()[:2] for found in shop.wrong()] == [
            ["shelf-0002", "showed"],
            ["shelf-0001", "went"],
        ]
        assert shop.lost() == []
        shop.accepted["1001"][1] = "1.29"
        assert shop.lost() == ["1001 1 is stored 0 times"]
