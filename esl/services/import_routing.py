"""Which stores a file speaks for: told by whom, found where.

::

    store named ──┐
    file's name ──┼─▶ one store, for all its rows
    source's own ─┘
    a column, or the mapping's pattern ──▶ each row says; those of stores that are
                                          unknown, or closed to the asker, are refused
"""

from collections.abc import Collection
from dataclasses import replace
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from esl.domain.errors import InvalidInput, UnknownSource
from esl.domain.ids import SourceId, StoreId
from esl.domain.import_job import ImportJob
from esl.domain.source import Source, unregistered
from esl.intake.mapping.model import Mapping
from esl.intake.mapping.store_context import Place, StoreContext
from esl.intake.routing import STORE_FROM, parse_store_from
from esl.store import places, sources

STORE_NAME = "store."
"""A source's setting ``store.0007 = pula`` says what it calls a store."""

UNKNOWN_STORES = "unknown_stores"
IGNORED = "ignore"
"""A source's setting ``unknown_stores = ignore`` says that it sends other people's stores, too."""

Stores = Collection[StoreId] | None
"""The stores that somebody may change; None is all."""


def source_of(tx: Connection, job: ImportJob) -> Source:
    """Return the source that a job's file speaks for; nobody need have registered it.

    Raises:
        UnknownStore: The job's store is not there.
        InvalidInput: The source is another store's.
    """
    if job.store_id is not None:
        places.store_named(tx, job.store_id)
    source = registered(tx, job.source)
    if source is None:
        # A person who hands in a list by hand says with it whether it is complete.
        if job.store_id is None:
            return Source(source_id=job.source, name=job.source, accepts_full=True)
        return replace(unregistered(job.source, job.store_id), accepts_full=True)
    if source.store_id is not None and source.store_id != job.store_id:
        raise InvalidInput.at(
            "/source", "the source of another store", fix="Name another source, or its store."
        )
    return source


def registered(tx: Connection, source_id: SourceId) -> Source | None:
    """Look a source up; None where nobody registered it."""
    try:
        return sources.source_named(tx, source_id)
    except UnknownSource:
        return None


def choose_store(
    tx: Connection,
    source: Source | None,
    mapping: Mapping,
    *,
    title: str,
    store_from: str | None,
    stores: Stores,
) -> StoreId | None:
    """Choose the store of a file for which nobody named one; None where each row names its own.

    ``title`` is the file's path or name. ``store_from`` goes before the source's own pattern.

    Raises:
        InvalidInput: There are several and nothing says which; or the file's name fits no
            pattern, or names a store that is not there or not the asker's.
    """
    own = source.settings.get(STORE_FROM) if source is not None else None
    pattern = store_from or own
    if pattern is not None:
        where = "/store_from" if store_from else f"/settings/{STORE_FROM}"
        return _store_of_file(tx, source, parse_store_from(pattern, path=where).find(title), stores)
    if source is not None and source.store_id is not None:
        if stores is not None and source.store_id not in stores:
            raise InvalidInput.at("/source", "the source of another store")
        return source.store_id
    if "store" in mapping.fields or mapping.store_from is not None:
        return None
    known = sorted(_known_stores(tx, stores))
    if len(known) == 1:
        return known[0]
    if not known:
        raise InvalidInput.at("/store", "missing: there is none yet", fix="Make a store first.")
    raise InvalidInput.at(
        "/store",
        f"missing: nothing says of which store this list is ({', '.join(known[:20])})",
        fix="Name one of them, or let the mapping read the store.",
    )


def _store_of_file(
    tx: Connection, source: Source | None, name: str | None, stores: Stores
) -> StoreId:
    if name is None:
        raise InvalidInput.at(
            "/name",
            "the name of the file does not fit the pattern of stores",
            fix="Rename the file, or correct store_from.",
        )
    found = names_of(source).get(name, StoreId(name))
    if found not in _known_stores(tx, stores):
        raise InvalidInput.at(
            "/name",
            "the name of the file names no store of this source",
            fix="Add it to the source's stores, or rename the file.",
        )
    return found


def names_of(source: Source | None) -> dict[str, StoreId]:
    """Return what a source calls stores."""
    settings = source.settings if source is not None else {}
    return {
        name.removeprefix(STORE_NAME): StoreId(value)
        for name, value in settings.items()
        if name.startswith(STORE_NAME)
    }


def context_of(
    tx: Connection, source: Source, store_id: StoreId | None, *, stores: Stores = None
) -> StoreContext:
    """Say where a file's rows go: to the one store, or where the source's names of stores say.

    For one store, rows that name another are refused; for several, those of stores that are not
    among ``stores``, in the same words as those of stores that are not there.
    """
    names = names_of(source)
    only = store_id if store_id is not None else source.store_id
    found = [places.store_named(tx, only)] if only is not None else places.all_stores(tx)
    known = {
        store.store_id: Place(
            store_id=store.store_id,
            currency=store.currency,
            timezone=ZoneInfo(store.timezone),
        )
        for store in found
        if stores is None or store.store_id in stores
    }

    def route(name: str) -> Place | None:
        return known.get(names.get(name, StoreId(name)))

    return StoreContext(place=known.get(only) if only is not None else None, route=route)


def _known_stores(tx: Connection, stores: Stores) -> set[StoreId]:
    known = {store.store_id for store in places.all_stores(tx)}
    return known if stores is None else known & set(stores)
