"""Make, send and follow commands beside pictures: light, report, settings, firmware, forget.

They overtake every picture and need no room in a gateway's window: all are small, but for
firmware, whose parts follow each other, each when the one before was accepted.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256

import msgspec
import structlog
from sqlalchemy import Connection

from esl.domain.clock import EffectiveClock
from esl.domain.ids import GatewayId, LabelId
from esl.services import signals
from esl.services.signals import Order
from esl.store import places
from esl.store.commands import FIRMWARE, StoredCommand
from esl.store.database import Database
from esl.store.write_group import Priority, Writes
from gateway.batch import ENVELOPE_BYTES, room_of
from gateway.link import COMMANDS_MOST, Outgoing, command_id, milliseconds, seal_commands
from gateway.orders import OrderBook
from gateway.roster import Roster
from gateway.wire.codec import decode_commands, encode_commands
from gateway.wire.errors import BadPayload
from gateway.wire.messages import Command, Config, Firmware, Forget, Led, Report, Time
from gateway.wire.signing import SigningKey

FIRMWARE_PART_BYTES = 32 * 1024
"""The largest part of an image; a gateway that takes less in one payload gets smaller ones."""

FIRMWARE_MOST_BYTES = 16 * 1024 * 1024

_UNSENT_ID = 1  # a stored command has its real id only when it leaves
_LABEL_LONGEST_BYTES = 66  # 64 characters and how many they are, as MessagePack
_SOON = timedelta(minutes=2)  # a light that comes later finds nobody looking
_LATER = timedelta(hours=1)
_FIRMWARE = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Light:
    """How labels blink to be found; see `gateway.wire.messages.Led`."""

    colour: int
    pattern: bytes
    on_ms: int
    off_ms: int
    repeats: int


def led_orders(
    gateway_id: GatewayId,
    label_ids: Sequence[LabelId],
    light: Light,
    *,
    payload_bytes: int | None = None,
) -> list[Order]:
    """Let labels blink: in one command, or in several if the gateway takes no more at once."""
    at_once = (room_of(payload_bytes) - ENVELOPE_BYTES) // _LABEL_LONGEST_BYTES
    return [
        _order(
            gateway_id,
            "led",
            Led(
                id=_UNSENT_ID,
                labels=list(label_ids[start : start + at_once]),
                colour=light.colour,
                pattern=light.pattern,
                on_ms=light.on_ms,
                off_ms=light.off_ms,
                repeats=light.repeats,
            ),
            _SOON,
        )
        for start in range(0, len(label_ids), at_once)
    ]


def report_order(gateway_id: GatewayId, label_ids: Sequence[LabelId]) -> Order:
    """Ask what labels show; all of the gateway's if none is named."""
    return _order(gateway_id, "report", Report(id=_UNSENT_ID, labels=list(label_ids)), _SOON)


def time_order(gateway_id: GatewayId) -> Order:
    """Tell a gateway our time, as it will be when this leaves."""
    return _order(gateway_id, "time", Time(id=_UNSENT_ID, now=0), _SOON)


def config_order(
    gateway_id: GatewayId, *, beacon_s: int | None, heartbeat_s: int | None, window: int | None
) -> Order:
    """Change a gateway's settings, till it restarts; None keeps a value."""
    config = Config(id=_UNSENT_ID, beacon_s=beacon_s, heartbeat_s=heartbeat_s, window=window)
    return _order(gateway_id, "config", config, _LATER)


def forget_order(gateway_id: GatewayId, label_id: LabelId, epoch: int) -> Order:
    """Tell a gateway that a label leaves the shop; ``epoch`` is the one that ends."""
    return _order(gateway_id, "forget", Forget(id=_UNSENT_ID, label=label_id, epoch=epoch), _LATER)


def firmware_orders(
    gateway_id: GatewayId,
    *,
    target: str,
    version: str,
    image: bytes,
    at: datetime | None,
    payload_bytes: int | None = None,
) -> list[Order]:
    """Send a firmware image, in parts; it is taken into use when whole and verified.

    ``payload_bytes`` is the largest payload that the gateway says it takes.
    """
    digest = sha256(image).digest()
    part = min(FIRMWARE_PART_BYTES, room_of(payload_bytes) - ENVELOPE_BYTES)
    return [
        _order(
            gateway_id,
            FIRMWARE,
            Firmware(
                id=_UNSENT_ID,
                target=target,
                version=version,
                digest=digest,
                offset=start,
                total=len(image),
                data=image[start : start + part],
                at=milliseconds(at) if at is not None else None,
            ),
            _FIRMWARE,
        )
        for start in range(0, len(image), part)
    ]


def _order(gateway_id: GatewayId, kind: str, command: Command, within: timedelta) -> Order:
    body = encode_commands([command])
    return Order(gateway_id=gateway_id, kind=kind, body=body, expires_after=within)


log = structlog.get_logger()


class SignalDispatcher:
    """Sends what waits; called by one thread at a time."""

    def __init__(
        self,
        *,
        database: Database,
        writer: Writes,
        roster: Roster,
        orders: OrderBook,
        key: SigningKey,
        clock: EffectiveClock,
    ) -> None:
        self._database = database
        self._writer = writer
        self._roster = roster
        self._orders = orders
        self._key = key
        self._clock = clock

    def step(self) -> tuple[Outgoing, ...]:
        """Send the commands that are due to gateways on the line: one payload a gateway.

        Raises:
            Unavailable: The database did not answer; nothing was sent.
        """
        now = self._clock.now()
        with self._database.read() as tx:
            due = signals.look(tx, self._roster.online(), now)
            takes = places.payload_bytes_of(tx, {command.gateway_id for command in due})
        payloads = _fill(due, {g: room_of(largest) for g, largest in takes.items()})
        if not payloads:
            return ()
        chosen = [command for payload in payloads.values() for command in payload]

        def claim(tx: Connection) -> tuple[set[int], dict[GatewayId, int]]:
            taken, counters = signals.claim(tx, chosen, dict.fromkeys(payloads, 1), now)
            return taken, dict(counters)

        taken, counters = self._writer.write(claim, priority=Priority.DISPATCH)
        outgoing: list[Outgoing] = []
        for gateway_id, payload in payloads.items():
            here = [command for command in payload if command.command_key in taken]
            if here and gateway_id in counters:
                sealed = self._seal(gateway_id, here, counters[gateway_id], now)
                outgoing.extend([] if sealed is None else [sealed])
        return tuple(outgoing)

    def _seal(
        self, gateway_id: GatewayId, stored: Sequence[StoredCommand], counter: int, now: datetime
    ) -> Outgoing | None:
        commands: list[Command] = []
        for position, one in enumerate(stored):
            command = _stored(one)
            if command is None:
                continue
            wire_id = self._id_for(gateway_id, command, command_id(counter, position))
            self._orders.note_sent(gateway_id, wire_id, one.command_key)
            if isinstance(command, Time):
                commands.append(Time(id=wire_id, now=milliseconds(now)))
            else:
                commands.append(msgspec.structs.replace(command, id=wire_id))
        if not commands:
            return None
        session, ahead_ms = self._roster.session_of(gateway_id)
        payload = seal_commands(
            self._key,
            gateway_id,
            commands,
            session=session,
            clock_ahead_ms=ahead_ms,
            counter=counter,
            now=now,
        )
        return Outgoing(gateway_id=gateway_id, payload=payload, label_ids=())

    def _id_for(self, gateway_id: GatewayId, command: Command, fresh_id: int) -> int:
        """Parts of one image are one command."""
        if not isinstance(command, Firmware):
            return fresh_id
        wire_id = self._orders.image_id(gateway_id, command.digest, fresh_id)
        if command.offset + len(command.data) == command.total:
            self._orders.end_image(gateway_id, command.digest)
        return wire_id


def _fill(
    due: Iterable[StoredCommand], room: Mapping[GatewayId, int]
) -> dict[GatewayId, list[StoredCommand]]:
    """Take what one payload a gateway holds, the oldest first; the rest stays due.

    A command that is larger alone leaves alone: what it is for, its gateway may know to refuse.
    """
    payloads: dict[GatewayId, list[StoredCommand]] = {}
    sizes: dict[GatewayId, int] = {}
    for command in due:
        payload = payloads.setdefault(command.gateway_id, [])
        size = sizes.get(command.gateway_id, 0) + len(command.body)
        if payload and (
            size > room.get(command.gateway_id, room_of(None)) or len(payload) >= COMMANDS_MOST
        ):
            continue
        sizes[command.gateway_id] = size
        payload.append(command)
    return payloads


def _stored(one: StoredCommand) -> Command | None:
    """Read a command that was written down; None where nobody can, so that it ends unanswered."""
    try:
        [command] = decode_commands(one.body).messages
    except (BadPayload, ValueError) as exc:
        log.warning("a stored command cannot be read", command=one.command_key, reason=str(exc))
        return None
    return command
