"""The kit's line over a real broker."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

from esl.domain.clock import Clock
from gateway.conform.line import Arrived, ConformError
from gateway.mqtt import BrokerAddress, MqttConnection, MqttError, connect
from gateway.wire.errors import BadTopic
from gateway.wire.topics import down_topic, parse_topic, state_topic, up_topic

CONNECT_PATIENCE_S = 10.0
_CLIENT_ID = "esl-conform"


class MqttLine:
    """A line to one gateway on a broker; made by `mqtt_line`."""

    def __init__(self, connection: MqttConnection, gateway_id: str, clock: Clock) -> None:
        self._connection = connection
        self._down = down_topic(gateway_id)
        self._clock = clock

    def monotonic_s(self) -> float:
        """See `gateway.conform.line.Line`."""
        return self._clock.monotonic_s()

    def wall_ms(self) -> int:
        """See `gateway.conform.line.Line`."""
        return round(self._clock.wall().timestamp() * 1000)

    async def send(self, payload: bytes) -> None:
        """See `gateway.conform.line.Line`."""
        try:
            await self._connection.publish(self._down, payload)
        except MqttError as exc:
            raise ConformError(f"the broker did not take a command: {exc}") from exc

    async def arrived(self, patience_s: float) -> Arrived | None:
        """See `gateway.conform.line.Line`."""
        while True:
            try:
                async with asyncio.timeout(patience_s):
                    message = await self._connection.messages.get()
            except TimeoutError:
                if self._connection.lost.is_set():
                    raise ConformError("the connection to the broker was lost") from None
                return None
            with contextlib.suppress(BadTopic):
                _, kind = parse_topic(message.topic)
                return Arrived(kind, message.payload, message.retained)


@contextlib.asynccontextmanager
async def mqtt_line(
    address: BrokerAddress, gateway_id: str, clock: Clock
) -> AsyncIterator[MqttLine]:
    """Open a line to a gateway.

    Raises:
        ConformError: The broker cannot be reached, or refuses the login or the topics.
    """
    topics = [state_topic(gateway_id), up_topic(gateway_id), down_topic(gateway_id)]
    async with connect(address, f"{_CLIENT_ID}-{gateway_id}"[:64], topics) as connection:
        try:
            async with asyncio.timeout(CONNECT_PATIENCE_S):
                await connection.connected.wait()
        except TimeoutError:
            why = connection.refusal or f"no answer within {CONNECT_PATIENCE_S:g} s"
            raise ConformError(f"the broker {address} did not let the kit in: {why}") from None
        yield MqttLine(connection, gateway_id, clock)
