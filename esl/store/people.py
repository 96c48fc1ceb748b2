"""People and their roles; secrets are read apart from the rest, by who checks them."""

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, exists, func, select, update

from esl.domain.access import ALL_STORES, Role
from esl.domain.person import Person, PersonId, RoleHeld
from esl.store.columns import AnyRow
from esl.store.tables import people, person_roles
from esl.store.upsert import insert_if_new

_P, _R = people.c, person_roles.c


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """What proves a person, as the database has it."""

    person_id: PersonId
    password_hash: str | None
    totp_sealed: bytes | None
    totp_is_on: bool
    totp_step: int
    recovery_sha256: frozenset[str]
    is_disabled: bool


def add_person(tx: Connection, person: Person) -> bool:
    """Store a new person and its roles; False where another has the sign-in name by now."""
    row = {
        "person_id": person.person_id,
        "sign_in_name": person.sign_in_name,
        "display_name": person.display_name,
        "mail": person.mail,
        "language": person.language,
        "totp_is_on": False,
        "totp_step": 0,
        "recovery_sha256": "",
        "created_at": person.created_at,
    }
    insert_if_new(tx, people, [row])
    if id_of_name(tx, person.sign_in_name) != person.person_id:
        return False
    give_roles(tx, person.person_id, person.roles)
    return True


def give_roles(tx: Connection, person_id: PersonId, roles: Iterable[RoleHeld]) -> None:
    """Add roles that a person has not."""
    rows = [
        {"person_id": person_id, "store_id": one.store, "role": one.role.value} for one in roles
    ]
    insert_if_new(tx, person_roles, rows)


def take_roles(tx: Connection, person_id: PersonId, roles: Iterable[RoleHeld]) -> None:
    """Take roles from a person."""
    for one in roles:
        tx.execute(
            delete(person_roles).where(
                _R.person_id == person_id, _R.store_id == one.store, _R.role == one.role.value
            )
        )


def person_named(tx: Connection, person_id: PersonId, *, to_change: bool = False) -> Person | None:
    """Load a person; None if there is none."""
    query = select(people).where(_P.person_id == person_id)
    row = tx.execute(query.with_for_update() if to_change else query).one_or_none()
    return _person(row, _roles_of(tx, [person_id])[person_id]) if row is not None else None


def id_of_name(tx: Connection, sign_in_name: str) -> PersonId | None:
    """Return who signs in by a name, which is folded."""
    found = tx.execute(
        select(_P.person_id).where(_P.sign_in_name == sign_in_name)
    ).scalar_one_or_none()
    return PersonId(found) if found is not None else None


def list_people(
    tx: Connection, *, stores: Collection[str] | None, after: str, limit: int
) -> list[Person]:
    """List people by id; with ``stores`` those who have a role in one of them."""
    query = select(people).where(_P.person_id > after).order_by(_P.person_id).limit(limit)
    if stores is not None:
        query = query.where(
            exists().where(_R.person_id == _P.person_id, _R.store_id.in_(list(stores)))
        )
    rows = tx.execute(query).all()
    roles = _roles_of(tx, [row.person_id for row in rows])
    return [_person(row, roles[row.person_id]) for row in rows]


def count_people(tx: Connection) -> int:
    """Count all people, disabled ones too."""
    return int(tx.execute(select(func.count()).select_from(people)).scalar_one())


def lock_admins_of_all(tx: Connection) -> list[PersonId]:
    """List who is admin of all stores and may sign in, each row held until the commit."""
    query = (
        select(_P.person_id)
        .where(
            _P.disabled_at.is_(None),
            exists().where(
                _R.person_id == _P.person_id,
                _R.store_id == ALL_STORES,
                _R.role == Role.ADMIN.value,
            ),
        )
        .order_by(_P.person_id)
        .with_for_update()
    )
    return [PersonId(one) for one in tx.execute(query).scalars()]


def set_disabled(tx: Connection, person_id: PersonId, at: datetime | None) -> None:
    """Close an account, or with None open it again."""
    tx.execute(update(people).where(_P.person_id == person_id).values(disabled_at=at))


def remove(tx: Connection, person_id: PersonId) -> None:
    """Remove a person and its roles; sessions and links are ended elsewhere."""
    tx.execute(delete(person_roles).where(_R.person_id == person_id))
    tx.execute(delete(people).where(_P.person_id == person_id))


def set_password(tx: Connection, person_id: PersonId, password_hash: str | None) -> None:
    """Store the hash of a new password."""
    tx.execute(update(people).where(_P.person_id == person_id).values(password_hash=password_hash))


def set_second_factor(
    tx: Connection,
    person_id: PersonId,
    *,
    sealed: bytes | None,
    is_on: bool,
    step: int,
    recovery_sha256: Iterable[str],
) -> None:
    """Store what checks a person's codes; ``sealed`` None: it has none."""
    tx.execute(
        update(people)
        .where(_P.person_id == person_id)
        .values(
            totp_sealed=sealed,
            totp_is_on=is_on,
            totp_step=step,
            recovery_sha256=" ".join(sorted(recovery_sha256)),
        )
    )


def credentials_of(
    tx: Connection, person_id: PersonId, *, to_change: bool = False
) -> Credentials | None:
    """Load what proves a person."""
    query = select(people).where(_P.person_id == person_id)
    row = tx.execute(query.with_for_update() if to_change else query).one_or_none()
    if row is None:
        return None
    return Credentials(
        person_id=PersonId(row.person_id),
        password_hash=row.password_hash,
        totp_sealed=row.totp_sealed,
        totp_is_on=row.totp_is_on,
        totp_step=int(row.totp_step),
        recovery_sha256=frozenset(row.recovery_sha256.split()),
        is_disabled=row.disabled_at is not None,
    )


def _roles_of(tx: Connection, ids: Collection[str]) -> dict[str, frozenset[RoleHeld]]:
    found: dict[str, set[RoleHeld]] = defaultdict(set)
    for row in tx.execute(select(person_roles).where(_R.person_id.in_(list(ids)))):
        found[row.person_id].add(RoleHeld(store=row.store_id, role=Role(row.role)))
    return {one: frozenset(found[one]) for one in ids}


def _person(row: AnyRow, roles: frozenset[RoleHeld]) -> Person:
    return Person(
        person_id=PersonId(row.person_id),
        sign_in_name=row.sign_in_name,
        display_name=row.display_name,
        mail=row.mail,
        language=row.language,
        has_password=row.password_hash is not None,
        has_second_factor=row.totp_is_on,
        created_at=row.created_at,
        disabled_at=row.disabled_at,
        roles=roles,
    )
