"""Small shops for tests: a clock to turn, a database with a paired shelf, a gateway that answers.

    shop = Controller(open_database(tmp_path), clock)      the controller's side, all of it
    gateway = FakeGateway("gw-1", clock)                   keys, session, seq; labels that paint
    shop.hear(gateway.hello())
    for put in gateway.obey(shop.dispatcher.step().outgoing):
        shop.hear(gateway.paint(put))

Nothing here waits or reads the machine's clock: time passes in `SimulatedClock.pass_s`.
"""

import functools
import hashlib
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

from sqlalchemy import Connection, insert, select

from esl.domain.clock import EffectiveClock
from esl.domain.face import Face
from esl.domain.guards import Guards
from esl.domain.ids import GatewayId, LabelId, PanelId, Sku, StoreId
from esl.domain.label import LabelState
from esl.domain.panel import Panel
from esl.domain.place import NewLabel, Pairing, Store
from esl.domain.pricing import PriceChange
from esl.domain.product import Product
from esl.domain.stages import NO_STAGES, Stages
from esl.intake.product_json import ProductPut
from esl.services import catalogue, deliveries, guarding, pairing
from esl.services.pricing import Applied, apply_price_changes
from esl.store import labels, places
from esl.store.database import Database
from esl.store.migrate import migrate
from esl.store.tables import labels as label_table
from esl.store.tables import prices
from esl.store.writer import Writer, Writes
from gateway.aside import Aside
from gateway.clock import HouseClock
from gateway.dispatcher import Dispatcher
from gateway.easel import Easel
from gateway.inbox import Inbox
from gateway.inbox import Step as Intake
from gateway.link import Outgoing, milliseconds
from gateway.mqtt import MqttMessage
from gateway.orders import OrderBook
from gateway.pacing import Backoff
from gateway.painter import Painter
from gateway.roster import Roster
from gateway.signals import SignalDispatcher
from gateway.staging import StagingDispatcher
from gateway.upkeep import Upkeep
from gateway.wire.codec import decode_commands, encode_events, encode_state
from gateway.wire.messages import (
    VERSION,
    AnyEvent,
    Command,
    Failed,
    GatewayState,
    Heartbeat,
    Hello,
    Put,
    Seen,
    Shown,
)
from gateway.wire.signing import Gatekeeper, PublicKeys, SigningKey
from gateway.wire.topics import state_topic, up_topic
from renderer.frame import Frame
from renderer.render import Renderer
from renderer.template.gallery import load_gallery
from renderer.template.template import Template
from tests.panels import PANELS

NOON = datetime(2026, 1, 1, 12, 0, tzinfo=UTC)
STORE = StoreId("zagreb-1")
GATEWAY = GatewayId("gw-1")
PANEL = PanelId("bwry-296x128")
KEY = SigningKey.from_seed(bytes(range(32)))
PATIENCE_S = 60.0
LONGEST_S = 600.0


@dataclass(slots=True)
class SimulatedClock:
    """`esl.domain.clock.Clock` that stands until it is told otherwise."""

    at: datetime = NOON
    seconds: float = 1_000.0

    def wall(self) -> datetime:
        return self.at

    def monotonic_s(self) -> float:
        return self.seconds

    def pass_s(self, seconds: float) -> None:
        """Let time pass on both clocks."""
        self.at += timedelta(seconds=seconds)
        self.seconds += seconds

    def jump_s(self, seconds: float) -> None:
        """Set the wall clock forward or back, as an administrator or NTP does."""
        self.at += timedelta(seconds=seconds)


# ── A database ──────────────────────────────────────────────────────────────────────────────


@functools.cache
def _new_database_file() -> bytes:
    """Migrate once; every test then starts with a copy of the file."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "new.db"
        database = Database(f"sqlite:///{path}")
        migrate(database, NOON)
        database.close()
        return path.read_bytes()


def open_database(directory: Path, name: str = "esl.db") -> Database:
    """Open a fresh, migrated SQLite database in a directory; the caller closes it."""
    path = directory / name
    path.write_bytes(_new_database_file())
    return Database(f"sqlite:///{path}")


@contextmanager
def running_writer(database: Database, clock: SimulatedClock | None = None) -> Iterator[Writer]:
    """A writer that works while the block runs. With a clock that stands, groups end when the
    queue is empty or the group is full.
    """
    writer = Writer(database, (clock or SimulatedClock()).monotonic_s)
    writer.start()
    try:
        yield writer
    finally:
        writer.close()


@functools.cache
def the_gallery() -> Mapping[str, Template]:
    """Read the gallery once; templates never change."""
    return load_gallery()


# ── A shop ──────────────────────────────────────────────────────────────────────────────────


def a_store(store_id: StoreId = STORE, **changes: Any) -> Store:
    fields: dict[str, Any] = {
        "store_id": store_id,
        "name": "Trgovina",
        "currency": "EUR",
        "locale": "hr_HR",
        "timezone": "Europe/Zagreb",
        "link_base": None,
    }
    return Store(**(fields | changes))


def a_product(sku: str = "sku-0", **changes: Any) -> Product:
    fields: dict[str, Any] = {"store_id": STORE, "sku": Sku(sku), "name": f"Jogurt {sku}"}
    return Product(**(fields | changes))


def a_change(sku: str = "sku-0", price_minor: int = 129, **changes: Any) -> PriceChange:
    fields: dict[str, Any] = {
        "store_id": STORE,
        "sku": Sku(sku),
        "price_minor": price_minor,
        "currency": "EUR",
    }
    return PriceChange(**(fields | changes))


def label_id(number: int) -> LabelId:
    return LabelId(f"label-{number:04}")


def believe_every_price(tx: Connection, store_id: StoreId = STORE, now: datetime = NOON) -> None:
    """Switch the guards off: most tests change prices as they like."""
    off = Guards(on=False)
    guarding.put_guards(tx, store_id, off, now, actor="tests", reason="prices are invented")


def build_shelf(
    tx: Connection,
    *,
    labels_count: int = 1,
    gateways: Sequence[GatewayId] = (GATEWAY,),
    price_minor: int | None = 129,
    store_id: StoreId = STORE,
    panel_id: PanelId = PANEL,
    now: datetime = NOON,
) -> None:
    """A store whose label-000n speaks for sku-n and hangs below the gateways in turn."""
    catalogue.put_store(tx, a_store(store_id), now)
    believe_every_price(tx, store_id, now)
    for gateway_id in gateways:
        places.put_gateway(tx, gateway_id, store_id)
    put = [
        ProductPut(product=a_product(f"sku-{n}", store_id=store_id), price=None)
        for n in range(labels_count)
    ]
    catalogue.put_products(tx, store_id, put, now, actor="tests")
    new = [
        NewLabel(
            label_id=label_id(n),
            store_id=store_id,
            panel_id=panel_id,
            gateway_id=gateways[n % len(gateways)],
        )
        for n in range(labels_count)
    ]
    pairing.register_labels(tx, store_id, new, NOON, panels=PANELS)
    pairs = [Pairing(label_id=label_id(n), sku=Sku(f"sku-{n}")) for n in range(labels_count)]
    pairing.pair_labels(tx, store_id, pairs, now, single=False)
    if price_minor is not None:
        changes = [
            a_change(f"sku-{n}", price_minor, store_id=store_id) for n in range(labels_count)
        ]
        apply_price_changes(tx, store_id, changes, now, actor="tests")


def bare_labels(tx: Connection, rows: Iterable[dict[str, Any]]) -> None:
    """Put label rows of the first store as they are, for tests of single statements."""
    defaults = {"store_id": STORE, "gateway_id": GATEWAY, "panel_id": PANEL}
    tx.execute(insert(label_table), [defaults | row for row in rows])


class PlainRenderer:
    """Frames that cost nothing: equal faces and templates give equal pixels, others never do.

    ``broken`` maps a product's name to what drawing it raises.
    """

    def __init__(self) -> None:
        self.broken: dict[str, Exception] = {}
        self.edition = 1

    def render(self, face: Face, panel: Panel, template: Template, **_: object) -> Frame:
        if face.name in self.broken:
            raise self.broken[face.name]
        drawn = f"{face!r} {template.digest} {self.edition}"
        seed = hashlib.sha256(drawn.encode()).digest()
        pixels = (seed * (panel.frame_bytes // len(seed) + 1))[: panel.frame_bytes]
        return Frame.of(panel.panel_id, pixels)


class Controller:
    """The controller's side: services, writer, dispatcher, inbox and house clock on a database."""

    def __init__(
        self,
        database: Database,
        clock: SimulatedClock,
        *,
        window: int = 256,
        renderer: PlainRenderer | Renderer | None = None,
        writer: Writes | None = None,
        stages: Stages = NO_STAGES,
    ) -> None:
        self.database = database
        self.clock = clock
        self.time = EffectiveClock(clock)
        self.renderer = renderer or PlainRenderer()
        self._own_writer: Writer | None = None
        if writer is None:
            self._own_writer = Writer(database, clock.monotonic_s, stages=stages)
            self._own_writer.start()
        self.writer: Writes = writer or self._own_writer  # type: ignore[assignment]  one of them
        self.roster = Roster(window=window)
        self.backoff = Backoff(random=Random(1), base_s=PATIENCE_S, longest_s=LONGEST_S)
        self.painter = Painter(
            renderer=self.renderer,  # type: ignore[arg-type]  draws like one
            panels=PANELS,
            gallery=the_gallery(),
        )
        self.dispatcher = Dispatcher(
            database=database,
            writer=self.writer,
            roster=self.roster,
            painter=self.painter,
            panels=PANELS,
            key=KEY,
            clock=self.time,
            backoff=self.backoff,
            stages=stages,
        )
        self.orders = OrderBook()
        self.staging = StagingDispatcher(
            database=database,
            writer=self.writer,
            roster=self.roster,
            painter=self.painter,
            easel=Easel(painter=self.painter, panels=PANELS),
            panels=PANELS,
            key=KEY,
            clock=self.time,
            backoff=self.backoff,
        )
        self.signals = SignalDispatcher(
            database=database,
            writer=self.writer,
            roster=self.roster,
            orders=self.orders,
            key=KEY,
            clock=self.time,
        )
        self.inbox = Inbox(
            writer=self.writer,
            roster=self.roster,
            clock=self.time,
            backoff=self.backoff,
            stages=stages,
            panels=PANELS,
            aside=Aside(self.orders),
        )
        self.upkeep = Upkeep(
            database=database,
            writer=self.writer,
            clock=self.time,
            silent_after=timedelta(seconds=180),
        )
        self.house_clock = HouseClock(writer=self.writer, roster=self.roster, clock=self.time)
        with database.read() as tx:
            self.roster.add((g.gateway_id, g.store_id) for g in places.list_gateways(tx))

    def close(self) -> None:
        if self._own_writer is not None:
            self._own_writer.close()

    def hear(self, *messages: MqttMessage) -> Intake:
        return self.inbox.step(messages)

    def price(self, *changes: PriceChange) -> Applied:
        now = self.time.now()
        return self.writer.write(
            lambda tx: apply_price_changes(tx, changes[0].store_id, changes, now, actor="tests")
        )

    def label(self, number: int = 0) -> LabelState:
        with self.database.read() as tx:
            return labels.label_named(tx, label_id(number))

    def states(self) -> list[LabelState]:
        with self.database.read() as tx:
            return labels.list_labels(tx, STORE)

    def wanted_digest(self, number: int = 0) -> str:
        """Digest of the picture that the label must come to show by the truth of now."""
        with self.database.read() as tx:
            [due] = deliveries.load(tx, [label_id(number)])
            self.painter.learn(deliveries.load_templates(tx, self.painter.unknown([due])))
        assert due.face is not None
        return self.painter.paint(due).digest

    def settle(self, gateway: "FakeGateway", *, rounds: int = 20) -> None:
        """Send and answer until nothing is due any more."""
        for _ in range(rounds):
            step = self.dispatcher.step()
            puts = gateway.obey(step.outgoing)
            for put in puts:
                self.hear(gateway.paint(put))
            if not step.looked_at:
                return
        raise AssertionError("it does not come to rest")


# ── A gateway ───────────────────────────────────────────────────────────────────────────────


@dataclass(slots=True)
class FakeGateway:
    """The other end of the wire: opens what is meant for it, and speaks in its session."""

    gateway_id: GatewayId
    clock: SimulatedClock
    session: str = "boot-1"
    seq: int = 0
    capacity: int = 500
    clock_ahead_ms: int = 0
    keeper: Gatekeeper = field(init=False)
    showing: dict[str, tuple[int, bytes]] = field(default_factory=dict)
    incarnations: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.keeper = Gatekeeper(
            gateway=self.gateway_id, session=self.session, keys=PublicKeys.of(KEY)
        )

    def begin_session(self, session: str) -> None:
        self.session, self.seq = session, 0
        self.keeper.begin_session(session)

    @property
    def now_ms(self) -> int:
        return milliseconds(self.clock.wall()) + self.clock_ahead_ms

    # -- what it is sent ---------------------------------------------------------------------

    def commands(self, outgoing: Iterable[Outgoing]) -> list[Command]:
        """Open payloads like a gateway, in the order given."""
        found: list[Command] = []
        for sent in outgoing:
            if sent.gateway_id == self.gateway_id:
                decoded = decode_commands(self.keeper.admit(sent.payload, self.now_ms))
                assert not decoded.rejected
                found += decoded.messages
        return found

    def obey(self, outgoing: Iterable[Outgoing]) -> list[Put]:
        return [c for c in self.commands(outgoing) if isinstance(c, Put)]

    # -- what it says ------------------------------------------------------------------------

    def next_seq(self) -> int:
        self.seq += 1
        return self.seq

    def up(self, *events: AnyEvent) -> MqttMessage:
        return MqttMessage(up_topic(self.gateway_id), encode_events(events), retained=False)

    def state(self, *, online: bool, session: str | None = None) -> MqttMessage:
        said = GatewayState(online=online, session=session or self.session, since=self.now_ms)
        return MqttMessage(state_topic(self.gateway_id), encode_state(said), retained=True)

    def hello(self, **changes: Any) -> MqttMessage:
        return self.up(Hello(**(self._abilities() | changes)))

    def heartbeat(self, **changes: Any) -> MqttMessage:
        return self.up(Heartbeat(**(self._abilities() | {"queued": 0} | changes)))

    def shown_event(self, put: Put, **changes: Any) -> Shown:
        fields: dict[str, Any] = {
            "session": self.session,
            "seq": self.next_seq(),
            "id": put.id,
            "label": put.label,
            "rev": put.rev,
            "digest": put.digest,
            "incarnation": self.incarnations.get(put.label, 1),
            "at": self.now_ms,
        }
        return Shown(**(fields | changes))

    def paint(self, put: Put, **changes: Any) -> MqttMessage:
        """Paint a picture and report it, as a label and its gateway do."""
        self.showing[put.label] = (put.rev, put.digest)
        return self.up(self.shown_event(put, **changes))

    def seen_event(self, label: str, **changes: Any) -> Seen:
        rev, digest = self.showing.get(label, (0, b""))
        fields: dict[str, Any] = {
            "session": self.session,
            "seq": self.next_seq(),
            "label": label,
            "panel": PANEL,
            "shown_rev": rev,
            "shown_digest": digest,
            "incarnation": self.incarnations.get(label, 1),
        }
        return Seen(**(fields | changes))

    def beacon(self, label: str, **changes: Any) -> MqttMessage:
        return self.up(self.seen_event(label, **changes))

    def fail(self, put: Put, code: str, **changes: Any) -> MqttMessage:
        fields: dict[str, Any] = {
            "session": self.session,
            "seq": self.next_seq(),
            "id": put.id,
            "label": put.label,
            "rev": put.rev,
            "code": code,
        }
        return self.up(Failed(**(fields | changes)))

    def _abilities(self) -> dict[str, Any]:
        return {
            "session": self.session,
            "seq": self.next_seq(),
            "protocol": VERSION,
            "level": "basic",
            "firmware": "fake 1.0",
            "capacity": self.capacity,
            "clock": self.now_ms,
        }


def count_rows(tx: Connection, table: Any) -> int:
    return len(tx.execute(select(table)).all())


def revs_of(tx: Connection) -> dict[str, int]:
    """The revisions of the prices that hold in the store, by SKU."""
    query = select(prices.c.sku, prices.c.rev).where(prices.c.store_id == STORE)
    return {row.sku: row.rev for row in tx.execute(query)}
