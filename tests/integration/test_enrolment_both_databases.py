"""Tokens, logins and revocation are the same on both databases."""

from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from itertools import count

import pytest
from sqlalchemy import Connection, select

from esl.domain.errors import AlreadyExists, TokenWorthless, UnknownGateway
from esl.domain.ids import GatewayId, SourceId, StoreId
from esl.domain.source import Source, SourceKind
from esl.services import enrolment, leases, sources
from esl.services.enrolment import TOKEN_LASTS
from esl.store import audit, broker_logins
from esl.store.broker_logins import GATEWAY
from esl.store.database import Database
from esl.store.migrate import migrate
from esl.store.tables import gateways
from tests.builders import NOON, STORE, build_shelf

ONE, TWO = GatewayId("gw-1"), GatewayId("gw-2")
SECRET = "a" * 64
_numbers = count()


@pytest.fixture
def tx(either_database: Database) -> Iterator[Connection]:
    with either_database.writing.begin() as opened:
        build_shelf(opened, labels_count=2, gateways=[ONE, TWO])
        yield opened


def seal() -> bytes:
    return b"sealed %d" % next(_numbers)


def token(tx: Connection, gateway: GatewayId = ONE, secret: str = SECRET) -> str:
    text, _ = enrolment.make_token(
        tx, gateway, STORE, secret=secret, lasts=TOKEN_LASTS, now=NOON, actor="person:ana"
    )
    return text


def test_a_token_is_used_once_and_gives_a_new_login(tx: Connection) -> None:
    text = token(tx)
    enrolled = enrolment.enrol(tx, text, NOON, seal=seal)
    assert (enrolled.gateway_id, enrolled.store_id) == (ONE, STORE)
    held = broker_logins.login_named(tx, ONE)
    assert held is not None
    assert held.sealed == enrolled.sealed
    with pytest.raises(TokenWorthless, match="was used at"):
        enrolment.enrol(tx, text, NOON, seal=seal)
    later = NOON + TOKEN_LASTS
    with pytest.raises(TokenWorthless, match="time was over"):
        enrolment.enrol(tx, token(tx, secret="b" * 64), later, seal=seal)
    actions = [(entry.actor, entry.action) for entry in audit.entries_of(tx, STORE, limit=1000)]
    assert actions[-3:] == [
        ("person:ana", "gateway_token"),
        ("gateway:gw-1", "gateway_enrolled"),
        ("person:ana", "gateway_token"),
    ]


@pytest.mark.parametrize("spoil", [str.upper, lambda text: text[:-1], lambda _: "", str.title])
def test_a_token_that_is_almost_right_is_wrong(tx: Connection, spoil: object) -> None:
    text = token(tx)
    assert callable(spoil)
    with pytest.raises(TokenWorthless, match="no gateway"):
        enrolment.enrol(tx, spoil(text), NOON, seal=seal)
    for other in (text.replace("gw-1", "gw-2"), text.replace("esl-enrol", "esl_enrol")):
        with pytest.raises(TokenWorthless, match="no gateway"):
            enrolment.enrol(tx, other, NOON, seal=seal)


def test_a_revoked_gateway_is_let_in_by_nobody_until_it_enrols_again(tx: Connection) -> None:
    enrolment.enrol(tx, token(tx), NOON, seal=seal)
    waiting = token(tx, secret="c" * 64)
    assert enrolment.revoke_gateway(tx, ONE, STORE, NOON, actor="person:ana", seal=seal)
    assert not enrolment.revoke_gateway(tx, ONE, STORE, NOON, actor="person:ana", seal=seal)
    assert broker_logins.revoked_gateways(tx) == {ONE}
    assert enrolment.usable_logins(tx) == []
    with pytest.raises(TokenWorthless):
        enrolment.enrol(tx, waiting, NOON, seal=seal)
    with pytest.raises(UnknownGateway):
        enrolment.revoke_gateway(tx, ONE, StoreId("other"), NOON, actor="a", seal=seal)
    # One that came by a login that is not ours is remembered as well.
    assert enrolment.revoke_gateway(tx, TWO, STORE, NOON, actor="person:ana", seal=seal)
    assert broker_logins.revoked_gateways(tx) == {ONE, TWO}
    enrolment.enrol(tx, token(tx, secret="d" * 64), NOON, seal=seal)
    assert broker_logins.revoked_gateways(tx) == {TWO}
    assert [one.username for one in enrolment.usable_logins(tx)] == [ONE]


def test_a_login_is_returned_again_until_another_is_asked_for(tx: Connection) -> None:
    first = enrolment.login_of_gateway(tx, ONE, seal, NOON, renew=False)
    assert enrolment.login_of_gateway(tx, ONE, seal, NOON, renew=False) == first
    broker_logins.note_told(tx, broker_logins.list_logins(tx), NOON)
    [held] = broker_logins.list_logins(tx)
    assert held.told_at == NOON
    second = enrolment.login_of_gateway(tx, ONE, seal, NOON, renew=True)
    assert second != first
    broker_logins.note_told(tx, [held], NOON)  # of the one before: the new one stays untold
    [changed] = broker_logins.list_logins(tx)
    assert changed.told_at is None


def test_a_source_has_a_login_while_it_speaks_mqtt(tx: Connection) -> None:
    till = Source(source_id=SourceId("till"), name="Till", store_id=STORE, kind=SourceKind.MQTT)
    sources.put_source(tx, till, NOON, actor="a")
    enrolment.give_source_login(tx, till.source_id, seal, NOON, actor="a")
    assert [one.username for one in enrolment.usable_logins(tx)] == ["till"]
    with pytest.raises(AlreadyExists, match="source has the login"):
        enrolment.give_login(tx, "till", GATEWAY, seal, NOON)
    sources.delete_source(tx, till.source_id, NOON, actor="a")
    assert enrolment.usable_logins(tx) == []
    sources.put_source(tx, till, NOON, actor="a")
    assert enrolment.usable_logins(tx) == [], "another source of the name is not let in by it"


def test_no_worker_takes_a_gateway_that_was_revoked(fresh_postgres_url: str) -> None:
    with closing(Database(fresh_postgres_url)) as database:
        migrate(database, NOON)
        with database.writing.begin() as tx:
            build_shelf(tx, labels_count=2, gateways=[ONE, TWO])
            run = leases.join(tx, "one", lease=timedelta(seconds=30))
        with database.writing.begin() as tx:
            assert set(leases.keep_leases(tx, run, lease=timedelta(seconds=30)).held) == {ONE, TWO}
        with database.writing.begin() as tx:
            enrolment.revoke_gateway(tx, ONE, STORE, NOON, actor="a", seal=seal)
        with database.writing.begin() as tx:
            kept = leases.keep_leases(tx, run, lease=timedelta(seconds=30))
            assert set(kept.held) == {TWO}
            online = select(gateways.c.online).where(gateways.c.gateway_id == ONE)
            assert tx.execute(online).scalar_one() is False
