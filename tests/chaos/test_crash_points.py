"""A process dies at the first, second … n-th moment of a story, until it no longer does.

SQLite's own method: not where chance falls, but everywhere. The story is short: a price is
posted, recorded, sent, painted and reported.
"""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from tests.chaos.broker import Weather
from tests.chaos.disk import Dies
from tests.chaos.model import Change
from tests.chaos.profile import DEFAULT
from tests.chaos.requests import price_request
from tests.chaos.story import Stage, Story

CALM = Weather(loses=0.0, repeats=0.0, delays=0.0)
SMALL = replace(DEFAULT, gateways=1, labels=1, quiet_s=30.0, silence_s=120.0)
BEGINS_S = 100.0
TAKES_S = 6.0


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    opened = Stage()
    yield opened
    opened.close()


def dies(stage: Stage, moment: Dies, number: int) -> bool:
    """Tell the story with a death in it; say whether it took place."""
    story = Story(stage, number, SMALL, weather=CALM)
    world, process = story.world, story.processes[0]
    story.till._doors = story.processes[:1]
    story.open()
    world.run_until(BEGINS_S)
    process.disk.arm(moment, number)
    story.till.ask(price_request("key-1", [Change(sku="sku-0", price_minor=777, seq=1)]))
    world.run_until(BEGINS_S + TAKES_S)
    story.close()
    story.books.close()
    return any(fault.startswith("controller dies") for fault in world.applied)


@pytest.mark.parametrize("moment", list(Dies))
def test_a_death_at_any_moment_loses_nothing_and_shows_nothing_wrong(
    stage: Stage, moment: Dies
) -> None:
    number = 1
    while dies(stage, moment, number) and number < 400:
        number += 1 if number < 60 else 7
    assert number > 5, "the process never died: this test tests nothing"
