"""How people are told, over HTTP and by command: set, shown without secrets, and tried."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from api.private_files import RuntimeFile, runtime_file
from esl.domain.access import Scope
from esl.intake.notification_json import parse_settings
from tests.pages import ROOT, blocks_of
from tests.receiver import Receiver, running_receiver
from tests.running_house import Command, RunningHouse, check_problem
from tests.served import wait_until

pytest_plugins = ["tests.shop_over_http"]

HERE = "/api/v1/stores/main/notifications"
SERVER = {"host": "mail.example", "from": "esl@shop.example"}
ANA = {"name": "ana", "to": "ana@shop.example"}


@pytest.fixture
def chat() -> Iterator[Receiver]:
    with running_receiver("/hook?key=hidden") as opened:
        yield opened


def settings(*recipients: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"recipients": list(recipients), "allow_private": True} | more


@pytest.mark.asvs("15.3.1")
def test_settings_are_shown_without_secrets_and_these_stay_when_left_out(
    shop: RunningHouse, chat: Receiver
) -> None:
    assert shop.done("GET", HERE)["recipients"] == []
    ops = {"name": "ops", "channel": "slack", "url": chat.url}
    login = SERVER | {"login": "esl", "password": "s3cret"}
    shown = shop.done("PUT", HERE, settings(ANA, ops, mail=login))
    assert shop.done("GET", HERE) == shown
    assert shown["mail"]["has_password"]
    assert (shown["mail"]["port"], shown["mail"]["security"]) == (587, "starttls")
    assert [one["url_host"] for one in shown["recipients"]] == [None, "127.0.0.1"]
    assert "s3cret" not in json.dumps(shown)
    assert "hidden" not in json.dumps(shown)
    del ops["url"]
    again = settings(ops, mail=SERVER | {"login": "esl"})
    assert shop.done("PUT", HERE, again)["mail"]["has_password"]
    elsewhere = settings(mail=SERVER | {"login": "esl", "host": "evil.example"})
    check_problem(shop.ask("PUT", HERE, json=elsewhere), 422, "/mail/password")
    stored = json.dumps(shop.read("SELECT content, hex(sealed) FROM notification_setting"))
    assert "s3cret" not in stored
    logged = json.dumps(shop.read("SELECT detail FROM audit_entry WHERE action = 'notifications'"))
    assert "ops" in logged
    assert "hidden" not in logged


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "/recipients"),
        (settings(ANA), "/mail"),
        (settings(ANA | {"to": "ana@x\r\nBcc: b@x"}, mail=SERVER), "/recipients/0/to"),
        (settings({"name": "x", "channel": "slack"}), "/recipients/0/url"),
        (settings({"name": "x", "channel": "pigeon"}), "/recipients/0/channel"),
        (settings(ANA, ANA, mail=SERVER), "/recipients/1/name"),
        (settings(ANA | {"problems": ["rain"]}, mail=SERVER), "/recipients/0/problems"),
        (settings(quiet_hours={"from": "22:00", "to": "24:00"}), "/quiet_hours/to"),
        (settings(quiet_hours={"from": "22:00", "to": "22:00"}), "/quiet_hours/to"),
        (settings(digest_at="7"), "/digest_at"),
        (settings(mail=SERVER | {"login": "esl", "password": None}), "/mail/login"),
        (
            settings(mail=SERVER | {"login": "a", "password": "b", "security": "none"}),
            "/mail/security",
        ),
        (
            {"recipients": [{"name": "x", "channel": "chat", "url": "http://a.example/"}]},
            "/recipients/0/url",
        ),
    ],
)
def test_settings_that_cannot_be_are_refused_by_field(
    shop: RunningHouse, body: dict[str, Any], pointer: str
) -> None:
    check_problem(shop.ask("PUT", HERE, json=body), 422, pointer)


def test_a_test_message_is_sent_and_its_fate_is_shown(shop: RunningHouse, chat: Receiver) -> None:
    url = chat.url
    shop.done("PUT", HERE, settings({"name": "ops", "channel": "chat", "url": url}))
    check_problem(shop.ask("POST", f"{HERE}/test", json={"recipient": "nobody"}), 409)
    [made] = shop.done("POST", f"{HERE}/test", {"recipient": "ops"})["messages"]
    assert (made["recipient"], made["state"]) == ("ops", "open")
    assert shop.house.listeners.notifier.step() == 1
    [got] = chat.got
    assert "test" in json.loads(got.body)["subject"]
    shown = shop.done("GET", HERE)["messages"][0]
    assert (shown["message"], shown["state"], shown["error"]) == (made["message"], "sent", None)


def test_the_command_tries_the_way_and_says_what_came_of_it(
    shop: RunningHouse, chat: Receiver, command: Command
) -> None:
    shop.done("PUT", HERE, settings({"name": "ops", "channel": "chat", "url": chat.url}))
    data = shop.house.settings.data_dir
    runtime = RuntimeFile(url=shop.url, token=shop.operator, pid=1, key_id="k")
    with runtime_file(data, runtime), ThreadPoolExecutor(1) as others:
        for status, ends, says in ((200, 0, "ops: taken"), (403, 1, "403")):
            chat.status = status
            sending = others.submit(_send_soon, shop)
            ran = command("notify", "test", "main", "--data", data)
            sending.result(60)
            assert ran.status == ends, ran.stderr
            assert says in ran.stdout
        ran = command("notify", "show", "main", "--data", data)
    assert json.loads(ran.stdout)["recipients"][0]["name"] == "ops"


def _send_soon(shop: RunningHouse) -> None:
    """Send what waits, as the running notifier does, once there is something."""
    waits = "SELECT 1 FROM notification WHERE state = 'open' AND error IS NULL"
    wait_until(lambda: bool(shop.read(waits)), "a message to be sent", longest_s=60)
    shop.house.listeners.notifier.step()


def test_only_who_runs_the_store_may_see_or_set_it(shop: RunningHouse) -> None:
    token = shop.token(Scope.LABEL_READ, Scope.PRICE_WRITE)
    for method, path, body in (("GET", HERE, None), ("PUT", HERE, settings())):
        check_problem(shop.ask(method, path, json=body, token=token), 403)


def test_the_page_shows_what_is_taken_and_what_is_sent(shop: RunningHouse, chat: Receiver) -> None:
    page = ROOT / "docs/notifications.md"
    put, sent = (json.loads(block.text) for block in blocks_of(page) if block.kind == "json")
    parse_settings(put)
    shop.done("PUT", HERE, settings({"name": "ops", "channel": "chat", "url": chat.url}))
    shop.done("POST", f"{HERE}/test", {})
    shop.house.listeners.notifier.step()
    assert json.loads(chat.got[-1].body).keys() == sent.keys()
