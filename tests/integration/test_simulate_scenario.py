"""``esl simulate --scenario``: a shop from a file, its events, its fault buttons over HTTP."""

import json
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from api.cli.simulate import simulate
from esl.domain.errors import EslError, SetupError
from gateway.broker import Waiter, embedded_broker
from gateway.mqtt import BrokerAddress
from gateway.wire.enrolment import Enrolment, enrolment_keys, to_json
from gateway.wire.signing import PublicKeys, SigningKey

PATIENCE_S = 30
SCENARIO = """\
scenario: 1
title: A small shop
speed: 20
gateways:
  - {enrolment: gw-1.json, labels: 5}
events:
  - {after: 10s, do: label_dies, label: gw-1-0002}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    waiter = Waiter(monotonic_s=time.monotonic, sleep_s=time.sleep)
    with embedded_broker(tmp_path, waiter) as broker:
        (tmp_path / "gw-1.json").write_text(to_json(_enrolment(broker.address)))
        (tmp_path / "shop.yaml").write_text(SCENARIO)
        yield tmp_path


def _enrolment(address: BrokerAddress) -> Enrolment:
    return Enrolment(
        gateway="gw-1",
        store="shop-1",
        host=address.host,
        port=address.port,
        tls=False,
        username=address.username or "",
        password=address.password or "",
        keys=enrolment_keys(PublicKeys.of(SigningKey.from_seed(bytes(32)))),
    )


def start(folder: Path, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "api.cli", "simulate", *arguments],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def call(control: dict[str, str], path: str, body: object = None) -> Any:
    request = urllib.request.Request(  # noqa: S310  the address our own process wrote
        control["url"] + path,
        data=None if body is None else json.dumps(body).encode(),
        headers={"Authorization": f"Bearer {control['token']}"},
    )
    with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310
        return json.load(answer)


def wait_for(look: Callable[[], bool]) -> None:
    end_s = time.monotonic() + PATIENCE_S
    while not look():
        assert time.monotonic() < end_s
        time.sleep(0.05)


def test_a_scenario_runs_its_events_and_serves_its_buttons(folder: Path) -> None:
    file = folder / "control.json"
    process = start(folder, "--scenario", "shop.yaml", "--control", "control.json")
    try:
        assert process.stdout is not None
        assert process.stdout.readline().startswith("simulating A small shop: 1 gateways, 5 labels")
        control = json.loads(file.read_text())
        assert file.stat().st_mode & 0o777 == 0o600
        wait_for(lambda: call(control, "/v1/shop")["gateways"][0]["connected"])
        wait_for(lambda: call(control, "/v1/labels/gw-1-0002")["dead"])
        assert process.stdout.readline() == "label_dies: gw-1-0002\n"

        pressed = call(control, "/v1/buttons", {"do": "gateway_off"})
        assert pressed == {"done_to": ["gw-1"]}
        wait_for(lambda: not call(control, "/v1/shop")["gateways"][0]["connected"])
        with pytest.raises(urllib.error.HTTPError) as refused:
            call(control | {"token": "guessed"}, "/v1/shop")
        refused.value.close()
        assert refused.value.code == 401

        process.send_signal(signal.SIGINT)
        assert process.wait(PATIENCE_S) == 0
        assert not file.exists()
    finally:
        process.kill()
        process.communicate()


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("speed: 20", "sped: 20", "Object contains unknown field `sped` (/)"),
        ("labels: 5", "labels: 5, level: gold", "line 5: Invalid enum value 'gold'"),
        ("gw-1.json", "gw-7.json", "gw-7.json cannot be read"),
        ("gw-1-0002", "gw-9-0002", "no label gw-9-0002 is simulated here"),
        ("labels: 5", "labels: 5, panels: [moon]", "moon"),
    ],
)
def test_a_wrong_scenario_says_what_is_wrong(folder: Path, old: str, new: str, told: str) -> None:
    path = folder / "wrong.yaml"
    path.write_text(SCENARIO.replace(old, new))

    with pytest.raises(EslError, match=re.escape(told)):
        simulate(scenario=path)


def test_either_files_or_a_scenario_are_needed(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="give enrolment files, or --scenario"):
        simulate()
    with pytest.raises(SetupError, match="not both"):
        simulate([tmp_path / "gw.json"], scenario=tmp_path / "shop.yaml")
    with pytest.raises(SetupError, match="is missing; those that come along"):
        simulate(scenario=tmp_path / "none.yaml")
