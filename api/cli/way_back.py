"""``esl restore --before-upgrade`` and what it lists: gone back, and sent again."""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import msgspec
import typer

from api.backup.archive import Progress
from api.backup.way_back import WayBack, way_back
from api.cli.running import running_controller
from api.client import Client, Retries
from api.clock import MachineClock
from api.private_files import write_private
from esl.domain.errors import SetupError
from esl.settings import Settings
from esl.store.migrate import newest_schema

_AT_ONCE: Final = 1000
"""Items in one request when a list is sent again."""

_SHOWN_MOST: Final = 20


class _Store(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What one store accepted, as the HTTP API takes it."""

    products: list[dict[str, Any]]
    price_changes: list[dict[str, Any]]
    by_hand: list[str]


class _Accepted(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The file of `go_back`; ``list_id`` tells one from another where it is sent twice."""

    list_id: str
    from_schema: str
    to_schema: str
    decided: dict[str, int]
    stores: dict[str, _Store]


def go_back(
    settings: Settings,
    source: Path | None,
    listed: Path | None,
    *,
    dry_run: bool,
    yes: bool,
    progress: Progress,
) -> None:
    """Put what was made before the last upgrade in the place of the database, after asking.

    Raises:
        SetupError: See `way_back`; or the list cannot be written. Nothing was changed.
    """
    now = MachineClock().wall()
    with way_back(settings, source) as back:
        _tell(back)
        if listed is None and not dry_run:
            listed = settings.data_dir / f"accepted-since-upgrade-{now:%Y%m%d-%H%M%S}.json"
        if listed is not None:
            _write_list(listed, back, f"{now:%Y%m%dT%H%M%S}")
        if dry_run:
            print("Nothing was changed: this was a dry run.")
            return
        if not yes and not typer.confirm("Go back?", err=True):
            print("Nothing was changed.")
            return
        aside = back.go(now, progress)
    print(f"The database has schema {back.schema} again. The newer one is kept: {aside}")
    if back.schema == newest_schema():
        print("Start the controller. Every label is told its picture anew.")
    else:
        print(
            f"Install the version of schema {back.schema}, then start it: this one upgrades again."
        )
        print("Every label is then told its picture anew.")
    print(f"When it runs, send what was accepted since: esl restore --send-again {listed}")


def send_list_again(data: Path | None, listed: Path) -> None:
    """Send what `go_back` has listed to the controller that runs, in its order.

    The same list twice is taken once.

    Raises:
        SetupError: No controller runs, or the file is no such list.
        Refused: The controller refuses the whole of a request.
    """
    try:
        accepted = msgspec.json.decode(listed.read_bytes(), type=_Accepted)
    except OSError as exc:
        raise SetupError(f"{listed} cannot be read: {exc.strerror}") from exc
    except msgspec.DecodeError as exc:
        raise SetupError(f"{listed} is no list of esl restore --before-upgrade: {exc}") from exc
    running = running_controller(data)
    with Client(
        running.url, running.token, certificate=running.certificate, retries=Retries()
    ) as client:
        for store, what in accepted.stores.items():
            _send(client, store, "products", what.products, accepted.list_id)
            _send(client, store, "price-changes", what.price_changes, accepted.list_id)


def _send(
    client: Client, store: str, name: str, items: Sequence[dict[str, Any]], list_id: str
) -> None:
    counts: dict[str, int] = {}
    refused: list[str] = []
    for number, piece in enumerate(_pieces(items)):
        key = f"since-{list_id}-{store}-{name}-{number}"
        answer = client.post(f"/api/v1/stores/{store}/{name}", piece, key=key)
        for item, result in zip(piece, _results(answer), strict=True):
            decision = str(result.get("decision") or result.get("result") or "taken")
            counts[decision] = counts.get(decision, 0) + 1
            if decision == "rejected":
                refused.append(item["sku"])
    if items:
        words = ", ".join(f"{count:,} {decision}" for decision, count in sorted(counts.items()))
        print(f"{store}: {len(items):,} {name}: {words}")
    for sku in refused[:_SHOWN_MOST]:
        print(f"{store}: refused: {sku}")


def _results(answer: Any) -> list[Mapping[str, Any]]:
    if isinstance(answer, Mapping):
        return list(answer["results"]) if "results" in answer else [answer]
    return list(answer)


def _pieces(items: Sequence[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    for begin in range(0, len(items), _AT_ONCE):
        yield list(items[begin : begin + _AT_ONCE])


def _tell(back: WayBack) -> None:
    print(f"The database has schema {back.schema_now}; before its upgrade it had {back.schema}.")
    print(f"It goes back to {back.source}, of {back.made_at:%Y-%m-%d %H:%M:%S} UTC.")
    for store, since in back.since.items():
        print(
            f"{store}: accepted since: {len(since.price_changes):,} price changes, "
            f"{len(since.products):,} new products"
        )
        if since.by_hand:
            named = ", ".join(since.by_hand[:_SHOWN_MOST])
            print(f"{store}: with promotions of a till, which it has to send again: {named}")
    if not back.since:
        print("No price was accepted since.")
    if back.done:
        named = ", ".join(f"{action} ({count})" for action, count in back.done.most_common())
        print(f"Also decided since, and to be done again by hand: {named}")


def _write_list(path: Path, back: WayBack, list_id: str) -> None:
    if path.exists():
        raise SetupError(f"{path} is there already; name another file")
    accepted = {
        "list_id": list_id,
        "from_schema": back.schema_now,
        "to_schema": back.schema,
        "decided": dict(back.done),
        "stores": {
            store: {
                "products": since.products,
                "price_changes": since.price_changes,
                "by_hand": since.by_hand,
            }
            for store, since in back.since.items()
        },
    }
    write_private(path, json.dumps(accepted, ensure_ascii=False, indent=1))
    print(f"What was accepted since is listed in {path}")
