"""One simulated gateway's life on the broker: the thin asynchronous shell around a gateway.

::

    begin session ─▶ connect with its will ─▶ state online (retained) ─▶ hello, seen … ─▶ serve
          ▲                                                                                │
          └──── a pause ◀── leave the old connection ◀── connection lost, or restarted ◀───┘

A session belongs to one connection and is named in that connection's will, so a lost connection
is never mended: it is left, and a new one made. Three tasks run: *listen* takes payloads, *tick*
wakes when the gateway has something to do, *send* publishes what was said, gathered for a
moment. Events that nobody could be told are dropped; beacons say the same later.
"""

import asyncio
import contextlib
import math
from collections import Counter
from collections.abc import Sequence
from random import Random
from typing import Protocol

from esl.domain.clock import Clock
from gateway.mqtt import BrokerAddress, MqttConnection, MqttError, Will, connect
from gateway.wire.codec import encode_state
from gateway.wire.messages import AnyEvent, GatewayState
from gateway.wire.topics import down_topic, state_topic, up_topic
from simulator.faults import FaultStream
from simulator.moment import Moment
from simulator.voice import up_payloads
from simulator.waiting import Sleep, first_of

GATHER_S = 0.02
BATCH_EVENTS = 500
OUTBOX_EVENTS = 20_000
"""Events kept for a slow broker; more are dropped, oldest first."""
PAUSE_S = 0.5  # before a lost connection is replaced, up to twice as long
RECONNECT_LONGEST_S = 2  # between attempts to reach a broker that is away


class Driven(Protocol):
    """A gateway in synchronous steps: `simulator.gateway.SimGateway` or a thinner one."""

    gateway_id: str
    dropped: Counter[str]

    @property
    def session(self) -> str:
        """The name of this or the last connection."""

    @property
    def restart_due(self) -> bool:
        """Whether it must reboot to take new firmware into use."""

    def begin_session(self) -> None:
        """Name the coming connection."""

    def state(self, now: Moment, *, online: bool) -> GatewayState:
        """The retained ``state`` of this session, or its will."""

    def connected(self, now: Moment) -> list[AnyEvent]:
        """The connection stands."""

    def disconnected(self) -> None:
        """The connection is gone."""

    def reboot(self) -> None:
        """Lose what a power cut loses."""

    def receive_down(self, payload: bytes, now: Moment) -> list[AnyEvent]:
        """Obey a ``down`` payload, if it must be obeyed."""

    def tick(self, now: Moment) -> list[AnyEvent]:
        """Do what is due."""

    def next_wake_s(self) -> float:
        """When `tick` has something to do; infinity for never."""


class Uplink:
    """Runs one gateway on a broker until its task is cancelled.

    ``connected`` is set while the gateway has said hello; ``counts`` what went wrong: payloads
    not published, events dropped, connections lost.
    """

    def __init__(
        self,
        gateway: Driven,
        address: BrokerAddress,
        *,
        clock: Clock,
        sleep: Sleep,
        random: Random,
        down_faults: FaultStream | None = None,
        up_faults: FaultStream | None = None,
    ) -> None:
        self.gateway = gateway
        self.connected = asyncio.Event()
        self.counts: Counter[str] = Counter()
        self._address = address
        self._clock = clock
        self._sleep = sleep
        self._random = random
        self._down_faults = down_faults
        self._up_faults = up_faults
        self._outbox: list[AnyEvent] = []
        self._said = asyncio.Event()
        self._wakes_at_s = math.inf
        self._sooner = asyncio.Event()  # the gateway must wake before that
        self._leave = asyncio.Event()
        self._powered = asyncio.Event()
        self._powered.set()

    @property
    def powered(self) -> bool:
        """Whether the gateway is switched on."""
        return self._powered.is_set()

    # -- buttons -------------------------------------------------------------------------------

    def restart(self) -> None:
        """Reboot the gateway: work in hand and session are lost, labels keep their glass."""
        self.gateway.reboot()
        self.connected.clear()
        self._outbox.clear()
        self._leave.set()

    def switch_off(self) -> None:
        """Take the power away; the broker hears what the will would have said."""
        self._powered.clear()
        self.restart()

    def switch_on(self) -> None:
        """Give the power back."""
        self._powered.set()

    # -- life ----------------------------------------------------------------------------------

    async def run(self) -> None:
        """Live, session after session."""
        async with asyncio.TaskGroup() as tasks:
            name = self.gateway.gateway_id
            tasks.create_task(self._tick(), name=f"{name} tick")
            tasks.create_task(self._connect_again_and_again(), name=f"{name} connect")

    async def _connect_again_and_again(self) -> None:
        while True:
            await self._powered.wait()
            self._leave.clear()
            await self._live_one_session()
            if not self._leave.is_set():
                self.counts["connections lost"] += 1
                await self._sleep(PAUSE_S * (1 + self._random.random()))

    async def _live_one_session(self) -> None:
        gateway = self.gateway
        gateway.begin_session()
        topic = state_topic(gateway.gateway_id)
        offline = encode_state(gateway.state(self._now(), online=False))
        async with connect(
            self._address,
            gateway.gateway_id,
            [down_topic(gateway.gateway_id)],
            will=Will(topic=topic, payload=offline),
            reconnect_longest_s=RECONNECT_LONGEST_S,
        ) as connection:
            ended = connection.lost, self._leave
            try:
                await first_of(connection.connected.wait(), *(end.wait() for end in ended))
                if not any(end.is_set() for end in ended):
                    await self._serve(connection)
            finally:
                self.connected.clear()
                gateway.disconnected()
                if connection.connected.is_set():  # we leave: a farewell silences the will
                    with contextlib.suppress(MqttError):
                        await connection.publish(topic, offline, retain=True, patience_s=1)

    async def _serve(self, connection: MqttConnection) -> None:
        gateway = self.gateway
        online = encode_state(gateway.state(self._now(), online=True))
        try:
            await connection.publish(state_topic(gateway.gateway_id), online, retain=True)
        except MqttError:
            self.counts["payloads not published"] += 1
            return
        if self._leave.is_set():
            return
        self._outbox.clear()
        self._say(gateway.connected(self._now()))
        self.connected.set()
        async with asyncio.TaskGroup() as tasks:
            name = gateway.gateway_id
            serving = [
                tasks.create_task(self._listen(connection), name=f"{name} listen"),
                tasks.create_task(self._send(connection), name=f"{name} send"),
            ]
            await first_of(connection.lost.wait(), self._leave.wait())
            for task in serving:
                task.cancel()

    async def _listen(self, connection: MqttConnection) -> None:
        topic = down_topic(self.gateway.gateway_id)
        while True:
            message = await connection.messages.get()
            if message.retained or message.topic != topic:
                self.counts["messages ignored"] += 1  # commands are never retained
                continue
            for payload in _struck(message.payload, self._down_faults):
                self._say(self.gateway.receive_down(payload, self._now()))
            await self._sleep(0)  # a full queue does not keep the other tasks from running

    async def _tick(self) -> None:
        while True:
            self._wakes_at_s = self.gateway.next_wake_s()
            self._sooner.clear()
            delay_s = self._wakes_at_s - self._clock.monotonic_s()
            if delay_s == math.inf:
                await self._sooner.wait()
            elif delay_s > 0:
                await first_of(self._wait(delay_s), self._sooner.wait())
            else:
                await self._sleep(0)
            self._say(self.gateway.tick(self._now()))

    async def _wait(self, delay_s: float) -> None:
        await self._sleep(delay_s)

    async def _send(self, connection: MqttConnection) -> None:
        topic = up_topic(self.gateway.gateway_id)
        while True:
            await self._said.wait()
            batch = self._outbox[:BATCH_EVENTS]
            del self._outbox[:BATCH_EVENTS]
            if not self._outbox:
                self._said.clear()
            for encoded in up_payloads(batch):
                for payload in _struck(encoded, self._up_faults):
                    try:
                        await connection.publish(topic, payload)
                    except MqttError:
                        self.counts["payloads not published"] += 1
            if len(self._outbox) < BATCH_EVENTS:
                await self._sleep(GATHER_S)

    # -- steps ---------------------------------------------------------------------------------

    def _now(self) -> Moment:
        return Moment.read(self._clock)

    def say(self, events: Sequence[AnyEvent]) -> None:
        """Have events sent that came of a button or a phone."""
        self._say(events)

    def _say(self, events: Sequence[AnyEvent]) -> None:
        """Have events sent, and see to it that the gateway wakes in time."""
        if self.gateway.next_wake_s() < self._wakes_at_s:
            self._sooner.set()
        if self.gateway.restart_due:
            self.restart()
            return
        if not events:
            return
        self._outbox.extend(events)
        too_many = len(self._outbox) - OUTBOX_EVENTS
        if too_many > 0:
            del self._outbox[:too_many]
            self.counts["events dropped"] += too_many
        self._said.set()


def _struck(payload: bytes, faults: FaultStream | None) -> Sequence[bytes]:
    return (payload,) if faults is None else faults.strike(payload)
