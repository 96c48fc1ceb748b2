"""Too much, at the wrong address, in the wrong way: refused before anybody reads the body."""

import http.client
import json
import socket
import time

import pytest

from api.edge import BODY_LARGEST_BYTES
from tests.running_house import PROBLEM, RunningHouse, check_headers, check_problem

pytest_plugins = ["tests.shop_over_http"]

CANARY = "canary-Zq7"
CHANGES = "/api/v1/stores/main/price-changes"
TAKES_A_BODY = (
    ("POST", CHANGES),
    ("PUT", "/api/v1/stores/main/products/1001"),
    ("PUT", "/api/v1/stores/main/gateways/gw-1"),
    ("POST", "/api/v1/tokens"),
)


@pytest.mark.parametrize(("method", "path"), TAKES_A_BODY)
@pytest.mark.asvs("5.2.1")
def test_two_megabytes_are_refused_without_reading_them(
    untouched: RunningHouse, method: str, path: str
) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", untouched.port, timeout=10)
    connection.putrequest(method, path)
    connection.putheader("Authorization", f"Bearer {untouched.operator}")
    connection.putheader("Content-Length", str(2 * 1024 * 1024))
    connection.endheaders()  # and not one byte of it
    answer = connection.getresponse()
    problem = json.loads(answer.read())
    assert (answer.status, answer.headers["Content-Type"]) == (413, PROBLEM)
    assert problem["status"] == 413
    assert problem["fix"]
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    connection.close()


@pytest.mark.parametrize("chunked", [False, True], ids=["announced", "chunked"])
def test_two_megabytes_that_are_sent_are_refused(untouched: RunningHouse, *, chunked: bool) -> None:
    piece = b" " * 65_536
    connection = http.client.HTTPConnection("127.0.0.1", untouched.port, timeout=10)
    connection.putrequest("POST", CHANGES)
    connection.putheader("Authorization", f"Bearer {untouched.operator}")
    if chunked:
        connection.putheader("Transfer-Encoding", "chunked")
    else:
        connection.putheader("Content-Length", str(32 * len(piece)))
    connection.endheaders()
    try:
        for _ in range(32):
            connection.send(b"%x\r\n%s\r\n" % (len(piece), piece) if chunked else piece)
    except (BrokenPipeError, ConnectionResetError):
        pass  # it has heard enough
    try:
        assert connection.getresponse().status == 413
    except ConnectionResetError:
        pass  # the rest of what we sent met a closed door; nothing was stored, as the fixture sees
    connection.close()


def test_a_body_just_within_the_limit_is_read(untouched: RunningHouse) -> None:
    body = b'{"sku": "9999", "price": "1.29"}'
    padded = body + b" " * (BODY_LARGEST_BYTES - len(body))
    check_problem(untouched.ask("POST", CHANGES, content=padded), 422, "/sku")
    assert untouched.ask("POST", CHANGES, content=padded + b" ").status_code == 413


@pytest.mark.parametrize("key", ["", "a\tb", "x" * 201, "\x7f", "a\xa0b"])
def test_a_bad_idempotency_key_is_refused(untouched: RunningHouse, key: str) -> None:
    body = b'{"sku": "1001", "price": "7.77"}'
    answer = _raw(
        untouched,
        b"POST %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer %s\r\n"
        b"Idempotency-Key: %s\r\nContent-Length: %d\r\n\r\n%s"
        % (CHANGES.encode(), untouched.operator.encode(), key.encode("latin-1"), len(body), body),
    )
    assert answer.split()[1] in {b"400", b"422"}  # h11 itself refuses DEL


@pytest.mark.parametrize(
    "path",
    [
        "/api/v1/stores/MAIN/products/1001",
        "/api/v1/stores/m%20n/products/1001",
        "/api/v1/stores/%6d%61in%00/products/1001",
        "/api/v1/stores/" + "m" * 65 + "/products/1001",
        "/api/v1/stores/ma%C4%8Din/products/1001",
        "/api/v1/stores/main/products/" + "1" * 65,
        "/api/v1/stores/main/products/%00",
        "/api/v1/stores/main/products/1001%00",
        "/api/v1/stores/main/products/%0A",
        "/api/v1/stores/main/products/%20",
        "/api/v1/stores/main/products/",
        "/api/v1/stores/main/products/%FF",
        "/api/v1/stores/main/products/%ED%A0%80",
        "/api/v1/stores/main/products/%C0%AF",
        "/api/v1/stores/main/products/%E2%80%AE1",
        "/api/v1/stores/main/labels?limit=0",
        "/api/v1/stores/main/labels?limit=1001",
        f"/api/v1/stores/main/labels?limit={CANARY}",
        "/api/v1/stores/main/labels?limit=" + "9" * 5000,
        "/api/v1/stores/main/labels?limit=1&limit=NaN",
        "/api/v1/stores/main/labels?limt=5",
        f"/api/v1/stores/main/labels?after={CANARY}",
        "/api/v1/stores/main/labels?after=%00",
        "/api/v1/stores/main/labels?after=" + "a" * 65,
        "/api/v1/labels/L-1",
        "/api/v1/labels/%00",
    ],
)
def test_a_bad_address_or_parameter_is_refused(untouched: RunningHouse, path: str) -> None:
    answer = untouched.ask("GET", path)
    problem = check_problem(answer, 422)
    assert problem["errors"]
    assert CANARY not in answer.text


@pytest.mark.parametrize(
    ("path", "pointer"),
    [
        ("/api/v1/stores/MAIN/labels", "/store"),
        ("/api/v1/stores/main/products/%00", "/sku"),
        ("/api/v1/labels/L-1", "/label"),
        ("/api/v1/stores/main/labels?limit=0", "/query/limit"),
        ("/api/v1/stores/main/labels?limt=5", "/query/limt"),
        ("/api/v1/stores/main/labels?after=%00", "/query/after"),
    ],
)
def test_the_pointer_names_the_parameter(untouched: RunningHouse, path: str, pointer: str) -> None:
    check_problem(untouched.ask("GET", path), 422, pointer)


@pytest.mark.parametrize(
    "path",
    [
        f"/{CANARY}",
        "/api/v1",
        "/api/v1/",
        "/api/v2/stores",
        "/healthz/",
        "/api/v1/stores/",
        "/api/v1/stores/nowhere/labels",
        "/api/v1/stores/main/products/9999",
        "/api/v1/stores/main/products/..%2f..%2f..%2fetc%2fpasswd",
        "/api/v1/labels/l-99",
        "/api/v1/labels/l-1/frames/x.png",
        "/api/v1/labels/l-1/frames/%00.png",
        "/api/v1/labels/l-1/frames/" + "0" * 64 + ".png",
        "/openapi.json",
        "/docs",
        "/redoc",
        "/.env",
    ],
)
def test_what_is_not_there_is_not_found(untouched: RunningHouse, path: str) -> None:
    answer = untouched.ask("GET", path)
    check_problem(answer, 404)
    assert CANARY not in answer.text
    assert "location" not in answer.headers


@pytest.mark.parametrize("token_id", ["00000000", "x", "%00", "%FF", "a" * 5000, "operator"])
def test_a_token_that_is_not_there_is_not_found(untouched: RunningHouse, token_id: str) -> None:
    check_problem(untouched.ask("DELETE", f"/api/v1/tokens/{token_id}"), 404)


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH", "OPTIONS", "HEAD", "BREW"])
@pytest.mark.asvs("4.1.4")
def test_a_wrong_method_is_refused_and_the_right_one_named(
    untouched: RunningHouse, method: str
) -> None:
    answer = untouched.ask(method, CHANGES)
    assert answer.status_code == 405
    assert answer.headers["allow"] == "POST"
    check_headers(answer)
    if method != "HEAD":
        check_problem(answer, 405)


@pytest.mark.parametrize(
    "host", ["[", "[::1", "a b", "evil.example/x?", "x" * 2000, "a:b:c", "\xff"]
)
def test_a_hostile_host_header_changes_nothing(untouched: RunningHouse, host: str) -> None:
    body = b'{"sku": "1001", "price": "1.29"}'
    before = untouched.read("SELECT count(*) FROM price_event")
    for path, content in ((CHANGES.encode(), body + b"x"), (b"/nowhere", b"")):
        answer = _raw(
            untouched,
            b"POST %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\nAuthorization: Bearer %s\r\n"
            b"Content-Length: %d\r\n\r\n%s"
            % (path, host.encode("latin-1"), untouched.operator.encode(), len(content), content),
        )
        assert answer.split()[1].startswith(b"4"), answer[:200]
        assert b"Traceback" not in answer
    assert untouched.read("SELECT count(*) FROM price_event") == before


@pytest.mark.parametrize(
    "request_line",
    [
        b"GET /api/v1/labels/\xff\xfe HTTP/1.1",
        b"GET http://other.example/api/v1/stores HTTP/1.1",
        b"GET //api/v1/stores HTTP/1.1",
        b"GET /api/v1/../../etc/passwd HTTP/1.1",
        b"GET /?q=\xff HTTP/1.1",
        b"OPTIONS * HTTP/1.1",
        b"CONNECT x:1 HTTP/1.1",
        b"GET / HTTP/9.9",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"GET /" + b"a" * 100_000 + b" HTTP/1.1",
    ],
    ids=lambda line: repr(line[:30]),
)
def test_a_request_no_client_writes_is_refused(
    untouched: RunningHouse, request_line: bytes
) -> None:
    head = b"%s\r\nHost: x\r\nConnection: close\r\n\r\n" % request_line
    answer = _raw(untouched, head)
    assert not answer or answer.split()[1][:1] == b"4", answer[:200]
    assert b"Traceback" not in answer
    assert untouched.ask("GET", "/healthz").json() == {"status": "ok"}


def _raw(house: RunningHouse, request: bytes) -> bytes:
    """Send bytes as they are, and return all that comes back."""
    answer = b""
    with socket.create_connection(("127.0.0.1", house.port), timeout=10) as connection:
        try:
            connection.sendall(request)
            while piece := connection.recv(65_536):
                answer += piece
        except ConnectionResetError:
            pass
    return answer


def test_half_a_document_is_no_document(untouched: RunningHouse) -> None:
    whole = "name: cut\nformat: csv\ndelimiter: ','\ndecimal: '.'\ncurrency: EUR\nfields:\n"
    half = f"{whole}  sku: sku\n  price: price\n".encode()  # valid by itself
    head = (
        f"PUT /api/v1/mappings/cut HTTP/1.1\r\nHost: x\r\n"
        f"Authorization: Bearer {untouched.operator}\r\nContent-Length: {len(half) + 30}\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", untouched.port), timeout=10) as connection:
        connection.sendall(head.encode() + half)
    until = time.monotonic() + 0.5  # many times what keeping it would take
    while time.monotonic() < until:
        assert untouched.ask("GET", "/api/v1/mappings").json()["mappings"] == []
