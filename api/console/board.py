"""The wall as a page shows it: tables read in one transaction, made into plain words and numbers.

======== ========================================================================
`Head`   how many labels are in which state, and which gateways are on the line
`Tile`   one label: the picture it *reported*, and how it does
======== ========================================================================
"""

import hashlib
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from zoneinfo import ZoneInfo

from babel import Locale, UnknownLocaleError
from babel.numbers import format_currency
from sqlalchemy import Connection

from api.console.languages import say, say_many
from api.console.look import Look
from api.console.words import STATE_OF, WANT_ATTENTION, Advice, State, advice_on, word_of
from esl.domain.ids import GatewayId, LabelId
from esl.domain.label import NOTHING_SHOWN, phase_of
from esl.domain.money import format_minor
from esl.domain.panel import Panels
from esl.domain.place import Gateway, Store
from esl.services.finding import find_labels
from esl.services.silence import Silence, find_silent
from esl.services.wall_groups import Group, group_labels
from esl.store import places, wall
from esl.store.wall_counts import count_phases

_WIDE_FROM_PX = 320
"""Panels wider than this take two places of the wall; its places are made for 296 pixels."""

_UNKNOWN_SIZE_PX = (296, 128)


@dataclass(frozen=True, slots=True, kw_only=True)
class Chip:
    """A state as a filter: its word, how many labels are in it, and where it leads."""

    key: str
    word: str
    count: int
    address: str
    is_chosen: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A gateway and whether it is on the line."""

    gateway_id: GatewayId
    is_online: bool
    heard_at: datetime | None  # in the store's time


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """What stands above the tiles."""

    total: int
    chips: tuple[Chip, ...]
    lines: tuple[Line, ...]  # those away first
    silent: tuple[Silence, ...] = ()  # sources whose word is overdue

    @property
    def is_old(self) -> bool:
        """Whether what labels show may be old: no label is called right then."""
        return bool(self.silent)

    @property
    def away(self) -> int:
        """How many gateways are off the line."""
        return sum(not line.is_online for line in self.lines)

    @property
    def summary(self) -> str:
        """The counts in one sentence, for who hears the page instead of seeing it."""
        said = [f"{c.count} {c.word.lower()}" for c in self.chips[1:] if c.count]
        counts = (
            say_many(
                "%(num)s label: %(states)s.",
                "%(num)s labels: %(states)s.",
                self.total,
                states=say(", ").join(said),
            )
            if said
            else say("No labels.")
        )
        silent = [
            say("%(name)s is silent, so prices may be old.", name=one.name) for one in self.silent
        ]
        return " ".join([*silent, counts])


@dataclass(frozen=True, slots=True, kw_only=True)
class Tile:
    """A label on the wall."""

    label_id: LabelId
    name: str | None
    price: str | None  # what it should say
    state: State
    word: str
    advice: Advice | None
    detail: str | None  # what the controller noted of a problem
    picture: str | None  # address of what the label said it shows; None is blank glass
    alt: str
    width_px: int
    height_px: int
    size: str
    is_wide: bool
    seen_at: datetime | None  # in the store's time
    address: str  # of the label's own page


def stand(
    tx: Connection, store: Store, look: Look, online: AbstractSet[GatewayId], now: datetime
) -> tuple[Head, frozenset[GatewayId]]:
    """Read what stands above the tiles, and which of the store's gateways are on the line."""
    gateways = places.list_gateways(tx, store.store_id)
    here = frozenset(g.gateway_id for g in gateways) & online
    counts = dict.fromkeys(State, 0)
    for phase, count in count_phases(tx, store.store_id, here).items():
        counts[STATE_OF[phase]] += count
    total = sum(counts.values())
    silent = tuple(find_silent(tx, store.store_id, now))
    chips = [_chip(look, None, total)]
    chips += [_chip(look, state, n, is_old=bool(silent)) for state, n in counts.items()]
    zone = ZoneInfo(store.timezone)
    lines = sorted((_line(g, here, zone) for g in gateways), key=lambda line: line.is_online)
    head = Head(total=total, chips=tuple(chips), lines=tuple(lines), silent=silent)
    return head, here


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """The labels that a person looks at, whether there are more, and where groups of them begin."""

    tiles: list[wall.Tile]
    is_cut: bool
    begins: Mapping[LabelId, Group] = field(default_factory=dict)


def find(tx: Connection, store: Store, look: Look, online: AbstractSet[GatewayId]) -> Found:
    """Load the labels a person looks at: by id, or group by group."""
    if not look.is_filtered and look.by is None:
        found = wall.wall_of(tx, store.store_id, limit=look.most + 1)
        return Found(tiles=found[: look.most], is_cut=len(found) > look.most)
    ids = (
        find_labels(tx, store.store_id, online=online, phases=look.phases or (), search=look.search)
        if look.is_filtered
        else None
    )
    if look.by is None:
        found = wall.tiles_of(tx, (ids or [])[: look.most])
        found.sort(key=lambda tile: tile.label.label_id)
        return Found(tiles=found, is_cut=len(ids or ()) > look.most)
    grouped = group_labels(tx, store.store_id, look.by, ids)
    found = wall.tiles_after(tx, grouped.order, limit=look.most)
    return Found(tiles=found, is_cut=len(grouped.order) > look.most, begins=grouped.begins)


def fingerprint(
    found: Sequence[wall.Tile], online: AbstractSet[GatewayId], *, is_old: bool = False
) -> str:
    """Name what these labels look like, to find out later whether it has changed.

    Without the moments they were seen at, which change all the time.
    """
    digest = hashlib.sha256(b"old" if is_old else b"")
    for tile in found:
        label = tile.label
        phase = phase_of(label, gateway_online=label.gateway_id in online)
        look = (label.label_id, phase, label.shown_digest, label.attempts, label.trouble)
        digest.update(repr((*look, tile.name, tile.price_minor)).encode())
    return digest.hexdigest()[:16]


def tile_of(
    found: wall.Tile,
    store: Store,
    online: AbstractSet[GatewayId],
    panels: Panels,
    *,
    is_old: bool = False,
) -> Tile:
    """Make a label's tile; ``is_old`` says that its store's prices may be.

    A label whose model was taken out of the panels file has a place like any other.
    """
    label = found.label
    panel = panels.get(label.panel_id)
    width_px, height_px = (panel.width_px, panel.height_px) if panel else _UNKNOWN_SIZE_PX
    phase = phase_of(label, gateway_online=label.gateway_id in online)
    state = STATE_OF[phase]
    shown = label.shown_digest if label.shown_digest != NOTHING_SHOWN else None
    return Tile(
        label_id=label.label_id,
        name=found.name,
        price=_price(found, store),
        state=state,
        word=word_of(state, is_old=is_old),
        advice=advice_on(label, phase, panel),
        detail=label.trouble_detail,
        picture=f"/api/v1/labels/{label.label_id}/frames/{shown}.png" if shown else None,
        alt=_alt(found, state),
        width_px=width_px,
        height_px=height_px,
        size=panel.name.partition(" ")[0].replace('"', "″") if panel else "?",
        is_wide=width_px > _WIDE_FROM_PX,
        seen_at=label.seen_at.astimezone(ZoneInfo(store.timezone)) if label.seen_at else None,
        address=f"/labels/{label.label_id}?store={store.store_id}",
    )


def _alt(found: wall.Tile, state: State) -> str:
    """Describe a picture without claiming of it what only the label's glass can tell."""
    if state is State.RIGHT:
        return say(
            "%(name)s: picture as label %(label)s reported it",
            name=found.name,
            label=found.label.label_id,
        )
    return say(
        "Picture that label %(label)s last reported, not the one it should show",
        label=found.label.label_id,
    )


def _price(found: wall.Tile, store: Store) -> str | None:
    if found.price_minor is None or found.currency is None:
        return None
    return _money(found.price_minor, found.currency, store.locale)


@lru_cache(maxsize=4096)
def _money(minor: int, currency: str, locale_name: str) -> str:
    try:
        locale = Locale.parse(locale_name)
    except (UnknownLocaleError, ValueError):  # well-formed, and of no language we know
        locale = Locale("en")
    return format_currency(Decimal(format_minor(minor, currency)), currency, locale=locale)


def _chip(look: Look, state: State | None, count: int, *, is_old: bool = False) -> Chip:
    return Chip(
        key=state or "all",
        word=word_of(state, is_old=is_old) if state else say("All"),
        count=count,
        address=look.showing(state).at("/wall"),
        is_chosen=state in WANT_ATTENTION if look.wants_attention else look.state is state,
    )


def _line(gateway: Gateway, online: AbstractSet[GatewayId], zone: ZoneInfo) -> Line:
    return Line(
        gateway_id=gateway.gateway_id,
        is_online=gateway.gateway_id in online,
        heard_at=gateway.heard_at.astimezone(zone) if gateway.heard_at else None,
    )
