"""Reads `docs/protocol.md`: its sections and the tables in them."""

import re
from pathlib import Path

DOCUMENT = (Path(__file__).parents[4] / "docs" / "protocol.md").read_text()


def section(title: str) -> str:
    """The text under a heading, down to the next one of its rank or above."""
    start = re.search(rf"^(#+) {re.escape(title)}$", DOCUMENT, re.MULTILINE)
    assert start is not None, f"no section {title!r}"
    rest = DOCUMENT[start.end() :]
    end = re.search(rf"^#{{1,{len(start[1])}}} ", rest, re.MULTILINE)
    return rest[: end.start()] if end else rest


def tables(text: str) -> list[list[list[str]]]:
    """Every table of a text: rows of cells, without head and ruler."""
    found = re.findall(r"(?:^\|.*\|\n)+", text, re.MULTILINE)
    return [
        [[cell.strip() for cell in row.strip("|").split(" | ")] for row in table.splitlines()[2:]]
        for table in (re.sub(r"\|  \|", "| - |", table) for table in found)
    ]
