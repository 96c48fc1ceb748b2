"""Which store and which source a driver's call is about.

::

    code in the call ─▶ setting "stores" of the source: "0001=zagreb-1, 0002=zagreb-2"
                    └─▶ else the code itself is the id of our store
    no code          ─▶ the source's store, or the only one that the token is for

A source is registered with kind ``compat`` and the setting ``system``; without one the maker's
name is the source, with the mapping that comes along. Several of one system are told apart by the
setting ``token``: the id of the token that the driver logs in with.
"""

from dataclasses import dataclass
from functools import lru_cache
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from esl.domain.access import ALL_STORES, Principal, Scope
from esl.domain.errors import Conflict, InvalidInput, UnknownStore
from esl.domain.ids import SourceId, StoreId, check_slug
from esl.domain.place import Store
from esl.domain.source import Source, SourceKind, unregistered
from esl.intake.compat import default_mapping
from esl.intake.mapping.document import parse_mapping
from esl.intake.mapping.model import Mapping
from esl.intake.mapping.store_context import Place
from esl.store import places, sources

_CODE_LONGEST = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """The store that a call is about, and the source that it comes from."""

    store: Store
    source: Source
    mapping: Mapping

    @property
    def place(self) -> Place:
        """Return the store as reading needs to know it."""
        store = self.store
        zone = ZoneInfo(store.timezone)
        return Place(store_id=store.store_id, currency=store.currency, timezone=zone)


def desk_for(
    tx: Connection, who: Principal, scope: Scope, *, system: str, code: str | None
) -> Desk:
    """Find the store and the source of a call, for someone who may.

    Raises:
        UnknownStore: There is no such store, or none that the asker may know of.
        Forbidden: The asker lacks the scope.
        InvalidInput: The call names no store, and there is more than one it may mean.
        Conflict: The source is switched off.
    """
    store_id, source = _store_and_source(tx, who, system, code)
    _refuse_strange(store_id)
    who.require(scope, store_id)
    store = places.store_named(tx, store_id)
    if source.disabled:
        raise Conflict(f"the source {source.source_id!r} is switched off")
    mapping = default_mapping(system)
    if source.mapping is not None:
        mapping = _parsed(sources.mapping_named(tx, source.mapping).document)
    return Desk(store=store, source=source, mapping=mapping)


def check_code(text: str | None) -> str | None:
    """Return the code of a store from an address; None where it is empty.

    Raises:
        UnknownStore: It cannot be one.
    """
    if not text:
        return None
    if len(text) > _CODE_LONGEST or not text.isprintable():
        raise UnknownStore("no such store")
    return text


def code_of(source: Source | None, store_id: StoreId) -> str:
    """Say by which code a driver knows a store."""
    codes = codes_in(source) if source is not None else {}
    return next((code for code, store in codes.items() if store == store_id), store_id)


def codes_in(source: Source) -> dict[str, StoreId]:
    """Read the codes in a source's setting ``stores``."""
    pairs = (pair.partition("=") for pair in source.settings.get("stores", "").split(","))
    return {code.strip(): StoreId(store.strip()) for code, sign, store in pairs if sign}


def source_for(tx: Connection, who: Principal, system: str) -> Source | None:
    """Return the registered source whose codes a driver goes by; None if there is none."""
    mine = _mine(tx, who, system)
    return mine[0] if mine else None


def _store_and_source(
    tx: Connection, who: Principal, system: str, code: str | None
) -> tuple[StoreId, Source]:
    for source in _mine(tx, who, system):
        store_id = _store_of(source, code)
        if store_id is not None and source.store_id in (None, store_id):
            return store_id, source
    store_id = StoreId(code.lower()) if code else _only_store(who)
    return store_id, unregistered(SourceId(system), store_id)


def _refuse_strange(store_id: StoreId) -> None:
    try:
        check_slug(store_id, path="", what="store")
    except InvalidInput:
        raise UnknownStore("no such store") from None


def _store_of(source: Source, code: str | None) -> StoreId | None:
    if code is None:
        return source.store_id
    return codes_in(source).get(code, StoreId(code.lower()))


def _only_store(who: Principal) -> StoreId:
    if len(who.stores) != 1 or ALL_STORES in who.stores:
        raise InvalidInput.at(
            "/store", "no store is named", fix="Name it, or use a token of one store."
        )
    return StoreId(next(iter(who.stores)))


def _mine(tx: Connection, who: Principal, system: str) -> list[Source]:
    """List the sources that a driver may be, those that name its token first."""
    found = [one.source for one in sources.list_sources(tx, kind=SourceKind.COMPAT)]
    mine = [s for s in found if s.settings.get("system") == system and _may_be_of(s, who)]
    return sorted(mine, key=lambda s: (s.settings.get("token") is None, s.source_id))


def _may_be_of(source: Source, who: Principal) -> bool:
    token = source.settings.get("token")
    return token is None or who.name == f"token:{token}"


@lru_cache(maxsize=64)
def _parsed(document: str) -> Mapping:
    return parse_mapping(document)
