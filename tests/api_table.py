"""``python -m tests.api_table`` writes the table of addresses in docs/http-api.md anew.

One row an address, by subject, made of the description alone: what may be done there, what a list
is narrowed and paged by, whether it has a version, and what takes an idempotency key.
"""

import json
import sys
import tempfile
from pathlib import Path
from typing import Any, Final

from tests.running_house import running_house

PAGE: Final = Path(__file__).parent.parent / "docs" / "http-api.md"
BEGIN: Final = "<!-- addresses: python -m tests.api_table -->\n"
END: Final = "<!-- end of addresses -->\n"
CURSORS: Final = ("after", "before", "since")
_METHODS: Final = ("get", "post", "put", "patch", "delete")


def table_of(document: dict[str, Any]) -> str:
    """Write the addresses of a description as Markdown, a table for each subject."""
    subjects: dict[str, list[str]] = {}
    for path, item in sorted(document["paths"].items()):
        first = next(item[method] for method in _METHODS if method in item)
        subject = first.get("tags", ["health"])[0]
        subjects.setdefault(subject, []).append(_row(path, item))
    head = "| address | | narrowed by | pages by | version | `Idempotency-Key` |\n" + "|---" * 6
    return "\n".join(
        f"### {subject[0].upper()}{subject[1:]}\n\n{head}|\n" + "\n".join(rows) + "\n"
        for subject, rows in sorted(subjects.items())
    )


def _row(path: str, item: dict[str, Any]) -> str:
    methods = [method for method in _METHODS if method in item]
    query = _named(item.get("get", {}), "query")
    cursor = next((name for name in CURSORS if name in query), "")
    pages = f"`{cursor}`" if cursor and "limit" in query else "`limit`" if "limit" in query else ""
    narrowed = ", ".join(f"`{name}`" for name in query if name not in {cursor, "limit"})
    edits = [item[method] for method in ("put", "patch", "delete") if method in item]
    version = "ETag" if "If-None-Match" in _named(item.get("get", {}), "header") else ""
    if any(_demands(operation) for operation in edits):
        version += ", demanded"
    keyed = [m.upper() for m in methods if "Idempotency-Key" in _named(item[m], "header")]
    cells = (f"`{path}`", " ".join(m.upper() for m in methods), narrowed, pages, version)
    return "| " + " | ".join((*cells, " ".join(keyed))) + " |"


def _named(operation: dict[str, Any], where: str) -> list[str]:
    return [one["name"] for one in operation.get("parameters", ()) if one["in"] == where]


def _demands(operation: dict[str, Any]) -> bool:
    return any(
        one["name"] == "If-Match" and one.get("required") for one in operation.get("parameters", ())
    )


def with_table(page: str, table: str) -> str:
    """Put a table in its place on the page."""
    before, _, rest = page.partition(BEGIN)
    _, _, behind = rest.partition(END)
    return f"{before}{BEGIN}\n{table}\n{END}{behind}"


def main() -> None:
    """Write the page as the API is today."""
    with tempfile.TemporaryDirectory() as folder, running_house(Path(folder)) as house:
        document = json.loads(house.ask("GET", "/api/v1/openapi.json").content)
    PAGE.write_text(with_table(PAGE.read_text(), table_of(document)))
    sys.stdout.write(f"{len(document['paths'])} addresses\n")


if __name__ == "__main__":
    main()
