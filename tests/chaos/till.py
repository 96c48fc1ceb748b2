"""The shop's programs: they send prices, wait, and send again until they are answered.

new price ─▶ numbered ─▶ (late?) ─▶ post ─▶ answer in time? ─▶ done
                                     ▲           │ no: lost, refused, controller away
                                     └── 5 s ────┘ the same key and body
"""

from collections.abc import Callable, Sequence
from typing import Protocol

from tests.chaos.model import Change
from tests.chaos.oracles import Oracles
from tests.chaos.requests import (
    Request,
    can_unpair,
    name_request,
    pair_request,
    price_request,
    unpair_request,
)
from tests.chaos.world import World

PATIENCE_S = 5.0

Answered = Callable[[str | None], None]
"""Called with the answer; None is a refusal that may be tried again."""


class Door(Protocol):
    """A controller's front door."""

    name: str

    def post(self, requests: Sequence[tuple[Request, Answered]]) -> bool:
        """Take requests in together; False if nobody opens."""


class Till:
    """Everything that asks something of the controllers."""

    def __init__(
        self,
        world: World,
        doors: Sequence[Door],
        oracles: Oracles,
        *,
        skus: Sequence[str],
        labels: Sequence[str],
        every_s: float,
    ) -> None:
        self._world = world
        self._doors = doors
        self._oracles = oracles
        self._skus = skus
        self._labels = labels
        self._every_s = every_s
        self._number = 0
        self._seqs = dict.fromkeys(skus, 0)
        self.open: dict[str, Request] = {}
        self.stopped = False

    def begin(self) -> None:
        """Start the day."""
        self._world.after(self._pause_s(), self._trade)

    def _pause_s(self) -> float:
        return self._world.random.expovariate(1 / self._every_s)

    def _trade(self) -> None:
        if self.stopped:
            return
        world = self._world
        burst = 1 if world.random.random() > 0.1 else world.random.randint(2, 4)
        for _ in range(burst):
            request = self.invent()
            late_s = world.between(1, 60) if world.happens(0.1) else 0.0
            if late_s:
                world.count("request late", request.key)
            self.ask(request, late_s)
        world.after(self._pause_s(), self._trade)

    def ask(self, request: Request, late_s: float = 0.0) -> None:
        """Ask until it is answered."""
        self.open[request.key] = request
        self._world.after(late_s, self._post, request)

    # -- what is asked -------------------------------------------------------------------------

    def invent(self) -> Request:
        """Think of something to ask."""
        random = self._world.random
        self._number += 1
        key = f"key-{self._number}"
        kind = random.random()
        if kind < 0.06:
            return pair_request(key, random.choice(self._labels), random.choice(self._skus))
        if kind < 0.10 and can_unpair():
            return unpair_request(key, random.choice(self._labels))
        if kind < 0.13:
            return name_request(key, random.choice(self._skus), f"Jogurt {self._number}")
        count = 1 if random.random() < 0.8 else random.randint(2, 4)
        skus = random.sample(list(self._skus), min(count, len(self._skus)))
        return price_request(key, [self._price(sku) for sku in skus])

    def _price(self, sku: str) -> Change:
        random = self._world.random
        # Few different prices: going back to an earlier one is where shortcuts lie.
        price = random.choice((99, 129, 149)) if random.random() < 0.5 else random.randint(1, 9999)
        was = price + 50 if random.random() < 0.2 else None
        badge = "AKCIJA" if random.random() < 0.2 else None
        if random.random() < 0.12:
            return Change(sku=sku, price_minor=price, was_minor=was, badge=badge, source="office")
        self._seqs[sku] += 1
        return Change(sku=sku, price_minor=price, was_minor=was, badge=badge, seq=self._seqs[sku])

    # -- asking --------------------------------------------------------------------------------

    def _post(self, request: Request) -> None:
        if request.key not in self.open:
            return
        self._send(request)
        self._world.after(PATIENCE_S * self._world.between(1.0, 1.3), self._post, request)
        if self._world.happens(0.04):
            self._world.after(self._world.between(0.0, 30.0), self._repeat, request)
        if self._world.happens(0.02):
            self._world.after(self._world.between(0.0, 30.0), self._contradict, request)

    def _repeat(self, request: Request) -> None:
        self._world.count("request repeated", request.key)
        self._send(request)

    def _contradict(self, request: Request) -> None:
        """Use a key again for something else: it must change nothing."""
        if request.key in self.open:
            return
        self._world.count("key used twice", request.key)
        other = Request(request.key, request.body + "!", request.do, request.happened)
        self._send(other, contradicts=True)

    def _send(self, request: Request, *, contradicts: bool = False) -> None:
        world = self._world
        door = world.random.choice(list(self._doors))

        def answered(answer: str | None) -> None:
            if contradicts:
                self._oracles.check_conflict(request.key, answer)
            elif answer is not None:
                if world.happens(0.03):
                    world.count("answer lost", request.key)
                    return
                self.open.pop(request.key, None)
                self._oracles.note_answer(request.key, answer)

        def arrive() -> None:
            opened = door.post([(request, answered)])
            if not opened:
                world.note(f"{door.name} does not open for {request.key}")

        world.after(world.between(0.001, 0.05), arrive)
