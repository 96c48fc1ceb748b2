"""``make chaos``, ``make chaos-search``, ``make chaos-defects``: the ways to run the suite."""

import argparse
import os
import sys
from collections.abc import Callable

_EXAMPLES = """\
examples:
  python -m tests.chaos run --seeds 200            random histories; one JSON line
  python -m tests.chaos run --seed 17              one of them again, exactly
  python -m tests.chaos run --seeds 40 --profile field
  python -m tests.chaos run --seeds 40 --profile promotions
  python -m tests.chaos run --seed 0 --defect puback_is_delivery
  python -m tests.chaos search                     a seed that catches each defect
  python -m tests.chaos search --escaped           only for those that theirs misses now
  python -m tests.chaos defects                    every defect with its recorded seed
  python -m tests.chaos defects --only NAME        one of them
  python -m tests.chaos defects --list             their names, and what each is

What is simulated and what must hold: docs/chaos.md
"""


def main() -> int:
    """Read what is asked for."""
    arguments = _parser().parse_args()
    from tests.chaos import runs  # noqa: PLC0415  after the hash seed is fixed

    return runs.main(arguments)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tests.chaos",
        description="Test the guarantees on a simulated clock, network and broker.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    ways = parser.add_subparsers(dest="way", required=True, metavar="run | search | defects")
    run = ways.add_parser("run", help="run seeds; one JSON line, exit code 1 if one fails")
    run.add_argument("--seeds", type=_at_least(1), default=200, help="how many (200)")
    run.add_argument("--first", type=_at_least(0), default=0, help="the first of them (0)")
    run.add_argument("--seed", type=_at_least(0), help="this one alone")
    profiles = ("default", "field", "promotions", "office")
    run.add_argument("--profile", choices=profiles, default="default")
    run.add_argument("--defect", metavar="NAME", help="plant this defect")
    run.add_argument("--verbose", action="store_true", help="a line on each seed")
    search = ways.add_parser("search", help="find and record a seed that catches each defect")
    search.add_argument("--seeds", type=_at_least(1), default=300, help="tried for each (300)")
    search.add_argument("--only", metavar="NAME,NAME", help="of these defects alone")
    search.add_argument(
        "--escaped", action="store_true", help="of those that their recorded seed misses now"
    )
    defects = ways.add_parser("defects", help="plant every defect and replay its recorded seed")
    defects.add_argument("--only", metavar="NAME,NAME", help="these alone")
    defects.add_argument("--list", action="store_true", help="name them, and run nothing")
    return parser


def _at_least(least: int) -> Callable[[str], int]:
    def number(text: str) -> int:
        if not text.isascii() or not text.isdigit() or int(text) < least:
            raise argparse.ArgumentTypeError(f"{text!r} is no number from {least} on")
        return int(text)

    return number


if __name__ == "__main__":
    if os.environ.get("PYTHONHASHSEED") != "0":
        # The order of sets of strings follows the hash seed: a replay needs the same one.
        os.environ["PYTHONHASHSEED"] = "0"
        os.execv(sys.executable, [sys.executable, "-m", "tests.chaos", *sys.argv[1:]])  # noqa: S606
    sys.exit(main())
