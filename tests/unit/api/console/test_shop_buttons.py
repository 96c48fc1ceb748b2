"""Every fault button of the wall is one that the simulator has, and only this machine is called."""

import asyncio
import json
from pathlib import Path
from stat import S_IMODE

import pytest

from api.console.shop_buttons import (
    ALL_LABELS,
    BUTTONS,
    KnownShop,
    ShopButton,
    Target,
    button_body,
)
from api.console.shop_remote import ShopAway, ShopRefused, ShopRemote
from api.demo.control import serve_control
from esl.domain.errors import InvalidInput
from simulator.scenario_text import read_button
from tests.unit.simulator.shop_on_a_table import shop_on_a_table

KNOWN = KnownShop(
    gateways=["gw-1", "gw-2"],
    labels=["gw-1-1", "gw-2-1"],
    heard_by={"gw-1-1": ["gw-1"], "gw-2-1": ["gw-1", "gw-2"]},
)


@pytest.mark.parametrize("button", BUTTONS, ids=lambda b: b.key)
@pytest.mark.parametrize("label", ["gw-1-1", "", ALL_LABELS])
def test_every_button_does_something_to_a_simulated_shop(button: ShopButton, label: str) -> None:
    shop = shop_on_a_table()
    form = {"press": button.key, "gateway": "gw-1", "label": label}
    only_one = KnownShop(gateways=KNOWN.gateways, labels=["gw-1-1"], heard_by=KNOWN.heard_by)
    found, body = button_body(form, only_one)
    assert found is button
    done_to = read_button(json.dumps(body).encode()).press(shop)
    if button.target is Target.LABEL and label == ALL_LABELS and not button.of_one:
        assert set(done_to) == set(shop.labels)
    else:
        expected = {Target.GATEWAY: ["gw-1"], Target.MESSAGES: ["gw-1", "gw-2"]}
        assert done_to == expected.get(button.target, ["gw-1-1"])


def test_buttons_have_keys_and_words_of_their_own() -> None:
    assert len({b.key for b in BUTTONS}) == len({b.word for b in BUTTONS}) == len(BUTTONS)


def test_a_gateway_left_out_means_all() -> None:
    _, body = button_body({"press": "off", "gateway": ""}, KNOWN)
    assert body == {"do": "gateway_off"}


@pytest.mark.parametrize(
    ("form", "shop", "words"),
    [
        ({}, KNOWN, "no such button"),
        ({"press": "explode"}, KNOWN, "no such button"),
        ({"press": "dies"}, KnownShop(gateways=[], labels=[], heard_by={}), "has no labels"),
        ({"press": "moves", "label": "gw-2-1"}, KNOWN, "every gateway of the shop hears gw-2-1"),
    ],
)
def test_what_cannot_be_pressed_is_refused_in_words(
    form: dict[str, str], shop: KnownShop, words: str
) -> None:
    with pytest.raises(InvalidInput, match=words):
        button_body(form, shop)


async def test_a_page_sees_and_presses_through_the_control_file(tmp_path: Path) -> None:
    shop = shop_on_a_table()
    file = tmp_path / "control.json"
    remote = ShopRemote(file)
    async with serve_control(shop, file):
        assert S_IMODE(file.stat().st_mode) == 0o600
        known = await asyncio.to_thread(remote.known)
        assert known.gateways == ["gw-1", "gw-2"]
        assert list(known.labels) == sorted(shop.labels)
        assert known.heard_by["gw-2-1"] == ["gw-2"]
        body: dict[str, object] = {"do": "label_dies", "label": "gw-1-1"}
        assert await asyncio.to_thread(remote.press, body) == ["gw-1-1"]
        assert shop.labels["gw-1-1"].dead
        with pytest.raises(ShopRefused, match="no label nobody"):
            await asyncio.to_thread(remote.press, body | {"label": "nobody"})
    with pytest.raises(ShopAway, match="is not running"):
        await asyncio.to_thread(remote.see)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "not json",
        '{"url": "http://127.0.0.1:1"}',
        '{"url": "http://192.0.2.7:80", "token": "x"}',
        '{"url": "http://shop.example", "token": "x"}',
        '{"url": "https://127.0.0.1:1", "token": "x"}',
        '{"url": "http://127.0.0.1@192.0.2.7/", "token": "x"}',
        '{"url": "http://[", "token": "x"}',
        '{"url": "http://127.0.0.1:99999", "token": "x"}',
        '{"url": "http://127.0.0.1:9", "token": "a\\nb"}',
    ],
)
def test_a_file_that_names_no_simulator_of_this_machine_calls_nobody(
    tmp_path: Path, text: str
) -> None:
    file = tmp_path / "control.json"
    file.write_text(text)
    with pytest.raises(ShopAway):
        ShopRemote(file).see()
