"""Payloads leave in order, a few at a time, and what the broker does not take comes back."""

import asyncio
from collections import defaultdict

import pytest

from esl.domain.ids import GatewayId, LabelId
from gateway.link import Outgoing
from gateway.mqtt import MqttError
from gateway.outbox import PAYLOADS_OUT_MOST, Outbox

ONE, TWO = GatewayId("gw-1"), GatewayId("gw-2")


class Broker:
    """Takes payloads and acknowledges them when it is told to."""

    def __init__(self) -> None:
        self.took: dict[GatewayId, list[bytes]] = defaultdict(list)
        self.open: dict[bytes, asyncio.Future[bool]] = {}
        self.given_back: list[tuple[GatewayId, frozenset[LabelId]]] = []
        self.published: list[Outgoing] = []
        self.outbox = Outbox(
            self._send,
            lambda g, labels: self.given_back.append((g, labels)),
            self.published.append,
        )

    def _send(self, payload: Outgoing) -> asyncio.Future[bool]:
        self.took[payload.gateway_id].append(payload.payload)
        self.open[payload.payload] = asyncio.get_running_loop().create_future()
        return self.open[payload.payload]

    async def acknowledge(self, payload: bytes) -> None:
        self.open.pop(payload).set_result(True)
        await asyncio.sleep(0)

    async def refuse(self, payload: bytes, failure: Exception | None = None) -> None:
        self.open.pop(payload).set_exception(failure or MqttError("too late"))
        await asyncio.sleep(0)


def payloads(gateway: GatewayId, *numbers: int) -> list[Outgoing]:
    return [
        Outgoing(
            gateway_id=gateway,
            payload=f"{gateway} {n}".encode(),
            label_ids=(LabelId(f"{gateway}-label-{n}"),),
        )
        for n in numbers
    ]


async def test_of_one_gateway_only_a_few_are_out_and_all_leave_in_order() -> None:
    broker = Broker()
    broker.outbox.put(payloads(ONE, *range(6)))
    broker.outbox.put(payloads(ONE, 6, 7))
    for n in range(8):
        assert len(broker.open) == min(PAYLOADS_OUT_MOST, 8 - n)
        await broker.acknowledge(f"gw-1 {n}".encode())
    assert broker.took[ONE] == [f"gw-1 {n}".encode() for n in range(8)]
    assert (len(broker.outbox), broker.given_back) == (0, [])


async def test_a_gateway_that_hangs_holds_up_itself_alone() -> None:
    broker = Broker()
    broker.outbox.put(payloads(ONE, *range(20)))
    for n in range(50):
        broker.outbox.put(payloads(TWO, n))
        await broker.acknowledge(f"gw-2 {n}".encode())
    assert len(broker.took[TWO]) == 50
    assert len(broker.took[ONE]) == PAYLOADS_OUT_MOST


async def test_a_payload_that_fails_gives_back_what_waits_behind_it_too() -> None:
    broker = Broker()
    broker.outbox.put([*payloads(ONE, *range(6)), *payloads(TWO, 0)])
    await broker.refuse(b"gw-1 1")
    assert broker.given_back == [(ONE, frozenset({f"gw-1-label-{n}" for n in (1, 4, 5)}))]
    broker.outbox.put(payloads(ONE, 9))
    assert broker.took[ONE][-1] == b"gw-1 9", "and it goes on"
    for payload in list(broker.open):
        await broker.acknowledge(payload)
    assert len(broker.outbox) == 0


async def test_a_payload_whose_wait_is_cancelled_is_given_back() -> None:
    broker = Broker()
    broker.outbox.put(payloads(ONE, 0))
    broker.open[b"gw-1 0"].cancel()
    await asyncio.sleep(0)
    assert broker.given_back == [(ONE, frozenset({"gw-1-label-0"}))]
    assert len(broker.outbox) == 0


async def test_a_fault_that_is_not_the_brokers_is_not_hidden(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    broker = Broker()
    seen: list[object] = []
    loop = asyncio.get_running_loop()
    monkeypatch.setattr(loop, "call_exception_handler", lambda c: seen.append(c["exception"]))
    broker.outbox.put(payloads(ONE, 0))
    fault = KeyError("ours")
    await broker.refuse(b"gw-1 0", fault)
    assert seen == [fault]
