"""Where connectors may connect to, and how much they put up with."""

import gzip
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from api.listeners.connectors.addresses import AddressRules
from api.listeners.connectors.errors import (
    NothingThere,
    ShopBusy,
    ShopError,
    ShopRefused,
    ShopUnreachable,
)
from api.listeners.connectors.fetch import Fetcher

NOWHERE = "0.0.0.0"  # noqa: S104  nothing is bound to it: it is refused


def leading_to(*addresses: str, allowed: str = "") -> AddressRules:
    def resolve(_host: str, _port: int) -> Sequence[str]:
        return addresses

    rules = AddressRules.of_text(allowed)
    return AddressRules(allowed=rules.allowed, resolve=resolve)


class TestAddresses:
    @pytest.mark.parametrize(
        "address", ["93.184.216.34", "2606:2800:220:1:248:1893:25c8:1946", "8.8.8.8"]
    )
    def test_public_ones_are_open(self, address: str) -> None:
        assert leading_to(address).address_of("shop.example", 443) == address

    @pytest.mark.parametrize(
        "address",
        [
            *("127.0.0.1", "127.9.9.9", "::1", "10.0.0.8", "172.16.3.4", "192.168.1.10"),
            *("169.254.169.254", "fe80::1", "fe80::1%eth0", "fc00::1", NOWHERE, "::"),
            *("224.0.0.1", "ff02::1", "255.255.255.255", "100.64.0.1", "192.0.2.1", "240.0.0.1"),
            *("::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254"),
            *("64:ff9b::7f00:1", "2002:7f00:1::", "2001:0:1::1", "::127.0.0.1", "198.18.0.1"),
        ],
    )
    @pytest.mark.asvs("1.3.6")
    def test_private_and_special_ones_are_closed(self, address: str) -> None:
        with pytest.raises(ShopRefused, match="allow_private"):
            leading_to(address).address_of("shop.example", 443)

    def test_one_closed_address_closes_the_name(self) -> None:
        with pytest.raises(ShopRefused):
            leading_to("8.8.8.8", "10.0.0.1").address_of("shop.example", 443)

    @pytest.mark.parametrize("allowed", ["shop.lan", "192.168.1.10", "192.168.0.0/16, other"])
    def test_private_ones_that_were_named_are_open(self, allowed: str) -> None:
        rules = leading_to("192.168.1.10", allowed=allowed)
        assert rules.address_of("shop.lan", 443) == "192.168.1.10"

    @pytest.mark.parametrize("address", ["169.254.169.254", NOWHERE, "224.0.0.1", "fe80::1"])
    def test_some_stay_closed_to_all(self, address: str) -> None:
        for allowed in ("shop.lan", "0.0.0.0/0", "::/0"):
            with pytest.raises(ShopRefused):
                leading_to(address, allowed=allowed).address_of("shop.lan", 443)

    def test_another_name_is_not_opened_with_it(self) -> None:
        with pytest.raises(ShopRefused):
            leading_to("192.168.1.11", allowed="shop.lan").address_of("else.lan", 443)

    def test_a_name_that_nobody_knows_is_tried_again_later(self) -> None:
        with pytest.raises(ShopUnreachable):
            leading_to().address_of("shop.example", 443)
        with pytest.raises(ShopUnreachable):
            AddressRules().address_of("no-such-name.invalid", 443)


@pytest.mark.parametrize(
    "address",
    [
        *("http://shop.example", "ftp://shop.example", "shop.example", "", "https://"),
        *("file:///etc/passwd", "https://[::", "http://127.0.0.1:1"),
    ],
)
def test_only_https_is_spoken_but_with_those_that_were_named(address: str) -> None:
    with pytest.raises(ShopRefused):
        Fetcher(base_url=address, rules=leading_to("8.8.8.8")).get("x")


def test_a_next_page_elsewhere_is_not_followed() -> None:
    fetcher = Fetcher(base_url="https://shop.example/api", rules=leading_to("8.8.8.8"))
    for other in ("https://evil.example/api", "//evil.example/x", "http://shop.example/x"):
        with pytest.raises(ShopRefused, match="another address"):
            fetcher.get(other)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    asked: list[tuple[str, str]] = []  # noqa: RUF012  of the class, on purpose

    def do_GET(self) -> None:
        self.asked.append((self.headers["host"], self.path))
        status, _, rest = self.path.strip("/").partition("/")
        match status:
            case "large":
                self._answer(200, b"x" * 3_000_000)
            case "bomb":
                self._answer(200, _BOMB, {"Content-Encoding": "gzip"})
            case "slow":
                self.send_response_only(200)
                self.send_header("Content-Length", "100")
                self.end_headers()
                for _ in range(100):
                    self.wfile.write(b"x")
                    time.sleep(0.05)
            case "head" | "earlier":
                self.wfile.write(b"HTTP/1.1 200 OK\r\nX: " if status == "head" else b"")
                for _ in range(100):
                    bit = b"x" if status == "head" else b"HTTP/1.1 100 Continue\r\n\r\n"
                    self.wfile.write(bit)
                    time.sleep(0.05)
                self.close_connection = True
            case "cut":
                self.send_response_only(200)
                self.send_header("Content-Length", "100")
                self.end_headers()
                self.wfile.write(b"x")
                self.close_connection = True
            case "garbage":
                self.wfile.write(b"\x00\xff not http at all\r\n\r\n")
                self.close_connection = True
            case _:
                name, _, value = rest.partition("=")
                self._answer(int(status), b"{}", {name: value.replace("+", " ")} if name else {})

    def _answer(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response_only(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


_BOMB = gzip.compress(b"x" * 50_000_000)


@contextmanager
def serving() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=lambda: server.serve_forever(poll_interval=0.02))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture(scope="module")
def base() -> Iterator[str]:
    with serving() as url:
        yield url


def fetch(base: str, path: str, **limits: float) -> object:
    fetcher = Fetcher(
        base_url=base,
        rules=AddressRules.of_text("127.0.0.1"),
        wall=lambda: datetime(2026, 3, 1, 12, tzinfo=UTC),
        largest_bytes=2_000_000,
        longest_s=limits.get("longest_s", 60),
    )
    try:
        return fetcher.get(path)
    finally:
        fetcher.close()


@pytest.mark.parametrize("path", ["large", "bomb"])
def test_an_answer_beyond_the_bound_is_refused(base: str, path: str) -> None:
    with pytest.raises(ShopRefused, match="MiB"):
        fetch(base, path)


@pytest.mark.parametrize("path", ["slow", "head", "earlier"])
def test_an_answer_that_trickles_is_given_up(base: str, path: str) -> None:
    began_s = time.monotonic()
    with pytest.raises(ShopUnreachable, match="longer than"):
        fetch(base, path, longest_s=0.3)
    assert time.monotonic() - began_s < 2.0


def test_the_next_answer_after_one_that_was_given_up_is_read(base: str) -> None:
    rules = AddressRules.of_text("127.0.0.1")
    fetcher = Fetcher(base_url=base, rules=rules, longest_s=0.3)
    for _ in range(3):
        with pytest.raises(ShopUnreachable):
            fetcher.get("head")
        assert fetcher.get("200").status == 200
    fetcher.close()


@pytest.mark.parametrize("path", ["cut", "garbage"])
def test_an_answer_that_breaks_off_is_tried_again_later(base: str, path: str) -> None:
    with pytest.raises(ShopUnreachable):
        fetch(base, path)


def test_nobody_at_the_address_is_tried_again_later() -> None:
    with serving() as url:
        pass
    with pytest.raises(ShopUnreachable):
        fetch(url, "x")


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.asvs("15.3.2")
def test_a_redirect_is_said_and_not_followed(base: str, status: int) -> None:
    before = len(_Handler.asked)
    with pytest.raises(ShopRefused, match="another address"):
        fetch(base, f"{status}/Location=http://169.254.169.254/latest")
    assert len(_Handler.asked) == before + 1


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        *((400, ShopRefused), (401, ShopRefused), (403, ShopRefused), (404, NothingThere)),
        *((410, NothingThere), (408, ShopUnreachable), (418, ShopRefused), (429, ShopBusy)),
        *((500, ShopUnreachable), (502, ShopUnreachable), (503, ShopUnreachable)),
    ],
)
def test_each_status_has_its_kind(base: str, status: int, kind: type[ShopError]) -> None:
    with pytest.raises(kind) as caught:
        fetch(base, str(status))
    assert type(caught.value) is kind


@pytest.mark.parametrize(
    ("header", "wait_s"),
    [
        ("Retry-After=7", 7),
        ("Retry-After=2.5", 2.5),
        ("Retry-After=0", 1),
        ("Retry-After=-5", 30),
        ("Retry-After=999999", 3600),
        ("Retry-After=Sun,+01+Mar+2026+12:00:45+GMT", 45),
        ("Retry-After=Sun,+01+Mar+2026+11:00:00+GMT", 1),
        ("Retry-After=soon", 30),
        ("X-Rate-Limit-Time-Reset-Ms=15000", 15),
        ("X=1", 30),
    ],
)
def test_it_waits_as_it_was_asked_to(base: str, header: str, wait_s: float) -> None:
    with pytest.raises(ShopBusy) as caught:
        fetch(base, f"429/{header}")
    assert caught.value.wait_s == wait_s


def test_the_name_goes_into_the_request_and_the_address_into_the_connection(base: str) -> None:
    port = int(base.rpartition(":")[2])
    rules = leading_to("127.0.0.1", allowed="shop.lan")
    fetcher = Fetcher(base_url=f"http://shop.lan:{port}", rules=rules)
    fetcher.get("200")
    fetcher.close()
    assert _Handler.asked[-1] == (f"shop.lan:{port}", "/200")
