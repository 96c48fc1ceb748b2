"""Who is known by which key of a provider; the keys are hashes, and outlive who is erased."""

from datetime import datetime

from sqlalchemy import Connection, exists, select

from esl.domain.person import PersonId
from esl.store.tables import person_identities, sign_in_links
from esl.store.upsert import insert_one_if_new

_I = person_identities.c


def person_of_key(tx: Connection, key_sha256: str) -> PersonId | None:
    """Return whose key it is, or was before that person was erased; None if nobody's."""
    found = tx.execute(select(_I.person_id).where(_I.key_sha256 == key_sha256)).scalar_one_or_none()
    return PersonId(found) if found is not None else None


def has_key(tx: Connection, person_id: PersonId) -> bool:
    """Say whether a person signs in by a provider."""
    return bool(tx.execute(select(exists().where(_I.person_id == person_id))).scalar_one())


def link(tx: Connection, key_sha256: str, person_id: PersonId, now: datetime) -> bool:
    """Know a person by a key from now on; False where it is somebody's already."""
    row = {"key_sha256": key_sha256, "person_id": person_id, "linked_at": now}
    return insert_one_if_new(tx, person_identities, row)


def spend(tx: Connection, secret_sha256: str, ends_at: datetime, purpose: str) -> bool:
    """Note that a one-time secret, which nothing knew of before, was used; False if it was before.

    The note is kept until ``ends_at``, and 30 days more.
    """
    row = {
        "secret_sha256": secret_sha256,
        "person": "",
        "uses_left": 0,
        "purpose": purpose,
        "expires_at": ends_at,
    }
    return insert_one_if_new(tx, sign_in_links, row)
