"""The fault buttons over HTTP: for whoever has the token, on this machine, and never a 5xx."""

import asyncio
import json
from typing import Any

import pytest

from esl.domain.errors import SetupError
from simulator.control import ControlServer
from tests.unit.simulator.shop_on_a_table import shop_on_a_table

TOKEN = "t" * 40
LOGIN = f"Authorization: Bearer {TOKEN}"


async def raw(url: str, request: bytes) -> bytes:
    host, _, port = url.removeprefix("http://").rpartition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(request)
    await writer.drain()
    answer = await asyncio.wait_for(reader.read(), 20)
    writer.close()
    await writer.wait_closed()
    return answer


async def ask(
    url: str, method: str, path: str, body: object = None, login: str = LOGIN
) -> tuple[int, Any]:
    payload = b"" if body is None else json.dumps(body).encode()
    head = (
        f"{method} {path} HTTP/1.1\r\nHost: x\r\n{login}\r\nContent-Length: {len(payload)}\r\n\r\n"
    )
    answer = await raw(url, head.encode() + payload)
    top, _, content = answer.partition(b"\r\n\r\n")
    return int(top.split()[1]), json.loads(content)


async def test_a_page_sees_the_shop_and_presses_a_button() -> None:
    shop = shop_on_a_table()
    async with ControlServer(shop, TOKEN).serve() as url:
        status, seen = await ask(url, "GET", "/v1/shop")
        assert (status, [g["gateway"] for g in seen["gateways"]]) == (200, ["gw-1", "gw-2"])
        assert seen["labels"]["labels"] == 6
        assert seen["network"]["lose"] == 0

        pressed = await ask(url, "POST", "/v1/buttons", {"do": "gateway_off", "gateway": "gw-1"})
        assert pressed == (200, {"done_to": ["gw-1"]})
        _, seen = await ask(url, "GET", "/v1/shop")

    assert [g["powered"] for g in seen["gateways"]] == [False, True]


async def test_labels_are_shown_page_by_page() -> None:
    shop = shop_on_a_table()
    async with ControlServer(shop, TOKEN).serve() as url:
        _, first = await ask(url, "GET", "/v1/labels?limit=4")
        _, rest = await ask(url, "GET", f"/v1/labels?limit=4&after={first['after']}")
        status, one = await ask(url, "GET", "/v1/labels/gw-2-1")

    assert [entry["label"] for entry in first["labels"] + rest["labels"]] == sorted(shop.labels)
    assert rest["after"] is None
    assert status == 200
    assert (one["panel"], one["gateways"], one["slots"]) == ("tiny", ["gw-2"], [[0, ""], [0, ""]])


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("GET", "/v1/labels/nobody", None, 404),
        ("GET", "/v1/labels?limit=0", None, 422),
        ("GET", "/v1/labels?limit=x", None, 422),
        ("GET", "/v1/moon", None, 404),
        ("DELETE", "/v1/shop", None, 404),
        ("POST", "/v1/buttons", {"do": "fly"}, 422),
        ("POST", "/v1/buttons", {"do": "label_dies"}, 422),
        ("POST", "/v1/buttons", {"do": "label_dies", "label": "nobody"}, 404),
        ("POST", "/v1/buttons", [], 422),
    ],
)
async def test_a_wrong_request_is_told_what_is_wrong(
    method: str, path: str, body: object, status: int
) -> None:
    async with ControlServer(shop_on_a_table(), TOKEN).serve() as url:
        answered, told = await ask(url, method, path, body)

    assert answered == status
    assert told["error"]


@pytest.mark.parametrize("login", ["X: y", "Authorization: Bearer x", "Authorization: Basic é"])
async def test_nobody_without_the_token_may_see_or_press(login: str) -> None:
    shop = shop_on_a_table()
    async with ControlServer(shop, TOKEN).serve() as url:
        status, told = await ask(url, "POST", "/v1/buttons", {"do": "gateway_off"}, login)

    assert (status, told) == (401, {"error": "the token is missing or wrong"})
    assert shop.is_powered("gw-1")


@pytest.mark.parametrize(
    "request_",
    [
        b"\r\n\r\n",
        b"\xff\xfe\r\n\r\n",
        b"GET /v1/shop HTTP/1.1\r\n" + b"X: " + b"y" * 9_000 + b"\r\n\r\n",
        f"GET /v1/shop HTTP/1.1\r\n{LOGIN}\r\nContent-Length: -1\r\n\r\n".encode(),
        f"POST /v1/buttons HTTP/1.1\r\n{LOGIN}\r\nContent-Length: 99999999\r\n\r\n".encode(),
        f"GET //[ HTTP/1.1\r\n{LOGIN}\r\n\r\n".encode(),
        f"GET / HTTP/1.1\r\n{LOGIN}\r\nContent-Length: {'9' * 5_000}\r\n\r\n".encode(),
    ],
)
async def test_hostile_requests_end_nothing(request_: bytes) -> None:
    async with ControlServer(shop_on_a_table(), TOKEN).serve() as url:
        answer = await raw(url, request_)
        assert answer == b"" or answer.startswith(b"HTTP/1.1 4")

        assert (await ask(url, "GET", "/v1/shop"))[0] == 200


@pytest.mark.parametrize("host", ["192.0.2.1", "localhost", "::", "*"])
async def test_the_buttons_are_for_this_machine_alone(host: str) -> None:
    with pytest.raises(SetupError):
        async with ControlServer(shop_on_a_table(), TOKEN).serve(host=host):
            pass
