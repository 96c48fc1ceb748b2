"""What every door of the HTTP API must keep to: framing, methods, types, names, numbers."""

import re
import socket
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest

from tests.running_house import RunningHouse, check_headers

pytest_plugins = ["tests.shop_over_http"]

TOKENS = "/api/v1/tokens"
KNOWN = {"store": "main", "sku": "1001", "gateway": "gw-1", "label": "l-1"}
ENDLESS = "text/event-stream"
HOSTILE_NUMBERS = ("-1", "0", "2147483648", "9223372036854775808", "1" + "0" * 40, "1e3", "٣")
_RUNS_ON = ("charset=utf-8", "charset=UTF-8")


@pytest.fixture(scope="module")
def document(shop: RunningHouse) -> dict[str, Any]:
    """The description of all doors."""
    found: dict[str, Any] = shop.done("GET", "/api/v1/openapi.json")
    return found


def readers(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every door that reads and ends, with what stands in its address filled in."""
    for path, item in document["paths"].items():
        if "get" in item and ENDLESS not in str(item["get"]["responses"]):
            yield re.sub(r"{(\w+)}", lambda found: KNOWN.get(found[1], "1"), path), item["get"]


def raw(house: RunningHouse, head: bytes, body: bytes = b"") -> list[bytes]:
    """Send one POST as it is, and return the status lines of all that comes back."""
    began = b"POST %s HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\n" % (
        TOKENS.encode(),
        house.operator.encode(),
    )
    answer = b""
    with socket.create_connection(("127.0.0.1", house.port), timeout=10) as connection:
        try:
            connection.sendall(began + head + b"\r\n" + body)
            connection.shutdown(socket.SHUT_WR)
            while piece := connection.recv(65_536):
                answer += piece
        except ConnectionResetError:
            pass
    return re.findall(rb"^HTTP/1\.1 (\d+)", answer, re.MULTILINE)


SMUGGLED = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"


@pytest.mark.parametrize(
    "head",
    [
        b"Content-Length: 2\r\nContent-Length: 5\r\n",
        b"Transfer-Encoding: xchunked\r\n",
        b"Transfer-Encoding: chunked, identity\r\n",
        b"Transfer-Encoding : chunked\r\n",
        b"Content-Length: 2\r\n X: folded\r\n",
        b"Content-Length: +2\r\n",
        b"Content-Length: -1\r\n",
        b"Content-Length: 0x2\r\n",
        b"X: a\0b\r\nContent-Length: 2\r\n",
        b"X\r\nContent-Length: 2\r\n",
    ],
)
@pytest.mark.asvs("4.2.1")
def test_a_message_whose_end_could_be_argued_about_is_refused(
    untouched: RunningHouse, head: bytes
) -> None:
    assert raw(untouched, head, b"{}" + SMUGGLED) == [b"400"], "and nothing behind it is heard"


@pytest.mark.asvs("4.2.1")
def test_two_lengths_are_refused_with_all_that_follows(untouched: RunningHouse) -> None:
    chunks = b"2\r\n{}\r\n0\r\n\r\n"
    for length in (0, 2, len(chunks), len(chunks) + len(SMUGGLED)):
        head = b"Content-Length: %d\r\nTransfer-Encoding: chunked\r\n" % length
        statuses = raw(untouched, head, chunks + SMUGGLED)
        assert statuses == [b"400"], "one answer, and nothing behind it is heard"


@pytest.mark.parametrize("method", ["TRACE", "TRACK", "CONNECT", "DEBUG", "PROPFIND"])
@pytest.mark.asvs("4.1.4", "13.4.4")
def test_methods_that_nobody_needs_are_refused_everywhere(
    untouched: RunningHouse, document: dict[str, Any], method: str
) -> None:
    canary = "canary-of-the-header"
    for path, _ in readers(document):
        answer = untouched.ask(method, path, headers={"X-Canary": canary})
        assert answer.status_code == 405, path
        assert canary not in answer.text


@pytest.mark.asvs("3.5.3")
def test_reading_changes_nothing(untouched: RunningHouse, document: dict[str, Any]) -> None:
    paths = [path for path, _ in readers(document)]
    assert len(paths) > 80
    read = [path for path in paths if untouched.ask("GET", path).is_success]
    assert len(read) > len(paths) / 2


@pytest.mark.asvs("4.1.1")
def test_every_answer_says_what_it_is_and_how_it_is_written(
    shop: RunningHouse, document: dict[str, Any]
) -> None:
    people = {"Accept": "text/html"}
    asked: list[tuple[str, dict[str, str]]] = [(path, {}) for path, _ in readers(document)]
    asked += [("/", people), ("/sign-in", people), ("/nowhere", people), ("/metrics", {})]
    for path, headers in asked:
        answer = shop.ask("GET", path, headers=headers)
        check_headers(answer)
        if answer.content:
            kind = answer.headers["content-type"]
            if kind.startswith("text/") or "xml" in kind:
                assert kind.endswith(_RUNS_ON), f"{path}: {kind}"
            if "json" in kind:
                answer.json()


@pytest.mark.asvs("1.4.2", "2.2.1")
def test_no_number_in_an_address_is_too_large_for_a_column(
    untouched: RunningHouse, document: dict[str, Any]
) -> None:
    asked = 0
    for path, door in readers(document):
        for one in door.get("parameters", ()):
            kinds = [one["schema"], *one["schema"].get("anyOf", ())]
            if one["in"] != "query" or "integer" not in [kind.get("type") for kind in kinds]:
                continue
            for number in HOSTILE_NUMBERS:
                answer = untouched.ask("GET", f"{path}?{quote(one['name'])}={quote(number)}")
                assert answer.status_code < 500, f"{path}?{one['name']}={number}"
                asked += 1
    assert asked > 300
    for path in document["paths"]:
        if "get" in document["paths"][path]:
            numbered = re.sub(r"{(store|sku|label|gateway)}", lambda m: KNOWN[m[1]], path)
            for number in HOSTILE_NUMBERS if "{" in numbered else ():
                address = re.sub(r"{\w+}", number, numbered)
                assert untouched.ask("GET", address).status_code < 500, address


@pytest.mark.parametrize(
    ("path", "query", "status"),
    [
        ("shelf-report", "", 200),
        ("shelf-report", "&filename=%22%3B%20x%3D%22evil.html", 422),
        ("journal", "&from=2026-01-01&to=2026-02-01", 200),
    ],
)
@pytest.mark.asvs("5.4.1", "5.4.2")
def test_a_file_is_named_by_us_and_the_name_stays_in_its_field(
    shop: RunningHouse, path: str, query: str, status: int
) -> None:
    answer = shop.ask("GET", f"/api/v1/stores/main/{path}?format=csv{query}")
    assert answer.status_code == status, "nobody else names it"
    if answer.is_success:
        said = answer.headers["content-disposition"]
        assert re.fullmatch(r'attachment; filename="[a-z0-9-]+\.csv"', said), said


@pytest.mark.asvs("6.2.6", "6.2.7")
def test_passwords_are_hidden_and_may_be_pasted_and_kept(shop: RunningHouse) -> None:
    link = shop.done("POST", "/api/v1/people/set-up-link")["url"].partition("link=")[2]
    fields = []
    for path, query in (("/sign-in", {}), ("/welcome", {"link": link})):
        page = shop.ask("GET", path, token=None, headers={"Accept": "text/html"}, **query).text
        fields += re.findall(r'<input[^>]*name="(?:password|again|old|new)"[^>]*>', page)
        assert not re.search(r"onpaste|oncopy|oncontextmenu", page)
    assert len(fields) >= 3
    for field in fields:
        assert 'type="password"' in field
        assert re.search(r'autocomplete="(?:current|new)-password"', field), field
        assert "readonly" not in field


@pytest.mark.asvs("13.4.2")
def test_nothing_runs_in_a_mode_for_developers(shop: RunningHouse) -> None:
    assert shop.app.debug is False
    for path in ("/debug", "/console", "/_debug", "/api/v1/debug", "/server-status", "/.git/HEAD"):
        assert shop.ask("GET", path).status_code == 404, path
