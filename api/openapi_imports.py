"""The API's description of imports: the upload's two forms, the report's two forms."""

from api.openapi import NOTHING, ONCE, Schema, object_of
from esl.domain.import_job import ImportMode

_TEXT: Schema = {"type": "string"}
_BINARY: Schema = {"type": "string", "format": "binary"}
_OPTIONS: Schema = {
    "mapping": _TEXT | {"description": "Name of a saved mapping; in a form also its document."},
    "mode": {"type": "string", "enum": [mode.value for mode in ImportMode], "default": "delta"},
    "dry_run": {"type": "boolean", "default": False, "description": "Store nothing; say what."},
    "source": _TEXT | {"description": "Whose word it is; else the mapping's name."},
    "name": _TEXT | {"description": "The file's own name."},
}
IMPORT: Schema = {
    "parameters": [
        *ONCE["parameters"],
        *(
            {"name": name, "in": "query", "required": False, "schema": schema}
            for name, schema in _OPTIONS.items()
        ),
    ],
    "requestBody": {
        "required": True,
        "content": {
            "application/octet-stream": {"schema": _BINARY},
            "multipart/form-data": {"schema": object_of(("file",), {"file": _BINARY} | _OPTIONS)},
        },
    },
    "responses": {
        "202": {
            "description": "The import waits for its turn.",
            "content": {
                "application/json": {
                    "schema": object_of(("id", "state"), {"id": _TEXT, "state": _TEXT}),
                    "example": {"id": "9f86d081884c7d65", "state": "queued"},
                }
            },
        }
    },
}
_STORE_FROM: Schema = {
    "name": "store_from",
    "in": "query",
    "required": False,
    "schema": _TEXT
    | {
        "description": "Where the store stands in the file's name.",
        "examples": ["prices_{store}_*.csv"],
    },
}
ROUTED: Schema = IMPORT | {"parameters": [*IMPORT["parameters"], _STORE_FROM]}
REPORT: Schema = {
    "responses": {
        "200": {
            "description": "A line a row that was not unchanged.",
            "content": {
                "application/json": {"schema": {"type": "object"}},
                "text/csv": {"schema": _TEXT},
            },
        }
    }
}
CANCEL: Schema = ONCE | NOTHING
APPLY: Schema = ONCE | NOTHING
_TRIED = ("mapping", "file")
SUGGEST: Schema = {
    "requestBody": {
        "required": True,
        "content": {"application/octet-stream": {"schema": _BINARY}},
    }
}
TRY: Schema = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {"schema": object_of(_TRIED, dict.fromkeys(_TRIED, _BINARY))}
        },
    }
}
