"""For emergencies: ``esl stop-sending`` and its undo ``esl resume``, and ``esl neutral``."""

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


def neutral(
    store: Annotated[str, typer.Argument(help="The store's id.")],
    reason: Annotated[
        str | None, typer.Option(help="Why; it is written down with your name.")
    ] = None,
    end: Annotated[bool, typer.Option("--end", help="Show prices again.")] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only say how many labels, and what it costs.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    data: DataDir = None,
) -> None:
    """Let no label of a store show a price, for emergencies; say how far it is.

    With --reason every label is told to show its neutral face ("ask at the till"), first in line.
    Prices are taken and kept. With --end labels show what holds by then. With neither: how far it
    is, and which labels cannot be reached.
    """
    is_order = reason is not None
    if end and is_order:
        raise SetupError("--reason and --end at once: order it, or end it")
    if is_order and not str(reason).strip():
        raise SetupError("--reason is empty: say why, so that others know what to wait for")
    with running_client(data) as client:
        found: Any = client.get(f"/api/v1/stores/{store}/neutral")
        if dry_run:
            print(_cost_words(store, found, is_order=not found["neutral"]))
            return
        if not is_order and not end:
            _print_neutral(store, found)
            return
        if found["neutral"] is is_order:
            print(f"{store}: {'shows no prices already' if is_order else 'shows prices all along'}")
            _print_neutral(store, found)
            return
        if not yes:
            print(_cost_words(store, found, is_order=is_order))
            if not typer.confirm("Do it?"):
                raise SetupError("nothing was done")
        if is_order:
            said: Any = client.put(f"/api/v1/stores/{store}/neutral", {"reason": reason})
            print(f"{store}: {said['labels']:,} label(s) are told to show no price; see how far:")
            print(f"    esl neutral {store}          prices again: esl neutral {store} --end")
        else:
            said = client.delete(f"/api/v1/stores/{store}/neutral")
            print(f"{store}: {said['labels']:,} label(s) are told what holds by now")
        if found["sending_stopped"]:
            print(f"{store}: sending is stopped; nothing happens until: esl resume {store}")


def _cost_words(store: str, found: dict[str, Any], *, is_order: bool) -> str:
    cost = found["estimate"]
    what = "show their neutral face" if is_order else "show prices again"
    return (
        f"{store}: {cost['labels']:,} label(s) would {what}: about {cost['air_s']:,.0f} s on the"
        f" air of the busiest gateway, {cost['battery_mah']:.2f} mAh of each battery at most"
    )


def _print_neutral(store: str, found: dict[str, Any]) -> None:
    if found["neutral"]:
        print(f"{store}: shows no prices since {found['since']} ({found['by']}: {found['reason']})")
    else:
        print(f"{store}: shows prices")
    print(
        f"    {found['done']:,} of {found['labels']:,} label(s) done,"
        f" {found['on_their_way']:,} on their way, {found['not_reached']:,} not reached"
    )
    for why, many in found["reasons"].items():
        some = [one["label"] for one in found["behind"] if one["reason"] == why][:_NAMED]
        print(f"    {many:,} not reached: {why}: {', '.join(some)}{' …' if many > _NAMED else ''}")


_NAMED = 5


def _stores(client: Client, store: str, *, every: bool) -> list[str]:
    """Name the stores that are meant; a stop must never hit one that was not."""
    if bool(store) == every:
        raise SetupError("name a store, or say --all")
    if not every:
        return [store]
    return [str(one["store_id"]) for one in client.listed("/api/v1/stores", "stores")]
