"""The office: machines and people of other stores, whose rights come and go while they work.

::

    now and then        a token, a person, a role, a session is made or taken away
                        somebody, also one from whom it was taken, sends a price or decides about
                        one that waits: in a store of their own, in another, in the shop itself

Its chance is its own, so that what it does disturbs nothing of the shop's history but the database
that they share. It asks again, with the same key, until it is answered.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from random import Random
from typing import Any

from sqlalchemy import Connection, text

from esl.domain.access import ALL_STORES, Principal, Role, Scope
from esl.domain.errors import Conflict, Forbidden, NotSignedIn, UnknownStore
from esl.domain.guards import Guards, Limits
from esl.domain.ids import Sku, SourceId, StoreId
from esl.domain.person import RoleHeld
from esl.domain.pricing import PriceChange
from esl.intake.product_json import ProductPut
from esl.services import access, catalogue, guarding, people, quarantine
from esl.services.people import NewPerson
from esl.services.pricing import apply_price_changes
from esl.store import access as access_rows
from tests.builders import STORE, a_product, a_store
from tests.chaos.access_oracle import APPROVE, OFFICE_STORES, WRITE, Human, Machine
from tests.chaos.model import Model
from tests.chaos.oracles import Oracles
from tests.chaos.process import Process
from tests.chaos.requests import Request
from tests.chaos.world import World

AGAIN_S = 7.0
FIRST_PRICE = 1_000
SOURCE = SourceId("office")
OWNER = Principal(name="person:owner", scopes=frozenset(Scope), stores=frozenset({ALL_STORES}))

_SKUS = {store: (f"{store}-0", f"{store}-1") for store in OFFICE_STORES}
_SKUS_OF = {**_SKUS, str(STORE): ("sku-0",)}
_OPEN = text(
    "SELECT quarantine_id FROM quarantine WHERE store_id = :store AND sku = :sku"
    " AND state = 'open' ORDER BY quarantine_id"
)
_LIMITS = Limits(changes_a_day=None, bulk_permille=None)


def open_office(tx: Connection, oracles: Oracles, now: datetime) -> None:
    """Set its stores up: products, prices, and guards that let no price jump."""
    for store in OFFICE_STORES:
        store_id = StoreId(store)
        catalogue.put_store(tx, a_store(store_id), now)
        guards = Guards(limits=_LIMITS)
        guarding.put_guards(tx, store_id, guards, now, actor="tests", reason="the office's")
        products = [a_product(sku, store_id=store_id) for sku in _SKUS[store]]
        put = [ProductPut(product=product, price=None) for product in products]
        catalogue.put_products(tx, store_id, put, now, actor="tests")
        changes = [_change(store, sku, FIRST_PRICE) for sku in _SKUS[store]]
        apply_price_changes(tx, store_id, changes, now, actor="tests")
        oracles.access.prices |= {(store, sku): FIRST_PRICE for sku in _SKUS[store]}


class Office:
    """Everything that its machines and people ask."""

    def __init__(
        self, world: World, doors: Sequence[Process], oracles: Oracles, *, every_s: float | None
    ) -> None:
        self._every_s = every_s
        self._world = world
        self._doors = doors
        self._oracles = oracles
        self._random = Random(f"office {world.seed}")
        self._number = 0
        self._open: set[str] = set()
        self.stopped = False

    def begin(self) -> None:
        """Start the day, where there is an office."""
        if self._every_s is not None:
            self._world.after(self._random.expovariate(1 / self._every_s), self._ask, self._every_s)

    def _ask(self, every_s: float) -> None:
        if self.stopped:
            return
        self._number += 1
        request = self._invent(f"office-{self._number}")
        self._open.add(request.key)
        self._send(request)
        self._world.after(self._random.expovariate(1 / every_s), self._ask, every_s)

    def _send(self, request: Request) -> None:
        if request.key not in self._open:
            return
        door = self._random.choice(list(self._doors))

        def answered(answer: str | None) -> None:
            if answer is not None:
                self._open.discard(request.key)

        door.post([(request, answered)], wakes=False)
        self._world.after(AGAIN_S, self._send, request)

    # -- what is asked -------------------------------------------------------------------------

    def _invent(self, key: str) -> Request:
        known, random = self._oracles.access, self._random
        kind = random.random()
        machines, folk = sorted(known.machines), sorted(known.people)
        if kind < 0.12 or not machines:
            return self._new_token(key)
        if kind < 0.24 or not folk:
            return self._new_person(key)
        if kind < 0.32:
            return self._revoke(key, random.choice(machines))
        if kind < 0.52:
            person = random.choice(folk)
            act = random.choice((self._sign_in, self._sign_in, self._roles, self._close))
            return act(key, person)
        who = random.choice((*machines, *folk)[-12:])
        store = random.choice((*OFFICE_STORES, *OFFICE_STORES, str(STORE)))
        waiting = [at for at in sorted(known.waiting) if at[0] == store]
        if waiting and random.random() < 0.6:
            verb, at = random.choice(("approve", "approve", "reject")), random.choice(waiting)
            who = known.waiting[at].sent_by if random.random() < 0.3 else who
            return self._decide(key, who, at, verb)
        at = (store, random.choice(_SKUS_OF[store]))
        held = known.prices.get(at, FIRST_PRICE)
        wild = held * 7 if held < 2_000 else held // 7
        price = wild if random.random() < 0.35 else held + random.randint(-held // 50, held // 50)
        return self._price(key, who, at, max(2, price))

    def _new_token(self, key: str) -> Request:
        both = (WRITE, APPROVE)
        scopes = self._random.choice(((WRITE,), (APPROVE,), both, both, ("price:read",)))
        stores = self._random.choice((OFFICE_STORES[:1], OFFICE_STORES[1:], OFFICE_STORES))
        name = f"t{self._number}"

        def do(tx: Connection, now: datetime) -> Any:
            access.create_token(
                tx,
                token_id=name,
                secret=_secret(name),
                name=name,
                scopes=[Scope(scope) for scope in scopes],
                stores=stores,
                now=now,
            )
            return "made"

        def happened(_: Model, given: Any) -> Any:
            machine = Machine(scopes=frozenset(scopes), stores=frozenset(stores))
            self._oracles.access.machines[f"token:{name}"] = machine
            return given

        return Request(key, f"token {name} {scopes} {stores}", do, happened)

    def _revoke(self, key: str, who: str) -> Request:
        def do(tx: Connection, now: datetime) -> Any:
            access.revoke_token(tx, who.removeprefix("token:"), now)
            return "revoked"

        def happened(_: Model, given: Any) -> Any:
            self._oracles.access.machines[who].revoked = True
            return given

        return Request(key, f"revoke {who}", do, happened)

    def _new_person(self, key: str) -> Request:
        name, roles = f"p{self._number}", self._draw_roles()

        def do(tx: Connection, now: datetime) -> Any:
            new = NewPerson(sign_in_name=name, display_name=name, roles=_held(roles))
            people.add_person(tx, OWNER, new, person_id=name, now=now)
            return "added"

        def happened(_: Model, given: Any) -> Any:
            self._oracles.access.people[f"person:{name}"] = Human(roles=roles)
            self._expect(key, "person_added", f"person/{name}")
            return given

        return Request(key, f"person {name} {roles}", do, happened)

    def _sign_in(self, key: str, who: str) -> Request:
        name = who.removeprefix("person:")

        def do(tx: Connection, now: datetime) -> Any:
            hashed = access.hash_secret(_secret(name))
            access_rows.end_session(tx, hashed)
            access_rows.add_session(
                tx,
                secret_sha256=hashed,
                person=name,
                now=now,
                expires_at=now + access.SESSION_LASTS,
            )
            return now.isoformat()

        def happened(_: Model, given: Any) -> Any:
            self._oracles.access.people[who].signed_in = datetime.fromisoformat(given)
            return given

        return Request(key, f"sign in {who}", do, happened)

    def _roles(self, key: str, who: str) -> Request:
        name, roles = who.removeprefix("person:"), self._draw_roles()

        def do(tx: Connection, now: datetime) -> Any:
            people.set_roles(tx, OWNER, name, _held(roles), now)
            return "set"

        def happened(_: Model, given: Any) -> Any:
            human = self._oracles.access.people[who]
            if roles != human.roles:
                self._expect(key, "person_roles", f"person/{name}")
            if human.roles.items() - roles.items():
                human.signed_in = None
            human.roles = roles
            return given

        return Request(key, f"roles {who} {roles}", do, happened)

    def _close(self, key: str, who: str) -> Request:
        name, reopens = who.removeprefix("person:"), self._random.random() < 0.5

        def do(tx: Connection, now: datetime) -> Any:
            (people.reopen if reopens else people.close)(tx, OWNER, name, now)
            return "done"

        def happened(_: Model, given: Any) -> Any:
            human = self._oracles.access.people[who]
            if human.closed is reopens:
                action = "person_enabled" if reopens else "person_disabled"
                self._expect(key, action, f"person/{name}")
            if not reopens and not human.closed:
                human.signed_in = None
            human.closed = not reopens
            return given

        return Request(key, f"{'reopen' if reopens else 'close'} {who}", do, happened)

    # -- what they do with it --------------------------------------------------------------------

    def _price(self, key: str, who: str, at: tuple[str, str], price: int) -> Request:
        store, sku = at
        of = f"{key}: {who} sends {price} for {at}"

        def work(tx: Connection, asker: Principal, now: datetime) -> str:
            if tx.execute(_OPEN, {"store": store, "sku": sku}).first() is not None:
                return "waits"
            change = [_change(store, sku, price)]
            applied = apply_price_changes(tx, StoreId(store), change, now, actor=asker.name)
            return applied.results[0].decision.value

        def happened(_: Model, given: Any) -> Any:
            known = self._oracles.access
            said, now = given[0], datetime.fromisoformat(given[1])
            if known.judge(of, known.gate(who, store, WRITE, now), said):
                known.take_price(of, at, price, who, said)
                if said != "waits":
                    left = ("price", store, sku, str(SOURCE), said)
                    self._oracles.audit.expect(of, [left])
            known.check_books(of)
            return given

        return Request(key, of, _at_the_door(who, store, WRITE, work), happened)

    def _decide(self, key: str, who: str, at: tuple[str, str], verb: str) -> Request:
        store, sku = at
        of = f"{key}: {who} would {verb} {at}"
        verdict = quarantine.approve if verb == "approve" else quarantine.reject
        numbers: list[int] = []

        def work(tx: Connection, asker: Principal, now: datetime) -> str:
            numbers[:] = tx.execute(_OPEN, {"store": store, "sku": sku}).scalars()
            if not numbers:
                return "nothing waits"
            try:
                with tx.begin_nested():
                    verdict(tx, StoreId(store), numbers, now, by=asker.name)
            except Conflict:
                return "own"
            return verb

        def happened(_: Model, given: Any) -> Any:
            known = self._oracles.access
            said, now = given[0], datetime.fromisoformat(given[1])
            let_in = known.judge(of, known.gate(who, store, APPROVE, now), said)
            if let_in and known.rule(of, at, verb, who, said):
                left = [("entry", verb, f"price/{number}") for number in numbers]
                self._oracles.audit.expect(of, left)
            known.check_books(of)
            return given

        return Request(key, of, _at_the_door(who, store, APPROVE, work), happened)

    def _draw_roles(self) -> dict[str, str]:
        stores = self._random.choice((OFFICE_STORES[:1], OFFICE_STORES[1:], OFFICE_STORES))
        return {store: self._random.choice(list(Role)).value for store in stores}

    def _expect(self, of: str, action: str, subject: str) -> None:
        self._oracles.audit.expect(of, [("entry", action, subject)])


def _at_the_door(
    who: str, store: str, right: str, work: Callable[[Connection, Principal, datetime], str]
) -> Callable[[Connection, datetime], Any]:
    """Ask who it is and whether they may, as ``api.auth`` and ``api.doors`` do; then work."""
    kind, _, name = who.partition(":")

    def do(tx: Connection, now: datetime) -> Any:
        try:
            if kind == "token":
                asker = access.principal_of_token(tx, f"esl_{name}_{_secret(name)}")
            else:
                asker = access.principal_of_session(tx, _secret(name), now)
            asker.require(Scope(right), StoreId(store))
        except NotSignedIn:
            return ["nobody", now.isoformat()]
        except UnknownStore:
            return ["no such store", now.isoformat()]
        except Forbidden:
            return ["forbidden", now.isoformat()]
        return [work(tx, asker, now), now.isoformat()]

    return do


def _change(store: str, sku: str, price: int) -> PriceChange:
    return PriceChange(
        store_id=StoreId(store), sku=Sku(sku), price_minor=price, currency="EUR", source=SOURCE
    )


def _held(roles: dict[str, str]) -> frozenset[RoleHeld]:
    return frozenset(RoleHeld(store=store, role=Role(role)) for store, role in roles.items())


def _secret(name: str) -> str:
    return f"secret-of-{name}"
