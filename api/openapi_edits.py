"""What the description says of versions: ETags that are answered, 304, 412 and 428."""

from typing import Any

_ETAG = {
    "ETag": {
        "description": "The version there is; send it as If-Match to change it.",
        "schema": {"type": "string"},
    }
}


def describe_versions(document: dict[str, Any]) -> None:
    """Add to each operation what follows from the headers that it takes."""
    for item in document["paths"].values():
        for method, operation in item.items():
            takes = {one["name"] for one in operation.get("parameters", ())}
            if method == "get" and "If-None-Match" in takes:
                operation["responses"]["200"]["headers"] = _ETAG
                unchanged = {"description": "You have it: nothing has changed.", "headers": _ETAG}
                operation["responses"]["304"] = unchanged
