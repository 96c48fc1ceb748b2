"""What the description says of machines' access: tokens, clients' secrets, and fetching a token."""

import copy
from typing import Any, Final

from api import openapi
from api.openapi import Schema, body_of, object_of
from esl.domain.access import Scope

_ENDS: Final[Schema] = {
    "type": ["string", "null"],
    "format": "date-time",
    "description": "It is refused from then on; left out: it holds until it is revoked.",
}


def _with_end(body: Schema) -> Schema:
    made = copy.deepcopy(body)
    content = made["requestBody"]["content"]["application/json"]
    content["schema"]["properties"]["expires_at"] = _ENDS
    return made


TOKEN: Final = _with_end(openapi.TOKEN)
SECRET: Final = body_of(
    object_of((), {"expires_at": _ENDS}), {"expires_at": "2089-12-31T23:00:00Z"}, required=False
)

_ID_AND_SECRET: Final[Schema] = {
    "client_id": {"type": "string", "pattern": "^[0-9a-f]{12}$"},
    "client_secret": {"type": "string", "minLength": 1, "maxLength": 200},
}
_CLIENT: Final = "0a1b2c3d4e5f"
_WRONG_SECRET: Final = f"esl_live_{_CLIENT}_" + "0" * 64
_SCOPES: Final = f"{Scope.PRICE_READ} {Scope.PRICE_WRITE}"


def _answer(words: str, schema: Schema, examples: dict[str, Any], headers: Schema) -> Schema:
    named = {name: {"value": value} for name, value in examples.items()}
    return {
        "description": words,
        "headers": headers,
        "content": {"application/json": {"schema": schema, "examples": named}},
    }


def _errors(words: str, errors: dict[str, str], headers: Schema | None = None) -> Schema:
    schema = object_of(
        ("error", "error_description"),
        {"error": {"enum": list(errors)}, "error_description": {"type": "string"}},
    )
    examples = {
        error: {"error": error, "error_description": said} for error, said in errors.items()
    }
    return _answer(words, schema, examples, headers or {})


def _header(words: str) -> Schema:
    return {"description": words, "schema": {"type": "string"}}


FETCH: Final[Schema] = {
    "security": [{"client": []}, {}],
    "requestBody": {
        "required": True,
        "content": {
            "application/x-www-form-urlencoded": {
                "schema": object_of(
                    ("grant_type",),
                    {
                        "grant_type": {"const": "client_credentials"},
                        "scope": {
                            "type": "string",
                            "description": "Less than the client may, with a blank between two; "
                            "left out: all of it.",
                        },
                        **_ID_AND_SECRET,
                    },
                ),
                "examples": {
                    "id and secret by HTTP Basic": {
                        "value": {"grant_type": "client_credentials", "scope": "price:read"}
                    },
                    "id and secret in the form": {
                        "value": {
                            "grant_type": "client_credentials",
                            "client_id": _CLIENT,
                            "client_secret": _WRONG_SECRET,
                        }
                    },
                },
            }
        },
    },
}
"""RFC 6749, 4.4.2: the grant, and the client by Basic or in the body, never both."""

FETCHED: Final[dict[int | str, Schema]] = {
    200: _answer(
        "A token of ten minutes.",
        object_of(
            ("access_token", "token_type", "expires_in", "scope"),
            {
                "access_token": {"type": "string"},
                "token_type": {"const": "Bearer"},
                "expires_in": {"type": "integer", "description": "Seconds."},
                "scope": {"type": "string"},
            },
        ),
        {
            "token": {
                "access_token": "eyJhbGciOiJIUzI1NiIsInR5cCI6ImF0K2p3dCJ9…",
                "token_type": "Bearer",
                "expires_in": 600,
                "scope": _SCOPES,
            }
        },
        {"Cache-Control": _header("no-store")},
    ),
    400: _errors(
        "The request is not as RFC 6749 has it, or asks for too much.",
        {
            "invalid_request": "grant_type is missing",
            "unsupported_grant_type": "the only grant_type here is client_credentials",
            "invalid_scope": "a scope is not known, or not this client's",
        },
    ),
    401: _errors(
        "Not such a client, or not its secret, or one that has ended.",
        {"invalid_client": "the client is not known, or its secret is wrong"},
        {"WWW-Authenticate": _header('Basic realm="esl"')},
    ),
    429: _errors(
        "Too many wrong secrets, or too many requests; nobody looked at the secret.",
        {"temporarily_unavailable": "too many attempts have failed"},
        {"Retry-After": _header("Seconds.")},
    ),
}
"""Errors by RFC 6749, 5.2: libraries of others read them, so they are no problem details."""
