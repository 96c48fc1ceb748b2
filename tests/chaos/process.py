"""One controller process: product code on a simulated machine, network and disk.

Built like `api.house`, driven like `gateway.worker`, one synchronous step an event:

    MQTT ──▶ inbox.step                          every pace, when something was heard
    wake ──▶ dispatcher.begin │ draw, finish │ outbox …      a crash or a pause may fall between
    tick ──▶ clock.step, upkeep.step             every 5 s
    HTTP ──▶ answer_once in the writer           its answer leaves after the commit

A crash drops every object; a start makes new ones on the same file.
"""

import traceback
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from datetime import datetime
from random import Random
from typing import TypeVar

from sqlalchemy import Connection

from esl.domain.errors import EslError, IdempotencyConflict, Unavailable
from esl.domain.ids import GatewayId, LabelId
from esl.store.write_group import Priority
from gateway.batch import Batch
from gateway.dispatcher import BATCH_MOST
from gateway.link import Outgoing
from gateway.mqtt import Acknowledgement, MqttError, MqttMessage
from gateway.wire.topics import down_topic
from gateway.worker import HOUSEKEEPING_S, MESSAGES_MOST, POLL_S, TOPICS
from tests.builders import KEY
from tests.chaos.broker import Broker, Client
from tests.chaos.clocks import MachineClocks
from tests.chaos.controller import Controller
from tests.chaos.disk import Disk
from tests.chaos.glass import ReadableRenderer
from tests.chaos.oracles import Oracles
from tests.chaos.profile import Profile
from tests.chaos.requests import Request
from tests.chaos.world import Crash, Violation, World

Answered = Callable[[str | None], None]
Result = TypeVar("Result")

PUBACK_PATIENCE_S = 10.0
BESIDE_S = 5.0  # looks for commands and flips, rarer than the product's: they cost most of a seed
UPKEEP_S = 20.0
SEALS_MOST = 5  # pieces of work between two looks
EXPIRES_WITHIN_S = 20.0  # a chore is left out that was done a moment before the database failed
_RETRY_S = 1.0
_RECONNECT_S = (0.5, 5.0)
_INBOX_LONGEST = 5000


class Process:
    """A controller that starts, works, is paused, dies and starts again."""

    def __init__(
        self,
        name: str,
        *,
        world: World,
        broker: Broker,
        disk: Disk,
        oracles: Oracles,
        profile: Profile,
        happened: Callable[[Request, str, datetime], None],
    ) -> None:
        self.name = name
        self.clocks = MachineClocks(world)
        self.disk = disk
        self.renderer = ReadableRenderer()
        self.client = Client(name, TOPICS, self._hear, self._lost)
        self.key = KEY
        self.running = False
        self.paused_until_s = 0.0
        self.dies_publishing: int | None = None
        self.controller: Controller | None = None
        self.window = world.random.choice((2, 8, 256))
        self.pace_s = world.random.choice((0.05, 0.3, 1.0))
        self.draws_s = world.random.choice((0.0, 0.05, 0.5))
        self.claims_ahead = world.random.random() < 0.5
        self._world = world
        self._broker = broker
        self._oracles = oracles
        self._profile = profile
        self._happened = happened
        self._run = 0
        self._inbox: list[MqttMessage] = []
        self._listening = False
        self._dispatch_at_s: float | None = None
        self._dispatching = False
        self._beside_at_s = self._upkeep_at_s = 0.0
        self._claimed: tuple[LabelId, ...] = ()
        self._unsent: dict[GatewayId, frozenset[LabelId]] = {}
        self._done_now: list[tuple[Request, str, datetime]] = []
        self._begins_flips: datetime | None = None  # by its clock, while it does
        disk.committed = self._committed
        disk.begun = self._done_now.clear

    # -- life ----------------------------------------------------------------------------------

    def start(self) -> None:
        """Begin to run, if it does not."""
        if self.running:
            return
        try:
            self.controller = Controller(
                self.disk,
                self.clocks,
                self._profile,
                renderer=self.renderer,
                random=Random(self._world.random.random()),
                window=self.window,
                key=self.key,
                send=self._send,
                unsent=self._note_unsent,
            )
        except Unavailable:
            self._world.after(5.0, self._start_unless_stopped)
            return
        except Crash as crash:
            self._world.count(f"controller dies {crash}", f"{self.name}, as it starts")
            self.disk.drop()
            self._world.after(5.0, self._start_unless_stopped)
            return
        self.running = True
        self._run += 1
        self._world.note(f"{self.name} starts")
        self._world.after(self._world.between(0.1, 2.0), self._connect, self._run)
        self._world.after(HOUSEKEEPING_S, self._keep_time, self._run)
        self._wake(0.1)

    def crash(self, why: str) -> None:
        """Die."""
        if not self.running:
            return
        self._world.count(f"controller dies {why}", self.name)
        self.stop()
        self._world.after(self._world.between(1.0, 40.0), self._start_unless_stopped)

    def stop(self) -> None:
        """Vanish without a word."""
        self.running = False
        self._run += 1
        self.controller = None
        self._broker.drop(self.client)
        self.disk.drop()
        self.dies_publishing = None
        self.paused_until_s = 0.0
        self._inbox.clear()
        self._claimed, self._unsent = (), {}
        self._listening = self._dispatching = False
        self._dispatch_at_s = None

    wanted = True
    """Whether it is started again after it died."""

    def _start_unless_stopped(self) -> None:
        if self.wanted:
            self.start()

    def _guarded(self, run: int, step: Callable[[Controller], None]) -> None:
        """Take a step of a run, unless that run is over; a pause puts it off."""
        if run != self._run or self.controller is None:
            return
        if self._world.now_s < self.paused_until_s:
            self._world.after(self.paused_until_s - self._world.now_s, self._guarded, run, step)
            return
        try:
            step(self.controller)
        except Crash as crash:
            self.crash(str(crash))
        except Violation:
            raise
        except Exception as exc:
            # In the product this ends a loop, and the process with it.
            where = "".join(traceback.format_exception(exc)[-3:])
            raise Violation("alive", f"{self.name} fails: {exc!r}\n{where}") from exc
        self._oracles.check_books()

    # -- MQTT ----------------------------------------------------------------------------------

    def _connect(self, run: int) -> None:
        if run != self._run or self.client.connected:
            return
        if self._world.now_s < self.paused_until_s:
            self._world.after(self.paused_until_s - self._world.now_s, self._connect, run)
            return
        if self._broker.connect(self.client):
            self._wake(0.0)
        else:
            self._world.after(self._world.between(*_RECONNECT_S), self._connect, run)

    def _lost(self) -> None:
        if self.running:
            self._world.after(self._world.between(*_RECONNECT_S), self._connect, self._run)

    def _hear(self, message: MqttMessage) -> None:
        if not self.running:
            return
        self._inbox.append(message)
        self._oracles.check("I6", len(self._inbox) < _INBOX_LONGEST, "the inbox overflows")
        self._listen(self.pace_s)

    def _listen(self, delay_s: float) -> None:
        if not self._listening:
            self._listening = True
            self._world.after(delay_s, self._guarded, self._run, self._take_in)

    def _take_in(self, controller: Controller) -> None:
        self._listening = False
        batch, rest = self._inbox[:MESSAGES_MOST], self._inbox[MESSAGES_MOST:]
        try:
            step = controller.inbox.step(batch)
        except Unavailable:
            self._listen(_RETRY_S)
            return
        self._inbox[:] = rest
        if rest:
            self._listen(self.pace_s)
        controller.dispatcher.want_reports(step.ask)
        if step.changed or step.due or step.ask:
            self._wake(0.0)

    # -- sending -------------------------------------------------------------------------------

    def _wake(self, delay_s: float) -> None:
        at_s = self._world.now_s + delay_s
        if self._dispatching or (self._dispatch_at_s is not None and self._dispatch_at_s <= at_s):
            return
        self._dispatch_at_s = at_s
        self._world.after(delay_s, self._guarded, self._run, self._dispatch)

    def _dispatch(self, controller: Controller) -> None:
        if self._dispatching or self._dispatch_at_s is None:
            return
        if self._dispatch_at_s > self._world.now_s + 1e-6:
            return  # woken sooner meanwhile, and done
        self._dispatch_at_s = None
        ahead, self._claimed = self._claimed, ()
        dispatcher = controller.dispatcher
        try:
            if self._unsent:
                unsent, self._unsent = self._unsent, {}
                dispatcher.release(unsent)
            if not self.client.connected:
                if ahead:
                    dispatcher.let_go(ahead)
                self._wake(POLL_S)
                return
            controller.outbox.put(dispatcher.ask_wanted_reports())
            self._send_beside(controller)
            batch = dispatcher.begin(ahead)
        except Unavailable:
            self._wake(_RETRY_S)
            return
        if batch is None:
            self._wake(POLL_S)
            return
        # What would have woken it meanwhile comes too early, and `_draw` wakes it anyway.
        self._dispatching, self._dispatch_at_s = True, None
        self._world.after(
            self.draws_s * self._world.random.random(),
            self._guarded,
            self._run,
            lambda controller: self._draw(controller, batch),
        )

    def _send_beside(self, controller: Controller) -> None:
        now_s = self._world.now_s
        if now_s < self._beside_at_s:
            return
        self._beside_at_s = now_s + BESIDE_S
        controller.outbox.put(controller.signals.step())
        self._begin_flips(controller)
        ahead = controller.staging.step()
        controller.outbox.put(ahead.outgoing)
        if ahead.outgoing:
            self._wake(self.pace_s)

    def _begin_flips(self, controller: Controller) -> None:
        self._begins_flips = now = controller.time.now()
        try:
            controller.staging.begin_flips()
        finally:
            self._begins_flips = None
        self._oracles.edges.check_none_left(now)

    def _draw(self, controller: Controller, batch: Batch) -> None:
        self._dispatching = False
        draft = controller.dispatcher.draw(batch)
        try:
            step = controller.dispatcher.finish(draft, claim_next=self.claims_ahead)
        except Unavailable:
            self._wake(_RETRY_S)
            return
        self._claimed = step.claimed
        self._publish(controller, step.outgoing)
        self._wake(self.pace_s if step.claimed or step.looked_at >= BATCH_MOST else POLL_S)

    def _publish(self, controller: Controller, outgoing: Sequence[Outgoing]) -> None:
        controller.outbox.put(outgoing)

    def _send(self, sent: Outgoing) -> Acknowledgement:
        """Begin to publish, as `MqttConnection.send` does: the answer comes later, if it comes."""
        if self.dies_publishing is not None:
            self.dies_publishing -= 1
            if self.dies_publishing < 0:
                raise Crash("before it publishes")
        self._oracles.watch_down(sent.payload)
        self._world.note(f"{self.name} sends {sent.gateway_id} {sorted(sent.label_ids)}")
        message = MqttMessage(down_topic(sent.gateway_id), sent.payload, retained=False)
        taken = self._broker.publish(self.client, message)
        acknowledged: Future[bool] = Future()

        def answer(_controller: Controller) -> None:
            if taken:
                acknowledged.set_result(True)
            else:
                acknowledged.set_exception(MqttError("not acknowledged in time"))

        wait_s = self._world.between(0.005, 0.1) if taken else PUBACK_PATIENCE_S
        self._world.after(wait_s, self._guarded, self._run, answer)
        return acknowledged  # type: ignore[return-value]  waits like one, without a loop

    def _note_unsent(self, gateway_id: GatewayId, label_ids: frozenset[LabelId]) -> None:
        self._unsent[gateway_id] = self._unsent.get(gateway_id, frozenset()) | label_ids
        self._wake(0.0)

    # -- time ----------------------------------------------------------------------------------

    def _keep_time(self, run: int) -> None:
        def step(controller: Controller) -> None:
            try:
                controller.house_clock.step()
                if self._world.now_s >= self._upkeep_at_s:
                    controller.upkeep.step()
                    controller.ledger.write()
                    self._upkeep_at_s = self._world.now_s + UPKEEP_S
                    now = controller.time.now()
                    self._oracles.orders.check_all(now, slack_s=EXPIRES_WITHIN_S)
                    if self._profile.office_every_s is not None:
                        self._seal(controller)
            except Unavailable:
                pass  # the next step does it

        self._guarded(run, step)
        if run == self._run:
            self._world.after(HOUSEKEEPING_S, self._keep_time, run)

    def _seal(self, controller: Controller) -> None:
        """Seal what was committed, as `api.audit.keeper` does; a crash may fall anywhere in it."""
        self._oracles.audit.hear(controller.time.now())
        for _ in range(SEALS_MOST):
            if not controller.sealing.step():
                break
        made = controller.sealing.checkpoint(controller.key.sign, controller.key.public_key)
        if made is not None:
            self._oracles.audit.kept.append(made)

    # -- HTTP ----------------------------------------------------------------------------------

    def post(self, requests: Sequence[tuple[Request, Answered]], *, wakes: bool = True) -> bool:
        """Take requests in together; answer each after the commit. False if nobody opens.

        Without ``wakes`` they concern no label.
        """
        if self.controller is None or self._world.now_s < self.paused_until_s:
            return False
        run = self._run
        self._guarded(run, lambda controller: self._serve(controller, requests))
        if wakes and run == self._run:
            self._wake(0.0)
        return True

    def look_up(self, read: Callable[[Connection], Result]) -> Result | None:
        """Answer a question; None if nobody does."""
        answers: list[Result] = []

        def step(controller: Controller) -> None:
            del controller
            try:
                with self.disk.database.read() as tx:
                    answers.append(read(tx))
            except Unavailable:
                pass  # it is asked again

        if self._world.now_s >= self.paused_until_s:
            self._guarded(self._run, step)
        return answers[0] if answers else None

    def _serve(self, controller: Controller, requests: Sequence[tuple[Request, Answered]]) -> None:
        now = controller.time.now()
        waiting = [
            (controller.writer.submit(self._work(request, now), priority=Priority.CHANGE), answered)
            for request, answered in requests
        ]
        controller.writer.run()
        for future, answered in waiting:
            try:
                answered(future.result())
            except IdempotencyConflict:
                answered("409")
            except Unavailable:
                answered(None)
            except EslError as exc:
                self._oracles.check("I1", False, f"refused: {exc!r}")  # noqa: FBT003

    def _work(self, request: Request, now: datetime) -> Callable[[object], str]:
        def work(tx: object) -> str:
            answer, done = request.take_in(tx, now)  # type: ignore[arg-type]
            if done:
                self._done_now.append((request, answer.answer, now))
            return answer.answer

        return work

    def _committed(self) -> None:
        done = list(self._done_now)
        self._done_now.clear()
        for request, answer, now in done:
            self._happened(request, answer, now)
        if self._begins_flips is not None:
            self._oracles.note_stirred(self._oracles.look_at_moments(self._begins_flips))
