"""Each oracle finds what it is there for: one that cannot fail would prove nothing."""

import sqlite3
from collections.abc import Iterator
from dataclasses import replace

import pytest

from esl.domain.face import Face
from simulator.label import SimLabel
from tests.builders import PANEL, label_id, the_gallery
from tests.chaos.broker import Weather
from tests.chaos.glass import ReadableRenderer, Says, read_glass
from tests.chaos.model import Change, Model
from tests.chaos.profile import DEFAULT
from tests.chaos.requests import price_request
from tests.chaos.story import Stage, Story
from tests.chaos.world import Violation
from tests.panels import PANELS

CALM = Weather(loses=0.0, repeats=0.0, delays=0.0)
SMALL = replace(DEFAULT, gateways=1, labels=2)
FIRST = label_id(0)


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    opened = Stage()
    yield opened
    opened.close()


@pytest.fixture
def story(stage: Stage) -> Iterator[Story]:
    """A shop at rest, whose labels show their first price."""
    told = Story(stage, 1, SMALL, weather=CALM)
    told.open()
    told.world.run_until(60.0)
    assert not told.oracles.wrong(told.labels.values())
    yield told
    told.books.close()


def change_row(story: Story, columns: str) -> None:
    """Write into the books what no product wrote."""
    connection = sqlite3.connect(story.file.path, isolation_level=None)
    connection.execute(f"UPDATE label SET {columns} WHERE label_id = '{FIRST}'")  # noqa: S608
    connection.close()


def paint(label: SimLabel, rev: int, digest: bytes, pixels: bytes) -> None:
    label.shown_rev, label.shown_digest, label.shown_pixels = rev, digest, pixels


def test_a_healthy_shop_breaks_nothing(story: Story) -> None:
    story.oracles.check_books()
    story.oracles.answers.check_stored()
    story.close()


def test_a_glass_that_goes_back_is_found(story: Story) -> None:
    label = story.labels[FIRST]
    label.shown_rev -= 1
    with pytest.raises(Violation, match="I2"):
        story.oracles.watch_glass(label)


def test_a_picture_nobody_signed_is_found(story: Story) -> None:
    label = story.labels[FIRST]
    paint(label, label.shown_rev + 1, bytes(32), label.shown_pixels)
    with pytest.raises(Violation, match="I5"):
        story.oracles.watch_glass(label)


def test_an_earlier_truth_under_a_new_revision_is_found(story: Story) -> None:
    label, glass = story.labels[FIRST], story.oracles._glass[FIRST]
    old_pixels, old_digest = label.shown_pixels, label.shown_digest
    story.till.ask(price_request("key-1", [Change(sku="sku-0", price_minor=777, seq=1)]))
    story.world.run_until(story.world.now_s + 20)
    assert read_glass(label.shown_pixels) == Says("sku-0", "Jogurt sku-0", 777)
    paint(label, glass.rev + 1, old_digest, old_pixels)
    story.oracles._signed[FIRST].add((glass.rev + 1, old_digest))
    with pytest.raises(Violation, match=r"I2.*truth was newer"):
        story.oracles.watch_glass(label)


def test_books_that_hold_what_was_never_shown_are_found(story: Story) -> None:
    change_row(story, "shown_rev = shown_rev + 1")
    with pytest.raises(Violation, match=r"I3.*never showed"):
        story.oracles.check_books()


def test_a_label_settled_at_the_wrong_price_is_found(story: Story) -> None:
    story.model.apply(Change(sku="sku-0", price_minor=555, seq=1))
    change_row(story, "battery_mv = 1")  # the books change in something
    with pytest.raises(Violation, match=r"I3.*called settled"):
        story.oracles.check_books()


def test_a_wish_that_goes_back_is_found(story: Story) -> None:
    story.oracles.check_books()
    change_row(story, "wanted_rev = wanted_rev - 1")
    with pytest.raises(Violation, match=r"I2.*wants"):
        story.oracles.check_books()


def test_an_answer_that_was_not_stored_is_found(story: Story) -> None:
    story.oracles.answers.note("never-stored", "{}")
    with pytest.raises(Violation, match="I1"):
        story.oracles.answers.check_stored()


def test_two_answers_to_one_key_are_found(story: Story) -> None:
    story.oracles.answers.note("key-1", "one")
    with pytest.raises(Violation, match="I7"):
        story.oracles.answers.note("key-1", "other")
    with pytest.raises(Violation, match="I7"):
        story.oracles.answers.check_conflict("key-1", "one")


def test_a_shelf_that_does_not_come_right_is_found(story: Story) -> None:
    change_row(story, "due_at = NULL, problem = 'stuck'")
    story.model.apply(Change(sku="sku-0", price_minor=555, seq=1))
    with pytest.raises(Violation, match="I4"):
        story.close()


def test_a_price_without_an_offer_is_found(story: Story) -> None:
    story.model.pair(FIRST, None)
    assert story.oracles.overpriced(story.labels.values())
    story.oracles._glass[FIRST].haunted = True  # what the books say is another oracle's business
    with pytest.raises(Violation, match="neutral"):
        story.close()


def test_commands_after_all_is_right_are_found(story: Story) -> None:
    story.oracles.quiet_from_s = story.world.now_s
    story.till.ask(price_request("key-1", [Change(sku="sku-0", price_minor=777, seq=1)]))
    with pytest.raises(Violation, match="I14"):
        story.world.run_until(story.world.now_s + 20)


def test_a_label_that_is_sent_to_without_end_is_found(story: Story) -> None:
    for _ in range(130 - story.oracles._count_lately(FIRST)):
        story.oracles._watch_often(FIRST)
    with pytest.raises(Violation, match="I6"):
        story.oracles._watch_often(FIRST)


def test_a_decision_against_a_sources_numbers_is_found() -> None:
    model = Model()
    model.names["sku-0"] = "Jogurt"
    model.add(FIRST, "sku-0")
    assert model.apply(Change(sku="sku-0", price_minor=2, seq=2)) == "accepted"
    assert model.apply(Change(sku="sku-0", price_minor=1, seq=1)) == "superseded"
    assert model.apply(Change(sku="sku-0", price_minor=2, seq=3)) == "unchanged"
    assert model.truth(FIRST) == Says("sku-0", "Jogurt", 2)


def test_what_a_glass_says_can_be_read_back() -> None:
    face = Face(name="Sir", price_minor=1, currency="EUR", locale="hr_HR", sku="s", badge="!")
    frame = ReadableRenderer().render(face, PANELS[PANEL], the_gallery()["standard"])
    assert read_glass(frame.pixels) == Says("s", "Sir", 1, None, "!")
    assert len(frame.pixels) == PANELS[PANEL].frame_bytes
    assert read_glass(bytes(len(frame.pixels))) is None


def test_every_payload_is_looked_into(story: Story) -> None:
    assert story.oracles.commands >= SMALL.labels
    assert story.oracles.evaluated["I5"] >= SMALL.labels
