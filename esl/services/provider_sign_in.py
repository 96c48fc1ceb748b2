"""A person signs in by an OpenID provider, whose word was checked: `api.oidc`.

::

    the provider's id of the person is known? ── yes ─▶ erased or closed here: refused
                │ no                                     └▶ roles become those of the groups
                ├ an account has its name: linked, if the settings say so; else refused
                └ none has: made, if the settings say so; else refused

Whose groups give nothing is refused, and has lost the roles and sessions of before. The last admin
loses that role as well: whoever has the machine makes another one by ``esl people set-up``.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Connection

from esl.domain.errors import AlreadyExists, NotSignedIn
from esl.domain.person import Person, PersonId, RoleHeld
from esl.domain.provider import GroupRole, SaidByProvider, roles_of
from esl.services.access import hash_secret
from esl.services.signing_in import begin_session
from esl.store import access, audit, identities, people, places, sessions

ACTOR: Final = "provider"
"""As whom the audit knows what was done by a provider's word."""

USED: Final = "oidc"
"""The purpose of a sign-in by a provider, kept once it is used."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why somebody whom the provider knows is not let in here: to whom it concerns."""

    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What the installation makes of a provider's word."""

    groups: tuple[GroupRole, ...]
    creates_people: bool
    links_by_name: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class NewSession:
    """The session that begins for whoever is let in."""

    secret: str
    about: str | None  # the browser, as it calls itself
    former: str | None  # what this browser had before, and is ended


def let_in(
    tx: Connection,
    said: SaidByProvider,
    rules: Rules,
    session: NewSession,
    *,
    once: str,
    lasts: timedelta,
    person_id: str,
    now: datetime,
) -> Person | Refusal:
    """Begin the session of somebody for whom a provider vouches.

    ``once`` is the secret of this sign-in, which serves a single time within ``lasts``;
    ``person_id`` is for somebody new. What it returns is to be committed, a refusal too: by that
    the person may have lost roles.

    Raises:
        NotSignedIn: This very sign-in was used before.
    """
    if not identities.spend(tx, hash_secret(once), now + lasts, USED):
        raise NotSignedIn("this sign-in was used already; begin again")
    stores = {store.store_id for store in places.all_stores(tx)}
    roles = roles_of(said.groups, rules.groups, stores)
    people.lock_admins_of_all(tx)  # roles change under this lock, here as elsewhere
    found = _find(tx, said, rules, roles, person_id=person_id, now=now)
    if isinstance(found, Refusal):
        return found
    _become(tx, found, roles, now)
    if not roles:
        return _NO_ROLES
    if session.former is not None:
        access.end_session(tx, hash_secret(session.former))
    begin_session(
        tx,
        found.person_id,
        session_secret=session.secret,
        about=session.about,
        now=now,
        by_provider=True,
    )
    return found


_NO_ROLES: Final = Refusal(
    "none of your groups has a role in these shops; ask for one where your company keeps its groups"
)
_CLOSED: Final = Refusal("your account here is closed; an admin of the shops can open it again")
_ERASED: Final = Refusal("your account here was erased; an admin of the shops can tell you more")
_UNKNOWN: Final = Refusal("nobody here has your account yet; an admin of the shops has to add it")
_TAKEN: Final = Refusal(
    "your name is that of another account here; an admin of the shops has to give that account "
    "another name, or let the two become one (links_by_name)"
)
REFUSALS: Final = (_NO_ROLES, _CLOSED, _ERASED, _UNKNOWN, _TAKEN)
"""All of them, for who puts them into other words."""


def _find(
    tx: Connection,
    said: SaidByProvider,
    rules: Rules,
    roles: frozenset[RoleHeld],
    *,
    person_id: str,
    now: datetime,
) -> Person | Refusal:
    known = identities.person_of_key(tx, said.key)
    if known is not None:
        person = people.person_named(tx, known, to_change=True)
        if person is None:
            return _ERASED
        return person if person.disabled_at is None else _CLOSED
    if not roles:
        return _NO_ROLES
    of_name = people.id_of_name(tx, said.sign_in_name)
    if of_name is not None:
        return _link(tx, said, rules, of_name, now)
    if not rules.creates_people:
        return _UNKNOWN
    return _make(tx, said, PersonId(person_id), now)


def _link(
    tx: Connection, said: SaidByProvider, rules: Rules, person_id: PersonId, now: datetime
) -> Person | Refusal:
    person = people.person_named(tx, person_id, to_change=True)
    if person is None or not rules.links_by_name or identities.has_key(tx, person_id):
        return _TAKEN
    if person.disabled_at is not None:
        return _CLOSED
    if not identities.link(tx, said.key, person_id, now):
        return _TAKEN
    _note(tx, "person_linked", person_id, now)
    return person


def _make(tx: Connection, said: SaidByProvider, person_id: PersonId, now: datetime) -> Person:
    person = Person(
        person_id=person_id,
        sign_in_name=said.sign_in_name,
        display_name=said.shown_name,
        mail=said.usable_mail,
        language=None,
        has_password=False,
        has_second_factor=False,
        created_at=now,
        disabled_at=None,
        roles=frozenset(),
    )
    if not people.add_person(tx, person) or not identities.link(tx, said.key, person_id, now):
        raise AlreadyExists("somebody of this name came in at the same moment; begin again")
    _note(tx, "person_added", person_id, now)
    return person


def _become(tx: Connection, person: Person, roles: frozenset[RoleHeld], now: datetime) -> None:
    """Give the roles of the groups, and take all others: who loses one is signed out elsewhere."""
    taken, given = person.roles - roles, roles - person.roles
    people.take_roles(tx, person.person_id, taken)
    people.give_roles(tx, person.person_id, given)
    if taken or not roles:
        sessions.end_sessions(tx, person.person_id)
    if taken or given:
        _note(tx, "person_roles", person.person_id, now, given=given, taken=taken)


def _note(
    tx: Connection, action: str, person_id: PersonId, now: datetime, **roles: frozenset[RoleHeld]
) -> None:
    detail = {
        name: sorted(f"{held.role.value} {held.store}" for held in some)
        for name, some in roles.items()
        if some
    }
    audit.note(
        tx,
        now,
        actor=ACTOR,
        action=action,
        subject=f"person/{person_id}",
        detail=detail or None,
    )
