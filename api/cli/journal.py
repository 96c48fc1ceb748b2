"""``esl journal``: what prices and promotions were changed to in a period, for accounting."""

import sys
from datetime import date, timedelta
from pathlib import Path
from typing import Annotated

import typer

from api.cli.quarantine import Store, client_for, store_for
from api.cli.serve import DataDir
from esl.domain.errors import SetupError

From = Annotated[str, typer.Option("--from", help="First day, 2026-03-01, or an instant.")]
Until = Annotated[
    str, typer.Option("--to", help="The first day after it.", show_default="a day after --from")
]
Output = Annotated[
    Path | None, typer.Option("-o", "--output", dir_okay=False, help="A file; else it is printed.")
]


def journal(
    begins: From,
    ends: Until = "",
    store: Store = "",
    output: Output = None,
    data: DataDir = None,
) -> None:
    """Write the journal of a store as CSV: when, what, from, to, who, why, and when shown."""
    until = ends or _next_day(begins)
    with client_for(data, None) as client:
        where = store_for(client, store)
        pieces = client.download(
            f"/api/v1/stores/{where}/journal",
            **{"from": begins, "to": until, "format": "csv"},
        )
        if output is None:
            for piece in pieces:
                sys.stdout.buffer.write(piece)
            sys.stdout.buffer.flush()
            return
        partly = output.with_name(f"{output.name}.part")  # half of a journal looks like a whole
        try:
            with partly.open("wb") as file:
                for piece in pieces:
                    file.write(piece)
            partly.replace(output)
        except OSError as exc:
            raise SetupError(f"{output} cannot be written: {exc.strerror}") from exc
        finally:
            partly.unlink(missing_ok=True)


def _next_day(text: str) -> str:
    try:
        return (date.fromisoformat(text) + timedelta(days=1)).isoformat()
    except ValueError:
        raise SetupError("name the end of the period with --to") from None
