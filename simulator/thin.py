"""A gateway that acknowledges everything at once and keeps nothing: what a controller can do.

It admits what a real gateway must admit (G1, G3: session, expiry, counter and signature), answers
every put with `shown` or `stored` in the step that brings it, and unpacks no picture. A controller
measured against it waits for nobody. It counts what travelled, pictures and envelopes apart::

    down payload = [header, [put …, put …], signature]
                            └── data: picture bytes; all else: the envelope

Parts of one picture are answered by the one that ends it. Timed shows, which need somebody to
remember them, are `unsupported`.
"""

import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from random import Random

from esl.domain.clock import Clock
from gateway.wire.codec import decode_commands
from gateway.wire.enrolment import Enrolment
from gateway.wire.errors import BadPayload, Refused
from gateway.wire.failures import FailureCode
from gateway.wire.messages import (
    FEATURE_PAYLOAD_BYTES,
    MAX_PAYLOAD_BYTES,
    VERSION,
    Accepted,
    AnyEvent,
    Command,
    Failed,
    Firmware,
    GatewayState,
    Heartbeat,
    Hello,
    Put,
    Show,
    Shown,
    Stored,
)
from gateway.wire.signing import Gatekeeper, PublicKeys
from simulator.ceiling import Ceiling, broker_of
from simulator.moment import Moment
from simulator.uplink import Uplink
from simulator.waiting import Sleep

FIRMWARE = "thin-1"
LEVEL = "full"
HEARTBEAT_S = 20.0
CAPACITY = 4096


@dataclass(slots=True)
class Travelled:
    """What went through a thin gateway since it began; bytes of MQTT payloads.

    ``encodings`` counts pictures by how they travelled; one in parts counts once.
    """

    down_payloads: int = 0
    down_bytes: int = 0
    picture_bytes: int = 0
    pictures: int = 0
    encodings: Counter[str] = field(default_factory=Counter)

    @property
    def envelope_bytes(self) -> int:
        """Everything that came down and was no picture."""
        return self.down_bytes - self.picture_bytes

    def add(self, other: "Travelled") -> None:
        """Count another gateway's as well."""
        self.down_payloads += other.down_payloads
        self.down_bytes += other.down_bytes
        self.picture_bytes += other.picture_bytes
        self.pictures += other.pictures
        self.encodings.update(other.encodings)


class ThinGateway:
    """One thin gateway in synchronous steps, to be driven like a `simulator.gateway.SimGateway`.

    Labels need not be known to it: whatever label a command names is taken to obey.
    ``dropped`` counts payloads it did not obey, by reason.
    """

    restart_due = False  # it takes no firmware

    def __init__(
        self,
        gateway_id: str,
        keys: PublicKeys,
        *,
        random: Random,
        capacity: int = CAPACITY,
        payload_bytes: int = MAX_PAYLOAD_BYTES,
        incarnation: int = 0,
    ) -> None:
        self.gateway_id = gateway_id
        self.travelled = Travelled()
        self.dropped: Counter[str] = Counter()
        self._random = random
        self._capacity = capacity
        self._incarnation = incarnation
        self._features = {FEATURE_PAYLOAD_BYTES: payload_bytes}
        self._max_bytes = payload_bytes
        self._gatekeeper = Gatekeeper(
            gateway=gateway_id, session="", keys=keys, max_bytes=payload_bytes
        )
        self._seq = 0
        self._next_heartbeat_s = math.inf
        self.reboot()

    # -- life ----------------------------------------------------------------------------------

    @property
    def session(self) -> str:
        """The name of this or the last connection; fresh for each."""
        return self._gatekeeper.session

    def begin_session(self) -> None:
        """Name the coming connection; to be called before it is made, for its will."""
        self._connections += 1
        self._gatekeeper.begin_session(f"{self._nonce}-{self._connections}")
        self.disconnected()

    def state(self, now: Moment, *, online: bool) -> GatewayState:
        """The retained ``state`` of this session; with ``online`` false its will."""
        return GatewayState(online=online, session=self.session, since=now.wall_ms)

    def connected(self, now: Moment) -> list[AnyEvent]:
        """The connection stands: say hello."""
        self._seq = 1
        self._next_heartbeat_s = now.monotonic_s + HEARTBEAT_S
        return [
            Hello(
                session=self.session,
                seq=1,
                protocol=VERSION,
                level=LEVEL,
                firmware=FIRMWARE,
                capacity=self._capacity,
                clock=now.wall_ms,
                features=self._features,
            )
        ]

    def disconnected(self) -> None:
        """The connection is gone."""
        self._next_heartbeat_s = math.inf

    def reboot(self) -> None:
        """Begin anew, with a boot nonce of its own."""
        self._nonce = f"{self._random.getrandbits(32):08x}"
        self._connections = 0
        self._gatekeeper.begin_session("")
        self.disconnected()

    # -- steps ---------------------------------------------------------------------------------

    def receive_down(self, payload: bytes, now: Moment) -> list[AnyEvent]:
        """Acknowledge every command of a ``down`` payload, if it must be obeyed (G1, G3)."""
        try:
            body = self._gatekeeper.admit(payload, now.wall_ms)
            decoded = decode_commands(body, max_bytes=self._max_bytes)
        except (BadPayload, Refused) as exc:
            self.dropped[type(exc).__name__] += 1
            return []
        self.travelled.down_payloads += 1
        self.travelled.down_bytes += len(payload)
        said: list[AnyEvent] = [self._failed(bad.id or 0, bad.code) for bad in decoded.rejected]
        for command in decoded.messages:
            self._answer(command, now.wall_ms, said)
        return said

    def tick(self, now: Moment) -> list[AnyEvent]:
        """Let the heart beat when it is due."""
        if now.monotonic_s < self._next_heartbeat_s:
            return []
        self._next_heartbeat_s = now.monotonic_s + HEARTBEAT_S
        return [
            Heartbeat(
                session=self.session,
                seq=self._next_seq(),
                protocol=VERSION,
                level=LEVEL,
                firmware=FIRMWARE,
                capacity=self._capacity,
                clock=now.wall_ms,
                queued=0,
                features=self._features,
            )
        ]

    def next_wake_s(self) -> float:
        """When `tick` has something to do, by the monotonic clock; infinity for never."""
        return self._next_heartbeat_s

    # -- answers -------------------------------------------------------------------------------

    def _answer(self, command: Command, now_ms: int, said: list[AnyEvent]) -> None:
        match command:
            case Put():
                self._take(command, now_ms, said)
            case Show(at=None):
                said += [
                    self._shown(command.id, entry.label, entry.rev, entry.digest, now_ms)
                    for entry in command.entries
                ]
            case Show() | Firmware():
                said.append(self._failed(command.id, FailureCode.UNSUPPORTED))
            case _:
                said.append(Accepted(session=self.session, seq=self._next_seq(), id=command.id))

    def _take(self, put: Put, now_ms: int, said: list[AnyEvent]) -> None:
        travelled = self.travelled
        travelled.picture_bytes += len(put.data)
        if put.total is not None and (put.offset or 0) + len(put.data) < put.total:
            return
        travelled.pictures += 1
        travelled.encodings[put.encoding] += 1
        if put.show:
            said.append(self._shown(put.id, put.label, put.rev, put.digest, now_ms))
            return
        said.append(
            Stored(
                session=self.session,
                seq=self._next_seq(),
                id=put.id,
                label=put.label,
                rev=put.rev,
                slot=put.slot,
                digest=put.digest,
            )
        )

    def _shown(self, command_id: int, label: str, rev: int, digest: bytes, now_ms: int) -> Shown:
        return Shown(
            session=self.session,
            seq=self._next_seq(),
            id=command_id,
            label=label,
            rev=rev,
            digest=digest,
            incarnation=self._incarnation,
            at=now_ms,
        )

    def _failed(self, command_id: int, code: FailureCode) -> Failed:
        return Failed(session=self.session, seq=self._next_seq(), id=command_id, code=code)

    def _next_seq(self) -> int:
        self._seq += 1
        return self._seq


class ThinShop(Ceiling):
    """Thin gateways on their brokers, running while its block runs."""

    def __init__(
        self, enrolments: Iterable[Enrolment], *, clock: Clock, sleep: Sleep, seed: int = 0
    ) -> None:
        self.gateways: dict[str, ThinGateway] = {}
        uplinks: dict[str, Uplink] = {}
        for enrolment in enrolments:
            gateway_id = enrolment.gateway
            random = Random(f"{seed}/{gateway_id}")  # noqa: S311  seeded chance
            gateway = ThinGateway(gateway_id, enrolment.public_keys(), random=random)
            self.gateways[gateway_id] = gateway
            uplinks[gateway_id] = Uplink(
                gateway, broker_of(enrolment), clock=clock, sleep=sleep, random=random
            )
        super().__init__(uplinks)

    @property
    def travelled(self) -> Travelled:
        """What went through all of its gateways together."""
        total = Travelled()
        for gateway in self.gateways.values():
            total.add(gateway.travelled)
        return total
