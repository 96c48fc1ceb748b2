"""Seeds of the chaos suite, bounded for every run; ``make chaos SEEDS=200`` runs many more.

The order of sets follows the interpreter's hash seed, and a replay needs the very same order:
so what compares histories runs in a process of its own.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.chaos.profile import DEFAULT
from tests.chaos.story import Stage, run_seed

PROJECT = Path(__file__).resolve().parents[2]
SEEDS = int(os.environ.get("ESL_TEST_CHAOS_SEEDS", "10"))


def chaos(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tests.chaos", *arguments],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.timeout(900)
def test_whatever_happens_the_guarantees_hold() -> None:
    ran = chaos("run", "--seeds", str(SEEDS))
    assert ran.returncode == 0, ran.stderr
    said = json.loads(ran.stdout)
    assert said["violations"] == 0
    assert said["seeds"] == SEEDS
    assert said["faults_applied"] > 100 * SEEDS
    assert said["checks_evaluated"] > 10_000 * SEEDS
    assert said["shown_events"] > 100 * SEEDS


@pytest.mark.timeout(900)
def test_the_guarantees_hold_in_the_field_profile() -> None:
    ran = chaos("run", "--profile", "field", "--seeds", "1")
    assert ran.returncode == 0, ran.stderr
    assert json.loads(ran.stdout)["profile"] == "field"


@pytest.mark.timeout(900)
def test_the_guarantees_hold_with_promotions_and_with_a_till_in_the_safe_order() -> None:
    ran = chaos("run", "--profile", "promotions", "--seeds", "2")
    assert ran.returncode == 0, ran.stderr
    said = json.loads(ran.stdout)
    assert said["moments_turned"] > 20
    assert said["till_checks"] > 100


@pytest.mark.asvs("2.3.5", "7.4.2", "8.3.2", "8.4.1", "16.4.2")
@pytest.mark.timeout(900)
def test_rights_decisions_and_the_audit_hold_beside_a_shop_in_trouble() -> None:
    ran = chaos("run", "--profile", "office", "--seeds", "3")
    assert ran.returncode == 0, ran.stderr
    said = json.loads(ran.stdout)
    for invariant, least in (("I9", 30), ("I12", 100), ("I13", 200)):
        assert said["checks"][invariant] > least, invariant


@pytest.mark.timeout(900)
def test_every_planted_defect_is_caught_by_its_recorded_seed() -> None:
    ran = chaos("defects")
    assert ran.returncode == 0, ran.stderr
    said = json.loads(ran.stdout)
    assert said["escaped"] == []
    assert said["defects"] >= 43


def test_a_seed_makes_the_same_history_again() -> None:
    stage = Stage()
    try:
        one, other, another = (run_seed(stage, seed, DEFAULT) for seed in (3, 3, 4))
    finally:
        stage.close()
    assert one.fingerprint == other.fingerprint
    assert one.steps == other.steps
    assert one.fingerprint != another.fingerprint


@pytest.mark.parametrize(
    "arguments",
    [
        ("run", "--seed", "0", "--defect", "puback_is_deliver"),
        ("defects", "--only", "puback_is_deliver"),
        ("search", "--only", "hello_once,puback_is_deliver"),
    ],
)
def test_a_defect_that_there_is_not_is_said_so(arguments: tuple[str, ...]) -> None:
    ran = chaos(*arguments)
    assert ran.returncode == 2
    assert "'puback_is_deliver'; did you mean puback_is_delivery?" in ran.stderr
    assert "Traceback" not in ran.stderr


def test_a_number_that_is_none_is_said_so() -> None:
    ran = chaos("run", "--seeds", "-3")
    assert ran.returncode == 2
    assert "no number from 1 on" in ran.stderr


def test_one_defect_alone_is_replayed() -> None:
    ran = chaos("defects", "--only", "puback_is_delivery")
    assert ran.returncode == 0, ran.stderr
    assert json.loads(ran.stdout)["defects"] == 1


def test_a_failing_seed_says_how_to_see_it_again() -> None:
    ran = chaos("run", "--seed", "0", "--defect", "puback_is_delivery")
    assert ran.returncode == 1
    assert json.loads(ran.stdout)["violations"] == 1
    assert "VIOLATION" in ran.stderr
    again = "python -m tests.chaos run --seed 0 --profile default --defect puback_is_delivery"
    assert again in ran.stderr
