"""``esl quarantine …``: look at prices that were held back, and decide about them.

Nobody decides about what they sent. Who imports with the command line and looks at it there, too,
names a token of another person with ``--token``.
"""

import json
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from api.cli.running import running_controller
from api.cli.serve import DataDir
from api.cli.tables import print_table
from api.client import Client, Refused
from esl.domain.errors import InvalidInput, SetupError
from esl.domain.ids import check_slug

_PAGE = 1000
_ROWS_SHOWN = 50

app = typer.Typer(help="Prices that wait for a second person.", no_args_is_help=True)

Store = Annotated[
    str, typer.Option(help="The store's id.", show_default="the only store that there is")
]
Batch = Annotated[
    int | None, typer.Option(min=1, help="All that waits of this batch, such as an import's.")
]
Numbers = Annotated[
    list[int] | None, typer.Argument(min=1, help="Numbers of prices, from: esl quarantine list.")
]
Note = Annotated[str, typer.Option(help="Why; it is written down with your name.")]
TokenFile = Annotated[
    Path | None,
    typer.Option("--token", help="A file with the token of who decides; else whoever runs this."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one line of JSON.")]


@app.command("list")
def list_held(
    store: Store = "",
    batch: Batch = None,
    as_json: AsJson = False,
    data: DataDir = None,
) -> None:
    """List the prices that wait, each with what holds and why it was held back."""
    with client_for(data, None) as client:
        where = store_for(client, store)
        found = _held(client, where, batch)
    if as_json:
        print(json.dumps({"store": where, "prices": found}, ensure_ascii=False))
        return
    if not found:
        of = f" of batch {batch}" if batch is not None else ""
        print(f"Nothing{of} waits in store {where}.")
        return
    table = Table(box=None)
    for name, justify in (("number", "right"), ("SKU", "left"), ("holds", "right")):
        table.add_column(name, justify=justify, no_wrap=True)  # type: ignore[arg-type]
    table.add_column("wants", justify="right", no_wrap=True)
    for name in ("batch", "sent by", "why"):
        table.add_column(name, overflow="fold")
    for one in found[:_ROWS_SHOWN]:
        why = "; ".join(reason["words"] for reason in one["reasons"])
        of = str(one["batch"] or "")
        holds = one["holds"] or "–"
        table.add_row(
            str(one["price_id"]), one["sku"], holds, one["price"], of, one["sent_by"], why
        )
    print_table(table)
    if len(found) > _ROWS_SHOWN:
        print(f"… and {len(found) - _ROWS_SHOWN:,} more; all of them: esl quarantine list --json")
    print(f"If they are right: esl quarantine approve {found[0]['price_id']} --store {where}")
    batches = sorted({one["batch"] for one in found if one["batch"] is not None})
    for number in batches[:3]:
        print(f"A whole batch:     esl quarantine approve --batch {number} --store {where}")


@app.command("approve")
def approve(
    numbers: Numbers = None,
    store: Store = "",
    batch: Batch = None,
    note: Note = "",
    token: TokenFile = None,
    as_json: AsJson = False,
    data: DataDir = None,
) -> None:
    """Let prices hold that were held back, as new changes. Nobody approves what they sent."""
    _decide("approve", numbers or [], store, batch, note, token, data, as_json=as_json)


@app.command("reject")
def reject(
    numbers: Numbers = None,
    store: Store = "",
    batch: Batch = None,
    note: Note = "",
    token: TokenFile = None,
    as_json: AsJson = False,
    data: DataDir = None,
) -> None:
    """Say no to prices that were held back; the prices that hold stay."""
    _decide("reject", numbers or [], store, batch, note, token, data, as_json=as_json)


def _decide(
    verb: str,
    numbers: list[int],
    store: str,
    batch: int | None,
    note: str,
    token: Path | None,
    data: Path | None,
    *,
    as_json: bool,
) -> None:
    if bool(numbers) == (batch is not None):
        fix = f"Run: esl quarantine {verb} 7 8, or: esl quarantine {verb} --batch 12"
        wrong = "both numbers and a batch" if numbers else "neither numbers nor a batch"
        raise InvalidInput.at("", wrong, fix=fix)
    asked: dict[str, Any] = {"batch": batch} if batch is not None else {"prices": numbers}
    if note:
        asked["note"] = note
    decided = labels = 0
    fallen: list[dict[str, Any]] = []
    with client_for(data, token) as client:
        where = store_for(client, store)
        while True:
            try:
                done = client.post(f"/api/v1/stores/{where}/quarantine/{verb}", asked)
            except Refused as exc:
                if "yourself" in str(exc) and token is None:
                    hint = "name theirs with --token FILE (a token with price:approve)"
                    raise SetupError(f"{exc}; {hint}") from exc
                raise
            vain = [
                one for one in done["prices"] if verb == "approve" and one["state"] != "approved"
            ]
            fallen += vain
            decided += len(done["prices"]) - len(vain)
            labels += done["labels"]
            if not done.get("left"):
                break
    if as_json:
        told = {"store": where, verb: decided, "labels": labels}
        print(json.dumps(told | ({"rejected": fallen} if fallen else {}), ensure_ascii=False))
        return
    what = "1 price" if decided == 1 else f"{decided:,} prices"
    said = "approved" if verb == "approve" else "rejected"
    print(f"{what} {said} in store {where}; labels that change: {labels:,}.")
    for one in fallen[:_ROWS_SHOWN]:
        why = "; ".join(reason["words"] for reason in one.get("reasons", []))
        print(f"Not {one['price_id']}, which cannot hold any more and is rejected: {why}.")
    if len(fallen) > _ROWS_SHOWN:
        print(f"… and {len(fallen) - _ROWS_SHOWN:,} more such; all of them: --json")


def client_for(data: Path | None, token: Path | None) -> Client:
    """Return a client for the controller that runs, with a token of somebody's.

    Raises:
        SetupError: None runs, or the token cannot be read.
    """
    running = running_controller(data)
    if token is None:
        return Client(running.url, running.token, certificate=running.certificate)
    try:
        text = token.read_text().strip()
    except (OSError, ValueError) as exc:
        raise SetupError(f"{token} cannot be read as a token's file") from exc
    if not text.isascii() or not text.isprintable() or not text:
        raise SetupError(f"{token} holds no token")
    return Client(running.url, text, certificate=running.certificate)


_NO_STORE = "there is no store yet; add one with: esl stores put"


def store_for(client: Client, store: str) -> str:
    """Return the store that was named, else the only one.

    Raises:
        SetupError: There are several, or none.
    """
    if store:
        return check_slug(store, path="--store", what="store")
    known = [str(one["store_id"]) for one in client.listed("/api/v1/stores", "stores")]
    if len(known) != 1:
        words = f"name one with --store: {', '.join(known)}" if known else _NO_STORE
        raise SetupError(words)
    return known[0]


def _held(client: Client, store: str, batch: int | None) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    after: int | None = 0
    while after is not None:
        page = client.get(f"/api/v1/stores/{store}/quarantine", after=after, limit=_PAGE)
        found += page["prices"]
        after = page["after"]
    return [one for one in found if batch is None or one["batch"] == batch]
