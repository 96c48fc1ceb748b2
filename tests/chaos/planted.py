"""Finding a seed that catches each planted defect, and replaying exactly those.

``search`` tries seeds until one violates an invariant that the defect must violate, makes sure
that the healthy product passes the same seed, and records both in ``defects.json``. ``replay``
runs only what is recorded there, in seconds.
"""

import json
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from tests.chaos.defects import DEFECTS
from tests.chaos.defects.defect import Defect
from tests.chaos.profile import PROFILES, Profile
from tests.chaos.story import Outcome, Stage, run_seed

RECORDED = Path(__file__).parent / "defects.json"


def run_planted(stage: Stage, seed: int, profile: Profile, defect: Defect | None) -> Outcome:
    """Run a seed with a defect planted; with None the healthy product."""
    with pytest.MonkeyPatch.context() as patch:
        if defect is not None:
            defect.plant(patch)
        return run_seed(stage, seed, profile)


def is_caught(defect: Defect, outcome: Outcome) -> bool:
    """Say whether an outcome shows what this defect must show."""
    return outcome.violation is not None and outcome.violation.invariant in defect.caught_by


def search(stage: Stage, *, seeds: int, only: str | None, escaped: bool) -> int:
    """Look for a seed for each defect, and record them.

    ``only`` names defects, with commas; with ``escaped`` those whose recorded seed still catches
    them keep it.
    """
    recorded: dict[str, Any] = json.loads(RECORDED.read_text()) if RECORDED.exists() else {}
    recorded = {name: found for name, found in recorded.items() if name in DEFECTS}
    healthy: dict[tuple[str, int], bool] = {}
    missed = []
    for name, defect in DEFECTS.items():
        if only is not None and name not in only.split(","):
            continue
        if escaped and caught_again(stage, name, recorded):
            continue
        found = _search_one(stage, defect, seeds, healthy)
        sys.stderr.write(f"{name}: {json.dumps(found)}\n")
        if found is None:
            missed.append(name)
            recorded.pop(name, None)
        else:
            recorded[name] = found
        RECORDED.write_text(json.dumps(dict(sorted(recorded.items())), indent=2) + "\n")
    sys.stdout.write(
        json.dumps({"defects": len(DEFECTS), "recorded": len(recorded), "missed": missed}) + "\n"
    )
    return 1 if missed else 0


def _search_one(
    stage: Stage, defect: Defect, seeds: int, healthy: dict[tuple[str, int], bool]
) -> dict[str, Any] | None:
    profile = PROFILES[defect.profile]
    began_s = time.perf_counter()
    for seed in range(seeds):
        outcome = run_planted(stage, seed, profile, defect)
        if not is_caught(defect, outcome):
            continue
        key = (defect.profile, seed)
        if key not in healthy:
            healthy[key] = run_planted(stage, seed, profile, None).violation is None
        if healthy[key] and outcome.violation is not None:
            return {
                "seed": seed,
                "profile": defect.profile,
                "invariant": outcome.violation.invariant,
                "virtual_s": round(outcome.virtual_s),
                "searched_s": round(time.perf_counter() - began_s, 1),
            }
    return None


def replay(stage: Stage, *, only: str | None = None) -> int:
    """Plant every recorded defect and run its seed; each must be caught again.

    ``only`` names defects, with commas.
    """
    names = sorted(DEFECTS) if only is None else only.split(",")
    recorded: dict[str, Any] = json.loads(RECORDED.read_text())
    began_s = time.perf_counter()
    escaped = [name for name in names if not caught_again(stage, name, recorded)]
    seconds = round(time.perf_counter() - began_s, 1)
    sys.stdout.write(
        json.dumps({"defects": len(names), "escaped": escaped, "seconds": seconds}) + "\n"
    )
    return 1 if escaped else 0


def caught_again(stage: Stage, name: str, recorded: dict[str, Any]) -> bool:
    """Replay one defect from its recorded seed."""
    found = recorded.get(name)
    if found is None:
        sys.stderr.write(f"{name}: no seed is recorded; run the search\n")
        return False
    outcome = run_planted(stage, found["seed"], PROFILES[found["profile"]], DEFECTS[name])
    caught = is_caught(DEFECTS[name], outcome)
    verdict = outcome.violation if caught else f"ESCAPED ({outcome.violation})"
    sys.stderr.write(f"{name}, seed {found['seed']}: {verdict}\n")
    return caught
