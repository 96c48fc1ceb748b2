"""People as JSON: who is added, with which roles, and what somebody changes about itself."""

from dataclasses import dataclass
from typing import Any, Final

from esl.domain.access import ALL_STORES, Role
from esl.domain.errors import InvalidInput
from esl.domain.ids import check_slug
from esl.domain.person import (
    DISPLAY_NAME_LONGEST,
    LANGUAGE_LONGEST,
    MAIL_LONGEST,
    SIGN_IN_NAME_LONGEST,
    RoleHeld,
    check_sign_in_name,
)
from esl.domain.pricing import KEEP
from esl.intake.fields import Fields
from esl.intake.strict_json import pointer

ROLES_MOST: Final = 1000
SECRET_LONGEST: Final = 1024
CODE_LONGEST: Final = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonSaid:
    """Somebody to add, as it was sent."""

    sign_in_name: str
    display_name: str
    mail: str | None
    language: str | None
    roles: frozenset[RoleHeld]


def parse_person(value: Any) -> PersonSaid:
    """Read ``{"name": …, "display_name": …, "mail": …, "language": …, "roles": […]}``.

    Raises:
        InvalidInput: With the path of each bad field.
    """
    fields = Fields(value)
    name = fields.parsed(
        "name", lambda text, path: check_sign_in_name(_short(text, path), path=path), required=True
    )
    shown = fields.text("display_name", longest=DISPLAY_NAME_LONGEST)
    mail = fields.text("mail", longest=MAIL_LONGEST)
    if isinstance(mail, str) and ("@" not in mail[1:-1] or any(c.isspace() for c in mail)):
        fields.problem("mail", "not a mail address", fix="Send one such as ana@shop.example.")
    language = fields.text("language", longest=LANGUAGE_LONGEST)
    roles = _roles(fields)
    fields.finish()
    return PersonSaid(
        sign_in_name=str(name),
        display_name=shown if isinstance(shown, str) else str(name),
        mail=mail if isinstance(mail, str) else None,
        language=language if isinstance(language, str) else None,
        roles=roles,
    )


def parse_roles(value: Any) -> frozenset[RoleHeld]:
    """Read ``{"roles": [{"store": "zagreb-1" or "*", "role": "manager"}]}``; none takes all.

    Raises:
        InvalidInput: With the path of each bad field.
    """
    fields = Fields(value)
    if not fields.has("roles"):
        fields.problem("roles", "missing", fix="Send an empty list to take all roles.")
    roles = _roles(fields)
    fields.finish()
    return roles


def parse_new_password(value: Any) -> tuple[str, str]:
    """Read ``{"old": …, "new": …}``; what a password may be is checked later.

    Raises:
        InvalidInput: With the path of each bad field; never what was sent.
    """
    fields = Fields(value)
    old, new = (secret(fields, name) for name in ("old", "new"))
    fields.finish()
    return old, new


def parse_password(value: Any) -> str:
    """Read ``{"password": …}``."""
    fields = Fields(value)
    password = secret(fields, "password")
    fields.finish()
    return password


def parse_code(value: Any) -> str:
    """Read ``{"code": "123456"}``."""
    fields = Fields(value)
    code = secret(fields, "code", longest=CODE_LONGEST)
    fields.finish()
    return code


def secret(fields: Fields, name: str, *, longest: int = SECRET_LONGEST) -> str:
    """Read a text exactly as it was sent."""
    value = fields.take(name)
    if value is KEEP:
        fields.problem(name, "missing")
    elif not isinstance(value, str):
        fields.problem(name, "not a string")
    elif not 1 <= len(value) <= longest:
        fields.problem(name, f"not 1 to {longest} characters")
    else:
        return value
    return ""


def _short(text: str, path: str) -> str:
    if len(text) > SIGN_IN_NAME_LONGEST:
        raise InvalidInput.at(path, f"longer than {SIGN_IN_NAME_LONGEST} characters")
    return text


def _roles(fields: Fields) -> frozenset[RoleHeld]:
    value = fields.take("roles")
    found: set[RoleHeld] = set()
    if value is KEEP:
        return frozenset()
    if not isinstance(value, list):
        fields.problem("roles", "not an array")
    elif len(value) > ROLES_MOST:
        fields.problem("roles", f"more than {ROLES_MOST} items")
    else:
        for index, item in enumerate(value):
            one = Fields(item, path=pointer(pointer(fields.path, "roles"), index))
            store = one.parsed("store", _store, required=True)
            role = one.parsed("role", _role, required=True)
            try:
                one.finish()
            except InvalidInput as exc:
                fields.problems.extend(exc.problems)
            else:
                if isinstance(store, str) and isinstance(role, Role):
                    found.add(RoleHeld(store=store, role=role))
    return frozenset(found)


def _role(text: str, path: str) -> Role:
    try:
        return Role(text)
    except ValueError:
        raise InvalidInput.at(path, "not a role", fix=f"Choose from {', '.join(Role)}.") from None


def _store(text: str, path: str) -> str:
    return text if text == ALL_STORES else check_slug(text, path=path, what="store")
