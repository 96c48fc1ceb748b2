"""``esl stop-sending`` and ``esl resume``: the emergency stop of a store, and its undo."""

from typing import Annotated, Any

import typer

from api.cli.running import running_client
from api.cli.serve import DataDir
from api.client import Client
from esl.domain.errors import SetupError

Store = Annotated[str, typer.Argument(help="The store's id.")]
EveryStore = Annotated[bool, typer.Option("--all", help="Every store, in place of one.")]


def stop_sending(
    reason: Annotated[str, typer.Option(help="Why; it is written down with your name.")],
    store: Store = "",
    every: EveryStore = False,
    data: DataDir = None,
) -> None:
    """Send nothing more to a store's labels; prices are taken in on. Undo: esl resume."""
    if not reason.strip():
        raise SetupError("--reason is empty: say why, so that others know what to wait for")
    with running_client(data) as client:
        for name in _stores(client, store, every=every):
            said: Any = client.post(f"/api/v1/stores/{name}/freeze", {"reason": reason})
            print(f"{name}: nothing is sent since {said['since']}; again with: esl resume {name}")


def resume(
    store: Store = "",
    every: EveryStore = False,
    reason: Annotated[str, typer.Option(help="Why; it is written down.")] = "",
    data: DataDir = None,
) -> None:
    """Send again: labels get what they want by now."""
    body = {"reason": reason} if reason.strip() else {}
    with running_client(data) as client:
        for name in _stores(client, store, every=every):
            said: Any = client.post(f"/api/v1/stores/{name}/thaw", body)
            print(f"{name}: {'sends again' if said['was_frozen'] else 'was sending all along'}")


def _stores(client: Client, store: str, *, every: bool) -> list[str]:
    """Name the stores that are meant; a stop must never hit one that was not."""
    if bool(store) == every:
        raise SetupError("name a store, or say --all")
    if not every:
        return [store]
    return [str(one["store_id"]) for one in client.get("/api/v1/stores")["stores"]]
