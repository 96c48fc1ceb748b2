"""From the request that changes one price to the MQTT message that carries its picture."""

import asyncio
import time

from api.bench.pipeline import PipelineShop
from gateway.mqtt import connect

_LONGEST_S = 30


def post_to_publish_ms(shop: PipelineShop, count: int) -> list[float]:
    """Change single prices one after another; return the milliseconds of each."""
    return asyncio.run(_measure(shop, count))


async def _measure(shop: PipelineShop, count: int) -> list[float]:
    took_ms: list[float] = []
    async with connect(shop.broker, "bench-ear", ["esl/v1/+/down"]) as ear:
        await ear.connected.wait()
        for number in range(count):
            began_s = time.perf_counter()
            posting = asyncio.create_task(asyncio.to_thread(shop.change_one, number))
            async with asyncio.timeout(_LONGEST_S):
                await ear.messages.get()
            took_ms.append((time.perf_counter() - began_s) * 1000)
            await posting
            await asyncio.to_thread(shop.await_settled)
            while not ear.messages.empty():
                ear.messages.get_nowait()
    return took_ms
