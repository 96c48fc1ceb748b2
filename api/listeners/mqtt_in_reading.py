"""Reading messages: whose word a message is, for which store, and what it says. Only reads."""

import functools
from collections.abc import Sequence
from dataclasses import dataclass, replace

from sqlalchemy import Connection

from esl.domain.entry import Entry, RowProblem
from esl.domain.errors import EslError, InvalidInput, UnknownSource
from esl.domain.ids import SourceId
from esl.domain.mqtt_in import LARGEST_BYTES, InMessage, Refusal
from esl.domain.pricing import DEFAULT_SOURCE, PriceChange
from esl.domain.source import Source, SourceKind
from esl.intake.mapping.document import parse_mapping
from esl.intake.mapping.model import Mapping
from esl.intake.mapping.reading import read_entries
from esl.intake.mapping.store_context import Place, StoreContext
from esl.intake.price_json import parse_price_changes
from esl.intake.strict_json import parse_strict_json
from esl.services.import_routing import context_of
from esl.store import sources


class RefusedHere(EslError):
    """A message that is not to be taken; ``reason`` is why."""

    def __init__(self, reason: Refusal, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """A message in our own format: price changes of one store."""

    message: InMessage
    source: Source
    place: Place
    changes: Sequence[PriceChange]

    @property
    def may_join(self) -> bool:
        """Say whether it may be taken together with others: a single change."""
        return len(self.changes) == 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Entries:
    """A message that a mapping reads; ``problems`` are of rows that are not taken."""

    message: InMessage
    source: Source
    entries: Sequence[Entry]
    problems: Sequence[RowProblem]


@dataclass(frozen=True, slots=True)
class Spoken:
    """Who speaks, and for which stores."""

    source: Source
    context: StoreContext


class MessageReader:
    """Reads messages within one transaction."""

    def __init__(self, tx: Connection) -> None:
        self._tx = tx
        self._spoken: dict[str, Spoken | None] = {}

    def read(self, message: InMessage) -> Changes | Entries:
        """Read a message.

        Raises:
            RefusedHere: It may not speak, or says nothing.
            InvalidInput: It cannot be read; says where and why.
        """
        if message.retained:
            words = "kept by the broker and sent to whoever comes; publish it without retain"
            raise RefusedHere(Refusal.RETAINED, words)
        spoken = self.find(message)
        if spoken is None:
            words = "no source of the kind mqtt is registered under the name in the topic"
            raise RefusedHere(Refusal.UNKNOWN_SOURCE, words)
        if spoken.source.disabled:
            raise RefusedHere(Refusal.DISABLED, "the source is switched off")
        if len(message.payload) > LARGEST_BYTES:
            words = f"{len(message.payload)} bytes, and {LARGEST_BYTES} may be; send it in parts"
            raise RefusedHere(Refusal.TOO_LARGE, words)
        if spoken.source.mapping is not None:
            return self._read_mapped(message, spoken, spoken.source.mapping)
        value = parse_strict_json(message.payload)
        place = _place_of(message, spoken)
        changes = parse_price_changes(value, store_id=place.store_id, currency=place.currency)
        name = spoken.source.source_id
        for change in changes:
            if change.source not in (name, DEFAULT_SOURCE):
                raise InvalidInput.at(
                    f"{change.path}/source", "not the source of the topic", fix="Leave it out."
                )
        return Changes(
            message=message,
            source=spoken.source,
            place=place,
            changes=[replace(change, source=name) for change in changes],
        )

    def find(self, message: InMessage) -> Spoken | None:
        """Find who speaks in a message; None if nobody of that name may."""
        name = message.source
        if name is None:
            return None
        if name not in self._spoken:
            self._spoken[name] = self._look_up(name)
        return self._spoken[name]

    def _look_up(self, name: str) -> Spoken | None:
        try:
            source = sources.source_named(self._tx, SourceId(name))
        except UnknownSource:
            return None
        if source.kind is not SourceKind.MQTT:
            return None
        return Spoken(source, context_of(self._tx, source, None))

    def _read_mapped(self, message: InMessage, spoken: Spoken, mapping: str) -> Entries:
        document = sources.mapping_named(self._tx, mapping).document
        entries: list[Entry] = []
        problems: list[RowProblem] = []
        for each in read_entries(message.payload, _parsed(document), store=spoken.context):
            if isinstance(each, Entry):
                entries.append(each)
            elif each.rejects:
                problems.append(each)
        if not entries:
            first = problems[0] if problems else None
            words = f"{first.field}: {first.reason}" if first else "no product is found in it"
            raise RefusedHere(Refusal.UNREADABLE, words)
        return Entries(message=message, source=spoken.source, entries=entries, problems=problems)


def _place_of(message: InMessage, spoken: Spoken) -> Place:
    context = spoken.context
    if context.place is not None:
        return context.place
    place = context.route(message.store) if message.store and context.route else None
    if place is None:
        raise InvalidInput.at(
            "/store",
            "no store of this source is named" if message.store else "the source has no store",
            fix="Give the source one, or name it in the user property store.",
        )
    return place


@functools.lru_cache(maxsize=64)
def _parsed(document: str) -> Mapping:
    return parse_mapping(document)
