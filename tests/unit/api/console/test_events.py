"""The stream of an open wall: what it tells, what it keeps to itself, and when it ends."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from queue import Empty, Queue
from socket import SHUT_RDWR

import httpx2
import pytest

from api.console import wall_events
from esl.domain.ids import GatewayId, LabelId, StoreId
from esl.domain.touch import Touch, TouchKind
from gateway.worker import Notice
from tests.running_house import STORE_BODY, RunningHouse, running_house

SOON_S = 10.0


@pytest.fixture
def chain(tmp_path: Path) -> Iterator[RunningHouse]:
    """A house with the stores ``vrsar`` and ``pula``, three labels in each."""
    with running_house(tmp_path / "data") as running:
        for store in ("vrsar", "pula"):
            running.done("PUT", f"/api/v1/stores/{store}", STORE_BODY)
            items = [{"sku": str(n), "name": f"Kruh {n}", "price": "1.29"} for n in range(3)]
            running.done("POST", f"/api/v1/stores/{store}/products", items)
            labels = [{"label": f"{store}-{n}", "panel": "bwry-296x128"} for n in range(3)]
            running.done("POST", f"/api/v1/stores/{store}/labels", labels)
            pairs = [{"label": f"{store}-{n}", "sku": str(n)} for n in range(3)]
            running.done("POST", f"/api/v1/stores/{store}/pairings", pairs)
        yield running


@dataclass(slots=True)
class Page:
    """An open stream: its events as they come, a None at its end."""

    answer: httpx2.Response
    events: Queue[dict[str, str] | None] = field(default_factory=Queue)

    def read(self) -> None:
        """Take the stream apart until it ends."""
        event: dict[str, str] = {}
        try:
            for line in self.answer.iter_lines():
                name, _, value = line.partition(": ")
                if not line:
                    self.events.put(event)
                    event = {}
                else:
                    event[name] = "\n".join(filter(None, (event.get(name), value)))
        except httpx2.TransportError:
            pass
        self.events.put(None)

    def next(self, name: str = "message", longest_s: float = SOON_S) -> str:
        """Return the data of the next event of a kind."""
        while True:
            event = self.events.get(timeout=longest_s)
            assert event is not None, "the stream ended"
            if event.get("event", "message") == name and "data" in event:
                return event["data"]

    def ends(self) -> None:
        """Wait for the end, whatever comes before."""
        while self.events.get(timeout=SOON_S) is not None:
            pass

    def is_silent(self, for_s: float) -> bool:
        """Say whether nothing comes for a while."""
        try:
            self.events.get(timeout=for_s)
        except Empty:
            return True
        return False


@contextmanager
def open_page(
    house: RunningHouse, query: str, *, headers: dict[str, str] | None = None, token: str = ""
) -> Iterator[Page]:
    auth = {"Authorization": f"Bearer {token or house.operator}"} if headers is None else {}
    with (
        httpx2.Client(trust_env=False, timeout=30) as client,
        client.stream(
            "GET", f"{house.url}/wall/events?{query}", headers=auth | (headers or {})
        ) as answer,
    ):
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/event-stream")
        page = Page(answer)
        reader = threading.Thread(target=page.read)
        reader.start()
        try:
            yield page
        finally:  # as a browser leaves; closing alone would wait for the reader
            answer.extensions["network_stream"].get_extra_info("socket").shutdown(SHUT_RDWR)
            reader.join(SOON_S)


def seen(house: RunningHouse, query: str) -> str:
    """Return the stream's address, as the page that was just drawn holds it."""
    text = house.ask("GET", f"/wall?{query}").text
    address = text.partition('hx-sse:connect="')[2].partition('"')[0].replace("&amp;", "&")
    return address.partition("?")[2]


def price(house: RunningHouse, store: str, sku: str, text: str) -> None:
    house.done("POST", f"/api/v1/stores/{store}/price-changes", {"sku": sku, "price": text})


def watchers(house: RunningHouse) -> int:
    return len(house.house.live._watchers)


def wait_for_watchers(house: RunningHouse, count: int) -> None:
    done = threading.Event()
    for _ in range(int(SOON_S / 0.02)):
        if watchers(house) == count:
            return
        done.wait(0.02)
    raise AssertionError(f"{watchers(house)} watchers, not {count}")


# ── What it tells ───────────────────────────────────────────────────────────────────────────


def test_a_touch_reaches_the_pages_of_its_store_alone(chain: RunningHouse) -> None:
    def touch(store: str, kind: TouchKind, button: int | None = None) -> Touch:
        return Touch(
            label_id=LabelId(f"{store}-1"),
            store_id=StoreId(store),
            gateway_id=GatewayId("gw-1"),
            kind=kind,
            button=button,
        )

    told = (touch("pula", TouchKind.PRESSED, 3), touch("vrsar", TouchKind.TAPPED))
    with open_page(chain, seen(chain, "store=vrsar")) as page:
        page.next()
        wait_for_watchers(chain, 1)
        chain.house.live.tell(Notice(touched=told))
        price(chain, "vrsar", "0", "5.55")  # a request wakes the loop, which we are not on
        said = json.loads(page.next("touched"))
    assert said == {"label": "vrsar-1", "kind": "tapped", "button": None}


def test_a_change_reaches_the_page_as_its_tile_and_the_head(chain: RunningHouse) -> None:
    with open_page(chain, seen(chain, "store=vrsar")) as page:
        head = page.next()
        assert 'id="head"' in head
        assert "tile-" not in head
        price(chain, "vrsar", "1", "7.77")
        piece = page.next()
        assert '<hx-partial id="tile-vrsar-1" hx-swap="outerMorph">' in piece
        assert "7,77" in piece
        assert "tile-vrsar-0" not in piece
        assert 'id="head"' in piece


def test_a_page_hears_nothing_of_other_stores(chain: RunningHouse) -> None:
    token = chain.token("label:read", stores=("vrsar",))
    with open_page(chain, seen(chain, "store=vrsar"), token=token) as page:
        page.next()
        price(chain, "pula", "1", "6.66")
        assert page.is_silent(0.5)
        price(chain, "vrsar", "1", "7.77")
        piece = page.next()
        assert "7,77" in piece
        assert "pula" not in piece
        assert "6,66" not in piece


def test_a_page_that_was_just_drawn_need_not_look_again(chain: RunningHouse) -> None:
    with open_page(chain, seen(chain, "store=vrsar")) as page:
        page.next()
        assert page.is_silent(0.5)


def test_a_page_that_missed_something_looks_again(chain: RunningHouse) -> None:
    query = seen(chain, "store=vrsar")
    price(chain, "vrsar", "1", "7.77")
    with open_page(chain, query) as page:
        page.next("look-again")


def test_a_page_that_comes_back_looks_again(chain: RunningHouse) -> None:
    auth = {"Authorization": f"Bearer {chain.operator}", "Last-Event-ID": "4"}
    with open_page(chain, seen(chain, "store=vrsar"), headers=auth) as page:
        page.next("look-again")


def test_a_new_label_makes_the_page_look_again(chain: RunningHouse) -> None:
    with open_page(chain, seen(chain, "store=vrsar")) as page:
        page.next()
        new = {"label": "vrsar-9", "panel": "bwry-296x128"}
        chain.done("POST", "/api/v1/stores/vrsar/labels", new)
        page.next("look-again")


def test_a_narrowed_page_looks_again_instead_of_judging_each_tile(chain: RunningHouse) -> None:
    with open_page(chain, seen(chain, "store=vrsar&show=gateway-away")) as page:
        page.next()
        price(chain, "vrsar", "1", "7.77")
        page.next("look-again")


def test_a_gateway_that_comes_or_goes_makes_the_page_look_again(chain: RunningHouse) -> None:
    with open_page(chain, seen(chain, "store=vrsar")) as page:
        page.next()
        chain.done("PUT", "/api/v1/stores/vrsar/gateways/gw-1", {})
        assert "gw-1" in page.next()
        page.next("look-again")


# ── How much it tells ───────────────────────────────────────────────────────────────────────


def test_many_changes_become_few_messages_and_the_last_state_wins(
    chain: RunningHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wall_events, "GAP_S", 1.0)
    with open_page(chain, seen(chain, "store=vrsar")) as page:
        page.next()
        for cents in range(10, 40):
            price(chain, "vrsar", "1", f"5.{cents}")
        pieces = [page.next()]
        while "5,39" not in pieces[-1]:
            pieces.append(page.next())
        assert len(pieces) <= 3
        assert all(piece.count('<hx-partial id="tile-') == 1 for piece in pieces)


def test_where_very_much_changes_the_page_looks_again_and_gets_no_pieces(
    chain: RunningHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wall_events, "PIECES_MOST", 2)
    with open_page(chain, seen(chain, "store=vrsar")) as page:
        page.next()
        changes = [{"sku": str(n), "price": "7.77"} for n in range(3)]
        chain.done("POST", "/api/v1/stores/vrsar/price-changes", changes)
        assert "tile-" not in page.next()
        page.next("look-again")


# ── When it ends ────────────────────────────────────────────────────────────────────────────


def test_a_page_that_goes_away_leaves_nothing_behind(chain: RunningHouse) -> None:
    for _ in range(3):
        with open_page(chain, "store=vrsar") as page:
            page.next()
            assert watchers(chain) == 1
        wait_for_watchers(chain, 0)


def test_a_beat_tells_that_the_line_is_alive_and_asks_again_who_is_there(
    chain: RunningHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wall_events, "BEAT_S", 0.2)
    token = chain.token("label:read", stores=("vrsar",))
    with open_page(chain, "store=vrsar", token=token) as page:
        page.next("beat")
        page.next("beat")
        chain.done("DELETE", f"/api/v1/tokens/{token.split('_')[1]}")
        page.ends()
    wait_for_watchers(chain, 0)


def test_a_session_that_ends_ends_its_stream(
    chain: RunningHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wall_events, "BEAT_S", 0.2)
    link = chain.done("POST", "/api/v1/sign-in-links", {})["url"]
    signed_in = httpx2.get(link, trust_env=False)
    cookie = {"Cookie": signed_in.headers["set-cookie"].partition(";")[0]}
    with open_page(chain, "store=vrsar", headers=cookie) as page:
        page.next("beat")
        chain.ask("POST", "/sign-out", token=None, headers=cookie)
        page.ends()
    wait_for_watchers(chain, 0)
