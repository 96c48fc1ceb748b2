"""``esl till …``: what a store's tills may charge, what waits, and what a person says of it."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from api.cli.running import running_client
from api.cli.serve import DataDir
from api.cli.tables import print_table
from esl.domain.till_channel import PriceOwner, TillChannel

app = typer.Typer(help="What tills may charge, and which prices wait.", no_args_is_help=True)

StoreName = Annotated[str, typer.Argument(help="The store's id.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one line of JSON.")]

_KEPT = (
    *("price_owner", "channel", "increase_safe", "url", "allow_private"),
    "acknowledge_within_s",
)
_HOW = {
    "none": "its till hears of nothing; promotions cannot be scheduled",
    "own": "somebody else tells its till",
    "pull": "its till asks for them",
    "webhook": "its till is told of them",
}

_FOR: dict[str | None, str] = {"labels": "labels", "till": "the till", None: ""}


@app.command("show")
def show(store: StoreName, as_json: AsJson = False, data: DataDir = None) -> None:
    """Show whose a store's prices are, and how its till hears of those that are made here."""
    with running_client(data) as client:
        found = client.get(f"/api/v1/stores/{store}/till")
    print(json.dumps(found, ensure_ascii=False) if as_json else _setting_text(store, found))


@app.command("set")
def set_till(
    store: StoreName,
    channel: Annotated[
        TillChannel | None,
        typer.Option(help="pull: it asks; webhook: it is told; own: somebody else sees to it."),
    ] = None,
    owner: Annotated[
        PriceOwner | None, typer.Option(help="Where prices come from: the till, or esl.")
    ] = None,
    increase_safe: Annotated[
        bool | None, typer.Option(help="Dearer on labels first, cheaper at the till first.")
    ] = None,
    url: Annotated[str, typer.Option(help="Of the webhook.")] = "",
    secret_file: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, help="Holds the webhook's secret.")
    ] = None,
    data: DataDir = None,
) -> None:
    """Say whose a store's prices are, and how its till hears of them; the rest stays as it is."""
    path = f"/api/v1/stores/{store}/till"
    with running_client(data) as client:
        found = client.get(path)
        body = {name: found[name] for name in _KEPT if found.get(name) is not None}
        if channel is not None:
            body["channel"] = channel.value
        if owner is not None:
            body["price_owner"] = owner.value
        if increase_safe is not None:
            body["increase_safe"] = increase_safe
        if url:
            body["url"] = url
        if secret_file is not None:
            body["secret"] = secret_file.read_text(encoding="utf-8").strip()
        print(_setting_text(store, client.put(path, body)))


@app.command("prices")
def prices(
    store: StoreName,
    since: Annotated[int, typer.Option(help="Only what changed after this revision.")] = 0,
    as_json: AsJson = False,
    data: DataDir = None,
) -> None:
    """List what a store's tills may charge."""
    found: list[dict[str, Any]] = []
    with running_client(data) as client:
        more = True
        while more:
            page = client.get(f"/api/v1/stores/{store}/till-prices", since=since)
            found += page["prices"]
            since, more = page["next"], page["more"]
    _print(found, as_json=as_json, nothing="There is nothing new.")


@app.command("pending")
def pending(store: StoreName, as_json: AsJson = False, data: DataDir = None) -> None:
    """List the prices that wait for labels, or for the till."""
    with running_client(data) as client:
        page = client.get(f"/api/v1/stores/{store}/till-prices/pending")
    _print(page["prices"], as_json=as_json, nothing="Nothing waits.")


@app.command("ack")
def acknowledge(
    store: StoreName,
    sku: Annotated[str, typer.Argument(help="The product.")],
    rev: Annotated[int, typer.Argument(help="The rev that its price was given with.")],
    data: DataDir = None,
) -> None:
    """Say for a till that it charges a price it was given."""
    with running_client(data) as client:
        words = {"prices": [{"sku": sku, "rev": rev}]}
        said = client.post(f"/api/v1/stores/{store}/till-prices/ack", words)
    print(f"{sku}: {said['prices'][0]['result']}; {said['labels']} label(s) show it now")


@app.command("absent")
def absent(
    store: StoreName,
    labels: Annotated[list[str], typer.Argument(help="Labels that hang no more.")],
    reason: Annotated[str, typer.Option(help="Why; it is written down with your name.")],
    data: DataDir = None,
) -> None:
    """Say that labels hang no more, so that no dearer price waits for them."""
    with running_client(data) as client:
        body = {"labels": labels, "reason": reason}
        said = client.post(f"/api/v1/stores/{store}/absent-labels", body)
    print(f"{said['labels']} label(s) hold no price up any more")


def _setting_text(store: str, found: dict[str, Any]) -> str:
    whose = "made here" if found["price_owner"] == "esl" else "its till's"
    safe = "; dearer on labels first, cheaper at the till first" if found["increase_safe"] else ""
    return f"{store}: prices are {whose}; of what is made here, {_HOW[found['channel']]}{safe}."


def _print(found: list[dict[str, Any]], *, as_json: bool, nothing: str) -> None:
    if as_json:
        print(json.dumps(found, ensure_ascii=False))
        return
    if not found:
        print(nothing)
        return
    table = Table("sku", "rev", "till may charge", "will be", "waits for", "missing", box=None)
    for one in found:
        will_be = one["will_be"]["price"] if "will_be" in one else ""
        missing = str(one["missing"]) if "missing" in one else ""
        waits = _FOR[one["waits_for"]]
        table.add_row(one["sku"], str(one["rev"]), one["price"], will_be, waits, missing)
    print_table(table)
