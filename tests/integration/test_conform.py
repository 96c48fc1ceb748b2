"""``esl conform`` as a process: on an installation of its own, alone, with and without success."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from api.clock import MachineClock
from esl.domain.panel_file import load_panels
from gateway.wire.enrolment import Enrolment, enrolment_keys, from_json
from gateway.wire.signing import PublicKeys, SigningKey
from simulator.gateway import GatewayOptions
from simulator.shop import Shop
from tests.running_house import STORE_BODY, Command, running_house
from tests.services import Mosquitto

pytest_plugins = ["tests.shop_over_http"]

PANEL = load_panels().named("bwry-296x128")
KEY = SigningKey.from_seed(bytes(range(32)))
QUICK = GatewayOptions(paint_s=0.3, heartbeat_s=2, beacon_s=2, capacity=3)
PROJECT = Path(__file__).parents[2]
PATIENCE_S = 90.0


async def esl(*words: object) -> tuple[int, str, str]:
    """Run a command: its status, output and errors."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "api.cli",
        *(str(word) for word in words),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        cwd=PROJECT,
    )
    async with asyncio.timeout(PATIENCE_S):
        output, errors = await process.communicate()
    assert process.returncode is not None
    return process.returncode, output.decode(), errors.decode()


@asynccontextmanager
async def shop_of(enrolment: Enrolment, options: GatewayOptions = QUICK) -> AsyncIterator[Shop]:
    labels = [(f"l-{n}", PANEL) for n in range(1, 5)]
    async with Shop(
        [(enrolment, labels)], clock=MachineClock(), sleep=asyncio.sleep, options=options
    ) as shop:
        yield shop
        await shop.stop()


def enrolled(broker: Mosquitto) -> Enrolment:
    return Enrolment(
        gateway="gw-1",
        store="main",
        host=broker.host,
        port=broker.port,
        tls=False,
        username=broker.username,
        password=broker.password,
        keys=enrolment_keys(PublicKeys.of(KEY)),
    )


async def test_on_an_installation_the_controller_goes_on_afterwards(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with running_house(data) as house:
        house.done("PUT", "/api/v1/stores/main", STORE_BODY)
        enrolment = from_json(
            json.dumps(house.done("PUT", "/api/v1/stores/main/gateways/gw-1", {}))
        )
        product = {"sku": "1001", "name": "Kruh", "price": "1.29"}
        house.done("POST", "/api/v1/stores/main/products", [product])
        label = {"label": "l-1", "panel": str(PANEL.panel_id), "gateway": "gw-1"}
        house.done("POST", "/api/v1/stores/main/labels", [label])
        house.done("POST", "/api/v1/stores/main/pairings", {"label": "l-1", "sku": "1001"})

    async with shop_of(enrolment) as shop:
        words = (
            "--label",
            "l-1",
            "--labels",
            4,
            "--patience",
            10,
            "--beacon",
            2,
            "--json",
            "--data",
            data,
        )
        status, output, errors = await esl("conform", "--gateway", "gw-1", *words)
        assert status == 0, output + errors
        report = json.loads(output)
        by_the_kit = shop.labels["l-1"].shown_rev
        assert (report["label"], by_the_kit > 0) == ("l-1", True)
        with running_house(data, with_worker=True) as house:
            async with asyncio.timeout(PATIENCE_S):
                settled = "SELECT 1 FROM label WHERE settled_rev > ?"
                while not house.read(settled, by_the_kit):  # noqa: ASYNC110  no event tells it
                    await asyncio.sleep(0.1)
            assert shop.labels["l-1"].shown_rev > by_the_kit


async def test_a_simulated_shop_passes_at_its_level(mosquitto: Mosquitto, tmp_path: Path) -> None:
    key = tmp_path / "key.pem"
    key.write_bytes(KEY.to_pem())
    async with shop_of(enrolled(mosquitto)):
        words = ("--key", key, "--broker", mosquitto.url, "--patience", 10, "--beacon", 2)
        status, output, errors = await esl("conform", "--gateway", "gw-1", *words)

    assert status == 0, output + errors
    assert "Level: full (it says full). Conforms: 9 pass, 3 needs operator." in output
    assert output.count("✓ pass") == 9
    assert output.count(" skills\n") == 3
    assert "· G8: the same command twice" in errors


async def test_a_gateway_that_breaks_a_rule_ends_with_status_1(
    mosquitto: Mosquitto, tmp_path: Path
) -> None:
    key = tmp_path / "key.pem"
    key.write_bytes(KEY.to_pem())
    silent = replace(QUICK, level="basic", beacon_s=10_000)
    async with shop_of(enrolled(mosquitto), silent):
        words = ("--key", key, "--broker", mosquitto.url, "--patience", 10, "--beacon", 1)
        status, output, _ = await esl("conform", "--gateway", "gw-1", *words)

    assert status == 1
    assert "✗ fail            G6  beacons are forwarded" in output
    assert "no beacon came unasked" in output
    assert "Does not conform: 7 pass, 1 fail, 3 needs operator, 1 not observable." in output


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--gateway", "GW 1"), "--gateway: 1 to 64 of a-z, 0-9 and '-'"),
        (("--gateway", "gw-1", "--data", "/nowhere"), "/nowhere is no installation"),
        (("--gateway", "gw-1", "--key", "/nowhere"), "with --key, give --broker too"),
        (
            ("--gateway", "gw-1", "--key", "/nowhere", "--broker", "mqtt://127.0.0.1:1"),
            "/nowhere is not a usable signing key",
        ),
    ],
)
def test_what_it_needs_is_said_in_one_line(
    command: Command, words: tuple[str, ...], told: str
) -> None:
    ran = command("conform", *words)

    assert (ran.status, ran.stdout) == (2, "")
    assert ran.stderr.startswith("esl conform: ")
    assert told in ran.stderr
    assert ran.stderr.count("\n") == 1


def test_a_gateway_that_is_not_enrolled_here_is_named_with_those_that_are(
    command: Command, tmp_path: Path
) -> None:
    data = tmp_path / "data"
    with running_house(data) as house:
        house.done("PUT", "/api/v1/stores/main", STORE_BODY)
        house.done("PUT", "/api/v1/stores/main/gateways/gw-1", {})
        running = command("conform", "--gateway", "gw-1", "--data", data)
    stopped = command("conform", "--gateway", "gw-9", "--data", data)

    assert running.status == stopped.status == 2
    assert "stop the controller first" in running.stderr
    assert "gateway gw-9 is not enrolled here (enrolled: gw-1)" in stopped.stderr


def test_a_broker_that_is_not_there_is_said_to_be_so(command: Command, tmp_path: Path) -> None:
    key = tmp_path / "key.pem"
    key.write_bytes(KEY.to_pem())

    ran = command("conform", "--gateway", "gw-1", "--key", key, "--broker", "mqtt://127.0.0.1:1")

    assert ran.status == 2
    assert "the broker mqtt://127.0.0.1:1 did not let the kit in" in ran.stderr.splitlines()[-1]
