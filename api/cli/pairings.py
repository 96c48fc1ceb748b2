"""``esl pairings …``: pair labels, put pairings right, and look at what was done to a label."""

import json
from typing import Annotated, Any

import typer
from rich.table import Table

from api.cli import migrate
from api.cli.quarantine import AsJson, Store, client_for, store_for
from api.cli.serve import DataDir
from api.cli.tables import print_table

_ROWS_SHOWN = 50

app = typer.Typer(
    help="Which label speaks for which products: pair, replace, undo, history.",
    no_args_is_help=True,
)

Label = Annotated[str, typer.Argument(help="The label's id.")]
Skus = Annotated[list[str], typer.Argument(help="Its products, in their order on it.")]
Place = Annotated[str, typer.Option(help="Where it hangs: aisle/bay/shelf/position, such as 3/2.")]


@app.command("pair")
def pair(
    label: Label, skus: Skus, place: Place = "", store: Store = "", data: DataDir = None
) -> None:
    """Let a label speak for products, whatever it spoke for before.

    Example: esl pairings pair label-0001 4711 --place 3/2
    """
    body: dict[str, Any] = {"label": label, "skus": skus} | ({"place": place} if place else {})
    with client_for(data, None) as client:
        client.post(f"/api/v1/stores/{store_for(client, store)}/pairings", body)
    print(f"{label} is to speak for {', '.join(skus)}; see: esl pairings history {label}")


@app.command("move")
def move(
    label: Label, skus: Skus, place: Place = "", store: Store = "", data: DataDir = None
) -> None:
    """Let a label speak for other products, and hang elsewhere if a place is named.

    Example: esl pairings move label-0001 4712 --place 4/1
    """
    pair(label, skus, place, store, data)


@app.command("replace")
def replace(
    broken: Annotated[str, typer.Argument(help="The label that is broken.")],
    new: Annotated[str, typer.Argument(help="The label that hangs in its place from now on.")],
    store: Store = "",
    data: DataDir = None,
) -> None:
    """Let a new label take the products and the place of a broken one, which leaves the shop.

    Example: esl pairings replace label-0001 label-0077
    """
    with client_for(data, None) as client:
        path = f"/api/v1/stores/{store_for(client, store)}/replacements"
        done = client.post(path, {"broken": broken, "new": new})["replaced"]
    print(f"{new} takes the place of {broken}." if done else "That was done before.")


@app.command("unpair")
def unpair(label: Label, store: Store = "", data: DataDir = None) -> None:
    """Let a label speak for nothing: it shows no price any more.

    Example: esl pairings unpair label-0001
    """
    with client_for(data, None) as client:
        client.delete(f"/api/v1/stores/{store_for(client, store)}/pairings/{label}")
    print(f"{label} speaks for nothing.")


@app.command("undo")
def undo(
    step: Annotated[int, typer.Argument(min=1, help="Its number: esl pairings history.")],
    store: Store = "",
    data: DataDir = None,
) -> None:
    """Take a step back within ten minutes, if nothing else was done to the label since.

    Example: esl pairings undo 812
    """
    with client_for(data, None) as client:
        path = f"/api/v1/stores/{store_for(client, store)}/pairing-steps/{step}/undo"
        found = client.post(path, {})
    print(f"Undone: {', '.join(found['labels'])}." if found["undone"] else "It was undone before.")


@app.command("history")
def history(
    label: Annotated[str, typer.Argument(help="The label's id.", show_default="all")] = "",
    store: Store = "",
    as_json: AsJson = False,
    data: DataDir = None,
) -> None:
    """List what was done to labels: who, when, from what to what, and how it ended on the glass.

    Example: esl pairings history label-0001
    """
    with client_for(data, None) as client:
        path = f"/api/v1/stores/{store_for(client, store)}/pairing-steps"
        query: dict[str, str | int] = {"limit": _ROWS_SHOWN} | ({"label": label} if label else {})
        found = client.get(path, **query)["steps"]
    if as_json:
        print(json.dumps(found, ensure_ascii=False))
        return
    if not found:
        print("Nothing was done to labels yet.")
        return
    table = Table("step", "when", "label", "what", "from", "to", "by", "on the glass", box=None)
    for one in found:
        what = one["action"] + (f" ({one['beside']})" if one["beside"] else "")
        ended = one["ended"] + (f": {one['reason']}" if one["reason"] else "")
        before, after = _words_of(one["before"]), _words_of(one["after"])
        step = str(one["step"])
        table.add_row(step, one["at"], one["label"], what, before, after, one["actor"], ended)
    print_table(table)


app.command("import", help="Pair many labels from a file, as `esl migrate pairings` does.")(
    migrate.pairings
)


def _words_of(hanging: dict[str, Any]) -> str:
    words = ", ".join(hanging["skus"]) or "nothing"
    return f"{words} at {hanging['place']}" if hanging["place"] else words
