"""The oracles of flips, commands, strangers and twins find what they are there for."""

import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from gateway.wire.messages import Cancel, CancelEntry, Put
from simulator.label import SimLabel
from tests.builders import label_id
from tests.chaos.broker import Weather
from tests.chaos.errands import (
    cancel_request,
    order_request,
    plan_request,
    template_request,
    withdraw_request,
)
from tests.chaos.glass import NEUTRAL, read_glass
from tests.chaos.model import Change, Stands
from tests.chaos.panels import ONE_SLOT, TWO_SLOTS
from tests.chaos.profile import DEFAULT
from tests.chaos.requests import price_request
from tests.chaos.story import ANSWERS_EVERY_S, Stage, Story
from tests.chaos.world import Violation

CALM = Weather(loses=0.0, repeats=0.0, delays=0.0)
SMALL = replace(DEFAULT, gateways=1, labels=4, quiet_s=30.0, silence_s=120.0)
FIRST, ONE_SLOTTED = label_id(0), label_id(3)
BEGINS_S, AHEAD_S = 60.0, 90.0
TASK = (
    "INSERT INTO remove_task (store_id, label_id, reason, opened_at)"  # noqa: S608
    f" VALUES ('zagreb-1', '{FIRST}', '', '2026-03-02 06:00:00.000000')"
)


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    opened = Stage()
    yield opened
    opened.close()


@pytest.fixture
def story(stage: Stage) -> Iterator[Story]:
    """A shop at rest, of the first seed whose labels show neutral faces, and one template."""
    for seed in range(50):
        told = Story(stage, seed, SMALL, weather=CALM)
        if not told.oracles.removes and not told.model.template:
            break
        told.books.close()
    told.open()
    told.world.run_until(BEGINS_S)
    yield told
    told.books.close()


@pytest.fixture
def flipping(story: Story) -> Story:
    """The same, with a flip of all products whose shows are armed."""
    changes = [Change(sku=f"sku-{n}", price_minor=700 + n, source="flip") for n in range(4)]
    show_at = story.world.wall() + timedelta(seconds=AHEAD_S)
    story.till.ask(plan_request("key-f", show_at.replace(microsecond=0), changes))
    story.world.run_until(BEGINS_S + 40)
    assert len(story.oracles.flips._armed) == 3, "one label has no slot to spare"
    return story


def write_books(story: Story, statement: str) -> None:
    connection = sqlite3.connect(story.file.path, isolation_level=None)
    connection.execute(statement)
    connection.close()


def price(label: SimLabel) -> int | None:
    says = read_glass(label.shown_pixels)
    return says.price_minor if says is not None else None


def test_a_flip_comes_upon_all_glasses_at_its_moment(flipping: Story) -> None:
    flipping.world.run_until(BEGINS_S + AHEAD_S - 2)
    assert {price(label) for label in flipping.labels.values()} == {129}
    flipping.world.run_until(BEGINS_S + AHEAD_S + 10)
    assert [price(flipping.labels[label_id(n)]) for n in range(4)] == [700, 701, 702, 703]
    assert flipping.labels[ONE_SLOTTED].panel is ONE_SLOT
    flipping.close()
    assert flipping.model.flips[1].stands is Stands.BEGUN


def test_a_cancelled_flip_never_comes(flipping: Story) -> None:
    flipping.till.ask(cancel_request("key-c", 1))
    flipping.world.run_until(BEGINS_S + AHEAD_S + 30)
    assert {price(label) for label in flipping.labels.values()} == {129}
    flipping.close()
    assert flipping.model.flips[1].stands is Stands.CANCELLED


def test_a_show_before_its_moment_is_found(flipping: Story) -> None:
    gateway = flipping.ceilings[0].gateway
    timed = gateway._orders.timed._pending[FIRST][0]
    gateway._orders._fire(timed, flipping.ceilings[0].clocks.moment())
    with pytest.raises(Violation, match=r"I10.* early"):
        flipping.world.run_until(BEGINS_S + 60)


def test_a_show_for_a_moment_that_nobody_planned_is_found(flipping: Story) -> None:
    flipping.model.flips.clear()
    write_books(flipping, "UPDATE staged SET session = 'none'")  # armed anew
    with pytest.raises(Violation, match=r"I10.*no flip is planned"):
        flipping.world.run_until(BEGINS_S + 60)


def test_a_flip_that_is_forgotten_is_found(flipping: Story) -> None:
    flipping.processes[0].wanted = False
    flipping.processes[0].crash("by test")
    flipping.world.run_until(BEGINS_S + AHEAD_S + 10)
    write_books(flipping, "UPDATE flip SET show_at = '2030-01-01 00:00:00.000000'")
    with pytest.raises(Violation, match=r"I10.*neither began nor"):
        flipping.close()


def test_prices_that_change_twice_for_one_flip_are_found(flipping: Story) -> None:
    flipping.world.run_until(BEGINS_S + AHEAD_S + 10)
    write_books(
        flipping,
        "INSERT INTO price_event SELECT * FROM (SELECT"  # noqa: S608
        " (SELECT max(event_id) + 1 FROM price_event) AS event_id, "
        + ", ".join(
            row[1]
            for row in flipping.books.execute("PRAGMA table_info(price_event)")
            if row[1] != "event_id"
        )
        + " FROM price_event WHERE source = 'flip' LIMIT 1)",
    )
    with pytest.raises(Violation, match=r"I10.*5 events, not 4"):
        flipping.oracles.flips.check_over()


def test_a_settled_label_with_a_cancelled_picture_is_found(flipping: Story) -> None:
    flipping.model.cancel(1)  # and nobody told the controller
    flipping.processes[0].crash("by test")
    flipping.processes[0].wanted = False
    flipping.world.run_until(BEGINS_S + AHEAD_S + 10)
    assert price(flipping.labels[FIRST]) == 700
    write_books(flipping, "UPDATE label SET battery_mv = 1")  # the books change in something
    with pytest.raises(Violation, match=r"I3.*called settled"):
        flipping.oracles.check_books()


def test_a_command_that_never_ends_is_found(story: Story) -> None:
    story.till.ask(order_request("key-o", 1, "led", FIRST, "gw-1"))
    story.world.run_until(BEGINS_S + 10)
    now = story.processes[0].controller.time.now()
    story.oracles.orders.check_all(now, slack_s=0)
    story.oracles.orders._accepted.clear()
    with pytest.raises(Violation, match=r"orders.*nobody said so"):
        story.oracles.orders.check_all(now, slack_s=0)
    write_books(story, "UPDATE command SET state = 'sent'")
    with pytest.raises(Violation, match=r"orders.*too late"):
        story.oracles.orders.check_all(now + timedelta(minutes=5), slack_s=60)


def test_a_command_is_not_late_before_a_controller_that_just_began_has_looked(story: Story) -> None:
    story.ceilings[0].switch_off()
    story.till.ask(order_request("key-o", 1, "led", FIRST, "gw-1"))
    story.world.run_until(BEGINS_S + 10)
    first = story.processes[0]
    first.wanted = False
    first.crash("by test")
    story.world.run_until(ANSWERS_EVERY_S - 1)
    first.clocks.ahead_s += 25 * 3600  # it believes this as it starts
    first.start()
    story.world.run_until(ANSWERS_EVERY_S + 10)
    [row] = story.books.execute("SELECT state FROM command").fetchall()
    assert row["state"] == "expired"


def test_a_command_that_upkeep_leaves_open_is_found(
    story: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.upkeep.commands.expire_commands", lambda _tx, _now: 0)
    story.ceilings[0].switch_off()
    story.till.ask(order_request("key-o", 1, "led", FIRST, "gw-1"))
    with pytest.raises(Violation, match=r"orders.*too late"):
        story.world.run_until(BEGINS_S + 600)


def test_what_is_sent_beside_pictures_that_are_drawn_does_not_end_the_sending(
    flipping: Story,
) -> None:
    first = flipping.processes[0]
    first.pace_s, first.draws_s, first._beside_at_s = 0.05, 5.0, 0.0
    # Cancels of shows leave at once, and pictures in their place are still drawn.
    first.post([(cancel_request("key-c", 1), lambda _: None)])
    flipping.world.run_until(BEGINS_S + 60)
    change = Change(sku="sku-0", price_minor=777, seq=1)
    first.post([(price_request("key-p", [change]), lambda _: None)])
    flipping.world.run_until(BEGINS_S + 80)
    assert price(flipping.labels[FIRST]) == 777


def test_a_stranger_that_is_told_something_or_taken_for_ours_is_found(story: Story) -> None:
    stranger = SimLabel("stranger-1", TWO_SLOTS)
    story.ceilings[0].take_up(stranger)
    story.world.run_until(BEGINS_S + 90)
    story.oracles.adopts = True
    story.oracles.check_books()
    with pytest.raises(Violation, match="strangers"):
        story.oracles._watch_quarantine(_put_for("stranger-1"))
    stranger.shown_rev = 9
    with pytest.raises(Violation, match=r"strangers.*painted"):
        story.oracles.watch_glass(stranger)


def test_a_quarantine_of_a_single_label_is_found(story: Story) -> None:
    write_books(story, f"UPDATE label SET quarantine = 1 WHERE label_id = '{FIRST}'")  # noqa: S608
    with pytest.raises(Violation, match=r"twins.*is one label"):
        story.oracles.check_books()
    story.oracles.note_twin(SimLabel(FIRST, TWO_SLOTS))
    with pytest.raises(Violation, match=r"twins.*are sent pictures"):
        story.oracles._watch_quarantine(_put_for(FIRST))


def test_only_of_a_label_in_quarantine_shows_are_cancelled_in_the_silence(story: Story) -> None:
    oracles = story.oracles
    cancel = Cancel(id=1, entries=[CancelEntry(label=FIRST, rev=5)])
    assert not oracles._is_for_the_dead(cancel)
    oracles.note_twin(SimLabel(FIRST, TWO_SLOTS))
    write_books(story, f"UPDATE label SET quarantine = 1 WHERE label_id = '{FIRST}'")  # noqa: S608
    oracles.check_books()
    assert oracles._is_for_the_dead(cancel)


def test_a_label_in_quarantine_stays_with_people_and_then_gets_its_time(story: Story) -> None:
    oracles = story.oracles
    oracles.note_twin(SimLabel(FIRST, TWO_SLOTS))
    write_books(story, f"UPDATE label SET quarantine = 1 WHERE label_id = '{FIRST}'")  # noqa: S608
    write_books(story, TASK)
    oracles.check_books()
    oracles.check_tasks()
    oracles.quiet_from_s = story.world.now_s
    assert not oracles._is_for_the_freed(_put_for(FIRST))
    write_books(story, f"UPDATE label SET quarantine = 0 WHERE label_id = '{FIRST}'")  # noqa: S608
    oracles.check_books()
    oracles.check_tasks()
    assert oracles._is_for_the_freed(_put_for(FIRST))
    assert not oracles._is_for_the_freed(_put_for(ONE_SLOTTED))
    write_books(story, "DELETE FROM remove_task")
    oracles._freed_s[FIRST] -= SMALL.neutral_within_s
    story.model.pair(FIRST, None)
    assert oracles.overpriced(story.labels.values())
    assert not oracles.wrong(story.labels.values())
    oracles._freed_s[FIRST] -= SMALL.right_within_s
    assert oracles.wrong(story.labels.values())
    assert not oracles._is_for_the_freed(_put_for(FIRST))


def test_of_an_id_used_twice_nobody_is_asked_what_settled_means(story: Story) -> None:
    oracles, label = story.oracles, story.labels[FIRST]
    write_books(
        story,
        "UPDATE label SET due_at = NULL, problem = NULL, settled_rev = wanted_rev"  # noqa: S608
        f" WHERE label_id = '{FIRST}'",
    )
    oracles.check_books()
    story.model.pair(FIRST, "sku-3")

    def judge() -> None:
        oracles._version = -1
        oracles.check_books()

    with pytest.raises(Violation, match=r"I3.*is called settled"):
        judge()
    twin = SimLabel(FIRST, TWO_SLOTS)
    oracles.note_twin(twin)
    oracles._glass[FIRST].rev -= 1
    oracles.watch_glass(label)  # it shows something new, and the other may have since
    judge()
    oracles.note_twin_gone(FIRST)
    judge()
    oracles._glass[FIRST].rev -= 1
    oracles.watch_glass(label)
    with pytest.raises(Violation, match=r"I3.*is called settled"):
        judge()


def test_a_withdrawn_price_leaves_the_glass(story: Story) -> None:
    story.till.ask(withdraw_request("key-w", "sku-0"))
    story.world.run_until(BEGINS_S + 20)
    assert read_glass(story.labels[FIRST].shown_pixels) == NEUTRAL
    story.close()


def test_a_needless_task_is_found(story: Story) -> None:
    write_books(story, TASK)
    with pytest.raises(Violation, match=r"neutral.*to be removed"):
        story.oracles.check_tasks()


def test_a_new_template_is_a_new_truth(story: Story) -> None:
    story.till.ask(template_request("key-t", 5))  # no rule names it, so nothing is drawn with it
    with pytest.raises(Violation, match=r"I3.*called settled"):
        story.world.run_until(BEGINS_S + 20)


def _put_for(label: str) -> Put:
    return Put(
        id=1,
        label=label,
        epoch=1,
        slot=0,
        rev=9,
        digest=bytes(32),
        size=1,
        encoding="zlib",
        data=b"",
        show=True,
        deadline=1,
    )
