"""``esl promotion …``: plan promotions, look at what they would do, let them run, watch them."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.progress import BarColumn, Progress, TextColumn
from rich.table import Table

from api.cli.running import running_client
from api.cli.serve import DataDir
from api.cli.tables import print_table
from api.client import Client
from esl.domain.errors import InvalidInput
from esl.intake.strict_json import parse_strict_json

_PAGE = 1000
_HERE = "/api/v1/promotions"
_OVER = ("ended", "cancelled", "rolled_back")

_TROUBLES = {
    "unlawful_claim": ". Labels show the new price plainly, without a former price, percentage or"
    " badge: it is not below the lowest price of the days before",
    "no_prior_price": ". Labels show the new price plainly, without a former price, percentage or"
    " badge: nobody knows the prices of the days before, and the law asks for them. What the shop"
    " knows of them it can send: docs/migration.md. See also: esl law list",
    "changes_nothing": ". Their price is not above already, or another promotion holds",
    "no_till_channel": ". It cannot be scheduled before you say how the till hears of its prices:"
    " esl till set {store} --channel own",
    "markdown_without_badge": ". The law may want goods about to spoil to be marked: add a badge",
}
"""What a preview's troubles mean, and what to do."""

app = typer.Typer(help="Promotions, from plan to end.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(help="The promotion's id.")]
File = Annotated[Path, typer.Argument(help="A promotion as JSON: docs/promotions.md.")]
Why = Annotated[str, typer.Option("--reason", help="Why; it is written down with your name.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one line of JSON.")]


@app.command("list")
def list_promotions(
    store: Annotated[str, typer.Option(help="Only those that run in this store.")] = "",
    state: Annotated[str, typer.Option(help="Only those in this state, such as active.")] = "",
    as_json: AsJson = False,
    data: DataDir = None,
) -> None:
    """List promotions by id."""
    with running_client(data) as client:
        query = {key: value for key, value in (("store", store), ("state", state)) if value}
        found: list[dict[str, Any]] = []
        after: str | None = ""
        while after is not None:
            page = client.get(_HERE, limit=_PAGE, after=after, **query)
            found += page["promotions"]
            after = page["after"]
    if as_json:
        print(json.dumps(found, ensure_ascii=False))
        return
    if not found:
        print("There are no promotions. Plan one: esl promotion create FILE")
        return
    table = Table("id", "name", "state", "version", box=None)
    for one in found:
        table.add_row(one["id"], one["name"], _state(one), str(one["version"]))
    print_table(table)


@app.command("show")
def show(name: Name, as_json: AsJson = False, data: DataDir = None) -> None:
    """Show a promotion, its state, and what can be done with it now."""
    with running_client(data) as client:
        found = client.get(f"{_HERE}/{name}")
    if as_json:
        print(json.dumps(found, ensure_ascii=False))
        return
    print(f"{found['id']}: {found['name']}, {_state(found)}, version {found['version']}")
    print(f"stores: {', '.join(found['stores'])}")
    if found["next_at"] is not None:
        print(f"next moment: {_short(found['next_at'])} UTC")
    if found["actions"]:
        print(f"can be done now: {', '.join(found['actions'])}")
    print(json.dumps(found["promotion"], ensure_ascii=False, indent=2))


@app.command("create")
def create(file: File, data: DataDir = None) -> None:
    """Write a promotion down as a draft; nothing happens until it is scheduled."""
    with running_client(data) as client:
        made = client.post(_HERE, _read(file))
    print(f"{made['id']} is a draft for {len(made['stores'])} store(s).")
    print(f"What it would do: esl promotion preview {made['id']}")
    print(f"Let it run:       esl promotion schedule {made['id']}")


@app.command("preview")
def preview(
    what: Annotated[str, typer.Argument(help="A promotion's id, or a file.")],
    as_json: AsJson = False,
    data: DataDir = None,
) -> None:
    """Say what a promotion would do: labels, rivals, what the law forbids, the cost."""
    with running_client(data) as client:
        path = Path(what)
        if path.suffix or path.exists():
            found = client.post(f"{_HERE}/preview", {"promotion": _read(path)})
        else:
            found = client.get(f"{_HERE}/{what}/preview")
    if as_json:
        print(json.dumps(found, ensure_ascii=False))
        return
    print(
        f"{found['products']:,} product(s), {found['labels']:,} label(s), "
        f"{found['refreshes']:,} refreshes; done about {found['done_after_s']} s after its moment"
    )
    for one in found["stores"]:
        _print_store(one)


@app.command("schedule")
def schedule(name: Name, data: DataDir = None) -> None:
    """Let a draft begin and end by itself."""
    _step(data, name, "schedule", {})


@app.command("advance")
def advance(name: Name, data: DataDir = None) -> None:
    """Let its roll-out take the next step: more labels show it."""
    _step(data, name, "advance", {})


@app.command("cancel")
def cancel(name: Name, reason: Why = "", data: DataDir = None) -> None:
    """Stop a promotion: one that has not begun never does, one that has is taken back."""
    _step(data, name, "cancel", _reason(reason))


@app.command("end")
def end(name: Name, reason: Why = "", data: DataDir = None) -> None:
    """End a promotion before its time."""
    _step(data, name, "end", _reason(reason))


@app.command("rollback")
def rollback(name: Name, reason: Why = "", data: DataDir = None) -> None:
    """Take a promotion back that has begun: the prices without it hold again."""
    _step(data, name, "roll-back", _reason(reason))


@app.command("watch")
def watch(name: Name, data: DataDir = None) -> None:
    """Watch a promotion on its way to the labels, until all of them show it."""
    bar = Progress(
        TextColumn("{task.description}"), BarColumn(), TextColumn("{task.completed}/{task.total}")
    )
    with running_client(data) as client:
        found = client.get(f"{_HERE}/{name}")
        if found["state"] == "draft":
            print(f"{name} is a draft: nothing happens until esl promotion schedule {name}")
            return
    with running_client(data) as client, bar:
        task = bar.add_task(name)
        told: dict[str, Any] | None = None
        for told in _told(client, name):
            staged = told["pictures"]["stored"] + told["pictures"]["armed"]
            planned = sum(told["pictures"].values())
            shown = told["counts"].get("shown", 0)
            wanted = told["labels"] - told["later"]
            is_ahead = planned > 0 and shown == wanted
            bar.update(
                task,
                description=f"{name} {_state(told)}: {'staged' if is_ahead else 'shown'}",
                completed=staged if is_ahead else shown,
                total=planned if is_ahead else wanted,
            )
            is_done = told["state"] in ("active", *_OVER) and shown == wanted
            if is_done:
                break
    if told is not None:
        shown = told["counts"].get("shown", 0)
        later = f"; its roll-out reaches {told['later']:,} later" if told["later"] else ""
        print(f"{name} is {_state(told)}: {shown:,} of {told['labels']:,} label(s) show it{later}.")
    for one in told["stragglers"] if told is not None else ():
        print(f"{one['label']}: {one['reason']}")


def explain(
    label: Annotated[str, typer.Argument(help="The label's id.")],
    at: Annotated[
        str, typer.Option(help="At this moment, such as 2026-03-01T06:00:00Z.", show_default="now")
    ] = "",
    as_json: AsJson = False,
    data: DataDir = None,
) -> None:
    """Say why a label shows what it shows: which price, which promotions, which lost and why."""
    with running_client(data) as client:
        query = {"at": at} if at else {}
        found = client.get(f"/api/v1/labels/{label}/explain", **query)
    if as_json:
        print(json.dumps(found, ensure_ascii=False))
        return
    if not found["products"]:
        print(f"{label} speaks for no product.")
    for one in found["products"]:
        for words in one["words"]:
            print(words)


def _told(client: Client, name: str) -> Any:
    kind = ""
    rest = b""
    for piece in client.download(f"{_HERE}/{name}/events"):
        *lines, rest = (rest + piece).split(b"\n")
        for line in lines:
            if line.startswith(b"event:"):
                kind = line[6:].strip().decode()
            elif line.startswith(b"data:") and kind == "progress":
                yield json.loads(line[5:])
            if kind == "end":
                return


def _print_store(one: dict[str, Any]) -> None:
    run = one["first_run"]
    when = "never runs from now on"
    if run is not None:
        begins = _short(run["begins"]) if run["begins"] else "now"
        when = f"{begins} to {_short(run['ends']) if run['ends'] else 'without end'} UTC"
    print(f"{one['store']}: {when}; {one['labels_with_a_spare_slot']:,} label(s) can be staged")
    for rival in one["rivals"]:
        print(
            f"  beside {rival['id']} ({rival['name']}) from {_short(rival['first_together'])} UTC"
            f" on {rival['products']:,} product(s); of {rival['looked_at']:,} with a price this one"
            f" holds for {rival['this_one_wins']:,}, the other for {rival['the_other_wins']:,},"
            f" both for {rival['both_hold']:,}"
        )
    for trouble in one["troubles"]:
        some = ", ".join(trouble["examples"])
        such = f", such as {some}" if some else ""
        words = _TROUBLES.get(trouble["code"], "").format(store=one["store"])
        print(f"  {trouble['code']}: {trouble['products']:,} product(s){such}{words}")


def _step(data: DataDir, name: str, step: str, body: dict[str, Any]) -> None:
    with running_client(data) as client:
        found = client.post(f"{_HERE}/{name}/{step}", body)
    words = f"{found['id']} is {_state(found)}"
    if found["next_at"] is not None and found["state"] == "scheduled":
        words += f"; its next moment is {_short(found['next_at'])} UTC"
    print(f"{words}.")


def _reason(reason: str) -> dict[str, Any]:
    return {"reason": reason} if reason else {}


def _state(found: dict[str, Any]) -> str:
    return str(found["state"]).replace("_", " ")


def _short(instant: str) -> str:
    return instant[:19].replace("T", " ")


def _read(file: Path) -> Any:
    try:
        text = file.read_bytes()
    except OSError as exc:
        raise InvalidInput.at("", f"{file} cannot be read: {exc.strerror}") from exc
    return parse_strict_json(text)
