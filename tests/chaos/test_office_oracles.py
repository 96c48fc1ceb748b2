"""The oracles of access and of the audit find what they are there for."""

import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from tests.chaos.access_oracle import WRITE, Human, Machine
from tests.chaos.broker import Weather
from tests.chaos.profile import OFFICE
from tests.chaos.story import Stage, Story
from tests.chaos.world import Violation

CALM = Weather(loses=0.0, repeats=0.0, delays=0.0)
ANNEX = ("annex", "annex-0")


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    opened = Stage()
    yield opened
    opened.close()


@pytest.fixture
def story(stage: Stage) -> Iterator[Story]:
    """A shop and an office at work, some of whose records are sealed."""
    told = Story(stage, 1, OFFICE, weather=CALM)
    told.open()
    told.office.begin()
    told.world.run_until(900.0)
    yield told
    told.books.close()


def change(story: Story, statement: str) -> None:
    """Write into the books what no product wrote, past the triggers that refuse it."""
    connection = sqlite3.connect(story.file.path, isolation_level=None)
    names = connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall()
    for (name,) in names:
        connection.execute(f"DROP TRIGGER {name}")
    connection.execute(statement)
    connection.close()


def test_an_office_that_is_right_breaks_nothing(story: Story) -> None:
    known = story.oracles.access
    assert known.allowed > 0
    assert known.refused > 0
    story.close()
    verdict = story.oracles.audit.check_chain()
    assert verdict.wrong is None
    assert verdict.blocks > 1
    assert verdict.checkpoints > 1
    assert verdict.unsealed == 0
    assert {"I9", "I12", "I13"} <= set(story.oracles.evaluated)


def test_a_revoked_token_that_is_let_in_is_found(story: Story) -> None:
    known, now = story.oracles.access, datetime(2026, 3, 2, 6, 0, tzinfo=UTC)
    stores = frozenset({"annex"})
    known.machines["token:x"] = one = Machine(scopes=frozenset({WRITE}), stores=stores)
    assert known.gate("token:x", "annex", WRITE, now) == "in"
    assert known.gate("token:x", "depot", WRITE, now) == "no such store"
    one.revoked = True
    with pytest.raises(Violation, match=r"I13.*must be nobody"):
        known.judge("a price", known.gate("token:x", "annex", WRITE, now), "accepted")


def test_a_session_ends_with_its_person_its_time_and_its_role(story: Story) -> None:
    known, now = story.oracles.access, datetime(2026, 3, 2, 6, 0, tzinfo=UTC)
    human = Human(roles={"annex": "manager"}, signed_in=now)
    known.people["person:x"] = human
    assert known.gate("person:x", "annex", WRITE, now) == "in"
    assert known.gate("person:x", "annex", WRITE, now + timedelta(minutes=30)) == "nobody"
    human.roles = {"annex": "technician"}
    assert known.gate("person:x", "annex", WRITE, now) == "forbidden"
    human.closed = True
    assert known.gate("person:x", "annex", WRITE, now) == "nobody"


def test_a_price_that_changed_in_a_store_of_others_is_found(story: Story) -> None:
    story.oracles.access.check_books("a look")
    change(story, "UPDATE price SET price_minor = price_minor + 1 WHERE store_id = 'annex'")
    with pytest.raises(Violation, match="I13"):
        story.oracles.access.check_books("a look")


def test_a_price_that_holds_before_another_person_said_so_is_found(story: Story) -> None:
    known = story.oracles.access
    known.waiting.pop(ANNEX, None)
    held = known.prices[ANNEX]
    known.take_price("a price", ANNEX, 9 * held, "token:x", "quarantined")
    with pytest.raises(Violation, match=r"I9.*must be own"):
        known.rule("a decision", ANNEX, "approve", "token:x", "approve")
    change(story, f"UPDATE price SET price_minor = {9 * held} WHERE sku = 'annex-0'")  # noqa: S608
    with pytest.raises(Violation, match="I9"):
        known.check_books("a look")


def test_a_decision_without_its_entry_is_found(story: Story) -> None:
    story.oracles.audit.look()
    with pytest.raises(Violation, match="I12"):
        story.oracles.audit.expect("key-1", [("entry", "approve", "price/4711")])


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE price_event SET price_minor = price_minor + 1 WHERE event_id = 2",
        "DELETE FROM audit_entry WHERE entry_id = 2",
        "UPDATE display_log SET rev = rev + 1",
        "UPDATE published_payload SET counter = counter + 1",
        "UPDATE published_payload SET leaves = zeroblob(32)",
        "DELETE FROM audit_block WHERE number = (SELECT max(number) FROM audit_block)",
        "UPDATE audit_checkpoint SET hash = replace(hash, 'a', 'b')",
    ],
)
def test_a_chain_that_does_not_verify_is_found(story: Story, statement: str) -> None:
    story.oracles.audit.check_chain()
    change(story, statement)
    with pytest.raises(Violation, match="I12"):
        story.oracles.audit.check_chain()


def test_an_entry_of_what_nobody_decided_is_found(story: Story) -> None:
    change(
        story,
        "INSERT INTO audit_entry (at, actor, action, subject)"
        " VALUES ('2026-03-02 06:20:00.000000', 'person:x', 'approve', 'price/4711')",
    )
    with pytest.raises(Violation, match=r"I12.*nobody decided"):
        story.close()


def test_a_price_that_no_event_accounts_for_is_found(story: Story) -> None:
    [controller] = [p.controller for p in story.processes if p.controller is not None]
    controller.sealing.seal_all()
    change(story, "UPDATE price SET price_minor = price_minor + 1 WHERE store_id = 'depot'")
    with pytest.raises(Violation, match=r"I12.*no event accounts"):
        story.oracles.audit.check_over()
