"""The oracles of promotions and of the till find what they are there for."""

import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from tests.builders import label_id
from tests.chaos.broker import Weather
from tests.chaos.campaign_requests import campaign_request, stop_request
from tests.chaos.campaigns import Campaign, Gives, Hours
from tests.chaos.glass import Says, read_glass
from tests.chaos.model import Change
from tests.chaos.profile import PROMOTIONS
from tests.chaos.requests import price_request
from tests.chaos.story import Stage, Story
from tests.chaos.world import Violation

CALM = Weather(loses=0.0, repeats=0.0, delays=0.0)
SMALL = replace(PROMOTIONS, gateways=1, labels=4, quiet_s=30.0, silence_s=120.0)
BEGINS_S = 60.0
MINUTE_S = 60.0


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    opened = Stage()
    yield opened
    opened.close()


def open_shop(stage: Stage, *, is_safe: bool) -> Story:
    """A shop at rest, of the first seed that keeps the safe order, or does not."""
    for seed in range(50):
        told = Story(stage, seed, SMALL, weather=CALM)
        fits = told.model.is_safe is is_safe and not told.model.template
        if fits and not told.oracles.removes:
            break
        told.books.close()
    told.world.faulty = False  # nothing goes wrong but what a test does
    told.open()
    told.world.run_until(BEGINS_S)
    return told


@pytest.fixture
def story(stage: Stage) -> Iterator[Story]:
    told = open_shop(stage, is_safe=False)
    yield told
    told.books.close()


@pytest.fixture
def ordered(stage: Stage) -> Iterator[Story]:
    told = open_shop(stage, is_safe=True)
    yield told
    told.books.close()


def plan(story: Story, name: str, gives: Gives, *, priority: int = 0) -> None:
    """Of sku-0, from the fourth minute to the sixth."""
    local = (
        story.world.begins + timedelta(hours=1 if story.world.begins.month == 3 else 2)
    ).replace(tzinfo=None)
    one = Campaign(
        name=name,
        gives=gives,
        priority=priority,
        badge=name,
        skus=frozenset({"sku-0"}),
        runs=[],
    )
    hours = Hours(
        begins=local + timedelta(minutes=4),
        ends=local + timedelta(minutes=6),
        weekdays=frozenset(),
        hours=(),
    )
    story.till.ask(campaign_request(f"key-{name}", one, hours))


def says(story: Story) -> Says | None:
    return read_glass(story.labels[label_id(0)].shown_pixels)


def price(story: Story) -> int | None:
    shown = says(story)
    return shown.price_minor if shown is not None else None


def write_books(story: Story, statement: str) -> None:
    connection = sqlite3.connect(story.file.path, isolation_level=None)
    connection.execute(statement)
    connection.close()


def test_promotions_come_and_go_on_the_glass_and_the_higher_priority_wins(story: Story) -> None:
    plan(story, "half", Gives(percent=50))
    plan(story, "leaflet", Gives(price=99), priority=5)
    plan(story, "card", Gives(percent=60, club=True))
    story.world.run_until(5 * MINUTE_S)
    shown = says(story)
    assert shown is not None
    assert (shown.price_minor, shown.was_minor, shown.badge) == (99, 129, "leaflet")
    assert shown.member_minor == 51
    story.world.run_until(7 * MINUTE_S)
    assert price(story) == 129
    assert story.oracles.edges.turned == 6
    story.close()


def test_one_that_is_stopped_never_comes(story: Story) -> None:
    plan(story, "half", Gives(percent=50))
    story.world.run_until(3 * MINUTE_S)
    story.till.ask(stop_request("key-s", "half", gently=False))
    story.world.run_until(5 * MINUTE_S)
    assert price(story) == 129
    story.close()


def test_a_moment_that_is_forgotten_is_found(story: Story) -> None:
    plan(story, "half", Gives(percent=50))
    story.world.run_until(2 * MINUTE_S)
    write_books(story, "UPDATE promotion_store SET next_at = NULL")
    with pytest.raises(Violation, match=r"I10.*half: next None"):
        story.world.run_until(6 * MINUTE_S)


def test_a_moment_that_comes_early_is_found(story: Story) -> None:
    plan(story, "half", Gives(percent=50))
    story.world.run_until(2 * MINUTE_S)
    write_books(story, "UPDATE promotion_store SET next_at = datetime(next_at, '-110 seconds')")
    with pytest.raises(Violation, match=r"I10.*half: next .*02:10"):
        story.world.run_until(6 * MINUTE_S)


def test_a_moment_that_nobody_turns_is_found(story: Story) -> None:
    plan(story, "half", Gives(percent=50))
    story.world.run_until(5 * MINUTE_S)
    now = story.processes[0].controller.time.now()
    story.oracles.edges.check_none_left(now)
    with pytest.raises(Violation, match=r"I10.*have passed, and nobody turned them"):
        story.oracles.edges.check_none_left(now + timedelta(minutes=2))


def test_a_promotion_that_does_not_end_with_the_day_is_found(story: Story) -> None:
    plan(story, "half", Gives(percent=50))
    story.world.run_until(5 * MINUTE_S)
    with pytest.raises(Violation, match=r"I10.*half is active"):
        story.oracles.edges.check_over()


def test_in_the_safe_order_labels_follow_the_till_down_and_lead_it_up(ordered: Story) -> None:
    plan(ordered, "half", Gives(percent=50))
    charges = ordered.oracles.tills.charges
    ordered.world.run_until(5 * MINUTE_S)
    assert (price(ordered), charges["sku-0"]) == (64, 64)
    ordered.world.run_until(8 * MINUTE_S)
    assert (price(ordered), charges["sku-0"]) == (129, 129)
    assert ordered.oracles.evaluated["I15"] > 0
    ordered.close()


def test_a_till_that_charges_more_than_a_label_says_is_found(ordered: Story) -> None:
    ordered.oracles.tills.charge("sku-0", 129)
    with pytest.raises(Violation, match=r"I15.*the till charges 130"):
        ordered.oracles.tills.charge("sku-0", 130)


def test_a_label_that_says_less_than_the_till_charges_is_found(ordered: Story) -> None:
    ordered.till.ask(price_request("key-1", [Change(sku="sku-0", price_minor=777, seq=1)]))
    ordered.world.run_until(3 * MINUTE_S)
    assert ordered.oracles.tills.charges["sku-0"] == 777
    write_books(ordered, "UPDATE till_price SET most = NULL, granted = '[1,null,[]]'")
    ordered.till.ask(price_request("key-2", [Change(sku="sku-0", price_minor=99, seq=2)]))
    with pytest.raises(Violation, match=r"I15.*the till charges 777"):
        ordered.world.run_until(3 * MINUTE_S + 8)
