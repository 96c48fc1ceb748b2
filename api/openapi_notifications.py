"""The API's description of how people are told: bodies with an example each."""

from api.openapi import ONCE, Schema, body_of, object_of
from esl.domain.notification import RECIPIENTS_MOST, Channel, Security
from esl.domain.problem import ProblemKind
from esl.intake.notification_json import ADDRESS_LONGEST, HOST_LONGEST, PASSWORD_LONGEST

_TIME: Schema = {"type": "string", "pattern": "^([01][0-9]|2[0-3]):[0-5][0-9]$"}
_ADDRESS: Schema = {"type": "string", "minLength": 3, "maxLength": ADDRESS_LONGEST}
_NAME: Schema = {"type": "string", "pattern": "^[a-z0-9-]{1,64}$"}
_MAIL: Schema = object_of(
    ("host", "from"),
    {
        "host": {"type": "string", "minLength": 1, "maxLength": HOST_LONGEST},
        "port": {"type": ["integer", "null"], "minimum": 1, "maximum": 65535},
        "security": {"type": "string", "enum": [*Security]},
        "login": {"type": ["string", "null"], "minLength": 1, "maxLength": ADDRESS_LONGEST},
        "password": {
            "type": ["string", "null"],
            "minLength": 1,
            "maxLength": PASSWORD_LONGEST,
            "description": "Left out: as it was. No answer holds it.",
        },
        "from": _ADDRESS,
    },
) | {"type": ["object", "null"]}
_RECIPIENT: Schema = object_of(
    ("name",),
    {
        "name": _NAME,
        "channel": {"type": "string", "enum": [*Channel]},
        "to": _ADDRESS | {"type": ["string", "null"]},
        "url": {
            "type": "string",
            "description": "A chat's incoming webhook. Left out: as it was. No answer holds it.",
        },
        "problems": {
            "type": "array",
            "items": {"type": "string", "enum": [*ProblemKind]},
            "description": "Left out or empty: all.",
        },
        "digest": {"type": "boolean"},
        "quiet": {"type": "boolean", "description": "False: told in quiet hours, too."},
    },
)
SETTINGS = body_of(
    object_of(
        ("recipients",),
        {
            "mail": _MAIL,
            "recipients": {"type": "array", "maxItems": RECIPIENTS_MOST, "items": _RECIPIENT},
            "quiet_hours": object_of(("from", "to"), {"from": _TIME, "to": _TIME})
            | {"type": ["object", "null"]},
            "digest_at": _TIME | {"type": ["string", "null"]},
            "allow_private": {
                "type": "boolean",
                "description": "Mail server and chats may stand in the shop's own network.",
            },
        },
    ),
    {
        "mail": {"host": "mail.example", "port": 587, "from": "esl@shop.example"},
        "recipients": [
            {"name": "manager", "channel": "mail", "to": "ana@shop.example", "digest": True},
            {
                "name": "technicians",
                "channel": "slack",
                "url": "https://hooks.slack.com/services/T0/B0/x",
                "problems": ["gateway_away", "hardware_fault"],
                "quiet": False,
            },
        ],
        "quiet_hours": {"from": "22:00", "to": "06:00"},
        "digest_at": "07:30",
    },
)
TEST = ONCE | body_of(
    object_of((), {"recipient": _NAME | {"type": ["string", "null"]}}),
    {"recipient": "manager"},
    required=False,
)
