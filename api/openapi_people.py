"""The API's description of people and accounts: bodies with an example each."""

from api.openapi import ONCE, Schema, body_of, object_of
from esl.domain.access import Role
from esl.domain.person import (
    DISPLAY_NAME_LONGEST,
    LANGUAGE_LONGEST,
    MAIL_LONGEST,
    SIGN_IN_NAME_LONGEST,
)
from esl.intake.people_json import CODE_LONGEST, ROLES_MOST, SECRET_LONGEST

_ROLES: Schema = {
    "type": "array",
    "maxItems": ROLES_MOST,
    "items": object_of(
        ("store", "role"),
        {
            "store": {"type": "string", "description": "A store's id, or “*” for all."},
            "role": {"type": "string", "enum": [*Role]},
        },
    ),
}
_SECRET: Schema = {"type": "string", "minLength": 1, "maxLength": SECRET_LONGEST}
_MANAGER = {"store": "main", "role": "manager"}

PERSON = ONCE | body_of(
    object_of(
        ("name",),
        {
            "name": {
                "type": "string",
                "minLength": 2,
                "maxLength": SIGN_IN_NAME_LONGEST,
                "description": "To sign in with, without blanks; capital letters count as small.",
            },
            "display_name": {
                "type": ["string", "null"],
                "minLength": 1,
                "maxLength": DISPLAY_NAME_LONGEST,
            },
            "mail": {"type": ["string", "null"], "minLength": 1, "maxLength": MAIL_LONGEST},
            "language": {"type": ["string", "null"], "minLength": 1, "maxLength": LANGUAGE_LONGEST},
            "roles": _ROLES,
        },
    ),
    {"name": "ana.novak", "display_name": "Ana Novak", "language": "hr", "roles": [_MANAGER]},
)
ROLES = ONCE | body_of(object_of(("roles",), {"roles": _ROLES}), {"roles": [_MANAGER]})
NOTHING = ONCE | body_of(object_of((), {}), {}, required=False)
PASSWORD_CHANGE = body_of(
    object_of(("old", "new"), {"old": _SECRET, "new": _SECRET}),
    {"old": "four words that were good", "new": "four words nobody has heard"},
)
PASSWORD = body_of(
    object_of(("password",), {"password": _SECRET}), {"password": "four words nobody has heard"}
)
CODE = body_of(
    object_of(("code",), {"code": {"type": "string", "minLength": 1, "maxLength": CODE_LONGEST}}),
    {"code": "123456"},
)
