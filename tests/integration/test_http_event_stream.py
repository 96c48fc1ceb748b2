"""The stream of events over HTTP: from now or from an id, by rights, and ended when they end."""

import contextlib
import json
import shutil
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import pytest
from sqlalchemy import insert

from api import event_stream
from api.event_stream import ENDS
from api.open_streams import STREAMS_OF_ONE
from esl.domain.access import Scope
from esl.domain.ids import StoreId
from esl.domain.subscription import EventType, Happened
from esl.intake.event_mark import mark_text, parse_mark
from esl.store import happenings
from esl.store.tables import problems
from tests.running_house import STORE_BODY, RunningHouse, check_problem, running_house
from tests.served import wait_until

pytest_plugins = ["tests.shop_over_http"]

EVENTS = "/api/v1/events"
MAIN = "/api/v1/stores/main"
PATIENCE_S = 60.0


@dataclass(frozen=True)
class Sent:
    """One event of the stream as it came."""

    id: str | None
    event: str
    data: dict[str, Any]


def read(lines: Iterator[str]) -> Iterator[Sent]:
    """Read a stream as the standard says; what only moves the id is an event ``""``."""
    mark: str | None = None
    kind, data = "", ""
    for line in lines:
        name, _, value = line.partition(": ")
        if name == "id":
            mark = value
        elif name == "event":
            kind = value
        elif name == "data":
            data += value
        elif not line:
            yield Sent(mark, kind, json.loads(data) if data else {})
            kind, data = "", ""


@contextlib.contextmanager
def streaming(
    shop: RunningHouse, token: str | None = None, after: str | None = None, **query: Any
) -> Iterator[Iterator[Sent]]:
    headers = {"Authorization": f"Bearer {token or shop.operator}"}
    if after is not None:
        headers["Last-Event-ID"] = after
    with (
        httpx2.Client(base_url=shop.url, trust_env=False, timeout=PATIENCE_S) as client,
        client.stream("GET", EVENTS, headers=headers, params=query) as answer,
    ):
        assert answer.status_code == 200, answer.read()
        assert answer.headers["content-type"].startswith("text/event-stream")
        yield read(answer.iter_lines())


def all_now(shop: RunningHouse, after: str, **how: Any) -> list[Sent]:
    """What is there after an id, and no more."""
    with streaming(shop, after=after, for_s=0, **how) as sent:
        return [one for one in sent if one.event not in ("", "end")]


def now_id(shop: RunningHouse) -> str:
    time.sleep(2 * event_stream.GAP_S)  # a stream may begin where another looked a moment ago
    with streaming(shop, for_s=0) as sent:
        mark = next(sent).id
    assert mark is not None
    return mark


def price(shop: RunningHouse, text: str, sku: str = "1001", store: str = "main") -> None:
    path = f"/api/v1/stores/{store}/price-changes"
    shop.done("POST", path, {"sku": sku, "price": text})


def happen(
    shop: RunningHouse, store: str | None, kind: EventType = EventType.GATEWAY_OFFLINE
) -> None:
    one = Happened(
        type=kind,
        store_id=StoreId(store) if store else None,
        at=shop.house.clock.now(),
        data={"gateway": "gw-1"},
    )
    shop.write(lambda tx: happenings.put_happenings(tx, [one]))


@pytest.fixture(scope="module")
def pula(shop: RunningHouse) -> str:
    shop.done("PUT", "/api/v1/stores/pula", STORE_BODY)
    shop.done("POST", "/api/v1/stores/pula/products", [{"sku": "1", "name": "x", "price": "1.00"}])
    return "pula"


def test_what_happens_comes_as_it_happens_with_the_same_words_as_webhooks(
    shop: RunningHouse,
) -> None:
    with streaming(shop) as sent:
        assert next(sent).id
        price(shop, "2.11")
        one = next(sent)
    assert (one.event, one.data["type"], one.data["data"]["price"]) == (
        "price.changed",
        "price.changed",
        "2.11",
    )
    assert one.data["id"].startswith("price-")
    assert one.data.keys() == {"id", "type", "version", "at", "store", "data"}


def test_who_comes_back_goes_on_after_the_last_id_without_gap_or_repeat(
    shop: RunningHouse,
) -> None:
    begin = now_id(shop)
    for number in range(10):
        price(shop, f"3.{number:02}")
        happen(shop, "main")
    whole = all_now(shop, begin)
    assert len(whole) == 20
    assert len({one.data["id"] for one in whole}) == 20
    for place in (0, 7, 18, 19):
        mark = whole[place].id
        assert mark is not None
        rest = [one.data["id"] for one in all_now(shop, mark)]
        assert rest == [one.data["id"] for one in whole[place + 1 :]]
    assert [one.data["id"] for one in all_now(shop, begin, types="gateway.offline")] == [
        one.data["id"] for one in whole if one.event == "gateway.offline"
    ]


def test_an_id_that_is_too_old_or_of_another_database_is_answered_by_a_reset(
    shop: RunningHouse,
) -> None:
    mark = parse_mark(now_id(shop))
    old = mark_text(mark.at - event_stream.RESUMED_WITHIN * 2, mark.places)
    ahead = mark_text(mark.at, mark.places._replace(prices=10**9))
    for said, reason in ((old, "too_old"), (ahead, "unknown")):
        with streaming(shop, after=said) as sent:
            first = next(sent)
            assert (first.event, first.data["reason"]) == ("reset", reason)
            assert first.id is not None
            price(shop, "4.01" if reason == "too_old" else "4.02")
            assert next(sent).event == "price.changed"
    check_problem(shop.ask("GET", EVENTS, headers={"Last-Event-ID": "17"}), 422)
    check_problem(shop.ask("GET", EVENTS, after="1-1.2.3.4"), 422)


def test_each_hears_of_its_stores_and_of_what_its_scopes_allow(
    shop: RunningHouse, pula: str
) -> None:
    begin = now_id(shop)
    price(shop, "5.01")
    price(shop, "5.02", "1", pula)
    happen(shop, "main")
    happen(shop, None)
    prices_of_pula = shop.token(Scope.PRICE_READ, stores=(pula,))
    labels_of_main = shop.token(Scope.LABEL_READ, stores=("main",))
    both = shop.token(Scope.PRICE_READ, Scope.LABEL_READ)
    assert [
        (one.event, one.data["store"]) for one in all_now(shop, begin, token=prices_of_pula)
    ] == [("price.changed", pula)]
    assert [
        (one.event, one.data["store"]) for one in all_now(shop, begin, token=labels_of_main)
    ] == [("gateway.offline", "main")]
    assert len(all_now(shop, begin, token=both)) == 4
    assert len(all_now(shop, begin, token=both, store="main")) == 2
    neither = shop.token(Scope.PRICE_WRITE)
    check_problem(shop.ask("GET", EVENTS, token=neither), 403)
    check_problem(shop.ask("GET", EVENTS, token=prices_of_pula, types="label.problem"), 403)
    check_problem(shop.ask("GET", EVENTS, token=prices_of_pula, store="main"), 404)
    check_problem(shop.ask("GET", EVENTS, store="nowhere"), 404)
    check_problem(shop.ask("GET", EVENTS, token=None), 401)


@pytest.mark.asvs("8.2.3")
def test_a_promotion_of_several_stores_names_those_that_the_reader_may_see(
    shop: RunningHouse, pula: str
) -> None:
    for store in ("main", pula):
        shop.done("PUT", f"/api/v1/stores/{store}/till", {"channel": "own"})
    begin = now_id(shop)
    window = {"begins": "2098-01-01T08:00:00", "ends": "2098-01-02T08:00:00"}
    body = {"id": "both", "name": "b", "gives": {"percent": 10}, "window": window}
    body |= {"selection": {"skus": ["1001", "1"]}, "where": {"stores": ["main", pula]}}
    shop.done("POST", "/api/v1/promotions", body)
    shop.done("POST", "/api/v1/promotions/both/schedule", {})
    token = shop.token(Scope.PRICE_READ, stores=(pula,))
    stores = {tuple(one.data["data"]["stores"]) for one in all_now(shop, begin, token=token)}
    assert stores == {(pula,)}
    stores = {tuple(sorted(one.data["data"]["stores"])) for one in all_now(shop, begin)}
    assert stores == {("main", pula)}


@pytest.mark.parametrize("types", ["stock.low", "price.changed,nonsense", ""])
def test_types_that_are_none_are_refused(shop: RunningHouse, types: str) -> None:
    answer = check_problem(shop.ask("GET", f"{EVENTS}?types={types}"), 422, "/types")
    assert answer["errors"][0]["fix"]


def test_rights_that_end_end_the_stream(shop: RunningHouse) -> None:
    body = {"name": "x", "scopes": ["price:read"], "stores": ["*"]}
    made = shop.done("POST", "/api/v1/tokens", body)
    with streaming(shop, made["token"]) as sent:
        next(sent)
        tokens = shop.done("GET", "/api/v1/tokens")["tokens"]
        token_id = next(one["id"] for one in tokens if one["name"] == "x")
        ended_at = time.monotonic()
        shop.done("DELETE", f"/api/v1/tokens/{token_id}")
        last = list(sent)[-1]
    assert (last.event, last.data) == ("end", {"reason": "rights", "fix": ENDS["rights"]})
    assert time.monotonic() - ended_at < 30


def test_who_asked_for_a_while_is_told_that_it_is_over(shop: RunningHouse) -> None:
    with streaming(shop, for_s=0) as sent:
        last = list(sent)[-1]
    assert (last.event, last.data) == ("end", {"reason": "time", "fix": ENDS["time"]})


def test_a_controller_that_stops_says_so_and_who_comes_back_misses_nothing(
    tmp_path: Path,
) -> None:
    running = ExitStack()
    shop = running.enter_context(running_house(tmp_path / "data"))
    shop.done("PUT", "/api/v1/stores/main", STORE_BODY)
    product = {"sku": "1001", "name": "Kruh", "price": "1.00"}
    shop.done("POST", "/api/v1/stores/main/products", [product])
    with streaming(shop, types="price.changed") as sent:
        next(sent)
        price(shop, "1.10")
        first = next(one for one in sent if one.event)
        stopping = threading.Thread(target=running.close)
        stopping.start()
        last = list(sent)[-1]
        stopping.join()
    assert (last.event, last.data) == ("end", {"reason": "stopping", "fix": ENDS["stopping"]})
    with running_house(tmp_path / "data") as again:
        price(again, "1.20")
        came = [
            one.data["data"]["price"]
            for one in all_now(again, str(first.id), types="price.changed")
        ]
    assert came == ["1.20"], "what happened after the last id, once"


def test_a_stream_beats_while_nothing_happens(
    shop: RunningHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(event_stream, "BEAT_S", 0.2)
    with streaming(shop) as sent:
        assert [next(sent).event for _ in range(3)] == ["", "", ""]


def test_streams_of_one_asker_are_bounded(shop: RunningHouse) -> None:
    token = shop.token(Scope.PRICE_READ)
    with contextlib.ExitStack() as held:
        readers = [held.enter_context(streaming(shop, token)) for _ in range(STREAMS_OF_ONE)]
        assert all(next(one).id for one in readers)
        check_problem(shop.ask("GET", EVENTS, token=token, for_s=0), 429)
        now_id(shop)
    wait_until(
        lambda: shop.ask("GET", EVENTS, token=token, for_s=0).is_success,
        "room for another",
        longest_s=PATIENCE_S,
    )


@pytest.mark.asvs("15.2.2")
def test_walls_of_one_person_are_bounded_apart_from_events(shop: RunningHouse) -> None:
    token = shop.token(Scope.LABEL_READ)
    headers = {"Authorization": f"Bearer {token}"}
    wall = "/wall/events?store=main"
    with httpx2.Client(
        base_url=shop.url, headers=headers, trust_env=False, timeout=PATIENCE_S
    ) as client:
        with contextlib.ExitStack() as held:
            for _ in range(STREAMS_OF_ONE):
                answer = held.enter_context(client.stream("GET", wall))
                assert answer.status_code == 200, answer.read()
            refused = client.get(wall)
            check_problem(refused, 429)
            assert refused.headers["retry-after"] == "30"
            assert shop.ask("GET", EVENTS, token=token, for_s=0).is_success
            with httpx2.Client(base_url=shop.url, trust_env=False, timeout=PATIENCE_S) as other:
                own = {"Authorization": f"Bearer {shop.token(Scope.LABEL_READ)}"}
                with other.stream("GET", wall, headers=own) as answer:
                    assert answer.status_code == 200, answer.read()
        walls = shop.app.state.walls
        wait_until(lambda: not walls._open, "room for another", longest_s=PATIENCE_S)


def test_a_reader_that_takes_nothing_is_dropped_and_costs_no_memory(
    shop: RunningHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(event_stream, "SLOW_S", 0.5)
    begin = now_id(shop)
    row = {"store_id": "main", "kind": "late", "since": shop.house.clock.now()}
    row |= {"reason": "r" * 300, "what_to_do": "w" * 300}
    some = [row | {"subject": f"slow-{number}"} for number in range(20_000)]
    shop.write(lambda tx: tx.execute(insert(problems), some))
    reads: list[int] = []
    gather = event_stream.gather_books

    def counted(*arguments: Any) -> Any:
        reads.append(1)
        return gather(*arguments)

    monkeypatch.setattr(event_stream, "gather_books", counted)
    open_streams = shop.app.state.events.streams._open
    with streaming(shop, after=begin, types="problem.opened") as sent:
        next(sent)
        wait_until(lambda: not open_streams, "the reader is dropped", longest_s=PATIENCE_S)
        assert len(reads) < 200, "it was read ahead of what was taken"


def test_on_postgresql_a_reader_goes_on_at_another_process_and_misses_nothing(
    tmp_path: Path, fresh_postgres_url: str
) -> None:
    folders = tmp_path / "one", tmp_path / "two"
    with running_house(folders[0], database_url=fresh_postgres_url) as one:
        shutil.copytree(folders[0] / "keys", folders[1] / "keys")
        with running_house(folders[1], database_url=fresh_postgres_url) as two:
            one.done("PUT", MAIN, STORE_BODY)
            one.done("POST", f"{MAIN}/products", [{"sku": "1001", "name": "x", "price": "1.00"}])
            seen: list[Sent] = []
            mark = now_id(two)
            for number in range(4):
                with streaming((one, two)[number % 2], after=mark) as sent:
                    price((two, one)[number % 2], f"2.{number:02}")
                    happen(one, "main")
                    while len(seen) < 2 * (number + 1):
                        got = next(sent)
                        if got.event:
                            seen.append(got)
                            assert got.id is not None
                            mark = got.id
    told = [one.data["id"] for one in seen if one.data["data"].get("price") != "1.00"]
    assert len(set(told)) == len(told)
    prices = [one.data["data"]["price"] for one in seen if one.event == "price.changed"]
    assert sorted(price for price in prices if price != "1.00") == [f"2.{n:02}" for n in range(4)]
