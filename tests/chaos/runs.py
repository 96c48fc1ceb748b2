"""Running seeds, and saying what came of them."""

import argparse
import difflib
import json
import logging
import sys
from collections import Counter

import structlog

from tests.chaos import planted
from tests.chaos.defects import DEFECTS
from tests.chaos.profile import EXPECTED_LATER, PROFILES, Profile
from tests.chaos.story import Outcome, Stage


def main(arguments: argparse.Namespace) -> int:
    """Do what the command line asks for; return the exit code."""
    unknown = unknown_defects(arguments)
    if unknown is not None:
        sys.stderr.write(f"{unknown}\n")
        return 2
    if arguments.way == "defects" and arguments.list:
        sys.stdout.write("".join(f"{d.name}\n    {d.what}\n" for d in DEFECTS.values()))
        return 0
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    stage = Stage()
    try:
        match arguments.way:
            case "run":
                return run(stage, arguments)
            case "search":
                return planted.search(
                    stage,
                    seeds=arguments.seeds,
                    only=arguments.only,
                    escaped=arguments.escaped,
                )
            case _:
                return planted.replay(stage, only=arguments.only)
    finally:
        stage.close()


def unknown_defects(arguments: argparse.Namespace) -> str | None:
    """Say which defect is named that there is not, and what may have been meant."""
    named = arguments.defect if arguments.way == "run" else arguments.only
    for name in (named or "").split(",") if named is not None else ():
        if name not in DEFECTS:
            near = difflib.get_close_matches(name, DEFECTS, 1)
            hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(sorted(DEFECTS))}"
            return f"no defect is called {name!r}; {hint}"
    return None


def run(stage: Stage, arguments: argparse.Namespace) -> int:
    """Run seeds and print one line of JSON; a failing seed is explained on stderr."""
    profile = PROFILES[arguments.profile]
    seeds = (
        [arguments.seed]
        if arguments.seed is not None
        else range(arguments.first, arguments.first + arguments.seeds)
    )
    defect = DEFECTS[arguments.defect] if arguments.defect else None
    outcomes = []
    for seed in seeds:
        outcome = planted.run_planted(stage, seed, profile, defect)
        outcomes.append(outcome)
        if arguments.verbose:
            sys.stderr.write(line(outcome) + "\n")
        if outcome.violation is not None:
            sys.stderr.write(explain(outcome, profile, arguments.defect))
    sys.stdout.write(json.dumps(summary(outcomes, profile)) + "\n")
    return 1 if any(o.violation for o in outcomes) else 0


def line(outcome: Outcome) -> str:
    """Sum a seed up in one line."""
    return (
        f"seed {outcome.seed}: {outcome.seconds:.1f} s, {outcome.steps} steps,"
        f" {sum(outcome.applied.values())} faults, {outcome.commands} commands,"
        f" {outcome.shown_events} shown, right after {outcome.convergence_s:.0f} s,"
        f" {outcome.fingerprint} {outcome.violation or 'ok'}"
    )


def summary(outcomes: list[Outcome], profile: Profile) -> dict[str, object]:
    """Make the line that machines read."""
    applied: Counter[str] = Counter()
    evaluated: Counter[str] = Counter()
    for outcome in outcomes:
        applied.update(outcome.applied)
        evaluated.update(outcome.evaluated)
    return {
        "seeds": len(outcomes),
        "virtual_hours": round(sum(o.virtual_s for o in outcomes) / 3600, 1),
        "faults_applied": sum(applied.values()),
        "violations": sum(o.violation is not None for o in outcomes),
        "worst_convergence_s": max((o.convergence_s for o in outcomes), default=0.0),
        "checks_evaluated": evaluated.total(),
        "shown_events": sum(o.shown_events for o in outcomes),
        "moments_turned": sum(o.turned for o in outcomes),
        "till_checks": evaluated["I15"],
        "profile": profile.name,
        "checks": dict(sorted(evaluated.items())),
        "faults": dict(sorted(applied.items())),
        "expected_later": list(EXPECTED_LATER),
    }


def explain(outcome: Outcome, profile: Profile, defect: str | None) -> str:
    """Say what went wrong, what came before it, and how to see it again."""
    notes = "\n".join(outcome.notes)
    planted_too = f" --defect {defect}" if defect else ""
    return (
        f"{notes}\nseed {outcome.seed} ({profile.name}): {outcome.violation}\n"
        f"again: python -m tests.chaos run --seed {outcome.seed} --profile {profile.name}"
        f"{planted_too}\n"
    )
