"""Other systems over HTTP: they subscribe, are told by signed messages, and may ask once more."""

import base64
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update

from api.listeners.event_teller import EventTeller
from api.private_files import RuntimeFile, runtime_file
from esl.domain.access import Scope
from esl.domain.ids import StoreId
from esl.domain.problem import ProblemKind
from esl.intake.hooks.request import Genuine, HookRequest, HookSecrets
from esl.intake.hooks.schemes import StandardWebhooks
from esl.services.problems import find_problems
from esl.store import tables
from tests.receiver import Got, Receiver, running_receiver
from tests.running_house import Command, RunningHouse, check_problem, running_house
from tests.served import wait_until

pytest_plugins = ["tests.shop_over_http"]

MAIN = "/api/v1/stores/main"
ERP = "/api/v1/subscriptions/erp"


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with running_receiver() as opened:
        yield opened


@pytest.fixture
def subscribed(shop: RunningHouse, receiver: Receiver) -> Iterator[dict[str, Any]]:
    """The answer to a new subscription for prices of the store."""
    body = {"store": "main", "url": receiver.url, "events": ["price.changed"]}
    yield shop.done("PUT", ERP, body | {"allow_private": True})
    shop.ask("DELETE", ERP)


def put_again(shop: RunningHouse, url: str, **changes: Any) -> dict[str, Any]:
    body = {"store": "main", "url": url, "events": ["price.changed"], "allow_private": True}
    done: dict[str, Any] = shop.done("PUT", ERP, body | changes)
    return done


def price(shop: RunningHouse, text: str, sku: str = "1001") -> None:
    shop.done("POST", f"{MAIN}/price-changes", {"sku": sku, "price": text})


def step(shop: RunningHouse) -> int:
    return shop.house.listeners.events.step()


def hurry(shop: RunningHouse) -> None:
    """Let the pause after a failure be over."""
    shop.write(lambda tx: tx.execute(update(tables.subscriptions).values(next_at=None)))


def events_of(got: Got) -> list[dict[str, Any]]:
    events: list[dict[str, Any]] = json.loads(got.body)["data"]["events"]
    return events


def is_signed(shop: RunningHouse, got: Got, *secrets: str) -> bool:
    checked = StandardWebhooks()(
        HookRequest(headers=got.headers, body=got.body),
        HookSecrets(secrets=secrets),
        shop.house.clock.now(),
    )
    return isinstance(checked, Genuine) and checked.event_id == got.headers["webhook-id"]


def test_a_price_is_told_once_and_signed(
    shop: RunningHouse, receiver: Receiver, subscribed: dict[str, Any]
) -> None:
    assert step(shop) == 0, "what was before is no news"
    price(shop, "1.31")
    price(shop, "0.95", "1002")
    assert step(shop) == 1
    [got] = receiver.got
    assert got.path == "/events?shop=1"
    assert is_signed(shop, got, subscribed["secret"])
    assert not is_signed(shop, got, "whsec_" + base64.b64encode(b"x" * 32).decode())
    assert [(one["data"]["sku"], one["data"]["price"]) for one in events_of(got)] == [
        ("1001", "1.31"),
        ("1002", "0.95"),
    ]
    first = events_of(got)[0]
    assert (first["type"], first["version"], first["store"]) == ("price.changed", 1, "main")
    assert (first["data"]["currency"], first["data"]["kind"]) == ("EUR", "price")
    assert step(shop) == 0
    [delivery] = shop.done("GET", f"{ERP}/deliveries")["deliveries"]
    assert (delivery["state"], delivery["status"], delivery["events"]) == ("delivered", 200, 2)
    kept = shop.done("GET", f"{ERP}/deliveries/{delivery['delivery']}")
    assert kept["body"].encode() == got.body


def test_a_refused_message_is_sent_again_the_same_and_before_the_next(
    shop: RunningHouse, receiver: Receiver, subscribed: dict[str, Any]
) -> None:
    receiver.status = 503
    price(shop, "1.41")
    assert step(shop) == 0
    assert step(shop) == 0, "it waits before it tries again"
    assert len(receiver.got) == 1
    shown = shop.done("GET", ERP)
    assert (shown["state"], shown["attempts"]) == ("failing", 1)
    assert "503" in shown["error"]
    price(shop, "1.42")
    receiver.status = 204
    hurry(shop)
    assert step(shop) == 2
    first, again, following = receiver.got
    assert (first.body, first.headers["webhook-id"]) == (again.body, again.headers["webhook-id"])
    assert [one["data"]["price"] for one in events_of(again)] == ["1.41"]
    assert [one["data"]["price"] for one in events_of(following)] == ["1.42"]
    assert shop.done("GET", ERP)["state"] == "running"
    assert subscribed["state"] == "running"


def test_what_was_written_before_a_crash_is_sent_after_it(
    shop: RunningHouse, receiver: Receiver, subscribed: dict[str, Any]
) -> None:
    """Another process takes over: nothing is kept in the first one that the second needs."""
    receiver.status = 500
    price(shop, "1.51")
    assert step(shop) == 0
    receiver.status = 200
    hurry(shop)
    house = shop.house
    books = house.listeners.events._books
    other = EventTeller(books, house.settings.data_dir, chance=lambda: 0.0)
    assert other.step() == 1
    assert receiver.got[0].body == receiver.got[1].body
    assert step(shop) == 0, "the first sees that it was told"
    assert is_signed(shop, receiver.got[1], subscribed["secret"])


@pytest.mark.usefixtures("subscribed")
def test_many_changes_make_few_messages(shop: RunningHouse, receiver: Receiver) -> None:
    put_again(shop, receiver.url, batch=500)
    skus = [f"many-{n:04}" for n in range(1200)]
    for start in (0, 600):
        products = [{"sku": sku, "name": "x", "price": "1.00"} for sku in skus[start : start + 600]]
        shop.done("POST", f"{MAIN}/products", products)
    assert step(shop) == 3
    told = [one["data"]["sku"] for got in receiver.got for one in events_of(got)]
    assert told == skus, "each once, in its order"
    assert len({one["id"] for got in receiver.got for one in events_of(got)}) == 1200


def test_a_secret_is_rotated_while_both_sign(
    shop: RunningHouse, receiver: Receiver, subscribed: dict[str, Any]
) -> None:
    rotated = shop.done("POST", f"{ERP}/secret", {"overlap_h": 1})
    price(shop, "1.61")
    assert step(shop) == 1
    assert is_signed(shop, receiver.got[-1], subscribed["secret"])
    assert is_signed(shop, receiver.got[-1], rotated["secret"])
    last = shop.done("POST", f"{ERP}/secret", {"overlap_h": 0})
    price(shop, "1.62")
    assert step(shop) == 1
    assert is_signed(shop, receiver.got[-1], last["secret"])
    assert not is_signed(shop, receiver.got[-1], rotated["secret"])
    everything = json.dumps(shop.everything_stored(), default=str)
    assert last["secret"] not in everything
    assert "secret" not in shop.done("GET", ERP)


def test_a_ping_tries_the_way_and_a_message_is_sent_once_more(
    shop: RunningHouse, receiver: Receiver, subscribed: dict[str, Any]
) -> None:
    ping = shop.done("POST", f"{ERP}/test", {})
    assert (ping["state"], ping["events"]) == ("open", 0)
    assert step(shop) == 1
    assert json.loads(receiver.got[0].body)["type"] == "ping"
    again = shop.done("POST", f"{ERP}/deliveries/{ping['delivery']}/redeliver", {})
    assert again["state"] == "open"
    assert step(shop) == 1
    assert receiver.got[0].body == receiver.got[1].body
    assert receiver.got[0].headers["webhook-id"] == receiver.got[1].headers["webhook-id"]
    check_problem(shop.ask("POST", f"{ERP}/deliveries/0/redeliver", json={}), 404)
    check_problem(shop.ask("POST", f"{ERP}/deliveries/x/redeliver", json={}), 404)
    assert subscribed["batch"] == 100


def test_who_wants_no_more_is_asked_no_more(
    shop: RunningHouse, receiver: Receiver, subscribed: dict[str, Any]
) -> None:
    receiver.status = 410
    price(shop, "1.71")
    assert step(shop) == 0
    assert shop.done("GET", ERP)["state"] == "stopped"
    check_problem(shop.ask("POST", f"{ERP}/test", json={}), 409)
    now = shop.house.clock.now()
    with shop.house.database.read() as tx:
        found = find_problems(
            tx, StoreId("main"), now, online=frozenset(), silent_after=timedelta(days=1)
        )
    [problem] = [one for one in found if one.kind is ProblemKind.EVENTS_FAIL]
    assert problem.subject == "events/erp/main"
    assert "410" in problem.reason
    receiver.status = 200
    price(shop, "1.72")
    assert step(shop) == 0
    put_again(shop, receiver.url)
    assert step(shop) == 2, "it goes on where it was"
    assert subscribed["store"] == "main"


def test_it_is_given_up_after_three_days_and_goes_on_from_now_if_told(
    shop: RunningHouse, receiver: Receiver, subscribed: dict[str, Any]
) -> None:
    receiver.status = 500
    price(shop, "1.81")
    assert step(shop) == 0
    long_ago = shop.house.clock.now() - timedelta(days=3)
    table = tables.subscriptions
    shop.write(lambda tx: tx.execute(update(table).values(next_at=None, failing_since=long_ago)))
    assert step(shop) == 0
    assert shop.done("GET", ERP)["state"] == "stopped"
    receiver.status = 200
    price(shop, "1.82")
    put_again(shop, receiver.url, from_now=True)
    assert step(shop) == 0
    price(shop, "1.83")
    assert step(shop) == 1
    assert [one["data"]["price"] for one in events_of(receiver.got[-1])] == ["1.83"]
    states = [one["state"] for one in shop.done("GET", f"{ERP}/deliveries")["deliveries"]]
    assert states == ["delivered", "dropped"]
    assert subscribed["enabled"] is True


@pytest.mark.usefixtures("subscribed")
@pytest.mark.asvs("1.3.6", "15.3.2")
def test_redirects_are_not_followed_and_private_addresses_not_spoken_to(
    shop: RunningHouse, receiver: Receiver
) -> None:
    receiver.status = 307
    receiver.headers["Location"] = receiver.url
    price(shop, "1.91")
    assert step(shop) == 0
    assert len(receiver.got) == 1
    assert "redirects" in shop.done("GET", ERP)["error"]
    secure = receiver.url.replace("http:", "https:")
    put_again(shop, secure, allow_private=False)
    assert step(shop) == 0
    assert len(receiver.got) == 1
    assert "private" in shop.done("GET", ERP)["error"]


@pytest.mark.usefixtures("subscribed")
def test_several_processes_tell_a_system_once(shop: RunningHouse, receiver: Receiver) -> None:
    put_again(shop, receiver.url, batch=1)
    skus = [f"once-{n:02}" for n in range(30)]
    products = [{"sku": sku, "name": "x", "price": "1.00"} for sku in skus]
    shop.done("POST", f"{MAIN}/products", products)
    own = shop.house.listeners.events
    tellers = [
        EventTeller(own._books, shop.house.settings.data_dir, chance=lambda: 0.0) for _ in range(4)
    ]
    with ThreadPoolExecutor(len(tellers)) as pool:
        taken = sum(pool.map(lambda one: sum(one.step() for _ in range(5)), tellers))
    while more := step(shop):
        taken += more
    told = [one["data"]["sku"] for got in receiver.got for one in events_of(got)]
    assert (told, taken) == (skus, len(skus))


@pytest.mark.usefixtures("subscribed")
@pytest.mark.asvs("15.4.2")
def test_a_turn_is_used_once(shop: RunningHouse, receiver: Receiver) -> None:
    """Whoever claims later, or was away for too long, changes nothing."""
    price(shop, "2.01")
    teller = shop.house.listeners.events
    seen_before = shop.done("GET", ERP)
    assert teller.look() == ["erp"]
    assert teller.tell("erp") == 1
    assert teller.tell("erp") == 0
    assert len(receiver.got) == 1
    assert seen_before["state"] == "running"


@pytest.mark.usefixtures("subscribed")
def test_a_subscription_of_another_store_is_closed(shop: RunningHouse, receiver: Receiver) -> None:
    shop.done("PUT", "/api/v1/stores/rovinj", _STORE)
    foreign = shop.token(*Scope, stores=("rovinj",))
    own = shop.token(*Scope, stores=("main",))
    body = {"url": receiver.url, "events": ["price.changed"], "allow_private": True}
    check_problem(shop.ask("PUT", ERP, json=body | {"store": "main"}, token=foreign), 404)
    check_problem(shop.ask("PUT", ERP, json=body | {"store": "rovinj"}, token=foreign), 409)
    check_problem(shop.ask("PUT", ERP, json=body, token=own), 403)
    shop.done("PUT", "/api/v1/subscriptions/chain", body)
    for method, path in (("GET", ""), ("DELETE", ""), ("GET", "/deliveries")):
        there = shop.ask(method, f"/api/v1/subscriptions/chain{path}", token=own)
        check_problem(there, 404)
    listed = shop.ask("GET", "/api/v1/subscriptions", token=own, store="main").json()
    assert [one["subscription"] for one in listed["subscriptions"]] == ["erp"]
    check_problem(shop.ask("GET", "/api/v1/subscriptions", token=own), 403)
    both = shop.done("GET", "/api/v1/subscriptions")["subscriptions"]
    assert [one["subscription"] for one in both] == ["chain", "erp"]
    price(shop, "2.11")
    assert step(shop) == 2
    shop.done("DELETE", "/api/v1/subscriptions/chain")
    check_problem(shop.ask("DELETE", "/api/v1/subscriptions/chain"), 404)


_STORE = {"name": "Rovinj", "currency": "EUR", "locale": "hr_HR", "timezone": "Europe/Zagreb"}
_GOOD = {"store": "main", "url": "https://erp.example", "events": ["price.changed"]}


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"url": "http://erp.example"}, "/url"),
        ({"url": "https://a:b@erp.example"}, "/url"),
        ({"url": None}, "/url"),
        ({"events": []}, "/events"),
        ({"events": "price.changed"}, "/events"),
        ({"events": ["price.changed", "price.gone"]}, "/events/1"),
        ({"events": [{}]}, "/events/0"),
        ({"events": ["stock.low"]}, "/low_stock"),
        ({"low_stock": 0}, "/low_stock"),
        ({"batch": 501}, "/batch"),
        ({"enabled": "yes"}, "/enabled"),
        ({"store": "Main"}, "/store"),
        ({"secret": "whsec_x"}, "/secret"),
    ],
)
def test_bad_subscriptions_are_refused(
    shop: RunningHouse, change: dict[str, Any], pointer: str
) -> None:
    check_problem(shop.ask("PUT", ERP, json=_GOOD | change), 422, pointer)
    headers = {"Idempotency-Key": "1"}
    check_problem(shop.ask("PUT", ERP, json=_GOOD, headers=headers), 422, "")
    assert shop.ask("GET", ERP).status_code == 404


def test_stock_is_told_when_it_crosses_and_not_with_each_piece(
    shop: RunningHouse, receiver: Receiver
) -> None:
    events = ["stock.low", "stock.out", "stock.back"]
    put_again(shop, receiver.url, events=events, low_stock=5)
    teller = EventTeller(
        shop.house.listeners.events._books, shop.house.settings.data_dir, chance=lambda: 0.0
    )
    told: list[tuple[str, int]] = []
    for stock in (9, 6, 5, 3, 1, 0, -1, 0, 2, 6, 4, 6, 7, 30):
        body = {"name": "Kruh", "stock": stock}
        shop.done("PUT", f"{MAIN}/products/1001", body)
        teller._stock_at_s.clear()  # as if the time until the next look had passed
        count = len(receiver.got)
        teller.step()
        told += [(one["type"], stock) for got in receiver.got[count:] for one in events_of(got)]
    assert told == [
        ("stock.low", 5),
        ("stock.out", 0),
        ("stock.low", 2),
        ("stock.back", 7),  # a few pieces that are brought back do not count
    ]
    shop.done("DELETE", ERP)
    with shop.house.database.read() as tx:
        assert tx.execute(select(tables.stock_told)).all() == []


def test_it_runs_by_itself_and_by_command(tmp_path: Path, command: Command) -> None:
    """The whole of it: a controller that nobody steps, and the commands that speak to it."""
    folder = tmp_path / "data"
    with (
        running_receiver() as receiver,
        running_house(folder, with_worker=True) as house,
        runtime_file(folder, RuntimeFile(url=house.url, token=house.operator, pid=1)),
    ):

        def esl(*said: str, status: int = 0) -> str:
            ran = command("events", *said, "--data", str(folder))
            assert ran.status == status, ran.stderr
            return ran.stdout + ran.stderr

        house.done("PUT", MAIN, _STORE)
        assert "add one with: esl events add" in esl("list")
        said = ("add", "erp", receiver.url, "--event", "price.changed", "--store", "main")
        assert "whsec_" in esl(*said, "--allow-private")
        assert "erp took it: 200" in esl("test", "erp")
        product = {"name": "Kruh", "price": "1.29"}
        house.done("PUT", f"{MAIN}/products/1001", product)
        wait_until(lambda: len(receiver.got) > 1, "the price is told", 60)
        assert [one["data"]["price"] for one in events_of(receiver.got[1])] == ["1.29"]
        wait_until(lambda: "open" not in esl("deliveries", "erp"), "the answer is noted", 60)
        [last, first] = json.loads(esl("deliveries", "erp", "--json"))
        assert (last["state"], first["state"]) == ("delivered", "delivered")
        assert "sent again" in esl("redeliver", "erp", str(first["delivery"]))
        wait_until(lambda: len(receiver.got) > 2, "it is told again", 60)
        assert "whsec_" in esl("rotate", "erp", "--overlap-h", "0")
        assert "running" in esl("list", "--store", "main")
        receiver.status = 410
        assert "410" in esl("test", "erp", status=1)
        assert "stopped" in json.dumps(json.loads(esl("list", "--json")))
        esl("remove", "erp")
        assert "no subscription" in esl("deliveries", "erp", status=1)
