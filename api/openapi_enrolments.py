"""The API's description of gateways' enrolment: bodies with an example each."""

from api.openapi import NOTHING, ONCE, body_of, object_of
from esl.intake.enrolment_json import ENROL_TOKEN_LONGEST
from esl.services.enrolment import TOKEN_LASTS_MOST

GATEWAY = ONCE | body_of(
    object_of(
        (),
        {
            "password": {
                "enum": ["new"],
                "description": "Give the gateway another password; the one before ends with it.",
            }
        },
    ),
    {},
    required=False,
)
TOKEN = body_of(
    object_of(
        (),
        {
            "lasts_s": {
                "type": "integer",
                "minimum": 60,
                "maximum": int(TOKEN_LASTS_MOST.total_seconds()),
                "description": "How long it may be used; an hour if left out.",
            }
        },
    ),
    {"lasts_s": 3600},
    required=False,
)
ENROLMENT = body_of(
    object_of(
        ("token",),
        {"token": {"type": "string", "minLength": 1, "maxLength": ENROL_TOKEN_LONGEST}},
    ),
    {"token": "esl-enrol-gw-1-" + "0" * 64},
)
SOURCE_LOGIN = NOTHING
