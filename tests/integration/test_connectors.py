"""Connectors against small servers that answer as the shops do: nothing lost, nothing wrong."""

import contextlib
import random
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import Connection, text

from api.listeners.connectors import runner as runner_module
from api.listeners.connectors.addresses import AddressRules
from api.listeners.connectors.bigcommerce import BigCommerce
from api.listeners.connectors.erpnext import ErpNext
from api.listeners.connectors.fetch import Fetcher
from api.listeners.connectors.generic import GenericRest, Paging, RestRules
from api.listeners.connectors.magento import Magento
from api.listeners.connectors.odoo import Odoo
from api.listeners.connectors.place import Connector, Items, Page, objects_of
from api.listeners.connectors.runner import ConnectorRunner, Polled
from api.listeners.connectors.shopify import Shopify
from api.listeners.connectors.square import Square
from api.listeners.connectors.woocommerce import WooCommerce
from api.listeners.listened import Heard, Listened, Said
from esl.domain.clock import EffectiveClock
from esl.domain.entry import Entry
from esl.domain.ids import StoreId
from esl.intake.mapping.store_context import Place, StoreContext
from esl.intake.shops import shop_mapping
from esl.services import hooks
from esl.store import connectors
from esl.store.connectors import ConnectorState
from esl.store.database import Database
from esl.store.migrate import migrate
from esl.store.writer import Writer
from tests.fake_shops import (
    Asked,
    FakeBigCommerce,
    FakeErpNext,
    FakeMagento,
    FakeOdoo,
    FakeRest,
    FakeShop,
    FakeShopify,
    FakeSquare,
    FakeWooCommerce,
    Product,
    Reply,
    served,
)

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
CONTEXT = StoreContext(
    place=Place(store_id=StoreId("main"), currency="EUR", timezone=ZoneInfo("Europe/Zagreb"))
)
LOCAL = AddressRules.of_text("127.0.0.1")


def fetcher(shop: FakeShop, path: str = "", **how: Any) -> Fetcher:
    return Fetcher(base_url=shop.url + path, rules=LOCAL, **how)


def rest(shop: FakeShop, paging: Paging) -> GenericRest:
    rules = RestRules(
        path="api/items",
        items="data.items",
        paging=paging,
        page_param="after",
        page_size=FakeRest.page,
        since_param="changed_since",
        object_path="/api/items/{id}",
    )
    return GenericRest(fetcher=fetcher(shop, headers={"X-Key": "token"}), rules=rules)


def token(name: str, value: str) -> dict[str, dict[str, str]]:
    return {"headers": {name: value}}


def square(shop: FakeShop) -> Fetcher:
    headers = {"Authorization": "Bearer token", "Square-Version": "2025-01-23"}
    return fetcher(shop, headers=headers)


KINDS: dict[str, tuple[type[FakeShop], str, Callable[[FakeShop], Connector]]] = {
    "shopify": (
        FakeShopify,
        "shopify",
        lambda s: Shopify(fetcher=fetcher(s, **token("X-Shopify-Access-Token", "token"))),
    ),
    "woocommerce": (
        FakeWooCommerce,
        "woocommerce",
        lambda s: WooCommerce(fetcher=fetcher(s, auth=("ck_1", "cs_1"))),
    ),
    "erpnext": (
        FakeErpNext,
        "erpnext",
        lambda s: ErpNext(fetcher=fetcher(s, **token("Authorization", "token key:secret"))),
    ),
    "odoo": (
        FakeOdoo,
        "odoo",
        lambda s: Odoo(fetcher=fetcher(s), database="shop", login="esl", key="key"),
    ),
    "magento": (
        FakeMagento,
        "magento",
        lambda s: Magento(fetcher=fetcher(s, **token("Authorization", "Bearer token"))),
    ),
    "bigcommerce": (
        FakeBigCommerce,
        "bigcommerce",
        lambda s: BigCommerce(fetcher=fetcher(s, "/stores/hash", **token("X-Auth-Token", "token"))),
    ),
    "square": (FakeSquare, "square", lambda s: Square(fetcher=square(s))),
    "rest by key": (FakeRest, "own", lambda s: rest(s, Paging.KEYSET)),
    "rest by link": (FakeRest, "own", lambda s: rest(s, Paging.LINK)),
}
kinds = pytest.mark.parametrize("kind", KINDS)


@dataclass
class Machine:
    """A clock to turn."""

    at: datetime = NOON
    passed_s: float = 0.0

    def wall(self) -> datetime:
        return self.at

    def monotonic_s(self) -> float:
        return self.passed_s

    def pass_s(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)
        self.passed_s += seconds


@dataclass
class Bench:
    """A shop, its connector and a database that keeps what was taken, in the taking transaction."""

    shop: FakeShop
    polled: Polled
    database: Database
    writer: Writer
    machine: Machine
    clock: EffectiveClock
    told: list[list[Entry]] = field(default_factory=list)
    fail: bool = False

    def take(self, tx: Connection, source: str, entries: Sequence[Entry], _now: datetime) -> Heard:
        assert source == "shop"
        for entry in entries:
            tx.execute(
                text(
                    "INSERT INTO taken VALUES (:sku, :price) "
                    "ON CONFLICT (sku) DO UPDATE SET price = excluded.price"
                ),
                {"sku": entry.sku, "price": entry.price_minor},
            )
        if self.fail:
            raise Crash
        self.told.append(list(entries))
        return Heard(taken=len(entries))

    def runner(self) -> ConnectorRunner:
        return ConnectorRunner(
            self.database, self.writer, self.clock, self.take, polled=lambda: [self.polled]
        )

    def step(self) -> None:
        assert self.runner().step(self.polled)

    def state(self) -> ConnectorState:
        with self.database.read() as tx:
            return connectors.connector_state(tx, "shop", self.clock.now())

    def run(self) -> int:
        """Make steps until a run has ended; return how many there were."""
        runs, steps = self.state().runs, 0
        while self.state().runs == runs:
            due = self.state().due_at
            self.machine.pass_s(max(0.0, (due - self.clock.now()).total_seconds()))
            self.step()
            steps += 1
            assert steps < 300, f"no end: {self.state()}"
        return steps

    def taken(self) -> dict[str, int]:
        with self.database.read() as tx:
            return {row.sku: row.price for row in tx.execute(text("SELECT * FROM taken"))}


class Crash(Exception):
    """The process died here."""


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated database to copy."""
    path = tmp_path_factory.mktemp("empty") / "esl.db"
    database = Database(f"sqlite:///{path}")
    migrate(database, NOON)
    with database.writing.begin() as tx:
        tx.execute(text("CREATE TABLE taken (sku TEXT PRIMARY KEY, price INTEGER)"))
    database.close()
    return path


@pytest.fixture
def benches(empty: Path, tmp_path: Path) -> Iterator[Callable[..., Bench]]:
    with contextlib.ExitStack() as stack:

        def make(kind: str, *, products: int = 0, name: str = "esl") -> Bench:
            fake, mapping, connect = KINDS[kind]
            shop = stack.enter_context(served(fake()))
            for _ in range(products):
                shop.add(199)
            shutil.copy(empty, tmp_path / f"{name}.db")
            database = Database(f"sqlite:///{tmp_path}/{name}.db")
            stack.callback(database.close)
            machine = Machine()
            writer = Writer(database, machine.monotonic_s)
            writer.start()
            stack.callback(writer.close)
            connector = connect(shop)
            source = Listened(
                source_id="shop", mapping=shop_mapping(mapping), context=CONTEXT, is_polled=True
            )
            polled = Polled(source=source, connector=connector)
            return Bench(shop, polled, database, writer, machine, EffectiveClock(machine))

        yield make


def lost_while_it_reads(
    benches: Callable[..., Bench], kind: str, seed: int
) -> dict[str, tuple[int, int | None]]:
    """Change, delete and add products ahead of each answer; return the prices that were missed."""
    rng = random.Random(seed)
    bench = benches(kind, name=f"esl{seed}")
    bench.shop.between = timedelta(hours=3)  # beyond any overlap: that may save nothing
    for _ in range(int(KINDS[kind][0].page * 2.2)):
        bench.shop.add(199)

    def stir(shop: FakeShop, _asked: Asked) -> None:
        for _ in range(rng.randrange(6)):
            number = rng.choice([*shop.products, 0])
            match rng.randrange(3):
                case 0 if number:
                    shop.change(number, rng.randrange(1, 9999))
                case 1 if number and len(shop.products) > 3:
                    del shop.products[number]
                case _:
                    shop.add(rng.randrange(1, 9999))

    bench.shop.before = stir
    for _ in range(3):
        bench.run()
    bench.shop.before = lambda *_: None
    bench.run()
    taken = bench.taken()
    return {
        sku: (price, taken.get(sku))
        for sku, price in bench.shop.prices().items()
        if taken.get(sku) != price
    }


@kinds
class TestReading:
    def test_a_first_run_reads_everything_page_by_page(
        self, kind: str, benches: Callable[..., Bench]
    ) -> None:
        bench = benches(kind, products=int(KINDS[kind][0].page * 2.5))
        assert bench.run() >= 3
        assert bench.taken() == bench.shop.prices()

    def test_the_next_run_reads_what_changed_and_little_else(
        self, kind: str, benches: Callable[..., Bench]
    ) -> None:
        bench = benches(kind, products=int(KINDS[kind][0].page * 2.5))
        bench.run()
        for number in (1, 3):
            bench.shop.now += timedelta(hours=3)
            bench.shop.change(number, 250)
            bench.told.clear()
            steps = bench.run()
        assert steps == 1
        assert {entry.sku for told in bench.told for entry in told} <= {"S1", "S3"}
        assert bench.taken() == bench.shop.prices()

    def test_an_empty_shop_is_no_problem(self, kind: str, benches: Callable[..., Bench]) -> None:
        bench = benches(kind)
        bench.run()
        assert (bench.taken(), bench.state().problem) == ({}, "")
        bench.shop.add(5)
        bench.run()
        assert bench.taken() == {"S1": 5}

    @pytest.mark.parametrize("hours", [-5, 5, -24 * 400])
    def test_their_clock_may_be_wrong(
        self, kind: str, hours: int, benches: Callable[..., Bench]
    ) -> None:
        bench = benches(kind)
        bench.shop.now += timedelta(hours=hours)
        for _ in range(5):
            bench.shop.add(100)
        bench.run()
        bench.shop.change(2, 222)
        bench.run()
        assert bench.taken() == bench.shop.prices()

    def test_what_was_committed_late_with_an_older_time_is_read(
        self, kind: str, benches: Callable[..., Bench]
    ) -> None:
        bench = benches(kind, products=5)
        bench.run()
        bench.shop.add(777, late=timedelta(seconds=90))
        bench.run()
        assert bench.taken() == bench.shop.prices()

    def test_whatever_happens_while_it_reads_nothing_is_lost(
        self, kind: str, benches: Callable[..., Bench]
    ) -> None:
        for seed in range(4):
            assert lost_while_it_reads(benches, kind, seed) == {}, f"seed {seed}"

    def test_a_crash_between_page_and_place_repeats_the_page(
        self, kind: str, benches: Callable[..., Bench]
    ) -> None:
        bench = benches(kind, products=int(KINDS[kind][0].page * 1.5))
        bench.step()
        before, taken = bench.state(), bench.taken()
        bench.fail = True
        with pytest.raises(Crash):
            bench.step()
        assert bench.state().progress == before.progress
        assert bench.taken() == taken
        bench.fail = False
        bench.machine.pass_s(runner_module.HOLD.total_seconds())
        bench.run()
        assert bench.taken() == bench.shop.prices()

    def test_an_event_has_its_object_fetched(
        self, kind: str, benches: Callable[..., Bench]
    ) -> None:
        bench = benches(kind, products=5)
        bench.run()
        bench.shop.now += timedelta(hours=3)
        bench.shop.products[2].cents = 333  # as BigCommerce's variants: no time moves
        name = bench.shop.products[2].sku if kind == "erpnext" else "2"
        now = bench.clock.now()
        bench.writer.write(lambda tx: hooks.want_fetch(tx, "shop", (name, "99", "?/x"), now))
        assert bench.state().due_at <= bench.clock.now()
        bench.step()
        assert bench.taken() == bench.shop.prices()
        with bench.database.read() as tx:
            assert connectors.list_wants(tx, "shop", limit=9) == []

    def test_everything_is_read_again_once_a_day(
        self, kind: str, benches: Callable[..., Bench]
    ) -> None:
        bench = benches(kind, products=5)
        bench.run()
        bench.shop.now += timedelta(hours=3)
        bench.shop.change(1, 200)
        bench.run()
        bench.shop.products[2].cents = 333  # no time moves
        bench.run()
        assert bench.taken()["S2"] == 199
        bench.machine.pass_s(86_400)
        bench.run()
        assert bench.taken() == bench.shop.prices()


NONSENSE = [
    Reply(b"<html>sign in</html>"),
    Reply(b""),
    Reply(b"\xff\xfe"),
    Reply([]),
    Reply({}),
    Reply("x"),
    Reply(None),
    Reply(7),
    Reply([7, None, "x", []]),
    Reply({"data": [{}]}),
    Reply({"data": {"products": None, "nodes": [{}], "items": [{}]}}),
    Reply({"data": {"products": {"nodes": [{}], "pageInfo": 7}}}),
    Reply({"data": {"products": {"nodes": [{"variants": 7}], "pageInfo": {}}}}),
    Reply({"errors": [7]}),
    Reply({"errors": [{"message": "\ud800", "extensions": 7}]}),
    Reply({"items": {}}),
    Reply({"result": "x"}),
    Reply({"error": 7}),
    Reply({"error": {"data": 7}}),
    Reply(b"[" * 100_000),
]


def test_another_shop_under_the_same_name_is_read_from_its_beginning(
    benches: Callable[..., Bench],
) -> None:
    bench = benches("shopify", products=25)
    bench.step()
    assert bench.state().progress, "in the midst of a run"
    older = FakeShopify()
    older.now -= timedelta(days=900)
    for cents in range(1, 40):
        older.add(cents)
    with served(older):
        connector = KINDS["shopify"][2](older)
        bench.polled = replace(bench.polled, connector=connector, shop="other")
        bench.run()
        assert bench.taken() == older.prices()
        assert bench.state().cursor.startswith("other|")


@kinds
class TestTroubles:
    def test_it_waits_as_long_as_it_is_asked_to_and_goes_on_where_it_was(
        self, kind: str, benches: Callable[..., Bench]
    ) -> None:
        bench = benches(kind, products=int(KINDS[kind][0].page * 1.5))
        bench.step()
        place = bench.state().progress
        bench.shop.replies = [Reply({}, status=429, headers={"Retry-After": "120"})]
        bench.step()
        state = bench.state()
        assert (state.due_at - bench.clock.now()).total_seconds() == 120
        assert (state.progress, state.problem) == (place, "")
        now = bench.clock.now()
        bench.writer.write(lambda tx: hooks.want_fetch(tx, "shop", (), now))
        assert bench.state().due_at == state.due_at, "an event does not end the pause"
        bench.run()
        assert bench.taken() == bench.shop.prices()

    def test_it_comes_back_less_and_less_often_to_one_that_is_broken(
        self, kind: str, benches: Callable[..., Bench]
    ) -> None:
        bench = benches(kind, products=3)
        waits = []
        for _ in range(9):
            bench.shop.replies = [Reply(b"<html>", status=502)]
            bench.step()
            waits.append((bench.state().due_at - bench.clock.now()).total_seconds())
            bench.machine.pass_s(waits[-1])
        assert waits == [10, 20, 40, 80, 160, 320, 640, 900, 900]
        assert "502" in bench.state().problem
        bench.run()
        assert bench.state().problem == ""
        assert bench.taken() == bench.shop.prices()

    def test_wrong_credentials_are_said_in_words(
        self, kind: str, benches: Callable[..., Bench]
    ) -> None:
        bench = benches(kind, products=3)
        bench.shop.replies = [Reply({"errors": "no"}, status=401)]
        bench.step()
        state = bench.state()
        assert "credentials" in state.problem
        assert state.due_at - bench.clock.now() == timedelta(minutes=15)

    def test_nonsense_is_a_problem_or_nothing_and_never_a_fault(
        self, kind: str, benches: Callable[..., Bench]
    ) -> None:
        bench = benches(kind, products=3)
        for reply in NONSENSE:
            for count in (1, 2):
                bench.shop.replies = [reply] * count
                bench.machine.pass_s(900)
                bench.step()
        bench.shop.replies = []
        bench.machine.pass_s(86_400)
        bench.run()
        assert bench.taken() == bench.shop.prices()


def test_shopify_is_asked_again_when_its_bucket_is_full_enough(
    benches: Callable[..., Bench],
) -> None:
    bench = benches("shopify", products=3)
    status = {"maximumAvailable": 1000, "currentlyAvailable": 100, "restoreRate": 50}
    cost = {"requestedQueryCost": 600, "throttleStatus": status}
    error = {"message": "Throttled", "extensions": {"code": "THROTTLED"}}
    bench.shop.replies = [Reply({"errors": [error], "extensions": {"cost": cost}})]
    bench.step()
    assert (bench.state().due_at - bench.clock.now()).total_seconds() == 10
    denied = {"message": "Access denied", "extensions": {"code": "ACCESS_DENIED"}}
    bench.machine.pass_s(10)
    bench.shop.replies = [Reply({"errors": [denied]})]
    bench.step()
    assert "read_products" in bench.state().problem


def test_odoo_says_when_the_key_is_wrong(benches: Callable[..., Bench]) -> None:
    bench = benches("odoo", products=3)
    bench.polled.connector.key = "old"  # type: ignore[attr-defined]
    bench.step()
    assert "API key" in bench.state().problem


def test_a_source_with_two_bodies_of_trouble_takes_the_rest(
    benches: Callable[..., Bench],
) -> None:
    bench = benches("woocommerce", products=3)
    bench.shop.products[1].sku = ""
    bench.shop.products[2].cents = -5
    bench.run()
    assert bench.taken() == {"S3": 199}


class TestPlantedDefects:
    """A search that finds nothing wrong with these would prove nothing."""

    def test_page_numbers_lose_products(
        self, benches: Callable[..., Bench], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def items(self: WooCommerce, *, since: str, after: str) -> Items:
            query = {"orderby": "id", "order": "asc", "per_page": "50", "offset": after or "0"}
            query |= {"modified_after": since, "dates_are_gmt": "true"} if since else {}
            found = objects_of(self.fetcher.get("wp-json/wc/v3/products", query).json())
            bodies = [body for one in found for body in self._bodies(one)]
            last = str(int(after or 0) + len(found))
            return Items(bodies=bodies, last=last, more=len(found) >= 50)

        monkeypatch.setattr(WooCommerce, "items", items)
        assert any(lost_while_it_reads(benches, "woocommerce", seed) for seed in range(4))

    def test_a_cursor_taken_after_the_run_loses_products(
        self, benches: Callable[..., Bench], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        right = runner_module.read_page

        def read_page(connector: Connector, **where: Any) -> Page:
            page = right(connector, **where)
            return page if page.progress else replace(page, cursor=connector.newest())

        monkeypatch.setattr(runner_module, "read_page", read_page)
        assert any(lost_while_it_reads(benches, "shopify", seed) for seed in range(4))

    def test_a_place_stored_before_its_page_loses_the_page(
        self, benches: Callable[..., Bench], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        right = ConnectorRunner._commit

        def commit(
            self: ConnectorRunner,
            polled: Polled,
            said: Said,
            after: ConnectorState,
            *rest: Any,
        ) -> None:
            until = rest[-1]
            self._writer.write(lambda tx: connectors.save_state(tx, after, held_until=until))
            right(self, polled, said, after, *rest)

        monkeypatch.setattr(ConnectorRunner, "_commit", commit)
        bench = benches("erpnext", products=300)
        bench.fail = True
        with pytest.raises(Crash):
            bench.step()
        bench.fail = False
        monkeypatch.setattr(ConnectorRunner, "_commit", right)
        bench.run()
        assert bench.taken() != bench.shop.prices()


def test_square_s_location_has_prices_of_its_own_and_open_prices_are_none(
    benches: Callable[..., Bench],
) -> None:
    bench = benches("square", products=4)
    bench.polled = replace(
        bench.polled,
        connector=Square(fetcher=square(bench.shop), location="L1", currency="EUR"),
    )
    cents = {"amount": 150, "currency": "EUR"}
    more: dict[int, dict[str, Any]] = {
        1: {"location_overrides": [{"location_id": "L1", "price_money": cents}]},
        2: {"location_overrides": [{"location_id": "L2", "price_money": cents}]},
        3: {"pricing_type": "VARIABLE_PRICING", "price_money": None},
    }
    usual = FakeSquare.variation

    def variation(self: FakeSquare, one: Product) -> dict[str, Any]:
        said = usual(self, one)
        said["item_variation_data"] |= more.get(one.number, {})
        return said

    bench.shop.variation = variation.__get__(bench.shop)  # type: ignore[attr-defined]
    bench.run()
    assert bench.taken() == {"S1": 150, "S2": 199, "S4": 199}
    more[4] = {"price_money": {"amount": 150, "currency": "USD"}}
    bench.machine.pass_s(86_400)
    bench.step()
    assert "currency" in bench.state().problem
    assert bench.taken()["S4"] == 199
