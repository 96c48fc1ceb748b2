"""The shop's programs: they send prices, wait, and send again until they are answered.

new price ─▶ numbered ─▶ (late?) ─▶ post ─▶ answer in time? ─▶ done
                                     ▲           │ no: lost, refused, controller away
                                     └── 5 s ────┘ the same key and body
"""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Protocol

from tests.chaos.campaign_requests import (
    advance_request,
    campaign_request,
    invent_gives,
    invent_hours,
    stop_request,
)
from tests.chaos.campaigns import Campaign
from tests.chaos.errands import (
    cancel_request,
    order_request,
    plan_request,
    template_request,
    withdraw_request,
)
from tests.chaos.model import Change, Model
from tests.chaos.oracles import Oracles
from tests.chaos.requests import (
    Request,
    name_request,
    pair_request,
    price_request,
    unpair_request,
)
from tests.chaos.world import World

PATIENCE_S = 5.0

_PLANS = 0.8  # of seeds; the others plan no prices for a moment
_AHEAD_S = (40.0, 200.0, 900.0, 1800.0)

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
        model: Model,
        *,
        gateways: Sequence[str],
        every_s: float,
    ) -> None:
        self._world = world
        self._doors = doors
        self._oracles = oracles
        self._model = model
        self._skus = sorted(model.names)
        self._labels = sorted(model.shelves)
        self._gateways = gateways
        self._every_s = every_s
        self._number = 0
        self._seqs = dict.fromkeys(self._skus, 0)
        self._cancelled: list[str] = []  # products of the last flip that was
        self._errands = self._choose_errands()
        self.open: dict[str, Request] = {}
        self._called_off: set[int] = set()  # flips, at the end of the day
        self._ended: set[str] = set()  # promotions, likewise
        self._rolled = self._skus[-1]  # promotions that are rolled out in steps have it alone
        self.house_time: Callable[[], datetime] = world.wall
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
        self._number += 1
        key = f"key-{self._number}"
        kind = self._world.random.random()
        for below, make in self._errands:
            if kind < below:
                return make(key)
        random = self._world.random
        count = 1 if random.random() < 0.8 else random.randint(2, 4)
        skus = random.sample(self._skus, min(count, len(self._skus)))
        return price_request(key, [self._price(sku) for sku in skus])

    def _choose_errands(self) -> list[tuple[float, Callable[[str], Request]]]:
        """Say below which share of requests each kind lies that is no price."""
        choice = self._world.random.choice
        if self._model.is_safe:  # what holds a label back is what it costs, and nothing else
            return [
                (0.05, self._invent_order),
                (0.15, self._invent_flip),
                (0.45, self._invent_campaign),
            ]
        errands: list[tuple[float, Callable[[str], Request]]] = [
            (0.06, lambda key: pair_request(key, choice(self._labels), choice(self._skus))),
            (0.10, lambda key: unpair_request(key, choice(self._labels))),
            (0.13, lambda key: name_request(key, choice(self._skus), f"Jogurt {self._number}")),
            (0.16, lambda key: withdraw_request(key, choice(self._skus))),
            (0.21, self._invent_order),
        ]
        if self._model.template:
            errands.append((0.22, lambda key: template_request(key, self._number)))
        if self._world.random.random() < _PLANS:
            errands.append((0.36, self._invent_flip))
        if self._model.campaigns is not None:
            errands.append((0.62, self._invent_campaign))
        return errands

    def _invent_order(self, key: str) -> Request:
        choice = self._world.random.choice
        asked = choice(("led", "led", "report", "time", "config"))
        label, gateway = choice(self._labels), choice(list(self._gateways))
        return order_request(key, self._number, asked, label, gateway)

    def _invent_flip(self, key: str) -> Request:
        random, planned = self._world.random, self._model.planned()
        if planned and random.random() < 0.35:
            flip = random.choice(planned)
            self._cancelled = sorted(flip.changes)
            return cancel_request(key, flip.flip_id)
        skus = self._cancelled if random.random() < 0.5 else []
        skus = skus or random.sample(self._skus, random.randint(1, min(4, len(self._skus))))
        ahead_s = 2.0 + random.choice(_AHEAD_S) * random.random()
        show_at = (self._world.wall() + timedelta(seconds=ahead_s)).replace(microsecond=0)
        source = f"flip-{key}"
        changes = [
            Change(sku=sku, price_minor=random.randint(1, 9999), source=source) for sku in skus
        ]
        return plan_request(key, show_at, changes)

    def _invent_campaign(self, key: str) -> Request:
        random, campaigns = self._world.random, self._model.campaigns
        live = campaigns.live() if campaigns is not None else []
        if live and random.random() < 0.35:
            one = random.choice(live)
            if one.percents and random.random() < 0.6:
                return advance_request(key, one.name)
            return stop_request(key, one.name, gently=random.random() < 0.4)
        now = self.house_time()  # people plan by the clock of the controller
        hours = invent_hours(random, now)
        is_rolled = random.random() < 0.2 and not any(self._rolled in one.skus for one in live)
        some = random.sample(self._skus[:-1], random.randint(1, min(4, len(self._skus) - 1)))
        badge = f"AKCIJA {self._number}"
        one = Campaign(
            name=f"p-{self._number}",
            gives=invent_gives(random),
            priority=random.choice((0, 0, 0, 1, 5)),
            badge=badge if random.random() < 0.7 else None,
            skus=frozenset({self._rolled} if is_rolled else some),
            runs=[],
            percents=tuple(sorted(random.choices((10, 30, 60), k=2))) if is_rolled else (),
        )
        return campaign_request(key, one, hours)

    def end_day(self, now: datetime) -> None:
        """Ask for nothing more, and cancel the flips that lie ahead by the house's clock.

        Those whose moment has passed are left: if nobody begins them they were forgotten. To be
        said again while requests are open: one of them may plan another.
        """
        self.stopped = True
        for flip in self._model.planned():
            if flip.show_at <= now or flip.flip_id in self._called_off:
                continue
            self._called_off.add(flip.flip_id)
            self._number += 1
            self.ask(cancel_request(f"key-{self._number}", flip.flip_id))
        for one in self._model.campaigns.live() if self._model.campaigns is not None else ():
            if one.name not in self._ended:
                self._ended.add(one.name)
                self._number += 1
                self.ask(stop_request(f"key-{self._number}", one.name, gently=True))

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
                self._oracles.answers.check_conflict(request.key, answer)
            elif answer is not None:
                if world.happens(0.03):
                    world.count("answer lost", request.key)
                    return
                self.open.pop(request.key, None)
                self._oracles.answers.note(request.key, answer)

        def arrive() -> None:
            opened = door.post([(request, answered)])
            if not opened:
                world.note(f"{door.name} does not open for {request.key}")

        world.after(world.between(0.001, 0.05), arrive)
