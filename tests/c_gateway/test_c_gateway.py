"""A gateway in C, written from the documents alone, reads every vector and passes the kit.

It is built with the address and undefined behaviour sanitizers, so that a byte read beyond a
buffer ends a test.
"""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random

import pytest

from gateway.mqtt import BrokerAddress
from gateway.wire.enrolment import Enrolment, enrolment_keys, to_json
from gateway.wire.signing import PublicKeys, SigningKey
from tests import services
from tests.proof.rogue_c import attack
from tests.services import Mosquitto

HERE = Path(__file__).parent
VECTORS = HERE.parent / "golden" / "wire"
KEY = SigningKey.from_seed(bytes(range(32)))
STRANGER = SigningKey.from_seed(bytes(32))
GATEWAY = "gw-c"
BY_HAND = {"G2", "L1", "L3"}
HOSTILE = 4000
_BUILD_S = 120
_RUN_S = 120
_LIBRARIES = "libpaho-mqtt-dev libmsgpack-dev libsodium-dev zlib1g-dev libcjson-dev"


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the built programs."""
    cmake = services.require("cmake")
    folder = tmp_path_factory.mktemp("c_gateway")
    configured = subprocess.run(
        [cmake, "-S", HERE, "-B", folder, "-DSANITIZE=ON"],
        capture_output=True,
        text=True,
        timeout=_BUILD_S,
        check=False,
    )
    if configured.returncode:
        reason = f"cmake cannot configure it; Debian: apt install gcc pkg-config {_LIBRARIES}"
        if "cmake" in services.required_services(os.environ.get(services.REQUIRE_VARIABLE, "")):
            pytest.fail(f"{reason}\n{configured.stderr}", pytrace=False)
        pytest.skip(reason)
    compiled = subprocess.run(
        [cmake, "--build", folder], capture_output=True, text=True, timeout=_BUILD_S, check=False
    )
    assert compiled.returncode == 0, compiled.stdout + compiled.stderr
    return folder


def enrolment_file(folder: Path, broker: Mosquitto) -> Path:
    path = folder / "enrolment.json"
    enrolment = Enrolment(
        gateway=GATEWAY,
        store="shop",
        host=broker.host,
        port=broker.port,
        tls=False,
        username=broker.username,
        password=broker.password,
        keys=enrolment_keys(PublicKeys.of(KEY)),
    )
    path.write_text(to_json(enrolment))
    return path


@contextmanager
def running_gateway(built: Path, enrolment: Path, *options: str) -> Iterator[None]:
    """The gateway, connected; it must end in good order."""
    process = subprocess.Popen(
        [built / "c-gateway", enrolment, "--paint-ms", "400", *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    try:
        assert process.stdout.readline().startswith("session ")
        yield
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=20)
        assert (process.returncode, errors) == (0, "")
    finally:
        if process.poll() is None:
            process.kill()
            process.communicate()


def conform(key: Path, broker: Mosquitto, *options: str) -> subprocess.CompletedProcess[str]:
    words = ["conform", "--gateway", GATEWAY, "--key", str(key), "--broker", broker.url, *options]
    return subprocess.run(
        [sys.executable, "-m", "api.cli", *words],
        capture_output=True,
        text=True,
        timeout=_RUN_S,
        check=False,
        cwd=HERE.parents[1],
    )


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    path = tmp_path / "key.pem"
    path.write_bytes(KEY.to_pem())
    return path


def test_it_agrees_with_every_golden_vector(built: Path) -> None:
    ran = subprocess.run(
        [built / "check-vectors", VECTORS], capture_output=True, text=True, timeout=60, check=False
    )

    said = dict(reversed(line.split()) for line in ran.stdout.splitlines()[:-1])
    assert said == {path.name: "ok" for path in VECTORS.glob("*.json")}, ran.stderr
    assert ran.returncode == 0


def test_a_vector_that_is_wrong_is_found_wrong(built: Path, tmp_path: Path) -> None:
    for name, old, new in (
        ("shown", '"rev": 4711', '"rev": 4712'),
        ("gatekeeper", '"verdict": "replayed"', '"verdict": "admit"'),
        ("story-basic", '"code": "expired"', '"code": "superseded"'),
        ("signed-put", '"body_hex": "918c', '"body_hex": "928c'),
    ):
        text = (VECTORS / f"{name}.json").read_text()
        assert old in text
        (tmp_path / f"{name}.json").write_text(text.replace(old, new, 1))

    ran = subprocess.run(
        [built / "check-vectors", tmp_path], capture_output=True, text=True, timeout=60, check=False
    )

    assert ran.returncode == 1
    assert ran.stdout.splitlines()[-1] == "0 right, 4 wrong"


def test_hostile_bytes_do_it_no_harm(built: Path) -> None:
    random = Random(4)
    seeds = [bytes.fromhex(v["hex"]) for v in _vectors() if "hex" in v]
    seeds += [bytes.fromhex(step["body_hex"]) for step in _story()["steps"]]
    payloads = [_damaged(random, random.choice(seeds)) for _ in range(HOSTILE)]

    ran = subprocess.run(
        [built / "feed"],
        input="".join(f"{payload.hex()}\n" for payload in [*seeds, *payloads]),
        capture_output=True,
        text=True,
        timeout=_RUN_S,
        check=False,
    )

    assert (ran.returncode, ran.stderr) == (0, "")
    payloads_told, events = (int(word) for word in ran.stdout.split() if word.isdigit())
    assert payloads_told == len(seeds) + HOSTILE
    assert events > HOSTILE / 20, "so little of it was read that nothing was tried"


def _damaged(random: Random, payload: bytes) -> bytes:
    """A payload with a few bytes changed, cut, doubled or put in."""
    damaged = bytearray(payload)
    for _ in range(random.randint(1, 3)):
        at = random.randrange(len(damaged) or 1)
        match random.randrange(4):
            case 0 if damaged:
                damaged[at] = random.choice((random.randrange(256), 0xDD, 0xDF, 0xC6, 0xC1))
            case 1:
                del damaged[at:]
            case 2:
                damaged[at:at] = damaged[at : at + random.randrange(40)]
            case _:
                damaged[at:at] = random.randbytes(random.randrange(6))
    return bytes(damaged)


def _vectors() -> list[dict[str, object]]:
    return [json.loads(path.read_text()) for path in sorted(VECTORS.glob("*.json"))]


def _story() -> dict[str, list[dict[str, str]]]:
    return json.loads((VECTORS / "story-basic.json").read_text())


def test_it_passes_the_kit_at_level_basic(
    built: Path, mosquitto: Mosquitto, key_file: Path, tmp_path: Path
) -> None:
    options = ("--labels", "6", "--capacity", "4", "--heartbeat-s", "4", "--beacon-s", "3")
    with running_gateway(built, enrolment_file(tmp_path, mosquitto), *options):
        ran = conform(
            key_file, mosquitto, "--json", "--labels", "6", "--patience", "10", "--beacon", "3"
        )

    assert ran.returncode == 0, ran.stdout + ran.stderr
    report = json.loads(ran.stdout)
    verdicts = {rule: told["verdict"] for rule, told in report["rules"].items()}
    assert {rule for rule, verdict in verdicts.items() if verdict != "pass"} == BY_HAND
    assert {verdicts[rule] for rule in BY_HAND} == {"needs operator"}
    assert [s["name"] for s in report["skills"] if s["verdict"] != "pass"] == []
    assert (report["level"], report["claimed_level"], report["passed"]) == ("basic", "basic", True)
    assert report["firmware"] == "c-1"
    assert "never more than its capacity of 4 in hand" in report["rules"]["G4"]["why"]
    assert "listening for heartbeats and beacons" in ran.stderr


async def test_a_rogue_with_the_controllers_login_changes_nothing(
    built: Path, mosquitto: Mosquitto, tmp_path: Path
) -> None:
    options = ("--labels", "3", "--heartbeat-s", "1", "--beacon-s", "1", "--frame-bytes", "64")
    address = BrokerAddress.from_url(mosquitto.url)
    with running_gateway(built, enrolment_file(tmp_path, mosquitto), *options):
        found = await attack(address, GATEWAY, KEY, labels=3, frame_bytes=64, payloads=1000)
    assert found["after"] == found["before"]
    assert sorted(rev for rev, *_ in found["before"].values()) == [0, 0, 10]
    assert sorted(rev for rev, *_ in found["control"].values()) == [0, 0, 100], "the control"


def test_the_kit_says_what_a_gateway_of_another_key_drops(
    built: Path, mosquitto: Mosquitto, tmp_path: Path
) -> None:
    other = tmp_path / "other.pem"
    other.write_bytes(STRANGER.to_pem())

    with running_gateway(built, enrolment_file(tmp_path, mosquitto), "--heartbeat-s", "2"):
        ran = conform(other, mosquitto, "--patience", "2")

    assert (ran.returncode, ran.stdout) == (2, "")
    assert f"obeys nothing that key {STRANGER.key_id} signs" in ran.stderr.splitlines()[-1]
