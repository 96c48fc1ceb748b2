"""How commands print lists: nothing of them is ever cut off.

On a terminal what has no room goes on below, within its cell; the first column, which is what the
next command is given, is never broken. Anywhere else, in a file or another program, each row is as
wide as it has to be: whoever reads it there searches and cuts by lines.
"""

from typing import Final

from rich.console import Console
from rich.table import Table

UNBOUND: Final = 100_000
"""Characters; wider than any row, and what rich takes for a width."""


def print_table(table: Table) -> None:
    """Print a table to standard output; its texts are texts, whatever brackets they hold."""
    console = Console(markup=False, highlight=False)
    if not console.is_terminal:
        console.width = UNBOUND
    for column in table.columns:
        column.overflow = "fold"
    if table.columns:
        table.columns[0].no_wrap = True
    console.print(table)
