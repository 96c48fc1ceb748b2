"""``esl events …``: which other systems hear of what happens, and what became of each message."""

import json
import time
from collections.abc import Sequence
from typing import Annotated, Any, Final

import typer
from rich.table import Table

from api.cli.running import running_client
from api.cli.serve import DataDir
from api.cli.tables import print_table
from esl.domain.errors import SetupError

app = typer.Typer(help="Which other systems hear of what happens here.", no_args_is_help=True)

PATIENCE_S: Final = 40.0
"""A message may take 30 s, and is begun within a second."""

Name = Annotated[str, typer.Argument(help="The subscription's id.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one line of JSON.")]
_ROOT: Final = "/api/v1/subscriptions"


@app.command("list")
def list_subscriptions(
    store: Annotated[str | None, typer.Option(help="Of this store alone.")] = None,
    as_json: AsJson = False,
    data: DataDir = None,
) -> None:
    """List the subscriptions, and how each fares."""
    with running_client(data) as client:
        asked = {"store": store} if store is not None else {}
        found = client.listed(_ROOT, "subscriptions", **asked)
    if as_json:
        print(json.dumps(found, ensure_ascii=False))
        return
    rows = [
        (
            one["subscription"],
            one["store"] or "all",
            one["state"],
            ", ".join(one["events"]),
            one["url"],
            one["error"] or "",
        )
        for one in found
    ]
    if not rows:
        print("No other system hears of anything yet; add one with: esl events add")
        return
    _table(("subscription", "store", "state", "events", "address", "last error"), rows)


@app.command("add")
def add(
    name: Name,
    url: Annotated[str, typer.Argument(help="Where messages go: https://…")],
    events: Annotated[list[str], typer.Option("--event", help="What is told; say it for each.")],
    store: Annotated[str | None, typer.Option(help="Of this store; left out: all.")] = None,
    description: Annotated[str | None, typer.Option(help="Whose it is, in your words.")] = None,
    batch: Annotated[int | None, typer.Option(help="Events of a message at most.")] = None,
    low_stock: Annotated[int | None, typer.Option(help="Pieces; at so many it is low.")] = None,
    allow_private: Annotated[
        bool, typer.Option("--allow-private", help="It stands in the shop's own network.")
    ] = False,
    from_now: Annotated[
        bool, typer.Option("--from-now", help="Leave out what was not told yet.")
    ] = False,
    data: DataDir = None,
) -> None:
    """Subscribe, or change a subscription; a new one's secret is printed this once."""
    body = {
        "url": url,
        "events": events,
        "store": store,
        "description": description,
        "batch": batch,
        "low_stock": low_stock,
        "allow_private": allow_private,
        "from_now": from_now,
    }
    with running_client(data) as client:
        said = client.put(f"{_ROOT}/{name}", body)
    print(f"{name} hears of {', '.join(said['events'])} in {said['store'] or 'all stores'}")
    if "secret" in said:
        print(f"its messages are signed with this secret, which is shown once: {said['secret']}")


@app.command("test")
def send_ping(name: Name, data: DataDir = None) -> None:
    """Send a message without events, and say what came of it."""
    with running_client(data) as client:
        made = client.post(f"{_ROOT}/{name}/test", {})
        number = made["delivery"]
        deadline_s = time.monotonic() + PATIENCE_S
        while not made["attempts"] and time.monotonic() < deadline_s:
            time.sleep(0.2)
            made = client.get(f"{_ROOT}/{name}/deliveries/{number}")
        error = made["error"] or client.get(f"{_ROOT}/{name}")["error"]
    if made["state"] == "delivered":
        print(f"{name} took it: {made['status']}")
        return
    raise SetupError(f"{name} did not take it: {error or 'it waits behind other messages'}")


@app.command("deliveries")
def deliveries(
    name: Name,
    before: Annotated[int | None, typer.Option(help="Only those below this number.")] = None,
    as_json: AsJson = False,
    data: DataDir = None,
) -> None:
    """List the messages of a subscription, the newest first, and what became of each."""
    with running_client(data) as client:
        asked = {"before": before} if before is not None else {}
        found = client.get(f"{_ROOT}/{name}/deliveries", **asked)["deliveries"]
    if as_json:
        print(json.dumps(found, ensure_ascii=False))
        return
    rows = [
        (
            str(one["delivery"]),
            one["created_at"],
            str(one["events"]),
            one["state"],
            str(one["attempts"]),
            str(one["status"] or ""),
            one["error"] or "",
        )
        for one in found
    ]
    if not rows:
        print(f"{name} was sent nothing in the last days; try it with: esl events test {name}")
        return
    _table(("delivery", "at", "events", "state", "attempts", "answer", "error"), rows)


@app.command("redeliver")
def redeliver(
    name: Name,
    numbers: Annotated[list[int], typer.Argument(metavar="DELIVERY…", help="Their numbers.")],
    data: DataDir = None,
) -> None:
    """Send messages once more, the same to the byte and with the same id."""
    with running_client(data) as client:
        for number in numbers:
            client.post(f"{_ROOT}/{name}/deliveries/{number}/redeliver", {})
            print(f"{number} is sent again")


@app.command("rotate")
def rotate(
    name: Name,
    overlap_h: Annotated[int, typer.Option(help="Hours for which both secrets sign.")] = 24,
    data: DataDir = None,
) -> None:
    """Make a new secret; it is printed this once."""
    with running_client(data) as client:
        said = client.post(f"{_ROOT}/{name}/secret", {"overlap_h": overlap_h})
    print(f"the new secret, which is shown once: {said['secret']}")
    print(f"the one before signs as well until {said['old_until']}")


@app.command("remove")
def remove(name: Name, data: DataDir = None) -> None:
    """End a subscription, and forget its messages."""
    with running_client(data) as client:
        client.delete(f"{_ROOT}/{name}")
    print(f"{name} hears of nothing any more")


def _table(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    table = Table(*columns, box=None)
    for row in rows:
        table.add_row(*row)
    print_table(table)
