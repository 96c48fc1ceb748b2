"""Webhooks over HTTP: kept before the answer, once, and only from whoever holds the secret."""

import base64
import hashlib
import hmac
import logging
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from api.listeners.hook_sources import HookSource, RememberedSources
from esl.intake.hooks.request import HookSecrets
from esl.intake.hooks.verifiers import HookKind
from tests.running_house import RunningHouse, check_headers, check_problem, running_house

BODY = b'{"id":1, "title": "T-Shirt"}'
SECRET = "hush"


class Registered:
    """`SourceSecrets` with three sources."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.known = {
            name: HookSource(
                source_id=name, kind=kind, secrets=HookSecrets(secrets=[SECRET], url=url)
            )
            for name, kind, url in (
                ("shop", HookKind.SHOPIFY, ""),
                ("woo", HookKind.WOOCOMMERCE, ""),
                ("odoo", HookKind.ODOO, ""),
                ("clover", HookKind.CLOVER, ""),
                ("square", HookKind.SQUARE, "https://shop.example/api/v1/hooks/square"),
            )
        }

    def lookup(self, source_id: str) -> HookSource | None:
        self.asked.append(source_id)
        return self.known.get(source_id)


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHouse]:
    with running_house(tmp_path_factory.mktemp("hooks")) as running:
        now_s = running.house.clock.monotonic_s
        running.app.state.hooks.sources = RememberedSources(Registered(), now_s)
        yield running


def signature(body: bytes = BODY, secret: str = SECRET) -> str:
    return base64.b64encode(hmac.new(secret.encode(), body, hashlib.sha256).digest()).decode()


def call(
    house: RunningHouse, event: str | None = None, *, source: str = "shop", **how: object
) -> httpx2.Response:
    body = how.get("body", BODY)
    assert isinstance(body, bytes)
    headers = {"x-shopify-hmac-sha256": str(how.get("signed", signature(body)))}
    if event is not None:
        headers["x-shopify-webhook-id"] = event
    headers["x-shopify-topic"] = "products/update"
    return house.ask("POST", f"/api/v1/hooks/{source}", content=body, token=None, headers=headers)


def stored(house: RunningHouse) -> int:
    return int(house.read("SELECT count(*) FROM hook_event")[0][0])


def test_a_signed_call_is_kept_before_it_is_answered(house: RunningHouse) -> None:
    answer = call(house, "first")
    assert answer.status_code == 202
    check_headers(answer)
    row = house.read(
        "SELECT source, event_id, topic, body, state, headers FROM hook_event WHERE hook_key = ?",
        answer.json()["id"],
    )
    headers = '{"x-shopify-topic":"products/update"}'
    assert row == [("shop", "first", "products/update", BODY, "new", headers)]


def test_the_same_event_again_gets_the_same_answer_and_is_kept_once(house: RunningHouse) -> None:
    once = call(house, "twice")
    before = stored(house)
    again = call(house, "twice")
    assert (again.status_code, again.json()) == (202, once.json())
    assert stored(house) == before


def test_a_source_that_names_no_events_may_say_the_same_again(house: RunningHouse) -> None:
    path = f"/api/v1/hooks/odoo?secret={SECRET}"
    answers = [house.ask("POST", path, content=b"{}", token=None) for _ in range(2)]
    assert {answer.status_code for answer in answers} == {202}
    assert len({answer.json()["id"] for answer in answers}) == 2


def test_the_secret_of_an_address_is_kept_nowhere(house: RunningHouse) -> None:
    house.ask("POST", f"/api/v1/hooks/odoo?secret={SECRET}", content=b"{}", token=None)
    assert SECRET not in repr(house.read("SELECT * FROM hook_event"))


def test_forty_senders_of_one_event_at_once_are_one_event(house: RunningHouse) -> None:
    before = stored(house)
    answers: list[httpx2.Response] = []
    senders = [
        threading.Thread(target=lambda: answers.append(call(house, "crowd"))) for _ in range(40)
    ]
    for sender in senders:
        sender.start()
    for sender in senders:
        sender.join()
    assert {answer.status_code for answer in answers} == {202}
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert stored(house) == before + 1


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"x-shopify-hmac-sha256": signature(secret="other")},
        {"x-shopify-hmac-sha256": signature(BODY + b" ")},
        {"x-shopify-hmac-sha256": "\xff"},
        {"x-wc-webhook-signature": signature()},
        {"authorization": f"Bearer {SECRET}"},
    ],
)
def test_anything_unsigned_is_refused_in_the_same_words(
    house: RunningHouse, headers: dict[str, str]
) -> None:
    before = stored(house)
    answer = house.ask("POST", "/api/v1/hooks/shop", content=BODY, token=None, headers=headers)
    check_problem(answer, 401)
    assert answer.json()["detail"] == "not signed as this source signs; nothing was stored"
    assert stored(house) == before


def test_a_signature_sent_twice_is_refused(house: RunningHouse) -> None:
    with httpx2.Client(base_url=house.url, trust_env=False) as client:
        twice = [("x-shopify-hmac-sha256", signature())] * 2
        answer = client.post("/api/v1/hooks/shop", content=BODY, headers=twice)
    assert answer.status_code == 401


def test_the_operators_own_token_signs_nothing(house: RunningHouse) -> None:
    assert house.ask("POST", "/api/v1/hooks/shop", content=BODY).status_code == 401


@pytest.mark.parametrize("name", ["nobody", "x" * 300, "%00", "a%2Fb", "%ff", "SHOP"])
def test_an_unknown_source_is_not_found(house: RunningHouse, name: str) -> None:
    answer = call(house, "e", source=name)
    assert answer.status_code == 404
    check_headers(answer)


def test_a_body_beyond_a_mebibyte_is_refused_unread(house: RunningHouse) -> None:
    body = b" " * (1024 * 1024 + 1)
    check_problem(call(house, "large", body=body), 413)
    fits = b" " * (1024 * 1024)
    assert call(house, "fits", body=fits).status_code == 202


def test_a_body_that_is_no_json_is_kept_all_the_same(house: RunningHouse) -> None:
    """Whether it can be read is found out after the answer; the sender did its part."""
    assert call(house, "no-json", body=b"\xff\x00{").status_code == 202


def test_woocommerces_hello_is_answered_200_and_kept_nowhere(house: RunningHouse) -> None:
    before = stored(house)
    answer = house.ask(
        "POST",
        "/api/v1/hooks/woo",
        content=b"webhook_id=12",
        token=None,
        headers={"content-type": "application/x-www-form-urlencoded"},
    )
    assert answer.status_code == 200
    assert stored(house) == before


def test_square_signs_the_address_it_was_given(house: RunningHouse) -> None:
    address = b"https://shop.example/api/v1/hooks/square"
    for signed, status in ((address + BODY, 202), (BODY, 401)):
        headers = {"x-square-hmacsha256-signature": signature(signed)}
        answer = house.ask(
            "POST", "/api/v1/hooks/square", content=BODY, token=None, headers=headers
        )
        assert answer.status_code == status


def test_what_a_strangers_call_costs_does_not_tell_who_is_registered(house: RunningHouse) -> None:
    """Medians of 60 calls in turn; a source that is known may not stand out by half."""
    body = b"x" * 200_000
    took: dict[str, list[float]] = {"shop": [], "nobody": []}
    for _ in range(60):
        for source, times in took.items():
            began = time.perf_counter()
            call(house, source=source, body=body, signed="wrong")
            times.append(time.perf_counter() - began)
    medians = {source: sorted(times)[30] for source, times in took.items()}
    assert medians["nobody"] == pytest.approx(medians["shop"], rel=0.5)


def test_sources_are_asked_for_at_most_once_in_five_seconds() -> None:
    behind, now = Registered(), [0.0]
    sources = RememberedSources(behind, lambda: now[0])
    for name in ("shop", "nobody"):
        for _ in range(3):
            sources.lookup(name)
    assert behind.asked == ["shop", "nobody"]
    now[0] = 5.1
    assert sources.lookup("shop") is not None
    assert behind.asked == ["shop", "nobody", "shop"]
    sources.forget_all()
    assert sources.lookup("nobody") is None
    assert behind.asked[-1] == "nobody"


@pytest.mark.asvs("16.3.3")
def test_a_refusal_is_logged_with_its_reason_and_never_its_secret(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    with running_house(tmp_path) as house:
        now_s = house.house.clock.monotonic_s
        house.app.state.hooks.sources = RememberedSources(Registered(), now_s)
        for _ in range(3):
            call(house, "e", signed="b3RoZXI=")
    printed = caplog.text
    assert printed.count("webhook refused") == 1
    assert "wrong_signature" in printed
    assert SECRET not in printed
    assert "b3RoZXI=" not in printed
