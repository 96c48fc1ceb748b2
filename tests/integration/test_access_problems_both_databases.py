"""Tokens and secrets that end while machines still come in with them, on both databases."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Connection

from esl.domain.access import ALL_STORES, Principal, Scope
from esl.domain.ids import StoreId
from esl.domain.problem import ProblemKind
from esl.intake.access_json import NewToken
from esl.services import clients, problems, tokens
from esl.services.clients import Grant, NewSecret, secret_text
from esl.store import access_times, places
from esl.store.access_times import secret_key, token_key
from esl.store.database import Database
from esl.store.migrate import migrate
from tests.builders import NOON, STORE, a_store

WHO = Principal(name="operator", scopes=frozenset(Scope), stores=frozenset({ALL_STORES}))
OTHER = StoreId("other")
DAY = timedelta(days=1)
ENDS = NOON + 90 * DAY
TILL = "11111111"
CLIENT = "0a1b2c3d4e5f"


@pytest.fixture(params=["sqlite", "postgresql"])
def tx(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Connection]:
    url = f"sqlite:///{tmp_path}/esl.db"
    if request.param == "postgresql":
        url = request.getfixturevalue("fresh_postgres_url")
    database = Database(url)
    migrate(database, NOON)
    with database.writing.begin() as opened:
        for store_id in (STORE, OTHER):
            places.put_store(opened, a_store(store_id))
        yield opened
    database.close()


def make_token(tx: Connection, *, ends_at: datetime = ENDS, stores: frozenset[str]) -> None:
    new = NewToken(
        name="till 2", scopes=frozenset({Scope.PRICE_WRITE}), stores=stores, ends_at=ends_at
    )
    tokens.make_token(tx, new, token_id=TILL, secret="s" * 43, actor="operator", now=NOON)


def wrong(tx: Connection, now: datetime, store_id: StoreId = STORE) -> list[tuple[str, str]]:
    found = problems.find_problems(tx, store_id, now, online=set(), silent_after=DAY)
    return [(one.subject, one.reason) for one in found if one.kind is ProblemKind.ACCESS_ENDS]


def test_a_token_in_use_is_missed_two_weeks_ahead(tx: Connection) -> None:
    make_token(tx, stores=frozenset({STORE}))
    assert not wrong(tx, ENDS - 10 * DAY), "nobody comes in with it"
    access_times.note_used(tx, token_key(TILL), ENDS - 20 * DAY)
    assert not wrong(tx, ENDS - 15 * DAY)
    [(subject, reason)] = wrong(tx, ENDS - 13 * DAY)
    assert subject == f"token:{TILL}/{STORE}"
    assert reason == f"The token of till 2 ends on {ENDS:%Y-%m-%d %H:%M} UTC."
    assert wrong(tx, ENDS - 13 * DAY, OTHER) == [], "another store's till"
    [(_, reason)] = wrong(tx, ENDS + DAY)
    assert " ended on " in reason
    assert not wrong(tx, ENDS + 15 * DAY)
    assert tokens.end_token(tx, TILL, actor="operator", now=ENDS - 13 * DAY)
    assert not wrong(tx, ENDS - 13 * DAY), "it was replaced"


def test_what_was_made_for_a_week_is_meant_to_end(tx: Connection) -> None:
    make_token(tx, ends_at=NOON + 7 * DAY, stores=frozenset({ALL_STORES}))
    access_times.note_used(tx, token_key(TILL), NOON + DAY)
    assert not wrong(tx, NOON + 2 * DAY)


def test_a_secret_ends_for_every_store_of_its_client(tx: Connection) -> None:
    grant = Grant(name="erp", scopes=frozenset({Scope.PRICE_WRITE}), stores=frozenset({ALL_STORES}))
    secret = NewSecret(secret_id="33333333", text=secret_text(CLIENT, "x" * 43), ends_at=ENDS)
    clients.add_client(tx, WHO, grant, client_id=CLIENT, secret=secret, now=NOON)
    access_times.note_used(tx, secret_key(CLIENT, "33333333"), ENDS - 5 * DAY)
    for store_id in (STORE, OTHER):
        [(subject, reason)] = wrong(tx, ENDS - 4 * DAY, store_id)
        assert subject == f"secret:{CLIENT}:33333333/{store_id}"
        assert reason.startswith("The secret of erp ends on ")
    clients.revoke(tx, WHO, CLIENT, "33333333", ENDS - 3 * DAY)
    assert not wrong(tx, ENDS - 2 * DAY)
