"""Lists of commands: nothing of them is cut off, wherever they are printed."""

import os
import pty
import subprocess
import sys

ID = "830d8842d225"
WORDS = "its gateway was away for two hours in the night"
PRINTING = f"""
from rich.table import Table
from api.cli.tables import print_table
table = Table("id", "why", "where")
table.add_row("{ID}", "{WORDS} [bold]", "store-1")
print_table(table)
"""


def on_a_terminal(columns: int) -> str:
    ours, theirs = pty.openpty()
    variables = os.environ | {"COLUMNS": str(columns), "TERM": "xterm"}
    with os.fdopen(ours, "rb", buffering=0) as reader:
        with os.fdopen(theirs, "wb") as writer:
            subprocess.run(
                [sys.executable, "-c", PRINTING], stdout=writer, env=variables, check=True
            )
        return reader.read(65_536).decode()


def test_a_row_in_a_file_is_one_line_however_long() -> None:
    ran = subprocess.run(
        [sys.executable, "-c", PRINTING],
        capture_output=True,
        text=True,
        check=True,
        env=os.environ | {"COLUMNS": "40"},
    )
    (row,) = [line for line in ran.stdout.splitlines() if ID in line]
    assert f"{WORDS} [bold]" in row
    assert "store-1" in row


def test_on_a_narrow_terminal_cells_grow_downwards_and_ids_are_whole() -> None:
    told = on_a_terminal(40)
    rows = [line for line in told.splitlines() if line.startswith("│")]
    assert all(len(row) == 40 for row in rows)
    assert ID in told
    assert "…" not in told
    said = " ".join(row.split("│")[2].strip() for row in rows)
    assert said.split() == f"{WORDS} [bold]".split()
