"""Clients and their secrets in the books of either kind, also where two change one at once."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest

from esl.domain.access import ALL_STORES, Principal, Scope
from esl.domain.errors import Conflict, InvalidInput, NotFound, NotSignedIn
from esl.services import clients
from esl.services.clients import Fetched, Grant, NewSecret, secret_text
from esl.store import clients as rows
from esl.store import places
from esl.store.database import Database
from tests.builders import NOON, STORE, a_store

WHO = Principal(name="operator", scopes=frozenset(Scope), stores=frozenset({ALL_STORES}))
CLIENT = "0a1b2c3d4e5f"
GRANT = Grant(
    name="ERP",
    scopes=frozenset({Scope.PRICE_READ, Scope.PRICE_WRITE}),
    stores=frozenset({STORE}),
)


def a_secret(number: int) -> NewSecret:
    return NewSecret(secret_id=f"{number:08x}", text=secret_text(CLIENT, f"{number:064x}"))


def fetched(number: int, *scopes: Scope) -> Fetched:
    return Fetched(
        client_id=CLIENT,
        secret_id=a_secret(number).secret_id,
        scopes=frozenset(scopes or GRANT.scopes),
        stores=frozenset({ALL_STORES}),
    )


@pytest.fixture(autouse=True)
def _a_client(database: Database) -> None:
    with database.writing.begin() as tx:
        places.put_store(tx, a_store())
        clients.add_client(tx, WHO, GRANT, client_id=CLIENT, secret=a_secret(1), now=NOON)


def test_two_who_rotate_at_once_do_not_make_three_secrets(database: Database) -> None:
    meet = Barrier(2)

    def rotate(number: int) -> bool:
        meet.wait(30)
        try:
            with database.writing.begin() as tx:
                clients.rotate(tx, WHO, CLIENT, a_secret(number), NOON)
        except Conflict:
            return False
        return True

    with ThreadPoolExecutor(2) as threads:
        assert sorted(threads.map(rotate, (2, 3))) == [False, True]
    with database.read() as tx:
        assert len(clients.client_for(tx, CLIENT).active_secrets) == 2


def test_a_secret_proves_its_client_until_it_is_revoked(database: Database) -> None:
    with database.writing.begin() as tx:
        clients.rotate(tx, WHO, CLIENT, a_secret(2), NOON + timedelta(days=1))
        for number in (1, 2):
            client, secret_id, _ = clients.prove(tx, CLIENT, a_secret(number).text, NOON)
            assert (client.client_id, secret_id) == (CLIENT, a_secret(number).secret_id)
            who = clients.principal_of(tx, fetched(number), NOON)
            assert (who.scopes, who.stores) == (GRANT.scopes, GRANT.stores)
        for text in ("", "x", a_secret(3).text, a_secret(1).text[:-1], a_secret(1).text + "\0"):
            with pytest.raises(NotSignedIn):
                clients.prove(tx, CLIENT, text, NOON)
        for client_id in ("", "0a1b2c3d4e5e", CLIENT.upper(), f"{CLIENT}\0", "\0", "%"):
            with pytest.raises(NotSignedIn):
                clients.prove(tx, client_id, a_secret(1).text, NOON)
        clients.revoke(tx, WHO, CLIENT, a_secret(1).secret_id, NOON)
        with pytest.raises(NotSignedIn):
            clients.prove(tx, CLIENT, a_secret(1).text, NOON)
        with pytest.raises(NotSignedIn):
            clients.principal_of(tx, fetched(1), NOON)
        with pytest.raises(NotFound):
            clients.revoke(tx, WHO, CLIENT, a_secret(1).secret_id, NOON)
        clients.rotate(tx, WHO, CLIENT, a_secret(3), NOON)
        kept = {one.secret_id for one in clients.client_for(tx, CLIENT).secrets}
        assert kept == {a_secret(2).secret_id, a_secret(3).secret_id}, "revoked ones would pile up"


def test_a_token_never_may_more_than_it_was_given_or_its_client_may_now(
    database: Database,
) -> None:
    with database.writing.begin() as tx:
        given = fetched(1, Scope.PRICE_READ, Scope.USER_ADMIN)
        assert clients.principal_of(tx, given, NOON).scopes == {Scope.PRICE_READ}
        wider = Grant(name="ERP", scopes=frozenset(Scope), stores=frozenset({ALL_STORES}))
        clients.change_client(tx, WHO, CLIENT, wider, NOON)
        assert clients.principal_of(tx, fetched(1, Scope.PRICE_READ), NOON).scopes == {
            Scope.PRICE_READ
        }
        clients.disable(tx, WHO, CLIENT, NOON)
        with pytest.raises(NotSignedIn):
            clients.principal_of(tx, fetched(1), NOON)
        with pytest.raises(NotSignedIn):
            clients.prove(tx, CLIENT, a_secret(1).text, NOON)
        for act in (
            lambda: clients.rotate(tx, WHO, CLIENT, a_secret(2), NOON),
            lambda: clients.change_client(tx, WHO, CLIENT, GRANT, NOON),
            lambda: clients.disable(tx, WHO, CLIENT, NOON),
        ):
            with pytest.raises(NotFound, match="disabled before"):
                act()


def test_more_stores_than_are_kept_are_refused_in_words(database: Database) -> None:
    stores = frozenset(f"store-{number:04}" for number in range(300))
    with database.writing.begin() as tx:
        with pytest.raises(InvalidInput, match="2000 characters in all"):
            clients.change_client(
                tx, WHO, CLIENT, Grant(name="x", scopes=GRANT.scopes, stores=stores), NOON
            )
        assert [one.name for one in rows.list_clients(tx, after="", limit=10)] == ["ERP"]
        assert rows.list_clients(tx, after=CLIENT, limit=10) == []
