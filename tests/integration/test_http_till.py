"""Tills over HTTP: asked, answered, and told by signed messages."""

import json
import threading
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from api.listeners.signed_post import pause_after
from api.private_files import RuntimeFile, runtime_file
from esl.domain.ids import StoreId
from esl.intake.hooks.request import Genuine, HookRequest, HookSecrets
from esl.intake.hooks.schemes import StandardWebhooks
from esl.services import tilling
from tests.running_house import Command, RunningHouse, check_problem

pytest_plugins = ["tests.shop_over_http"]

MAIN = "/api/v1/stores/main"
SECRET = "whsec_" + "QUJD" * 8


class Till(BaseHTTPRequestHandler):
    """A till's webhook that keeps what it gets, and answers what it is told to."""

    got: list[tuple[str, dict[str, str], bytes]]
    status = 200

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        headers = {name.lower(): value for name, value in self.headers.items()}
        type(self).got.append((self.path, headers, body))
        self.send_response(type(self).status)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@pytest.fixture
def till() -> Iterator[tuple[type[Till], str]]:
    Till.got, Till.status = [], 200
    server = HTTPServer(("127.0.0.1", 0), Till)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield Till, f"http://127.0.0.1:{server.server_port}/prices?shop=1"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(autouse=True)
def _back(shop: RunningHouse) -> Iterator[None]:
    yield
    shop.done("PUT", f"{MAIN}/till", {})


def price(shop: RunningHouse, text: str) -> None:
    shop.done("POST", f"{MAIN}/price-changes", {"sku": "1001", "price": text})


def news(shop: RunningHouse, since: int = 0) -> dict[str, Any]:
    found: dict[str, Any] = shop.done("GET", f"{MAIN}/till-prices", since=since)
    return found


def test_a_till_asks_and_says_what_it_charges(shop: RunningHouse) -> None:
    price(shop, "1.29")
    assert shop.done("GET", f"{MAIN}/till")["channel"] == "none"
    put = {"channel": "pull", "increase_safe": True, "price_owner": "esl"}
    assert shop.done("PUT", f"{MAIN}/till", put)["increase_safe"] is True
    first = news(shop)
    assert {one["sku"]: one["price"] for one in first["prices"]} == {"1001": "1.29", "1002": "0.99"}
    assert (first["currency"], first["more"]) == ("EUR", False)
    assert news(shop, first["next"])["prices"] == []

    price(shop, "0.79")
    [cheaper] = news(shop, first["next"])["prices"]
    assert (cheaper["price"], cheaper["waits_for"]) == ("0.79", "till")
    assert cheaper["on_labels"]["price"] == "1.29"
    word = {"prices": [{"sku": "1001", "rev": cheaper["rev"]}]}
    for _ in range(2):
        said = shop.done("POST", f"{MAIN}/till-prices/ack", word)
        assert said["prices"][0]["result"] == "acknowledged"
    assert shop.done("GET", f"{MAIN}/till-prices/pending")["prices"] == []

    price(shop, "0.99")
    [dearer] = shop.done("GET", f"{MAIN}/till-prices/pending")["prices"]
    assert (dearer["price"], dearer["will_be"]["price"]) == ("0.79", "0.99")
    assert (dearer["waits_for"], dearer["labels"], dearer["missing"]) == ("labels", ["l-1"], 1)
    gone = {"labels": ["l-1"], "reason": "broken"}
    assert shop.done("POST", f"{MAIN}/absent-labels", gone) == {"labels": 1}
    shop.write(lambda tx: tilling.confirm_labels(tx, StoreId("main"), shop.house.clock.now()))
    assert news(shop)["prices"][-1]["price"] == "0.99"


def test_the_command_line_shows_and_says_the_same(shop: RunningHouse, command: Command) -> None:
    price(shop, "1.29")
    shop.done("PUT", f"{MAIN}/till", {"channel": "pull", "increase_safe": True})
    price(shop, "0.69")
    [cheaper] = shop.done("GET", f"{MAIN}/till-prices/pending")["prices"]
    folder = shop.house.settings.data_dir
    with runtime_file(folder, RuntimeFile(url=shop.url, token=shop.operator, pid=1)):

        def esl(*said: str) -> str:
            ran = command("till", *said, "--data", str(folder))
            assert ran.status == 0, ran.stderr
            return ran.stdout

        assert "asks for them; dearer on labels first" in esl("show", "main")
        assert "prices are made here" in esl("set", "main", "--owner", "esl")
        kept = json.loads(esl("show", "main", "--json"))
        assert (kept["channel"], kept["increase_safe"]) == ("pull", True)
        deaf = command("till", "set", "main", "--channel", "none", "--data", str(folder))
        assert deaf.status == 1
        assert "increase_safe" in deaf.stderr
        assert "its till's" in esl("set", "main", "--owner", "till")

        assert "0.69" in esl("prices", "main")
        assert "the till" in esl("pending", "main")
        assert "acknowledged" in esl("ack", "main", "1001", str(cheaper["rev"]))
        assert "Nothing waits" in esl("pending", "main")
        assert "1 label" in esl("absent", "main", "l-1", "--reason", "broken")


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"channel": "pigeon"}, "/channel"),
        ({"channel": "webhook", "url": "ftp://x", "secret": SECRET}, "/url"),
        ({"channel": "webhook", "url": "https://a:b@till.example", "secret": SECRET}, "/url"),
        ({"channel": "webhook", "url": "https://till.example", "secret": "short"}, "/secret"),
        ({"channel": "webhook", "url": "https://till.example"}, "/secret"),
        ({"increase_safe": True}, "/increase_safe"),
        ({"increase_safe": "yes"}, "/increase_safe"),
        ({"acknowledge_within_s": 0}, "/acknowledge_within_s"),
        ({"chanel": "pull"}, "/chanel"),
    ],
)
def test_bad_settings_are_refused(shop: RunningHouse, body: dict[str, Any], pointer: str) -> None:
    check_problem(shop.ask("PUT", f"{MAIN}/till", json=body), 422, pointer)


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"prices": []}, "/prices"),
        ({"prices": [{"sku": "1001"}]}, "/prices/0/rev"),
        ({"prices": [{"sku": "1001", "rev": 0}]}, "/prices/0/rev"),
        ({"prices": [{"sku": "1001", "rev": 1}, {"rev": 1}]}, "/prices/1/sku"),
        ({"prices": [7]}, "/prices/0"),
    ],
)
def test_bad_words_are_refused(shop: RunningHouse, body: dict[str, Any], pointer: str) -> None:
    check_problem(shop.ask("POST", f"{MAIN}/till-prices/ack", json=body), 422, pointer)


def test_a_till_is_told_by_signed_messages_until_it_takes_them(
    shop: RunningHouse, till: tuple[type[Till], str]
) -> None:
    server, url = till
    teller = shop.house.listeners.tills
    setting = {"channel": "webhook", "url": url, "secret": SECRET, "allow_private": True}
    assert "secret" not in shop.done("PUT", f"{MAIN}/till", setting)
    server.status = 500
    assert teller.step() == 0
    assert len(server.got) == 1
    assert teller.step() == 0, "it waits before it tries again"
    assert len(server.got) == 1
    server.status = 204
    shop.done("PUT", f"{MAIN}/till", setting)  # whoever mends it need not wait
    assert teller.step() == 1
    path, headers, body = server.got[-1]
    assert path == "/prices?shop=1"
    data = json.loads(body)["data"]
    assert {one["sku"] for one in data["prices"]} == {"1001", "1002"}
    request = HookRequest(headers=headers, body=body)
    secrets = HookSecrets(secrets=(SECRET,))
    checked = StandardWebhooks()(request, secrets, shop.house.clock.now())
    assert isinstance(checked, Genuine)
    assert checked.event_id == headers["webhook-id"]
    assert teller.step() == 0, "nothing is told twice"
    price(shop, "1.77")
    assert teller.step() == 1
    assert [one["price"] for one in json.loads(server.got[-1][2])["data"]["prices"]] == ["1.77"]


def test_a_private_address_is_not_spoken_to_unless_the_shop_says_so(
    shop: RunningHouse, till: tuple[type[Till], str]
) -> None:
    server, url = till
    shop.done("PUT", f"{MAIN}/till", {"channel": "webhook", "url": url, "secret": SECRET})
    assert shop.house.listeners.tills.step() == 0
    assert server.got == []


def test_pauses_grow_up_to_an_hour() -> None:
    assert [pause_after(n).total_seconds() for n in (0, 1, 2)] == [10, 20, 40]
    assert pause_after(1000) == timedelta(hours=1)
