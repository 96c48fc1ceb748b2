"""``esl proposals …``: what engines proposed, how far they may go, and a person's ruling.

Nobody decides about what they sent: name another person's token with ``--token``.
"""

import json
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from api.cli.quarantine import AsJson, Note, Store, TokenFile, client_for, store_for
from api.cli.serve import DataDir
from api.cli.tables import print_table
from esl.domain.errors import InvalidInput
from esl.domain.proposal import ProposalState
from esl.intake.strict_json import parse_strict_json

_PAGE = 1000
_ROWS_SHOWN = 50

app = typer.Typer(help="Prices that an outside engine proposes.", no_args_is_help=True)

Numbers = Annotated[list[int], typer.Argument(min=1, help="From: esl proposals list.")]
State = Annotated[
    ProposalState | None, typer.Option(help="Only those; else all of the newest last.")
]
RulesFile = Annotated[
    Path | None,
    typer.Option("--put", exists=True, dir_okay=False, help="A JSON file that replaces them."),
]


@app.command("list")
def list_proposals(
    store: Store = "", state: State = None, as_json: AsJson = False, data: DataDir = None
) -> None:
    """List what engines proposed, why, and which bounds it broke."""
    with client_for(data, None) as client:
        where = store_for(client, store)
        found: list[dict[str, Any]] = []
        after: int | None = 0
        while after is not None:
            page = client.get(
                f"/api/v1/stores/{where}/price-proposals",
                after=after,
                limit=_PAGE,
                state=state.value if state is not None else "all",
            )
            found += page["proposals"]
            if not as_json:
                found = found[-_ROWS_SHOWN:]
            after = page["after"]
    if as_json:
        print(json.dumps({"store": where, "proposals": found}, ensure_ascii=False))
        return
    if not found:
        print(f"No such proposals in store {where}.")
        return
    table = Table(box=None)
    for name in ("number", "SKU", "held", "proposed"):
        table.add_column(name, no_wrap=True)
    for name in ("state", "from", "reason", "bounds"):
        table.add_column(name, overflow="fold")
    for one in found:
        broken = "; ".join(f"{b['bound']}: {b['words']}" for b in one["bounds"])
        table.add_row(
            *(str(one["proposal_id"]), one["sku"], one["held"] or "–", one["price"]),
            *(one["state"], one["source"], one["reason"], broken),
        )
    print_table(table)


@app.command("approve")
def approve(
    numbers: Numbers,
    store: Store = "",
    note: Note = "",
    token: TokenFile = None,
    as_json: AsJson = False,
    data: DataDir = None,
) -> None:
    """Let proposals hold that wait for a person, all or none."""
    _decide("approve", numbers, store, note, token, data, as_json=as_json)


@app.command("reject")
def reject(
    numbers: Numbers,
    store: Store = "",
    note: Note = "",
    token: TokenFile = None,
    as_json: AsJson = False,
    data: DataDir = None,
) -> None:
    """Say no to proposals that wait for a person, all or none."""
    _decide("reject", numbers, store, note, token, data, as_json=as_json)


@app.command("rules")
def rules(store: Store = "", put: RulesFile = None, data: DataDir = None) -> None:
    """Show how far engines may move a store's prices, or replace it with ``--put``."""
    with client_for(data, None) as client:
        where = store_for(client, store)
        path = f"/api/v1/stores/{where}/proposal-rules"
        if put is not None:
            try:
                found = client.put(path, parse_strict_json(put.read_bytes()))
            except OSError as exc:
                raise InvalidInput.at("", f"{put} cannot be read") from exc
        else:
            found = client.get(path)
    print(json.dumps(found, ensure_ascii=False, indent=2))


def _decide(
    verb: str,
    numbers: list[int],
    store: str,
    note: str,
    token: Path | None,
    data: Path | None,
    *,
    as_json: bool,
) -> None:
    asked: dict[str, Any] = {"proposals": numbers} | ({"note": note} if note else {})
    with client_for(data, token) as client:
        where = store_for(client, store)
        done = client.post(f"/api/v1/stores/{where}/price-proposals/{verb}", asked)
    if as_json:
        print(json.dumps(done, ensure_ascii=False))
        return
    for one in done["proposals"]:
        print(f"{one['proposal_id']}  {one['sku']}  {one['state']}")
    print(f"Labels that change: {done['labels']:,}.")
