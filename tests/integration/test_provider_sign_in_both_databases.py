"""What a provider's word makes of people, on SQLite and PostgreSQL."""

import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from threading import Barrier

import pytest
from sqlalchemy import Connection, select

from esl.domain.access import ALL_STORES, Principal, Role, Scope
from esl.domain.errors import EslError, NotSignedIn
from esl.domain.person import Person, RoleHeld
from esl.domain.provider import GroupRole, SaidByProvider
from esl.services import access, people
from esl.services.provider_sign_in import NewSession, Refusal, Rules, let_in
from esl.store import identities, places, sessions
from esl.store import people as rows
from esl.store.database import Database
from esl.store.tables import audit_entries
from tests.builders import NOON, STORE, a_store
from tests.services import Postgres

LASTS = timedelta(minutes=10)
OPERATOR = Principal(name="operator", scopes=frozenset(Scope), stores=frozenset({ALL_STORES}))
ADMIN = RoleHeld(store=ALL_STORES, role=Role.ADMIN)
MANAGER = RoleHeld(store=STORE, role=Role.MANAGER)
RULES = Rules(
    groups=(
        GroupRole(group="managers", role=Role.MANAGER, stores=frozenset({STORE})),
        GroupRole(group="admins", role=Role.ADMIN, stores=frozenset({ALL_STORES})),
    ),
    creates_people=True,
    links_by_name=False,
)


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def shared(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Database]:
    """A database of either kind with one store."""
    if request.param == "sqlite":
        empty: Path = request.getfixturevalue("migrated_file")
        own = shutil.copy(empty, tmp_path_factory.mktemp("provider") / "esl.db")
        opened = Database(f"sqlite:///{own}")
    else:
        server: Postgres = request.getfixturevalue("postgres")
        name = server.create_database(like=request.getfixturevalue("migrated_name"))
        opened = Database(server.url(name))
    with opened.writing.begin() as tx:
        places.put_store(tx, a_store())
    yield opened
    opened.close()
    if request.param == "postgresql":
        server.drop_database(name)


@pytest.fixture
def tx(shared: Database) -> Iterator[Connection]:
    with shared.writing.connect() as tx, tx.begin() as all_of_it:
        yield tx
        all_of_it.rollback()


def said(name: str, *groups: str, subject: str | None = None) -> SaidByProvider:
    return SaidByProvider(
        issuer="https://login.shop.example",
        subject=subject or f"id-of-{name}",
        names=(name,),
        display_name=name.title(),
        mail=f"{name}@shop.example",
        groups=frozenset(groups),
    )


def sign_in(
    tx: Connection, who: SaidByProvider, number: int = 1, rules: Rules = RULES
) -> Person | Refusal:
    """Sign somebody in; ``number`` tells one sign-in from another."""
    mark = f"{who.subject}-{number}"
    session = NewSession(secret=f"session-{mark}", about="Browser/1", former=None)
    return let_in(
        tx,
        who,
        rules,
        session,
        once=f"once-{mark}",
        lasts=LASTS,
        person_id=f"{who.key[:10]}{number:02}",
        now=NOON,
    )


def test_somebody_new_is_made_with_the_roles_of_the_groups(tx: Connection) -> None:
    made = sign_in(tx, said("ana", "managers", "else"))
    assert isinstance(made, Person)
    again = sign_in(tx, said("ana", "managers"), 2)
    assert isinstance(again, Person)
    assert again.person_id == made.person_id
    assert again.roles == {MANAGER}
    assert not again.has_password
    who = access.principal_of_session(tx, f"session-{said('ana').subject}-1", NOON)
    assert who.may(Scope.PRICE_WRITE, a_store().store_id)
    actors = select(audit_entries.c.actor, audit_entries.c.action)
    assert [tuple(row) for row in tx.execute(actors)] == [
        ("provider", "person_added"),
        ("provider", "person_roles"),
    ]


def test_a_sign_in_serves_once_and_a_refused_one_as_well(tx: Connection) -> None:
    sign_in(tx, said("ana", "managers"))
    with pytest.raises(NotSignedIn, match="used already"):
        sign_in(tx, said("ana", "managers"))
    assert isinstance(sign_in(tx, said("bea")), Refusal)
    with pytest.raises(NotSignedIn):
        sign_in(tx, said("bea", "managers"))


def test_the_last_admin_follows_the_groups_and_another_can_be_made(tx: Connection) -> None:
    admin = sign_in(tx, said("ana", "admins"))
    assert isinstance(admin, Person)
    assert rows.lock_admins_of_all(tx) == [admin.person_id]
    assert isinstance(sign_in(tx, said("ana"), 2), Refusal)
    assert rows.lock_admins_of_all(tx) == []
    assert sessions.sessions_of(tx, admin.person_id, NOON) == []
    people.make_set_up_link(tx, secret="link", now=NOON)


def test_whoever_was_erased_stays_out_whatever_the_provider_calls_them(tx: Connection) -> None:
    person = sign_in(tx, said("ana", "managers"))
    assert isinstance(person, Person)
    people.close(tx, OPERATOR, person.person_id, NOON)
    closed = sign_in(tx, said("ana", "managers"), 2)
    assert isinstance(closed, Refusal)
    assert "closed" in closed.words
    people.erase(tx, OPERATOR, person.person_id, NOON)
    for number, name in enumerate(("ana", "another"), 3):
        gone = sign_in(tx, said(name, "managers", subject="id-of-ana"), number)
        assert isinstance(gone, Refusal)
        assert "erased" in gone.words
    assert rows.id_of_name(tx, "ana") is None
    # Somebody else who gets the name by and by is somebody else.
    other = sign_in(tx, said("ana", "managers", subject="new"), 5)
    assert isinstance(other, Person)
    assert other.person_id != person.person_id


def test_a_closed_account_is_not_linked(tx: Connection) -> None:
    person = people.add_person(
        tx,
        OPERATOR,
        people.NewPerson(sign_in_name="ana", display_name="Ana", roles=frozenset({ADMIN})),
        person_id="0" * 12,
        now=NOON,
    )
    people.add_person(
        tx,
        OPERATOR,
        people.NewPerson(sign_in_name="bea", display_name="Bea", roles=frozenset({ADMIN})),
        person_id="1" * 12,
        now=NOON,
    )
    people.close(tx, OPERATOR, person.person_id, NOON)
    linking = Rules(groups=RULES.groups, creates_people=True, links_by_name=True)
    assert isinstance(sign_in(tx, said("ana", "managers"), rules=linking), Refusal)
    assert not identities.has_key(tx, person.person_id)
    assert isinstance(sign_in(tx, said("bea", "managers"), rules=linking), Person)


def test_two_first_sign_ins_at_once_make_one_person(shared: Database) -> None:
    both = Barrier(2)
    name = "kim"

    def come_in(number: int) -> Person | Refusal | EslError:
        both.wait()
        try:
            with shared.writing.begin() as tx:
                return sign_in(tx, said(name, "managers"), number)
        except EslError as exc:
            return exc

    with ThreadPoolExecutor(2) as threads:
        outcomes = list(threads.map(come_in, (1, 2)))
    people_made = {one.person_id for one in outcomes if isinstance(one, Person)}
    assert len(people_made) == 1, outcomes
    assert not any(isinstance(one, Refusal) for one in outcomes)
    with shared.read() as tx:
        assert identities.person_of_key(tx, said(name).key) in people_made
