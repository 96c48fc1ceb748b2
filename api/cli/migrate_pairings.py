"""Where ``esl migrate pairings`` brings its rows: a controller that runs, or this process."""

import contextlib
from collections.abc import Iterator, Sequence
from typing import Any, Protocol

from api.books import Books, open_books
from api.cli.running import client_if_running
from api.client import Client
from api.migration_views import moved_view
from esl.domain.ids import GatewayId, LabelId, PanelId, Sku, StoreId
from esl.domain.migration import PairingRow
from esl.domain.panel import Panels
from esl.domain.panel_file import load_panels
from esl.intake.migration_json import ROWS_MOST, row_json
from esl.services.migration import Wishes, take_pairings
from esl.settings import Settings
from esl.store import places
from esl.store.migration import pairing_rows
from esl.store.write_group import Priority

_PATIENCE_S = 120.0
_ACTOR = "operator"


class PairingsDesk(Protocol):
    """Where rows are taken, piece by piece, and given out again."""

    def stores(self) -> list[str]:
        """List the ids of the stores."""

    def take(
        self,
        store: StoreId,
        rows: Sequence[PairingRow],
        *,
        moves: bool,
        panel_id: PanelId | None,
        dry_run: bool,
    ) -> list[dict[str, Any]]:
        """Take rows; return what became of each."""

    def rows(self, store: StoreId) -> Iterator[PairingRow]:
        """Give a store's labels."""


def in_pieces(rows: Sequence[PairingRow]) -> Iterator[Sequence[PairingRow]]:
    """Cut rows into what one request takes; rows of one label, which say the same, may part."""
    for start in range(0, len(rows), ROWS_MOST):
        yield rows[start : start + ROWS_MOST]


@contextlib.contextmanager
def pairings_desk(settings: Settings) -> Iterator[PairingsDesk]:
    """Speak with the controller that runs on the data folder; without one, do it here."""
    with client_if_running(settings.data_dir, patience_s=_PATIENCE_S) as client:
        if client is not None:
            yield _OverHttp(client)
            return
    with open_books(settings) as books:
        yield _InProcess(books, load_panels(settings.panels_file))


class _OverHttp:
    def __init__(self, client: Client) -> None:
        self._client = client

    def stores(self) -> list[str]:
        return [store["store_id"] for store in self._client.listed("/api/v1/stores", "stores")]

    def take(
        self,
        store: StoreId,
        rows: Sequence[PairingRow],
        *,
        moves: bool,
        panel_id: PanelId | None,
        dry_run: bool,
    ) -> list[dict[str, Any]]:
        body: dict[str, Any] = {
            "rows": [row_json(row) for row in rows],
            "move": moves,
            "panel": panel_id,
            "dry_run": dry_run,
        }
        answer = self._client.post(f"/api/v1/stores/{store}/migrations/pairings", body)
        return list(answer["results"])

    def rows(self, store: StoreId) -> Iterator[PairingRow]:
        after: str | None = ""
        while after is not None:
            page = self._client.get(f"/api/v1/stores/{store}/pairings", after=after, limit=1000)
            yield from (_row_from(said) for said in page["rows"])
            after = page["after"]


class _InProcess:
    def __init__(self, books: Books, panels: Panels) -> None:
        self._books = books
        self._panels = panels

    def stores(self) -> list[str]:
        with self._books.database.read() as tx:
            return [store.store_id for store in places.all_stores(tx)]

    def take(
        self,
        store: StoreId,
        rows: Sequence[PairingRow],
        *,
        moves: bool,
        panel_id: PanelId | None,
        dry_run: bool,
    ) -> list[dict[str, Any]]:
        now = self._books.clock.now()
        moved = self._books.writer.write(
            lambda tx: take_pairings(
                tx,
                store,
                rows,
                now,
                panels=self._panels,
                wishes=Wishes(moves=moves, panel_id=panel_id),
                actor=_ACTOR,
                dry_run=dry_run,
            ),
            priority=Priority.BULK,
        )
        return list(moved_view(moved, dry_run=dry_run)["results"])

    def rows(self, store: StoreId) -> Iterator[PairingRow]:
        with self._books.database.read() as tx:
            places.store_named(tx, store)
            after = ""
            while page := pairing_rows(tx, store, after=after):
                yield from page
                after = page[-1].label_id


def _row_from(said: dict[str, Any]) -> PairingRow:
    return PairingRow(
        row=said["row"],
        label_id=LabelId(said["label"]),
        sku=Sku(said["skus"][0] if "skus" in said else said["sku"])
        if "skus" in said or "sku" in said
        else None,
        more=tuple(Sku(sku) for sku in said.get("skus", ())[1:]),
        panel_id=PanelId(said["panel"]) if "panel" in said else None,
        gateway_id=GatewayId(said["gateway"]) if "gateway" in said else None,
        place=said.get("place"),
    )
