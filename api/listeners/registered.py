"""Registered sources, as listeners need them: who may call, what reads them, who is asked."""

import functools
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import structlog
from sqlalchemy import Connection

from api.listeners.connectors.build import POLLED_SYSTEMS, REST, build_connector, every_of
from api.listeners.connectors.place import Connector
from api.listeners.connectors.runner import Polled
from api.listeners.hook_sources import HookSource
from api.listeners.listened import Heard, Listened
from api.secret_box import open_box
from esl.domain.clock import EffectiveClock
from esl.domain.entry import Entry
from esl.domain.errors import EslError, InvalidInput, NotFound, SetupError
from esl.domain.guards import WORDS
from esl.domain.ids import SourceId, StoreId
from esl.domain.pricing import Decision
from esl.domain.source import Source, SourceKind
from esl.intake.hooks.request import HookSecrets
from esl.intake.hooks.verifiers import HookKind
from esl.intake.mapping.document import parse_mapping
from esl.intake.mapping.model import Mapping
from esl.intake.mapping.store_context import Place, StoreContext
from esl.intake.shops import MAGENTO, OWN, SHOPS, mapping_of_hooks, shop_mapping
from esl.services.listening import take_entries
from esl.services.silence import note_spoken
from esl.store import batches, places, sources
from esl.store.database import Database

WEBHOOK_SECRET = "webhook"  # noqa: S105  the kind of a secret
_OUR_KINDS = (SourceKind.WEBHOOK, SourceKind.POLL)
_HOOKS_OF_OTHERS = {REST: HookKind.GENERIC, MAGENTO: HookKind.GENERIC}

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class _Made:
    """A connector, and what it was made of."""

    of: str
    connector: Connector


class RegisteredSources:
    """Looks sources up in the database. Used by many threads; `polled` by one at a time."""

    def __init__(self, database: Database, data_dir: Path, clock: EffectiveClock) -> None:
        self._database = database
        self._data_dir = data_dir
        self._clock = clock
        self._made: dict[str, _Made] = {}
        self._told: dict[str, str] = {}

    def lookup(self, source_id: str) -> HookSource | None:
        """Return the source that may call under this name."""
        with self._database.read() as tx:
            source = _source(tx, source_id)
            kind = _hook_kind(source) if source is not None else None
            if source is None or kind is None:
                return None
            secrets = self._secrets(tx, source, (WEBHOOK_SECRET,))
        url = source.settings.get("hook_url", "")
        return HookSource(
            source_id=source_id, kind=kind, secrets=HookSecrets(secrets=secrets, url=url)
        )

    def listened(self, source_id: str) -> Listened | None:
        """Return what reads a source's words; None if nothing does."""
        with self._database.read() as tx:
            source = _source(tx, source_id)
            return _listened(tx, source) if source is not None else None

    def polled(self) -> list[Polled]:
        """List the sources that are asked, each with its connector; what cannot be is logged."""
        with self._database.read() as tx:
            standing = [one for kind in _OUR_KINDS for one in sources.list_sources(tx, kind=kind)]
            found = [self._polled(tx, s.source) for s in standing if _is_polled(s.source)]
        return [polled for polled in found if polled is not None]

    def _polled(self, tx: Connection, source: Source) -> Polled | None:
        listened = _listened(tx, source)
        if listened is None:
            return None
        secrets = self._secrets(tx, source, ("token", "key", "password"))
        secret = secrets[0] if secrets else ""
        place = listened.context.place
        currency = place.currency if place is not None else None
        of = json.dumps([dict(source.settings), secret, currency], sort_keys=True)
        made = self._made.get(source.source_id)
        if made is None or made.of != of:
            try:
                connector = build_connector(source.settings, secret, currency=currency)
            except InvalidInput as exc:
                self._tell(source.source_id, str(exc))
                return None
            made = self._made[source.source_id] = _Made(of, connector)
        self._told.pop(source.source_id, None)
        return Polled(
            source=listened,
            connector=made.connector,
            shop=_shop_of(source),
            every=every_of(source.settings),
        )

    def _secrets(self, tx: Connection, source: Source, kinds: Sequence[str]) -> list[str]:
        box = open_box(self._data_dir)
        texts: list[str] = []
        for sealed in sources.active_secrets(tx, source.source_id, self._clock.now()):
            if sealed.kind in kinds:
                try:
                    texts.append(box.open(sealed.sealed, source=source.source_id, kind=sealed.kind))
                except SetupError as exc:
                    self._tell(source.source_id, str(exc))
        return texts

    def _tell(self, source_id: str, words: str) -> None:
        if self._told.get(source_id) != words:
            self._told[source_id] = words
            log.warning("source cannot be used", source=source_id, why=words)


def take(tx: Connection, source_id: str, entries: Sequence[Entry], now: datetime, /) -> Heard:
    """`Take` by the services, under the rules of the source; several together are a batch.

    Raises:
        UnknownSource: It was deleted meanwhile.
        Conflict: It is switched off.
    """
    source = sources.source_named(tx, SourceId(source_id))
    actor = f"source {source_id}"
    batch_id: int | None = None
    if len(entries) > 1:
        batch_id = batches.begin_batch(
            tx,
            now,
            store_id=source.store_id,
            source=source.source_id,
            actor=actor,
            title=source.name,
        )
    taken = take_entries(tx, source, entries, now, actor=actor, batch_id=batch_id)
    if batch_id is not None:
        batches.forget_if_empty(tx, batch_id)
    note_spoken(tx, source.source_id, taken.results, now)
    refused = [
        f"{result.sku}: {result.detail or '; '.join(WORDS[r] for r in result.reasons)}"
        for result in taken.results
        if result.decision is Decision.REJECTED
    ]
    if refused:
        log.warning("products not taken", source=source_id, count=len(refused), why=refused[0])
    return Heard(
        labels=taken.labels, taken=len(taken.results) - len(refused), refused=tuple(refused)
    )


def note_read(tx: Connection, source_id: str, now: datetime, /) -> None:
    """Note that a source that is asked was read to the end: that nothing changed is its word."""
    sources.note_heard(tx, SourceId(source_id), now)


def _source(tx: Connection, source_id: str) -> Source | None:
    """Look up one that listeners serve and that is switched on."""
    try:
        source = sources.source_named(tx, SourceId(source_id))
    except NotFound:
        return None
    return source if source.kind in _OUR_KINDS and not source.disabled else None


def _hook_kind(source: Source) -> HookKind | None:
    system = source.settings.get("system", HookKind.GENERIC.value)
    if system in _HOOKS_OF_OTHERS:
        return _HOOKS_OF_OTHERS[system]
    return HookKind(system) if system in set(HookKind) else None


def _is_polled(source: Source) -> bool:
    return (
        not source.disabled
        and "address" in source.settings
        and source.settings.get("system") in POLLED_SYSTEMS
    )


def _shop_of(source: Source) -> str:
    """Name what is asked: another store, shop or list is read from its beginning."""
    settings = {k: v for k, v in source.settings.items() if k not in ("every_s", "hook_url")}
    said = json.dumps([settings, source.store_id, source.mapping], sort_keys=True)
    return hashlib.sha256(said.encode()).hexdigest()[:16]


def _listened(tx: Connection, source: Source) -> Listened | None:
    try:
        mapping = _mapping(tx, source)
        context = _context(tx, source)
    except EslError as exc:
        log.warning("source cannot be read", source=source.source_id, why=str(exc))
        return None
    return Listened(
        source_id=source.source_id,
        mapping=mapping,
        context=context,
        is_polled=_is_polled(source),
    )


def _mapping(tx: Connection, source: Source) -> Mapping:
    """Load the source's own mapping, or the one that comes along for its system."""
    if source.mapping is not None:
        return _parsed(sources.mapping_named(tx, source.mapping).document)
    system = source.settings.get("system", "")
    if system in SHOPS:
        return shop_mapping(system)
    kind = _hook_kind(source)
    return shop_mapping(mapping_of_hooks(kind) if kind is not None else OWN)


@functools.lru_cache(maxsize=64)
def _parsed(document: str) -> Mapping:
    return parse_mapping(document)


def _context(tx: Connection, source: Source) -> StoreContext:
    """Say where entries go: to the source's store, or to that whose id they name."""
    if source.store_id is not None:
        return StoreContext(place=_place(tx, source.store_id))
    known = {store.store_id: store for store in places.all_stores(tx)}

    def route(name: str) -> Place | None:
        store = known.get(StoreId(name))
        if store is None:
            return None
        zone = ZoneInfo(store.timezone)
        return Place(store_id=store.store_id, currency=store.currency, timezone=zone)

    return StoreContext(route=route)


def _place(tx: Connection, store_id: StoreId) -> Place:
    store = places.store_named(tx, store_id)
    zone = ZoneInfo(store.timezone)
    return Place(store_id=store.store_id, currency=store.currency, timezone=zone)
