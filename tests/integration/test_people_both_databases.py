"""Who may make whom what, and how often strangers may guess, on SQLite and PostgreSQL."""

import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest
from sqlalchemy import Connection, select

from esl.domain.access import ALL_STORES, Principal, Role, Scope
from esl.domain.errors import (
    AlreadyExists,
    Conflict,
    Forbidden,
    NotFound,
    NotSignedIn,
    TooOften,
    UnknownStore,
)
from esl.domain.ids import StoreId
from esl.domain.person import Person, PersonId, RoleHeld
from esl.domain.throttle import BUCKET, BUCKET_FILLS, FREE_FAILURES, pause_after
from esl.services import access, people, signing_in
from esl.services.passwords import hash_password, password_fits
from esl.services.people import NewPerson
from esl.store import people as rows
from esl.store import places, sessions
from esl.store.database import Database
from esl.store.tables import audit_entries
from tests.builders import NOON, STORE, a_store
from tests.services import Postgres

OPERATOR = Principal(name="operator", scopes=frozenset(Scope), stores=frozenset({ALL_STORES}))
OTHER = "split-1"
ADMIN_OF_ALL = RoleHeld(store=ALL_STORES, role=Role.ADMIN)
HASHED = hash_password("a heron stood by the weir")


def held(store: str, role: Role) -> RoleHeld:
    return RoleHeld(store=store, role=role)


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def shared(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Database]:
    """A database of either kind in which each test's transaction is rolled back."""
    if request.param == "sqlite":
        empty: Path = request.getfixturevalue("migrated_file")
        own = shutil.copy(empty, tmp_path_factory.mktemp("people") / "esl.db")
        opened = Database(f"sqlite:///{own}")
    else:
        server: Postgres = request.getfixturevalue("postgres")
        name = server.create_database(like=request.getfixturevalue("migrated_name"))
        opened = Database(server.url(name))
    yield opened
    opened.close()
    if request.param == "postgresql":
        server.drop_database(name)


@pytest.fixture
def tx(shared: Database) -> Iterator[Connection]:
    """A transaction in a chain of two stores."""
    with shared.writing.connect() as tx, tx.begin() as all_of_it:
        places.put_store(tx, a_store())
        places.put_store(tx, a_store(store_id=StoreId(OTHER)))
        yield tx
        all_of_it.rollback()


def add(tx: Connection, name: str, *roles: RoleHeld, who: Principal = OPERATOR) -> Person:
    new = NewPerson(sign_in_name=name, display_name=name.title(), roles=frozenset(roles))
    person = people.add_person(tx, who, new, person_id=f"{name:0>12}", now=NOON)
    rows.set_password(tx, person.person_id, HASHED)
    return person


def as_person(tx: Connection, person: Person) -> Principal:
    secret = f"session of {person.person_id}"
    signing_in.begin_session(tx, person.person_id, session_secret=secret, about=None, now=NOON)
    return access.principal_of_session(tx, secret, NOON)


def names(tx: Connection, who: Principal) -> list[str]:
    found = rows.list_people(tx, stores=people.governed(who), after="", limit=100)
    return [one.sign_in_name for one in found]


# ── Who governs whom ────────────────────────────────────────────────────────────────────────


def test_an_admin_of_one_store_knows_and_makes_nobody_elsewhere(tx: Connection) -> None:
    boss = add(tx, "boss", ADMIN_OF_ALL)
    here = add(tx, "here", held(STORE, Role.ADMIN))
    both = add(tx, "both", held(STORE, Role.MANAGER), held(OTHER, Role.APPROVER))
    away = add(tx, "away", held(OTHER, Role.MANAGER))
    who = as_person(tx, here)

    assert names(tx, who) == ["both", "here"]
    assert names(tx, as_person(tx, boss)) == ["away", "boss", "both", "here"]
    assert people.seen_by(who, both) == {held(STORE, Role.MANAGER)}
    for stranger in (away, boss):
        for act in (people.close, people.end_sessions, people.reset_second_factor):
            with pytest.raises(NotFound, match="no such person"):
                act(tx, who, stranger.person_id, NOON)
    with pytest.raises(UnknownStore):
        add(tx, "new", held(OTHER, Role.TECHNICIAN), who=who)
    for roles in ((ADMIN_OF_ALL,), ()):
        with pytest.raises(Forbidden):
            add(tx, "new", *roles, who=who)
    with pytest.raises(Forbidden, match="all stores"):
        people.set_roles(tx, who, here.person_id, frozenset({ADMIN_OF_ALL}), NOON)

    # Roles elsewhere stay, and what touches the whole account is for who governs all of it.
    changed = people.set_roles(
        tx, who, both.person_id, frozenset({held(STORE, Role.TECHNICIAN)}), NOON
    )
    assert changed.roles == {held(STORE, Role.TECHNICIAN), held(OTHER, Role.APPROVER)}
    with pytest.raises(Forbidden, match="an admin of all stores"):
        people.invite(tx, who, both.person_id, secret="link", now=NOON)
    add(tx, "new", held(STORE, Role.MANAGER), who=who)


def test_who_is_no_admin_governs_nobody(tx: Connection) -> None:
    add(tx, "boss", ADMIN_OF_ALL)
    manager = as_person(tx, add(tx, "manager", held(ALL_STORES, Role.MANAGER)))
    for act in (
        lambda: people.governed(manager),
        lambda: people.person_for(tx, manager, f"{'boss':0>12}"),
        lambda: add(tx, "new", held(STORE, Role.TECHNICIAN), who=manager),
    ):
        with pytest.raises(Forbidden):
            act()


def test_somebody_is_always_left_who_may_do_everything(tx: Connection) -> None:
    boss = add(tx, "boss", ADMIN_OF_ALL)
    add(tx, "here", held(STORE, Role.ADMIN))
    with pytest.raises(Conflict, match="last admin"):
        people.close(tx, OPERATOR, boss.person_id, NOON)
    with pytest.raises(Conflict, match="last admin"):
        people.set_roles(tx, OPERATOR, boss.person_id, frozenset(), NOON)
    second = add(tx, "second", ADMIN_OF_ALL)
    people.close(tx, OPERATOR, boss.person_id, NOON)
    with pytest.raises(Conflict, match="last admin"):
        people.close(tx, OPERATOR, second.person_id, NOON)
    people.reopen(tx, OPERATOR, boss.person_id, NOON)
    people.set_roles(tx, OPERATOR, second.person_id, frozenset(), NOON)


@pytest.mark.asvs("2.3.4")
def test_two_admins_who_close_each_other_at_once_leave_one(database: Database) -> None:
    with database.writing.begin() as tx:
        both = [add(tx, name, ADMIN_OF_ALL) for name in ("one", "two")]
    meet = Barrier(2)

    def close(person: Person) -> bool:
        meet.wait(30)
        try:
            with database.writing.begin() as tx:
                people.close(tx, OPERATOR, person.person_id, NOON)
        except Conflict:
            return False
        return True

    with ThreadPoolExecutor(2) as threads:
        assert sorted(threads.map(close, both)) == [False, True]


def test_a_sign_in_name_is_one_persons(tx: Connection) -> None:
    add(tx, "ana", held(STORE, Role.MANAGER))
    new = NewPerson(sign_in_name="ana", display_name="Another")
    with pytest.raises(AlreadyExists, match="taken"):
        people.add_person(tx, OPERATOR, new, person_id="0" * 12, now=NOON)


def test_the_audit_knows_people_by_id_and_never_by_name(tx: Connection) -> None:
    boss = add(tx, "boss", ADMIN_OF_ALL)
    who = as_person(tx, boss)
    person = add(tx, "mira-maric", held(STORE, Role.MANAGER), who=who)
    people.set_roles(tx, who, person.person_id, frozenset({held(STORE, Role.APPROVER)}), NOON)
    people.invite(tx, who, person.person_id, secret="link", now=NOON)
    people.accept(tx, secret="link", password_hash=HASHED, now=NOON)
    people.close(tx, who, person.person_id, NOON)
    found = tx.execute(audit_entries.select().order_by(audit_entries.c.entry_id)).all()
    mine = [row for row in found if row.subject == f"person/{person.person_id}"]
    assert [row.action for row in mine] == [
        *("person_added", "person_roles", "person_invited", "person_password", "person_disabled"),
    ]
    assert [row.actor for row in mine] == [
        boss.actor if row.action != "person_password" else person.actor for row in mine
    ]
    details = "".join(row.detail or "" for row in mine)
    assert f"manager {STORE}" in details
    assert "Mira" not in details
    assert HASHED not in details


# ── Sessions ────────────────────────────────────────────────────────────────────────────────


def test_who_is_erased_leaves_an_id_in_the_audit_and_nothing_else(tx: Connection) -> None:
    person = add(tx, "iva", ADMIN_OF_ALL)
    add(tx, "ana", ADMIN_OF_ALL)
    as_person(tx, person)
    with pytest.raises(Conflict, match="close it first"):
        people.erase(tx, OPERATOR, person.person_id, NOON)
    people.close(tx, OPERATOR, person.person_id, NOON)
    people.erase(tx, OPERATOR, person.person_id, NOON)
    with pytest.raises(NotFound):
        people.person_for(tx, OPERATOR, person.person_id)
    assert rows.id_of_name(tx, "iva") is None
    subjects = select(audit_entries.c.subject).where(audit_entries.c.action == "person_erased")
    assert tx.execute(subjects).scalars().all() == [f"person/{person.person_id}"]


@pytest.mark.asvs("7.3.1", "7.3.2")
def test_a_session_ends_when_it_is_not_used_and_after_half_a_day(tx: Connection) -> None:
    person = add(tx, "ana", held(STORE, Role.MANAGER))
    as_person(tx, person)
    secret = f"session of {person.person_id}"
    just = timedelta(seconds=1)
    access.principal_of_session(tx, secret, NOON + access.IDLE_FOR - just)
    with pytest.raises(NotSignedIn, match="expired"):
        access.principal_of_session(tx, secret, NOON + access.IDLE_FOR)
    now = NOON
    while now < NOON + access.SESSION_LASTS - access.IDLE_FOR:
        now += access.IDLE_FOR - just
        assert access.is_use_worth_a_note(tx, secret, now)
        access.note_used(tx, secret, now)
        access.principal_of_session(tx, secret, now)
    assert not access.is_use_worth_a_note(tx, secret, now)
    with pytest.raises(NotSignedIn, match="expired"):
        access.principal_of_session(tx, secret, NOON + access.SESSION_LASTS)


def test_whatever_is_taken_from_a_person_ends_its_sessions(tx: Connection) -> None:
    add(tx, "boss", ADMIN_OF_ALL)
    person = add(tx, "ana", held(STORE, Role.MANAGER), held(OTHER, Role.MANAGER))
    other = add(tx, "other", held(STORE, Role.MANAGER))
    both = frozenset({held(STORE, Role.MANAGER), held(OTHER, Role.MANAGER)})
    more = both | {held(STORE, Role.APPROVER)}
    as_person(tx, other)

    def still_in() -> bool:
        return bool(sessions.sessions_of(tx, person.person_id, NOON))

    as_person(tx, person)
    people.set_roles(tx, OPERATOR, person.person_id, more, NOON)
    assert still_in(), "a role more ends nothing"
    for end in (
        lambda: people.set_roles(tx, OPERATOR, person.person_id, both, NOON),
        lambda: people.change_password(tx, person.person_id, password_hash=HASHED, now=NOON),
        lambda: people.end_sessions(tx, OPERATOR, person.person_id, NOON),
        lambda: people.reset_second_factor(tx, OPERATOR, person.person_id, NOON),
        lambda: people.close(tx, OPERATOR, person.person_id, NOON),
    ):
        sessions.end_sessions(tx, person.person_id)
        as_person(tx, person)
        end()
        assert not still_in()
    assert sessions.sessions_of(tx, other.person_id, NOON), "others stay"


def test_where_codes_are_required_guarded_roles_wait_for_them(tx: Connection) -> None:
    person = add(tx, "ana", held(STORE, Role.MANAGER), held(STORE, Role.APPROVER), ADMIN_OF_ALL)
    as_person(tx, person)
    secret = f"session of {person.person_id}"

    def scopes(*, required: bool) -> frozenset[Scope]:
        who = access.principal_of_session(tx, secret, NOON, factor_required=required)
        return who.scopes_in(STORE)

    assert scopes(required=False) == frozenset(Scope)
    assert Scope.PRICE_WRITE in scopes(required=True)
    assert not scopes(required=True) & {Scope.PRICE_APPROVE, Scope.USER_ADMIN}
    rows.set_second_factor(
        tx, person.person_id, sealed=b"x", is_on=True, step=0, recovery_sha256=()
    )
    assert scopes(required=True) == frozenset(Scope)


# ── Signing in ──────────────────────────────────────────────────────────────────────────────


def attempt(
    tx: Connection, name: str, *, now: datetime = NOON, address: str = "192.0.2.7"
) -> signing_in.Attempt:
    return signing_in.charge(tx, name=name, address=address, now=now)


def let_in(tx: Connection, tried: signing_in.Attempt, now: datetime = NOON) -> signing_in.LetIn:
    how: dict[str, Any] = {"about": "Firefox\n\x00\u202e 1", "former_session": None, "now": now}
    return signing_in.let_in(tx, tried, session_secret="cookie", **how)


@pytest.mark.asvs("6.3.1")
def test_the_fifth_failure_has_a_price_and_a_right_password_clears_it(tx: Connection) -> None:
    add(tx, "ana", held(STORE, Role.MANAGER))
    for _ in range(FREE_FAILURES):
        attempt(tx, "Ana")
    let_in(tx, attempt(tx, "ANA"))
    for _ in range(FREE_FAILURES + 1):
        attempt(tx, "ana")
    for name in ("ana", "ANA", " ana "):
        with pytest.raises(TooOften) as refused:
            attempt(tx, name)
        assert refused.value.again_after_s == 5
    later = NOON + pause_after(FREE_FAILURES + 1)
    attempt(tx, "ana", now=later)
    with pytest.raises(TooOften) as refused:
        attempt(tx, "ana", now=later)
    assert refused.value.again_after_s == 10
    attempt(tx, "ana", now=later + timedelta(days=1))


@pytest.mark.parametrize("name", ["nobody", "closed", "", "\0", "a" * 5000, "💥", "nul\0l"])
def test_strangers_are_counted_and_answered_like_people(tx: Connection, name: str) -> None:
    add(tx, "boss", ADMIN_OF_ALL)
    closed = add(tx, "closed", held(STORE, Role.MANAGER))
    people.close(tx, OPERATOR, closed.person_id, NOON)
    for _ in range(FREE_FAILURES + 1):
        assert attempt(tx, name).password_hash is None
    with pytest.raises(TooOften) as refused:
        attempt(tx, name)
    assert refused.value.again_after_s == 5
    assert not password_fits("a heron stood by the weir", None)


def test_a_network_has_a_bucket_of_tries(tx: Connection) -> None:
    add(tx, "ana", held(STORE, Role.MANAGER))
    for number in range(BUCKET):
        attempt(tx, f"name {number}", address=f"192.0.2.{number}")
    with pytest.raises(TooOften):
        attempt(tx, "ana", address="192.0.2.200")
    tried = attempt(tx, "ana", address="198.51.100.1")
    assert let_in(tx, tried).ends_at is not None, "another network is another bucket"
    attempt(tx, "yet another", address="192.0.2.200", now=NOON + BUCKET_FILLS)


def test_right_passwords_do_not_empty_the_bucket(tx: Connection) -> None:
    add(tx, "ana", held(STORE, Role.MANAGER))
    for _ in range(BUCKET + 5):
        let_in_secret = signing_in.let_in(
            tx,
            attempt(tx, "ana"),
            session_secret="cookie",
            about=None,
            former_session="cookie",
            now=NOON,
        )
        assert let_in_secret.ends_at is not None


def test_a_password_that_was_changed_meanwhile_lets_nobody_in(tx: Connection) -> None:
    person = add(tx, "ana", held(STORE, Role.MANAGER))
    tried = attempt(tx, "ana")
    people.change_password(tx, person.person_id, password_hash=hash_password("x" * 12), now=NOON)
    with pytest.raises(NotSignedIn):
        let_in(tx, tried)


def test_a_session_keeps_what_the_browser_calls_itself_in_plain_letters(tx: Connection) -> None:
    person = add(tx, "ana", held(STORE, Role.MANAGER))
    let_in(tx, attempt(tx, "ana"))
    [one] = sessions.sessions_of(tx, person.person_id, NOON)
    assert one.about == "Firefox 1"


# ── Links ───────────────────────────────────────────────────────────────────────────────────


def test_the_set_up_link_makes_one_admin_once(tx: Connection) -> None:
    new = NewPerson(sign_in_name="ana", display_name="Ana")
    how: dict[str, Any] = {"new": new, "person_id": "1" * 12, "password_hash": HASHED}
    people.make_set_up_link(tx, secret="first", now=NOON)
    people.make_set_up_link(tx, secret="second", now=NOON)
    for secret in ("first", "guess", ""):
        with pytest.raises(NotSignedIn):
            people.make_first_admin(tx, secret=secret, now=NOON, **how)
    with pytest.raises(NotSignedIn):
        people.make_first_admin(tx, secret="second", now=NOON + people.SET_UP_LASTS, **how)
    person = people.make_first_admin(tx, secret="second", now=NOON, **how)
    assert person.roles == {ADMIN_OF_ALL}
    with pytest.raises(NotSignedIn):
        people.make_first_admin(tx, secret="second", now=NOON, **how)
    with pytest.raises(Conflict, match="admin already"):
        people.make_set_up_link(tx, secret="third", now=NOON)


@pytest.mark.asvs("6.4.1")
def test_an_invitation_is_for_one_person_once_and_signs_nobody_in_by_itself(
    tx: Connection,
) -> None:
    person = add(tx, "ana", held(STORE, Role.MANAGER))
    people.invite(tx, OPERATOR, person.person_id, secret="old", now=NOON)
    people.invite(tx, OPERATOR, person.person_id, secret="new", now=NOON)
    with pytest.raises(NotSignedIn):
        access.sign_in(tx, link_secret="new", session_secret="cookie", now=NOON)
    for secret, now in (("old", NOON), ("new", NOON + people.INVITE_LASTS)):
        with pytest.raises(NotSignedIn):
            people.accept(tx, secret=secret, password_hash=HASHED, now=now)
    assert (
        people.accept(tx, secret="new", password_hash=HASHED, now=NOON).person_id
        == person.person_id
    )
    with pytest.raises(NotSignedIn):
        people.accept(tx, secret="new", password_hash=HASHED, now=NOON)


def test_an_owners_link_is_no_invitation(tx: Connection) -> None:
    access.make_sign_in_link(
        tx, secret="link", uses=5, lasts=timedelta(hours=1), now=NOON, actor="operator"
    )
    with pytest.raises(NotSignedIn):
        people.whose_link(tx, "link", NOON)


def test_the_owners_session_stays_what_it_was(tx: Connection) -> None:
    access.make_sign_in_link(
        tx, secret="link", uses=1, lasts=timedelta(hours=1), now=NOON, actor="operator"
    )
    access.sign_in(tx, link_secret="link", session_secret="cookie", now=NOON)
    late = NOON + access.SESSION_LASTS - timedelta(seconds=1)
    who = access.principal_of_session(tx, "cookie", late, factor_required=True)
    assert (who.name, who.scopes) == (f"person:{access.OWNER}", frozenset(Scope))
    assert rows.person_named(tx, PersonId(access.OWNER)) is None
