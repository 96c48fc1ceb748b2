"""``esl fleet``: how the labels of a shop do, and what a person should look at."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from api.cli.running import running_client
from api.cli.serve import DataDir
from api.client import Client
from esl.domain.errors import SetupError
from esl.domain.fleet import FleetState

_LABELS_SHOWN = 50
_TABLES_FROM = 100
"""Columns a terminal needs for tables with sentences in them; below, each is some lines."""

_DOUBTFUL = {
    FleetState.UNREACHABLE: "whose gateway is away, or that no gateway has heard",
    FleetState.SILENT: "that missed several beacons",
    FleetState.HARDWARE_FAULT: "whose glass fails again and again",
    FleetState.UNSYNCHRONISED: "with something else on the glass than is due",
    FleetState.STRUGGLING: "sent to more than once, without an answer",
    FleetState.QUARANTINED: "whose id another label uses, too",
    FleetState.UNASSOCIATED: "still to be paired with a product, or gone from the shop",
    FleetState.CONFIGURING: "whose first picture is on its way",
    FleetState.UPDATING: "with something new on its way",
}
"""All states but the one in which all is well, with words for few labels as for many."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Standing:
    """What the controller says of a store, as it says it."""

    store: str
    states: dict[str, int]
    labels: list[dict[str, Any]]
    problems: list[dict[str, Any]]
    tasks: list[dict[str, Any]]
    gateways: list[dict[str, Any]]
    is_till_current: bool


def fleet(
    store: Annotated[str, typer.Argument(help="The store's id; left out: the only one.")] = "",
    state: Annotated[
        str, typer.Option(help=f"List the labels in this state: {', '.join(FleetState)}.")
    ] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print one line of JSON.")] = False,
    data: DataDir = None,
) -> None:
    """Count labels by state, and list open problems with what to do about each."""
    if state and state not in list(FleetState):
        raise SetupError(f"no such state; one of {', '.join(FleetState)}")
    with running_client(data) as client:
        standing = _ask(client, store or _only_store(client), state)
    doubts = list(_doubts(standing))
    if as_json:
        print(json.dumps(_as_fields(standing, doubts, with_labels=bool(state))))
        return
    console = Console(highlight=False)
    is_wide = console.width >= _TABLES_FROM
    if not sum(standing.states.values()):
        print(f"Store {standing.store} has no labels yet: POST …/labels, or let them be adopted.")
    else:
        console.print(_states(standing.states))
    if state:
        _say_labels(console, standing.labels, state, is_wide=is_wide)
    if is_wide and standing.problems:
        console.print(_problems(standing.problems))
    for problem in standing.problems if not is_wide else ():
        console.print(f"{problem['subject']}: {problem['kind']}, since {problem['since'][:16]}")
        console.print(f"  {problem['reason']}")
        console.print(f"  {problem['what_to_do']}")
    for task in standing.tasks:
        console.print(f"Take label {task['label']} off the shelf: {task['reason']}")
    for doubt in doubts:
        console.print(doubt)
    if not (standing.problems or standing.tasks or doubts):
        console.print("Nothing is wrong.")


def _ask(client: Client, store: str, state: str) -> _Standing:
    address = f"/api/v1/stores/{store}"
    query: dict[str, str | int] = {"limit": _LABELS_SHOWN} | ({"state": state} if state else {})
    found = client.get(f"{address}/fleet", **query)
    return _Standing(
        store=store,
        states=found["states"],
        labels=found["labels"],
        problems=client.get(f"{address}/problems", limit=_LABELS_SHOWN)["problems"],
        tasks=client.listed(f"{address}/remove-tasks", "tasks"),
        gateways=client.listed(f"{address}/gateways", "gateways"),
        is_till_current=found.get("till", {}).get("is_current", True),
    )


def _doubts(standing: _Standing) -> Iterator[str]:
    """Say what is not as it should be, though it may be no problem (yet)."""
    told = {problem["subject"] for problem in standing.problems}
    if not standing.gateways:
        yield f"No gateway is enrolled yet: PUT /api/v1/stores/{standing.store}/gateways/ID."
    for gateway in standing.gateways:
        if gateway["online"] or gateway["gateway"] in told:
            continue
        when = "is not on the line" if gateway["heard_at"] else "has not been heard yet"
        yield f"Gateway {gateway['gateway']} {when}."
    of = sum(standing.states.values())
    for kind, words in _DOUBTFUL.items():
        if count := standing.states.get(kind, 0):
            yield f"{kind}: {count} of {of} labels, {words}"
    if not standing.is_till_current:
        yield "A till is silent: what labels show may be old."


def _only_store(client: Client) -> str:
    stores = [s["store_id"] for s in client.listed("/api/v1/stores", "stores")]
    if not stores:
        raise SetupError("there is no store yet; add one with: esl stores put")
    if len(stores) > 1:
        raise SetupError(f"name a store: {', '.join(stores)}")
    return str(stores[0])


def _as_fields(standing: _Standing, doubts: list[str], *, with_labels: bool) -> dict[str, Any]:
    fields = {
        "store": standing.store,
        "nothing_is_wrong": not (standing.problems or standing.tasks or doubts),
        "states": standing.states,
        "problems": standing.problems,
        "remove_tasks": standing.tasks,
        "gateways": standing.gateways,
        "doubts": doubts,
    }
    return fields | ({"labels": standing.labels} if with_labels else {})


def _states(counts: dict[str, int]) -> Table:
    table = Table("state", "labels")
    for state, count in counts.items():
        if count:
            table.add_row(state, str(count))
    return table


def _say_labels(
    console: Console, labels: list[dict[str, Any]], state: str, *, is_wide: bool
) -> None:
    if not labels:
        console.print(f"No label is {state}.")
    elif is_wide:
        table = Table("label", "gateway", "battery", "signal", "last seen")
        for label in labels:
            table.add_row(label["label"], *_of_label(label))
        console.print(table)
    else:
        for label in labels:
            console.print(f"{label['label']}: {', '.join(filter(None, _of_label(label)))}")
    if len(labels) == _LABELS_SHOWN:
        console.print(f"Only the first {_LABELS_SHOWN} are listed: GET …/fleet has them all.")


def _of_label(label: dict[str, Any]) -> tuple[str, str, str, str]:
    days = label["battery_days_left"]
    battery = f"{label['battery_mv']} mV" if label["battery_mv"] else ""
    return (
        label["gateway"] or "",
        f"{battery}, {days} days left" if days is not None else battery,
        f"{label['rssi_dbm']} dBm" if label["rssi_dbm"] is not None else "",
        (label["seen_at"] or "")[:16],
    )


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
