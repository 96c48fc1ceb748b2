"""The logins a broker should know, as the books have them, with passwords opened."""

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection

from api.broker_access.password_file import (
    ITERATIONS_OF_A_PERSON,
    hash_password,
    is_password,
)
from api.broker_access.rights import Login, Role
from api.secret_box import SecretBox, open_box
from esl.domain.errors import SetupError
from esl.services import enrolment
from esl.settings import Settings
from esl.store.broker_logins import BrokerLogin
from gateway.mqtt import BrokerAddress
from gateway.wire.topics import is_id

_KIND = "mqtt"  # what the secret box binds a password to, beside its login
PASSWORD_BYTES = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What a broker should know: logins, their passwords, and those it was not told of yet."""

    logins: tuple[Login, ...]
    passwords: Mapping[str, str]
    untold: tuple[BrokerLogin, ...]


def new_password(data_dir: Path, username: str) -> Callable[[], bytes]:
    """Return what makes a password of 256 bits for a login, and seals it."""
    box = open_box(data_dir)
    return lambda: box.seal(secrets.token_urlsafe(PASSWORD_BYTES), source=username, kind=_KIND)


def open_password(box: SecretBox, username: str, sealed: bytes) -> str:
    """Open the password of a login.

    Raises:
        SetupError: The box has another key now.
    """
    return box.open(sealed, source=username, kind=_KIND)


def known_logins(tx: Connection, settings: Settings, controller: BrokerAddress) -> Known:
    """Load the logins of gateways, of tills that speak MQTT, and the controller's own.

    Tills are left out where they have a broker of their own (``mqtt_in_url``).

    Raises:
        SetupError: The controller has no login, or one that cannot stand in a rules file; or a
            password cannot be opened.
    """
    username, password = controller.username, controller.password
    if not username or not password:
        raise SetupError("mqtt_url has no user and password: the broker's rules name a user")
    if not username.isprintable() or set(username) & set(":+#/ "):
        raise SetupError("mqtt_url: the user may hold none of : + # / and no blanks")
    usable = [
        one
        for one in enrolment.usable_logins(tx)
        if (one.role != Role.SOURCE or settings.mqtt_in_url is None) and is_id(one.username)
    ]
    if any(one.username == username for one in usable):
        raise SetupError(f"a gateway or source is called {username!r}, as the controller's login")
    box = open_box(settings.data_dir)
    passwords = {username: password}
    passwords |= {one.username: open_password(box, one.username, one.sealed) for one in usable}
    logins = [Login(username=username, role=Role.CONTROLLER)]
    logins += [Login(username=one.username, role=Role(one.role)) for one in usable]
    return Known(
        logins=tuple(logins),
        passwords=passwords,
        untold=tuple(one for one in usable if one.told_at is None),
    )


def with_hashes(known: Known, held: Mapping[str, str]) -> list[Login]:
    """Give each login the hash of its password; one that ``held`` has already stays as it is.

    So files change only where something has changed: a new salt each time would not tell.
    """
    return [
        Login(
            username=one.username,
            role=one.role,
            password_hash=_hash(known.passwords[one.username], one.role, held.get(one.username)),
        )
        for one in known.logins
    ]


def _hash(password: str, role: Role, held: str | None) -> str:
    if held is not None and is_password(password, held):
        return held
    if role is Role.CONTROLLER:
        return hash_password(password, iterations=ITERATIONS_OF_A_PERSON)
    return hash_password(password)
