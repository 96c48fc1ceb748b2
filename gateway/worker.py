"""Everything that runs without anyone asking: named tasks around the synchronous steps.

    MQTT ──▶ listen ──▶ inbox.step         ─┐
    wake ──▶ dispatch ─▶ dispatcher.advance ├─▶ changed(labels)   for the live page
               │  └───▶ outbox ──▶ MQTT     │
    tick ──▶ keep time ▶ clock.step        ─┘

Inbox and dispatcher take turns on one thread, the delivery thread: two busy threads would only
wait for each other's interpreter lock. Publishing is nobody's turn: while payloads leave, the next
batch is drawn.

Woken by an event, polling as the net. If one task fails by a fault of ours, all end and the
process with them: whoever runs it starts it again, and the database holds all that matters.
"""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import ParamSpec, TypeVar

import structlog

from esl.domain.errors import Unavailable
from esl.domain.ids import GatewayId, LabelId
from esl.domain.touch import Touch
from gateway.clock import HouseClock
from gateway.dispatcher import BATCH_MOST, Dispatcher
from gateway.inbox import Inbox
from gateway.inbox import Step as Intake
from gateway.ledger import Ledger
from gateway.link import EXPIRES_AFTER_S, Outgoing
from gateway.mqtt import Acknowledgement, MqttConnection, MqttMessage
from gateway.outbox import Outbox
from gateway.signals import SignalDispatcher
from gateway.staging import StagingDispatcher
from gateway.upkeep import Upkeep
from gateway.wire.topics import ALL_STATES, ALL_UPS, down_topic

TOPICS = (ALL_STATES, ALL_UPS)
"""What the controller listens to."""

POLL_S = 1.0
"""The net under a lost wake-up."""

BROKER_WITHIN_S = 10.0
"""A broker that starts together with us has this long before anybody is told."""

HOUSEKEEPING_S = 5.0
MESSAGES_MOST = 200

BESIDE_S = 0.25
"""Between two looks for commands of people and for what is due at a moment."""

PACE_S = 0.04
"""Shortest time from one step to the next of its kind: while much is going on, each step then
has a batch to do and not a few. A step after a rest begins at once."""
_RETRY_DATABASE_S = 1.0

log = structlog.get_logger()

P = ParamSpec("P")
R = TypeVar("R")


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """Something people can see has changed."""

    labels: tuple[LabelId, ...] = ()
    gateways: bool = False
    touched: tuple[Touch, ...] = ()  # what people did to labels


class Worker:
    """Owns the tasks that send and listen; run it inside a TaskGroup or ``asyncio.run``."""

    def __init__(
        self,
        *,
        mqtt: MqttConnection,
        dispatcher: Dispatcher,
        inbox: Inbox,
        clock: HouseClock,
        tell: Callable[[Notice], None],
        signals: SignalDispatcher | None = None,
        staging: StagingDispatcher | None = None,
        upkeep: Upkeep | None = None,
        ledger: Ledger | None = None,
    ) -> None:
        self._mqtt = mqtt
        self._signals = signals
        self._staging = staging
        self._upkeep = upkeep
        self._ledger = ledger
        self._beside_at_s = 0.0
        self._dispatcher = dispatcher
        self._inbox = inbox
        self._clock = clock
        self._tell = tell
        self._due = asyncio.Event()
        self._delivery = ThreadPoolExecutor(1, "delivery")
        self._outbox = Outbox(self._publish, self._note_unsent, self._note_published)
        self._unsent: dict[GatewayId, set[LabelId]] = defaultdict(set)

    def wake(self) -> None:
        """Look at what is due, now. Called on the loop, after a commit."""
        self._due.set()

    async def run(self) -> None:
        """Send and listen until cancelled; once."""
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._listen(), name="inbox")
                tasks.create_task(self._dispatch(), name="dispatcher")
                tasks.create_task(self._keep_time(), name="clock")
                tasks.create_task(self._watch_broker(), name="broker watch")
        finally:
            self._delivery.shutdown()
            self._write_ledger()

    async def _deliver(self, step: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Take a step of the inbox or the dispatcher in its turn."""
        turn = partial(step, *args, **kwargs)
        return await asyncio.get_running_loop().run_in_executor(self._delivery, turn)

    async def _listen(self) -> None:
        messages = self._mqtt.messages
        pace = _Pace()
        while True:
            batch = [await messages.get()]
            await pace.keep()
            while len(batch) < MESSAGES_MOST and not messages.empty():
                batch.append(messages.get_nowait())
            step = await self._take_in(batch)
            self._dispatcher.want_reports(step.ask)
            if step.changed or step.gateways_changed or step.touched:
                self._tell(
                    Notice(
                        labels=step.changed,
                        gateways=step.gateways_changed,
                        touched=step.touched,
                    )
                )
            if step.changed or step.due or step.ask:
                self._due.set()  # a label that answered leaves room for the next

    async def _take_in(self, batch: Sequence[MqttMessage]) -> Intake:
        while True:
            try:
                return await self._deliver(self._inbox.step, batch)
            except Unavailable as exc:
                log.warning("reports wait for the database", reason=str(exc))
                await _pause(_RETRY_DATABASE_S)

    async def _dispatch(self) -> None:
        await self._warm_up()
        pace = _Pace()
        claimed: tuple[LabelId, ...] = ()
        while True:
            await pace.keep()
            ahead, claimed = claimed, ()
            try:
                if self._unsent:
                    await self._release_unsent()
                if not self._mqtt.connected.is_set():
                    # Nothing can leave. To try it would only use up every label's patience.
                    if ahead:
                        await self._deliver(self._dispatcher.let_go, ahead)
                    await self._begin_due()
                    await _first_of(self._mqtt.connected, POLL_S)
                    continue
                self._due.clear()
                self._outbox.put(await self._deliver(self._dispatcher.ask_wanted_reports))
                await self._send_beside()
                step = await self._deliver(self._dispatcher.advance, ahead)
            except Unavailable as exc:
                log.warning("sending waits for the database", reason=str(exc))
                await _pause(_RETRY_DATABASE_S)
                continue
            claimed = step.claimed
            self._outbox.put(step.outgoing)
            if step.changed:
                self._tell(Notice(labels=step.changed))
            if not claimed and step.looked_at < BATCH_MOST:
                await _first_of(self._due, POLL_S)

    async def _send_beside(self) -> None:
        """Send what is no price of now: people's commands, and pictures for a later moment."""
        now_s = asyncio.get_running_loop().time()
        if now_s < self._beside_at_s:
            return
        self._beside_at_s = now_s + BESIDE_S
        await self._begin_due()
        if self._signals is not None:
            self._outbox.put(await self._deliver(self._signals.step))
        if self._staging is not None:
            ahead = await self._deliver(self._staging.step)
            self._outbox.put(ahead.outgoing)
            if ahead.outgoing:
                self._due.set()  # there may be more of it

    async def _begin_due(self) -> None:
        """Let prices and flips begin whose moment has come, whether anything can be sent or not."""
        if self._upkeep is not None:
            turned = await self._deliver(self._upkeep.turn_prices)
            if turned:
                self._tell(Notice(labels=turned))
        if self._staging is not None:
            begun = await self._deliver(self._staging.begin_flips)
            if begun:
                self._tell(Notice(labels=tuple(label for one in begun for label in one.labels)))

    async def _warm_up(self) -> None:
        """Use the time until the gateways are back."""
        try:
            await self._deliver(self._dispatcher.warm_up)
        except Unavailable as exc:
            log.warning("warming up waits for the database", reason=str(exc))

    def _publish(self, outgoing: Outgoing) -> Acknowledgement:
        topic = down_topic(outgoing.gateway_id)
        return self._mqtt.send(topic, outgoing.payload, expires_s=EXPIRES_AFTER_S)

    def _note_unsent(self, gateway_id: GatewayId, label_ids: frozenset[LabelId]) -> None:
        self._unsent[gateway_id] |= label_ids
        self._due.set()

    def _note_published(self, outgoing: Outgoing) -> None:
        if self._ledger is not None:
            self._ledger.note(outgoing)

    def _write_ledger(self) -> None:
        """Write down what the broker took; what cannot be now is the next time."""
        if self._ledger is None:
            return
        try:
            self._ledger.write()
        except Unavailable as exc:
            log.warning("signatures of payloads wait for the database", reason=str(exc))

    async def _release_unsent(self) -> None:
        unsent = dict(self._unsent)
        self._unsent.clear()
        await self._deliver(self._dispatcher.release, unsent)

    async def _keep_time(self) -> None:
        while True:
            await _pause(HOUSEKEEPING_S)
            try:
                step = await asyncio.to_thread(self._clock.step)
                turned: tuple[LabelId, ...] = ()
                if self._upkeep is not None:
                    turned = await asyncio.to_thread(self._upkeep.step)
                await asyncio.to_thread(self._write_ledger)
            except Unavailable as exc:
                log.warning("housekeeping waits for the database", reason=str(exc))
                continue
            if turned:
                self._due.set()
                self._tell(Notice(labels=turned))
            if step.silent:
                self._tell(Notice(gateways=True))

    async def _watch_broker(self) -> None:
        """Say once when the broker is lost or not there at the start, and once when it is back."""
        said_lost = False
        await _first_of(self._mqtt.connected, BROKER_WITHIN_S)
        while True:
            if self._mqtt.connected.is_set():
                if said_lost:
                    log.info("broker is back")
                    said_lost = False
            elif not said_lost:
                log.warning(
                    "broker is not connected, so nothing is delivered; it is tried on",
                    broker=self._mqtt.place,
                    reason=self._mqtt.refusal or "it does not answer",
                )
                said_lost = True
            await _pause(POLL_S)


class _Pace:
    """Keeps `PACE_S` between the beginnings of steps."""

    def __init__(self) -> None:
        self._next_s = 0.0

    async def keep(self) -> None:
        """Wait until the next step may begin."""
        loop = asyncio.get_running_loop()
        if (wait_s := self._next_s - loop.time()) > 0:
            await _pause(wait_s)
        self._next_s = loop.time() + PACE_S


async def _first_of(event: asyncio.Event, longest_s: float) -> None:
    """Wait for an event, but no longer than this."""
    try:
        async with asyncio.timeout(longest_s):
            await event.wait()
    except TimeoutError:
        pass


async def _pause(seconds: float) -> None:
    await _first_of(asyncio.Event(), seconds)
