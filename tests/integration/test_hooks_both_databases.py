"""The inbox of webhooks and the connectors' places, on SQLite and PostgreSQL."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Connection, insert

from esl.domain.ids import SourceId, StoreId
from esl.domain.problem import ProblemKind
from esl.domain.source import Source
from esl.services import hooks
from esl.services.intake_problems import find_intake_problems
from esl.store import connectors, hook_inbox, sources, tables
from esl.store.connectors import ConnectorState
from esl.store.database import Database
from esl.store.hook_inbox import HookState, NewHookEvent, StoredHookEvent

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)


@pytest.fixture
def tx(database: Database) -> Iterator[Connection]:
    with database.writing.begin() as opened:
        yield opened


def call(name: str, *, source: str = "shop", body: bytes = b"{}") -> NewHookEvent:
    return NewHookEvent(source=source, event_id=name, system="shopify", body=body, topic="t")


def names(events: list[StoredHookEvent]) -> list[str]:
    return [event.event_id for event in events]


def test_an_event_is_kept_once_with_every_byte_of_its_first_body(tx: Connection) -> None:
    body = bytes(range(256))
    first = hooks.store_event(tx, call("e1", body=body), NOON)
    again = hooks.store_event(tx, call("e1", body=b"other"), NOON + SECOND)
    elsewhere = hooks.store_event(tx, call("e1", source="other"), NOON)
    assert (first.is_new, again.is_new, elsewhere.is_new) == (True, False, True)
    assert first.number == again.number != elsewhere.number
    [kept] = hook_inbox.list_events(tx, "shop")
    assert (kept.body, kept.topic, kept.received_at) == (body, "t", NOON)


def test_a_claimed_event_comes_back_if_nobody_ends_it(tx: Connection) -> None:
    hooks.store_event(tx, call("e1"), NOON)
    assert names(hooks.next_events(tx, NOON)) == ["e1"]
    assert hooks.next_events(tx, NOON + SECOND) == []
    [again] = hooks.next_events(tx, NOON + hooks.PATIENCE)
    assert again.attempts == 2
    assert hook_inbox.end_event(tx, again, HookState.DONE, NOON)
    assert hooks.next_events(tx, NOON + 2 * hooks.PATIENCE) == []


def test_whoever_lost_its_claim_cannot_end_the_event(tx: Connection) -> None:
    hooks.store_event(tx, call("e1"), NOON)
    [mine] = hooks.next_events(tx, NOON)
    [theirs] = hooks.next_events(tx, NOON + hooks.PATIENCE)
    assert not hook_inbox.end_event(tx, mine, HookState.NOISE, NOON)
    assert hook_inbox.end_event(tx, theirs, HookState.DONE, NOON)
    assert not hook_inbox.end_event(tx, theirs, HookState.DONE, NOON)


def test_a_later_event_of_the_source_never_overtakes_one_that_waits(tx: Connection) -> None:
    hooks.store_event(tx, call("e1"), NOON)
    [first] = hooks.next_events(tx, NOON)
    hooks.store_event(tx, call("e2"), NOON)
    hooks.store_event(tx, call("e3", source="other"), NOON)
    assert names(hooks.next_events(tx, NOON)) == ["e3"]
    hook_inbox.end_event(tx, first, HookState.DONE, NOON)
    assert names(hooks.next_events(tx, NOON)) == ["e2"]


def test_an_event_that_fails_again_and_again_is_poisoned_and_lets_others_pass(
    tx: Connection,
) -> None:
    hooks.store_event(tx, call("e1"), NOON)
    hooks.store_event(tx, call("e2"), NOON)
    now = NOON
    for _ in range(hooks.TRIES_MOST):
        assert names(hooks.next_events(tx, now, limit=1)) == ["e1"]
        now += hooks.PATIENCE
    assert hooks.next_events(tx, now, limit=1) == []
    assert names(hooks.next_events(tx, now, limit=1)) == ["e2"]
    [poisoned] = hook_inbox.list_events(tx, "shop", state=HookState.POISONED)
    assert poisoned.error == "given up after 5 tries"
    assert hook_inbox.retry_event(tx, poisoned.hook_key, now)
    assert names(hooks.next_events(tx, now)) == ["e1"]


def test_only_what_is_over_is_forgotten(tx: Connection) -> None:
    for name in ("open", "done"):
        hooks.store_event(tx, call(name), NOON)
    [_, done] = hooks.next_events(tx, NOON)
    hook_inbox.end_event(tx, done, HookState.DONE, NOON)
    assert hook_inbox.forget_events(tx, NOON + SECOND, most=10) == 1
    assert names(hook_inbox.list_events(tx, "shop")) == ["open"]


class TestConnectors:
    def held(self, tx: Connection) -> ConnectorState:
        state = connectors.claim_connector(tx, "shop", NOON, until=NOON + SECOND)
        assert state is not None
        return state

    def saved(self, **changes: object) -> ConnectorState:
        usual: dict[str, object] = {"due_at": NOON + 60 * SECOND, "cursor": "c1"}
        return ConnectorState(source="shop", **{**usual, **changes})  # type: ignore[arg-type]

    def test_one_that_never_ran_is_due_and_only_one_may_run_it(self, tx: Connection) -> None:
        assert connectors.due_sources(tx, NOON, ["shop", "other"]) == ["other", "shop"]
        assert self.held(tx).cursor == ""
        assert connectors.claim_connector(tx, "shop", NOON, until=NOON + SECOND) is None
        assert connectors.due_sources(tx, NOON, ["shop", "other"]) == ["other"]

    def test_its_place_is_what_was_saved_last(self, tx: Connection) -> None:
        self.held(tx)
        saved = self.saved(progress="page 2", read_at=NOON, runs=3, problem="x" * 600)
        assert connectors.save_state(tx, saved, held_until=NOON + SECOND)
        found = connectors.connector_state(tx, "shop", NOON)
        assert (found.cursor, found.progress, found.runs) == ("c1", "page 2", 3)
        assert len(found.problem) == 500

    def test_an_event_during_a_run_leaves_it_due(self, tx: Connection) -> None:
        self.held(tx)
        hooks.want_fetch(tx, "shop", ("7",), NOON)
        assert connectors.save_state(tx, self.saved(), held_until=NOON + SECOND)
        assert connectors.connector_state(tx, "shop", NOON).due_at == NOON

    def test_whoever_lost_its_hold_saves_nothing(self, tx: Connection) -> None:
        self.held(tx)
        later = NOON + SECOND
        assert connectors.claim_connector(tx, "shop", later, until=later + SECOND) is not None
        assert not connectors.save_state(tx, self.saved(), held_until=NOON + SECOND)
        assert connectors.connector_state(tx, "shop", NOON).cursor == ""

    def test_an_event_does_not_end_a_pause_after_an_error(self, tx: Connection) -> None:
        self.held(tx)
        connectors.save_state(tx, self.saved(attempts=2), held_until=NOON + SECOND)
        hooks.want_fetch(tx, "shop", (), NOON)
        assert connectors.connector_state(tx, "shop", NOON).due_at == NOON + 60 * SECOND

    def test_an_object_that_is_asked_for_again_while_it_is_fetched_stays(
        self, tx: Connection
    ) -> None:
        connectors.add_wants(tx, "shop", ["1", "2", "1"], NOON)
        assert connectors.list_wants(tx, "shop", limit=9) == ["1", "2"]
        connectors.add_wants(tx, "shop", ["1"], NOON + SECOND)
        connectors.end_wants(tx, "shop", ["1", "2"], asked_until=NOON)
        assert connectors.list_wants(tx, "shop", limit=9) == ["1"]


def test_what_fails_is_said_for_the_stores_it_concerns(tx: Connection) -> None:
    for store in ("main", "pula"):
        name = {"name": store, "currency": "EUR", "locale": "hr_HR", "timezone": "Europe/Zagreb"}
        tx.execute(insert(tables.stores).values(store_id=store, **name))
    for source, store in (("shop", "main"), ("all", None), ("off", "main")):
        sources.put_source(
            tx,
            Source(
                source_id=SourceId(source),
                name=source,
                store_id=StoreId(store) if store else None,
                disabled=source == "off",
            ),
            NOON,
        )
        connectors.claim_connector(tx, source, NOON, until=NOON + SECOND)
        state = ConnectorState(source=source, due_at=NOON, problem=f"{source} fails")
        connectors.save_state(tx, state, held_until=NOON + SECOND)
        for number in (1, 2):
            hooks.store_event(tx, call(f"e{number}", source=source), NOON)
    for event in hooks.next_events(tx, NOON):
        hook_inbox.end_event(tx, event, HookState.POISONED, NOON, error=event.event_id)
    main, pula = StoreId("main"), StoreId("pula")
    assert connectors.list_failing(tx, main) == [("all", "all fails"), ("shop", "shop fails")]
    assert connectors.list_failing(tx, pula) == [("all", "all fails")]
    poisoned = [("all", 2, "e2"), ("shop", 2, "e2")]
    assert hook_inbox.count_poisoned(tx, main, since=NOON) == poisoned
    assert hook_inbox.count_poisoned(tx, pula, since=NOON) == poisoned[:1]
    assert hook_inbox.count_poisoned(tx, main, since=NOON + SECOND) == []
    found = [wrong for wrong in find_intake_problems(tx, main, NOON) if "shop" in wrong[1]]
    assert found == [
        (ProblemKind.SOURCE_FAILS, "source/shop/main", "shop fails"),
        (
            ProblemKind.SOURCE_FAILS,
            "hooks/shop/main",
            (
                "2 of its webhooks could not be read; the last: e2."
                " All of them: GET /api/v1/sources/shop/events"
            ),
        ),
    ]
