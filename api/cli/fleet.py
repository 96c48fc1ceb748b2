"""``esl fleet``: how the labels of a shop do, and what a person should look at."""

from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from api.cli.serve import DataDir
from api.client import Client
from api.private_files import read_runtime_file
from esl.domain.errors import SetupError
from esl.domain.fleet import FleetState
from esl.settings import read_settings

_LABELS_SHOWN = 50


def fleet(
    store: Annotated[str, typer.Argument(help="The store's id; left out: the only one.")] = "",
    state: Annotated[
        str, typer.Option(help=f"List the labels in this state: {', '.join(FleetState)}.")
    ] = "",
    data: DataDir = None,
) -> None:
    """Count labels by state, and list open problems with what to do about each."""
    settings = read_settings(data_dir=data)
    running = read_runtime_file(settings.data_dir)
    if running is None:
        raise SetupError(
            f"no controller runs on {settings.data_dir}; start one with: esl serve, "
            f"or name its folder with --data"
        )
    if state and state not in list(FleetState):
        raise SetupError(f"no such state; one of {', '.join(FleetState)}")
    console = Console()
    with Client(running.url, running.token) as client:
        address = f"/api/v1/stores/{store or _only_store(client)}"
        query: dict[str, str | int] = {"limit": _LABELS_SHOWN} | ({"state": state} if state else {})
        found = client.get(f"{address}/fleet", **query)
        problems = client.get(f"{address}/problems", limit=_LABELS_SHOWN)["problems"]
        tasks = client.get(f"{address}/remove-tasks")["tasks"]
    console.print(_states(found["states"]))
    if state:
        console.print(_labels(found["labels"]))
    if problems:
        console.print(_problems(problems))
    else:
        print("Nothing is wrong.")
    for task in tasks:
        print(f"Take label {task['label']} off the shelf: {task['reason']}")


def _only_store(client: Client) -> str:
    stores = [s["store_id"] for s in client.get("/api/v1/stores")["stores"]]
    if len(stores) != 1:
        raise SetupError(f"name a store: {', '.join(stores) or 'there is none yet'}")
    return str(stores[0])


def _states(counts: dict[str, int]) -> Table:
    table = Table("state", "labels")
    for state, count in counts.items():
        if count:
            table.add_row(state, str(count))
    return table


def _labels(labels: list[dict[str, Any]]) -> Table:
    table = Table("label", "gateway", "battery", "signal", "last seen")
    for label in labels:
        days = label["battery_days_left"]
        battery = f"{label['battery_mv']} mV" if label["battery_mv"] else ""
        table.add_row(
            label["label"],
            label["gateway"] or "",
            f"{battery}, {days} days left" if days is not None else battery,
            f"{label['rssi_dbm']} dBm" if label["rssi_dbm"] is not None else "",
            (label["seen_at"] or "")[:16],
        )
    return table


def _problems(problems: list[dict[str, Any]]) -> Table:
    table = Table("since", "what", "where", "why", "what to do")
    for problem in problems:
        table.add_row(
            problem["since"][:16],
            problem["kind"],
            problem["subject"],
            problem["reason"],
            problem["what_to_do"],
        )
    return table
