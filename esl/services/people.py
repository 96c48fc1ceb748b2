"""Accounts of people: who may make them, give them roles, close them. All of it is audited.

An admin of one store governs the roles of that store and no others: sees who has one there, gives
and takes them. What touches the whole account (a new password, closing it) is for who governs all
of its roles. Somebody is always left who may do everything.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Connection

from esl.domain.access import ALL_STORES, Principal, Role, Scope
from esl.domain.errors import (
    AlreadyExists,
    Conflict,
    Forbidden,
    NotFound,
    NotSignedIn,
    UnknownStore,
)
from esl.domain.ids import StoreId
from esl.domain.person import Person, PersonId, RoleHeld
from esl.services import second_factor
from esl.services.access import hash_secret
from esl.store import access, audit, people, places, sessions

SET_UP: Final = "set-up"
INVITE: Final = "invite"
"""Purposes of links: to make the first admin, and to choose a password."""

SET_UP_LASTS: Final = timedelta(hours=24)
INVITE_LASTS: Final = timedelta(days=3)
_NOBODY: Final = "no such person"
_LAST: Final = "this is the last admin of all stores; make another one first"


@dataclass(frozen=True, slots=True, kw_only=True)
class NewPerson:
    """Somebody to add."""

    sign_in_name: str  # folded
    display_name: str
    mail: str | None = None
    language: str | None = None
    roles: frozenset[RoleHeld] = frozenset()


def governed(who: Principal) -> frozenset[str] | None:
    """Return the stores whose people somebody governs; None is all.

    Raises:
        Forbidden: None.
    """
    if who.may(Scope.USER_ADMIN):
        return None
    stores = frozenset(s for s in who.stores if who.may(Scope.USER_ADMIN, StoreId(s)))
    if not stores:
        raise Forbidden(f"this needs the scope {Scope.USER_ADMIN.value}")
    return stores - {ALL_STORES}


def seen_by(who: Principal, person: Person) -> frozenset[RoleHeld]:
    """Return the roles of a person that somebody may know of."""
    stores = governed(who)
    return (
        person.roles if stores is None else frozenset(r for r in person.roles if r.store in stores)
    )


def person_for(tx: Connection, who: Principal, person_id: str, *, whole: bool = False) -> Person:
    """Load a person for somebody who governs one of its roles; ``whole``: all of them.

    Raises:
        NotFound: There is none, or it is of other stores: in the same words.
        Forbidden: The asker governs nobody, or not all that the person is.
    """
    stores = governed(who)
    person = people.person_named(tx, PersonId(person_id), to_change=whole)
    if person is None or (stores is not None and not seen_by(who, person)):
        raise NotFound(_NOBODY)
    if whole and stores is not None and seen_by(who, person) != person.roles:
        raise Forbidden("this needs an admin of all stores")
    return person


def add_person(
    tx: Connection, who: Principal, new: NewPerson, *, person_id: str, now: datetime
) -> Person:
    """Add somebody, who cannot sign in before a link was used.

    Raises:
        AlreadyExists: The sign-in name is taken.
        Forbidden: The asker does not govern all of the stores, or gives no role and is not
            admin of all.
        UnknownStore: A store is not there, or not the asker's.
    """
    _require_roles(tx, who, new.roles)
    if not new.roles:
        who.require(Scope.USER_ADMIN)
    person = Person(
        person_id=PersonId(person_id),
        sign_in_name=new.sign_in_name,
        display_name=new.display_name,
        mail=new.mail,
        language=new.language,
        has_password=False,
        has_second_factor=False,
        created_at=now,
        disabled_at=None,
        roles=new.roles,
    )
    if not people.add_person(tx, person):
        raise AlreadyExists("this sign-in name is taken")
    _note(tx, who.name, "person_added", person, now, roles=person.roles)
    return person


def set_roles(
    tx: Connection, who: Principal, person_id: str, roles: frozenset[RoleHeld], now: datetime
) -> Person:
    """Give and take roles: those in stores that the asker governs become ``roles``.

    Whoever loses one is signed out everywhere.

    Raises:
        NotFound, Forbidden, UnknownStore: As `person_for` and `add_person`.
        Conflict: Nobody would be left who may do everything.
    """
    _require_roles(tx, who, roles)
    admins = people.lock_admins_of_all(tx)
    people.person_named(tx, PersonId(person_id), to_change=True)
    person = person_for(tx, who, person_id)
    before = seen_by(who, person)
    taken, given = before - roles, roles - before
    if any(r.is_admin_of_all for r in taken) and admins == [person.person_id]:
        raise Conflict(_LAST)
    people.take_roles(tx, person.person_id, taken)
    people.give_roles(tx, person.person_id, given)
    if taken:
        sessions.end_sessions(tx, person.person_id)
    if taken or given:
        _note(tx, who.name, "person_roles", person, now, given=given, taken=taken)
    found = people.person_named(tx, person.person_id)
    return found if found is not None else person


def close(tx: Connection, who: Principal, person_id: str, now: datetime) -> Person:
    """Close an account: nobody signs in with it, and who is signed in is out at once.

    Raises:
        Conflict: Nobody would be left who may do everything.
    """
    admins = people.lock_admins_of_all(tx)
    person = person_for(tx, who, person_id, whole=True)
    if admins == [person.person_id]:
        raise Conflict(_LAST)
    if person.disabled_at is None:
        people.set_disabled(tx, person.person_id, now)
        end_all(tx, person.person_id)
        _note(tx, who.name, "person_disabled", person, now)
    return person


def reopen(tx: Connection, who: Principal, person_id: str, now: datetime) -> Person:
    """Open a closed account again, with the password it had."""
    person = person_for(tx, who, person_id, whole=True)
    if person.disabled_at is not None:
        people.set_disabled(tx, person.person_id, None)
        _note(tx, who.name, "person_enabled", person, now)
    return person


def erase(tx: Connection, who: Principal, person_id: str, now: datetime) -> Person:
    """Forget a person whose account is closed: name, mail, password, roles. There is no way back.

    What the person decided stays in the audit under the id, which nobody else ever gets.

    Raises:
        Conflict: The account is open.
    """
    person = person_for(tx, who, person_id, whole=True)
    if person.disabled_at is None:
        raise Conflict("the account is open; close it first")
    end_all(tx, person.person_id)
    people.remove(tx, person.person_id)
    _note(tx, who.name, "person_erased", person, now)
    return person


def end_sessions(tx: Connection, who: Principal, person_id: str, now: datetime) -> int:
    """Sign a person out everywhere."""
    person = person_for(tx, who, person_id, whole=True)
    ended = sessions.end_sessions(tx, person.person_id)
    _note(tx, who.name, "person_sessions_ended", person, now)
    return ended


def reset_second_factor(tx: Connection, who: Principal, person_id: str, now: datetime) -> None:
    """Ask a person for codes no more: the phone is lost, and so are the recovery codes."""
    person = person_for(tx, who, person_id, whole=True)
    second_factor.turn_off(tx, person.person_id)
    sessions.end_sessions(tx, person.person_id)
    _note(tx, who.name, "person_second_factor_reset", person, now)


def invite(tx: Connection, who: Principal, person_id: str, *, secret: str, now: datetime) -> Person:
    """Make the link by which a person chooses a password, once; earlier ones are worthless.

    The password there is stays good until then.
    """
    person = person_for(tx, who, person_id, whole=True)
    access.end_links(tx, person.person_id, INVITE)
    _add_link(tx, secret, person.person_id, INVITE, now + INVITE_LASTS)
    _note(tx, who.name, "person_invited", person, now)
    return person


def make_set_up_link(tx: Connection, *, secret: str, now: datetime) -> None:
    """Make the link by which the first admin makes the account, once.

    Raises:
        Conflict: There is an admin.
    """
    if people.lock_admins_of_all(tx):
        raise Conflict("there is an admin already; see: esl people list")
    access.end_links(tx, SET_UP, SET_UP)
    _add_link(tx, secret, SET_UP, SET_UP, now + SET_UP_LASTS)


def whose_link(tx: Connection, secret: str, now: datetime) -> Person | None:
    """Say for whom a link is; None where it makes the first admin.

    Raises:
        NotSignedIn: It is unknown, was used, or is too old.
    """
    hashed = hash_secret(secret)
    if access.person_of_link(tx, hashed, SET_UP, now) is not None:
        return None
    found = access.person_of_link(tx, hashed, INVITE, now)
    person = people.person_named(tx, PersonId(found)) if found is not None else None
    if person is None or person.disabled_at is not None:
        raise NotSignedIn("this link has been used or has expired; ask for a new one")
    return person


def accept(tx: Connection, *, secret: str, password_hash: str, now: datetime) -> Person:
    """Use an invitation: the person has this password from now on.

    Raises:
        NotSignedIn: As `whose_link`.
    """
    person = whose_link(tx, secret, now)
    if person is None or not access.use_sign_in_link(tx, hash_secret(secret), now, purpose=INVITE):
        raise NotSignedIn("this link has been used or has expired; ask for a new one")
    _new_password(tx, person, password_hash, now)
    return person


def make_first_admin(
    tx: Connection,
    *,
    secret: str,
    new: NewPerson,
    person_id: str,
    password_hash: str,
    now: datetime,
) -> Person:
    """Use the set-up link: the first admin of all stores is there.

    Raises:
        NotSignedIn: The link is unknown, was used, or is too old.
        Conflict: There is an admin by now.
        AlreadyExists: The sign-in name is taken.
    """
    if not access.use_sign_in_link(tx, hash_secret(secret), now, purpose=SET_UP):
        raise NotSignedIn("this link has been used or has expired; make a new one")
    if people.lock_admins_of_all(tx):
        raise Conflict("there is an admin already")
    person = Person(
        person_id=PersonId(person_id),
        sign_in_name=new.sign_in_name,
        display_name=new.display_name,
        mail=new.mail,
        language=new.language,
        has_password=True,
        has_second_factor=False,
        created_at=now,
        disabled_at=None,
        roles=frozenset({RoleHeld(store=ALL_STORES, role=Role.ADMIN)}),
    )
    if not people.add_person(tx, person):
        raise AlreadyExists("this sign-in name is taken")
    people.set_password(tx, person.person_id, password_hash)
    _note(tx, person.actor, "person_added", person, now, roles=person.roles)
    return person


def change_password(
    tx: Connection, person_id: PersonId, *, password_hash: str, now: datetime
) -> None:
    """Give a person the password it chose; its sessions end, that of the asker as well."""
    person = people.person_named(tx, person_id, to_change=True)
    if person is None:
        raise NotFound(_NOBODY)
    _new_password(tx, person, password_hash, now)


def end_all(tx: Connection, person_id: PersonId) -> None:
    """End whatever lets a person in: sessions and links."""
    sessions.end_sessions(tx, person_id)
    for purpose in (INVITE, "code"):
        access.end_links(tx, person_id, purpose)


def context_of(tx: Connection, *names: str) -> list[str]:
    """Return what a password must not be made of: names of the shops, and these."""
    return [*names, *(store.name for store in places.all_stores(tx))]


def _new_password(tx: Connection, person: Person, password_hash: str, now: datetime) -> None:
    people.set_password(tx, person.person_id, password_hash)
    end_all(tx, person.person_id)
    _note(tx, person.actor, "person_password", person, now)


def _require_roles(tx: Connection, who: Principal, roles: Iterable[RoleHeld]) -> None:
    known = {store.store_id for store in places.all_stores(tx)}
    for role in sorted(roles, key=lambda one: (one.store, one.role)):
        if role.store == ALL_STORES:
            who.require(Scope.USER_ADMIN)
            continue
        who.require(Scope.USER_ADMIN, StoreId(role.store))
        if role.store not in known:
            raise UnknownStore(f"no store {role.store!r}")


def _add_link(tx: Connection, secret: str, person: str, purpose: str, expires_at: datetime) -> None:
    access.add_sign_in_link(
        tx,
        secret_sha256=hash_secret(secret),
        person=person,
        uses=1,
        expires_at=expires_at,
        purpose=purpose,
    )


def _note(
    tx: Connection,
    actor: str,
    action: str,
    person: Person,
    now: datetime,
    **roles: frozenset[RoleHeld],
) -> None:
    """Write down who did what to whom: by id, never by name."""
    detail = {
        name: sorted(f"{held.role.value} {held.store}" for held in some)
        for name, some in roles.items()
        if some
    }
    audit.note(
        tx,
        now,
        actor=actor,
        action=action,
        subject=f"person/{person.person_id}",
        detail=detail or None,
    )
